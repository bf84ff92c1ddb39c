//! Readers of the files that name the release of Go to install: version files, workflows, and the
//! images of Dockerfiles. Its standard library is compiled into every program.
//!
//! The `go` line of a `go.mod` is a minimum. These files name what builds: one release, or the
//! newest one of a series (`1.21.x`), which is a requirement.

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Package, PackageIndex, Root, SmolStr, Unresolved,
};

use super::directives::Directives;
use super::version::{Version, release_of};
use crate::syntax::{Node, yaml};
use crate::{Input, Interval, ParseError, Prereleases, VersionSet, limits};

/// OSV's name for the standard library.
pub(super) const STDLIB: &str = "stdlib";

/// Format of version files.
pub(super) const VERSION_FILE: &str = "go-version";

/// Format of workflows that install Go.
pub(super) const WORKFLOW: &str = "github-workflow-go";

/// Format of Dockerfiles that use an image of Go.
pub(super) const DOCKERFILE: &str = "dockerfile-go";

/// Names of Go's plugin in a `.tool-versions` (<https://asdf-vm.com/manage/configuration.html>).
const PLUGINS: [&str; 2] = ["go", "golang"];

/// The name of the image with Go, without host and directories.
const IMAGE: &str = "golang";

/// Reads a `.go-version` or a `.tool-versions`.
pub(super) fn version_file(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut lockfile = empty(input, VERSION_FILE);
    let of_all_tools = input.path.ends_with(".tool-versions");
    for (line, text) in (1..).zip(input.text()?.lines()) {
        let text = text.split('#').next().unwrap_or_default();
        let mut words = text.split_whitespace();
        if of_all_tools && !words.next().is_some_and(|name| PLUGINS.contains(&name)) {
            continue;
        }

        // Further words are versions to fall back to.
        if let Some(version) = words.next() {
            add(&mut lockfile, version, line);
            if !of_all_tools {
                break;
            }
        }
    }

    Ok(lockfile)
}

/// Reads the steps of a GitHub workflow that install Go
/// (<https://github.com/actions/setup-go#usage>).
pub(super) fn workflow(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let root = yaml(text)?;
    if root.get("jobs").is_none() {
        return Err(ParseError::new("is not a workflow: it has no `jobs`"));
    }

    let mut lockfile = empty(input, WORKFLOW);
    for (_, job) in root.optional_map("jobs")? {
        for step in job.get("steps").map(Node::items).unwrap_or_default() {
            let action = step.get("uses").and_then(Node::text).unwrap_or_default();
            let Some(with) = step
                .get("with")
                .filter(|_| action.starts_with("actions/setup-go@"))
            else {
                continue;
            };

            if let Some(version) = with.get("go-version") {
                for (text, line) in values(version, job, &root) {
                    add(&mut lockfile, &text, line);
                }
            } else if let Some(file) = with.get("go-version-file")
                && let Some(version) = version_of_module(input, file)
            {
                add(&mut lockfile, &version, file.line);
            }
        }
    }
    if lockfile.packages.len() + lockfile.unresolved.len() > limits::MAX_PACKAGES {
        return Err(ParseError::new("installs too many releases of Go"));
    }

    Ok(lockfile)
}

/// Reads the images of a Dockerfile that contain Go: the tag begins with the release.
pub(super) fn dockerfile(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let images = crate::docker::images_of_dockerfile(input)?;
    let mut lockfile = empty(input, DOCKERFILE);
    for image in &images.packages {
        let name = image.name.rsplit('/').next().unwrap_or_default();
        let tag = image.version.split(['-', '@']).next().unwrap_or_default();
        if name == IMAGE {
            add(&mut lockfile, tag, image.line);
        }
    }

    Ok(lockfile)
}

fn empty(input: &Input<'_>, format: &'static str) -> Lockfile {
    Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new(format),
        roots: vec![Root::default()],
        ..Lockfile::default()
    }
}

/// Adds the standard library of a release, or of the newest release of a series. Other texts
/// (`stable`, an expression) name neither, and the minimum in `go.mod` stays what is known.
fn add(lockfile: &mut Lockfile, text: &str, line: u32) {
    if is_release(text) {
        let is_known = lockfile
            .packages
            .iter()
            .any(|package| package.version == text);
        if is_known {
            return;
        }

        let index = u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX);
        lockfile.packages.push(Package {
            line,
            ..Package::new(super::NAME, STDLIB.to_owned(), text.to_owned())
        });
        for root in &mut lockfile.roots {
            root.edges.push(Edge {
                to: PackageIndex(index),
                name: STDLIB.into(),
                requirement: None,
                kind: DependencyKind::Runtime,
            });
        }
    } else if let Some(requirement) = series(text) {
        let is_known = lockfile
            .unresolved
            .iter()
            .any(|one| one.requirement == requirement);
        if !is_known {
            lockfile
                .unresolved
                .push(standard_library(requirement, line));
        }
    }
}

/// The standard library as a requirement.
fn standard_library(requirement: String, line: u32) -> Unresolved {
    Unresolved {
        ecosystem: super::NAME,
        name: STDLIB.to_owned(),
        requirement,
        kind: DependencyKind::Runtime,
        line,
    }
}

/// The versions that a requirement of the standard library admits: `>=1.16`, `>=1.21,<1.22.0-0`.
/// `None` for any other text. Modules have no such requirements.
pub(super) fn admitted(requirement: &str) -> Option<VersionSet> {
    let minimum = requirement.strip_prefix(">=")?;
    let (from, to) = match minimum.split_once(",<") {
        Some((from, to)) => (from, Some(to)),
        None => (minimum, None),
    };
    let is_release = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit()) && Version::parse(text).is_some()
    };
    let interval = match to {
        Some(to) if is_release(to) => Interval::between(from, to),
        Some(_) => return None,
        None => Interval::at_least(from),
    };

    // The go command chooses a pre-release of Go only if it is named.
    let named = release_of(from).map(SmolStr::from);
    let interval = interval.with_prereleases(Prereleases::Of(named.into_iter().collect()));
    is_release(from).then(|| interval.into())
}

/// The standard library of the minimum that a `go` line states.
pub(super) fn minimum(version: &str, line: u32) -> Unresolved {
    standard_library(format!(">={version}"), line)
}

/// Whether a text names one release: `1.21.3`, `1.22rc1`. Two numbers may also name a series.
fn is_release(text: &str) -> bool {
    let has_patch = text.split('.').count() == 3 || text.contains("rc") || text.contains("beta");
    has_patch && Version::parse(text).is_some() && text.starts_with(|c: char| c.is_ascii_digit())
}

/// The requirement for a series of releases: `1.21` and `1.21.x` are its newest release.
fn series(text: &str) -> Option<String> {
    let text = text.trim_start_matches(['^', '~', '=']);
    if let Some(minimum) = text.strip_prefix(">") {
        let minimum = minimum.trim_start_matches('=').trim();
        return Version::parse(minimum).map(|_| format!(">={minimum}"));
    }

    let mut parts = text.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let patch = parts
        .next()
        .filter(|patch| !matches!(*patch, "x" | "X" | "*"));
    let number = |text: &str| text.parse::<u32>().ok();
    let (major, minor) = (number(major)?, number(minor)?);
    let next = minor.checked_add(1)?;
    let from = match patch {
        Some(patch) => format!("{major}.{minor}.{}", number(patch)?),
        None => format!("{major}.{minor}"),
    };

    parts
        .next()
        .is_none()
        .then(|| format!(">={from},<{major}.{next}.0-0"))
}

/// The values of an input, each with its line: the text itself, or those of a variable of the
/// job's matrix or of the environment.
fn values(input: &Node<'_>, job: &Node<'_>, root: &Node<'_>) -> Vec<(String, u32)> {
    let Some(text) = input.scalar() else {
        return Vec::new();
    };
    let Some(expression) = text
        .trim()
        .strip_prefix("${{")
        .and_then(|rest| rest.strip_suffix("}}"))
    else {
        return vec![(text.trim().to_owned(), input.line)];
    };

    let named = match expression.trim().split_once('.') {
        Some(("matrix", name)) => job
            .get("strategy")
            .and_then(|strategy| strategy.get("matrix"))
            .and_then(|matrix| matrix.get(name)),
        Some(("env", name)) => [job, root]
            .into_iter()
            .find_map(|owner| owner.get("env").and_then(|env| env.get(name))),
        _ => None,
    };
    let Some(named) = named else {
        return Vec::new();
    };
    let items = match named.items() {
        [] => std::slice::from_ref(named),
        items => items,
    };

    items
        .iter()
        .filter_map(|item| Some((item.scalar()?.trim().to_owned(), item.line)))
        .collect()
}

/// The release that `go-version-file` chooses when it names a `go.mod`: that of its `toolchain`
/// line, else of its `go` line. Other files are read as version files.
fn version_of_module(input: &Input<'_>, file: &Node<'_>) -> Option<String> {
    let path = file.text()?.trim_start_matches("./");
    if !path.ends_with("go.mod") {
        return None;
    }
    let (before, _) = input.path.split_once(".github/workflows/")?;
    let path = format!("{before}{path}");
    let module = Input {
        path: &path,
        bytes: input.sibling(&path)?,
        siblings: input.siblings,
    };
    let module = Directives::parse(module.text().ok()?).ok()?;
    module.standard_library().map(|stated| stated.text.clone())
}

/// Removes the minimum of each `go.mod` and `go.work` for which another file names what builds, and
/// the files that name no release at all.
pub(super) fn settle(lockfiles: &mut Vec<Lockfile>) {
    let is_installed = |lockfile: &Lockfile| {
        [VERSION_FILE, WORKFLOW, DOCKERFILE].contains(&lockfile.format.as_str())
    };
    lockfiles.retain(|lockfile| {
        let is_empty = lockfile.packages.is_empty() && lockfile.unresolved.is_empty();
        !(is_installed(lockfile) && is_empty)
    });

    let installed: Vec<(String, bool)> = lockfiles
        .iter()
        .filter(|lockfile| is_installed(lockfile))
        .map(|lockfile| {
            let directory = match lockfile.path.split_once(".github/workflows/") {
                Some((before, _)) => before.to_owned(),
                None => directory(&lockfile.path).to_owned(),
            };
            (directory, lockfile.format.as_str() == DOCKERFILE)
        })
        .collect();
    for lockfile in lockfiles {
        let directory = directory(&lockfile.path).to_owned();
        let is_named = installed.iter().any(|(of, is_image)| {
            directory.starts_with(of.as_str()) || (*is_image && of.starts_with(&directory))
        });
        if is_named && matches!(lockfile.format.as_str(), "go-mod" | "go-work") {
            lockfile.unresolved.retain(|one| one.name != STDLIB);
        }
    }
}

/// The directory of a file, with `/` at its end; empty for the root.
fn directory(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Siblings;
    use crate::golang::Go;

    /// The releases and requirements of a file, with their lines.
    fn read(path: &str, text: &str, others: &[(&str, &str)]) -> Vec<String> {
        let siblings: Siblings = others
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let input = Input {
            path,
            bytes: text.as_bytes(),
            siblings: &siblings,
        };
        let parse = match path {
            "Dockerfile" => dockerfile,
            ".go-version" | ".tool-versions" => version_file,
            _ => workflow,
        };
        let lockfile = parse(&input).unwrap();
        let packages = lockfile.packages.iter();
        let packages = packages.map(|package| format!("{} {}", package.line, package.version));
        let unresolved = lockfile.unresolved.iter();
        let unresolved = unresolved.map(|one| format!("{} {}", one.line, one.requirement));
        packages.chain(unresolved).collect()
    }

    #[test]
    fn version_files_name_a_release_or_a_series() {
        for (path, text, expected) in [
            (".go-version", "1.21.3\n", "1 1.21.3"),
            (".go-version", "# comment\n1.22rc1\n", "2 1.22rc1"),
            (".go-version", "1.21\n", "1 >=1.21,<1.22.0-0"),
            (
                ".tool-versions",
                "nodejs 20.1.0\ngolang 1.20.4 1.19 # x\n",
                "2 1.20.4",
            ),
        ] {
            assert_eq!(read(path, text, &[]), [expected], "{text}");
        }
        assert!(read(".go-version", "system\n", &[]).is_empty());
        assert!(read(".tool-versions", "nodejs 20.1.0\n", &[]).is_empty());
    }

    #[test]
    fn requirements_of_the_standard_library_are_sets() {
        for (requirement, inside, outside) in [
            (
                ">=1.16",
                vec!["1.16.0", "1.26.8"],
                vec!["1.15.9", "1.16rc1", "1.27rc1", "1.27.0-rc.1"],
            ),
            (
                ">=1.21rc2",
                vec!["1.21rc2", "1.21rc3", "1.21.0"],
                vec!["1.21rc1", "1.22rc1"],
            ),
            (
                ">=1.21,<1.22.0-0",
                vec!["1.21.0", "1.21.13"],
                vec!["1.21rc2", "1.22rc1", "1.22.0"],
            ),
        ] {
            let set = admitted(requirement).unwrap();
            for version in inside {
                assert!(
                    set.contains(&Go, version).unwrap(),
                    "{requirement} {version}"
                );
            }
            for version in outside {
                assert!(
                    !set.contains(&Go, version).unwrap(),
                    "{requirement} {version}"
                );
            }
        }
        for requirement in ["1.16", ">=v1.16.0", ">=master", ">=1.16,<x", ">1.16", ""] {
            assert_eq!(admitted(requirement), None, "{requirement}");
        }
    }

    #[test]
    fn images_of_go_name_their_release() {
        let text = "FROM golang:1.21.3-alpine AS a\nFROM docker.io/library/golang:1.20@sha256:0a\nFROM golang:alpine\nFROM debian:12\n";
        assert_eq!(
            read("Dockerfile", text, &[]),
            ["1 1.21.3", "2 >=1.20,<1.21.0-0"]
        );
    }

    #[test]
    fn workflows_name_versions_variables_and_files() {
        let step = |with: &str| {
            format!(
                "env:\n  GO: 1.19.1\njobs:\n  a:\n    strategy:\n      matrix:\n        go: [1.20, '1.21.x', stable]\n    steps:\n      - uses: actions/setup-go@v5\n        with:\n          {with}\n"
            )
        };
        let module = [
            ("go.mod", "module m\ngo 1.22.1\n"),
            ("x/go.mod", "module m\ngo 1.22\n"),
        ];
        for (with, expected) in [
            ("go-version: '1.21.4'", vec!["11 1.21.4"]),
            ("go-version: 1.20", vec!["11 >=1.20,<1.21.0-0"]),
            ("go-version: ^1.20.3", vec!["11 >=1.20.3,<1.21.0-0"]),
            ("go-version: '>=1.20'", vec!["11 >=1.20"]),
            ("go-version: stable", vec![]),
            ("go-version: ${{ env.GO }}", vec!["2 1.19.1"]),
            ("go-version: ${{ inputs.go }}", vec![]),
            (
                "go-version: ${{ matrix.go }}",
                vec!["7 >=1.20,<1.21.0-0", "7 >=1.21,<1.22.0-0"],
            ),
            ("go-version-file: go.mod", vec!["11 1.22.1"]),
            ("go-version-file: ./x/go.mod", vec!["11 >=1.22,<1.23.0-0"]),
            ("go-version-file: .go-version", vec![]),
        ] {
            let read = read(".github/workflows/ci.yml", &step(with), &module);
            assert_eq!(read, expected, "{with}");
        }
    }

    #[test]
    fn a_minimum_gives_way_to_what_is_installed() {
        let lockfile = |path: &str, format: &'static str, unresolved: bool| Lockfile {
            path: path.to_owned(),
            format: FormatId::new(format),
            unresolved: unresolved.then(|| minimum("1.20", 3)).into_iter().collect(),
            ..Lockfile::default()
        };
        let kept = |path: &str, format| {
            let mut lockfiles = vec![
                lockfile("api/go.mod", "go-mod", true),
                lockfile(path, format, true),
                lockfile(".go-version", VERSION_FILE, false),
            ];
            settle(&mut lockfiles);
            assert_eq!(lockfiles.len(), 2, "an empty file is left out");
            !lockfiles[0].unresolved.is_empty()
        };
        assert!(!kept(".github/workflows/ci.yml", WORKFLOW));
        assert!(!kept("api/build/Dockerfile", DOCKERFILE));
        assert!(!kept("Dockerfile", DOCKERFILE));
        assert!(!kept("api/.go-version", VERSION_FILE));
        assert!(kept("web/.go-version", VERSION_FILE));
        assert!(kept("api/x/.go-version", VERSION_FILE));
        assert!(kept("apis/Dockerfile", DOCKERFILE));
        assert!(kept("web/package.json", "other"));
    }
}

//! Reader of `paket.lock` (<https://fsprojects.github.io/Paket/lock-file.html>): sources, below
//! each its packages with four spaces of indentation, and below each package its dependencies with
//! six. `GROUP` begins another graph.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root,
    Unresolved, without_credentials,
};

use super::paket_dependencies::{self, MAIN};
use super::{check_name, check_version};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Reads a lockfile, together with the `paket.dependencies` next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let mut reader = Reader::default();
    let last = u32::try_from(text.trim_end().lines().count()).unwrap_or(u32::MAX);
    for (line, content) in (1u32..).zip(text.lines()) {
        let Err(error) = reader.line(content, line) else {
            continue;
        };
        // A last line that cannot be read is a sign of a truncated file.
        if line >= last || reader.is_full() {
            return Err(error.at_line(line as usize));
        }
        reader.skipped.add(error_loss(content), line, error.reason);
    }

    ends_whole(text, &mut reader)?;
    if reader.packages.is_empty() {
        return Err(ParseError::new("locks no packages")
            .with_hint("re-create the file with `paket install`"));
    }

    reader.resolve()?;
    let roots = roots(input, &reader);

    let lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("paket-lock"),
        packages: reader.packages,
        unresolved: reader.unresolved,
        roots,
        ..Lockfile::default()
    };
    salvage::finish(lockfile, reader.skipped)
}

/// The loss with a line that cannot be read: lines with six spaces are dependencies.
fn error_loss(content: &str) -> Loss {
    match content.starts_with("      ") {
        true => Loss::Edge,
        false => Loss::Package,
    }
}

/// Refuses a file that stops within a name or a version. Paket ends its files with a line break. Old
/// versions did not, but they also wrote no options after a package. A file that stops within the
/// options is read, since Paket does so, and packages may be missing.
fn ends_whole(text: &str, reader: &mut Reader) -> Result<(), ParseError> {
    let last = text.lines().last().unwrap_or_default().trim_end();
    let is_entry = last.ends_with(')') && !last.contains(" - ");
    let is_old = is_entry || (reader.source != Source::NuGet && last.starts_with("      "));
    if text.ends_with('\n') || is_old {
        return Ok(());
    }
    if last.starts_with("    ") && last.contains(" - ") {
        let line = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
        salvage::lacks_line_break(&mut reader.skipped, line);
        return Ok(());
    }

    Err(
        ParseError::new("is truncated: its last line does not end with a line break")
            .at_line(text.lines().count())
            .with_hint("re-create the file with `paket install`"),
    )
}

/// Kind of source that the following lines belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Source {
    /// Options before the first source.
    #[default]
    None,
    NuGet,
    Git,
    GitHub,
    Http,
}

/// A dependency whose package is resolved after all lines are read.
struct PendingDependency {
    from: usize,
    name: String,
    requirement: Option<String>,
    /// Whether it applies only to some target frameworks, possibly to none of the project's.
    restricted: bool,
    line: u32,
}

/// State of the line-by-line reader.
#[derive(Default)]
struct Reader {
    source: Source,
    remote: Option<String>,
    /// Number of remotes in the group so far.
    remotes: usize,
    group: String,
    /// Whether the following dependencies belong to the last package.
    open: bool,
    packages: Vec<Package>,
    pending: Vec<PendingDependency>,
    /// Packages by lower-case group and name.
    indices: HashMap<(String, String), PackageIndex>,
    skipped: SkippedEntries,
    /// Dependencies on packages that the file does not lock.
    unresolved: Vec<Unresolved>,
}

impl Reader {
    /// Whether a limit is reached, so that an error is not about a single line.
    fn is_full(&self) -> bool {
        self.packages.len() >= limits::MAX_PACKAGES || self.pending.len() >= limits::MAX_EDGES
    }

    fn line(&mut self, content: &str, line: u32) -> Result<(), ParseError> {
        let trimmed = content.trim();
        if trimmed.is_empty() || trimmed.starts_with("//") || trimmed.starts_with('#') {
            return Ok(());
        }

        match content.len() - content.trim_start_matches(' ').len() {
            0 => self.heading(trimmed),
            2 => {
                self.open = false;
                if let Some((key, value)) = trimmed.split_once(": ")
                    && key == "remote"
                {
                    self.remote = Some(without_credentials(value.trim()).into_owned());
                    self.remotes += 1;
                }
                Ok(())
            }
            4 | 5 => self.package(trimmed, line),
            6.. => self.dependency(trimmed, line),
            _ => Err(ParseError::new("has a line with unexpected indentation")),
        }
    }

    fn heading(&mut self, text: &str) -> Result<(), ParseError> {
        self.open = false;
        self.remote = None;
        self.source = match text {
            "NUGET" => Source::NuGet,
            "GIT" => Source::Git,
            "GITHUB" | "GIST" => Source::GitHub,
            "HTTP" => Source::Http,
            _ => match text.split_once(' ') {
                Some(("GROUP", name)) => {
                    name.trim().clone_into(&mut self.group);
                    self.remotes = 0;
                    Source::None
                }
                // Options, such as `STORAGE: NONE` or `RESTRICTION: == net8.0`.
                _ if text
                    .split(' ')
                    .next()
                    .is_some_and(|word| word.ends_with(':')) =>
                {
                    Source::None
                }
                _ => {
                    return Err(ParseError::new(format!(
                        "has the unknown section {:?}",
                        text.chars().take(80).collect::<String>()
                    )));
                }
            },
        };

        Ok(())
    }

    fn package(&mut self, text: &str, line: u32) -> Result<(), ParseError> {
        // Dependencies below a package that cannot be read belong to no other package.
        self.open = false;
        let (name, version) = match named(text) {
            Some((name, version)) if !version.is_empty() => (name, version),
            // A file from the web has no version.
            None if self.source == Source::Http => (text, ""),
            _ => {
                return Err(ParseError::new(
                    "has a package without a version in parentheses",
                ));
            }
        };

        let group = self.group_name().to_owned();
        let remote = self.remote.clone();
        let (name, origin) = match self.source {
            Source::None => return Err(ParseError::new("has a package outside any source")),
            Source::NuGet => {
                check_name(name, line)?;
                check_version(version, name, line)?;
                (name.to_owned(), Origin::Registry(remote))
            }
            Source::Http => (
                needed_name(name, remote.as_deref())?,
                Origin::Url(remote.unwrap_or_default()),
            ),
            Source::Git | Source::GitHub => (
                needed_name(name, remote.as_deref())?,
                Origin::Git {
                    url: remote.unwrap_or_default(),
                    commit: Some(version.to_owned()),
                },
            ),
        };

        let index = u32::try_from(self.packages.len())
            .ok()
            .filter(|_| self.packages.len() < limits::MAX_PACKAGES)
            .map(PackageIndex)
            .ok_or_else(|| {
                ParseError::new(format!("locks more than {} packages", limits::MAX_PACKAGES))
            })?;

        let key = (group.to_ascii_lowercase(), name.to_ascii_lowercase());
        // A dependency on a package that is locked twice is one on the first.
        if self.source == Source::NuGet {
            match self.indices.entry(key) {
                Entry::Vacant(entry) => drop(entry.insert(index)),
                Entry::Occupied(_) => self
                    .skipped
                    .edge(line, format!("locks `{name}` twice in the group `{group}`")),
            }
        }

        self.open = true;
        self.packages.push(Package {
            line,
            origin,
            groups: vec![group],
            ..Package::new(super::NAME, name, version.to_owned())
        });

        Ok(())
    }

    fn dependency(&mut self, text: &str, line: u32) -> Result<(), ParseError> {
        if !self.open {
            return Err(ParseError::new("has a dependency outside any package"));
        }
        // Other sources have their settings here, such as `build: "build.cmd"`.
        if self.source != Source::NuGet {
            return Ok(());
        }

        let (name, requirement) = match named(text) {
            Some((name, requirement)) => (name, Some(requirement.to_owned())),
            None => (text.split(' ').next().unwrap_or_default(), None),
        };
        if self.pending.len() >= limits::MAX_EDGES {
            return Err(ParseError::new(format!(
                "has more than {} dependencies",
                limits::MAX_EDGES
            )));
        }

        self.pending.push(PendingDependency {
            from: self.packages.len().saturating_sub(1),
            name: name.to_owned(),
            requirement,
            restricted: text.contains(" - "),
            line,
        });

        Ok(())
    }

    fn group_name(&self) -> &str {
        if self.group.is_empty() {
            MAIN
        } else {
            &self.group
        }
    }

    fn find(&self, group: &str, name: &str) -> Option<PackageIndex> {
        let key = (group.to_ascii_lowercase(), name.to_ascii_lowercase());
        self.indices.get(&key).copied()
    }

    /// Resolves every pending dependency to its package.
    ///
    /// # Errors
    /// When the last packages may be missing: a dependency is on a package that would follow the last
    /// one, because Paket orders the packages of a remote by name.
    fn resolve(&mut self) -> Result<(), ParseError> {
        let last = self.packages.last().map(|package| {
            let group = package.groups.first().cloned().unwrap_or_default();
            (group, package.name.to_ascii_lowercase())
        });
        for pending in std::mem::take(&mut self.pending) {
            let group = self
                .packages
                .get(pending.from)
                .and_then(|package| package.groups.first())
                .map_or(MAIN, String::as_str);
            let Some(to) = self.find(group, &pending.name) else {
                if pending.restricted {
                    continue;
                }
                let reason = format!(
                    "has a dependency on `{}`, which it does not lock",
                    pending.name
                );
                let is_behind = last.as_ref().is_some_and(|(last_group, name)| {
                    let follows = *name < pending.name.to_ascii_lowercase();
                    last_group == group && (follows || self.remotes > 1)
                });
                if is_behind {
                    let hint = "the file may be truncated; re-create it with `paket install`";
                    return Err(ParseError::new(reason)
                        .at_line(pending.line as usize)
                        .with_hint(hint));
                }
                self.skipped.edge(pending.line, reason);
                self.unresolved.push(Unresolved {
                    ecosystem: super::NAME,
                    name: pending.name,
                    requirement: pending.requirement.unwrap_or_default(),
                    kind: DependencyKind::Runtime,
                    line: pending.line,
                });
                continue;
            };

            if let Some(package) = self.packages.get_mut(pending.from) {
                package.edges.push(Edge {
                    to,
                    name: pending.name.into(),
                    requirement: pending.requirement.map(Into::into),
                    kind: DependencyKind::Runtime,
                });
            }
        }

        Ok(())
    }
}

/// The name of an entry that is not a registry package: its address, followed by the path if it is
/// a single file.
fn needed_name(name: &str, remote: Option<&str>) -> Result<String, ParseError> {
    let remote = remote.unwrap_or_default();
    let address = remote
        .split_once("://")
        .map_or(remote, |(_, address)| address)
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .trim_matches('/');

    match (address, name.trim_matches('/')) {
        ("", _) => Err(ParseError::new("has a file of no remote")),
        (address, "") => Ok(address.to_owned()),
        (address, name) => Ok(format!("{address}/{name}")),
    }
}

/// Splits `Name (1.2.3) - options` into the name and the text in the first parentheses.
fn named(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('(')?;
    let (inside, _) = rest.split_once(')')?;
    let name = name.trim_end();
    // The parentheses of a restriction do not contain a version.
    (!name.contains(" - ") && !name.ends_with(" -")).then_some((name, inside.trim()))
}

/// The requirements in `paket.dependencies` as a root.
fn roots(input: &Input<'_>, reader: &Reader) -> Vec<Root> {
    let path = input.beside("paket.dependencies");
    let Some(bytes) = input.sibling(&path) else {
        return Vec::new();
    };
    let manifest = Input {
        path: &path,
        bytes,
        siblings: input.siblings,
    };

    // An unreadable manifest still belongs to this lockfile.
    let requested = paket_dependencies::requirements(&manifest).unwrap_or_default();
    let edges = requested
        .into_iter()
        .filter_map(|requested| {
            Some(Edge {
                to: reader.find(&requested.group, &requested.name)?,
                name: requested.name.into(),
                requirement: Some(requested.requirement)
                    .filter(|text| !text.is_empty())
                    .map(Into::into),
                kind: DependencyKind::Runtime,
            })
        })
        .collect();

    vec![Root {
        name: String::new(),
        manifest: Some(path),
        edges,
    }]
}

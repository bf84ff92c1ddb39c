//! Reader of `vendor/modules.txt` (<https://go.dev/ref/mod#go-mod-vendor>): the modules whose
//! packages are copied into the repository. Go builds from these copies without a network.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, Root};

use super::directives::{Directives, Replacement};
use super::go_mod::{push, replaced};
use super::syntax::ends_whole;
use super::{module_path, version};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// A module as the file lists it.
struct Vendored<'a> {
    path: &'a str,
    version: &'a str,
    replacement: Option<Replacement>,
    line: u32,
    /// Whether a build uses it: the file lists a package of it, or `go.mod` requires it. Go also
    /// lists replacements without effect.
    used: bool,
}

/// Reads a `vendor/modules.txt`, together with the `go.mod` of its project.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    ends_whole(text)?;
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("go-vendor"),
        ..Lockfile::default()
    };

    let mut indices = BTreeMap::new();
    let mut skipped = SkippedEntries::default();
    let modules = modules(text, &mut skipped)?;
    for module in modules.into_iter().filter(|module| module.used) {
        let (path, line) = (module.path, module.line);
        let Some(package) = skipped.recover(Loss::Package, line, package(module)) else {
            continue;
        };
        let index = push(&mut lockfile, package);
        indices.insert(path, index);
    }

    // The roots with their direct dependencies.
    for manifest in projects(input) {
        let file = directives(input, &manifest).unwrap_or_default();
        let edges = file
            .requires
            .iter()
            .filter(|require| !require.indirect)
            .filter_map(|require| {
                Some(Edge {
                    to: *indices.get(require.path.as_str())?,
                    name: require.path.as_str().into(),
                    requirement: Some(require.version.as_str().into()),
                    kind: DependencyKind::Runtime,
                })
            })
            .collect();
        lockfile.roots.push(Root {
            name: file.module,
            manifest: Some(manifest),
            edges,
        });
    }

    salvage::finish(lockfile, skipped)
}

/// The `go.mod` files of the projects that build from the directory: the members of the workspace
/// next to it, otherwise the module next to it.
fn projects(input: &Input<'_>) -> BTreeSet<String> {
    let next_to = |name| module_path::file_in(input.path, "..", name);
    let workspace = next_to("go.work").and_then(|path| Some((directives(input, &path)?, path)));
    let candidates: Vec<String> = match workspace {
        Some((file, path)) if is_of_workspace(input) => file
            .uses
            .iter()
            .filter_map(|member| module_path::file_in(&path, &member.text, "go.mod"))
            .collect(),
        _ => next_to("go.mod").into_iter().collect(),
    };

    candidates
        .into_iter()
        .filter(|path| input.sibling(path).is_some())
        .collect()
}

/// Whether `go work vendor` wrote the file.
fn is_of_workspace(input: &Input<'_>) -> bool {
    input
        .text()
        .is_ok_and(|text| text.lines().any(|line| line == "## workspace"))
}

/// Parses a project's `go.mod` or `go.work`. An unreadable one is reported as an error of its own
/// file.
fn directives(input: &Input<'_>, path: &str) -> Option<Directives> {
    let manifest = Input {
        path,
        bytes: input.sibling(path)?,
        siblings: input.siblings,
    };
    Directives::parse(manifest.text().ok()?).ok()
}

/// The modules in the order of the file. A line that cannot be read is skipped, unless it is the last
/// one, which may be truncated.
fn modules<'a>(
    text: &'a str,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Vendored<'a>>, ParseError> {
    let last = u32::try_from(text.trim_end().lines().count()).unwrap_or(u32::MAX);
    let mut modules: Vec<Vendored<'_>> = Vec::new();
    // Whether the following lines belong to the last module. Lines below a replacement of all
    // versions belong to no module.
    let mut open = false;
    for (line, content) in (1u32..).zip(text.lines()) {
        let at_line = |reason: &str| ParseError::new(reason).at_line(line as usize);
        if let Some(notes) = content.strip_prefix("## ") {
            let explicit = notes.split(';').any(|note| note.trim() == "explicit");
            if let Some(module) = modules.last_mut().filter(|_| open && explicit) {
                module.used = true;
            }
        } else if let Some(module) = content.strip_prefix("# ") {
            let module = match heading(module, line) {
                Ok(module) => module,
                Err(error) if line >= last => return Err(error),
                Err(error) => {
                    skipped.package(line, error.reason);
                    None
                }
            };
            open = module.is_some();
            modules.extend(module);
            if modules.len() > limits::MAX_PACKAGES {
                return Err(at_line("contains too many modules"));
            }
        } else if !content.trim().is_empty() {
            let package = content.trim();
            let module = modules.last_mut().filter(|module| {
                let inside = package.strip_prefix(module.path);
                open && inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            match module {
                Some(module) => module.used = true,
                None if line >= last => {
                    return Err(at_line("has a package that is not of the module above it"));
                }
                None => {
                    skipped.package(line, "has a package that is not of the module above it");
                }
            }
        }
    }

    if modules.is_empty() {
        return Err(ParseError::new("names no modules")
            .with_hint("re-create the directory with `go mod vendor`"));
    }

    Ok(modules)
}

/// Parses a heading without its `# `: a module, or `None` for a replacement of all versions of one.
fn heading(text: &str, line: u32) -> Result<Option<Vendored<'_>>, ParseError> {
    let wrong = || ParseError::new("has an invalid module line").at_line(line as usize);
    let words: Vec<&str> = text.split_ascii_whitespace().take(6).collect();
    let arrow = words.iter().position(|word| *word == "=>");
    let (from, to) = words.split_at(arrow.unwrap_or(words.len()));
    let replacement = match to {
        [] => None,
        [_, directory] => Some((*directory, None)),
        [_, path, version] => Some((*path, Some((*version).to_owned()))),
        _ => return Err(wrong()),
    };
    let (path, version) = match from {
        [path] if replacement.is_some() => (*path, None),
        [path, version] => (*path, Some(*version)),
        _ => return Err(wrong()),
    };
    module_path::check(path, line)?;

    Ok(version.map(|version| Vendored {
        path,
        version,
        replacement: replacement.map(|(to, version)| Replacement {
            to: to.to_owned(),
            version,
            line,
        }),
        line,
        used: false,
    }))
}

fn package(module: Vendored<'_>) -> Result<Package, ParseError> {
    let no_version = |version: &str| {
        ParseError::new(format!("has `{version}` where a version is expected"))
            .at_line(module.line as usize)
            .with_hint("re-create the directory with `go mod vendor`")
    };
    let own = |origin| Package {
        line: module.line,
        origin,
        ..Package::new(
            super::NAME,
            module.path.to_owned(),
            module.version.to_owned(),
        )
    };

    match &module.replacement {
        None if version::is_canonical(module.version) => Ok(own(Origin::Registry(None))),
        None => Err(no_version(module.version)),
        Some(by) => match &by.version {
            None => Ok(own(Origin::Path(Some(by.to.clone())))),
            Some(version) => {
                module_path::check(&by.to, module.line)?;
                replaced(module.path, by, version).ok_or_else(|| no_version(version))
            }
        },
    }
}

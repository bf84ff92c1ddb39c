//! `package-lock.json` and `npm-shrinkwrap.json`
//! (<https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json>).
//!
//! All three versions are converted to one flat list of installed copies by path. Edges are then
//! resolved in the same way in which Node.js resolves modules. Version 2 contains the tree twice;
//! like npm, this reads `packages` and ignores `dependencies`.

mod graph;
mod lines;
pub(super) mod origin;
mod packages;
mod repair;
mod scan;
mod v1;
mod write;

use std::borrow::Cow;

use patchgate_model::{FormatId, Lockfile, Origin, Scope};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use graph::joined;
pub(super) use write::NpmLockWriter;

use super::json::{self, Object, Text};
use super::manifest::Manifest;
use super::needs::Needs;
use crate::{Input, ParseError, SkippedEntries, limits};

/// The expected kind of file, for error texts.
const WHAT: &str = "an npm lockfile";

/// The fields of the document that are read.
#[derive(Deserialize, Default)]
struct Document<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(default, rename = "lockfileVersion")]
    version: Option<u64>,
    #[serde(borrow, default)]
    packages: Option<packages::Entries<'a>>,
    #[serde(borrow, default)]
    dependencies: Option<&'a RawValue>,
}

/// One entry of the file, for all versions of the format.
struct Installed<'a> {
    /// Its key in versions 2 and 3; derived from the nesting in version 1.
    path: Cow<'a, str>,
    /// Byte offset of the name in `path`; `None` for a directory that is not below `node_modules`.
    installed_at: Option<usize>,
    /// Line of the key.
    line: u32,
    /// Name of the package, if it differs from the one in the path.
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    integrity: Option<Cow<'a, str>>,
    origin: Origin,
    /// For a link, the path of the directory that it points to.
    link: Option<Cow<'a, str>>,
    scope: Scope,
    bundled: bool,
    needs: Needs<'a>,
}

impl Installed<'_> {
    /// The name in the install path.
    fn installed_name(&self) -> Option<&str> {
        self.installed_at.and_then(|at| self.path.get(at..))
    }
}

/// Reads an npm lockfile of version 1, 2 or 3.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let error = match parse_text(input, text, SkippedEntries::default()) {
        Ok(lockfile) => return Ok(lockfile),
        Err(error) => error,
    };

    match repair::repaired(text) {
        Some((clean, skipped)) => parse_text(input, &clean, skipped),
        None => Err(error),
    }
}

fn parse_text(
    input: &Input<'_>,
    text: &str,
    skipped: SkippedEntries,
) -> Result<Lockfile, ParseError> {
    let document = match scan::scan(text) {
        Some(document) => document,
        None => document(text)?,
    };
    read(input, text, document, skipped)
}

/// Reads the document with serde_json, for a layout other than npm's own.
fn document(text: &str) -> Result<Document<'_>, ParseError> {
    let Object(document) =
        serde_json::from_str(text).map_err(|error| json::unreadable(&error, WHAT))?;
    Ok(document)
}

fn read(
    input: &Input<'_>,
    text: &str,
    document: Document<'_>,
    mut skipped: SkippedEntries,
) -> Result<Lockfile, ParseError> {
    let manifest = input
        .sibling(&input.beside("package.json"))
        .and_then(Manifest::read);
    let name = document.name.map(|Text(name)| name);

    // In version 1 only the manifest has the project's own requirements.
    let infer_root = document.version.unwrap_or(0) < 2 && manifest.is_none();
    let (format, copies) = match (document.version, document.packages) {
        // A lockfile without a version is from npm 4 or before, if it has `dependencies`.
        (None, None) if document.dependencies.is_none() => {
            return Err(ParseError::new(format!(
                "is not {WHAT}: it has neither `lockfileVersion` nor `dependencies`"
            ))
            .with_hint("run `npm install --package-lock-only` to re-create the file"));
        }
        (None | Some(0 | 1), None) => (
            "npm-lock-v1",
            v1::copies(
                text,
                name,
                document.dependencies,
                manifest.as_ref(),
                &mut skipped,
            )?,
        ),
        (None | Some(0 | 1), Some(_)) => {
            return Err(ParseError::new(format!(
                "is not {WHAT}: it has `packages`, which lockfileVersion 1 does not have"
            ))
            .with_hint("run `npm install --package-lock-only` to re-create the file"));
        }
        (Some(version @ (2 | 3)), Some(entries)) => {
            let format = if version == 2 {
                "npm-lock-v2"
            } else {
                "npm-lock-v3"
            };
            (format, packages::copies(text, name, entries, &mut skipped)?)
        }
        (Some(version @ (2 | 3)), None) => {
            return Err(ParseError::new(format!(
                "is not {WHAT}: it lacks `packages`, which lockfileVersion {version} needs"
            ))
            .with_hint("run `npm install --package-lock-only` to re-create the file"));
        }
        (Some(version), Some(entries)) => {
            skipped.package(
                1,
                format!(
                    "has the unknown lockfileVersion {version}, read as version 3: packages may be missing"
                ),
            );
            (
                "npm-lock",
                packages::copies(text, name, entries, &mut skipped)?,
            )
        }
        (Some(version), None) => {
            return Err(ParseError::new(format!(
                "has lockfileVersion {version}; versions 1, 2 and 3 are read"
            )));
        }
    };

    if copies.len() > limits::MAX_PACKAGES {
        return Err(too_many());
    }

    let lockfile = graph::lockfile(input, FormatId::new(format), copies, infer_root)?;
    Ok(Lockfile {
        skipped: skipped.into_entries(),
        ..lockfile
    })
}

fn too_many() -> ParseError {
    ParseError::new(format!("has more than {} packages", limits::MAX_PACKAGES))
}

/// Byte offset of the name, with its scope, at the end of an install path: of the `@` in
/// `node_modules/@a/b`. `None` for a directory of the repository, which is not installed.
fn installed_at(path: &str) -> Option<usize> {
    memchr::memrchr_iter(b'/', path.as_bytes()).find_map(|at| {
        let above = path[..at].strip_suffix("node_modules")?;
        (above.is_empty() || above.ends_with('/')).then_some(at + 1)
    })
}

/// The scope that follows from npm's flags "dev", "optional" and "devOptional", which its
/// description of the format defines. A copy that only peer dependencies require gets the runtime
/// scope.
fn scope(development: bool, optional: bool, either: bool) -> Scope {
    if development {
        Scope::Development
    } else if optional || either {
        // `devOptional`: required by development dependencies and by optional ones.
        Scope::Optional
    } else {
        Scope::Runtime
    }
}

/// Whether an entry is complete. One from a registry without a version is skipped; `npm ci` refuses
/// it. The version is not parsed here: comparing it reports an invalid one.
///
/// # Errors
/// If the install path is too long.
fn check(copy: &Installed<'_>, skipped: &mut SkippedEntries) -> Result<bool, ParseError> {
    if copy.path.len() > limits::MAX_INSTALL_PATH_BYTES {
        return Err(ParseError::new(format!(
            "has an install path of more than {} bytes",
            limits::MAX_INSTALL_PATH_BYTES
        ))
        .at_line(copy.line as usize));
    }

    let has_version = copy
        .version
        .as_deref()
        .is_some_and(|version| !version.is_empty());
    if has_version || copy.link.is_some() || !matches!(copy.origin, Origin::Registry(_)) {
        return Ok(true);
    }

    let path = super::tree::shortened(&copy.path);
    skipped.package(
        copy.line,
        format!("has the entry `{path}` without a version"),
    );
    Ok(false)
}

#[cfg(test)]
mod tests;

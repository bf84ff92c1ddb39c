//! `package-lock.json` and `npm-shrinkwrap.json`
//! (<https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json>).
//!
//! All three versions are brought into one flat list of copies by install path; edges are then
//! found as Node.js finds modules. Version 2 holds the tree twice: `packages` is read, as npm does,
//! and its mirror `dependencies` is not.

mod graph;
mod lines;
pub(super) mod origin;
mod packages;
mod scan;
mod v1;

use std::borrow::Cow;

use patchgate_model::{Lockfile, Origin, Scope};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use graph::joined;

use super::json::{self, Object, Text};
use super::manifest::Manifest;
use super::needs::Needs;
use crate::{Input, ParseError, limits};

/// What the file should have been, for error texts.
const WHAT: &str = "an npm lockfile";

/// The document. Fields that nothing here needs are passed over.
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

/// One entry of the file, whatever the version.
struct Installed<'a> {
    /// Its key in version 2 and 3, the path that follows from the nesting in version 1.
    path: Cow<'a, str>,
    /// Where in `path` the name begins; `None` for a folder that is not installed.
    installed_at: Option<usize>,
    /// Line of the key.
    line: u32,
    /// Name of the package, when it is not the one in the path.
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    integrity: Option<Cow<'a, str>>,
    origin: Origin,
    /// For a link, the path of the folder that it stands for.
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

/// Reads a lockfile.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let document = match scan::scan(text) {
        Some(document) => document,
        None => document(text)?,
    };
    read(input, text, document)
}

/// Reads the document, in any spelling that JSON allows.
fn document(text: &str) -> Result<Document<'_>, ParseError> {
    let Object(document) =
        serde_json::from_str(text).map_err(|error| json::unreadable(&error, WHAT))?;
    Ok(document)
}

fn read(input: &Input<'_>, text: &str, document: Document<'_>) -> Result<Lockfile, ParseError> {
    let manifest = input
        .sibling(&input.beside("package.json"))
        .and_then(Manifest::read);
    let name = document.name.map(|Text(name)| name);

    // Version 1 leaves the project's own requirements to its manifest.
    let infer_root = document.version.unwrap_or(0) < 2 && manifest.is_none();
    let (format, copies) = match (document.version, document.packages) {
        // A lockfile of npm 4 and before has no version, but then it has dependencies.
        (None, None) if document.dependencies.is_none() => {
            return Err(ParseError::new(format!(
                "is not {WHAT}: it has neither `lockfileVersion` nor `dependencies`"
            ))
            .with_hint("run `npm install --package-lock-only` to write it anew"));
        }
        (None | Some(0 | 1), None) => (
            "npm-lock-v1",
            v1::copies(text, name, document.dependencies, manifest.as_ref())?,
        ),
        (None | Some(0 | 1), Some(_)) => {
            return Err(ParseError::new(format!(
                "is not {WHAT}: it holds `packages`, which lockfileVersion 1 does not have"
            ))
            .with_hint("run `npm install --package-lock-only` to write it anew"));
        }
        (Some(version @ (2 | 3)), Some(entries)) => {
            let format = if version == 2 {
                "npm-lock-v2"
            } else {
                "npm-lock-v3"
            };
            (format, packages::copies(text, name, entries)?)
        }
        (Some(version @ (2 | 3)), None) => {
            return Err(ParseError::new(format!(
                "is not {WHAT}: it lacks `packages`, which lockfileVersion {version} needs"
            ))
            .with_hint("run `npm install --package-lock-only` to write it anew"));
        }
        (Some(version), _) => {
            return Err(ParseError::new(format!(
                "has lockfileVersion {version}; versions 1, 2 and 3 are read"
            )));
        }
    };

    if copies.len() > limits::MAX_PACKAGES {
        return Err(too_many());
    }

    graph::lockfile(input, format, copies, infer_root)
}

fn too_many() -> ParseError {
    ParseError::new(format!("holds more than {} packages", limits::MAX_PACKAGES))
}

/// Where the name begins that an install path ends in, with its scope: at the `@` in
/// `node_modules/@a/b`. `None` for a folder that is not installed but part of the repository.
fn installed_at(path: &str) -> Option<usize> {
    memchr::memrchr_iter(b'/', path.as_bytes()).find_map(|at| {
        let above = path[..at].strip_suffix("node_modules")?;
        (above.is_empty() || above.ends_with('/')).then_some(at + 1)
    })
}

/// The scope that npm's flags state: see "dev", "optional" and "devOptional" in npm's description
/// of the format. A copy that only peer dependencies need is needed at run time.
fn scope(development: bool, optional: bool, either: bool) -> Scope {
    if development {
        Scope::Development
    } else if optional || either {
        // `devOptional`: needed by development dependencies and by optional ones.
        Scope::Optional
    } else {
        Scope::Runtime
    }
}

/// An entry from a registry must say which version it locks; `npm ci` refuses it too. Whether the
/// version can be ordered is for those to say who compare it.
fn check(copy: &Installed<'_>) -> Result<(), ParseError> {
    if copy.path.len() > limits::MAX_INSTALL_PATH_BYTES {
        return Err(ParseError::new(format!(
            "holds an install path of more than {} bytes",
            limits::MAX_INSTALL_PATH_BYTES
        ))
        .at_line(copy.line as usize));
    }

    let locked = copy
        .version
        .as_deref()
        .is_some_and(|version| !version.is_empty());
    if locked || copy.link.is_some() || !matches!(copy.origin, Origin::Registry(_)) {
        return Ok(());
    }

    let reason = format!("is not {WHAT}: the entry `{}` has no version", copy.path);
    Err(ParseError::new(reason)
        .at_line(copy.line as usize)
        .with_hint("run `npm install --package-lock-only` to complete it"))
}

#[cfg(test)]
mod tests;

//! Reader of `stack.yaml.lock` (<https://docs.haskellstack.org/en/stable/topics/lock_files/>): the
//! packages that `stack.yaml` adds to a snapshot, each with its version and hashes, and the address
//! of the snapshot.
//!
//! The packages of the snapshot itself are in no file of the repository, so it is reported as
//! missing.

use patchgate_model::{
    DependencyKind, FormatId, Lockfile, Loss, MissingFile, Origin, Package, Root, Unresolved,
    without_credentials,
};

use super::version;
use crate::syntax::{Node, yaml};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Reads a lockfile, together with the `stack.yaml` next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = yaml(input.text()?)?;
    for key in ["packages", "snapshots"] {
        if document.get(key).is_none() {
            return Err(ParseError::new(format!("is truncated: it lacks `{key}`"))
                .with_hint("run `stack build --dry-run` to re-create it"));
        }
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("stack-lock"),
        ..Lockfile::default()
    };
    let mut skipped = SkippedEntries::default();
    let entries = document.optional_list("packages")?;
    if entries.len() > limits::MAX_PACKAGES {
        return Err(ParseError::new("contains too many packages"));
    }

    for entry in entries {
        let package = skipped.recover(Loss::Package, entry.line, package(entry));
        lockfile.packages.extend(package);
    }
    for entry in document.optional_list("snapshots")? {
        let snapshot = skipped.recover(Loss::Package, entry.line, snapshot(entry));
        lockfile.missing.extend(snapshot);
    }

    let manifest = input.beside("stack.yaml");
    if input.sibling(&manifest).is_some() {
        lockfile.roots.push(Root {
            manifest: Some(manifest),
            ..Root::default()
        });
    }

    salvage::finish(lockfile, skipped)
}

fn package(entry: &Node<'_>) -> Result<Package, ParseError> {
    let Some(completed) = entry.get("completed") else {
        return Err(ParseError::new("lacks `completed`").at_line(entry.line as usize));
    };

    if let Some(text) = completed.optional_text("hackage")? {
        let (name, version, hash) = of_hackage(text).ok_or_else(|| {
            let short: String = text.chars().take(60).collect();
            ParseError::new(format!("has `{short}` where a package is expected"))
                .at_line(completed.line as usize)
        })?;
        return Ok(Package {
            line: entry.line,
            integrity: hash.map(str::to_owned),
            ..Package::new(super::NAME, name.to_owned(), version.to_owned())
        });
    }

    let name = completed.need_text("name")?;
    let version = completed.need_text("version")?;
    let text = |key| completed.optional_text(key);
    let origin = match (
        text("git")?.or(text("hg")?),
        text("url")?,
        text("filepath")?,
    ) {
        (Some(url), _, _) => Origin::Git {
            url: without_credentials(url).into_owned(),
            commit: text("commit")?.map(str::to_owned),
        },
        (None, Some(url), _) => Origin::Url(without_credentials(url).into_owned()),
        (None, None, path) => Origin::Path(path.map(str::to_owned)),
    };

    Ok(Package {
        line: entry.line,
        origin,
        integrity: text("sha256")?.map(|hash| format!("sha256:{hash}")),
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    })
}

/// Splits `name-1.2@sha256:…,123` into name, version and hash. Everything from `@` on is optional.
fn of_hackage(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let (package, revision) = match text.split_once('@') {
        Some((package, revision)) => (package, revision.split(',').next()),
        None => (text, None),
    };
    let (name, version) = package.rsplit_once('-')?;
    let hash = revision.filter(|revision| revision.starts_with("sha256:"));
    let known = !name.is_empty() && version::parse(version).is_some();
    known.then_some((name, version, hash))
}

/// The snapshot as a missing file, by its name in `stack.yaml` or its address.
fn snapshot(entry: &Node<'_>) -> Result<MissingFile, ParseError> {
    let completed = entry.get("completed").unwrap_or(entry);
    let url = without_credentials(completed.optional_text("url")?.unwrap_or_default());
    let original = entry.get("original").and_then(Node::text);
    let file = url.rsplit('/').next().unwrap_or_default();
    let (name, version) = match original.and_then(|text| text.split_once('-')) {
        Some((name, version)) => (name, version),
        None => (
            original.unwrap_or(file),
            completed.optional_text("sha256")?.unwrap_or_default(),
        ),
    };

    Ok(MissingFile {
        role: "snapshot",
        name: name.to_owned(),
        version: version.to_owned(),
        path: url.to_string(),
        line: entry.line,
        versions_only: false,
        reason: Some(
            "determines most versions of the build and is not in the repository".to_owned(),
        ),
        hint: Some(
            "commit a `cabal.project.freeze` or a bill of materials of the build too".to_owned(),
        ),
    })
}

/// The requirements of a `stack.yaml` that has no lockfile.
pub(super) fn requirements(text: &str) -> Result<Vec<Unresolved>, ParseError> {
    let document = yaml(text)?;
    let mut requirements = Vec::new();
    for key in ["snapshot", "resolver"] {
        let Some((key, value)) = document.entry(key) else {
            continue;
        };
        requirements.push(Unresolved {
            ecosystem: crate::hackage::NAME,
            name: key.name.to_string(),
            // The versions of a snapshot are unknown, and its name is not that of a package.
            requirement: format!(
                "snapshot:{}",
                without_credentials(value.text().unwrap_or_default())
            ),
            kind: DependencyKind::Runtime,
            line: key.line,
        });
    }

    for item in document.optional_list("extra-deps")? {
        let (name, requirement) = match item.text() {
            Some(text) => match of_hackage(text) {
                Some((name, version, _)) => (name, version.to_owned()),
                None => (text, format!("path:{text}")),
            },
            None => {
                let source = ["git", "github", "url", "archive", "hg"];
                let found = source.iter().find_map(|key| item.get(key)?.text());
                let commit = item.get("commit").and_then(Node::text);
                let name = found.unwrap_or("extra-deps");
                (
                    name,
                    format!("source:{name}@{}", commit.unwrap_or_default()),
                )
            }
        };

        if !name.is_empty() {
            requirements.push(Unresolved {
                ecosystem: crate::hackage::NAME,
                name: without_credentials(name).into_owned(),
                requirement: without_credentials(&requirement).into_owned(),
                kind: DependencyKind::Runtime,
                line: item.line,
            });
        }
    }

    Ok(requirements)
}

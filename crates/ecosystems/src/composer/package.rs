//! Entries of `composer.lock` and `installed.json` (<https://getcomposer.org/doc/04-schema.md>),
//! and the graph between them.

use std::collections::HashMap;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Scope,
};

use super::is_platform;
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, limits, salvage};
use patchgate_model::without_credentials;

/// The packages of a file under construction.
pub(super) struct Packages<'a> {
    /// The lockfile with the packages so far; edges are added by [`Packages::link`].
    pub(super) lockfile: Lockfile,
    /// Entries that could not be read.
    pub(super) skipped: SkippedEntries,
    entries: Vec<&'a Node<'a>>,
    /// Packages by their lower-case name, and by the names that they provide or replace.
    by_name: HashMap<String, Vec<PackageIndex>>,
}

impl<'a> Packages<'a> {
    pub(super) fn new(input: &Input<'_>, format: FormatId) -> Self {
        Self {
            lockfile: Lockfile {
                path: input.path.to_owned(),
                ecosystem: super::NAME,
                format,
                ..Lockfile::default()
            },
            skipped: SkippedEntries::default(),
            entries: Vec::new(),
            by_name: HashMap::new(),
        }
    }

    /// Adds an entry as a package without edges.
    ///
    /// # Errors
    /// When there are too many packages.
    pub(super) fn add(&mut self, entry: &'a Node<'a>, scope: Scope) -> Result<(), ParseError> {
        if self.entries.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "locks more than {} packages",
                limits::MAX_PACKAGES
            )));
        }

        let identity = identity(entry);
        let Some((name, version)) = self.skipped.recover(Loss::Package, entry.line, identity)
        else {
            return Ok(());
        };
        let index = PackageIndex(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        let own = self.by_name.entry(name.to_ascii_lowercase()).or_default();
        if own.iter().any(|other| {
            let other = self.lockfile.package(*other);
            other.is_some_and(|other| other.name.eq_ignore_ascii_case(name))
        }) {
            self.skipped
                .detail(entry.line, format!("locks `{name}` twice"));
        }

        own.insert(0, index);
        for key in ["provide", "replace"] {
            let names = requirements(entry, key);
            let names = self.skipped.recover(Loss::Edge, entry.line, names);
            for (virtual_name, _) in names.unwrap_or_default() {
                let others = self.by_name.entry(virtual_name.to_ascii_lowercase());
                let others = others.or_default();
                if !others.contains(&index) {
                    others.push(index);
                }
            }
        }

        self.lockfile.packages.push(Package {
            line: entry.line,
            origin: self
                .skipped
                .recover(Loss::Detail, entry.line, origin(entry))
                .unwrap_or(Origin::Registry(None)),
            integrity: self
                .skipped
                .recover(Loss::Detail, entry.line, hash(entry))
                .flatten(),
            scope,
            ..Package::new(super::NAME, name.to_owned(), version.to_owned())
        });
        self.entries.push(entry);

        Ok(())
    }

    /// The packages that satisfy a requirement for this name.
    pub(super) fn find(&self, name: &str) -> &[PackageIndex] {
        find(&self.by_name, &self.lockfile, name)
    }

    /// Adds the edges from every package to the packages that satisfy its requirements.
    pub(super) fn link(&mut self) -> Result<(), ParseError> {
        let mut left = limits::MAX_EDGES;
        for (index, entry) in self.entries.iter().enumerate() {
            let mut edges = Vec::new();
            let required = requirements(entry, "require");
            let required = self.skipped.recover(Loss::Edge, entry.line, required);
            for (name, requirement) in required.unwrap_or_default() {
                let found = find(&self.by_name, &self.lockfile, name);
                left = left.checked_sub(found.len()).ok_or_else(|| {
                    ParseError::new(format!("has more than {} dependencies", limits::MAX_EDGES))
                })?;
                edges.extend(found.iter().map(|to| Edge {
                    to: *to,
                    name: name.into(),
                    requirement: Some(requirement.into()),
                    kind: DependencyKind::Runtime,
                }));
            }

            if let Some(package) = self.lockfile.packages.get_mut(index) {
                package.edges = edges;
            }
        }

        Ok(())
    }

    /// The lockfile with the entries that could not be read.
    ///
    /// # Errors
    /// When no entry could be read.
    pub(super) fn finish(self) -> Result<Lockfile, ParseError> {
        salvage::finish(self.lockfile, self.skipped)
    }
}

/// The packages that satisfy a requirement for a name.
fn find<'p>(
    by_name: &'p HashMap<String, Vec<PackageIndex>>,
    lockfile: &Lockfile,
    name: &str,
) -> &'p [PackageIndex] {
    let found = by_name.get(&name.to_ascii_lowercase());
    let found = found.map(Vec::as_slice).unwrap_or_default();

    // A package with the name itself takes precedence over those that provide or replace it.
    let own = found.iter().take_while(|index| {
        let package = lockfile.package(**index);
        package.is_some_and(|package| package.name.eq_ignore_ascii_case(name))
    });
    match own.count() {
        0 => found,
        count => found.get(..count).unwrap_or_default(),
    }
}

/// The name and the version of an entry.
fn identity<'n>(entry: &'n Node<'_>) -> Result<(&'n str, &'n str), ParseError> {
    let name = entry.need_text("name")?;
    check_name(name).map_err(|error| error.at_line(entry.line as usize))?;
    // Composer turns a number into a text.
    let version = entry.get("version").and_then(Node::scalar);
    match version.filter(|version| !version.is_empty()) {
        Some(version) => Ok((name, version)),
        None => Ok((name, entry.need_text("version")?)),
    }
}

/// The names and requirements under a key, without those that the platform satisfies. PHP writes an
/// empty map as `[]`.
pub(super) fn requirements<'n>(
    node: &'n Node<'_>,
    key: &str,
) -> Result<Vec<(&'n str, &'n str)>, ParseError> {
    let Some((_, found)) = node.entry(key) else {
        return Ok(Vec::new());
    };
    if found.is_list() && found.items().is_empty() {
        return Ok(Vec::new());
    }

    let entries = node.optional_map(key)?.iter();
    entries
        .filter(|(name, _)| !is_platform(&name.name))
        .map(|(name, requirement)| {
            let text = requirement
                .text()
                .ok_or_else(|| requirement.unexpected(&name.name, "a text"))?;
            Ok((&*name.name, text))
        })
        .collect()
}

/// Checks for `vendor/name` in the characters that Composer allows, because names become parts of
/// addresses.
fn check_name(name: &str) -> Result<(), ParseError> {
    let is_part = |part: &str| {
        part.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
    };
    if name
        .split_once('/')
        .is_some_and(|(vendor, own)| is_part(vendor) && is_part(own))
    {
        return Ok(());
    }

    Err(ParseError::new(format!(
        "names the package {:?}, which Composer does not allow",
        name.chars().take(80).collect::<String>()
    )))
}

/// The origin of a package: the registry of `notification-url`, otherwise a directory, a git
/// repository or an archive.
fn origin(entry: &Node<'_>) -> Result<Origin, ParseError> {
    let dist = part(entry, "dist")?;
    let source = part(entry, "source")?;
    let url = |node: &Node<'_>| -> Result<String, ParseError> {
        Ok(without_credentials(node.optional_text("url")?.unwrap_or_default()).into_owned())
    };
    if let Some(dist) = dist
        && dist.optional_text("type")? == Some("path")
    {
        return Ok(Origin::Path(Some(url(dist)?)));
    }
    if let Some(registry) = entry.optional_text("notification-url")? {
        return Ok(Origin::Registry(Some(
            without_credentials(registry).into_owned(),
        )));
    }
    if let Some(source) = source
        && source.optional_text("type")? == Some("git")
    {
        return Ok(Origin::Git {
            url: url(source)?,
            commit: source.optional_text("reference")?.map(str::to_owned),
        });
    }

    match dist.or(source) {
        Some(from) => Ok(Origin::Url(url(from)?)),
        None => Ok(Origin::Registry(None)),
    }
}

fn hash(entry: &Node<'_>) -> Result<Option<String>, ParseError> {
    let shasum = match entry.get("dist") {
        Some(dist) => dist.optional_text("shasum")?,
        None => None,
    };
    Ok(shasum.filter(|hash| !hash.is_empty()).map(str::to_owned))
}

fn part<'n, 'a>(entry: &'n Node<'a>, key: &str) -> Result<Option<&'n Node<'a>>, ParseError> {
    match entry.get(key) {
        Some(node) if node.is_map() => Ok(Some(node)),
        None => Ok(None),
        Some(node) if node.is_null() => Ok(None),
        Some(node) => Err(node.unexpected(key, "a map")),
    }
}

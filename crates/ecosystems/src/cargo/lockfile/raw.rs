//! A `Cargo.lock` as written, before names are resolved to packages.

use std::borrow::Cow;
use std::collections::HashMap;

use patchgate_model::Loss;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::cargo::document::{self, Document, Lines};
use crate::{ParseError, SkippedEntries};

/// The content of a `Cargo.lock`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RawLock<'a> {
    /// The format version that the file states; Cargo wrote none before version 3.
    pub(super) version: Option<u64>,
    /// The root package of files written before Cargo 0.16 (2017).
    pub(super) root: Option<RawPackage<'a>>,
    /// `[[package]]`, in the file's order.
    pub(super) packages: Vec<RawPackage<'a>>,
    /// `[metadata]`: version 1 keeps its checksums there.
    pub(super) metadata: HashMap<Cow<'a, str>, Cow<'a, str>>,
    /// Whether the file has a `[[patch.unused]]`.
    pub(super) saw_unused: bool,
}

/// One `[[package]]` entry of the lockfile, as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RawPackage<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    pub(super) source: Option<Cow<'a, str>>,
    pub(super) checksum: Option<Cow<'a, str>>,
    /// The package that replaces this one, from the deprecated `[replace]` table.
    pub(super) replace: Option<Cow<'a, str>>,
    /// `name`, `name version` or `name version (source)`.
    pub(super) dependencies: Vec<Cow<'a, str>>,
    /// Line of the entry's header, from 1.
    pub(super) line: usize,
}

/// Reads the file as TOML, in any spelling that TOML allows. A package that cannot be read is
/// skipped, unless it is the last one: the file may end inside it.
pub(super) fn parse<'a>(
    text: &'a str,
    skipped: &mut SkippedEntries,
) -> Result<RawLock<'a>, ParseError> {
    let Document { table, lines } = document::parse(text)?;
    let mut lock = RawLock::default();
    for (key, value) in table.into_inner() {
        let line = lines.of(value.span().start);
        match (key.get_ref().as_ref(), value.into_inner()) {
            ("version", DeValue::Integer(number)) => {
                let version = u64::from_str_radix(number.as_str(), number.radix())
                    .map_err(|_| wrong("`version`", "a version number", line))?;
                lock.version = Some(version);
            }
            ("version", _) => return Err(wrong("`version`", "a number", line)),
            ("root", DeValue::Table(table)) => lock.root = Some(package(table, line)?),
            ("root", _) => return Err(wrong("`root`", "a table", line)),
            ("package", DeValue::Array(array)) => {
                lock.packages = packages(array, &lines, skipped)?;
            }
            ("package", _) => return Err(wrong("`package`", "a list of tables", line)),
            ("metadata", DeValue::Table(table)) => {
                for (key, value) in table {
                    let line = lines.of(value.span().start);
                    match value.into_inner() {
                        DeValue::String(value) => {
                            lock.metadata.insert(key.into_inner(), value);
                        }
                        _ => skipped.detail(
                            u32::try_from(line).unwrap_or(u32::MAX),
                            "has a value in `metadata` that is not a string",
                        ),
                    }
                }
            }
            ("metadata", _) => return Err(wrong("`metadata`", "a table", line)),
            ("patch", _) => lock.saw_unused = true,
            // Cargo ignores unknown keys as well.
            _ => {}
        }
    }

    Ok(lock)
}

/// The packages of a list. An error is the one of its last item, or of all items.
fn packages<'a>(
    array: DeArray<'a>,
    lines: &Lines,
    skipped: &mut SkippedEntries,
) -> Result<Vec<RawPackage<'a>>, ParseError> {
    let last = array.len().saturating_sub(1);
    let mut packages = Vec::with_capacity(array.len());
    for (index, item) in array.into_iter().enumerate() {
        let line = lines.of(item.span().start);
        let read = match item.into_inner() {
            DeValue::Table(table) => package(table, line),
            _ => Err(wrong("`package`", "a list of tables", line)),
        };
        if index == last {
            packages.push(read?);
        } else {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            packages.extend(skipped.recover(Loss::Package, line, read));
        }
    }

    Ok(packages)
}

fn package<'a>(mut table: DeTable<'a>, line: usize) -> Result<RawPackage<'a>, ParseError> {
    let mut text = |key: &'static str| match table.remove(key).map(Spanned::into_inner) {
        None => Ok(None),
        Some(DeValue::String(text)) => Ok(Some(text)),
        Some(_) => Err(odd(key, "a string", line)),
    };
    let package = RawPackage {
        name: text("name")?.ok_or_else(|| missing("name", line))?,
        version: text("version")?.ok_or_else(|| missing("version", line))?,
        source: text("source")?,
        checksum: text("checksum")?,
        replace: text("replace")?,
        dependencies: Vec::new(),
        line,
    };

    let dependencies = match table.remove("dependencies").map(Spanned::into_inner) {
        None => Vec::new(),
        Some(DeValue::Array(array)) => array
            .into_iter()
            .map(|item| match item.into_inner() {
                DeValue::String(text) => Ok(text),
                _ => Err(odd("dependencies", "a list of strings", line)),
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(odd("dependencies", "a list of strings", line)),
    };

    Ok(RawPackage {
        dependencies,
        ..package
    })
}

fn wrong(what: &str, expected: &str, line: usize) -> ParseError {
    ParseError::new(format!("is not a Cargo.lock: {what} is not {expected}")).at_line(line)
}

/// The error for a key of a package.
fn odd(key: &str, expected: &str, line: usize) -> ParseError {
    ParseError::new(format!("has a package whose `{key}` is not {expected}")).at_line(line)
}

fn missing(key: &str, line: usize) -> ParseError {
    ParseError::new(format!("has a package without `{key}`"))
        .at_line(line)
        .with_hint(
            "restore the file from version control or re-create it with `cargo generate-lockfile`",
        )
}

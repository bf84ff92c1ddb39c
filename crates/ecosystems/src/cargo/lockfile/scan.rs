//! Fast line-based reader for a `Cargo.lock` with exactly the layout that Cargo writes.
//!
//! Cargo writes one key per line, one dependency per line, and no escapes. On any deviation
//! [`scan`] gives up, and the TOML parser reads the whole file instead. Only the TOML parser
//! reports errors. This reader may therefore reject any file, but must never read one differently
//! from TOML; a property test checks that.

use std::borrow::Cow;
use std::collections::HashMap;
use std::iter::Peekable;

use patchgate_syntax::{SplitLines, split_lines};

use super::raw::{RawLock, RawPackage};

type Lines<'a> = Peekable<std::iter::Enumerate<SplitLines<'a>>>;

/// Reads the lockfile; `None` if its layout is not Cargo's.
pub(super) fn scan(text: &str) -> Option<RawLock<'_>> {
    if has_control(text) {
        return None;
    }

    let mut lines = split_lines(text).enumerate().peekable();
    let mut lock = RawLock::default();
    let mut seen_metadata = false;

    while let Some((index, line)) = lines.next() {
        match line {
            "" => {}
            "[[package]]" => lock.packages.push(package(&mut lines, index + 1)?),
            "[root]" if lock.root.is_none() => lock.root = Some(package(&mut lines, index + 1)?),
            "[metadata]" if !seen_metadata => {
                seen_metadata = true;
                lock.metadata = metadata(&mut lines)?;
            }
            "[[patch.unused]]" => {
                // Not part of the graph. Parsed only because a syntax error in it must be found.
                package(&mut lines, index + 1)?;
            }
            _ if line.starts_with('#') && !line.contains('\r') => {}
            _ => {
                let number = line.strip_prefix("version = ")?;
                let at_top = lock.packages.is_empty() && lock.root.is_none() && !seen_metadata;
                let is_number = number.bytes().all(|byte| byte.is_ascii_digit())
                    && !number.is_empty()
                    && (number == "0" || !number.starts_with('0'));
                if lock.version.is_some() || !at_top || !is_number || lock.saw_unused {
                    return None;
                }
                lock.version = Some(number.parse().ok()?);
            }
        }

        lock.saw_unused |= line == "[[patch.unused]]";
    }

    Some(lock)
}

/// The keys below `[[package]]`, up to an empty line, the next header or the end.
fn package<'a>(lines: &mut Lines<'a>, line: usize) -> Option<RawPackage<'a>> {
    let mut package = RawPackage {
        line,
        ..RawPackage::default()
    };
    let (mut name, mut version, mut has_dependencies) = (None, None, false);

    while let Some((_, line)) =
        lines.next_if(|(_, line)| !line.is_empty() && !line.starts_with('['))
    {
        if line == "dependencies = [" {
            if std::mem::replace(&mut has_dependencies, true) {
                return None;
            }
            dependencies(lines, &mut package.dependencies)?;
            continue;
        }
        if line == "dependencies = []" {
            if std::mem::replace(&mut has_dependencies, true) {
                return None;
            }
            continue;
        }

        let (key, value) = line.split_once(' ')?;
        let value = quoted(value.strip_prefix("= ")?)?;
        // A key that is listed twice is an error in TOML.
        let slot = match key {
            "name" => &mut name,
            "version" => &mut version,
            "source" => &mut package.source,
            "checksum" => &mut package.checksum,
            "replace" => &mut package.replace,
            _ => return None,
        };
        if slot.replace(Cow::Borrowed(value)).is_some() {
            return None;
        }
    }

    package.name = name?;
    package.version = version?;

    Some(package)
}

/// Collects the items of a dependency list, up to its closing bracket.
fn dependencies<'a>(lines: &mut Lines<'a>, into: &mut Vec<Cow<'a, str>>) -> Option<()> {
    loop {
        let (_, line) = lines.next()?;
        if line == "]" {
            return Some(());
        }
        let item = line.strip_prefix(' ')?.strip_suffix(',')?;
        into.push(Cow::Borrowed(quoted(item)?));
    }
}

/// The entries below `[metadata]`.
fn metadata<'a>(lines: &mut Lines<'a>) -> Option<HashMap<Cow<'a, str>, Cow<'a, str>>> {
    let mut metadata = HashMap::new();
    while let Some((_, line)) =
        lines.next_if(|(_, line)| !line.is_empty() && !line.starts_with('['))
    {
        let (key, value) = line.split_once(" = ")?;
        let (key, value) = (quoted(key)?, quoted(value)?);
        if metadata
            .insert(Cow::Borrowed(key), Cow::Borrowed(value))
            .is_some()
        {
            return None;
        }
    }

    Some(metadata)
}

/// The content of a basic string; `None` if it has an escape or a quote inside.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    // TOML does not allow a carriage return inside a line.
    let special = memchr::memchr3(b'"', b'\\', b'\r', inner.as_bytes());
    special.is_none().then_some(inner)
}

/// Whether the text has a control character other than line ends. TOML allows only the tab, which
/// Cargo does not write. The loop has no early exit: a full pass is vectorized, a short-circuiting
/// one is not.
fn has_control(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| {
        found | (byte < 0x20 && byte != b'\n' && byte != b'\r') | (byte == 0x7f)
    })
}

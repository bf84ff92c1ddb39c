//! The fast way through a `Cargo.lock`: line by line, for exactly the text that Cargo writes.
//!
//! Cargo writes one key a line, one dependency a line, and no escapes. Whatever differs from that
//! in the least makes [`scan`] give up, and the whole file goes to the TOML parser instead, which
//! alone decides what is an error. So this file may refuse anything but must never read anything
//! that TOML reads otherwise; a property test holds it to that.

use std::borrow::Cow;
use std::collections::HashMap;
use std::iter::Peekable;

use patchgate_syntax::{SplitLines, split_lines};

use super::raw::{RawLock, RawPackage};

type Lines<'a> = Peekable<std::iter::Enumerate<SplitLines<'a>>>;

/// Reads the lockfile, or gives up with `None`.
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
                // Not a part of the graph; read only to be sure of its grammar.
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

/// The inside of a basic string that holds nothing to interpret.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    // A carriage return that ends no line is an error.
    let special = memchr::memchr3(b'"', b'\\', b'\r', inner.as_bytes());
    special.is_none().then_some(inner)
}

/// Whether there is a control character but line ends. They are errors, except for the tab, which
/// Cargo does not write. It looks at every byte, which goes by many at a time, where to stop at the
/// first goes by one.
fn has_control(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| {
        found | (byte < 0x20 && byte != b'\n' && byte != b'\r') | (byte == 0x7f)
    })
}

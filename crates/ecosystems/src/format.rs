//! Which file is of which format, by its path.

use std::collections::HashMap;
use std::sync::LazyLock;

use patchgate_model::Lockfile;

use crate::{ALL, Ecosystem, Input, ParseError, Upgradable};

/// A kind of file that states exact versions: a lockfile, or a manifest that pins.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Name by which a user asks for it and reports name it, without the version: `cargo-lock`.
    pub id: &'static str,
    /// Patterns of the files. A pattern is compared with the end of a path, part by part; `*`
    /// stands for any run of characters within a part: `Cargo.lock`, `*.csproj`,
    /// `.github/workflows/*.yml`.
    pub files: &'static [&'static str],
    /// Versions of the format that are read, for the support table: `v1-v4`. Empty where the
    /// format has no versions.
    pub versions: &'static str,
    /// Whether `patchgate fix` changes such files.
    pub fixable: bool,
    /// Reads a file.
    ///
    /// It is an error when the file is not of the format, too large, too deep, or truncated. A file
    /// that cannot be read whole is an error, never a shorter list.
    pub parse: fn(&Input<'_>) -> Result<Lockfile, ParseError>,
}

/// An ecosystem with one of its formats.
type Read = (&'static dyn Ecosystem, &'static Format);

/// What a pattern is for.
#[derive(Clone, Copy)]
enum Use {
    Format(&'static dyn Ecosystem, &'static Format),
    Manifest(&'static dyn Ecosystem),
    Companion,
}

/// Patterns of one file name are found by that name; the few others are tried one by one.
#[derive(Default)]
struct Patterns {
    by_name: HashMap<&'static str, Vec<Use>>,
    others: Vec<(&'static str, Use)>,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let mut patterns = Patterns::default();
    for ecosystem in ALL.iter().copied() {
        for format in ecosystem.formats() {
            patterns.add(format.files, Use::Format(ecosystem, format));
        }
        patterns.add(ecosystem.manifests(), Use::Manifest(ecosystem));
        patterns.add(ecosystem.companions(), Use::Companion);
    }
    patterns
});

impl Patterns {
    fn add(&mut self, patterns: &'static [&'static str], meaning: Use) {
        for pattern in patterns {
            if pattern.contains(['/', '*']) {
                self.others.push((pattern, meaning));
            } else {
                self.by_name.entry(pattern).or_default().push(meaning);
            }
        }
    }

    fn of(&self, path: &str) -> impl Iterator<Item = Use> {
        self.by_name
            .get(file_name(path))
            .into_iter()
            .flatten()
            .copied()
            .chain(
                self.others
                    .iter()
                    .filter(move |(pattern, _)| matches(pattern, path))
                    .map(|(_, meaning)| *meaning),
            )
    }
}

/// The formats that a file is read as, by its path. A workflow is read for its actions and for its
/// images, so there may be several.
pub fn formats_of(path: &str) -> impl Iterator<Item = Read> {
    PATTERNS.of(path).filter_map(|meaning| match meaning {
        Use::Format(ecosystem, format) => Some((ecosystem, format)),
        Use::Manifest(_) | Use::Companion => None,
    })
}

/// Reads a file as the first of the formats that its path names.
///
/// # Errors
/// When the path names none, or the file cannot be read whole.
pub fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    match formats_of(input.path).next() {
        Some((_, format)) => (format.parse)(input),
        None => Err(ParseError::new("is not a lockfile that Patchgate reads")),
    }
}

/// The ecosystem whose manifest stands at this path.
#[must_use]
pub fn manifest_of(path: &str) -> Option<&'static dyn Ecosystem> {
    PATTERNS.of(path).find_map(|meaning| match meaning {
        Use::Manifest(ecosystem) => Some(ecosystem),
        Use::Format(..) | Use::Companion => None,
    })
}

/// Whether the file is one that parsers may ask for beside another.
#[must_use]
pub fn is_sibling(path: &str) -> bool {
    PATTERNS.of(path).next().is_some()
}

/// The format with this [`Format::id`].
#[must_use]
pub fn format_by_id(id: &str) -> Option<&'static Format> {
    ALL.iter()
        .flat_map(|ecosystem| ecosystem.formats())
        .find(|format| format.id == id)
}

/// The format of a lockfile that `patchgate fix` changes.
#[must_use]
pub fn fixable_format(path: &str) -> Option<(&'static dyn Upgradable, &'static Format)> {
    formats_of(path).find_map(|(ecosystem, format)| {
        let upgradable = ecosystem.upgradable()?;
        format.fixable.then_some((upgradable, format))
    })
}

/// Whether `patchgate fix` changes manifests of this name.
#[must_use]
pub fn is_fixable_manifest(path: &str) -> bool {
    manifest_of(path).is_some_and(|ecosystem| ecosystem.upgradable().is_some())
}

/// Whether the end of a path fits a pattern.
fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = path.rsplit('/');
    pattern
        .rsplit('/')
        .all(|pattern| parts.next().is_some_and(|part| fits(pattern, part)))
}

/// Whether one part of a path fits one part of a pattern.
fn fits(pattern: &str, part: &str) -> bool {
    let Some((start, mut pattern)) = pattern.split_once('*') else {
        return pattern == part;
    };
    let Some(mut rest) = part.strip_prefix(start) else {
        return false;
    };

    while let Some((middle, after)) = pattern.split_once('*') {
        let Some(at) = rest.find(middle) else {
            return false;
        };
        rest = &rest[at + middle.len()..];
        pattern = after;
    }

    rest.ends_with(pattern)
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_fit_the_end_of_a_path() {
        for (pattern, path) in [
            ("Cargo.lock", "Cargo.lock"),
            ("Cargo.lock", "a/b/Cargo.lock"),
            ("*.csproj", "src/App.csproj"),
            ("requirements*.txt", "requirements.txt"),
            ("requirements*.txt", "a/requirements-dev.txt"),
            ("requirements/*.txt", "x/requirements/test.txt"),
            (".github/workflows/*.yml", ".github/workflows/ci.yml"),
            ("a*b*c", "aXbbYc"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }

        for (pattern, path) in [
            ("Cargo.lock", "Cargo.lock.bak"),
            ("Cargo.lock", "MyCargo.lock"),
            ("*.csproj", "App.csproj.user"),
            ("requirements/*.txt", "requirements.txt"),
            ("requirements/*.txt", "requirements/a/b.txt"),
            (
                "gradle/verification-metadata.xml",
                "verification-metadata.xml",
            ),
            ("ab*ba", "aba"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }
}

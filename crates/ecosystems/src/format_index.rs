//! Index from the path of a file to its formats.
//!
//! The functions of this module look in [`ALL`]; a [`FormatIndex`] looks in any list of ecosystems.

use std::collections::HashMap;
use std::sync::LazyLock;

use patchgate_model::{Lockfile, Unresolved};

use crate::unread::{UNREAD, UnreadFormat};
use crate::{ALL, Ecosystem, Format, Input, ManifestFormat, ParseError, Upgradable};

/// A format of a file, with the ecosystem that it belongs to.
pub type FormatMatch = (&'static dyn Ecosystem, &'static Format);

/// The meaning of a pattern.
#[derive(Clone, Copy)]
enum Use {
    Format(&'static dyn Ecosystem, &'static Format),
    Manifest(&'static dyn Ecosystem, &'static ManifestFormat),
    Companion,
    Unread(&'static UnreadFormat),
}

/// The file formats of a list of ecosystems, indexed by path.
#[derive(Default)]
pub struct FormatIndex {
    /// Patterns without `*` and `/`, by file name. Most patterns are of this kind.
    by_name: HashMap<&'static str, Vec<Use>>,
    /// All other patterns, which are tried one by one.
    others: Vec<(&'static str, Use)>,
}

static ALL_FORMATS: LazyLock<FormatIndex> = LazyLock::new(|| {
    let mut index = FormatIndex::new(ALL);
    for format in UNREAD {
        index.add(format.files, Use::Unread(format));
    }
    index
});

impl FormatIndex {
    /// An index of the files of these ecosystems.
    #[must_use]
    pub fn new(ecosystems: &[&'static dyn Ecosystem]) -> Self {
        let mut index = Self::default();
        for ecosystem in ecosystems.iter().copied() {
            let Some(files) = ecosystem.files() else {
                continue;
            };

            for format in files.formats() {
                index.add(format.files, Use::Format(ecosystem, format));
            }
            for manifest in files.manifests() {
                index.add(manifest.files, Use::Manifest(ecosystem, manifest));
            }
            index.add(files.companions(), Use::Companion);
        }

        index
    }

    fn add(&mut self, patterns: &'static [&'static str], meaning: Use) {
        for pattern in patterns {
            if pattern.contains(['/', '*']) {
                self.others.push((pattern, meaning));
            } else {
                self.by_name.entry(pattern).or_default().push(meaning);
            }
        }
    }

    fn uses_of(&self, path: &str) -> impl Iterator<Item = Use> {
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

    /// The formats of the file at a path. There can be several: a workflow is read once for its
    /// actions and once for its images.
    pub fn formats_of(&self, path: &str) -> impl Iterator<Item = FormatMatch> {
        self.uses_of(path).filter_map(|meaning| match meaning {
            Use::Format(ecosystem, format) => Some((ecosystem, format)),
            Use::Manifest(..) | Use::Companion | Use::Unread(_) => None,
        })
    }

    /// The ecosystem whose manifest has this path, and the kind of manifest.
    #[must_use]
    pub fn manifest_of(
        &self,
        path: &str,
    ) -> Option<(&'static dyn Ecosystem, &'static ManifestFormat)> {
        self.uses_of(path).find_map(|meaning| match meaning {
            Use::Manifest(ecosystem, manifest) => Some((ecosystem, manifest)),
            Use::Format(..) | Use::Companion | Use::Unread(_) => None,
        })
    }

    fn unread_format(&self, path: &str) -> Option<&'static UnreadFormat> {
        self.uses_of(path).find_map(|meaning| match meaning {
            Use::Unread(format) => Some(format),
            Use::Format(..) | Use::Manifest(..) | Use::Companion => None,
        })
    }

    /// Whether parsers may ask for the file as a sibling of another.
    #[must_use]
    pub fn is_sibling(&self, path: &str) -> bool {
        self.uses_of(path).next().is_some()
    }

    /// Parses a file in the first format of its path.
    ///
    /// # Errors
    /// If the path has no format, or the file cannot be read completely.
    pub fn parse(&self, input: &Input<'_>) -> Result<Lockfile, ParseError> {
        match self.formats_of(input.path).next() {
            Some((_, format)) => (format.parse)(input),
            None => Err(ParseError::new(
                "is not a lockfile format that Patchgate supports",
            )),
        }
    }

    /// Parses the requirements of a manifest that no lockfile pins.
    ///
    /// # Errors
    /// If the path is not one of a manifest, or the file cannot be read.
    pub fn unresolved(&self, input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
        match self.manifest_of(input.path) {
            Some((_, manifest)) => (manifest.unresolved)(input),
            None => Err(ParseError::new(
                "is not a manifest format that Patchgate supports",
            )),
        }
    }
}

/// [`FormatIndex::formats_of`] among [`ALL`] ecosystems.
///
/// ```
/// use patchgate_ecosystems::formats_of;
///
/// let formats: Vec<&str> = formats_of(".github/workflows/ci.yml")
///     .map(|(_, format)| format.id)
///     .collect();
/// assert_eq!(formats, ["github-workflow-go", "github-workflow", "github-workflow-images"]);
/// ```
pub fn formats_of(path: &str) -> impl Iterator<Item = FormatMatch> {
    ALL_FORMATS.formats_of(path)
}

/// [`FormatIndex::manifest_of`] among [`ALL`] ecosystems.
#[must_use]
pub fn manifest_of(path: &str) -> Option<(&'static dyn Ecosystem, &'static ManifestFormat)> {
    ALL_FORMATS.manifest_of(path)
}

/// The format of a file that states dependencies and is not read.
#[must_use]
pub fn unread_format(path: &str) -> Option<&'static UnreadFormat> {
    ALL_FORMATS.unread_format(path)
}

/// [`FormatIndex::is_sibling`] among [`ALL`] ecosystems.
#[must_use]
pub fn is_sibling(path: &str) -> bool {
    ALL_FORMATS.is_sibling(path)
}

/// [`FormatIndex::parse`] with [`ALL`] ecosystems.
///
/// # Errors
/// If the path has no format, or the file cannot be read completely.
pub fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    ALL_FORMATS.parse(input)
}

/// [`FormatIndex::unresolved`] with [`ALL`] ecosystems.
///
/// # Errors
/// If the path is not one of a manifest, or the file cannot be read.
pub fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    ALL_FORMATS.unresolved(input)
}

/// The format with this [`Format::id`].
#[must_use]
pub fn format_by_id(id: &str) -> Option<&'static Format> {
    ALL.iter()
        .filter_map(|ecosystem| ecosystem.files())
        .flat_map(|files| files.formats())
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
    manifest_of(path).is_some_and(|(ecosystem, _)| ecosystem.upgradable().is_some())
}

/// Whether the end of a path matches a pattern.
fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = path.rsplit('/');
    pattern
        .rsplit('/')
        .all(|pattern| parts.next().is_some_and(|part| fits(pattern, part)))
}

/// Last extensions of files that `Dockerfile.*` and similar patterns do not mean: templates, of which
/// a program makes the file, the list of files that a build ignores, and documentation.
const OTHER_EXTENSIONS: &[&str] = &[
    "dockerignore",
    "eex",
    "ejs",
    "erb",
    "gotmpl",
    "hbs",
    "j2",
    "jinja",
    "jinja2",
    "liquid",
    "md",
    "mustache",
    "template",
    "tmpl",
    "tpl",
];

/// Whether one part of a path matches one part of a pattern.
fn fits(pattern: &str, part: &str) -> bool {
    if pattern.ends_with(".*")
        && let Some((_, extension)) = part.rsplit_once('.')
        && OTHER_EXTENSIONS.contains(&extension)
    {
        return false;
    }

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
            ("Dockerfile.*", "Dockerfile.prod"),
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
            ("Dockerfile.*", "lib/templates/Dockerfile.eex"),
            ("Dockerfile.*", "Dockerfile.prod.dockerignore"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }
}

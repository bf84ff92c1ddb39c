//! Contents of `go.mod` and `go.work`, directive by directive
//! (<https://go.dev/ref/mod#go-mod-file>, <https://go.dev/ref/mod#go-work-file>).

use std::collections::{BTreeMap, BTreeSet};

use super::syntax::{Directive, directives};
use super::{module_path, version};
use crate::{ParseError, SkippedEntries};

/// The directives of one file, grouped by verb.
#[derive(Debug, Default)]
pub(super) struct Directives {
    /// The module's own path; empty in `go.work`.
    pub(super) module: String,
    /// Version in the `go` line.
    pub(super) go: Option<Stated>,
    /// Version in the `toolchain` line, without `go` and without the suffix of a changed toolchain.
    pub(super) toolchain: Option<Stated>,
    /// Required modules in file order, each listed once.
    pub(super) requires: Vec<Require>,
    /// Packages that `tool` lines name, by import path.
    pub(super) tools: Vec<String>,
    /// Directories of a workspace.
    pub(super) uses: Vec<Stated>,
    /// Directives that could not be read.
    pub(super) skipped: SkippedEntries,
    replaces: BTreeMap<String, BTreeMap<Option<String>, Replacement>>,
    excludes: BTreeSet<(String, String)>,
}

/// A text with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) text: String,
    pub(super) line: u32,
}

/// A module of a `require` directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Require {
    pub(super) path: String,
    /// As written: a canonical version or a query such as `latest`.
    pub(super) version: String,
    /// Whether Go's `// indirect` comment says that only other modules import it.
    pub(super) indirect: bool,
    pub(super) line: u32,
}

/// The module or directory that replaces a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replacement {
    /// A module path; without a version, a directory.
    pub(super) to: String,
    pub(super) version: Option<String>,
    pub(super) line: u32,
}

impl Directives {
    /// Parses a file. Unknown directives are ignored because a newer Go may write them. Known ones
    /// that cannot be read are skipped, unless it is the last one of a file that may be truncated.
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        Self::from_directives(directives(text)?, !text.ends_with('\n'))
    }

    /// Parses the `go.mod` of a dependency, in which only some directives count
    /// (<https://go.dev/ref/mod#go-mod-file-replace>).
    pub(super) fn parse_dependency(text: &str) -> Result<Self, ParseError> {
        let mut directives = directives(text)?;
        directives.retain(|one| matches!(&*one.verb, "module" | "go" | "require"));
        Self::from_directives(directives, !text.ends_with('\n'))
    }

    fn from_directives(
        directives: Vec<Directive<'_>>,
        may_be_cut: bool,
    ) -> Result<Self, ParseError> {
        let mut read = Self::default();
        let mut requires: BTreeMap<String, usize> = BTreeMap::new();
        let last = directives.last().map(|directive| directive.line);
        for directive in directives {
            let Err(error) = read.directive(&directive, &mut requires) else {
                continue;
            };
            if may_be_cut && last == Some(directive.line) {
                return Err(error);
            }

            // A module, a workspace's member or a replacement changes the list of modules, and the
            // Go version says whether that list is complete.
            let line = error.line.unwrap_or(directive.line);
            match &*directive.verb {
                "module" | "tool" => read.skipped.edge(line, error.reason),
                _ => read.skipped.package(line, error.reason),
            }
        }

        Ok(read)
    }

    fn directive(
        &mut self,
        directive: &Directive<'_>,
        requires: &mut BTreeMap<String, usize>,
    ) -> Result<(), ParseError> {
        match &*directive.verb {
            "module" => self.module(directive)?,
            "go" => once(&mut self.go, directive, go_version(directive)?)?,
            "toolchain" => {
                if let Some(version) = toolchain_version(directive)? {
                    once(&mut self.toolchain, directive, version)?;
                }
            }
            "require" => self.require(directive, requires)?,
            "replace" => self.replace(directive)?,
            "exclude" => {
                if let [path, version] = directive.words.as_slice() {
                    self.excludes
                        .insert((path.clone().into_owned(), version.clone().into_owned()));
                }
            }
            "tool" => self.tools.push(only_word(directive)?.to_owned()),
            "use" => self.uses.push(Stated {
                text: only_word(directive)?.to_owned(),
                line: directive.line,
            }),
            _ => {}
        }

        Ok(())
    }

    fn module(&mut self, directive: &Directive<'_>) -> Result<(), ParseError> {
        let path = only_word(directive)?;
        if !self.module.is_empty() {
            return Err(directive.error("states its module twice"));
        }
        module_path::check(path, directive.line)?;
        path.clone_into(&mut self.module);
        Ok(())
    }

    /// Adds a requirement. If a module is required twice, Go takes the higher version.
    fn require(
        &mut self,
        directive: &Directive<'_>,
        indices: &mut BTreeMap<String, usize>,
    ) -> Result<(), ParseError> {
        let [path, version] = directive.words.as_slice() else {
            return Err(directive.error("has a `require` that is not a module and a version"));
        };

        module_path::check(path, directive.line)?;
        let require = Require {
            path: path.clone().into_owned(),
            version: version.clone().into_owned(),
            indirect: is_indirect(directive.comment),
            line: directive.line,
        };
        let known = indices
            .get(&require.path)
            .and_then(|index| self.requires.get_mut(*index));
        match known {
            None => {
                indices.insert(require.path.clone(), self.requires.len());
                self.requires.push(require);
            }
            Some(known) => {
                let indirect = known.indirect && require.indirect;
                if version::compare(&known.version, &require.version).is_lt() {
                    *known = require;
                }
                known.indirect = indirect;
            }
        }

        Ok(())
    }

    fn replace(&mut self, directive: &Directive<'_>) -> Result<(), ParseError> {
        let wrong = || directive.error("has a `replace` that is not `module => replacement`");
        let arrow = directive.words.iter().position(|word| word == "=>");
        let (from, to) = directive.words.split_at(arrow.ok_or_else(wrong)?);
        let (path, old_version) = match from {
            [path] => (path, None),
            [path, version] => (path, Some(version.clone().into_owned())),
            _ => return Err(wrong()),
        };
        module_path::check(path, directive.line)?;
        let replacement = match to {
            [_, directory] if module_path::is_directory(directory) => Replacement {
                to: directory.clone().into_owned(),
                version: None,
                line: directive.line,
            },
            [_, to, version] => {
                module_path::check(to, directive.line)?;
                Replacement {
                    to: to.clone().into_owned(),
                    version: Some(version.clone().into_owned()),
                    line: directive.line,
                }
            }
            [_, _] => {
                return Err(directive.error(
                    "replaces a module with something that is neither a directory nor a module with a version",
                ));
            }
            _ => return Err(wrong()),
        };

        let of_path = self.replaces.entry(path.clone().into_owned()).or_default();
        if let Some(known) = of_path.get(&old_version)
            && (&known.to, &known.version) != (&replacement.to, &replacement.version)
        {
            return Err(directive.error(format!("replaces `{path}` twice, with different modules")));
        }

        of_path.insert(old_version, replacement);
        Ok(())
    }

    /// The replacement of a module at `version`: the one for that version, otherwise the one for
    /// all versions.
    pub(super) fn replacement(&self, path: &str, version: &str) -> Option<&Replacement> {
        let of_path = self.replaces.get(path)?;
        of_path
            .get(&Some(version.to_owned()))
            .or_else(|| of_path.get(&None))
    }

    /// Each replacement with the module path that it replaces, ordered by path.
    pub(super) fn replacements(&self) -> impl Iterator<Item = (&str, &Replacement)> {
        self.replaces.iter().flat_map(|(path, of_path)| {
            of_path
                .values()
                .map(move |replacement| (path.as_str(), replacement))
        })
    }

    /// Whether the file forbids a version of a module.
    pub(super) fn excludes(&self, path: &str, version: &str) -> bool {
        !self.excludes.is_empty()
            && self
                .excludes
                .contains(&(path.to_owned(), version.to_owned()))
    }

    /// The release of Go whose standard library is known to be at least in use: that of the
    /// `toolchain` line, unless the `go` line asks for a later one.
    pub(super) fn standard_library(&self) -> Option<&Stated> {
        match (&self.go, &self.toolchain) {
            (Some(go), Some(toolchain)) if version::compare(&toolchain.text, &go.text).is_lt() => {
                Some(go)
            }
            (go, toolchain) => toolchain.as_ref().or(go.as_ref()),
        }
    }
}

/// Interprets the comment as Go does (<https://go.dev/ref/mod#go-mod-file-require>): `indirect`,
/// alone or before a semicolon.
pub(super) fn is_indirect(comment: &str) -> bool {
    comment == "indirect" || comment.starts_with("indirect;")
}

fn only_word<'d>(directive: &'d Directive<'_>) -> Result<&'d str, ParseError> {
    match directive.words.as_slice() {
        [word] if !word.is_empty() => Ok(word),
        _ => Err(directive.error(format!(
            "has a `{}` with {} words instead of one",
            directive.verb,
            directive.words.len()
        ))),
    }
}

fn once(
    slot: &mut Option<Stated>,
    directive: &Directive<'_>,
    text: String,
) -> Result<(), ParseError> {
    if slot.is_some() {
        return Err(directive.error(format!("has a second `{}` line", directive.verb)));
    }
    *slot = Some(Stated {
        text,
        line: directive.line,
    });
    Ok(())
}

fn go_version(directive: &Directive<'_>) -> Result<String, ParseError> {
    let text = only_word(directive)?;
    release(text)
        .map(str::to_owned)
        .ok_or_else(|| directive.error(format!("asks for the invalid Go version `{text}`")))
}

/// The version in a toolchain name (<https://go.dev/doc/toolchain#name>); `None` for `default` and
/// `local`, which leave the choice to the machine.
fn toolchain_version(directive: &Directive<'_>) -> Result<Option<String>, ParseError> {
    let text = only_word(directive)?;
    if matches!(text, "default" | "local") {
        return Ok(None);
    }

    let version = text
        .find("go1")
        .and_then(|at| text.get(at + 2..))
        .and_then(|version| version.split('-').next())
        .and_then(release);
    match version {
        Some(version) => Ok(Some(version.to_owned())),
        None => Err(directive.error(format!("names the invalid toolchain `{text}`"))),
    }
}

/// A Go version: numbers, optionally followed by `rc2` or similar.
fn release(text: &str) -> Option<&str> {
    (text.starts_with(|c: char| c.is_ascii_digit())
        && !text.contains(['-', '+'])
        && version::Version::parse(text).is_some())
    .then_some(text)
}

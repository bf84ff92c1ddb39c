//! Parser for the fields of opam files that name packages (its manual, "opam").

use patchgate_model::{DependencyKind, Unresolved, without_credentials};

use super::syntax::{LocatedToken, Token, tokens};
use crate::{ParseError, limits};

/// A package that a file requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageRequirement {
    pub(super) name: String,
    /// The version in `{= "1.2"}`, if the braces contain nothing else except filters.
    pub(super) version: Option<String>,
    /// The content of the braces, without filters that are names.
    pub(super) requirement: String,
    pub(super) kind: DependencyKind,
    /// Filters that are names: `build`, `with-test`.
    pub(super) filters: Vec<String>,
    pub(super) line: u32,
}

/// The relevant fields of an opam file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    /// Requirements in `depends` and `depopts`.
    pub(super) requirements: Vec<PackageRequirement>,
    /// Entries of `pin-depends`: `name.version` and address.
    pub(super) pins: Vec<(String, String)>,
}

impl File {
    /// Parses a file. Unknown fields and sections are skipped.
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        let tokens = tokens(text)?;
        let mut file = Self::default();
        let mut is_opam = false;
        let mut rest = tokens.as_slice();

        while let Some(((token, line), after)) = rest.split_first() {
            let failed = |reason: String| ParseError::new(reason).at_line(*line as usize);
            let Token::Word(field) = token else {
                return Err(failed(
                    "is not an opam file: a field has no name".to_owned(),
                ));
            };

            // A section (`url { … }`) contains fields of its own.
            let is_section = !matches!(after.first(), Some((Token::Sign(":"), _)));
            let value = if is_section {
                after
            } else {
                after.get(1..).unwrap_or_default()
            };
            let skipped =
                usize::from(is_section && matches!(value.first(), Some((Token::Text(_), _))));
            let value = value.get(skipped..).unwrap_or_default();
            let length = value_length(value);
            if length == 0 {
                return Err(failed(format!("is truncated: `{field}` has no value")));
            }

            let (value, after) = value.split_at_checked(length).unwrap_or((value, &[]));
            match (*field, is_section) {
                ("opam-version", false) => is_opam = true,
                ("name", false) => file.name = only_text(value).to_owned(),
                ("depends", false) => file.packages(value, DependencyKind::Runtime)?,
                ("depopts", false) => file.packages(value, DependencyKind::Optional)?,
                ("pin-depends", false) => file.pins(value),
                _ => {}
            }

            rest = after;
        }

        if !is_opam {
            return Err(ParseError::new(
                "is not an opam file: it lacks `opam-version`",
            ));
        }

        Ok(file)
    }

    fn packages(
        &mut self,
        value: &[LocatedToken<'_>],
        kind: DependencyKind,
    ) -> Result<(), ParseError> {
        let mut rest = value;
        while let Some(((token, line), after)) = rest.split_first() {
            rest = after;
            let Token::Text(name) = token else { continue };
            if self.requirements.len() >= limits::MAX_PACKAGES || name.is_empty() {
                let reason = "contains too many packages, or one without a name";
                return Err(ParseError::new(reason).at_line(*line as usize));
            }

            let mut braces: &[LocatedToken<'_>] = &[];
            if matches!(after.first(), Some((Token::Bracket('{'), _))) {
                let length = value_length(after);
                (braces, rest) = after.split_at_checked(length).unwrap_or((after, &[]));
                let inner = braces.len().saturating_sub(1);
                braces = braces.get(1..inner).unwrap_or_default();
            }

            self.requirements
                .push(requirement(name, kind, braces, *line));
        }

        Ok(())
    }

    fn pins(&mut self, value: &[LocatedToken<'_>]) {
        let mut texts = value.iter().filter_map(|(token, _)| match token {
            Token::Text(text) => Some(text.clone()),
            _ => None,
        });
        while let (Some(package), Some(address)) = (texts.next(), texts.next()) {
            self.pins.push((package, address));
        }
    }
}

/// A requirement from a name and the tokens in the braces after it.
fn requirement(
    name: &str,
    kind: DependencyKind,
    braces: &[LocatedToken<'_>],
    line: u32,
) -> PackageRequirement {
    let parts = braces.split(|(token, _)| *token == Token::Sign("&"));
    let mut required = PackageRequirement {
        name: name.to_owned(),
        version: None,
        requirement: String::new(),
        kind,
        filters: Vec::new(),
        line,
    };

    let mut others = false;
    for part in parts {
        match part {
            [] => {}
            [(Token::Word(filter), _)] => {
                let of_filter = match *filter {
                    "with-test" => DependencyKind::Test,
                    "build" => DependencyKind::Build,
                    "with-doc" | "with-dev-setup" | "dev" => DependencyKind::Development,
                    _ => required.kind,
                };
                required.kind = required.kind.max(of_filter);
                required.filters.push((*filter).to_owned());
            }
            part => {
                let exact = match part {
                    [(Token::Sign("="), _), (Token::Text(version), _)] => Some(version.clone()),
                    _ => None,
                };
                // `os = "linux"` and `!with-test` restrict the environment and not the version.
                let is_filter = matches!(part, [(Token::Word(_) | Token::Sign("!"), _), ..]);
                others |= !is_filter && (exact.is_none() || required.version.is_some());
                required.version = required.version.or(exact);

                if !required.requirement.is_empty() {
                    required.requirement += " & ";
                }

                required.requirement += &joined(part);
            }
        }
    }

    if others {
        required.version = None;
    }

    required.filters.sort();
    required
}

/// Joins tokens into one text.
fn joined(tokens: &[LocatedToken<'_>]) -> String {
    let words = tokens.iter().map(|(token, _)| match token {
        Token::Word(word) | Token::Sign(word) => (*word).to_owned(),
        Token::Text(text) => format!("\"{text}\""),
        Token::Bracket(bracket) => bracket.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn only_text<'v>(value: &'v [LocatedToken<'_>]) -> &'v str {
    match value {
        [(Token::Text(text), _)] => text,
        _ => "",
    }
}

/// The number of tokens of the first value: one, or everything up to the closing bracket.
fn value_length(tokens: &[LocatedToken<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, (token, _)) in tokens.iter().enumerate() {
        match token {
            Token::Bracket('[' | '(' | '{') => depth += 1,
            Token::Bracket(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }

    tokens.len()
}

/// The requirements of a manifest. Optional dependencies are included; opam installs them only on
/// request.
pub(super) fn requirements(text: &str) -> Result<Vec<Unresolved>, ParseError> {
    let file = File::parse(text)?;
    // The code comes from the address, whatever versions the repository of opam has.
    let pin = |name: &str| {
        let is_meant = |(package, _): &&(String, String)| {
            package
                .split_once('.')
                .map_or(package.as_str(), |(name, _)| name)
                == name
        };
        file.pins.iter().find(is_meant)
    };
    let requirements = file.requirements.iter().map(|required| Unresolved {
        ecosystem: crate::opam::NAME,
        name: required.name.clone(),
        requirement: match pin(&required.name) {
            Some((_, address)) => without_credentials(address).into_owned(),
            None => required.requirement.clone(),
        },
        kind: required.kind,
        line: required.line,
    });
    Ok(requirements.collect())
}

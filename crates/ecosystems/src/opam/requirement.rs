//! Version formulas of opam (its manual, "Filtered package formulas").

use super::syntax::{LocatedToken, Token, tokens};
use super::{NAME, Opam, Version};
use crate::version::comparison::{Comparison, check_length, in_all, refuse};
use crate::{RequirementError, VersionSet};

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 50;

/// The versions that a formula admits: comparisons such as `>= "1.0"`, joined by `&`, which binds
/// stronger, and `|`. A filter (`with-test`, `os = "linux"`, `!dev`) and a version that a variable
/// states do not restrict the versions.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    check_length(requirement)?;
    let wrong = || refuse(NAME, requirement);
    let tokens = tokens(requirement).map_err(|_| wrong())?;
    if tokens.is_empty() {
        return Ok(VersionSet::all());
    }

    let mut formula = Formula {
        requirement,
        rest: &tokens,
    };
    let set = formula.alternatives(0)?;
    match formula.rest.is_empty() {
        true => Ok(set),
        false => Err(wrong()),
    }
}

/// A formula that is partly read.
struct Formula<'t> {
    requirement: &'t str,
    rest: &'t [LocatedToken<'t>],
}

impl<'t> Formula<'t> {
    fn wrong(&self) -> RequirementError {
        refuse(NAME, self.requirement)
    }

    fn peek(&self) -> Option<&'t Token<'t>> {
        self.rest.first().map(|(token, _)| token)
    }

    fn next(&mut self) -> Option<&'t Token<'t>> {
        let ((token, _), rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(token)
    }

    /// Whether the next token is a sign, which is then skipped.
    fn skips(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        if is_next {
            self.next();
        }
        is_next
    }

    fn alternatives(&mut self, depth: usize) -> Result<VersionSet, RequirementError> {
        let mut set = self.conjunction(depth)?;
        while self.skips("|") {
            set.intervals.extend(self.conjunction(depth)?.intervals);
        }
        Ok(set)
    }

    fn conjunction(&mut self, depth: usize) -> Result<VersionSet, RequirementError> {
        let mut sets = vec![self.atom(depth)?];
        while self.skips("&") {
            sets.push(self.atom(depth)?);
        }
        in_all(&Opam, self.requirement, sets)
    }

    fn atom(&mut self, depth: usize) -> Result<VersionSet, RequirementError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong());
        }

        match self.next() {
            Some(Token::Bracket('(')) => {
                let set = self.alternatives(depth + 1)?;
                match self.next() {
                    Some(Token::Bracket(')')) => Ok(set),
                    _ => Err(self.wrong()),
                }
            }
            Some(Token::Sign("!" | "?")) => {
                self.atom(depth + 1)?;
                Ok(VersionSet::all())
            }
            Some(Token::Sign(sign)) => self.comparison(sign),
            // A filter, or a variable that is compared with a text.
            Some(Token::Word(_) | Token::Text(_)) => {
                if let Some(Token::Sign(sign)) = self.peek()
                    && Comparison::split(sign).is_some()
                {
                    self.next();
                    if !matches!(self.next(), Some(Token::Word(_) | Token::Text(_))) {
                        return Err(self.wrong());
                    }
                }
                Ok(VersionSet::all())
            }
            _ => Err(self.wrong()),
        }
    }

    fn comparison(&mut self, sign: &str) -> Result<VersionSet, RequirementError> {
        let Some((comparison, "")) = Comparison::split(sign).filter(|_| sign != "==") else {
            return Err(self.wrong());
        };
        match self.next() {
            Some(Token::Text(version)) if version.contains("%{") => Ok(VersionSet::all()),
            Some(Token::Text(version)) if Version::parse(version).is_some() => {
                Ok(comparison.set(version))
            }
            Some(Token::Word(_)) => Ok(VersionSet::all()),
            _ => Err(self.wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::comparison::{assert_admitted, assert_refused};

    #[test]
    fn formulas_admit_what_opam_admits() {
        let all: &[&str] = &["0.1", "9", "dev"];
        assert_admitted(
            &Opam,
            &[
                (">= \"1.0\"", &["1.0", "9"], &["0.9", "1.0~beta"]),
                (
                    ">= \"1.0\" & < \"2.0\"",
                    &["1.0", "2.0~rc"],
                    &["2.0", "0.9"],
                ),
                ("= \"1.0\"", &["1.0"], &["1.0.1"]),
                ("!= \"1.0\"", &["0.9", "1.1"], &["1.0"]),
                ("< \"1.0\" | >= \"2.0\"", &["0.9", "2.0"], &["1.5"]),
                (
                    "(< \"1.0\" | > \"2.0\") & != \"3.0\"",
                    &["0.9", "2.1"],
                    &["1.0", "2.0", "3.0"],
                ),
                (
                    "= \"1.0\" | >= \"2.0\" & < \"3.0\"",
                    &["1.0", "2.5"],
                    &["1.5", "3.0"],
                ),
                ("with-test & >= \"1.0\"", &["1.0"], &["0.9"]),
                ("os = \"linux\" & >= \"1.0\"", &["1.0"], &["0.9"]),
                ("!with-test & >= \"1.0\"", &["1.0"], &["0.9"]),
                ("with-test", all, &[]),
                ("= version", all, &[]),
                ("= \"%{v}%\"", all, &[]),
                ("!(>= \"1.0\")", all, &[]),
                ("", all, &[]),
            ],
        );
    }

    #[test]
    fn what_is_no_formula_is_an_error() {
        let text = "is not a requirement of opam";
        let deep = format!("{}= \"1\"{}", "(".repeat(60), ")".repeat(60));
        assert_refused(
            &Opam,
            &[
                (">=", text),
                (">= \"1 2\"", text),
                (">= \"1\" < \"2\"", text),
                ("& >= \"1\"", text),
                ("(>= \"1\"", text),
                ("\"unclosed", text),
                (&deep, text),
            ],
        );
    }
}

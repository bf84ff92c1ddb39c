//! The versions that a constraint of Cabal admits
//! (<https://cabal.readthedocs.io/en/stable/cabal-package-description-file.html#pkg-field-build-depends>):
//! comparisons, sets of versions and wildcards, combined with `&&`, `||` and parentheses. A version
//! without an operator is exact, as in `stack.yaml`.

use super::Hackage;
use crate::requirement_text::{RequirementText, next_prefix};
use crate::{Interval, RequirementError, VersionSet};

/// Maximum depth of parentheses.
const MAX_DEPTH: usize = 16;

/// Longer operators first, because a shorter one may be a prefix of them.
const OPERATORS: [&str; 6] = ["^>=", ">=", "<=", "==", ">", "<"];

/// The versions that a constraint admits.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    let text = RequirementText::new(&Hackage, requirement)?;
    let mut reader = Reader {
        text,
        rest: requirement.trim(),
    };
    if reader.rest.is_empty() {
        return Ok(VersionSet::all());
    }

    let set = reader.alternatives(0)?;
    match reader.rest.is_empty() {
        true => Ok(set),
        false => Err(text.invalid()),
    }
}

struct Reader<'a> {
    text: RequirementText<'a>,
    /// The unread rest, without blanks before it.
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn alternatives(&mut self, depth: usize) -> Result<VersionSet, RequirementError> {
        let mut sets = vec![self.conjunction(depth)];
        while self.take("||") {
            sets.push(self.conjunction(depth));
        }
        self.text.any_of(sets)
    }

    fn conjunction(&mut self, depth: usize) -> Result<VersionSet, RequirementError> {
        let mut sets = vec![self.atom(depth)];
        while self.take("&&") {
            sets.push(self.atom(depth));
        }
        self.text.all_of(sets)
    }

    fn atom(&mut self, depth: usize) -> Result<VersionSet, RequirementError> {
        if depth > MAX_DEPTH {
            return Err(self.text.invalid());
        }
        if self.take("(") {
            let inner = self.alternatives(depth + 1)?;
            return match self.take(")") {
                true => Ok(inner),
                false => Err(self.text.invalid()),
            };
        }
        if self.take("-any") {
            return Ok(VersionSet::all());
        }
        if self.take("-none") {
            return Ok(VersionSet::default());
        }

        let operator = OPERATORS.iter().find(|operator| self.take(operator));
        let operator = operator.copied().unwrap_or("==");
        if !self.take("{") {
            let version = self.version();
            return self.comparison(operator, version);
        }

        if !matches!(operator, "==" | "^>=") {
            return Err(self.text.invalid());
        }
        let mut sets = Vec::new();
        loop {
            let version = self.version();
            sets.push(self.comparison(operator, version));
            if self.take("}") {
                return self.text.any_of(sets);
            }
            if !self.take(",") {
                return Err(self.text.invalid());
            }
        }
    }

    fn version(&mut self) -> &'a str {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '*');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (version, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        version
    }

    fn comparison(&self, operator: &str, version: &str) -> Result<VersionSet, RequirementError> {
        let numbers: Vec<&str> = version.split('.').collect();
        match (operator, version.strip_suffix(".*")) {
            ("==", Some(prefix)) => {
                let start = self.text.version(prefix)?;
                let kept = numbers.len() - 1;
                Ok(Interval::between(start, &next_prefix(&numbers, kept)).into())
            }
            // Up to the next major version, which consists of two numbers.
            ("^>=", None) => {
                let start = self.text.version(version)?;
                Ok(Interval::between(start, &next_prefix(&numbers, 2)).into())
            }
            _ => self.text.comparison(operator, version),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::hackage::Hackage;
    use crate::requirement_text::{assert_refused, assert_rows};

    #[test]
    fn constraints_admit_by_the_rules_of_cabal() {
        assert_rows(
            &Hackage,
            &[
                ("", "1", true),
                ("-any", "1", true),
                ("-none", "1", false),
                ("==1.2", "1.2", true),
                ("==1.2", "1.2.0", false),
                ("1.2", "1.2", true),
                ("1.2", "1.3", false),
                ("==1.2.*", "1.2", true),
                ("==1.2.*", "1.2.9", true),
                ("==1.2.*", "1.3", false),
                (">=1.2 && <1.4", "1.3.9", true),
                (">=1.2 && <1.4", "1.4", false),
                (">1.2", "1.2.0", true),
                ("<=1.2", "1.2.0", false),
                ("^>=1.2.3", "1.2.9", true),
                ("^>=1.2.3", "1.2.2", false),
                ("^>=1.2.3", "1.3", false),
                ("^>=1", "1.0.5", true),
                ("^>=1", "1.1", false),
                ("^>={1.2, 2.0.1}", "2.0.5", true),
                ("^>={1.2, 2.0.1}", "2.0", false),
                ("== { 1.2 , 1.3.* }", "1.3.5", true),
                ("== { 1.2 , 1.3.* }", "1.2.5", false),
                (">=1 && <2 || ==3.*", "3.1", true),
                (">=1 && <2 || ==3.*", "2.1", false),
                (">=1 && (<2 || ==3.*)", "3.1", true),
                ("==3.1 || >=1 && <2", "1.5", true),
            ],
        );
    }

    #[test]
    fn other_texts_are_errors() {
        assert_refused(
            &Hackage,
            &[
                "installed",
                "==1.2 +flag",
                ">=1.2.*",
                "^>=1.*",
                "*",
                "==1.*.2",
                ">=1 &&",
                "(>=1",
                "== {1.2",
                ">= {1.2}",
                "lts-21.25",
                "snapshot:lts-21.25",
                "https://h.invalid/a",
            ],
        );
        let deep = format!("{}>=1{}", "(".repeat(100), ")".repeat(100));
        assert_refused(&Hackage, &[&deep]);
    }
}

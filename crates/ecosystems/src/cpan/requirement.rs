//! The versions that a requirement of a Perl distribution admits (`CPAN::Meta::Spec`, "Version
//! Ranges", <https://metacpan.org/pod/CPAN::Meta::Spec#Version-Ranges>): a minimum version, or
//! comparisons separated by commas.

use super::Cpan;
use crate::requirement_text::{RequirementText, operator};
use crate::{RequirementError, VersionSet};

/// Longer operators first, because a shorter one may be a prefix of them.
const OPERATORS: [&str; 6] = [">=", "<=", "==", "!=", ">", "<"];

/// The versions that a requirement admits.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    let text = RequirementText::new(&Cpan, requirement)?;
    if requirement.trim().is_empty() {
        return Ok(VersionSet::all());
    }

    text.all_of(requirement.split(',').map(|part| {
        let (operator, version) = operator(part, &OPERATORS);
        let operator = if operator.is_empty() { ">=" } else { operator };
        text.comparison(operator, version.trim_end())
    }))
}

#[cfg(test)]
mod tests {
    use crate::cpan::Cpan;
    use crate::requirement_text::{assert_refused, assert_rows};

    #[test]
    fn a_version_is_a_minimum() {
        assert_rows(
            &Cpan,
            &[
                ("", "1.0", true),
                ("0", "0.01", true),
                ("1.2", "1.2", true),
                ("1.2", "1.1", false),
                ("v1.2.3", "1.002004", true),
                ("== 1.2", "1.3", false),
                ("== 1.2", "1.200", true),
                (">= 1.2, != 1.5, < 2.0", "1.5", false),
                (">= 1.2, != 1.5, < 2.0", "1.6", true),
                ("<= 1.2", "1.3", false),
                ("> 1.2", "1.2", false),
            ],
        );
        assert_refused(&Cpan, &["x", ">=", ",", "~> 1", "https://h.invalid/a"]);
    }
}

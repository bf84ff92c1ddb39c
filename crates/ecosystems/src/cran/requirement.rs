//! The versions that a requirement of an R package admits ("Writing R Extensions", section 1.1.3,
//! "Package Dependencies"): comparisons such as `>= 1.0`, also several of them.

use crate::requirement_text::{RequirementText, operator};
use crate::{Ecosystem, RequirementError, VersionSet};

/// Longer operators first, because a shorter one may be a prefix of them.
const OPERATORS: [&str; 6] = [">=", "<=", "==", "!=", ">", "<"];

/// The versions that a requirement admits, in CRAN or Bioconductor.
pub(crate) fn admitted(
    order: &'static dyn Ecosystem,
    requirement: &str,
) -> Result<VersionSet, RequirementError> {
    let text = RequirementText::new(order, requirement)?;
    if matches!(requirement.trim(), "" | "*") {
        return Ok(VersionSet::all());
    }

    text.all_of(requirement.split(',').map(|part| {
        let (operator, version) = operator(part, &OPERATORS);
        text.comparison(operator, version.trim_end())
    }))
}

#[cfg(test)]
mod tests {
    use crate::bioconductor::Bioconductor;
    use crate::cran::Cran;
    use crate::requirement_text::{assert_refused, assert_rows};

    #[test]
    fn comparisons_admit_by_the_order_of_r() {
        let rows = [
            ("", "1.0", true),
            (">= 1.0", "1.0-1", true),
            (">= 1.0", "0.9", false),
            (">1.0", "1.0", false),
            ("< 1.0", "0.99", true),
            ("<= 1.0", "1.0.1", false),
            ("== 1.0", "1.0", true),
            ("== 1.0", "1.1", false),
            ("!= 1.0", "1.0", false),
            (">= 1.0, < 2.0", "1.5", true),
            (">= 1.0, < 2.0", "2.0", false),
        ];
        assert_rows(&Cran, &rows);
        assert_rows(&Bioconductor, &rows);
    }

    #[test]
    fn other_texts_are_errors() {
        let texts = [
            "1.0",
            ">= a",
            "~> 1.0",
            "owner/repo",
            "github::x",
            ",",
            "=1.0",
        ];
        assert_refused(&Cran, &texts);
    }
}

//! Requirements of NuGet with a higher lower bound.

use super::requirement::admitted;
use super::version::Version;
use super::{NAME, NuGet};
use crate::version::comparison::refuse;
use crate::{Interval, RequirementError, VersionSet};

/// The requirement in the same style that admits `version` as its smallest version: `1.0`, `[1.0]`, and
/// ranges with a lower bound. Floating versions (`1.*`) have no such form, and neither has a range
/// whose upper bound is not above the version.
pub(super) fn raise(requirement: &str, version: &str) -> Result<String, RequirementError> {
    admitted(requirement)?;
    let cannot = || {
        let reason = format!("cannot be raised to {version} in its own style");
        RequirementError::new(requirement, reason)
    };
    if Version::parse(version).is_none() {
        return Err(refuse(NAME, requirement));
    }

    let text = requirement.trim();
    if text.is_empty() || Version::parse(text).is_some() {
        return Ok(version.to_owned());
    }
    let body = text.strip_prefix(['[', '(']).ok_or_else(cannot)?;
    let raised = match body.split_once(',') {
        Some((_, upper)) => format!("[{version},{upper}"),
        None => format!("[{version}]"),
    };

    // A style that does not lead to the version is an error, never a wider requirement.
    let set = admitted(&raised).map_err(|_| cannot())?;
    let below = VersionSet::from(Interval::below(version));
    let lower = set.intersection(&NuGet, &below);
    let is_exact = set.contains(&NuGet, version).unwrap_or(false)
        && lower.is_ok_and(|lower| lower.intervals.is_empty());
    match is_exact {
        true => Ok(raised),
        false => Err(cannot()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_raised_in_its_own_style() {
        for (requirement, expected) in [
            ("1.0", Some("1.5.0")),
            ("", Some("1.5.0")),
            ("[1.0]", Some("[1.5.0]")),
            ("[1.0,2.0)", Some("[1.5.0,2.0)")),
            ("[1.0, 2.0]", Some("[1.5.0, 2.0]")),
            ("(1.0,)", Some("[1.5.0,)")),
            ("(,2.0)", Some("[1.5.0,2.0)")),
            ("[1.0,1.5)", None),
            ("1.*", None),
            ("$(Version)", None),
            (">= 1.0", None),
            ("x", None),
        ] {
            let raised = raise(requirement, "1.5.0").ok();
            assert_eq!(raised.as_deref(), expected, "{requirement}");
        }
    }
}

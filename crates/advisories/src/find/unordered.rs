//! Packages of ecosystems whose versions Patchgate cannot order. Only the versions that an advisory
//! lists one by one are matched, by their text; a problem reports that ranges were not evaluated.

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_ecosystems::{Ecosystem, VersionError};
use patchgate_model::{EcosystemName, Problem, ProblemKind};

/// An ecosystem of which only the name is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unordered(pub(super) EcosystemName);

impl Unordered {
    /// The problem of a scan that contains a package of this ecosystem.
    pub(super) fn problem(self) -> Problem {
        Problem {
            kind: ProblemKind::Advisories,
            subject: self.0.to_string(),
            line: None,
            reason: "this version of Patchgate cannot order its versions: only those that an \
                     advisory lists one by one were compared"
                .to_owned(),
            hint: None,
        }
    }
}

impl Ecosystem for Unordered {
    fn name(&self) -> EcosystemName {
        self.0
    }

    fn purl_type(&self) -> &'static str {
        "generic"
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, _: &str) -> Result<Ordering, VersionError> {
        Err(VersionError {
            version: a.to_owned(),
            ecosystem: self.0,
        })
    }
}

//! Packages of Debian and of distributions made from it, as SBOMs name them. Advisories are about
//! source packages.

mod version;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{Unresolved, package_url};

use crate::{Ecosystem, Format, Input, ParseError, VersionError};

/// A distribution with packages in Debian's format.
#[derive(Debug, Clone, Copy)]
pub struct Deb {
    name: &'static str,
    /// Namespace in package URLs.
    namespace: &'static str,
}

/// Debian.
pub const DEBIAN: Deb = Deb {
    name: "Debian",
    namespace: "debian",
};

/// Ubuntu.
pub const UBUNTU: Deb = Deb {
    name: "Ubuntu",
    namespace: "ubuntu",
};

/// Echo, a hardened distribution with Debian's packages.
pub const ECHO: Deb = Deb {
    name: "Echo",
    namespace: "echo",
};

impl Ecosystem for Deb {
    fn name(&self) -> &'static str {
        self.name
    }

    fn purl_type(&self) -> &'static str {
        "deb"
    }

    fn formats(&self) -> &'static [Format] {
        &[]
    }

    fn manifests(&self) -> &'static [&'static str] {
        &[]
    }

    fn unresolved(&self, _: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
        Ok(Vec::new())
    }

    fn purl(&self, name: &str, version: &str) -> String {
        package_url("deb", &format!("{}/{name}", self.namespace), version)
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        let error = |text: &str| VersionError {
            version: text.to_owned(),
            ecosystem: self.name,
        };
        let (a, b) = (
            version::parse(a).ok_or_else(|| error(a))?,
            version::parse(b).ok_or_else(|| error(b))?,
        );
        Ok(a.cmp(&b))
    }
}

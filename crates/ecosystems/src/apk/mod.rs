//! Packages of Alpine and of distributions with its package manager, as SBOMs name them.
//! Advisories are about source packages (`origin` in an installed package's record).

mod version;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{Unresolved, package_url};

use crate::{Ecosystem, Format, Input, ParseError, VersionError};

/// A distribution with apk as its package manager.
#[derive(Debug, Clone, Copy)]
pub struct Apk {
    name: &'static str,
    /// Namespace in package URLs.
    namespace: &'static str,
}

/// Alpine Linux.
pub const ALPINE: Apk = Apk {
    name: "Alpine",
    namespace: "alpine",
};

/// Wolfi.
pub const WOLFI: Apk = Apk {
    name: "Wolfi",
    namespace: "wolfi",
};

/// Chainguard OS.
pub const CHAINGUARD: Apk = Apk {
    name: "Chainguard",
    namespace: "chainguard",
};

/// MinimOS.
pub const MINIMOS: Apk = Apk {
    name: "MinimOS",
    namespace: "minimos",
};

/// Alpaquita Linux.
pub const ALPAQUITA: Apk = Apk {
    name: "Alpaquita",
    namespace: "alpaquita",
};

impl Ecosystem for Apk {
    fn name(&self) -> &'static str {
        self.name
    }

    fn purl_type(&self) -> &'static str {
        "apk"
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
        package_url("apk", &format!("{}/{name}", self.namespace), version)
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
        Ok(a.compare(&b))
    }
}

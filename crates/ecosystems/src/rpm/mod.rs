//! Packages of distributions with RPM, as SBOMs name them.

mod version;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{Unresolved, package_url};

use crate::{Ecosystem, Format, Input, ParseError, VersionError};

/// A distribution with RPM as its package format.
#[derive(Debug, Clone, Copy)]
pub struct Rpm {
    name: &'static str,
    /// Namespace in package URLs.
    namespace: &'static str,
}

macro_rules! distributions {
    ($($(#[$doc:meta])* $constant:ident, $name:literal, $namespace:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $constant: Rpm = Rpm { name: $name, namespace: $namespace };
        )*
    };
}

distributions! {
    /// Red Hat Enterprise Linux and Red Hat's other products.
    RED_HAT, "Red Hat", "redhat";
    /// Rocky Linux.
    ROCKY_LINUX, "Rocky Linux", "rocky";
    /// AlmaLinux.
    ALMA_LINUX, "AlmaLinux", "almalinux";
    /// SUSE Linux Enterprise.
    SUSE, "SUSE", "suse";
    /// openSUSE.
    OPEN_SUSE, "openSUSE", "opensuse";
    /// Mageia.
    MAGEIA, "Mageia", "mageia";
    /// openEuler.
    OPEN_EULER, "openEuler", "openeuler";
    /// Photon OS.
    PHOTON_OS, "Photon OS", "photon";
}

impl Ecosystem for Rpm {
    fn name(&self) -> &'static str {
        self.name
    }

    fn purl_type(&self) -> &'static str {
        "rpm"
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
        package_url("rpm", &format!("{}/{name}", self.namespace), version)
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

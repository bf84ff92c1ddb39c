//! Packages of operating systems, as SBOMs name them. A distribution is its name, its place in
//! package URLs and the package manager that orders its versions.
//!
//! OSV's advisories for most of them are about source packages.

mod apk;
mod deb;
mod rpm;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::package_url;

use crate::{Ecosystem, VersionError};

/// A distribution of packages for an operating system.
#[derive(Debug, Clone, Copy)]
pub struct Distribution {
    /// Name in OSV.
    name: &'static str,
    /// Namespace in package URLs.
    namespace: &'static str,
    packages: &'static PackageManager,
}

/// What the packages of distributions with one package manager share.
#[derive(Debug)]
struct PackageManager {
    /// Type in package URLs.
    purl_type: &'static str,
    /// Orders two versions of the distribution with this name.
    compare: fn(name: &'static str, a: &str, b: &str) -> Result<Ordering, VersionError>,
}

/// Debian's packages.
const DEB: PackageManager = PackageManager {
    purl_type: "deb",
    compare: deb::compare,
};

/// Alpine's packages.
const APK: PackageManager = PackageManager {
    purl_type: "apk",
    compare: apk::compare,
};

/// Red Hat's packages.
const RPM: PackageManager = PackageManager {
    purl_type: "rpm",
    compare: rpm::compare,
};

macro_rules! distributions {
    ($($(#[$doc:meta])* $constant:ident: $name:literal, $packages:ident, $namespace:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $constant: Distribution = Distribution {
                name: $name,
                namespace: $namespace,
                packages: &$packages,
            };
        )*
    };
}

distributions! {
    /// Debian.
    DEBIAN: "Debian", DEB, "debian";
    /// Ubuntu.
    UBUNTU: "Ubuntu", DEB, "ubuntu";
    /// Echo, a hardened distribution with Debian's packages.
    ECHO: "Echo", DEB, "echo";
    /// Alpine Linux.
    ALPINE: "Alpine", APK, "alpine";
    /// Wolfi.
    WOLFI: "Wolfi", APK, "wolfi";
    /// Chainguard OS.
    CHAINGUARD: "Chainguard", APK, "chainguard";
    /// MinimOS.
    MINIMOS: "MinimOS", APK, "minimos";
    /// Alpaquita Linux.
    ALPAQUITA: "Alpaquita", APK, "alpaquita";
    /// BellSoft's hardened images, which are made of Alpaquita.
    BELLSOFT: "BellSoft Hardened Containers", APK, "bellsoft-hardened-containers";
    /// CleanStart.
    CLEANSTART: "CleanStart", APK, "cleanstart";
    /// Red Hat Enterprise Linux and Red Hat's other products.
    RED_HAT: "Red Hat", RPM, "redhat";
    /// Rocky Linux.
    ROCKY_LINUX: "Rocky Linux", RPM, "rocky";
    /// AlmaLinux.
    ALMA_LINUX: "AlmaLinux", RPM, "almalinux";
    /// SUSE Linux Enterprise.
    SUSE: "SUSE", RPM, "suse";
    /// openSUSE.
    OPEN_SUSE: "openSUSE", RPM, "opensuse";
    /// Mageia.
    MAGEIA: "Mageia", RPM, "mageia";
    /// openEuler.
    OPEN_EULER: "openEuler", RPM, "openeuler";
    /// Photon OS.
    PHOTON_OS: "Photon OS", RPM, "photon";
    /// Azure Linux, CBL-Mariner before.
    AZURE_LINUX: "Azure Linux", RPM, "azurelinux";
}

impl Ecosystem for Distribution {
    fn name(&self) -> &'static str {
        self.name
    }

    fn purl_type(&self) -> &'static str {
        self.packages.purl_type
    }

    fn purl(&self, name: &str, version: &str) -> String {
        let name = format!("{}/{name}", self.namespace);
        package_url(self.packages.purl_type, &name, version)
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        (self.packages.compare)(self.name, a, b)
    }
}

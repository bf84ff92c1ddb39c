//! Distributions of operating systems: their names in OSV, in package URLs and in os-release, their
//! releases, and the package manager that orders their versions. Their packages are found in SBOMs
//! only, so no distribution reads files.
//!
//! To add a distribution, add its row to the table below and, when OSV has advisories for it, its
//! line in [`crate::ALL`].

mod apk;
mod deb;
mod release;
mod rpm;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, Purl, package_url};

use crate::{Ecosystem, VersionError};

/// A distribution of packages for an operating system.
#[derive(Debug, Clone, Copy)]
pub struct Distribution {
    /// Name in OSV; its own name where OSV does not have it.
    name: EcosystemName,
    /// Its identifiers: the namespaces of its package URLs, and its `ID` in os-release. The first
    /// one is the namespace that Patchgate writes.
    ids: &'static [&'static str],
    /// The packages that its advisories are about.
    subject: Subject,
    /// Its release as OSV writes it after the colon, from `VERSION_ID` of os-release.
    release: fn(&str) -> Option<String>,
    /// Whether an advisory for one release is about the packages of another.
    covers: fn(&str, &str) -> bool,
    packages: &'static PackageManager,
}

/// The packages that the advisories of a distribution are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// Source packages, from which several installed ones may be built.
    Source,
    /// Packages as they are installed.
    Binary,
}

/// A package manager of distributions, with the rules that their packages share.
#[derive(Debug)]
struct PackageManager {
    /// Type in package URLs.
    purl_type: &'static str,
    /// Compares two versions of the distribution with this name.
    compare: fn(name: EcosystemName, a: &str, b: &str) -> Result<Ordering, VersionError>,
}

/// The package format of Debian.
const DEB: PackageManager = PackageManager {
    purl_type: "deb",
    compare: deb::compare,
};

/// The package format of Alpine Linux.
const APK: PackageManager = PackageManager {
    purl_type: "apk",
    compare: apk::compare,
};

/// The package format of Red Hat.
const RPM: PackageManager = PackageManager {
    purl_type: "rpm",
    compare: rpm::compare,
};

/// Arch Linux's packages. OSV has no advisories for them, so their order is not needed.
const ALPM: PackageManager = PackageManager {
    purl_type: "alpm",
    compare: unordered,
};

/// OpenWrt's packages. OSV has no advisories for them, so their order is not needed.
const OPKG: PackageManager = PackageManager {
    purl_type: "opkg",
    compare: unordered,
};

fn unordered(name: EcosystemName, version: &str, _: &str) -> Result<Ordering, VersionError> {
    Err(VersionError {
        version: version.to_owned(),
        ecosystem: name,
    })
}

macro_rules! distributions {
    ($(
        $(#[$doc:meta])*
        $constant:ident: $name:literal, $packages:ident, [$($id:literal),+], $subject:ident,
            $release:ident, $covers:ident;
    )*) => {
        $(
            $(#[$doc])*
            pub const $constant: Distribution = Distribution {
                name: EcosystemName::new($name),
                ids: &[$($id),+],
                subject: Subject::$subject,
                release: release::$release,
                covers: release::$covers,
                packages: &$packages,
            };
        )*

        /// Every distribution that package URLs are recognised of. Those that OSV has advisories
        /// for are in [`crate::ALL`] as well.
        pub const DISTRIBUTIONS: &[&Distribution] = &[$(&$constant),*];
    };
}

// Constant: name, package manager, identifiers, subject of its advisories, its release as OSV
// writes it, and which releases an advisory covers.
distributions! {
    /// Debian.
    DEBIAN: "Debian", DEB, ["debian"], Source, debian, is_same_major;
    /// Ubuntu.
    UBUNTU: "Ubuntu", DEB, ["ubuntu"], Source, ubuntu, is_same_ubuntu;
    /// Echo, a hardened distribution with Debian's packages.
    ECHO: "Echo", DEB, ["echo"], Source, none, is_same;
    /// Alpine Linux.
    ALPINE: "Alpine", APK, ["alpine"], Source, alpine, is_same_alpine;
    /// Wolfi.
    WOLFI: "Wolfi", APK, ["wolfi"], Source, none, is_same;
    /// Chainguard OS.
    CHAINGUARD: "Chainguard", APK, ["chainguard"], Source, none, is_same;
    /// MinimOS.
    MINIMOS: "MinimOS", APK, ["minimos"], Source, none, is_same;
    /// Alpaquita Linux.
    ALPAQUITA: "Alpaquita", APK, ["alpaquita"], Source, whole, is_same;
    /// BellSoft's hardened images, which are made of Alpaquita.
    BELLSOFT: "BellSoft Hardened Containers", APK,
        ["bellsoft-hardened-containers"], Source, whole, is_same;
    /// CleanStart.
    CLEANSTART: "CleanStart", APK, ["cleanstart"], Source, none, is_same;
    /// Red Hat Enterprise Linux and Red Hat's other products.
    RED_HAT: "Red Hat", RPM, ["redhat", "rhel"], Binary, red_hat, is_same_red_hat;
    /// Rocky Linux.
    ROCKY_LINUX: "Rocky Linux", RPM,
        ["rocky", "rockylinux", "rocky-linux"], Binary, major, is_same_major;
    /// AlmaLinux.
    ALMA_LINUX: "AlmaLinux", RPM, ["almalinux", "alma"], Binary, major, is_same_major;
    /// SUSE Linux Enterprise.
    SUSE: "SUSE", RPM, ["suse", "sles", "sled", "sles_sap"], Source, suse, is_same;
    /// openSUSE.
    OPEN_SUSE: "openSUSE", RPM,
        [
            "opensuse", "opensuse-leap", "opensuse-tumbleweed",
            "opensuse.leap", "opensuse.tumbleweed"
        ], Source, opensuse, is_same;
    /// Mageia.
    MAGEIA: "Mageia", RPM, ["mageia"], Source, major, is_same_major;
    /// openEuler.
    OPEN_EULER: "openEuler", RPM, ["openeuler"], Source, whole, is_same;
    /// Photon OS.
    PHOTON_OS: "Photon OS", RPM, ["photon"], Binary, whole, is_same;
    /// Azure Linux, CBL-Mariner before.
    AZURE_LINUX: "Azure Linux", RPM,
        ["azurelinux", "azure-linux", "mariner", "cbl-mariner"], Binary, major, is_same;

    /// Amazon Linux.
    AMAZON_LINUX: "Amazon Linux", RPM, ["amzn", "amazon", "amazonlinux"], Binary, whole, is_same;
    /// Oracle Linux.
    ORACLE_LINUX: "Oracle Linux", RPM, ["ol", "oracle", "oraclelinux"], Binary, major, is_same;
    /// Fedora.
    FEDORA: "Fedora", RPM, ["fedora"], Binary, whole, is_same;
    /// CentOS.
    CENT_OS: "CentOS", RPM, ["centos"], Binary, major, is_same;
    /// Arch Linux.
    ARCH_LINUX: "Arch Linux", ALPM, ["arch", "archlinux"], Binary, none, is_same;
    /// postmarketOS, which is built on Alpine.
    POSTMARKET_OS: "postmarketOS", APK, ["postmarketos"], Binary, whole, is_same;
    /// OpenWrt.
    OPEN_WRT: "OpenWrt", OPKG, ["openwrt"], Binary, whole, is_same;
}

/// The distribution with this identifier, whatever its case.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Distribution> {
    DISTRIBUTIONS.iter().copied().find(|known| known.has_id(id))
}

impl Distribution {
    /// Whether an identifier, whatever its case, is one of the distribution's own. openSUSE and
    /// SUSE share a namespace.
    #[must_use]
    pub fn has_id(&self, id: &str) -> bool {
        self.ids.iter().any(|own| own.eq_ignore_ascii_case(id))
    }

    /// The release as OSV writes it after the colon, from `VERSION_ID` of os-release: `v3.20` from
    /// Alpine's `3.20.3`. `None` for a distribution without releases, and for a version that names
    /// none.
    #[must_use]
    pub fn release(&self, version_id: &str) -> Option<String> {
        (self.release)(version_id)
    }

    /// Whether its advisories are about source packages, not about packages as they are installed.
    #[must_use]
    pub fn has_source_advisories(&self) -> bool {
        self.subject == Subject::Source
    }
}

impl Ecosystem for Distribution {
    fn name(&self) -> EcosystemName {
        self.name
    }

    fn purl_type(&self) -> &'static str {
        self.packages.purl_type
    }

    fn purl(&self, name: &str, version: &str) -> String {
        let namespace = self.ids.first().copied().unwrap_or_default();
        package_url(
            self.packages.purl_type,
            &format!("{namespace}/{name}"),
            version,
        )
    }

    fn name_from_purl(&self, purl: &Purl) -> String {
        purl.name.clone()
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        (self.packages.compare)(self.name, a, b)
    }

    fn covers_release(&self, advisory: &str, package: &str) -> bool {
        (self.covers)(advisory, package)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::by_name;

    #[test]
    fn an_identifier_names_one_distribution() {
        let ids: Vec<&str> = DISTRIBUTIONS
            .iter()
            .flat_map(|known| known.ids)
            .copied()
            .collect();
        let unique: BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());

        for known in DISTRIBUTIONS {
            for id in known.ids {
                let found = by_id(&id.to_uppercase()).map(Ecosystem::name);
                assert_eq!(found, Some(known.name), "{id}");
            }
        }
    }

    #[test]
    fn only_distributions_without_advisories_are_left_out_of_the_list() {
        let missing: Vec<EcosystemName> = DISTRIBUTIONS
            .iter()
            .map(|known| known.name)
            .filter(|name| by_name(name).is_none())
            .collect();

        assert_eq!(
            missing,
            [
                "Amazon Linux",
                "Oracle Linux",
                "Fedora",
                "CentOS",
                "Arch Linux",
                "postmarketOS",
                "OpenWrt"
            ]
        );
    }
}

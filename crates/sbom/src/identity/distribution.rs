//! Packages of operating systems: which distribution, which release of it, and which source
//! package.

use super::{Identity, Source, System};
use crate::purl::PackageUrl;

/// One distribution.
struct Distribution {
    /// Namespaces of its package URLs, and its `ID` in os-release.
    ids: &'static [&'static str],
    /// What OSV calls it; where OSV does not have it, its own name.
    ecosystem: &'static str,
    /// Whether its advisories are about source packages.
    by_source: bool,
    /// Its release as OSV writes it after the colon, from `VERSION_ID`.
    release: fn(&str) -> Option<String>,
}

const DISTRIBUTIONS: [Distribution; 26] = [
    by_source(&["debian"], "Debian", debian),
    by_source(&["ubuntu"], "Ubuntu", ubuntu),
    by_source(&["alpine"], "Alpine", alpine),
    by_source(&["wolfi"], "Wolfi", none),
    by_source(&["chainguard"], "Chainguard", none),
    by_source(&["minimos"], "MinimOS", none),
    by_source(&["alpaquita"], "Alpaquita", whole),
    by_source(
        &["bellsoft-hardened-containers"],
        "BellSoft Hardened Containers",
        whole,
    ),
    by_source(&["cleanstart"], "CleanStart", none),
    by_source(&["echo"], "Echo", none),
    by_source(&["mageia"], "Mageia", major),
    by_source(
        &[
            "opensuse",
            "opensuse-leap",
            "opensuse-tumbleweed",
            "opensuse.leap",
            "opensuse.tumbleweed",
        ],
        "openSUSE",
        opensuse,
    ),
    by_source(&["suse", "sles", "sled", "sles_sap"], "SUSE", suse),
    by_source(&["openeuler"], "openEuler", whole),
    by_binary(&["redhat", "rhel"], "Red Hat", red_hat),
    by_binary(
        &["rocky", "rockylinux", "rocky-linux"],
        "Rocky Linux",
        major,
    ),
    by_binary(&["almalinux", "alma"], "AlmaLinux", major),
    by_binary(
        &["azurelinux", "azure-linux", "mariner", "cbl-mariner"],
        "Azure Linux",
        major,
    ),
    by_binary(&["photon"], "Photon OS", whole),
    by_binary(&["amzn", "amazon", "amazonlinux"], "Amazon Linux", whole),
    by_binary(&["ol", "oracle", "oraclelinux"], "Oracle Linux", major),
    by_binary(&["fedora"], "Fedora", whole),
    by_binary(&["centos"], "CentOS", major),
    by_binary(&["arch", "archlinux"], "Arch Linux", none),
    by_binary(&["postmarketos"], "postmarketOS", whole),
    by_binary(&["openwrt"], "OpenWrt", whole),
];

const fn by_source(
    ids: &'static [&'static str],
    ecosystem: &'static str,
    release: fn(&str) -> Option<String>,
) -> Distribution {
    Distribution {
        ids,
        ecosystem,
        by_source: true,
        release,
    }
}

const fn by_binary(
    ids: &'static [&'static str],
    ecosystem: &'static str,
    release: fn(&str) -> Option<String>,
) -> Distribution {
    Distribution {
        by_source: false,
        ..by_source(ids, ecosystem, release)
    }
}

/// The names of all distributions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    DISTRIBUTIONS.iter().map(|known| known.ecosystem)
}

fn by_id(id: &str) -> Option<&'static Distribution> {
    let id = id.to_ascii_lowercase();
    DISTRIBUTIONS
        .iter()
        .find(|known| known.ids.contains(&id.as_str()))
}

/// The package that a package URL of an operating system's package names; `None` for URLs of other
/// types and of distributions that are not known.
pub(super) fn identify(
    purl: &PackageUrl,
    system: Option<&System>,
    source: Option<Source>,
) -> Option<Identity> {
    if !matches!(
        purl.kind.as_str(),
        "deb" | "apk" | "rpm" | "alpm" | "opkg" | "ipk"
    ) {
        return None;
    }

    let qualified = purl.qualifier("distro").map(split_distro);
    let distribution = by_id(&purl.namespace)
        .or_else(|| by_id(qualified?.0))
        .or_else(|| by_id(&system?.id))?;
    let release = qualified
        .filter(|(id, _)| id.is_empty() || is_same(distribution, id))
        .map(|(_, version)| version)
        .or_else(|| {
            system
                .filter(|system| is_same(distribution, &system.id))
                .map(|system| system.version.as_str())
        })
        .filter(|version| !version.is_empty());

    let version = with_epoch(purl);
    let source = if distribution.by_source {
        source.or_else(|| upstream(purl))
    } else {
        None
    };
    let (name, version, alias) = match source {
        Some(source) if !source.name.is_empty() => (
            source.name.clone(),
            if source.version.is_empty() {
                version
            } else {
                source.version
            },
            (source.name != purl.name).then(|| purl.name.clone()),
        ),
        _ => (purl.name.clone(), version, None),
    };

    Some(Identity {
        ecosystem: distribution.ecosystem,
        distribution: release.and_then(distribution.release),
        name,
        version,
        alias,
    })
}

/// Whether an identifier is one of the distribution's own. openSUSE and SUSE share a namespace.
fn is_same(distribution: &Distribution, id: &str) -> bool {
    distribution.ids.contains(&id.to_ascii_lowercase().as_str())
}

/// Longer than any identifier of a distribution, in bytes.
const MAX_ID_BYTES: usize = 64;

/// `debian-12` as identifier and version; `12`, `3.20` and `jessie` as a version alone.
///
/// Only as far as identifiers go: each part that may be one is looked up.
fn split_distro(distro: &str) -> (&str, &str) {
    for (at, _) in distro
        .match_indices('-')
        .take_while(|(at, _)| *at <= MAX_ID_BYTES)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        let (id, version) = (&distro[..at], &distro[at + 1..]);
        if by_id(id).is_some() {
            return (id, version);
        }
    }

    if by_id(distro).is_some() {
        return (distro, "");
    }

    ("", distro)
}

/// The version with the epoch that package URLs hold apart.
fn with_epoch(purl: &PackageUrl) -> String {
    match purl.qualifier("epoch") {
        Some(epoch) if epoch != "0" && !purl.version.contains(':') => {
            format!("{epoch}:{}", purl.version)
        }
        _ => purl.version.clone(),
    }
}

/// The source package of the `upstream` qualifier: `name`, `name@version`, or the file name of a
/// source RPM.
fn upstream(purl: &PackageUrl) -> Option<Source> {
    let upstream = purl.qualifier("upstream")?;
    if let Some(file) = upstream.strip_suffix(".src.rpm") {
        let (rest, release) = file.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        return Some(Source {
            name: name.to_owned(),
            version: match purl.qualifier("epoch") {
                Some(epoch) if epoch != "0" => format!("{epoch}:{version}-{release}"),
                _ => format!("{version}-{release}"),
            },
        });
    }

    let (name, version) = upstream.split_once('@').unwrap_or((upstream, ""));
    Some(Source {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

fn none(_: &str) -> Option<String> {
    None
}

fn whole(version: &str) -> Option<String> {
    Some(version.to_owned())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn major(version: &str) -> Option<String> {
    let major = version.split('.').next().unwrap_or_default();
    is_number(major).then(|| major.to_owned())
}

/// `12` of `12.5` and of `bookworm`; none for a release without a number (`sid`).
fn debian(version: &str) -> Option<String> {
    const NAMES: [(&str, &str); 8] = [
        ("wheezy", "7"),
        ("jessie", "8"),
        ("stretch", "9"),
        ("buster", "10"),
        ("bullseye", "11"),
        ("bookworm", "12"),
        ("trixie", "13"),
        ("forky", "14"),
    ];

    let named = NAMES.iter().find(|(name, _)| *name == version);
    named
        .map(|(_, number)| (*number).to_owned())
        .or_else(|| major(version))
}

/// `22.04:LTS`, `23.10`. Ubuntu's releases of April in even years are long-term ones.
fn ubuntu(version: &str) -> Option<String> {
    const NAMES: [(&str, &str); 7] = [
        ("precise", "12.04"),
        ("trusty", "14.04"),
        ("xenial", "16.04"),
        ("bionic", "18.04"),
        ("focal", "20.04"),
        ("jammy", "22.04"),
        ("noble", "24.04"),
    ];

    let named = NAMES.iter().find(|(name, _)| *name == version);
    let version = named.map_or(version, |(_, number)| number);
    let mut parts = version.split('.');
    let (year, month) = (parts.next()?, parts.next()?);
    if !is_number(year) || !is_number(month) {
        return None;
    }

    let long_term = month == "04" && year.parse::<u32>().is_ok_and(|year| year % 2 == 0);
    Some(if long_term {
        format!("{year}.{month}:LTS")
    } else {
        format!("{year}.{month}")
    })
}

/// `v3.20` of `3.20.3`.
fn alpine(version: &str) -> Option<String> {
    let version = version.trim_start_matches('v');
    let mut parts = version.split('.');

    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) if is_number(major) && is_number(minor) => {
            Some(format!("v{major}.{minor}"))
        }
        _ if version == "edge" => Some("edge".to_owned()),
        _ => None,
    }
}

/// `enterprise_linux:9`: the beginning of the CPE names that OSV writes for Red Hat. Which of its
/// repositories a package is from, the rest of such a name, is not known from a package URL.
fn red_hat(version: &str) -> Option<String> {
    major(version).map(|major| format!("enterprise_linux:{major}"))
}

/// `Leap 15.5`, `Tumbleweed`.
fn opensuse(version: &str) -> Option<String> {
    let parts: Vec<&str> = version.split('.').collect();
    match parts.as_slice() {
        [major, minor] if is_number(major) && is_number(minor) && major.len() < 4 => {
            Some(format!("Leap {version}"))
        }
        // A Tumbleweed snapshot has the day as its version.
        [day] if is_number(day) && day.len() == 8 => Some("Tumbleweed".to_owned()),
        _ if version == "tumbleweed" => Some("Tumbleweed".to_owned()),
        _ => None,
    }
}

/// `Linux Enterprise Server 15 SP5` of `15.5`.
fn suse(version: &str) -> Option<String> {
    let mut parts = version.split('.');
    let major = parts.next().filter(|major| is_number(major))?;
    match parts.next() {
        Some(pack) if is_number(pack) && pack != "0" => {
            Some(format!("Linux Enterprise Server {major} SP{pack}"))
        }
        _ => Some(format!("Linux Enterprise Server {major}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(purl: &str, system: Option<(&str, &str)>) -> String {
        let system = system.map(|(id, version)| System {
            id: id.to_owned(),
            version: version.to_owned(),
        });
        let purl = PackageUrl::parse(purl).unwrap();

        match identify(&purl, system.as_ref(), None) {
            None => "none".to_owned(),
            Some(found) => format!(
                "{}:{} {} {}{}",
                found.ecosystem,
                found.distribution.unwrap_or_default(),
                found.name,
                found.version,
                found
                    .alias
                    .map(|alias| format!(" ({alias})"))
                    .unwrap_or_default(),
            ),
        }
    }

    #[test]
    fn releases_are_written_as_osv_writes_them() {
        for (purl, expected) in [
            (
                "pkg:deb/debian/libc6@2.36-9?upstream=glibc&distro=debian-12",
                "Debian:12 glibc 2.36-9 (libc6)",
            ),
            ("pkg:deb/debian/a@1?distro=bookworm", "Debian:12 a 1"),
            (
                "pkg:deb/debian/a@1+b1?upstream=src%401&distro=debian-12.5",
                "Debian:12 src 1 (a)",
            ),
            ("pkg:deb/debian/a@1?distro=sid", "Debian: a 1"),
            (
                "pkg:deb/debian/a@1?epoch=2&distro=debian-13",
                "Debian:13 a 2:1",
            ),
            (
                "pkg:deb/ubuntu/a@1?distro=ubuntu-22.04",
                "Ubuntu:22.04:LTS a 1",
            ),
            ("pkg:deb/ubuntu/a@1?distro=ubuntu-23.10", "Ubuntu:23.10 a 1"),
            ("pkg:deb/ubuntu/a@1?distro=jammy", "Ubuntu:22.04:LTS a 1"),
            ("pkg:deb/ubuntu/a@1?distro=ubuntu-23.04", "Ubuntu:23.04 a 1"),
            (
                "pkg:apk/alpine/libcrypto3@3.1?upstream=openssl&distro=alpine-3.20.3",
                "Alpine:v3.20 openssl 3.1 (libcrypto3)",
            ),
            ("pkg:apk/alpine/a@1?distro=3.20.3", "Alpine:v3.20 a 1"),
            ("pkg:apk/alpine/a@1?distro=edge", "Alpine:edge a 1"),
            ("pkg:apk/wolfi/a@1?distro=wolfi-20230201", "Wolfi: a 1"),
            (
                "pkg:rpm/redhat/bash@4.4-14.el8?epoch=0&upstream=bash-4.4-14.el8.src.rpm&distro=rhel-8.6",
                "Red Hat:enterprise_linux:8 bash 4.4-14.el8",
            ),
            (
                "pkg:rpm/rocky/a@1?epoch=1&distro=rocky-9.2",
                "Rocky Linux:9 a 1:1",
            ),
            (
                "pkg:rpm/almalinux/a@1?distro=almalinux-8.9",
                "AlmaLinux:8 a 1",
            ),
            (
                "pkg:rpm/opensuse/a-lib@1?upstream=a-b-1-2.src.rpm&distro=opensuse-leap-15.5",
                "openSUSE:Leap 15.5 a-b 1-2 (a-lib)",
            ),
            (
                "pkg:rpm/opensuse/a@1?distro=opensuse-tumbleweed-20240101",
                "openSUSE:Tumbleweed a 1",
            ),
            (
                "pkg:rpm/suse/a@1?distro=sles-15.5",
                "SUSE:Linux Enterprise Server 15 SP5 a 1",
            ),
            (
                "pkg:rpm/azurelinux/a@1?distro=azurelinux-3.0",
                "Azure Linux:3 a 1",
            ),
            (
                "pkg:rpm/openeuler/a@1?distro=openeuler-24.03",
                "openEuler:24.03 a 1",
            ),
            ("pkg:rpm/photon/a@1?distro=photon-5.0", "Photon OS:5.0 a 1"),
            ("pkg:apk/cleanstart/a@1", "CleanStart: a 1"),
            (
                "pkg:apk/bellsoft-hardened-containers/a@1",
                "BellSoft Hardened Containers: a 1",
            ),
            ("pkg:rpm/mageia/a@1?distro=mageia-9", "Mageia:9 a 1"),
            ("pkg:rpm/a@1?distro=fedora-40", "Fedora:40 a 1"),
            ("pkg:rpm/acme/a@1", "none"),
            ("pkg:npm/a@1?distro=debian-12", "none"),
        ] {
            assert_eq!(of(purl, None), expected, "{purl}");
        }
    }

    #[test]
    fn the_documents_system_says_what_the_url_does_not() {
        let debian = Some(("debian", "12.5"));
        assert_eq!(of("pkg:deb/debian/a@1", debian), "Debian:12 a 1");
        assert_eq!(of("pkg:deb/a@1", debian), "Debian:12 a 1");
        assert_eq!(of("pkg:deb/ubuntu/a@1", debian), "Ubuntu: a 1");
        assert_eq!(
            of("pkg:deb/debian/a@1?distro=debian-11", debian),
            "Debian:11 a 1"
        );
    }
}

//! The distribution, its release and the source package of an operating system's package, from its
//! package URL. The distributions themselves are in `patchgate_ecosystems::distribution`.

use patchgate_ecosystems::Ecosystem;
use patchgate_ecosystems::distribution::by_id;
use patchgate_model::Purl;

use super::{Identity, Source, System};

/// The package that a package URL of an operating system's package names; `None` for URLs of other
/// types and of distributions that are not known.
pub(super) fn identify(
    purl: &Purl,
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
        .filter(|(id, _)| id.is_empty() || distribution.has_id(id))
        .map(|(_, version)| version)
        .or_else(|| {
            system
                .filter(|system| distribution.has_id(&system.id))
                .map(|system| system.version.as_str())
        })
        .filter(|version| !version.is_empty());

    let version = with_epoch(purl);
    let source = if distribution.has_source_advisories() {
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
        ecosystem: distribution.name(),
        distribution: release.and_then(|version| distribution.release(version)),
        name,
        version,
        alias,
    })
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

/// The version with its epoch, which package URLs write as a qualifier.
fn with_epoch(purl: &Purl) -> String {
    match purl.qualifier("epoch") {
        Some(epoch) if epoch != "0" && !purl.version.contains(':') => {
            format!("{epoch}:{}", purl.version)
        }
        _ => purl.version.clone(),
    }
}

/// The source package of the `upstream` qualifier: `name`, `name@version`, or the file name of a
/// source RPM.
fn upstream(purl: &Purl) -> Option<Source> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(purl: &str, system: Option<(&str, &str)>) -> String {
        let system = system.map(|(id, version)| System {
            id: id.to_owned(),
            version: version.to_owned(),
        });
        let purl = Purl::parse(purl).unwrap();

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

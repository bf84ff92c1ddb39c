//! Comparison of distribution releases: those of an advisory's entry and of a package.
//!
//! OSV writes the release after the ecosystem's name and a colon
//! (<https://ossf.github.io/osv-schema/#defined-ecosystems>): `Debian:12`, `Ubuntu:22.04:LTS`,
//! `Alpine:v3.20`, `Red Hat:enterprise_linux:9::baseos`.

/// Whether an entry for the release `entry` applies to a package of the release `package`. An entry
/// without a release applies to all of them, and a package of an unknown release may be of any.
pub(super) fn fits(ecosystem: &str, entry: Option<&str>, package: Option<&str>) -> bool {
    let (Some(entry), Some(package)) = (entry, package) else {
        return true;
    };
    if entry == package {
        return true;
    }

    match ecosystem {
        "Ubuntu" => ubuntu(entry) == ubuntu(package),
        "Alpine" => {
            let bare = |text| str::strip_prefix(text, 'v').unwrap_or(text);
            bare(entry) == bare(package)
        }
        "Red Hat" => red_hat(entry, package),
        // The minor releases of these distributions share the packages of the major release.
        "Debian" | "Rocky Linux" | "AlmaLinux" | "Mageia" => major(entry) == major(package),
        _ => false,
    }
}

/// The release without `:LTS`, and whether it is a `Pro:` release, whose packages only paying users
/// get. Those have versions of their own.
fn ubuntu(text: &str) -> (bool, &str) {
    let (pro, rest) = match text.strip_prefix("Pro:") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    (pro, rest.strip_suffix(":LTS").unwrap_or(rest))
}

fn major(text: &str) -> &str {
    text.split('.').next().unwrap_or(text)
}

/// Red Hat's releases are the end of a CPE: product, version, update and edition. A package is
/// known by the version of Enterprise Linux alone; of other products it is not.
fn red_hat(entry: &str, package: &str) -> bool {
    if package.contains(':') {
        return false;
    }
    let mut parts = entry.split(':');
    let product = parts.next().unwrap_or_default();
    let version = parts.next().unwrap_or_default();
    let is_linux = product.contains("enterprise_linux") || product.starts_with("rhel");
    is_linux && (version == package || version == major(package))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn releases_fit() {
        for (ecosystem, entry, package) in [
            ("Debian", "12", "12"),
            ("Debian", "12", "12.5"),
            ("Ubuntu", "22.04:LTS", "22.04"),
            ("Ubuntu", "24.10", "24.10"),
            ("Alpine", "v3.20", "3.20"),
            ("Red Hat", "enterprise_linux:9::baseos", "9.4"),
            ("Red Hat", "rhel_eus:9.2::appstream", "9.2"),
            ("Rocky Linux", "9", "9.3"),
            (
                "SUSE",
                "Linux Enterprise Server 15 SP5",
                "Linux Enterprise Server 15 SP5",
            ),
        ] {
            assert!(
                fits(ecosystem, Some(entry), Some(package)),
                "{entry} {package}"
            );
            assert!(fits(ecosystem, None, Some(package)));
            assert!(fits(ecosystem, Some(entry), None));
        }

        for (ecosystem, entry, package) in [
            ("Debian", "12", "11"),
            ("Ubuntu", "22.04:LTS", "24.04:LTS"),
            ("Ubuntu", "Pro:16.04:LTS", "16.04"),
            ("Alpine", "v3.20", "v3.21"),
            ("Red Hat", "enterprise_linux:8::baseos", "9"),
            ("Red Hat", "openshift:4.9::el8", "4"),
            (
                "SUSE",
                "Linux Enterprise Server 15 SP5",
                "Linux Enterprise Server 15 SP6",
            ),
        ] {
            assert!(
                !fits(ecosystem, Some(entry), Some(package)),
                "{entry} {package}"
            );
        }
    }
}

//! Comparison of distribution releases: those of an advisory's entry and of a package.
//!
//! OSV writes the release after the ecosystem's name and a colon
//! (<https://ossf.github.io/osv-schema/#defined-ecosystems>): `Debian:12`. Which releases are the
//! same is a rule of each distribution, in [`Ecosystem::covers_release`].

use patchgate_ecosystems::Ecosystem;

/// Whether an entry for the release `entry` applies to a package of the release `package`. An entry
/// without a release applies to all of them, and a package of an unknown release may be of any.
pub(super) fn fits(ecosystem: &dyn Ecosystem, entry: Option<&str>, package: Option<&str>) -> bool {
    let (Some(entry), Some(package)) = (entry, package) else {
        return true;
    };
    entry == package || ecosystem.covers_release(entry, package)
}

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::by_name;

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
            let ecosystem = by_name(ecosystem).unwrap();
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
            let ecosystem = by_name(ecosystem).unwrap();
            assert!(
                !fits(ecosystem, Some(entry), Some(package)),
                "{entry} {package}"
            );
        }
    }
}

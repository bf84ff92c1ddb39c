//! Releases of distributions: from `VERSION_ID` of os-release to the text that OSV writes after the
//! ecosystem's name and a colon, and which of these texts are about the same packages.
//!
//! <https://ossf.github.io/osv-schema/#defined-ecosystems>: `Debian:12`, `Ubuntu:22.04:LTS`,
//! `Alpine:v3.20`, `Red Hat:enterprise_linux:9::baseos`.

/// A distribution without releases.
pub(super) fn none(_: &str) -> Option<String> {
    None
}

/// `VERSION_ID` as it is.
pub(super) fn whole(version: &str) -> Option<String> {
    Some(version.to_owned())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `9` of `9.2`; none for a release without a number.
pub(super) fn major(version: &str) -> Option<String> {
    let major = version.split('.').next().unwrap_or_default();
    is_number(major).then(|| major.to_owned())
}

/// `12` of `12.5` and of `bookworm`; none for a release without a number (`sid`).
pub(super) fn debian(version: &str) -> Option<String> {
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
pub(super) fn ubuntu(version: &str) -> Option<String> {
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

/// Branch of a release: `v3.20` for `3.20.3`.
pub(super) fn alpine(version: &str) -> Option<String> {
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
pub(super) fn red_hat(version: &str) -> Option<String> {
    major(version).map(|major| format!("enterprise_linux:{major}"))
}

/// Product of a release: `Leap 15.5` for `15.5`, or `Tumbleweed`.
pub(super) fn opensuse(version: &str) -> Option<String> {
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
pub(super) fn suse(version: &str) -> Option<String> {
    let mut parts = version.split('.');
    let major = parts.next().filter(|major| is_number(major))?;
    match parts.next() {
        Some(pack) if is_number(pack) && pack != "0" => {
            Some(format!("Linux Enterprise Server {major} SP{pack}"))
        }
        _ => Some(format!("Linux Enterprise Server {major}")),
    }
}

/// Whether two texts are the same release, for a distribution that writes it in one way only.
pub(super) fn is_same(advisory: &str, package: &str) -> bool {
    advisory == package
}

/// Whether two releases have the same major version, for a distribution whose minor releases share
/// the packages of the major one.
pub(super) fn is_same_major(advisory: &str, package: &str) -> bool {
    before_dot(advisory) == before_dot(package)
}

fn before_dot(text: &str) -> &str {
    text.split('.').next().unwrap_or(text)
}

/// Whether two of Alpine's releases are the same, with or without `v`.
pub(super) fn is_same_alpine(advisory: &str, package: &str) -> bool {
    let bare = |text| str::strip_prefix(text, 'v').unwrap_or(text);
    bare(advisory) == bare(package)
}

/// Whether two of Ubuntu's releases are the same, with or without `:LTS`.
pub(super) fn is_same_ubuntu(advisory: &str, package: &str) -> bool {
    line_and_number(advisory) == line_and_number(package)
}

/// `22.04:LTS` is the release `22.04`. The packages that only paying users get (`Pro:22.04:LTS`)
/// are a line of their own.
fn line_and_number(text: &str) -> (bool, &str) {
    let (pro, rest) = match text.strip_prefix("Pro:") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    (pro, rest.strip_suffix(":LTS").unwrap_or(rest))
}

/// Whether an advisory of Red Hat is about a package. Its releases are the end of a CPE: product,
/// version, update and edition. A package is known by the version of Enterprise Linux alone; a
/// package of another product is not known.
pub(super) fn is_same_red_hat(advisory: &str, package: &str) -> bool {
    if package.contains(':') {
        return false;
    }

    let mut parts = advisory.split(':');
    let product = parts.next().unwrap_or_default();
    let version = parts.next().unwrap_or_default();
    let is_linux = product.contains("enterprise_linux") || product.starts_with("rhel");
    is_linux && (version == package || version == before_dot(package))
}

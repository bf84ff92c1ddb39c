//! Origins of packages, derived from the addresses and specifiers in lockfiles and manifests.

use patchgate_model::Origin;

/// The origin that an address or an npm specifier names; `None` for a range or a tag.
pub(in crate::npm) fn of_address(address: &str) -> Option<Origin> {
    if is_web(address) {
        return Some(Origin::Url(address.to_owned()));
    }

    let is_git = address.starts_with("git+")
        || address.starts_with("git:")
        || address.starts_with("git@")
        || ["github:", "gitlab:", "bitbucket:", "gist:"]
            .iter()
            .any(|host| address.starts_with(host));
    if is_git {
        let (url, commit) = match address.split_once('#') {
            Some((url, commit)) => (url, Some(commit.to_owned())),
            None => (address, None),
        };
        return Some(Origin::Git {
            url: url.to_owned(),
            commit: commit.filter(|commit| is_commit(commit)),
        });
    }

    address
        .strip_prefix("file:")
        .map(|path| Origin::Path(Some(path.to_owned())))
}

/// The origin of a package with this name and this `resolved` value.
pub(in crate::npm) fn of_resolved(resolved: Option<&str>, name: &str) -> Origin {
    match resolved {
        // npm omits the address with `omit-lockfile-registry-resolved` and for bundled copies, but
        // never for Git, files and archives.
        None => Origin::Registry(None),
        Some(address) => match of_address(address) {
            Some(Origin::Url(address)) if is_registry_archive(&address, name) => {
                Origin::Registry(Some(address))
            }
            Some(origin) => origin,
            None => Origin::Registry(Some(address.to_owned())),
        },
    }
}

/// Whether an address has one of the layouts of registries for a package's archives:
/// `<base>/<name>/-/<file>.tgz` or `<base>/download/<name>/<version>/<hash>`. The base may contain
/// `/-/` as well.
fn is_registry_archive(address: &str, name: &str) -> bool {
    let path = match memchr::memchr3(b'?', b'#', b'%', address.as_bytes()) {
        None => address,
        Some(_) if address.contains('%') => {
            let decoded = address
                .replace("%2f", "/")
                .replace("%2F", "/")
                .replace("%40", "@");
            return !decoded.contains('%') && is_registry_archive(&decoded, name);
        }
        Some(at) => address.get(..at).unwrap_or(address),
    };

    let ends_in_name = |base: &str| {
        base.strip_suffix(name)
            .is_some_and(|base| base.ends_with('/'))
    };
    let mut slashes = memchr::memrchr_iter(b'/', path.as_bytes()).map(|at| path.split_at(at));

    slashes.any(|(base, rest)| rest.starts_with("/-/") && ends_in_name(base))
        || (!path.contains("/-/") && path.contains(&format!("/download/{name}/")))
}

/// Whether a requirement names a location instead of versions, so that it is not resolved through a
/// registry.
pub(in crate::npm) fn asks_by_address(requirement: &str) -> bool {
    of_address(requirement).is_some()
        || requirement
            .split_once('/')
            .is_some_and(|(owner, _)| !owner.starts_with('@'))
}

fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

/// Whether a fragment pins a commit. Unlike `CommitId` this accepts 41 to 63 digits, which are an
/// abbreviated id of SHA-256: without them, two lockfiles with different commits would look alike.
fn is_commit(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::is_registry_archive;

    #[test]
    fn knows_the_layouts_of_registries() {
        for (address, name, expected) in [
            ("https://r.invalid/a/-/a-1.0.0.tgz", "a", true),
            ("https://r.invalid/@s/a/-/a-1.0.0.tgz", "@s/a", true),
            ("https://r.invalid/@s%2fa/-/a-1.0.0.tgz", "@s/a", true),
            ("https://r.invalid/%40s%2Fa/-/@s/a-1.0.0.tgz", "@s/a", true),
            ("https://r.invalid/a/-/a-1.0.0.tgz?x=1#/b", "a", true),
            (
                "https://r.invalid/g/-/packages/npm/a/-/a-1.0.0.tgz",
                "a",
                true,
            ),
            ("https://r.invalid/download/@s/a/1.0.0/0f", "@s/a", true),
            ("https://r.invalid/ab/-/ab-1.0.0.tgz", "a", false),
            ("https://r.invalid/ba/-/ba-1.0.0.tgz", "a", false),
            ("https://r.invalid/a.tgz", "a", false),
            ("https://r.invalid/?/a/-/a-1.0.0.tgz", "a", false),
            ("https://r.invalid/a%25/-/a-1.0.0.tgz", "a%25", false),
        ] {
            assert_eq!(is_registry_archive(address, name), expected, "{address}");
        }
    }
}

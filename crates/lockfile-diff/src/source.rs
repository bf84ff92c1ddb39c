//! The source of a package: registry, git repository, directory or address.

use std::fmt;

use patchgate_model::{Origin, Package, without_credentials};
use url::Url;

/// Where a package comes from, without its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    pub(crate) kind: &'static str,
    /// Kind, scheme, host and port; `None` where the lockfile states no address.
    pub(crate) server: Option<String>,
    /// The address with the version cut out.
    address: String,
}

impl Source {
    pub(crate) fn of(package: &Package) -> Self {
        let (kind, address) = match &package.origin {
            Origin::Registry(address) => ("registry", address.as_deref()),
            Origin::Git { url, .. } => ("git", Some(url.as_str())),
            Origin::Path(path) => ("path", Some(path.as_deref().unwrap_or(""))),
            Origin::Url(url) => ("url", Some(url.as_str())),
        };

        Self {
            kind,
            server: address.map(|address| format!("{kind} {}", server(address))),
            address: address
                .map(|address| address.replace(&package.version, "{version}"))
                .unwrap_or_default(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.server.is_none() {
            write!(f, "{} without an address", self.kind)
        } else {
            write!(f, "{} `{}`", self.kind, without_credentials(&self.address))
        }
    }
}

/// Scheme, host and port of an address, as text.
///
/// The `url` crate gives every address of a scheme that browsers do not know (`git+ssh:`, `ssh:`)
/// the same opaque origin, so two hosts have equal origins.
fn server(address: &str) -> String {
    if let Ok(url) = Url::parse(address) {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let port = url
            .port_or_known_default()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        return format!("{}://{host}{port}", url.scheme());
    }

    // `git@host:owner/repository`
    match scp_host(address) {
        Some(host) => format!("ssh://{}", host.to_ascii_lowercase()),
        None => address.to_owned(),
    }
}

/// The host of an address in the style of `scp`: `user@host:path`.
fn scp_host(address: &str) -> Option<&str> {
    let (login, _) = address.split_once(':')?;
    let (_, host) = login.rsplit_once('@')?;
    (!host.is_empty() && !login.contains('/')).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::server;

    #[test]
    fn every_scheme_has_a_host() {
        for (address, expected) in [
            ("https://R.invalid/a/-/a-1.tgz", "https://r.invalid:443"),
            ("https://r.invalid:8443/a", "https://r.invalid:8443"),
            ("git+ssh://git@One.invalid/a/b.git", "git+ssh://one.invalid"),
            ("git+ssh://git@two.invalid/a/b.git", "git+ssh://two.invalid"),
            ("ssh://git@one.invalid:22/a/b.git", "ssh://one.invalid:22"),
            ("git@one.invalid:a/b.git", "ssh://one.invalid"),
            ("github:a/b", "github://"),
            ("../a", "../a"),
        ] {
            assert_eq!(server(address), expected, "{address}");
        }
    }
}

//! Addresses: their form in errors and logs, and the addresses of this machine.

use patchgate_model::without_credentials;
use url::Url;

/// The address without user information, query and fragment, as
/// [`patchgate_model::without_credentials`] removes them.
///
/// A text that cannot be parsed as an address becomes `(an unreadable address)`: it cannot be
/// filtered reliably.
#[must_use]
pub fn redact_url(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) => {
            // The parser knows better than a search in text where the query begins and ends.
            url.set_query(None);
            url.set_fragment(None);
            without_credentials(url.as_str()).into_owned()
        }
        Err(_) => "(an unreadable address)".to_owned(),
    }
}

/// Whether an address is this machine's own, so that a request to it crosses no network.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_loopback, redact_url};

    #[test]
    fn user_information_and_queries_are_removed() {
        assert_eq!(
            redact_url("https://me:hunter2@git.invalid/a.git?private_token=hunter2&page=2#hunter2"),
            "https://git.invalid/a.git"
        );
        assert_eq!(
            redact_url("https://hunter2@git.invalid/"),
            "https://git.invalid/"
        );
        assert_eq!(
            redact_url("https://s.invalid/?X-Amz-Signature=hunter2&key=hunter2&keyword=a"),
            "https://s.invalid/"
        );
        assert_eq!(
            redact_url("https:me:hunter2@git.invalid/a?hunter2"),
            "https://git.invalid/a"
        );
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, expected) in [
            ("http://localhost:8080/a", true),
            ("http://127.0.0.1/", true),
            ("http://[::1]:1/", true),
            ("http://localhost.invalid/", false),
            ("http://10.0.0.1/", false),
            ("file:///a", false),
        ] {
            assert_eq!(
                is_loopback(&url::Url::parse(text).unwrap()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn an_unreadable_address_is_not_shown() {
        assert_eq!(redact_url("hunter2@:::"), "(an unreadable address)");
    }
}

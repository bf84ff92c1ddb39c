//! Addresses without the secrets that people put into them.

use url::Url;

/// Parts of query parameter names that mark a secret, in lower case.
const SECRET_NAMES: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "signature",
    "credential",
    "auth",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "accesskey",
    "session",
];

/// Whole names of query parameters that hold a secret: too short to look for inside other names.
const SECRET_WHOLE_NAMES: &[&str] = &["key", "sig", "pass", "pwd", "code", "jwt"];

/// The address with `***` in place of its user info and of query parameters that look like secrets.
///
/// A text that is no address comes back as `(an unreadable address)`, since what cannot be taken
/// apart cannot be cleaned either.
#[must_use]
pub fn redact_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return "(an unreadable address)".to_owned();
    };

    if !url.username().is_empty() || url.password().is_some() {
        // Both fail only for addresses that cannot carry user info, which this one does.
        let _ = url.set_password(None);
        let _ = url.set_username("***");
    }

    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let value = if is_secret(&name) {
                    "***".to_owned()
                } else {
                    value.into_owned()
                };
                (name.into_owned(), value)
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }

    url.set_fragment(None);
    url.into()
}

/// Whether a query parameter of this name is likely to hold a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WHOLE_NAMES.contains(&name.as_str())
        || SECRET_NAMES.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::redact_url;

    #[test]
    fn takes_out_user_info_and_tokens() {
        assert_eq!(
            redact_url("https://me:hunter2@git.invalid/a.git?private_token=hunter2&page=2#hunter2"),
            "https://***@git.invalid/a.git?private_token=***&page=2"
        );
        assert_eq!(
            redact_url("https://hunter2@git.invalid/"),
            "https://***@git.invalid/"
        );
        assert_eq!(
            redact_url("https://s.invalid/?X-Amz-Signature=hunter2&key=hunter2&keyword=a"),
            "https://s.invalid/?X-Amz-Signature=***&key=***&keyword=a"
        );
    }

    #[test]
    fn shows_nothing_of_an_unreadable_address() {
        assert_eq!(redact_url("hunter2@:::"), "(an unreadable address)");
    }
}

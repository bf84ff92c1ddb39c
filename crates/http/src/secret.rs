//! Secrets, which cannot be printed by mistake.

use std::fmt;

/// A token or password. It prints as `***`; only [`Secret::expose`] returns the text.
///
/// ```
/// let token = patchgate_http::Secret::new("hunter2\n");
/// assert_eq!(format!("{token} {token:?}"), "*** ***");
/// assert_eq!(token.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret. Surrounding white space, such as the line end of a token file, is removed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The secret text. Use it only for the header that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Credentials of a request. They are removed on redirects to another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(Secret),
    /// `Authorization: Basic …` (RFC 7617), as git servers take tokens.
    Basic {
        /// The user name, such as `x-access-token`.
        user: String,
        /// The password or token.
        password: Secret,
    },
}

#[cfg(test)]
mod tests {
    use super::{Auth, Secret};

    #[test]
    fn prints_no_secret() {
        let secret = Secret::new(" hunter2\n");
        let auth = Auth::Basic {
            user: "me".to_owned(),
            password: secret.clone(),
        };
        let printed = format!(
            "{secret} {secret:?} {auth:?} {:?}",
            Auth::Bearer(secret.clone())
        );

        assert!(!printed.contains("hunter2"), "{printed}");
        assert_eq!(secret.expose(), "hunter2");
    }
}

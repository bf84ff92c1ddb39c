//! Errors of requests.

use std::io;
use std::path::PathBuf;

/// Why a request has no usable answer. Addresses are without credentials.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Offline, and the cache has no answer.
    #[error("`{url}` is not in the cache, and offline no server is asked")]
    Offline {
        /// The requested address, without secrets.
        url: String,
    },
    /// The client cannot be built, mostly because there are no CA certificates.
    #[error("the network client cannot be built")]
    Build(#[source] reqwest::Error),
    /// The address or a header cannot be sent.
    #[error("`{url}` cannot be requested")]
    Invalid {
        /// The requested address, without secrets.
        url: String,
        /// The fault of the request.
        #[source]
        source: reqwest::Error,
    },
    /// No connection, no answer in time, or only a part of one.
    #[error("`{url}` {what}")]
    Transport {
        /// The requested address, without secrets.
        url: String,
        /// The event: `could not be reached`, `did not answer in time`, ….
        what: &'static str,
        /// The error of the HTTP library.
        #[source]
        source: reqwest::Error,
    },
    /// The status of the answer is not one from 200 to 299.
    #[error("`{url}` answered {status}{}", excerpt(.body))]
    Status {
        /// The requested address, without secrets.
        url: String,
        /// HTTP status code of the answer.
        status: u16,
        /// The beginning of the answer's body.
        body: Vec<u8>,
    },
    /// The answer is larger than the limit.
    #[error("`{url}` answered with more than {limit} bytes")]
    TooLarge {
        /// The requested address, without secrets.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file of the cache or of a download cannot be written.
    #[error("`{}` cannot be written", .path.display())]
    Write {
        /// The file that was being written.
        path: PathBuf,
        /// The error of the file system.
        #[source]
        source: io::Error,
    },
}

/// Limit on the characters of an answer's body in a message.
const EXCERPT_CHARACTERS: usize = 200;

impl Error {
    /// The HTTP status, if the server answered with an error.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The next step: a fragment for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Offline { .. } => {
                Some("run the same command once without `--offline` to fill the cache")
            }
            Self::Build(_) => Some(
                "install the CA certificates (package `ca-certificates`), or name a bundle with \
                 `SSL_CERT_FILE`",
            ),
            Self::Transport { .. } => {
                Some("check the network, `HTTPS_PROXY` and `NO_PROXY`, then run it again")
            }
            Self::Status {
                status: 401 | 403, ..
            } => Some("check that the token is valid and has the permission for this call"),
            Self::Status { status: 429, .. } => {
                Some("the server limits requests: wait, then run it again")
            }
            Self::Status {
                status: 500..=599, ..
            } => Some("the server has an internal error: run it again later"),
            Self::Write { .. } => {
                Some("check that the directory exists, is writable and has space")
            }
            Self::Invalid { .. } | Self::Status { .. } | Self::TooLarge { .. } => None,
        }
    }
}

/// `: ` and the beginning of a body on one line. Empty for an empty or binary body.
fn excerpt(body: &[u8]) -> String {
    let head = body
        .get(..body.len().min(4 * EXCERPT_CHARACTERS))
        .unwrap_or(body);
    let text = String::from_utf8_lossy(head);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() || line.contains(char::is_control) {
        return String::new();
    }

    let short: String = line.chars().take(EXCERPT_CHARACTERS).collect();
    let more = if short.len() < line.len() { "…" } else { "" };

    format!(": {short}{more}")
}

#[cfg(test)]
mod tests {
    use super::Error;

    fn refused(status: u16, body: &[u8]) -> Error {
        Error::Status {
            url: "https://a.invalid/".to_owned(),
            status,
            body: body.to_vec(),
        }
    }

    #[test]
    fn says_what_the_server_said() {
        let error = refused(403, b"{\n  \"message\": \"no\"\n}");
        assert_eq!(
            error.to_string(),
            "`https://a.invalid/` answered 403: { \"message\": \"no\" }"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("token")));
        assert_eq!(error.status(), Some(403));
    }

    #[test]
    fn keeps_binary_and_long_answers_out() {
        assert_eq!(
            refused(404, b"\x1b[31mred").to_string(),
            "`https://a.invalid/` answered 404"
        );

        let long = refused(404, "ä".repeat(5000).as_bytes()).to_string();
        assert_eq!(
            long.chars().count(),
            "`https://a.invalid/` answered 404: ".len() + 200 + 1
        );
    }
}

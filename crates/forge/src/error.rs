//! What goes wrong between Patchgate and a forge. No error holds a token.

use jiff::Timestamp;

/// A call to the forge that has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The client cannot be built from what was given.
    #[error("the forge's client cannot be built: {reason}")]
    Setup {
        /// Why: a fragment.
        reason: String,
    },
    /// The token is not accepted.
    #[error("`{call}` answered 401: the token is not valid{}", after_colon(.message))]
    Unauthorized {
        /// Method and path.
        call: String,
        /// What the forge said.
        message: String,
    },
    /// The token may not do this.
    #[error("`{call}` answered 403{}", after_colon(.message))]
    Forbidden {
        /// Method and path.
        call: String,
        /// What the forge said.
        message: String,
        /// The permission that the token lacks, as the forge or its documentation names it.
        needs: String,
    },
    /// There is no such thing, or the token may not see it: the forge does not tell which.
    #[error("`{call}` answered 404{}", after_colon(.message))]
    NotFound {
        /// Method and path.
        call: String,
        /// What the forge said.
        message: String,
        /// The permission without which the forge answers the same.
        needs: String,
    },
    /// Too many calls.
    #[error("`{call}` was refused for too many calls{}", until(.reset.as_ref()))]
    RateLimited {
        /// Method and path.
        call: String,
        /// When the limit ends, where the forge says so.
        reset: Option<Timestamp>,
    },
    /// The forge refuses what was sent.
    #[error("`{call}` answered {status}{}", after_colon(.message))]
    Refused {
        /// Method and path.
        call: String,
        /// HTTP status.
        status: u16,
        /// What the forge said.
        message: String,
    },
    /// The repository moved; its old name only redirects.
    #[error("`{call}` was redirected: the repository was renamed or moved")]
    Moved {
        /// Method and path.
        call: String,
    },
    /// No answer.
    #[error("`{call}` got no answer: {reason}")]
    Transport {
        /// Method and path.
        call: String,
        /// What happened.
        reason: String,
    },
    /// An answer of another form than the API's.
    #[error("the answer to `{call}` cannot be read")]
    Unreadable {
        /// Method and path.
        call: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An answer that is larger, or a list that is longer, than what is read.
    #[error("the answer to `{call}` is {what}")]
    TooLarge {
        /// Method and path.
        call: String,
        /// `larger than … bytes`, `longer than … entries`.
        what: String,
    },
}

impl ForgeError {
    /// What to do next: a sentence for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unauthorized { .. } => Some(
                "check that the token is complete, not expired, and made for this server"
                    .to_owned(),
            ),
            Self::Forbidden { needs, .. } => Some(format!(
                "give the token the permission {needs} (in a workflow, under `permissions:`)"
            )),
            Self::NotFound { needs, .. } => Some(format!(
                "check the name; a token without {needs} gets the same answer"
            )),
            Self::RateLimited { .. } => {
                Some("wait until the limit ends, then run it again".to_owned())
            }
            Self::Refused {
                status: 500..=599, ..
            }
            | Self::Transport { .. } => {
                Some("check the network and the server's status page, then run it again".to_owned())
            }
            Self::Moved { .. } => Some("use the repository's present name".to_owned()),
            Self::Setup { .. }
            | Self::Refused { .. }
            | Self::Unreadable { .. }
            | Self::TooLarge { .. } => None,
        }
    }

    /// HTTP status of the answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized { .. } => Some(401),
            Self::Forbidden { .. } => Some(403),
            Self::NotFound { .. } => Some(404),
            Self::RateLimited { .. } => Some(429),
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

fn after_colon(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

fn until(reset: Option<&Timestamp>) -> String {
    reset
        .map(|reset| format!("; the limit ends at {reset}"))
        .unwrap_or_default()
}

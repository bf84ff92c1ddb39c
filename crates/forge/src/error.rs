//! Errors of calls to a forge. No error contains a token.

use jiff::Timestamp;

/// Why a call to the forge has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The client cannot be built, because an argument is invalid.
    #[error("the forge's client cannot be built: {reason}")]
    Setup {
        /// The reason: a fragment.
        reason: String,
    },
    /// The token is not accepted.
    #[error("`{call}` answered 401: the token is not valid{}", after_colon(.message))]
    Unauthorized {
        /// Method and path of the call.
        call: String,
        /// The forge's message, shortened and without control characters.
        message: String,
    },
    /// The token lacks a permission.
    #[error("`{call}` answered 403{}", after_colon(.message))]
    Forbidden {
        /// Method and path of the call.
        call: String,
        /// The forge's message, shortened and without control characters.
        message: String,
        /// The permission that the token lacks, as the forge or its documentation names it.
        needs: String,
    },
    /// The object does not exist, or the token may not see it. The forge gives both the same answer.
    #[error("`{call}` answered 404{}", after_colon(.message))]
    NotFound {
        /// Method and path of the call.
        call: String,
        /// The forge's message, shortened and without control characters.
        message: String,
        /// The permission without which the forge gives the same answer.
        needs: String,
    },
    /// The rate limit is exceeded.
    #[error("`{call}` was refused for too many calls{}", until(.reset.as_ref()))]
    RateLimited {
        /// Method and path of the call.
        call: String,
        /// The end of the limit, if the forge states it.
        reset: Option<Timestamp>,
    },
    /// The forge answered with another error status.
    #[error("`{call}` answered {status}{}", after_colon(.message))]
    Refused {
        /// Method and path of the call.
        call: String,
        /// HTTP status code of the answer.
        status: u16,
        /// The forge's message, shortened and without control characters.
        message: String,
    },
    /// The repository was renamed or moved. Its old name only redirects.
    #[error("`{call}` was redirected: the repository was renamed or moved")]
    Moved {
        /// Method and path of the call.
        call: String,
    },
    /// The forge did not answer.
    #[error("`{call}` got no answer: {reason}")]
    Transport {
        /// Method and path of the call.
        call: String,
        /// The errors of the network, without the token.
        reason: String,
    },
    /// The answer does not have the form of the API.
    #[error("the answer to `{call}` cannot be read")]
    Unreadable {
        /// Method and path of the call.
        call: String,
        /// The parser's error, with the position in the answer.
        #[source]
        source: serde_json::Error,
    },
    /// The answer is larger, or the list longer, than the limit; or the list is incomplete.
    #[error("the answer to `{call}` is {what}")]
    TooLarge {
        /// Method and path of the call.
        call: String,
        /// `larger than … bytes`, `longer than … entries`, `cut: …`.
        what: String,
    },
}

impl ForgeError {
    /// The next step: a fragment for a line of its own.
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
            Self::Moved { .. } => Some("use the repository's current name".to_owned()),
            Self::Setup { .. }
            | Self::Refused { .. }
            | Self::Unreadable { .. }
            | Self::TooLarge { .. } => None,
        }
    }

    /// Whether a call that writes may have taken effect although it failed: its answer was lost, or
    /// says that the object exists already.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Unreadable { .. } | Self::TooLarge { .. } => true,
            Self::Refused { status, .. } => *status >= 500 || matches!(status, 405 | 409 | 422),
            _ => false,
        }
    }

    /// HTTP status code of the answer, if there was one.
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

/// Fails when one of the logins is not among those that the forge assigned. Forges leave out accounts
/// that may not be assigned without a word.
pub(crate) fn all_assigned(
    call: String,
    wanted: &[String],
    assigned: &[String],
) -> Result<(), ForgeError> {
    let is_assigned = |login: &&String| assigned.iter().any(|own| own.eq_ignore_ascii_case(login));
    match wanted.iter().find(|login| !is_assigned(login)) {
        None => Ok(()),
        Some(login) => Err(ForgeError::Refused {
            call,
            status: 200,
            message: format!("`{login}` was not assigned: the account may not see the project"),
        }),
    }
}

/// The outcome of a deletion, for which an object that does not exist is success.
pub(crate) fn absent_is_deleted<T>(answer: Result<T, ForgeError>) -> Result<(), ForgeError> {
    match answer {
        Ok(_) | Err(ForgeError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
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

//! Single calls: sending, reading up to a limit, and the interpretation of refusals.

use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use octocrab::OctoBody;
use patchgate_http::{FailedAttempt, Retries, is_temporary, retry_after};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::GitHub;
use crate::ForgeError;

/// Limit on a JSON answer, in bytes. A page of 100 changed files with their patches is below 30 MiB.
pub(super) const MAX_JSON_BYTES: usize = 48 * 1024 * 1024;

/// Entries on a page; GitHub's own maximum.
pub(super) const PER_PAGE: usize = 100;

/// Limit on the characters of the forge's message in an error.
const MESSAGE_CHARACTERS: usize = 300;

/// The HTTP methods that Patchgate uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One call of the API.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) verb: Verb,
    /// Path with query, from the API's base address.
    pub(super) path: String,
    /// The permission that the call needs, as GitHub's documentation names it.
    pub(super) needs: &'static str,
    pub(super) accept: &'static str,
    pub(super) max_bytes: usize,
}

impl Call {
    pub(super) fn new(verb: Verb, path: String, needs: &'static str) -> Self {
        Self {
            verb,
            path,
            needs,
            accept: "application/vnd.github+json",
            max_bytes: MAX_JSON_BYTES,
        }
    }

    pub(super) fn get(path: String, needs: &'static str) -> Self {
        Self::new(Verb::Get, path, needs)
    }

    /// Method and path, for errors.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.verb.word(), self.path)
    }
}

/// An answer with a status from 200 to 299.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    pub(super) has_next_page: bool,
}

/// An attempt without a usable answer.
type Failed = FailedAttempt<ForgeError>;

impl GitHub {
    /// Sends a call. A `GET` is repeated after a temporary failure.
    pub(super) async fn send(
        &self,
        call: &Call,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, ForgeError> {
        // Other calls may have taken effect although they failed.
        let max = if call.verb == Verb::Get {
            self.options.retries
        } else {
            0
        };
        let mut retries = Retries::new(max, self.options.retry_base_delay, Duration::MAX);

        loop {
            match self.attempt(call, body).await {
                Ok(answer) => {
                    check_written(call, &answer.body)?;
                    return Ok(answer);
                }
                Err(failed) => retries.wait_after(failed).await?,
            }
        }
    }

    /// Sends a call and reads its answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ForgeError> {
        let answer = self.send(call, None).await?;
        parse(call, &answer.body)
    }

    /// Sends a call with a body and reads its answer as JSON.
    pub(super) async fn json_with<T: DeserializeOwned>(
        &self,
        call: &Call,
        body: &impl Serialize,
    ) -> Result<T, ForgeError> {
        let answer = self.send_with(call, body).await?;
        parse(call, &answer.body)
    }

    /// Sends a call with a body.
    pub(super) async fn send_with(
        &self,
        call: &Call,
        body: &impl Serialize,
    ) -> Result<Answer, ForgeError> {
        let body = serde_json::to_value(body).map_err(|source| ForgeError::Unreadable {
            call: call.name(),
            source,
        })?;
        self.send(call, Some(&body)).await
    }

    /// Reads a list page by page. An incomplete list is an error. `query` precedes the page parameters.
    pub(super) async fn list<P: DeserializeOwned, T>(
        &self,
        path: &str,
        query: &str,
        needs: &'static str,
        max_entries: usize,
        entries: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, ForgeError> {
        let mut all = Vec::new();
        let mut promised = false;
        for page in 1.. {
            let call = Call::get(
                format!("{path}?{query}per_page={PER_PAGE}&page={page}"),
                needs,
            );
            let answer = self.send(&call, None).await?;
            let found = entries(parse(&call, &answer.body)?);
            let count = found.len();

            all.extend(found);
            if all.len() > max_entries {
                return Err(ForgeError::TooLarge {
                    call: call.name(),
                    what: format!("longer than {max_entries} entries"),
                });
            }
            // An empty page ends the list, or a hostile server could continue forever. If the server
            // announced more entries, some are missing.
            if count == 0 && (promised || answer.has_next_page) {
                return Err(ForgeError::TooLarge {
                    call: call.name(),
                    what: "cut: a page is empty, although the server said that there is more"
                        .to_owned(),
                });
            }

            promised = answer.has_next_page;
            if count == 0 || !(answer.has_next_page || count >= PER_PAGE) {
                break;
            }
        }

        Ok(all)
    }

    async fn attempt(
        &self,
        call: &Call,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, Failed> {
        let transport = |reason: String| Failed {
            error: ForgeError::Transport {
                call: call.name(),
                reason: self.scrub(&reason),
            },
            repeatable: true,
            wait: None,
        };
        let request = self.request(call, body).map_err(|error| Failed {
            repeatable: false,
            ..transport(error)
        })?;
        let response = self
            .octocrab
            .execute(request)
            .await
            .map_err(|error| transport(chain(&error)))?;
        let (parts, body) = response.into_parts();
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };

        let status = parts.status.as_u16();
        let limit = if parts.status.is_success() {
            call.max_bytes
        } else {
            256 * 1024
        };
        let body = match Limited::new(body, limit).collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(Failed::finally(ForgeError::TooLarge {
                    call: call.name(),
                    what: format!("larger than {limit} bytes"),
                }));
            }
            Err(error) => return Err(transport(chain(error.as_ref()))),
        };
        if parts.status.is_success() {
            return Ok(Answer {
                body,
                has_next_page: header("link").is_some_and(|link| link.contains("rel=\"next\"")),
            });
        }

        Err(self.refusal(call, status, &header, &body))
    }

    fn request(
        &self,
        call: &Call,
        body: Option<&serde_json::Value>,
    ) -> Result<octocrab_request::Request, String> {
        // octocrab adds the API's address, and adds the token only for that address.
        octocrab_request::build(&self.octocrab, call, body)
    }

    fn refusal(
        &self,
        call: &Call,
        status: u16,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> Failed {
        let name = call.name();
        let message = self.scrub(&message(body));
        let wait = header("retry-after").and_then(|value| retry_after(&value, Timestamp::now()));
        let no_calls_left = header("x-ratelimit-remaining").is_some_and(|left| left == "0");
        let limited = status == 429
            || (status == 403
                && (no_calls_left
                    || wait.is_some()
                    || message.to_ascii_lowercase().contains("rate limit")));
        let repeatable = limited || is_temporary(status);
        let needs = || needed(call, header);
        let error = match status {
            _ if limited => ForgeError::RateLimited {
                call: name,
                reset: header("x-ratelimit-reset")
                    .and_then(|value| value.parse().ok())
                    .and_then(|seconds| Timestamp::from_second(seconds).ok()),
            },
            301 | 302 | 307 | 308 => ForgeError::Moved { call: name },
            401 => ForgeError::Unauthorized {
                call: name,
                message,
            },
            403 => ForgeError::Forbidden {
                needs: needs(),
                call: name,
                message,
            },
            404 => ForgeError::NotFound {
                needs: needs(),
                call: name,
                message,
            },
            _ => ForgeError::Refused {
                call: name,
                status,
                message,
            },
        };

        // Without calls left, the limit ends at the reset: up to an hour, so the call is not
        // repeated, whatever `Retry-After` says.
        let wait = if no_calls_left && limited {
            Some(Duration::MAX)
        } else {
            wait
        };
        Failed {
            error,
            repeatable,
            wait,
        }
    }

    /// A text without the token, in case a server or a library repeats it.
    pub(super) fn scrub(&self, text: &str) -> String {
        text.replace(self.token.expose(), "***")
    }
}

/// The permission that the call needs, as the answer names it, or else as the documentation does.
fn needed(call: &Call, header: &dyn Fn(&str) -> Option<String>) -> String {
    let clean = |value: String| {
        value
            .chars()
            .filter(|c| !c.is_control() && *c != '`')
            .take(200)
            .collect::<String>()
    };
    if let Some(permissions) = header("x-accepted-github-permissions") {
        return format!("`{}`", clean(permissions));
    }

    if let Some(scopes) = header("x-accepted-oauth-scopes").filter(|scopes| !scopes.is_empty()) {
        let has = header("x-oauth-scopes").unwrap_or_default();
        let has = if has.is_empty() {
            "none".to_owned()
        } else {
            clean(has)
        };
        return format!("`{}` (a scope; the token has: {has})", clean(scopes));
    }

    format!("`{}`", call.needs)
}

/// Parses an answer as JSON.
pub(super) fn parse<T: DeserializeOwned>(call: &Call, body: &[u8]) -> Result<T, ForgeError> {
    serde_json::from_slice(body).map_err(|source| ForgeError::Unreadable {
        call: call.name(),
        source,
    })
}

/// Refuses the answer of a call that writes when it is no JSON. A page of something between, such as a
/// login, may answer with a status of success, and nothing was written.
fn check_written(call: &Call, body: &[u8]) -> Result<(), ForgeError> {
    if call.verb == Verb::Get || body.trim_ascii().is_empty() {
        return Ok(());
    }
    parse::<serde::de::IgnoredAny>(call, body).map(drop)
}

/// The message of a refusal, with the individual errors that GitHub lists.
fn message(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Wire {
        #[serde(default)]
        message: String,
        #[serde(default)]
        errors: serde_json::Value,
    }

    let Ok(wire) = serde_json::from_slice::<Wire>(body) else {
        return String::new();
    };
    let mut text = wire.message;
    for error in wire.errors.as_array().into_iter().flatten().take(5) {
        let detail = error
            .as_str()
            .or_else(|| error.get("message").and_then(serde_json::Value::as_str))
            .or_else(|| error.get("code").and_then(serde_json::Value::as_str));
        if let Some(detail) = detail {
            text.push_str(if text.is_empty() { "" } else { "; " });
            text.push_str(detail);
        }
    }

    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars()
        .filter(|c| !c.is_control())
        .take(MESSAGE_CHARACTERS)
        .collect()
}

/// An error with its sources, without repetitions.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let part = error.to_string();
        if !text.contains(&part) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&part);
        }
        next = error.source();
    }

    text
}

/// Conversion of calls into octocrab's requests.
mod octocrab_request {
    use super::{Call, OctoBody, Verb};
    use octocrab::Octocrab;

    pub(super) type Request = http::Request<OctoBody>;

    pub(super) fn build(
        octocrab: &Octocrab,
        call: &Call,
        body: Option<&serde_json::Value>,
    ) -> Result<Request, String> {
        let method = match call.verb {
            Verb::Get => http::Method::GET,
            Verb::Post => http::Method::POST,
            Verb::Patch => http::Method::PATCH,
            Verb::Put => http::Method::PUT,
            Verb::Delete => http::Method::DELETE,
        };
        let builder = http::Request::builder()
            .method(method)
            .uri(&call.path)
            .header("accept", call.accept);

        octocrab
            .build_request(builder, body)
            .map_err(|error| error.to_string())
    }
}

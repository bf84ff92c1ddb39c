//! Calls of a REST API that speaks JSON: sending, reading up to a limit, pages, refusals.
//!
//! GitLab and Gitea share it. GitHub has octocrab (`github/transport.rs`).

use patchgate_http::{Auth, Client, Method, Request, Response, Secret, is_loopback};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::ForgeError;

/// Limit on a JSON answer, in bytes.
const MAX_JSON_BYTES: usize = 48 * 1024 * 1024;

/// Limit on the characters of the forge's message in an error.
const MESSAGE_CHARACTERS: usize = 300;

/// A REST API, with one token.
#[derive(Clone)]
pub(crate) struct Rest {
    http: Client,
    /// The base address, without a final `/`.
    api: String,
    token: Secret,
    auth: Auth,
    pages: Pages,
}

/// The query parameter that sets the number of entries on a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pages {
    /// Name of the parameter.
    pub(crate) parameter: &'static str,
    /// Entries on a page: the forge's own maximum.
    pub(crate) entries: usize,
}

/// One call of the API.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    /// Path with query, from the API's base address.
    path: String,
    /// The permission that the call needs, as the forge's documentation names it.
    needs: &'static str,
    max_bytes: usize,
}

impl Call {
    pub(crate) fn new(method: Method, path: String, needs: &'static str) -> Self {
        Self {
            method,
            path,
            needs,
            max_bytes: MAX_JSON_BYTES,
        }
    }

    pub(crate) fn get(path: String, needs: &'static str) -> Self {
        Self::new(Method::Get, path, needs)
    }

    pub(crate) fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Method and path, for errors.
    pub(crate) fn name(&self) -> String {
        let word = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        format!("{word} {}", self.path)
    }

    /// The error for an answer that is not of the API's form.
    pub(crate) fn cut(&self, what: impl Into<String>) -> ForgeError {
        ForgeError::TooLarge {
            call: self.name(),
            what: what.into(),
        }
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest")
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

impl Rest {
    /// The API at a base address, such as `https://HOST/api/v1`.
    ///
    /// # Errors
    /// When the address or the token is invalid, or the network client is offline.
    pub(crate) fn new(
        http: &Client,
        api_url: &str,
        token: &Secret,
        pages: Pages,
    ) -> Result<Self, ForgeError> {
        let setup = |reason: &str| ForgeError::Setup {
            reason: reason.to_owned(),
        };
        if http.is_offline() {
            return Err(setup("offline, nothing is sent to a forge"));
        }
        let text = token.expose();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(setup("the token is empty or contains invalid characters"));
        }

        let url = Url::parse(api_url)
            .ok()
            .filter(|url| {
                url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none()
            })
            .ok_or_else(|| setup("the API's address is not one of the form `https://HOST/path`"))?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(setup(
                "the API's address is not `https`, and the token would go over the network in the clear",
            ));
        }

        Ok(Self {
            http: http.clone(),
            api: url.as_str().trim_end_matches('/').to_owned(),
            auth: Auth::Bearer(token.clone()),
            token: token.clone(),
            pages,
        })
    }

    /// The host of the API.
    pub(crate) fn host(&self) -> String {
        Url::parse(&self.api)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Sends a call. A `GET` is repeated after a temporary failure; a call that writes is not, because
    /// it may have taken effect.
    pub(crate) async fn send(
        &self,
        call: &Call,
        body: Option<&Value>,
    ) -> Result<Response, ForgeError> {
        let url = format!("{}{}", self.api, call.path);
        let mut request = Request::new(call.method, url)
            .auth(Some(&self.auth))
            .accept("application/json")
            .max_bytes(call.max_bytes as u64);
        if call.method != Method::Get {
            request = request.once();
        }
        if let Some(body) = body {
            request = request
                .json(body)
                .map_err(|source| ForgeError::Unreadable {
                    call: call.name(),
                    source,
                })?;
        }

        let answer = self
            .http
            .send(&request)
            .await
            .map_err(|error| self.refusal(call, &error))?;
        check_written(call, &answer.body)?;
        Ok(answer)
    }

    /// Sends a call and reads its answer as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        call: &Call,
        body: Option<&Value>,
    ) -> Result<T, ForgeError> {
        let answer = self.send(call, body).await?;
        parse(call, &answer.body)
    }

    /// Reads a list page by page. An incomplete list is an error.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        needs: &'static str,
        max_entries: usize,
    ) -> Result<Vec<T>, ForgeError> {
        let (all, is_whole) = self
            .list_until(path, needs, max_entries, |_: &[T]| false)
            .await?;
        if is_whole {
            return Ok(all);
        }
        let call = Call::get(path.to_owned(), needs);
        Err(call.cut(format!("longer than {max_entries} entries")))
    }

    /// Reads a list page by page until `is_enough`, or until there are `max_entries`. Returns whether
    /// the list was read to its end.
    pub(crate) async fn list_until<T: DeserializeOwned>(
        &self,
        path: &str,
        needs: &'static str,
        max_entries: usize,
        is_enough: impl Fn(&[T]) -> bool,
    ) -> Result<(Vec<T>, bool), ForgeError> {
        let Pages { parameter, entries } = self.pages;
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut all: Vec<T> = Vec::new();
        for page in 1.. {
            let call = Call::get(
                format!("{path}{separator}{parameter}={entries}&page={page}"),
                needs,
            );
            let answer = self.send(&call, None).await?;
            let found: Vec<T> = parse(&call, &answer.body)?;
            let count = found.len();
            all.extend(found);

            // The forge tells the total, or announces a next page, or does neither and fills pages.
            let total = ["x-total-count", "x-total"]
                .iter()
                .find_map(|name| answer.header(name)?.parse::<usize>().ok());
            let has_next = answer
                .header("link")
                .is_some_and(|link| link.contains("rel=\"next\""));
            let is_last = match total {
                Some(total) => all.len() >= total,
                None => !has_next && count < entries,
            };
            if is_last {
                return Ok((all, true));
            }
            // An empty page ends the list, or a hostile server could continue forever.
            if count == 0 {
                if total.is_some() || has_next {
                    return Err(call
                        .cut("cut: a page is empty, although the server said that there is more"));
                }
                return Ok((all, true));
            }
            if all.len() >= max_entries || is_enough(&all) {
                break;
            }
        }

        Ok((all, false))
    }

    fn refusal(&self, call: &Call, error: &patchgate_http::Error) -> ForgeError {
        let name = call.name();
        let (status, body) = match error {
            patchgate_http::Error::Status { status, body, .. } => (*status, body),
            patchgate_http::Error::TooLarge { limit, .. } => {
                return call.cut(format!("larger than {limit} bytes"));
            }
            other => {
                return ForgeError::Transport {
                    call: name,
                    reason: self.scrub(&chain(other)),
                };
            }
        };

        let message = self.scrub(&message(body));
        let needs = format!("`{}`", call.needs);
        match status {
            301 | 302 | 307 | 308 => ForgeError::Moved { call: name },
            401 => ForgeError::Unauthorized {
                call: name,
                message,
            },
            403 => ForgeError::Forbidden {
                call: name,
                message,
                needs,
            },
            404 => ForgeError::NotFound {
                call: name,
                message,
                needs,
            },
            429 => ForgeError::RateLimited {
                call: name,
                reset: None,
            },
            _ => ForgeError::Refused {
                call: name,
                status,
                message,
            },
        }
    }

    /// A text without the token, in case a server repeats it.
    fn scrub(&self, text: &str) -> String {
        text.replace(self.token.expose(), "***")
    }
}

/// Parses an answer as JSON.
pub(crate) fn parse<T: DeserializeOwned>(call: &Call, body: &[u8]) -> Result<T, ForgeError> {
    serde_json::from_slice(body).map_err(|source| ForgeError::Unreadable {
        call: call.name(),
        source,
    })
}

/// Refuses the answer of a call that writes when it is no JSON. A page of something between, such as a
/// login, may answer with a status of success, and nothing was written.
fn check_written(call: &Call, body: &[u8]) -> Result<(), ForgeError> {
    if call.method == Method::Get || body.trim_ascii().is_empty() {
        return Ok(());
    }
    parse::<serde::de::IgnoredAny>(call, body).map(drop)
}

/// The message of a refusal: a text, or a list or an object of texts, as GitLab writes them.
fn message(body: &[u8]) -> String {
    fn texts(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::String(text) => out.push(text.clone()),
            Value::Array(values) => values.iter().take(5).for_each(|value| texts(value, out)),
            Value::Object(fields) => fields.values().take(5).for_each(|value| texts(value, out)),
            _ => {}
        }
    }

    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        for field in ["message", "error", "error_description"] {
            texts(&value[field], &mut found);
        }
    }

    let joined = found.join("; ");
    let line = joined.split_whitespace().collect::<Vec<_>>().join(" ");
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

/// The characters that are encoded: all but the unreserved ones (RFC 3986, 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Percent-encodes one segment of a path, or a value of a query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Percent-encodes a path or a branch name, but not its `/`.
pub(crate) fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

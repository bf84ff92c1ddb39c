//! Requests and their answers.

use std::fmt;

use crate::{Auth, redact_url};

/// HTTP methods that Patchgate uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`, always idempotent.
    Get,
    /// `POST`, idempotent only if the request says so.
    Post,
    /// `PUT`, idempotent by its definition (RFC 9110, section 9.2.2).
    Put,
    /// `PATCH`, idempotent only if the request says so.
    Patch,
    /// `DELETE`, idempotent by its definition (RFC 9110, section 9.2.2).
    Delete,
}

/// A request to a server, built step by step.
///
/// Its debug output is limited to the method and the address without credentials, because other
/// parts may contain a secret.
///
/// ```
/// use patchgate_http::Request;
///
/// let request = Request::post("https://host.invalid/query")
///     .json(&["a"])?
///     .idempotent()
///     .max_bytes(1024);
/// # let _ = request;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) accept: Option<String>,
    pub(crate) auth: Option<&'a Auth>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<(String, Vec<u8>)>,
    pub(crate) idempotent: bool,
    pub(crate) max_bytes: Option<u64>,
}

impl<'a> Request<'a> {
    /// A request without a body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            accept: None,
            auth: None,
            headers: Vec::new(),
            body: None,
            idempotent: matches!(method, Method::Get | Method::Put | Method::Delete),
            max_bytes: None,
        }
    }

    /// A `GET` request, which may be repeated.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// A `POST` request, which is sent only once unless it is marked as [`Request::idempotent`].
    #[must_use]
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::Post, url)
    }

    /// Sets the body and its `Content-Type`.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<String>, body: Vec<u8>) -> Self {
        self.body = Some((content_type.into(), body));
        self
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json<T: serde::Serialize>(self, value: &T) -> Result<Self, serde_json::Error> {
        let body = serde_json::to_vec(value)?;
        Ok(self.body("application/json", body))
    }

    /// Sets the `Accept` header.
    #[must_use]
    pub fn accept(mut self, accept: impl Into<String>) -> Self {
        self.accept = Some(accept.into());
        self
    }

    /// Sets the credentials; `None` sends none.
    #[must_use]
    pub fn auth(mut self, auth: Option<&'a Auth>) -> Self {
        self.auth = auth;
        self
    }

    /// Adds a header. Secrets belong in [`Request::auth`], which is removed on redirects to another
    /// server.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Marks the request as idempotent: sending it twice has the same effect as sending it once, so
    /// it may be repeated.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Marks the request as one that is sent only once, although its method is idempotent.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.idempotent = false;
        self
    }

    /// Sets the size limit of the answer, in bytes.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = Some(max_bytes);
        self
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &redact_url(&self.url))
            .finish_non_exhaustive()
    }
}

/// Use of the disk cache by a `GET`. Offline, the cache always answers, except with
/// [`Caching::Off`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caching {
    /// The cache is neither read nor written.
    Off,
    /// The server is asked each time, with the validators of the cached answer (RFC 9111, section
    /// 4.3).
    Revalidate,
    /// The answer never changes for this revision, which becomes part of the key. A cached answer is
    /// used without asking the server.
    Immutable(String),
}

/// An answer with a status from 200 to 299.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status code, from 200 to 299.
    pub status: u16,
    /// The headers in the order of the answer, with names in lower case. Empty if the answer came from
    /// the cache without asking the server. Values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// The decompressed body; empty for a download to a file.
    pub body: Vec<u8>,
    /// Whether the body came from the cache, with or without confirmation by the server.
    pub cached: bool,
}

impl Response {
    /// The value of the first header with this name, which must be in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

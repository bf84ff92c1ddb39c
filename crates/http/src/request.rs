//! A request and its answer, as values.

use std::fmt;

use crate::{Auth, redact_url};

/// HTTP methods that Patchgate uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`, idempotent.
    Get,
    /// `POST`, idempotent only where the request says so.
    Post,
    /// `PUT`, idempotent by its definition (RFC 9110, section 9.2.2).
    Put,
    /// `PATCH`, idempotent only where the request says so.
    Patch,
    /// `DELETE`, idempotent by its definition (RFC 9110, section 9.2.2).
    Delete,
}

/// One request. Printed for debugging it shows its method and its redacted address, since
/// anything else of it may hold a secret.
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

    /// A `GET`.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// A `POST`, which is sent once unless [`Request::idempotent`] says that it may be repeated.
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

    /// Says who asks.
    #[must_use]
    pub fn auth(mut self, auth: Option<&'a Auth>) -> Self {
        self.auth = auth;
        self
    }

    /// Adds a header. Secrets belong into [`Request::auth`], which redirects to another server
    /// lose.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Says that sending the request twice does no more than sending it once, so that it may be
    /// repeated.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Sets the largest answer in bytes for this request.
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

/// Whether and how a `GET` uses the disk cache. Offline the cache answers whatever this says,
/// except for [`Caching::Off`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caching {
    /// Not at all.
    Off,
    /// Ask the server each time, with the validators of what is there (RFC 9111, section 4.3).
    Revalidate,
    /// The answer never changes for this revision, a text that becomes part of the key: once
    /// there, no server is asked.
    Immutable(String),
}

/// An answer with a status from 200 to 299.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The headers, names in lower case, in the order of the answer. Empty when the cache answered
    /// alone. Values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// True when the body came from the cache, be it confirmed by the server or not.
    pub cached: bool,
}

impl Response {
    /// The first header of this name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

//! [`Client`], through which every request leaves.

use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use tracing::debug;

use crate::cache::{Cache, Kept};
use crate::retry::{FailedAttempt, Retries, is_temporary, retry_after};
use crate::{Auth, Caching, ClientOptions, Error, Method, Request, Response, redact_url};

/// Limit on the redirects of a call.
const MAX_REDIRECTS: usize = 5;

/// Limit on the body of a refusal, in bytes. The rest is not read.
const MAX_REFUSAL_BYTES: u64 = 64 * 1024;

/// The network client. Cloning is cheap, and clones share their connections.
///
/// ```no_run
/// use patchgate_http::{Caching, Client, ClientOptions, Request};
///
/// # async fn example() -> Result<(), patchgate_http::Error> {
/// let client = Client::new(ClientOptions {
///     cache_dir: Some("cache".into()),
///     ..ClientOptions::default()
/// })?;
///
/// let request = Request::get("https://advisories.invalid/GHSA-1.json").accept("application/json");
/// let response = client.get(&request, &Caching::Revalidate).await?;
/// println!("{} bytes", response.body.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    options: ClientOptions,
    /// `None` offline, so that nothing can be sent.
    inner: Option<reqwest::Client>,
    cache: Option<Cache>,
}

/// An attempt without a usable answer.
type Failed = FailedAttempt<Error>;

/// The destination of an answer's body.
enum Sink<'a> {
    Memory(Vec<u8>),
    File(&'a mut std::fs::File, &'a Path),
}

/// The head of an answer, whose body went into the sink. With status 304 there is no body.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Client {
    /// Builds a client. An offline client needs neither certificates nor a TLS library.
    ///
    /// # Errors
    /// When no CA certificates are found, or an option is not a valid header value.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        let inner = if options.offline {
            None
        } else {
            Some(build(&options)?)
        };
        let cache = options.cache_dir.clone().map(Cache::new);

        Ok(Self {
            options,
            inner,
            cache,
        })
    }

    /// The underlying client, for a library with calls of its own. They have the timeouts, the
    /// redirect rules and the user agent, but no retries, no size limit and no redaction. `None`
    /// offline.
    #[must_use]
    pub fn reqwest(&self) -> Option<&reqwest::Client> {
        self.inner.as_ref()
    }

    /// Whether the client is offline and sends nothing.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.inner.is_none()
    }

    /// Sends a request and reads its answer, without using the cache.
    ///
    /// # Errors
    /// When there is no answer, or one with a status outside of 200 to 299, after the repetitions
    /// that the request allows.
    pub async fn send(&self, request: &Request<'_>) -> Result<Response, Error> {
        let mut sink = Sink::Memory(Vec::new());
        let answer = self.run(request, None, &mut sink).await?;
        Ok(answer.with_body(sink))
    }

    /// Sends a `GET` through the cache.
    ///
    /// # Errors
    /// As [`Client::send`]. Offline, also when the cache has no answer.
    pub async fn get(&self, request: &Request<'_>, caching: &Caching) -> Result<Response, Error> {
        let (Some(cache), false) = (&self.cache, *caching == Caching::Off) else {
            return self.send(request).await;
        };
        let revision = match caching {
            Caching::Immutable(revision) => revision,
            Caching::Off | Caching::Revalidate => "",
        };
        let authorised = request.auth.is_some();
        let key = Cache::key(
            &request.url,
            request.accept.as_deref(),
            authorised,
            revision,
        );
        let kept = cache.read(&key, self.limit(request));
        let is_final = self.is_offline() || matches!(caching, Caching::Immutable(_));
        if let (Some(kept), true) = (&kept, is_final) {
            return Ok(Response::from_cache(kept.body.clone()));
        }

        let mut sink = Sink::Memory(Vec::new());
        let answer = self.run(request, kept.as_ref(), &mut sink).await?;
        if let (304, Some(kept)) = (answer.status, kept) {
            return Ok(Response::from_cache(kept.body));
        }

        let response = answer.with_body(sink);
        let fresh = Kept {
            etag: response.header("etag").map(str::to_owned),
            last_modified: response.header("last-modified").map(str::to_owned),
            body: response.body,
        };
        // A cache that cannot be written only costs time.
        if let Err((path, error)) = cache.write(&key, &fresh) {
            debug!(path = %path.display(), %error, "the cache cannot be written");
        }

        Ok(Response {
            body: fresh.body,
            ..response
        })
    }

    /// Sends a `GET` and writes its answer to `file`, so that an answer may be larger than memory.
    /// The file is truncated before each attempt. `path` names it in errors.
    ///
    /// # Errors
    /// As [`Client::send`], and when the file cannot be written.
    pub async fn download(
        &self,
        request: &Request<'_>,
        file: &mut std::fs::File,
        path: &Path,
    ) -> Result<Response, Error> {
        let mut sink = Sink::File(file, path);
        let answer = self.run(request, None, &mut sink).await?;
        Ok(answer.with_body(sink))
    }

    /// Sends the request until there is an answer, as often as it may be sent.
    async fn run(
        &self,
        request: &Request<'_>,
        kept: Option<&Kept>,
        sink: &mut Sink<'_>,
    ) -> Result<Answer, Error> {
        let options = &self.options;
        // A call that is not idempotent may have taken effect although it failed.
        let max = if request.idempotent {
            options.retries
        } else {
            0
        };
        let mut retries = Retries::new(max, options.retry_base_delay, options.retry_budget);

        loop {
            match self.attempt(request, kept, sink).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => retries.wait_after(failed).await?,
            }
        }
    }

    /// Sends the request once.
    async fn attempt(
        &self,
        request: &Request<'_>,
        kept: Option<&Kept>,
        sink: &mut Sink<'_>,
    ) -> Result<Answer, Failed> {
        let url = || redact_url(&request.url);
        let Some(inner) = &self.inner else {
            return Err(Failed::finally(Error::Offline { url: url() }));
        };

        sink.reset()?;
        let outgoing = prepare(inner, request, kept);
        let mut response = outgoing
            .send()
            .await
            .map_err(|error| failed(error, url()))?;
        let status = response.status().as_u16();
        if status == 304 && kept.is_some() {
            return Ok(Answer {
                status,
                headers: Vec::new(),
            });
        }

        if !response.status().is_success() {
            let wait = header(&response, "retry-after")
                .and_then(|value| retry_after(&value, Timestamp::now()));
            let body = read_refusal(&mut response).await;
            let error = Error::Status {
                url: url(),
                status,
                body,
            };
            return Err(Failed {
                error,
                repeatable: is_temporary(status),
                wait,
            });
        }

        // Read the body up to the limit, which its stated length may exceed already.
        let limit = self.limit(request);
        let too_large = || Failed::finally(Error::TooLarge { url: url(), limit });
        if response
            .content_length()
            .is_some_and(|length| length > limit)
        {
            return Err(too_large());
        }

        let mut read = 0u64;
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| failed(error, url()))?
        {
            read = read.saturating_add(chunk.len() as u64);
            if read > limit {
                return Err(too_large());
            }
            sink.write(&chunk)?;
        }

        Ok(Answer {
            status,
            headers: headers(&response),
        })
    }

    fn limit(&self, request: &Request<'_>) -> u64 {
        request.max_bytes.unwrap_or(self.options.max_response_bytes)
    }
}

impl Response {
    fn from_cache(body: Vec<u8>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
            cached: true,
        }
    }
}

impl Answer {
    fn with_body(self, sink: Sink<'_>) -> Response {
        let body = match sink {
            Sink::Memory(body) => body,
            Sink::File(..) => Vec::new(),
        };
        Response {
            status: self.status,
            headers: self.headers,
            body,
            cached: false,
        }
    }
}

impl Sink<'_> {
    /// Discards the bytes of an earlier attempt.
    fn reset(&mut self) -> Result<(), Failed> {
        match self {
            Self::Memory(body) => {
                body.clear();
                Ok(())
            }
            Self::File(file, path) => file
                .set_len(0)
                .and_then(|()| std::io::Seek::rewind(file))
                .map_err(|source| unwritable(path, source)),
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), Failed> {
        match self {
            Self::Memory(body) => {
                body.extend_from_slice(chunk);
                Ok(())
            }
            Self::File(file, path) => file
                .write_all(chunk)
                .map_err(|source| unwritable(path, source)),
        }
    }
}

fn unwritable(path: &Path, source: std::io::Error) -> Failed {
    Failed::finally(Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// Builds the underlying client. Installs the crypto provider of the process.
fn build(options: &ClientOptions) -> Result<reqwest::Client, Error> {
    // Fails only if a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(&options.user_agent)
        .connect_timeout(options.connect_timeout)
        .timeout(options.total_timeout)
        .redirect(redirect_policy())
        .build()
        .map_err(Error::Build)
}

/// Follows a few redirects, but never from an encrypted connection to a plain one. reqwest removes the
/// `Authorization` header when the server changes.
fn redirect_policy() -> reqwest::redirect::Policy {
    reqwest::redirect::Policy::custom(|attempt| {
        let was_encrypted = attempt
            .previous()
            .last()
            .is_some_and(|previous| previous.scheme() == "https");
        if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error("more than 5 redirects")
        } else if was_encrypted && attempt.url().scheme() != "https" {
            attempt.error("a redirect to a connection that is not encrypted")
        } else {
            attempt.follow()
        }
    })
}

fn prepare(
    inner: &reqwest::Client,
    request: &Request<'_>,
    kept: Option<&Kept>,
) -> reqwest::RequestBuilder {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut outgoing = inner.request(method, &request.url);
    for (name, value) in &request.headers {
        outgoing = outgoing.header(name, value);
    }
    if let Some(accept) = &request.accept {
        outgoing = outgoing.header(ACCEPT, accept);
    }
    if let Some((content_type, body)) = &request.body {
        outgoing = outgoing
            .header(CONTENT_TYPE, content_type)
            .body(body.clone());
    }

    outgoing = match request.auth {
        Some(Auth::Bearer(token)) => outgoing.bearer_auth(token.expose()),
        Some(Auth::Basic { user, password }) => outgoing.basic_auth(user, Some(password.expose())),
        None => outgoing,
    };
    if let Some(etag) = kept.and_then(|kept| kept.etag.as_ref()) {
        outgoing = outgoing.header(IF_NONE_MATCH, etag);
    }
    if let Some(date) = kept.and_then(|kept| kept.last_modified.as_ref()) {
        outgoing = outgoing.header(IF_MODIFIED_SINCE, date);
    }

    outgoing
}

/// Converts an error of the library, and decides whether it is temporary.
fn failed(error: reqwest::Error, url: String) -> Failed {
    if error.is_builder() || error.is_redirect() {
        return Failed::finally(Error::Invalid {
            url,
            source: error.without_url(),
        });
    }

    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "could not be reached"
    } else if error.is_body() || error.is_decode() {
        "answered only partially"
    } else {
        "broke the connection"
    };
    let error = Error::Transport {
        url,
        what,
        source: error.without_url(),
    };

    Failed {
        error,
        repeatable: true,
        wait: None,
    }
}

/// Reads the beginning of a refusal's body. Read errors are ignored, because the status matters
/// most.
async fn read_refusal(response: &mut reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = (MAX_REFUSAL_BYTES as usize).saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if body.len() as u64 >= MAX_REFUSAL_BYTES {
            break;
        }
    }

    body
}

fn header(response: &reqwest::Response, name: &str) -> Option<String> {
    response
        .headers()
        .get(name)?
        .to_str()
        .ok()
        .map(str::to_owned)
}

fn headers(response: &reqwest::Response) -> Vec<(String, String)> {
    response
        .headers()
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}

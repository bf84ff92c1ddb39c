//! GitHub's REST API, version 2022-11-28, on github.com and GitHub Enterprise Server.
//!
//! octocrab carries the calls; what comes back is read into own structs, which hold only what is
//! used and take words that are newer than they are. octocrab's own retry repeats `POST`, so it is
//! off, and only `GET` is repeated, here.

mod checks;
mod contents;
mod evidence;
mod merge;
mod pulls;
mod transport;
mod wire;

use std::time::Duration;

use octocrab::Octocrab;
use octocrab::service::middleware::retry::RetryConfig;
use patchgate_http::{Client, Secret, is_loopback};
use url::Url;

use crate::{ForgeError, RepositoryName};

pub use checks::{CheckRunReport, Conclusion};
pub use merge::MergeOutcome;
pub use pulls::{ClosedPullRequest, CreatedPullRequest, OpenPullRequest, TokenIdentity};

/// One repository on GitHub, seen with one token.
#[derive(Clone)]
pub struct GitHub {
    octocrab: Octocrab,
    repository: RepositoryName,
    api: Url,
    token: Secret,
    options: GitHubOptions,
}

/// Settings of a [`GitHub`] client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHubOptions {
    /// Most repetitions of a `GET` that failed for a passing reason.
    pub retries: u32,
    /// First wait before a repetition; it doubles each time.
    pub retry_base_delay: Duration,
}

impl Default for GitHubOptions {
    fn default() -> Self {
        Self {
            retries: 3,
            retry_base_delay: Duration::from_millis(500),
        }
    }
}

impl std::fmt::Debug for GitHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitHub")
            .field("repository", &self.repository)
            .field("api", &self.api.as_str())
            .finish_non_exhaustive()
    }
}

impl GitHub {
    /// A client for `repository` at the API's base address (`https://api.github.com`,
    /// `https://HOST/api/v3`; `GITHUB_API_URL` in a workflow).
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the address or the token can be none, or the network client is offline.
    pub fn new(
        http: &Client,
        api_url: &str,
        token: &Secret,
        repository: RepositoryName,
        options: GitHubOptions,
    ) -> Result<Self, ForgeError> {
        let setup = |reason: &str| ForgeError::Setup {
            reason: reason.to_owned(),
        };
        let reqwest = http
            .reqwest()
            .ok_or_else(|| setup("offline, nothing is sent to a forge"))?;
        let text = token.expose();

        // A token that cannot stand in a header would end in a panic further down.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(setup(
                "the token is empty or holds characters that no token has",
            ));
        }

        let api = Url::parse(api_url)
            .ok()
            .filter(|url| {
                url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none()
            })
            .ok_or_else(|| setup("the API's address is not one of the form `https://HOST/path`"))?;
        if api.scheme() != "https" && !is_loopback(&api) {
            return Err(setup(
                "the API's address is not `https`, and the token would go over the network in the clear",
            ));
        }
        let octocrab = Octocrab::builder()
            .base_uri(api.as_str())
            .map_err(|_| setup("the API's address cannot be used"))?
            .add_retry_config(RetryConfig::None)
            .personal_token(text.to_owned())
            .build_with_reqwest(reqwest.clone())
            .map_err(|_| setup("the API's client cannot be made from these settings"))?;

        Ok(Self {
            octocrab,
            repository,
            api,
            token: token.clone(),
            options,
        })
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Whether the token is one that a workflow run or an app installation gets, by the prefix
    /// that GitHub documents.
    ///
    /// A pull request that is opened, or a branch that is pushed, with the workflow's own
    /// `GITHUB_TOKEN` starts no workflows; an app's token has the same prefix and starts them.
    #[must_use]
    pub fn has_installation_token(&self) -> bool {
        self.token.expose().starts_with("ghs_")
    }

    /// The address of a path of the repository.
    fn path(&self, rest: &str) -> String {
        format!(
            "/repos/{}/{}{rest}",
            self.repository.owner(),
            self.repository.name()
        )
    }
}

/// Percent-encodes one segment of a path, or a value of a query.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }

    out
}

/// Percent-encodes a path or a branch name, whose `/` stay.
fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

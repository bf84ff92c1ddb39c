//! GitHub's REST API, version 2022-11-28, on github.com and GitHub Enterprise Server.
//!
//! octocrab sends the calls. Its models are not used: they reject words of the API that are newer than
//! octocrab, and an unknown word must not make a whole answer unreadable. `wire` has structs for the
//! fields that Patchgate uses. octocrab's retry is disabled, because it repeats `POST`; `transport`
//! repeats only `GET`.

mod checks;
mod contents;
mod difference;
mod evidence;
mod fixed;
mod forge;
mod issues;
mod merge;
mod pulls;
mod safeguards;
mod transport;
mod wire;

use std::time::Duration;

use octocrab::Octocrab;
use octocrab::service::middleware::retry::RetryConfig;
use patchgate_http::{Client, Secret, is_loopback};
use url::Url;

use self::fixed::Fixed;
use crate::rest::{encode, encode_path};
use crate::{ForgeError, ProjectPath};

/// A client for one repository on GitHub, with one token.
#[derive(Clone)]
pub struct GitHub {
    octocrab: Octocrab,
    repository: ProjectPath,
    api: Url,
    token: Secret,
    options: GitHubOptions,
    fixed: Fixed,
}

/// Settings of a [`GitHub`] client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHubOptions {
    /// Limit on the repetitions of a `GET` after temporary failures.
    pub retries: u32,
    /// Wait before the first repetition. It doubles each time.
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
    /// When the address or the token is invalid, or the network client is offline.
    pub fn new(
        http: &Client,
        api_url: &str,
        token: &Secret,
        repository: ProjectPath,
        options: GitHubOptions,
    ) -> Result<Self, ForgeError> {
        let setup = |reason: &str| ForgeError::Setup {
            reason: reason.to_owned(),
        };
        let reqwest = http
            .reqwest()
            .ok_or_else(|| setup("offline, nothing is sent to a forge"))?;
        if !repository.is_flat() {
            return Err(setup("a repository on GitHub has the form `owner/name`"));
        }
        let text = token.expose();

        // octocrab panics on a token that is not a valid header value.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(setup("the token is empty or contains invalid characters"));
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
            fixed: Fixed::default(),
        })
    }

    /// The repository of this client.
    #[must_use]
    pub fn repository(&self) -> &ProjectPath {
        &self.repository
    }

    /// Whether the token belongs to a workflow run or an app installation, by its documented prefix.
    ///
    /// A pull request or a push with the workflow's `GITHUB_TOKEN` starts no workflows. An app's
    /// token has the same prefix, but does start them.
    #[must_use]
    pub fn has_installation_token(&self) -> bool {
        self.token.expose().starts_with("ghs_")
    }

    /// The API path of a path below the repository.
    fn path(&self, rest: &str) -> String {
        format!(
            "/repos/{}/{}{rest}",
            self.repository.owner(),
            self.repository.name()
        )
    }
}

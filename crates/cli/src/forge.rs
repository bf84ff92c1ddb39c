//! The forge of one run: its address, its token, its repository.

use patchgate_forge::git::{PushError, PushTarget};
use patchgate_forge::{ForgeError, GitHub, GitHubOptions, RepositoryName};
use patchgate_http::{Client, Secret};

use crate::args::ForgeArgs;
use crate::context::Context;
use patchgate_model::UserError;

/// Variables that may contain the token. The first one that is set counts.
const TOKEN_VARIABLES: [&str; 2] = ["PATCHGATE_TOKEN", "GITHUB_TOKEN"];

/// A forge that can be spoken to.
pub(crate) struct Forge {
    /// The API of the forge.
    pub(crate) github: GitHub,
    /// The network client. Answers of a forge are never cached.
    pub(crate) http: Client,
    token: Secret,
}

impl Forge {
    /// Connects to the forge that the flags and the environment name. Nothing is sent yet.
    pub(crate) fn open(args: &ForgeArgs, context: &Context) -> anyhow::Result<Self> {
        let repository = args.repository.as_deref().ok_or_else(|| {
            UserError::usage("no repository is named")
                .with_hint("give `--repository OWNER/NAME`, or set `GITHUB_REPOSITORY`")
        })?;
        let repository: RepositoryName = repository
            .parse()
            .map_err(|error| UserError::usage(format!("{error}")))?;
        let token = TOKEN_VARIABLES
            .iter()
            .find_map(|name| context.environment.variable(name))
            .map(Secret::new)
            .ok_or_else(|| {
                UserError::usage("there is no token for the forge")
                    .with_hint("set `PATCHGATE_TOKEN` or `GITHUB_TOKEN`")
            })?;

        let http = Client::new(patchgate_http::ClientOptions {
            cache_dir: None,
            ..context.environment.client_options(false)
        })?;
        let github = GitHub::new(
            &http,
            &args.api_url,
            &token,
            repository,
            GitHubOptions::default(),
        )
        .map_err(|error| UserError::usage(error.to_string()))?;

        Ok(Self {
            github,
            http,
            token,
        })
    }

    /// The address that branches are pushed to.
    pub(crate) fn push_target(&self, args: &ForgeArgs) -> Result<PushTarget, UserError> {
        let url = format!(
            "{}/{}",
            args.server_url.trim_end_matches('/'),
            self.github.repository()
        );
        PushTarget::new(&url, &self.token)
            .map_err(|error: PushError| UserError::usage(error.to_string()))
    }
}

/// An error of the forge with its next step.
pub(crate) fn failed(error: &ForgeError) -> UserError {
    UserError::failure(error.to_string()).with_optional_hint(error.hint())
}

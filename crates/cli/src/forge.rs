//! The forge of one run: its address, its token, its repository.

use patchgate_forge::{GitHub, GitHubOptions, RepositoryName};
use patchgate_http::{Client, Secret};

use crate::args::ForgeArgs;
use crate::context::Context;
use crate::exit::UsageError;
use crate::network;

/// Variables that may hold the token, the first that is set counts.
const TOKEN_VARIABLES: [&str; 2] = ["PATCHGATE_TOKEN", "GITHUB_TOKEN"];

/// A forge that can be spoken to.
pub(crate) struct Forge {
    /// Its API.
    pub(crate) github: GitHub,
}

impl Forge {
    /// Connects to what the flags and the environment name. Nothing is sent yet.
    pub(crate) fn open(args: &ForgeArgs, context: &Context) -> anyhow::Result<Self> {
        let repository = args.repository.as_deref().ok_or_else(|| {
            UsageError::new("no repository is named")
                .with_hint("give `--repository OWNER/NAME`, or set `GITHUB_REPOSITORY`")
        })?;
        let repository: RepositoryName = repository
            .parse()
            .map_err(|error| UsageError::new(format!("{error}")))?;
        let token = TOKEN_VARIABLES
            .iter()
            .find_map(|name| context.variable(name))
            .map(Secret::new)
            .ok_or_else(|| {
                UsageError::new("there is no token for the forge")
                    .with_hint("set `PATCHGATE_TOKEN` or `GITHUB_TOKEN`")
            })?;
        // Answers of a forge are never kept.
        let http = Client::new(patchgate_http::ClientOptions {
            cache_dir: None,
            ..network::options(context, false)
        })?;
        let github = GitHub::new(
            &http,
            &args.api_url,
            &token,
            repository,
            GitHubOptions::default(),
        )
        .map_err(|error| UsageError::new(error.to_string()))?;
        Ok(Self { github })
    }
}

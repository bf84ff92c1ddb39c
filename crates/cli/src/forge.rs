//! The forge of one run: its kind, its address, its token, its project.

use std::path::Path;

use patchgate_forge::git::{PushError, PushTarget, origin_url};
use patchgate_forge::{
    AnyForge, ForgeError, ForgeFlags, ForgeKind, GitHub, GitHubOptions, GitLab, Gitea, locate,
};
use patchgate_http::{Client, Secret};
use patchgate_model::{OwnJob, UserError};

use crate::args::ForgeArgs;
use crate::context::Context;

/// The variable with the token for whichever forge it is.
const TOKEN_VARIABLE: &str = "PATCHGATE_TOKEN";

/// A forge that can be spoken to.
pub(crate) struct OpenForge {
    /// The API of the forge.
    pub(crate) api: AnyForge,
    /// The kind of the forge.
    pub(crate) kind: ForgeKind,
    /// The network client. Answers of a forge are never cached.
    pub(crate) http: Client,
    /// Address of the project's page.
    pub(crate) address: String,
    /// Address of the project's git repository.
    git_url: String,
    token: Secret,
}

impl OpenForge {
    /// Connects to the forge that the flags, the environment or the clone at `directory` name. Nothing
    /// is sent yet.
    pub(crate) async fn open(
        args: &ForgeArgs,
        directory: &Path,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let flags = ForgeFlags {
            kind: args.forge.map(ForgeKind::from),
            project: args.repository.as_deref(),
            api_url: args.api_url.as_deref(),
            server_url: args.server_url.as_deref(),
        };
        let variable = |name: &str| context.environment.variable(name);
        let remote = origin_url(directory).await;
        let location = locate(flags, &variable, remote.as_deref()).map_err(|error| {
            UserError::usage(error.to_string()).with_optional_hint(error.hint())
        })?;

        let names = location.kind.token_variables();
        let token = std::iter::once(&TOKEN_VARIABLE)
            .chain(names)
            .find_map(|name| variable(name))
            .map(Secret::new)
            .ok_or_else(|| {
                let names = names.join("` or `");
                UserError::usage("there is no token for the forge")
                    .with_hint(format!("set `{TOKEN_VARIABLE}` or `{names}`"))
            })?;
        let http = Client::new(patchgate_http::ClientOptions {
            cache_dir: None,
            ..context.environment.client_options(false)
        })?;

        let (kind, api_url, project) = (location.kind, &location.api_url, location.project);
        let address = format!("{}/{project}", location.server_url.trim_end_matches('/'));
        let git_url = match kind {
            ForgeKind::GitHub | ForgeKind::Gitea => address.clone(),
            ForgeKind::GitLab => format!("{address}.git"),
        };
        let api = match kind {
            ForgeKind::GitHub => {
                GitHub::new(&http, api_url, &token, project, GitHubOptions::default())
                    .map(|forge| AnyForge::GitHub(Box::new(forge)))
            }
            ForgeKind::GitLab => GitLab::new(&http, api_url, &token, project).map(AnyForge::GitLab),
            ForgeKind::Gitea => Gitea::new(&http, api_url, &token, project).map(AnyForge::Gitea),
        }
        .map_err(|error| UserError::usage(error.to_string()))?;

        Ok(Self {
            api,
            kind,
            http,
            address,
            git_url,
            token,
        })
    }

    /// Address of a commit's page.
    pub(crate) fn commit_url(&self, commit: &str) -> String {
        let between = match self.kind {
            ForgeKind::GitHub | ForgeKind::Gitea => "commit",
            ForgeKind::GitLab => "-/commit",
        };
        format!("{}/{between}/{commit}", self.address)
    }

    /// The address that branches are pushed to.
    pub(crate) fn push_target(&self) -> Result<PushTarget, UserError> {
        PushTarget::new(&self.git_url, &self.token)
            .map_err(|error: PushError| UserError::usage(error.to_string()))
    }

    /// Whether this is a GitHub workflow with a token of an app's installation, as its own one is.
    pub(crate) fn has_workflow_token(&self, context: &Context) -> bool {
        context.environment.variable("GITHUB_ACTIONS") == Some("true")
            && matches!(&self.api, AnyForge::GitHub(github) if github.has_installation_token())
    }

    /// The CI job that this runs in. `PATCHGATE_JOB_NAME` names it when its check is not called as its
    /// id: a job with a `name` of its own, or one of a matrix.
    pub(crate) fn own_job(&self, context: &Context) -> Option<OwnJob> {
        let variable = |name: &str| context.environment.variable(name);
        let (run, name) = match self.kind {
            ForgeKind::GitHub | ForgeKind::Gitea => ("GITHUB_RUN_ID", "GITHUB_JOB"),
            ForgeKind::GitLab => ("CI_JOB_ID", "CI_JOB_NAME"),
        };

        Some(OwnJob {
            run_id: variable(run)?.to_owned(),
            name: variable("PATCHGATE_JOB_NAME")
                .or_else(|| variable(name))?
                .to_owned(),
        })
    }
}

/// An error of the forge with its next step.
pub(crate) fn failed(error: &ForgeError) -> UserError {
    UserError::failure(error.to_string()).with_optional_hint(error.hint())
}

//! `patchgate review --post`: writes the comment from a report that a job without a token wrote.
//!
//! The report comes from a job that the author of the pull request controls. It is shown as a text,
//! below a note that says so, and never becomes a status: a check that can be forged is worse than
//! none.

use std::path::Path;

use patchgate_forge::{Forge as _, keep_comment};
use patchgate_model::{PullRequestState, UserError};
use patchgate_report::{GITHUB_BODY_LIMIT, ReviewReport};

use super::{Args, COMMENT_KEY};
use crate::commands::gate::{pull_request_number, read_event};
use crate::context::Context;
use crate::exit::Exit;
use crate::forge::{OpenForge, failed};
use crate::output;

/// Largest report that is read, in bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The head of a pull request, as the forge's own event names it.
struct TrustedHead {
    sha: String,
    /// The repository of the branch, if the event names it.
    repository: Option<String>,
}

pub(super) async fn run(file: &Path, args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let head = trusted_head(args, context)?;
    let report = read(file, &head.sha)?;

    // A workflow that ran for a fork names no pull request. The report's own number is checked
    // against the head.
    let number = pull_request_number(args.pull_request, context).unwrap_or(report.pull_request);
    let forge = OpenForge::open(&args.forge, Path::new("."), context).await?;
    let pull = forge
        .api
        .pull_request(number)
        .await
        .map_err(|error| failed(&error))?;
    let is_other_repository = match (&head.repository, &pull.head.repository) {
        (Some(named), Some(own)) => !named.eq_ignore_ascii_case(own),
        _ => false,
    };
    if pull.head.sha != head.sha || is_other_repository {
        return Err(UserError::failure(format!(
            "pull request {number} has another head than `{}`",
            head.sha
        ))
        .with_hint("a newer commit has its own report")
        .into());
    }
    if pull.state != PullRequestState::Open {
        output::write("the pull request is closed, nothing is posted\n", None)?;
        return Ok(Exit::Clean);
    }

    let identity = forge.api.identity().await.map_err(|error| failed(&error))?;
    let text = report.to_posted_markdown(GITHUB_BODY_LIMIT);
    keep_comment(&forge.api, identity.as_ref(), number, COMMENT_KEY, &text)
        .await
        .map_err(|error| failed(&error))?;
    output::write(&format!("posted: {}\n", report.headline()), None)?;

    Ok(Exit::Clean)
}

/// The head that the flag or the event names.
fn trusted_head(args: &Args, context: &Context) -> Result<TrustedHead, UserError> {
    if let Some(sha) = &args.head {
        return Ok(TrustedHead {
            sha: sha.clone(),
            repository: None,
        });
    }

    let event = context
        .environment
        .variable("GITHUB_EVENT_PATH")
        .map(read_event)
        .transpose()?
        .unwrap_or_default();
    let run = &event["workflow_run"];
    let sha = run["head_sha"].as_str().ok_or_else(|| {
        UserError::usage("no event names the head that the report must be about").with_hint(
            "run it in a workflow on `workflow_run`, or give `--head COMMIT` from a source that the \
             pull request cannot change",
        )
    })?;

    Ok(TrustedHead {
        sha: sha.to_owned(),
        repository: run["head_repository"]["full_name"]
            .as_str()
            .map(str::to_owned),
    })
}

fn read(file: &Path, head_sha: &str) -> Result<ReviewReport, UserError> {
    let failed =
        |reason: String| UserError::usage(format!("the report `{}` {reason}", file.display()));
    let bytes = std::fs::File::open(file)
        .and_then(|file| patchgate_fs::read_up_to(file, MAX_BYTES))
        .map_err(|error| failed(format!("cannot be read: {error}")))?
        .ok_or_else(|| failed(format!("is larger than {MAX_BYTES} bytes")))?;

    ReviewReport::from_posted(&bytes, head_sha).map_err(|error| failed(error.to_string()))
}

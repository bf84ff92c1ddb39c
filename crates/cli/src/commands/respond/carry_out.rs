//! What each command does.

use patchgate_config::Config;
use patchgate_forge::Forge as _;
use patchgate_forge::pull_request::is_own_author;
use patchgate_model::{PlanBlock, PullRequest, PullRequestState, UserError};
use patchgate_report::{GITHUB_BODY_LIMIT, PrAction, clean, markdown_code, markdown_text};
use patchgate_scan::SETTINGS_FILE;

use super::command::Command;
use super::{MAX_ERROR, Responder};
use crate::commands::{explain, pr};
use crate::forge::failed;
use crate::output;

/// Largest settings file that is read, in bytes.
const MAX_SETTINGS_BYTES: usize = 1024 * 1024;

impl Responder<'_> {
    /// Carries a command out; the answer is Markdown.
    ///
    /// # Errors
    /// When it cannot be carried out.
    pub(super) async fn carry_out(
        &self,
        pull: &PullRequest,
        command: Command,
    ) -> anyhow::Result<String> {
        match command {
            Command::Rebase | Command::Recreate => self.renew(pull).await,
            Command::Hold(reason) => self.hold(pull, &reason).await,
            Command::Resume => self.resume(pull).await,
            Command::Ignore { id, until, reason } => {
                self.propose_ignore(pull, &id, until, &reason).await
            }
            Command::Explain(id) => self.explain(&id).await,
            Command::Approve => Ok(
                "An approval must name the commit that it is for, and a comment names none. Approve in a \
                 review of this pull request: the gate counts it for the head that was reviewed."
                    .to_owned(),
            ),
            Command::Rollback => self.propose_rollback(pull).await,
        }
    }

    /// Does what `patchgate pr` does: it renews the branch when the base moved, and never over a
    /// person's commits.
    async fn renew(&self, pull: &PullRequest) -> anyhow::Result<String> {
        self.require_own(pull)?;
        if pull.state != PullRequestState::Open {
            return Err(UserError::failure("the pull request is closed").into());
        }

        let base = pull.base.branch.as_str();
        let done = pr::propose(&self.args.proposing, Some(base), self.context).await?;
        output::write(&done.report.to_text(), None)?;
        let pulls = &done.report.pull_requests;
        let own = pulls.iter().find(|own| own.number == pull.number);
        let reason = own
            .and_then(|own| own.reason.as_deref())
            .map(|reason| format!(": {}", markdown_text(reason, MAX_ERROR)))
            .unwrap_or_default();
        let base = markdown_code(base);

        Ok(match own.map(|own| own.action) {
            Some(PrAction::Unchanged) => {
                format!("Nothing changed: the branch is up to date with {base}.")
            }
            Some(PrAction::Closed) => format!("Closed{reason}."),
            Some(PrAction::Left) | None => format!("Left as it is{reason}."),
            Some(PrAction::Opened | PrAction::Updated | PrAction::None) => {
                let after = self.forge.api.pull_request(pull.number).await;
                let after = after.map_err(|error| failed(&error))?.head.sha;
                match after == pull.head.sha {
                    true => format!("The branch is up to date with {base}. The text is renewed."),
                    false => format!(
                        "The branch is renewed, and is at {}.",
                        markdown_code(&after)
                    ),
                }
            }
        })
    }

    async fn hold(&self, pull: &PullRequest, reason: &str) -> anyhow::Result<String> {
        let labels = self.config(pull).await?.gate.hold_labels;
        let label = labels.first().ok_or_else(|| {
            UserError::failure("the policy has no label that stops a merge")
                .with_hint("name one in `gate.hold-labels` of `.patchgate.yml`")
        })?;
        self.forge
            .api
            .add_labels(pull.number, std::slice::from_ref(label))
            .await
            .map_err(|error| failed(&error))?;

        Ok(format!(
            "Held: the gate does not merge a pull request with the label {}. Reason: {}\n\n\
             `/patchgate resume` ends it.",
            markdown_code(label),
            markdown_text(reason, MAX_ERROR)
        ))
    }

    async fn resume(&self, pull: &PullRequest) -> anyhow::Result<String> {
        let holds = self.config(pull).await?.gate.hold_labels;
        let is_hold = |label: &&String| {
            let label = label.trim().to_lowercase();
            holds.iter().any(|hold| hold.trim().to_lowercase() == label)
        };
        let mut removed = Vec::new();
        for label in pull.labels.iter().filter(is_hold) {
            self.forge
                .api
                .remove_label(pull.number, label)
                .await
                .map_err(|error| failed(&error))?;
            removed.push(markdown_code(label));
        }

        Ok(match &removed[..] {
            [] => "No label stops the merge.".to_owned(),
            labels => format!("Resumed: {} is removed.", labels.join(", ")),
        })
    }

    async fn explain(&self, id: &str) -> anyhow::Result<String> {
        let args = &self.args.proposing;
        let args = explain::Args::of(id, &args.repository, &args.source, &args.vex);
        let (report, _) = explain::explain(&args, self.context).await?;
        let text = report.to_markdown();

        // Below the limit with the head of the answer.
        let limit = GITHUB_BODY_LIMIT - 2_000;
        if text.len() <= limit {
            return Ok(text);
        }
        let mut cut = String::new();
        for line in text.split_inclusive('\n') {
            if cut.len() + line.len() > limit {
                break;
            }
            cut.push_str(line);
        }
        Ok(format!(
            "{cut}\nThis text was cut to the length that the forge accepts."
        ))
    }

    /// The settings at the tip of the base branch. A base without settings has the defaults.
    async fn config(&self, pull: &PullRequest) -> anyhow::Result<Config> {
        let tip = self.base_tip(pull).await?;
        let read = self
            .forge
            .api
            .file(SETTINGS_FILE, &tip, MAX_SETTINGS_BYTES)
            .await;
        let Some(bytes) = read.map_err(|error| failed(&error))? else {
            return Ok(Config::default());
        };
        let text = String::from_utf8(bytes)
            .map_err(|_| UserError::failure(format!("`{SETTINGS_FILE}` is not UTF-8")))?;

        Ok(patchgate_config::parse(SETTINGS_FILE, &text)
            .map_err(|errors| UserError::failure(errors.to_string()))?)
    }

    pub(super) async fn base_tip(&self, pull: &PullRequest) -> anyhow::Result<String> {
        let branch = &pull.base.branch;
        let tip = self.forge.api.branch_tip(branch).await;
        let tip = tip.map_err(|error| failed(&error))?;
        Ok(tip
            .ok_or_else(|| UserError::failure(format!("there is no branch `{}`", clean(branch))))?)
    }

    /// Refuses a pull request that Patchgate did not open.
    pub(super) fn require_own(&self, pull: &PullRequest) -> Result<PlanBlock, UserError> {
        let not_own = || UserError::failure("this is not a pull request of Patchgate");
        let is_own = pull
            .head
            .branch
            .starts_with(patchgate_forge::git::BRANCH_PREFIX)
            && pull.head.repository.is_some()
            && pull.head.repository == pull.base.repository
            && is_own_author(pull.author.as_ref(), self.identity);
        if !is_own {
            return Err(not_own());
        }
        PlanBlock::parse(&pull.body)
            .map_err(|error| UserError::failure(format!("its plan cannot be read: {error}")))
    }
}

//! Pull requests that a command proposes: an ignore entry, or the way back from a merge.

use jiff::civil::Date;
use patchgate_config::NewIgnore;
use patchgate_forge::git::{Lease, PatchgateBranch, commit_files, remote_head};
use patchgate_forge::{Forge as _, NewPullRequest, without_commands};
use patchgate_inventory::repository_root;
use patchgate_model::{FileChange, PullRequest, PullRequestState, UserError, error_chain};
use patchgate_report::{markdown_code, markdown_text};
use patchgate_scan::SETTINGS_FILE;

use super::{MAX_ERROR, Responder};
use crate::commands::pr;
use crate::forge::failed;

/// Largest file that is changed, in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Most files of one proposal.
const MAX_FILES: usize = 200;

/// A pull request that is to be proposed.
struct Proposed {
    branch: PatchgateBranch,
    title: String,
    /// Markdown, escaped.
    body: String,
    changes: Vec<FileChange>,
}

impl Responder<'_> {
    pub(super) async fn propose_ignore(
        &self,
        pull: &PullRequest,
        id: &str,
        until: Date,
        reason: &str,
    ) -> anyhow::Result<String> {
        if until < self.context.environment.today() {
            return Err(UserError::failure(format!("{until} is in the past")).into());
        }
        let tip = self.base_tip(pull).await?;
        let bytes = self.file(SETTINGS_FILE, &tip).await?.ok_or_else(|| {
            UserError::failure(format!(
                "`{SETTINGS_FILE}` does not exist on the base branch"
            ))
            .with_hint("`patchgate init` writes one")
        })?;
        let text = String::from_utf8(bytes.clone())
            .map_err(|_| UserError::failure(format!("`{SETTINGS_FILE}` is not UTF-8")))?;
        let entry = NewIgnore {
            id: id.to_owned(),
            reason: reason.to_owned(),
            until,
        };
        let after = entry
            .add_to(SETTINGS_FILE, &text)
            .map_err(|error| UserError::failure(error.to_string()))?;

        let proposed = Proposed {
            branch: branch("ignore", &format!("{id}-until-{until}"))?,
            title: format!("Accept {id} until {until}"),
            body: format!(
                "Adds an ignore entry for {} until {until}, as a comment on {} asks.\n\nReason: {}\n\n\
                 Nothing is ignored until this is merged.",
                markdown_code(id),
                self.forge.kind.reference(pull.number),
                markdown_text(reason, MAX_ERROR)
            ),
            changes: vec![FileChange {
                path: SETTINGS_FILE.to_owned(),
                before: bytes,
                after: after.into_bytes(),
            }],
        };
        self.propose(pull, &tip, &proposed).await
    }

    pub(super) async fn propose_rollback(&self, pull: &PullRequest) -> anyhow::Result<String> {
        let block = self.require_own(pull)?;
        if pull.state != PullRequestState::Merged {
            return Err(UserError::failure("the pull request is not merged").into());
        }
        if block.commit != pull.head.sha {
            return Err(UserError::failure(
                "the merged head is not the commit of the plan, so that its way back is not known",
            )
            .with_hint("revert the merge by hand")
            .into());
        }
        if block.files.len() > MAX_FILES {
            return Err(UserError::failure(format!("more than {MAX_FILES} files change")).into());
        }

        let tip = self.base_tip(pull).await?;
        let mut changes = Vec::new();
        for path in &block.files {
            let before = self.file(path, &block.base).await?;
            let merged = self.file(path, &block.commit).await?;
            let now = self.file(path, &tip).await?;
            if now == before {
                continue;
            }
            let (Some(before), Some(merged), Some(now)) = (before, merged, now) else {
                return Err(by_hand(path, "was created or removed"));
            };
            if merged != now {
                return Err(by_hand(path, "has changed since the merge"));
            }
            changes.push(FileChange {
                path: path.clone(),
                before: now,
                after: before,
            });
        }
        if changes.is_empty() {
            return Ok("The files are as they were before the merge already.".to_owned());
        }

        let reference = self.forge.kind.reference(pull.number);
        let proposed = Proposed {
            branch: branch("rollback", &format!("{}-{}", pull.number, block.commit))?,
            title: format!("Roll back the fixes of {reference}"),
            body: format!(
                "Gives the files of {reference} the content that they had before its merge. The \
                 vulnerabilities that it fixed come back. `patchgate pr` proposes the fixes again: hold \
                 its pull request, or accept the findings, as long as they are not wanted."
            ),
            changes,
        };
        self.propose(pull, &tip, &proposed).await
    }

    async fn file(&self, path: &str, commit: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let read = self.forge.api.file(path, commit, MAX_BYTES).await;
        Ok(read.map_err(|error| failed(&error))?)
    }

    /// Pushes a branch with the changes and opens a pull request, unless both are there.
    async fn propose(
        &self,
        pull: &PullRequest,
        tip: &str,
        proposed: &Proposed,
    ) -> anyhow::Result<String> {
        let forge = self.forge;
        let identity = pr::identity(&self.args.proposing, forge, self.identity, self.context)?;
        let root = self.args.proposing.repository.path.as_deref();
        let root = repository_root(root.unwrap_or(std::path::Path::new(".")));
        let message = format!("{}\n", proposed.title);
        let commit = commit_files(&root, tip, &proposed.changes, &identity, &message)
            .await
            .map_err(|error| {
                UserError::failure(error_chain(&error))
                    .with_hint("check out the tip of the base branch, and write the command again")
            })?;

        let target = forge.push_target()?;
        let branch = &proposed.branch;
        let broken = |error: patchgate_forge::git::PushError| {
            UserError::failure(error_chain(&error)).with_optional_hint(error.hint())
        };
        let head = async || {
            remote_head(&target, &forge.http, branch.name())
                .await
                .map_err(broken)
        };
        if head().await?.is_none() {
            let pushed = target
                .push(&forge.http, branch, &commit, &Lease::Absent)
                .await;
            // After a lost answer, or when another run was faster, the branch is as it should be.
            if let Err(error) = pushed
                && head().await?.as_deref() != Some(&commit.id)
            {
                return Err(broken(error).into());
            }
        }

        let open = async || {
            let found = forge.api.request_from(branch, &pull.base.branch).await;
            found.map_err(|error| failed(&error))
        };
        let link = |number: u64| format!("{} proposes it.", forge.kind.reference(number));
        if let Some(found) = open().await? {
            return Ok(link(found.number));
        }
        if head().await?.as_deref() != Some(&commit.id) {
            return Err(UserError::failure(format!(
                "the branch `{}` exists already, with other commits and without an open pull request",
                branch.name()
            ))
            .with_hint("delete the branch, and write the command again")
            .into());
        }
        let opened = forge
            .api
            .open_request(&NewPullRequest {
                title: &proposed.title,
                body: &without_commands(&proposed.body),
                branch: branch.name(),
                base: &pull.base.branch,
            })
            .await;
        match opened {
            Ok(opened) => Ok(link(opened.number)),
            // An error of this second call would hide the first one, which says more.
            Err(error) => match open().await.ok().flatten() {
                Some(found) if error.may_have_taken_effect() => Ok(link(found.number)),
                _ => Err(failed(&error).into()),
            },
        }
    }
}

fn by_hand(path: &str, what: &str) -> anyhow::Error {
    UserError::failure(format!("`{path}` {what}"))
        .with_hint("revert the merge by hand")
        .into()
}

/// The branch of a proposal. Its name depends only on what is proposed.
fn branch(kind: &str, of: &str) -> anyhow::Result<PatchgateBranch> {
    let plain = of.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    Ok(PatchgateBranch::existing(&format!(
        "patchgate/{kind}-{plain}"
    ))?)
}

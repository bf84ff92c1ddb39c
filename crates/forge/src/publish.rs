//! Execution of the steps of [`crate::pull_request::decide`].

use patchgate_http::Client;
use patchgate_model::PlanBlock;

use crate::git::{Lease, NewCommit, PatchgateBranch, PushError, PushTarget, remote_head};
use crate::pull_request::{CloseReason, DesiredState, LeaveReason, Proposal, Step, decide};
use crate::{ForgeError, GitHub, OpenPullRequest};

/// The outcome for one pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishOutcome {
    /// It was up to date, and nothing was written.
    Unchanged {
        /// Number of the pull request.
        number: u64,
        /// Address of its page.
        url: String,
    },
    /// It was opened by this run.
    Opened {
        /// Number of the pull request.
        number: u64,
        /// Address of its page.
        url: String,
    },
    /// Its branch or its text was updated.
    Updated {
        /// Number of the pull request.
        number: u64,
        /// Address of its page.
        url: String,
    },
    /// It was closed with a comment, and its branch deleted.
    Closed {
        /// Number of the pull request.
        number: u64,
        /// Address of its page.
        url: String,
        /// Why it was closed.
        because: CloseReason,
        /// Why the branch could not be deleted; `None` if it was.
        branch_left: Option<String>,
    },
    /// It was left unchanged.
    Left {
        /// Number of the pull request.
        number: u64,
        /// Address of its page.
        url: String,
        /// Why it was left unchanged.
        because: LeaveReason,
    },
}

/// Why publishing failed. Completed steps are not undone; the next run continues from there.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A call to the forge failed.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// The branch could not be pushed.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The branch exists without an open pull request, and its commit is not known to be
    /// Patchgate's.
    #[error("the branch `{branch}` is already at `{commit}`, which Patchgate did not create")]
    ForeignBranch {
        /// Name of the branch.
        branch: String,
        /// Commit at its head.
        commit: String,
    },
}

impl PublishError {
    /// The next step: a fragment for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Forge(error) => error.hint(),
            Self::Push(error) => error.hint(),
            Self::ForeignBranch { branch, .. } => Some(format!(
                "check the branch `{branch}`, delete it if it is not needed, and run it again"
            )),
        }
    }
}

/// Everything that publishing needs.
#[derive(Debug)]
pub struct Publisher<'a> {
    /// Client of the forge.
    pub github: &'a GitHub,
    /// Network client for pushes.
    pub http: &'a Client,
    /// The repository to which branches are pushed.
    pub target: &'a PushTarget,
    /// The base branch of the pull requests.
    pub base: &'a str,
    /// Labels for a new pull request.
    pub labels: &'a [String],
}

impl Publisher<'_> {
    /// Brings the pull requests of the base branch into the wanted state. `commit` is the proposal's
    /// commit; without it, a proposal cannot be pushed.
    ///
    /// # Errors
    /// When a call or a push fails. Later steps are then not taken.
    pub async fn publish(
        &self,
        wanted: &DesiredState,
        commit: Option<&NewCommit>,
    ) -> Result<Vec<PublishOutcome>, PublishError> {
        let open = self.github.patchgate_pull_requests(self.base).await?;
        let steps = decide(wanted, &open);
        let mut done = Vec::new();

        let mut successor = None;
        for step in &steps {
            let outcome = match (wanted, commit) {
                (DesiredState::Proposal(proposal), Some(commit)) => {
                    self.step(step, &open, Some((proposal, commit)), successor)
                        .await?
                }
                _ => self.step(step, &open, None, successor).await?,
            };
            if let PublishOutcome::Opened { number, .. }
            | PublishOutcome::Updated { number, .. }
            | PublishOutcome::Unchanged { number, .. } = outcome
            {
                successor = Some(number);
            }

            done.push(outcome);
        }

        Ok(done)
    }

    async fn step(
        &self,
        step: &Step,
        open: &[OpenPullRequest],
        proposal: Option<(&Proposal, &NewCommit)>,
        successor: Option<u64>,
    ) -> Result<PublishOutcome, PublishError> {
        let url = |number: u64| {
            open.iter()
                .find(|pull| pull.number == number)
                .map(|pull| pull.url.clone())
                .unwrap_or_default()
        };

        match (step, proposal) {
            (Step::Keep { number }, _) => Ok(PublishOutcome::Unchanged {
                number: *number,
                url: url(*number),
            }),
            (Step::Open, Some((proposal, commit))) => self.open(proposal, commit).await,
            (Step::Renew { number, lease }, Some((proposal, commit))) => {
                self.target
                    .push(self.http, &proposal.branch, commit, lease)
                    .await?;
                self.describe(*number, proposal, url(*number)).await
            }
            (Step::Describe { number }, Some((proposal, _))) => {
                self.describe(*number, proposal, url(*number)).await
            }
            (
                Step::Close {
                    number,
                    branch,
                    head,
                    because,
                },
                _,
            ) => {
                let body = open
                    .iter()
                    .find(|pull| pull.number == *number)
                    .map_or("", |pull| pull.body.as_str());
                let comment = comment(*because, successor);
                let branch_left = self.close(*number, body, branch, head, &comment).await?;

                Ok(PublishOutcome::Closed {
                    number: *number,
                    url: url(*number),
                    because: *because,
                    branch_left,
                })
            }
            (Step::Leave { number, because }, _) => Ok(PublishOutcome::Left {
                number: *number,
                url: url(*number),
                because: because.clone(),
            }),
            // Only a proposal gives these steps, and it comes with its commit.
            (Step::Open | Step::Renew { .. } | Step::Describe { .. }, None) => {
                Err(ForgeError::Setup {
                    reason: "a proposal was given without its commit".to_owned(),
                }
                .into())
            }
        }
    }

    async fn open(
        &self,
        proposal: &Proposal,
        commit: &NewCommit,
    ) -> Result<PublishOutcome, PublishError> {
        let branch = &proposal.branch;
        let closed = self.github.closed_pull_requests(branch, self.base).await?;
        if let Some(declined) = closed
            .first()
            .filter(|last| !last.is_merged && !last.by_patchgate)
        {
            return Ok(PublishOutcome::Left {
                number: declined.number,
                url: declined.url.clone(),
                because: LeaveReason::Declined,
            });
        }

        match remote_head(self.target, self.http, branch.name()).await? {
            None => {
                self.target
                    .push(self.http, branch, commit, &Lease::Absent)
                    .await?;
            }
            // An earlier run was interrupted between push and opening.
            Some(head) if head == commit.id => {}
            Some(head) => {
                // A branch without an open pull request is Patchgate's if a closed one names its commit.
                let is_own = closed.iter().any(|pull| {
                    PlanBlock::parse(&pull.body).is_ok_and(|block| block.commit == head)
                });
                if !is_own {
                    return Err(PublishError::ForeignBranch {
                        branch: branch.name().to_owned(),
                        commit: head,
                    });
                }

                self.target
                    .push(self.http, branch, commit, &Lease::At(head))
                    .await?;
            }
        }

        let created = self
            .github
            .open_pull_request(&proposal.title, &proposal.body, branch.name(), self.base)
            .await?;
        self.github.add_labels(created.number, self.labels).await?;

        Ok(PublishOutcome::Opened {
            number: created.number,
            url: created.url,
        })
    }

    async fn describe(
        &self,
        number: u64,
        proposal: &Proposal,
        url: String,
    ) -> Result<PublishOutcome, PublishError> {
        self.github
            .update_pull_request(number, &proposal.title, &proposal.body)
            .await?;
        Ok(PublishOutcome::Updated { number, url })
    }

    /// Closes a pull request and deletes its branch. Returns the reason if the branch could not be
    /// deleted, which is not an error: the pull request is closed.
    async fn close(
        &self,
        number: u64,
        body: &str,
        branch: &PatchgateBranch,
        head: &str,
        comment: &str,
    ) -> Result<Option<String>, PublishError> {
        self.github.comment(number, comment).await?;
        self.github.close_pull_request(number, body).await?;
        let lease = Lease::At(head.to_owned());

        match self.target.delete(self.http, branch, &lease).await {
            Ok(()) => Ok(None),
            Err(error @ PushError::Moved { .. }) => {
                // A branch that is gone already is fine. One that moved is in use.
                let gone = remote_head(self.target, self.http, branch.name())
                    .await?
                    .is_none();
                Ok((!gone).then(|| error.to_string()))
            }
            Err(error) => Ok(Some(error.to_string())),
        }
    }
}

/// The comment below a pull request that is closed.
fn comment(because: CloseReason, successor: Option<u64>) -> String {
    match (because, successor) {
        (CloseReason::Superseded, Some(successor)) => format!("Superseded by #{successor}."),
        (CloseReason::Superseded, None) => "Superseded by a newer plan.".to_owned(),
        (CloseReason::Resolved, _) => {
            "Closed: the base branch no longer has the vulnerabilities that this fixes.".to_owned()
        }
    }
}

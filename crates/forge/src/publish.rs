//! Does what [`crate::pull_request::decide`] decided.

use patchgate_http::Client;
use patchgate_model::PlanBlock;

use crate::git::{Lease, NewCommit, PatchgateBranch, PushError, PushTarget, remote_head};
use crate::pull_request::{CloseReason, LeaveReason, Proposal, Step, Wanted, decide};
use crate::{ForgeError, GitHub, OpenPullRequest};

/// What was done about one pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It was as it should be, and nothing was written.
    Unchanged {
        /// Number.
        number: u64,
        /// Its page.
        url: String,
    },
    /// It was opened.
    Opened {
        /// Number.
        number: u64,
        /// Its page.
        url: String,
    },
    /// Its branch or its text was renewed.
    Updated {
        /// Number.
        number: u64,
        /// Its page.
        url: String,
    },
    /// It was closed with a comment, and its branch deleted.
    Closed {
        /// Number.
        number: u64,
        /// Its page.
        url: String,
        /// Why.
        because: CloseReason,
        /// Set when the branch could not be deleted: why.
        branch_left: Option<String>,
    },
    /// It was left alone.
    Left {
        /// Number.
        number: u64,
        /// Its page.
        url: String,
        /// Why.
        because: LeaveReason,
    },
}

/// What went wrong. What was done before it stays done; the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The forge.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// The push.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The branch exists, no open pull request is on it, and its commit is not known to be
    /// Patchgate's.
    #[error("the branch `{branch}` already stands on `{commit}`, which Patchgate did not make")]
    ForeignBranch {
        /// The branch.
        branch: String,
        /// Where it stands.
        commit: String,
    },
}

impl PublishError {
    /// What to do next: a sentence for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Forge(error) => error.hint(),
            Self::Push(error) => error.hint(),
            Self::ForeignBranch { branch, .. } => Some(format!(
                "look at the branch `{branch}`, delete it when it is not needed, and run it again"
            )),
        }
    }
}

/// Everything that publishing needs.
#[derive(Debug)]
pub struct Publisher<'a> {
    /// The forge.
    pub github: &'a GitHub,
    /// The network.
    pub http: &'a Client,
    /// Where branches are pushed to.
    pub target: &'a PushTarget,
    /// The branch that pull requests go to.
    pub base: &'a str,
    /// Labels for a new pull request.
    pub labels: &'a [String],
}

impl Publisher<'_> {
    /// Makes the forge show what is wanted. `commit` is the proposal's commit; a proposal without
    /// it is not pushed.
    ///
    /// # Errors
    /// At the first call or push that fails.
    pub async fn publish(
        &self,
        wanted: &Wanted,
        commit: Option<&NewCommit>,
    ) -> Result<Vec<Done>, PublishError> {
        let open = self.github.patchgate_pull_requests(self.base).await?;
        let steps = decide(wanted, &open);
        let mut done = Vec::new();

        let mut successor = None;
        for step in &steps {
            let outcome = match (wanted, commit) {
                (Wanted::Proposal(proposal), Some(commit)) => {
                    self.step(step, &open, Some((proposal, commit)), successor)
                        .await?
                }
                _ => self.step(step, &open, None, successor).await?,
            };
            if let Done::Opened { number, .. }
            | Done::Updated { number, .. }
            | Done::Unchanged { number, .. } = outcome
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
    ) -> Result<Done, PublishError> {
        let url = |number: u64| {
            open.iter()
                .find(|pull| pull.number == number)
                .map(|pull| pull.url.clone())
                .unwrap_or_default()
        };

        match (step, proposal) {
            (Step::Keep { number }, _) => Ok(Done::Unchanged {
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

                Ok(Done::Closed {
                    number: *number,
                    url: url(*number),
                    because: *because,
                    branch_left,
                })
            }
            (Step::Leave { number, because }, _) => Ok(Done::Left {
                number: *number,
                url: url(*number),
                because: because.clone(),
            }),
            // Steps that need a proposal come only from one.
            (Step::Open | Step::Renew { .. } | Step::Describe { .. }, None) => {
                Err(ForgeError::Setup {
                    reason: "a proposal was given without its commit".to_owned(),
                }
                .into())
            }
        }
    }

    async fn open(&self, proposal: &Proposal, commit: &NewCommit) -> Result<Done, PublishError> {
        let branch = &proposal.branch;
        let closed = self.github.closed_pull_requests(branch, self.base).await?;
        if let Some(declined) = closed
            .first()
            .filter(|last| !last.is_merged && !last.by_patchgate)
        {
            return Ok(Done::Left {
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
            // A run that was cut off between push and opening.
            Some(stands) if stands == commit.id => {}
            Some(stands) => {
                // A branch without an open pull request is Patchgate's when a closed one says so.
                let is_own = closed.iter().any(|pull| {
                    PlanBlock::parse(&pull.body).is_ok_and(|block| block.commit == stands)
                });
                if !is_own {
                    return Err(PublishError::ForeignBranch {
                        branch: branch.name().to_owned(),
                        commit: stands,
                    });
                }

                self.target
                    .push(self.http, branch, commit, &Lease::At(stands))
                    .await?;
            }
        }

        let created = self
            .github
            .open_pull_request(&proposal.title, &proposal.body, branch.name(), self.base)
            .await?;
        self.github.add_labels(created.number, self.labels).await?;

        Ok(Done::Opened {
            number: created.number,
            url: created.url,
        })
    }

    async fn describe(
        &self,
        number: u64,
        proposal: &Proposal,
        url: String,
    ) -> Result<Done, PublishError> {
        self.github
            .update_pull_request(number, &proposal.title, &proposal.body)
            .await?;
        Ok(Done::Updated { number, url })
    }

    /// Closes, and says why the branch is left where it could not be deleted: a closed pull request
    /// is done, whatever becomes of its branch.
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
                // Gone already is as good; moved means that somebody uses it.
                let gone = remote_head(self.target, self.http, branch.name())
                    .await?
                    .is_none();
                Ok((!gone).then(|| error.to_string()))
            }
            Err(error) => Ok(Some(error.to_string())),
        }
    }
}

/// What is said below a pull request that is closed.
fn comment(because: CloseReason, successor: Option<u64>) -> String {
    match (because, successor) {
        (CloseReason::Superseded, Some(successor)) => format!("Superseded by #{successor}."),
        (CloseReason::Superseded, None) => "Superseded by a newer plan.".to_owned(),
        (CloseReason::Resolved, _) => {
            "Closed: the base branch no longer has the vulnerabilities that this fixes.".to_owned()
        }
    }
}

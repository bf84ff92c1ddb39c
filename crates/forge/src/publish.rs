//! Execution of the steps of [`crate::pull_request::decide`].

use std::collections::BTreeMap;

use patchgate_http::Client;
use patchgate_model::PlanBlock;

use crate::ForgeError;
use crate::comments::keep_comment;
use crate::forge::Forge;
use crate::git::{
    BRANCH_PREFIX, Lease, NewCommit, PatchgateBranch, PushError, PushTarget, remote_branches,
    remote_head,
};
use crate::guard::without_commands;
use crate::pull_request::{
    CloseReason, DesiredState, LeaveReason, Proposal, Step, decide, is_own_author,
};
use crate::requests::{
    ClosedPullRequest, CreatedPullRequest, NewPullRequest, OpenPullRequest, TokenIdentity,
};

/// Mark in the body of a pull request that Patchgate closed itself. A closed pull request without it
/// was closed by a person, and its plan is not proposed again.
const CLOSED_MARK: &str = "<!-- patchgate:closed -->";

/// The comment below a pull request that has nothing left to fix.
const RESOLVED: &str = "Closed: the base branch no longer has the vulnerabilities that this fixes.";

/// Most branches without an open pull request that one run looks at.
const MAX_LEFT_BRANCHES: usize = 20;

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
    /// An earlier run closed it and was interrupted. Its branch is deleted now.
    BranchDeleted {
        /// Number of the pull request.
        number: u64,
        /// Address of its page.
        url: String,
    },
    /// It is not opened yet.
    Waiting {
        /// Its branch.
        branch: String,
        /// Its title.
        title: String,
        /// What it waits for: a fragment.
        reason: String,
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
pub struct Publisher<'a, F> {
    /// Client of the forge.
    pub forge: &'a F,
    /// The account of the token, as far as the forge tells it.
    pub identity: Option<&'a TokenIdentity>,
    /// Network client for pushes.
    pub http: &'a Client,
    /// The repository to which branches are pushed.
    pub target: &'a PushTarget,
    /// The base branch of the pull requests.
    pub base: &'a str,
    /// Labels that the pull request has.
    pub labels: &'a [String],
}

impl<F: Forge> Publisher<'_, F> {
    /// Brings the pull requests of the base branch into the wanted state. `commits` has the commits of
    /// the proposals; without its commit, a proposal cannot be pushed.
    ///
    /// # Errors
    /// When a call or a push fails. Later steps are then not taken, except after
    /// [`PublishError::ForeignBranch`], which concerns one proposal only.
    pub async fn publish(
        &self,
        wanted: &DesiredState,
        commits: &[NewCommit],
    ) -> Result<Vec<PublishOutcome>, PublishError> {
        self.publish_numbered(wanted, commits, &mut BTreeMap::new())
            .await
    }

    /// The same, and writes to `standing` which pull request has which proposal, by the proposal's index;
    /// after an error too, as far as it was done.
    ///
    /// # Errors
    /// As for [`Publisher::publish`].
    pub async fn publish_numbered(
        &self,
        wanted: &DesiredState,
        commits: &[NewCommit],
        standing: &mut BTreeMap<usize, u64>,
    ) -> Result<Vec<PublishOutcome>, PublishError> {
        let wanted = guarded(wanted);
        let open = self.forge.open_requests(self.base).await?;
        let mut run = Run {
            wanted: &wanted,
            commits,
            open: &open,
            standing,
        };

        let mut done = Vec::new();
        let mut foreign = None;
        for step in decide(&wanted, &open, self.identity) {
            match self.step(&step, &mut run).await {
                Ok(outcome) => done.push(outcome),
                Err(error @ PublishError::ForeignBranch { .. }) => {
                    foreign = foreign.or(Some(error))
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = foreign {
            return Err(error);
        }

        if wanted.unknown.is_none() {
            self.delete_left_branches(&run, &mut done).await?;
        }

        Ok(done)
    }

    async fn step(&self, step: &Step, run: &mut Run<'_>) -> Result<PublishOutcome, PublishError> {
        match step {
            Step::Keep { number, proposal } => {
                run.standing.insert(*proposal, *number);
                let (number, url) = (*number, run.url(*number));
                Ok(match self.label(number, run.labels(number)).await? {
                    true => PublishOutcome::Updated { number, url },
                    false => PublishOutcome::Unchanged { number, url },
                })
            }
            Step::Open { proposal } => {
                let (wanted, commit) = run.proposal(*proposal)?;
                let outcome = self.open(wanted, commit).await?;
                if let PublishOutcome::Opened { number, .. } = outcome {
                    run.standing.insert(*proposal, number);
                }
                Ok(outcome)
            }
            Step::Wait { proposal, reason } => {
                let (wanted, _) = run.proposal(*proposal)?;
                Ok(PublishOutcome::Waiting {
                    branch: wanted.branch.name().to_owned(),
                    title: wanted.title.clone(),
                    reason: reason.clone(),
                })
            }
            Step::Renew {
                number,
                proposal,
                lease,
            } => {
                let (wanted, commit) = run.proposal(*proposal)?;
                self.target
                    .push(self.http, &wanted.branch, commit, lease)
                    .await?;
                self.describe(*number, *proposal, run).await
            }
            Step::Describe { number, proposal } => self.describe(*number, *proposal, run).await,
            Step::Close {
                number,
                branch,
                head,
                because,
            } => self.end(*number, branch, head, because, run).await,
            Step::Leave { number, because } => Ok(PublishOutcome::Left {
                number: *number,
                url: run.url(*number),
                because: because.clone(),
            }),
        }
    }

    /// Closes a pull request, unless what it fixes would be proposed nowhere.
    async fn end(
        &self,
        number: u64,
        branch: &PatchgateBranch,
        head: &str,
        because: &CloseReason,
        run: &Run<'_>,
    ) -> Result<PublishOutcome, PublishError> {
        let url = run.url(number);
        let comment = match because {
            CloseReason::Resolved => RESOLVED.to_owned(),
            CloseReason::Superseded(successors) => {
                let links = successors.iter().map(|proposal| {
                    let number = run.standing.get(proposal)?;
                    Some(self.forge.kind().reference(*number))
                });
                match links.collect::<Option<Vec<String>>>() {
                    Some(links) => format!("Superseded by {}.", links.join(", ")),
                    None => {
                        let because = LeaveReason::NoSuccessor;
                        return Ok(PublishOutcome::Left {
                            number,
                            url,
                            because,
                        });
                    }
                }
            }
        };

        let branch_left = self
            .close(number, run.body(number), branch, head, &comment)
            .await?;
        Ok(PublishOutcome::Closed {
            number,
            url,
            because: because.clone(),
            branch_left,
        })
    }

    async fn open(
        &self,
        proposal: &Proposal,
        commit: &NewCommit,
    ) -> Result<PublishOutcome, PublishError> {
        let branch = &proposal.branch;
        let closed = self.forge.closed_requests(branch, self.base).await?;
        if let Some(declined) = closed
            .first()
            .filter(|last| !last.is_merged && !last.body.contains(CLOSED_MARK))
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

        let created = self.open_or_find(proposal).await?;
        self.label(created.number, &[]).await?;

        Ok(PublishOutcome::Opened {
            number: created.number,
            url: created.url,
        })
    }

    /// Opens the pull request. When the answer is lost, or another run was faster, the one that exists
    /// now counts.
    async fn open_or_find(&self, proposal: &Proposal) -> Result<CreatedPullRequest, PublishError> {
        let error = match self
            .forge
            .open_request(&NewPullRequest {
                title: &proposal.title,
                body: &proposal.body,
                branch: proposal.branch.name(),
                base: self.base,
            })
            .await
        {
            Ok(created) => return Ok(created),
            Err(error) if error.may_have_taken_effect() => error,
            Err(error) => return Err(error.into()),
        };

        // An error of this second call would hide the first one, which says more.
        let open = self.forge.open_requests(self.base).await;
        open.unwrap_or_default()
            .into_iter()
            .find(|pull| {
                pull.branch == proposal.branch.name()
                    && pull.head == proposal.commit
                    && is_own_author(pull.author.as_ref(), self.identity)
            })
            .map(|pull| CreatedPullRequest {
                number: pull.number,
                url: pull.url,
            })
            .ok_or_else(|| error.into())
    }

    /// Sets labels, title and body of a proposal's pull request.
    async fn describe(
        &self,
        number: u64,
        proposal: usize,
        run: &mut Run<'_>,
    ) -> Result<PublishOutcome, PublishError> {
        let (wanted, _) = run.proposal(proposal)?;
        self.label(number, run.labels(number)).await?;
        self.forge
            .describe_request(number, &wanted.title, &wanted.body)
            .await?;
        run.standing.insert(proposal, number);

        Ok(PublishOutcome::Updated {
            number,
            url: run.url(number),
        })
    }

    /// Adds the labels that are missing. Returns whether there were any.
    async fn label(&self, number: u64, present: &[String]) -> Result<bool, PublishError> {
        let missing: Vec<String> = self
            .labels
            .iter()
            .filter(|label| {
                !present
                    .iter()
                    .any(|other| other.eq_ignore_ascii_case(label))
            })
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(false);
        }
        self.forge.add_labels(number, &missing).await?;
        Ok(true)
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
        keep_comment(self.forge, self.identity, number, "closed", comment).await?;
        let body = format!("{}\n{CLOSED_MARK}\n", body.trim_end());
        self.forge.close_request(number, &body).await?;
        self.delete(branch, head).await
    }

    async fn delete(
        &self,
        branch: &PatchgateBranch,
        head: &str,
    ) -> Result<Option<String>, PublishError> {
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

    /// Deletes branches of pull requests that an earlier run closed before it was interrupted. A branch
    /// of a person, and one that moved since, stays.
    async fn delete_left_branches(
        &self,
        run: &Run<'_>,
        done: &mut Vec<PublishOutcome>,
    ) -> Result<(), PublishError> {
        let branches = remote_branches(self.target, self.http, BRANCH_PREFIX).await?;
        let proposals = &run.wanted.proposals;
        let left = branches
            .iter()
            .filter_map(|(name, head)| Some((PatchgateBranch::existing(name).ok()?, head)))
            .filter(|(branch, _)| {
                branch.group().is_some()
                    && !proposals.iter().any(|proposal| proposal.branch == *branch)
                    && !run.open.iter().any(|pull| pull.branch == branch.name())
            });

        for (branch, head) in left.take(MAX_LEFT_BRANCHES) {
            let closed = self.forge.closed_requests(&branch, self.base).await?;
            let Some(last) = closed
                .first()
                .filter(|last| self.is_closed_here(last, head))
            else {
                continue;
            };
            if self.delete(&branch, head).await?.is_none() {
                done.push(PublishOutcome::BranchDeleted {
                    number: last.number,
                    url: last.url.clone(),
                });
            }
        }

        Ok(())
    }

    /// Whether Patchgate opened and closed the pull request, and its branch is where Patchgate left it.
    fn is_closed_here(&self, pull: &ClosedPullRequest, head: &str) -> bool {
        !pull.is_merged
            && pull.body.contains(CLOSED_MARK)
            && is_own_author(pull.author.as_ref(), self.identity)
            && PlanBlock::parse(&pull.body).is_ok_and(|block| block.commit == head)
    }
}

/// One run: what it wants, and what it has seen and done so far.
struct Run<'a> {
    wanted: &'a DesiredState,
    commits: &'a [NewCommit],
    open: &'a [OpenPullRequest],
    /// The proposals that have a pull request now, with its number.
    standing: &'a mut BTreeMap<usize, u64>,
}

impl<'a> Run<'a> {
    fn pull(&self, number: u64) -> Option<&'a OpenPullRequest> {
        self.open.iter().find(|pull| pull.number == number)
    }

    fn url(&self, number: u64) -> String {
        let pull = self.pull(number);
        pull.map(|pull| pull.url.clone()).unwrap_or_default()
    }

    fn labels(&self, number: u64) -> &'a [String] {
        self.pull(number).map_or(&[], |pull| &pull.labels)
    }

    fn body(&self, number: u64) -> &'a str {
        self.pull(number).map_or("", |pull| &pull.body)
    }

    /// A proposal with its commit.
    fn proposal(&self, index: usize) -> Result<(&'a Proposal, &'a NewCommit), PublishError> {
        let proposal = self.wanted.proposals.get(index);
        let found = proposal.and_then(|proposal| {
            let mut commits = self.commits.iter();
            let commit = commits.find(|commit| commit.id == proposal.commit)?;
            Some((proposal, commit))
        });
        found.ok_or_else(|| {
            PublishError::Forge(ForgeError::Setup {
                reason: "a proposal was given without its commit".to_owned(),
            })
        })
    }
}

/// The wanted state with bodies in which no line is a command to the forge.
fn guarded(wanted: &DesiredState) -> DesiredState {
    let mut wanted = wanted.clone();
    for proposal in &mut wanted.proposals {
        proposal.body = without_commands(&proposal.body);
    }
    wanted
}

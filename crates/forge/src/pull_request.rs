//! Decisions about Patchgate's pull requests, without any effects.
//!
//! There is one open pull request for each proposal. A run with the same plans on the same base changes
//! nothing. A plan of a group that changes opens a new pull request and closes the old one, once the
//! new one exists. A pull request without anything left to fix is closed. A plan whose pull request was
//! closed by a person is not proposed again. Commits of other people on a branch are never overwritten,
//! and an incomplete scan never counts as clean.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use patchgate_model::{Account, DATED_MARK, PlanBlock};

use crate::git::{Lease, PatchgateBranch};
use crate::requests::{OpenPullRequest, TokenIdentity};

/// The state of the pull requests that this run wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DesiredState {
    /// The pull requests that should be open, most urgent first.
    pub proposals: Vec<Proposal>,
    /// Why other pull requests stay open, when the run cannot say whether they are still needed: a
    /// fragment.
    pub unknown: Option<String>,
    /// Packages with findings that no proposal fixes, as `ecosystem:name`. A pull request that fixes
    /// one of them stays open.
    pub remaining: BTreeSet<String>,
    /// How many pull requests may be opened.
    pub limits: Limits,
}

impl DesiredState {
    /// Pull requests with plans, and nothing else.
    #[must_use]
    pub fn of(proposals: Vec<Proposal>) -> Self {
        Self {
            proposals,
            ..Self::default()
        }
    }

    /// No pull request, because there is no finding that Patchgate would fix.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Undecided: the scan is incomplete, for instance.
    #[must_use]
    pub fn unknown(reason: &str) -> Self {
        Self {
            unknown: Some(reason.to_owned()),
            ..Self::default()
        }
    }
}

/// How many pull requests may be opened. Urgent ones are exempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Most open ones of this account into the base branch. One that replaces an open one is not
    /// counted.
    pub max_open: Option<usize>,
    /// Most that are opened within an hour. Only those that are still open are known.
    pub max_new_per_hour: Option<usize>,
    /// The time of the run.
    pub now: Timestamp,
}

/// A pull request that should be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Head branch of the pull request.
    pub branch: PatchgateBranch,
    /// The commit that the branch should be at.
    pub commit: String,
    /// Title of the pull request.
    pub title: String,
    /// Body as Markdown, with its plan block.
    pub body: String,
    /// Whether it waits for no limit and no schedule.
    pub is_urgent: bool,
    /// Why it is not opened now, unless it is urgent: a fragment. An open one is kept up to date.
    pub waits: Option<String>,
}

/// A change of one pull request. A proposal is named by its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The pull request is up to date.
    Keep {
        /// Number of the pull request.
        number: u64,
        /// The proposal that it has.
        proposal: usize,
    },
    /// Push the proposal's commit to the branch, then set title and body.
    Renew {
        /// Number of the pull request.
        number: u64,
        /// The proposal that it should have.
        proposal: usize,
        /// Commit at the head of the branch now.
        lease: Lease,
    },
    /// Set title and body. The branch is up to date.
    Describe {
        /// Number of the pull request.
        number: u64,
        /// The proposal that it has.
        proposal: usize,
    },
    /// Push the proposal's branch and open a pull request.
    Open {
        /// The proposal.
        proposal: usize,
    },
    /// Open no pull request yet.
    Wait {
        /// The proposal.
        proposal: usize,
        /// What it waits for: a fragment.
        reason: String,
    },
    /// Close the pull request with a comment and delete its branch.
    Close {
        /// Number of the pull request.
        number: u64,
        /// Head branch of the pull request.
        branch: PatchgateBranch,
        /// Commit at the head of the branch now.
        head: String,
        /// Why the pull request is closed.
        because: CloseReason,
    },
    /// Leave the pull request unchanged.
    Leave {
        /// Number of the pull request.
        number: u64,
        /// Why the pull request is left unchanged.
        because: LeaveReason,
    },
}

/// Why a pull request is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// These proposals replace it. It is closed only once all of them have a pull request.
    Superseded(Vec<usize>),
    /// Nothing is left to fix.
    Resolved,
}

/// Why a pull request is left unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaveReason {
    /// Its head is a commit that Patchgate did not create.
    ForeignCommit,
    /// Another account opened it.
    ForeignAuthor,
    /// It is superseded, but a pull request that should replace it does not exist.
    NoSuccessor,
    /// Its body does not state which commit Patchgate created.
    UnreadableBlock(String),
    /// The run is incomplete, so it cannot be closed.
    NotKnown(String),
    /// A person closed it, and the same plan is not proposed again.
    Declined,
}

impl std::fmt::Display for LeaveReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ForeignCommit => {
                write!(
                    f,
                    "its branch contains commits that Patchgate did not create"
                )
            }
            Self::ForeignAuthor => write!(f, "another account opened it"),
            Self::NoSuccessor => write!(
                f,
                "a pull request that would replace it is not open: it waits, or a person closed it"
            ),
            Self::Declined => write!(
                f,
                "it was closed by a person, and the same plan is not proposed again until it is reopened"
            ),
            Self::UnreadableBlock(reason) => write!(f, "{reason}"),
            Self::NotKnown(reason) => write!(f, "{reason}"),
        }
    }
}

/// Whether the token's account is the author. Where the forge does not tell the token's account, which
/// is so for an app's token on GitHub, the author must at least be a bot.
#[must_use]
pub fn is_own_author(author: Option<&Account>, identity: Option<&TokenIdentity>) -> bool {
    let Some(author) = author else {
        return false;
    };
    match identity {
        Some(own) => author.login.eq_ignore_ascii_case(&own.login),
        None => author.kind.eq_ignore_ascii_case("bot") || author.login.ends_with("[bot]"),
    }
}

/// Decides what to do about the open pull requests of one base branch. `identity` is the account of
/// the token, as far as the forge tells it.
#[must_use]
pub fn decide(
    wanted: &DesiredState,
    open: &[OpenPullRequest],
    identity: Option<&TokenIdentity>,
) -> Vec<Step> {
    let proposals = &wanted.proposals;
    let is_wanted = |pull: &&OpenPullRequest| {
        let mut branches = proposals.iter().map(|proposal| proposal.branch.name());
        branches.any(|branch| branch == pull.branch)
    };
    let others: Vec<&OpenPullRequest> = open.iter().filter(|pull| !is_wanted(pull)).collect();
    let ends: Vec<Step> = others
        .iter()
        .map(|pull| end(wanted, pull, identity))
        .collect();

    let mut budget = Budget::new(wanted.limits, open, &ends, identity);
    let mut steps: Vec<Step> = proposals
        .iter()
        .enumerate()
        .map(|(index, proposal)| {
            let same = |pull: &&OpenPullRequest| pull.branch == proposal.branch.name();
            match open.iter().find(same) {
                Some(pull) => renew(index, proposal, pull, identity),
                None => open_or_wait(index, proposal, &ends, &mut budget),
            }
        })
        .collect();
    steps.extend(ends);

    steps
}

/// The end of a pull request whose branch no proposal has.
fn end(wanted: &DesiredState, pull: &OpenPullRequest, identity: Option<&TokenIdentity>) -> Step {
    let left = |reason: &str| Step::Leave {
        number: pull.number,
        because: LeaveReason::NotKnown(reason.to_owned()),
    };
    if let Some(reason) = &wanted.unknown {
        return left(reason);
    }

    let successors = successors(&wanted.proposals, pull);
    if !successors.is_empty() {
        return close(pull, CloseReason::Superseded(successors), identity);
    }

    // A block of an earlier release does not name its packages: any may be one of them.
    let packages = PlanBlock::parse(&pull.body).map_or_else(|_| Vec::new(), |it| it.packages);
    let mut own = packages.iter();
    let remains = match packages.is_empty() {
        true => !wanted.remaining.is_empty(),
        false => own.any(|package| wanted.remaining.contains(package)),
    };
    match remains {
        true => left("findings are left that cannot be fixed now"),
        false => close(pull, CloseReason::Resolved, identity),
    }
}

/// The proposals that replace a pull request: they change one of its files, and are of the same group
/// or fix one of its packages.
fn successors(proposals: &[Proposal], pull: &OpenPullRequest) -> Vec<usize> {
    let Ok(old) = PlanBlock::parse(&pull.body) else {
        return Vec::new();
    };
    let branch = PatchgateBranch::existing(&pull.branch).ok();
    let group = branch.as_ref().and_then(PatchgateBranch::group);
    let share = |a: &[String], b: &[String]| a.iter().any(|one| b.contains(one));

    let replaces = |proposal: &Proposal| {
        let Ok(new) = PlanBlock::parse(&proposal.body) else {
            return false;
        };
        let is_related = (group.is_some() && group == proposal.branch.group())
            || share(&old.packages, &new.packages);
        is_related && share(&old.files, &new.files)
    };
    proposals
        .iter()
        .enumerate()
        .filter(|(_, proposal)| replaces(proposal))
        .map(|(index, _)| index)
        .collect()
}

/// The pull requests that may still be opened.
struct Budget {
    limits: Limits,
    open: usize,
    new: usize,
}

impl Budget {
    fn new(
        limits: Limits,
        open: &[OpenPullRequest],
        ends: &[Step],
        identity: Option<&TokenIdentity>,
    ) -> Self {
        let own = || {
            let pulls = open.iter();
            pulls.filter(|pull| is_own_author(pull.author.as_ref(), identity))
        };
        let resolved = ends.iter().filter(|end| {
            matches!(
                end,
                Step::Close {
                    because: CloseReason::Resolved,
                    ..
                }
            )
        });
        let is_new = |pull: &&OpenPullRequest| {
            // One whose time is not known may be new.
            pull.created_at.is_none_or(|created| {
                limits.now.duration_since(created) < SignedDuration::from_hours(1)
            })
        };

        Self {
            limits,
            open: own().count().saturating_sub(resolved.count()),
            new: own().filter(is_new).count(),
        }
    }

    /// Counts one that is opened.
    fn open(&mut self, replaces: bool) {
        self.open += usize::from(!replaces);
        self.new += 1;
    }

    /// Why none may be opened.
    fn is_used_up(&self, replaces: bool) -> Option<String> {
        if let Some(most) = self.limits.max_open
            && self.open >= most
            && !replaces
        {
            return Some(format!(
                "{} pull requests of Patchgate are open, and `max-open` is {most}",
                self.open
            ));
        }
        if let Some(most) = self.limits.max_new_per_hour
            && self.new >= most
        {
            return Some(format!(
                "{} pull requests were opened within an hour, and `max-new-per-hour` is {most}",
                self.new
            ));
        }

        None
    }
}

fn open_or_wait(index: usize, proposal: &Proposal, ends: &[Step], budget: &mut Budget) -> Step {
    let replaces = ends.iter().any(|end| {
        matches!(end, Step::Close { because: CloseReason::Superseded(by), .. } if by.contains(&index))
    });
    if !proposal.is_urgent {
        let waits = proposal.waits.clone();
        if let Some(reason) = waits.or_else(|| budget.is_used_up(replaces)) {
            return Step::Wait {
                proposal: index,
                reason,
            };
        }
    }

    budget.open(replaces);
    Step::Open { proposal: index }
}

fn renew(
    index: usize,
    proposal: &Proposal,
    pull: &OpenPullRequest,
    identity: Option<&TokenIdentity>,
) -> Step {
    let number = pull.number;
    if !is_own_author(pull.author.as_ref(), identity) {
        return Step::Leave {
            number,
            because: LeaveReason::ForeignAuthor,
        };
    }

    if pull.head == proposal.commit {
        // Also the way out of a run that was cut off between push and description.
        let is_same =
            same_text(&pull.title, &proposal.title) && same_text(&pull.body, &proposal.body);
        return match is_same {
            true => Step::Keep {
                number,
                proposal: index,
            },
            false => Step::Describe {
                number,
                proposal: index,
            },
        };
    }

    match owned(pull, identity) {
        Ok(()) => Step::Renew {
            number,
            proposal: index,
            lease: Lease::At(pull.head.clone()),
        },
        Err(because) => Step::Leave { number, because },
    }
}

fn close(pull: &OpenPullRequest, because: CloseReason, identity: Option<&TokenIdentity>) -> Step {
    let number = pull.number;
    let branch = PatchgateBranch::existing(&pull.branch)
        .map_err(|error| LeaveReason::UnreadableBlock(error.to_string()));

    match (owned(pull, identity), branch) {
        (Ok(()), Ok(branch)) => Step::Close {
            number,
            branch,
            head: pull.head.clone(),
            because,
        },
        (Err(because), _) | (_, Err(because)) => Step::Leave { number, because },
    }
}

/// Whether this account opened it, and its head is the commit that Patchgate says it made.
fn owned(pull: &OpenPullRequest, identity: Option<&TokenIdentity>) -> Result<(), LeaveReason> {
    if !is_own_author(pull.author.as_ref(), identity) {
        return Err(LeaveReason::ForeignAuthor);
    }

    match PlanBlock::parse(&pull.body) {
        Ok(block) if block.commit == pull.head => Ok(()),
        Ok(_) => Err(LeaveReason::ForeignCommit),
        Err(error) => Err(LeaveReason::UnreadableBlock(error.to_string())),
    }
}

/// Whether two texts are the same but for line ends, the space around them, which forges change, and
/// lines that have a date.
fn same_text(a: &str, b: &str) -> bool {
    let lines = |text: &str| {
        let lines = text.trim().lines();
        lines
            .filter(|line| !line.contains(DATED_MARK))
            .map(|line| line.trim_end().to_owned())
            .collect::<Vec<_>>()
    };
    lines(a) == lines(b)
}

#[cfg(test)]
mod tests;

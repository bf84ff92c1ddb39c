//! Decisions about Patchgate's pull requests, without any effects.
//!
//! There is one open pull request of Patchgate per base branch. A run with the same plan on the same
//! base changes nothing. A run with another plan opens a new pull request and closes the old one. A
//! run without anything to fix closes it. A plan whose pull request was closed by a person is not
//! proposed again. Commits of other people on a branch are never overwritten, and an incomplete scan
//! never counts as clean.

use patchgate_model::{Account, PlanBlock};

use crate::git::{Lease, PatchgateBranch};
use crate::requests::{OpenPullRequest, TokenIdentity};

/// The state of the pull requests that this run wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DesiredState {
    /// One pull request with a plan.
    Proposal(Proposal),
    /// No pull request, because there is no finding that Patchgate would fix.
    Nothing,
    /// Undecided: the scan is incomplete, or there are findings that cannot be fixed now.
    Unknown {
        /// The reason: a fragment.
        reason: String,
    },
}

/// The pull request that should be open.
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
    /// Whether the scan is complete. After an incomplete scan no other pull request is closed, because
    /// it may fix findings that this run missed.
    pub is_complete: bool,
}

/// A change of one pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The pull request is up to date.
    Keep {
        /// Number of the pull request.
        number: u64,
    },
    /// Push the proposal's commit to the branch, then set title and body.
    Renew {
        /// Number of the pull request.
        number: u64,
        /// Commit at the head of the branch now.
        lease: Lease,
    },
    /// Set title and body. The branch is up to date.
    Describe {
        /// Number of the pull request.
        number: u64,
    },
    /// Push the proposal's branch and open a pull request.
    Open,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The proposal replaces it.
    Superseded,
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
    /// It is superseded, but the pull request that should replace it does not exist.
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
                "no other pull request has its fixes, because a person closed the one with the new plan"
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
    match wanted {
        DesiredState::Proposal(proposal) => propose(proposal, open, identity),
        DesiredState::Nothing => open
            .iter()
            .map(|pull| close(pull, CloseReason::Resolved, identity))
            .collect(),
        DesiredState::Unknown { reason } => open
            .iter()
            .map(|pull| Step::Leave {
                number: pull.number,
                because: LeaveReason::NotKnown(reason.clone()),
            })
            .collect(),
    }
}

fn propose(
    proposal: &Proposal,
    open: &[OpenPullRequest],
    identity: Option<&TokenIdentity>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let (same, others): (Vec<&OpenPullRequest>, Vec<&OpenPullRequest>) = open
        .iter()
        .partition(|pull| pull.branch == proposal.branch.name());
    match same.first() {
        Some(pull) => steps.push(renew(proposal, pull, identity)),
        None => steps.push(Step::Open),
    }

    for pull in others {
        steps.push(if proposal.is_complete {
            close(pull, CloseReason::Superseded, identity)
        } else {
            Step::Leave {
                number: pull.number,
                because: LeaveReason::NotKnown(
                    "the scan is incomplete, and it may fix findings that this scan missed"
                        .to_owned(),
                ),
            }
        });
    }

    steps
}

fn renew(proposal: &Proposal, pull: &OpenPullRequest, identity: Option<&TokenIdentity>) -> Step {
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
        return if is_same {
            Step::Keep { number }
        } else {
            Step::Describe { number }
        };
    }

    match owned(pull, identity) {
        Ok(()) => Step::Renew {
            number,
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

/// Whether two texts are the same but for line ends and the space around them, which forges change.
fn same_text(a: &str, b: &str) -> bool {
    let lines = |text: &str| {
        text.trim()
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect::<Vec<_>>()
    };
    lines(a) == lines(b)
}

#[cfg(test)]
mod tests {
    use patchgate_model::{FileChange, Plan};

    use super::*;

    fn body(commit: &str) -> String {
        let plan = Plan {
            changes: vec![FileChange {
                path: "Cargo.lock".into(),
                before: Vec::new(),
                after: b"x".to_vec(),
            }],
            ..Plan::default()
        };
        format!("text\n{}", PlanBlock::new(&plan, "base", commit).render())
    }

    fn proposal(branch: &str, commit: &str) -> Proposal {
        Proposal {
            branch: PatchgateBranch::existing(branch).unwrap(),
            commit: commit.to_owned(),
            title: "Fix".to_owned(),
            body: body(commit),
            is_complete: true,
        }
    }

    fn pull(number: u64, branch: &str, head: &str, recorded: &str) -> OpenPullRequest {
        OpenPullRequest {
            number,
            url: String::new(),
            author: Some(Account {
                login: "bot".into(),
                id: None,
                kind: "User".into(),
            }),
            labels: Vec::new(),
            title: "Fix".to_owned(),
            body: body(recorded),
            branch: branch.to_owned(),
            head: head.to_owned(),
            base: "main".to_owned(),
        }
    }

    /// The decision for the token of the account `bot`.
    fn decide(wanted: &DesiredState, open: &[OpenPullRequest]) -> Vec<Step> {
        let identity = TokenIdentity {
            login: "Bot".into(),
            id: Some(1),
            email: "bot@example.invalid".into(),
        };
        super::decide(wanted, open, Some(&identity))
    }

    #[test]
    fn a_pull_request_of_another_account_is_left_alone() {
        let mut theirs = pull(1, "patchgate/fix-a", "c1", "c1");
        theirs.author = Some(Account {
            login: "octocat".into(),
            id: None,
            kind: "User".into(),
        });
        let left = [Step::Leave {
            number: 1,
            because: LeaveReason::ForeignAuthor,
        }];
        for wanted in [wanted("c1"), wanted("c2"), DesiredState::Nothing] {
            assert_eq!(decide(&wanted, &[theirs.clone()]), left);
            // An app's token on GitHub: a person is no bot.
            assert_eq!(super::decide(&wanted, &[theirs.clone()], None), left);
        }

        theirs.author = None;
        assert_eq!(decide(&DesiredState::Nothing, &[theirs.clone()]), left);
        theirs.author = Some(Account {
            login: "patchgate[bot]".into(),
            id: None,
            kind: "Bot".into(),
        });
        assert_eq!(decide(&DesiredState::Nothing, &[theirs.clone()]), left);
        assert!(matches!(
            super::decide(&DesiredState::Nothing, &[theirs], None)[..],
            [Step::Close { .. }]
        ));
    }

    fn wanted(commit: &str) -> DesiredState {
        DesiredState::Proposal(proposal("patchgate/fix-a", commit))
    }

    #[test]
    fn nothing_new_changes_nothing() {
        let mut open = pull(1, "patchgate/fix-a", "c1", "c1");
        open.body = open.body.replace('\n', "\r\n") + "\r\n";
        assert_eq!(decide(&wanted("c1"), &[open]), [Step::Keep { number: 1 }]);
    }

    #[test]
    fn the_first_run_opens_one() {
        assert_eq!(decide(&wanted("c1"), &[]), [Step::Open]);
    }

    #[test]
    fn a_moved_base_renews_the_same_pull_request() {
        assert_eq!(
            decide(&wanted("c2"), &[pull(1, "patchgate/fix-a", "c1", "c1")]),
            [Step::Renew {
                number: 1,
                lease: Lease::At("c1".into())
            }]
        );
    }

    #[test]
    fn a_run_that_was_cut_off_after_its_push_is_finished() {
        assert_eq!(
            decide(&wanted("c2"), &[pull(1, "patchgate/fix-a", "c2", "c1")]),
            [Step::Describe { number: 1 }]
        );
    }

    #[test]
    fn another_plan_takes_the_place_of_the_old_one() {
        assert_eq!(
            decide(&wanted("c2"), &[pull(1, "patchgate/fix-b", "c1", "c1")]),
            [
                Step::Open,
                Step::Close {
                    number: 1,
                    branch: PatchgateBranch::existing("patchgate/fix-b").unwrap(),
                    head: "c1".into(),
                    because: CloseReason::Superseded,
                }
            ]
        );
    }

    #[test]
    fn an_incomplete_scan_closes_nothing() {
        let open = [pull(1, "patchgate/fix-b", "c1", "c1")];
        let mut incomplete = proposal("patchgate/fix-a", "c2");
        incomplete.is_complete = false;
        let unknown = DesiredState::Unknown {
            reason: "the scan is incomplete".into(),
        };

        for wanted in [DesiredState::Proposal(incomplete), unknown] {
            let steps = decide(&wanted, &open);
            assert!(
                matches!(
                    steps.last(),
                    Some(Step::Leave {
                        number: 1,
                        because: LeaveReason::NotKnown(_)
                    })
                ),
                "{steps:?}"
            );
            assert!(!steps.iter().any(|step| matches!(step, Step::Close { .. })));
        }
    }

    #[test]
    fn nothing_vulnerable_closes_what_is_patchgates_own() {
        let steps = decide(
            &DesiredState::Nothing,
            &[
                pull(1, "patchgate/fix-a", "c1", "c1"),
                pull(2, "patchgate/fix-b", "theirs", "c1"),
            ],
        );

        assert!(matches!(
            &steps[..],
            [
                Step::Close {
                    number: 1,
                    because: CloseReason::Resolved,
                    ..
                },
                Step::Leave {
                    number: 2,
                    because: LeaveReason::ForeignCommit
                }
            ]
        ));
    }

    #[test]
    fn commits_of_others_are_never_overwritten() {
        for wanted in [wanted("c2"), DesiredState::Nothing] {
            assert_eq!(
                decide(&wanted, &[pull(1, "patchgate/fix-a", "theirs", "c1")]),
                [Step::Leave {
                    number: 1,
                    because: LeaveReason::ForeignCommit
                }]
            );
        }

        let mut broken = pull(1, "patchgate/fix-a", "c1", "c1");
        broken.body = broken.body.replace("\"commit\"", "\"other\"");

        assert!(matches!(
            &decide(&wanted("c2"), &[broken])[..],
            [Step::Leave {
                because: LeaveReason::UnreadableBlock(_),
                ..
            }]
        ));
    }
}

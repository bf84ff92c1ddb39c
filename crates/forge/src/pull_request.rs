//! What has to happen to Patchgate's pull requests, decided without doing it.
//!
//! There is one open pull request of Patchgate for each base branch. A run that finds the same
//! plan on the same base changes nothing; one that finds another plan opens a new pull request and
//! closes the old one; one that finds nothing vulnerable closes it. What a person closed stays
//! closed until the plan changes. What somebody else pushed to a
//! branch is never overwritten, and what is not known is never taken for clean.

use patchgate_model::PlanBlock;

use crate::OpenPullRequest;
use crate::git::{Lease, PatchgateBranch};

/// What this run found out, as far as pull requests are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A pull request that carries a plan.
    Proposal(Proposal),
    /// Nothing: no finding is left that Patchgate would fix.
    Nothing,
    /// Not known: the scan is incomplete, or findings are left that cannot be fixed now.
    Unknown {
        /// Why: a fragment.
        reason: String,
    },
}

/// The pull request that should be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its branch.
    pub branch: PatchgateBranch,
    /// The commit that the branch should stand on.
    pub commit: String,
    /// Title.
    pub title: String,
    /// Body, with its plan block.
    pub body: String,
    /// Whether the scan behind it is complete. An incomplete one closes no other pull request: the
    /// other may fix what this run could not see.
    pub is_complete: bool,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The pull request is as it should be.
    Keep {
        /// Number.
        number: u64,
    },
    /// Put the proposal's commit on its branch, and then title and body on the pull request.
    Renew {
        /// Number.
        number: u64,
        /// Where the branch stands now.
        lease: Lease,
    },
    /// Put title and body on the pull request; its branch is as it should be.
    Describe {
        /// Number.
        number: u64,
    },
    /// Push the proposal's branch and open a pull request.
    Open,
    /// Close the pull request with a comment and delete its branch.
    Close {
        /// Number.
        number: u64,
        /// Its branch.
        branch: PatchgateBranch,
        /// Where the branch stands now.
        head: String,
        /// Why.
        because: CloseReason,
    },
    /// Leave the pull request alone.
    Leave {
        /// Number.
        number: u64,
        /// Why.
        because: LeaveReason,
    },
}

/// Why a pull request is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The proposal takes its place.
    Superseded,
    /// Nothing is left to fix.
    Resolved,
}

/// Why a pull request is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaveReason {
    /// Its head is a commit that Patchgate did not make.
    ForeignCommit,
    /// Its body does not say which commit Patchgate made.
    UnreadableBlock(String),
    /// This run does not know enough to close it.
    NotKnown(String),
    /// A person closed it, and the same plan is not proposed again.
    Declined,
}

impl std::fmt::Display for LeaveReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ForeignCommit => {
                write!(f, "its branch holds commits that Patchgate did not make")
            }
            Self::Declined => write!(
                f,
                "somebody closed it, and the same plan is not proposed again until it is reopened"
            ),
            Self::UnreadableBlock(reason) => write!(f, "{reason}"),
            Self::NotKnown(reason) => write!(f, "{reason}"),
        }
    }
}

/// Decides what to do about the open pull requests of one base branch.
#[must_use]
pub fn decide(wanted: &Wanted, open: &[OpenPullRequest]) -> Vec<Step> {
    match wanted {
        Wanted::Proposal(proposal) => propose(proposal, open),
        Wanted::Nothing => open
            .iter()
            .map(|pull| close(pull, CloseReason::Resolved))
            .collect(),
        Wanted::Unknown { reason } => open
            .iter()
            .map(|pull| Step::Leave {
                number: pull.number,
                because: LeaveReason::NotKnown(reason.clone()),
            })
            .collect(),
    }
}

fn propose(proposal: &Proposal, open: &[OpenPullRequest]) -> Vec<Step> {
    let mut steps = Vec::new();
    let (same, others): (Vec<&OpenPullRequest>, Vec<&OpenPullRequest>) = open
        .iter()
        .partition(|pull| pull.branch == proposal.branch.name());
    match same.first() {
        Some(pull) => steps.push(renew(proposal, pull)),
        None => steps.push(Step::Open),
    }

    for pull in others {
        steps.push(if proposal.is_complete {
            close(pull, CloseReason::Superseded)
        } else {
            Step::Leave {
                number: pull.number,
                because: LeaveReason::NotKnown(
                    "the scan is incomplete, and it may fix what this run could not see".to_owned(),
                ),
            }
        });
    }

    steps
}

fn renew(proposal: &Proposal, pull: &OpenPullRequest) -> Step {
    let number = pull.number;
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

    match owned(pull) {
        Ok(()) => Step::Renew {
            number,
            lease: Lease::At(pull.head.clone()),
        },
        Err(because) => Step::Leave { number, because },
    }
}

fn close(pull: &OpenPullRequest, because: CloseReason) -> Step {
    let number = pull.number;
    let branch = PatchgateBranch::existing(&pull.branch)
        .map_err(|error| LeaveReason::UnreadableBlock(error.to_string()));

    match (owned(pull), branch) {
        (Ok(()), Ok(branch)) => Step::Close {
            number,
            branch,
            head: pull.head.clone(),
            because,
        },
        (Err(because), _) | (_, Err(because)) => Step::Leave { number, because },
    }
}

/// Whether the head is the commit that Patchgate says it made.
fn owned(pull: &OpenPullRequest) -> Result<(), LeaveReason> {
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
            title: "Fix".to_owned(),
            body: body(recorded),
            branch: branch.to_owned(),
            head: head.to_owned(),
            base: "main".to_owned(),
        }
    }

    fn wanted(commit: &str) -> Wanted {
        Wanted::Proposal(proposal("patchgate/fix-a", commit))
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
        let unknown = Wanted::Unknown {
            reason: "the scan is incomplete".into(),
        };

        for wanted in [Wanted::Proposal(incomplete), unknown] {
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
            &Wanted::Nothing,
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
        for wanted in [wanted("c2"), Wanted::Nothing] {
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

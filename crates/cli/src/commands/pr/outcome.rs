//! What was done about each pull request, for the report.

use patchgate_forge::publish::PublishOutcome;
use patchgate_forge::pull_request::CloseReason;
use patchgate_report::{PrAction, PullRequestReport, WaitingReport};

/// Pull requests that exist, and those that wait to be opened.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    pub(super) pull_requests: Vec<PullRequestReport>,
    pub(super) waiting: Vec<WaitingReport>,
}

impl Outcomes {
    pub(super) fn new(done: Vec<PublishOutcome>) -> Self {
        let mut outcomes = Self::default();
        for one in done {
            outcomes.add(one);
        }
        outcomes
    }

    fn add(&mut self, done: PublishOutcome) {
        let (number, url, action, reason) = match done {
            PublishOutcome::Waiting {
                branch,
                title,
                reason,
            } => {
                self.waiting.push(WaitingReport {
                    branch,
                    title,
                    reason,
                });
                return;
            }
            PublishOutcome::Unchanged { number, url } => (number, url, PrAction::Unchanged, None),
            PublishOutcome::Opened { number, url } => (number, url, PrAction::Opened, None),
            PublishOutcome::Updated { number, url } => (number, url, PrAction::Updated, None),
            PublishOutcome::Closed {
                number,
                url,
                because,
                branch_left,
            } => {
                let why = match because {
                    CloseReason::Superseded(_) => "superseded",
                    CloseReason::Resolved => "nothing is left to fix",
                };
                let left = branch_left
                    .map(|reason| format!("; its branch is left: {reason}"))
                    .unwrap_or_default();
                (number, url, PrAction::Closed, Some(format!("{why}{left}")))
            }
            PublishOutcome::BranchDeleted { number, url } => (
                number,
                url,
                PrAction::Closed,
                Some("an earlier run closed it, and its branch is deleted now".to_owned()),
            ),
            PublishOutcome::Left {
                number,
                url,
                because,
            } => (number, url, PrAction::Left, Some(because.to_string())),
        };

        self.pull_requests.push(PullRequestReport {
            number,
            url,
            action,
            reason,
        });
    }
}

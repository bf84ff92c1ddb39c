//! Assignees of pull requests.

use crate::ForgeError;
use crate::forge::Forge;
use crate::publish::{PublishOutcome, Publisher};

impl<F: Forge> Publisher<'_, F> {
    /// Assigns accounts to the pull requests of a run that none of them is assigned to. Every run does,
    /// so that one that was interrupted is completed. Returns what failed, one sentence each: a pull
    /// request without an assignee is as good as another one.
    pub async fn assign(&self, done: &[PublishOutcome], assignees: &[String]) -> Vec<String> {
        let numbers: Vec<u64> = done
            .iter()
            .filter_map(|outcome| match outcome {
                PublishOutcome::Opened { number, .. }
                | PublishOutcome::Updated { number, .. }
                | PublishOutcome::Unchanged { number, .. } => Some(*number),
                _ => None,
            })
            .collect();
        if assignees.is_empty() || numbers.is_empty() {
            return Vec::new();
        }

        let failed = |error: &ForgeError| format!("Nobody could be assigned: {error}.");
        let open = match self.forge.open_requests(self.base).await {
            Ok(open) => open,
            Err(error) => return vec![failed(&error)],
        };
        let is_wanted = |login: &String| {
            let mut wanted = assignees.iter();
            wanted.any(|wanted| wanted.eq_ignore_ascii_case(login))
        };
        let mut errors = Vec::new();
        for pull in open
            .iter()
            .filter(|pull| numbers.contains(&pull.number) && !pull.assignees.iter().any(is_wanted))
        {
            if let Err(error) = self.forge.assign(pull.number, assignees).await {
                errors.push(failed(&error));
            }
        }

        errors
    }
}

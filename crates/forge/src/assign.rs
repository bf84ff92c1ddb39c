//! Assignees and reviewers of pull requests.

use crate::ForgeError;
use crate::forge::Forge;
use crate::publish::{PublishOutcome, Publisher};

impl<F: Forge> Publisher<'_, F> {
    /// Assigns accounts to the pull requests of a run that none of them is assigned to. Every run does,
    /// so that one that was interrupted is completed. Returns what failed, one sentence each: a pull
    /// request without an assignee is as good as another one.
    pub async fn assign(&self, done: &[PublishOutcome], assignees: &[String]) -> Vec<String> {
        let numbers = numbers(done);
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

    /// Asks accounts to review the pull requests of a run, each once. Returns what failed, one sentence
    /// each.
    pub async fn ask_to_review(
        &self,
        done: &[PublishOutcome],
        reviewers: &[String],
    ) -> Vec<String> {
        if reviewers.is_empty() {
            return Vec::new();
        }

        let mut errors = Vec::new();
        for number in numbers(done) {
            if let Err(error) = self.forge.ask_to_review(number, reviewers).await {
                errors.push(format!("Nobody could be asked to review: {error}."));
            }
        }

        errors
    }
}

/// The open pull requests of a run.
fn numbers(done: &[PublishOutcome]) -> Vec<u64> {
    let numbers = done.iter().filter_map(|outcome| match outcome {
        PublishOutcome::Opened { number, .. }
        | PublishOutcome::Updated { number, .. }
        | PublishOutcome::Unchanged { number, .. } => Some(*number),
        _ => None,
    });
    numbers.collect()
}

/// The accounts to ask: `wanted` without the author. Empty when one of them is in `known`, the accounts
/// that were asked or have reviewed.
pub(crate) fn to_ask(wanted: &[String], author: Option<&str>, known: &[String]) -> Vec<String> {
    let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let is_known = |login: &&String| known.iter().any(|known| is(known, login));
    if wanted.iter().any(|login| is_known(&login)) {
        return Vec::new();
    }

    let others = wanted
        .iter()
        .filter(|login| !author.is_some_and(|author| is(author, login)));
    others.cloned().collect()
}

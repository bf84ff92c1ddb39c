//! Publishing with a ledger: what cannot be recorded is not proposed.

use std::collections::BTreeMap;

use patchgate_forge::AnyForge;
use patchgate_forge::git::NewCommit;
use patchgate_forge::publish::{PublishOutcome, Publisher};
use patchgate_forge::pull_request::DesiredState;
use patchgate_model::{UserError, error_chain};

use crate::ledger::{self, Proposed, Writer};

/// Publishes what is wanted. With a ledger, the intents are durable before anything is pushed.
pub(super) async fn publish(
    publisher: &Publisher<'_, AnyForge>,
    wanted: &DesiredState,
    commits: &[NewCommit],
    source: &str,
    writer: Option<&Writer>,
) -> Result<Vec<PublishOutcome>, UserError> {
    let branches: Vec<&str> = wanted
        .proposals
        .iter()
        .map(|proposal| proposal.branch.name())
        .collect();
    let intents = writer.map(|writer| ledger::proposal_intents(writer, source, &branches));
    let intents = intents
        .transpose()
        .map_err(|error| ledger::failed(&error))?;

    let mut standing = BTreeMap::new();
    let done = publisher
        .publish_numbered(wanted, commits, &mut standing)
        .await;
    if let (Some(writer), Some(intents)) = (writer, intents) {
        let result = |(index, intent)| {
            let proposed = match (standing.get(&index), &done) {
                (Some(number), _) => Proposed::At(*number),
                (None, Ok(_)) => Proposed::Nothing("it was not opened: it waits, or was declined"),
                (None, Err(error)) => Proposed::Unknown(error_chain(error)),
            };
            (intent, proposed)
        };
        let results = intents.into_iter().enumerate().map(result).collect();
        ledger::proposal_results(writer, source, results);
    }

    done.map_err(|error| UserError::failure(error_chain(&error)).with_optional_hint(error.hint()))
}

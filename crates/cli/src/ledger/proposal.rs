//! The records of proposals: the intent before a branch is pushed, and what became of it.

use patchgate_ledger::{Event, LedgerError, OpenIntent, ProposalEvent, Record, Step};

use super::{INTERRUPTED_AFTER, Writer};
use crate::output::warn;

/// Records the intents to open or update pull requests, one for each branch, and returns them.
pub(crate) fn proposal_intents(
    writer: &Writer,
    source: &str,
    branches: &[&str],
) -> Result<Vec<OpenIntent>, LedgerError> {
    let intent = |branch: &&str| {
        let record = Record {
            source: source.to_owned(),
            subject: Some(format!("branch/{branch}")),
            time: jiff::Timestamp::now(),
            who: writer.who.clone(),
            event: Event::Proposal(ProposalEvent {
                branch: (*branch).to_owned(),
                pull_request: None,
                step: Step::Intent {},
            }),
            inputs: Vec::new(),
            reasons: Vec::new(),
            statement: None,
        };

        let id = writer.append(record.clone(), &[])?;
        Ok(OpenIntent {
            index: 0,
            id,
            record,
        })
    };

    branches.iter().map(intent).collect()
}

/// What became of a proposal.
pub(crate) enum Proposed {
    /// The pull request has it.
    At(u64),
    /// Nothing was opened or updated, for this reason.
    Nothing(&'static str),
    /// It may have been done before an error.
    Unknown(String),
}

/// Records what became of the intents. Intents of the same repository whose runs were interrupted get the
/// result of this run when it proposes the same branch, else it is unknown. The forge has the effects
/// already, so a failure is a warning.
pub(crate) fn proposal_results(writer: &Writer, source: &str, own: Vec<(OpenIntent, Proposed)>) {
    let record = || {
        for open in interrupted(writer, source)? {
            let branch = branch_of(&open);
            let same = own.iter().find(|(intent, _)| branch_of(intent) == branch);
            match same {
                Some((_, proposed)) => close(writer, &open, proposed)?,
                None => {
                    let reason =
                        "the run was interrupted, and the next one proposed something else";
                    close(writer, &open, &Proposed::Unknown(reason.to_owned()))?;
                }
            }
        }

        for (intent, proposed) in &own {
            close(writer, intent, proposed)?;
        }
        Ok::<(), LedgerError>(())
    };

    if let Err(error) = record() {
        warn(&format!(
            "the result of the proposals could not be recorded: {error}"
        ));
        warn("the next run of `patchgate pr` with the ledger records it");
    }
}

fn close(writer: &Writer, open: &OpenIntent, proposed: &Proposed) -> Result<(), LedgerError> {
    let intent = open.id.clone();
    let (number, step) = match proposed {
        Proposed::At(number) => (Some(*number), Step::Done { intent }),
        Proposed::Nothing(reason) => {
            let reason = (*reason).to_owned();
            (None, Step::Failed { intent, reason })
        }
        Proposed::Unknown(reason) => {
            let reason = reason.clone();
            (None, Step::Unknown { intent, reason })
        }
    };
    let record = Record {
        time: jiff::Timestamp::now(),
        who: writer.who.clone(),
        event: Event::Proposal(ProposalEvent {
            branch: branch_of(open).to_owned(),
            pull_request: number,
            step,
        }),
        ..open.record.clone()
    };
    writer.append(record, &[]).map(drop)
}

fn branch_of(intent: &OpenIntent) -> &str {
    match &intent.record.event {
        Event::Proposal(proposal) => &proposal.branch,
        _ => "",
    }
}

/// The intents to propose of runs that were interrupted.
fn interrupted(writer: &Writer, source: &str) -> Result<Vec<OpenIntent>, LedgerError> {
    let now = jiff::Timestamp::now();
    let mut open = writer.open_intents()?;
    open.retain(|open| {
        matches!(open.record.event, Event::Proposal(_))
            && open.record.source == source
            && now.duration_since(open.record.time) > INTERRUPTED_AFTER
    });
    Ok(open)
}

//! What the ledger gets of a verdict and of a merge.

use patchgate_ledger::{Event, Input, OpenIntent, Reason, Step};
use patchgate_model::{Evidence, Judgement, PullRequestState};

use super::round::Round;
use crate::ledger::{self, INTERRUPTED_AFTER};
use crate::output::warn;

/// What the ledger gets of a verdict; nothing without a ledger.
pub(super) struct Recording<'a> {
    pub(super) writer: Option<&'a ledger::Writer>,
    pub(super) source: String,
    pub(super) number: u64,
}

impl Recording<'_> {
    /// Records the verdict, and the intent to merge. What cannot be recorded is not merged.
    pub(super) fn verdict(
        &self,
        round: &Round,
        policies: Vec<Input>,
        judgement: &Judgement,
        wants_merge: bool,
    ) -> Result<Option<OpenIntent>, String> {
        let Some(writer) = self.writer else {
            return Ok(None);
        };
        let failed = |error: patchgate_ledger::LedgerError| {
            format!(
                "it could not be recorded in the ledger: {error} ({})",
                error.hint()
            )
        };

        self.settle(writer, &round.evidence).map_err(failed)?;
        let judged = ledger::Judged {
            source: self.source.clone(),
            number: self.number,
            evidence: &round.evidence,
            file: round.recorded.to_file(),
            policies,
            judgement,
        };
        let id = ledger::verdict(writer, judged).map_err(failed)?;
        if !wants_merge {
            return Ok(None);
        }
        let head = &judgement.head_sha;
        ledger::merge_intent(writer, &self.source, self.number, head, id)
            .map(Some)
            .map_err(failed)
    }

    /// Finishes the merges of this pull request whose runs were interrupted: the forge says whether
    /// they happened. A young one may be of a run that still goes on.
    fn settle(
        &self,
        writer: &ledger::Writer,
        evidence: &Evidence,
    ) -> Result<(), patchgate_ledger::LedgerError> {
        let Ok(pull_request) = &evidence.pull_request else {
            return Ok(());
        };
        for open in writer.open_intents()? {
            let Event::Merge(merge) = &open.record.event else {
                continue;
            };
            let age = jiff::Timestamp::now().duration_since(open.record.time);
            if open.record.source != self.source
                || merge.pull_request != self.number
                || age < INTERRUPTED_AFTER
            {
                continue;
            }

            let intent = open.id.clone();
            let step = match pull_request.state {
                PullRequestState::Merged if pull_request.head.sha == merge.head => {
                    Step::Done { intent }
                }
                PullRequestState::Merged => Step::Unknown {
                    intent,
                    reason: "another commit was merged".to_owned(),
                },
                PullRequestState::Open | PullRequestState::Closed => Step::Failed {
                    intent,
                    reason: "the run was interrupted, and it is not merged".to_owned(),
                },
            };
            writer.close(&open, step)?;
        }
        Ok(())
    }

    /// Records what became of the intent to merge. The merge cannot be taken back, so a failure is a
    /// warning, and the next run settles it.
    pub(super) fn result(
        &self,
        intent: Option<OpenIntent>,
        result: &Result<Option<String>, String>,
    ) {
        let (Some(writer), Some(open)) = (self.writer, intent) else {
            return;
        };

        let intent = open.id.clone();
        let step = match result {
            Ok(_) => Step::Done { intent },
            Err(reason) => Step::Failed {
                intent,
                reason: reason.clone(),
            },
        };
        // A merge onto another commit than the judged one stays: the ledger says so.
        let reasons = result.as_ref().ok().and_then(Option::as_deref);
        let reasons = reasons.map(|text| Reason::new("merged", "review", text));

        if let Err(error) = writer.close_with(&open, step, reasons.into_iter().collect()) {
            warn(&format!(
                "the result of the merge could not be recorded: {error}"
            ));
            warn("the next run of the gate for this pull request records it");
        }
    }
}

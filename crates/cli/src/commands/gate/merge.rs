//! The merge of exactly what was judged, and the check run with the verdict.

use patchgate_forge::{
    Conclusion, Forge as _, ForgeError, ForgeKind, MergeOutcome, MergeText, VerdictReport,
};
use patchgate_gate::{decision_of, judged_again, still_as_judged};
use patchgate_model::{Judgement, MergeMethod, PullRequestState, Verdict};
use patchgate_report::GateReport;

use super::round::{Judge, Round};
use crate::forge::OpenForge;
use crate::output::warn;

/// Name of the check run with the verdict.
const CHECK_NAME: &str = "patchgate";

/// Writes the check run. Its failure changes no verdict, and is said.
pub(super) async fn report_check(forge: &OpenForge, judgement: &Judgement) {
    if judgement.head_sha.is_empty() {
        return;
    }

    let report = GateReport::new(judgement, false, 0);
    let check = VerdictReport {
        name: CHECK_NAME.to_owned(),
        head_sha: judgement.head_sha.clone(),
        conclusion: match judgement.verdict {
            Verdict::Merge => Conclusion::Success,
            Verdict::Review => Conclusion::ActionRequired,
            Verdict::Block => Conclusion::Failure,
        },
        title: report.headline(),
        notes: Vec::new(),
        summary: report.to_markdown(false),
    };
    if let Err(error) = forge.api.report_verdict(&check).await {
        warn(&format!(
            "the verdict could not be written as a check of the commit (it does not change): {error}"
        ));
        if let Some(hint) = error.hint() {
            warn(&match forge.kind {
                ForgeKind::GitHub => {
                    format!("{hint}; only an app's or a workflow's own token can have it")
                }
                ForgeKind::GitLab | ForgeKind::Gitea => hint,
            });
        }
    }
}

/// Adds the labels of the policy's rule that decided. A failure changes no verdict, and is said.
pub(super) async fn add_labels(judge: &Judge<'_>, round: &Round) {
    let (Ok(policy), Ok(pull_request)) = (&round.policy, &round.evidence.pull_request) else {
        return;
    };
    let decision = decision_of(policy, &round.evidence);
    let wanted = decision.and_then(|decision| decision.rule);
    let missing: Vec<String> = wanted
        .map(|rule| rule.labels.as_slice())
        .unwrap_or_default()
        .iter()
        .filter(|label| !pull_request.labels.contains(label))
        .cloned()
        .collect();
    if missing.is_empty() {
        return;
    }
    if let Err(error) = judge.forge.api.add_labels(judge.number, &missing).await {
        warn(&format!(
            "the labels could not be added (the verdict does not change): {error}"
        ));
    }
}

/// Asks the accounts of the policy's rule that decided for a review, unless the verdict is merge. Teams
/// are only named in the verdict. A failure changes no verdict, and is said.
pub(super) async fn ask_to_review(judge: &Judge<'_>, round: &Round) {
    let Ok(policy) = &round.policy else {
        return;
    };
    let rule = decision_of(policy, &round.evidence).and_then(|decision| decision.rule);
    let named = rule.map_or(&[][..], |rule| rule.reviewers.as_slice());
    let accounts: Vec<String> = named
        .iter()
        .map(|name| name.trim_start_matches('@'))
        .filter(|name| !name.contains('/'))
        .map(str::to_owned)
        .collect();
    if accounts.is_empty() || round.judgement.verdict == Verdict::Merge {
        return;
    }
    if let Err(error) = judge.forge.api.ask_to_review(judge.number, &accounts).await {
        warn(&format!(
            "nobody could be asked to review (the verdict does not change): {error}"
        ));
    }
}

/// Reads and judges everything again, and merges the judged commit. Returns what is wrong with the
/// merge that was done, if something is.
///
/// # Errors
/// Why it was not merged, as a sentence without a period.
pub(super) async fn merge(judge: &Judge<'_>, first: &Round) -> Result<Option<String>, String> {
    let again = judge.round().await;
    let now = again
        .evidence
        .pull_request
        .as_ref()
        .map_err(|missing| format!("it was not merged: {}", missing.reason))?;
    let tip = again.evidence.base_tip.as_deref().ok();
    let sha = still_as_judged(&first.evidence, now, tip)?;
    judged_again(&first.judgement, &again.judgement)?;

    let method = again
        .policy
        .as_ref()
        .map(|policy| policy.merge_method)
        .map_err(|missing| format!("it was not merged: {}", missing.reason))?;
    let base = tip.unwrap_or_default();
    merge_commit(judge, sha, base, method).await?;
    Ok(put_elsewhere(judge, base).await)
}

/// What is wrong when the merge was put on another commit than the judged one. No forge compares the
/// base at a merge, unless its protection asks for a head that is up to date, so a push may come
/// between the second judgement and the merge. That cannot be taken back, and is never silent.
async fn put_elsewhere(judge: &Judge<'_>, base: &str) -> Option<String> {
    match judge.forge.api.merged_onto(judge.number).await {
        Ok(None) => None,
        Ok(Some(onto)) if onto == base => None,
        Ok(Some(onto)) => Some(format!(
            "it was merged onto `{}`, which came after the judged `{}`: nobody judged the result, \
             so look at its lockfiles",
            short(&onto),
            short(base)
        )),
        Err(error) => Some(format!(
            "it was merged, and it could not be read onto which commit: {error}"
        )),
    }
}

/// The first twelve characters of a commit id.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

async fn merge_commit(
    judge: &Judge<'_>,
    sha: &str,
    base: &str,
    method: MergeMethod,
) -> Result<(), String> {
    let (forge, number) = (judge.forge, judge.number);
    let text = MergeText::of(forge.kind, number, sha, base);
    match forge.api.merge(number, sha, method, &text).await {
        Ok(MergeOutcome::Merged { .. }) => Ok(()),
        Ok(MergeOutcome::HeadMoved) => {
            Err("it was not merged: the head moved after it was judged".to_owned())
        }
        Ok(MergeOutcome::NotMergeable { reason }) => {
            Err(format!("the forge does not let it be merged: {reason}"))
        }
        Err(error) => after_lost_answer(judge, sha, &error).await,
    }
}

/// Looks up whether a merge whose answer is lost has happened.
async fn after_lost_answer(judge: &Judge<'_>, sha: &str, error: &ForgeError) -> Result<(), String> {
    let hint = error.hint().map(|hint| format!(" ({hint})"));
    let hint = hint.unwrap_or_default();
    match judge.forge.api.pull_request(judge.number).await {
        Ok(now) if now.state == PullRequestState::Merged && now.head.sha == sha => Ok(()),
        Ok(now) if now.state == PullRequestState::Open => {
            Err(format!("it could not be merged: {error}{hint}"))
        }
        Ok(_) => Err(format!(
            "it could not be merged: {error}{hint}, and it is not open any more"
        )),
        Err(_) => Err(format!(
            "it is not known whether it was merged: {error}{hint}, and it could not be read again"
        )),
    }
}

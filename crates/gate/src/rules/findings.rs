//! What the change does to known vulnerabilities.

use patchgate_model::FindingKey;

use crate::context::{Context, Outcome, block, holds, or_holds, review, with};

const NAME: &str = "the comparison of vulnerabilities";

pub(super) fn introduced(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.findings, NAME, |findings| {
        or_holds(
            findings
                .introduced
                .iter()
                .map(|finding| block(format!("it introduces {}", describe(finding))))
                .collect(),
            "it introduces no known vulnerability",
        )
    })
}

pub(super) fn ended(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.findings, NAME, |findings| {
        let mut outcomes: Vec<Outcome> = findings
            .ended
            .iter()
            .map(|finding| holds(format!("it ends {}", describe(finding))))
            .collect();
        if outcomes.is_empty() {
            outcomes.push(review("it ends no known vulnerability"));
        }
        outcomes
    })
}

/// A malicious release that stays is an incident: nothing is merged into such a tree unseen.
pub(super) fn malicious(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.findings, NAME, |findings| {
        or_holds(
            findings
                .remaining
                .iter()
                .filter(|finding| finding.malicious)
                .map(|finding| review(format!("{} stays", describe(finding))))
                .collect(),
            "no malicious release stays",
        )
    })
}

pub(super) fn remaining(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.findings, NAME, |findings| {
        let Some(limit) = context.policy.max_remaining_score else {
            return vec![holds(format!(
                "the policy sets no limit for what stays; findings that stay: {}",
                findings.remaining.len()
            ))];
        };

        or_holds(
            findings
                .remaining
                .iter()
                // A score that is no number must not pass.
                .filter(|finding| finding.score.is_nan() || finding.score > limit)
                .map(|finding| {
                    review(format!(
                        "{} stays with score {:.1}, above the policy's {limit:.1}",
                        describe(finding),
                        finding.score
                    ))
                })
                .collect(),
            format!("nothing stays with a score above {limit:.1}"),
        )
    })
}

fn describe(finding: &FindingKey) -> String {
    format!(
        "{}`{}` in {} {} ({})",
        if finding.malicious {
            "the malicious release "
        } else {
            ""
        },
        finding.id,
        finding.package,
        finding.versions.join(", "),
        finding.lockfile
    )
}

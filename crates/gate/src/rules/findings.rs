//! Rules about known vulnerabilities before and after the change.

use patchgate_model::FindingKey;

use crate::context::{Context, Outcome, block, met, or_met, review, with};

const NAME: &str = "the comparison of vulnerabilities";

pub(super) fn introduced(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.findings, NAME, |findings| {
        or_met(
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
            .map(|finding| met(format!("it fixes {}", describe(finding))))
            .collect();
        if outcomes.is_empty() {
            outcomes.push(review("it fixes no known vulnerability"));
        }
        outcomes
    })
}

/// A malicious release that remains is an incident: nothing is merged into such a tree without a
/// person.
pub(super) fn malicious(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.findings, NAME, |findings| {
        or_met(
            findings
                .remaining
                .iter()
                .filter(|finding| finding.malicious)
                .map(|finding| review(format!("{} remains", describe(finding))))
                .collect(),
            "no malicious release remains",
        )
    })
}

pub(super) fn remaining(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.findings, NAME, |findings| {
        let Some(limit) = context.policy.max_remaining_score else {
            return vec![met(format!(
                "the policy sets no limit for the findings that remain: {}",
                findings.remaining.len()
            ))];
        };

        or_met(
            findings
                .remaining
                .iter()
                // A comparison with NaN is false, and such a score must not pass.
                .filter(|finding| finding.score.is_nan() || finding.score > limit)
                .map(|finding| {
                    review(format!(
                        "{} remains with score {:.1}, above the policy's {limit:.1}",
                        describe(finding),
                        finding.score
                    ))
                })
                .collect(),
            format!("no finding with a score above {limit:.1} remains"),
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

//! The rules about the team's own rules, the stage of trust and the share of automatic merges.

use patchgate_model::{Stage, Verdict};

use crate::context::{Context, Outcome, met, review, unread};
use crate::decision::{decide, share_of, stage_of};
use crate::facts::facts;

pub(super) fn rules(context: &Context<'_>) -> Vec<Outcome> {
    let rules = &context.policy.rules;
    if rules.is_empty() {
        return vec![met("the policy has no rules of its own")];
    }
    match facts(context) {
        Err(missing) => vec![unread("what the policy's rules ask about", &missing)],
        Ok(facts) => {
            let decision = decide(rules, &facts);
            vec![Outcome {
                verdict: decision.verdict,
                text: decision.text,
            }]
        }
    }
}

pub(super) fn stage(context: &Context<'_>) -> Vec<Outcome> {
    vec![match stage_of(&context.policy, context.evidence) {
        Stage::Auto => met("the policy lets the gate merge these paths"),
        Stage::Suggest => review("the policy's stage for these paths is `suggest`"),
        Stage::Observe => review("the policy's stage for these paths is `observe`"),
    }]
}

pub(super) fn share(context: &Context<'_>) -> Vec<Outcome> {
    let share = context.policy.automatic_share;
    if share >= 100 {
        return vec![met(
            "the policy lets every pull request be merged without a person",
        )];
    }
    let mut files = Vec::new();
    for (path, contents) in &context.evidence.contents {
        match &contents.head {
            Ok(Some(bytes)) => files.push((path.as_str(), bytes.as_slice())),
            Ok(None) => files.push((path.as_str(), &[][..])),
            Err(missing) => return vec![unread(&format!("`{path}` on the head"), missing)],
        }
    }
    let number = share_of(files);
    vec![Outcome {
        verdict: if number < share {
            Verdict::Merge
        } else {
            Verdict::Review
        },
        text: format!(
            "its number is {number}, and those below {share} may be merged without a person"
        ),
    }]
}

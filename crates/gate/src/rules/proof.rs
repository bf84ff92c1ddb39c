//! The rule about the proof: the head contains exactly a plan of Patchgate.
//!
//! The plan block in the body is a pointer and no proof: whoever writes the files can write it. A
//! proof is a statement that is signed by a key of the policy, or a plan that another job computed
//! again from the base.

use std::collections::BTreeSet;

use patchgate_model::{Evidence, Fetched, PlanProof, content_digest};
use patchgate_proof::{PlanStatement, VerifyingKey, parse_block, sha256};

use crate::context::{Context, Outcome, met, review};

pub(super) fn exists(context: &Context<'_>) -> Vec<Outcome> {
    let (signed, recomputed) = (signed(context), recomputed(context));
    let accepted: Vec<&Result<&str, String>> = match context.policy.plan_proof {
        PlanProof::Either => vec![&signed, &recomputed],
        PlanProof::Signature => vec![&signed],
        PlanProof::Recomputed => vec![&recomputed],
    };
    if let Some(proof) = accepted.iter().find_map(|proof| proof.as_ref().ok()) {
        return vec![met(*proof)];
    }
    accepted
        .into_iter()
        .filter_map(|proof| proof.as_ref().err())
        .map(|reason| {
            review(format!(
                "it is not proved that the head is the plan: {reason}"
            ))
        })
        .collect()
}

/// Whether a proof that the policy accepts exists.
pub(super) fn is_proved(context: &Context<'_>) -> bool {
    match context.policy.plan_proof {
        PlanProof::Either => signed(context).is_ok() || recomputed(context).is_ok(),
        PlanProof::Signature => signed(context).is_ok(),
        PlanProof::Recomputed => recomputed(context).is_ok(),
    }
}

fn signed(context: &Context<'_>) -> Result<&'static str, String> {
    let evidence = context.evidence;
    let body = match &evidence.pull_request {
        Ok(pull_request) => &pull_request.body,
        Err(missing) => return Err(missing.reason.clone()),
    };
    let envelope = parse_block(body)?.ok_or("the body has no signed statement")?;
    let keys = context.policy.plan_keys.iter();
    let keys: Vec<VerifyingKey> = keys
        .map(|key| VerifyingKey::from_text(key).map_err(|error| format!("a key: {error}")))
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err("the policy names no `plan-keys`".to_owned());
    }

    let statement =
        PlanStatement::open(&envelope, &keys).map_err(|error| format!("the statement: {error}"))?;
    if known(&evidence.merge_base)? != &statement.base {
        return Err("the signed plan is based on another commit".to_owned());
    }
    if known(&evidence.safeguards.head_tree)? != &statement.tree {
        return Err("the signed plan leads to another tree than the head's".to_owned());
    }
    let contents = head_contents(evidence)?;
    let named: BTreeSet<&str> = statement.files.keys().map(String::as_str).collect();
    if named != contents.iter().map(|(path, _)| *path).collect() {
        return Err("the signed plan changes other files than the head".to_owned());
    }
    for (path, bytes) in contents {
        if statement.files.get(path) != Some(&sha256(bytes)) {
            return Err(format!(
                "the signed plan has another `{path}` than the head"
            ));
        }
    }
    Ok("a key of the policy signed the plan that the head contains, byte for byte")
}

fn recomputed(context: &Context<'_>) -> Result<&'static str, String> {
    let evidence = context.evidence;
    let plan = known(&evidence.safeguards.recomputed)?
        .as_ref()
        .ok_or("no recomputed plan is given")?;
    if known(&evidence.merge_base)? != &plan.base {
        return Err("the recomputed plan is based on another commit".to_owned());
    }
    let contents = head_contents(evidence)?;
    let named: BTreeSet<&str> = plan.files.iter().map(String::as_str).collect();
    if named != contents.iter().map(|(path, _)| *path).collect() {
        return Err("the recomputed plan changes other files than the head".to_owned());
    }
    if content_digest(contents) != plan.content {
        return Err("the recomputed plan has other contents than the head".to_owned());
    }
    Ok("the plan was computed again from the base, and the head contains it, byte for byte")
}

/// All changed files with their content on the head.
fn head_contents(evidence: &Evidence) -> Result<Vec<(&str, &[u8])>, String> {
    let files = known(&evidence.files)?;
    files
        .iter()
        .map(|file| {
            let path = file.path.as_str();
            let contents = evidence.contents.get(path).map(|contents| &contents.head);
            match contents {
                Some(Ok(Some(bytes))) => Ok((path, bytes.as_slice())),
                Some(Err(missing)) => Err(format!("`{path}`: {}", missing.reason)),
                Some(Ok(None)) => Err(format!("`{path}` does not exist on the head")),
                None => Err(format!("`{path}` was not read")),
            }
        })
        .collect()
}

fn known<T>(piece: &Fetched<T>) -> Result<&T, String> {
    piece.as_ref().map_err(|missing| missing.reason.clone())
}

//! The rule about the plan: the files on the head must be those that the plan block names.

use patchgate_model::content_digest;

use crate::context::{Context, Outcome, met, review, unread};

pub(super) fn digest(context: &Context<'_>) -> Vec<Outcome> {
    let block = match &context.block {
        None => return vec![review("the body could not be read")],
        Some(Err(error)) => return vec![review(error.to_string())],
        Some(Ok(block)) => block,
    };
    let evidence = context.evidence;

    let mut outcomes = Vec::new();
    if evidence
        .pull_request
        .as_ref()
        .is_ok_and(|pull_request| pull_request.head.sha != block.commit)
    {
        outcomes.push(review(
            "the plan block names another commit than the head: something was added to the branch",
        ));
    }

    if evidence
        .merge_base
        .as_ref()
        .is_ok_and(|base| *base != block.base)
    {
        outcomes.push(review(
            "the plan block names another base commit than the one that the branch is based on",
        ));
    }

    let mut files: Vec<(&str, &[u8])> = Vec::new();
    for (path, contents) in &evidence.contents {
        match &contents.head {
            Ok(Some(bytes)) => files.push((path, bytes)),
            Ok(None) => outcomes.push(review(format!("`{path}` does not exist on the head"))),
            Err(missing) => {
                outcomes.push(unread(&format!("`{path}` on the head"), missing));
            }
        }
    }

    if outcomes.is_empty() {
        outcomes.push(if content_digest(files) == block.content {
            met("the files on the head are those of the plan, byte for byte")
        } else {
            review("the files on the head are not those of the plan")
        });
    }

    outcomes
}

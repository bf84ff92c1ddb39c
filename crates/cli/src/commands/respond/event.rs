//! The comment that started a workflow.

use patchgate_model::UserError;

use crate::commands::gate::read_event;
use crate::context::Context;

/// The comment of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EventComment {
    /// A comment on a pull request that was just written.
    Created(NewComment),
    /// Something that is not obeyed, for a reason.
    Other(&'static str),
}

/// A comment as it was when it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NewComment {
    /// Number of the pull request.
    pub(super) number: u64,
    /// Id on the forge.
    pub(super) id: u64,
    /// The text.
    pub(super) body: String,
}

/// The comment of the event whose file the workflow names. Gitea's workflows name it as GitHub's do.
///
/// # Errors
/// When there is no event, or its file cannot be read.
pub(super) fn event_comment(context: &Context) -> Result<EventComment, UserError> {
    let path = context
        .environment
        .variable("GITHUB_EVENT_PATH")
        .ok_or_else(|| {
            UserError::usage("no comment is named").with_hint(
            "run it in a workflow on `issue_comment`, or give `--pull-request NUMBER` or `--all`",
        )
        })?;

    Ok(comment_of(&read_event(path)?))
}

fn comment_of(event: &serde_json::Value) -> EventComment {
    let comment = &event["comment"];
    let (Some(id), Some(body)) = (comment["id"].as_u64(), comment["body"].as_str()) else {
        return EventComment::Other("the event has no comment");
    };
    if event["action"] != "created" {
        return EventComment::Other("an edited or deleted comment is not obeyed");
    }
    // Gitea names the pull request in another way.
    let is_pull = event["issue"]["pull_request"].is_object() || event["is_pull"] == true;
    let number = event["issue"]["number"].as_u64().filter(|_| is_pull);
    let Some(number) = number else {
        return EventComment::Other("the comment is not on a pull request");
    };

    EventComment::Created(NewComment {
        number,
        id,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_new_comment_on_a_pull_request_is_obeyed() {
        let event = |action: &str, issue: serde_json::Value| json!({ "action": action, "issue": issue, "comment": { "id": 7, "body": "text" } });
        let pull = json!({ "number": 3, "pull_request": {} });
        let comment = NewComment {
            number: 3,
            id: 7,
            body: "text".to_owned(),
        };
        assert_eq!(
            comment_of(&event("created", pull.clone())),
            EventComment::Created(comment)
        );

        let mut on_gitea = event("created", json!({ "number": 3 }));
        on_gitea["is_pull"] = json!(true);
        assert!(matches!(comment_of(&on_gitea), EventComment::Created(_)));

        for event in [
            event("edited", pull.clone()),
            event("deleted", pull),
            event("created", json!({ "number": 3 })),
            event("created", json!({ "pull_request": {} })),
            json!({ "action": "created", "issue": { "number": 3, "pull_request": {} } }),
            json!([]),
        ] {
            assert!(
                matches!(comment_of(&event), EventComment::Other(_)),
                "{event}"
            );
        }
    }
}

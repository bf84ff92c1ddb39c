//! Comments that Patchgate keeps up to date instead of repeating them.

use crate::ForgeError;
use crate::forge::Forge;
use crate::guard::without_commands;
use crate::pull_request::is_own_author;
use crate::requests::TokenIdentity;

/// Gives a pull request one comment with this text. A comment of the token's account with the same
/// key is edited, or left unchanged when its text is the same, so that a repeated run adds none.
///
/// `key` is a word in a hidden mark at the start of the comment.
///
/// # Errors
/// When the comments cannot be read, or the forge refuses.
pub async fn keep_comment(
    forge: &impl Forge,
    identity: Option<&TokenIdentity>,
    number: u64,
    key: &str,
    text: &str,
) -> Result<(), ForgeError> {
    let mark = format!("<!-- patchgate:comment {key} -->");
    let body = without_commands(&format!("{mark}\n{text}"));
    let comments = forge.comments(number).await?;
    let present = comments.iter().find(|comment| {
        comment.body.trim_start().starts_with(&mark)
            && is_own_author(comment.author.as_ref(), identity)
    });

    match present {
        Some(comment) if comment.body.replace("\r\n", "\n").trim_end() == body.trim_end() => Ok(()),
        Some(comment) => forge.edit_comment(number, comment.id, &body).await,
        None => forge.add_comment(number, &body).await,
    }
}

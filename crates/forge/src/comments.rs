//! Comments that Patchgate keeps up to date instead of repeating them.

use crate::ForgeError;
use crate::forge::Forge;
use crate::guard::without_commands;
use crate::pull_request::is_own_author;
use crate::requests::{Comment, TokenIdentity};

/// Whether the token's account has written a comment with this key.
#[must_use]
pub fn has_comment(comments: &[Comment], identity: Option<&TokenIdentity>, key: &str) -> bool {
    present(comments, identity, key).is_some()
}

/// Adds a comment with a key, unless the token's account has written one.
///
/// The comments are read again afterwards. Of two runs at once, the older comment stays and the others
/// are deleted; after a lost answer, a comment that exists is success.
///
/// # Errors
/// When a call fails, and no comment with the key exists afterwards.
pub async fn answer_once(
    forge: &impl Forge,
    identity: Option<&TokenIdentity>,
    number: u64,
    key: &str,
    text: &str,
) -> Result<(), ForgeError> {
    let body = without_commands(&format!("{}\n{text}", mark(key)));
    let written = forge.add_comment(number, &body).await;
    if let Err(error) = written {
        if !error.may_have_taken_effect() {
            return Err(error);
        }
        // An error of this second call would hide the first one, which says more.
        let comments = forge.comments(number).await.unwrap_or_default();
        if !has_comment(&comments, identity, key) {
            return Err(error);
        }
    }

    let comments = forge.comments(number).await?;
    delete_repeated(forge, identity, number, key, &comments).await
}

/// Deletes all comments with this key by the token's account, except the oldest. `comments` are those
/// of the pull request, oldest first.
///
/// # Errors
/// When the forge refuses.
pub async fn delete_repeated(
    forge: &impl Forge,
    identity: Option<&TokenIdentity>,
    number: u64,
    key: &str,
    comments: &[Comment],
) -> Result<(), ForgeError> {
    for comment in all_present(comments, identity, key).skip(1) {
        forge.delete_comment(number, comment.id).await?;
    }

    Ok(())
}

fn mark(key: &str) -> String {
    format!("<!-- patchgate:comment {key} -->")
}

fn present<'a>(
    comments: &'a [Comment],
    identity: Option<&TokenIdentity>,
    key: &str,
) -> Option<&'a Comment> {
    all_present(comments, identity, key).next()
}

/// The comments of the token's account with this key, oldest first.
fn all_present<'a>(
    comments: &'a [Comment],
    identity: Option<&TokenIdentity>,
    key: &str,
) -> impl Iterator<Item = &'a Comment> {
    let mark = mark(key);
    comments.iter().filter(move |comment| {
        comment.body.trim_start().starts_with(&mark)
            && is_own_author(comment.author.as_ref(), identity)
    })
}

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
    let body = without_commands(&format!("{}\n{text}", mark(key)));
    let comments = forge.comments(number).await?;

    match present(&comments, identity, key) {
        Some(comment) if comment.body.replace("\r\n", "\n").trim_end() == body.trim_end() => Ok(()),
        Some(comment) => forge.edit_comment(number, comment.id, &body).await,
        None => forge.add_comment(number, &body).await,
    }
}

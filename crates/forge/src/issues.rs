//! Issues that Patchgate keeps up to date, and closes when their cause is gone.

use crate::ForgeError;
use crate::forge::Forge;
use crate::guard::without_commands;
use crate::pull_request::is_own_author;
use crate::requests::{Issue, IssueText, TokenIdentity};

/// Mark of an issue that Patchgate closed itself. One without it was closed by a person, and stays
/// closed.
const CLOSED_MARK: &str = "<!-- patchgate:closed -->";

/// An issue that should be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedIssue {
    /// A word that identifies it, in a hidden mark at the start of its text.
    pub key: String,
    /// Its title and text.
    pub text: IssueText,
}

/// What happened to an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueAction {
    /// It was opened.
    Opened,
    /// Its title or its text was changed, or it was opened again.
    Updated,
    /// Nothing was written.
    Unchanged,
    /// It was closed, because its cause is gone.
    Closed,
    /// A person closed it, and it stays closed.
    Left,
}

/// One issue, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptIssue {
    /// Number on the forge.
    pub number: u64,
    /// Address of its page.
    pub url: String,
    /// The key of [`WantedIssue`].
    pub key: String,
    /// What happened to it.
    pub action: IssueAction,
}

/// Brings the issues of the token's account with a key below `family` into the wanted state: opened,
/// changed in place, and closed when they are not wanted. A repeated run writes nothing. Of two runs at
/// once, the older issue stays open; after a lost answer, an issue that exists counts as opened.
/// `present` is the answer of [`Forge::issues`]. Without `may_close`, none is closed: the cause of an
/// issue may be there although it was not seen.
///
/// # Errors
/// When the forge refuses.
pub async fn keep_issues(
    forge: &impl Forge,
    identity: Option<&TokenIdentity>,
    present: &[Issue],
    family: &str,
    wanted: &[WantedIssue],
    may_close: bool,
) -> Result<Vec<KeptIssue>, ForgeError> {
    let own: Vec<(&Issue, &str)> = present
        .iter()
        .filter(|issue| is_own_author(issue.author.as_ref(), identity))
        .filter_map(|issue| Some((issue, key_of(&issue.body)?)))
        .filter(|(_, key)| key.starts_with(family))
        .collect();

    let mut kept = Vec::new();
    for wanted in wanted {
        let text = IssueText {
            title: wanted.text.title.clone(),
            body: without_commands(&format!("{}\n{}", mark(&wanted.key), wanted.text.body)),
        };
        // An open one before a closed one, the oldest first.
        let mut same: Vec<&Issue> = own
            .iter()
            .filter(|(_, key)| *key == wanted.key)
            .map(|(issue, _)| *issue)
            .collect();
        same.sort_by_key(|issue| (!issue.is_open, issue.number));
        kept.push(match same.first() {
            None => {
                let opened = open_or_find(forge, identity, &wanted.key, &text).await?;
                outcome(&opened, &wanted.key, IssueAction::Opened)
            }
            Some(issue) => {
                let action = change(forge, issue, &text).await?;
                outcome(issue, &wanted.key, action)
            }
        });
    }

    for (issue, key) in own {
        if may_close && issue.is_open && !kept.iter().any(|one| one.number == issue.number) {
            close(forge, issue).await?;
            kept.push(outcome(issue, key, IssueAction::Closed));
        }
    }

    Ok(kept)
}

/// Opens an issue, looks again, and closes those that another run opened later for the same key.
async fn open_or_find(
    forge: &impl Forge,
    identity: Option<&TokenIdentity>,
    key: &str,
    text: &IssueText,
) -> Result<Issue, ForgeError> {
    let opened = forge.open_issue(text).await;
    match opened {
        Err(error) if !error.may_have_taken_effect() => return Err(error),
        _ => {}
    }

    // An error of this second call would hide the first one, which says more.
    let author = identity.map(|identity| identity.login.as_str());
    let present = forge
        .issues(author)
        .await
        .ok()
        .flatten()
        .unwrap_or_default();
    let mut same: Vec<&Issue> = present
        .iter()
        .filter(|issue| issue.is_open && is_own_author(issue.author.as_ref(), identity))
        .filter(|issue| key_of(&issue.body) == Some(key))
        .collect();
    same.sort_by_key(|issue| issue.number);
    match same.split_first() {
        Some((first, later)) => {
            for issue in later {
                close(forge, issue).await?;
            }
            Ok((*first).clone())
        }
        None => opened,
    }
}

/// Closes an issue with the mark that Patchgate did.
async fn close(forge: &impl Forge, issue: &Issue) -> Result<(), ForgeError> {
    let text = IssueText {
        title: issue.title.clone(),
        body: format!("{}\n{CLOSED_MARK}\n", issue.body.trim_end()),
    };
    write(forge, issue.number, &text, false).await
}

/// Changes an issue. Gitea refuses a change while another one is made: two runs at once write the same,
/// and a later run corrects what differs.
async fn write(
    forge: &impl Forge,
    number: u64,
    text: &IssueText,
    is_open: bool,
) -> Result<(), ForgeError> {
    match forge.change_issue(number, text, is_open).await {
        Err(error) if error.status() == Some(409) => Ok(()),
        written => written,
    }
}

async fn change(
    forge: &impl Forge,
    issue: &Issue,
    text: &IssueText,
) -> Result<IssueAction, ForgeError> {
    if !issue.is_open && !issue.body.contains(CLOSED_MARK) {
        return Ok(IssueAction::Left);
    }
    let is_same = issue.is_open
        && issue.title == text.title
        && issue.body.replace("\r\n", "\n").trim_end() == text.body.trim_end();
    if is_same {
        return Ok(IssueAction::Unchanged);
    }

    write(forge, issue.number, text, true).await?;
    Ok(IssueAction::Updated)
}

fn outcome(issue: &Issue, key: &str, action: IssueAction) -> KeptIssue {
    KeptIssue {
        number: issue.number,
        url: issue.url.clone(),
        key: key.to_owned(),
        action,
    }
}

fn mark(key: &str) -> String {
    format!("<!-- patchgate:issue {key} -->")
}

/// The key in the mark at the start of a text.
fn key_of(body: &str) -> Option<&str> {
    let rest = body.trim_start().strip_prefix("<!-- patchgate:issue ")?;
    rest.split_once(" -->").map(|(key, _)| key)
}

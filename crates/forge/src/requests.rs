//! Values about pull requests that every forge has.

use jiff::Timestamp;
use patchgate_model::Account;

use crate::ForgeKind;

/// An open pull request that Patchgate may have made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPullRequest {
    /// Number of the pull request.
    pub number: u64,
    /// Address of its page.
    pub url: String,
    /// The account that opened it; `None` for a deleted one.
    pub author: Option<Account>,
    /// Title of the pull request.
    pub title: String,
    /// Description of the pull request, as Markdown.
    pub body: String,
    /// Head branch, without `refs/heads/`.
    pub branch: String,
    /// Commit at the head of the branch.
    pub head: String,
    /// Name of the base branch.
    pub base: String,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Logins of its assignees.
    pub assignees: Vec<String>,
    /// When it was opened, as far as the forge says.
    pub created_at: Option<Timestamp>,
}

/// A closed pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedPullRequest {
    /// Number of the pull request.
    pub number: u64,
    /// Address of its page.
    pub url: String,
    /// The account that opened it; `None` for a deleted one.
    pub author: Option<Account>,
    /// Description of the pull request, as Markdown.
    pub body: String,
    /// Whether it was merged.
    pub is_merged: bool,
}

/// A pull request that is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPullRequest<'a> {
    /// Its title: one line.
    pub title: &'a str,
    /// Its description, as Markdown.
    pub body: &'a str,
    /// Head branch, without `refs/heads/`.
    pub branch: &'a str,
    /// Base branch, without `refs/heads/`.
    pub base: &'a str,
}

/// A pull request that was just opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedPullRequest {
    /// Number of the pull request.
    pub number: u64,
    /// Address of its page.
    pub url: String,
}

/// The account of the token, with the e-mail address that assigns commits to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenIdentity {
    /// Login of the account.
    pub login: String,
    /// Its numeric id.
    pub id: Option<u64>,
    /// The address for its commits.
    pub email: String,
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Id on the forge.
    pub id: u64,
    /// The account that wrote it; `None` for a deleted one.
    pub author: Option<Account>,
    /// Its text, as Markdown.
    pub body: String,
    /// When it was written; `None` if the forge does not state it.
    pub created: Option<Timestamp>,
    /// Whether its text was changed since. A comment without both times counts as edited.
    pub is_edited: bool,
}

impl Comment {
    /// Whether the times of a comment are those of an edited one.
    pub(crate) fn was_edited(created: Option<Timestamp>, updated: Option<Timestamp>) -> bool {
        created.is_none() || created != updated
    }
}

/// An issue. GitHub lists pull requests as issues too; they are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Number on the forge.
    pub number: u64,
    /// Address of its page.
    pub url: String,
    /// The account that opened it; `None` for a deleted one.
    pub author: Option<Account>,
    /// Its title.
    pub title: String,
    /// Its text, as Markdown.
    pub body: String,
    /// Whether it is open.
    pub is_open: bool,
}

/// What an issue should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueText {
    /// Its title: one line.
    pub title: String,
    /// Its text, as Markdown.
    pub body: String,
}

/// A verdict that is to be written as a check or a status of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictReport {
    /// Name of the check.
    pub name: String,
    /// Commit that the verdict is about.
    pub head_sha: String,
    /// Conclusion of the check.
    pub conclusion: Conclusion,
    /// Title of the check: one line.
    pub title: String,
    /// Summary of the verdict, as Markdown. Forges with statuses only have no room for it.
    pub summary: String,
    /// Notes at lines of the change. Forges with statuses only have no room for them.
    pub notes: Vec<CheckNote>,
}

/// A note at a line of a file, in a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckNote {
    /// Path from the root of the repository.
    pub path: String,
    /// Line from 1.
    pub line: u32,
    /// The level of the note.
    pub level: NoteLevel,
    /// Its title: one line.
    pub title: String,
    /// Its text, which is not Markdown.
    pub message: String,
}

/// The level of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteLevel {
    /// Information.
    Notice,
    /// Something that does not fail the check.
    Warning,
    /// Something that fails the check.
    Failure,
}

/// The conclusion of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// The change may be merged.
    Success,
    /// A person has to decide: not a failure, and not a success either.
    ActionRequired,
    /// The change must not be merged.
    Failure,
}

/// The outcome of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeOutcome {
    /// The pull request is merged.
    Merged {
        /// The commit on the base branch, if the forge names it.
        sha: Option<String>,
    },
    /// The head is another commit than the given one. Nothing was merged.
    HeadMoved,
    /// The forge refuses the merge because of protection, conflicts or the method.
    NotMergeable {
        /// The reason that the forge gives.
        reason: String,
    },
}

/// The text of the merged commit. Without one, a forge takes the title of the pull request or of its
/// commit, which may contain `[skip ci]` or words that close issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeText {
    /// The first line.
    pub title: String,
    /// The rest.
    pub message: String,
}

impl MergeText {
    /// The text of a merge. It names nothing that comes from outside: commit ids are hexadecimal.
    ///
    /// ```
    /// use patchgate_forge::{ForgeKind, MergeText};
    ///
    /// let text = MergeText::of(ForgeKind::GitHub, 7, &"a".repeat(40), "[skip ci]");
    /// assert_eq!(text.title, "Update vulnerable dependencies (#7)");
    /// assert!(!text.message.contains("skip"));
    /// ```
    #[must_use]
    pub fn of(kind: ForgeKind, number: u64, head: &str, base: &str) -> Self {
        let id = |text: &str| {
            if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                text.to_owned()
            } else {
                "unknown".to_owned()
            }
        };
        Self {
            title: format!(
                "Update vulnerable dependencies ({})",
                kind.reference(number)
            ),
            message: format!(
                "Merged by Patchgate.\n\nJudged commit: {}\nPolicy from commit: {}\n",
                id(head),
                id(base)
            ),
        }
    }
}

/// Longest description of a status, in characters: the least of the forges' limits (GitLab: 255).
const STATUS_CHARACTERS: usize = 140;

/// A text as the description of a status: one short line.
pub(crate) fn status_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= STATUS_CHARACTERS {
        return line;
    }
    let cut: String = line.chars().take(STATUS_CHARACTERS - 1).collect();
    format!("{cut}…")
}

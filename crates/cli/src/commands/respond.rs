//! `patchgate respond`: carries out the `/patchgate` commands that people write in comments.
//!
//! A command counts when the forge says that its author may write to the repository, and when the
//! comment was never edited: an edit could be made by another person, or after the permission was
//! checked. Each command is answered once. The answer is found again by a mark in a comment of the
//! token's own account, and every command may be carried out twice with the same result, so that an
//! interrupted run is repeated.

mod carry_out;
mod command;
mod event;
mod propose;

use std::path::Path;

use patchgate_forge::pull_request::is_own_author;
use patchgate_forge::{
    Comment, Forge as _, TokenIdentity, answer_once, delete_repeated, has_comment,
};
use patchgate_model::UserError;
use patchgate_report::{clean, markdown_code, markdown_text};

use self::command::{Command, USAGE};
use self::event::{EventComment, NewComment, event_comment};
use super::pr;
use crate::context::Context;
use crate::exit::Exit;
use crate::forge::{OpenForge, failed};
use crate::output;

/// Flags of `patchgate respond`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Answer the comments of this pull request [default: the comment of the event that started the
    /// workflow]
    #[arg(long, value_name = "NUMBER")]
    pull_request: Option<u64>,

    /// Answer the comments of every open pull request of Patchgate into the default branch
    #[arg(long, conflicts_with = "pull_request")]
    all: bool,

    #[command(flatten)]
    proposing: pr::ProposingArgs,
}

/// Age above which a comment is not obeyed, in seconds: a week. Patchgate may be installed long after
/// it was written.
const MAX_AGE_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Most characters of an error in an answer.
const MAX_ERROR: usize = 1_000;

/// Most characters of a command that an answer repeats.
const MAX_COMMAND: usize = 200;

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let only = match (args.pull_request, args.all) {
        (None, false) => match event_comment(context)? {
            EventComment::Created(comment) => Some(comment),
            EventComment::Other(reason) => {
                output::write(&format!("nothing to answer: {reason}\n"), None)?;
                return Ok(Exit::Clean);
            }
        },
        _ => None,
    };
    let forge = OpenForge::open(&args.proposing.forge, Path::new("."), context).await?;
    let identity = forge.api.identity().await.map_err(|error| failed(&error))?;
    let numbers = match (&only, args.pull_request) {
        (Some(comment), _) => vec![comment.number],
        (None, Some(number)) => vec![number],
        (None, None) => open_numbers(&forge).await?,
    };

    let responder = Responder {
        args,
        context,
        forge: &forge,
        identity: identity.as_ref(),
        only: only.as_ref(),
    };
    let mut count = 0;
    for number in numbers {
        count += responder.answer_all(number).await?;
    }
    if count == 0 {
        output::write("nothing to answer: no new command\n", None)?;
    }

    Ok(Exit::Clean)
}

async fn open_numbers(forge: &OpenForge) -> Result<Vec<u64>, UserError> {
    let listed = async {
        let base = forge.api.default_branch().await?;
        forge.api.open_requests(&base).await
    };
    let open = listed.await.map_err(|error| failed(&error))?;
    Ok(open.into_iter().map(|pull| pull.number).collect())
}

/// One run that answers comments.
struct Responder<'a> {
    args: &'a Args,
    context: &'a Context,
    forge: &'a OpenForge,
    identity: Option<&'a TokenIdentity>,
    /// The comment to answer. `None` answers all comments of the pull request.
    only: Option<&'a NewComment>,
}

impl Responder<'_> {
    /// Answers the commands in the comments of a pull request. Returns how many new ones there were.
    async fn answer_all(&self, number: u64) -> anyhow::Result<usize> {
        let api = &self.forge.api;
        let comments = api.comments(number).await.map_err(|error| failed(&error))?;
        let name = self.forge.kind.reference(number);
        let mut count = 0;
        for (at, comment) in comments.iter().enumerate() {
            if is_own_author(comment.author.as_ref(), self.identity)
                || self.only.is_some_and(|only| only.id != comment.id)
            {
                continue;
            }
            let Some(command) = command::parse(&comment.body) else {
                continue;
            };
            let key = answer_key(comment);
            if has_comment(&comments, self.identity, &key) {
                delete_repeated(api, self.identity, number, &key, &comments)
                    .await
                    .map_err(|error| failed(&error))?;
                continue;
            }

            // Commands that are not obeyed get no answer, so that not everyone can make Patchgate
            // write.
            count += 1;
            let words = described(comment);
            if let Some(reason) = self.refusal(comment).await? {
                output::write(&format!("{name}: not obeyed, {reason}: {words}\n"), None)?;
                continue;
            }

            let answer = match command {
                Ok(command) if self.is_overtaken(&command, comments.get(at + 1..)) => {
                    "Not done: a later command was carried out already.".to_owned()
                }
                command => self.answer(number, command).await,
            };
            let text = format!("{}\n\n{answer}\n", quoted(comment));
            answer_once(api, self.identity, number, &key, &text)
                .await
                .map_err(|error| failed(&error))?;
            output::write(&format!("{name}: answered {words}\n"), None)?;
        }

        Ok(count)
    }

    /// Why a command is not obeyed: a fragment.
    ///
    /// # Errors
    /// When the forge does not say whether the author may write.
    async fn refusal(&self, comment: &Comment) -> anyhow::Result<Option<&'static str>> {
        let now = self.context.environment.now().as_second();
        let was_other = self
            .only
            .is_some_and(|only| only.body.trim_end() != comment.body.trim_end());
        let Some(created) = comment.created.filter(|_| !comment.is_edited && !was_other) else {
            return Ok(Some("the comment was edited"));
        };
        if now.saturating_sub(created.as_second()) > MAX_AGE_SECONDS {
            return Ok(Some("the comment is older than a week"));
        }
        let Some(author) = &comment.author else {
            return Ok(Some("the comment has no author"));
        };

        let may_write = self.forge.api.may_write(author).await;
        Ok(match may_write.map_err(|error| failed(&error))? {
            true => None,
            false => Some("its author may not write to the repository"),
        })
    }

    /// Whether a later comment ended or began a hold, and was answered: a run that was interrupted
    /// and is repeated would undo it.
    fn is_overtaken(&self, command: &Command, later: Option<&[Comment]>) -> bool {
        let is_hold = |command: &Command| matches!(command, Command::Hold(_) | Command::Resume);
        let later = later.unwrap_or_default();
        is_hold(command)
            && later.iter().any(|comment| {
                matches!(command::parse(&comment.body), Some(Ok(command)) if is_hold(&command))
                    && has_comment(later, self.identity, &answer_key(comment))
            })
    }

    /// Carries a command out; the answer is Markdown.
    async fn answer(&self, number: u64, command: Result<Command, String>) -> String {
        let command = match command {
            Ok(command) => command,
            Err(reason) => {
                return format!(
                    "Not done: {}.\n\n{USAGE}",
                    markdown_text(&reason, MAX_ERROR)
                );
            }
        };
        let done = match self.forge.api.pull_request(number).await {
            Ok(pull) => self.carry_out(&pull, command).await,
            Err(error) => Err(failed(&error).into()),
        };

        done.unwrap_or_else(|error| {
            let hint = error
                .downcast_ref::<UserError>()
                .and_then(UserError::hint)
                .map(|hint| format!("\n\nHint: {}", markdown_text(hint, MAX_ERROR)))
                .unwrap_or_default();
            format!(
                "Not done: {}{hint}",
                markdown_text(&format!("{error:#}"), MAX_ERROR)
            )
        })
    }
}

/// The key of the answer to a comment.
fn answer_key(comment: &Comment) -> String {
    format!("answer-{}", comment.id)
}

/// The command of a comment, shortened.
fn first_line(comment: &Comment) -> String {
    let line = comment.body.trim_start().lines().next();
    clean(line.unwrap_or_default())
        .chars()
        .take(MAX_COMMAND)
        .collect()
}

fn login(comment: &Comment) -> &str {
    comment
        .author
        .as_ref()
        .map_or("an unknown account", |author| &author.login)
}

/// The command of a comment and its author, for a log.
fn described(comment: &Comment) -> String {
    format!("`{}` of {}", first_line(comment), clean(login(comment)))
}

/// The command of a comment and its author, as Markdown.
fn quoted(comment: &Comment) -> String {
    format!(
        "{} by {}:",
        markdown_code(&first_line(comment)),
        markdown_code(login(comment))
    )
}

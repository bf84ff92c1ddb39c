//! The author of the commits, and the key that signs plans.

use patchgate_forge::git::CommitIdentity;
use patchgate_forge::{ForgeKind, TokenIdentity};
use patchgate_model::UserError;
use patchgate_proof::SigningKey;

use super::ProposingArgs;
use crate::context::Context;
use crate::forge::OpenForge;

/// The account under which a workflow's own token acts, with the address by which GitHub knows it
/// (<https://github.com/actions/checkout#push-a-commit-using-the-built-in-token>).
const WORKFLOW_ACCOUNT: (&str, &str) = (
    "github-actions[bot]",
    "41898282+github-actions[bot]@users.noreply.github.com",
);

/// The variable with the key that signs plans.
const PLAN_KEY: &str = "PATCHGATE_PLAN_KEY";
/// Largest key file that is read, in bytes.
const MAX_KEY_BYTES: u64 = 4096;

/// The key that signs the plan; `None` when none is given.
pub(super) fn plan_key(
    args: &ProposingArgs,
    context: &Context,
) -> Result<Option<SigningKey>, UserError> {
    let (name, text) = match (&args.plan_key, context.environment.variable(PLAN_KEY)) {
        (Some(path), _) => {
            let failed = |reason: String| {
                UserError::usage(format!(
                    "the key `{}` cannot be read: {reason}",
                    path.display()
                ))
            };
            let bytes = std::fs::File::open(path)
                .and_then(|file| patchgate_fs::read_up_to(file, MAX_KEY_BYTES))
                .map_err(|error| failed(error.to_string()))?
                .ok_or_else(|| failed(format!("it is larger than {MAX_KEY_BYTES} bytes")))?;
            let text =
                String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))?;
            (path.display().to_string(), text)
        }
        (None, Some(text)) => (PLAN_KEY.to_owned(), text.to_owned()),
        (None, None) => return Ok(None),
    };

    SigningKey::from_pem(&text)
        .map(Some)
        .map_err(|error| UserError::usage(format!("the key in `{name}` cannot be used: {error}")))
}

/// The author of the commit: the flag, else the token's account, which the gate recognises.
pub(in crate::commands) fn identity(
    args: &ProposingArgs,
    forge: &OpenForge,
    account: Option<&TokenIdentity>,
    context: &Context,
) -> anyhow::Result<CommitIdentity> {
    let bad = |error: String| UserError::usage(error).with_hint("give it as `NAME <EMAIL>`");
    if let Some(author) = &args.commit_author {
        let (name, email) = author
            .trim()
            .strip_suffix('>')
            .and_then(|author| author.split_once('<'))
            .ok_or_else(|| bad(format!("`{author}` is not an author")))?;
        return Ok(CommitIdentity::new(name.trim(), email.trim())
            .map_err(|error| bad(error.to_string()))?);
    }

    let is_workflow = forge.kind == ForgeKind::GitHub
        && context.environment.variable("GITHUB_ACTIONS") == Some("true");
    let (name, email) = match account {
        Some(account) => (account.login.as_str(), account.email.as_str()),
        None if is_workflow => WORKFLOW_ACCOUNT,
        None => {
            return Err(
                UserError::usage("the forge does not say whose token this is")
                    .with_hint("give `--commit-author \"NAME <EMAIL>\"`")
                    .into(),
            );
        }
    };

    CommitIdentity::new(name, email).map_err(|error| bad(error.to_string()).into())
}

//! The ledger of a run: where it is, who writes, and the records of scans and verdicts.

mod proposal;
mod records;

use std::path::PathBuf;

use patchgate_ledger::{
    Actor, Branch, Event, Folder, Ledger, LedgerError, OpenIntent, Reason, Record, SignerKey, Step,
    Storage, VerifierKey,
};
use patchgate_model::UserError;
use patchgate_report::clean;

use crate::context::Context;
use crate::output::warn;

pub(crate) use proposal::{Proposed, proposal_intents, proposal_results};
pub(crate) use records::{Judged, merge_intent, repository, scan, verdict};

/// The variable with the private key.
const KEY_VARIABLE: &str = "PATCHGATE_LEDGER_KEY";

/// Age from which an intent without a result is one of a run that was interrupted.
pub(crate) const INTERRUPTED_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

/// Largest file with a key, in bytes.
const MAX_KEY_BYTES: u64 = 4096;

/// The ledger that a run is recorded in.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Ledger")]
pub(crate) struct LedgerArgs {
    /// Record the result in this ledger: a directory, or `git:DIR` for the branch `patchgate/ledger` of
    /// the repository in a directory; `patchgate audit init` creates one
    #[arg(long, value_name = "PLACE", env = "PATCHGATE_LEDGER")]
    ledger: Option<String>,

    /// File with the ledger's private key [default: the key itself in `PATCHGATE_LEDGER_KEY`]
    #[arg(long, value_name = "FILE")]
    ledger_key: Option<PathBuf>,
}

/// The place of a ledger: a directory, or `git:` and the directory of a repository.
pub(crate) fn place(text: &str) -> Result<Box<dyn Storage>, LedgerError> {
    Ok(match text.strip_prefix("git:") {
        Some(repository) => Box::new(Branch::open(repository)?),
        None => Box::new(Folder::new(text)),
    })
}

/// The private key in a file, or in the environment.
pub(crate) fn signer(
    file: Option<&std::path::Path>,
    context: &Context,
) -> Result<Option<SignerKey>, UserError> {
    let (text, name) = match file {
        Some(path) => {
            let name = format!("`{}`", path.display());
            let bytes = patchgate_fs::read_named(path, MAX_KEY_BYTES)
                .map_err(|error| UserError::usage(format!("{name} {error}")))?;
            (String::from_utf8_lossy(&bytes).into_owned(), name)
        }
        None => match context.environment.variable(KEY_VARIABLE) {
            Some(text) => (text.to_owned(), format!("`{KEY_VARIABLE}`")),
            None => return Ok(None),
        },
    };

    SignerKey::parse(&text).map(Some).map_err(|error| {
        UserError::usage(format!("{name} {error}"))
            .with_hint("`patchgate audit init --key-file FILE` writes a key")
    })
}

/// An error of the ledger with its next step.
pub(crate) fn failed(error: &LedgerError) -> UserError {
    // Names of files in a ledger may be anybody's.
    UserError::failure(clean(&error.to_string())).with_hint(error.hint())
}

/// The same for an error that may be one of the ledger.
pub(crate) fn failed_any(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<LedgerError>() {
        Ok(error) => failed(&error).into(),
        Err(error) => error,
    }
}

/// A ledger that a run writes to.
pub(crate) struct Writer {
    storage: Box<dyn Storage>,
    pub(crate) key: SignerKey,
    pub(crate) who: Actor,
}

impl LedgerArgs {
    /// The place of the ledger, if one is named.
    pub(crate) fn place(&self) -> Option<&str> {
        self.ledger.as_deref()
    }

    /// The public half of the private key, if one is given.
    pub(crate) fn verifier(&self, context: &Context) -> Result<Option<VerifierKey>, UserError> {
        let key = signer(self.ledger_key.as_deref(), context)?;
        Ok(key.map(|key| key.verifier().clone()))
    }

    /// Opens the ledger, and checks that the key is its own. `None` when the run is not recorded.
    pub(crate) fn open(&self, context: &Context) -> Result<Option<Writer>, UserError> {
        let Some(place_name) = self.ledger.as_deref() else {
            return Ok(None);
        };
        let key = signer(self.ledger_key.as_deref(), context)?.ok_or_else(|| {
            UserError::usage(format!("there is no key for the ledger `{place_name}`"))
                .with_hint(format!("give `--ledger-key FILE`, or set `{KEY_VARIABLE}`"))
        })?;

        let storage = place(place_name).map_err(|error| failed(&error))?;
        Ledger::open(&*storage, key.verifier()).map_err(|error| failed(&error))?;
        Ok(Some(Writer {
            storage,
            key,
            who: actor(context),
        }))
    }
}

/// The account that started a workflow, by its id.
pub(crate) fn actor(context: &Context) -> Actor {
    let variable = |name| context.environment.variable(name);
    let forge = variable("GITHUB_SERVER_URL").and_then(|url| url.split_once("://"));
    match (forge, variable("GITHUB_ACTOR_ID")) {
        (Some((_, host)), Some(id)) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
            Actor::Account {
                forge: host.trim_end_matches('/').to_owned(),
                id: id.to_owned(),
            }
        }
        _ => Actor::Unknown,
    }
}

impl Writer {
    /// Appends a record with the files that it names, and returns its id. It is durable then.
    pub(crate) fn append(
        &self,
        record: Record,
        files: &[(String, Vec<u8>)],
    ) -> Result<String, LedgerError> {
        let mut ledger = Ledger::open(&*self.storage, self.key.verifier())?;
        let appended = ledger.append(&[record], files, &self.key)?;
        if let Some(behind) = appended.clock_behind {
            warn(&format!(
                "the clock is {} s behind the record before: check the clocks of the machines that \
                 write to the ledger",
                behind.as_secs()
            ));
        }

        Ok(appended.ids.concat())
    }

    /// Records the result of an intent.
    pub(crate) fn close(&self, intent: &OpenIntent, step: Step) -> Result<(), LedgerError> {
        self.close_with(intent, step, Vec::new())
    }

    /// Records the result of an intent, and what a person should know about it.
    pub(crate) fn close_with(
        &self,
        intent: &OpenIntent,
        step: Step,
        reasons: Vec<Reason>,
    ) -> Result<(), LedgerError> {
        let Some(event) = intent.result(step) else {
            return Ok(());
        };
        let record = Record {
            time: jiff::Timestamp::now(),
            who: self.who.clone(),
            event,
            reasons,
            ..intent.record.clone()
        };
        self.append(record, &[]).map(drop)
    }

    /// The hold that stops the merges of a pull request: a fragment that names the record and its reason.
    pub(crate) fn hold(&self, source: &str, number: u64) -> Result<Option<String>, LedgerError> {
        let of_one = format!("pull/{number}");
        let (mut of_all_pulls, mut of_this_pull) = (None, None);
        Ledger::open(&*self.storage, self.key.verifier())?.records(
            0,
            &mut |index, _, record| {
                let Event::Hold(hold) = &record.event else {
                    return;
                };
                let state = match record.subject.as_deref() {
                    _ if record.source != source => return,
                    None => &mut of_all_pulls,
                    Some(subject) if subject == of_one => &mut of_this_pull,
                    Some(_) => return,
                };
                let reason = record.reasons.into_iter().next();
                let reason = reason.map(|reason| reason.text).unwrap_or_default();
                *state = hold
                    .held
                    .then(|| format!("merges are held by record {index} of the ledger: {reason}"));
            },
        )?;
        Ok(of_all_pulls.or(of_this_pull))
    }

    /// The effects without a recorded result.
    pub(crate) fn open_intents(&self) -> Result<Vec<OpenIntent>, LedgerError> {
        Ledger::open(&*self.storage, self.key.verifier())?.open_intents()
    }
}

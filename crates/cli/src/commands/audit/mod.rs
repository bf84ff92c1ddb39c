//! `patchgate audit`: the ledger of decisions, created, checked, shown and proved.

mod export;
mod record;
mod show;

use std::path::{Path, PathBuf};

use patchgate_ledger::{
    Checkpoint, Ledger, LedgerError, NoteError, Record, SignerKey, Step, Storage, VerifierKey,
    verify,
};
use patchgate_model::UserError;
use patchgate_report::clean;

use crate::context::Context;
use crate::exit::Exit;
use crate::ledger::{failed, place, signer};
use crate::output::{self, warn};

/// Largest file with a key or a checkpoint, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Flags of `patchgate audit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create an empty ledger, and a key for it
    Init(InitArgs),
    /// Check every file and every record against the signed checkpoint
    Verify(VerifyArgs),
    /// Show records as a table, newest last
    Show(show::Args),
    /// Write the proof that a record is in the ledger, which needs nothing else but the public key
    Prove(ProveArgs),
    /// Write all records as JSON, CSV, Markdown or HTML
    Export(export::Args),
    /// Record a hold or its end, a decision against a verdict, or what became of a merged commit
    Record(record::Args),
    /// Record the result of an effect whose run was interrupted
    Settle(SettleArgs),
}

/// The ledger, and the key that it must be signed with.
#[derive(Debug, clap::Args)]
pub(crate) struct PlaceArgs {
    /// Directory of the ledger, or `git:DIR` for the branch `patchgate/ledger` of a repository
    #[arg(long, value_name = "PLACE", env = "PATCHGATE_LEDGER")]
    ledger: String,

    /// Public key of the ledger, or a file with it. Without it, the key that the ledger names is
    /// used, which shows that the ledger is whole, but not who wrote it
    #[arg(long, value_name = "KEY|FILE")]
    key: Option<String>,
}

#[derive(Debug, clap::Args)]
struct InitArgs {
    /// Directory of the new ledger, or `git:DIR` for the branch `patchgate/ledger` of a repository
    #[arg(long, value_name = "PLACE", env = "PATCHGATE_LEDGER")]
    ledger: String,

    /// Name of the ledger, an address without scheme such as `ledger.example.com/team`; becomes the
    /// name of the new key
    #[arg(long, value_name = "NAME", required_unless_present = "with_key")]
    origin: Option<String>,

    /// Write the new private key to this file
    #[arg(long, value_name = "FILE", required_unless_present = "with_key")]
    key_file: Option<PathBuf>,

    /// Use the private key in this file instead of a new one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["origin", "key_file"])]
    with_key: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct VerifyArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Check too that the ledger has only grown since this earlier copy of its `checkpoint`
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct ProveArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Index or id of the record
    #[arg(value_name = "RECORD")]
    record: String,

    /// File for the proof
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    /// File for the record's bytes, which the proof is about
    #[arg(long, value_name = "FILE")]
    record_output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(id = "result", required = true, multiple = false, args = ["done", "failed", "unknown"])]
struct SettleArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Index or id of the intent
    #[arg(value_name = "RECORD")]
    record: String,

    /// It was done
    #[arg(long)]
    done: bool,

    /// It was not done, for this reason
    #[arg(long, value_name = "REASON")]
    failed: Option<String>,

    /// It cannot be known whether it was done, for this reason
    #[arg(long, value_name = "REASON")]
    unknown: Option<String>,

    /// File with the private key [default: the key itself in `PATCHGATE_LEDGER_KEY`]
    #[arg(long, value_name = "FILE")]
    ledger_key: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let result = match &args.command {
        Command::Init(args) => init(args, context),
        Command::Verify(args) => check(args),
        Command::Show(args) => show::run(args, context),
        Command::Prove(args) => prove(args),
        Command::Export(args) => export::run(args),
        Command::Record(args) => record::run(args, context),
        Command::Settle(args) => settle(args, context),
    };

    // A ledger that is not what its checkpoint says has an exit code of its own.
    result.or_else(|error| match error.downcast::<LedgerError>() {
        Ok(error) if error.is_altered() => {
            let text = clean(&error.to_string());
            output::say(&format!("error: {text}\nhint: {}\n", error.hint()));
            Ok(Exit::Findings)
        }
        Ok(error) => Err(failed(&error).into()),
        Err(error) => Err(error),
    })
}

impl PlaceArgs {
    pub(crate) fn storage(&self) -> Result<Box<dyn Storage>, LedgerError> {
        place(&self.ledger)
    }

    /// The key of the flag, or else the ledger's own.
    pub(crate) fn key(&self, storage: &dyn Storage) -> anyhow::Result<VerifierKey> {
        match &self.key {
            Some(text) => public_key("--key", text),
            None => Ok(Ledger::own_key(storage)?),
        }
    }
}

/// The public key of a flag: the key itself, or a file with it.
pub(crate) fn public_key(flag: &str, text: &str) -> anyhow::Result<VerifierKey> {
    // A key has two plus signs, which paths rarely have; a file of that name wins.
    let path = Path::new(text);
    let key = match path.is_file() || !text.contains('+') {
        true => read(path)?,
        false => text.to_owned(),
    };
    Ok(VerifierKey::parse(key.trim()).map_err(|error: NoteError| {
        UserError::usage(format!("`{flag} {text}` {error}"))
            .with_hint("`patchgate audit init` prints the public key; it is in the file `key` too")
    })?)
}

fn read(path: &Path) -> Result<String, UserError> {
    let named = |reason: String| UserError::usage(format!("`{}` {reason}", path.display()));
    let bytes =
        patchgate_fs::read_named(path, MAX_FILE_BYTES).map_err(|error| named(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| named("is not text".to_owned()))
}

fn init(args: &InitArgs, context: &Context) -> anyhow::Result<Exit> {
    let storage = place(&args.ledger)?;
    let key = match (&args.with_key, &args.origin, &args.key_file) {
        (Some(path), ..) => signer(Some(path), context)?
            .ok_or_else(|| UserError::usage(format!("`{}` has no key", path.display())))?,
        (None, Some(origin), Some(file)) => {
            let key = SignerKey::generate(origin)
                .map_err(|error| UserError::usage(format!("the origin `{origin}` {error}")))?;
            write_secret(file, &key)?;
            output::write(
                &format!(
                    "wrote the private key to `{}`: keep it as a secret of the CI, and not in the \
                     repository\n",
                    file.display()
                ),
                None,
            )?;
            key
        }
        _ => return Err(UserError::usage("`--origin` and `--key-file` are needed").into()),
    };

    let ledger = Ledger::create(&*storage, &key)?;
    output::write(
        &format!(
            "created the ledger `{}` of `{}`\npublic key: {}\n",
            storage.name(),
            ledger.checkpoint().origin,
            ledger.key()
        ),
        None,
    )?;
    Ok(Exit::Clean)
}

/// Writes the private key to a new file that only this user can read.
fn write_secret(path: &Path, key: &SignerKey) -> Result<(), UserError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(format!("{}\n", key.to_secret_text()).as_bytes())?;
            file.sync_all()
        })
        .map_err(|error| {
            UserError::usage(format!("`{}` cannot be written: {error}", path.display()))
                .with_hint("an existing key is never replaced: `--with-key` uses it")
        })
}

fn check(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let storage = args.place.storage()?;
    let key = args.place.key(&*storage)?;
    let result = verify(&*storage, &key)?;
    let Checkpoint { origin, size, root } = &result.checkpoint;

    let warnings = &result.warnings;
    for warning in &warnings.first {
        warn(warning);
    }
    if warnings.count > warnings.first.len() {
        warn(&format!(
            "and {} more",
            warnings.count - warnings.first.len()
        ));
    }
    for open in &result.open {
        warn(&format!(
            "record {} ({}) has no result: `patchgate audit settle {}` records one",
            open.index,
            open.record.event.kind(),
            open.index
        ));
    }

    if result.faults.count > 0 {
        for fault in &result.faults.first {
            output::say(&format!("error: {}\n", clean(fault)));
        }
        let more = result.faults.count - result.faults.first.len();
        let more = if more > 0 {
            format!(" (and {more} more)")
        } else {
            String::new()
        };
        output::say(&format!(
            "hint: the ledger `{}` is not what its checkpoint says{more}: keep a copy of it as it \
             is, and compare it with an earlier copy\n",
            storage.name()
        ));
        return Ok(Exit::Findings);
    }
    if let Some(path) = &args.since {
        let earlier = Checkpoint::open(&read(path)?, &key).map_err(|source| LedgerError::Note {
            path: path.display().to_string(),
            source,
        })?;
        Ledger::open(&*storage, &key)?.check_growth(&earlier)?;
        output::write(
            &format!("continues the checkpoint of {} records\n", earlier.size),
            None,
        )?;
    }

    output::write(
        &format!("verified: {size} records of `{origin}`, root {root}\n"),
        None,
    )?;
    if args.place.key.is_none() {
        output::say(
            "note: checked with the key that the ledger names itself; `--key` checks who wrote it\n",
        );
    }
    Ok(Exit::Clean)
}

/// The index of a record that is named by its index or its id.
fn find(ledger: &Ledger<'_>, name: &str) -> anyhow::Result<u64> {
    let size = ledger.checkpoint().size;
    if let Ok(index) = name.parse::<u64>()
        && index < size
    {
        return Ok(index);
    }

    let mut found = None;
    ledger.records(0, &mut |index, id, _| {
        if id == name {
            found = Some(index);
        }
    })?;
    found.ok_or_else(|| {
        UserError::usage(format!(
            "the ledger of {size} records has no record `{name}`"
        ))
        .with_hint("`patchgate audit show` lists the records with their indices and ids")
        .into()
    })
}

fn prove(args: &ProveArgs) -> anyhow::Result<Exit> {
    let storage = args.place.storage()?;
    let key = args.place.key(&*storage)?;
    let ledger = Ledger::open(&*storage, &key)?;
    let index = find(&ledger, &args.record)?;
    let (entry, proof) = ledger
        .entry(index)?
        .ok_or_else(|| UserError::usage(format!("there is no record {index}")))?;

    output::write_file(&args.output, proof.to_text().as_bytes())?;
    if let Some(path) = &args.record_output {
        output::write_file(path, &entry)?;
    }
    output::write(
        &format!(
            "wrote the proof that record {index} is among the {} records of `{}`\n",
            ledger.checkpoint().size,
            ledger.checkpoint().origin
        ),
        None,
    )?;
    Ok(Exit::Clean)
}

fn settle(args: &SettleArgs, context: &Context) -> anyhow::Result<Exit> {
    let storage = args.place.storage()?;
    let key = signer(args.ledger_key.as_deref(), context)?.ok_or_else(|| {
        UserError::usage("there is no private key")
            .with_hint("give `--ledger-key FILE`, or set `PATCHGATE_LEDGER_KEY`")
    })?;
    let mut ledger = Ledger::open(&*storage, key.verifier())?;
    let index = find(&ledger, &args.record)?;
    let open = ledger.open_intents()?;
    let intent = open
        .into_iter()
        .find(|open| open.index == index)
        .ok_or_else(|| {
            UserError::usage(format!("record {index} is not an intent without a result"))
                .with_hint("`patchgate audit verify` lists those")
        })?;

    let id = intent.id.clone();
    let step = match (&args.failed, &args.unknown) {
        (Some(reason), _) => Step::Failed {
            intent: id,
            reason: reason.clone(),
        },
        (_, Some(reason)) => Step::Unknown {
            intent: id,
            reason: reason.clone(),
        },
        _ => Step::Done { intent: id },
    };
    let event = intent
        .result(step)
        .ok_or_else(|| UserError::usage(format!("record {index} has no effect")))?;
    let record = Record {
        time: jiff::Timestamp::now(),
        who: crate::ledger::actor(context),
        event,
        ..intent.record
    };
    let appended = ledger.append(&[record], &[], &key)?;
    output::write(
        &format!("recorded the result as record {}\n", appended.first),
        None,
    )?;
    Ok(Exit::Clean)
}

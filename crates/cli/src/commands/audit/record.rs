//! `patchgate audit record`: what people decide, and what became of a merged change.

use std::path::PathBuf;

use patchgate_ledger::{
    Decision, Event, HoldEvent, Ledger, OutcomeEvent, OutcomeKind, OverrideEvent, Reason, Record,
};
use patchgate_model::{UserError, without_credentials};

use super::{PlaceArgs, find};
use crate::context::Context;
use crate::exit::Exit;
use crate::ledger::{actor, repository, signer};
use crate::output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Hold automatic merges: `gate` with this ledger says review until they are resumed
    Hold(HoldArgs),
    /// Let merges that were held go on
    Resume(HoldArgs),
    /// Record a person's decision against a verdict; it changes no verdict of the gate
    Override(OverrideArgs),
    /// Record that a merged commit was deployed
    Deployed(OutcomeArgs),
    /// Record that a merged commit was reverted
    Reverted(OutcomeArgs),
}

#[derive(Debug, clap::Args)]
struct CommonArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// File with the private key [default: the key itself in `PATCHGATE_LEDGER_KEY`]
    #[arg(long, value_name = "FILE")]
    ledger_key: Option<PathBuf>,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, clap::Args)]
struct RepositoryArgs {
    /// Address of the repository, as in other records [default: that of the workflow]
    #[arg(long, value_name = "ADDRESS")]
    repository: Option<String>,

    /// Only about this pull request [default: all of the repository]
    #[arg(long, value_name = "NUMBER")]
    pull_request: Option<u64>,
}

#[derive(Debug, clap::Args)]
struct HoldArgs {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    repository: RepositoryArgs,
}

#[derive(Debug, clap::Args)]
struct OverrideArgs {
    /// Index or id of the verdict
    #[arg(value_name = "RECORD")]
    verdict: String,

    /// The decision in place of the verdict
    #[arg(long, value_enum)]
    decision: Word,

    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Word {
    Merge,
    Review,
    Block,
}

#[derive(Debug, clap::Args)]
struct OutcomeArgs {
    /// The commit, as 40 or 64 hexadecimal digits
    #[arg(long, value_name = "ID", value_parser = commit)]
    commit: String,

    /// The environment, such as `production`
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,

    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    repository: RepositoryArgs,
}

fn commit(text: &str) -> Result<String, String> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match matches!(text.len(), 40 | 64) && is_hex {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("it is not the whole id of a commit".to_owned()),
    }
}

pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let (common, kind) = match &args.what {
        What::Hold(args) | What::Resume(args) => (&args.common, "hold"),
        What::Override(args) => (&args.common, "override"),
        What::Deployed(args) | What::Reverted(args) => (&args.common, "outcome"),
    };
    let storage = common.place.storage()?;
    let key = signer(common.ledger_key.as_deref(), context)?.ok_or_else(|| {
        UserError::usage("there is no private key")
            .with_hint("give `--ledger-key FILE`, or set `PATCHGATE_LEDGER_KEY`")
    })?;
    let mut ledger = Ledger::open(&*storage, key.verifier())?;

    let (source, subject, event) = match &args.what {
        What::Hold(args) => hold(args, true, context)?,
        What::Resume(args) => hold(args, false, context)?,
        What::Override(args) => against(args, &ledger)?,
        What::Deployed(args) => outcome(args, OutcomeKind::Deployed, context)?,
        What::Reverted(args) => outcome(args, OutcomeKind::Reverted, context)?,
    };
    let result = event.result().to_owned();
    let record = Record {
        source,
        subject,
        time: jiff::Timestamp::now(),
        who: actor(context),
        event,
        inputs: Vec::new(),
        reasons: vec![Reason::new("person", &*result, &common.reason)],
        statement: None,
    };
    let appended = ledger.append(&[record], &[], &key)?;
    output::write(
        &format!("recorded as record {}: {kind}, {result}\n", appended.first),
        None,
    )?;
    Ok(Exit::Clean)
}

/// Source, subject and event of a record.
type Parts = (String, Option<String>, Event);

fn hold(args: &HoldArgs, held: bool, context: &Context) -> Result<Parts, UserError> {
    let (source, subject) = args.repository.parts(context)?;
    Ok((source, subject, Event::Hold(HoldEvent { held })))
}

fn outcome(args: &OutcomeArgs, result: OutcomeKind, context: &Context) -> Result<Parts, UserError> {
    let (source, subject) = args.repository.parts(context)?;
    let event = OutcomeEvent {
        result,
        commit: args.commit.clone(),
        environment: args.environment.clone(),
    };
    Ok((source, subject, Event::Outcome(event)))
}

/// A decision against a verdict, about the same pull request.
fn against(args: &OverrideArgs, ledger: &Ledger<'_>) -> anyhow::Result<Parts> {
    let index = find(ledger, &args.verdict)?;
    let mut verdict = None;
    ledger.records(0, &mut |at, id, record| {
        if at == index && matches!(record.event, Event::Verdict(_)) {
            verdict = Some((id, record));
        }
    })?;
    let Some((of, record)) = verdict else {
        return Err(UserError::usage(format!("record {index} is not a verdict"))
            .with_hint("`patchgate audit show --kind verdict` lists them")
            .into());
    };
    let decision = match args.decision {
        Word::Merge => Decision::Merge,
        Word::Review => Decision::Review,
        Word::Block => Decision::Block,
    };
    let event = Event::Override(OverrideEvent { of, decision });
    Ok((record.source, record.subject, event))
}

impl RepositoryArgs {
    fn parts(&self, context: &Context) -> Result<(String, Option<String>), UserError> {
        let source = match &self.repository {
            Some(address) => address.trim_end_matches('/').to_owned(),
            None => repository(context),
        };
        let is_address = source.starts_with("https://") || source.starts_with("http://");
        if !is_address || without_credentials(&source) != source {
            return Err(UserError::usage("the repository has no address").with_hint(
                "give `--repository ADDRESS`, such as `https://github.com/acme/shop`, without a \
                 user, a query or a fragment",
            ));
        }
        let subject = self.pull_request.map(|number| format!("pull/{number}"));
        Ok((source, subject))
    }
}

//! `patchgate audit show`: records as a table.

use patchgate_ledger::{Ledger, Record};
use patchgate_report::{Grid, clean};

use super::PlaceArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Flags of `patchgate audit show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    pub(super) filter: Filter,

    /// Show only the newest of them
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,

    /// Show the reasons below each record
    #[arg(long)]
    reasons: bool,
}

/// Which records are meant. A record has to fit every flag.
#[derive(Debug, clap::Args)]
pub(super) struct Filter {
    /// Only records of this kind: verdict, scan, proposal, merge, override, hold or outcome
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,

    /// Only records with this result, such as `merge`, `block` or `findings`
    #[arg(long, value_name = "RESULT")]
    result: Option<String>,

    /// Only records about this subject, such as `pull/7`
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
}

impl Filter {
    pub(super) fn admits(&self, record: &Record) -> bool {
        let fits = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        fits(&self.kind, record.event.kind())
            && fits(&self.result, record.event.result())
            && fits(&self.subject, record.subject.as_deref().unwrap_or_default())
    }
}

pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let storage = args.place.storage()?;
    let key = args.place.key(&*storage)?;
    let ledger = Ledger::open(&*storage, &key)?;
    let mut records = std::collections::VecDeque::new();
    ledger.records(0, &mut |index, id, record| {
        if args.filter.admits(&record) {
            records.push_back((index, id, record));
        }
        if records.len() > args.last {
            records.pop_front();
        }
    })?;

    if records.is_empty() {
        output::say("note: no record fits\n");
        return Ok(Exit::Clean);
    }
    let terminal = context.terminal.for_output(None);
    let mut grid = Grid::new(
        &[
            "RECORD", "TIME", "KIND", "RESULT", "SUBJECT", "WHO", "SOURCE", "ID",
        ],
        &[0],
    );
    for (index, id, record) in &records {
        grid.row([
            index.to_string(),
            time(record),
            record.event.kind().to_owned(),
            record.event.result().to_owned(),
            record.subject.clone().unwrap_or_default(),
            record.who.to_string(),
            record.source.clone(),
            id.clone(),
        ]);
    }

    let mut rows = grid.lines(terminal).into_iter();
    let mut lines = rows.next().unwrap_or_default();
    for (row, (_, _, record)) in rows.zip(&records) {
        lines.extend(row);
        if args.reasons {
            lines.extend(record.reasons.iter().map(|reason| {
                let line = format!("{}: {} ({})", reason.result, reason.code, reason.text);
                // Texts of a ledger may be anybody's.
                format!("  {}", clean(&line))
            }));
        }
    }
    output::write(&(lines.join("\n") + "\n"), None)?;
    Ok(Exit::Clean)
}

/// The time to the second.
fn time(record: &Record) -> String {
    record.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

//! `patchgate audit export`: records for other programs and for people.

use std::fmt::Write as _;

use patchgate_ledger::{Checkpoint, Ledger, Record};
use patchgate_report::clean;
use serde_json::{Value, json};

use super::PlaceArgs;
use super::show::Filter;
use crate::args::OutputArgs;
use crate::exit::Exit;
use crate::output;

/// Flags of `patchgate audit export`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    filter: Filter,

    /// Format of the export
    #[arg(long, value_enum)]
    format: Format,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One JSON object with the checkpoint and the records as they are in the log
    Json,
    /// One line for each record, with the reasons' codes
    Csv,
    /// A table
    Markdown,
    /// A page with a table
    Html,
}

/// The columns of every table.
const COLUMNS: [&str; 9] = [
    "record", "time", "kind", "result", "subject", "who", "source", "reasons", "id",
];

type Row = [String; COLUMNS.len()];

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let storage = args.place.storage()?;
    let key = args.place.key(&*storage)?;
    let ledger = Ledger::open(&*storage, &key)?;
    let mut records = Vec::new();
    ledger.records(0, &mut |index, id, record| {
        if args.filter.admits(&record) {
            records.push((index, id, record));
        }
    })?;

    let text = match args.format {
        Format::Json => json_text(&ledger, &records)?,
        Format::Csv => table(&records, csv_line),
        Format::Markdown => markdown(ledger.checkpoint(), &records),
        Format::Html => html(ledger.checkpoint(), &records),
    };
    output::write(&text, args.output.output.as_deref())?;
    Ok(Exit::Clean)
}

fn json_text(ledger: &Ledger<'_>, records: &[(u64, String, Record)]) -> anyhow::Result<String> {
    let mut list = Vec::with_capacity(records.len());
    for (index, _, record) in records {
        let event: Value = serde_json::from_slice(&record.to_bytes()?)?;
        list.push(json!({"index": index, "event": event}));
    }
    let export = json!({
        "schema_version": 1,
        "checkpoint": ledger.note(),
        "key": ledger.key().to_string(),
        "records": list,
    });
    Ok(serde_json::to_string_pretty(&export)? + "\n")
}

fn row((index, id, record): &(u64, String, Record)) -> Row {
    // The decisive reasons come first; those that are met would only hide them.
    let result = record.event.result();
    let mut codes: Vec<&str> = Vec::new();
    for reason in record
        .reasons
        .iter()
        .filter(|reason| reason.result == result)
    {
        if !codes.contains(&reason.code.as_str()) {
            codes.push(&reason.code);
        }
    }

    [
        index.to_string(),
        record.time.to_string(),
        record.event.kind().to_owned(),
        result.to_owned(),
        record.subject.clone().unwrap_or_default(),
        record.who.to_string(),
        record.source.clone(),
        codes.join(" "),
        id.clone(),
    ]
    .map(|cell| clean(&cell))
}

fn table(records: &[(u64, String, Record)], line: fn(&Row) -> String) -> String {
    let header = COLUMNS.map(str::to_owned);
    std::iter::once(header)
        .chain(records.iter().map(row))
        .map(|row| line(&row))
        .collect()
}

/// A line by RFC 4180 <https://www.rfc-editor.org/rfc/rfc4180>.
fn csv_line(row: &Row) -> String {
    let cells: Vec<String> = row.iter().map(|cell| csv_cell(cell)).collect();
    cells.join(",") + "\r\n"
}

fn csv_cell(cell: &str) -> String {
    // A spreadsheet would compute a cell that begins like a formula.
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guarded = if formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    match guarded.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", guarded.replace('"', "\"\"")),
        false => guarded,
    }
}

fn markdown(checkpoint: &Checkpoint, records: &[(u64, String, Record)]) -> String {
    let mut text = format!(
        "# Ledger {}\n\n{} of {} records, root `{}`.\n\n| {} |\n|{}\n",
        markdown_cell(&checkpoint.origin),
        records.len(),
        checkpoint.size,
        checkpoint.root,
        COLUMNS.join(" | "),
        " --- |".repeat(COLUMNS.len()),
    );
    for record in records {
        let cells: Vec<String> = row(record).iter().map(|cell| markdown_cell(cell)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// Text without any meaning in Markdown or HTML.
fn markdown_cell(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    for c in cell.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            c if c.is_control() => text.push(' '),
            // Escapes keep addresses, mentions and references from becoming links.
            c if c.is_ascii_punctuation() && !"-./:".contains(c) => {
                let _ = write!(text, "&#{};", u32::from(c));
            }
            ':' => text.push_str("&#58;"),
            c => text.push(c),
        }
    }
    text
}

fn html(checkpoint: &Checkpoint, records: &[(u64, String, Record)]) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Ledger {origin}</title>\n\
         <style>body{{font:14px sans-serif;margin:2em}}table{{border-collapse:collapse}}\
         th,td{{border:1px solid #999;padding:.3em .6em;text-align:left;vertical-align:top}}</style>\n\
         </head>\n<body>\n<h1>Ledger {origin}</h1>\n<p>{count} of {size} records, root \
         <code>{root}</code></p>\n<table>\n<thead><tr>{header}</tr></thead>\n<tbody>\n",
        origin = html_text(&checkpoint.origin),
        count = records.len(),
        size = checkpoint.size,
        root = checkpoint.root,
        header = COLUMNS
            .map(|column| format!("<th scope=\"col\">{column}</th>"))
            .concat(),
    );
    for record in records {
        let cells = row(record).map(|cell| format!("<td>{}</td>", html_text(&cell)));
        let _ = writeln!(text, "<tr>{}</tr>", cells.concat());
    }
    text.push_str("</tbody>\n</table>\n</body>\n</html>\n");
    text
}

fn html_text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text_in_every_format() {
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(html_text("<b>&\""), "&lt;b&gt;&amp;&quot;");
        assert_eq!(
            markdown_cell("a|b <i> @x #1 [l](http://y)"),
            "a&#124;b &lt;i&#62; &#64;x &#35;1 &#91;l&#93;&#40;http&#58;//y&#41;"
        );
    }
}

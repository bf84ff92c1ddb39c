//! `patchgate compare-versions`: compares two versions by the rules of their ecosystem.

use std::cmp::Ordering;
use std::io::{BufRead as _, Read as _};

use anyhow::Context as _;
use patchgate_ecosystems::{ALL, Ecosystem, by_name};

use crate::exit::Exit;
use crate::output;
use patchgate_model::UserError;

/// Largest input that is read from standard input, in bytes.
const MAX_INPUT_BYTES: u64 = 256 * 1024 * 1024;

/// Flags of `patchgate compare-versions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ecosystem by its OSV name, such as `npm`, `PyPI` or `Debian:12`
    ecosystem: String,

    /// First version; without it, pairs are read from standard input, one a line: `A`, tab, `B`
    #[arg(requires = "b")]
    a: Option<String>,

    /// Second version, which the first is compared with
    b: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let ecosystem = find(&args.ecosystem)?;
    let (Some(a), Some(b)) = (&args.a, &args.b) else {
        return lines(ecosystem);
    };
    let (sign, exit) = compare(ecosystem, a, b);
    output::write(&format!("{sign}\n"), None)?;
    Ok(exit)
}

/// The ecosystem of a name, also with the release of a distribution behind it.
fn find(name: &str) -> Result<&'static dyn Ecosystem, UserError> {
    let bare = name.split_once(':').map_or(name, |(bare, _)| bare);
    by_name(bare).ok_or_else(|| {
        let known: Vec<&str> = ALL
            .iter()
            .map(|ecosystem| ecosystem.name().as_str())
            .collect();
        UserError::usage(format!("ecosystem `{name}` is not known"))
            .with_hint(format!("it is one of: {}", known.join(", ")))
    })
}

/// Answers line by line, in the order of the questions.
fn lines(ecosystem: &dyn Ecosystem) -> anyhow::Result<Exit> {
    let mut worst = Exit::Clean;
    let mut text = String::new();
    for line in std::io::stdin().lock().take(MAX_INPUT_BYTES).lines() {
        let line = line.context("cannot read standard input")?;
        let (sign, exit) = match line.split_once('\t') {
            Some((a, b)) => compare(ecosystem, a, b),
            None => {
                output::say(&format!("`{line}` is not `A`, tab, `B`\n"));
                ('?', Exit::Incomplete)
            }
        };
        if exit == Exit::Incomplete {
            worst = exit;
        }

        text.push(sign);
        text.push('\n');
    }

    output::write(&text, None)?;
    Ok(worst)
}

fn compare(ecosystem: &dyn Ecosystem, a: &str, b: &str) -> (char, Exit) {
    match ecosystem.compare_versions(a, b) {
        Ok(Ordering::Less) => ('<', Exit::Clean),
        Ok(Ordering::Equal) => ('=', Exit::Clean),
        Ok(Ordering::Greater) => ('>', Exit::Clean),
        Err(error) => {
            output::say(&format!(
                "{}\n",
                patchgate_report::clean(&error.to_string())
            ));
            ('?', Exit::Incomplete)
        }
    }
}

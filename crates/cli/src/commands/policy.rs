//! `patchgate policy`: tests the rules of a policy, and lists the fields of their conditions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use patchgate_gate::decide;
use patchgate_ledger::Record;
use patchgate_model::{Judgement, PolicyRule, UserError, Verdict};
use patchgate_policy::{FIELDS, Facts};
use patchgate_report::clean;
use patchgate_scan::SETTINGS_FILE;
use patchgate_syntax::{Node, Value, yaml_settings};
use serde_json::json;

use crate::commands::audit::PlaceArgs;
use crate::commands::gate::{read_recorded, word};
use crate::exit::Exit;
use crate::ledger::{failed, failed_any};
use crate::output;

/// Largest file of tests that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Flags of `patchgate policy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Test the rules of a policy against a table of facts and verdicts
    Test(TestArgs),
    /// Judge the pull requests of a ledger again by a changed policy, and list the verdicts that change
    Simulate(SimulateArgs),
    /// List the fields that the conditions of rules may use
    Fields,
}

#[derive(Debug, clap::Args)]
struct TestArgs {
    /// File with the tests: a list of `name`, `facts` and `expect`
    file: PathBuf,

    /// Settings file with the rules
    #[arg(long, value_name = "FILE", default_value = SETTINGS_FILE)]
    config: PathBuf,
}

#[derive(Debug, clap::Args)]
struct SimulateArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Leave out verdicts before this day or moment, such as `2026-11-01` or `2026-11-01T12:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,

    /// Settings file with the changed policy
    #[arg(long, value_name = "FILE", default_value = SETTINGS_FILE)]
    config: PathBuf,
}

/// A moment, or the beginning of a day in UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || format!("{text}T00:00:00Z").parse();
    text.parse()
        .or_else(|_| day())
        .map_err(|error: jiff::Error| error.to_string())
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Test(args) => test(args),
        Command::Simulate(args) => simulate(args),
        Command::Fields => fields(),
    }
}

fn fields() -> anyhow::Result<Exit> {
    let width = FIELDS
        .iter()
        .map(|field| field.name.len())
        .max()
        .unwrap_or(0);
    let line = |field: &patchgate_policy::Field| {
        format!(
            "{:width$}  {:24}{}\n",
            field.name,
            field.kind.word(),
            field.meaning
        )
    };
    output::write(&FIELDS.iter().map(line).collect::<String>(), None)?;
    Ok(Exit::Clean)
}

/// One test of a table.
struct Case {
    line: u32,
    name: String,
    facts: Facts,
    expect: Verdict,
}

fn test(args: &TestArgs) -> anyhow::Result<Exit> {
    let text = read(&args.config)?;
    let config = patchgate_config::parse(&args.config.display().to_string(), &text)
        .map_err(|errors| UserError::usage(errors.to_string()))?;
    let rules = &config.gate.rules;
    if rules.is_empty() {
        return Err(
            UserError::usage(format!("`{}` has no rules to test", args.config.display()))
                .with_hint("rules are in the `gate` section")
                .into(),
        );
    }
    let text = read(&args.file)?;
    let cases = cases(&args.file, &text)?;

    let mut report = String::new();
    let mut failed = 0;
    for case in &cases {
        if let Err(difference) = case.run(rules) {
            failed += 1;
            report.push_str(&format!(
                "{}:{}: {}: {difference}\n",
                args.file.display(),
                case.line,
                case.name
            ));
        }
    }
    report.push_str(&format!("{} tests, {failed} failed\n", cases.len()));
    output::write(&report, None)?;
    Ok(if failed == 0 {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

/// Judges recorded pull requests by the settings of a file. Each verdict is compared with the one that
/// the recorded settings give now, so that only the policy differs.
fn simulate(args: &SimulateArgs) -> anyhow::Result<Exit> {
    let text = read(&args.config)?;
    patchgate_config::parse(&args.config.display().to_string(), &text)
        .map_err(|errors| UserError::usage(errors.to_string()))?;
    let settings = Ok(text);
    let storage = args.place.storage().map_err(|error| failed(&error))?;
    let key = args.place.key(&*storage).map_err(failed_any)?;
    let is_wanted =
        |_: u64, _: &str, record: &Record| args.since.is_none_or(|since| record.time >= since);
    // The last verdict on each head of each pull request.
    let mut last = BTreeMap::new();
    for replayed in read_recorded(&*storage, &key, &is_wanted)? {
        let verdict = &replayed.verdict;
        let key = (
            replayed.record.source.clone(),
            verdict.pull_request,
            verdict.head.clone(),
        );
        last.insert(key, replayed);
    }

    let (mut report, mut changed, mut skipped) = (String::new(), 0, 0);
    for ((source, number, _), replayed) in &last {
        let name = format!("record {}, {source} #{number}", replayed.index);
        let recorded = match &replayed.recorded {
            Ok(recorded) => recorded,
            Err(reason) => {
                skipped += 1;
                report.push_str(&format!("{}\n", clean(&format!("{name}: {reason}"))));
                continue;
            }
        };
        let (before, now) = (recorded.judge(), recorded.judge_by(&settings));
        if before.verdict != now.verdict {
            changed += 1;
            let (was, is) = (word(before.verdict), word(now.verdict));
            let line = format!("{name}: {was} -> {is}{}", first_reason(&now));
            report.push_str(&format!("{}\n", clean(&line)));
        }
    }
    report.push_str(&format!(
        "{} judged again, {changed} change, {skipped} cannot be judged\n",
        last.len() - skipped
    ));
    output::write(&report, None)?;
    Ok(match skipped {
        0 => Exit::Clean,
        _ => Exit::Incomplete,
    })
}

/// The first reason for a verdict that is not a merge.
fn first_reason(judgement: &Judgement) -> String {
    let verdict = judgement.verdict;
    let mut reasons = judgement.reasons.iter();
    let decisive = reasons.find(|reason| verdict != Verdict::Merge && reason.verdict == verdict);
    decisive.map_or_else(String::new, |reason| {
        format!(": {}: {}", reason.code, reason.text)
    })
}

impl Case {
    fn run(&self, rules: &[PolicyRule]) -> Result<(), String> {
        let decision = decide(rules, &self.facts);
        if decision.verdict == self.expect {
            return Ok(());
        }
        Err(format!(
            "expected {}, got {}: {}",
            word(self.expect),
            word(decision.verdict),
            decision.text
        ))
    }
}

fn read(path: &Path) -> Result<String, UserError> {
    let failed = |reason: String| UserError::usage(format!("`{}` {reason}", path.display()));
    let bytes = std::fs::File::open(path)
        .and_then(|file| patchgate_fs::read_up_to(file, MAX_BYTES))
        .map_err(|error| failed(format!("cannot be read: {error}")))?
        .ok_or_else(|| failed(format!("is larger than {MAX_BYTES} bytes")))?;
    String::from_utf8(bytes).map_err(|_| failed("is not UTF-8".to_owned()))
}

/// The tests of a file: a list, or a map with the list under `tests`.
fn cases(path: &Path, text: &str) -> Result<Vec<Case>, UserError> {
    let error = |line: u32, message: String| {
        UserError::usage(format!("`{}` line {line}: {message}", path.display()))
    };
    let root = yaml_settings(text)
        .map_err(|failure| error(failure.line.unwrap_or(1), failure.reason.to_string()))?
        .ok_or_else(|| error(1, "the file is empty".to_owned()))?;
    let list = root.get("tests").unwrap_or(&root);
    if list.items().is_empty() {
        return Err(error(list.line, "there are no tests".to_owned()));
    }
    list.items()
        .iter()
        .map(|node| case(node).map_err(|(line, message)| error(line, message)))
        .collect()
}

fn case(node: &Node<'_>) -> Result<Case, (u32, String)> {
    let Value::Map(entries) = &node.value else {
        return Err((node.line, "a test must be a map".to_owned()));
    };
    for (key, value) in entries {
        if !matches!(key.name.as_ref(), "name" | "facts" | "expect") {
            return Err((value.line, format!("unknown key `{}`", key.name)));
        }
    }
    let text = |key: &str| match node.get(key).map(|value| &value.value) {
        Some(Value::Text(text)) => Ok(text.to_string()),
        _ => Err((node.line, format!("`{key}` must be a text"))),
    };

    let mut facts = Facts::default();
    if let Some(given) = node.get("facts") {
        let Value::Map(entries) = &given.value else {
            return Err((given.line, "`facts` must be a map".to_owned()));
        };
        for (key, value) in entries {
            facts
                .set(&key.name, fact(value))
                .map_err(|error| (value.line, error.to_string()))?;
        }
    }
    let expect = match text("expect")?.as_str() {
        "merge" => Verdict::Merge,
        "review" => Verdict::Review,
        "block" => Verdict::Block,
        other => {
            let message = format!("`expect` must be merge, review or block, not `{other}`");
            return Err((node.line, message));
        }
    };
    Ok(Case {
        line: node.line,
        name: text("name")?,
        facts,
        expect,
    })
}

/// The value of a fact.
fn fact(node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        Value::Bool(value) => json!(value),
        Value::Text(text) => json!(text),
        Value::Number(text) if text.contains('.') => json!(node.float()),
        Value::Number(_) => json!(node.integer()),
        Value::List(items) => items.iter().map(fact).collect(),
        Value::Map(_) | Value::Null => serde_json::Value::Null,
    }
}

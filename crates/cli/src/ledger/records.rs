//! The records of scans and verdicts, with their signed statements.

use patchgate_ledger::{
    Decision, Event, Input, LedgerError, MergeEvent, OpenIntent, Reason, Record, ScanEvent,
    Statement, Step, VerdictEvent, statement,
};
use patchgate_model::{Evidence, Judgement, SourceStatus, Verdict, without_credentials};
use patchgate_scan::ScanResult;
use serde_json::{Value, json};

use super::Writer;
use crate::context::Context;
use crate::exit::Exit;

/// Most inputs and reasons that a record lists, so that it fits into an entry. The record has the
/// digest of the whole list.
const MAX_INPUTS: usize = 100;
const MAX_REASONS: usize = 25;

/// Most findings of a statement. More would only make it unwieldy: the report has all.
const MAX_RESULTS: usize = 2_000;

/// A statement that is signed, and its file.
type Signed = (Statement, (String, Vec<u8>));

/// What a verdict is recorded from.
pub(crate) struct Judged<'a> {
    /// Address of the repository.
    pub(crate) source: String,
    /// Number of the pull request.
    pub(crate) number: u64,
    /// The facts.
    pub(crate) evidence: &'a Evidence,
    /// The file with all that the verdict was made from, and the input that names it.
    pub(crate) file: Option<(Input, (String, Vec<u8>))>,
    /// The policies that decided.
    pub(crate) policies: Vec<Input>,
    /// The verdict.
    pub(crate) judgement: &'a Judgement,
}

/// Records a verdict, and returns the record's id.
pub(crate) fn verdict(writer: &Writer, judged: Judged<'_>) -> Result<String, LedgerError> {
    let Judged {
        evidence,
        judgement,
        number,
        ..
    } = judged;
    // First, so that a cut list has it.
    let (evidence_input, evidence_file) = judged.file.unzip();
    let mut inputs: Vec<Input> = evidence_input.into_iter().collect();
    inputs.extend(judged.policies);
    for (path, contents) in &evidence.contents {
        for (side, bytes) in [("base", &contents.base), ("head", &contents.head)] {
            if let Ok(Some(bytes)) = bytes {
                inputs.push(Input::of(format!("{side}:{path}"), bytes));
            }
        }
    }
    if let Ok(pull_request) = &evidence.pull_request {
        inputs.push(Input::of("body", pull_request.body.as_bytes()));
    }

    let time = jiff::Timestamp::now();
    let decision = decision(judgement.verdict);
    let signed = verdict_statement(writer, &judged.source, judgement, time)?;
    let (reference, file) = signed.unzip();
    let record = Record {
        source: judged.source,
        subject: Some(format!("pull/{number}")),
        time,
        who: writer.who.clone(),
        event: Event::Verdict(VerdictEvent {
            decision,
            pull_request: number,
            head: judgement.head_sha.clone(),
            base: judgement.base_sha.clone(),
        }),
        inputs: bounded_inputs(inputs),
        reasons: reasons(judgement),
        statement: reference,
    };
    let files: Vec<(String, Vec<u8>)> = file.into_iter().chain(evidence_file).collect();
    writer.append(record, &files)
}

fn decision(verdict: Verdict) -> Decision {
    match verdict {
        Verdict::Merge => Decision::Merge,
        Verdict::Review => Decision::Review,
        Verdict::Block => Decision::Block,
    }
}

fn reasons(judgement: &Judgement) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = judgement
        .reasons
        .iter()
        .take(MAX_REASONS)
        .map(|reason| Reason::new(reason.code, decision(reason.verdict).word(), &reason.text))
        .collect();
    let left = judgement.reasons.len().saturating_sub(MAX_REASONS);
    if left > 0 {
        let text = format!("{left} more reasons");
        reasons.push(Reason::new(
            "more",
            decision(judgement.verdict).word(),
            &text,
        ));
    }
    reasons
}

/// The inputs, or the first of them and the digest of the whole list.
fn bounded_inputs(mut inputs: Vec<Input>) -> Vec<Input> {
    if inputs.len() > MAX_INPUTS {
        let list: String = inputs
            .iter()
            .map(|input| format!("{}  {}\n", input.sha256, input.name))
            .collect();
        let name = format!("all {} inputs, as `sha256sum` lists them", inputs.len());
        inputs.truncate(MAX_INPUTS - 1);
        inputs.push(Input::of(name, list.as_bytes()));
    }
    for input in &mut inputs {
        let end = (0..=400).rev().find(|at| input.name.is_char_boundary(*at));
        input.name.truncate(end.unwrap_or(0));
    }
    inputs
}

/// A simple verification result about the judged commit; `None` when no commit was judged.
fn verdict_statement(
    writer: &Writer,
    source: &str,
    judgement: &Judgement,
    time: jiff::Timestamp,
) -> Result<Option<Signed>, LedgerError> {
    let head = &judgement.head_sha;
    if head.is_empty() {
        return Ok(None);
    }

    // Properties are those that passed: nothing is claimed for a verdict that is not a merge.
    let passed = judgement
        .reasons
        .iter()
        .filter(|reason| reason.verdict == Verdict::Merge)
        .map(|reason| reason.code);
    let own = (judgement.verdict == Verdict::Merge).then_some("verdict-merge");
    let mut properties: Vec<String> = passed
        .chain(own)
        .map(|code| format!("PATCHGATE_{}", code.to_uppercase().replace('-', "_")))
        .collect();
    properties.sort_unstable();
    properties.dedup();

    let subject = statement::Subject {
        name: source.to_owned(),
        algorithm: "gitCommit",
        digest: head.clone(),
    };
    let predicate = json!({
        "verifier": {"id": verifier_id(writer)},
        "timeCreated": time,
        "properties": properties,
    });
    statement::sign(&[subject], statement::SVR, &predicate, &writer.key).map(Some)
}

/// The name of the program and of the ledger that it signs for.
fn verifier_id(writer: &Writer) -> String {
    format!(
        "https://{}#patchgate-{}",
        writer.key.verifier().name(),
        env!("CARGO_PKG_VERSION")
    )
}

/// Records the intent to merge, and returns it.
pub(crate) fn merge_intent(
    writer: &Writer,
    source: &str,
    number: u64,
    head: &str,
    verdict: String,
) -> Result<OpenIntent, LedgerError> {
    let record = Record {
        source: source.to_owned(),
        subject: Some(format!("pull/{number}")),
        time: jiff::Timestamp::now(),
        who: writer.who.clone(),
        event: Event::Merge(MergeEvent {
            pull_request: number,
            head: head.to_owned(),
            verdict,
            step: Step::Intent {},
        }),
        inputs: Vec::new(),
        reasons: Vec::new(),
        statement: None,
    };

    let id = writer.append(record.clone(), &[])?;
    Ok(OpenIntent {
        index: 0,
        id,
        record,
    })
}

/// Records a scan.
pub(crate) fn scan(
    writer: &Writer,
    result: &ScanResult,
    failing: usize,
    exit: Exit,
    context: &Context,
) -> Result<String, LedgerError> {
    let files = &result.contents.files;
    let inputs: Vec<Input> = files
        .iter()
        .map(|(path, bytes)| Input::of(path.to_string(), bytes))
        .collect();
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);

    let finished = jiff::Timestamp::now();
    let signed = scan_statement(writer, result, &inputs, finished, context)?;
    let (reference, file) = signed.unzip();
    let problems = result.incomplete.iter().take(MAX_REASONS).map(|problem| {
        let text = format!("`{}` {}", problem.subject, problem.reason);
        Reason::new("incomplete", "incomplete", &text)
    });
    let sources = result.sources.iter().map(|source| {
        let text = format!(
            "{} from {}, {}",
            source.name,
            without_credentials(&source.origin),
            age(source)
        );
        Reason::new("source", "read", &text)
    });

    let record = Record {
        source: repository(context),
        subject: context
            .environment
            .variable("GITHUB_SHA")
            .map(str::to_owned),
        time: finished,
        who: writer.who.clone(),
        event: Event::Scan(ScanEvent {
            result: exit.word().to_owned(),
            findings: count(result.findings.kept.len()),
            at_or_above_threshold: count(failing),
            incomplete: count(result.incomplete.len()),
        }),
        inputs: bounded_inputs(inputs),
        reasons: problems.chain(sources).take(2 * MAX_REASONS).collect(),
        statement: reference,
    };
    writer.append(record, file.as_slice())
}

fn age(source: &SourceStatus) -> String {
    match source.as_of {
        Some(as_of) => format!("as of {as_of}"),
        None => "of an unknown time".to_owned(),
    }
}

/// The address of the repository in a workflow; `local` elsewhere, because a path of the machine does
/// not belong into a ledger.
pub(crate) fn repository(context: &Context) -> String {
    let variable = |name| context.environment.variable(name);
    match (variable("GITHUB_SERVER_URL"), variable("GITHUB_REPOSITORY")) {
        (Some(server), Some(name)) => format!("{}/{name}", server.trim_end_matches('/')),
        _ => "local".to_owned(),
    }
}

/// The findings of a scan about the files that were read; `None` when none was read.
fn scan_statement(
    writer: &Writer,
    result: &ScanResult,
    inputs: &[Input],
    finished: jiff::Timestamp,
    context: &Context,
) -> Result<Option<Signed>, LedgerError> {
    // A scan that missed something would read as "found nothing" there.
    if inputs.is_empty()
        || !result.incomplete.is_empty()
        || result.findings.kept.len() > MAX_RESULTS
    {
        return Ok(None);
    }

    let subjects: Vec<statement::Subject> = inputs
        .iter()
        .map(|input| statement::Subject {
            name: input.name.clone(),
            algorithm: "sha256",
            digest: input.sha256.to_string(),
        })
        .collect();
    let results: Vec<Value> = result
        .findings
        .kept
        .iter()
        .map(|finding| {
            let score = finding.score.value.to_string();
            json!({"id": finding.id, "severity": [{"method": "patchgate", "score": score}]})
        })
        .collect();
    let oldest = result
        .sources
        .iter()
        .filter_map(|source| source.as_of)
        .min();
    let predicate = json!({
        "scanner": {
            "uri": verifier_id(writer),
            "version": env!("CARGO_PKG_VERSION"),
            "db": {"lastUpdate": oldest.unwrap_or(context.environment.now())},
            "result": results,
        },
        "metadata": {
            "scanStartedOn": context.environment.now(),
            "scanFinishedOn": finished,
        },
    });
    statement::sign(&subjects, statement::VULNS, &predicate, &writer.key).map(Some)
}

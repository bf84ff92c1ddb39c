//! Everything that a verdict was made from, as a file next to the ledger, and the verdict that it gives
//! again.
//!
//! A judgement is a function of values, so the same values give the same verdict, without a forge, a
//! registry or a clock.

use std::path::PathBuf;

use patchgate_ecosystems::fixable_format;
use patchgate_gate::{held, judge, with_default_policy};
use patchgate_ledger::{
    Event, Input, Ledger, LedgerError, Record, Storage, VerdictEvent, VerifierKey,
};
use patchgate_model::{
    Evidence, Fetched, FindingComparison, Judgement, RegistryEntry, UserError, Verdict,
};
use patchgate_report::GateReport;
use serde::{Deserialize, Serialize};

use super::{Args, parse_settings};
use crate::commands::audit::public_key;
use crate::context::Context;
use crate::exit::Exit;
use crate::ledger::{failed, place};
use crate::output;

/// The version of the file's format.
const VERSION: u32 = 1;

/// Name of the input that is the file's digest.
const INPUT: &str = "evidence";

/// Largest file, in bytes. The verdict of a larger one is recorded, and cannot be computed again.
const MAX_BYTES: usize = 12 * 1024 * 1024;

/// Everything that a verdict was made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordedEvidence {
    version: u32,
    /// The version of Patchgate, whose rules judged.
    program: String,
    /// The text of the base's settings.
    settings: Fetched<String>,
    evidence: Evidence,
    /// What the default branch's policy judged, when it had to consent.
    other: Option<OtherPolicy>,
    /// The hold of the ledger, as a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<String>,
}

/// What the default branch's policy judges.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherPolicy {
    pub(super) branch: String,
    pub(super) settings: Fetched<String>,
    pub(super) findings: Fetched<FindingComparison>,
    pub(super) registry: Fetched<Vec<RegistryEntry>>,
}

impl RecordedEvidence {
    pub(super) fn new(
        settings: Fetched<String>,
        evidence: Evidence,
        other: Option<OtherPolicy>,
        hold: Option<String>,
    ) -> Self {
        Self {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            settings,
            evidence,
            other,
            hold,
        }
    }

    /// The verdict.
    pub(crate) fn judge(&self) -> Judgement {
        self.judge_by(&self.settings)
    }

    /// The verdict by other settings of the base.
    pub(crate) fn judge_by(&self, settings: &Fetched<String>) -> Judgement {
        let judgement = self.judge_evidence(settings);
        match &self.hold {
            Some(text) => held(judgement, text.clone()),
            None => judgement,
        }
    }

    fn judge_evidence(&self, settings: &Fetched<String>) -> Judgement {
        let policy = parse_settings(settings).map(|config| config.gate);
        let judgement = judge(&policy, &self.evidence);
        let Some(other) = &self.other else {
            return judgement;
        };

        let mut evidence = self.evidence.clone();
        evidence.findings.clone_from(&other.findings);
        evidence.safeguards.registry.clone_from(&other.registry);
        let policy = parse_settings(&other.settings).map(|config| config.gate);
        with_default_policy(judgement, judge(&policy, &evidence), &other.branch)
    }

    /// The file next to the ledger and the input that names it. `None` when it is too large.
    pub(super) fn to_file(&self) -> Option<(Input, (String, Vec<u8>))> {
        let bytes = serde_json::to_vec(self).ok()?;
        if bytes.len() > MAX_BYTES {
            return None;
        }
        let input = Input::of(INPUT, &bytes);
        let path = patchgate_ledger::evidence_path(&input.sha256);
        Some((input, (path, bytes)))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut recorded: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("cannot be read: {error}"))?;
        if recorded.version != VERSION {
            return Err(format!(
                "has the version {}, which is newer",
                recorded.version
            ));
        }
        let compared = &mut recorded.evidence.findings;
        let others = recorded.other.iter_mut().map(|other| &mut other.findings);
        for findings in std::iter::once(compared).chain(others).flatten() {
            name_ecosystems(findings);
        }
        Ok(recorded)
    }
}

/// Sets the ecosystems of findings, which their lockfiles decide.
fn name_ecosystems(findings: &mut FindingComparison) {
    let FindingComparison {
        introduced,
        ended,
        remaining,
        reduced,
    } = findings;
    for finding in [introduced, ended, remaining, reduced]
        .into_iter()
        .flatten()
    {
        if let Some((ecosystem, _)) = fixable_format(&finding.lockfile) {
            finding.ecosystem = ecosystem.name();
        }
    }
}

/// A verdict of the ledger with everything that it was made from.
pub(crate) struct Replayed {
    /// Index of the record.
    pub(crate) index: u64,
    /// The record.
    pub(crate) record: Record,
    /// The verdict in it.
    pub(crate) verdict: VerdictEvent,
    /// What it was made from, or why that cannot be had.
    pub(crate) recorded: Result<RecordedEvidence, String>,
}

/// The verdicts of a ledger whose index or id `is_wanted` accepts, oldest first. Each is proved to be in
/// the signed log, because anybody who can write the files can write other records.
pub(crate) fn read_recorded(
    storage: &dyn Storage,
    key: &VerifierKey,
    is_wanted: &dyn Fn(u64, &str, &Record) -> bool,
) -> Result<Vec<Replayed>, UserError> {
    let failed = |error: LedgerError| failed(&error);
    let ledger = Ledger::open(storage, key).map_err(failed)?;
    let mut found = Vec::new();
    ledger
        .records(0, &mut |index, id, record| {
            if is_wanted(index, &id, &record)
                && let Event::Verdict(verdict) = &record.event
            {
                found.push((index, verdict.clone(), record));
            }
        })
        .map_err(failed)?;

    let mut all = Vec::new();
    for (index, verdict, record) in found {
        let signed = ledger.entry(index).map_err(failed)?;
        let bytes = record.to_bytes().map_err(failed)?;
        if signed.is_none_or(|(entry, _)| entry != bytes) {
            return Err(UserError::failure(format!(
                "record {index} is not the one that was signed"
            )));
        }
        let recorded = match evidence_file(storage, &record)? {
            Ok(bytes) => RecordedEvidence::parse(&bytes),
            Err(reason) => Err(reason),
        };
        all.push(Replayed {
            index,
            record,
            verdict,
            recorded,
        });
    }
    Ok(all)
}

/// The file that a record names, or why it cannot be had.
fn evidence_file(
    storage: &dyn Storage,
    record: &Record,
) -> Result<Result<Vec<u8>, String>, UserError> {
    let Some(input) = record.inputs.iter().find(|input| input.name == INPUT) else {
        return Ok(Err("its evidence was not recorded".to_owned()));
    };
    let path = patchgate_ledger::evidence_path(&input.sha256);
    let bytes = storage.read(&path).map_err(|error| failed(&error))?;
    Ok(match bytes {
        None => Err(format!("`{path}` is missing")),
        Some(bytes) if Input::of(INPUT, &bytes).sha256 != input.sha256 => {
            Err(format!("`{path}` is not what the record names"))
        }
        Some(bytes) => Ok(bytes),
    })
}

/// `patchgate gate --replay`: computes a recorded verdict again, and compares it with the record.
pub(super) fn run(args: &Args, name: &str, context: &Context) -> anyhow::Result<Exit> {
    let ledger = args.ledger.place().ok_or_else(|| {
        UserError::usage("`--replay` needs a ledger").with_hint("name it with `--ledger PLACE`")
    })?;
    let storage = place(ledger).map_err(|error| failed(&error))?;
    let key = match &args.ledger_public_key {
        Some(text) => Some(public_key("--ledger-public-key", text)?),
        None => args.ledger.verifier(context)?,
    };
    let is_known = key.is_some();
    let key = match key {
        Some(key) => key,
        None => Ledger::own_key(&*storage).map_err(|error| failed(&error))?,
    };
    let index: Option<u64> = name.parse().ok();
    let is_wanted = |at: u64, id: &str, _: &Record| index == Some(at) || id == name;
    let found = read_recorded(&*storage, &key, &is_wanted)?;
    let Some(replayed) = found.into_iter().next() else {
        return Err(
            UserError::usage(format!("the ledger has no verdict `{name}`"))
                .with_hint("`patchgate audit show --kind verdict` lists them")
                .into(),
        );
    };
    let recorded = replayed.recorded.map_err(|reason| {
        UserError::failure(format!(
            "record {} cannot be judged again: {reason}",
            replayed.index
        ))
    })?;

    let judgement = recorded.judge();
    let exit = super::exit_of(judgement.verdict);
    let file: Option<&PathBuf> = args.output.output.as_ref();
    let report = GateReport::new(&judgement, false, exit.code());
    let text = match args.format {
        super::Format::Text => report.to_text(
            context.terminal.for_output(file.map(PathBuf::as_path)),
            args.explain,
        ),
        super::Format::Json => report.to_json(),
        super::Format::Markdown => report.to_markdown(args.explain),
    };
    output::write(&text, file.map(PathBuf::as_path))?;

    let said = replayed.verdict.decision.word();
    let now = word(judgement.verdict);
    let same = said == now
        && (&replayed.verdict.head, &replayed.verdict.base)
            == (&judgement.head_sha, &judgement.base_sha);
    if same {
        output::say(&format!(
            "note: record {} says {said} too\n",
            replayed.index
        ));
        if !is_known {
            output::say(
                "note: the ledger's own key was used, which does not show who wrote the record; \
                 `--ledger-public-key` names one\n",
            );
        }
        return Ok(exit);
    }
    Err(UserError::failure(format!(
        "record {} says {said} and its evidence gives {now}",
        replayed.index
    ))
    .with_hint(format!(
        "it was judged by Patchgate {}, and this is {}: another version may have other rules",
        recorded.program,
        env!("CARGO_PKG_VERSION")
    ))
    .into())
}

/// The word of a verdict in records.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Merge => "merge",
        Verdict::Review => "review",
        Verdict::Block => "block",
    }
}

//! The values of the fields that a team's rules may use, from the evidence.

use patchgate_model::{Bump, FindingKey, Missing, Scope};
use patchgate_policy::{Facts, FactsError};
use serde_json::{Value, json};

use crate::context::Context;

/// The facts. Only complete evidence has them.
///
/// # Errors
/// The first piece that is missing.
pub(crate) fn facts(context: &Context<'_>) -> Result<Facts, Missing> {
    let evidence = context.evidence;
    let pull_request = evidence.pull_request.as_ref().map_err(Missing::clone)?;
    let files = evidence.files.as_ref().map_err(Missing::clone)?;
    let findings = evidence.findings.as_ref().map_err(Missing::clone)?;
    let opened = pull_request.opened;
    let opened =
        opened.ok_or_else(|| Missing::new("the forge does not state when it was opened"))?;
    let now = evidence.safeguards.now.as_ref().map_err(Missing::clone)?;
    let lockfiles = context.lockfiles.as_ref().map_err(|missing| {
        let first = missing.first().cloned();
        first.unwrap_or_else(|| Missing::new("the lockfiles were not read"))
    })?;

    let author = pull_request.author.as_ref();
    let diff = &lockfiles.diff;
    let steps = || diff.upgrades.iter().chain(&diff.raised);
    let fixed: Vec<&FindingKey> = findings.ended.iter().chain(&findings.reduced).collect();
    let remaining: Vec<&FindingKey> = findings.remaining.iter().collect();
    let hours = now.duration_since(opened).as_hours().max(0);

    let mut facts = Facts::default();
    let values = [
        (
            "pull.author",
            json!(author.map_or("", |author| &author.login)),
        ),
        ("pull.base", json!(pull_request.base.branch)),
        ("pull.labels", json!(pull_request.labels)),
        ("pull.age_hours", json!(hours)),
        (
            "change.files",
            files.iter().map(|file| json!(file.path)).collect(),
        ),
        (
            "change.packages",
            steps().map(|step| json!(step.package)).collect(),
        ),
        (
            "change.added",
            json!(diff.added.len() + diff.added_versions.len()),
        ),
        ("change.removed", json!(diff.removed.len())),
        (
            "change.bump",
            json!(word(steps().map(|step| step.bump.as_ref().ok().copied()))),
        ),
        (
            "fixed.ids",
            fixed.iter().map(|finding| json!(finding.id)).collect(),
        ),
        ("fixed.count", json!(fixed.len())),
        ("fixed.score", score(&fixed, 0.0)),
        (
            "fixed.runtime",
            json!(fixed.iter().any(|finding| finding.scope == Scope::Runtime)),
        ),
        ("remaining.count", json!(remaining.len())),
        ("remaining.score", score(&remaining, 100.0)),
    ];
    for (name, value) in values {
        facts
            .set(name, value)
            .map_err(|error: FactsError| Missing::new(error.to_string()))?;
    }
    Ok(facts)
}

/// The highest score. One that is not a number counts as `worst`.
fn score(findings: &[&FindingKey], worst: f64) -> Value {
    let scores = findings.iter().map(|finding| match finding.score {
        score if score.is_finite() => score,
        _ => worst,
    });
    json!(scores.fold(0.0, f64::max))
}

/// The word of the largest step. A step that cannot be measured is larger than any.
fn word(steps: impl Iterator<Item = Option<Bump>>) -> &'static str {
    let rank = |step: Option<Bump>| match step {
        Some(Bump::Patch) => 1,
        Some(Bump::Minor) => 2,
        Some(Bump::Major) => 3,
        None => 4,
    };
    match steps.map(rank).max() {
        None => "none",
        Some(1) => "patch",
        Some(2) => "minor",
        Some(3) => "major",
        Some(_) => "unknown",
    }
}

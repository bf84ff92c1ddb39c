//! What a reader has to know of the evidence, in a few words each.

use super::evidence::{
    ApiUseReport, BeforeAfterReport, HistoryReport, NotesReport, SignalsReport, UpdateRecordReport,
    UpgradeEvidenceReport,
};
use crate::clean::{clean, cut};
use crate::markdown::{Body, code, text};
use crate::scan::count;
use crate::terminal::{BOLD, Span, Terminal};

/// Most packages with remarks in text; the JSON has all.
const MAX_TEXT: usize = 15;

/// Most names in a list.
const MAX_NAMES: usize = 5;

/// Most sentences about breaking changes that are quoted.
const MAX_QUOTES: usize = 3;

/// Most characters of a quoted sentence.
const MAX_QUOTE: usize = 240;

/// How many times as large as before a release must be to be remarked upon.
const SIZE_JUMP: u64 = 3;

/// The remarks about one package, in order of weight. Empty if there is nothing to say.
pub(super) fn remarks(evidence: &UpgradeEvidenceReport) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(signals) = &evidence.signals {
        signal_remarks(signals, evidence.from.is_some(), &mut remarks);
    }
    if let Some(api) = &evidence.api {
        remarks.push(api_remark(api));
    }
    if let Some(notes) = &evidence.notes {
        note_remarks(notes, &mut remarks);
    }
    if let Some(history) = &evidence.history {
        remarks.extend(history_remark(history));
    }

    remarks
}

/// The remarks about what the registries say.
pub(crate) fn signal_remarks(signals: &SignalsReport, is_move: bool, remarks: &mut Vec<String>) {
    let is_new = |values: &BeforeAfterReport<bool>| {
        values.after == Some(true) && values.before != Some(true)
    };
    if is_new(&signals.yanked) {
        remarks.push("the new release is yanked or deprecated".to_owned());
    }
    if is_new(&signals.install_scripts) {
        remarks.push(
            match is_move {
                true => "runs scripts at its installation, which the old release did not",
                false => "runs scripts at its installation",
            }
            .to_owned(),
        );
    }
    if (signals.provenance.before, signals.provenance.after) == (Some(true), Some(false)) {
        remarks.push("has no attestation of its provenance any more".to_owned());
    }
    if let Some((before, after)) = changed(&signals.publisher) {
        remarks.push(format!("published by {after}, the old release by {before}"));
    }
    if let Some((before, after)) = changed(&signals.maintainers)
        && !after.iter().any(|name| before.contains(name))
    {
        remarks.push("none of the maintainers of the old release is left".to_owned());
    }
    if let Some((before, after)) = changed(&signals.license) {
        remarks.push(format!("license {after} instead of {before}"));
    }
    if let Some((before, after)) = changed(&signals.size)
        && after / SIZE_JUMP.max(1) >= *before
    {
        remarks.push(format!("grows from {before} to {after} bytes"));
    }
    if let Some((before, after)) = changed(&signals.runtime) {
        remarks.push(format!("needs runtime {after} instead of {before}"));
    }
    if let Some((before, after)) = changed(&signals.peers) {
        let now = match after.is_empty() {
            true => "none".to_owned(),
            false => list(after),
        };
        let was = match before.is_empty() {
            true => "none".to_owned(),
            false => list(before),
        };
        remarks.push(format!("peers: {now}; before: {was}"));
    }
    if !signals.new_dependencies.is_empty() {
        let names = list(&signals.new_dependencies);
        remarks.push(format!("new dependencies: {names}"));
    }
}

/// Both values, if they are known and differ.
fn changed<T: PartialEq>(values: &BeforeAfterReport<T>) -> Option<(&T, &T)> {
    let (before, after) = (values.before.as_ref()?, values.after.as_ref()?);
    (before != after).then_some((before, after))
}

fn list(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(MAX_NAMES).map(String::as_str).collect();
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn api_remark(api: &ApiUseReport) -> String {
    let of = |change: &str| -> Vec<String> {
        let symbols = api.symbols.iter().filter(|symbol| symbol.change == change);
        symbols.map(|symbol| symbol.name.clone()).collect()
    };
    let mut parts = Vec::new();
    for (change, what) in [("removed", "removed"), ("signature-changed", "changed")] {
        let names = of(change);
        if !names.is_empty() {
            parts.push(format!("{} {what} ({})", names.len(), list(&names)));
        }
    }
    for change in ["unchanged", "unknown"] {
        let names = of(change);
        if !names.is_empty() {
            parts.push(format!("{} {change}", names.len()));
        }
    }

    let names = count(api.symbols.len(), "name", "names");
    let files = count(api.files, "file", "files");
    match parts.is_empty() {
        true => format!("imported in {files}, without names that could be compared"),
        false => format!("{names} used in {files}: {}", parts.join(", ")),
    }
}

fn note_remarks(notes: &NotesReport, remarks: &mut Vec<String>) {
    for sentence in notes.breaking.iter().take(MAX_QUOTES) {
        remarks.push(format!(
            "{}: \"{}\"",
            notes.file,
            cut(&clean(sentence), MAX_QUOTE)
        ));
    }
    let more = notes.breaking.len().saturating_sub(MAX_QUOTES);
    if more > 0 {
        remarks.push(format!(
            "{}: {} about breaking changes",
            notes.file,
            count(more, "more sentence", "more sentences")
        ));
    }
}

fn history_remark(history: &HistoryReport) -> Option<String> {
    let (of, record) = match (history.package.n, history.lockfile.n) {
        (1.., _) => ("updates of it", &history.package),
        (0, 1..) => ("updates in this lockfile", &history.lockfile),
        (0, 0) => return None,
    };
    let prior = match &history.prior {
        Some(prior) => format!("prior: {}", prior.source),
        None => "no prior".to_owned(),
    };

    Some(format!(
        "{} of {} {of} were kept{} ({prior})",
        record.kept,
        record.n,
        estimate(record)
    ))
}

fn estimate(record: &UpdateRecordReport) -> String {
    let percent = |share: f64| (share * 100.0).round();
    match (record.mean, record.low, record.high) {
        (Some(mean), Some(low), Some(high)) => format!(
            ": {} %, 90 % interval {} to {} %",
            percent(mean),
            percent(low),
            percent(high)
        ),
        _ => String::new(),
    }
}

/// Adds the remarks as text.
pub(super) fn evidence_lines(
    evidence: &[UpgradeEvidenceReport],
    terminal: Terminal,
    lines: &mut Vec<String>,
) {
    let with_remarks: Vec<(&UpgradeEvidenceReport, Vec<String>)> = with_remarks(evidence);
    if with_remarks.is_empty() {
        return;
    }

    lines.extend(terminal.flow("", 0, &[Span::styled(BOLD, "Evidence".to_owned())]));
    for (one, remarks) in with_remarks.iter().take(MAX_TEXT) {
        let title = match &one.from {
            Some(from) => format!("{} {} -> {}", one.package, from, one.to),
            None => format!("{} {}", one.package, one.to),
        };
        lines.extend(terminal.wrap("", 2, &clean(&title)));
        for remark in remarks {
            lines.extend(terminal.wrap("    - ", 6, &clean(remark)));
        }
    }
    let more = with_remarks.len().saturating_sub(MAX_TEXT);
    if more > 0 {
        let packages = count(more, "more package", "more packages");
        lines.push(format!("  {packages} (`--format json` lists all)"));
    }
    lines.push(String::new());
}

/// Adds the remarks as Markdown.
pub(crate) fn evidence_section(evidence: &[UpgradeEvidenceReport], body: &mut Body) {
    body.rows(
        "### Evidence\n\n",
        with_remarks(evidence).into_iter().map(|(one, remarks)| {
            let versions = match &one.from {
                Some(from) => format!("{} → {}", code(from), code(&one.to)),
                None => code(&one.to),
            };
            let mut row = format!("- {} {versions}\n", code(&one.package));
            for remark in remarks {
                row.push_str(&format!("  - {}\n", text(&remark)));
            }
            row
        }),
    );
}

fn with_remarks(evidence: &[UpgradeEvidenceReport]) -> Vec<(&UpgradeEvidenceReport, Vec<String>)> {
    evidence
        .iter()
        .map(|one| (one, remarks(one)))
        .filter(|(_, remarks)| !remarks.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use patchgate_model::{
        ApiUse, BeforeAfter, Bump, EcosystemName, Plan, ReleaseNotes, ReleaseSignals, Share,
        SymbolChange, SymbolUse, UpdateHistory, UpdatePrior, UpdateRecord, UpgradeEvidence,
    };

    use super::super::evidence::evidence;
    use super::*;
    use crate::scan::tests::{assert_harmless, plain};

    fn both<T>(before: T, after: T) -> BeforeAfter<T> {
        BeforeAfter {
            before: Some(before),
            after: Some(after),
        }
    }

    fn record(kept: u32, reverted: u32) -> UpdateRecord {
        UpdateRecord {
            kept,
            reverted,
            mean: Some(Share::new(0.8)),
            low: Some(Share::new(0.525)),
            high: Some(Share::new(0.98)),
        }
    }

    fn symbol(name: &str, change: SymbolChange) -> SymbolUse {
        SymbolUse {
            name: name.into(),
            change,
            before: None,
            after: None,
        }
    }

    fn plan() -> Plan {
        let known = UpgradeEvidence {
            ecosystem: EcosystemName::new("npm"),
            lockfile: "package-lock.json".into(),
            package: "qs".into(),
            from: Some("6.5.2".into()),
            to: "7.0.0".into(),
            distance: Some(Bump::Major),
            signals: Some(ReleaseSignals {
                install_scripts: both(false, true),
                provenance: both(true, false),
                publisher: both("ann".into(), "@bob".into()),
                size: both(1000, 5000),
                runtime: both(">=4".into(), ">=18".into()),
                peers: both(Vec::new(), vec!["react ^19".into()]),
                new_dependencies: vec!["<b>".into(), "c".into()],
                ..ReleaseSignals::default()
            }),
            history: Some(UpdateHistory {
                package: record(3, 1),
                lockfile: record(30, 2),
                prior: Some(UpdatePrior {
                    mean: Share::new(0.654),
                    weight: 2,
                    source: "npm: 65.4 % of security updates are accepted".into(),
                }),
            }),
            api: Some(ApiUse {
                files: 2,
                symbols: vec![
                    symbol("qs.a", SymbolChange::Removed),
                    symbol("qs.b", SymbolChange::SignatureChanged),
                    symbol("qs.c", SymbolChange::Unchanged),
                    symbol("qs.d", SymbolChange::Unknown),
                ],
            }),
            notes: Some(ReleaseNotes {
                file: "CHANGELOG.md".into(),
                text: "## 7.0.0\n- BREAKING: x".into(),
                is_cut: false,
                breaking: vec!["BREAKING: @octocat <img src=x> \u{1b}[2J".into()],
            }),
        };
        let unknown = UpgradeEvidence {
            ecosystem: EcosystemName::new("npm"),
            lockfile: "package-lock.json".into(),
            package: "new".into(),
            to: "1.0.0".into(),
            ..UpgradeEvidence::default()
        };

        Plan {
            evidence: vec![known, unknown],
            ..Plan::default()
        }
    }

    #[test]
    fn remarks_are_the_same_in_text_and_markdown() {
        let evidence = evidence(&plan());
        let mut lines = Vec::new();
        evidence_lines(&evidence, plain(100), &mut lines);
        let text = lines.join("\n");
        assert_harmless(&text);
        assert_snapshot!("evidence_text", text);

        let mut body = Body::new(60_000, 0);
        evidence_section(&evidence, &mut body);
        let markdown = body.finish("");
        assert_harmless(&markdown);
        assert_snapshot!("evidence_markdown", markdown);
    }

    #[test]
    fn nothing_is_said_where_nothing_is_known() {
        let evidence = evidence(&plan());
        assert_eq!(remarks(&evidence[1]), [""; 0]);
        assert_eq!(evidence[1].distance, None);
        assert_eq!(evidence[0].distance.as_deref(), Some("major"));
    }
}

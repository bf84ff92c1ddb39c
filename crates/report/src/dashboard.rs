//! The texts of the dashboard issue, and of the issues of urgent findings that no upgrade fixes.

use sha2::{Digest as _, Sha256};

use crate::clean::{clean, cut};
use crate::markdown::{Body, code, link, short, text};
use crate::scan::{FindingReport, OutcomeName, ScanReport, count};

/// Most bytes of an issue: the limit of GitHub.
const LIMIT: usize = crate::GITHUB_BODY_LIMIT;

/// An open pull request of Patchgate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardPull {
    /// The forge's own way to name it in a text, such as `#12`.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// The labels by which the gate does not merge it.
    pub holds: Vec<String>,
}

/// The runbook that matches a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runbook {
    /// Path from the root of the repository.
    pub path: String,
    /// Address of its page on the forge.
    pub url: String,
    /// Who acts, as the runbook states it.
    pub owner: Option<String>,
}

/// Whether a finding is urgent, and no upgrade fixes it: its outcome is act-now, or it is a malicious
/// release.
#[must_use]
pub fn is_urgent_unfixable(finding: &FindingReport) -> bool {
    let is_urgent = finding.malicious || finding.decision.outcome == OutcomeName::ActNow;
    is_urgent && finding.fixed_version.is_none() && finding.informational.is_none()
}

/// The text of the dashboard: what is open, held, overdue and without a fix.
#[must_use]
pub fn dashboard(scan: &ScanReport, pulls: &[DashboardPull]) -> String {
    let vulnerabilities = || {
        let findings = scan.findings.iter();
        findings.filter(|finding| finding.informational.is_none())
    };
    let overdue: Vec<&FindingReport> = vulnerabilities()
        .filter(|finding| {
            let deadline = finding.decision.deadline.as_ref();
            deadline.is_some_and(|deadline| deadline.overdue)
        })
        .collect();
    let unfixable: Vec<&FindingReport> = vulnerabilities()
        .filter(|finding| finding.fixed_version.is_none())
        .collect();
    let (held, open): (Vec<&DashboardPull>, Vec<&DashboardPull>) =
        pulls.iter().partition(|pull| !pull.holds.is_empty());

    let end = "\n<sub>Patchgate keeps this issue up to date. Close it to stop that.</sub>\n";
    let mut body = Body::new(LIMIT, end.len());
    body.push(&format!(
        "**{}: {} without a fix, {} overdue. Pull requests: {} open, {} held.**\n",
        count(vulnerabilities().count(), "finding", "findings"),
        unfixable.len(),
        overdue.len(),
        open.len(),
        held.len()
    ));
    if scan.summary.lockfiles == 0 {
        body.push(
            "\nNo lockfile was found, so nothing is known about the packages of the project.\n",
        );
    }
    let unread = scan.incomplete.iter().filter(|one| !one.waived).count();
    if unread > 0 {
        body.push(&format!(
            "\nThe scan is incomplete: {} could not be read or looked up, so findings may be missing \
             here.\n",
            count(unread, "input", "inputs")
        ));
    }

    let pull_rows = |pulls: &[&DashboardPull]| -> Vec<String> {
        let row = |pull: &&DashboardPull| {
            let holds: Vec<String> = pull.holds.iter().map(|label| code(label)).collect();
            let title = short(&pull.title, 200);
            match holds.is_empty() {
                true => format!("- {} {title}\n", pull.reference),
                false => format!(
                    "- {} {title}, held by {}\n",
                    pull.reference,
                    holds.join(", ")
                ),
            }
        };
        pulls.iter().map(row).collect()
    };
    body.rows("\n### Open\n\n", pull_rows(&open));
    body.rows("\n### Held\n\n", pull_rows(&held));
    let head = |title: &str| {
        format!(
            "\n### {title}\n\n| vulnerability | package | where | outcome | due |\n\
             | --- | --- | --- | --- | --- |\n"
        )
    };
    body.rows(&head("Overdue"), overdue.into_iter().map(row));
    body.rows(&head("Without a fix"), unfixable.into_iter().map(row));

    body.finish(end)
}

fn row(finding: &FindingReport) -> String {
    let place = finding
        .locations
        .first()
        .map_or_else(String::new, |at| code(&format!("{}:{}", at.file, at.line)));
    format!(
        "| {} | {} {} | {place} | {} | {} |\n",
        short(&finding.id, 80),
        code(&finding.package.name),
        code(&finding.package.version),
        text(outcome(finding)),
        text(&due(finding))
    )
}

fn outcome(finding: &FindingReport) -> &'static str {
    match finding.decision.outcome {
        _ if finding.malicious => "malicious release",
        OutcomeName::ActNow => "act now",
        OutcomeName::OutOfCycle => "out of cycle",
        OutcomeName::Scheduled => "scheduled",
        OutcomeName::Defer => "defer",
    }
}

fn due(finding: &FindingReport) -> String {
    let deadline = finding.decision.deadline.as_ref();
    match deadline.and_then(|deadline| deadline.due.as_ref().map(|due| (due, deadline.overdue))) {
        Some((due, true)) => format!("{due}, overdue"),
        Some((due, false)) => due.clone(),
        None => "no deadline".to_owned(),
    }
}

/// A word that identifies the issue of a finding: the same for every version of the package.
#[must_use]
pub fn urgent_key(finding: &FindingReport) -> String {
    let mut hash = Sha256::new();
    let package = &finding.package;
    for part in [&finding.id, &package.ecosystem, &package.name] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize().get(..8).unwrap_or_default())
}

/// The title of the issue of an urgent finding.
#[must_use]
pub fn urgent_title(finding: &FindingReport) -> String {
    let what = match finding.malicious {
        true => "Malicious release",
        false => "Urgent, without a fix",
    };
    // A title is no Markdown.
    let part = |raw: &str, width| cut(&clean(raw), width);
    format!(
        "{what}: {} in {} {}",
        part(&finding.id, 80),
        part(&finding.package.name, 100),
        part(&finding.package.version, 60)
    )
}

/// The text of the issue of an urgent finding that no upgrade fixes.
#[must_use]
pub fn urgent_body(finding: &FindingReport, runbook: Option<&Runbook>) -> String {
    let end = "\n<sub>Patchgate closes this issue when the finding is gone.</sub>\n";
    let mut body = Body::new(LIMIT, end.len());
    body.push(&format!("{}\n", short(&finding.summary, 500)));
    let reason = finding.no_fix_reason.as_deref().unwrap_or("none is known");
    let owner = runbook.and_then(|runbook| runbook.owner.as_deref());
    body.push(&format!(
        "\n| | |\n| --- | --- |\n| package | {} {} |\n| outcome | {} |\n| deadline | {} |\n| fix | {} |\n\
         | owner | {} |\n| runbook | {} |\n",
        code(&finding.package.name),
        code(&finding.package.version),
        text(outcome(finding)),
        text(&due(finding)),
        short(reason, 200),
        owner.map_or_else(|| "no runbook names one".to_owned(), code),
        runbook.map_or_else(
            || "none in `runbooks/` matches".to_owned(),
            |runbook| link(&code(&runbook.path), &runbook.url)
        ),
    ));
    body.push(&format!(
        "\n### Proposed mitigation\n\n{}\n",
        mitigation(finding)
    ));
    let places = finding.locations.iter();
    body.rows(
        "\n### Where\n\n",
        places.map(|at| format!("- {}\n", code(&format!("{}:{}", at.file, at.line)))),
    );
    let chains = finding.paths.iter();
    body.rows(
        "\n### Brought by\n\n",
        chains.map(|chain| {
            let steps: Vec<String> = chain.iter().map(|step| code(step)).collect();
            format!("- {}\n", steps.join(" → "))
        }),
    );

    body.finish(end)
}

/// What can be done without a release that fixes it.
fn mitigation(finding: &FindingReport) -> String {
    let name = code(&finding.package.name);
    let above = finding.paths.first().filter(|chain| chain.len() > 1);
    let direct = above.and_then(|chain| chain.first());
    let remove = match direct {
        Some(direct) => format!("Remove or replace {}, which brings {name}.", code(direct)),
        None => format!("Remove or replace {name}."),
    };
    match finding.malicious {
        true => format!(
            "1. {remove}\n2. Treat every machine and CI job that installed {} {} as compromised, and \
             replace the secrets that were on it.\n3. Search the logs of that time for connections of the \
             installation.",
            name,
            code(&finding.package.version)
        ),
        false => format!(
            "1. {remove}\n2. Until then, keep input from outside away from the vulnerable function, as the \
             advisory describes it.\n3. If the code is not reachable, state that with a date: \
             `/patchgate ignore {} until <date> because <reason>` in a comment on a pull request.",
            text(&finding.id)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::tests::{HOSTILE, assert_harmless, rich};

    #[test]
    fn the_dashboard_shows_pull_requests_and_findings_literally() {
        let pull = |number: u64, holds: &[&str]| DashboardPull {
            reference: format!("#{number}"),
            title: format!("Update x {HOSTILE}"),
            holds: holds.iter().map(|&label| label.to_owned()).collect(),
        };
        let text = dashboard(&rich(), &[pull(1, &[]), pull(2, &["ho`ld", HOSTILE])]);

        assert_harmless(&text);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn an_urgent_finding_names_owner_runbook_and_mitigation() {
        let runbook = Runbook {
            path: "runbooks/incident.md".to_owned(),
            url: "https://forge.invalid/acme/shop/blob/main/runbooks/incident.md".to_owned(),
            owner: Some("@acme/security".to_owned()),
        };
        let mut finding = rich().findings.remove(0);
        finding.summary = HOSTILE.to_owned();
        let calm = urgent_body(rich().findings.last().unwrap(), None);
        finding.malicious = true;
        finding.paths = vec![vec!["web".to_owned(), finding.package.name.clone()]];
        let text = format!(
            "{}\n\n{calm}\n{}\n\n{}",
            urgent_title(&finding),
            urgent_title(&finding),
            urgent_body(&finding, Some(&runbook))
        );

        assert_harmless(&text);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_dashboard_stays_below_the_limit_of_the_forge() {
        let mut scan = rich();
        let finding = scan.findings.remove(0);
        scan.findings = vec![finding; 5_000];
        let text = dashboard(&scan, &[]);

        assert!(text.len() <= LIMIT, "{}", text.len());
        assert!(text.contains("**5000 findings:"), "{text}");
        assert!(text.trim_end().ends_with("</sub>"), "the end is cut");
    }
}

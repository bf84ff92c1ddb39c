//! Incidents: malicious releases, at the top of every report. They differ from vulnerabilities in
//! what to do: a malicious release may already have run its code, so an update alone is not enough.

use std::collections::BTreeSet;

use super::phrases::{self, count};
use super::{FindingReport, PackageReport, ScanReport};
use crate::clean::clean;
use crate::markdown::{Body, code, short};
use crate::terminal::{RED_BOLD, Terminal};

/// Most locations of one release in a text; the JSON has all.
const MAX_LOCATIONS: usize = 5;

/// The next steps after an incident.
const ADVICE: &str = "Every machine that installed such a release may have run its code. Treat those \
                      machines and every secret on them as compromised, remove the release, and \
                      replace the secrets. An update alone does not undo the damage.";

impl ScanReport {
    /// The findings of malicious releases that are not ignored.
    pub(crate) fn incidents(&self) -> Vec<FindingReport> {
        let malicious = self.findings.iter().filter(|finding| finding.malicious);
        malicious.cloned().collect()
    }
}

/// The heading: `2 malicious releases are installed`.
fn title<'a>(packages: impl Iterator<Item = &'a PackageReport>) -> String {
    let releases: BTreeSet<_> = packages.collect();
    let (one, many) = (
        "malicious release is installed",
        "malicious releases are installed",
    );
    count(releases.len(), one, many)
}

fn packages(incidents: &[FindingReport]) -> impl Iterator<Item = &PackageReport> {
    incidents.iter().map(|finding| &finding.package)
}

/// Adds the top of a report about one advisory. Adds nothing unless a package that the advisory calls
/// malicious is installed.
pub(crate) fn head<'a>(
    installed: impl Iterator<Item = &'a PackageReport>,
    terminal: Terminal,
    lines: &mut Vec<String>,
) {
    let mut installed = installed.peekable();
    if installed.peek().is_some() {
        let head = format!("INCIDENT: {}", title(installed));
        lines.push(terminal.paint(RED_BOLD, &head));
        lines.extend(terminal.wrap("", 2, ADVICE));
        lines.push(String::new());
    }
}

/// Adds the section of a text; adds nothing without incidents.
pub(crate) fn lines(incidents: &[FindingReport], terminal: Terminal, lines: &mut Vec<String>) {
    if incidents.is_empty() {
        return;
    }

    let head = format!("INCIDENT: {}", title(packages(incidents)));
    lines.push(terminal.paint(RED_BOLD, &head));
    for finding in incidents {
        let mut text = format!(
            "{} at {}: {}",
            clean(&phrases::package(finding)),
            clean(&locations(finding)),
            clean(&finding.id)
        );
        if !finding.summary.is_empty() {
            text.push_str(&format!(", {}", clean(&finding.summary)));
        }

        lines.extend(terminal.wrap("", 2, &text));
    }

    lines.extend(terminal.wrap("", 2, ADVICE));
    lines.push(String::new());
}

/// Adds the section of a Markdown body; adds nothing without incidents.
pub(crate) fn markdown(incidents: &[FindingReport], body: &mut Body) {
    let head = format!(
        "### Incident: {}\n\n{ADVICE}\n\n",
        title(packages(incidents))
    );
    body.rows(
        &head,
        incidents.iter().map(|finding| {
            format!(
                "- {} at {}: {} {}\n",
                super::markdown::package(finding),
                code(&locations(finding)),
                super::markdown::id_link(finding),
                short(&finding.summary, 160)
            )
        }),
    );
}

/// The first locations, and the number of the others.
fn locations(finding: &FindingReport) -> String {
    let named = finding.locations.iter().take(MAX_LOCATIONS);
    let mut text = named.map(phrases::location).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = finding.locations.len().checked_sub(MAX_LOCATIONS) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

//! Triage of findings: by the ignore entries of the settings, then by the statements of VEX
//! documents.

use jiff::civil::Date;
use patchgate_config::{Config, Ignore, IgnoredFinding, Notice};
use patchgate_model::{Finding, Inventory};
use patchgate_vex::{Copies, Decision, SuppressedFinding};

use crate::vex::Vex;

/// Findings, divided by the ignore entries of the settings and the statements of VEX documents.
#[derive(Debug, Clone, Default)]
pub struct TriagedFindings {
    /// Findings that count, worst first.
    pub kept: Vec<Finding>,
    /// Possible findings that no entry and no statement covers, worst first.
    pub possible: Vec<Finding>,
    /// For each kept finding, at the same index, the statement that speaks of it.
    pub statements: Vec<Option<Decision>>,
    /// Findings that an ignore entry covers.
    pub ignored: Vec<IgnoredFinding>,
    /// Findings that a VEX statement suppresses.
    pub suppressed: Vec<SuppressedFinding>,
    /// Ignore entries that should be changed: expired, unused.
    pub notices: Vec<Notice>,
    /// Statements that nearly applied.
    pub vex_notices: Vec<patchgate_vex::Notice>,
}

impl TriagedFindings {
    /// All findings, also those that do not count.
    pub fn all(&self) -> impl Iterator<Item = &Finding> {
        let ignored = self.ignored.iter().map(|one| &one.finding);
        let suppressed = self.suppressed.iter().map(|one| &one.finding);
        self.kept
            .iter()
            .chain(&self.possible)
            .chain(ignored)
            .chain(suppressed)
    }
}

/// Divides findings. The settings come first: an ignore entry has an end, and must not be reported
/// as unused because a document covers the same finding.
pub(crate) fn triage(
    findings: Vec<Finding>,
    possible: Vec<Finding>,
    config: &Config,
    vex: &Vex,
    inventory: &Inventory,
    today: Date,
) -> TriagedFindings {
    // Both lists are judged at once, so that an entry that covers a possible finding is not reported
    // as unused.
    let all = findings.into_iter().chain(possible).collect();
    let applied = patchgate_config::apply_ignores(all, &config.ignore, today);
    let judged = vex.apply(applied.kept, inventory);
    let (mut kept, mut statements, mut possible) = (Vec::new(), Vec::new(), Vec::new());
    for (finding, decision) in judged.kept.into_iter().zip(judged.decisions) {
        if finding.is_possible() {
            possible.push(finding);
        } else {
            kept.push(finding);
            statements.push(decision);
        }
    }

    TriagedFindings {
        kept,
        possible,
        statements,
        ignored: applied.ignored,
        suppressed: judged.suppressed,
        notices: applied.notices,
        vex_notices: judged.notices,
    }
}

/// The rules of one scan about which findings need no fix, for findings that appear later: those of
/// a lockfile that a fix re-created.
#[derive(Debug)]
pub struct Suppressions<'a> {
    pub(crate) ignore: &'a [Ignore],
    pub(crate) vex: &'a Vex,
    pub(crate) copies: Copies<'a>,
    pub(crate) today: Date,
}

impl Suppressions<'_> {
    /// Whether an ignore entry or a VEX statement covers a finding today.
    pub fn covers(&self, finding: &Finding) -> bool {
        let is_ignored = || {
            patchgate_config::apply_ignores(vec![finding.clone()], self.ignore, self.today)
                .kept
                .is_empty()
        };

        is_ignored() || self.vex.suppresses(finding, &self.copies)
    }
}

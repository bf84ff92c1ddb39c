//! Application of the statements of all documents to findings.
//!
//! A finding covers every copy of its package version, and its ids may belong to several
//! vulnerabilities. It is suppressed if, for each vulnerability in each copy, the newest statement
//! suppresses it. Among statements of the same time, the most severe counts.

mod copies;
mod facets;
mod notices;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use patchgate_model::{Finding, Inventory};

pub use copies::Copies;
pub use notices::Notice;

use crate::document::{Component, Document, StatedJustification, Statement, Status, Target};
use crate::identity::PackageIdentity;
use crate::vers::Versions;
use facets::{Facet, facets};
use notices::{Notices, Objection};

/// A document and its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The file or the address, for display.
    pub name: String,
    /// The document's content, shared by all its users.
    pub document: Arc<Document>,
    /// Whether the user chose this document for the scanned project, rather than all documents of a
    /// vendor. Only then is a statement that nearly applies worth a notice.
    pub is_chosen: bool,
}

/// The decision about a finding, with the statement that it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Status of the vulnerability in the package.
    pub status: Status,
    /// Reason for `not_affected`, as one of the five justifications.
    pub justification: Option<StatedJustification>,
    /// Reason for `not_affected`, as free text.
    pub impact: Option<String>,
    /// Recommended action for `affected`, as free text.
    pub action: Option<String>,
    /// Id of the statement, else of its document; empty if neither has one.
    pub statement: String,
    /// Line of the statement in its document, from 1.
    pub line: u32,
    /// Author of the document; empty if it does not say.
    pub author: String,
    /// Time of the statement.
    pub timestamp: Option<Timestamp>,
    /// The file or the address of the document.
    pub source: String,
}

/// A finding that a statement suppresses.
#[derive(Debug, Clone, PartialEq)]
pub struct SuppressedFinding {
    /// The finding that is suppressed.
    pub finding: Finding,
    /// The decision that suppresses it.
    pub decision: Decision,
}

/// The findings after all statements were applied.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AppliedStatements {
    /// Findings that no statement suppresses, in their original order.
    pub kept: Vec<Finding>,
    /// For each finding of [`AppliedStatements::kept`], at the same index, the decision that it is
    /// affected or under investigation; `None` if no statement applies.
    pub decisions: Vec<Option<Decision>>,
    /// Findings that a statement suppresses, in their original order.
    pub suppressed: Vec<SuppressedFinding>,
    /// Notices about statements that nearly applied, with the reason why they did not.
    pub notices: Vec<Notice>,
}

/// The statements of all documents.
#[derive(Debug, Clone, Default)]
pub struct Statements {
    sources: Vec<Source>,
    /// The products that the user named as the scanned ones.
    products: Vec<Component>,
    /// Indices of statements, by the ids of their vulnerabilities in lower case.
    by_id: HashMap<String, Vec<StatementIndex>>,
}

/// The index of a source, and the index of a statement in its document.
type StatementIndex = (usize, usize);

/// The result for one finding.
enum Verdict {
    /// No statement applies, or not to every copy and vulnerability.
    Open,
    /// A statement says `affected` or `under_investigation`.
    Kept(Decision),
    /// Every copy and vulnerability is `not_affected` or `fixed`.
    Suppressed(Decision),
}

/// A statement with its document.
#[derive(Clone, Copy)]
struct StatementRef<'a> {
    source: &'a Source,
    statement: &'a Statement,
}

impl Statements {
    /// The statements of these documents. `products` are the identifiers (usually package URLs) of
    /// the products that are scanned, as the user names them.
    #[must_use]
    pub fn new(sources: Vec<Source>, products: &[String]) -> Self {
        let mut by_id: HashMap<String, Vec<StatementIndex>> = HashMap::new();
        for (number, source) in sources.iter().enumerate() {
            for (index, statement) in source.document.statements.iter().enumerate() {
                for id in &statement.ids {
                    let indices = by_id.entry(id.to_ascii_lowercase()).or_default();
                    indices.push((number, index));
                }
            }
        }

        Self {
            sources,
            products: products
                .iter()
                .map(|product| crate::read::component(product.trim()))
                .collect(),
            by_id,
        }
    }

    /// Whether there are no documents.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Applies the statements to the findings of an inventory, and separates the suppressed ones.
    #[must_use]
    pub fn apply(&self, findings: Vec<Finding>, inventory: &Inventory) -> AppliedStatements {
        if self.is_empty() {
            return AppliedStatements {
                decisions: vec![None; findings.len()],
                kept: findings,
                ..AppliedStatements::default()
            };
        }

        let copies = Copies::of(inventory);
        let mut notices = Notices::default();

        let mut applied = AppliedStatements::default();
        for finding in findings {
            match self.decide(&finding, &copies, &mut notices) {
                Verdict::Suppressed(decision) => {
                    applied
                        .suppressed
                        .push(SuppressedFinding { finding, decision });
                }
                Verdict::Kept(decision) => {
                    applied.kept.push(finding);
                    applied.decisions.push(Some(decision));
                }
                Verdict::Open => {
                    applied.kept.push(finding);
                    applied.decisions.push(None);
                }
            }
        }

        applied.notices = notices.finish(&self.sources);
        applied
    }

    /// Whether the statements suppress a finding. For a package that is not among the copies, the
    /// finding's own package URL is used.
    #[must_use]
    pub fn suppresses(&self, finding: &Finding, copies: &Copies<'_>) -> bool {
        let verdict = self.decide(finding, copies, &mut Notices::default());
        matches!(verdict, Verdict::Suppressed(_))
    }

    fn decide(&self, finding: &Finding, copies: &Copies<'_>, notices: &mut Notices) -> Verdict {
        let Some(purls) = copies.purls(&finding.package) else {
            return Verdict::Open;
        };
        let mut decisive: Vec<Option<StatementRef<'_>>> = Vec::new();
        for facet in facets(finding) {
            for purl in &purls {
                decisive.push(self.strongest(&facet, purl, finding, notices));
            }
        }

        let worst = decisive
            .iter()
            .flatten()
            .filter(|applicable| !applicable.statement.status.suppresses())
            .max_by_key(|applicable| applicable.statement.status);
        if let Some(worst) = worst {
            return Verdict::Kept(worst.decision());
        }

        match decisive.first() {
            Some(Some(first)) if decisive.iter().all(Option::is_some) => {
                Verdict::Suppressed(first.decision())
            }
            _ => Verdict::Open,
        }
    }

    /// The newest statement about one vulnerability in one copy of a package; among statements of the
    /// same time, the most severe.
    fn strongest(
        &self,
        facet: &Facet,
        purl: &PackageIdentity,
        finding: &Finding,
        notices: &mut Notices,
    ) -> Option<StatementRef<'_>> {
        let mut strongest: Option<StatementRef<'_>> = None;
        for applicable in self.about(facet) {
            let Some(target) = self.target(applicable, purl, notices) else {
                continue;
            };
            let statement = applicable.statement;
            if statement.status.suppresses() {
                let objection = if finding.malicious {
                    Some(Objection::Malicious)
                } else {
                    objection(applicable, target)
                };
                if let Some(objection) = objection {
                    notices.add(&applicable, objection, &finding.id);
                    continue;
                }
            }

            if strongest.is_none_or(|known| statement.rank() > known.statement.rank()) {
                strongest = Some(applicable);
            }
        }

        strongest
    }

    /// The statements about a vulnerability, in the order of the documents.
    fn about(&self, facet: &Facet) -> impl Iterator<Item = StatementRef<'_>> {
        let indices: BTreeSet<StatementIndex> = facet
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .flatten()
            .copied()
            .collect();
        indices.into_iter().filter_map(|(number, index)| {
            let source = self.sources.get(number)?;
            let statement = source.document.statements.get(index)?;
            Some(StatementRef { source, statement })
        })
    }

    /// The target of the statement that covers a copy of a package.
    fn target<'a>(
        &self,
        applicable: StatementRef<'a>,
        purl: &PackageIdentity,
        notices: &mut Notices,
    ) -> Option<&'a Target> {
        let targets = &applicable.statement.targets;
        let applies = |target: &&Arc<Target>| {
            if target.component.covers(purl) {
                return target.within.iter().all(|whole| self.is_scanned(whole));
            }
            // A statement about a whole product applies to every component in it.
            target.within.is_empty() && self.is_scanned(&target.component)
        };
        let found = targets.iter().find(applies);
        if found.is_none() && applicable.statement.status.suppresses() {
            notices.nearly(&applicable, purl);
        }

        found.map(Arc::as_ref)
    }

    /// Whether the user named the component as a scanned product.
    fn is_scanned(&self, component: &Component) -> bool {
        self.products.iter().any(|product| {
            product.purls.iter().any(|purl| component.covers(purl))
                || component
                    .names
                    .iter()
                    .any(|name| product.names.contains(name) && component.is_whole(name))
        })
    }
}

impl Component {
    /// Whether a name identifies the component in the version that its document states. A user who
    /// names a product by a name without a version has not said which version is scanned.
    fn is_whole(&self, name: &str) -> bool {
        match &self.versions {
            Versions::Any => true,
            Versions::One(version) => name.contains(version.as_str()),
            Versions::Range(_) | Versions::Unknown(_) => false,
        }
    }

    /// Whether all package URLs of the component cover a package; false if it has none.
    pub(crate) fn covers(&self, package: &PackageIdentity) -> bool {
        !self.purls.is_empty()
            && self
                .purls
                .iter()
                .all(|purl| purl.covers(package, &self.versions))
    }
}

impl Statement {
    /// The precedence of the statement: by time, then by severity of the status. A statement without
    /// a time is the oldest if it suppresses, and the newest if it does not, so that an unknown time
    /// never hides a finding.
    fn rank(&self) -> (u8, Timestamp, Status) {
        match self.timestamp {
            Some(time) => (1, time, self.status),
            None if self.status.suppresses() => (0, Timestamp::MIN, self.status),
            None => (2, Timestamp::MIN, self.status),
        }
    }
}

/// The reason for which a statement that would suppress a finding does not count.
fn objection(applicable: StatementRef<'_>, target: &Target) -> Option<Objection> {
    let StatementRef { source, statement } = applicable;
    if let Some(status) = &source.document.preliminary {
        return Some(Objection::Preliminary(status.clone()));
    }

    match statement.status {
        // "For statements conveying a not_affected status, a VEX statement MUST include either a
        // status justification or an impact_statement" (OpenVEX, "Statement Fields"; CSAF 2.0,
        // 4.5).
        Status::NotAffected if statement.justification.is_none() && statement.impact.is_none() => {
            Some(Objection::NoReason)
        }
        Status::Fixed if !target.component.has_version() => Some(Objection::NoVersion),
        _ => None,
    }
}

impl StatementRef<'_> {
    fn decision(&self) -> Decision {
        let Self { source, statement } = self;
        let document = &source.document;

        Decision {
            status: statement.status,
            justification: statement.justification.clone(),
            impact: statement.impact.clone(),
            action: statement.action.clone(),
            statement: statement.id.clone().unwrap_or_else(|| document.id.clone()),
            line: statement.line,
            author: document.author.clone(),
            timestamp: statement.timestamp,
            source: source.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests;

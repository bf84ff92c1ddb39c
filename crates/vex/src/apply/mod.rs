//! Which findings the statements of all documents suppress.
//!
//! A finding stands for every copy of its package version, and its ids may be those of more than one
//! vulnerability. It is suppressed when each of them, for each copy, has a statement that says so
//! and none that is newer or as new and says worse.

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

/// A document and where it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The file or the address, for a person.
    pub name: String,
    /// What it says.
    pub document: Arc<Document>,
    /// Whether the user chose the document for what is scanned, rather than all documents of a
    /// vendor: then a statement that nearly applies is worth a notice.
    pub is_chosen: bool,
}

/// What was decided about a finding, by which statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The status.
    pub status: Status,
    /// Why it is not affected, in one of the five words.
    pub justification: Option<StatedJustification>,
    /// Why it is not affected, in words for a person.
    pub impact: Option<String>,
    /// What to do, for something that is affected.
    pub action: Option<String>,
    /// The statement's own id, else its document's; empty where neither has one.
    pub statement: String,
    /// Line of the statement in its document, from 1.
    pub line: u32,
    /// Who wrote the document; empty where it does not say.
    pub author: String,
    /// When the statement was made.
    pub timestamp: Option<Timestamp>,
    /// The file or the address of the document.
    pub source: String,
}

/// A finding that a statement suppresses.
#[derive(Debug, Clone, PartialEq)]
pub struct SuppressedFinding {
    /// The finding.
    pub finding: Finding,
    /// What was decided.
    pub decision: Decision,
}

/// What the statements made of the findings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AppliedStatements {
    /// Findings that no statement suppresses, in their order, each with the statement that says
    /// that it is affected or under investigation, where there is one.
    pub kept: Vec<Finding>,
    /// For each finding of [`AppliedStatements::kept`] at the same place, the statement about it.
    pub decisions: Vec<Option<Decision>>,
    /// Findings that a statement suppresses, in their order.
    pub suppressed: Vec<SuppressedFinding>,
    /// Statements that nearly applied, and why they did not.
    pub notices: Vec<Notice>,
}

/// The statements of all documents.
#[derive(Debug, Clone, Default)]
pub struct Statements {
    sources: Vec<Source>,
    /// What the user says that is scanned.
    products: Vec<Component>,
    /// Places of statements, by the ids of their vulnerabilities in lower case.
    by_id: HashMap<String, Vec<StatementIndex>>,
}

/// The number of a source, and the number of a statement in it.
type StatementIndex = (usize, usize);

/// What the statements say about one finding.
enum Verdict {
    /// Nothing, or not enough.
    Open,
    /// That it is affected, or that it is not known yet.
    Kept(Decision),
    /// That it needs nothing.
    Suppressed(Decision),
}

/// A statement that applies.
#[derive(Clone, Copy)]
struct StatementRef<'a> {
    source: &'a Source,
    statement: &'a Statement,
}

impl Statements {
    /// The statements of these documents. `products` are the identifiers, package URLs most often,
    /// of what the user says that is scanned.
    #[must_use]
    pub fn new(sources: Vec<Source>, products: &[String]) -> Self {
        let mut by_id: HashMap<String, Vec<StatementIndex>> = HashMap::new();
        for (number, source) in sources.iter().enumerate() {
            for (place, statement) in source.document.statements.iter().enumerate() {
                for id in &statement.ids {
                    let places = by_id.entry(id.to_ascii_lowercase()).or_default();
                    places.push((number, place));
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

    /// Whether there is no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Sorts findings by what the statements say about them. `inventory` is where they were found.
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

    /// Whether a statement suppresses a finding. A package that is not among the copies is judged
    /// by the finding's own package URL.
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

    /// The newest statement about one vulnerability in one copy of a package; among those that are
    /// as new, the worst.
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

    /// The statements that name the vulnerability, in the order of the documents.
    fn about(&self, facet: &Facet) -> impl Iterator<Item = StatementRef<'_>> {
        let places: BTreeSet<StatementIndex> = facet
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .flatten()
            .copied()
            .collect();
        places.into_iter().filter_map(|(number, place)| {
            let source = self.sources.get(number)?;
            let statement = source.document.statements.get(place)?;
            Some(StatementRef { source, statement })
        })
    }

    /// The target of the statement that a copy of a package is.
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
            // What is said of a product is said of all that is in it.
            target.within.is_empty() && self.is_scanned(&target.component)
        };
        let found = targets.iter().find(applies);
        if found.is_none() && applicable.statement.status.suppresses() {
            notices.nearly(&applicable, purl);
        }

        found.map(Arc::as_ref)
    }

    /// Whether the component is something that the user says is scanned.
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
    /// Whether a name stands for the component whatever the versions are that its document states
    /// beside it: who names a product by it says nothing about those.
    fn is_whole(&self, name: &str) -> bool {
        match &self.versions {
            Versions::Any => true,
            Versions::One(version) => name.contains(version.as_str()),
            Versions::Range(_) | Versions::Unknown(_) => false,
        }
    }

    /// Whether a package is what this identifies.
    pub(crate) fn covers(&self, package: &PackageIdentity) -> bool {
        !self.purls.is_empty()
            && self
                .purls
                .iter()
                .all(|purl| purl.covers(package, &self.versions))
    }
}

impl Statement {
    /// The newer it is, and the worse what it says, the more it counts. A statement without a time
    /// counts as the newest where it says something bad, and as the oldest where it suppresses.
    fn rank(&self) -> (u8, Timestamp, Status) {
        match self.timestamp {
            Some(time) => (1, time, self.status),
            None if self.status.suppresses() => (0, Timestamp::MIN, self.status),
            None => (2, Timestamp::MIN, self.status),
        }
    }
}

/// Why a statement that would suppress a finding does not count.
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

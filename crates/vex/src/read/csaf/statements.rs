//! Statements from the product status of a CSAF vulnerability (3.2.3.9).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use patchgate_model::Justification;
use patchgate_syntax::{Node, ParseError};

use super::super::{prose, shortened};
use super::products::{Products, listed};
use super::{Head, ids};
use crate::document::{StatedJustification, Statement, Status, Target};

/// The groups of products with their status. `recommended` is not among them: it says which version
/// to use, and nothing about the other versions.
const GROUPS: [(&str, Status); 7] = [
    ("known_not_affected", Status::NotAffected),
    ("fixed", Status::Fixed),
    ("first_fixed", Status::Fixed),
    ("under_investigation", Status::UnderInvestigation),
    ("known_affected", Status::Affected),
    ("first_affected", Status::Affected),
    ("last_affected", Status::Affected),
];

/// Details about a product, in addition to its status.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Remark {
    /// The label of a flag (a justification), as written.
    flag: Option<String>,
    impact: Option<String>,
    action: Option<String>,
}

/// Remarks by the id of the product.
type Remarks = HashMap<String, Remark>;

pub(super) fn read(
    vulnerability: &Node<'_>,
    products: &Products,
    head: &Head,
) -> Result<Vec<Statement>, ParseError> {
    let ids = ids(vulnerability)?;
    let Some(status) = vulnerability.get("product_status") else {
        return Ok(Vec::new());
    };
    let (for_all, remarks) = remarks(vulnerability, products)?;

    let mut statements = Vec::new();
    for (group, status_word) in GROUPS {
        let mut by_remark: BTreeMap<Remark, Vec<Arc<Target>>> = BTreeMap::new();
        let line = status.get(group).map_or(status.line, |node| node.line);
        let mut seen = HashSet::new();
        for id in listed(status, group)? {
            if !seen.insert(id) {
                continue;
            }
            let targets = products.targets(id, line)?;
            let remark = relevant(remarks.get(id), &for_all, status_word);
            by_remark.entry(remark).or_default().extend(targets);
        }
        // Without an id the vulnerability cannot match a finding.
        if ids.is_empty() {
            continue;
        }
        for (remark, targets) in by_remark {
            statements.push(Statement {
                id: None,
                line,
                ids: ids.clone(),
                targets,
                status: status_word,
                justification: remark.flag.as_deref().and_then(reason),
                impact: remark.impact,
                action: remark.action,
                timestamp: head.current.or(head.initial),
            });
        }
    }

    Ok(statements)
}

fn reason(label: &str) -> Option<StatedJustification> {
    Some(StatedJustification {
        word: Justification::from_word(label)?,
        written: label.to_owned(),
    })
}

/// The parts of the remarks about a product that belong to its status.
fn relevant(own: Option<&Remark>, for_all: &Remark, status: Status) -> Remark {
    let own = own.cloned().unwrap_or_default();
    match status {
        Status::NotAffected => Remark {
            flag: own.flag,
            impact: own.impact.or_else(|| for_all.impact.clone()),
            action: None,
        },
        Status::Affected => Remark {
            action: own.action.or_else(|| for_all.action.clone()),
            ..Remark::default()
        },
        Status::Fixed | Status::UnderInvestigation => Remark::default(),
    }
}

/// The flags, impacts and remediations: those for all products, and those for single ones. A flag
/// always names its products (6.1.32).
fn remarks(vulnerability: &Node<'_>, products: &Products) -> Result<(Remark, Remarks), ParseError> {
    let mut for_all = Remark::default();
    let mut remarks = Remarks::new();
    for flag in vulnerability.optional_list("flags")? {
        let label = flag.need_text("label")?;
        for id in products.members(flag)? {
            remarks.entry(id.to_owned()).or_default().flag = Some(label.to_owned());
        }
    }

    for threat in vulnerability.optional_list("threats")? {
        if threat.optional_text("category")? == Some("impact") {
            let details = prose(threat, "details")?;
            note(threat, products, &mut for_all, &mut remarks, |remark| {
                add(&mut remark.impact, details.as_deref());
            })?;
        }
    }

    for remediation in vulnerability.optional_list("remediations")? {
        let details = prose(remediation, "details")?;
        note(
            remediation,
            products,
            &mut for_all,
            &mut remarks,
            |remark| {
                add(&mut remark.action, details.as_deref());
            },
        )?;
    }

    Ok((for_all, remarks))
}

/// Changes the remarks of the products that a node names, or of all products if it names none.
fn note(
    node: &Node<'_>,
    products: &Products,
    for_all: &mut Remark,
    remarks: &mut Remarks,
    mut change: impl FnMut(&mut Remark),
) -> Result<(), ParseError> {
    let members = products.members(node)?;
    if members.is_empty() {
        change(for_all);
    }
    for id in members {
        change(remarks.entry(id.to_owned()).or_default());
    }
    Ok(())
}

/// Appends a free text.
fn add(to: &mut Option<String>, details: Option<&str>) {
    let Some(details) = details else { return };
    *to = Some(match to.take() {
        Some(before) => shortened(&format!("{before}\n{details}")),
        None => details.to_owned(),
    });
}

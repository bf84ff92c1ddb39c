//! Notices for the user about statements that nearly applied.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, StatementRef};
use crate::identity::PackageIdentity;

/// Most notices that are reported; the others are only counted.
const MAX_NOTICES: usize = 20;

/// A notice about a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The file or the address of the document.
    pub source: String,
    /// Line of the statement, from 1; `None` for the document as a whole.
    pub line: Option<u32>,
    /// A lower-case fragment without a final period.
    pub text: String,
}

/// The reason for which a statement that would suppress a finding does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Objection {
    /// Its document is not final; the state of the document.
    Preliminary(String),
    /// It has neither a justification nor an impact statement.
    NoReason,
    /// It says `fixed` without a version.
    NoVersion,
    /// The finding is about a malicious release.
    Malicious,
}

/// The distinct notices so far.
#[derive(Debug, Default)]
pub(super) struct Notices {
    reported: BTreeSet<Notice>,
    /// For each document, the products that its statements are limited to.
    elsewhere: BTreeMap<String, BTreeSet<String>>,
}

impl Notices {
    pub(super) fn add(&mut self, applicable: &StatementRef<'_>, objection: Objection, id: &str) {
        let status = applicable.statement.status.word();

        let (line, text) = match objection {
            Objection::Preliminary(state) => (
                None,
                format!("is `{state}` and not final, so it suppresses nothing"),
            ),
            Objection::NoReason => (
                Some(applicable.statement.line),
                format!(
                    "says `{status}` about `{id}` with neither a justification nor an impact \
                     statement, so it does not count"
                ),
            ),
            Objection::NoVersion => (
                Some(applicable.statement.line),
                format!("says `{status}` about `{id}` without a version, so it does not count"),
            ),
            Objection::Malicious => (
                Some(applicable.statement.line),
                format!(
                    "says `{status}` about `{id}`, but only an `ignore` entry can accept a \
                     malicious release"
                ),
            ),
        };
        self.reported.insert(Notice {
            source: applicable.source.name.clone(),
            line,
            text,
        });
    }

    /// Records a statement about the finding's vulnerability in other products. If it is about the
    /// package within a product, or about a product of another type than the package, the user may
    /// have forgotten to name that product as the scanned one.
    pub(super) fn nearly(&mut self, applicable: &StatementRef<'_>, purl: &PackageIdentity) {
        if !applicable.source.is_chosen {
            return;
        }

        for target in &applicable.statement.targets {
            let wholes = if target.within.is_empty() {
                let has_same_type = target
                    .component
                    .purls
                    .iter()
                    .any(|named| named.kind() == purl.kind());
                if has_same_type {
                    continue;
                }

                std::slice::from_ref(&target.component)
            } else if target.component.covers(purl) {
                target.within.as_slice()
            } else {
                continue;
            };
            let source = applicable.source.name.clone();
            let products = self.elsewhere.entry(source).or_default();

            if products.len() <= MAX_NOTICES {
                products.extend(wholes.iter().map(|whole| whole.shown().to_owned()));
            }
        }
    }

    pub(super) fn finish(self, sources: &[Source]) -> Vec<Notice> {
        let mut all: Vec<Notice> = Vec::new();
        for source in sources {
            // Usually an SBOM without an analysis.
            if source.is_chosen && source.document.statements.is_empty() {
                all.push(Notice {
                    source: source.name.clone(),
                    line: None,
                    text: "makes no statement about any vulnerability".to_owned(),
                });
            }
        }

        for (source, products) in self.elsewhere {
            let Some(first) = products.first() else {
                continue;
            };
            let more = match products.len() {
                1 => String::new(),
                more => format!(" and {} more", more - 1),
            };
            all.push(Notice {
                source,
                line: None,
                text: format!(
                    "has statements that apply only to `{first}`{more}: if that is the scanned product, \
                     name it with `--vex-product`"
                ),
            });
        }

        all.extend(self.reported);
        let more = all.len().saturating_sub(MAX_NOTICES);
        if more > 0 {
            all.truncate(MAX_NOTICES);
            if let Some(last) = all.last_mut() {
                last.text
                    .push_str(&format!(" (and {more} more such notices)"));
            }
        }

        all
    }
}

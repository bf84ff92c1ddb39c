//! What a user should know about statements that nearly applied.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, StatementRef};
use crate::identity::PackageIdentity;

/// Most notices that are told; beyond them only their number is.
const MAX_NOTICES: usize = 20;

/// Something to tell about a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The file or the address of the document.
    pub source: String,
    /// Line, from 1, of the statement; `None` for the document as a whole.
    pub line: Option<u32>,
    /// What it is: a lower-case fragment without a final period.
    pub text: String,
}

/// Why a statement that would suppress a finding does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Objection {
    /// Its document is not final.
    Preliminary(String),
    /// It does not say why.
    NoReason,
    /// It says that all versions are fixed.
    NoVersion,
    /// The release is malicious.
    Malicious,
}

/// The notices so far, each once.
#[derive(Debug, Default)]
pub(super) struct Notices {
    told: BTreeSet<Notice>,
    /// For each document, the products that its statements would hold for.
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
                    "says `{status}` about `{id}`, but a malicious release is accepted by an \
                     `ignore` entry only"
                ),
            ),
        };
        self.told.insert(Notice {
            source: applicable.source.name.clone(),
            line,
            text,
        });
    }

    /// Notes a statement about the finding's vulnerability that is about other products: where it is
    /// about the package within one, or about a product that is no such package, the user may have
    /// meant to name it.
    pub(super) fn nearly(&mut self, applicable: &StatementRef<'_>, purl: &PackageIdentity) {
        if !applicable.source.is_chosen {
            return;
        }

        for target in &applicable.statement.targets {
            let wholes = if target.within.is_empty() {
                let is_such_a_package = target
                    .component
                    .purls
                    .iter()
                    .any(|named| named.kind() == purl.kind());
                if is_such_a_package {
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
            // An SBOM without an analysis, most often.
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
                    "has statements that hold for `{first}`{more} only: if that is what is \
                     scanned, name it with `--vex-product`"
                ),
            });
        }

        all.extend(self.told);
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

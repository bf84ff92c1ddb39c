//! VEX documents and CSAF advisories of one run: their locations, their statements, and their
//! effect on findings.

mod csaf;
mod export;
mod files;
mod url;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use patchgate_config::Config;
use patchgate_http::Environment;
use patchgate_model::{Finding, Inventory, Problem, ProblemKind, SourceStatus, UserError};
use patchgate_vex::{AppliedStatements, Copies, Document, Source, Statements};

use crate::evaluate::Evaluation;
use crate::settings::SETTINGS_FILE;
use crate::source::{VendorRecords, no_client};

pub use export::VexExport;

/// Most documents of one directory that a report lists one by one as sources. For a larger
/// directory, only the number and the newest are reported.
const MAX_LISTED: usize = 20;

/// Options of [`Vex::open`], as a user gives them.
#[derive(Debug, Clone, Default)]
pub struct VexOptions {
    /// Files, directories and addresses of VEX documents.
    pub documents: Vec<String>,
    /// Names of the scanned product, most often package URLs.
    pub products: Vec<String>,
    /// Files, directories and addresses of CSAF advisories.
    pub csaf: Vec<String>,
}

/// The statements of one run, with the documents that they come from.
#[derive(Debug, Default)]
pub struct Vex {
    statements: Statements,
    /// Documents that could not be read.
    problems: Vec<Problem>,
    /// The documents, with their age.
    sources: Vec<SourceStatus>,
    /// Records of the products that vendors call affected.
    vendors: VendorRecords,
}

/// A location of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Location {
    Path { path: PathBuf, shown: String },
    Url(String),
}

/// The documents of one location.
#[derive(Debug, Default)]
struct SourceDocuments {
    documents: Vec<(String, Document)>,
    problems: Vec<Problem>,
}

impl Vex {
    /// Reads the documents that the flags and the settings name. `offline` lets nothing go over
    /// the network.
    ///
    /// # Errors
    /// When a location does not exist or may not be asked. A document that cannot be read is no
    /// error but a problem, because its statements are unknown.
    pub async fn open(
        options: &VexOptions,
        offline: bool,
        config: &Config,
        root: &Path,
        environment: &Environment,
    ) -> Result<Self, UserError> {
        let statements = locations(&options.documents, &config.vex.sources, "vex.sources", root)?;
        let vendors = locations(&options.csaf, &config.csaf, "csaf", root)?;
        let address = statements
            .iter()
            .chain(&vendors)
            .find_map(Location::address);
        if let (Some(url), true) = (address, offline) {
            let url = patchgate_http::redact_url(url);
            return Err(UserError::usage(format!(
                "`--offline` lets nothing go over the network, and `{url}` is to be read"
            ))
            .with_hint("download the documents, and name the file or the directory"));
        }

        let client = match address {
            Some(_) => Some(environment.client(false).map_err(no_client)?),
            None => None,
        };
        let mut vex = Self::default();
        let mut sources = Vec::new();
        let max_age = SignedDuration::from_hours(24 * i64::from(config.vex.max_age_days));
        for location in &statements {
            let read = match (location, &client) {
                (Location::Path { path, shown }, _) => files::read(path, shown),
                (Location::Url(url), Some(client)) => url::read(client, url).await,
                (Location::Url(_), None) => SourceDocuments::default(),
            };
            vex.report_age(location, &read, environment.now(), max_age);
            vex.problems.extend(read.problems);
            sources.extend(read.documents.into_iter().map(|(name, document)| Source {
                name,
                document: document.into(),
                is_chosen: true,
            }));
        }

        for location in &vendors {
            let read = csaf::read(location, client.as_ref()).await;
            vex.sources.push(read.status(location));
            vex.problems.extend(read.problems);
            sources.extend(read.documents.into_iter().map(|(name, document)| Source {
                name,
                document,
                is_chosen: false,
            }));
        }

        let of_vendors = sources.iter().filter(|source| !source.is_chosen);
        vex.vendors = csaf::records(of_vendors.map(|source| &*source.document));
        vex.statements = Statements::new(sources, &products(options, config));

        Ok(vex)
    }

    /// Applies the statements to findings.
    pub fn apply(&self, findings: Vec<Finding>, inventory: &Inventory) -> AppliedStatements {
        self.statements.apply(findings, inventory)
    }

    /// The documents that could not be read.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Takes the records of vendors out, which belong to the advisory source.
    pub(crate) fn take_vendors(&mut self) -> VendorRecords {
        std::mem::take(&mut self.vendors)
    }

    /// Adds the documents and their problems to those of an evaluation.
    pub(crate) fn report_documents(&self, evaluation: &mut Evaluation) {
        evaluation.problems.extend(self.problems.iter().cloned());
        evaluation.problems.sort();
        evaluation.problems.dedup();
        evaluation.sources.extend(self.sources.iter().cloned());
    }

    /// The part of an inventory that [`Vex::suppresses`] needs. Empty when there is no document.
    pub fn copies<'a>(&self, inventory: &'a Inventory) -> Copies<'a> {
        if self.statements.is_empty() {
            return Copies::default();
        }
        Copies::of(inventory)
    }

    /// Whether a statement suppresses a finding.
    pub fn suppresses(&self, finding: &Finding, copies: &Copies<'_>) -> bool {
        !self.statements.is_empty() && self.statements.suppresses(finding, copies)
    }

    fn report_age(
        &mut self,
        location: &Location,
        read: &SourceDocuments,
        now: Timestamp,
        max_age: SignedDuration,
    ) {
        let status = |origin: String, as_of: Option<Timestamp>, records: usize| SourceStatus {
            name: "vex".to_owned(),
            origin,
            as_of,
            records: Some(records as u64),
            warning: as_of
                .filter(|as_of| now.duration_since(*as_of) > max_age)
                .map(|_| format!("is older than {} days", max_age.as_hours() / 24)),
        };

        let of = |document: &Document| document.statements.len();
        if read.documents.len() <= MAX_LISTED {
            self.sources.extend(
                read.documents
                    .iter()
                    .map(|(name, document)| status(name.clone(), document.timestamp, of(document))),
            );
        } else {
            let newest = read.documents.iter().filter_map(|(_, d)| d.timestamp).max();
            let records = read.documents.iter().map(|(_, d)| of(d)).sum();
            self.sources.push(status(location.shown(), newest, records));
        }

        self.sources
            .extend(read.problems.iter().map(|problem| SourceStatus {
                name: "vex".to_owned(),
                origin: problem.subject.clone(),
                as_of: None,
                records: None,
                warning: Some(problem.reason.clone()),
            }));
    }
}

/// Names of the scanned product, from the flags and the settings.
pub fn products(options: &VexOptions, config: &Config) -> Vec<String> {
    let mut products: Vec<String> = options
        .products
        .iter()
        .chain(&config.vex.products)
        .map(|product| product.trim().to_owned())
        .collect();
    let mut seen = std::collections::HashSet::new();
    products.retain(|product| !product.is_empty() && seen.insert(product.clone()));

    products
}

/// The locations that the flags name, relative to the current directory, and those of the settings,
/// relative to the repository's root. `key` is the key of the settings.
fn locations(
    flags: &[String],
    settings: &[String],
    key: &str,
    root: &Path,
) -> Result<Vec<Location>, UserError> {
    let mut locations = Vec::new();
    for given in flags {
        locations.push(match address(given) {
            Some(_) => Location::Url(given.clone()),
            None => existing(PathBuf::from(given), given)?,
        });
    }

    for given in settings {
        locations.push(match address(given) {
            // An address of a scanned repository is asked over an encrypted connection only.
            Some("https") => Location::Url(given.clone()),
            Some(_) => {
                return Err(UserError::usage(format!(
                    "`{SETTINGS_FILE}` names `{}` under `{key}`, which is not an `https` address",
                    patchgate_http::redact_url(given)
                )));
            }
            None => {
                let within = Path::new(given)
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
                if !within {
                    return Err(UserError::usage(format!(
                        "`{SETTINGS_FILE}` names `{given}` under `{key}`, which lies outside of the repository"
                    ))
                    .with_hint("name a path from the repository's root, or use a flag"));
                }

                let location = existing(root.join(given), given)?;
                if !lies_within(&root.join(given), root) {
                    return Err(UserError::usage(format!(
                        "`{SETTINGS_FILE}` names `{given}` under `{key}`, which leads out of the repository by a link"
                    )));
                }

                location
            }
        });
    }

    Ok(locations)
}

/// Whether a path stays below a directory when all links in it are followed.
fn lies_within(path: &Path, root: &Path) -> bool {
    match (path.canonicalize(), root.canonicalize()) {
        (Ok(path), Ok(root)) => path.starts_with(root),
        _ => false,
    }
}

/// The scheme of an address, in lower case; `None` for a path.
fn address(text: &str) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && text
                .get(scheme.len()..)
                .is_some_and(|rest| rest.starts_with("://"))
    })
}

fn existing(path: PathBuf, shown: &str) -> Result<Location, UserError> {
    if !path.exists() {
        return Err(UserError::usage(format!(
            "`{shown}`, from which documents should be read, does not exist"
        )));
    }

    Ok(Location::Path {
        path,
        shown: shown.to_owned(),
    })
}

impl Location {
    fn address(&self) -> Option<&String> {
        match self {
            Self::Path { .. } => None,
            Self::Url(url) => Some(url),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Path { shown, .. } => shown.clone(),
            Self::Url(url) => patchgate_http::redact_url(url),
        }
    }
}

/// Reads the bytes of one document.
fn parse(name: &str, bytes: &[u8]) -> Result<Document, Problem> {
    patchgate_vex::read(bytes).map_err(|error| Problem {
        kind: ProblemKind::Vex,
        subject: name.to_owned(),
        line: error.line,
        reason: error.reason,
        hint: error.hint,
    })
}

//! The VEX documents and the CSAF advisories of one run: which are named, how they are read, and what
//! they say about the findings.

mod csaf;
mod files;
mod url;
mod written;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use patchgate_config::Config;
use patchgate_model::{Finding, Inventory, Problem, ProblemKind, SourceStatus};
use patchgate_vex::{Applied, Copies, Document, Source, Statements};

use crate::args::VexArgs;
use crate::context::Context;
use crate::exit::UsageError;
use crate::network;
use crate::settings::FILE_NAME;
use crate::source::VendorRecords;

pub(crate) use written::Written;

/// Documents of one folder that are listed one by one as sources of a report; of more, only their
/// number and the newest are told.
const MAX_LISTED: usize = 20;

/// The statements of one run, with what they rest on.
#[derive(Debug, Default)]
pub(crate) struct Vex {
    statements: Statements,
    /// Documents that could not be read.
    pub(crate) problems: Vec<Problem>,
    /// The documents, with their age.
    pub(crate) sources: Vec<SourceStatus>,
    /// What vendors call affected.
    pub(crate) vendors: VendorRecords,
}

/// A place where documents are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Path { path: PathBuf, shown: String },
    Url(String),
}

/// What was read from one place.
#[derive(Debug, Default)]
struct Read {
    documents: Vec<(String, Document)>,
    problems: Vec<Problem>,
}

impl Vex {
    /// Reads the documents that the flags and the settings name. `offline` lets nothing go over
    /// the network.
    ///
    /// # Errors
    /// When a place does not exist or may not be asked, which is the user's to mend. A document
    /// that cannot be read is a problem instead: what it would have said is not known.
    pub(crate) async fn open(
        args: &VexArgs,
        offline: bool,
        config: &Config,
        root: &Path,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let statements = places(&args.vex, &config.vex.sources, "vex.sources", root)?;
        let vendors = places(&args.csaf, &config.csaf, "csaf", root)?;
        let address = statements.iter().chain(&vendors).find_map(Place::address);
        if let (Some(url), true) = (address, offline) {
            let url = patchgate_http::redact_url(url);
            return Err(UsageError::new(format!(
                "`--offline` lets nothing go over the network, and `{url}` is to be read"
            ))
            .with_hint("download the documents, and name the file or the folder")
            .into());
        }

        let client = match address {
            Some(_) => Some(network::client(context, false)?),
            None => None,
        };
        let mut vex = Self::default();
        let mut sources = Vec::new();
        let max_age = SignedDuration::from_hours(24 * i64::from(config.vex.max_age_days));
        for place in &statements {
            let read = match (place, &client) {
                (Place::Path { path, shown }, _) => files::read(path, shown),
                (Place::Url(url), Some(client)) => url::read(client, url).await,
                (Place::Url(_), None) => Read::default(),
            };
            vex.tell_age(place, &read, context.now, max_age);
            vex.problems.extend(read.problems);
            sources.extend(read.documents.into_iter().map(|(name, document)| Source {
                name,
                document: document.into(),
                is_chosen: true,
            }));
        }

        for place in &vendors {
            let read = csaf::read(place, client.as_ref()).await;
            vex.sources.push(read.status(place));
            vex.problems.extend(read.problems);
            sources.extend(read.documents.into_iter().map(|(name, document)| Source {
                name,
                document,
                is_chosen: false,
            }));
        }

        let of_vendors = sources.iter().filter(|source| !source.is_chosen);
        vex.vendors = csaf::records(of_vendors.map(|source| &*source.document));
        vex.statements = Statements::new(sources, &products(args, config));

        Ok(vex)
    }

    /// What the statements make of the findings.
    pub(crate) fn apply(&self, findings: Vec<Finding>, inventory: &Inventory) -> Applied {
        self.statements.apply(findings, inventory)
    }

    /// What of an inventory [`Vex::suppresses`] needs: nothing where there is no document.
    pub(crate) fn copies<'a>(&self, inventory: &'a Inventory) -> Copies<'a> {
        if self.statements.is_empty() {
            return Copies::default();
        }
        Copies::of(inventory)
    }

    /// Whether a statement suppresses a finding.
    pub(crate) fn suppresses(&self, finding: &Finding, copies: &Copies<'_>) -> bool {
        !self.statements.is_empty() && self.statements.suppresses(finding, copies)
    }

    fn tell_age(&mut self, place: &Place, read: &Read, now: Timestamp, max_age: SignedDuration) {
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
            self.sources.push(status(place.shown(), newest, records));
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

/// What is scanned, as documents name it: the flags and the settings together.
pub(crate) fn products(args: &VexArgs, config: &Config) -> Vec<String> {
    let mut products: Vec<String> = args
        .vex_product
        .iter()
        .chain(&config.vex.products)
        .map(|product| product.trim().to_owned())
        .collect();
    let mut seen = std::collections::HashSet::new();
    products.retain(|product| !product.is_empty() && seen.insert(product.clone()));

    products
}

/// The places that the flags name, from the current folder, and those of the settings, from the
/// repository's root. `key` is where the settings name them.
fn places(
    flags: &[String],
    settings: &[String],
    key: &str,
    root: &Path,
) -> Result<Vec<Place>, UsageError> {
    let mut places = Vec::new();
    for given in flags {
        places.push(match address(given) {
            Some(_) => Place::Url(given.clone()),
            None => existing(PathBuf::from(given), given)?,
        });
    }

    for given in settings {
        places.push(match address(given) {
            // What a scanned repository names is asked over an encrypted connection only.
            Some("https") => Place::Url(given.clone()),
            Some(_) => {
                return Err(UsageError::new(format!(
                    "`{FILE_NAME}` names `{}` under `{key}`, which is no `https` address",
                    patchgate_http::redact_url(given)
                )));
            }
            None => {
                let within = Path::new(given)
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
                if !within {
                    return Err(UsageError::new(format!(
                        "`{FILE_NAME}` names `{given}` under `{key}`, which lies outside of the repository"
                    ))
                    .with_hint("name a path from the repository's root, or use a flag"));
                }

                let place = existing(root.join(given), given)?;
                if !lies_within(&root.join(given), root) {
                    return Err(UsageError::new(format!(
                        "`{FILE_NAME}` names `{given}` under `{key}`, which leads out of the repository by a link"
                    )));
                }

                place
            }
        });
    }

    Ok(places)
}

/// Whether a path stays below a folder when all links in it are followed.
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

fn existing(path: PathBuf, shown: &str) -> Result<Place, UsageError> {
    if !path.exists() {
        return Err(UsageError::new(format!(
            "there is no file or folder `{shown}` that documents could be read from"
        )));
    }

    Ok(Place::Path {
        path,
        shown: shown.to_owned(),
    })
}

impl Place {
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

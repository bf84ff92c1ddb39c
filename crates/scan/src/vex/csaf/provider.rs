//! CSAF providers on the network: metadata lead to lists, and lists to documents.
//!
//! An address in a provider's list is followed only over an encrypted connection, or to the server
//! that the user named.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use patchgate_ecosystems::limits;
use patchgate_http::{Caching, Client, Error, Request, redact_url};
use patchgate_model::Problem;
use patchgate_vex::provider::{self, Entry, FileKind, is_for_all};
use tokio::task::JoinSet;
use url::Url;

use super::{CsafDocuments, hashes, problem};

/// Most feeds and directories of one provider.
const MAX_LISTS: usize = 100;

/// Most documents that all of them may list.
const MAX_LISTED: usize = 1_000_000;

/// Most documents that are fetched from one provider; the newest come first.
const MAX_DOCUMENTS: usize = 5_000;

/// Most bytes of all documents of one provider.
const MAX_BYTES: usize = 1024 * 1024 * 1024;

/// Longest time for one provider. No request begins after it.
const BUDGET: Duration = Duration::from_secs(300);

/// Requests at the same time to one provider.
const AT_ONCE: usize = 8;

/// Largest file with a hash, in bytes.
const MAX_HASH_BYTES: u64 = 4096;

/// A document to fetch.
#[derive(Debug, Clone)]
struct Wanted {
    url: Url,
    updated: Option<Timestamp>,
    /// Files with its hash. The first one that exists must match.
    hashes: Vec<Url>,
    /// Whether the hash files were listed, so that they must exist.
    hashes_are_listed: bool,
}

/// A walk through a provider's lists: its start address and start time.
struct Walk<'a> {
    client: &'a Client,
    base: Url,
    started: Instant,
}

/// Reads a document, or the documents that a provider's metadata lead to.
pub(super) async fn read(client: &Client, address: &str) -> CsafDocuments {
    let mut read = CsafDocuments::default();
    let name = redact_url(address);
    let Ok(base) = Url::parse(address) else {
        read.problems
            .push(problem(&name, "is not an address".to_owned()));
        return read;
    };
    let walk = Walk {
        client,
        base: base.clone(),
        started: Instant::now(),
    };
    let bytes = match walk.list(&base).await {
        Ok(bytes) => bytes,
        Err(failed) => {
            read.problems.push(*failed);
            return read;
        }
    };
    if provider::kind(&bytes) != FileKind::Metadata {
        read.add(&name, &bytes);
        return read;
    }

    let wanted = match walk.wanted(&name, &bytes).await {
        Ok(wanted) => wanted,
        Err(failed) => {
            read.problems.push(*failed);
            return read;
        }
    };
    walk.fetch(wanted, &name, &mut read).await;

    read
}

impl Walk<'_> {
    /// Everything that the provider lists, newest first.
    async fn wanted(&self, name: &str, bytes: &[u8]) -> Result<Vec<Wanted>, Box<Problem>> {
        let metadata = provider::metadata(bytes).map_err(|error| unreadable(name, &error))?;
        let lists = metadata.feeds.len() + metadata.directories.len();
        if lists > MAX_LISTS {
            let reason =
                format!("names {lists} feeds and directories; at most {MAX_LISTS} are asked");
            return Err(Box::new(problem(name, reason)));
        }

        let mut wanted = Vec::new();
        for feed in &metadata.feeds {
            self.in_bounds(name, wanted.len())?;
            let url = self.allowed(feed)?;
            let bytes = self.list(&url).await?;
            let entries =
                provider::feed(&bytes).map_err(|error| unreadable(&shown(&url), &error))?;
            for entry in entries {
                wanted.push(self.listed(&entry)?);
            }
        }
        // A feed lists everything that the directories have.
        if metadata.feeds.is_empty() {
            for folder in &metadata.directories {
                self.in_bounds(name, wanted.len())?;
                wanted.extend(self.folder(folder).await?);
            }
        }

        if metadata.feeds.is_empty() && metadata.directories.is_empty() {
            let reason = "names neither a feed nor a directory of documents that may be passed on";
            return Err(Box::new(problem(name, reason.to_owned())));
        }

        wanted.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| a.url.cmp(&b.url)));
        wanted.dedup_by(|a, b| a.url == b.url);

        Ok(wanted)
    }

    /// Whether there is time for one more list, and room for its documents.
    fn in_bounds(&self, name: &str, listed: usize) -> Result<(), Box<Problem>> {
        let reason = if self.started.elapsed() > BUDGET {
            format!(
                "did not list its documents within {} seconds",
                BUDGET.as_secs()
            )
        } else if listed > MAX_LISTED {
            format!("lists more than {MAX_LISTED} documents")
        } else {
            return Ok(());
        };

        Err(Box::new(problem(name, reason)))
    }

    /// The document that an entry of a feed lists.
    fn listed(&self, entry: &Entry) -> Result<Wanted, Box<Problem>> {
        let hashes = entry.hashes.iter().map(|hash| self.allowed(hash));
        Ok(Wanted {
            url: self.allowed(&entry.location)?,
            updated: entry.updated,
            hashes: hashes.collect::<Result<_, _>>()?,
            hashes_are_listed: true,
        })
    }

    /// The documents of a directory: those of `changes.csv`, which has times, else of `index.txt`.
    async fn folder(&self, folder: &str) -> Result<Vec<Wanted>, Box<Problem>> {
        let changes = self.allowed(&format!("{folder}/changes.csv"))?;
        let (url, entries) = match self.get(&changes, &Caching::Revalidate, list_limit()).await {
            Ok(bytes) => (changes, provider::changes(&bytes)),
            Err(Error::Status { status: 404, .. }) => {
                let index = self.allowed(&format!("{folder}/index.txt"))?;
                let bytes = self.list(&index).await?;
                (index, provider::index(&bytes))
            }
            Err(error) => return Err(unreached(&changes, &error)),
        };
        let entries = entries.map_err(|error| unreadable(&shown(&url), &error))?;

        let mut wanted = Vec::new();
        for entry in entries
            .iter()
            .filter(|entry| entry.location.ends_with(".json"))
        {
            let document = format!("{folder}/{}", entry.location);
            let hashes = hashes::ENDS
                .iter()
                .map(|end| self.allowed(&format!("{document}.{end}")));
            wanted.push(Wanted {
                hashes: hashes.collect::<Result<_, _>>()?,
                url: self.allowed(&document)?,
                updated: entry.updated,
                hashes_are_listed: false,
            });
        }

        Ok(wanted)
    }

    /// An address that may be asked: over an encrypted connection, or of the very server that the
    /// user named.
    fn allowed(&self, address: &str) -> Result<Url, Box<Problem>> {
        let refused = |reason: &str| Box::new(problem(&redact_url(address), reason.to_owned()));
        let url = self
            .base
            .join(address)
            .map_err(|_| refused("is not an address"))?;
        let is_same = url.origin() == self.base.origin();
        if url.scheme() == "https" || is_same && url.scheme() == "http" {
            return Ok(url);
        }

        Err(refused(
            "is not asked: it is neither an `https` address nor one of the server that lists it",
        ))
    }

    async fn list(&self, url: &Url) -> Result<Vec<u8>, Box<Problem>> {
        self.get(url, &Caching::Revalidate, list_limit())
            .await
            .map_err(|error| unreached(url, &error))
    }

    async fn get(&self, url: &Url, caching: &Caching, limit: u64) -> Result<Vec<u8>, Error> {
        get(self.client, url, caching, limit).await
    }

    /// Fetches the documents, several at a time.
    async fn fetch(&self, mut wanted: Vec<Wanted>, name: &str, read: &mut CsafDocuments) {
        if wanted.len() > MAX_DOCUMENTS {
            let reason = format!(
                "lists {} documents; only the newest {MAX_DOCUMENTS} were read",
                wanted.len()
            );
            read.problems.push(problem(name, reason));
            wanted.truncate(MAX_DOCUMENTS);
        }

        let mut results = Vec::new();
        let mut bytes = 0;
        let mut running = JoinSet::new();
        let mut waiting = wanted.into_iter().enumerate();

        let mut stopped = None;
        loop {
            while running.len() < AT_ONCE && stopped.is_none() {
                let Some((place, wanted)) = waiting.next() else {
                    break;
                };
                if self.started.elapsed() > BUDGET {
                    let seconds = BUDGET.as_secs();
                    stopped = Some(format!("was not read whole within {seconds} seconds"));
                    break;
                }

                let client = self.client.clone();
                running
                    .spawn(async move { (place, shown(&wanted.url), one(&client, &wanted).await) });
            }

            let Some(done) = running.join_next().await else {
                break;
            };
            // A task ends early only when the process does.
            let Ok(done) = done else { continue };

            bytes += done.2.as_ref().map_or(0, Vec::len);
            results.push(done);

            if bytes > MAX_BYTES && stopped.is_none() {
                let limit = MAX_BYTES / (1024 * 1024);
                stopped = Some(format!("has more than {limit} MiB of documents"));
            }
        }

        read.problems
            .extend(stopped.map(|reason| problem(name, reason)));
        results.sort_by_key(|(place, ..)| *place);

        for (_, name, result) in results {
            match result {
                Ok(bytes) => read.add_public(&name, &bytes),
                Err(failed) => read.problems.push(*failed),
            }
        }
    }
}

impl CsafDocuments {
    /// Adds a document of a provider, unless its label says that not everybody may have it.
    fn add_public(&mut self, name: &str, bytes: &[u8]) {
        let before = self.documents.len();
        self.add(name, bytes);
        let label = self
            .documents
            .get(before)
            .and_then(|(_, document)| document.label.clone());

        if label.is_some_and(|label| !is_for_all(&label)) {
            self.documents.truncate(before);
            self.left_out += 1;
        }
    }
}

/// One document, checked against its hashes. A cached copy that does not match is fetched again.
async fn one(client: &Client, wanted: &Wanted) -> Result<Vec<u8>, Box<Problem>> {
    let caching = match wanted.updated {
        Some(updated) => Caching::Immutable(updated.to_string()),
        None => Caching::Revalidate,
    };
    match attempt(client, wanted, &caching).await {
        Err(Failed::Hash(_)) => attempt(client, wanted, &Caching::Off).await,
        other => other,
    }
    .map_err(|failed| match failed {
        Failed::Hash(reason) => Box::new(problem(&shown(&wanted.url), reason)),
        Failed::Unreached(problem) => problem,
    })
}

/// Why a document is not there.
enum Failed {
    Hash(String),
    Unreached(Box<Problem>),
}

async fn attempt(client: &Client, wanted: &Wanted, caching: &Caching) -> Result<Vec<u8>, Failed> {
    let failed = |url: &Url, error: &Error| Failed::Unreached(unreached(url, error));
    let limit = limits::MAX_FILE_BYTES as u64;
    let bytes = get(client, &wanted.url, caching, limit)
        .await
        .map_err(|error| failed(&wanted.url, &error))?;
    for url in &wanted.hashes {
        match get(client, url, caching, MAX_HASH_BYTES).await {
            Ok(stated) => {
                hashes::check(&bytes, &stated, &shown(url)).map_err(Failed::Hash)?;
                // One is enough: the other says the same of the same bytes.
                break;
            }
            Err(Error::Status { status: 404, .. }) if !wanted.hashes_are_listed => {}
            Err(error) => return Err(failed(url, &error)),
        }
    }

    Ok(bytes)
}

async fn get(client: &Client, url: &Url, caching: &Caching, limit: u64) -> Result<Vec<u8>, Error> {
    let request = Request::get(url.as_str()).max_bytes(limit);
    Ok(client.get(&request, caching).await?.body)
}

fn list_limit() -> u64 {
    limits::MAX_FILE_BYTES as u64
}

fn shown(url: &Url) -> String {
    redact_url(url.as_str())
}

fn unreached(url: &Url, error: &Error) -> Box<Problem> {
    Box::new(Problem {
        hint: error.hint().map(str::to_owned),
        ..problem(&shown(url), patchgate_model::error_chain(error))
    })
}

fn unreadable(name: &str, error: &patchgate_vex::ParseError) -> Box<Problem> {
    Box::new(Problem {
        line: error.line,
        ..problem(name, error.reason.clone())
    })
}

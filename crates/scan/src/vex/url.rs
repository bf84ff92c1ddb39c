//! A document at an address.

use patchgate_ecosystems::limits;
use patchgate_http::{Caching, Client, Error, Request, redact_url};
use patchgate_model::{Problem, ProblemKind};

use super::{SourceDocuments, parse};

/// Fetches a document, through the client's cache.
pub(super) async fn read(client: &Client, url: &str) -> SourceDocuments {
    let name = redact_url(url);
    let request = Request::get(url).max_bytes(limits::MAX_FILE_BYTES as u64);
    let mut read = SourceDocuments::default();
    let document = match client.get(&request, &Caching::Revalidate).await {
        Ok(response) => parse(&name, &response.body),
        Err(error) => Err(unreached(&name, &error)),
    };
    match document {
        Ok(document) => read.documents.push((name, document)),
        Err(problem) => read.problems.push(problem),
    }

    read
}

/// The problem of a server that gave no answer.
pub(super) fn unreached(name: &str, error: &Error) -> Problem {
    Problem {
        kind: ProblemKind::Vex,
        subject: name.to_owned(),
        line: None,
        reason: patchgate_model::error_chain(error),
        hint: error.hint().map(str::to_owned),
    }
}

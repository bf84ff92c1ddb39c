//! `POST /v1/querybatch`: the ids of the records for packages and commits.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_http::Request;
use patchgate_model::Problem;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Answers, Next, OsvClient, Subject, describe, next};
use crate::PackageQuery;

/// Queries per request; the server's own limit.
const QUERIES_A_REQUEST: usize = 1000;

/// Number of requests that are sent at the same time.
const REQUESTS_AT_ONCE: usize = 4;

/// Limit on the pages of one answer. The largest packages have about five.
const MAX_PAGES: usize = 100;

/// A query to the server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    /// All records of a package, or of one of its versions.
    Package(PackageQuery),
    /// The records that affect a commit, by its full hash.
    Commit(String),
}

impl Question {
    /// The key of the answer.
    fn subject(&self) -> Subject {
        match self {
            Self::Package(query) => {
                let name = crate::package_key(query.ecosystem, &query.name);
                Subject::Package(query.ecosystem, name)
            }
            Self::Commit(commit) => Subject::Commit(commit.clone()),
        }
    }

    /// The name or the commit, for messages.
    fn label(&self) -> &str {
        match self {
            Self::Package(query) => &query.name,
            Self::Commit(commit) => commit,
        }
    }

    fn to_wire<'a>(&'a self, page_token: Option<&'a str>) -> WireQuery<'a> {
        match self {
            Self::Package(query) => WireQuery {
                package: Some(WirePackage {
                    ecosystem: match &query.distribution {
                        Some(release) => Cow::Owned(format!("{}:{release}", query.ecosystem)),
                        None => Cow::Borrowed(query.ecosystem.as_str()),
                    },
                    name: &query.name,
                }),
                version: query.version.as_deref(),
                commit: None,
                page_token,
            },
            Self::Commit(commit) => WireQuery {
                package: None,
                version: None,
                commit: Some(commit),
                page_token,
            },
        }
    }
}

/// A query with the page that is requested next.
#[derive(Debug, Clone)]
struct PagedQuery {
    query: Question,
    page_token: Option<String>,
    seen: BTreeSet<String>,
}

#[derive(Serialize)]
struct WireBatch<'a> {
    queries: Vec<WireQuery<'a>>,
}

#[derive(Serialize)]
struct WireQuery<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<WirePackage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_token: Option<&'a str>,
}

#[derive(Serialize)]
struct WirePackage<'a> {
    ecosystem: Cow<'a, str>,
    name: &'a str,
}

/// The answer. `results` has no default, because a body without it is an error message and not an
/// empty answer.
#[derive(Deserialize)]
struct WireAnswer {
    results: Vec<Option<WireResult>>,
}

#[derive(Deserialize, Default)]
struct WireResult {
    #[serde(default)]
    vulns: Option<Vec<WireVuln>>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct WireVuln {
    id: String,
    #[serde(default)]
    modified: Option<String>,
}

impl OsvClient {
    /// Sends all queries, in parallel and page by page, and collects the ids.
    pub(super) async fn ask(
        &self,
        queries: Vec<Question>,
        deadline: Option<Instant>,
        problems: &mut Vec<Problem>,
    ) -> Answers {
        let mut answers = Answers::new();
        let mut waiting: Vec<PagedQuery> = queries
            .into_iter()
            .map(|query| PagedQuery {
                query,
                page_token: None,
                seen: BTreeSet::new(),
            })
            .collect();

        let mut running = JoinSet::new();
        let mut open = 0;
        loop {
            while running.len() < REQUESTS_AT_ONCE && !waiting.is_empty() {
                let rest = waiting.split_off(waiting.len().min(QUERIES_A_REQUEST));
                let asked = std::mem::replace(&mut waiting, rest);
                open += asked.len();
                let client = self.clone();
                running.spawn(async move {
                    let answered = client.ask_once(&asked).await;
                    (asked, answered)
                });
            }

            match next(&mut running, deadline).await {
                Next::Done(Ok((asked, Ok(results)))) => {
                    open -= asked.len();
                    for (asked, result) in asked.into_iter().zip(results) {
                        waiting.extend(self.take(asked, result, &mut answers, problems));
                    }
                }
                Next::Done(Ok((asked, Err(problem)))) => {
                    open -= asked.len();
                    problems.push(*problem);
                }
                Next::Done(Err(problem)) => problems.push(*problem),
                Next::Empty => break,
                Next::TooLate => {
                    problems.push(self.too_late(open + waiting.len(), "queries"));
                    running.abort_all();
                    break;
                }
            }
        }

        answers
    }

    /// Takes the ids of one answer. Returns the query for the next page, if there is one.
    fn take(
        &self,
        mut asked: PagedQuery,
        result: WireResult,
        answers: &mut Answers,
        problems: &mut Vec<Problem>,
    ) -> Option<PagedQuery> {
        let known: &mut BTreeMap<String, String> =
            answers.entry(asked.query.subject()).or_default();
        for vuln in result.vulns.unwrap_or_default() {
            known.insert(vuln.id, vuln.modified.unwrap_or_default());
        }

        let token = result.next_page_token.filter(|token| !token.is_empty())?;
        let reason = if asked.seen.len() + 1 >= MAX_PAGES {
            Some(format!(
                "its answer for `{}` has more than {MAX_PAGES} pages",
                asked.query.label()
            ))
        } else if !asked.seen.insert(token.clone()) {
            Some(format!(
                "its pages for `{}` repeat in a circle",
                asked.query.label()
            ))
        } else {
            None
        };
        if let Some(reason) = reason {
            let hint = "run it again later, or use an offline store: `patchgate db build`";
            problems.push(self.problem(reason, Some(hint)));
            return None;
        }

        asked.page_token = Some(token);
        Some(asked)
    }

    /// Sends one request. A query changes nothing on the server, so it may be repeated.
    async fn ask_once(&self, asked: &[PagedQuery]) -> Result<Vec<WireResult>, Box<Problem>> {
        let failed = |reason: &str, hint: Option<&str>| {
            let count = asked.len();
            let is_package = |asked: &PagedQuery| matches!(asked.query, Question::Package(_));
            let what = if asked.iter().all(is_package) {
                "packages"
            } else {
                "packages and commits"
            };

            Box::new(self.problem(
                format!("{count} {what} could not be looked up: {reason}"),
                hint,
            ))
        };

        let queries = asked
            .iter()
            .map(|asked| asked.query.to_wire(asked.page_token.as_deref()))
            .collect();
        let request = Request::post(format!("{}/v1/querybatch", self.base_url))
            .json(&WireBatch { queries })
            .map_err(|error| failed(&describe(&error), None))?
            .idempotent();
        let response = self
            .http
            .send(&request)
            .await
            .map_err(|error| failed(&describe(&error), error.hint()))?;
        let answer: WireAnswer = serde_json::from_slice(&response.body).map_err(|error| {
            let reason = format!("the answer is not one of an OSV server: {error}");
            failed(&reason, Some("check the address"))
        })?;
        if answer.results.len() != asked.len() {
            let reason = format!("the server sent {} answers", answer.results.len());
            return Err(failed(&reason, Some("run it again later")));
        }

        Ok(answer
            .results
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect())
    }
}

//! Advisories from an OSV server (<https://google.github.io/osv.dev/api/>).
//!
//! An answer that is missing, truncated or does not match its query is a problem, never "no known
//! records": a failing server must not make a scan look clean.

mod batch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use patchgate_http::{Caching, Client, Request, redact_url};
use patchgate_model::{Advisory, EcosystemName, Problem, ProblemKind, SmolStr, SourceStatus};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::{AdvisoryLookup, CommitQuery, PackageQuery, parse_record};
use batch::Question;

/// The address of the public OSV server.
pub const PUBLIC_OSV_API: &str = "https://api.osv.dev";

/// Number of records that are fetched at the same time.
const RECORDS_AT_ONCE: usize = 16;

/// Limit on the aliases of a record that are fetched together with it.
const MAX_ALIASES: usize = 16;

/// Limit on the failed records that are reported one by one.
const MAX_NAMED: usize = 10;

/// A client of one OSV server.
#[derive(Debug, Clone)]
pub struct OsvClient {
    http: Client,
    base_url: String,
    budget: Option<Duration>,
}

/// The subject of an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// A package: its ecosystem and its normalised name.
    Package(EcosystemName, SmolStr),
    /// A commit, by its full hash.
    Commit(String),
}

/// The records in the answers: by subject and id, with their modification times.
type Answers = BTreeMap<Subject, BTreeMap<String, String>>;

impl OsvClient {
    /// A client of the server at `base_url`, such as [`PUBLIC_OSV_API`].
    #[must_use]
    pub fn new(http: Client, base_url: &str) -> Self {
        Self {
            http,
            base_url: base_url.trim_end_matches('/').to_owned(),
            budget: None,
        }
    }

    /// Sets the time limit of a lookup. Queries that are not answered by then are a problem.
    #[must_use]
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Looks up packages; see [`OsvClient::lookup_all`].
    pub async fn lookup(&self, queries: &[PackageQuery]) -> AdvisoryLookup {
        self.lookup_all(queries, &[]).await
    }

    /// Looks up packages and commits. First asks the server for the ids of each one's records, then
    /// fetches the records.
    pub async fn lookup_all(
        &self,
        queries: &[PackageQuery],
        commits: &[CommitQuery],
    ) -> AdvisoryLookup {
        let deadline = self.budget.map(|budget| Instant::now() + budget);
        let mut lookup = AdvisoryLookup::default();

        // A server refuses a whole batch because of one ecosystem that it does not know.
        let (asked, others): (Vec<&PackageQuery>, Vec<&PackageQuery>) = queries
            .iter()
            .partition(|query| patchgate_ecosystems::by_name(query.ecosystem).is_some());
        let unknown: BTreeSet<EcosystemName> = others.iter().map(|query| query.ecosystem).collect();
        lookup
            .problems
            .extend(unknown.into_iter().map(|ecosystem| {
                Problem {
                    kind: ProblemKind::Advisories,
                    subject: ecosystem.to_string(),
                    line: None,
                    reason:
                        "the server was not asked, because this is not a known ecosystem of OSV"
                            .to_owned(),
                    hint: Some("use a store that contains it: `patchgate db build`".to_owned()),
                }
            }));
        let packages = asked.into_iter().cloned().map(Question::Package);
        let commits = commits
            .iter()
            .map(|one| Question::Commit(one.commit.clone()));
        let unique: BTreeSet<Question> = packages.chain(commits).collect();
        let unique: Vec<Question> = unique.into_iter().collect();
        let answers = self.ask(unique, deadline, &mut lookup.problems).await;
        let wanted: BTreeMap<String, String> = answers
            .values()
            .flatten()
            .map(|(id, time)| (id.clone(), time.clone()))
            .collect();
        let records = self.fetch(wanted, deadline, &mut lookup.problems).await;
        for (subject, ids) in answers {
            let own = ids.keys().filter_map(|id| records.get(id));
            if own.clone().next().is_none() {
                continue;
            }

            match subject {
                Subject::Package(ecosystem, name) => {
                    let own = own
                        .map(|record| trimmed(record, ecosystem, &name))
                        .collect();
                    lookup.advisories.insert((ecosystem, name), own);
                }
                Subject::Commit(commit) => {
                    lookup.commits.insert(commit, own.cloned().collect());
                }
            }
        }

        lookup.sources = vec![self.source_status(&lookup.problems)];
        lookup
    }

    /// The status of the server in a report. Its age is that of the query, not of its records.
    fn source_status(&self, problems: &[Problem]) -> SourceStatus {
        SourceStatus {
            name: "osv-api".to_owned(),
            origin: redact_url(&self.base_url),
            as_of: Some(Timestamp::now()),
            records: None,
            warning: (!problems.is_empty()).then(|| "it did not answer all queries".to_owned()),
        }
    }

    /// Fetches records by id, in parallel. A record with a known modification time may come from the
    /// cache.
    async fn fetch(
        &self,
        wanted: BTreeMap<String, String>,
        deadline: Option<Instant>,
        problems: &mut Vec<Problem>,
    ) -> BTreeMap<String, Arc<Advisory>> {
        let mut records = BTreeMap::new();
        let mut failed = BTreeMap::new();
        let mut left = wanted.into_iter();

        let mut running = JoinSet::new();
        loop {
            while running.len() < RECORDS_AT_ONCE
                && let Some((id, modified)) = left.next()
            {
                let client = self.clone();
                running.spawn(async move {
                    let fetched = client.fetch_one(&id, modified).await;
                    (id, fetched)
                });
            }

            match next(&mut running, deadline).await {
                Next::Done(Ok((id, Ok(record)))) => {
                    records.insert(id, Arc::new(record));
                }
                Next::Done(Ok((id, Err(problem)))) => {
                    failed.insert(id, problem);
                }
                Next::Done(Err(problem)) => problems.push(*problem),
                Next::Empty => break,
                Next::TooLate => {
                    problems.push(self.too_late(running.len() + left.len(), "records"));
                    running.abort_all();
                    break;
                }
            }
        }

        let more = failed.len().saturating_sub(MAX_NAMED);
        problems.extend(failed.into_values().take(MAX_NAMED));
        if more > 0 {
            let reason = format!("{more} more records could not be fetched");
            problems.push(self.problem(reason, None));
        }

        records
    }

    /// The record with this id, followed by those of its aliases that the server has. Empty if the
    /// server does not know the id.
    ///
    /// # Errors
    /// When the server does not answer, or not with a valid record.
    pub async fn by_id(&self, id: &str) -> Result<Vec<Advisory>, Problem> {
        let mut found = Vec::new();
        let Some(first) = self.fetch_known(id).await? else {
            return Ok(found);
        };
        let aliases: Vec<SmolStr> = first.aliases.iter().take(MAX_ALIASES).cloned().collect();

        found.push(first);
        for alias in aliases {
            found.extend(self.fetch_known(&alias).await?);
        }

        Ok(found)
    }

    /// A record; `None` if the server does not know the id.
    async fn fetch_known(&self, id: &str) -> Result<Option<Advisory>, Problem> {
        match self.get_record(id, &Caching::Revalidate).await {
            Err(Failed::Unknown) => Ok(None),
            Err(Failed::Problem(problem)) => Err(problem),
            Ok(record) => Ok(Some(record)),
        }
    }

    async fn fetch_one(&self, id: &str, modified: String) -> Result<Advisory, Problem> {
        // Without a modification time, a cached record may be outdated.
        let caching = if modified.is_empty() {
            Caching::Revalidate
        } else {
            Caching::Immutable(modified)
        };
        self.get_record(id, &caching)
            .await
            .map_err(|failed| match failed {
                Failed::Problem(problem) => problem,
                Failed::Unknown => {
                    unfetched(id, "the server does not know the id".to_owned(), None)
                }
            })
    }

    async fn get_record(&self, id: &str, caching: &Caching) -> Result<Advisory, Failed> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if id.is_empty() || !id.chars().all(is_plain) || id.contains("..") {
            let reason = format!(
                "it lists a record with the invalid id `{}`",
                id.escape_debug()
            );
            return Err(Failed::Problem(self.problem(reason, None)));
        }

        let request = Request::get(format!("{}/v1/vulns/{id}", self.base_url));
        let answer = self.http.get(&request, caching).await;
        let response = answer.map_err(|error| match error.status() {
            Some(404) => Failed::Unknown,
            _ => Failed::Problem(unfetched(id, describe(&error), error.hint())),
        })?;
        let record = parse_record(&response.body).map_err(|error| {
            Failed::Problem(unfetched(id, describe(&error), Some("run it again")))
        })?;

        if record.id == id {
            Ok(record)
        } else {
            let sent = record.id.escape_debug();
            let reason = format!("the server sent `{sent}` instead");
            Err(Failed::Problem(unfetched(id, reason, None)))
        }
    }

    fn problem(&self, reason: String, hint: Option<&str>) -> Problem {
        Problem {
            kind: ProblemKind::Advisories,
            subject: redact_url(&self.base_url),
            line: None,
            reason,
            hint: hint.map(str::to_owned),
        }
    }

    fn too_late(&self, count: usize, what: &str) -> Problem {
        self.problem(
            format!("{count} {what} were not answered within the time limit"),
            Some("raise the limit, or use an offline store (`patchgate db build`)"),
        )
    }
}

/// The outcome of waiting for the next of several tasks.
enum Next<T> {
    Done(Result<T, Box<Problem>>),
    Empty,
    TooLate,
}

/// Waits for the next task, up to the deadline.
async fn next<T: 'static>(running: &mut JoinSet<T>, deadline: Option<Instant>) -> Next<T> {
    let joined = match deadline {
        None => running.join_next().await,
        Some(deadline) => match tokio::time::timeout_at(deadline, running.join_next()).await {
            Ok(joined) => joined,
            Err(_) => return Next::TooLate,
        },
    };

    match joined {
        None => Next::Empty,
        Some(Ok(value)) => Next::Done(Ok(value)),
        Some(Err(error)) => Next::Done(Err(Box::new(Problem {
            kind: ProblemKind::Advisories,
            subject: "lookup".to_owned(),
            line: None,
            reason: format!("a part of it was aborted: {error}"),
            hint: Some("run it again".to_owned()),
        }))),
    }
}

/// Why a record is missing.
enum Failed {
    /// The server does not know the id.
    Unknown,
    /// The server did not answer, or not with a valid record.
    Problem(Problem),
}

fn unfetched(id: &str, reason: String, hint: Option<&str>) -> Problem {
    Problem {
        kind: ProblemKind::Advisories,
        subject: id.to_owned(),
        line: None,
        reason: format!("the record could not be fetched: {reason}"),
        hint: hint.map(str::to_owned),
    }
}

/// A record with only the entries of one package. A record without such entries stays complete,
/// because the server may have matched it in another way.
fn trimmed(record: &Arc<Advisory>, ecosystem: EcosystemName, name: &str) -> Arc<Advisory> {
    let is_own = |entry: &patchgate_model::Affected| {
        entry.ecosystem == ecosystem && crate::package_key(ecosystem, &entry.name) == name
    };
    let own = record.affected.iter().filter(|entry| is_own(entry)).count();
    if own == 0 || own == record.affected.len() {
        return Arc::clone(record);
    }

    let mut copy = Advisory::clone(record);
    copy.affected.retain(is_own);

    Arc::new(copy)
}

/// An error with its sources, on one line.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        text = format!("{text}: {source}");
        below = source.source();
    }
    text
}

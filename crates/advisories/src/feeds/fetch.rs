//! Feeds fetched directly from their publishers, for a scan without a store.

use std::collections::HashMap;

use patchgate_http::{Caching, Client, Error, Request, redact_url};
use patchgate_model::{Epss, Kev, KevStatus, Problem, ProblemKind, SourceStatus};

use super::{Catalogue, EpssRow, EpssTable, SignalSource};
use crate::online::describe;

/// The address of CISA's catalogue.
pub const PUBLIC_KEV: &str =
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";

/// The address of FIRST's EPSS scores of the day.
pub const PUBLIC_EPSS: &str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";

/// Limit on a feed as it is transferred, in bytes.
const MAX_FEED_BYTES: u64 = 128 * 1024 * 1024;

/// Feeds in memory. A feed that could not be fetched is absent, so its signals are unknown.
#[derive(Debug, Default)]
pub struct FeedSignals {
    kev: Option<HashMap<String, Kev>>,
    /// Sorted by CVE, for a binary search.
    epss: Option<Vec<EpssRow>>,
}

/// The result of [`FeedSignals::fetch`].
#[derive(Debug, Default)]
pub struct FetchedFeeds {
    /// The feeds that were fetched.
    pub signals: FeedSignals,
    /// The feeds that could not be fetched.
    pub problems: Vec<Problem>,
    /// The feeds that were fetched, with their ages.
    pub sources: Vec<SourceStatus>,
}

impl FeedSignals {
    /// Fetches the feeds with an address, through the client's cache.
    pub async fn fetch(
        http: &Client,
        kev_url: Option<&str>,
        epss_url: Option<&str>,
    ) -> FetchedFeeds {
        let mut fetched = FetchedFeeds::default();
        if let Some(url) = kev_url {
            let parsed = match get(http, url).await {
                Ok(body) => Catalogue::parse(&body).map_err(|error| unusable(url, &error)),
                Err(error) => Err(unreached(url, &error)),
            };
            match parsed {
                Ok(catalogue) => {
                    fetched.add("kev", url, catalogue.as_of, catalogue.entries.len());
                    let entries = catalogue.entries.into_iter();
                    fetched.signals.kev =
                        Some(entries.map(|entry| (entry.cve.clone(), entry)).collect());
                }
                Err(problem) => fetched.problems.push(problem),
            }
        }

        if let Some(url) = epss_url {
            let parsed = match get(http, url).await {
                Ok(body) => EpssTable::parse_any(&body).map_err(|error| unusable(url, &error)),
                Err(error) => Err(unreached(url, &error)),
            };
            match parsed {
                Ok(mut table) => {
                    fetched.add("epss", url, table.as_of, table.rows.len());
                    table.rows.sort_by(|a, b| a.cve.cmp(&b.cve));
                    fetched.signals.epss = Some(table.rows);
                }
                Err(problem) => fetched.problems.push(problem),
            }
        }

        fetched
    }
}

impl FetchedFeeds {
    fn add(&mut self, name: &str, url: &str, as_of: Option<jiff::Timestamp>, records: usize) {
        self.sources.push(SourceStatus {
            name: name.to_owned(),
            origin: redact_url(url),
            as_of,
            records: Some(records as u64),
            warning: None,
        });
    }
}

impl SignalSource for FeedSignals {
    fn epss(&self, cve: &str) -> Result<Option<Epss>, Problem> {
        let Some(rows) = &self.epss else {
            return Ok(None);
        };
        let found = rows.binary_search_by(|row| row.cve.as_str().cmp(cve)).ok();

        Ok(found.and_then(|index| rows.get(index)).map(|row| Epss {
            cve: row.cve.clone(),
            probability: row.probability,
            percentile: row.percentile,
        }))
    }

    fn kev(&self, cve: &str) -> Result<KevStatus, Problem> {
        Ok(match &self.kev {
            None => KevStatus::NotConsulted,
            Some(entries) => entries
                .get(cve)
                .map_or(KevStatus::NotListed, |kev| KevStatus::Listed(kev.clone())),
        })
    }

    fn has_kev(&self) -> bool {
        self.kev.is_some()
    }
}

async fn get(http: &Client, url: &str) -> Result<Vec<u8>, Error> {
    let request = Request::get(url).max_bytes(MAX_FEED_BYTES);
    Ok(http.get(&request, &Caching::Revalidate).await?.body)
}

fn unreached(url: &str, error: &Error) -> Problem {
    problem(url, describe(error), error.hint())
}

fn unusable(url: &str, error: &dyn std::error::Error) -> Problem {
    problem(
        url,
        describe(error),
        Some("check the address, then run it again"),
    )
}

fn problem(url: &str, reason: String, hint: Option<&str>) -> Problem {
    Problem {
        kind: ProblemKind::Feed,
        subject: redact_url(url),
        line: None,
        reason,
        hint: hint.map(str::to_owned),
    }
}

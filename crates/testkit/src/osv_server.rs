//! A fake OSV API (<https://google.github.io/osv.dev/api/>).

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::{HttpServer, Request, Response};

/// Most queries that the real API takes in one batch.
const MAX_BATCH: usize = 1_000;

/// A way to misbehave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OsvFault {
    /// Answers with status 429 and a `Retry-After` header.
    TooManyRequests {
        /// The value of `Retry-After`, in seconds.
        retry_after_seconds: u32,
    },
    /// 500 with a plain text body.
    ServerError,
    /// 200, with the second half of the body missing.
    HalfBody,
    /// 200 with a token of the same page as the next page.
    LoopingPageToken,
    /// A correct answer after a delay.
    Slow(Duration),
    /// 200 with something that is not JSON.
    NotJson,
    /// 200 with the API's error object: a client that ignores unknown fields reads "no findings".
    ErrorBody,
    /// 200 with fewer results than there were queries.
    MissingResults,
}

/// Whether an `affected` entry of a record affects a version.
type Affects = dyn Fn(&Value, &str) -> bool + Send + Sync;

struct State {
    records: BTreeMap<String, Value>,
    affects: Box<Affects>,
    page_size: Mutex<usize>,
    fault: Mutex<Option<(String, OsvFault, u32)>>,
}

/// A running OSV API with the records that the test gave it.
pub struct OsvServer {
    server: HttpServer,
    state: Arc<State>,
}

impl OsvServer {
    /// Serves the records of `sources`: OSV zips, JSON files, or directories that contain either at any
    /// depth. Versions are compared as dotted numbers, which is enough for plain releases.
    ///
    /// # Panics
    /// When a source cannot be read.
    #[must_use]
    pub fn start(sources: &[&Path]) -> Self {
        Self::with_versions(sources, affects_version)
    }

    /// Like [`OsvServer::start`], but the test decides whether an `affected` entry of a record affects a
    /// version.
    ///
    /// # Panics
    /// When a source cannot be read.
    #[must_use]
    pub fn with_versions(
        sources: &[&Path],
        affects: impl Fn(&Value, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let mut records = BTreeMap::new();
        for source in sources {
            load(source, &mut records);
        }

        let state = Arc::new(State {
            records,
            affects: Box::new(affects),
            page_size: Mutex::new(MAX_BATCH),
            fault: Mutex::new(None),
        });
        let shared = Arc::clone(&state);
        let server = HttpServer::start(move |request| shared.answer(request));

        Self { server, state }
    }

    /// The API's base address, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// All requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Number of records served.
    #[must_use]
    pub fn record_count(&self) -> usize {
        self.state.records.len()
    }

    /// Limits a page to this many ids for each query; a token of the next page follows.
    pub fn set_page_size(&self, ids: usize) {
        *self.state.page_size.lock().unwrap() = ids.max(1);
    }

    /// Misbehaves at the next `times` requests whose path starts with `path`.
    pub fn fail(&self, path: &str, fault: OsvFault, times: u32) {
        *self.state.fault.lock().unwrap() = Some((path.to_owned(), fault, times));
    }
}

impl State {
    fn answer(&self, request: &Request) -> Response {
        let fault = self.next_fault(&request.path);
        let looping = fault == Some(OsvFault::LoopingPageToken);

        match fault {
            Some(OsvFault::TooManyRequests {
                retry_after_seconds,
            }) => Response::json(429, &json!({"code": 8, "message": "too many requests"}))
                .with_header("Retry-After", retry_after_seconds.to_string()),
            Some(OsvFault::ServerError) => {
                Response::bytes(500, "text/plain", "upstream connect error")
            }
            Some(OsvFault::HalfBody) => self.honest(request, false).cut_in_half(),
            Some(OsvFault::Slow(delay)) => {
                let mut response = self.honest(request, false);
                response.delay = Some(delay);
                response
            }
            Some(OsvFault::NotJson) => {
                Response::bytes(200, "text/html", "<html>log in first</html>")
            }
            Some(OsvFault::ErrorBody) => {
                Response::json(200, &json!({"code": 13, "message": "internal error"}))
            }
            Some(OsvFault::MissingResults) => Response::json(200, &json!({"results": []})),
            Some(OsvFault::LoopingPageToken) | None => self.honest(request, looping),
        }
    }

    fn next_fault(&self, path: &str) -> Option<OsvFault> {
        let mut fault = self.fault.lock().unwrap();
        let (prefix, kind, left) = fault.as_mut()?;
        if *left == 0 || !path.starts_with(prefix.as_str()) {
            return None;
        }
        *left -= 1;
        Some(kind.clone())
    }

    fn honest(&self, request: &Request, looping: bool) -> Response {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/v1/querybatch") => self.query_batch(&request.json(), looping),
            ("POST", "/v1/query") => match self.query(&request.json(), looping) {
                Ok((ids, token)) => {
                    let vulns: Vec<&Value> = ids.iter().map(|id| &self.records[*id]).collect();
                    Response::json(200, &page(&vulns, token))
                }
                Err(message) => bad_request(&message),
            },
            ("GET", path) if path.starts_with("/v1/vulns/") => {
                let id = request.segments().pop().unwrap_or_default();
                match self.records.get(&id) {
                    Some(record) => Response::json(200, record),
                    None => Response::json(404, &json!({"code": 5, "message": "Bug not found."})),
                }
            }
            _ => Response::json(404, &json!({"code": 5, "message": "Not Found"})),
        }
    }

    fn query_batch(&self, body: &Value, looping: bool) -> Response {
        let Some(queries) = body["queries"].as_array() else {
            return bad_request("Invalid query.");
        };
        if queries.len() > MAX_BATCH {
            return bad_request("Too many queries.");
        }

        let mut results = Vec::with_capacity(queries.len());
        for query in queries {
            match self.query(query, looping) {
                Ok((ids, token)) => {
                    let vulns: Vec<Value> = ids
                        .iter()
                        .map(|id| json!({"id": id, "modified": self.records[*id]["modified"]}))
                        .collect();
                    results.push(page(&vulns, token));
                }
                Err(message) => return bad_request(&message),
            }
        }

        Response::json(200, &json!({"results": results}))
    }

    /// The ids of one page, and the token of the next one.
    fn query(&self, query: &Value, looping: bool) -> Result<(Vec<&str>, Option<String>), String> {
        let package = &query["package"];
        let version = query["version"].as_str();
        if version.is_some()
            && package["purl"]
                .as_str()
                .is_some_and(|purl| purl.contains('@'))
        {
            return Err("version specified in both purl and version field".to_owned());
        }

        let commit = query["commit"].as_str();
        let (ecosystem, name) = match (package["ecosystem"].as_str(), package["name"].as_str()) {
            (Some(ecosystem), Some(name)) if commit.is_none() => (ecosystem, name),
            (None, None) if commit.is_some() && version.is_none() => ("", ""),
            _ => {
                return Err(
                    "this server answers queries by ecosystem and name, or by commit".to_owned(),
                );
            }
        };

        let offset: usize = match query["page_token"].as_str() {
            None | Some("") => 0,
            Some(token) => token
                .strip_prefix("page-")
                .and_then(|at| at.parse().ok())
                .ok_or("Invalid page token.")?,
        };

        let all: Vec<&str> = self
            .records
            .iter()
            .filter(|(_, record)| match commit {
                Some(commit) => affects_commit(record, commit),
                None => self.matches(record, ecosystem, name, version),
            })
            .map(|(id, _)| id.as_str())
            .collect();

        let size = *self.page_size.lock().unwrap();
        let end = all.len().min(offset + size);
        let ids = all.get(offset..end).unwrap_or_default().to_vec();
        let token = if looping {
            Some(format!("page-{offset}"))
        } else {
            (end < all.len()).then(|| format!("page-{end}"))
        };

        Ok((ids, token))
    }

    fn matches(&self, record: &Value, ecosystem: &str, name: &str, version: Option<&str>) -> bool {
        record["withdrawn"].is_null()
            && record["affected"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|affected| {
                    affected["package"]["ecosystem"] == ecosystem
                        && affected["package"]["name"] == name
                        && version.is_none_or(|version| (self.affects)(affected, version))
                })
    }
}

/// Whether a record affects a commit. The real server knows this from the history of the repository.
/// Here the record lists the commits in a field of its own, which the schema does not have.
fn affects_commit(record: &Value, commit: &str) -> bool {
    let listed = record["database_specific"]["commits"].as_array();
    record["withdrawn"].is_null() && listed.is_some_and(|list| list.contains(&commit.into()))
}

fn page<T: serde::Serialize>(vulns: &[T], token: Option<String>) -> Value {
    // The real API leaves out empty fields.
    let mut page = serde_json::Map::new();
    if !vulns.is_empty() {
        page.insert("vulns".to_owned(), json!(vulns));
    }
    if let Some(token) = token {
        page.insert("next_page_token".to_owned(), json!(token));
    }

    Value::Object(page)
}

fn bad_request(message: &str) -> Response {
    Response::json(400, &json!({"code": 3, "message": message}))
}

fn load(source: &Path, records: &mut BTreeMap<String, Value>) {
    if source.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(source)
            .unwrap_or_else(|error| panic!("`{}`: {error}", source.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for entry in entries {
            load(&entry, records);
        }
        return;
    }

    match source.extension().and_then(|extension| extension.to_str()) {
        Some("zip") => {
            let file = fs::File::open(source).unwrap();
            let mut archive = zip::ZipArchive::new(file).unwrap();

            for index in 0..archive.len() {
                let mut text = Vec::new();
                archive
                    .by_index(index)
                    .unwrap()
                    .read_to_end(&mut text)
                    .unwrap();
                insert(&text, records);
            }
        }
        Some("json") => insert(&fs::read(source).unwrap(), records),
        _ => {}
    }
}

/// Adds a text when it is a record. The same directory may contain other JSON.
fn insert(text: &[u8], records: &mut BTreeMap<String, Value>) {
    let Ok(record) = serde_json::from_slice::<Value>(text) else {
        return;
    };
    if let (Some(id), true) = (record["id"].as_str(), record["affected"].is_array()) {
        records.insert(id.to_owned(), record);
    }
}

/// Whether an `affected` entry affects a version, by the evaluation algorithm of the OSV schema
/// with versions ordered as dotted numbers.
fn affects_version(affected: &Value, version: &str) -> bool {
    let listed = affected["versions"]
        .as_array()
        .is_some_and(|versions| versions.iter().any(|listed| listed == version));
    listed
        || affected["ranges"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|range| range["type"] != "GIT" && in_range(range["events"].as_array(), version))
}

fn in_range(events: Option<&Vec<Value>>, version: &str) -> bool {
    let mut events: Vec<(Vec<u64>, &str)> = events
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|event| event.iter())
        .filter_map(|(kind, at)| Some((numbers(at.as_str()?), kind.as_str())))
        .collect();
    events.sort();
    let version = numbers(version);

    let mut inside = false;
    for (at, kind) in events {
        match kind {
            "introduced" if version >= at => inside = true,
            "fixed" | "limit" if version >= at => inside = false,
            "last_affected" if version > at => inside = false,
            _ => {}
        }
    }

    inside
}

/// The dotted numbers at the start of a version, at least three; `0` comes before all versions.
fn numbers(version: &str) -> Vec<u64> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let mut numbers: Vec<u64> = core
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect();
    numbers.resize(numbers.len().max(3), 0);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> (tempfile::TempDir, OsvServer) {
        let directory = tempfile::tempdir().unwrap();
        for id in ["T-1", "T-2", "T-3"] {
            let record = json!({"id": id, "modified": "2024-01-01T00:00:00Z", "affected": [{
                "package": {"ecosystem": "npm", "name": "left"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.10.0"}]}]
            }]});
            fs::write(
                directory.path().join(format!("{id}.json")),
                record.to_string(),
            )
            .unwrap();
        }

        let server = OsvServer::start(&[directory.path()]);
        (directory, server)
    }

    fn post(server: &OsvServer, body: &Value) -> Response {
        server.state.answer(&Request {
            method: "POST".to_owned(),
            path: "/v1/querybatch".to_owned(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        })
    }

    fn query(version: &str, token: &str) -> Value {
        json!({"queries": [{"package": {"ecosystem": "npm", "name": "left"},
            "version": version, "page_token": token}]})
    }

    #[test]
    fn pages_until_all_ids_are_listed() {
        let (_folder, server) = server();
        server.set_page_size(2);
        let first: Value =
            serde_json::from_slice(&post(&server, &query("1.9.0", "")).body).unwrap();

        assert_eq!(first["results"][0]["vulns"].as_array().unwrap().len(), 2);

        let token = first["results"][0]["next_page_token"].as_str().unwrap();
        let second: Value =
            serde_json::from_slice(&post(&server, &query("1.9.0", token)).body).unwrap();

        assert_eq!(second["results"][0]["vulns"][0]["id"], "T-3");
        assert!(second["results"][0]["next_page_token"].is_null());
    }

    #[test]
    fn a_fixed_version_has_no_ids() {
        let (_folder, server) = server();
        assert_eq!(
            post(&server, &query("1.10.0", "")).body,
            br#"{"results":[{}]}"#
        );
    }

    #[test]
    fn a_fault_lasts_as_often_as_asked() {
        let (_folder, server) = server();
        server.fail("/v1/query", OsvFault::ServerError, 1);
        assert_eq!(post(&server, &query("1.0.0", "")).status, 500);
        assert_eq!(post(&server, &query("1.0.0", "")).status, 200);
    }
}

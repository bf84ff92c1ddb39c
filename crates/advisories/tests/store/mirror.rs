//! A server in the layout of OSV's bucket, whose files a test changes.

use patchgate_model::EcosystemName;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use patchgate_advisories::{BuildReport, PackageQuery, Store, UpdateError, UpdateOptions};
use patchgate_http::{Client, ClientOptions};
use patchgate_testkit::{HttpServer, Response};
use tempfile::TempDir;

pub(crate) fn record(id: &str, name: &str, modified: &str, fixed: &str) -> String {
    serde_json::json!({
        "id": id, "modified": modified, "from_the_future": {"a": [1]},
        "affected": [{"package": {"ecosystem": "npm", "name": name}, "ranges": [
            {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]},
            {"type": "LUNAR", "events": [{"introduced": "0"}]}]}],
    })
    .to_string()
}

pub(crate) fn zip(records: &[String]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (place, body) in records.iter().enumerate() {
        let options = zip::write::SimpleFileOptions::default();
        // A name that leads out of the directory: it is only a name and never used as a path.
        let name = format!("../../{place}.json");
        writer.start_file(name, options).unwrap();
        writer.write_all(body.as_bytes()).unwrap();
    }

    writer.finish().unwrap().into_inner()
}

/// CRC-32C bit by bit, as another reading of the definition.
pub(crate) fn crc32c(bytes: &[u8]) -> String {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82F6_3B78
            } else {
                crc >> 1
            };
        }
    }

    let text = base64::engine::general_purpose::STANDARD.encode((!crc).to_be_bytes());
    format!("crc32c={text}")
}

/// A mirror whose files a test changes, with validators and checksums.
pub(crate) struct Mirror {
    pub(crate) server: HttpServer,
    pub(crate) files: Arc<Mutex<BTreeMap<String, Response>>>,
    pub(crate) store: TempDir,
}

impl Mirror {
    pub(crate) fn new() -> Self {
        let files: Arc<Mutex<BTreeMap<String, Response>>> = Arc::default();
        let served = Arc::clone(&files);
        let server = HttpServer::start(move |request| {
            let files = served.lock().unwrap();
            let Some(found) = files.get(&request.path) else {
                return Response::status(404);
            };
            let etag = format!("\"{}\"", crc32c(&found.body));
            if found.status == 200 && request.header("if-none-match") == Some(&etag) {
                return Response::status(304);
            }
            found.clone().with_header("ETag", etag)
        });

        Self {
            server,
            files,
            store: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn put(&self, path: &str, response: Response) {
        self.files
            .lock()
            .unwrap()
            .insert(format!("/npm/{path}"), response);
    }

    pub(crate) fn put_bytes(&self, path: &str, body: impl Into<Vec<u8>>) {
        let body = body.into();
        let hash = crc32c(&body);
        let response = Response::bytes(200, "application/octet-stream", body);
        self.put(path, response.with_header("x-goog-hash", hash));
    }

    /// The mirror with two records, and a store made from it.
    pub(crate) async fn with_a_store() -> Self {
        let mirror = Self::new();
        mirror.put_bytes(
            "all.zip",
            zip(&[
                record("X-1", "a", "2026-01-01T00:00:00Z", "1.0.0"),
                record("MAL-2", "b", "2026-01-02T00:00:00Z", "2.0.0"),
            ]),
        );
        mirror.put_bytes(
            "modified_id.csv",
            "2026-01-02T00:00:00Z,MAL-2\n2026-01-01T00:00:00Z,X-1\n",
        );
        let report = mirror.update("2026-01-03T00:00:00Z").await;

        assert_eq!(report.problems, []);

        mirror.server.clear_requests();
        mirror
    }

    pub(crate) async fn update(&self, now: &str) -> BuildReport {
        self.try_update(now, &[]).await.unwrap()
    }

    pub(crate) async fn try_update(
        &self,
        now: &str,
        own: &[&Path],
    ) -> Result<BuildReport, UpdateError> {
        let options = UpdateOptions {
            ecosystems: vec!["npm".to_owned()],
            exports: self.server.url(),
            kev: None,
            epss: None,
            own: own.iter().map(|path| (*path).to_owned()).collect(),
            now: now.parse().unwrap(),
        };

        let http = Client::new(ClientOptions {
            retries: 1,
            retry_base_delay: std::time::Duration::from_millis(1),
            ..ClientOptions::default()
        })
        .unwrap();

        Store::update(self.store.path(), &http, &options, &|_| {}).await
    }

    /// The paths that were requested since the last call, without repetitions.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut paths: Vec<String> = self
            .server
            .requests()
            .iter()
            .map(|request| request.path.trim_start_matches("/npm/").to_owned())
            .collect();
        paths.dedup();
        self.server.clear_requests();

        paths
    }

    /// The ids of a package's records with their last event.
    pub(crate) fn known(&self, name: &str) -> Vec<String> {
        let store = Store::open(self.store.path()).unwrap();
        let lookup = store.lookup(&[PackageQuery {
            ecosystem: EcosystemName::new("npm"),
            distribution: None,
            name: name.into(),
            version: None,
        }]);

        assert_eq!(lookup.problems, []);
        for check in Store::verify(self.store.path()).unwrap() {
            check.entries.unwrap();
        }

        lookup
            .advisories
            .values()
            .flatten()
            .map(|one| {
                let fixed = &one.affected[0].ranges[0].events[1].version;
                format!("{} {fixed}", one.id)
            })
            .collect()
    }
}

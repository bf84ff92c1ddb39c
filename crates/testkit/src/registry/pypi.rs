//! A simple index of Python packages, in its JSON form
//! (<https://packaging.python.org/en/latest/specifications/simple-repository-api/>).

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};

use super::archive::{sha256_hex, tar_gz};
use super::{FaultyServer, RegistryFault};
use crate::{Request, Response};

/// One release of a project.
#[derive(Debug, Clone, Default)]
pub struct PyRelease {
    /// The name, in its normal form.
    pub name: String,
    /// The version.
    pub version: String,
    /// Its dependencies, with markers and extras.
    pub requires: Vec<String>,
    /// Its extras.
    pub extras: Vec<String>,
    /// The tags of its wheels.
    pub tags: Vec<String>,
    /// Its `Requires-Python`.
    pub python: String,
}

impl PyRelease {
    /// A release for Python 3 with these dependencies. Every extra that one of them names is an extra
    /// of the release.
    #[must_use]
    pub fn new(name: &str, version: &str, requires: &[&str]) -> Self {
        let extra = |one: &&str| {
            let (_, rest) = one.split_once("extra == '")?;
            rest.split('\'').next().map(str::to_owned)
        };
        let mut extras: Vec<String> = requires.iter().filter_map(extra).collect();
        extras.dedup();
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            requires: requires.iter().map(|one| (*one).to_owned()).collect(),
            extras,
            tags: vec!["py3-none-any".to_owned()],
            python: ">=3.7".to_owned(),
        }
    }

    /// The same release with a wheel for each of these tags.
    #[must_use]
    pub fn with_wheels(mut self, tags: &[&str]) -> Self {
        self.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        self
    }

    fn metadata(&self) -> String {
        let mut text = format!(
            "Metadata-Version: 2.1\nName: {}\nVersion: {}\nRequires-Python: {}\n",
            self.name, self.version, self.python
        );
        for extra in &self.extras {
            text.push_str(&format!("Provides-Extra: {extra}\n"));
        }
        for one in &self.requires {
            text.push_str(&format!("Requires-Dist: {one}\n"));
        }
        text
    }

    /// Name and content of every file: the wheels, then the source archive.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let stem = format!("{}-{}", self.name.replace('-', "_"), self.version);
        let mut files: Vec<(String, Vec<u8>)> = self
            .tags
            .iter()
            .map(|tag| (format!("{stem}-{tag}.whl"), self.wheel(&stem, tag)))
            .collect();
        let archive = tar_gz(&[(format!("{stem}/PKG-INFO"), self.metadata().into_bytes())]);
        files.push((format!("{stem}.tar.gz"), archive));
        files
    }

    fn wheel(&self, stem: &str, tag: &str) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        let wheel =
            format!("Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: {tag}\n");
        for (name, content) in [
            ("METADATA", self.metadata()),
            ("WHEEL", wheel),
            ("RECORD", String::new()),
        ] {
            let name = format!("{stem}.dist-info/{name}");
            writer.start_file(name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }
}

/// A running index with the releases that the test gave it.
pub struct PyIndex {
    releases: Vec<PyRelease>,
    faulty: FaultyServer,
}

impl PyIndex {
    /// Serves these releases.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start(releases: Vec<PyRelease>) -> Self {
        let served = releases.clone();
        let faulty = FaultyServer::start(move |request| answer(&served, request));
        Self { releases, faulty }
    }

    /// The page of a project, as the index answers it.
    ///
    /// # Panics
    /// When the index does not have the project.
    #[must_use]
    pub fn page(&self, name: &str) -> Vec<u8> {
        let url = self.faulty.server.url();
        let host = url.trim_start_matches("http://");
        page(&self.releases, name, host).unwrap().into_bytes()
    }

    /// The metadata of a release.
    ///
    /// # Panics
    /// When the index does not have the release.
    #[must_use]
    pub fn metadata(&self, name: &str, version: &str) -> Vec<u8> {
        let mut releases = self.releases.iter();
        let release = releases.find(|one| one.name == name && one.version == version);
        release.unwrap().metadata().into_bytes()
    }

    /// The address of the index, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/simple", self.faulty.server.url())
    }

    /// All requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.faulty.server.requests()
    }

    /// Misbehaves at the next `times` requests whose path contains `path_part`.
    pub fn fail(&self, path_part: &str, fault: RegistryFault, times: u32) {
        self.faulty.fail(path_part, fault, times);
    }
}

fn answer(releases: &[PyRelease], request: &Request) -> Response {
    let segments = request.segments();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    match words
        .iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()[..]
    {
        [&"simple", name] => {
            match page(releases, name, request.header("host").unwrap_or_default()) {
                Some(page) => Response::bytes(200, "application/vnd.pypi.simple.v1+json", page),
                None => Response::status(404),
            }
        }
        [&"files", file] => {
            let of = |file: &str| {
                releases
                    .iter()
                    .find_map(|one| one.files().into_iter().find(|(name, _)| name == file))
            };
            let metadata = file.strip_suffix(".metadata").and_then(|wheel| {
                let has = |one: &&PyRelease| one.files().iter().any(|(name, _)| name == wheel);
                releases.iter().find(has).map(PyRelease::metadata)
            });
            match (metadata, of(file)) {
                (Some(text), _) => Response::bytes(200, "text/plain", text),
                (None, Some((_, content))) => {
                    Response::bytes(200, "application/octet-stream", content)
                }
                (None, None) => Response::status(404),
            }
        }
        _ => Response::status(404),
    }
}

fn page(releases: &[PyRelease], name: &str, host: &str) -> Option<String> {
    let own: Vec<&PyRelease> = releases.iter().filter(|one| one.name == name).collect();
    let page = json!({
        "meta": {"api-version": "1.1"},
        "name": name,
        "versions": own.iter().map(|one| one.version.clone()).collect::<Vec<_>>(),
        "files": own.iter().flat_map(|one| entries(one, host)).collect::<Vec<_>>(),
    });
    (!own.is_empty()).then(|| page.to_string())
}

fn entries(release: &PyRelease, host: &str) -> Vec<Value> {
    let metadata = sha256_hex(release.metadata().as_bytes());
    release
        .files()
        .iter()
        .map(|(name, content)| {
            let is_wheel = name.ends_with(".whl");
            json!({
                "filename": name,
                "url": format!("http://{host}/files/{name}"),
                "hashes": {"sha256": sha256_hex(content)},
                "size": content.len(),
                "upload-time": "2024-02-03T04:05:06.780912Z",
                "requires-python": release.python,
                "core-metadata": match is_wheel {
                    true => json!({"sha256": metadata}),
                    false => json!(false),
                },
                "yanked": false,
            })
        })
        .collect()
}

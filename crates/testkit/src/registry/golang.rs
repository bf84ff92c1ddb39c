//! A proxy of Go modules (<https://go.dev/ref/mod#goproxy-protocol>).

use std::io::{Cursor, Write as _};

use serde_json::json;

use super::{FaultyServer, RegistryFault};
use crate::{Request, Response};

/// One release of a module.
#[derive(Debug, Clone)]
pub struct GoModule {
    /// The module path, without capital letters.
    pub path: String,
    /// The version, with `v`.
    pub version: String,
    /// Its `go.mod`.
    pub go_mod: String,
    /// Further files, by their paths in the module.
    pub files: Vec<(String, String)>,
}

impl GoModule {
    /// A release whose `go.mod` consists of the `module` line and these lines, with one package that
    /// imports these paths.
    #[must_use]
    pub fn new(path: &str, version: &str, lines: &str, imports: &[&str]) -> Self {
        let imports: String = imports
            .iter()
            .map(|import| format!("import _ \"{import}\"\n"))
            .collect();
        Self {
            path: path.to_owned(),
            version: version.to_owned(),
            go_mod: format!("module {path}\n\n{lines}"),
            files: vec![("lib.go".to_owned(), format!("package lib\n\n{imports}"))],
        }
    }

    /// Its archive (<https://go.dev/ref/mod#zip-files>).
    ///
    /// # Panics
    /// When a file has a name that an archive cannot have.
    #[must_use]
    pub fn archive(&self) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let own = ("go.mod".to_owned(), self.go_mod.clone());
        for (name, content) in std::iter::once(&own).chain(&self.files) {
            let name = format!("{}@{}/{name}", self.path, self.version);
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }
}

/// A running proxy with the modules that the test gave it.
pub struct GoProxy {
    faulty: FaultyServer,
}

impl GoProxy {
    /// Serves these releases.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start(modules: Vec<GoModule>) -> Self {
        let faulty = FaultyServer::start(move |request| answer(&modules, request));
        Self { faulty }
    }

    /// The address for `GOPROXY`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.faulty.server.url()
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

fn answer(modules: &[GoModule], request: &Request) -> Response {
    let path = request.segments().join("/");
    let Some((module, file)) = path.split_once("/@v/") else {
        return Response::status(404);
    };
    let mut of_module = modules.iter().filter(|one| one.path == module);
    if file == "list" {
        let versions: Vec<&str> = of_module.map(|one| one.version.as_str()).collect();
        return match versions.as_slice() {
            [] => Response::status(404),
            versions => Response::bytes(200, "text/plain", versions.join("\n") + "\n"),
        };
    }

    let Some((version, extension)) = file.rsplit_once('.') else {
        return Response::status(404);
    };
    let Some(release) = of_module.find(|one| one.version == version) else {
        return Response::status(404);
    };
    match extension {
        "info" => Response::json(
            200,
            &json!({"Version": version, "Time": "2024-01-02T03:04:05Z"}),
        ),
        "mod" => Response::bytes(200, "text/plain", release.go_mod.clone()),
        "zip" => Response::bytes(200, "application/zip", release.archive()),
        _ => Response::status(404),
    }
}

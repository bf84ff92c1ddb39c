//! Fake package registries, which make metadata and archives from a table of releases.

mod archive;
mod cargo;
mod golang;
mod npm;
mod pypi;

use std::sync::{Arc, Mutex};

pub use cargo::CargoRegistry;
pub use golang::{GoModule, GoProxy};
pub use npm::NpmRegistry;
pub use pypi::{PyIndex, PyRelease};

use crate::{HttpServer, Request, Response};

/// One release of a package.
#[derive(Debug, Clone, Default)]
pub struct Release {
    /// The name of the package.
    pub name: String,
    /// The version, as its ecosystem writes it.
    pub version: String,
    /// The dependencies, as names and requirements.
    pub dependencies: Vec<(String, String)>,
    /// Whether it is yanked (Cargo) or deprecated (npm).
    pub yanked: bool,
    /// The dependencies that its archive contains, as names and versions (npm).
    pub bundled: Vec<(String, String)>,
    /// The command that its install scripts run (npm).
    pub install_script: Option<String>,
    /// Further fields of its manifest, as an object (npm).
    pub fields: serde_json::Value,
    /// Further files of its archive, as paths in the package and texts (npm).
    pub files: Vec<(String, String)>,
}

impl Release {
    /// A release with these dependencies.
    #[must_use]
    pub fn new(name: &str, version: &str, dependencies: &[(&str, &str)]) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            dependencies: dependencies
                .iter()
                .map(|(name, requirement)| ((*name).to_owned(), (*requirement).to_owned()))
                .collect(),
            ..Self::default()
        }
    }

    /// The same release, with copies of these packages in its archive. They must be among its
    /// dependencies.
    #[must_use]
    pub fn bundling(mut self, bundled: &[(&str, &str)]) -> Self {
        self.bundled = bundled
            .iter()
            .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()))
            .collect();
        self
    }

    /// The same release, which runs a command before, at and after its installation.
    #[must_use]
    pub fn with_install_script(mut self, command: &str) -> Self {
        self.install_script = Some(command.to_owned());
        self
    }

    /// The same release, with further fields in its manifest.
    #[must_use]
    pub fn with_fields(mut self, fields: serde_json::Value) -> Self {
        self.fields = fields;
        self
    }

    /// The same release, with a file in its archive.
    #[must_use]
    pub fn with_file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// The same release, yanked or deprecated.
    #[must_use]
    pub fn yanked(mut self) -> Self {
        self.yanked = true;
        self
    }
}

/// A way for a registry to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryFault {
    /// 500 without a body.
    ServerError,
    /// 429 with `Retry-After: 1`.
    TooManyRequests,
    /// 200 with the second half of the body missing.
    HalfBody,
    /// 200 with something that is not metadata.
    NotMetadata,
}

type Fault = (String, RegistryFault, u32);

/// An action that runs once, before the answer to a request whose path contains the text.
type Interruption = (String, Box<dyn FnOnce() + Send>);

/// A server that misbehaves on request.
struct FaultyServer {
    server: HttpServer,
    fault: Arc<Mutex<Option<Fault>>>,
    interruption: Arc<Mutex<Option<Interruption>>>,
}

impl FaultyServer {
    fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let fault: Arc<Mutex<Option<Fault>>> = Arc::default();
        let interruption: Arc<Mutex<Option<Interruption>>> = Arc::default();
        let (faults, interruptions) = (Arc::clone(&fault), Arc::clone(&interruption));
        let server = HttpServer::start(move |request| {
            interrupt(&interruptions, &request.path);
            match next(&faults, &request.path) {
                Some(RegistryFault::ServerError) => Response::status(500),
                Some(RegistryFault::TooManyRequests) => {
                    Response::status(429).with_header("Retry-After", "1")
                }
                Some(RegistryFault::HalfBody) => answer(request).cut_in_half(),
                Some(RegistryFault::NotMetadata) => {
                    Response::bytes(200, "text/html", "<html>maintenance</html>")
                }
                None => answer(request),
            }
        });

        Self {
            server,
            fault,
            interruption,
        }
    }

    fn before(&self, path_part: &str, act: impl FnOnce() + Send + 'static) {
        *self.interruption.lock().unwrap() = Some((path_part.to_owned(), Box::new(act)));
    }

    fn fail(&self, path_part: &str, fault: RegistryFault, times: u32) {
        *self.fault.lock().unwrap() = Some((path_part.to_owned(), fault, times));
    }
}

fn interrupt(interruption: &Mutex<Option<Interruption>>, path: &str) {
    let act = interruption
        .lock()
        .unwrap()
        .take_if(|(part, _)| path.contains(part.as_str()));
    if let Some((_, act)) = act {
        act();
    }
}

fn next(fault: &Mutex<Option<Fault>>, path: &str) -> Option<RegistryFault> {
    let mut fault = fault.lock().unwrap();
    let (part, kind, left) = fault.as_mut()?;
    if *left == 0 || !path.contains(part.as_str()) {
        return None;
    }
    *left -= 1;
    Some(*kind)
}

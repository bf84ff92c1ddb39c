//! Metadata of packages, from the registries that the package managers themselves use.

use std::collections::BTreeMap;

use patchgate_ecosystems::{Release, Upgradable, limits};
use patchgate_http::{Caching, Client, Request, redact_url};
use patchgate_model::{Lockfile, Origin};
use patchgate_package_managers::{RelockError, RunOptions, cargo, npm};

/// Most requests at one time.
const PARALLEL: usize = 8;

/// The source of crates.io as `Cargo.lock` names it (Cargo's own name for it, not an address that
/// is asked).
const CRATES_IO: &str = "https://github.com/rust-lang/crates.io-index";

/// Finds the registry of each package and asks it.
pub(super) struct Registries<'a> {
    client: &'a Client,
    configuration: Vec<Vec<u8>>,
    run: RunOptions,
    /// Base addresses by what decides them: an npm scope, a Cargo source.
    addresses: BTreeMap<String, String>,
}

impl<'a> Registries<'a> {
    pub(super) fn new(client: &'a Client, configuration: Vec<Vec<u8>>, run: RunOptions) -> Self {
        Self {
            client,
            configuration,
            run,
            addresses: BTreeMap::new(),
        }
    }

    /// What the registries say about packages, or why they say nothing.
    ///
    /// # Errors
    /// When the package manager, which knows where its registry is, cannot be asked.
    pub(super) async fn releases(
        &mut self,
        ecosystem: &'static dyn Upgradable,
        lockfile: &Lockfile,
        names: &[String],
    ) -> Result<Vec<(String, Result<Vec<Release>, Unanswered>)>, RelockError> {
        let mut answers = Vec::new();
        let mut running = tokio::task::JoinSet::new();
        for name in names {
            let address = self.address(ecosystem, lockfile, name).await?;
            let (client, name) = (self.client.clone(), name.clone());
            if running.len() >= PARALLEL
                && let Some(Ok(answer)) = running.join_next().await
            {
                answers.push(answer);
            }

            running.spawn(async move {
                let releases = fetch(&client, ecosystem, &address, &name).await;
                (name, releases)
            });
        }

        while let Some(answer) = running.join_next().await {
            // A task ends early only by a panic, which ends the process.
            answers.extend(answer.ok());
        }

        Ok(answers)
    }

    async fn address(
        &mut self,
        ecosystem: &dyn Upgradable,
        lockfile: &Lockfile,
        name: &str,
    ) -> Result<String, RelockError> {
        let is_npm = ecosystem.name() == "npm";
        let key = if is_npm {
            name.split_once('/')
                .map(|(scope, _)| scope)
                .filter(|scope| scope.starts_with('@'))
                .unwrap_or_default()
                .to_owned()
        } else {
            source_of(lockfile, name)
        };
        if let Some(address) = self.addresses.get(&key) {
            return Ok(address.clone());
        }

        let address = if is_npm {
            self.npm_address(&key).await?
        } else if key == CRATES_IO {
            cargo::registry(&key, &self.configuration, self.run).await?
        } else {
            key.clone()
        };
        self.addresses.insert(key, address.clone());

        Ok(address)
    }

    /// The registry of an npm scope, or of all packages without one.
    async fn npm_address(&mut self, scope: &str) -> Result<String, RelockError> {
        if !scope.is_empty()
            && let Some(address) = npm::scope_registry(scope, &self.configuration, self.run).await?
        {
            return Ok(address);
        }
        // Most scopes have none of their own: what holds for all is asked for once.
        if let Some(address) = self.addresses.get("") {
            return Ok(address.clone());
        }

        let address = npm::registry(&self.configuration, self.run).await?;
        self.addresses.insert(String::new(), address.clone());

        Ok(address)
    }
}

/// The status by which a registry says that it does not have a package.
const NOT_FOUND: u16 = 404;

/// Why nothing is known of a package's releases.
#[derive(Debug, Clone)]
pub(super) struct Unanswered {
    pub(super) reason: String,
    pub(super) hint: Option<String>,
    /// True when the registry did answer: it does not have the package.
    pub(super) is_an_answer: bool,
}

/// The source from which a Cargo lockfile takes a package; crates.io for one that it lacks.
fn source_of(lockfile: &Lockfile, name: &str) -> String {
    lockfile
        .packages
        .iter()
        .filter(|package| package.name == name)
        .find_map(|package| match &package.origin {
            Origin::Registry(source) => source.clone(),
            _ => None,
        })
        .unwrap_or_else(|| CRATES_IO.to_owned())
}

async fn fetch(
    client: &Client,
    ecosystem: &dyn Upgradable,
    registry: &str,
    name: &str,
) -> Result<Vec<Release>, Unanswered> {
    let wanted = ecosystem.metadata_request(registry, name);
    let address = redact_url(&wanted.url);

    let mut request = Request::get(wanted.url).max_bytes(limits::MAX_METADATA_BYTES as u64);
    if let Some(accept) = wanted.accept {
        request = request.accept(accept);
    }

    let answer = client
        .get(&request, &Caching::Revalidate)
        .await
        .map_err(|error| Unanswered {
            reason: crate::exit::chain(&error),
            hint: error.hint().map(str::to_owned),
            is_an_answer: error.status() == Some(NOT_FOUND),
        })?;

    ecosystem
        .parse_metadata(name, &answer.body)
        .map_err(|error| Unanswered {
            reason: format!("the answer of `{address}` {error}"),
            hint: error.hint,
            is_an_answer: false,
        })
}

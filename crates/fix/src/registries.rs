//! Metadata of packages, from the registries that the package managers themselves use.

use std::collections::BTreeMap;

use patchgate_ecosystems::{Release, Upgradable, limits};
use patchgate_http::{Caching, Client, Request, redact_url};
use patchgate_model::{Lockfile, error_chain};
use patchgate_package_managers::{ConfigurationFile, PackageManager, RelockError, RunOptions};

/// Most requests at one time.
const PARALLEL: usize = 8;

/// Finds the registry of each package and asks it.
pub(super) struct Registries<'a> {
    client: &'a Client,
    manager: &'static dyn PackageManager,
    configuration: Vec<ConfigurationFile>,
    run: RunOptions,
    /// Base addresses by [`PackageManager::registry_key`].
    addresses: BTreeMap<String, String>,
}

impl<'a> Registries<'a> {
    pub(super) fn new(
        client: &'a Client,
        manager: &'static dyn PackageManager,
        configuration: Vec<ConfigurationFile>,
        run: RunOptions,
    ) -> Self {
        Self {
            client,
            manager,
            configuration,
            run,
            addresses: BTreeMap::new(),
        }
    }

    /// The registries' answers about packages, or why there is no answer.
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
            let address = self.address(lockfile, name).await?;
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

    /// The base address of a package's registry, which the package manager is asked for once.
    async fn address(&mut self, lockfile: &Lockfile, name: &str) -> Result<String, RelockError> {
        let key = self.manager.registry_key(lockfile, name);
        if let Some(address) = self.addresses.get(&key) {
            return Ok(address.clone());
        }

        let own = self
            .manager
            .registry(&key, &self.configuration, self.run)
            .await?;
        let address = match own {
            Some(address) => address,
            None => self.shared_address().await?,
        };
        self.addresses.insert(key, address.clone());

        Ok(address)
    }

    /// The registry of all packages that have none of their own.
    async fn shared_address(&mut self) -> Result<String, RelockError> {
        if let Some(address) = self.addresses.get("") {
            return Ok(address.clone());
        }

        let shared = self
            .manager
            .registry("", &self.configuration, self.run)
            .await?;
        let address = shared.ok_or_else(|| RelockError::Failed {
            command: self.manager.name().to_owned(),
            reason: "it names no registry".to_owned(),
        })?;
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
            reason: error_chain(&error),
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

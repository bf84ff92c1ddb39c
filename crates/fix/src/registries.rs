//! Metadata of packages, from the registries that the package managers themselves use.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use patchgate_ecosystems::{Downloads, MetadataRequest, ParseError, Release, Upgradable, limits};
use patchgate_http::{Caching, Client, Request, redact_url};
use patchgate_model::{Lockfile, error_chain};
use patchgate_package_managers::{ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Most requests at one time.
const PARALLEL: usize = 8;

/// Finds the registry of each package and asks it.
pub(super) struct Registries<'a> {
    client: &'a Client,
    locator: &'static dyn RegistryLocator,
    configuration: Vec<ConfigurationFile>,
    run: RunOptions,
    /// Base addresses by [`RegistryLocator::registry_key`].
    addresses: BTreeMap<String, String>,
}

impl<'a> Registries<'a> {
    pub(super) fn new(
        client: &'a Client,
        locator: &'static dyn RegistryLocator,
        configuration: Vec<ConfigurationFile>,
        run: RunOptions,
    ) -> Self {
        Self {
            client,
            locator,
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

    /// The registries' answers about packages in their long form, with the publication of `versions`.
    /// Unlike [`Registries::releases`], a package whose registry cannot be found is unanswered, and the
    /// others are asked.
    pub(super) async fn described(
        &mut self,
        ecosystem: &'static dyn Upgradable,
        lockfile: &Lockfile,
        packages: Vec<(String, Vec<String>)>,
    ) -> Vec<(String, Result<Vec<Release>, Unanswered>)> {
        let mut answers = Vec::new();
        let mut running = tokio::task::JoinSet::new();
        for (name, versions) in packages {
            let address = match self.address(lockfile, &name).await {
                Ok(address) => address,
                Err(error) => {
                    let unanswered = Unanswered {
                        reason: error_chain(&error),
                        hint: None,
                        is_an_answer: false,
                    };
                    answers.push((name, Err(unanswered)));
                    continue;
                }
            };
            if running.len() >= PARALLEL
                && let Some(Ok(answer)) = running.join_next().await
            {
                answers.push(answer);
            }

            let client = self.client.clone();
            running.spawn(async move {
                let releases = describe(&client, ecosystem, &address, &name, &versions).await;
                (name, releases)
            });
        }

        while let Some(answer) = running.join_next().await {
            // A task ends early only by a panic, which ends the process.
            answers.extend(answer.ok());
        }

        answers
    }

    /// The releases of a package in the long form of its registry's answer, where it has one.
    pub(super) async fn long_releases(
        &mut self,
        ecosystem: &dyn Upgradable,
        lockfile: &Lockfile,
        name: &str,
    ) -> Option<Vec<Release>> {
        let registry = self.address(lockfile, name).await.ok()?;
        let wanted = ecosystem.long_metadata_request(&registry, name)?;
        let body = ask(self.client, &wanted).await.ok()?;
        let mut releases = ecosystem.parse_metadata(name, &body).ok()?;
        for release in &mut releases {
            release.resolve(&wanted.url);
        }

        Some(releases)
    }

    /// Sets the time of publication of a release, in registries that state it in a document of its own.
    pub(super) async fn add_published(
        &mut self,
        ecosystem: &dyn Upgradable,
        lockfile: &Lockfile,
        name: &str,
        release: &mut Release,
    ) {
        let Some(wanted) = ecosystem.published_request(release) else {
            return;
        };
        let Ok(list) = self.list_address(ecosystem, lockfile, name).await else {
            return;
        };
        if let Ok(body) = ask(self.client, &wanted.resolve(&list)).await {
            // A time that cannot be read stays unknown.
            let _ = ecosystem.parse_published(release, &body);
        }
    }

    /// The documents that say where the archives of packages are, by package, where a registry has
    /// one.
    pub(super) async fn archive_settings(
        &mut self,
        ecosystem: &dyn Upgradable,
        lockfile: &Lockfile,
        name: &str,
    ) -> Option<Vec<u8>> {
        let registry = self.address(lockfile, name).await.ok()?;
        let wanted = ecosystem.archive_settings(&registry)?;
        ask(self.client, &wanted).await.ok()
    }

    /// The address of the list of a package's releases.
    pub(super) async fn list_address(
        &mut self,
        ecosystem: &dyn Upgradable,
        lockfile: &Lockfile,
        name: &str,
    ) -> Result<String, RelockError> {
        let registry = self.address(lockfile, name).await?;
        Ok(ecosystem.metadata_request(&registry, name).url)
    }

    /// The base address of a package's registry, which the package manager is asked for once.
    async fn address(&mut self, lockfile: &Lockfile, name: &str) -> Result<String, RelockError> {
        let key = self.locator.registry_key(lockfile, name);
        if let Some(address) = self.addresses.get(&key) {
            return Ok(address.clone());
        }

        let own = self
            .locator
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
            .locator
            .registry("", &self.configuration, self.run)
            .await?;
        let address = shared.ok_or_else(|| RelockError::Failed {
            command: self.locator.name().to_owned(),
            reason: "it names no registry".to_owned(),
        })?;
        self.addresses.insert(String::new(), address.clone());

        Ok(address)
    }
}

/// Most pages of one package's metadata.
const MAX_PAGES: usize = 64;

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
    let mut releases = Vec::new();
    let mut asked = BTreeSet::new();
    let mut pages = VecDeque::from([wanted.clone()]);
    while let Some(page) = pages.pop_front() {
        // A registry could name its documents in a circle.
        if asked.len() > MAX_PAGES || !asked.insert(page.url.clone()) {
            continue;
        }
        let body = ask(client, &page).await?;
        releases.extend(read(ecosystem, name, &page, &body)?);
        let further = ecosystem
            .metadata_pages(name, &body)
            .map_err(|error| unreadable(&page, &error))?;
        pages.extend(further.into_iter().map(|page| page.resolve(&wanted.url)));
    }

    // Addresses are relative to that of the list, also on its pages.
    for release in &mut releases {
        release.resolve(&wanted.url);
    }
    if let Some(yanks) = ecosystem.yanks_request(&releases) {
        let yanks = yanks.resolve(&wanted.url);
        let body = ask(client, &yanks).await?;
        ecosystem
            .parse_yanks(&mut releases, &body)
            .map_err(|error| unreadable(&yanks, &error))?;
    }

    Ok(releases)
}

/// The releases of a package, in the long form of the registry's answer where it has one.
async fn describe(
    client: &Client,
    ecosystem: &dyn Upgradable,
    registry: &str,
    name: &str,
    versions: &[String],
) -> Result<Vec<Release>, Unanswered> {
    let mut releases = match ecosystem.long_metadata_request(registry, name) {
        Some(wanted) => {
            let body = ask(client, &wanted).await?;
            read(ecosystem, name, &wanted, &body)?
        }
        None => fetch(client, ecosystem, registry, name).await?,
    };

    let list = ecosystem.metadata_request(registry, name).url;
    for release in &mut releases {
        if versions.contains(&release.version)
            && let Some(wanted) = ecosystem.published_request(release)
            && let Ok(body) = ask(client, &wanted.resolve(&list)).await
        {
            // A time that cannot be read stays unknown.
            let _ = ecosystem.parse_published(release, &body);
        }
    }

    Ok(releases)
}

/// Fetches the rest of the metadata of releases, each with the name of its package.
pub(super) async fn details(
    client: &Client,
    ecosystem: &'static dyn Upgradable,
    wanted: Vec<(String, Release)>,
) -> Vec<(String, String, Result<Release, Unanswered>)> {
    let mut answers = Vec::new();
    let mut running = tokio::task::JoinSet::new();
    for (name, release) in wanted {
        if running.len() >= PARALLEL
            && let Some(Ok(answer)) = running.join_next().await
        {
            answers.push(answer);
        }

        let client = client.clone();
        running.spawn(async move {
            let version = release.version.clone();
            let answer = complete(&client, ecosystem, &name, release).await;
            (name, version, answer)
        });
    }

    while let Some(answer) = running.join_next().await {
        // A task ends early only by a panic, which ends the process.
        answers.extend(answer.ok());
    }

    answers
}

/// Fetches documents, by address. The second value says why one of them is missing, as a fragment for a
/// person.
pub(super) async fn documents(
    client: &Client,
    wanted: Vec<MetadataRequest>,
) -> (Downloads, Option<String>) {
    let mut missing: Option<(String, String)> = None;
    let mut documents = Downloads::new();
    let mut running = tokio::task::JoinSet::new();
    let mut wanted = wanted.into_iter();
    loop {
        while running.len() < PARALLEL
            && let Some(wanted) = wanted.next()
        {
            let client = client.clone();
            running.spawn(async move {
                let body = ask(&client, &wanted).await;
                (wanted.url, body)
            });
        }

        // A task ends early only by a panic, which ends the process.
        let Some(Ok((url, body))) = running.join_next().await else {
            return (documents, missing.map(|(_, reason)| reason));
        };
        match body {
            Ok(body) => _ = documents.insert(url, body),
            // The same one is told, whichever answer comes first.
            Err(unanswered) => {
                let first = missing.take().filter(|(known, _)| *known < url);
                missing = first.or(Some((url, unanswered.reason)));
            }
        }
    }
}

async fn complete(
    client: &Client,
    ecosystem: &dyn Upgradable,
    name: &str,
    mut release: Release,
) -> Result<Release, Unanswered> {
    let mut is_first = true;
    for _ in 0..MAX_PAGES {
        let Some(wanted) = release.details.clone() else {
            break;
        };
        let body = match ask(client, &wanted).await {
            Ok(body) => body,
            Err(unanswered) if is_first => return Err(unanswered),
            // What only a further document states stays unknown.
            Err(_) => break,
        };
        ecosystem
            .parse_details(name, &mut release, &body)
            .map_err(|error| unreadable(&wanted, &error))?;
        is_first = false;
    }

    release.details = None;
    Ok(release)
}

fn read(
    ecosystem: &dyn Upgradable,
    name: &str,
    wanted: &MetadataRequest,
    body: &[u8],
) -> Result<Vec<Release>, Unanswered> {
    ecosystem
        .parse_metadata(name, body)
        .map_err(|error| unreadable(wanted, &error))
}

fn unreadable(wanted: &MetadataRequest, error: &ParseError) -> Unanswered {
    Unanswered {
        reason: format!("the answer of `{}` {error}", redact_url(&wanted.url)),
        hint: error.hint.clone(),
        is_an_answer: false,
    }
}

/// The body of a document of a registry.
pub(super) async fn ask(client: &Client, wanted: &MetadataRequest) -> Result<Vec<u8>, Unanswered> {
    let mut request = Request::get(wanted.url.clone()).max_bytes(limits::MAX_METADATA_BYTES as u64);
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

    Ok(answer.body.to_vec())
}

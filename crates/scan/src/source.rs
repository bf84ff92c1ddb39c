//! Source of the advisories of one run: a store on disk, or OSV with the feeds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use patchgate_advisories::{
    AdvisoryLookup, CommitQuery, FeedSignals, FetchedFeeds, NoSignals, OsvClient, PackageQuery,
    SignalSource, Store, commit_queries, package_key, queries,
};
use patchgate_config::Config;
use patchgate_estimate::{MAX_MODEL_BYTES, SeverityModel};
use patchgate_fs::read_named;
use patchgate_http::{Client, ClientOptions, Environment};
use patchgate_model::{
    Advisory, EcosystemName, Inventory, Problem, SmolStr, SourceStatus, UserError, error_chain,
};
use patchgate_risk::Rater;
use tokio::sync::OnceCell;

/// Options of [`AdvisorySource::open`], as a user gives them.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// Directory of an offline store. `None` means the one that the settings name, or else OSV.
    pub store: Option<PathBuf>,
    /// Whether the network is off limits.
    pub offline: bool,
    /// Age in days above which a source of the store gets a warning; `None` is the settings' limit.
    pub max_age_days: Option<u32>,
    /// Base address of the OSV API.
    pub osv_url: String,
    /// Address of the KEV catalogue, or `none`.
    pub kev_url: String,
    /// Address of the EPSS scores, or `none`.
    pub epss_url: String,
    /// File with a model that estimates severities, instead of the built-in one.
    pub severity_model: Option<PathBuf>,
}

/// Longest time for one lookup with all its questions.
const LOOKUP_BUDGET: Duration = Duration::from_secs(300);

/// Longest time for one feed, which the findings can do without.
const FEED_TIMEOUT: Duration = Duration::from_secs(30);

/// The advisory source of one run.
#[derive(Debug)]
pub struct AdvisorySource {
    location: Location,
    /// Prefixes of ids that mark a release as malicious; see [`AdvisoryLookup::malicious_prefixes`].
    malicious_prefixes: Vec<String>,
    /// Records of vendors, in addition to those of the location.
    vendors: VendorRecords,
    /// The settings by which findings are rated.
    rater: Rater,
}

/// The model in a file that the user named.
fn severity_model(path: &Path) -> Result<SeverityModel, UserError> {
    let name = path.display();
    let bytes = read_named(path, MAX_MODEL_BYTES as u64)
        .map_err(|error| UserError::usage(format!("cannot read the model `{name}`: {error}")))?;
    SeverityModel::from_bytes(&bytes).map_err(|error| {
        UserError::usage(format!("cannot use `{name}`: {error}"))
            .with_hint("`patchgate train severity` writes a model")
    })
}

/// Records of vendors, by ecosystem and normalised name.
pub(crate) type VendorRecords = BTreeMap<(EcosystemName, SmolStr), Vec<Arc<Advisory>>>;

/// The location of the advisories.
#[derive(Debug)]
enum Location {
    /// A store on disk: no advisory is asked for over the network.
    Store(Store),
    /// OSV's API, with the KEV and EPSS feeds.
    Online(Box<Online>),
}

/// OSV's API, with the feeds, which are fetched when there is something to rank.
#[derive(Debug)]
struct Online {
    osv: OsvClient,
    http: Client,
    kev_url: Option<String>,
    epss_url: Option<String>,
    feeds: OnceCell<FetchedFeeds>,
}

/// Exploitation data, and the feeds that could not be fetched.
pub struct SourceSignals<'a> {
    /// The source of KEV and EPSS data.
    pub source: &'a dyn SignalSource,
    /// The feeds, with their age. One that could not be fetched has a warning.
    pub status: Vec<SourceStatus>,
    /// The feeds that could not be fetched.
    pub problems: Vec<Problem>,
}

impl AdvisorySource {
    /// Opens the store that the options or the settings name, or else OSV.
    ///
    /// # Errors
    /// When the run is offline without a store, or the store or the model cannot be read.
    pub fn open(
        options: &SourceOptions,
        config: &Config,
        root: &Path,
        environment: &Environment,
    ) -> Result<Self, UserError> {
        let mut rater = Rater::new(&config.profiles, config.sla, environment.today());
        if let Some(path) = &options.severity_model {
            rater = rater.with_severities(severity_model(path)?);
        }
        Ok(Self {
            location: Location::open(options, config, root, environment)?,
            malicious_prefixes: config.malicious_prefixes.clone(),
            vendors: VendorRecords::new(),
            rater,
        })
    }

    /// The settings by which findings are rated.
    pub fn rater(&self) -> &Rater {
        &self.rater
    }

    /// Adds the records of vendors to those of the source.
    pub(crate) fn add_vendors(&mut self, vendors: VendorRecords) {
        self.vendors = vendors;
    }

    /// The advisories of these packages.
    pub async fn lookup(&self, queries: &[PackageQuery]) -> AdvisoryLookup {
        self.lookup_all(queries, &[]).await
    }

    /// Whether the source knows the history of repositories, and so what affects a commit.
    pub fn knows_history(&self) -> bool {
        matches!(self.location, Location::Online(_))
    }

    /// The advisories of every package of an inventory, by name and by commit.
    pub async fn lookup_inventory(&self, inventory: &Inventory) -> AdvisoryLookup {
        self.lookup_all(&queries(inventory), &commit_queries(inventory))
            .await
    }

    /// The advisories of these commits, by commit alone.
    pub async fn lookup_commits(&self, commits: &[CommitQuery]) -> AdvisoryLookup {
        match &self.location {
            Location::Store(store) => AdvisoryLookup {
                sources: store.status(),
                ..AdvisoryLookup::default()
            },
            Location::Online(online) => online.osv.lookup_all(&[], commits).await,
        }
    }

    /// The ecosystems of an inventory for which a store has no export, so that a record may be
    /// missing from it. A server is asked by id and lacks none.
    pub fn lacks(&self, inventory: &Inventory) -> Vec<Problem> {
        match &self.location {
            Location::Store(store) => store.lookup(&queries(inventory)).problems,
            Location::Online(_) => Vec::new(),
        }
    }

    /// The records of the vulnerability with this id or alias, whole.
    ///
    /// # Errors
    /// When the source cannot be read, or gives a wrong answer.
    pub async fn by_id(&self, id: &str) -> Result<Vec<Advisory>, Problem> {
        match &self.location {
            Location::Store(store) => store.vulnerability(id),
            Location::Online(online) => online.osv.by_id(id).await,
        }
    }

    async fn lookup_all(
        &self,
        queries: &[PackageQuery],
        commits: &[CommitQuery],
    ) -> AdvisoryLookup {
        let mut lookup = match &self.location {
            Location::Store(store) => {
                let mut lookup = store.lookup(queries);
                store.look_up_repositories(commits, &mut lookup);
                lookup
            }
            Location::Online(online) => online.osv.lookup_all(queries, commits).await,
        };
        for query in queries.iter().filter(|_| !self.vendors.is_empty()) {
            let key = (query.ecosystem, package_key(query.ecosystem, &query.name));
            if let Some(records) = self.vendors.get(&key) {
                let known = lookup.advisories.entry(key).or_default();
                let new = records
                    .iter()
                    .filter(|record| !known.contains(record))
                    .cloned();
                let new: Vec<Arc<Advisory>> = new.collect();
                known.extend(new);
            }
        }

        AdvisoryLookup {
            malicious_prefixes: self.malicious_prefixes.clone(),
            ..lookup
        }
    }

    /// Exploitation data for the advisories of a lookup.
    pub async fn signals(&self, lookup: &AdvisoryLookup) -> SourceSignals<'_> {
        let none = |source| SourceSignals {
            source,
            status: Vec::new(),
            problems: Vec::new(),
        };
        match &self.location {
            Location::Store(store) => none(store),
            Location::Online(_)
                if lookup.advisories.is_empty()
                    && lookup.commits.is_empty()
                    && lookup.repositories.is_empty() =>
            {
                none(&NoSignals)
            }
            Location::Online(online) => online.signals().await,
        }
    }
}

impl Location {
    fn open(
        options: &SourceOptions,
        config: &Config,
        root: &Path,
        environment: &Environment,
    ) -> Result<Self, UserError> {
        if let Some(path) = store_path(options, config, root) {
            let max_age_days = options.max_age_days.unwrap_or(config.store.max_age_days);
            let max_age = SignedDuration::from_hours(24 * i64::from(max_age_days));
            let store = open_store(&path)?.with_max_age(environment.now(), max_age);
            return Ok(Self::Store(store));
        }
        if options.offline {
            return Err(UserError::usage("`--offline` needs a store").with_hint(
                "name one with `--store` or `PATCHGATE_STORE`; `patchgate db build` makes it",
            ));
        }

        let http = environment.client(false).map_err(no_client)?;
        Ok(Self::Online(Box::new(Online {
            osv: OsvClient::new(http, &options.osv_url).with_budget(LOOKUP_BUDGET),
            http: Client::new(ClientOptions {
                total_timeout: FEED_TIMEOUT,
                retries: 1,
                ..environment.client_options(false)
            })
            .map_err(no_client)?,
            kev_url: feed_url(&options.kev_url),
            epss_url: feed_url(&options.epss_url),
            feeds: OnceCell::new(),
        })))
    }
}

impl Online {
    async fn signals(&self) -> SourceSignals<'_> {
        let feeds = self
            .feeds
            .get_or_init(|| {
                FeedSignals::fetch(
                    &self.http,
                    self.kev_url.as_deref(),
                    self.epss_url.as_deref(),
                )
            })
            .await;
        let mut status = feeds.sources.clone();
        status.extend(feeds.problems.iter().map(|problem| SourceStatus {
            name: "feed".to_owned(),
            origin: problem.subject.clone(),
            as_of: None,
            records: None,
            warning: Some(problem.reason.clone()),
        }));

        SourceSignals {
            source: &feeds.signals,
            status,
            problems: feeds.problems.clone(),
        }
    }
}

/// The address of a feed; `none` leaves the feed out.
pub fn feed_url(url: &str) -> Option<String> {
    (url != "none").then(|| url.to_owned())
}

/// The store that is used: the flag or its variable, else the settings.
fn store_path(options: &SourceOptions, config: &Config, root: &Path) -> Option<PathBuf> {
    options
        .store
        .clone()
        .filter(|path| !path.as_os_str().is_empty())
        .or_else(|| config.store.path.as_ref().map(|path| root.join(path)))
}

/// Opens a store. One that cannot be opened is a usage error, because the user can repair it.
pub fn open_store(path: &Path) -> Result<Store, UserError> {
    Store::open(path).map_err(|error| {
        let hint = error.hint();
        UserError::usage(error_chain(&error)).with_hint(hint)
    })
}

/// The error of a network client that cannot be built.
pub(crate) fn no_client(error: patchgate_http::Error) -> UserError {
    let hint = error.hint().map(str::to_owned);
    UserError::failure(error_chain(&error)).with_optional_hint(hint)
}

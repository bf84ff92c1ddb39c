//! Files from outside of a repository on which its Maven projects build: parents, and imported
//! lists of versions (BOMs). They come from the local repository, else from the repositories that
//! Maven itself would ask.
//!
//! Deliberately not here: the meaning of a POM (`patchgate-ecosystems` reports the files that are
//! missing), running Maven, and addresses of our own. All addresses come from the settings, from
//! the installed Maven, and, over encrypted connections and without a password, from the scanned
//! projects. The scanned repository's own `.mvn` directory is ignored.

mod default_repository;
mod installation;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use patchgate_ecosystems::{Input, Siblings, format_by_id, maven};
use patchgate_fs::read_up_to;
use patchgate_http::{Caching, Client, ClientOptions, Environment, Request};
use patchgate_model::{Lockfile, error_chain};

pub use self::default_repository::{UnknownRepository, default_repository};
use self::settings::{Answering, Repository, Settings};
use crate::contents::{Contents, parse_among};
use crate::external::ExternalFiles;

/// Most files of one run, most bytes of one and of all, most rounds of fetching the files that the
/// last round's files need, and the longest time for all of it.
const MAX_FILES: usize = 1000;
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
const MAX_TOTAL_BYTES: usize = 128 * 1024 * 1024;
const MAX_ROUNDS: usize = 60;
const MAX_TIME: Duration = Duration::from_secs(180);

/// Longest time for one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Most files that are asked for at one time.
const PARALLEL: usize = 8;

/// Most repositories that scanned projects may add.
const MAX_DECLARED: usize = 8;

/// The local and the remote Maven repositories of one run.
pub struct MavenRepository<'a> {
    environment: &'a Environment,
    network: Network,
    client: Option<Client>,
    /// The projects of the repository that is being completed.
    projects: maven::Projects,
    /// The files that were looked for, by path in a repository.
    known: BTreeMap<String, Result<Vec<u8>, Unfetched>>,
    bytes: usize,
}

/// Whether servers may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// The repositories that Maven would ask.
    Maven,
    /// None: only the local repository is looked in.
    Off,
}

impl Network {
    /// As the flag `--offline` says.
    pub fn unless(offline: bool) -> Self {
        if offline { Self::Off } else { Self::Maven }
    }
}

/// The reason why a file could not be fetched.
#[derive(Debug, Clone)]
struct Unfetched {
    reason: String,
    hint: Option<String>,
}

/// The locations where files are looked for.
struct Locations {
    local: Option<PathBuf>,
    remote: Result<Vec<Answering>, Unfetched>,
}

impl<'a> MavenRepository<'a> {
    /// Prepares a run. Nothing is read or asked yet.
    pub fn new(environment: &'a Environment, network: Network) -> Self {
        Self {
            environment,
            network,
            client: None,
            projects: maven::Projects::default(),
            known: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// The lockfiles that need files which are known by now: all of them, or else one for each set
    /// of missing files. The modules of a project mostly need the same files, so one of them is
    /// enough to find the next ones, and the others are read again once at the end.
    fn stale(&self, contents: &Contents, all: bool) -> Vec<usize> {
        let mut sets = BTreeSet::new();
        let lockfiles = contents.inventory.lockfiles.iter().enumerate();

        lockfiles
            .filter(|(_, lockfile)| {
                let mut missing = lockfile.missing.iter();
                missing.any(|file| matches!(self.known.get(&file.path), Some(Ok(_))))
            })
            .filter(|(_, lockfile)| {
                let set: Vec<&str> = lockfile.missing.iter().map(|file| &*file.path).collect();
                sets.insert(set) || all
            })
            .map(|(index, _)| index)
            .collect()
    }

    /// Gives every missing file the reason why it is missing.
    fn explain(&self, contents: &mut Contents) {
        let lockfiles = &mut contents.inventory.lockfiles;
        for file in lockfiles.iter_mut().flat_map(|one| &mut one.missing) {
            if file.reason.is_some() || file.path.is_empty() {
                continue;
            }
            let (reason, hint) = match self.known.get(&file.path) {
                Some(Err(unfetched)) => (unfetched.reason.clone(), unfetched.hint.clone()),
                _ => (too_much(), None),
            };
            file.reason = Some(reason);
            file.hint = hint;
        }
    }

    /// The locations of files, by the settings and the installed Maven.
    fn locations(&mut self, contents: &Contents, scanned: &Path) -> Locations {
        let installations = installation::folders(self.environment, Some(scanned));
        let home = self.environment.variable("HOME").map(PathBuf::from);
        let (settings, fault) = all_settings(self.environment, &installations);

        let local = settings
            .local
            .as_ref()
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
            .or_else(|| home.map(|home| home.join(".m2/repository")));
        let remote = match fault {
            Some(fault) => Err(fault),
            None => self.remote(&settings, &installations, contents),
        };

        Locations { local, remote }
    }

    /// The repositories to ask over the network, in Maven's order: those of the settings, of the
    /// projects, and Maven's own.
    fn remote(
        &mut self,
        settings: &Settings,
        installations: &[PathBuf],
        contents: &Contents,
    ) -> Result<Vec<Answering>, Unfetched> {
        if self.network == Network::Off || settings.offline {
            return Err(Unfetched {
                reason: "is not in the local repository, and no other is asked offline".to_owned(),
                hint: Some(
                    "run `mvn dependency:go-offline` once, or scan without `--offline`".to_owned(),
                ),
            });
        }

        let declared = Declared::of(contents, &self.projects);
        let is_switched_off = |repository: &&Repository| {
            settings.switched_off.contains(&repository.id)
                || declared.switched_off.contains(&repository.id)
        };
        let own = installations
            .iter()
            .find_map(|folder| installation::repositories(folder))
            .unwrap_or_default();
        let without_own = own.iter().any(|one| is_switched_off(&one));
        let ours = |repository: &Repository| settings.answering(repository, true);
        let mut answering: Vec<Answering> = settings.repositories.iter().filter_map(ours).collect();
        answering.extend(
            declared
                .repositories
                .iter()
                .filter_map(|repository| settings.answering(repository, false)),
        );
        answering.extend(
            own.iter()
                .filter(|one| !is_switched_off(one))
                .filter_map(ours),
        );
        let mut seen = BTreeSet::new();
        answering.retain(|one| {
            (one.url.starts_with("https://") || settings::is_loopback(&one.url))
                && seen.insert(one.url.clone())
        });

        if answering.is_empty() && without_own {
            return Err(Unfetched {
                reason: "is not in the local repository, and releases from all others are \
                         switched off"
                    .to_owned(),
                hint: Some(
                    "name the repository that has it in `~/.m2/settings.xml`, or build it with \
                     `mvn install`"
                        .to_owned(),
                ),
            });
        }
        if answering.is_empty() {
            return Err(Unfetched {
                reason: "is not in the local repository, and no other is known".to_owned(),
                hint: Some(
                    "install Maven, or name a mirror in `~/.m2/settings.xml`: the repositories to \
                     ask come from there"
                        .to_owned(),
                ),
            });
        }
        // Only now: a client needs certificates, which a scan from a store does without.
        let options = ClientOptions {
            total_timeout: CALL_TIMEOUT,
            retries: 1,
            ..self.environment.client_options(false)
        };

        self.client = Some(Client::new(options).map_err(|error| Unfetched {
            reason: format!("could not be fetched: {}", error_chain(&error)),
            hint: error.hint().map(str::to_owned),
        })?);
        Ok(answering)
    }

    /// Looks for files, several at a time.
    async fn fetch(
        &mut self,
        paths: Vec<String>,
        locations: &Locations,
        started: Instant,
    ) -> Vec<(String, Result<Vec<u8>, Unfetched>)> {
        let mut answers = Vec::new();
        let mut running = tokio::task::JoinSet::new();
        for path in paths {
            let over = answers.len() + running.len() + self.known.len() >= MAX_FILES
                || self.bytes > MAX_TOTAL_BYTES
                || started.elapsed() > MAX_TIME;
            if over {
                answers.push((path, Err(Unfetched::too_much())));
                continue;
            }
            if let Some(bytes) = locations
                .local
                .as_deref()
                .and_then(|local| kept(local, &path))
            {
                self.bytes += bytes.len();
                answers.push((path, Ok(bytes)));
                continue;
            }

            let (remote, client) = match (&locations.remote, &self.client) {
                (Ok(remote), Some(client)) => (remote.clone(), client.clone()),
                (Err(unfetched), _) => {
                    answers.push((path, Err(unfetched.clone())));
                    continue;
                }
                (Ok(_), None) => continue,
            };
            if running.len() >= PARALLEL
                && let Some(Ok(answer)) = running.join_next().await
            {
                self.count(&answer);
                answers.push(answer);
            }

            running.spawn(async move {
                let found = ask_all(&client, &remote, &path).await;
                (path, found)
            });
        }

        while let Some(answer) = running.join_next().await {
            // A task ends early only by a panic, which ends the process.
            if let Ok(answer) = answer {
                self.count(&answer);
                answers.push(answer);
            }
        }

        answers
    }

    fn count(&mut self, answer: &(String, Result<Vec<u8>, Unfetched>)) {
        if let (_, Ok(bytes)) = answer {
            self.bytes += bytes.len();
        }
    }
}

impl ExternalFiles for MavenRepository<'_> {
    /// Fetches the files that Maven projects need, and reads the projects again with them, until
    /// nothing more is needed. Fetched files do not stay among those of the repository.
    async fn complete(&mut self, contents: &mut Contents, root: &Path) {
        if wanted(contents).is_empty() {
            return;
        }

        // Paths of an earlier repository may be those of other files in this one.
        self.projects = maven::Projects::default();
        let started = Instant::now();
        let locations = self.locations(contents, root);
        for _ in 0..MAX_ROUNDS {
            let open: Vec<String> = wanted(contents)
                .into_iter()
                .filter(|path| !self.known.contains_key(path))
                .collect();
            let is_settled = open.is_empty();
            for (path, found) in self.fetch(open, &locations, started).await {
                if let Ok(bytes) = &found {
                    let key = format!("{}{path}", maven::EXTERNAL);
                    contents.files.insert(key, bytes.clone());
                }
                self.known.insert(path, found);
            }
            self.projects.files_added();

            let stale = self.stale(contents, is_settled);
            if is_settled && stale.is_empty() {
                break;
            }

            for index in stale {
                let before = contents.inventory.lockfiles.get(index);
                let fresh = before.and_then(|lockfile| reread(lockfile, contents, &self.projects));
                if let (Some(fresh), Some(slot)) =
                    (fresh, contents.inventory.lockfiles.get_mut(index))
                {
                    *slot = fresh;
                }
            }
        }

        let files = std::mem::take(&mut contents.files);
        (contents.external, contents.files) = files
            .into_iter()
            .partition(|(path, _)| path.starts_with(maven::EXTERNAL));
        self.projects = maven::Projects::default();
        self.explain(contents);
    }
}

/// The settings of the user and of the first installation, and why one of them was not read.
fn all_settings(
    environment: &Environment,
    installations: &[PathBuf],
) -> (Settings, Option<Unfetched>) {
    let home = environment.variable("HOME").map(PathBuf::from);
    let user = home.map(|home| home.join(".m2/settings.xml"));
    let own = installations
        .first()
        .map(|folder| folder.join("conf/settings.xml"));

    let mut settings = Settings::default();
    let mut fault = None;
    for path in user.into_iter().chain(own) {
        match read_settings(environment, &path) {
            Ok(read) => settings = settings.and(read.unwrap_or_default()),
            Err(unfetched) => fault = Some(unfetched),
        }
    }
    (settings, fault)
}

fn read_settings(environment: &Environment, path: &Path) -> Result<Option<Settings>, Unfetched> {
    let failed = |why: String| Unfetched {
        reason: format!(
            "was not asked for: Maven's settings `{}` {why}",
            path.display()
        ),
        hint: Some("correct the file: it says which repositories may be asked".to_owned()),
    };

    let Some(text) = installation::text(path) else {
        return Ok(None);
    };
    let text = text.map_err(|error| failed(error.to_string()))?;
    let variable = |name: &str| environment.variable(name).map(str::to_owned);

    Settings::read(&text, &variable)
        .map(Some)
        .map_err(|error| failed(error.reason))
}

/// Reads a project again, now that more of the files it needs are there.
fn reread(
    lockfile: &Lockfile,
    contents: &Contents,
    projects: &maven::Projects,
) -> Option<Lockfile> {
    let format = format_by_id(lockfile.format.as_str())?;
    let bytes = contents.files.get(&lockfile.path)?;
    parse_among(format, &lockfile.path, bytes, &contents.files, projects).ok()
}

fn too_much() -> String {
    format!("was not asked for: the projects need more than {MAX_FILES} files, or too much time")
}

impl Unfetched {
    fn too_much() -> Self {
        Self {
            reason: too_much(),
            hint: None,
        }
    }
}

/// Paths of all missing files.
fn wanted(contents: &Contents) -> BTreeSet<String> {
    contents
        .inventory
        .lockfiles
        .iter()
        .flat_map(|lockfile| &lockfile.missing)
        .filter(|file| !file.path.is_empty() && file.reason.is_none())
        .map(|file| file.path.clone())
        .collect()
}

/// The repositories of the projects that lack files.
#[derive(Debug, Default)]
struct Declared {
    /// Those that may be asked for releases: only over encrypted connections, and without anything
    /// in the address but a host and a path.
    repositories: Vec<Repository>,
    /// Identifiers that every one of the projects switches off for releases, so that Maven asks
    /// those for none of them, not even if the identifier is one of Maven's own.
    switched_off: BTreeSet<String>,
}

impl Declared {
    fn of(contents: &Contents, projects: &maven::Projects) -> Self {
        let lacking = contents
            .inventory
            .lockfiles
            .iter()
            .filter(|lockfile| !lockfile.missing.is_empty());
        let mut found = Self::default();
        let mut off: Option<BTreeSet<String>> = None;
        for lockfile in lacking {
            let Some(bytes) = contents.files.get(&lockfile.path) else {
                continue;
            };
            let input = Input {
                path: &lockfile.path,
                bytes,
                siblings: &contents.files,
            };

            let (on, own_off): (Vec<_>, Vec<_>) = projects
                .repositories(&input)
                .unwrap_or_default()
                .into_iter()
                .partition(|one| one.releases);
            for one in on {
                found.add(Repository {
                    id: one.id,
                    url: one.url,
                });
            }

            let mut own_off: BTreeSet<String> = own_off.into_iter().map(|one| one.id).collect();
            if let Some(off) = off {
                own_off.retain(|id| off.contains(id));
            }
            off = Some(own_off);
        }

        found.switched_off = off.unwrap_or_default();
        found
    }

    fn add(&mut self, repository: Repository) {
        let plain =
            repository.url.starts_with("https://") && !repository.url.contains(['@', '?', '#']);
        let found = &mut self.repositories;
        if plain && !found.contains(&repository) && found.len() < MAX_DECLARED {
            found.push(repository);
        }
    }
}

/// A file of the local repository.
fn kept(local: &Path, path: &str) -> Option<Vec<u8>> {
    let full = local.join(path);
    if !full.is_file() {
        return None;
    }
    read_up_to(File::open(full).ok()?, MAX_FILE_BYTES).ok()?
}

fn is_project(path: &str, bytes: &[u8]) -> bool {
    let input = Input {
        path,
        bytes,
        siblings: &Siblings::new(),
    };
    maven::Projects::default().repositories(&input).is_ok()
}

/// The status by which a repository says that it does not have a file.
const NOT_FOUND: u16 = 404;

/// Asks one repository after the other. A file that one of them has is taken even when another
/// fails.
async fn ask_all(client: &Client, remote: &[Answering], path: &str) -> Result<Vec<u8>, Unfetched> {
    if path.ends_with("-SNAPSHOT.pom") {
        return Err(Unfetched {
            reason: "is a snapshot, which is taken from the local repository alone".to_owned(),
            hint: Some("build it with `mvn install` first".to_owned()),
        });
    }

    let mut failed: Option<Unfetched> = None;
    for one in remote {
        let request = Request::get(format!("{}/{path}", one.url))
            .max_bytes(MAX_FILE_BYTES)
            .auth(one.auth.as_ref());
        // A released file never changes, but the cache may have a server's error page instead of
        // it.
        let released = Caching::Immutable("maven".to_owned());

        let mut answer = client.get(&request, &released).await;
        if answer
            .as_ref()
            .is_ok_and(|answer| answer.cached && !is_project(path, &answer.body))
        {
            answer = client.get(&request, &Caching::Revalidate).await;
        }

        match answer {
            Ok(answer) => return Ok(answer.body),
            Err(error) if error.status() == Some(NOT_FOUND) => {}
            Err(error) => {
                failed.get_or_insert(Unfetched {
                    reason: format!("could not be fetched: {}", error_chain(&error)),
                    hint: error.hint().map(str::to_owned),
                });
            }
        }
    }

    Err(failed.unwrap_or_else(|| Unfetched {
        reason: match remote.len() {
            1 => "is not in the one repository that was asked".to_owned(),
            many => format!("is in none of {many} repositories that were asked"),
        },
        hint: Some(
            "name the repository that has it in `~/.m2/settings.xml`, or build it with \
             `mvn install`"
                .to_owned(),
        ),
    }))
}

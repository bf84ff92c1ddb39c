//! Runs of pnpm: the frozen check, and locking with overrides.
//!
//! pnpm has no command that gives an indirect dependency one version. An override does, for one run;
//! after it the parts of the lockfile that repeat settings are as before, and pnpm must leave the
//! result as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use patchgate_ecosystems::syntax::{self, Node};
use patchgate_ecosystems::{Input, Siblings};
use patchgate_model::{Lockfile, PackageIndex};
use serde_json::{Map, Value};

use super::scratch::Files;
use super::{LOCKFILE, Pnpm};
use crate::manager::{Answer, LockedProject, PackageManager, PinnedVersion, join};
use crate::process::{self, Output};
use crate::scratch::Scratch;
use crate::{RelockError, Relocked, RunOptions};

/// Arguments of every run.
const LOCK: [&str; 4] = [
    "install",
    "--lockfile-only",
    "--ignore-scripts",
    "--ignore-pnpmfile",
];

/// Keeps pnpm, and Corepack in its place, from running another version, and from asking.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("CI", "true"),
    ("COREPACK_ENABLE_NETWORK", "0"),
    ("COREPACK_ENABLE_PROJECT_SPEC", "0"),
    ("COREPACK_ENABLE_DOWNLOAD_PROMPT", "0"),
    ("npm_config_manage_package_manager_versions", "false"),
    ("pnpm_config_manage_package_manager_versions", "false"),
    ("pnpm_config_pm_on_fail", "ignore"),
    ("npm_config_update_notifier", "false"),
    ("pnpm_config_update_notifier", "false"),
];

/// The first version of pnpm that reads settings from `pnpm-workspace.yaml`.
const READS_WORKSPACE: (u64, u64) = (10, 5);

impl PackageManager for Pnpm {
    fn relock<'a>(
        &'a self,
        project: LockedProject<'a>,
        pins: &'a [PinnedVersion],
        options: RunOptions,
    ) -> Answer<'a, Relocked> {
        Box::pin(async move {
            let run = match Run::new(project, options).await {
                // Another version of pnpm, or none, locks nothing.
                Err(RelockError::NotInstalled { program }) => {
                    return Err(RelockError::NotExact { program });
                }
                run => run?,
            };
            // Older lockfiles are only written directly.
            if !run.writer.is_current() {
                return Err(RelockError::NotExact { program: "pnpm" });
            }
            let lockfile = run.relock(project, pins).await?;
            Ok(Relocked {
                lockfile: lockfile.into_bytes(),
                others: Siblings::new(),
                notes: Vec::new(),
            })
        })
    }

    fn check<'a>(&'a self, project: LockedProject<'a>, options: RunOptions) -> Answer<'a, ()> {
        Box::pin(async move {
            let run = Run::new(project, options).await?;
            run.holds(&run.own).await
        })
    }
}

/// The runs for one project.
struct Run {
    files: Files,
    /// The documents before the project's own one, which belong to pnpm itself.
    before: String,
    own: String,
    version: (u64, u64),
    writer: Writer,
    /// Settings that pnpm would read from files that are not given to it.
    settings: Vec<String>,
    options: RunOptions,
}

/// The versions of pnpm that write a version of the format. Every other one would convert the file
/// or refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// One major version, with its name.
    Only(u64, &'static str),
    /// pnpm 9 and later.
    Current,
}

impl Writer {
    /// The writer of a lockfile's own document, by its `lockfileVersion`.
    fn of(own: &str, format: &str) -> Option<Self> {
        if format == "pnpm-lock-v9" {
            return Some(Self::Current);
        }
        let documents = syntax::yaml_documents(own).ok()?;
        match documents.first()?.get("lockfileVersion")?.scalar()? {
            "5.3" => Some(Self::Only(6, "pnpm 6")),
            "5.4" => Some(Self::Only(7, "pnpm 7")),
            "6.0" => Some(Self::Only(8, "pnpm 8")),
            _ => None,
        }
    }

    fn is_current(self) -> bool {
        self == Self::Current
    }

    /// Whether a version of pnpm is one of them.
    fn is(self, (major, _): (u64, u64)) -> bool {
        match self {
            Self::Only(only, _) => major == only,
            Self::Current => major >= 9,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Only(_, name) => name,
            Self::Current => "pnpm",
        }
    }
}

impl Run {
    /// Prepares the runs.
    ///
    /// # Errors
    /// When pnpm is missing or writes another version of the format, or a file cannot be used.
    async fn new(project: LockedProject<'_>, options: RunOptions) -> Result<Self, RelockError> {
        let unusable = |reason: &str| RelockError::Unusable {
            path: project.lockfile.path.clone(),
            reason: reason.to_owned(),
        };
        let text = std::str::from_utf8(project.bytes).map_err(|_| unusable("it is not UTF-8"))?;
        if project.file_name() != LOCKFILE {
            return Err(unusable("it has another name than pnpm's"));
        }
        // Line ends and the mark at the beginning are not what pnpm writes.
        if text.contains('\r') || text.starts_with('\u{feff}') {
            return Err(unusable("it is not as pnpm writes it"));
        }
        let start = text.rfind("\n---\n").map_or(0, |at| at + "\n---\n".len());
        let (before, own) = text.split_at(start);
        if own.contains("\npnpmfileChecksum:") {
            return Err(unusable(
                "a program of the project, `.pnpmfile.cjs`, is a part of it",
            ));
        }

        let files = Files::of(project)?;
        let writer = Writer::of(own, project.lockfile.format.as_str())
            .ok_or(RelockError::NotInstalled { program: "pnpm" })?;
        let version = version(options).await?;
        if !writer.is(version) {
            return Err(RelockError::NotInstalled {
                program: writer.name(),
            });
        }
        let (files, settings) = match writer.is_current() {
            true => (with_settings(files, own), Vec::new()),
            false => {
                let settings = old_settings(&files, own);
                (files, settings)
            }
        };
        Ok(Self {
            files,
            before: before.to_owned(),
            own: own.to_owned(),
            version,
            writer,
            settings,
            options,
        })
    }

    /// Checks that pnpm accepts a lockfile frozen, and leaves it as it is.
    async fn holds(&self, own: &str) -> Result<(), RelockError> {
        let scratch = self.files.scratch(own)?;
        for mode in ["--frozen-lockfile", "--no-prefer-frozen-lockfile"] {
            let mut arguments = vec![mode];
            if mode != "--frozen-lockfile" {
                arguments.push("--no-frozen-lockfile");
            }
            let output = self.pnpm(&scratch, &arguments).await?;
            if !output.success {
                return Err(failed(&output, mode));
            }
            if scratch.read(LOCKFILE)? != own.as_bytes() {
                return Err(RelockError::Unstable {
                    command: format!("pnpm install --lockfile-only {mode}"),
                });
            }
        }

        Ok(())
    }

    async fn relock(
        &self,
        project: LockedProject<'_>,
        pins: &[PinnedVersion],
    ) -> Result<String, RelockError> {
        let overrides =
            overrides(project.lockfile, pins).ok_or(RelockError::NotExact { program: "pnpm" })?;
        let files = self.with_overrides(&overrides)?;
        let scratch = files.scratch(&self.own)?;
        let output = self.pnpm(&scratch, &["--no-frozen-lockfile"]).await?;
        if !output.success {
            return Err(failed(&output, "--no-frozen-lockfile"));
        }

        let text = String::from_utf8_lossy(&scratch.read(LOCKFILE)?).into_owned();
        let restored =
            restored(&text, &self.own, &self.files, &overrides).ok_or(RelockError::Unstable {
                command: "pnpm install --lockfile-only".to_owned(),
            })?;
        self.holds(&restored).await?;
        are_met(project, &restored, pins)?;
        Ok(format!("{}{restored}", self.before))
    }

    /// The files with overrides in addition to their own.
    fn with_overrides(&self, new: &BTreeMap<String, String>) -> Result<Files, RelockError> {
        let mut files = self.files.clone();
        if self.version < READS_WORKSPACE {
            let manifest = files.manifests.get("package.json");
            let mut manifest: Value = manifest
                .and_then(|bytes| serde_json::from_slice(bytes).ok())
                .unwrap_or_else(|| Value::Object(Map::new()));
            let mut at = &mut manifest;
            for key in ["pnpm", "overrides"] {
                let Some(object) = at.as_object_mut() else {
                    return Err(RelockError::NotExact { program: "pnpm" });
                };
                at = object
                    .entry(key)
                    .or_insert_with(|| Value::Object(Map::new()));
            }
            for (pattern, version) in new {
                at[pattern] = Value::from(version.as_str());
            }
            let text = manifest.to_string().into_bytes();
            files.manifests.insert("package.json".to_owned(), text);
            return Ok(files);
        }

        let settings = syntax::yaml_settings(&files.workspace).ok().flatten();
        let listed = settings
            .as_ref()
            .and_then(|settings| settings.get("overrides"));
        let mut all: Vec<(String, String)> = listed
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .filter_map(|(key, value)| Some((key.name.to_string(), value.scalar()?.to_owned())))
            .filter(|(pattern, _)| !new.contains_key(pattern))
            .collect();
        all.extend(new.clone());
        let listed: Vec<String> = all
            .iter()
            .map(|(pattern, version)| {
                format!(
                    "  {}: {}\n",
                    Value::from(&**pattern),
                    Value::from(&**version)
                )
            })
            .collect();
        files.workspace =
            without(&files.workspace, "overrides") + "overrides:\n" + &listed.concat();
        Ok(files)
    }

    async fn pnpm(&self, scratch: &Scratch, more: &[&str]) -> Result<Output, RelockError> {
        let mut arguments = LOCK.to_vec();
        if self.options.offline {
            arguments.push("--offline");
        }
        arguments.extend(self.settings.iter().map(String::as_str));
        arguments.extend(more);
        run(&arguments, scratch.path(), self.options).await
    }
}

async fn run(
    arguments: &[&str],
    directory: &Path,
    options: RunOptions,
) -> Result<Output, RelockError> {
    process::run("pnpm", arguments, directory, &ENVIRONMENT, options.timeout).await
}

/// The major and minor version of the installed pnpm.
async fn version(options: RunOptions) -> Result<(u64, u64), RelockError> {
    let scratch = Scratch::new()?;
    let output = run(&["--version"], scratch.path(), options).await?;
    let mut parts = output.stdout.trim().split('.');
    let mut number = || parts.next().and_then(|part| part.parse().ok());
    match (output.success, number(), number()) {
        (true, Some(major), Some(minor)) => Ok((major, minor)),
        // Corepack without a pnpm of its own.
        _ => Err(RelockError::NotInstalled { program: "pnpm" }),
    }
}

/// The settings that the lockfile repeats, where the workspace does not state them: pnpm also reads
/// them from files that are not given to it.
fn with_settings(mut files: Files, own: &str) -> Files {
    let documents = syntax::yaml_documents(own).unwrap_or_default();
    let stated = syntax::yaml_settings(&files.workspace).ok().flatten();
    let mut more = String::new();
    let listed = documents.first().and_then(|own| own.get("settings"));
    for (name, value) in listed.map(Node::entries).unwrap_or_default() {
        let is_stated = stated
            .as_ref()
            .is_some_and(|stated| stated.get(&name.name).is_some());
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
        if let Some(value) = value.text()
            && !is_stated
            && is_plain(value)
            && is_plain(&name.name)
        {
            more += &format!("{}: {value}\n", name.name);
        }
    }
    drop(stated);
    files.workspace += &more;
    files
}

/// The arguments with the settings of an older pnpm: those of the project's `.npmrc` that change the
/// graph, and those that the lockfile repeats.
fn old_settings(files: &Files, own: &str) -> Vec<String> {
    let mut settings = files.npmrc_settings();
    let documents = syntax::yaml_documents(own).unwrap_or_default();
    let listed = documents.first().and_then(|own| own.get("settings"));
    for (name, repeated) in [
        ("auto-install-peers", "autoInstallPeers"),
        ("exclude-links-from-lockfile", "excludeLinksFromLockfile"),
    ] {
        if let Some(value) = listed.and_then(|listed| listed.get(repeated)?.bool()) {
            settings.insert(name.to_owned(), value.to_string());
        }
    }
    settings
        .into_iter()
        .map(|(name, value)| format!("--config.{name}={value}"))
        .collect()
}

/// The text of settings without one of them.
fn without(text: &str, setting: &str) -> String {
    let mut is_in_it = false;
    let lines = text.split_inclusive('\n').filter(|line| {
        if !line.starts_with([' ', '#', '\n', '-']) {
            is_in_it = line
                .split(':')
                .next()
                .map(|key| key.trim_matches(['"', '\'']))
                == Some(setting);
        }
        !is_in_it
    });
    lines.collect()
}

/// The overrides that give the copies their versions. `None` where a project shares a package with a
/// copy that stays.
fn overrides(lockfile: &Lockfile, pins: &[PinnedVersion]) -> Option<BTreeMap<String, String>> {
    let mut overrides = BTreeMap::new();
    let mut set = |pattern: String, version: &str| {
        let known = overrides.insert(pattern, version.to_owned());
        known.is_none_or(|known| known == version)
    };

    for pin in pins.iter().filter(|pin| !pin.from.is_empty()) {
        let copies = lockfile
            .packages
            .iter()
            .filter(|package| package.name == pin.name);
        let versions: BTreeSet<&str> = copies.map(|package| package.version.as_str()).collect();
        let targets: BTreeSet<Option<&str>> = versions
            .iter()
            .map(|version| {
                let pin_of =
                    |other: &&PinnedVersion| other.name == pin.name && other.from == **version;
                pins.iter().find(pin_of).map(|other| other.to.as_str())
            })
            .collect();
        if targets.len() == 1 {
            if !set(pin.name.clone(), &pin.to) {
                return None;
            }
            continue;
        }

        let is_pinned = |to: &PackageIndex| {
            lockfile
                .package(*to)
                .is_some_and(|package| package.name == pin.name && package.version == pin.from)
        };
        let mut roots = lockfile.roots.iter().flat_map(|root| &root.edges);
        if roots.any(|edge| is_pinned(&edge.to)) {
            return None;
        }
        for package in &lockfile.packages {
            if package.edges.iter().any(|edge| is_pinned(&edge.to)) {
                let pattern = format!("{}@{}>{}", package.name, package.version, pin.name);
                if !set(pattern, &pin.to) {
                    return None;
                }
            }
        }
    }

    Some(overrides)
}

/// The lockfile after a run with overrides, with what repeats the project's own settings.
fn restored(
    text: &str,
    before: &str,
    files: &Files,
    new: &BTreeMap<String, String>,
) -> Option<String> {
    let documents = syntax::yaml_documents(text).ok()?;
    let own = documents.first()?;
    let mut lines: Vec<Option<String>> = text.lines().map(|line| Some(line.to_owned())).collect();

    for (directory, importer) in own.get("importers").map(Node::entries).unwrap_or_default() {
        let path = match &*directory.name {
            "." => "package.json".to_owned(),
            directory => join(directory, "package.json"),
        };
        let manifest: Option<Value> = files
            .manifests
            .get(&path)
            .and_then(|bytes| serde_json::from_slice(bytes).ok());
        for (section, listed) in importer.entries() {
            for (name, value) in listed.entries() {
                let (key, specifier) = value.entry("specifier")?;
                let is_overridden = specifier.text() == new.get(&*name.name).map(String::as_str);
                let asked = manifest
                    .as_ref()
                    .and_then(|manifest| manifest.get(&*section.name)?.get(&*name.name)?.as_str());
                if let Some(asked) = asked.filter(|_| is_overridden) {
                    let line = lines.get_mut((key.line as usize).checked_sub(1)?)?;
                    *line = Some(format!("        specifier: {}", quoted(asked, before)));
                }
            }
        }
    }

    // The overrides as before, and a catalog's entries are not touched by them.
    let section = |text: &str| -> String {
        let start = text.find("\noverrides:\n").map(|at| at + 1);
        let end = start.and_then(|start| text.get(start..)?.find("\n\n").map(|at| start + at + 2));
        let section = start.zip(end).and_then(|(start, end)| text.get(start..end));
        section.unwrap_or_default().to_owned()
    };
    let joined = lines.into_iter().flatten().collect::<Vec<_>>().join("\n") + "\n";
    let now = section(&joined);
    Some(joined.replacen(&now, &section(before), 1))
}

/// A requirement as pnpm writes it: as it was in the file, else plain where YAML allows that.
fn quoted(requirement: &str, before: &str) -> String {
    let quoted = format!("'{}'", requirement.replace('\'', "''"));
    let has = |text: &str| before.contains(&format!("specifier: {text}\n"));
    let starts_plain =
        requirement.starts_with(|c: char| c.is_ascii_alphanumeric() || "^~".contains(c));
    let is_number = requirement.parse::<f64>().is_ok();
    match has(&quoted) || !starts_plain || is_number || requirement.ends_with(':') {
        true => quoted,
        false => requirement.to_owned(),
    }
}

/// Checks that no copy has the version that it should not have any more.
fn are_met(
    project: LockedProject<'_>,
    text: &str,
    pins: &[PinnedVersion],
) -> Result<(), RelockError> {
    let input = Input {
        path: &project.lockfile.path,
        bytes: text.as_bytes(),
        siblings: project.manifests,
    };
    let lockfile = patchgate_ecosystems::parse(&input).map_err(|error| RelockError::Unusable {
        path: project.lockfile.path.clone(),
        reason: error.to_string(),
    })?;
    for pin in pins {
        let has = |version: &str| {
            let mut packages = lockfile.packages.iter();
            packages.any(|package| package.name == pin.name && package.version == version)
        };
        if !has(&pin.to) {
            return Err(RelockError::Refused {
                package: pin.name.clone(),
                version: pin.to.clone(),
                reason: "pnpm does not lock it".to_owned(),
            });
        }
    }

    Ok(())
}

fn failed(output: &Output, mode: &str) -> RelockError {
    let text = [&*output.stderr, &*output.stdout].join("\n");
    let is_message = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("[WARN]");
    let lines: Vec<&str> = text
        .lines()
        .filter(is_message)
        .take(4)
        .map(str::trim)
        .collect();
    RelockError::Failed {
        command: format!("pnpm install --lockfile-only {mode}"),
        reason: lines.join(" "),
    }
}

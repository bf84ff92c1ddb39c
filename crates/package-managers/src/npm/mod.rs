//! npm: changes versions of installed copies in `package-lock.json`, and lets npm complete the
//! tree.
//!
//! npm has no command that installs one exact version at one path of the tree, and its lock command
//! trusts the lockfile about packages deep in the tree. So npm itself writes the entries of the new
//! versions in an empty project; these replace the old entries, and npm is run on the result. Three
//! properties of npm shape the details:
//!
//! - It checks dependencies only along the paths from the root project that do not cross into a
//!   workspace. In a project with workspaces the changed copies therefore become direct dependencies of
//!   the root for one run, and a second run removes them again.
//! - Copies that a workspace keeps in its own `node_modules` are not reached that way either. They
//!   are removed, and chosen again while the workspace's requirement is exact.
//! - The lock command is run until a further run changes nothing.

mod config;
mod entries;
mod explain;
mod manager;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub(crate) use config::{registry, scope_registry, write_configuration};
use entries::CopyMove;
pub(crate) use manager::Npm;

use crate::process::{self, Output};
use crate::scratch::{Project, Scratch};
use crate::{RelockError, Relocked, RunOptions};

/// Arguments of every lock run. Git dependencies are not fetched, because npm would build them with
/// the scripts of their repository.
const LOCK: &[&str] = &[
    "install",
    "--package-lock-only",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-progress",
    "--loglevel=error",
    "--allow-git=none",
];

/// The command that accepts or refuses a lockfile as it is.
const CHECK: &[&str] = &[
    "ci",
    "--dry-run",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-progress",
    "--loglevel=error",
    "--allow-git=none",
];

/// The keys of a manifest that contain requirements.
const SECTIONS: [&str; 4] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// Changes versions of copies in an npm project's lockfile. The project's directory must be the top
/// of its files.
///
/// # Errors
/// When npm is missing, fails, takes too long, cannot install a copy as asked, or does not settle.
async fn relock(
    project: &Project,
    moves: &[CopyMove],
    options: RunOptions,
) -> Result<Relocked, RelockError> {
    let mut lockfile = parse(&project.lockfile_name, &project.lockfile)?;
    let run = Run {
        project,
        format: entries::format(&lockfile),
        options,
    };
    let forced = run.place(&mut lockfile, moves).await?;

    // The name in the lockfile stays, whatever the directory of this checkout is called.
    let name = lockfile
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or(&project.directory_name);
    let scratch = Scratch::named(name)?;
    config::write_configuration(&scratch, &project.configuration)?;
    run.write_manifests(&scratch, &BTreeMap::new())?;
    scratch.write(&project.lockfile_name, &run.print(&lockfile))?;
    if !forced.is_empty() {
        run.write_manifests(&scratch, &forced)?;
        // A conflict between peers that only the forced dependencies make is no reason to stop:
        // the run that counts follows.
        if let Err(error) = run.lock(&scratch).await {
            tracing::debug!(%error, "the run with forced dependencies failed");
            scratch.write(&project.lockfile_name, &run.print(&lockfile))?;
        }
        run.write_manifests(&scratch, &BTreeMap::new())?;
    }
    run.lock(&scratch).await?;
    let mut result = scratch.read(&project.lockfile_name)?;
    // Removing the forced dependencies can uncover one more step; more would be a loop.
    let mut settled = false;
    for _ in 0..2 {
        run.lock(&scratch).await?;
        let again = scratch.read(&project.lockfile_name)?;
        settled = again == result;
        if settled {
            break;
        }
        result = again;
    }
    if !settled {
        return Err(RelockError::Unstable {
            command: "npm install --package-lock-only --ignore-scripts".to_owned(),
        });
    }
    placed_as_asked(&parse(&project.lockfile_name, &result)?, moves)?;
    Ok(Relocked {
        others: patchgate_ecosystems::Siblings::new(),
        notes: notes(&project.lockfile, &result),
        lockfile: result,
    })
}

/// Checks that `npm ci` accepts the lockfile. Nothing is downloaded but metadata that the lockfile
/// lacks, and nothing is installed.
async fn check(project: &Project, options: RunOptions) -> Result<(), RelockError> {
    let scratch = Scratch::new()?;
    config::write_configuration(&scratch, &project.configuration)?;
    for (path, content) in &project.manifests {
        scratch.write(path, content)?;
    }
    scratch.write(&project.lockfile_name, &project.lockfile)?;

    let mut arguments = CHECK.to_vec();
    if options.offline {
        arguments.push("--offline");
    }
    let output = process::run(
        "npm",
        &arguments,
        scratch.path(),
        config::ENVIRONMENT,
        options.timeout,
    )
    .await?;

    if output.success {
        Ok(())
    } else {
        Err(RelockError::Failed {
            command: "npm ci --dry-run --ignore-scripts".to_owned(),
            reason: explain::reason(&output),
        })
    }
}

/// Refuses a result in which a changed copy has its old version again.
fn placed_as_asked(lockfile: &Value, moves: &[CopyMove]) -> Result<(), RelockError> {
    for step in moves {
        match entries::version_at(lockfile, &step.install_path) {
            Some(version) if version == step.from => {
                return Err(RelockError::Refused {
                    package: step.name.clone(),
                    version: step.to.clone(),
                    reason: format!("npm puts {version} back at `{}`", step.install_path),
                });
            }
            _ => {}
        }
    }

    Ok(())
}

/// Notes about changes that npm made besides the upgrades, and that may surprise a user.
fn notes(before: &[u8], after: &[u8]) -> Vec<String> {
    let mut notes = Vec::new();
    if entries::says_resolved(before) && !entries::says_resolved(after) {
        notes.push(
            "npm is configured with `omit-lockfile-registry-resolved` here, so it drops the \
             `resolved` lines of the lockfile"
                .to_owned(),
        );
    }

    notes
}

/// One relocking with its settings.
struct Run<'a> {
    project: &'a Project,
    /// Version of the lockfile's format, which stays.
    format: u64,
    options: RunOptions,
}

/// Requirements that are exact for one run: by manifest, then by name under which it asks.
type Forced = BTreeMap<String, BTreeMap<String, String>>;

impl Run<'_> {
    /// Puts the new entries into the lockfile and says which requirements must be exact for one
    /// run, so that npm looks at them.
    async fn place(&self, lockfile: &mut Value, moves: &[CopyMove]) -> Result<Forced, RelockError> {
        let mut forced = Forced::new();
        if moves.is_empty() {
            return Ok(forced);
        }

        let written = self.written_by_npm(moves).await?;
        let workspaces = self.has_workspaces();

        let mut anchors = BTreeSet::new();
        for (index, step) in moves.iter().enumerate() {
            let lacks = |reason: &str| RelockError::Refused {
                package: step.name.clone(),
                version: step.to.clone(),
                reason: reason.to_owned(),
            };
            if let Some((folder, name)) = self.own_dependency(step) {
                forced
                    .entry(format!("{folder}/package.json"))
                    .or_default()
                    .insert(name, exact(step));
                entries::remove(lockfile, &step.install_path);
                continue;
            }

            let entry = written
                .as_ref()
                .and_then(|lockfile| entries::written(lockfile, &key(index)))
                .ok_or_else(|| lacks("npm did not write an entry for it"))?;
            if !entries::paste(lockfile, step, &entry) {
                return Err(lacks(&format!(
                    "the lockfile has no copy at `{}`",
                    step.install_path
                )));
            }

            if workspaces && let Some(top) = top_of(&step.install_path) {
                anchors.insert(top.to_owned());
            }
        }

        let root = self.anchors(lockfile, &anchors);
        if !root.is_empty() {
            forced
                .entry("package.json".to_owned())
                .or_default()
                .extend(root);
        }

        Ok(forced)
    }

    /// Lets npm write the entries of the new versions, each as a dependency of an empty project.
    async fn written_by_npm(&self, moves: &[CopyMove]) -> Result<Option<Value>, RelockError> {
        let wanted: Map<String, Value> = moves
            .iter()
            .enumerate()
            .map(|(index, step)| {
                (
                    key(index),
                    Value::String(format!("npm:{}@{}", step.name, step.to)),
                )
            })
            .collect();

        let scratch = Scratch::new()?;
        config::write_configuration(&scratch, &self.project.configuration)?;
        let manifest = json!({"private": true, "dependencies": wanted});
        scratch.write("package.json", manifest.to_string().as_bytes())?;

        // The content of a release never changes, so npm's cache is as good as the registry. It
        // lacks only releases that were published after the package was cached.
        // Forced, because a package for another platform is nothing optional in this project.
        let how = ["--legacy-peer-deps", "--lockfile-version=3", "--force"];
        let cached = [how[0], how[1], how[2], "--prefer-offline"];

        let mut output = self.npm(&scratch, &cached).await?;
        if !output.success {
            output = self.npm(&scratch, &how).await?;
        }

        if !output.success {
            return Err(missing_version(&output, moves).unwrap_or_else(|| failed(&output)));
        }

        let written = scratch.read("package-lock.json")?;
        Ok(Some(parse("package-lock.json", &written)?))
    }

    /// For a copy that a workspace keeps in its own `node_modules` because it asks for it itself:
    /// the workspace's directory and the name under which it asks.
    fn own_dependency(&self, step: &CopyMove) -> Option<(String, String)> {
        let (folder, name) = step.install_path.rsplit_once("/node_modules/")?;
        if folder.starts_with("node_modules") || folder.contains("/node_modules") {
            return None;
        }

        let manifest = self.manifest(&format!("{folder}/package.json"))?;
        SECTIONS
            .iter()
            .any(|section| {
                manifest
                    .get(*section)
                    .is_some_and(|needs| needs.get(name).is_some())
            })
            .then(|| (folder.to_owned(), name.to_owned()))
    }

    /// Direct dependencies of the root that make npm look at the copies at the top of the tree.
    fn anchors(&self, lockfile: &Value, tops: &BTreeSet<String>) -> BTreeMap<String, String> {
        let own = self.manifest("package.json").unwrap_or_default();
        let mut anchors = BTreeMap::new();
        for name in tops {
            let direct = SECTIONS.iter().any(|section| {
                own.get(*section)
                    .is_some_and(|needs| needs.get(name).is_some())
            });
            let entry = entries::packages(lockfile)
                .and_then(|packages| packages.get(&format!("node_modules/{name}")));
            let Some(entry) = entry.filter(|_| !direct) else {
                continue;
            };
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            let from_registry = text("resolved").is_none_or(|address| address.starts_with("http"));
            if entry.get("link").is_some() || !from_registry {
                continue;
            }

            if let Some(version) = text("version") {
                let requirement = match text("name") {
                    Some(real) => format!("npm:{real}@{version}"),
                    None => version.to_owned(),
                };
                anchors.insert(name.clone(), requirement);
            }
        }

        anchors
    }

    fn has_workspaces(&self) -> bool {
        self.manifest("package.json")
            .is_some_and(|manifest| manifest.get("workspaces").is_some())
    }

    fn manifest(&self, path: &str) -> Option<Value> {
        serde_json::from_slice(self.project.manifests.get(path)?).ok()
    }

    /// Writes the manifests, with the forced requirements instead of their own.
    fn write_manifests(&self, scratch: &Scratch, forced: &Forced) -> Result<(), RelockError> {
        for (path, content) in &self.project.manifests {
            let Some(forced) = forced.get(path) else {
                scratch.write(path, content)?;
                continue;
            };
            let mut manifest = parse(path, content)?;
            for (name, requirement) in forced {
                force(&mut manifest, name, requirement);
            }
            scratch.write(path, manifest.to_string().as_bytes())?;
        }

        Ok(())
    }

    /// Runs npm's lock command on the project.
    ///
    /// The first attempt uses npm's cache: requesting every package of a tree again takes far
    /// longer than the work itself, and the packages that change were requested just before. Only
    /// when that attempt fails, everything is requested again.
    async fn lock(&self, scratch: &Scratch) -> Result<(), RelockError> {
        let format = format!("--lockfile-version={}", self.format);
        let lockfile = scratch.read(&self.project.lockfile_name)?;
        let output = self.npm(scratch, &[&format, "--prefer-offline"]).await?;
        if output.success {
            return Ok(());
        }

        scratch.write(&self.project.lockfile_name, &lockfile)?;
        let output = self.npm(scratch, &[&format]).await?;

        if output.success {
            Ok(())
        } else {
            Err(failed(&output))
        }
    }

    async fn npm(&self, scratch: &Scratch, more: &[&str]) -> Result<Output, RelockError> {
        let mut arguments = LOCK.to_vec();
        if self.options.offline {
            arguments.push("--offline");
        }

        arguments.extend(more);
        process::run(
            "npm",
            &arguments,
            scratch.path(),
            config::ENVIRONMENT,
            self.options.timeout,
        )
        .await
    }

    /// The lockfile as text in the indentation of the original, which npm then keeps.
    fn print(&self, lockfile: &Value) -> Vec<u8> {
        let original = String::from_utf8_lossy(&self.project.lockfile);
        let indent: String = original
            .lines()
            .nth(1)
            .map(|line| line.chars().take_while(|c| c.is_whitespace()).collect())
            .filter(|indent: &String| !indent.is_empty())
            .unwrap_or_else(|| "  ".to_owned());
        let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
        let mut text = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);

        // Writing a JSON value to memory cannot fail.
        let _ = serde::Serialize::serialize(lockfile, &mut serializer);
        text.push(b'\n');

        text
    }
}

/// Name under which an empty project asks for the package of a move.
fn key(index: usize) -> String {
    format!("p{index}")
}

/// The requirement that only the new version of a move meets.
fn exact(step: &CopyMove) -> String {
    let alias = step
        .install_path
        .rsplit_once("node_modules/")
        .is_some_and(|(_, name)| name != step.name);
    if alias {
        format!("npm:{}@{}", step.name, step.to)
    } else {
        step.to.clone()
    }
}

/// Name of the copy at the top of the tree that a path leads through.
fn top_of(install_path: &str) -> Option<&str> {
    install_path
        .strip_prefix("node_modules/")?
        .split("/node_modules/")
        .next()
}

/// Sets a requirement where the manifest has one, or adds it.
fn force(manifest: &mut Value, name: &str, requirement: &str) {
    let Some(manifest) = manifest.as_object_mut() else {
        return;
    };
    let mut found = false;
    for section in SECTIONS {
        if let Some(needs) = manifest.get_mut(section).and_then(Value::as_object_mut)
            && let Some(own) = needs.get_mut(name)
        {
            *own = Value::String(requirement.to_owned());
            found = true;
        }
    }

    if !found {
        let needs = manifest
            .entry("dependencies")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(needs) = needs.as_object_mut() {
            needs.insert(name.to_owned(), Value::String(requirement.to_owned()));
        }
    }
}

fn failed(output: &Output) -> RelockError {
    if let Some(reason) = explain::environment(output) {
        return RelockError::Io {
            action: "run `npm` here".to_owned(),
            source: std::io::Error::other(reason),
        };
    }

    RelockError::Failed {
        command: "npm install --package-lock-only --ignore-scripts".to_owned(),
        reason: explain::reason(output),
    }
}

/// The move whose version npm says does not exist, when it says so.
fn missing_version(output: &Output, moves: &[CopyMove]) -> Option<RelockError> {
    if !output.stderr.contains("ETARGET") {
        return None;
    }

    let step = moves.iter().find(|step| {
        output
            .stderr
            .contains(&format!("{}@{}", step.name, step.to))
    })?;
    Some(RelockError::Refused {
        package: step.name.clone(),
        version: step.to.clone(),
        reason: "the registry does not offer this version to npm".to_owned(),
    })
}

fn parse(path: &str, bytes: &[u8]) -> Result<Value, RelockError> {
    serde_json::from_slice(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)).map_err(
        |error| RelockError::Unusable {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    )
}

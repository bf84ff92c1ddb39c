//! Changes of the graph of an npm lockfile, as the planner would make them, with metadata from a
//! registry.

use std::path::Path;
use std::process::Command;

use patchgate_ecosystems::{
    Downloads, Ecosystem as _, Format, Input, Release, Requirement, Siblings, TargetEdge,
    TargetGraph, TargetNode, Upgradable as _, npm::Npm,
};
use patchgate_model::{DependencyKind, Lockfile};
use patchgate_package_managers::{
    LockedProject, PackageManager, RelockError, RunOptions, manager_of,
};
use patchgate_testkit::{NpmRegistry, Tools};

/// Runs a test again with a program on its search path. `true` in that run.
pub(crate) fn has_program(program: &Path, test: &str) -> bool {
    const MARK: &str = "PATCHGATE_TEST_HAS_PROGRAM";
    if std::env::var_os(MARK).is_some() {
        return true;
    }

    let mut paths = vec![program.parent().unwrap().to_owned()];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("PATH", std::env::join_paths(paths).unwrap())
        .env("HOME", home.path())
        .env(MARK, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
    false
}

/// How a manager is run on a [`Project`].
pub(crate) struct Manager {
    pub(crate) format: &'static str,
    pub(crate) lockfile: &'static str,
    /// The command with these arguments.
    pub(crate) run: fn(&Project<'_>, &[&str]) -> Command,
    /// The arguments that lock the project.
    pub(crate) lock: &'static [&'static str],
    /// The arguments of each run that must leave a written lockfile as it is.
    pub(crate) checks: &'static [&'static [&'static str]],
}

/// A project in a directory of its own.
pub(crate) struct Project<'a> {
    manager: &'static Manager,
    pub(crate) tools: &'a Tools,
    pub(crate) registry: &'a NpmRegistry,
    directory: tempfile::TempDir,
    pub(crate) siblings: Siblings,
}

impl<'a> Project<'a> {
    pub(crate) fn new(
        manager: &'static Manager,
        tools: &'a Tools,
        registry: &'a NpmRegistry,
        files: &[(&str, &str)],
    ) -> Self {
        let mut project = Self {
            manager,
            tools,
            registry,
            directory: tempfile::tempdir().unwrap(),
            siblings: Siblings::new(),
        };
        for (path, text) in files {
            project.add(path, text);
        }
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Adds a file, or replaces it.
    pub(crate) fn add(&mut self, path: &str, text: &str) {
        let target = self.path().join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, text).unwrap();
        self.siblings
            .insert(path.to_owned(), text.as_bytes().to_vec());
    }

    fn run(&self, arguments: &[&str]) {
        let output = (self.manager.run)(self, arguments)
            .env("HOME", self.path())
            .current_dir(self.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {text}");
    }

    fn lockfile(&self) -> String {
        std::fs::read_to_string(self.path().join(self.manager.lockfile)).unwrap()
    }

    /// The lockfile as the manager writes it.
    pub(crate) fn locked(&self) -> String {
        self.run(self.manager.lock);
        self.lockfile()
    }

    /// The lockfile as Patchgate writes it after a change of its graph.
    pub(crate) fn written(
        &self,
        text: &str,
        change: impl FnOnce(&mut Locked<'_>),
    ) -> Result<String, String> {
        let mut locked = Locked::new(self.manager.lockfile, text, &self.siblings, self.registry);
        change(&mut locked);
        locked.write()
    }

    /// The same for a change after which the manager leaves the lockfile as it is.
    pub(crate) fn changed(&self, text: &str, change: impl FnOnce(&mut Locked<'_>)) -> String {
        let written = self.written(text, change).unwrap();
        self.holds(&written);
        written
    }

    /// Asserts that the manager leaves a lockfile as it is.
    pub(crate) fn holds(&self, written: &str) {
        for arguments in self.manager.checks {
            std::fs::write(self.path().join(self.manager.lockfile), written).unwrap();
            self.run(arguments);
            assert_eq!(self.lockfile(), written, "{arguments:?}");
        }
    }

    /// The result of a run of the manager by Patchgate.
    pub(crate) fn managed<T>(
        &self,
        text: &str,
        act: impl AsyncFnOnce(&'static dyn PackageManager, LockedProject<'_>) -> T,
    ) -> T {
        let manager = manager_of(self.manager.format).unwrap();
        let path = self.manager.lockfile;
        let configuration = manager.configuration(self.path(), path);
        let locked = Locked::new(path, text, &self.siblings, self.registry);
        let project = LockedProject {
            root: self.path(),
            lockfile: &locked.lockfile,
            bytes: text.as_bytes(),
            manifests: &self.siblings,
            configuration: &configuration,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(act(manager, project))
    }

    /// Checks a lockfile with Patchgate's run of the manager.
    pub(crate) fn check(&self, text: &str) -> Result<(), RelockError> {
        self.managed(text, async |manager, project| {
            manager.check(project, RunOptions::default()).await
        })
    }
}

/// A lockfile with the files around it.
pub(crate) struct Locked<'a> {
    format: &'static Format,
    path: &'static str,
    text: String,
    siblings: &'a Siblings,
    pub(crate) lockfile: Lockfile,
    registry: &'a NpmRegistry,
    pub(crate) target: TargetGraph,
}

impl<'a> Locked<'a> {
    pub(crate) fn new(
        path: &'static str,
        text: &str,
        siblings: &'a Siblings,
        registry: &'a NpmRegistry,
    ) -> Self {
        let formats = Npm.files().unwrap().formats();
        let format = formats
            .iter()
            .find(|format| format.files.contains(&path))
            .unwrap();
        let input = Input {
            path,
            bytes: text.as_bytes(),
            siblings,
        };
        let lockfile = (format.parse)(&input).unwrap();
        Self {
            format,
            path,
            text: text.to_owned(),
            siblings,
            target: TargetGraph::unchanged(&lockfile),
            lockfile,
            registry,
        }
    }

    /// Changes the first copy of this version to another one. What the release needs is bound to the
    /// copies that are there, else to new ones of the newest release that fits.
    pub(crate) fn change(&mut self, name: &str, from: &str, to: &str) {
        let node = (0..self.target.nodes.len())
            .find(|node| {
                self.target.nodes[*node].name == name
                    && self.target.version(&self.lockfile, *node) == Some(from)
            })
            .unwrap();
        let release = self.release(name, |release| release.version == to);
        let edges = self.bound(Some(node), &release);
        let node = &mut self.target.nodes[node];
        node.release = Some(release);
        node.edges = edges;
    }

    /// Gives one dependency of a package a copy of its own, of this version.
    pub(crate) fn split(&mut self, dependent: &str, name: &str, version: &str) {
        let release = self.release(name, |release| release.version == version);
        let edges = self.bound(None, &release);
        self.target.nodes.push(TargetNode {
            was: None,
            name: name.to_owned(),
            release: Some(release),
            edges,
        });
        let to = self.target.nodes.len() - 1;
        let mut nodes = self.target.nodes.iter_mut();
        let node = nodes.find(|node| node.name == dependent).unwrap();
        let mut edges = node.edges.iter_mut();
        edges.find(|edge| edge.name == name).unwrap().to = to;
    }

    /// Changes the requirements of the projects on a package.
    pub(crate) fn require(&mut self, name: &str, requirement: &str) {
        for edge in self.target.roots.iter_mut().flatten() {
            if edge.name == name {
                edge.requirement = Some(requirement.to_owned());
            }
        }
    }

    fn release(&self, name: &str, is_meant: impl Fn(&Release) -> bool) -> Release {
        let document = self.registry.document(name);
        let releases = Npm.parse_metadata(name, &document).unwrap();
        releases.into_iter().rfind(is_meant).unwrap()
    }

    fn bound(&mut self, of: Option<usize>, release: &Release) -> Vec<TargetEdge> {
        let mut edges = Vec::new();
        for requirement in &release.requirements {
            if let Some(to) = self.dependency(of, requirement) {
                edges.push(TargetEdge {
                    name: requirement.name.clone(),
                    requirement: Some(requirement.requirement.clone()),
                    kind: requirement.kind,
                    to,
                });
            }
        }
        edges
    }

    fn dependency(&mut self, of: Option<usize>, requirement: &Requirement) -> Option<usize> {
        let own = of.and_then(|of| {
            let edges = &self.target.nodes[of].edges;
            edges.iter().find(|edge| edge.name == requirement.name)
        });
        let is_admitted = |to: usize| {
            let version = self.target.version(&self.lockfile, to);
            version.is_none_or(|version| Npm.admits(&requirement.requirement, version) != Ok(false))
        };
        if let Some(own) = own.filter(|own| is_admitted(own.to)) {
            return Some(own.to);
        }
        if !requirement.condition.is_empty() {
            return None;
        }

        let name = requirement.package_name();
        let admits = |version: &str| Npm.admits(&requirement.requirement, version).unwrap();
        let known = (0..self.target.nodes.len()).find(|node| {
            self.target.nodes[*node].name == name
                && self
                    .target
                    .version(&self.lockfile, *node)
                    .is_some_and(admits)
        });
        if known.is_some() || requirement.kind == DependencyKind::Peer {
            return known;
        }

        let release = self.release(name, |release| admits(&release.version));
        let edges = self.bound(None, &release);
        self.target.nodes.push(TargetNode {
            was: None,
            name: name.to_owned(),
            release: Some(release),
            edges,
        });
        Some(self.target.nodes.len() - 1)
    }

    /// Removes the copies that nothing needs.
    pub(crate) fn prune(&mut self) {
        let count = self.target.nodes.len();
        let mut is_needed = vec![false; count];
        let mut open: Vec<usize> = self
            .target
            .roots
            .iter()
            .flatten()
            .map(|edge| edge.to)
            .collect();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut is_needed[node], true) {
                open.extend(self.target.nodes[node].edges.iter().map(|edge| edge.to));
            }
        }

        let number = |node: usize| is_needed[..node].iter().filter(|needed| **needed).count();
        for edge in self.target.roots.iter_mut().flatten() {
            edge.to = number(edge.to);
        }
        for node in &mut self.target.nodes {
            for edge in &mut node.edges {
                edge.to = number(edge.to);
            }
        }
        let mut needed = is_needed.iter();
        self.target.nodes.retain(|_| *needed.next().unwrap());
    }

    /// The lockfile with the graph.
    pub(crate) fn write(&mut self) -> Result<String, String> {
        self.prune();
        let input = Input {
            path: self.path,
            bytes: self.text.as_bytes(),
            siblings: self.siblings,
        };
        let writer = self.format.writer.unwrap();
        let mut downloads = Downloads::new();
        for node in &self.target.nodes {
            let release = node.release.iter();
            let wanted = release
                .flat_map(|release| writer.downloads_for(&self.lockfile, &node.name, release));
            for request in wanted {
                let archive = self.registry.archive(&request.url);
                downloads.insert(request.url, archive);
            }
        }
        let written = writer.write(&input, &self.lockfile, &self.target, &downloads);
        let mut files = written.map_err(|error| error.reason)?;
        Ok(String::from_utf8(files.remove(self.path).unwrap()).unwrap())
    }
}

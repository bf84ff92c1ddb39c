//! Changes of the graph of an npm lockfile, as the planner would make them, with metadata from a
//! registry.

use std::path::Path;
use std::process::Command;

use patchgate_ecosystems::{
    Downloads, Ecosystem as _, Format, Input, Release, Requirement, Siblings, TargetEdge,
    TargetGraph, TargetNode, Upgradable as _, npm::Npm,
};
use patchgate_model::{DependencyKind, Lockfile};
use patchgate_testkit::NpmRegistry;

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

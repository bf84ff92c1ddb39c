//! The managers of Python themselves on files that Patchgate wrote.

mod pdm;
mod pip_compile;
mod poetry;
mod pylock;
mod uv;

use std::collections::BTreeMap;
use std::path::Path;

use patchgate_ecosystems::Ecosystem as _;
use patchgate_ecosystems::{
    Downloads, Format, Input, Release, Siblings, TargetEdge, TargetGraph, TargetNode, pypi::PyPi,
};
use patchgate_model::{Edge, Lockfile, PackageIndex};
use patchgate_testkit::{PyIndex, PyRelease};

fn format(id: &str) -> &'static Format {
    let mut formats = PyPi.files().unwrap().formats().iter();
    formats.find(|format| format.id == id).unwrap()
}

/// Packages of which `a` 1.1 has the dependencies that `needs` adds to those of both managers.
fn index(needs: &[&str], wheels: &[&str]) -> PyIndex {
    let made = PyRelease::new;
    let needs: Vec<&str> = ["b<2,>=1", "c~=1.0", "n"]
        .iter()
        .chain(needs)
        .copied()
        .collect();
    let new = made("a", "1.1", &needs);
    PyIndex::start(vec![
        made("a", "1.0", &["b>=1"]),
        match wheels {
            [] => new,
            wheels => new.with_wheels(wheels),
        },
        made("b", "1.0", &[]),
        made("c", "1.0", &[]),
        made("n", "2.0", &[]),
        made("older", "1.0", &[]),
        made("windows", "1.0", &[]),
        made("q", "1.0", &["b", "c ; extra == 'x'"]),
    ])
}

/// A project in a directory.
struct Project<'a> {
    directory: &'a Path,
    index: &'a PyIndex,
    format: &'static Format,
    lockfile: &'static str,
}

impl Project<'_> {
    fn read(&self) -> String {
        std::fs::read_to_string(self.directory.join(self.lockfile)).unwrap()
    }

    fn save(&self, text: &str) {
        std::fs::write(self.directory.join(self.lockfile), text).unwrap();
    }

    /// Raises the requirement on `a` to 1.1, and asserts that the lockfile is written as the manager
    /// writes it, and that its further runs change nothing.
    fn assert_raised(&self, lock: impl Fn(&str), run: impl Fn(&[&str]), checks: [&[&str]; 2]) {
        let locked = |requirement: &str| {
            lock(requirement);
            self.read()
        };
        let old = locked(">=1,<1.1");
        let lockfile = self.parse(&old);
        let new = locked(">=1.1");
        let written = self.changed(&lockfile, &old, &new).unwrap();
        assert_eq!(written, new);
        assert_eq!(self.written(&new, &new).as_deref(), Ok(&*new));

        self.save(&written);
        for arguments in checks {
            run(arguments);
            assert_eq!(self.read(), written, "{arguments:?}");
        }
    }

    fn siblings(&self) -> Siblings {
        let names = ["pyproject.toml", "requirements.in"];
        names
            .into_iter()
            .filter_map(|name| {
                let content = std::fs::read(self.directory.join(name)).ok()?;
                Some((name.to_owned(), content))
            })
            .collect()
    }

    fn parse(&self, text: &str) -> Lockfile {
        let siblings = self.siblings();
        (self.format.parse)(&Input {
            path: self.lockfile,
            bytes: text.as_bytes(),
            siblings: &siblings,
        })
        .unwrap()
    }

    /// A file with the packages and edges of another one, written from the releases of the index.
    fn written(&self, before: &str, after: &str) -> Result<String, String> {
        self.changed(&self.parse(before), before, after)
    }

    /// The same for a file that was read with its manifest of before.
    fn changed(&self, old: &Lockfile, before: &str, after: &str) -> Result<String, String> {
        let new = self.parse(after);
        let siblings = self.siblings();
        let input = Input {
            path: self.lockfile,
            bytes: before.as_bytes(),
            siblings: &siblings,
        };
        let target = self.target(old, &new);
        let writer = self.format.writer.unwrap();
        let written = writer.write(&input, old, &target, &Downloads::new());
        let mut files = written.map_err(|error| error.reason)?;
        Ok(String::from_utf8(files.remove(self.lockfile).unwrap()).unwrap())
    }

    fn release(&self, name: &str, version: &str) -> Release {
        let ecosystem = PyPi.upgradable().unwrap();
        let name = PyPi.normalize_name(name);
        let releases = ecosystem
            .parse_metadata(&name, &self.index.page(&name))
            .unwrap();
        let found = releases.into_iter().find(|one| one.version == version);
        let mut release = found.unwrap();
        let body = self.index.metadata(&name, version);
        ecosystem.parse_details(&name, &mut release, &body).unwrap();
        release
    }

    fn target(&self, old: &Lockfile, new: &Lockfile) -> TargetGraph {
        // The nodes, and the package of the new lockfile that each stands for. Copies of a package
        // keep their order.
        let mut left: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (number, package) in new.packages.iter().enumerate().rev() {
            left.entry(&package.name).or_default().push(number);
        }
        let mut nodes: Vec<(Option<PackageIndex>, usize)> = Vec::new();
        for (index, package) in old.indexed() {
            let found = left.get_mut(package.name.as_str()).and_then(Vec::pop);
            nodes.extend(found.map(|number| (Some(index), number)));
        }
        let mut added: Vec<usize> = left.into_values().flatten().collect();
        added.sort_unstable();
        nodes.extend(added.into_iter().map(|number| (None, number)));

        let node_of: BTreeMap<usize, usize> = (0..)
            .zip(&nodes)
            .map(|(node, (_, package))| (*package, node))
            .collect();
        let edges = |edges: &[Edge]| {
            let edge = |edge: &Edge| TargetEdge {
                name: edge.name.to_string(),
                requirement: edge.requirement.as_deref().map(str::to_owned),
                kind: edge.kind,
                to: node_of[&(edge.to.0 as usize)],
            };
            edges.iter().map(edge).collect()
        };
        let needs_every = self.format.writer.unwrap().needs_every_release();
        let node = |(was, number): &(Option<PackageIndex>, usize)| {
            let package = &new.packages[*number];
            let before = was.and_then(|was| old.package(was));
            let moves = before.is_none_or(|before| before.version != package.version);
            TargetNode {
                was: *was,
                name: package.name.clone(),
                release: (moves || needs_every)
                    .then(|| self.release(&package.name, &package.version)),
                edges: edges(&package.edges),
            }
        };
        TargetGraph {
            nodes: nodes.iter().map(node).collect(),
            roots: new.roots.iter().map(|root| edges(&root.edges)).collect(),
        }
    }
}

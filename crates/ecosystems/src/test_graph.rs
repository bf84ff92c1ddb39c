//! Lockfiles and graphs for the tests of writers.

use std::path::Path;

use patchgate_model::{DependencyKind, Lockfile};

use crate::test_files::siblings;
use crate::{
    Downloads, Format, Input, Release, Requirement, Siblings, TargetEdge, TargetGraph, TargetNode,
    fixable_format,
};

/// A lockfile with the files around it.
pub(crate) struct Case {
    path: &'static str,
    pub(crate) text: String,
    pub(crate) siblings: Siblings,
    pub(crate) lockfile: Lockfile,
}

impl Case {
    /// A lockfile, which is read with other files: each a path and a text.
    pub(crate) fn new(path: &'static str, text: &str, others: &[(&str, &str)]) -> Self {
        let siblings = siblings(others);
        let lockfile = (format(path).parse)(&input(path, text.as_bytes(), &siblings)).unwrap();
        Self {
            path,
            text: text.to_owned(),
            siblings,
            lockfile,
        }
    }

    /// With a manifest after its edits.
    pub(crate) fn edited(mut self, path: &str, manifest: &str) -> Self {
        let bytes = manifest.as_bytes().to_vec();
        self.siblings.insert(path.to_owned(), bytes);
        self
    }

    /// The graph of the lockfile.
    pub(crate) fn target(&self) -> TargetGraph {
        TargetGraph::unchanged(&self.lockfile)
    }

    /// The text that the lockfile gets for a graph, else the obstacle.
    pub(crate) fn write(&self, target: &TargetGraph) -> Result<String, String> {
        self.write_with(target, &Downloads::new())
    }

    /// The same with documents of the registry.
    pub(crate) fn write_with(
        &self,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<String, String> {
        let input = input(self.path, self.text.as_bytes(), &self.siblings);
        let writer = format(self.path).writer.unwrap();
        let mut files = writer
            .write(&input, &self.lockfile, target, downloads)
            .map_err(|error| error.reason)?;

        let own = files.remove(self.path).unwrap();
        assert!(files.is_empty(), "{files:?}");
        Ok(String::from_utf8(own).unwrap())
    }

    /// The text for the lockfile's own graph after a change.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut TargetGraph)) -> Result<String, String> {
        let mut target = self.target();
        change(&mut target);
        self.write(&target)
    }

    /// The graph with a release for a package.
    pub(crate) fn moved(&self, name: &str, release: Release) -> TargetGraph {
        let mut target = self.target();
        set(&mut target, name, release);
        target
    }
}

/// The format of a file that has a writer.
fn format(path: &str) -> &'static Format {
    let (_, format) = fixable_format(path).unwrap();
    format
}

fn input<'a>(path: &'a str, bytes: &'a [u8], siblings: &'a Siblings) -> Input<'a> {
    Input {
        path,
        bytes,
        siblings,
    }
}

/// Index of the first copy of a package.
pub(crate) fn node(target: &TargetGraph, name: &str) -> usize {
    let mut nodes = target.nodes.iter();
    nodes.position(|node| node.name == name).unwrap()
}

/// Gives the first copy of a package a release.
pub(crate) fn set(target: &mut TargetGraph, name: &str, release: Release) {
    let node = node(target, name);
    target.nodes[node].release = Some(release);
}

/// Adds a package without dependencies. No package depends on it yet.
pub(crate) fn add(target: &mut TargetGraph, name: &str, release: Release) {
    target.nodes.push(TargetNode {
        was: None,
        name: name.to_owned(),
        release: Some(release),
        edges: Vec::new(),
    });
}

/// Gives packages releases. One that the graph does not have is added.
pub(crate) fn set_or_add(target: &mut TargetGraph, releases: &[(&str, Release)]) {
    for (name, release) in releases {
        match target.nodes.iter().any(|node| node.name == *name) {
            true => set(target, name, release.clone()),
            false => add(target, name, release.clone()),
        }
    }
}

/// Removes a node with the edges to it.
pub(crate) fn without(target: &mut TargetGraph, gone: usize) {
    target.nodes.remove(gone);
    let nodes = target.nodes.iter_mut().map(|node| &mut node.edges);
    for edges in nodes.chain(&mut target.roots) {
        edges.retain(|edge| edge.to != gone);
        for edge in edges {
            edge.to -= usize::from(edge.to > gone);
        }
    }
}

/// A dependency at run time.
pub(crate) fn edge(name: &str, requirement: &str, to: usize) -> TargetEdge {
    TargetEdge {
        name: name.to_owned(),
        requirement: Some(requirement.to_owned()),
        kind: DependencyKind::Runtime,
        to,
    }
}

/// Requirements of a release: each a name, the versions, and the condition.
pub(crate) fn requirements(stated: &[(&str, &str, &str)]) -> Vec<Requirement> {
    let requirement = |(name, requirement, condition): &(&str, &str, &str)| Requirement {
        name: (*name).to_owned(),
        requirement: (*requirement).to_owned(),
        condition: (*condition).to_owned(),
        ..Requirement::default()
    };
    stated.iter().map(requirement).collect()
}

/// What [`requirements`] was given for the requirements of a release.
pub(crate) fn stated(release: &Release) -> Vec<(&str, &str, &str)> {
    release
        .requirements
        .iter()
        .map(|one| (&*one.name, &*one.requirement, &*one.condition))
        .collect()
}

/// Asserts that every lockfile with this name in a directory of fixtures and in the corpus keeps its
/// bytes, and calls `check` for each that can be read.
#[track_caller]
pub(crate) fn assert_kept(file_name: &str, fixtures: &str, check: impl Fn(&str, &Lockfile)) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join(fixtures);
    let mut files = patchgate_testkit::files_below(&fixtures);
    if let Some(shared) = patchgate_testkit::shared_dir() {
        files.extend(patchgate_testkit::files_below(&shared.join("corpus")));
    }
    files.retain(|path| path.file_name().is_some_and(|name| name == file_name));

    let siblings = Siblings::new();
    let mut count = 0;
    for path in files {
        #[expect(clippy::disallowed_methods, reason = "a test reads its fixtures")]
        let bytes = std::fs::read(&path).unwrap();
        let input = input(file_name, &bytes, &siblings);
        let Ok(lockfile) = (format(file_name).parse)(&input) else {
            continue;
        };

        let writer = format(file_name).writer.unwrap();
        let target = TargetGraph::unchanged(&lockfile);
        let written = writer.write(&input, &lockfile, &target, &Downloads::new());
        assert_eq!(written.unwrap()[file_name], bytes, "{}", path.display());
        check(std::str::from_utf8(&bytes).unwrap(), &lockfile);
        count += 1;
    }
    assert!(count > 0, "no file is named `{file_name}`");
}

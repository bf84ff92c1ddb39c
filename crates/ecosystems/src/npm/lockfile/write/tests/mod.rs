mod files;
mod graphs;

use patchgate_model::{DependencyKind, Lockfile};
use serde_json::{Value, json};

use super::NpmLockWriter;
use crate::npm::lockfile::parse;
use crate::{
    Downloads, Input, LockfileWriter as _, Release, Requirement, Siblings, TargetEdge, TargetGraph,
    TargetNode,
};

/// An entry with a hash of its version.
fn entry(name: &str, version: &str, more: Value) -> Value {
    let mut entry = json!({
        "version": version,
        "resolved": format!("https://npm.invalid/{name}/-/{name}-{version}.tgz"),
        "integrity": format!("sha512-{version}"),
    });
    if let (Some(entry), Value::Object(more)) = (entry.as_object_mut(), more) {
        entry.extend(more);
    }
    entry
}

/// A release whose document is whole, of another host.
fn release(name: &str, version: &str, more: Value) -> Release {
    let mut document = json!({
        "_id": format!("{name}@{version}"),
        "version": version,
        "dist": {
            "tarball": format!("https://alias.invalid/{name}/-/{name}-{version}.tgz"),
            "integrity": format!("sha512-{version}"),
        },
    });
    let mut requirements = Vec::new();
    for (section, kind) in [
        ("dependencies", DependencyKind::Runtime),
        ("optionalDependencies", DependencyKind::Optional),
        ("peerDependencies", DependencyKind::Peer),
    ] {
        for (name, requirement) in more
            .get(section)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            requirements.push(Requirement {
                name: name.clone(),
                requirement: requirement.as_str().unwrap().to_owned(),
                kind,
                ..Requirement::default()
            });
        }
    }
    if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
        document.extend(more);
    }
    Release {
        version: version.to_owned(),
        requirements,
        document: Some(document),
        ..Release::default()
    }
}

fn edge(name: &str, requirement: &str, to: usize) -> TargetEdge {
    TargetEdge {
        name: name.to_owned(),
        requirement: Some(requirement.to_owned()),
        kind: DependencyKind::Runtime,
        to,
    }
}

/// A lockfile with the manifests around it.
struct Case {
    text: String,
    siblings: Siblings,
    lockfile: Lockfile,
}

impl Case {
    /// A file of version 3 as npm prints it. The root project's entry is the manifest.
    fn new(packages: &Value) -> Self {
        let file = json!({
            "name": "app",
            "lockfileVersion": 3,
            "requires": true,
            "packages": packages,
        });
        Self::of_text(&printed(&file), &packages[""])
    }

    fn of_text(text: &str, manifest: &Value) -> Self {
        let bytes = manifest.to_string().into_bytes();
        let siblings = Siblings::from([("package.json".to_owned(), bytes)]);
        let lockfile = parse(&input(text, &siblings)).unwrap();
        Self {
            text: text.to_owned(),
            siblings,
            lockfile,
        }
    }

    /// With a manifest after its edits.
    fn edited(mut self, path: &str, manifest: &Value) -> Self {
        let bytes = manifest.to_string().into_bytes();
        self.siblings.insert(path.to_owned(), bytes);
        self
    }

    fn target(&self) -> TargetGraph {
        TargetGraph::unchanged(&self.lockfile)
    }

    fn at(&self, path: &str) -> usize {
        let same =
            |package: &patchgate_model::Package| package.install_path.as_deref() == Some(path);
        self.lockfile.packages.iter().position(same).unwrap()
    }

    fn write(&self, target: &TargetGraph) -> Result<String, String> {
        self.write_with(target, &Downloads::new())
    }

    fn write_with(&self, target: &TargetGraph, downloads: &Downloads) -> Result<String, String> {
        let input = input(&self.text, &self.siblings);
        NpmLockWriter
            .write(&input, &self.lockfile, target, downloads)
            .map(|mut files| String::from_utf8(files.remove("package-lock.json").unwrap()).unwrap())
            .map_err(|error| error.reason)
    }
}

fn input<'a>(text: &'a str, siblings: &'a Siblings) -> Input<'a> {
    Input {
        path: "package-lock.json",
        bytes: text.as_bytes(),
        siblings,
    }
}

/// A document in npm's layout and order.
fn printed(value: &Value) -> String {
    let text = "{\n  \"a\": 0\n}\n";
    let document = super::print::Document {
        text,
        style: super::print::Style::of(text).unwrap(),
    };
    let mut out = document.printed(value);
    out.push('\n');
    out
}

/// The packages of a written file.
fn packages(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    // What was written is in npm's own order and layout.
    assert_eq!(printed(&value), text);
    value["packages"].clone()
}

/// Removes a package from a graph.
fn without(target: &mut TargetGraph, gone: usize) {
    target.nodes.remove(gone);
    let nodes = target.nodes.iter_mut().map(|node| &mut node.edges);
    for edges in nodes.chain(&mut target.roots) {
        edges.retain(|edge| edge.to != gone);
        for edge in edges {
            edge.to -= usize::from(edge.to > gone);
        }
    }
}

/// `p` and `q` need `a`; `p` gets the copy at the top, `q` one of its own.
fn two_copies() -> Case {
    Case::new(&json!({
        "": {"name": "app", "dependencies": {"p": "^1.0.0"}, "devDependencies": {"q": "^1.0.0"}},
        "node_modules/a": entry("a", "1.0.0", json!({"license": "MIT"})),
        "node_modules/p": entry("p", "1.0.0", json!({"dependencies": {"a": "^1.0.0"}})),
        "node_modules/q": entry("q", "1.0.0", json!({"dependencies": {"a": "^2.0.0"}, "dev": true})),
        "node_modules/q/node_modules/a": entry("a", "2.0.0", json!({"dev": true})),
    }))
}

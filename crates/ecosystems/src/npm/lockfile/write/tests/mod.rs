mod files;
mod graphs;

use patchgate_model::{DependencyKind, Package};
use serde_json::{Value, json};

use super::NpmLockWriter;
use crate::test_graph::{Case, edge, without};
use crate::{
    Downloads, LockfileWriter as _, Release, Requirement, Siblings, TargetEdge, TargetGraph,
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

/// A file of version 3 as npm prints it. The root project's entry is the manifest.
fn locked(packages: &Value) -> Case {
    let file = json!({
        "name": "app",
        "lockfileVersion": 3,
        "requires": true,
        "packages": packages,
    });
    locked_text(&printed(&file), &packages[""])
}

fn locked_text(text: &str, manifest: &Value) -> Case {
    let others = [("package.json", &*manifest.to_string())];
    Case::new("package-lock.json", text, &others)
}

/// The index of the copy in a directory.
fn copy_at(case: &Case, path: &str) -> usize {
    let mut packages = case.lockfile.packages.iter();
    let same = |package: &Package| package.install_path.as_deref() == Some(path);
    packages.position(same).unwrap()
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

/// `p` and `q` need `a`; `p` gets the copy at the top, `q` one of its own.
fn two_copies() -> Case {
    locked(&json!({
        "": {"name": "app", "dependencies": {"p": "^1.0.0"}, "devDependencies": {"q": "^1.0.0"}},
        "node_modules/a": entry("a", "1.0.0", json!({"license": "MIT"})),
        "node_modules/p": entry("p", "1.0.0", json!({"dependencies": {"a": "^1.0.0"}})),
        "node_modules/q": entry("q", "1.0.0", json!({"dependencies": {"a": "^2.0.0"}, "dev": true})),
        "node_modules/q/node_modules/a": entry("a", "2.0.0", json!({"dev": true})),
    }))
}

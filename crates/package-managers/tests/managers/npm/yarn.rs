//! yarn 1 itself on lockfiles that Patchgate wrote.

use std::path::Path;
use std::process::Command;

use patchgate_ecosystems::Ecosystem as _;
use patchgate_ecosystems::{
    Downloads, Format, Input, Release, Requirement, Siblings, TargetEdge, TargetGraph, TargetNode,
    npm::Npm,
};
use patchgate_model::{DependencyKind, Origin};
use patchgate_testkit::{NpmRegistry, Tools, files_below, shared_dir};
use serde_json::json;

use super::support::Locked;

const MANIFEST: &str = r#"{
  "name": "app",
  "version": "1.0.0",
  "license": "MIT",
  "private": true,
  "dependencies": {
    "@own/p": "^1.0.0",
    "q": "^1.0.0"
  }
}
"#;

fn format() -> &'static Format {
    let formats = Npm.files().unwrap().formats();
    formats
        .iter()
        .find(|format| format.id == "yarn-lock")
        .unwrap()
}

/// Runs yarn in a project.
fn yarn(tools: &Tools, directory: &Path, registry: &str, arguments: &[&str]) {
    let output = Command::new(tools.node())
        .arg(tools.yarn())
        .args(["install", "--ignore-scripts", "--non-interactive"])
        .args(["--registry", registry])
        .args(arguments)
        .arg("--cache-folder")
        .arg(directory.join("cache"))
        .env("HOME", directory)
        .current_dir(directory)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

/// Checks that yarn accepts a lockfile as it is, and leaves it as it is when it may change it.
fn holds(tools: &Tools, directory: &Path, registry: &str, lockfile: &str) {
    let path = directory.join("yarn.lock");
    std::fs::write(&path, lockfile).unwrap();
    for arguments in [&["--frozen-lockfile"][..], &["--force"], &[]] {
        yarn(tools, directory, registry, arguments);
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            lockfile,
            "{arguments:?}"
        );
    }
}

/// A release with what an entry of yarn's own lockfile says about its archive.
fn release(text: &str, name: &str, version: &str, needs: &[(&str, &str)]) -> Release {
    let file = name.rsplit('/').next().unwrap();
    let line = text
        .lines()
        .position(|line| line.contains(&format!("/{name}/-/{file}-{version}.tgz#")))
        .unwrap();
    let resolved = text.lines().nth(line).unwrap().split('"').nth(1).unwrap();
    let integrity = text.lines().nth(line + 1).unwrap().trim();
    let (tarball, shasum) = resolved.split_once('#').unwrap();
    Release {
        version: version.to_owned(),
        requirements: needs
            .iter()
            .map(|(name, requirement)| Requirement {
                name: (*name).to_owned(),
                requirement: (*requirement).to_owned(),
                kind: DependencyKind::Runtime,
                ..Requirement::default()
            })
            .collect(),
        document: Some(json!({"dist": {
            "tarball": tarball,
            "shasum": shasum,
            "integrity": integrity.strip_prefix("integrity ").unwrap(),
        }})),
        ..Release::default()
    }
}

fn write(text: &str, siblings: &Siblings, change: impl FnOnce(&mut TargetGraph)) -> String {
    let input = Input {
        path: "yarn.lock",
        bytes: text.as_bytes(),
        siblings,
    };
    let lockfile = (format().parse)(&input).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    change(&mut target);
    let writer = format().writer.unwrap();
    let mut files = writer
        .write(&input, &lockfile, &target, &Downloads::new())
        .unwrap();
    String::from_utf8(files.remove("yarn.lock").unwrap()).unwrap()
}

fn node(target: &TargetGraph, name: &str) -> usize {
    target
        .nodes
        .iter()
        .position(|node| node.name == name)
        .unwrap()
}

#[test]
fn yarn_accepts_what_is_written_and_leaves_it() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let made = patchgate_testkit::Release::new;
    let registry = NpmRegistry::start(vec![
        made("a", "1.0.0", &[]),
        made("a", "1.2.0", &[("b", ">=2"), ("@own/c", "1.0.0 || 2")]),
        made("b", "2.0.0", &[]),
        made("@own/c", "2.0.0", &[]),
        made("@own/p", "1.0.0", &[("a", "^1.0.0")]),
        made("q", "1.0.0", &[("a", "~1.0.0")]),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let (directory, url) = (directory.path(), registry.url());
    std::fs::write(directory.join("package.json"), MANIFEST).unwrap();
    let siblings = Siblings::from([("package.json".to_owned(), MANIFEST.as_bytes().to_vec())]);
    yarn(&tools, directory, &url, &[]);
    let fresh = std::fs::read_to_string(directory.join("yarn.lock")).unwrap();

    // The two versions of `a` become one, and what only the other one needs leaves.
    let old = release(&fresh, "a", "1.0.0", &[]);
    let merged = write(&fresh, &siblings, |target| {
        let high = node(target, "b");
        assert!(high > 0);
        let names: Vec<String> = target.nodes.iter().map(|node| node.name.clone()).collect();
        let keep: Vec<bool> = names
            .iter()
            .map(|name| name != "b" && name != "@own/c")
            .collect();
        let moved: Vec<usize> = (0..names.len())
            .map(|index| keep.iter().take(index).filter(|keep| **keep).count())
            .collect();
        for node in &mut target.nodes {
            node.edges.retain(|edge| keep[edge.to]);
            for edge in &mut node.edges {
                edge.to = moved[edge.to];
            }
        }
        for edge in target.roots.iter_mut().flatten() {
            edge.to = moved[edge.to];
        }
        let mut keeps = keep.iter();
        target.nodes.retain(|_| *keeps.next().unwrap());
        for node in target.nodes.iter_mut().filter(|node| node.name == "a") {
            node.release = Some(old.clone());
        }
    });
    assert!(merged.contains("\na@^1.0.0, a@~1.0.0:\n"), "{merged}");
    assert!(!merged.contains("\nb@"), "{merged}");
    holds(&tools, directory, &url, &merged);

    // Split again, these are the bytes that yarn wrote.
    let split = write(&merged, &siblings, |target| {
        let at = target.nodes.len();
        let needs = [("b", ">=2"), ("@own/c", "1.0.0 || 2")];
        let edge = |(index, (name, requirement)): (usize, &(&str, &str))| TargetEdge {
            name: (*name).to_owned(),
            requirement: Some((*requirement).to_owned()),
            kind: DependencyKind::Runtime,
            to: at + 1 + index,
        };
        let new = |name: &str, release, edges| TargetNode {
            was: None,
            name: name.to_owned(),
            release: Some(release),
            edges,
        };
        let edges = needs.iter().enumerate().map(edge).collect();
        target.nodes.extend([
            new("a", release(&fresh, "a", "1.2.0", &needs), edges),
            new("b", release(&fresh, "b", "2.0.0", &[]), Vec::new()),
            new(
                "@own/c",
                release(&fresh, "@own/c", "2.0.0", &[]),
                Vec::new(),
            ),
        ]);
        let parent = node(target, "@own/p");
        target.nodes[parent].edges[0].to = at;
    });
    assert_eq!(split, fresh);
    holds(&tools, directory, &url, &split);
}

#[test]
fn yarn_accepts_a_resolution_and_leaves_it() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let made = patchgate_testkit::Release::new;
    let registry = NpmRegistry::start(vec![
        made("a", "1.0.0", &[]),
        made("a", "1.2.0", &[]),
        made("@own/p", "1.0.0", &[("a", "^1.0.0")]),
        made("q", "1.0.0", &[("a", "~1.0.0")]),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let (directory, url) = (directory.path(), registry.url());
    std::fs::write(directory.join("package.json"), MANIFEST).unwrap();
    yarn(&tools, directory, &url, &[]);
    let fresh = std::fs::read_to_string(directory.join("yarn.lock")).unwrap();

    let siblings = Siblings::from([("package.json".to_owned(), MANIFEST.as_bytes().to_vec())]);
    let writer = format().writer.unwrap();
    let edit = writer.write_override("yarn.lock", &siblings, "a", "1.2.0");
    let (path, manifest) = edit.unwrap().unwrap();
    std::fs::write(directory.join(&path), &manifest).unwrap();
    let siblings = Siblings::from([(path, manifest.into_bytes())]);
    let high = release(&fresh, "a", "1.2.0", &[]);
    let written = write(&fresh, &siblings, |target| {
        for node in target.nodes.iter_mut().filter(|node| node.name == "a") {
            node.release = Some(high.clone());
        }
    });
    holds(&tools, directory, &url, &written);

    std::fs::remove_file(directory.join("yarn.lock")).unwrap();
    yarn(&tools, directory, &url, &[]);
    let own = std::fs::read_to_string(directory.join("yarn.lock")).unwrap();
    assert_eq!(written, own);
}

/// Every entry of real files, printed from nothing but its fields.
#[test]
fn every_entry_of_real_files_is_printed_as_yarn_did() {
    let Some(shared) = shared_dir() else {
        return;
    };
    let mut count = 0;
    for path in files_below(&shared.join("corpus")) {
        if path.file_name().is_none_or(|name| name != "yarn.lock") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let siblings = Siblings::new();
        if text.contains("__metadata:") {
            assert_eq!(write(&text, &siblings, |_| {}), text);
            continue;
        }
        let input = Input {
            path: "yarn.lock",
            bytes: text.as_bytes(),
            siblings: &siblings,
        };
        let lockfile = (format().parse)(&input).unwrap();
        let written = write(&text, &siblings, |target| {
            for (node, package) in target.nodes.iter_mut().zip(&lockfile.packages) {
                let Origin::Registry(Some(address)) = &package.origin else {
                    continue;
                };
                let start = format!("{address}#");
                let rest = text.split_once(start.as_str()).unwrap().1;
                let requirement = |edge: &patchgate_model::Edge| Requirement {
                    name: edge.name.to_string(),
                    requirement: edge.requirement.as_deref().unwrap().to_owned(),
                    kind: edge.kind,
                    ..Requirement::default()
                };
                node.release = Some(Release {
                    version: package.version.clone(),
                    requirements: package.edges.iter().map(requirement).collect(),
                    document: Some(json!({"dist": {
                        "tarball": address,
                        "shasum": rest.split('"').next(),
                        "integrity": package.integrity,
                    }})),
                    ..Release::default()
                });
                count += 1;
            }
        });
        assert_eq!(written, text, "{}", path.display());
    }

    assert!(count > 100, "{count}");
}

#[test]
fn yarn_accepts_what_is_written_from_the_registrys_metadata() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let made = patchgate_testkit::Release::new;
    let registry = NpmRegistry::start(vec![
        made("a", "1.0.0", &[]),
        made("a", "1.0.1", &[("b", ">=2"), ("@own/c", "1.0.0 || 2")]),
        made("b", "2.0.0", &[]),
        made("@own/c", "2.0.0", &[]),
        made("@own/p", "1.0.0", &[("a", "~1.0.0")]),
        made("q", "1.0.0", &[("a", "1.0.0")]),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let (directory, url) = (directory.path(), registry.url());
    std::fs::write(directory.join("package.json"), MANIFEST).unwrap();
    let siblings = Siblings::from([("package.json".to_owned(), MANIFEST.as_bytes().to_vec())]);
    yarn(&tools, directory, &url, &[]);
    let fresh = std::fs::read_to_string(directory.join("yarn.lock")).unwrap();

    // The newer version gives way to the older one, and comes back.
    let mut locked = Locked::new("yarn.lock", &fresh, &siblings, &registry);
    locked.change("a", "1.0.1", "1.0.0");
    let merged = locked.write().unwrap();
    holds(&tools, directory, &url, &merged);

    let mut locked = Locked::new("yarn.lock", &merged, &siblings, &registry);
    locked.split("@own/p", "a", "1.0.1");
    assert_eq!(locked.write().unwrap(), fresh);
}

/// Runs a later version of yarn in a project.
fn later_yarn(tools: &Tools, directory: &Path, arguments: &[&str]) {
    let output = Command::new(tools.node())
        .arg(tools.yarn_berry())
        .args(["install"])
        .args(arguments)
        .env("HOME", directory)
        .env_remove("CI")
        .current_dir(directory)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments:?}: {stdout}");
}

#[test]
fn a_later_yarn_accepts_what_is_written_and_leaves_it() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let made = patchgate_testkit::Release::new;
    let rich = json!({
        "bin": "./cli.js",
        "dependencies": { "b": ">=2", "@own/c": "1.0.0 || 2", "al": "npm:b@^2.0.0" },
        "optionalDependencies": { "o": "*" },
        "peerDependencies": { "q": "*", "z": "^1 || ^2" },
        "peerDependenciesMeta": { "z": { "optional": true } },
    });
    let registry = NpmRegistry::start(vec![
        made("a", "1.0.0", &[]),
        made("a", "1.0.1", &[]).with_fields(rich),
        made("b", "2.0.0", &[]),
        made("@own/c", "2.0.0", &[]).with_fields(json!({ "bin": { "y": "y.js", "x": "x.js" } })),
        made("o", "1.0.0", &[]),
        made("@own/p", "1.0.0", &[("a", "~1.0.0")]),
        made("q", "1.0.0", &[("a", "1.0.0")]),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let settings = format!(
        "npmRegistryServer: {:?}\nunsafeHttpWhitelist: [\"127.0.0.1\"]\nenableGlobalCache: false\nenableTelemetry: false\nnpmMinimalAgeGate: 0\nnodeLinker: node-modules\n",
        registry.url().trim_end_matches('/')
    );
    std::fs::write(directory.join(".yarnrc.yml"), settings).unwrap();
    std::fs::write(directory.join("package.json"), MANIFEST).unwrap();
    std::fs::write(directory.join("yarn.lock"), "").unwrap();
    let siblings = Siblings::from([("package.json".to_owned(), MANIFEST.as_bytes().to_vec())]);
    later_yarn(&tools, directory, &["--mode=update-lockfile"]);
    let path = directory.join("yarn.lock");
    let fresh = std::fs::read_to_string(&path).unwrap();
    assert!(fresh.contains("cacheKey: 10c0"), "{fresh}");

    let mut locked = Locked::new("yarn.lock", &fresh, &siblings, &registry);
    locked.change("a", "1.0.1", "1.0.0");
    let merged = locked.write().unwrap();
    assert!(
        merged.contains("\n\"a@npm:1.0.0, a@npm:~1.0.0\":\n"),
        "{merged}"
    );
    let mut locked = Locked::new("yarn.lock", &merged, &siblings, &registry);
    locked.split("@own/p", "a", "1.0.1");
    let split = locked.write().unwrap();
    assert_eq!(split, fresh);

    for text in [merged, split] {
        for arguments in [
            &["--immutable", "--check-cache"][..],
            &["--mode=update-lockfile"],
            &["--refresh-lockfile"],
        ] {
            std::fs::write(&path, &text).unwrap();
            later_yarn(&tools, directory, arguments);
            let after = std::fs::read_to_string(&path).unwrap();
            assert_eq!(after, text, "{arguments:?}");
        }
    }

    // Compressed archives are yarn's own.
    let other = fresh.replace("10c0", "10");
    let mut locked = Locked::new("yarn.lock", &other, &siblings, &registry);
    locked.change("a", "1.0.1", "1.0.0");
    assert_eq!(
        locked.write().unwrap_err(),
        "files with compressed archives (`cacheKey: 10`) are not changed, because only yarn can make \
         their checksums"
    );
}

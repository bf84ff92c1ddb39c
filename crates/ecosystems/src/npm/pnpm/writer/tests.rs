use serde_json::json;

use super::*;
use crate::Release;
use crate::npm::pnpm;

const FILE: &str = include_str!("../../fixtures/read/pnpm-workspace-v9.0/pnpm-lock.yaml");

const FIVE: &str = include_str!("../../fixtures/read/pnpm-workspace-v5.4/pnpm-lock.yaml");
const SIX: &str = include_str!("../../fixtures/read/pnpm-workspace-v6.0/pnpm-lock.yaml");

fn siblings() -> Siblings {
    [
        (
            "package.json",
            include_str!("../../fixtures/read/pnpm-workspace-v9.0/package.json"),
        ),
        (
            "packages/app/package.json",
            include_str!("../../fixtures/read/pnpm-workspace-v9.0/packages/app/package.json"),
        ),
        (
            "packages/lib/package.json",
            include_str!("../../fixtures/read/pnpm-workspace-v9.0/packages/lib/package.json"),
        ),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .collect()
}

fn write(text: &str, change: impl FnOnce(&Lockfile, &mut TargetGraph)) -> Result<String, String> {
    let siblings = siblings();
    let input = Input {
        path: "pnpm-lock.yaml",
        bytes: text.as_bytes(),
        siblings: &siblings,
    };
    let lockfile = pnpm::parse(&input).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    change(&lockfile, &mut target);
    let written = PnpmWriter.write(&input, &lockfile, &target, &Downloads::new());
    let mut files = written.map_err(|error| error.reason)?;
    Ok(String::from_utf8(files.remove("pnpm-lock.yaml").unwrap()).unwrap())
}

fn release(version: &str, more: &serde_json::Value) -> Release {
    let mut document = json!({ "dist": { "integrity": "sha512-NEW==", "tarball": "" } });
    document
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    Release {
        version: version.to_owned(),
        document: Some(document),
        ..Release::default()
    }
}

fn tarball(name: &str, version: &str) -> serde_json::Value {
    json!({ "integrity": "sha512-NEW==", "tarball": format!("https://npm.invalid/{name}/-/{name}-{version}.tgz") })
}

fn index(lockfile: &Lockfile, name: &str, version: &str) -> usize {
    let is_it =
        |package: &patchgate_model::Package| package.name == name && package.version == version;
    lockfile.packages.iter().position(is_it).unwrap()
}

#[test]
fn one_package_changes_its_version() {
    let document =
        json!({ "dist": tarball("minimist", "1.2.9"), "engines": { "node": ">=8" }, "bin": "x" });
    let change = |lockfile: &Lockfile, target: &mut TargetGraph| {
        let node = index(lockfile, "minimist", "1.2.8");
        target.nodes[node].release = Some(release("1.2.9", &document));
    };
    let expected = FILE
        .replacen("  minimist@1.2.8:\n    resolution: {integrity: sha512-2yyAR8qBkN3YuheJanUpWC5U3bb5osDywNB8RzDVlDwDHbocAJveqqj1u8+SVD7jkWT4yvsHCpWqqWqAxb0zCA==}\n", "  minimist@1.2.9:\n    resolution: {integrity: sha512-NEW==}\n    engines: {node: '>=8'}\n    hasBin: true\n", 1)
        .replace("  minimist@1.2.8: {}", "  minimist@1.2.9: {}")
        .replace("      minimist: 1.2.8\n\n  ms@", "      minimist: 1.2.9\n\n  ms@");
    assert_eq!(write(FILE, change).unwrap(), expected);

    let windows = FILE.replace('\n', "\r\n");
    assert_eq!(
        write(&windows, change).unwrap(),
        expected.replace('\n', "\r\n")
    );
}

#[test]
fn a_direct_dependency_changes_with_its_requirement() {
    let document = json!({ "dist": tarball("mkdirp", "0.5.6"), "bin": { "mkdirp": "x" } });
    let text = write(FILE, |lockfile, target| {
        let node = index(lockfile, "mkdirp", "0.5.5");
        target.nodes[node].release = Some(release("0.5.6", &document));
        let edge = target.roots[0]
            .iter_mut()
            .find(|edge| edge.name == "mkdirp")
            .unwrap();
        edge.requirement = Some("0.5.6".to_owned());
    })
    .unwrap();
    assert!(text.contains("      mkdirp:\n        specifier: 0.5.6\n        version: 0.5.6\n"));
    assert!(text.contains("  mkdirp@0.5.6:\n    dependencies:\n      minimist: 1.2.8\n"));
    assert!(!text.contains("0.5.5"));
}

#[test]
fn a_copy_joins_another_one_and_leaves() {
    let text = write(FILE, |lockfile, target| {
        let (old, new) = (
            index(lockfile, "ms", "2.0.0"),
            index(lockfile, "ms", "2.1.3"),
        );
        let debug = index(lockfile, "debug", "2.6.9");
        target.nodes[debug].edges[0].to = new;
        target.nodes.remove(old);
        let edges = target.nodes.iter_mut().flat_map(|node| &mut node.edges);
        for edge in edges.chain(target.roots.iter_mut().flatten()) {
            edge.to -= usize::from(edge.to > old);
        }
    })
    .unwrap();
    assert!(!text.contains("ms@2.0.0"));
    assert!(text.contains("  debug@2.6.9:\n    dependencies:\n      ms: 2.1.3\n"));
}

#[test]
fn peers_and_catalogs_follow() {
    let change = |name: &'static str, old: &'static str, new: &'static str| {
        write(FILE, |lockfile, target| {
            let node = index(lockfile, name, old);
            let document = json!({ "dist": tarball(name, new) });
            target.nodes[node].release = Some(release(new, &document));
        })
        .unwrap()
    };

    let text = change("react", "18.2.0", "18.3.1");
    assert!(text.contains("        version: 1.2.0(react@18.3.1)\n"));
    assert!(text.contains(
        "  use-sync-external-store@1.2.0(react@18.3.1):\n    dependencies:\n      react: 18.3.1\n"
    ));
    let text = change("ms", "2.1.3", "2.1.4");
    assert!(text.contains("    ms:\n      specifier: ^2.1.2\n      version: 2.1.4\n"));
    assert!(text.contains("        specifier: 'catalog:'\n        version: 2.1.4\n"));
}

#[test]
fn peers_that_do_not_follow_are_refused() {
    let refused =
        |name: &'static str, old: &'static str, new: &'static str, more: serde_json::Value| {
            write(FILE, |lockfile, target| {
                let node = index(lockfile, name, old);
                target.nodes[node].release = Some(release(new, &more));
            })
            .unwrap_err()
        };
    assert_eq!(
        refused(
            "minimist",
            "1.2.8",
            "1.2.9",
            json!({ "peerDependencies": { "p": "1" } })
        ),
        "pnpm alone decides which copy of the peer `p` is used"
    );
}

#[test]
fn older_versions_keep_their_form() {
    let react = json!({ "dist": tarball("react", "18.3.1"), "engines": { "node": ">=8" }, "hasInstallScript": true });
    for (file, reference, entry) in [
        (
            FIVE,
            "      use-sync-external-store: 1.2.0_react@18.3.1\n",
            "  /react/18.3.1:\n",
        ),
        (
            SIX,
            "        version: 1.2.0(react@18.3.1)\n",
            "  /react@18.3.1:\n",
        ),
    ] {
        // `react` is needed for production as a peer only, and loses its dependencies.
        let change = |lockfile: &Lockfile, target: &mut TargetGraph| {
            let node = index(lockfile, "react", "18.2.0");
            target.nodes[node].release = Some(release("18.3.1", &react));
            for edge in target.roots.iter_mut().flatten() {
                if edge.name == "react" {
                    edge.requirement = Some("18.3.1".to_owned());
                }
            }
        };
        let text = write(file, change).unwrap();
        assert!(text.contains(reference), "{text}");
        assert!(!text.contains("18.2.0"), "{text}");
        let entry = format!(
            "{entry}    resolution: {{integrity: sha512-NEW==}}\n    engines: {{node: '>=8'}}\n    requiresBuild: true\n    dependencies:\n      loose-envify: 1.4.0\n"
        );
        assert!(text.contains(&entry), "{text}");
        let windows = write(&file.replace('\n', "\r\n"), change).unwrap();
        assert_eq!(windows, text.replace('\n', "\r\n"));
        let without_end = file.trim_end();
        assert_eq!(write(without_end, change).unwrap(), text.trim_end());

        // A package that only optional dependencies need.
        let document = json!({ "dist": tarball("is-number", "7.0.1") });
        let text = write(file, |lockfile, target| {
            let node = index(lockfile, "is-number", "7.0.0");
            target.nodes[node].release = Some(release("7.0.1", &document));
        });
        let flags = "    resolution: {integrity: sha512-NEW==}\n    requiresBuild: true\n    dev: false\n    optional: true\n";
        assert!(text.unwrap().contains(flags));
    }
}

#[test]
fn the_kinds_of_dependencies_that_need_a_package_follow_the_graph() {
    for (file, before, after) in [
        (FIVE, "  /minimist/1.2.8:\n", "      minimist: 1.2.8\n"),
        (SIX, "  /minimist@1.2.8:\n", "      minimist: 1.2.8\n"),
    ] {
        // A package of production needs one that only development needed.
        let document = json!({ "dist": tarball("debug", "2.6.10"), "dependencies": { "ms": "2.0.0", "minimist": "1" } });
        let text = write(file, |lockfile, target| {
            let node = index(lockfile, "debug", "2.6.9");
            target.nodes[node].release = Some(release("2.6.10", &document));
            target.nodes[node].edges.push(crate::TargetEdge {
                name: "minimist".to_owned(),
                requirement: Some("1".to_owned()),
                kind: patchgate_model::DependencyKind::Runtime,
                to: index(lockfile, "minimist", "1.2.8"),
            });
        })
        .unwrap();
        let entry = text.split(before).nth(1).unwrap();
        let entry = entry.split("\n\n").next().unwrap();
        assert_eq!(entry.lines().count(), 1, "{entry}");
        assert!(text.contains(after));
    }
}

#[test]
fn older_versions_with_unknown_rules_are_refused() {
    let change = |lockfile: &Lockfile, target: &mut TargetGraph| {
        let node = index(lockfile, "ms", "2.1.3");
        let document = json!({ "dist": tarball("ms", "2.1.4") });
        target.nodes[node].release = Some(release("2.1.4", &document));
    };
    for (file, version, other, reason) in [
        (
            FIVE,
            "5.4",
            "5.2",
            "files of this version are changed by pnpm only",
        ),
        (
            SIX,
            "'6.0'",
            "'6.1'",
            "files of this version are changed by pnpm only",
        ),
        (
            SIX,
            "    dev: true\n",
            "    dev: false\n",
            "the kinds of dependencies that need `/minimist@1.2.8` do not follow from the graph",
        ),
    ] {
        let file = file.replacen(version, other, 1);
        let result = write(&file, |lockfile, target| {
            change(lockfile, target);
            // Development needs it no more.
            if version.contains("dev") {
                let minimist = index(lockfile, "minimist", "1.2.8");
                let ms = index(lockfile, "ms", "2.1.3");
                target.nodes[ms].edges.push(crate::TargetEdge {
                    name: "minimist".to_owned(),
                    requirement: None,
                    kind: patchgate_model::DependencyKind::Runtime,
                    to: minimist,
                });
            }
        });
        assert_eq!(result.unwrap_err(), reason);
    }
}

/// The entries of a file, each computed from the graph alone.
#[test]
fn an_unchanged_graph_gives_the_same_bytes() {
    let mut texts = vec![FILE.to_owned(), FIVE.to_owned(), SIX.to_owned()];
    if let Some(shared) = patchgate_testkit::shared_dir() {
        let files = patchgate_testkit::files_below(&shared.join("corpus"));
        let is_lockfile = |path: &std::path::PathBuf| {
            path.file_name()
                .is_some_and(|name| name == "pnpm-lock.yaml")
        };
        #[expect(clippy::disallowed_methods, reason = "the test reads shared files")]
        texts.extend(
            files
                .into_iter()
                .filter(is_lockfile)
                .map(|path| std::fs::read_to_string(path).unwrap()),
        );
    }

    for text in texts {
        let siblings = siblings();
        let input = Input {
            path: "pnpm-lock.yaml",
            bytes: text.as_bytes(),
            siblings: &siblings,
        };
        let lockfile = pnpm::parse(&input).unwrap();
        let target = TargetGraph::unchanged(&lockfile);
        let written = changed(&input, &lockfile, &target).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), text);
    }
}

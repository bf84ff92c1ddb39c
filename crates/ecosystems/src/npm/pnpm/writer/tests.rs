use serde_json::json;

use super::*;
use crate::Release;
use crate::npm::pnpm;

const FILE: &str = include_str!("../../fixtures/read/pnpm-workspace-v9.0/pnpm-lock.yaml");

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

/// The entries of a file, each computed from the graph alone.
#[test]
fn an_unchanged_graph_gives_the_same_bytes() {
    let mut texts = vec![FILE.to_owned()];
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

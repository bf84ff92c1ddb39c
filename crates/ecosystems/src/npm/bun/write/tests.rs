use serde_json::json;

use super::*;
use crate::npm::bun::parse;
use crate::test_graph::Case;
use crate::{Release, Upgradable as _};

const LOCKFILE: &str = r#"{
  "lockfileVersion": 2,
  "workspaces": {
    "": {
      "name": "app",
      "dependencies": {
        "debug": "2.6.9",
        "ms": "^2.1.0",
      },
    },
  },
  "packages": {
    "debug": ["debug@2.6.9", "", { "dependencies": { "ms": "2.0.0" } }, "sha512-AA=="],

    "ms": ["ms@2.1.2", "", {}, "sha512-AB=="],

    "debug/ms": ["ms@2.0.0", "", {}, "sha512-AC=="],
  }
}
"#;

fn release(name: &str, version: &str, fields: serde_json::Value) -> Release {
    let mut document = json!({
        "version": version,
        "dist": {
            "integrity": "sha512-AD==",
            "tarball": format!("https://npm.invalid/{name}/-/{name}-{version}.tgz"),
        },
    });
    if let (Some(document), Some(fields)) = (document.as_object_mut(), fields.as_object()) {
        document.extend(fields.clone());
    }
    let body = json!({ "name": name, "versions": { version: document } }).to_string();
    let releases = crate::npm::Npm.parse_metadata(name, body.as_bytes());
    releases.unwrap().remove(0)
}

fn write(text: &str, change: impl FnOnce(&mut TargetGraph)) -> Result<String, String> {
    Case::new("bun.lock", text, &[]).changed(change)
}

fn raise(target: &mut TargetGraph) {
    target.nodes[1].release = Some(release("ms", "2.1.3", json!({ "os": ["linux", "!win32"] })));
}

#[test]
fn one_line_changes() {
    let expected = LOCKFILE.replace(
        r#"["ms@2.1.2", "", {}, "sha512-AB=="]"#,
        r#"["ms@2.1.3", "", { "os": "linux" }, "sha512-AD=="]"#,
    );
    assert_eq!(write(LOCKFILE, raise).unwrap(), expected);
    for form in [
        |text: &str| text.replace('\n', "\r\n"),
        |text: &str| text.trim_end().to_owned(),
        |text: &str| format!("\u{feff}{text}"),
    ] {
        assert_eq!(write(&form(LOCKFILE), |_| {}).unwrap(), form(LOCKFILE));
        assert_eq!(write(&form(LOCKFILE), raise).unwrap(), form(&expected));
    }
}

#[test]
fn a_copy_that_leaves_takes_its_line_with_it() {
    let written = write(LOCKFILE, |target| {
        target.nodes.pop();
        target.nodes[0].release = Some(release(
            "debug",
            "3.0.0",
            json!({ "dependencies": { "ms": "^2.1.0" } }),
        ));
        target.nodes[0].edges[0].to = 1;
        target.roots[0][0].requirement = Some("3.0.0".to_owned());
    });
    let written = written.unwrap();
    assert!(!written.contains("debug/ms"), "{written}");
    assert!(
        written.contains("\n        \"debug\": \"3.0.0\",\n"),
        "{written}"
    );
    assert!(
        written.ends_with("\"sha512-AB==\"],\n  }\n}\n"),
        "{written}"
    );
}

#[test]
fn uncertain_files_are_refused() {
    for (from, to, expected) in [
        ("\"debug/ms\"", "\"ms/ms\"", "bun would"),
        ("\n\n    \"ms\"", "\n    \"ms\"", "another layout"),
        (
            "\"lockfileVersion\": 2",
            "\"lockfileVersion\": 0",
            "by bun only",
        ),
        (
            "\"ms@2.0.0\", \"\"",
            "\"ms@2.0.0\", \"https://npm.invalid/ms/-/ms-2.0.0.tgz\"",
            "several registries",
        ),
    ] {
        let text = LOCKFILE.replace(from, to);
        assert_ne!(text, LOCKFILE);
        let reason = write(&text, raise).unwrap_err();
        assert!(reason.contains(expected), "{reason}");
    }

    for fields in [
        json!({ "dependencies": { "other": "1" } }),
        json!({ "bundleDependencies": ["a"] }),
        json!({ "os": ["!plan9"] }),
        json!({ "bin": { "": "x" } }),
        json!({ "dist": {} }),
    ] {
        let change = |target: &mut TargetGraph| {
            target.nodes[1].release = Some(release("ms", "2.1.3", fields.clone()));
        };
        assert!(write(LOCKFILE, change).is_err(), "{fields}");
    }
}

#[test]
fn fields_are_as_bun_writes_them() {
    let body = r#"{ "name": "a", "versions": { "1.0.0": {
        "os": ["android", "aix", "freebsd", "openbsd", "sunos", "darwin", "linux"],
        "cpu": ["x64", "x32", "arm"], "libc": ["musl"], "hasInstallScript": true,
        "bin": { "zz": "x.js", "aa": "./y.js" },
        "dist": { "integrity": "sha512-AD==", "tarball": "https://npm.invalid/a/-/a-1.0.0.tgz" }
    } } }"#;
    let mut releases = crate::npm::Npm
        .parse_metadata("a", body.as_bytes())
        .unwrap();
    let node = TargetNode {
        was: None,
        name: "a".to_owned(),
        release: releases.pop(),
        edges: Vec::new(),
    };
    let siblings = Siblings::new();
    let input = Input {
        path: "bun.lock",
        bytes: LOCKFILE.as_bytes(),
        siblings: &siblings,
    };
    let lockfile = parse(&input).unwrap();
    let tuple = |version| {
        line::tuple(
            &lockfile,
            &node,
            node.release.as_ref().unwrap(),
            &[],
            version,
        )
        .unwrap()
    };
    assert_eq!(
        tuple(2),
        r#"["a@1.0.0", "", { "os": "!win32", "cpu": [ "arm", "x32", "x64", ], "libc": "musl", "hasInstallScript": true, "bin": { "zz": "x.js", "aa": "./y.js" } }, "sha512-AD=="]"#
    );
    assert!(!tuple(1).contains("libc"));
}

#[test]
fn fixtures_are_placed_as_bun_does() {
    for text in [
        include_str!("../../fixtures/read/bun-workspace-v1/bun.lock"),
        include_str!("../../fixtures/read/bun-workspace-v2/bun.lock"),
    ] {
        Document::read(text).unwrap().is_as_placed().unwrap();
        assert_eq!(write(text, |_| {}).unwrap(), text);
    }
}

#[test]
fn an_override_is_raised_or_added() {
    let written = |manifest: &str| {
        let manifests = Siblings::from([("package.json".to_owned(), manifest.as_bytes().to_vec())]);
        overrides::write("bun.lock", &manifests, "a", "2.0.0").map(|(_, text)| text)
    };
    assert_eq!(
        written("{\"resolutions\": {\"a\": \"1\"}}").unwrap(),
        "{\"resolutions\": {\"a\": \"2.0.0\"}}"
    );
    for refused in [
        "{\"overrides\": {\"a\": {\"b\": \"1\"}}}",
        "{\"resolutions\": {\"b/a\": \"1\"}}",
        "{\"overrides\": {}, \"resolutions\": {}}",
    ] {
        assert!(written(refused).is_err(), "{refused}");
    }
}

use patchgate_model::{DependencyKind, Lockfile};

use super::{Move, move_packages};
use crate::npm::Npm;
use crate::{Ecosystem as _, Input, Release, Requirement, Siblings};

macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../fixtures/read/", $path))
    };
}

fn release(version: &str) -> Release {
    Release {
        version: version.to_owned(),
        withdrawn: false,
        integrity: Some("sha512-NEW".to_owned()),
        archive: Some(format!("https://npm.invalid/new-{version}.tgz")),
        requirements: vec![Requirement {
            name: "minimist".to_owned(),
            package: None,
            requirement: "^1.2.6".to_owned(),
            kind: DependencyKind::Runtime,
        }],
        bundled: Vec::new(),
        toolchain: Some(">=4".to_owned()),
        lockfile_fields: Some(
            r#"{"license":"ISC","bin":{"mkdirp":"bin/cmd.js"},"dependencies":{"minimist":"^1.2.6"},"os":["!win32"]}"#
                .to_owned(),
        ),
    }
}

fn moved(lockfile: &str, install_path: &str, release: &Release) -> String {
    let one = Move {
        install_path,
        release,
    };
    move_packages(lockfile, &[one]).unwrap()
}

/// Lines that went, with `-`, and lines that came, with `+`.
fn changes(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = before
        .iter()
        .zip(&after)
        .take_while(|(a, b)| a == b)
        .count();
    let tail = before[same..]
        .iter()
        .rev()
        .zip(after[same..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let gone = before[same..before.len() - tail]
        .iter()
        .map(|line| format!("-{line}"));
    let come = after[same..after.len() - tail]
        .iter()
        .map(|line| format!("+{line}"));
    gone.chain(come).collect::<Vec<_>>().join("\n")
}

fn read(text: &str) -> Lockfile {
    Npm.parse(&Input {
        path: "package-lock.json",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    })
    .unwrap()
}

#[test]
fn version_3_gets_the_fields_of_the_release() {
    let before = fixture!("three-formats-v3/package-lock.json");
    let after = moved(before, "node_modules/mkdirp", &release("0.5.6"));
    insta::assert_snapshot!(changes(before, &after), @r#"
-      "version": "0.5.5",
-      "integrity": "sha512-NKmAlESf6jMGym1++R0Ra7wvhV+wFW63FaSOFPwRahvea0gMUcGUhVeAg/0BC0wiv9ih5NYPB1Wn1UEI1/L+xQ==",
-      "dev": true,
-      "license": "MIT",
-      "dependencies": {
-        "minimist": "^1.2.5"
+      "version": "0.5.6",
+      "integrity": "sha512-NEW",
+      "dev": true,
+      "license": "ISC",
+      "os": [
+        "!win32"
+      ],
+      "dependencies": {
+        "minimist": "^1.2.6"
"#);
}

#[test]
fn version_2_changes_the_mirror_too() {
    let before = fixture!("three-formats-v2/package-lock.json");
    let after = moved(
        before,
        "node_modules/debug/node_modules/ms",
        &release("2.0.9"),
    );
    let value: serde_json::Value = serde_json::from_str(&after).unwrap();
    assert_eq!(
        value["packages"]["node_modules/debug/node_modules/ms"]["version"],
        "2.0.9"
    );
    let mirror = &value["dependencies"]["debug"]["dependencies"]["ms"];
    assert_eq!(mirror["version"], "2.0.9");
    assert_eq!(mirror["requires"]["minimist"], "^1.2.6");
    assert!(mirror.get("resolved").is_none());
    assert!(mirror.get("os").is_none());
}

#[test]
fn version_1_keeps_what_is_nested_and_the_form_of_an_alias() {
    let before = fixture!("three-formats-v1/package-lock.json");
    let after = moved(before, "node_modules/debug", &release("2.6.10"));
    insta::assert_snapshot!(changes(before, &after), @r#"
-      "version": "2.6.9",
-      "integrity": "sha512-bC7ElrdJaJnPbAP+1EotYvqZsb3ecl5wi6Bfi6BJTUcNowp6cvspg0jXznRTKDjm/E7AdgFBVeAPVMNcKGsHMA==",
-      "requires": {
-        "ms": "2.0.0"
+      "version": "2.6.10",
+      "integrity": "sha512-NEW",
+      "requires": {
+        "minimist": "^1.2.6"
"#);
    let after = moved(before, "node_modules/old-ms", &release("0.7.2"));
    insta::assert_snapshot!(changes(before, &after), @r#"
-      "version": "npm:ms@0.7.1",
-      "integrity": "sha512-lRLiIR9fSNpnP6TC4v8+4OU7oStC01esuNowdQ34L+Gk8e5Puoc88IqJ+XAY/B3Mn2ZKis8l8HX90oU8ivzUHg=="
+      "version": "npm:ms@0.7.2",
+      "integrity": "sha512-NEW",
+      "requires": {
+        "minimist": "^1.2.6"
+      }
"#);
}

#[test]
fn an_address_is_replaced_only_where_there_is_one() {
    let before = fixture!("origins-v3/npm-shrinkwrap.json");
    let after = moved(before, "node_modules/@own/plain", &release("1.0.9"));
    let value: serde_json::Value = serde_json::from_str(&after).unwrap();
    let entry = &value["packages"]["node_modules/@own/plain"];
    assert_eq!(entry["resolved"], "https://npm.invalid/new-1.0.9.tgz");
    let value: serde_json::Value = serde_json::from_str(&moved(
        fixture!("three-formats-v3/package-lock.json"),
        "node_modules/ms",
        &release("2.1.9"),
    ))
    .unwrap();
    assert!(
        value["packages"]["node_modules/ms"]
            .get("resolved")
            .is_none()
    );
}

#[test]
fn line_ends_indentation_and_byte_order_mark_stay() {
    let before = format!("\u{feff}{}", fixture!("windows-v3/package-lock.json"));
    let after = moved(&before, "node_modules/a", &release("1.0.9"));
    assert!(after.starts_with("\u{feff}{\r\n  \"name\""));
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    assert!(after.contains("\r\n    \"node_modules/a\": {\r\n      \"version\": \"1.0.9\",\r\n"));
    assert!(after.contains("\r\n      \"os\": [\r\n        \"!win32\"\r\n      ],\r\n"));

    let tabs = "{\n\t\"lockfileVersion\": 3,\n\t\"packages\": {\n\t\t\"node_modules/a\": {\n\t\t\t\"version\": \"1.0.0\"\n\t\t}\n\t}\n}";
    let after = moved(tabs, "node_modules/a", &release("1.0.9"));
    assert!(
        after.contains("\n\t\t\t\"bin\": {\n\t\t\t\t\"mkdirp\": \"bin/cmd.js\"\n\t\t\t}\n\t\t}\n"),
        "{after}"
    );

    let line =
        r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","dev":true}}}"#;
    let plain = Release {
        lockfile_fields: None,
        ..release("1.0.9")
    };
    assert_eq!(
        moved(line, "node_modules/a", &plain),
        r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.9","integrity":"sha512-NEW","dev":true,"dependencies":{"minimist":"^1.2.6"},"engines":{"node":">=4"}}}}"#
    );
}

#[test]
fn several_copies_move_at_once_one_inside_the_other() {
    for before in [
        fixture!("three-formats-v1/package-lock.json"),
        fixture!("three-formats-v2/package-lock.json"),
        fixture!("three-formats-v3/package-lock.json"),
    ] {
        let (outer, inner) = (release("2.6.10"), release("2.0.9"));
        let moves = [
            Move {
                install_path: "node_modules/debug",
                release: &outer,
            },
            Move {
                install_path: "node_modules/debug/node_modules/ms",
                release: &inner,
            },
        ];
        let after = read(&move_packages(before, &moves).unwrap());
        let before = read(before);
        assert_eq!(before.packages.len(), after.packages.len());
        for (old, new) in before.packages.iter().zip(&after.packages) {
            assert_eq!(
                (&old.install_path, &old.name, old.scope),
                (&new.install_path, &new.name, new.scope)
            );
            let expected = match old.install_path.as_deref() {
                Some("node_modules/debug") => "2.6.10",
                Some("node_modules/debug/node_modules/ms") => "2.0.9",
                _ => &old.version,
            };
            assert_eq!(new.version, expected);
        }
    }
}

#[test]
fn says_why_nothing_moves() {
    let messages: Vec<String> = [
        (
            fixture!("three-formats-v3/package-lock.json"),
            "node_modules/none",
        ),
        (
            fixture!("origins-v3/npm-shrinkwrap.json"),
            "node_modules/parent/node_modules/child",
        ),
        (
            fixture!("origins-v1/package-lock.json"),
            "node_modules/parent/node_modules/child",
        ),
        ("{", "node_modules/a"),
        ("[]", "node_modules/a"),
    ]
    .into_iter()
    .map(|(lockfile, install_path)| {
        let one = Move {
            install_path,
            release: &release("1.0.0"),
        };
        move_packages(lockfile, &[one]).unwrap_err().to_string()
    })
    .collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
the lockfile has no package at `node_modules/none`
the package at `node_modules/parent/node_modules/child` is shipped inside the archive of its parent
the package at `node_modules/parent/node_modules/child` is shipped inside the archive of its parent
the lockfile cannot be changed: EOF while parsing an object at line 1 column 1
the lockfile has no package at `node_modules/a`
"#);
}

use std::collections::BTreeSet;

use patchgate_model::{DependencyKind, Lockfile, Origin, Package, Scope};

use super::parse;
use crate::{Input, ParseError, Siblings};

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!("../fixtures/", $path)).as_slice()
    };
}

fn read_with(path: &str, bytes: &[u8], siblings: &Siblings) -> Result<Lockfile, ParseError> {
    parse(&Input {
        path,
        bytes,
        siblings,
    })
}

fn read(bytes: &[u8]) -> Result<Lockfile, ParseError> {
    read_with("package-lock.json", bytes, &Siblings::new())
}

fn at<'a>(lockfile: &'a Lockfile, install_path: &str) -> &'a Package {
    lockfile
        .packages
        .iter()
        .find(|package| package.install_path.as_deref() == Some(install_path))
        .unwrap_or_else(|| panic!("nothing at {install_path}"))
}

/// `from -> to (kind requirement)` for every edge.
fn edges(lockfile: &Lockfile) -> Vec<String> {
    let roots = lockfile
        .roots
        .iter()
        .map(|root| (format!("[{}]", root.name), &root.edges));
    let packages = lockfile
        .packages
        .iter()
        .map(|package| (package.install_path.clone().unwrap(), &package.edges));

    roots
        .chain(packages)
        .flat_map(|(from, edges)| {
            edges.iter().map(move |edge| {
                let to = lockfile.package(edge.to).unwrap();
                format!(
                    "{from} -> {} ({:?} {} as {})",
                    to.install_path.as_deref().unwrap(),
                    edge.kind,
                    edge.requirement.as_deref().unwrap_or("?"),
                    edge.name,
                )
            })
        })
        .collect()
}

fn three_formats() -> [Lockfile; 3] {
    let siblings = Siblings::from([(
        "package.json".to_owned(),
        fixture!("read/three-formats-v1/package.json").to_vec(),
    )]);
    [
        fixture!("read/three-formats-v1/package-lock.json"),
        fixture!("read/three-formats-v2/package-lock.json"),
        fixture!("read/three-formats-v3/package-lock.json"),
    ]
    .map(|bytes| read_with("package-lock.json", bytes, &siblings).unwrap())
}

#[test]
fn the_three_formats_give_the_same_tree() {
    let facts = |lockfile: &Lockfile| -> BTreeSet<String> {
        lockfile
            .packages
            .iter()
            .map(|package| {
                let mut package = package.clone();
                package.line = 0;
                package.edges.clear();
                format!("{package:?}")
            })
            .chain(edges(lockfile))
            .collect()
    };

    let [one, two, three] = three_formats();
    assert_eq!(facts(&one), facts(&three));
    assert_eq!(facts(&two), facts(&three));
    assert_eq!(
        [one.format, two.format, three.format],
        ["npm-lock-v1", "npm-lock-v2", "npm-lock-v3"]
    );
}

#[test]
fn edges_lead_where_node_would_find_the_package() {
    let [_, _, lockfile] = three_formats();
    insta::assert_snapshot!(edges(&lockfile).join("\n"), @r#"
[three-formats] -> node_modules/mkdirp (Development 0.5.5 as mkdirp)
[three-formats] -> node_modules/fsevents (Optional 2.3.2 as fsevents)
[three-formats] -> node_modules/@sindresorhus/is (Runtime ~4.6.0 as @sindresorhus/is)
[three-formats] -> node_modules/debug (Runtime 2.6.9 as debug)
[three-formats] -> node_modules/ms (Runtime ^2.1.2 as ms)
[three-formats] -> node_modules/old-ms (Runtime npm:ms@0.7.1 as old-ms)
node_modules/debug -> node_modules/debug/node_modules/ms (Runtime 2.0.0 as ms)
node_modules/mkdirp -> node_modules/minimist (Runtime ^1.2.5 as minimist)
"#);

    let old = at(&lockfile, "node_modules/old-ms");
    assert_eq!(
        (
            old.name.as_str(),
            old.alias.as_deref(),
            old.version.as_str()
        ),
        ("ms", Some("old-ms"), "0.7.1")
    );
    assert_eq!(
        at(&lockfile, "node_modules/minimist").scope,
        Scope::Development
    );
    assert_eq!(
        at(&lockfile, "node_modules/fsevents").scope,
        Scope::Optional
    );
    assert_eq!(lockfile.roots[0].manifest.as_deref(), Some("package.json"));
}

#[test]
fn every_line_is_that_of_the_entry() {
    let texts = [
        fixture!("read/three-formats-v1/package-lock.json"),
        fixture!("read/three-formats-v2/package-lock.json"),
        fixture!("read/three-formats-v3/package-lock.json"),
        fixture!("read/windows-v3/package-lock.json"),
        fixture!("read/origins-v3/npm-shrinkwrap.json"),
        fixture!("read/origins-v1/package-lock.json"),
    ];

    for bytes in texts {
        let text = std::str::from_utf8(bytes).unwrap();
        let lockfile = read(bytes).unwrap();

        assert!(!lockfile.packages.is_empty());
        for package in &lockfile.packages {
            let path = package.install_path.as_deref().unwrap();
            let key = match lockfile.format.as_str() {
                "npm-lock-v1" => path.rsplit_once("node_modules/").unwrap().1,
                _ => path,
            };
            let line = text.lines().nth(package.line as usize - 1).unwrap();

            assert!(
                line.trim_start().starts_with(&format!("\"{key}\": {{")),
                "{path}: {line}"
            );
        }
    }
}

#[test]
fn an_escaped_key_is_found_too() {
    let lockfile = read(fixture!("read/escaped-v3/package-lock.json")).unwrap();
    assert_eq!(at(&lockfile, "node_modules/a").line, 9);

    let nested = br#"{ "lockfileVersion": 1, "dependencies": {
        "a": { "version": "1.0.0", "requires": { "b": "1" },
          "dependencies": {
            "\u0062": { "version": "1.0.0" } } } } }"#;
    assert_eq!(
        at(&read(nested).unwrap(), "node_modules/a/node_modules/b").line,
        4
    );
}

#[test]
fn workspace_members_are_roots_and_packages() {
    let siblings: Siblings = [
        (
            "package.json",
            fixture!("read/workspace-v3/frontend/package.json"),
        ),
        (
            "packages/app/package.json",
            fixture!("read/workspace-v3/frontend/packages/app/package.json"),
        ),
        (
            "packages/lib/package.json",
            fixture!("read/workspace-v3/frontend/packages/lib/package.json"),
        ),
        (
            "tools/@own/cli/package.json",
            fixture!("read/workspace-v3/frontend/tools/@own/cli/package.json"),
        ),
    ]
    .map(|(path, bytes)| (format!("frontend/{path}"), bytes.to_vec()))
    .into();

    let bytes = fixture!("read/workspace-v3/frontend/package-lock.json");
    let lockfile = read_with("frontend/package-lock.json", bytes, &siblings).unwrap();
    let roots: Vec<_> = lockfile
        .roots
        .iter()
        .map(|root| (root.name.as_str(), root.manifest.as_deref().unwrap()))
        .collect();

    assert_eq!(
        roots,
        [
            ("workspace", "frontend/package.json"),
            ("app", "frontend/packages/app/package.json"),
            ("@own/lib-of-all", "frontend/packages/lib/package.json"),
            ("@own/cli", "frontend/tools/@own/cli/package.json"),
        ]
    );
    insta::assert_snapshot!(edges(&lockfile).join("\n"), @r#"
[workspace] -> node_modules/semver (Development 7.5.0 as semver)
[app] -> node_modules/debug (Development 4.3.4 as debug)
[app] -> packages/lib (Runtime ^0.2.0 as @own/lib-of-all)
[app] -> node_modules/ms (Runtime 2.0.0 as ms)
[@own/lib-of-all] -> node_modules/react (Runtime 18.2.0 as react)
[@own/lib-of-all] -> node_modules/use-sync-external-store (Runtime 1.2.0 as use-sync-external-store)
[@own/cli] -> tools/@own/cli/node_modules/ms (Runtime ^2.1.0 as ms)
node_modules/debug -> node_modules/debug/node_modules/ms (Runtime 2.1.2 as ms)
node_modules/loose-envify -> node_modules/js-tokens (Runtime ^3.0.0 || ^4.0.0 as js-tokens)
node_modules/lru-cache -> node_modules/yallist (Runtime ^4.0.0 as yallist)
node_modules/react -> node_modules/loose-envify (Runtime ^1.1.0 as loose-envify)
node_modules/semver -> node_modules/lru-cache (Runtime ^6.0.0 as lru-cache)
node_modules/use-sync-external-store -> node_modules/react (Peer ^16.8.0 || ^17.0.0 || ^18.0.0 as react)
packages/app -> packages/lib (Runtime ^0.2.0 as @own/lib-of-all)
packages/app -> node_modules/ms (Runtime 2.0.0 as ms)
packages/lib -> node_modules/react (Runtime 18.2.0 as react)
packages/lib -> node_modules/use-sync-external-store (Runtime 1.2.0 as use-sync-external-store)
tools/@own/cli -> tools/@own/cli/node_modules/ms (Runtime ^2.1.0 as ms)
"#);
    assert_eq!(
        at(&lockfile, "packages/lib").origin,
        Origin::Path(Some("packages/lib".into()))
    );

    // Links point to packages and are not packages themselves.
    assert!(
        lockfile
            .packages
            .iter()
            .all(|package| package.install_path.as_deref() != Some("node_modules/app"))
    );
}

#[test]
fn origins_are_distinguished() {
    for (bytes, version) in [
        (fixture!("read/origins-v3/npm-shrinkwrap.json"), 3),
        (fixture!("read/origins-v1/package-lock.json"), 1),
    ] {
        let lockfile = read(bytes).unwrap();
        assert_eq!(
            at(&lockfile, "node_modules/of-git").origin,
            Origin::Git {
                url: "git+ssh://git@git.invalid/own/of-git.git".into(),
                commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
            }
        );
        assert_eq!(
            at(&lockfile, "node_modules/archive").origin,
            Origin::Url("https://files.invalid/archive.tgz".into())
        );
        assert!(matches!(
            at(&lockfile, "node_modules/parent").origin,
            Origin::Registry(Some(_))
        ));
        let child = at(&lockfile, "node_modules/parent/node_modules/child");
        assert_eq!(
            (child.bundled, &child.origin),
            (true, &Origin::Registry(None))
        );
        let linked = if version == 3 {
            "../beside"
        } else {
            "node_modules/beside"
        };
        assert_eq!(
            at(&lockfile, linked).origin,
            Origin::Path(Some("../beside".into()))
        );
    }

    let lockfile = read(fixture!("read/origins-v3/npm-shrinkwrap.json")).unwrap();
    // A mirror with an unusual layout: the dependent requires a range, so it is a registry.
    assert_eq!(
        at(&lockfile, "node_modules/mirror").origin,
        Origin::Registry(Some("https://mirror.invalid/store/4f/mirror.tgz".into()))
    );
    assert_eq!(
        at(&lockfile, "node_modules/packed").origin,
        Origin::Path(Some("packed.tgz".into()))
    );

    let parent = at(&lockfile, "node_modules/parent");
    let kinds: Vec<_> = parent
        .edges
        .iter()
        .map(|edge| (edge.name.as_str(), edge.kind))
        .collect();

    assert_eq!(
        kinds,
        [
            ("child", DependencyKind::Runtime),
            ("@own/plain", DependencyKind::Peer)
        ]
    );
}

#[test]
fn without_a_manifest_version_1_still_has_direct_dependencies() {
    let lockfile = read(fixture!("read/three-formats-v1/package-lock.json")).unwrap();
    let direct: Vec<_> = lockfile.roots[0]
        .edges
        .iter()
        .map(|edge| edge.name.as_str())
        .collect();

    assert_eq!(
        direct,
        [
            "@sindresorhus/is",
            "debug",
            "fsevents",
            "mkdirp",
            "ms",
            "old-ms"
        ]
    );

    let oldest = read(fixture!("read/oldest-v1/npm-shrinkwrap.json")).unwrap();
    assert_eq!(oldest.roots[0].name, "oldest");
    assert_eq!(
        at(&oldest, "node_modules/outer/node_modules/inner").version,
        "0.5.0"
    );
}

#[test]
fn refuses_files_that_it_cannot_read_completely() {
    let refused = [
        fixture!("refused/array/package-lock.json"),
        fixture!("refused/binary/package-lock.json"),
        fixture!("refused/conflict-v3/package-lock.json"),
        fixture!("refused/deep-v1/package-lock.json"),
        fixture!("refused/empty/package-lock.json"),
        fixture!("refused/no-packages-v2/package-lock.json"),
        fixture!("refused/packages-in-v1/package-lock.json"),
        fixture!("refused/trailing-v3/package-lock.json"),
        fixture!("refused/truncated-v3/package-lock.json"),
        fixture!("refused/utf16/package-lock.json"),
    ];
    let messages: Vec<String> = refused
        .into_iter()
        .map(|bytes| {
            let error = read(bytes).unwrap_err();
            match error.line {
                Some(line) => format!("{line}: {error}"),
                None => format!("-: {error}"),
            }
        })
        .collect();

    insta::assert_snapshot!(messages.join("\n"), @r#"
1: is not an npm lockfile: invalid type: sequence, expected an object
-: is not text: it contains NUL bytes
10: has merge conflict markers
1: is not valid JSON: recursion limit exceeded
-: is empty
-: is not an npm lockfile: it lacks `packages`, which lockfileVersion 2 needs
-: is not an npm lockfile: it has `packages`, which lockfileVersion 1 does not have
14: is not valid JSON: trailing characters
11: is truncated: its JSON does not end
-: is UTF-16, not UTF-8
"#);
}

/// npm reads all of these files.
#[test]
fn one_odd_entry_does_not_lose_the_file() {
    let mut seen = String::new();
    for bytes in [
        fixture!("read/salvaged-duplicate-field-v3/package-lock.json"),
        fixture!("read/salvaged-duplicate-package-v1/package-lock.json"),
        fixture!("read/salvaged-duplicate-package-v3/package-lock.json"),
        fixture!("read/salvaged-escaped-duplicate-v3/package-lock.json"),
        fixture!("read/salvaged-future-v4/package-lock.json"),
        fixture!("read/salvaged-no-version-v3/package-lock.json"),
        fixture!("read/salvaged-resolved-false-v1/package-lock.json"),
    ] {
        seen += &crate::snapshot_text::snapshot_text(&read(bytes).unwrap());
        seen.push('\n');
    }

    insta::assert_snapshot!(seen);
}

/// The kinds of values that are wrong in one entry, with the loss of each.
#[test]
fn a_value_of_the_wrong_kind_is_skipped() {
    use patchgate_model::Loss::{self, Detail, Edge, Package};

    let losses = |entry: &str| -> Vec<Loss> {
        let text = format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\"\": {{}}, \"node_modules/a\": {entry}, \"node_modules/b\": {{\"version\": \"1.0.0\"}}}}}}"
        );
        let lockfile = read(text.as_bytes()).unwrap();
        assert!(
            lockfile.packages.iter().any(|package| package.name == "b"),
            "{entry}"
        );
        lockfile.skipped.iter().map(|entry| entry.loss).collect()
    };

    for (entry, expected) in [
        ("1", &[Package][..]),
        ("null", &[Package]),
        (r#"{"version": 1}"#, &[Package]),
        (r#"{"version": "1.0.0", "integrity": 1}"#, &[Detail]),
        (r#"{"version": "1.0.0", "resolved": 1}"#, &[Detail]),
        (r#"{"version": "1.0.0", "resolved": false}"#, &[]),
        (r#"{"version": "1.0.0", "dev": "yes"}"#, &[Detail]),
        (r#"{"version": "1.0.0", "name": 1}"#, &[Package]),
        (r#"{"version": "1.0.0", "dependencies": []}"#, &[Edge]),
        (r#"{"version": "1.0.0", "dependencies": {"b": 1}}"#, &[Edge]),
        (
            r#"{"version": "1.0.0", "dependencies": {"b": "1", "b": "2"}}"#,
            &[Edge],
        ),
        (r#"{"version": "1.0.0", "version": "1.0.0"}"#, &[Detail]),
        (r#"{"version": "2.0.0", "version": "1.0.0"}"#, &[Package]),
        (r#"{"x": 1, "x": 2, "version": "1.0.0"}"#, &[]),
    ] {
        assert_eq!(losses(entry), expected, "{entry}");
    }
}

#[test]
fn any_other_object_is_not_an_empty_lockfile() {
    for text in ["{}", r#"{"name": "a", "version": "1.0.0"}"#] {
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "is not an npm lockfile: it has neither `lockfileVersion` nor `dependencies`"
        );
    }
}

#[test]
fn finds_the_line_of_an_error_within_version_1() {
    let lockfile = read(
        b"{\n \"lockfileVersion\": 1,\n \"dependencies\": {\n \"a\": {\n \"version\": 1 } } }",
    )
    .unwrap();
    let lines: Vec<u32> = lockfile.skipped.iter().map(|entry| entry.line).collect();
    assert_eq!(lines, [4]);
}

#[test]
fn too_many_packages_are_refused() {
    let list = |count: usize, entry: &str, between: &str| {
        let entries = (0..count).map(|index| format!("\"a{index}\": {entry}"));
        entries.collect::<Vec<_>>().join(between)
    };
    let lines = list(200_001, "{}", ",\n");
    let one_line = list(200_001, "{}", ",");
    let locked = list(200_001, r#"{"version": "1.0.0"}"#, ",");
    let braces = list(600_001, "{}", ",");
    let on_lines = format!("{{\n\"lockfileVersion\": 3,\n\"packages\": {{\n{lines}\n}}\n}}\n");

    assert!(super::scan::scan(&on_lines).is_none());
    for text in [
        on_lines,
        // Entries beyond the limit are not read: `1` would not be a valid entry.
        format!("{{\"lockfileVersion\": 3, \"packages\": {{{one_line}, \"last\": 1}}}}"),
        format!("{{\"lockfileVersion\": 1, \"dependencies\": {{{locked}}}}}"),
        format!("{{\"lockfileVersion\": 1, \"dependencies\": {{{braces}}}}}"),
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "has more than 200000 packages");
    }
}

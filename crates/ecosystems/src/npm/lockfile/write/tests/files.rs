//! Fields, layouts, versions and overrides.

use super::*;

#[test]
fn a_copy_gets_the_fields_of_its_new_release() {
    let case = two_copies();
    let mut target = case.target();
    let more = json!({
        "deprecated": "use b",
        "license": {"type": "ISC", "url": "x"},
        "bin": "./cli.js",
        "engines": {"node": ">=4"},
        "funding": "https://fund.invalid",
        "hasInstallScript": true,
        "os": ["linux"],
        "cpu": [],
        "optionalDependencies": {},
        "peerDependencies": {"z": "*"},
        "peerDependenciesMeta": {"z": {"optional": true}},
    });
    target.nodes[copy_at(&case, "node_modules/a")].release = Some(release("a", "1.2.0", more));
    let written = case.write(&target).unwrap();

    insta::assert_snapshot!(similar_lines(&case.text, &written), @r#"
    -      "version": "1.0.0",
    -      "resolved": "https://npm.invalid/a/-/a-1.0.0.tgz",
    -      "integrity": "sha512-1.0.0",
    -      "license": "MIT"
    +      "version": "1.2.0",
    +      "resolved": "https://npm.invalid/a/-/a-1.2.0.tgz",
    +      "integrity": "sha512-1.2.0",
    +      "deprecated": "use b",
    +      "hasInstallScript": true,
    +      "license": "ISC",
    +      "os": [
    +        "linux"
    +      ],
    +      "bin": {
    +        "a": "cli.js"
    +      },
    +      "engines": {
    +        "node": ">=4"
    +      },
    +      "funding": {
    +        "url": "https://fund.invalid"
    +      },
    +      "peerDependencies": {
    +        "z": "*"
    +      },
    +      "peerDependenciesMeta": {
    +        "z": {
    +          "optional": true
    +        }
    +      }
    "#);
}

/// The lines that differ, those before first in each place.
fn similar_lines(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let end = old[same..]
        .iter()
        .rev()
        .zip(new[same..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let removed = old[same..old.len() - end]
        .iter()
        .map(|line| format!("-{line}"));
    let added = new[same..new.len() - end]
        .iter()
        .map(|line| format!("+{line}"));
    removed.chain(added).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_layout_of_the_file_stays() {
    let case = two_copies();
    let styles = [
        case.text.replace('\n', "\r\n"),
        case.text.trim_end().to_owned(),
        case.text.replace("  ", "\t"),
        format!("\u{feff}{}", case.text),
        // The entries in another order, and a field that npm does not write.
        case.text.replace(
            "\"requires\": true,",
            "\"extra\": [1,2],\n  \"requires\":true,",
        ),
    ];
    for text in styles {
        let case = locked_text(
            &text,
            &json!({"name": "app", "dependencies": {"p": "^1.0.0"}, "devDependencies": {"q": "^1.0.0"}}),
        );
        let mut target = case.target();
        target.nodes[copy_at(&case, "node_modules/a")].release =
            Some(release("a", "1.2.0", json!({"license": "MIT"})));
        let written = case.write(&target).unwrap();
        let expected = text
            .replacen("\"version\": \"1.0.0\"", "\"version\": \"1.2.0\"", 1)
            .replacen("/a-1.0.0.tgz", "/a-1.2.0.tgz", 1)
            .replacen("sha512-1.0.0", "sha512-1.2.0", 1);
        assert_eq!(written, expected);
    }

    let one_line = case.text.replace('\n', "");
    let case = locked_text(&one_line, &json!({}));
    let mut target = case.target();
    target.nodes[0].release = Some(release("a", "1.2.0", json!({})));
    insta::assert_snapshot!(case.write(&target).unwrap_err(), @"it is not laid out in lines of one kind");
}

#[test]
fn both_trees_of_version_2_are_written() {
    let packages = json!({
        "": {"name": "app", "dependencies": {"p": "^1.0.0"}},
        "node_modules/a": entry("a", "1.0.0", json!({"license": "MIT"})),
        "node_modules/p": entry("p", "1.0.0", json!({"dependencies": {"a": "^1.0.0"}})),
    });
    let file = json!({
        "name": "app",
        "lockfileVersion": 2,
        "requires": true,
        "packages": packages,
        "dependencies": {
            "a": entry("a", "1.0.0", json!({})),
            "p": entry("p", "1.0.0", json!({"requires": {"a": "^1.0.0"}})),
        },
    });
    let case = locked_text(&printed(&file), &packages[""]);
    let mut target = case.target();
    let needs =
        json!({"license": "MIT", "dependencies": {"b": "1"}, "peerDependencies": {"p": "*"}});
    let a = copy_at(&case, "node_modules/a");
    target.nodes[a].release = Some(release("a", "1.2.0", needs));
    target.nodes[a].edges = vec![
        edge("b", "1", 2),
        TargetEdge {
            kind: DependencyKind::Peer,
            ..edge("p", "*", copy_at(&case, "node_modules/p"))
        },
    ];
    target.nodes.push(TargetNode {
        was: None,
        name: "b".to_owned(),
        release: Some(release("b", "1.0.0", json!({}))),
        edges: Vec::new(),
    });
    let written = case.write(&target).unwrap();

    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(
        written["dependencies"],
        json!({
            "a": entry("a", "1.2.0", json!({"requires": {"b": "1"}})),
            "b": entry("b", "1.0.0", json!({})),
            "p": entry("p", "1.0.0", json!({"requires": {"a": "^1.0.0"}})),
        })
    );
    assert_eq!(
        written["packages"]["node_modules/b"],
        entry("b", "1.0.0", json!({}))
    );
}

#[test]
fn version_1_is_written() {
    let manifest =
        json!({"name": "app", "dependencies": {"p": "^1.0.0"}, "devDependencies": {"q": "1"}});
    let file = json!({
        "name": "app",
        "lockfileVersion": 1,
        "requires": true,
        "dependencies": {
            "a": entry("a", "1.0.0", json!({})),
            "p": entry("p", "1.0.0", json!({"requires": {"a": "^1.0.0"}})),
            "q": entry("q", "1.0.0", json!({
                "dev": true,
                "requires": {"a": "^2.0.0"},
                "dependencies": {"a": entry("a", "2.0.0", json!({"dev": true}))},
            })),
        },
    });
    let case = locked_text(&printed(&file), &manifest);
    let mut target = case.target();
    let (p, top) = (
        copy_at(&case, "node_modules/p"),
        copy_at(&case, "node_modules/a"),
    );
    let nested = copy_at(&case, "node_modules/q/node_modules/a");
    target.nodes[p].release = Some(release("p", "1.1.0", json!({"dependencies": {"b": "*"}})));
    target.nodes[nested].release = Some(release("a", "2.1.0", json!({"license": "MIT"})));
    target.nodes[p].edges = vec![edge("b", "*", target.nodes.len())];
    target.nodes.push(TargetNode {
        was: None,
        name: "b".to_owned(),
        release: Some(release("b", "1.0.0", json!({}))),
        edges: Vec::new(),
    });
    without(&mut target, top);
    let written = case.write(&target).unwrap();

    // The nested copy goes up, where nothing is in its way any more.
    let mut expected = file;
    expected["dependencies"] = json!({
        "a": entry("a", "2.1.0", json!({"dev": true})),
        "b": entry("b", "1.0.0", json!({})),
        "p": entry("p", "1.1.0", json!({"requires": {"b": "*"}})),
        "q": entry("q", "1.0.0", json!({"dev": true, "requires": {"a": "^2.0.0"}})),
    });
    assert_eq!(written, printed(&expected));
}

#[test]
fn addresses_are_left_out_where_the_file_does() {
    let bare = |version: &str, more: Value| {
        let mut entry = entry("a", version, more);
        entry.as_object_mut().unwrap().remove("resolved");
        entry
    };
    let case = locked(&json!({
        "": {"name": "app", "dependencies": {"a": "^1.0.0"}},
        "node_modules/a": bare("1.0.0", json!({})),
    }));
    let mut target = case.target();
    target.nodes[0].release = Some(release("a", "1.2.0", json!({})));
    let packages = packages(&case.write(&target).unwrap());
    assert_eq!(packages["node_modules/a"], bare("1.2.0", json!({})));
}

#[test]
fn the_license_comes_from_the_whole_document() {
    let case = two_copies();
    let mut target = case.target();
    let short = |document: Option<&mut Value>| {
        document.unwrap().as_object_mut().unwrap().remove("_id");
    };
    let a = copy_at(&case, "node_modules/a");
    let mut moved = release("a", "1.2.0", json!({}));
    short(moved.document.as_mut());
    target.nodes[a].release = Some(moved.clone());
    insta::assert_snapshot!(
        case.write(&target).unwrap_err(),
        @"the registry does not state the license of `a 1.2.0`"
    );

    let requests = NpmLockWriter.downloads("a", &moved);
    let [request] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert_eq!(request.url, "https://alias.invalid/a/1.2.0");
    let whole = release("a", "1.2.0", json!({"license": "ISC", "readme": "x"}));
    let whole = whole.document.unwrap();
    let downloads = Downloads::from([(request.url.clone(), whole.to_string().into_bytes())]);
    let packages = packages(&case.write_with(&target, &downloads).unwrap());
    assert_eq!(packages["node_modules/a"]["license"], "ISC");

    let mut other = whole;
    other["dist"]["integrity"] = json!("sha512-other");
    let downloads = Downloads::from([(request.url.clone(), other.to_string().into_bytes())]);
    insta::assert_snapshot!(
        case.write_with(&target, &downloads).unwrap_err(),
        @"the registry has two descriptions of `a 1.2.0`"
    );
}

#[test]
fn overrides_are_added_and_raised() {
    let write = |manifest: &str| {
        let manifests = Siblings::from([("package.json".to_owned(), manifest.as_bytes().to_vec())]);
        NpmLockWriter
            .write_override("package-lock.json", &manifests, "a", "1.2.3")
            .map(|written| written.unwrap().1)
            .map_err(|error| error.to_string())
    };
    let new = write("{\n  \"name\": \"app\"\n}\n").unwrap();
    assert_eq!(
        new,
        "{\n  \"name\": \"app\",\n  \"overrides\": {\n    \"a\": \"1.2.3\"\n  }\n}\n"
    );
    let raised = write(
        "{\r\n\t\"overrides\": {\"z\": \"1\", \"a\": \"1.0.0\"},\r\n\t\"name\": \"app\"\r\n}",
    )
    .unwrap();
    assert_eq!(
        raised,
        "{\r\n\t\"overrides\": {\"z\": \"1\", \"a\": \"1.2.3\"},\r\n\t\"name\": \"app\"\r\n}"
    );
    let inner =
        write("{\n  \"overrides\": {\n    \"a\": {\n      \"b\": \"1\"\n    }\n  }\n}\n").unwrap();
    assert!(
        inner.contains("\"a\": {\n      \".\": \"1.2.3\",\n      \"b\": \"1\"\n    }"),
        "{inner}"
    );
    let own = write("{\n  \"dependencies\": {\n    \"a\": \"^1.0.0\"\n  }\n}\n").unwrap();
    assert!(
        own.ends_with("\"overrides\": {\n    \"a\": \"$a\"\n  }\n}\n"),
        "{own}"
    );

    let reasons = [
        write("{\n  \"dependencies\": {\n    \"a\": \"~1.0.0\"\n  }\n}\n"),
        write("{\n  \"overrides\": {\n    \"a@^1\": \"1.0.0\"\n  }\n}\n"),
        write("{\n  \"overrides\": {\n    \"b\": {\n      \"a\": \"1.0.0\"\n    }\n  }\n}\n"),
        write("{\n  \"overrides\": []\n}\n"),
        write("[]"),
    ];
    let reasons: Vec<String> = reasons.into_iter().map(Result::unwrap_err).collect();
    insta::assert_snapshot!(reasons.join("\n"), @r"
    the manifest cannot be changed: the project requires `a` as `~1.0.0`
    the manifest cannot be changed: `overrides` have `a` for some dependents or versions
    the manifest cannot be changed: `overrides` have `a` for some dependents or versions
    the manifest cannot be changed: `overrides` is not an object
    the manifest cannot be read: it is not an object
    ");
}

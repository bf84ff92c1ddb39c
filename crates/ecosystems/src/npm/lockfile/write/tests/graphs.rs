//! Changes of the graph.

use super::*;

#[test]
fn an_unchanged_graph_has_the_same_bytes() {
    let case = two_copies();
    assert_eq!(case.write(&case.target()).unwrap(), case.text);
}

#[test]
fn a_nested_copy_leaves_when_the_one_above_has_its_version() {
    let case = two_copies();
    let mut target = case.target();
    let (top, nested) = (
        copy_at(&case, "node_modules/a"),
        copy_at(&case, "node_modules/q/node_modules/a"),
    );
    let wide = json!({"dependencies": {"a": "1.0.0 || ^2.0.0"}});
    target.nodes[copy_at(&case, "node_modules/p")].release = Some(release("p", "1.1.0", wide));
    target.nodes[copy_at(&case, "node_modules/p")].edges[0].requirement =
        Some("1.0.0 || ^2.0.0".to_owned());
    target.nodes[top].release = Some(release("a", "2.1.0", json!({})));
    target.nodes[nested].release = Some(release("a", "2.1.0", json!({})));
    let packages = packages(&case.write(&target).unwrap());

    assert_eq!(packages["node_modules/a"]["version"], "2.1.0");
    assert_eq!(packages["node_modules/q/node_modules/a"], Value::Null);
}

#[test]
fn new_packages_go_to_the_top_or_below_their_dependent() {
    let case = two_copies();
    let mut target = case.target();
    let at = target.nodes.len();
    let new = |name: &str, release, edges| TargetNode {
        was: None,
        name: name.to_owned(),
        release: Some(release),
        edges,
    };
    let p = copy_at(&case, "node_modules/p");
    let needs =
        json!({"dependencies": {"a": "^3.0.0", "b": "*"}, "optionalDependencies": {"o": "1"}});
    target.nodes[p].release = Some(release("p", "1.1.0", needs));
    target.nodes[p].edges = vec![
        edge("a", "^3.0.0", at),
        edge("b", "*", at + 1),
        TargetEdge {
            kind: DependencyKind::Optional,
            ..edge("o", "1", at + 2)
        },
    ];
    // What the copy of `a` at the top was for.
    let d = json!({"dependencies": {"a": "^1.0.0"}});
    target.nodes.extend([
        new("a", release("a", "3.0.0", json!({})), Vec::new()),
        new(
            "b",
            release("b", "1.0.0", d),
            vec![edge("a", "^1.0.0", copy_at(&case, "node_modules/a"))],
        ),
        new(
            "o",
            release("o", "1.0.0", json!({"os": ["win32"]})),
            Vec::new(),
        ),
    ]);
    let packages = packages(&case.write(&target).unwrap());

    let paths: Vec<&String> = packages.as_object().unwrap().keys().collect();
    insta::assert_debug_snapshot!(paths, @r#"
    [
        "",
        "node_modules/a",
        "node_modules/b",
        "node_modules/o",
        "node_modules/p",
        "node_modules/p/node_modules/a",
        "node_modules/q",
        "node_modules/q/node_modules/a",
    ]
    "#);
    assert_eq!(
        packages["node_modules/p/node_modules/a"]["version"],
        "3.0.0"
    );
    assert_eq!(packages["node_modules/o"]["optional"], true);
    assert_eq!(packages["node_modules/b"]["optional"], Value::Null);
}

#[test]
fn what_nothing_needs_leaves_and_flags_follow() {
    let case = locked(&json!({
        "": {"name": "app", "dependencies": {"p": "^1.0.0"}, "devDependencies": {"q": "^1.0.0"}},
        "node_modules/a": entry("a", "1.0.0", json!({"dependencies": {"b": "1"}})),
        "node_modules/b": entry("b", "1.0.0", json!({})),
        "node_modules/p": entry("p", "1.0.0", json!({"dependencies": {"a": "^1.0.0"}})),
        "node_modules/q": entry("q", "1.0.0", json!({"dependencies": {"b": "1"}, "dev": true})),
    }));
    let mut target = case.target();
    let p = copy_at(&case, "node_modules/p");
    target.nodes[p].release = Some(release("p", "1.1.0", json!({})));
    target.nodes[p].edges.clear();
    without(&mut target, copy_at(&case, "node_modules/a"));
    let packages = packages(&case.write(&target).unwrap());

    assert_eq!(packages["node_modules/a"], Value::Null);
    assert_eq!(packages["node_modules/b"]["dev"], true);
}

#[test]
fn projects_and_aliases_are_written() {
    let root =
        json!({"name": "app", "workspaces": ["packages/*"], "dependencies": {"x": "npm:a@^1.0.0"}});
    let member = |requirement: &str| json!({"name": "w", "version": "1.0.0", "dependencies": {"a": requirement}});
    let case = locked(&json!({
        "": root,
        "node_modules/a": entry("a", "1.0.0", json!({})),
        "node_modules/w": {"resolved": "packages/w", "link": true},
        "node_modules/x": entry("a", "1.0.0", json!({"name": "a"})),
        "packages/w": member("^1.0.0"),
    }))
    .edited("packages/w/package.json", &member("^2.0.0").to_string());
    let mut target = case.target();
    target.nodes[copy_at(&case, "node_modules/a")].release = Some(release("a", "2.0.0", json!({})));
    target.nodes[copy_at(&case, "node_modules/x")].release = Some(release("a", "1.5.0", json!({})));
    let packages = packages(&case.write(&target).unwrap());

    assert_eq!(packages["packages/w"], member("^2.0.0"));
    assert_eq!(packages["node_modules/a"], entry("a", "2.0.0", json!({})));
    assert_eq!(
        packages["node_modules/x"],
        entry("a", "1.5.0", json!({"name": "a"}))
    );
}

#[test]
fn what_npm_would_change_is_refused() {
    let case = two_copies();
    let p = copy_at(&case, "node_modules/p");
    let a = copy_at(&case, "node_modules/a");
    let refused = |change: &dyn Fn(&mut TargetGraph)| {
        let mut target = case.target();
        change(&mut target);
        case.write(&target).unwrap_err()
    };
    let reasons = [
        refused(&|target| target.nodes[a].release = Some(release("a", "3.0.0", json!({})))),
        refused(&|target| {
            let needs = json!({"dependencies": {"a": "^1.0.0", "b": "1"}});
            target.nodes[p].release = Some(release("p", "1.1.0", needs));
        }),
        refused(&|target| {
            let mut moved = release("a", "1.1.0", json!({}));
            moved.bundled = vec!["b".to_owned()];
            target.nodes[a].release = Some(moved);
        }),
        refused(&|target| {
            let more = json!({"_hasShrinkwrap": true});
            target.nodes[a].release = Some(release("a", "1.1.0", more));
        }),
        refused(&|target| {
            let mut moved = release("a", "1.1.0", json!({}));
            moved.document = None;
            target.nodes[a].release = Some(moved);
        }),
        refused(&|target| {
            target.nodes[a].release = Some(release("a", "1.1.0", json!({"bin": {"é": "x"}})))
        }),
    ];
    insta::assert_snapshot!(reasons.join("\n"), @r"
    `node_modules/p` requires `a` as `^1.0.0`, which `node_modules/a` is not
    `b` of `node_modules/p` is missing
    `a 1.1.0` has packages in its archive
    `a 1.1.0` has a lockfile in its archive
    `a 1.1.0` is not described
    `a 1.1.0` is described in an unusual way
    ");

    let other = json!({"name": "app", "dependencies": {"p": "^1.0.0", "new": "1"}});
    let case = two_copies().edited("package.json", &other.to_string());
    let mut target = case.target();
    target.nodes[a].release = Some(release("a", "1.1.0", json!({})));
    insta::assert_snapshot!(
        case.write(&target).unwrap_err(),
        @"it does not list the dependencies of the manifest in `.`"
    );
}

#[test]
fn a_package_goes_up_to_its_peer() {
    let case = locked(&json!({
        "": {"name": "app", "dependencies": {"core": "^3.0.0", "r": "^1.0.0"}},
        "node_modules/core": entry("core", "3.0.0", json!({})),
        "node_modules/r": entry("r", "1.0.0", json!({"dependencies": {"core": "^2.0.0"}})),
        "node_modules/r/node_modules/core": entry("core", "2.0.0", json!({})),
    }));
    let mut target = case.target();
    let r = copy_at(&case, "node_modules/r");
    let needs = json!({"dependencies": {"core": "^2.0.0", "plug": "*"}});
    target.nodes[r].release = Some(release("r", "1.1.0", needs));
    target.nodes[r].edges.push(edge("plug", "*", 3));
    target.nodes.push(TargetNode {
        was: None,
        name: "plug".to_owned(),
        release: Some(release(
            "plug",
            "1.0.0",
            json!({"peerDependencies": {"core": ">=3"}}),
        )),
        edges: vec![TargetEdge {
            kind: DependencyKind::Peer,
            ..edge("core", ">=3", copy_at(&case, "node_modules/core"))
        }],
    });
    let packages = packages(&case.write(&target).unwrap());
    assert_eq!(packages["node_modules/plug"]["version"], "1.0.0");
}

#[test]
fn a_copy_makes_way_for_the_one_of_the_project() {
    let root =
        |requirement: &str| json!({"name": "app", "dependencies": {"a": requirement, "p": "1"}});
    let case = locked(&json!({
        "": root("^1.0.0"),
        "node_modules/a": entry("a", "1.0.0", json!({})),
        "node_modules/p": entry("p", "1.0.0", json!({"dependencies": {"a": "^1.0.0"}})),
    }))
    .edited("package.json", &root("^2.0.0").to_string());
    let mut target = case.target();
    target.roots[0]
        .iter_mut()
        .find(|edge| edge.name == "a")
        .unwrap()
        .to = 2;
    target.nodes.push(TargetNode {
        was: None,
        name: "a".to_owned(),
        release: Some(release("a", "2.0.0", json!({}))),
        edges: Vec::new(),
    });
    let packages = packages(&case.write(&target).unwrap());

    assert_eq!(packages[""]["dependencies"]["a"], "^2.0.0");
    assert_eq!(packages["node_modules/a"], entry("a", "2.0.0", json!({})));
    assert_eq!(
        packages["node_modules/p/node_modules/a"],
        entry("a", "1.0.0", json!({}))
    );
}

#[test]
fn flags_of_another_npm_stay_or_are_refused() {
    let case = locked(&json!({
        "": {"name": "app", "dependencies": {"a": "1", "p": "1"}},
        // Only an optional peer needs it: npm 11 would call it extraneous.
        "node_modules/o": entry("o", "1.0.0", json!({"peer": true, "optional": true})),
        "node_modules/a": entry("a", "1.0.0", json!({})),
        "node_modules/p": entry("p", "1.0.0", json!({
            "peerDependencies": {"o": "*"},
            "peerDependenciesMeta": {"o": {"optional": true}},
        })),
    }));
    let mut target = case.target();
    target.nodes[copy_at(&case, "node_modules/a")].release = Some(release("a", "1.1.0", json!({})));
    let written: Value = serde_json::from_str(&case.write(&target).unwrap()).unwrap();
    assert_eq!(written["packages"]["node_modules/o"]["peer"], true);

    target.nodes[copy_at(&case, "node_modules/o")].release = Some(release("o", "1.1.0", json!({})));
    insta::assert_snapshot!(
        case.write(&target).unwrap_err(),
        @"it is not known what needs `node_modules/o`"
    );
}

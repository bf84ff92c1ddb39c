use super::{Document, Entries, LEVEL};
use crate::composer::{php_json, registry};
use crate::syntax::json;
use crate::test_graph::{Case, add, set};
use crate::{Input, LockfileWriter as _, Release, TargetGraph};

const MANIFEST: &str =
    r#"{"name": "acme/app", "require": {"acme/a": "^1.0"}, "require-dev": {"acme/test": "^1.0"}}"#;

/// A lockfile of `a` (which needs `b`), `b`, and for development `test` (which needs `c`) and `c`.
fn plain() -> String {
    let runtime = [
        entry("acme/a", "v1.0.0", r#""acme/b": "^1.0""#),
        entry("acme/b", "1.0.0", ""),
    ];
    let development = [
        entry("acme/c", "1.0.0", ""),
        entry("acme/test", "1.0.0", r#""acme/c": "^1.0""#),
    ];
    let list = |entries: [String; 2]| format!("[\n        {}\n    ]", entries.join(",\n        "));
    format!(
        "{{\n    \"_readme\": [\n        \"x\"\n    ],\n    \"content-hash\": \"{}\",\n    \"packages\": {},\n    \
         \"packages-dev\": {},\n    \"aliases\": [],\n    \"plugin-api-version\": \"2.3.0\"\n}}\n",
        "0".repeat(32),
        list(runtime),
        list(development)
    )
}

fn entry(name: &str, version: &str, requires: &str) -> String {
    let text = format!(
        r#"{{"name": "{name}", "version": "{version}", "dist": {{"type": "zip", "url": "https://code.invalid/{name}/{version}", "reference": "r", "shasum": ""}},
            "require": {{{requires}}}, "type": "library", "notification-url": "https://repo.invalid/downloads/"}}"#
    );
    let node = json(&text).unwrap();
    let fields = node
        .entries()
        .iter()
        .filter(|(_, value)| !php_json::is_empty(value));
    php_json::pretty(&php_json::map(fields.cloned().collect()), LEVEL)
}

/// A release as the repository describes it, with the fields in another order.
fn release(name: &str, version: &str, requires: &str) -> Release {
    let body = format!(
        r#"{{"packages": {{"{name}": [{{"type": "library", "require": {{{requires}}}, "version": "{version}",
            "dist": {{"url": "https://code.invalid/{name}/{version}", "type": "zip", "shasum": "", "reference": "r"}}, "name": "{name}"}}]}}}}"#
    );
    registry::parse(name, body.as_bytes()).unwrap().remove(0)
}

fn locked(text: &str) -> Case {
    Case::new("composer.lock", text, &[("composer.json", MANIFEST)])
}

#[test]
fn an_unchanged_graph_gives_the_same_bytes() {
    for text in [
        plain(),
        plain().replace('\n', "\r\n"),
        format!("\u{feff}{}", plain()),
        include_str!("../fixtures/read/lock/composer.lock").to_owned(),
    ] {
        let case = locked(&text);
        assert_eq!(case.write(&case.target()).unwrap(), text);
    }
}

#[test]
fn a_package_gets_another_version_in_its_position() {
    let expected = plain().replace(&entry("acme/b", "1.0.0", ""), &entry("acme/b", "1.2.0", ""));
    for change in [
        |text: String| text,
        |text: String| text.replace('\n', "\r\n"),
        |text: String| text.trim_end().to_owned(),
        |text: String| format!("\u{feff}{text}"),
    ] {
        let case = locked(&change(plain()));
        let mut target = case.target();
        set(&mut target, "acme/b", release("acme/b", "1.2.0", ""));
        assert_eq!(case.write(&target).unwrap(), change(expected.clone()));
    }
}

#[test]
fn packages_come_leave_and_change_their_list() {
    // `a` needs `c`, which only development needed, and `new`, but `b` no more.
    let requires = r#""php": ">=8", "acme/new": "^2.0", "acme/c": "^1.0""#;
    let case = locked(&plain());
    let mut target = case.target();
    set(&mut target, "acme/a", release("acme/a", "v1.1.0", requires));
    target.nodes.retain(|node| node.name != "acme/b");
    let unmet = case.write(&target).unwrap_err();
    assert_eq!(
        unmet,
        "`acme/a v1.1.0` needs `acme/new`, which has no version"
    );

    add(&mut target, "acme/new", release("acme/new", "v2.0.0", ""));
    let written = case.write(&target).unwrap();
    let sorted = r#""acme/c": "^1.0", "acme/new": "^2.0", "php": ">=8""#;
    let runtime = [
        entry("acme/a", "v1.1.0", sorted),
        entry("acme/c", "1.0.0", ""),
        entry("acme/new", "v2.0.0", ""),
    ];
    assert!(
        written.contains(&format!(
            "[\n        {}\n    ]",
            runtime.join(",\n        ")
        )),
        "{written}"
    );

    // Nothing for development is left.
    let mut target = case.target();
    target
        .nodes
        .retain(|node| !["acme/c", "acme/test"].contains(&node.name.as_str()));
    target.roots[0].retain(|edge| edge.name == "acme/a");
    let written = case.write(&target).unwrap();
    assert!(written.contains("\"packages-dev\": [],\n"), "{written}");
}

#[test]
fn a_raised_requirement_changes_the_hash() {
    let manifest = MANIFEST.replace("\"acme/a\": \"^1.0\"", "\"acme/a\": \"^2.0\"");
    let case = locked(&plain()).edited("composer.json", &manifest);
    let mut target = case.target();
    set(&mut target, "acme/a", release("acme/a", "v2.0.0", ""));
    target.nodes.retain(|node| node.name != "acme/b");
    for edge in target.roots[0]
        .iter_mut()
        .filter(|edge| edge.name == "acme/a")
    {
        edge.requirement = Some("^2.0".to_owned());
    }
    let written = case.write(&target).unwrap();
    let hash = super::content_hash(&manifest).unwrap();
    assert!(
        written.contains(&format!("\"content-hash\": \"{hash}\",\n")),
        "{written}"
    );
}

#[test]
fn a_name_can_be_satisfied_by_another_package() {
    let text = plain().replace(r#""acme/b": "^1.0""#, r#""acme/api": "^1.0""#).replace(
        &entry("acme/b", "1.0.0", ""),
        &entry("acme/b", "1.0.0", "").replace("\"type\": \"library\"", "\"provide\": {\n                \"acme/api\": \"1.0 || 2.0\"\n            },\n            \"type\": \"library\""),
    );
    let case = locked(&text);
    let written = |requires: &str| {
        let mut target = case.target();
        set(&mut target, "acme/a", release("acme/a", "v1.1.0", requires));
        case.write(&target)
    };
    assert!(written(r#""acme/api": "^2.0""#).is_ok());
    assert_eq!(
        written(r#""acme/api": "^3.0""#).unwrap_err(),
        "`acme/a v1.1.0` requires `acme/api` as `^3.0`"
    );
}

#[test]
fn what_is_not_exact_is_refused() {
    let reason =
        |text: &str, change: &dyn Fn(&mut TargetGraph)| locked(text).changed(change).unwrap_err();
    let moved = |target: &mut TargetGraph| set(target, "acme/b", release("acme/b", "1.2.0", ""));
    let plain = plain();
    let mirrored = plain.replace("\"type\": \"library\"", "\"transport-options\": {\n                \"x\": 1\n            },\n            \"type\": \"library\"");
    let compact = plain.replace("\n        {", " {");
    let refusals = [
        reason(&plain, &|target| set(target, "acme/b", release("acme/b", "2.0.0", ""))),
        reason(&plain, &|target| {
            let mut release = release("acme/b", "1.2.0", "");
            release.document = None;
            set(target, "acme/b", release);
        }),
        reason(&plain, &|target| {
            let text = release("acme/b", "1.2.0", "").document.unwrap();
            let text = text.as_str().unwrap().replacen('{', "{\"conflict\": {\"acme/c\": \"<2\"}, ", 1);
            let mut release = release("acme/b", "1.2.0", "");
            release.document = Some(text.into());
            set(target, "acme/b", release);
        }),
        reason(&mirrored, &moved),
        reason(&compact, &moved),
        reason(&plain.replace("repo.invalid/downloads/\"\n        },\n        {\n            \"name\": \"acme/test", "other.invalid/d/\"\n        },\n        {\n            \"name\": \"acme/test"), &|target| {
            add(target, "acme/new", release("acme/new", "1.0.0", ""));
        }),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "tests read the corpus from files"
)]
fn every_entry_of_the_corpus_is_printed_as_composer_did() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    for repository in std::fs::read_dir(root).into_iter().flatten().flatten() {
        for helper in ["v1", "v2"] {
            let path = repository
                .path()
                .join(format!("composer/helpers/{helper}/composer.lock"));
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let document = Document::parse(&text).unwrap();
            let tree = json(&text).unwrap();
            let entries = Entries::read(&document, &tree).unwrap();
            assert!(!entries.entries.is_empty());
            for (entry, node) in entries.entries.iter().zip(&entries.trees) {
                assert_eq!(php_json::pretty(node, LEVEL), entry.text, "{path:?}");

                // The fields of an entry as a description give the entry again.
                let repository = super::FromRepository::of(node).unwrap();
                let again = super::entry::entry(node, &repository).unwrap();
                assert_eq!(php_json::pretty(&again, LEVEL), entry.text, "{path:?}");
            }
        }
    }
}

#[test]
fn what_the_project_replaces_needs_no_package() {
    let manifest = MANIFEST.replace(
        "\"require\"",
        "\"replace\": {\"acme/polyfill\": \"*\"}, \"conflict\": {\"acme/b\": \"1.3.0\"}, \"require\"",
    );
    let case = Case::new("composer.lock", &plain(), &[("composer.json", &manifest)]);
    let input = Input {
        path: "composer.lock",
        bytes: case.text.as_bytes(),
        siblings: &case.siblings,
    };
    let names = super::ComposerWriter.provided(&input);
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["acme/polyfill"]);

    let needs = r#""acme/polyfill": "^1.0""#;
    let with = |version: &str| {
        let mut target = case.target();
        set(&mut target, "acme/b", release("acme/b", version, needs));
        target
    };
    let written = case.write(&with("1.2.0")).unwrap();
    let expected = plain().replace(
        &entry("acme/b", "1.0.0", ""),
        &entry("acme/b", "1.2.0", needs),
    );
    assert_eq!(written, expected);
    let refused = case.write(&with("1.3.0")).unwrap_err();
    assert_eq!(refused, "the project conflicts with `acme/b 1.3.0`");

    let unknown = locked(&plain());
    let refused = unknown.write(&with("1.2.0")).unwrap_err();
    assert!(refused.contains("`acme/polyfill`, which has no version"));
}

//! Gradle's own metadata of a release, which it prefers to the POM
//! (<https://github.com/gradle/gradle/blob/master/platforms/documentation/docs/src/docs/design/gradle-module-metadata-latest-specification.md>).
//!
//! Read are the variants for programs of Java. Those for Android and other platforms are deliberately
//! absent, and so are the variants of optional features.

use std::collections::BTreeMap;

use super::release_pom::{Need, Scope};
use crate::syntax::{self, Node};

/// The text in a POM whose release has such metadata.
pub(super) const MARKER: &str = "published-with-gradle-metadata";

/// What a release needs, from its metadata. A platform is a need of its own; a constraint only bounds
/// what is there.
///
/// # Errors
/// If it is not of the format, as a fragment for a person.
pub(super) fn needs(text: &str) -> Result<Vec<Need>, String> {
    let root = syntax::json(text).map_err(|error| error.reason)?;
    let variants = root.get("variants").ok_or_else(unreadable)?;
    // The requirement, and whether those that compile and those that run have it.
    let mut found: BTreeMap<(String, bool), (String, bool, bool)> = BTreeMap::new();
    for variant in variants.items().iter().filter(|one| is_meant(&root, one)) {
        let is_api = attribute(variant, "org.gradle.usage") == Some("java-api");
        let list = |key: &str| variant.get(key).map(Node::items).unwrap_or_default().iter();
        let elsewhere = variant.get("available-at").into_iter();
        let all = list("dependencies").map(|one| (one, false));
        let all = all.chain(elsewhere.map(|one| (one, false)));
        for (one, only_bounds) in all.chain(list("dependencyConstraints").map(|one| (one, true))) {
            let name = module(one).ok_or_else(unreadable)?;
            let known = found.entry((name, only_bounds)).or_default();
            if known.0.is_empty() {
                known.0 = version(one).unwrap_or_default().to_owned();
            }
            known.1 |= is_api;
            known.2 |= !is_api;
        }
    }

    let needs = found.into_iter();
    Ok(needs
        .map(
            |((name, only_bounds), (requirement, in_api, at_run_time))| Need {
                name,
                requirement,
                scope: match (in_api, at_run_time) {
                    (true, false) => Scope::CompileOnly,
                    (true, true) => Scope::Compile,
                    (false, _) => Scope::Runtime,
                },
                only_bounds,
            },
        )
        .collect())
}

/// The names of the platforms, which are packages with nothing but bounds.
pub(super) fn platforms(text: &str) -> Vec<String> {
    let Ok(root) = syntax::json(text) else {
        return Vec::new();
    };
    let variants = root.get("variants").map(Node::items).unwrap_or_default();
    let lists = variants.iter().filter_map(|one| one.get("dependencies"));
    let platforms = lists.flat_map(Node::items).filter(|one| {
        attribute(one, "org.gradle.category").is_some_and(|category| category != "library")
    });
    platforms.filter_map(module).collect()
}

/// Whether a variant is one of a library for Java without optional features.
fn is_meant(root: &Node<'_>, variant: &Node<'_>) -> bool {
    let is_of_java = matches!(
        attribute(variant, "org.gradle.usage"),
        Some("java-api" | "java-runtime")
    );
    let is_library = matches!(
        attribute(variant, "org.gradle.category"),
        None | Some("library")
    );
    let is_of_android = attribute(variant, "org.gradle.jvm.environment") == Some("android")
        || attribute(variant, "org.jetbrains.kotlin.platform.type") == Some("androidJvm");
    let own = root.get("component").and_then(module);
    let capabilities = variant.get("capabilities").map(Node::items);
    let capabilities = capabilities.unwrap_or_default();
    let is_feature = !capabilities.is_empty()
        && capabilities.iter().all(|one| {
            let text = |key: &str| one.get(key)?.text();
            let name = text("group").zip(text("name"));
            name.map(|(group, name)| format!("{group}:{name}")) != own
        });

    is_of_java && is_library && !is_of_android && !is_feature
}

fn attribute<'n>(node: &'n Node<'_>, name: &str) -> Option<&'n str> {
    node.get("attributes")?.get(name)?.text()
}

fn unreadable() -> String {
    "is not of the format".to_owned()
}

fn version<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    let version = node.get("version")?;
    if let Some(text) = version.text() {
        return Some(text);
    }
    let keys = ["strictly", "requires", "prefers"].into_iter();
    keys.filter_map(|key| version.get(key)?.text()).next()
}

fn module(node: &Node<'_>) -> Option<String> {
    let text = |key: &str| node.get(key)?.text();
    Some(format!("{}:{}", text("group")?, text("module")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = r#"{"component": {"group": "g", "module": "own", "version": "1"}, "variants": [
        {"attributes": {"org.gradle.usage": "java-api"}, "dependencies": [
            {"group": "g", "module": "both", "version": {"requires": "1"}},
            {"group": "g", "module": "api", "version": {"prefers": "2"}},
            {"group": "g", "module": "list", "version": {"strictly": "3"},
             "attributes": {"org.gradle.category": "platform"}}]},
        {"attributes": {"org.gradle.usage": "java-runtime", "org.gradle.category": "library"},
         "capabilities": [{"group": "g", "name": "own", "version": "1"}], "dependencies": [
            {"group": "g", "module": "both", "version": {"requires": "1"}},
            {"group": "g", "module": "run"}],
         "dependencyConstraints": [{"group": "g", "module": "bound", "version": {"requires": "4"}}]},
        {"attributes": {"org.gradle.usage": "java-runtime"},
         "available-at": {"group": "g", "module": "own-jvm", "version": "1", "url": "x"}},
        {"attributes": {"org.gradle.usage": "java-runtime", "org.gradle.jvm.environment": "android"},
         "dependencies": [{"group": "g", "module": "no"}]},
        {"attributes": {"org.gradle.usage": "java-runtime"},
         "capabilities": [{"group": "g", "name": "own-extra"}],
         "dependencies": [{"group": "g", "module": "no"}]},
        {"attributes": {"org.gradle.usage": "java-runtime", "org.gradle.category": "documentation"},
         "dependencies": [{"group": "g", "module": "no"}]}]}"#;

    #[test]
    fn the_variants_of_java_say_what_is_needed() {
        let found: Vec<(String, String, Scope, bool)> = needs(MODULE)
            .unwrap()
            .into_iter()
            .map(|one| (one.name, one.requirement, one.scope, one.only_bounds))
            .collect();
        let expected = [
            ("g:api", "2", Scope::CompileOnly, false),
            ("g:both", "1", Scope::Compile, false),
            ("g:bound", "4", Scope::Runtime, true),
            ("g:list", "3", Scope::CompileOnly, false),
            ("g:own-jvm", "1", Scope::Runtime, false),
            ("g:run", "", Scope::Runtime, false),
        ];
        let expected = expected.map(|(name, version, scope, only_bounds)| {
            (name.to_owned(), version.to_owned(), scope, only_bounds)
        });
        assert_eq!(found, expected);
        assert_eq!(platforms(MODULE), ["g:list"]);
    }

    #[test]
    fn other_documents_are_errors() {
        for text in ["", "[]", "{}", "<a/>"] {
            assert!(needs(text).is_err(), "{text}");
        }
        let unnamed = MODULE.replacen("\"module\": \"both\", ", "", 1);
        assert!(needs(&unnamed).is_err());
    }
}

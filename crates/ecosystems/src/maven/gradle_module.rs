//! Gradle's own metadata of a release, which it prefers to the POM
//! (<https://github.com/gradle/gradle/blob/master/platforms/documentation/docs/src/docs/design/gradle-module-metadata-latest-specification.md>).

use std::collections::BTreeSet;

use super::release_pom::{Need, Scope};
use crate::syntax::{self, Node};

/// Checks that the metadata has the same dependencies as the POM, and brings no others.
///
/// # Errors
/// The difference, as a fragment for a person.
pub(super) fn agrees(body: &[u8], needs: &[Need]) -> Result<(), String> {
    let text = std::str::from_utf8(body).map_err(|_| "is not UTF-8".to_owned())?;
    let root = syntax::json(text).map_err(|error| error.reason)?;
    let unreadable = || "is not of the format".to_owned();
    let variants = root.get("variants").ok_or_else(unreadable)?;

    for variant in variants.items() {
        let attribute = |name: &str| {
            let attributes = variant.get("attributes")?;
            attributes.get(name)?.text()
        };
        let is_library = matches!(attribute("org.gradle.category"), None | Some("library"));
        let expected: BTreeSet<&str> = match attribute("org.gradle.usage") {
            Some("java-runtime") => names(needs, &[Scope::Compile, Scope::Runtime]),
            Some("java-api") => names(needs, &[Scope::Compile]),
            _ => continue,
        };
        if !is_library {
            continue;
        }
        if variant.get("available-at").is_some() {
            return Err("refers to another module".to_owned());
        }

        let mut found = BTreeSet::new();
        for dependency in list(variant, "dependencies") {
            let name = module(dependency).ok_or_else(unreadable)?;
            let category = dependency
                .get("attributes")
                .and_then(|attributes| attributes.get("org.gradle.category")?.text());
            if category.is_some_and(|category| category != "library") {
                return Err(format!("takes versions from the list `{name}`"));
            }
            found.insert(name);
        }
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        if let Some(other) = found.symmetric_difference(&expected).next() {
            return Err(format!("differs from its POM in `{other}`"));
        }
        let constraints = list(variant, "dependencyConstraints");
        for constraint in constraints {
            let name = module(constraint).ok_or_else(unreadable)?;
            if !found.contains(name.as_str()) {
                return Err(format!("constrains `{name}`"));
            }
        }
    }
    Ok(())
}

fn names<'n>(needs: &'n [Need], scopes: &[Scope]) -> BTreeSet<&'n str> {
    let needs = needs.iter().filter(|need| scopes.contains(&need.scope));
    needs.map(|need| need.name.as_str()).collect()
}

fn list<'n, 't>(variant: &'n Node<'t>, key: &str) -> Vec<&'n Node<'t>> {
    let list = variant.get(key).map(Node::items);
    list.into_iter().flatten().collect()
}

fn module(node: &Node<'_>) -> Option<String> {
    let text = |key: &str| node.get(key)?.text();
    Some(format!("{}:{}", text("group")?, text("module")?))
}

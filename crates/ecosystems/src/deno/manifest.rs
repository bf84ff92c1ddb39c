//! Reader of the imports in `deno.json` and `deno.jsonc`
//! (<https://docs.deno.com/runtime/fundamentals/configuration/>).

use patchgate_model::{DependencyKind, EcosystemName, Unresolved};

use crate::npm::tree::split_spec;
use crate::{Input, ParseError, syntax};

/// The imports from npm, from JSR and by address, for a manifest that has no lockfile. A package of
/// npm belongs to that ecosystem.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let document = syntax::jsonc(input.text()?)?;
    let mut found = Vec::new();
    for (key, target) in document.optional_map("imports")? {
        let Some(target) = target.text() else {
            continue;
        };
        let (ecosystem, name, requirement) = match target.split_once(':') {
            Some(("npm", package)) => spec(crate::npm::NAME, package),
            Some(("jsr", package)) => spec(crate::deno::NAME, package),
            // An address has no versions to choose from.
            Some(("https" | "http", _)) => (crate::deno::NAME, target, target),
            _ => continue,
        };
        if name.is_empty() {
            continue;
        }

        found.push(Unresolved {
            ecosystem,
            name: name.to_owned(),
            requirement: requirement.to_owned(),
            kind: DependencyKind::Runtime,
            line: key.line,
        });
    }

    Ok(found)
}

/// Ecosystem, name and requirement of `name@requirement/path`. Requirement and path can be missing.
fn spec(ecosystem: EcosystemName, package: &str) -> (EcosystemName, &str, &str) {
    let package = package.trim_start_matches('/');
    if let Some((name, rest)) = split_spec(package) {
        return (ecosystem, name, rest.split('/').next().unwrap_or_default());
    }

    let parts = if package.starts_with('@') { 2 } else { 1 };
    let end = package.match_indices('/').nth(parts - 1);
    let name = end.and_then(|(at, _)| package.get(..at));
    (ecosystem, name.unwrap_or(package), "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Siblings;

    #[test]
    fn packages_of_npm_belong_to_npm() {
        let text = r#"{ "imports": {
            "a": "npm:a@^1/x", "b": "npm:b/hooks", "c": "npm:@s/c/d", "e": "jsr:@s/e@^2/f"
        } }"#;
        let found = unresolved(&Input {
            path: "deno.json",
            bytes: text.as_bytes(),
            siblings: &Siblings::new(),
        });
        let found: Vec<String> = found
            .unwrap()
            .iter()
            .map(|one| format!("{} {} `{}`", one.ecosystem, one.name, one.requirement))
            .collect();
        assert_eq!(
            found,
            ["npm a `^1`", "npm b ``", "npm @s/c ``", "Deno @s/e `^2`"]
        );
    }
}

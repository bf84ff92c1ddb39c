//! Reader of the imports in `deno.json` and `deno.jsonc`
//! (<https://docs.deno.com/runtime/fundamentals/configuration/>).

use patchgate_model::{DependencyKind, Unresolved};

use crate::npm::tree::split_spec;
use crate::{Input, ParseError, syntax};

/// The imports from npm, from JSR and by address, for a manifest that has no lockfile.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let document = syntax::jsonc(input.text()?)?;
    let mut found = Vec::new();
    for (key, target) in document.optional_map("imports")? {
        let Some(target) = target.text() else {
            continue;
        };
        let package = ["npm:", "jsr:"]
            .iter()
            .find_map(|start| target.strip_prefix(start));
        let (name, requirement) = match package {
            Some(package) => {
                let package = package.trim_start_matches('/');
                let (name, rest) = split_spec(package).unwrap_or((package, ""));
                (name, rest.split('/').next().unwrap_or_default())
            }
            None if target.starts_with("https://") || target.starts_with("http://") => (target, ""),
            None => continue,
        };
        if name.is_empty() {
            continue;
        }

        found.push(Unresolved {
            ecosystem: crate::deno::NAME,
            name: name.to_owned(),
            requirement: requirement.to_owned(),
            kind: DependencyKind::Runtime,
            line: key.line,
        });
    }

    Ok(found)
}

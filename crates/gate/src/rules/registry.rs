//! What the registries say about the entries that a pull request brings.

use std::collections::BTreeSet;

use patchgate_model::RegistryEntry;

use super::dependencies::with_differences;
use crate::context::{Context, Outcome, block, met, review, unread, with};

/// Each new entry was compared with its registry, and nothing speaks against it.
pub(super) fn confirmed(context: &Context<'_>) -> Vec<Outcome> {
    let registry = &context.evidence.safeguards.registry;
    with(registry, "the metadata of the registries", |entries| {
        with_differences(context, |differences| {
            let known: BTreeSet<(&str, &str, &str)> = entries.iter().map(key).collect();
            let unasked = differences.arrivals.iter();
            let unasked = unasked.filter(|(path, name, version)| {
                !known.contains(&(path.as_str(), name.as_str(), version.as_str()))
            });

            let mut outcomes: Vec<Outcome> = entries.iter().flat_map(judge).collect();
            outcomes.extend(unasked.map(|(path, name, version)| {
                review(format!(
                    "{name} {version} was not compared with its registry ({path})"
                ))
            }));
            if outcomes.is_empty() {
                outcomes.push(met(format!(
                    "the registries confirm the {} entries that are new or have another version",
                    differences.arrivals.len()
                )));
            }
            outcomes
        })
    })
}

fn key(entry: &RegistryEntry) -> (&str, &str, &str) {
    (&entry.lockfile, &entry.package, &entry.version)
}

fn judge(entry: &RegistryEntry) -> Vec<Outcome> {
    let RegistryEntry {
        lockfile,
        package,
        version,
        objections,
    } = entry;
    let objections = match objections {
        Ok(objections) => objections,
        Err(missing) => return vec![unread(&format!("the registry of {package}"), missing)],
    };
    let outcome = |certain: bool| if certain { block } else { review };
    objections
        .iter()
        .map(|one| {
            let text = format!("{package} {version} {} ({lockfile})", one.text);
            outcome(one.certain)(text)
        })
        .collect()
}

//! Every snapshot of the corpus, written in every format: checked by the published schemas and read
//! back.

use std::path::Path;
use std::sync::OnceLock;

use patchgate_ecosystems::{Input, Siblings, formats_of, is_sibling};
use patchgate_model::Inventory;
use patchgate_sbom::{CycloneDxVersion, OutputFormat, write};
use patchgate_testkit::{files_below, shared_dir, snapshots};
use serde_json::Value;

use crate::round_trip::{check, options};

/// The name and the inventory of each snapshot, read once for all tests. Files that are not read
/// are other tests' concern.
pub(crate) fn inventories(shared: &Path) -> &'static [(String, Inventory)] {
    static ALL: OnceLock<Vec<(String, Inventory)>> = OnceLock::new();
    ALL.get_or_init(|| read_all(shared))
}

fn read_all(shared: &Path) -> Vec<(String, Inventory)> {
    let mut found = Vec::new();
    for snapshot in snapshots(shared) {
        let files = files_below(&snapshot);
        let inside = |path: &Path| {
            let path = path.strip_prefix(&snapshot).expect("it is inside");
            path.to_str().expect("paths are UTF-8").to_owned()
        };
        let siblings: Siblings = files
            .iter()
            .filter(|file| is_sibling(&inside(file)))
            .map(|file| (inside(file), std::fs::read(file).expect("it is read")))
            .collect();

        let mut inventory = Inventory::default();
        for (path, bytes) in &siblings {
            for (_, format) in formats_of(path) {
                let input = Input {
                    path,
                    bytes,
                    siblings: &siblings,
                };
                inventory.lockfiles.extend((format.parse)(&input));
            }
        }

        let name = snapshot.file_name().expect("it has a name");
        found.push((name.to_string_lossy().into_owned(), inventory));
    }

    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(found.len() >= 17, "only {} snapshots", found.len());

    let packages = |inventory: &Inventory| -> usize {
        inventory
            .lockfiles
            .iter()
            .map(|file| file.packages.len())
            .sum()
    };
    let all: usize = found.iter().map(|(_, inventory)| packages(inventory)).sum();

    assert!(all > 5_000, "only {all} packages");
    found
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the schema is read")).expect("it is JSON")
}

/// A published schema with the ones that it refers to.
pub(crate) fn validator(shared: &Path, name: &str) -> jsonschema::Validator {
    let schemas = shared.join("schemas");
    let mut registry = jsonschema::Registry::new();
    for other in ["spdx.schema.json", "jsf-0.82.schema.json"] {
        let schema = json(&schemas.join(other));
        let id = schema["$id"]
            .as_str()
            .expect("it has an address")
            .to_owned();
        registry = registry.add(id, schema).expect("the schema is added");
    }

    let registry = registry.prepare().expect("the schemas are known");
    jsonschema::options()
        .with_registry(&registry)
        .build(&json(&schemas.join(name)))
        .expect("it is a schema")
}

#[test]
fn documents_follow_the_published_schemas() {
    let Some(shared) = shared_dir() else { return };
    let schemas = [
        (
            OutputFormat::CycloneDxJson(CycloneDxVersion::V1_5),
            "bom-1.5.schema.json",
        ),
        (
            OutputFormat::CycloneDxJson(CycloneDxVersion::V1_6),
            "bom-1.6.schema.json",
        ),
        (OutputFormat::SpdxJson, "spdx-2.3.schema.json"),
    ];

    let inventories = inventories(&shared);
    for (format, schema) in schemas {
        let validator = validator(&shared, schema);
        for (name, inventory) in inventories {
            let text = write(inventory, &options(true), format);
            let document: Value = serde_json::from_str(&text).expect("it is JSON");
            let errors: Vec<String> = validator
                .iter_errors(&document)
                .take(3)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{name} {format:?}: {errors:#?}");
        }
    }
}

#[test]
fn real_inventories_are_read_back() {
    let Some(shared) = shared_dir() else { return };
    for (name, inventory) in inventories(&shared) {
        eprintln!("{name}");
        check(inventory, &[true]);
    }
}

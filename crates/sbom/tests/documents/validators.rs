//! The validators that CycloneDX and SPDX themselves offer.

use std::path::Path;
use std::process::Command;

use patchgate_model::{Inventory, Problem, ProblemKind};
use patchgate_sbom::{CycloneDxVersion, OutputFormat, write};
use patchgate_testkit::{Tools, in_ci, shared_dir};

use crate::corpus::inventories;
use crate::round_trip::options;

const FORMATS: [(OutputFormat, &str); 9] = [
    (
        OutputFormat::CycloneDxJson(CycloneDxVersion::V1_5),
        "1.5.cdx.json",
    ),
    (
        OutputFormat::CycloneDxJson(CycloneDxVersion::V1_6),
        "1.6.cdx.json",
    ),
    (
        OutputFormat::CycloneDxJson(CycloneDxVersion::V1_7),
        "1.7.cdx.json",
    ),
    (
        OutputFormat::CycloneDxXml(CycloneDxVersion::V1_5),
        "1.5.cdx.xml",
    ),
    (
        OutputFormat::CycloneDxXml(CycloneDxVersion::V1_6),
        "1.6.cdx.xml",
    ),
    (
        OutputFormat::CycloneDxXml(CycloneDxVersion::V1_7),
        "1.7.cdx.xml",
    ),
    (OutputFormat::SpdxJson, "spdx.json"),
    (OutputFormat::SpdxTagValue, "spdx"),
    (OutputFormat::Spdx3Json, "spdx3.json"),
];

/// The validators compare each component with each, which takes minutes for thousands, so they are
/// given the smallest snapshots. All are checked against the schemas (`corpus.rs`).
const SNAPSHOTS: usize = 2;

fn packages(inventory: &Inventory) -> usize {
    inventory
        .lockfiles
        .iter()
        .map(|file| file.packages.len())
        .sum()
}

/// Writes the documents of an inventory and gives their paths.
fn written(folder: &Path, name: &str, inventory: &Inventory) -> Vec<String> {
    FORMATS
        .iter()
        .map(|(format, extension)| {
            let path = folder.join(format!("{name}.{extension}"));
            std::fs::write(&path, write(inventory, &options(true), *format)).unwrap();
            path.to_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn documents_pass_the_validators() {
    let Some(shared) = shared_dir() else { return };
    let Some(tools) = Tools::installed() else {
        return;
    };
    let python = tools.python_program("python3");
    let imports = "import cyclonedx.validation.xml, spdx_tools, spdx_python_model";
    let present = Command::new(&python)
        .args(["-c", imports])
        .output()
        .unwrap();
    if !present.status.success() {
        assert!(
            !in_ci(),
            "the validators are missing: run `tests/tools/install`"
        );
        eprintln!("SKIPPED: the validators are missing: run `tests/tools/install`");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    let mut all = inventories(&shared);
    all.retain(|(_, inventory)| packages(inventory) > 0);
    all.sort_by_key(|(_, inventory)| packages(inventory));
    all.truncate(SNAPSHOTS);
    for (name, inventory) in &all {
        files.extend(written(folder.path(), name, inventory));
    }
    let broken = Inventory {
        problems: vec![Problem {
            kind: ProblemKind::File,
            subject: "a".to_owned(),
            line: None,
            reason: "is empty".to_owned(),
            hint: None,
        }],
        ..Inventory::default()
    };
    files.extend(written(folder.path(), "nothing", &broken));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documents/validate.py");
    let output = Command::new(&python)
        .arg(script)
        .args(&files)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

//! The validators that CycloneDX and SPDX themselves offer.

use std::path::Path;
use std::process::Command;

use patchgate_model::{Inventory, Problem, ProblemKind};
use patchgate_sbom::{OutputFormat, write};
use patchgate_testkit::{Requirement, Tools, shared_dir, skip};

use crate::corpus::inventories;
use crate::round_trip::{FORMATS, options};

/// The argument by which the validators' script recognizes a format.
fn extension(format: OutputFormat) -> String {
    match format {
        OutputFormat::CycloneDxJson(version) => format!("{}.cdx.json", version.as_str()),
        OutputFormat::CycloneDxXml(version) => format!("{}.cdx.xml", version.as_str()),
        OutputFormat::SpdxJson => "spdx.json".to_owned(),
        OutputFormat::SpdxTagValue => "spdx".to_owned(),
        OutputFormat::Spdx3Json => "spdx3.json".to_owned(),
    }
}

/// Writes the documents of an inventory and gives their number.
fn written(folder: &Path, name: &str, inventory: &Inventory) -> usize {
    for format in FORMATS {
        let path = folder.join(format!("{name}.{}", extension(format)));
        std::fs::write(path, write(inventory, &options(true), format)).unwrap();
    }
    FORMATS.len()
}

/// Checks `count` documents in a folder; does nothing after a skip.
pub(crate) fn validated(folder: &Path, count: usize) {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let python = tools.python_program("python3");
    let imports = "import cyclonedx.validation.xml, jsonschema_rs, spdx_tools, spdx_python_model";
    let present = Command::new(&python)
        .args(["-c", imports])
        .output()
        .unwrap();
    if !present.status.success() {
        let reason = "the validators of CycloneDX and SPDX are missing: run `tests/tools/install`";
        skip(Requirement::Tools, reason);
        return;
    }

    // Without the schema, SPDX 3 is checked by the classes that are generated from the same model.
    let schema = tools.spdx3_schema();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documents/validate.py");
    let output = Command::new(&python)
        .arg(script)
        .arg(folder)
        .args(schema)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);

    assert!(
        output.status.success(),
        "{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(told.trim(), format!("{count} documents"));
}

#[test]
fn documents_pass_the_validators() {
    let Some(shared) = shared_dir() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for (name, inventory) in inventories(&shared) {
        count += written(folder.path(), name, inventory);
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
    count += written(folder.path(), "nothing", &broken);
    validated(folder.path(), count);
}

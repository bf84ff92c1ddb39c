//! The fields of an entry in `package-lock.json` that npm copies from the registry.

use std::collections::BTreeMap;

use patchgate_ecosystems::Release;
use patchgate_model::{Package, RegistryObjection};
use serde_json::Value;

use super::{certain, unclear};

/// The fields that name other packages.
const SECTIONS: [&str; 3] = ["dependencies", "optionalDependencies", "peerDependencies"];

/// Compares the entry of a package with the document of its release.
pub(super) fn compare(
    bytes: &[u8],
    package: &Package,
    release: &Release,
    objections: &mut std::collections::BTreeSet<RegistryObjection>,
) {
    let lockfile: Result<Value, _> = serde_json::from_slice(bytes);
    let entry = lockfile.ok().and_then(|lockfile| {
        let path = package.install_path.as_deref()?;
        lockfile.get("packages")?.get(path).cloned()
    });
    let (Some(entry), Some(document)) = (entry, &release.document) else {
        objections.insert(unclear("has no entry to compare with its registry"));
        return;
    };

    let (ours, theirs) = (programs(package, &entry), programs(package, document));
    let has_directory = document
        .get("directories")
        .is_some_and(|directories| directories.get("bin").is_some());
    // The files of such a directory are known from the archive only.
    if ours != theirs && has_directory && theirs.is_empty() {
        objections.insert(unclear("has programs that its registry does not list"));
    } else if ours != theirs {
        objections.insert(certain("has other programs than its registry states"));
    }

    for section in SECTIONS {
        if requirements(&entry, section) != requirements(document, section) {
            objections.insert(certain(format!(
                "has other `{section}` than its registry states"
            )));
        }
    }
    let has_script = |value: &Value| value.get("hasInstallScript") == Some(&Value::Bool(true));
    if has_script(&entry) != has_script(document) {
        objections.insert(unclear(
            "differs from its registry in whether it runs a script at its installation",
        ));
    }
}

/// The programs by name, as npm normalizes them: one path is that of a program with the package's
/// name (<https://docs.npmjs.com/cli/v11/configuring-npm/package-json#bin>).
fn programs(package: &Package, value: &Value) -> BTreeMap<String, String> {
    let path = |text: &str| {
        let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
        parts.collect::<Vec<_>>().join("/")
    };
    match value.get("bin") {
        Some(Value::String(only)) => {
            let name = package.name.rsplit('/').next().unwrap_or_default();
            BTreeMap::from([(name.to_owned(), path(only))])
        }
        Some(Value::Object(several)) => several
            .iter()
            .filter_map(|(name, value)| {
                let name = name.rsplit('/').next().unwrap_or_default();
                Some((name.to_owned(), path(value.as_str()?)))
            })
            .collect(),
        _ => BTreeMap::new(),
    }
}

/// The requirements of a section by name. A name of `optionalDependencies` that a document repeats
/// in `dependencies` counts as optional, as in npm.
fn requirements<'v>(value: &'v Value, section: &str) -> BTreeMap<&'v str, &'v Value> {
    let of = |section: &str| value.get(section).and_then(Value::as_object);
    let is_optional = |name: &str| {
        section == "dependencies"
            && of("optionalDependencies").is_some_and(|optional| optional.contains_key(name))
    };
    of(section)
        .into_iter()
        .flatten()
        .filter(|(name, _)| !is_optional(name))
        .map(|(name, requirement)| (name.as_str(), requirement))
        .collect()
}

//! A new entry of later versions, from the manifest in the package's archive.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::DependencyKind;
use serde_json::{Map, Value};

use super::archive;
use super::berry::{CACHE_KEY, archive_of, quoted};
use crate::npm::requirement;
use crate::{Downloads, Release, TargetEdge, TargetNode};

/// The lines of a new entry, from the manifest in the package's archive.
pub(super) fn body(
    node: &TargetNode,
    release: &Release,
    resolution: &str,
    downloads: &Downloads,
) -> Result<Vec<String>, String> {
    let shown = format!("`{} {}`", node.name, release.version);
    let archive = archive_of(release).and_then(|address| downloads.get(address));
    let archive = archive.ok_or_else(|| format!("the archive of {shown} is missing"))?;
    let dist = release
        .document
        .as_ref()
        .and_then(|document| document.get("dist"));
    let integrity = dist.and_then(|dist| dist.get("integrity")?.as_str());
    let integrity = integrity.ok_or_else(|| format!("{shown} has no hash in the registry"))?;
    let archive = archive::read(&node.name, archive, integrity)
        .map_err(|reason| format!("the archive of {shown}: {reason}"))?;
    let manifest = Manifest::read(&archive.manifest)
        .map_err(|reason| format!("the manifest of {shown}: {reason}"))?;
    manifest
        .check(node, release)
        .map_err(|reason| format!("the manifest of {shown}: {reason}"))?;

    let mut body = vec![
        format!("  version: {}", quoted(&release.version)),
        format!("  resolution: {}", quoted(resolution)),
    ];
    let mut section = |title: &str, entries: &BTreeMap<String, String>| {
        if !entries.is_empty() {
            body.push(format!("  {title}:"));
        }
        for (name, value) in entries {
            body.push(format!("    {}: {}", quoted(name), quoted(value)));
        }
    };
    section("dependencies", &manifest.dependencies);
    section("peerDependencies", &manifest.peers);
    for (title, names) in [
        ("dependenciesMeta", &manifest.optional),
        ("peerDependenciesMeta", &manifest.optional_peers),
    ] {
        if !names.is_empty() {
            body.push(format!("  {title}:"));
        }
        for name in names {
            body.push(format!("    {}:", quoted(name)));
            body.push("      optional: true".to_owned());
        }
    }
    let mut section = |title: &str, entries: &BTreeMap<String, String>| {
        if !entries.is_empty() {
            body.push(format!("  {title}:"));
        }
        for (name, value) in entries {
            body.push(format!("    {}: {}", quoted(name), quoted(value)));
        }
    };
    section("bin", &manifest.programs);
    body.push(format!("  checksum: {CACHE_KEY}/{}", archive.checksum));
    body.push("  languageName: node".to_owned());
    body.push("  linkType: hard".to_owned());
    Ok(body)
}

/// The fields of a manifest that an entry repeats.
#[derive(Default)]
struct Manifest {
    name: String,
    version: String,
    dependencies: BTreeMap<String, String>,
    optional: BTreeSet<String>,
    peers: BTreeMap<String, String>,
    optional_peers: BTreeSet<String>,
    programs: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// What yarn may write in another form.
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let fields: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|error| format!("it cannot be read: {error}"))?;
        for field in ["os", "cpu", "libc", "dependenciesMeta"] {
            if fields.get(field).is_some_and(|value| !value.is_null()) {
                return Err(format!("it has the field `{field}`"));
            }
        }
        // Most of `publishConfig` is for the one who publishes (`packages/plugin-pack/sources`).
        for field in ["bin", "executableFiles"] {
            if fields
                .get("publishConfig")
                .is_some_and(|config| config.get(field).is_some())
            {
                return Err(format!("it has the field `publishConfig.{field}`"));
            }
        }

        let text = |field: &str| {
            fields
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let mut manifest = Self {
            name: text("name").to_owned(),
            version: text("version").to_owned(),
            ..Self::default()
        };
        for (name, range) in listed(&fields, "dependencies")? {
            manifest
                .dependencies
                .insert(name.clone(), bound(&name, &range)?);
        }
        for (name, range) in listed(&fields, "optionalDependencies")? {
            manifest
                .dependencies
                .insert(name.clone(), bound(&name, &range)?);
            manifest.optional.insert(name);
        }
        for (name, range) in listed(&fields, "peerDependencies")? {
            requirement::admits(&range, "1.0.0")
                .map_err(|_| format!("it has the peer `{name}` as `{range}`"))?;
            manifest.peers.insert(name, range);
        }
        let meta = fields
            .get("peerDependenciesMeta")
            .and_then(Value::as_object);
        for (name, value) in meta.into_iter().flatten() {
            if *value != serde_json::json!({ "optional": true })
                || !manifest.peers.contains_key(name)
            {
                return Err("it has an unusual `peerDependenciesMeta`".to_owned());
            }
            manifest.optional_peers.insert(name.clone());
        }
        manifest.programs = match fields.get("bin") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::String(path)) => {
                let name = manifest.name.rsplit('/').next().unwrap_or_default();
                BTreeMap::from([(name.to_owned(), path.clone())])
            }
            Some(_) => listed(&fields, "bin")?.into_iter().collect(),
        };
        let is_usual = |(name, path): (&String, &String)| {
            !name.contains('/') && !name.is_empty() && !path.contains('\\') && !path.is_empty()
        };
        match manifest.programs.iter().all(is_usual) {
            true => Ok(manifest),
            false => Err("it has an unusual `bin`".to_owned()),
        }
    }

    /// Checks that the manifest is that of the release, and that the graph has what it needs.
    fn check(&self, node: &TargetNode, release: &Release) -> Result<(), String> {
        if self.name != node.name || self.version != release.version {
            return Err("it is of another package".to_owned());
        }
        for (name, range) in &self.dependencies {
            let plain = range.strip_prefix("npm:").unwrap_or(range);
            let is_bound = node.edges.iter().any(|edge| {
                let stated = edge.requirement.as_deref();
                edge.name == *name && (stated == Some(plain) || stated == Some(range))
            });
            if !is_bound {
                return Err(format!("it needs `{name}`, which has no version"));
            }
        }
        let is_known = |edge: &&TargetEdge| {
            edge.kind == DependencyKind::Peer || self.dependencies.contains_key(&edge.name)
        };
        match node.edges.iter().all(|edge| is_known(&edge)) {
            true => Ok(()),
            false => Err("it differs from the registry's description".to_owned()),
        }
    }
}

/// A section of a manifest.
fn listed(fields: &Map<String, Value>, section: &str) -> Result<Vec<(String, String)>, String> {
    let unusual = || format!("it has an unusual `{section}`");
    let entries = match fields.get(section) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(entries) => entries.as_object().ok_or_else(unusual)?,
    };
    entries
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().ok_or_else(unusual)?;
            let is_plain = |text: &str| !text.is_empty() && text.trim() == text && text.is_ascii();
            match is_plain(name) && is_plain(value) {
                true => Ok((name.clone(), value.to_owned())),
                false => Err(unusual()),
            }
        })
        .collect()
}

/// A range with yarn's protocol.
fn bound(name: &str, range: &str) -> Result<String, String> {
    match requirement::admits(range, "1.0.0") {
        Ok(_) if range.contains(':') => Ok(range.to_owned()),
        Ok(_) => Ok(format!("npm:{range}")),
        Err(_) => Err(format!("it needs `{name}` as `{range}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_for_publishing_change_no_entry() {
        let read = |config: &str| {
            let manifest = format!(
                r#"{{"name": "a", "version": "1.0.0", "bin": "a.js", "publishConfig": {config}}}"#
            );
            Manifest::read(manifest.as_bytes()).map(|manifest| manifest.programs)
        };
        let programs = BTreeMap::from([("a".to_owned(), "a.js".to_owned())]);

        assert_eq!(read(r#"{"access": "public"}"#), Ok(programs.clone()));
        assert_eq!(read(r#"{"ignore": [".github/workflows"]}"#), Ok(programs));
        assert_eq!(
            read(r#"{"bin": "b.js"}"#),
            Err("it has the field `publishConfig.bin`".to_owned())
        );
    }
}

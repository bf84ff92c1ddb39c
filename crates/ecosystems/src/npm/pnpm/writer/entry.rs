//! The registry's data of a release in the form of an entry of `packages`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Release;
use crate::npm::pnpm::scalar::{block, flow};

/// The names of the peers of a release, each with its requirement and whether it is optional. A
/// peer that the release also depends on is none, as in pnpm.
pub(super) fn peers(release: &Release) -> BTreeMap<String, (String, bool)> {
    let empty = Map::new();
    let section = |name: &str| {
        let document = release.document.as_ref();
        let section = document.and_then(|document| document.get(name));
        section.and_then(Value::as_object).unwrap_or(&empty).clone()
    };
    let (meta, own, optional) = (
        section("peerDependenciesMeta"),
        section("dependencies"),
        section("optionalDependencies"),
    );
    let is_optional = |name: &str| {
        meta.get(name).and_then(|meta| meta.get("optional")) == Some(&Value::Bool(true))
    };

    let mut peers = BTreeMap::new();
    for (name, requirement) in section("peerDependencies") {
        let requirement = requirement.as_str().unwrap_or("*").to_owned();
        let optional = is_optional(&name);
        peers.insert(name, (requirement, optional));
    }
    for name in meta.keys().filter(|name| is_optional(name)) {
        let without_requirement = || ("*".to_owned(), true);
        peers
            .entry(name.clone())
            .or_insert_with(without_requirement);
    }
    peers.retain(|name, _| !own.contains_key(name) && !optional.contains_key(name));
    peers
}

/// The lines of an entry without its first one.
///
/// # Errors
/// If the registry's data lack something, or have something that cannot be written exactly.
pub(super) fn lines(
    name: &str,
    release: &Release,
    with_address: bool,
    requires_build: bool,
) -> Result<Vec<String>, String> {
    let shown = format!("`{name} {}`", release.version);
    let Some(document) = &release.document else {
        return Err(format!("the registry's data of {shown} are unknown"));
    };
    if !release.bundled.is_empty() {
        return Err(format!("{shown} has packages in its archive"));
    }

    let odd = |field: &str| format!("{shown} has an unusual field `{field}`");
    let dist = |field: &str| document.get("dist")?.get(field)?.as_str();
    let integrity =
        dist("integrity").ok_or_else(|| format!("{shown} has no hash in the registry"))?;
    let mut resolution = format!("integrity: {}", flow(integrity).ok_or_else(|| odd("dist"))?);
    let address = dist("tarball").unwrap_or_default();
    if with_address || !is_usual(name, &release.version, address) {
        let address = flow(address).ok_or_else(|| odd("dist"))?;
        resolution.push_str(", tarball: ");
        resolution.push_str(&address);
    }

    let mut lines = vec![format!("    resolution: {{{resolution}}}")];
    lines.extend(engines(document).ok_or_else(|| odd("engines"))?);
    for field in ["cpu", "os", "libc"] {
        lines.extend(systems(document, field).ok_or_else(|| odd(field))?);
    }
    match document.get("deprecated") {
        Some(Value::String(reason)) if !reason.is_empty() => {
            let reason = block(reason).ok_or_else(|| odd("deprecated"))?;
            lines.push(format!("    deprecated: {reason}"));
        }
        Some(Value::Bool(true)) => return Err(odd("deprecated")),
        _ => {}
    }
    let has_bin = match document.get("bin") {
        Some(Value::String(program)) => !program.is_empty(),
        Some(Value::Object(programs)) => !programs.is_empty(),
        _ => false,
    };
    if has_bin {
        lines.push("    hasBin: true".to_owned());
    } else if document
        .get("directories")
        .and_then(|all| all.get("bin"))
        .is_some()
    {
        return Err(odd("directories"));
    }
    if requires_build {
        lines.push("    requiresBuild: true".to_owned());
    }

    let peers = peers(release);
    if !peers.is_empty() {
        lines.push("    peerDependencies:".to_owned());
    }
    for (peer, (requirement, _)) in &peers {
        lines.push(pair(6, peer, requirement).ok_or_else(|| odd("peerDependencies"))?);
    }
    if peers.values().any(|(_, optional)| *optional) {
        lines.push("    peerDependenciesMeta:".to_owned());
    }
    for (peer, _) in peers.iter().filter(|(_, (_, optional))| *optional) {
        let peer = block(peer).ok_or_else(|| odd("peerDependenciesMeta"))?;
        lines.push(format!("      {peer}:"));
        lines.push("        optional: true".to_owned());
    }

    Ok(lines)
}

/// A line with a key and a value.
pub(super) fn pair(indent: usize, key: &str, value: &str) -> Option<String> {
    Some(format!("{:indent$}{}: {}", "", block(key)?, block(value)?))
}

/// Whether an archive has the address that pnpm derives from the name and the version, and therefore
/// leaves out.
pub(super) fn is_usual(name: &str, version: &str, address: &str) -> bool {
    let plain = name.rsplit('/').next().unwrap_or(name);
    let version = version.split('+').next().unwrap_or(version);
    address.ends_with(&format!("/{name}/-/{plain}-{version}.tgz"))
}

/// The line of the engines; empty without one that restricts anything. `None` for another form than
/// names with requirements.
fn engines(document: &Value) -> Option<Option<String>> {
    let engines = match document.get("engines") {
        None | Some(Value::Null) => return Some(None),
        Some(engines) => engines.as_object()?,
    };
    let mut sorted = BTreeMap::new();
    for (engine, requirement) in engines {
        let requirement = requirement.as_str()?;
        if requirement != "*" {
            sorted.insert(flow(engine)?, flow(requirement)?);
        }
    }

    let listed: Vec<String> = sorted
        .iter()
        .map(|(engine, requirement)| format!("{engine}: {requirement}"))
        .collect();
    Some((!listed.is_empty()).then(|| format!("    engines: {{{}}}", listed.join(", "))))
}

/// The line of the systems that a release is for. `None` for another form than a list of texts.
fn systems(document: &Value, field: &str) -> Option<Option<String>> {
    let systems = match document.get(field) {
        None | Some(Value::Null) => return Some(None),
        Some(systems) => systems.as_array()?,
    };
    let listed = systems
        .iter()
        .map(|system| flow(system.as_str()?))
        .collect::<Option<Vec<String>>>()?;
    Some((!listed.is_empty()).then(|| format!("    {field}: [{}]", listed.join(", "))))
}

//! The entry of a new release, as bun writes it (`writePackageInfoObject` in bun's
//! `src/install/lockfile/bun.lock.zig`, and what bun 1.4 itself was seen to write).

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Lockfile, Origin};
use serde_json::{Map, Value};

use super::document::quoted;
use super::hoist::{Kind, Need, Package};
use crate::npm::registry::PROGRAMS;
use crate::npm::yarn::archive::of_npm;
use crate::{Release, TargetNode};

/// The names of operating systems that bun knows, in its order: shorter ones first.
const SYSTEMS: [&str; 8] = [
    "aix", "linux", "sunos", "win32", "darwin", "android", "freebsd", "openbsd",
];

/// The names of processors that bun knows, in its order.
const PROCESSORS: [&str; 11] = [
    "arm", "ppc", "x32", "x64", "ia32", "mips", "s390", "arm64", "ppc64", "s390x", "mipsel",
];

/// The names of C libraries that bun knows.
const LIBRARIES: [&str; 2] = ["glibc", "musl"];

/// A package of a release, with dependencies that have no packages yet.
///
/// # Errors
/// If the registry's data lack something, or have something that cannot be written exactly.
pub(super) fn package(spec: &str, release: &Release) -> Result<Package, String> {
    let unknown = || format!("the registry's data of `{spec}` are unknown");
    let document = release.document.as_ref().ok_or_else(unknown)?;
    if !release.bundled.is_empty() {
        return Err(format!("`{spec}` has packages in its archive"));
    }

    let optional = listed(document, "optionalDependencies", spec)?;
    let mut own = listed(document, "dependencies", spec)?;
    own.retain(|name, _| !optional.contains_key(name));
    let mut peers = listed(document, "peerDependencies", spec)?;
    let meta = document
        .get("peerDependenciesMeta")
        .and_then(Value::as_object);
    let optional_peers: BTreeSet<&String> = meta
        .into_iter()
        .flatten()
        .filter(|(_, meta)| meta.get("optional") == Some(&Value::Bool(true)))
        .map(|(name, _)| name)
        .collect();
    for name in &optional_peers {
        peers
            .entry((*name).clone())
            .or_insert_with(|| "*".to_owned());
    }
    peers.retain(|name, _| !own.contains_key(name) && !optional.contains_key(name));

    let mut needs = Vec::new();
    for (kind, section) in [
        (Kind::Runtime, own),
        (Kind::Optional, optional),
        (Kind::Peer, peers),
    ] {
        for (name, requirement) in section {
            needs.push(Need {
                is_optional_peer: kind == Kind::Peer && optional_peers.contains(&name),
                name,
                requirement,
                kind,
                is_bundled: false,
                to: None,
            });
        }
    }
    Ok(Package {
        spec: spec.to_owned(),
        version: Some(release.version.clone()),
        is_folder: false,
        needs,
    })
}

/// The value of an entry. Files of version 1 have no C libraries and no notes about scripts.
///
/// # Errors
/// If the registry's data lack something, or have something that cannot be written exactly.
pub(super) fn tuple(
    lockfile: &Lockfile,
    node: &TargetNode,
    release: &Release,
    needs: &[Need],
    version: u32,
) -> Result<String, String> {
    let spec = format!("{}@{}", node.name, release.version);
    let archive = of_npm(lockfile, &node.name, release)?;
    let address = match has_addresses(lockfile, &node.name)? {
        true => archive.resolved,
        false => String::new(),
    };

    let mut fields = Vec::new();
    for (kind, title) in [
        (Kind::Runtime, "dependencies"),
        (Kind::Optional, "optionalDependencies"),
        (Kind::Peer, "peerDependencies"),
    ] {
        let listed: Vec<String> = needs
            .iter()
            .filter(|need| need.kind == kind)
            .map(|need| format!("{}: {}", quoted(&need.name), quoted(&need.requirement)))
            .collect();
        if !listed.is_empty() {
            fields.push(format!("\"{title}\": {{ {} }}", listed.join(", ")));
        }
    }
    let optional: Vec<String> = needs
        .iter()
        .filter(|need| need.is_optional_peer)
        .map(|need| quoted(&need.name))
        .collect();
    if !optional.is_empty() {
        fields.push(format!("\"optionalPeers\": [{}]", optional.join(", ")));
    }

    let empty = Value::Null;
    let document = release.document.as_ref().unwrap_or(&empty);
    let odd = |field: &str| format!("`{spec}` has an unusual field `{field}`");
    for (field, known) in [
        ("os", &SYSTEMS[..]),
        ("cpu", &PROCESSORS),
        ("libc", &LIBRARIES),
    ] {
        if field == "libc" && version < 2 {
            continue;
        }
        fields.extend(systems(document, field, known).ok_or_else(|| odd(field))?);
    }
    if version >= 2 && document.get("hasInstallScript") == Some(&Value::Bool(true)) {
        fields.push("\"hasInstallScript\": true".to_owned());
    }
    fields.extend(programs(document).ok_or_else(|| odd("bin"))?);

    let about = match fields.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{ {} }}", fields.join(", ")),
    };
    Ok(format!(
        "[{}, {}, {about}, {}]",
        quoted(&spec),
        quoted(&address),
        quoted(&archive.integrity)
    ))
}

/// Whether entries have the addresses of archives. bun leaves them out for its default registry.
fn has_addresses(lockfile: &Lockfile, name: &str) -> Result<bool, String> {
    let scope = |name: &str| name.split_once('/').map(|(scope, _)| scope.to_owned());
    let stated = |is_alike: &dyn Fn(&str) -> bool| -> BTreeSet<bool> {
        let alike = lockfile
            .packages
            .iter()
            .filter(|package| is_alike(&package.name));
        alike
            .filter_map(|package| match &package.origin {
                Origin::Registry(address) => Some(address.is_some()),
                _ => None,
            })
            .collect()
    };
    let own = stated(&|other| other == name);
    let scoped = stated(&|other| scope(other) == scope(name));
    let all = stated(&|_| true);
    for found in [own, scoped, all] {
        match (found.len(), found.first()) {
            (1, Some(only)) => return Ok(*only),
            (0, _) => {}
            _ => break,
        }
    }
    Err(format!("the lockfile has several registries for `{name}`"))
}

/// A section of a release's dependencies.
fn listed(document: &Value, section: &str, spec: &str) -> Result<BTreeMap<String, String>, String> {
    let odd = || format!("`{spec}` has an unusual field `{section}`");
    let empty = Map::new();
    let entries = match document.get(section) {
        None | Some(Value::Null) => &empty,
        Some(entries) => entries.as_object().ok_or_else(odd)?,
    };
    entries
        .iter()
        .map(|(name, value)| {
            let value = value
                .as_str()
                .filter(|value| is_plain(value))
                .ok_or_else(odd)?;
            Ok((name.clone(), value.to_owned()))
        })
        .collect()
}

/// Whether a text has one form in JSON.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\')
}

/// The field of the systems that a release runs on: those that it lists, or those that it does not
/// where these are fewer. Systems that bun does not know are not listed.
fn systems(document: &Value, field: &str, known: &[&str]) -> Option<Option<String>> {
    let names: Vec<&str> = match document.get(field) {
        None | Some(Value::Null) => return Some(None),
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().map(Value::as_str).collect::<Option<_>>()?,
        Some(_) => return None,
    };
    if names.is_empty() || names.contains(&"any") {
        return (names.len() < 2).then_some(None);
    }

    let (without, with): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| name.starts_with('!'));
    let without: Vec<&str> = without
        .iter()
        .map(|name| name.trim_start_matches('!'))
        .collect();
    if without.iter().any(|name| !known.contains(name)) {
        return None;
    }
    let runs_on =
        |name: &&&str| (with.is_empty() || with.contains(*name)) && !without.contains(*name);
    let included: Vec<&str> = known.iter().filter(runs_on).copied().collect();
    let excluded: Vec<String> = known
        .iter()
        .filter(|name| !included.contains(name))
        .map(|name| format!("!{name}"))
        .collect();
    let shown: Vec<String> = match included.len() {
        0 => vec!["none".to_owned()],
        _ if excluded.is_empty() => return Some(None),
        1 => included.iter().map(|name| (*name).to_owned()).collect(),
        count if count >= excluded.len() => excluded,
        _ => included.iter().map(|name| (*name).to_owned()).collect(),
    };
    Some(Some(match &shown[..] {
        [only] => format!("\"{field}\": \"{only}\""),
        several => format!("\"{field}\": [ \"{}\", ]", several.join("\", \"")),
    }))
}

/// The field of the programs of a release, in the order of the registry's data.
fn programs(document: &Value) -> Option<Option<String>> {
    let directory = document.get("directories").and_then(|all| all.get("bin"));
    let listed: Vec<(&str, &str)> = match document.get("bin") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(path)) if path.is_empty() => Vec::new(),
        Some(Value::String(path)) => {
            let is_usual = is_plain(path);
            return is_usual.then(|| Some(format!("\"bin\": {}", quoted(path))));
        }
        Some(Value::Object(programs)) => {
            let order = document.get(PROGRAMS).and_then(Value::as_array);
            let names: Vec<&str> = match order {
                Some(order) => order.iter().filter_map(Value::as_str).collect(),
                None => programs.keys().map(String::as_str).collect(),
            };
            let path = |name: &str| programs.get(name).and_then(Value::as_str);
            let listed = names.iter().map(|name| Some((*name, path(name)?)));
            let listed: Vec<(&str, &str)> = listed.collect::<Option<_>>()?;
            if listed.len() != programs.len() || (order.is_none() && listed.len() > 1) {
                return None;
            }
            listed
        }
        Some(_) => return None,
    };
    if listed.is_empty() {
        return match directory {
            None => Some(None),
            Some(directory) => {
                let path = directory
                    .as_str()
                    .filter(|path| is_plain(path) && !path.is_empty())?;
                Some(Some(format!("\"binDir\": {}", quoted(path))))
            }
        };
    }

    let is_usual = |(name, path): &(&str, &str)| {
        is_plain(name) && is_plain(path) && !name.is_empty() && !path.is_empty()
    };
    if !listed.iter().all(is_usual) {
        return None;
    }
    let listed: Vec<String> = listed
        .iter()
        .map(|(name, path)| format!("{}: {}", quoted(name), quoted(path)))
        .collect();
    Some(Some(format!("\"bin\": {{ {} }}", listed.join(", "))))
}

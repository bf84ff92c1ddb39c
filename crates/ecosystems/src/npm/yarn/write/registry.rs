//! The fields of a lockfile's entry that come from the registry: for yarn 1, and the archive for npm.

use patchgate_model::{Lockfile, Origin};
use serde_json::Value;

use crate::Release;

/// The value of `resolved`, and that of `integrity`.
pub(in crate::npm) struct Archive {
    pub(in crate::npm) resolved: String,
    pub(in crate::npm) integrity: String,
}

/// What the registry says about the archive of a release: `dist` of its document.
struct Dist<'a> {
    /// The release, for a person.
    shown: String,
    fields: Option<&'a Value>,
}

impl<'a> Dist<'a> {
    fn of(name: &str, release: &'a Release) -> Self {
        Self {
            shown: format!("`{name} {}`", release.version),
            fields: release.document.as_ref().and_then(|all| all.get("dist")),
        }
    }

    /// The text of a field. `None` if it is missing or empty.
    fn field(&self, field: &str) -> Option<&'a str> {
        let text = self.fields?.get(field)?.as_str();
        text.filter(|text| !text.is_empty())
    }

    /// The address of the archive.
    fn tarball(&self) -> Result<&'a str, String> {
        let shown = &self.shown;
        let tarball = self
            .field("tarball")
            .ok_or(format!("{shown} has no archive in the registry"))?;

        match tarball.starts_with("https://") || tarball.starts_with("http://") {
            true => Ok(tarball),
            false => Err(format!("the archive of {shown} has no web address")),
        }
    }
}

/// The archive of a release, as yarn writes it: the address with the SHA-1 as its fragment, and the
/// hashes of `dist.integrity`, else the SHA-1 in that notation (yarn's
/// `src/resolvers/registries/npm-resolver.js`).
///
/// # Errors
/// The missing part, as a fragment.
pub(super) fn archive(
    lockfile: &Lockfile,
    name: &str,
    release: &Release,
) -> Result<Archive, String> {
    let dist = Dist::of(name, release);
    let (shown, tarball) = (&dist.shown, dist.tarball()?);
    let digest = dist
        .field("shasum")
        .and_then(bytes_of)
        .ok_or(format!("{shown} has no SHA-1 in the registry"))?;
    let shasum = dist.field("shasum").unwrap_or_default();

    let integrity = match dist.field("integrity") {
        Some(listed) => {
            let mut hashes: Vec<&str> = listed.split_ascii_whitespace().collect();
            hashes.sort_unstable();
            hashes.join(" ")
        }
        None => format!("sha1-{}", base64(&digest)),
    };
    let address = placed(lockfile, name, tarball)?;
    if address.contains('#') {
        return Err(format!("the address of {shown} has a fragment"));
    }

    Ok(Archive {
        resolved: format!("{address}#{shasum}"),
        integrity,
    })
}

/// The archive of a release, as npm writes it: the address, and the hash of `dist.integrity`, else the
/// SHA-1 in that notation (`manifest` in pacote's `lib/registry.js`).
///
/// # Errors
/// The missing part, as a fragment.
pub(in crate::npm) fn of_npm(
    lockfile: &Lockfile,
    name: &str,
    release: &Release,
) -> Result<Archive, String> {
    let dist = Dist::of(name, release);
    let (shown, tarball) = (&dist.shown, dist.tarball()?);
    let integrity = match (
        dist.field("integrity"),
        dist.field("shasum").and_then(bytes_of),
    ) {
        (Some(listed), _) if listed.contains(char::is_whitespace) => {
            return Err(format!("{shown} has several hashes in the registry"));
        }
        (Some(listed), _) => listed.to_owned(),
        (None, Some(digest)) => format!("sha1-{}", base64(&digest)),
        (None, None) => return Err(format!("{shown} has no hash in the registry")),
    };

    Ok(Archive {
        resolved: placed(lockfile, name, tarball)?,
        integrity,
    })
}

/// The address of an archive at the registry that the lockfile names. A registry may describe its
/// archives at another host than the one that yarn writes: yarn's own default is an alias of npm's, and
/// a mirror can pass on the documents of its source.
fn placed(lockfile: &Lockfile, name: &str, tarball: &str) -> Result<String, String> {
    let Some((base, file)) = split(tarball, name) else {
        return Ok(tarball.to_owned());
    };

    let scope = |name: &str| name.split_once('/').map(|(scope, _)| scope.to_owned());
    let from_registry = |package: &'_ patchgate_model::Package| match &package.origin {
        Origin::Registry(Some(address)) => Some((package.name.clone(), address.clone())),
        _ => None,
    };
    let located: Vec<(String, String)> =
        lockfile.packages.iter().filter_map(from_registry).collect();
    let own = located.iter().any(|(other, _)| other == name);
    let alike = located.iter().filter(|(other, _)| match own {
        true => other == name,
        false => scope(other) == scope(name),
    });

    let mut bases: Vec<&str> = Vec::new();
    for (other, address) in alike {
        if !address.contains("://") {
            return Err(format!("`{other}` comes from an offline mirror"));
        }
        if let Some((base, _)) = split(address, other)
            && !bases.contains(&base)
        {
            bases.push(base);
        }
    }

    match bases[..] {
        [] => Ok(tarball.to_owned()),
        [only] => Ok(format!("{only}{file}")),
        _ if bases.contains(&base) => Ok(tarball.to_owned()),
        _ => Err(format!("the lockfile has several registries for `{name}`")),
    }
}

/// Splits `<base>/<name>/-/<file>` after the base.
pub(in crate::npm) fn split<'a>(address: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let at = address.rfind(&format!("/{name}/-/"))?;
    address.split_at_checked(at)
}

/// The bytes of a SHA-1 in hexadecimal, in lower case as registries write it.
fn bytes_of(hex: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if hex.len() != 40 || !hex.bytes().all(is_hex) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Base64 with padding (<https://www.rfc-editor.org/rfc/rfc4648#section-4>).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let part = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            match digit <= chunk.len() {
                true => out.push(char::from(DIGITS[value as usize])),
                false => out.push('='),
            }
        }
    }

    out
}

/// The requirements of a section of the document, for an entry.
pub(super) fn section(release: &Release, optional: bool) -> Vec<(&str, &str)> {
    use patchgate_model::DependencyKind::{Optional, Runtime};
    let kind = if optional { Optional } else { Runtime };
    release
        .requirements
        .iter()
        .filter(|requirement| requirement.kind == kind)
        .map(|requirement| (&*requirement.name, &*requirement.requirement))
        .collect()
}

/// Whether the registry describes the release at all.
pub(super) fn is_described(release: &Release) -> bool {
    matches!(release.document, Some(Value::Object(_))) && release.details.is_none()
}

//! A registry's document about a package, in its full and its abbreviated form
//! (<https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md>).

use std::fmt;
use std::fmt::Write as _;

use patchgate_model::DependencyKind;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::entry_fields;
use super::json::{self, Map, Object, Text};
use crate::{MetadataRequest, ParseError, Release, Requirement, limits};

/// The full form. npm resolves with it too, since the abbreviated one lacks what a lockfile keeps
/// of a release: `license` and `funding`.
const ACCEPT: &str = "application/json";

/// The request for a package's document. The `/` of a scoped name is encoded, as npm does.
pub(super) fn request(registry: &str, name: &str) -> MetadataRequest {
    let mut url = registry.trim_end_matches('/').to_owned();
    url.push('/');
    for byte in name.bytes() {
        let is_plain = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'@' | b'-' | b'_' | b'.' | b'~' | b'!' | b'*' | b'\'' | b'(' | b')'
            );
        if is_plain {
            url.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02x}");
        }
    }
    MetadataRequest {
        url,
        accept: Some(ACCEPT),
    }
}

/// The document. Publishers have put odd values into optional fields over the years, so those are
/// read as they come and judged one by one.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    versions: Map<'a, Published>,
}

/// One release: where its archive is, and the fields that are looked at. The rest, readme texts
/// among them, is most of the document and is passed over while reading.
struct Published {
    dist: Dist,
    fields: Fields,
}

type Fields = serde_json::Map<String, Value>;

impl<'de> Deserialize<'de> for Published {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PublishedVisitor;

        impl<'de> Visitor<'de> for PublishedVisitor {
            type Value = Published;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut dist = Dist::default();
                let mut fields = Fields::new();
                while let Some(Text(field)) = map.next_key::<Text<'de>>()? {
                    if field == "dist" {
                        Object(dist) = map.next_value()?;
                    } else if entry_fields::is_read(&field) {
                        fields.insert(field.into_owned(), map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Published { dist, fields })
            }
        }

        deserializer.deserialize_map(PublishedVisitor)
    }
}

#[derive(Deserialize, Default)]
struct Dist {
    integrity: Option<String>,
    shasum: Option<String>,
    tarball: Option<String>,
}

/// Reads a registry's answer.
pub(super) fn parse(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    if body.len() > limits::MAX_METADATA_BYTES {
        return Err(ParseError::new(format!(
            "is larger than {} MiB",
            limits::MAX_METADATA_BYTES / (1024 * 1024)
        )));
    }
    let Object(document): Object<Document<'_>> = serde_json::from_slice(body)
        .map_err(|error| json::unreadable(&error, "a package document of an npm registry"))?;
    if let Some(other) = document
        .name
        .map(|Text(other)| other)
        .filter(|other| other != name)
    {
        return Err(ParseError::new(format!(
            "is about `{other}`, not about `{name}`"
        )));
    }
    Ok(document
        .versions
        .0
        .into_iter()
        .map(|(version, published)| release(name, version.into_owned(), &published))
        .collect())
}

fn release(name: &str, version: String, published: &Published) -> Release {
    let fields = &published.fields;
    let requirements = requirements(fields);
    let bundled = match fields
        .get("bundleDependencies")
        .or_else(|| fields.get("bundledDependencies"))
    {
        // `true` bundles everything that it depends on.
        Some(Value::Bool(true)) => requirements
            .iter()
            .filter(|requirement| requirement.kind != DependencyKind::Peer)
            .map(|requirement| requirement.name.clone())
            .collect(),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    let toolchain = fields
        .get("engines")
        .and_then(|engines| engines.get("node"))
        .and_then(Value::as_str);
    Release {
        withdrawn: fields.get("deprecated").is_some_and(entry_fields::is_set),
        integrity: integrity(&published.dist),
        archive: published.dist.tarball.clone(),
        requirements,
        bundled,
        toolchain: toolchain.map(str::to_owned),
        lockfile_fields: Some(Value::Object(entry_fields::of_manifest(name, fields)).to_string()),
        version,
    }
}

/// What the release depends on. A name in `optionalDependencies` is there too in `dependencies` in
/// documents that the registry made from old clients; the optional one counts, as for npm.
fn requirements(fields: &Fields) -> Vec<Requirement> {
    let sections = [
        (DependencyKind::Optional, "optionalDependencies"),
        (DependencyKind::Runtime, "dependencies"),
        (DependencyKind::Peer, "peerDependencies"),
    ];
    let mut requirements: Vec<Requirement> = Vec::new();
    for (kind, section) in sections {
        let section = fields.get(section).and_then(Value::as_object);
        for (name, requirement) in section.into_iter().flatten() {
            let Some(requirement) = requirement.as_str() else {
                continue;
            };
            if requirements.iter().any(|known| known.name == *name) {
                continue;
            }
            requirements.push(Requirement {
                name: name.clone(),
                package: super::requirement::alias(requirement)
                    .map(|(package, _)| package.to_owned()),
                requirement: requirement.to_owned(),
                kind,
            });
        }
    }
    requirements
}

/// The hash in the form of the lockfile: as given, or made from the hexadecimal SHA-1 that releases
/// before 2017 have alone.
fn integrity(dist: &Dist) -> Option<String> {
    if let Some(integrity) = dist.integrity.as_ref().filter(|text| !text.is_empty()) {
        return Some(integrity.clone());
    }
    let digits = dist.shasum.as_deref()?.as_bytes();
    if digits.len() != 40 {
        return None;
    }
    let bytes: Option<Vec<u8>> = digits
        .chunks_exact(2)
        .map(|pair| {
            let text = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(text, 16).ok()
        })
        .collect();
    Some(format!("sha1-{}", base64(&bytes?)))
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().enumerate().fold(0u32, |group, (place, byte)| {
            group | u32::from(*byte) << (16 - 8 * place)
        });
        for place in 0..4 {
            if place <= chunk.len() {
                let six = (group >> (18 - 6 * place)) & 0x3f;
                out.push(char::from(ALPHABET[six as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_where_npm_asks() {
        assert_eq!(
            request("https://npm.invalid/store/", "@own/a").url,
            "https://npm.invalid/store/@own%2fa"
        );
        assert_eq!(
            request("https://npm.invalid", "a.b").url,
            "https://npm.invalid/a.b"
        );
        assert_eq!(
            request("https://npm.invalid", "a/../b?c#d").url,
            "https://npm.invalid/a%2f..%2fb%3fc%23d"
        );
    }

    const DOCUMENT: &str = r#"{
      "name": "@own/a",
      "dist-tags": { "latest": "2.0.0" },
      "versions": {
        "1.0.0": {
          "readme": "1.0.0",
          "deprecated": "use 2",
          "dist": { "shasum": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "tarball": "https://npm.invalid/@own/a/-/a-1.0.0.tgz" },
          "engines": ["node >= 0.8"],
          "license": { "type": "MIT", "url": "https://licence.invalid" },
          "bin": "./cli.js",
          "scripts": { "postinstall": "node x" }
        },
        "2.0.0": {
          "deprecated": false,
          "dist": { "integrity": "sha512-AAAA", "shasum": "00", "tarball": "https://npm.invalid/@own/a/-/a-2.0.0.tgz" },
          "dependencies": { "b": "^1", "c": "npm:real@^2", "o": "1" },
          "optionalDependencies": { "o": "1" },
          "peerDependencies": { "p": "*", "q": "*" },
          "peerDependenciesMeta": { "q": { "optional": true } },
          "bundledDependencies": ["b"],
          "engines": { "node": ">=18" },
          "license": "ISC",
          "cpu": [],
          "devDependencies": { "z": "1" }
        }
      }
    }"#;

    #[test]
    fn reads_releases() {
        let releases = parse("@own/a", DOCUMENT.as_bytes()).unwrap();
        insta::assert_debug_snapshot!(releases);
    }

    #[test]
    fn refuses_what_is_no_document() {
        let messages: Vec<String> = [
            "",
            "[]",
            "{}",
            "{\"error\":\"not found\"}",
            "{\"versions\":{\"1.0.0\":[]}}",
            "{\"name\":\"other\",\"versions\":{}}",
            "{\"versions\":{\"1.0.0\":{},\"1.0.0\":{}}}",
            "{\"versions\":{",
            "<html>",
        ]
        .iter()
        .map(|body| parse("a", body.as_bytes()).unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(messages.join("\n"), @r#"
is truncated: its JSON does not end
is not a package document of an npm registry: invalid type: sequence, expected an object
is not a package document of an npm registry: missing field `versions`
is not a package document of an npm registry: missing field `versions`
is not a package document of an npm registry: invalid type: sequence, expected an object
is about `other`, not about `a`
is not a package document of an npm registry: duplicate key `1.0.0`
is truncated: its JSON does not end
is not valid JSON: expected value
"#);
    }

    #[test]
    fn base64_has_padding() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}

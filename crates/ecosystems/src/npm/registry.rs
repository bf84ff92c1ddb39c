//! A registry's package document, in its abbreviated form
//! (<https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md>).

use std::fmt;

use base64::Engine as _;
use patchgate_model::DependencyKind;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{self, Map, Object, Text};
use crate::{
    MetadataRequest, ParseError, Release, ReleaseFacts, Requirement, SourceArchive, limits,
};

/// Asks for the abbreviated form, which has all fields that are read and a tenth of the full form's
/// size. A registry without it answers with the full form.
const ACCEPT: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8";

/// The fields of a release that are read: its requirements, what lockfiles repeat, and facts.
const FIELDS: [&str; 26] = [
    // Only the whole form of a document has it.
    "_id",
    "_hasShrinkwrap",
    "_npmUser",
    "acceptDependencies",
    "bin",
    "bundleDependencies",
    "bundledDependencies",
    "cpu",
    "dependencies",
    "deprecated",
    "directories",
    "dist",
    "engines",
    "funding",
    "gitHead",
    "hasInstallScript",
    "libc",
    "license",
    "maintainers",
    "optionalDependencies",
    "os",
    "peerDependencies",
    "peerDependenciesMeta",
    // Only whether there are some that run at an installation.
    "scripts",
    "version",
    "workspaces",
];

/// A field of the kept ones that no registry has: the names of the programs in `bin`, in the order of
/// the document, which bun keeps.
pub(super) const PROGRAMS: &str = "_programs";

/// The scripts that npm runs at an installation.
const INSTALL_SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// The fields of `dist` that are kept. The others are signatures and sizes.
const DIST_FIELDS: [&str; 3] = ["integrity", "shasum", "tarball"];

/// The characters that are encoded in a package's name: all but those that JavaScript's
/// `encodeURIComponent` leaves as they are, and `@`, which npm leaves too.
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'@')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'!')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The condition of a peer that is not installed for its dependent's sake: it applies where
/// something else installs it
/// (<https://docs.npmjs.com/cli/v11/configuring-npm/package-json#peerdependenciesmeta>).
const OPTIONAL_PEER: &str = "optional";

/// The request for a package's document. The `/` of a scoped name is encoded, as npm does.
pub(super) fn request(registry: &str, name: &str) -> MetadataRequest {
    let mut url = registry.trim_end_matches('/').to_owned();
    url.push('/');
    for piece in utf8_percent_encode(name, NAME) {
        // A piece is either plain or one escape. npm writes escapes in lower case (`%2f`), and a
        // proxy or a cache that compares addresses as texts must see the same one.
        match piece.starts_with('%') {
            true => url.push_str(&piece.to_ascii_lowercase()),
            false => url.push_str(piece),
        }
    }

    MetadataRequest {
        url,
        accept: Some(ACCEPT),
    }
}

/// The document. Old releases have values of unexpected types in optional fields, so these are kept
/// as JSON and checked one by one, and one odd release does not make the document unreadable.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    versions: Map<'a, Published>,
    /// Times of publication by version. Only the long form has them.
    #[serde(default)]
    time: Value,
}

/// The fields of one release that are kept. The others, such as readme texts, are most of the
/// document and are skipped while reading.
struct Published(Fields);

pub(super) type Fields = serde_json::Map<String, Value>;

impl<'de> Deserialize<'de> for Published {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PublishedVisitor;

        impl<'de> Visitor<'de> for PublishedVisitor {
            type Value = Published;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Fields::new();
                while let Some(Text(field)) = map.next_key::<Text<'de>>()? {
                    if field == "bin" {
                        let (programs, names) = programs(map.next_value()?)?;
                        fields.insert(field.into_owned(), programs);
                        fields.extend(names.map(|names| (PROGRAMS.to_owned(), names)));
                    } else if FIELDS.contains(&field.as_ref()) {
                        fields.insert(field.into_owned(), map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }

                if let Some(scripts) = fields.remove("scripts")
                    && INSTALL_SCRIPTS.iter().any(|name| {
                        let command = scripts.get(name).and_then(Value::as_str);
                        command.is_some_and(|command| !command.is_empty())
                    })
                {
                    fields.insert("hasInstallScript".to_owned(), Value::Bool(true));
                }

                Ok(Published(fields))
            }
        }

        deserializer.deserialize_map(PublishedVisitor)
    }
}

/// The field `bin`, and its names in their order where it has several.
fn programs<E: serde::de::Error>(text: &RawValue) -> Result<(Value, Option<Value>), E> {
    let programs: Value = serde_json::from_str(text.get()).map_err(E::custom)?;
    let ordered = serde_json::from_str::<Map<'_, IgnoredAny>>(text.get());
    let names = ordered.ok().filter(|ordered| ordered.0.len() > 1);
    let names = names.map(|names| {
        names
            .0
            .iter()
            .map(|(name, _)| Value::from(&**name))
            .collect()
    });
    Ok((programs, names))
}

/// Reads a registry's package document. It is an error if the document is of another package.
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
            "describes `{other}` instead of `{name}`"
        )));
    }

    let times = document.time;
    Ok(document
        .versions
        .0
        .into_iter()
        .map(|(version, Published(fields))| {
            let time = times.get(version.as_ref()).and_then(Value::as_str);
            let published = time.map(str::to_owned);
            Release {
                published,
                ..release(version.into_owned(), fields)
            }
        })
        .collect())
}

/// Reads the document of one release: its fields as in [`Release::document`].
pub(super) fn parse_release(body: &[u8]) -> Result<Fields, ParseError> {
    if body.len() > limits::MAX_METADATA_BYTES {
        return Err(ParseError::new("has a document that is too large"));
    }
    let Published(mut fields) = serde_json::from_slice(body)
        .map_err(|error| json::unreadable(&error, "a document of a release"))?;
    facts(&mut fields);
    if let Some(Value::Object(dist)) = fields.get_mut("dist") {
        dist.retain(|field, _| DIST_FIELDS.contains(&field.as_str()));
    }

    Ok(fields)
}

/// Takes the facts out of a release's fields, whose document has none of them. Only the whole form
/// of a document has the publisher and the commit.
fn facts(fields: &mut Fields) -> ReleaseFacts {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let publisher = fields.remove("_npmUser");
    let commit = fields.remove("gitHead");
    let maintainers = fields.remove("maintainers");
    let dist = fields.get("dist");
    let has_attestations = |dist: &Value| dist.get("attestations").is_some_and(Value::is_object);

    ReleaseFacts {
        install_scripts: Some(fields.get("hasInstallScript") == Some(&Value::Bool(true))),
        provenance: dist.map(has_attestations),
        publisher: publisher.and_then(|user| text(user.get("name")?)),
        maintainers: maintainers.as_ref().and_then(maintainer_names),
        // Old releases have an object with the name of the license.
        license: fields
            .get("license")
            .and_then(|license| text(license).or_else(|| text(license.get("type")?))),
        size: dist.and_then(|dist| dist.get("unpackedSize")?.as_u64()),
        commit: commit.as_ref().and_then(text),
    }
}

/// The names of the accounts in the list of maintainers, sorted; `None` if one of them has no name.
fn maintainer_names(maintainers: &Value) -> Option<Vec<String>> {
    let named = |one: &Value| Some(one.get("name")?.as_str()?.to_owned());
    let mut names: Vec<String> = maintainers
        .as_array()?
        .iter()
        .map(named)
        .collect::<Option<_>>()?;
    names.sort();
    names.dedup();

    Some(names)
}

/// The archive of a release, by the SHA-512 of its integrity
/// (<https://www.w3.org/TR/sri-2/#the-integrity-attribute>).
pub(super) fn archive(release: &Release) -> Option<SourceArchive> {
    let dist = release.document.as_ref()?.get("dist")?;
    let integrity = dist.get("integrity")?.as_str()?;
    let hash = integrity
        .split_ascii_whitespace()
        .find_map(|hash| hash.strip_prefix("sha512-"))?;
    let hash = base64::engine::general_purpose::STANDARD
        .decode(hash)
        .ok()?;

    Some(SourceArchive {
        url: dist.get("tarball")?.as_str()?.to_owned(),
        algorithm: "sha512",
        hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

fn release(version: String, mut fields: Fields) -> Release {
    let facts = facts(&mut fields);
    if let Some(Value::Object(dist)) = fields.get_mut("dist") {
        dist.retain(|field, _| DIST_FIELDS.contains(&field.as_str()));
    }

    let requirements = requirements(&fields);
    let bundled = match fields
        .get("bundleDependencies")
        .or_else(|| fields.get("bundledDependencies"))
    {
        // `true` means all dependencies.
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

    // A text, but some clients have published `false` or an empty one.
    let yanked = fields.get("deprecated").is_some_and(|text| match text {
        Value::String(text) => !text.is_empty(),
        Value::Bool(deprecated) => *deprecated,
        _ => false,
    });

    let runtime = fields
        .get("engines")
        .and_then(|engines| engines.get("node"))
        .and_then(Value::as_str)
        .map(str::to_owned);

    Release {
        version,
        yanked,
        requirements,
        bundled,
        runtime,
        facts,
        document: Some(Value::Object(fields)),
        ..Release::default()
    }
}

/// The release's dependencies. Documents that old clients published repeat a name of
/// `optionalDependencies` in `dependencies`; the optional entry counts, as in npm.
fn requirements(fields: &Fields) -> Vec<Requirement> {
    let sections = [
        (DependencyKind::Optional, "optionalDependencies"),
        (DependencyKind::Runtime, "dependencies"),
        (DependencyKind::Peer, "peerDependencies"),
    ];
    let meta = fields.get("peerDependenciesMeta");
    let is_optional_peer = |name: &str| {
        let meta = meta.and_then(|meta| meta.get(name)?.get("optional"));
        meta.and_then(Value::as_bool) == Some(true)
    };
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
                condition: match kind == DependencyKind::Peer && is_optional_peer(name) {
                    true => OPTIONAL_PEER.to_owned(),
                    false => String::new(),
                },
                ..Requirement::default()
            });
        }
    }

    requirements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_the_same_address_as_npm() {
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
      "time": { "created": "2020-01-01T00:00:00.000Z", "1.0.0": 7, "2.0.0": "2024-01-02T03:04:05.678Z" },
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
          "_npmUser": { "name": "someone", "email": "someone@mail.invalid" },
          "gitHead": "0123456789abcdef0123456789abcdef01234567",
          "maintainers": [{ "name": "zoe" }, { "name": "ann" }],
          "dist": { "unpackedSize": 1234, "attestations": { "url": "https://npm.invalid/x" }, "integrity": "sha512-AAAA", "shasum": "00", "tarball": "https://npm.invalid/@own/a/-/a-2.0.0.tgz" },
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
    fn refuses_other_answers() {
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
describes `other` instead of `a`
is not a package document of an npm registry: duplicate key `1.0.0`
is truncated: its JSON does not end
is not valid JSON: expected value
"#);
    }
}

//! The metadata of a package in a repository of Hex
//! (<https://github.com/hexpm/specifications/blob/main/registry-v2.md>): a compressed message of
//! Protocol Buffers, with a signature that is not checked here. The archive that a lockfile gets is
//! checked against the hashes in it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use patchgate_model::DependencyKind;
use serde_json::json;

use crate::{MetadataRequest, ParseError, Release, ReleaseFile, Requirement, limits};

/// Most fields of one message.
const MAX_FIELDS: usize = 1_000_000;

/// The request for a package's releases.
pub(super) fn request(repository: &str, name: &str) -> MetadataRequest {
    MetadataRequest {
        url: format!("{}/packages/{name}", repository.trim_end_matches('/')),
        accept: None,
    }
}

/// The releases in the answer.
pub(super) fn parse(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    let too_large = || ParseError::new("is larger than metadata of a package can be");
    let limit = limits::MAX_METADATA_BYTES;
    let mut plain = Vec::new();
    let body = match body.starts_with(&[0x1f, 0x8b]) {
        true => {
            GzDecoder::new(body)
                .take(limit as u64 + 1)
                .read_to_end(&mut plain)
                .map_err(|error| ParseError::new(format!("cannot be unpacked: {error}")))?;
            plain.as_slice()
        }
        false => body,
    };
    if body.len() > limit {
        return Err(too_large());
    }

    let wrong = || ParseError::new("is not a package of Hex");
    let payload = Message::read(body)
        .and_then(|signed| signed.bytes(1))
        .ok_or_else(wrong)?;
    let package = Message::read(payload).ok_or_else(wrong)?;
    if package.text(2).as_deref() != Some(name) {
        return Err(ParseError::new(format!(
            "describes a package other than `{name}`"
        )));
    }
    package
        .all(1)
        .map(|release| release_of(name, release).ok_or_else(wrong))
        .collect()
}

fn release_of(name: &str, bytes: &[u8]) -> Option<Release> {
    let message = Message::read(bytes)?;
    let version = message.text(1)?;
    super::version::parse(&version)?;
    let mut requirements = Vec::new();
    let mut locked = Vec::new();
    for dependency in message.all(3) {
        let dependency = Message::read(dependency)?;
        let package = dependency.text(1)?;
        let requirement = dependency.text(2)?;
        let is_optional = dependency.number(3) == Some(1);
        let app = dependency.text(4).filter(|app| !app.is_empty());
        let app = app.unwrap_or_else(|| package.clone());
        let repository = dependency
            .text(5)
            .filter(|repository| !repository.is_empty());
        locked.push(json!({
            "app": app, "package": package, "requirement": requirement,
            "optional": is_optional, "repository": repository,
        }));
        requirements.push(Requirement {
            package: (app != package).then(|| package.clone()),
            name: app,
            requirement,
            kind: match is_optional {
                true => DependencyKind::Optional,
                false => DependencyKind::Runtime,
            },
            optional: is_optional,
            registry: repository,
            ..Requirement::default()
        });
    }

    let hash = |field: u64| {
        let bytes = message.bytes(field).filter(|bytes| bytes.len() == 32)?;
        Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    };
    let hashes = [("inner", hash(2)), ("sha256", hash(5))];
    Some(Release {
        yanked: message.bytes(4).is_some(),
        requirements,
        files: vec![ReleaseFile {
            name: format!("{name}-{version}.tar"),
            url: format!("../tarballs/{name}-{version}.tar"),
            hashes: hashes
                .into_iter()
                .filter_map(|(name, hash)| Some((name.to_owned(), hash?)))
                .collect(),
            ..ReleaseFile::default()
        }],
        document: Some(json!({ "dependencies": locked })),
        version,
        ..Release::default()
    })
}

/// A message of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>): its fields in
/// their order.
struct Message<'a>(Vec<(u64, Value<'a>)>);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Message<'a> {
    fn read(mut rest: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();

        while !rest.is_empty() {
            let key = number(&mut rest)?;
            let value = match key & 7 {
                0 => Value::Number(number(&mut rest)?),
                1 => Value::Bytes(take(&mut rest, 8)?),
                2 => {
                    let length = usize::try_from(number(&mut rest)?).ok()?;
                    Value::Bytes(take(&mut rest, length)?)
                }
                5 => Value::Bytes(take(&mut rest, 4)?),
                _ => return None,
            };
            fields.push((key >> 3, value));
            if fields.len() > MAX_FIELDS {
                return None;
            }
        }

        Some(Self(fields))
    }

    fn all(&self, wanted: u64) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.0.iter().filter_map(move |(field, value)| match value {
            Value::Bytes(bytes) if *field == wanted => Some(*bytes),
            _ => None,
        })
    }

    fn bytes(&self, wanted: u64) -> Option<&'a [u8]> {
        self.all(wanted).last()
    }

    fn text(&self, wanted: u64) -> Option<String> {
        let text = std::str::from_utf8(self.bytes(wanted)?).ok()?;
        Some(text.to_owned())
    }

    fn number(&self, wanted: u64) -> Option<u64> {
        self.0.iter().rev().find_map(|(field, value)| match value {
            Value::Number(number) if *field == wanted => Some(*number),
            _ => None,
        })
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

/// A field with bytes or a text, for answers in tests.
#[cfg(test)]
pub(super) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str, releases: &[Vec<u8>]) -> Vec<u8> {
        let mut package: Vec<u8> = releases.iter().flat_map(|one| field(1, one)).collect();
        package.extend(field(2, name.as_bytes()));
        [field(1, &package), field(2, b"signature")].concat()
    }

    #[test]
    fn releases_have_their_dependencies_and_hashes() {
        let dependency = [
            field(1, b"plug"),
            field(2, b"~> 1.0"),
            vec![3 << 3, 1],
            field(4, b"plug_app"),
        ]
        .concat();
        let first = [
            field(1, b"1.0.0"),
            field(2, &[1; 32]),
            field(3, &dependency),
            field(5, &[2; 32]),
        ];
        let second = [field(1, b"1.1.0"), field(4, b""), field(2, &[1; 32])];
        let body = answer("a", &[first.concat(), second.concat()]);
        let releases = parse("a", &body).unwrap();
        let [first, second] = releases.as_slice() else {
            panic!("{releases:?}");
        };
        let requirement = &first.requirements[0];
        assert_eq!(
            (
                &*requirement.name,
                requirement.package_name(),
                &*requirement.requirement,
                requirement.kind
            ),
            ("plug_app", "plug", "~> 1.0", DependencyKind::Optional)
        );
        assert_eq!(first.files[0].url, "../tarballs/a-1.0.0.tar");
        assert_eq!(
            first.files[0].hashes[1],
            ("sha256".to_owned(), "02".repeat(32))
        );
        assert_eq!((first.yanked, second.yanked), (false, true));
    }

    #[test]
    fn odd_answers_are_errors() {
        let good = answer("a", &[field(1, b"1.0.0")]);
        assert!(parse("a", &good).is_ok());
        assert!(parse("b", &good).is_err());
        assert!(parse("a", &answer("a", &[field(1, b"x")])).is_err());
        assert!(parse("a", b"<html>maintenance</html>").is_err());
        assert!(parse("a", b"\x1f\x8bx").is_err());
        for cut in 1..good.len() {
            let _ = parse("a", &good[..cut]);
        }
    }
}

//! The metadata of a package in a Composer repository of version 2
//! (<https://getcomposer.org/doc/05-repositories.md#metadata-url-available-packages-and-available-package-patterns>).
//!
//! Most repositories shorten it: a version has only the fields that differ from the version before
//! it (<https://github.com/composer/metadata-minifier>).
//!
//! [`Release::document`] is the description of a version as a JSON text, because the order of its
//! fields counts in a lockfile.

use patchgate_model::DependencyKind;

use super::version::Version;
use super::{package, php_json};
use crate::syntax::{Key, Node, json};
use crate::{MetadataRequest, ParseError, Release, ReleaseFile, Requirement, limits};

/// Maximum size of all descriptions of a package together, in bytes.
const MAX_DESCRIPTIONS: usize = 256 * 1024 * 1024;

/// Maximum number of versions that are read.
const MAX_VERSIONS: usize = 20_000;

/// The mark of a field that a version does not have any more.
const UNSET: &str = "__unset";

/// End of the names of packages that others provide.
const VIRTUAL: &str = "-implementation";

/// The request for the tagged versions of a package.
pub(super) fn request(repository: &str, name: &str) -> MetadataRequest {
    // A name has no other characters, unless a lockfile is hostile.
    let is_part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let name: String = name.to_ascii_lowercase().chars().filter(is_part).collect();
    let base = repository.trim_end_matches('/');
    let base = base.strip_suffix("/packages.json").unwrap_or(base);
    MetadataRequest {
        url: format!("{base}/p2/{}.json", name.replace("..", ".")),
        accept: None,
    }
}

/// Reads the versions of a package. Branches are left out: they are no releases.
pub(super) fn parse(name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
    if body.len() > limits::MAX_METADATA_BYTES {
        return Err(ParseError::new(
            "is larger than metadata of a package can be",
        ));
    }
    let text = std::str::from_utf8(body).map_err(|_| ParseError::new("is not UTF-8"))?;
    let document = json(text)?;
    let packages = document.get("packages").ok_or_else(|| {
        ParseError::new("is not metadata of a Composer repository: it lacks `packages`")
    })?;
    let own = packages
        .entries()
        .iter()
        .find(|(key, _)| key.name.eq_ignore_ascii_case(name));
    let Some((_, versions)) = own else {
        return Err(ParseError::new(format!("does not describe `{name}`")));
    };
    if !versions.is_list() {
        return Err(versions.unexpected(name, "a list"));
    }
    if versions.items().len() > MAX_VERSIONS {
        return Err(ParseError::new(format!(
            "lists more than {MAX_VERSIONS} versions"
        )));
    }

    let is_minified = document.optional_text("minified")? == Some("composer/2.0");
    let mut releases = Vec::new();
    let mut fields: Vec<(&Key<'_>, &Node<'_>)> = Vec::new();
    let mut left = MAX_DESCRIPTIONS;
    for entry in versions.items() {
        if !entry.is_map() {
            return Err(entry.unexpected(name, "a map"));
        }
        if !is_minified {
            fields.clear();
        }
        apply(&mut fields, entry);

        let described = php_json::map(
            fields
                .iter()
                .map(|(key, value)| ((*key).clone(), (*value).clone()))
                .collect(),
        );
        if let Some(release) = release(name, &described)? {
            let size = release
                .document
                .as_ref()
                .and_then(serde_json::Value::as_str)
                .map_or(0, str::len);
            left = left.checked_sub(size).ok_or_else(|| {
                ParseError::new(format!("describes more than {MAX_DESCRIPTIONS} bytes"))
            })?;
            releases.push(release);
        }
    }

    Ok(releases)
}

/// Changes the fields of the version before to those of an entry.
fn apply<'n, 'a>(fields: &mut Vec<(&'n Key<'a>, &'n Node<'a>)>, entry: &'n Node<'a>) {
    for (key, value) in entry.entries() {
        let at = fields.iter().position(|(known, _)| known.name == key.name);
        match (at, value.text() == Some(UNSET)) {
            (Some(at), true) => {
                fields.remove(at);
            }
            (None, true) => {}
            (Some(at), false) => {
                if let Some(field) = fields.get_mut(at) {
                    field.1 = value;
                }
            }
            (None, false) => fields.push((key, value)),
        }
    }
}

/// A version. `None` for a branch.
fn release(name: &str, described: &Node<'_>) -> Result<Option<Release>, ParseError> {
    let stated = described.optional_text("name")?;
    if stated.is_some_and(|stated| !stated.eq_ignore_ascii_case(name)) {
        return Err(ParseError::new(format!(
            "describes a package other than `{name}`"
        )));
    }
    let version = described.need_text("version")?;
    let lower = version.to_ascii_lowercase();
    if Version::parse(version).is_none() || lower.starts_with("dev-") || lower.ends_with("-dev") {
        return Ok(None);
    }

    let requirements = package::requirements(described, "require")?
        .into_iter()
        .map(|(name, requirement)| Requirement {
            name: name.to_ascii_lowercase(),
            requirement: requirement.to_owned(),
            kind: DependencyKind::Runtime,
            // Any package that provides it satisfies it.
            condition: match name.ends_with(VIRTUAL) {
                true => "provided".to_owned(),
                false => String::new(),
            },
            ..Requirement::default()
        })
        .collect();
    let runtime = described
        .get("require")
        .and_then(|required| required.get("php"))
        .and_then(Node::text);

    Ok(Some(Release {
        version: version.to_owned(),
        // A package is abandoned as a whole, which does not speak against one of its versions.
        published: described.optional_text("time")?.map(str::to_owned),
        requirements,
        runtime: runtime.map(str::to_owned),
        files: file(described)?.into_iter().collect(),
        document: Some(php_json::compact(described).into()),
        ..Release::default()
    }))
}

fn file(described: &Node<'_>) -> Result<Option<ReleaseFile>, ParseError> {
    let Some(dist) = described.get("dist").filter(|dist| dist.is_map()) else {
        return Ok(None);
    };
    let Some(url) = dist.optional_text("url")? else {
        return Ok(None);
    };

    let hash = dist
        .optional_text("shasum")?
        .filter(|hash| !hash.is_empty());

    Ok(Some(ReleaseFile {
        name: url.rsplit('/').next().unwrap_or_default().to_owned(),
        url: url.to_owned(),
        hashes: hash
            .map(|hash| ("sha1".to_owned(), hash.to_owned()))
            .into_iter()
            .collect(),
        ..ReleaseFile::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_graph::stated;

    #[test]
    fn shortened_versions_are_completed() {
        let body = r#"{"minified": "composer/2.0", "packages": {"acme/a": [
            {"name": "acme/a", "version": "v2.0.0", "require": {"php": ">=8.1", "Acme/B": "^1.0", "psr/log-implementation": "*"},
             "dist": {"type": "zip", "url": "https://code.invalid/a-2.zip", "shasum": "ab"}, "time": "2024-01-01T00:00:00+00:00", "extra": {"x": 1}},
            {"version": "dev-main"},
            {"version": "v1.0.0", "require": {"php": ">=7"}, "extra": "__unset", "dist": {"type": "zip", "url": "https://code.invalid/a-1.zip", "shasum": ""}}
        ]}}"#;
        let releases = parse("acme/a", body.as_bytes()).unwrap();
        let [second, first] = releases.as_slice() else {
            panic!("{releases:?}");
        };
        assert_eq!(
            stated(second),
            [
                ("acme/b", "^1.0", ""),
                ("psr/log-implementation", "*", "provided")
            ]
        );
        assert_eq!(second.runtime.as_deref(), Some(">=8.1"));
        assert_eq!(
            second.published.as_deref(),
            Some("2024-01-01T00:00:00+00:00")
        );
        assert_eq!(
            second.files[0].hashes,
            [("sha1".to_owned(), "ab".to_owned())]
        );
        assert_eq!(first.version, "v1.0.0");
        assert_eq!(
            (first.requirements.len(), first.files[0].hashes.len()),
            (0, 0)
        );
        insta::assert_snapshot!(first.document.as_ref().unwrap().as_str().unwrap());
    }

    #[test]
    fn odd_documents_are_errors() {
        let refused = |body: &str| parse("acme/a", body.as_bytes()).unwrap_err().to_string();
        let reasons = [
            refused("<html>maintenance</html>"),
            refused("{}"),
            refused(r#"{"packages": {"acme/b": []}}"#),
            refused(r#"{"packages": {"acme/a": {}}}"#),
            refused(r#"{"packages": {"acme/a": ["1.0"]}}"#),
            refused(r#"{"packages": {"acme/a": [{"version": 1}]}}"#),
            refused(r#"{"packages": {"acme/a": [{"name": "acme/b", "version": "1"}]}}"#),
            refused(r#"{"packages": {"acme/a": [{"version": "1", "require": {"x/y": 1}}]}}"#),
        ];
        insta::assert_snapshot!(reasons.join("\n"));
        for (base, expected) in [
            (
                "https://repo.invalid",
                "https://repo.invalid/p2/acme/a.json",
            ),
            (
                "https://repo.invalid/x/packages.json",
                "https://repo.invalid/x/p2/acme/a.json",
            ),
        ] {
            assert_eq!(request(base, "Acme/a?").url, expected);
        }
    }
}

//! `package.json` (<https://docs.npmjs.com/cli/v11/configuring-npm/package-json>): its requirements,
//! workspaces and resolutions, and the edit of one requirement.

use std::collections::HashSet;

use jsonc_parser::ast;
use patchgate_model::DependencyKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{Map, Object, Text, strict_ast};
use super::needs::Needs;
use super::splice::{Splice, splice};
use crate::{EditError, RequirementEdit, limits};

/// The fields of a manifest that are read.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Manifest<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow)]
    dev_dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow)]
    optional_dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow)]
    peer_dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow)]
    workspaces: Option<&'a RawValue>,
    #[serde(borrow)]
    resolutions: Option<&'a RawValue>,
}

/// The value of `workspaces`: a list of patterns, or yarn's object with that list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Workspaces {
    List(Vec<String>),
    Object {
        #[serde(default)]
        packages: Vec<String>,
    },
}

impl<'a> Manifest<'a> {
    /// Reads a manifest; `None` if it cannot be read. This is not an error, because lockfiles can be
    /// read without manifests.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > limits::MAX_FILE_BYTES {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let Object(manifest) = serde_json::from_str(text.strip_prefix(BOM).unwrap_or(text)).ok()?;
        Some(manifest)
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_ref().map(|Text(name)| &**name)
    }

    /// The project's dependencies, by kind.
    pub(super) fn needs(&self) -> Needs<'a> {
        Needs {
            runtime: self.dependencies.clone(),
            optional: self.optional_dependencies.clone(),
            peer: self.peer_dependencies.clone(),
            development: self.dev_dependencies.clone(),
        }
    }

    /// The patterns for the directories of workspace members; empty if they cannot be read.
    pub(super) fn workspaces(&self) -> Vec<String> {
        match self.workspaces.map(|raw| serde_json::from_str(raw.get())) {
            Some(Ok(Workspaces::List(list) | Workspaces::Object { packages: list })) => list,
            Some(Err(_)) | None => Vec::new(),
        }
    }

    /// The entries of yarn's `resolutions`: the pattern as written (`a`, `a/**/b`, `b@npm:^1`), and
    /// the requirement that replaces those that match it.
    pub(super) fn resolutions(&self) -> Vec<(String, String)> {
        let read: Option<Map<'_, Option<Text<'_>>>> = self
            .resolutions
            .and_then(|raw| serde_json::from_str(raw.get()).ok());
        read.into_iter()
            .flat_map(|map| map.0)
            .filter_map(|(pattern, requirement)| {
                let Text(requirement) = requirement?;
                Some((pattern.into_owned(), requirement.into_owned()))
            })
            .collect()
    }

    /// The requirements of the dependencies that the project installs, with their kinds. A name in
    /// several sections counts once: optional first, then runtime, then development.
    pub(super) fn requirements(&self) -> Vec<(DependencyKind, &str, &str)> {
        let mut seen = HashSet::new();
        let mut requirements = Vec::new();
        for (kind, section) in [
            (DependencyKind::Optional, &self.optional_dependencies),
            (DependencyKind::Runtime, &self.dependencies),
            (DependencyKind::Development, &self.dev_dependencies),
        ] {
            for (name, requirement) in &section.0 {
                if let Some(Text(requirement)) = requirement
                    && seen.insert(&**name)
                {
                    requirements.push((kind, &**name, &**requirement));
                }
            }
        }

        requirements
    }

    /// The requirement under a name, in the section for the kind.
    pub(super) fn requirement(&self, name: &str, kind: DependencyKind) -> Option<&str> {
        let section = match kind {
            DependencyKind::Runtime | DependencyKind::Build => &self.dependencies,
            DependencyKind::Optional => &self.optional_dependencies,
            DependencyKind::Peer => &self.peer_dependencies,
            DependencyKind::Development | DependencyKind::Test => &self.dev_dependencies,
        };
        let Text(requirement) = section.get(name)?.as_ref()?;
        Some(requirement)
    }
}

const BOM: char = '\u{feff}';

/// The sections with requirements that an edit changes. Peer dependencies do not
/// install a package, so they are changed only if none of these sections has the requirement.
const SECTIONS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];
const PEER_SECTION: &str = "peerDependencies";

/// Whether a path of keys in a manifest is that of a requirement's versions: `dependencies.qs`,
/// `overrides.parent.qs`.
pub(super) fn is_requirement_key(path: &[&str]) -> bool {
    match path {
        // Overrides are nested by dependent.
        ["overrides", rest @ ..] => !rest.is_empty(),
        [section, _] => {
            SECTIONS.contains(section) || [PEER_SECTION, "resolutions"].contains(section)
        }
        _ => false,
    }
}

/// Changes one requirement in every section that has it, and keeps every other byte.
pub(super) fn edit(manifest: &str, edit: &RequirementEdit) -> Result<String, EditError> {
    if manifest.len() > limits::MAX_FILE_BYTES {
        return Err(EditError::Unreadable("it is too large".to_owned()));
    }

    let text = manifest.strip_prefix(BOM).unwrap_or(manifest);
    let before: serde_json::Value = read_value(text)?;

    // Refuses duplicate keys, which `read_value` accepts.
    serde_json::from_str::<Object<Manifest<'_>>>(text).map_err(|error| unreadable(&error))?;
    let tree = strict_ast(text).map_err(EditError::Unreadable)?;

    let mut spans = spans(&tree, &SECTIONS, edit);
    if spans.is_empty() {
        spans = self::spans(&tree, &[PEER_SECTION], edit);
    }
    if spans.is_empty() {
        return Err(EditError::NotFound {
            name: edit.name.clone(),
            requirement: edit.from.clone(),
        });
    }

    // The same change to the text and to the parsed value, which must then agree.
    let mut expected = before;
    let new = serde_json::Value::from(edit.to.as_str());
    let mut splices = Vec::new();
    for (section, range) in spans {
        if let Some(value) = expected
            .get_mut(section)
            .and_then(|s| s.get_mut(&edit.name))
        {
            *value = new.clone();
        }
        splices.push(Splice::new(range, new.to_string()));
    }

    let after = splice(text, splices);
    if read_value(&after)? != expected {
        return Err(EditError::Refused(format!(
            "changing the requirement of `{}` would also change something else",
            edit.name
        )));
    }

    Ok(match manifest.starts_with(BOM) {
        true => format!("{BOM}{after}"),
        false => after,
    })
}

/// The sections that have the requirement, with the byte range of its value, quotes included.
fn spans<'n>(
    tree: &ast::Value<'_>,
    sections: &[&'n str],
    edit: &RequirementEdit,
) -> Vec<(&'n str, std::ops::Range<usize>)> {
    let mut spans = Vec::new();
    for section in sections {
        let value = tree
            .as_object()
            .and_then(|root| root.get_object(section))
            .and_then(|section| section.get_string(&edit.name));
        if let Some(literal) = value
            && literal.value == edit.from
        {
            spans.push((*section, literal.range.start..literal.range.end));
        }
    }

    spans
}

fn read_value(text: &str) -> Result<serde_json::Value, EditError> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> EditError {
    EditError::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, from: &str, to: &str) -> RequirementEdit {
        RequirementEdit {
            name: name.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    const MANIFEST: &str = "{\r\n\t\"name\" : \"m\",\r\n\t\"dependencies\":{ \"a\":\"^1.0.0\" ,\"b\":\"^1.0.0\"},\r\n\t\"devDependencies\": {\r\n\t\t\"a\": \"\\u005e1.0.0\",\r\n\t\t\"c\": \"npm:a@^1.0.0\"\r\n\t},\r\n\t\"peerDependencies\": { \"a\": \"^1.0.0\", \"p\": \"1 || 2\" },\r\n\t\"note\": \"^1.0.0 \\u00e9\"\r\n}";

    #[test]
    fn recognizes_keys_of_requirements() {
        let is_requirement = |path: &str| is_requirement_key(&path.split(' ').collect::<Vec<_>>());
        for path in [
            "dependencies a",
            "devDependencies a",
            "optionalDependencies a",
            "peerDependencies a",
            "resolutions a",
            "overrides a",
            "overrides a b c",
        ] {
            assert!(is_requirement(path), "{path}");
        }

        for path in [
            "overrides",
            "dependencies",
            "dependencies a version",
            "scripts postinstall",
            "workspace dependencies a",
            "build-dependencies a",
        ] {
            assert!(!is_requirement(path), "{path}");
        }
    }

    #[test]
    fn changes_the_requirement_in_every_section_that_installs() {
        let after = edit(MANIFEST, &change("a", "^1.0.0", "^1.2.0")).unwrap();
        let expected = MANIFEST
            .replacen("\"a\":\"^1.0.0\"", "\"a\":\"^1.2.0\"", 1)
            .replace("\\u005e1.0.0", "^1.2.0");
        assert_eq!(after, expected);
    }

    #[test]
    fn changes_a_peer_dependency_only_when_no_other_section_has_it() {
        let after = edit(MANIFEST, &change("p", "1 || 2", "2")).unwrap();
        assert_eq!(after, MANIFEST.replace("1 || 2", "2"));
    }

    #[test]
    fn keeps_an_alias_and_a_byte_order_mark() {
        let manifest = format!("\u{feff}{MANIFEST}");
        let after = edit(&manifest, &change("c", "npm:a@^1.0.0", "npm:a@^1.2.0")).unwrap();
        assert_eq!(after, manifest.replace("npm:a@^1.0.0", "npm:a@^1.2.0"));
    }

    #[test]
    fn says_why_nothing_is_changed() {
        let messages: Vec<String> = [
            (MANIFEST, change("a", "^9", "^10")),
            (MANIFEST, change("zz", "^1.0.0", "^2")),
            (
                "{ \"dependencies\": { \"a\": \"1\", } }",
                change("a", "1", "2"),
            ),
            (
                "{ \"dependencies\": { \"a\": \"1\", \"a\": \"1\" } }",
                change("a", "1", "2"),
            ),
            (
                "{ \"dependencies\": {}, \"dependencies\": { \"a\": \"1\" } }",
                change("a", "1", "2"),
            ),
            ("// note\n{}", change("a", "1", "2")),
        ]
        .iter()
        .map(|(manifest, change)| edit(manifest, change).unwrap_err().to_string())
        .collect();

        insta::assert_snapshot!(messages.join("\n"), @r#"
the manifest does not require `a` as `^9`
the manifest does not require `zz` as `^1.0.0`
the manifest cannot be read: trailing comma at line 1 column 31
the manifest cannot be read: duplicate key `a` at line 1 column 33
the manifest cannot be read: duplicate field `dependencies` at line 1 column 36
the manifest cannot be read: expected value at line 1 column 1
"#);
    }
}

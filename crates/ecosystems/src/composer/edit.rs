//! Edits of `composer.json`: one requirement. All other bytes stay.

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;

use super::php_json;
use crate::npm::json::strict_ast;
use crate::{EditError, RequirementEdit, limits};

/// Keys with requirements.
const SECTIONS: [&str; 2] = ["require", "require-dev"];

/// The manifest with another requirement.
pub(super) fn edit(manifest: &str, change: &RequirementEdit) -> Result<String, EditError> {
    if manifest.len() > limits::MAX_FILE_BYTES {
        return Err(EditError::Unreadable("it is too large".to_owned()));
    }
    // Refuses duplicate keys, of which Composer would use another one.
    let text = manifest.strip_prefix('\u{feff}').unwrap_or(manifest);
    crate::syntax::json(text).map_err(|error| EditError::Unreadable(error.to_string()))?;
    let tree = strict_ast(text).map_err(EditError::Unreadable)?;
    let ast::Value::Object(root) = &tree else {
        return Err(EditError::Unreadable("it is not an object".to_owned()));
    };

    let mut ranges: Vec<Range<usize>> = Vec::new();
    for section in SECTIONS {
        let Some(ast::Value::Object(section)) = property(root, section) else {
            continue;
        };
        for required in &section.properties {
            let is_named = required.name.as_str().eq_ignore_ascii_case(&change.name);
            if let ast::Value::StringLit(value) = &required.value
                && is_named
                && value.value == change.from
            {
                let range = value.range();
                ranges.push(range.start..range.end);
            }
        }
    }
    if ranges.is_empty() {
        return Err(EditError::NotFound {
            name: change.name.clone(),
            requirement: change.from.clone(),
        });
    }

    let new = php_json::pretty(&php_json::text(change.to.as_str()), 0);
    let mut edited = text.to_owned();
    for range in ranges.into_iter().rev() {
        edited.replace_range(range, &new);
    }
    Ok(match text.len() == manifest.len() {
        true => edited,
        false => format!("\u{feff}{edited}"),
    })
}

fn property<'n, 'a>(object: &'n ast::Object<'a>, name: &str) -> Option<&'n ast::Value<'a>> {
    let mut properties = object.properties.iter();
    let property = properties.find(|property| property.name.as_str() == name);
    property.map(|property| &property.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_requirement_changes() {
        let manifest = "{\r\n\t\"name\": \"a\\/b\",\r\n\t\"require\": {\"Acme/A\": \"^1.0\", \"acme/ab\": \"^1.0\"},\r\n\
                        \t\"require-dev\": {\"acme/c\": \"^1.0 || ^2.0\"}}";
        let edited = |name: &str, from: &str| {
            let change = RequirementEdit {
                name: name.to_owned(),
                from: from.to_owned(),
                to: "^2.1".to_owned(),
            };
            edit(manifest, &change).map_err(|error| error.to_string())
        };
        assert_eq!(
            edited("acme/a", "^1.0").unwrap(),
            manifest.replace("\"Acme/A\": \"^1.0\"", "\"Acme/A\": \"^2.1\"")
        );
        assert_eq!(
            edited("acme/c", "^1.0 || ^2.0").unwrap(),
            manifest.replace("^1.0 || ^2.0", "^2.1")
        );
        assert_eq!(
            edited("acme/a", "^1.1").unwrap_err(),
            "the manifest does not require `acme/a` as `^1.1`"
        );
    }
}

//! Edits of MSBuild files: literal versions of packages. All other bytes stay.
//!
//! A version that a property states is refused, because other items may use the property too.

use std::ops::Range;

use crate::syntax::xml;
use crate::{EditError, RequirementEdit, limits};

/// Items with a version.
const ITEMS: [&str; 4] = [
    "packagereference",
    "packageversion",
    "globalpackagereference",
    "dotnetclitoolreference",
];

/// Metadata that states a version.
const VERSIONS: [&str; 2] = ["version", "versionoverride"];

/// A version in the text.
#[derive(Debug, PartialEq, Eq)]
struct Site {
    name: String,
    range: Range<usize>,
}

/// The file with another version of a package in every item that has the one of the edit.
pub(super) fn edit(manifest: &str, change: &RequirementEdit) -> Result<String, EditError> {
    if manifest.len() > limits::MAX_FILE_BYTES {
        return Err(EditError::Unreadable("it is too large".to_owned()));
    }
    let body = manifest.trim_start_matches('\u{feff}');
    let root = xml(body).map_err(|error| EditError::Unreadable(error.to_string()))?;
    if root.name != "Project" {
        return Err(EditError::Unreadable(
            "it is not a file of MSBuild".to_owned(),
        ));
    }
    let is_plain = |text: &str| !text.contains(['<', '>', '&', '"', '\'', '$']);
    if !is_plain(&change.to) {
        return Err(EditError::Refused(format!(
            "`{}` is not a requirement",
            change.to
        )));
    }

    let sites = sites(manifest).ok_or_else(|| {
        EditError::Unreadable("the positions of its items are not known".to_owned())
    })?;
    let own: Vec<&Site> = sites
        .iter()
        .filter(|site| site.name.eq_ignore_ascii_case(&change.name))
        .collect();
    let text = |site: &Site| manifest.get(site.range.clone()).unwrap_or_default().trim();
    let meant: Vec<&&Site> = own
        .iter()
        .filter(|site| text(site) == change.from)
        .collect();
    if meant.is_empty() {
        if let Some(site) = own.iter().find(|site| text(site).contains("$(")) {
            let reason = format!(
                "the property in `{}` states the version of `{}`",
                text(site),
                change.name
            );
            return Err(EditError::Refused(reason));
        }
        return Err(EditError::NotFound {
            name: change.name.clone(),
            requirement: change.from.clone(),
        });
    }

    let mut edited = manifest.to_owned();
    for site in meant.into_iter().rev() {
        let written = manifest.get(site.range.clone()).unwrap_or_default();
        let start = site.range.start + (written.len() - written.trim_start().len());
        edited.replace_range(start..start + written.trim().len(), &change.to);
    }
    Ok(edited)
}

/// A start tag.
struct Tag {
    name: String,
    /// Names in lower case, and the positions of the values.
    attributes: Vec<(String, Range<usize>)>,
    is_empty: bool,
    end: usize,
}

/// The versions in the file, in its order. `None` if a tag does not end.
fn sites(text: &str) -> Option<Vec<Site>> {
    let mut found = Vec::new();
    // Name of the item that is open, and what it contains.
    let mut item: Option<String> = None;
    let mut at = 0;
    while let Some(length) = text.get(at..)?.find('<') {
        let start = at + length;
        let rest = text.get(start..)?;
        if rest.starts_with("<!--") {
            at = start + rest.find("-->")? + 3;
        } else if rest.starts_with("<![CDATA[") {
            at = start + rest.find("]]>")? + 3;
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            at = start + rest.find('>')? + 1;
        } else if let Some(closed) = rest.strip_prefix("</") {
            let name = closed.split(['>', ' ', '\t', '\r', '\n']).next()?;
            if ITEMS.contains(&name.to_ascii_lowercase().as_str()) {
                item = None;
            }
            at = start + rest.find('>')? + 1;
        } else {
            let tag = tag(text, start)?;
            at = tag.end;
            let attribute = |wanted: &str| {
                let mut attributes = tag.attributes.iter();
                attributes
                    .find(|(name, _)| name == wanted)
                    .map(|(_, range)| range.clone())
            };
            if ITEMS.contains(&tag.name.as_str()) {
                let name = attribute("include").or_else(|| attribute("update"));
                let name = name
                    .and_then(|range| text.get(range))
                    .unwrap_or_default()
                    .trim()
                    .to_owned();
                for version in VERSIONS {
                    found.extend(attribute(version).map(|range| Site {
                        name: name.clone(),
                        range,
                    }));
                }
                item = (!tag.is_empty).then_some(name);
            } else if let (Some(name), false, true) =
                (&item, tag.is_empty, VERSIONS.contains(&tag.name.as_str()))
            {
                let length = text.get(at..)?.find('<')?;
                found.push(Site {
                    name: name.clone(),
                    range: at..at + length,
                });
            }
        }
    }

    Some(found)
}

/// Reads the start tag at a position.
fn tag(text: &str, start: usize) -> Option<Tag> {
    let bytes = text.as_bytes();
    let is_end = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/');
    let mut at = start + 1;
    while !is_end(*bytes.get(at)?) {
        at += 1;
    }
    let mut tag = Tag {
        name: text.get(start + 1..at)?.to_ascii_lowercase(),
        attributes: Vec::new(),
        is_empty: false,
        end: at,
    };

    loop {
        match *bytes.get(at)? {
            b'>' => {
                tag.end = at + 1;
                return Some(tag);
            }
            b'/' => {
                tag.is_empty = true;
                at += 1;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => {
                let equals = at + text.get(at..)?.find('=')?;
                let name = text.get(at..equals)?.trim().to_ascii_lowercase();
                let opened = equals + text.get(equals..)?.find(['"', '\''])?;
                let quote = char::from(*bytes.get(opened)?);
                let length = text.get(opened + 1..)?.find(quote)?;
                tag.attributes.push((name, opened + 1..opened + 1 + length));
                at = opened + length + 2;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(manifest: &str, name: &str) -> Result<String, String> {
        let change = RequirementEdit {
            name: name.to_owned(),
            from: "1.0".to_owned(),
            to: "1.5.0".to_owned(),
        };
        edit(manifest, &change).map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_version_of_the_package_changes() {
        let manifest = "\u{feff}<Project Sdk=\"x\">\r\n  <!-- <PackageReference Include=\"A\" Version=\"1.0\" /> -->\r\n  <ItemGroup>\r\n    \
                        <PackageReference Include=\"a\" Version='1.0' />\r\n    <PackageReference Version = \"1.0\" Include=\"A.B\"/>\r\n    \
                        <PackageVersion Include=\"A\">\r\n      <Version> 1.0 </Version>\r\n    </PackageVersion>\r\n    \
                        <Reference Include=\"A\" Version=\"1.0\" />\r\n  </ItemGroup>\r\n</Project>";
        let expected = manifest
            .replace(
                "Include=\"a\" Version='1.0'",
                "Include=\"a\" Version='1.5.0'",
            )
            .replace("<Version> 1.0 </Version>", "<Version> 1.5.0 </Version>");
        assert_eq!(edited(manifest, "A").unwrap(), expected);
    }

    #[test]
    fn what_is_not_literal_is_refused() {
        let file = |item: &str| format!("<Project><ItemGroup>{item}</ItemGroup></Project>");
        let reasons = [
            edited(
                &file("<PackageReference Include=\"A\" Version=\"$(V)\"/>"),
                "A",
            ),
            edited(
                &file("<PackageReference Include=\"A\" Version=\"2.0\"/>"),
                "A",
            ),
            edited(
                &file("<PackageReference Include=\"A;B\" Version=\"1.0\"/>"),
                "A",
            ),
            edited("<Other/>", "A"),
            edited("<Project>", "A"),
        ]
        .map(|result| result.unwrap_err());
        assert_eq!(
            reasons[0],
            "the manifest cannot be changed: the property in `$(V)` states the version of `A`"
        );
        assert_eq!(reasons[1], "the manifest does not require `A` as `1.0`");
        assert_eq!(reasons[2], reasons[1]);
        assert!(
            reasons[3].starts_with("the manifest cannot be read"),
            "{}",
            reasons[3]
        );
        assert!(
            reasons[4].starts_with("the manifest cannot be read"),
            "{}",
            reasons[4]
        );
    }
}

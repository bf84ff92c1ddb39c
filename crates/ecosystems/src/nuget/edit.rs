//! Edits of MSBuild files: literal versions of packages. All other bytes stay.
//!
//! A version that a property states is refused, because other items may use the property too.

use std::ops::Range;

use super::raise::raise;
use super::range::VersionRange;
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
    let is_meant =
        |site: &&&Site| text(site) == change.from || is_same_range(text(site), &change.from);
    let meant: Vec<&&Site> = own.iter().filter(is_meant).collect();
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
        let to = match written.trim() == change.from {
            true => change.to.clone(),
            false => in_style_of(written.trim(), &change.to)?,
        };
        edited.replace_range(start..start + written.trim().len(), &to);
    }
    Ok(edited)
}

/// Whether two requirements admit the same versions: a lockfile has `[1.0.0, )` for `1.0`.
fn is_same_range(a: &str, b: &str) -> bool {
    VersionRange::parse(a).is_some_and(|range| Some(range) == VersionRange::parse(b))
}

/// A requirement in the style of another one.
fn in_style_of(style: &str, requirement: &str) -> Result<String, EditError> {
    let range = VersionRange::parse(requirement);
    let raised = range
        .as_ref()
        .and_then(|range| raise(style, range.lower.as_deref()?).ok())
        .filter(|raised| VersionRange::parse(raised) == range);
    raised.ok_or_else(|| {
        EditError::Refused(format!("`{requirement}` is not in the style of `{style}`"))
    })
}

/// The versions of a package in a file, as they are written: literals and properties.
pub(super) fn versions(manifest: &str, name: &str) -> Vec<String> {
    let sites = sites(manifest).unwrap_or_default().into_iter();
    let own = sites.filter(|site| site.name.eq_ignore_ascii_case(name));
    own.filter_map(|site| Some(manifest.get(site.range)?.trim().to_owned()))
        .collect()
}

/// The file with one more item, at the end of the first list that has items of its kind and applies
/// without a condition. `None` if there is no such list.
pub(super) fn insert(manifest: &str, kind: &str, item: &str) -> Option<String> {
    let kind = kind.to_ascii_lowercase();
    let mut open: Vec<String> = Vec::new();
    // The indentation of the last item in the list that is open.
    let mut indentation: Option<&str> = None;
    let mut at = 0;
    while let Some(length) = manifest.get(at..)?.find('<') {
        let start = at + length;
        let rest = manifest.get(start..)?;
        if let Some(end) = end_of_other(rest) {
            at = start + end?;
            continue;
        }
        let line = manifest.get(..start)?.rfind('\n').map_or(0, |end| end + 1);
        let before = manifest.get(line..start)?;
        if rest.starts_with("</") {
            at = start + rest.find('>')? + 1;
            let closed = open.pop()?;
            if closed == "itemgroup"
                && let Some(indentation) = indentation.take()
            {
                let line_end = match manifest.contains("\r\n") {
                    true => "\r\n",
                    false => "\n",
                };
                let (head, tail) = manifest.split_at_checked(line)?;
                return before
                    .trim()
                    .is_empty()
                    .then(|| format!("{head}{indentation}{item}{line_end}{tail}"));
            }
            continue;
        }

        let tag = tag(manifest, start)?;
        at = tag.end;
        let is_listed = open.iter().map(String::as_str).eq(["project", "itemgroup"]);
        if is_listed && tag.name == kind && before.trim().is_empty() {
            indentation = Some(before);
        }
        if !tag.is_empty {
            // A list with a condition or inside another element does not count as a list.
            let is_plain = tag.name != "itemgroup" || tag.attributes.is_empty();
            open.push(if is_plain { tag.name } else { String::new() });
        }
    }
    None
}

/// The end of something that is no tag: a comment, a declaration. The inner `None` if it does not end.
fn end_of_other(rest: &str) -> Option<Option<usize>> {
    let ends = [
        ("<!--", "-->"),
        ("<![CDATA[", "]]>"),
        ("<?", ">"),
        ("<!", ">"),
    ];
    let (_, end) = ends.iter().find(|(start, _)| rest.starts_with(start))?;
    Some(rest.find(end).map(|at| at + end.len()))
}

/// A start tag with the positions of its attributes.
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
        if let Some(end) = end_of_other(rest) {
            at = start + end?;
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
    fn the_requirement_of_a_lockfile_is_found_in_its_own_style() {
        let change = |from: &str, to: &str| RequirementEdit {
            name: "A".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let file = |version: &str| {
            format!(
                "<Project><ItemGroup><PackageReference Include=\"A\" Version=\"{version}\"/></ItemGroup></Project>"
            )
        };
        assert_eq!(
            edit(&file("1.0"), &change("[1.0.0, )", "[1.5.0, )")),
            Ok(file("1.5.0"))
        );
        assert_eq!(
            edit(&file("[1.0]"), &change("[1.0.0, 1.0.0]", "[1.5.0, 1.5.0]")),
            Ok(file("[1.5.0]"))
        );
        assert!(edit(&file("1.0"), &change("[1.0.0, )", "[1.5.0, 2.0.0)")).is_err());
        assert!(edit(&file("1.0"), &change("[1.0.0, 2.0.0)", "1.5.0")).is_err());
    }

    #[test]
    fn an_item_is_added_to_a_list_without_a_condition() {
        let file = "<Project>\r\n  <!-- <ItemGroup> -->\r\n  <ItemGroup Condition=\"x\">\r\n    <PackageReference Include=\"A\" />\r\n  </ItemGroup>\r\n  \
                    <Choose><When><ItemGroup>\r\n    <PackageReference Include=\"A\" />\r\n  </ItemGroup></When></Choose>\r\n  \
                    <ItemGroup>\r\n    <Compile Include=\"b\" />\r\n  </ItemGroup>\r\n  <ItemGroup>\r\n\t<PackageReference Include=\"B\">\r\n\t  <Version>1</Version>\r\n\t</PackageReference>\r\n  </ItemGroup>\r\n</Project>";
        let expected = file.replace(
            "</PackageReference>\r\n",
            "</PackageReference>\r\n\t<new />\r\n",
        );
        assert_eq!(insert(file, "PackageReference", "<new />"), Some(expected));
        assert_eq!(insert(file, "PackageVersion", "<new />"), None);
        assert_eq!(
            insert("<Project><ItemGroup>", "PackageReference", "x"),
            None
        );
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

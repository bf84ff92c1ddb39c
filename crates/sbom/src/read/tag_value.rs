//! Reader of SPDX 2 as `tag: value` lines
//! (<https://spdx.github.io/spdx-spec/v2.3/conformance/>, 4.4).

use std::collections::HashSet;

use patchgate_ecosystems::{ParseError, limits};
use patchgate_model::FormatId;

use super::spdx::{format, relate, role, set_address, set_reference, stated};
use super::{Component, Document};

pub(super) fn read(text: &str) -> Result<Document, ParseError> {
    let mut reader = Reader::default();
    let mut lines = text.lines().zip(1_u32..);
    while let Some((line, number)) = lines.next() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let Some((tag, value)) = line.split_once(':') else {
            return Err(ParseError::new("has a line without a tag").at_line(number as usize));
        };
        let value = block(value.trim(), number, &mut lines)?;
        reader
            .tag(tag.trim(), &value, number)
            .map_err(|error| error.at_line(number as usize))?;
    }

    let document = reader.document;
    if document.format == FormatId::default() {
        return Err(ParseError::new("lacks `SPDXVersion`"));
    }

    check_references(&document)?;
    Ok(document)
}

/// The value, with the following lines if it is a `<text>` over several.
fn block<'a>(
    value: &str,
    number: u32,
    lines: &mut impl Iterator<Item = (&'a str, u32)>,
) -> Result<String, ParseError> {
    let Some(start) = value.strip_prefix("<text>") else {
        return Ok(value.to_owned());
    };
    if let Some(whole) = start.strip_suffix("</text>") {
        return Ok(whole.to_owned());
    }

    let mut text = start.to_owned();
    for (line, at) in lines {
        // The end of the text was lost: this line is already another tag.
        let tag = line.split_once(": <text>").map(|(tag, _)| tag);
        if tag.is_some_and(|tag| tag.bytes().all(|byte| byte.is_ascii_alphabetic())) {
            return Err(ParseError::new("has a `<text>` within another").at_line(at as usize));
        }

        text.push('\n');
        if let Some(last) = line.trim_end().strip_suffix("</text>") {
            text.push_str(last);
            return Ok(text);
        }

        text.push_str(line);
    }

    Err(ParseError::new("is truncated: a `<text>` does not end").at_line(number as usize))
}

/// The element that the following tags describe.
#[derive(Default, PartialEq, Eq)]
enum Section {
    #[default]
    Document,
    Package,
    /// A file, a snippet, a licence or a review: not read.
    Other,
}

#[derive(Default)]
struct Reader {
    document: Document,
    section: Section,
    /// Those of [`ONCE`] that the current package already had.
    seen: HashSet<&'static str>,
}

/// Tags that a package has at most once. A second one belongs to another package, whose first line
/// was lost.
const ONCE: [&str; 4] = [
    "SPDXID",
    "PackageVersion",
    "PackageDownloadLocation",
    "PrimaryPackagePurpose",
];

impl Reader {
    fn tag(&mut self, tag: &str, value: &str, line: u32) -> Result<(), ParseError> {
        match tag {
            "SPDXVersion" => {
                let names = ["spdx-tag-value-2.2", "spdx-tag-value-2.3"];
                self.document.format = format(value, names, "spdx-tag-value")?;
            }
            "Relationship" => {
                let mut parts = value.split_whitespace();
                if let (Some(from), Some(kind), Some(to)) =
                    (parts.next(), parts.next(), parts.next())
                {
                    relate(&mut self.document, &from.into(), kind, to);
                } else {
                    return Err(ParseError::new(
                        "has a relationship that does not have three parts",
                    ));
                }

                if self.document.relations.len() > limits::MAX_EDGES {
                    return Err(ParseError::new("has too many relationships"));
                }
            }
            "PackageName" => {
                self.section = Section::Package;
                self.seen.clear();
                self.document.components.push(Component {
                    name: value.to_owned(),
                    line,
                    ..Component::default()
                });
                if self.document.components.len() > limits::MAX_PACKAGES {
                    return Err(ParseError::new("has too many packages"));
                }
            }
            "FileName" | "LicenseID" | "Reviewer" => self.section = Section::Other,
            "SnippetSPDXID" => {
                self.document.others.insert(value.to_owned());
                self.section = Section::Other;
            }
            "SPDXID" if self.section == Section::Other => {
                self.document.others.insert(value.to_owned());
            }
            _ if self.section == Section::Package => {
                if let Some(once) = ONCE.iter().find(|once| **once == tag)
                    && !self.seen.insert(once)
                {
                    return Err(ParseError::new(format!("has `{once}` twice in a package")));
                }
                self.package_tag(tag, value);
            }
            _ => {}
        }

        Ok(())
    }

    fn package_tag(&mut self, tag: &str, value: &str) {
        let Some(component) = self.document.components.last_mut() else {
            return;
        };

        match tag {
            "SPDXID" => component.id = value.to_owned(),
            "PackageVersion" => component.version = stated(value).to_owned(),
            "PackageDownloadLocation" => set_address(component, value),
            "PrimaryPackagePurpose" => component.role = role(value),
            "PackageComment" => component.take_comment(value),
            "PackageChecksum" => {
                let (name, digest) = value.split_once(':').unwrap_or((value, ""));
                let skipped = &mut self.document.skipped;
                let digest = super::digest(skipped, component.line, name, digest);
                component.digests.extend(digest);
            }
            "ExternalRef" => {
                let mut parts = value.split_whitespace();
                let (_, kind, locator) = (parts.next(), parts.next(), parts.next());
                set_reference(
                    component,
                    kind.unwrap_or_default(),
                    locator.unwrap_or_default(),
                );
            }
            _ => {}
        }
    }
}

/// Rejects a document that has lost a part. Some formats have no closing mark, so a cut file is still
/// valid. The cut shows by relationships to missing packages, or by a missing `DESCRIBES`
/// relationship, which is required unless it contains a single package (SPDX 2.3, 11.1).
///
/// # Errors
/// When a relationship of a dependency names a package that the document does not contain, or no
/// relationship names the described package.
pub(super) fn check_references(document: &Document) -> Result<(), ParseError> {
    if document.described.is_empty() && document.components.len() != 1 {
        return Err(ParseError::new(
            "is incomplete: no relationship names the described package",
        ));
    }

    let known: HashSet<&str> = document
        .components
        .iter()
        .map(|component| component.id.as_str())
        .collect();
    // Files may be left out, and relationships may refer to other documents.
    let is_lost = |id: &&str| {
        id.starts_with("SPDXRef-")
            && !id.starts_with("SPDXRef-DOCUMENT")
            && !id.starts_with("SPDXRef-File")
            && !id.starts_with("SPDXRef-Snippet")
            && !known.contains(id)
    };

    let needs = document
        .relations
        .iter()
        .filter(|relation| relation.kind != super::RelationKind::Contains)
        .flat_map(|relation| [&*relation.from, &*relation.to]);
    let described = document.described.iter().map(String::as_str);

    match needs.chain(described).find(is_lost) {
        None => Ok(()),
        Some(id) => {
            let shown: String = id.chars().take(100).collect();
            Err(ParseError::new(format!(
                "is incomplete: it relates to `{shown}`, which it does not contain"
            )))
        }
    }
}

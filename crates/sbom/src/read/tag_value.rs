//! SPDX 2 as lines of tags and values
//! (<https://spdx.github.io/spdx-spec/v2.3/conformance/>, 4.4).

use std::collections::HashSet;

use patchgate_ecosystems::{ParseError, limits};

use super::spdx::{format, relate, role, said, set_address, set_reference};
use super::{Component, Document};
use crate::digest::{Algorithm, Digest};

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
    if document.format.is_empty() {
        return Err(ParseError::new("lacks `SPDXVersion`"));
    }

    check_references(&document)?;
    Ok(document)
}

/// The value with the lines that follow, where it is a text over several.
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
        // The end of the text is lost, and what follows are tags.
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

/// What the tags that follow are about.
#[derive(Default, PartialEq, Eq)]
enum Section {
    #[default]
    Document,
    Package,
    /// Files, snippets, licences, reviews: not read.
    Other,
}

#[derive(Default)]
struct Reader {
    document: Document,
    section: Section,
    /// Tags of the package that may stand there once, and did.
    seen: HashSet<&'static str>,
}

/// Tags that a package has once at most. One that comes again is of a package whose first line is
/// lost.
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
                        "has a relationship without its three parts",
                    ));
                }

                if self.document.relations.len() > limits::MAX_EDGES {
                    return Err(ParseError::new("holds too many relationships"));
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
                    return Err(ParseError::new("holds too many packages"));
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
            "PackageVersion" => component.version = said(value).to_owned(),
            "PackageDownloadLocation" => set_address(component, value),
            "PrimaryPackagePurpose" => component.role = role(value),
            "PackageComment" => component.take_comment(value),
            "PackageChecksum" => {
                let (name, digest) = value.split_once(':').unwrap_or((value, ""));
                if let Some(algorithm) = Algorithm::parse(name) {
                    component
                        .digests
                        .extend(Digest::new(algorithm, digest.trim()));
                }
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

/// In formats that end anywhere, a relationship with a package that is not there is the sign of a
/// file that was cut or of which a part was lost; so is a document that does not say what it
/// describes, which it must unless it holds a single package (SPDX 2.3, 11.1).
///
/// # Errors
/// When a relationship that tells of a dependency names a package that the document lacks, or none
/// tells what the document describes.
pub(super) fn check_references(document: &Document) -> Result<(), ParseError> {
    if document.described.is_empty() && document.components.len() != 1 {
        return Err(ParseError::new(
            "is not whole: it does not say what it describes",
        ));
    }

    let known: HashSet<&str> = document
        .components
        .iter()
        .map(|component| component.id.as_str())
        .collect();
    // Files may be left out, and other documents may be referred to.
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
                "is not whole: it relates to `{shown}`, which it does not hold"
            )))
        }
    }
}

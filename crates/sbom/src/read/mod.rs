//! Readers: from bytes to a [`Document`], which is the same for every format, and from there to a
//! [`Bill`].

mod assemble;
mod classify;
mod cyclonedx;
mod cyclonedx_json;
mod cyclonedx_xml;
mod rdf;
mod spdx;
mod spdx3;
mod spdx_json;
mod tag_value;

use std::collections::HashSet;
use std::rc::Rc;

use patchgate_ecosystems::{Input, ParseError, Siblings, SkippedEntries, limits};
use patchgate_model::{DependencyKind, FormatId, Origin, Scope};
use percent_encoding::percent_decode_str;

use crate::digest::{Algorithm, Digest};
use crate::{Bill, Format, detect, facts};

/// A document after the reader of its format.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// The format with its version, for [`patchgate_model::Lockfile::format`].
    pub(crate) format: FormatId,
    pub(crate) components: Vec<Component>,
    pub(crate) relations: Vec<Relation>,
    /// Identifiers of the components that the document describes as a whole.
    pub(crate) described: Vec<String>,
    /// The reason for which the document declares itself incomplete.
    pub(crate) incomplete: Option<String>,
    /// Identifiers that relations can refer to although they are not components: files, services.
    pub(crate) others: HashSet<String>,
    /// Entries that could not be read.
    pub(crate) skipped: SkippedEntries,
}

/// The hash that a document states; `None` for one of an algorithm that inventories do not have, and
/// for one of another length than that of its algorithm, which is recorded.
pub(crate) fn digest(
    skipped: &mut SkippedEntries,
    line: u32,
    algorithm: &str,
    content: &str,
) -> Option<Digest> {
    let digest = Digest::new(Algorithm::parse(algorithm)?, content.trim());
    if digest.is_none() {
        let shown: String = algorithm.chars().take(20).collect();
        skipped.detail(line, format!("has a hash that is not one of `{shown}`"));
    }
    digest
}

/// The kind of a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// Software that may be a package.
    #[default]
    Software,
    /// The project that the document describes. It has dependencies and is not itself a package.
    Project,
    /// An operating system, whose release selects the advisories of its packages.
    System,
    /// A file, a device, a key: never the subject of an advisory.
    Other,
}

/// A component of CycloneDX or a package of SPDX.
#[derive(Debug, Default)]
pub(crate) struct Component {
    /// The identifier that relations use; empty for a component that they cannot refer to.
    pub(crate) id: String,
    pub(crate) line: u32,
    pub(crate) role: Role,
    pub(crate) name: String,
    /// The group or namespace, if the document separates it from the name.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) purl: Option<String>,
    pub(crate) cpe: Option<String>,
    pub(crate) digests: Vec<Digest>,
    /// The scope, if the document states one for the component itself.
    pub(crate) scope: Option<Scope>,
    /// Address of the archive, if the document has one.
    pub(crate) distribution_url: Option<String>,
    /// Properties by name; `patchgate:…` are [`facts`].
    pub(crate) properties: Vec<(String, String)>,
}

impl Component {
    /// The first value of a property.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Adds the facts in an SPDX package's comment; its other lines are ignored.
    pub(crate) fn take_comment(&mut self, comment: &str) {
        let lines = comment.lines().filter_map(|line| {
            let (name, value) = line.trim().split_once('=')?;
            name.starts_with(facts::PREFIX).then(|| {
                let value = percent_decode_str(value).decode_utf8_lossy();
                (name.to_owned(), value.into_owned())
            })
        });
        self.properties.extend(lines);
    }

    /// The origin that the document states; `None` for the plain registry.
    pub(crate) fn stated_origin(&self) -> Option<Origin> {
        let text = self.property(facts::ORIGIN)?;
        facts::origin(text, self.property(facts::COMMIT))
    }
}

/// The kind of a relation between two components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RelationKind {
    /// `from` needs `to`, and the document states the kind of dependency.
    Needs(DependencyKind),
    /// `from` needs `to`; the kind of dependency follows from the scope of `to`.
    Depends,
    /// `to` is part of `from`.
    Contains,
}

/// A relation between two components, by their identifiers. All relations of a component share the
/// allocation of its identifier: copying a long one for each would multiply a document's size.
#[derive(Debug)]
pub(crate) struct Relation {
    pub(crate) from: Rc<str>,
    pub(crate) to: Rc<str>,
    pub(crate) kind: RelationKind,
}

pub(crate) fn bill(path: &str, bytes: &[u8]) -> Result<Bill, ParseError> {
    let siblings = Siblings::new();
    let input = Input {
        path,
        bytes,
        siblings: &siblings,
    };
    let text = input.text()?;
    let format =
        detect::in_text(text).ok_or_else(|| ParseError::new("is neither CycloneDX nor SPDX"))?;
    let document = match format {
        Format::CycloneDxJson => cyclonedx_json::read(text)?,
        Format::CycloneDxXml => cyclonedx_xml::read(text)?,
        Format::SpdxJson => spdx_json::read_json(text)?,
        Format::SpdxYaml => spdx_json::read_yaml(text)?,
        Format::SpdxTagValue => tag_value::read(text)?,
        Format::SpdxRdf => rdf::read(text)?,
        Format::Spdx3Json => spdx3::read(text)?,
    };
    check_bounds(&document)?;
    check_whole(&document)?;

    assemble::bill(path, document)
}

/// Rejects a document whose relations refer only to components that it does not contain: it was
/// truncated, or it has its packages where this reader does not look.
fn check_whole(document: &Document) -> Result<(), ParseError> {
    let components = &document.components;
    if components.iter().any(|one| one.role == Role::Software) {
        return Ok(());
    }

    // The described project is present even in a document that lost its packages.
    let projects = components.iter().filter(|one| one.role == Role::Project);
    let projects: HashSet<&str> = projects.map(|one| one.id.as_str()).collect();
    let described = document.described.iter().map(String::as_str);
    let needs = document
        .relations
        .iter()
        .filter(|relation| relation.kind != RelationKind::Contains)
        .map(|relation| &*relation.to);
    let mut related = needs
        .chain(described.filter(|id| !projects.contains(id)))
        .peekable();
    let known: HashSet<&str> = components.iter().map(|one| one.id.as_str()).collect();
    if related.peek().is_some()
        && related.all(|id| !known.contains(id) && !document.others.contains(id))
    {
        return Err(ParseError::new(
            "is incomplete: it relates components but contains none of them",
        ));
    }

    Ok(())
}

fn check_bounds(document: &Document) -> Result<(), ParseError> {
    if document.components.len() > limits::MAX_PACKAGES {
        return Err(ParseError::new(format!(
            "has more than {} components",
            limits::MAX_PACKAGES
        )));
    }
    if document.relations.len() > limits::MAX_EDGES {
        return Err(ParseError::new(format!(
            "has more than {} relations",
            limits::MAX_EDGES
        )));
    }

    Ok(())
}

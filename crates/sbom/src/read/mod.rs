//! From bytes to a [`Document`], which is the same for every format, and from there to a
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

use patchgate_ecosystems::{Input, ParseError, Siblings, limits};
use patchgate_model::{DependencyKind, Origin, Scope};
use percent_encoding::percent_decode_str;

use crate::digest::Digest;
use crate::{Bill, Format, detect, facts};

/// A document as its format's reader leaves it.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// The format with its version, for [`patchgate_model::Lockfile::format`].
    pub(crate) format: &'static str,
    pub(crate) components: Vec<Component>,
    pub(crate) relations: Vec<Relation>,
    /// Identifiers of what the document says that it is about.
    pub(crate) described: Vec<String>,
    /// What the document says about its own completeness, where that is not "complete".
    pub(crate) incomplete: Option<String>,
    /// Identifiers of what is related like components and is none: files, services.
    pub(crate) others: HashSet<String>,
}

/// What a component is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// Software that may be a package.
    #[default]
    Software,
    /// The project that the document is about; its own packages, not a package itself.
    Project,
    /// An operating system.
    System,
    /// A file, a device, a key: nothing that advisories are about.
    Other,
}

/// A component of CycloneDX or a package of SPDX.
#[derive(Debug, Default)]
pub(crate) struct Component {
    /// By what relations refer to it; empty where nothing can.
    pub(crate) id: String,
    pub(crate) line: u32,
    pub(crate) role: Role,
    pub(crate) name: String,
    /// The group or namespace, where the document holds it apart from the name.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) purl: Option<String>,
    pub(crate) cpe: Option<String>,
    pub(crate) digests: Vec<Digest>,
    /// The scope, where the document states it for the component itself.
    pub(crate) scope: Option<Scope>,
    /// Address of the archive, where the document has one.
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

    /// Takes the lines of an SPDX package's comment that are facts; other text is no fact.
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

    /// The origin that the document states, where it is not plainly the registry.
    pub(crate) fn stated_origin(&self) -> Option<Origin> {
        let text = self.property(facts::ORIGIN)?;
        facts::origin(text, self.property(facts::COMMIT))
    }
}

/// How two components belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RelationKind {
    /// `from` needs `to`, and the document says what for.
    Needs(DependencyKind),
    /// `from` needs `to`; what for follows from the scope of `to`.
    Depends,
    /// `to` is part of `from`.
    Contains,
}

/// One relation between two components, by their identifiers. A list of relations of one component
/// shares its identifier: a long one must not be copied for each.
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

/// A document without packages, of which all that is related is nowhere in it, has lost its
/// packages, or has them where this reader does not look.
fn check_whole(document: &Document) -> Result<(), ParseError> {
    let components = &document.components;
    if components.iter().any(|one| one.role == Role::Software) {
        return Ok(());
    }
    // What the document itself is about is there, and says nothing about the rest.
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
            "is not whole: it relates components, and holds none of them",
        ));
    }

    Ok(())
}

fn check_bounds(document: &Document) -> Result<(), ParseError> {
    if document.components.len() > limits::MAX_PACKAGES {
        return Err(ParseError::new(format!(
            "holds more than {} components",
            limits::MAX_PACKAGES
        )));
    }
    if document.relations.len() > limits::MAX_EDGES {
        return Err(ParseError::new(format!(
            "holds more than {} relations",
            limits::MAX_EDGES
        )));
    }

    Ok(())
}

//! Classification of components: which are packages, projects or requirements, and which package
//! each of them is.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use patchgate_ecosystems::ParseError;
use patchgate_model::{DependencyKind, Purl};

use super::{Component, Document, RelationKind, Role};
use crate::facts;
use crate::identity::{Identity, Source, System, UNKNOWN, identify, known_ecosystem};

/// The part of an inventory that a component becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InventoryItem {
    /// A package, which advisories can be about.
    Package,
    /// A project with dependencies.
    Root,
    /// A requirement: a package without a version.
    Unresolved,
    /// Not a part of it: a file, an operating system.
    Nothing,
}

/// A relation by the indices of its components in the document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: RelationKind,
}

/// The relations between two components of the document. An identifier of several components
/// refers to the first.
pub(super) fn links(document: &Document) -> Vec<Link> {
    let mut by_id = HashMap::with_capacity(document.components.len());
    for (index, component) in document.components.iter().enumerate() {
        if !component.id.is_empty() {
            by_id.entry(component.id.as_str()).or_insert(index);
        }
    }
    // Keyed by the address of the text, so that an identifier that many relations share is hashed
    // once, however long it is.
    let mut known = HashMap::with_capacity(document.relations.len());

    let mut index_of = |id: &Rc<str>| {
        let found = known
            .entry(id.as_ptr())
            .or_insert_with(|| by_id.get(&**id).copied());
        *found
    };
    let link = |relation: &super::Relation| {
        let from = index_of(&relation.from)?;
        let to = index_of(&relation.to)?;
        (from != to).then_some(Link {
            from,
            to,
            kind: relation.kind,
        })
    };

    document.relations.iter().filter_map(link).collect()
}

/// The part of the inventory that each component becomes.
pub(super) fn items(
    document: &Document,
    links: &[Link],
    identities: &[Identity],
) -> Vec<InventoryItem> {
    let described: HashSet<&str> = document.described.iter().map(String::as_str).collect();
    let mut leads = vec![false; document.components.len()];

    let mut needed = vec![false; document.components.len()];
    for link in links {
        if let Some(leads) = leads.get_mut(link.from) {
            *leads = true;
        }
        if let Some(needed) = needed.get_mut(link.to) {
            *needed |= link.kind != RelationKind::Contains;
        }
    }

    let item =
        |((component, identity), (leads, needed)): ((&Component, &Identity), (bool, bool))| {
            match component.role {
                Role::System | Role::Other => return InventoryItem::Nothing,
                Role::Project => return InventoryItem::Root,
                Role::Software => {}
            }

            if component.property(facts::DOCUMENT).is_some() {
                return InventoryItem::Nothing;
            }

            let is_described =
                described.contains(component.id.as_str()) && !component.id.is_empty();
            if component.property(facts::ROOT).is_some() || (is_described && leads && !needed) {
                InventoryItem::Root
            } else if !identity.version.is_empty() || component.property(facts::VERSION).is_some() {
                InventoryItem::Package
            } else if component.purl.is_none() && (leads || is_described) {
                // Some tools write a component for each lockfile, which depends on its packages.
                InventoryItem::Root
            } else {
                InventoryItem::Unresolved
            }
        };

    let degrees = leads.iter().copied().zip(needed.iter().copied());
    document
        .components
        .iter()
        .zip(identities)
        .zip(degrees)
        .map(item)
        .collect()
}

/// Longest name and longest version of an operating system, in bytes. Each of its packages has a
/// copy.
const MAX_SYSTEM_BYTES: usize = 256;

/// The package that each component is.
///
/// # Errors
/// When the name or the version of the operating system is too long.
pub(super) fn identities(document: &Document) -> Result<Vec<Identity>, ParseError> {
    let system = document.components.iter().find_map(system);
    if let Some(system) = &system
        && system.id.len().max(system.version.len()) > MAX_SYSTEM_BYTES
    {
        return Err(ParseError::new(format!(
            "names an operating system with a name or version of more than {MAX_SYSTEM_BYTES} bytes"
        )));
    }

    let identities = document
        .components
        .iter()
        .map(|component| identity(component, system.as_ref()));
    Ok(identities.collect())
}

fn system(component: &Component) -> Option<System> {
    if component.role != Role::System {
        return None;
    }

    let id = component
        .property("syft:distro:id")
        .unwrap_or(&component.name);
    let version = component
        .property("syft:distro:versionID")
        .unwrap_or(&component.version);

    Some(System {
        id: id.to_owned(),
        version: version.to_owned(),
    })
}

fn identity(component: &Component, system: Option<&System>) -> Identity {
    let purl = component.purl.as_deref().and_then(Purl::parse);
    let mut identity = match &purl {
        Some(purl) => identify(purl, system, source(component)),
        None => Identity {
            ecosystem: UNKNOWN,
            distribution: None,
            name: plain_name(component),
            version: String::new(),
            alias: None,
        },
    };
    if identity.version.is_empty() {
        identity.version = component.version.clone();
    }
    if identity.version.is_empty() {
        identity.version = cpe_field(component, 5).unwrap_or_default();
    }
    if let Some(ecosystem) = component
        .property(facts::ECOSYSTEM)
        .and_then(known_ecosystem)
    {
        identity.ecosystem = ecosystem;
    }

    let stated = |name| component.property(name).map(str::to_owned);
    if let Some(distribution) = stated(facts::DISTRIBUTION) {
        identity.distribution = Some(distribution).filter(|text| !text.is_empty());
    }
    if let Some(name) = stated(facts::NAME).filter(|name| !name.is_empty()) {
        identity.name = name;
    }
    if let Some(version) = stated(facts::VERSION) {
        identity.version = version;
    }
    if let Some(alias) = stated(facts::ALIAS) {
        identity.alias = Some(alias).filter(|alias| !alias.is_empty());
    }

    identity
}

/// The name of a component without a package URL.
fn plain_name(component: &Component) -> String {
    let name = if component.name.is_empty() {
        cpe_field(component, 4).unwrap_or_else(|| component.id.clone())
    } else {
        component.name.clone()
    };
    match (component.group.is_empty(), name.is_empty()) {
        (true, true) => "unnamed".to_owned(),
        (true, false) => name,
        (false, true) => component.group.clone(),
        (false, false) => format!("{}/{name}", component.group),
    }
}

/// A field of a CPE 2.3 name (NIST IR 7695, 6.2): 4 is the product, 5 the version. `None` for one that
/// is empty, "any" (`*`) or "not applicable" (`-`).
fn cpe_field(component: &Component, field: usize) -> Option<String> {
    let mut fields = vec![String::new()];
    let mut letters = component.cpe.as_deref()?.chars();
    while let Some(letter) = letters.next() {
        match (letter, fields.last_mut()) {
            (':', _) => fields.push(String::new()),
            ('\\', Some(last)) => last.extend(letters.next()),
            (_, Some(last)) => last.push(letter),
            (_, None) => {}
        }
    }

    let value = fields.get(field)?;
    (fields.get(1)? == "2.3" && !matches!(value.as_str(), "" | "*" | "-")).then(|| value.clone())
}

/// The source package of a distribution's package, if a tool states it outside of the package URL.
fn source(component: &Component) -> Option<Source> {
    let stated = |name| component.property(name).filter(|value| !value.is_empty());
    if let Some(name) = stated("aquasecurity:trivy:SrcName") {
        let mut version = stated("aquasecurity:trivy:SrcVersion")
            .unwrap_or_default()
            .to_owned();
        if let (Some(release), false) =
            (stated("aquasecurity:trivy:SrcRelease"), version.is_empty())
        {
            version = format!("{version}-{release}");
        }

        if let Some(epoch) = stated("aquasecurity:trivy:SrcEpoch").filter(|epoch| *epoch != "0") {
            version = format!("{epoch}:{version}");
        }

        return Some(Source {
            name: name.to_owned(),
            version,
        });
    }

    stated("syft:metadata:source").map(|name| Source {
        name: name.to_owned(),
        version: stated("syft:metadata:sourceVersion")
            .unwrap_or_default()
            .to_owned(),
    })
}

/// The kind of dependency that gives a package this scope.
pub(super) fn kind_of(scope: patchgate_model::Scope) -> DependencyKind {
    use patchgate_model::Scope;

    match scope {
        Scope::Runtime => DependencyKind::Runtime,
        Scope::Peer => DependencyKind::Peer,
        Scope::Optional => DependencyKind::Optional,
        Scope::Build => DependencyKind::Build,
        Scope::Test => DependencyKind::Test,
        Scope::Development => DependencyKind::Development,
    }
}

//! Whether a property can get another value: a property may decide the versions of several packages,
//! and settings of the build.

use patchgate_model::{Bump, SmolStr};

use super::places::{Definition, Finder, Place, Scope, owners, property_name, versions};
use super::project::Goal;
use crate::maven::pom::config;
use crate::maven::pom::effective::Model;
use crate::maven::pom::properties::Values as _;
use crate::maven::pom::sources::{EXTERNAL, Sources};
use crate::maven::words;
use crate::maven::xml_spans::{Span, spans};

/// Longest chain of properties that consist of the next one.
const MAX_CHAIN: usize = 8;

/// How a version that is written as a property changes.
pub(super) enum Verdict {
    /// The property gets the new value, at these positions.
    Raise(Vec<(String, (usize, usize))>),
    /// The dependency gets the version itself.
    Literal,
    /// Neither is right.
    Refuse(String),
}

/// A package or a setting that uses a property as well.
#[derive(Debug, PartialEq, Eq)]
enum OtherUse {
    Package(String),
    Setting,
}

impl Finder<'_> {
    /// How the version at a place changes. Its text has a property.
    pub(super) fn property(&self, place: &Place, name: &str, to: &str, goal: &Goal) -> Verdict {
        let text = self.project.text(&place.path).unwrap_or_default();
        let written = text.get(place.at.0..place.at.1).unwrap_or_default();
        let (Some(scope), Some(first)) = (self.scopes.get(place.scope), property_name(written))
        else {
            return Verdict::Literal;
        };
        let Some((chain, definitions)) = self.defined(scope, first, name, goal) else {
            return Verdict::Literal;
        };

        let mut others = Vec::new();
        for (index, property) in chain.iter().enumerate() {
            let above = chain.get(..index).unwrap_or_default();
            for definition in &definitions {
                self.add_uses(property, above, definition, (name, to, goal), &mut others);
            }
        }
        let Some(other) = others.first() else {
            let places = definitions.into_iter().map(|one| (one.path, one.at));
            return Verdict::Raise(places.collect());
        };

        // Packages of one group are released together, and may not work in different versions.
        let group = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
        let relative = others.iter().find_map(|one| match one {
            OtherUse::Package(other) if group(other) == group(name) => Some(other),
            _ => None,
        });
        let is_small = goal.moves.iter().all(|((moved, from), version)| {
            moved != name || version != to || words::bump(from, to) == Bump::Patch
        });
        match (relative, other) {
            (Some(relative), _) if !is_small => Verdict::Refuse(format!(
                "the property `{first}` also decides the version of `{relative}`, which stays"
            )),
            _ => Verdict::Literal,
        }
    }

    /// The chain of properties from the one that is used to the one with the value, and the positions
    /// of the value. `None` if the value is not written in the repository.
    fn defined(
        &self,
        scope: &Scope,
        first: &str,
        name: &str,
        goal: &Goal,
    ) -> Option<(Vec<String>, Vec<Definition>)> {
        let is_old = |value: &str| {
            let mut moves = goal.moves.keys();
            moves.any(|(moved, from)| moved == name && from == value)
        };
        let of_build = config::properties(&self.project.input());
        let mut chain = vec![first.to_owned()];
        for _ in 0..MAX_CHAIN {
            let last = chain.last()?.clone();
            let definitions = self.definitions(scope, &last);
            let head = definitions.first()?;
            if of_build.contains_key(last.as_str()) || head.path.starts_with(EXTERNAL) {
                return None;
            }

            let (old, others): (Vec<_>, Vec<_>) = definitions
                .iter()
                .cloned()
                .partition(|one| is_old(&one.value));
            if !old.is_empty() {
                return Some((chain, old));
            }
            match (property_name(&head.value), others.as_slice()) {
                (Some(next), [_]) => chain.push(next.to_owned()),
                (None, [only])
                    if scope
                        .model
                        .fill(&SmolStr::new(&only.value))
                        .is_some_and(|value| is_old(&value)) =>
                {
                    return Some((chain, others));
                }
                _ => return None,
            }
        }

        None
    }

    /// Adds what else uses a property, in the file of a definition and in those that inherit it.
    fn add_uses(
        &self,
        property: &str,
        above: &[String],
        definition: &Definition,
        (name, to, goal): (&str, &str, &Goal),
        others: &mut Vec<OtherUse>,
    ) {
        let needle = format!("${{{property}}}");
        let project = self.project;
        let input = project.input();
        let mut sources = Sources::new(&input, &project.projects, 1);
        for (path, bytes) in &project.siblings {
            let is_candidate = path.ends_with(".xml")
                && !path.starts_with(EXTERNAL)
                && memchr::memmem::find(bytes, needle.as_bytes()).is_some();
            let file = is_candidate
                .then(|| project.projects.file(&project.siblings, path))
                .and_then(|file| file?.ok());
            let Some(file) = file else {
                continue;
            };
            let lineage = sources.with_ancestors(&file);
            if !lineage.iter().any(|one| one.path == definition.path) {
                continue;
            }

            let model = Model::of(&file, None, &mut sources);
            let uses = project
                .text(path)
                .ok()
                .and_then(|text| Some((text, spans(text).ok()?)));
            let Some((text, root)) = uses else {
                others.push(OtherUse::Setting);
                continue;
            };
            for one in uses_in(text, &root, &needle, above, &model) {
                let moves_too = match &one {
                    OtherUse::Package(other) => {
                        other == name
                            || goal
                                .moves
                                .iter()
                                .any(|((moved, _), version)| moved == other && version == to)
                    }
                    OtherUse::Setting => false,
                };
                if !moves_too && !others.contains(&one) {
                    others.push(one);
                }
            }
        }
    }
}

/// The uses of a property in one file, without the definitions of properties `above` it.
fn uses_in(
    text: &str,
    root: &Span,
    needle: &str,
    above: &[String],
    model: &Model,
) -> Vec<OtherUse> {
    let of_packages = versions(root, text);
    let chained: Vec<(usize, usize)> = owners(root)
        .filter_map(|owner| owner.child("properties"))
        .flat_map(|list| &list.children)
        .filter(|one| above.contains(&one.name))
        .filter_map(Span::text)
        .collect();
    let mut texts = Vec::new();
    root.all_texts(&mut texts);

    let is_use = |at: &(usize, usize)| {
        let text = text.get(at.0..at.1);
        text.is_some_and(|text| text.contains(needle)) && !chained.contains(at)
    };
    texts
        .into_iter()
        .filter(is_use)
        .map(|at| match of_packages.iter().find(|one| one.at == at) {
            Some(one) => OtherUse::Package(one.name(model)),
            None => OtherUse::Setting,
        })
        .collect()
}

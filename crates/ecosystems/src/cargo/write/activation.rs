//! The dependencies that Cargo locks for each package of a graph, by the features that are on
//! (<https://doc.rust-lang.org/cargo/reference/resolver.html#features>).
//!
//! All features of the workspace's members count as on, whatever the platform. A package whose
//! metadata is not known (a Git dependency) may ask any features of its dependencies, so everything is
//! computed twice: as if it asked none, and as if it asked all. Where the answers differ, a package
//! keeps the dependencies that it has, if nothing around it changes.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::DependencyKind;

use crate::cargo::features::{self, Package};
use crate::cargo::manifest::Project;
use crate::cargo::requirement;
use crate::{Release, TargetEdge};

/// Most visits of each package. Real ones are asked a few times for more features.
const MAX_VISITS: usize = 256;

/// One package of the graph.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// `None` for a path.
    pub(super) source: Option<&'a str>,
    pub(super) facts: Facts<'a>,
    /// The dependencies that it has in the graph.
    pub(super) edges: &'a [TargetEdge],
    /// Whether it is new, or has another version than before.
    pub(super) is_changed: bool,
    /// Whether it is changed, or may be asked for other features than before.
    pub(super) is_touched: bool,
}

/// What is known of a package.
#[derive(Debug, Clone, Copy)]
pub(super) enum Facts<'a> {
    Project(&'a Project),
    Release(&'a Release),
    Unknown,
}

/// One dependency as a package states it.
struct Need<'a> {
    name: &'a str,
    package: &'a str,
    /// `None` for a path or a Git repository.
    requirement: Option<&'a str>,
    registry: Option<&'a str>,
    optional: bool,
    features: &'a [String],
    default_features: bool,
}

/// What packages without metadata ask of their dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Nothing,
    Everything,
}

/// The dependencies of one package.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Needed {
    nodes: BTreeSet<usize>,
    /// Dependencies that the graph lacks.
    missing: BTreeSet<String>,
}

/// The packages that each package of a graph depends on.
///
/// # Errors
/// If the graph lacks a package, a release lacks a feature, or the dependencies of a package cannot be
/// decided.
pub(super) fn dependencies(nodes: &[Node<'_>]) -> Result<Vec<BTreeSet<usize>>, String> {
    let least = Activation::new(nodes, Bound::Nothing).run()?;
    let most = match nodes
        .iter()
        .any(|node| matches!(node.facts, Facts::Unknown))
    {
        true => Activation::new(nodes, Bound::Everything).run()?,
        false => least.clone(),
    };

    let mut result = Vec::with_capacity(nodes.len());
    for ((node, least), most) in nodes.iter().zip(least).zip(most) {
        let present: BTreeSet<usize> = node.edges.iter().map(|edge| edge.to).collect();
        let described = format!("`{} {}`", node.name, node.version);
        if let Some(missing) = least.missing.first() {
            return Err(format!("{described} would need {missing}"));
        }

        let is_decided = least == most;
        result.push(match node.facts {
            Facts::Unknown => present,
            _ if !node.is_touched => {
                let is_explained =
                    least.nodes.is_subset(&present) && present.is_subset(&most.nodes);
                if !is_explained {
                    return Err(format!(
                        "the dependencies of {described} are not those of its metadata"
                    ));
                }
                present
            }
            _ if is_decided => least.nodes,
            _ => {
                return Err(format!(
                    "the features of {described} depend on a package whose metadata is not known"
                ));
            }
        });
    }

    Ok(result)
}

/// The features that a package is asked for.
type Ask = (usize, BTreeSet<String>);

/// One computation.
struct Activation<'n, 'a> {
    nodes: &'n [Node<'a>],
    bound: Bound,
    packages: Vec<Option<Package<'a>>>,
    needs: Vec<Vec<Need<'a>>>,
    /// The features that each package is asked for.
    asked: Vec<BTreeSet<String>>,
    by_name: BTreeMap<&'a str, Vec<usize>>,
}

impl<'n, 'a> Activation<'n, 'a> {
    fn new(nodes: &'n [Node<'a>], bound: Bound) -> Self {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, node) in nodes.iter().enumerate() {
            by_name.entry(node.name).or_default().push(index);
        }

        Self {
            nodes,
            bound,
            packages: nodes.iter().map(|node| node.facts.package()).collect(),
            needs: nodes.iter().map(|node| node.facts.needs()).collect(),
            asked: vec![BTreeSet::new(); nodes.len()],
            by_name,
        }
    }

    fn run(mut self) -> Result<Vec<Needed>, String> {
        for (index, node) in self.nodes.iter().enumerate() {
            if let (Facts::Project(project), Some(package)) = (node.facts, &self.packages[index])
                && project.is_member
            {
                self.asked[index] = package.all();
            }
        }

        let mut needed = vec![Needed::default(); self.nodes.len()];
        let mut waiting: BTreeSet<usize> = (0..self.nodes.len()).collect();
        let mut visits = self.nodes.len().saturating_mul(MAX_VISITS);
        while let Some(index) = waiting.pop_first() {
            visits = visits
                .checked_sub(1)
                .ok_or("the features of its packages are too many")?;
            let (own, asks) = self.visit(index);
            needed[index] = own;
            for (child, features) in asks {
                let known = &mut self.asked[child];
                let before = known.len();
                known.extend(features);
                if known.len() > before {
                    waiting.insert(child);
                }
            }
        }
        self.check_features()?;

        Ok(needed)
    }

    /// The dependencies of one package, with the features that it asks of each.
    fn visit(&self, index: usize) -> (Needed, Vec<Ask>) {
        let mut needed = Needed::default();
        let mut asks = Vec::new();
        let Some(package) = &self.packages[index] else {
            for edge in self.nodes[index].edges {
                needed.nodes.insert(edge.to);
                if let (Bound::Everything, Some(Some(child))) =
                    (self.bound, self.packages.get(edge.to))
                {
                    let mut all = child.all();
                    all.insert("default".to_owned());
                    asks.push((edge.to, all));
                }
            }
            return (needed, asks);
        };

        let active = package.activate(&self.asked[index]);
        for need in &self.needs[index] {
            let turned_on = active.dependencies.get(need.name);
            if need.optional && turned_on.is_none() {
                continue;
            }
            let mut features: BTreeSet<String> = turned_on.cloned().unwrap_or_default();
            features.extend(need.features.iter().cloned());
            if need.default_features {
                features.insert("default".to_owned());
            }

            match self.bind(index, need) {
                Ok(children) => {
                    for child in children {
                        needed.nodes.insert(child);
                        asks.push((child, features.clone()));
                    }
                }
                Err(missing) => {
                    needed.missing.insert(missing);
                }
            }
        }

        (needed, asks)
    }

    /// The packages that satisfy a dependency. Only a package that does not change may have several:
    /// its requirements are as they were, and all of them are met.
    fn bind(&self, index: usize, need: &Need<'_>) -> Result<Vec<usize>, String> {
        let node = &self.nodes[index];
        let text = match need.requirement {
            Some(requirement) => format!("`{} {requirement}`", need.package),
            None => format!("`{}`", need.package),
        };
        let fits = |child: usize| {
            let Some(child) = self.nodes.get(child).filter(|one| one.name == need.package) else {
                return false;
            };
            match need.requirement {
                Some(text) => requirement::admits(text, child.version).unwrap_or(false),
                None => !child.source.is_some_and(is_registry),
            }
        };

        let mut own: Vec<&TargetEdge> = node.edges.iter().filter(|edge| fits(edge.to)).collect();
        let is_named = |edge: &&TargetEdge| {
            edge.name == need.name && edge.requirement.as_deref() == need.requirement
        };
        if own.iter().any(is_named) {
            own.retain(is_named);
        }
        let mut found: Vec<usize> = own.iter().map(|edge| edge.to).collect();
        if found.is_empty() {
            let others = self.by_name.get(need.package).into_iter().flatten();
            found = others
                .copied()
                .filter(|other| fits(*other) && self.is_in_reach(node, need, *other))
                .collect();
        }
        found.sort_unstable();
        found.dedup();

        match found.as_slice() {
            [] => Err(format!("{text}, which the plan lacks")),
            [_] => Ok(found),
            _ if node.is_changed => Err(format!("{text}, of which the plan has several versions")),
            _ => Ok(found),
        }
    }

    /// Whether a package that a dependent did not need before comes from the right registry.
    fn is_in_reach(&self, node: &Node<'_>, need: &Need<'_>, other: usize) -> bool {
        let source = self.nodes.get(other).and_then(|other| other.source);
        match (need.registry, node.source) {
            (Some(registry), _) => source.is_some_and(|source| source.ends_with(registry)),
            (None, Some(own)) => source == Some(own),
            (None, None) => source.is_some_and(is_registry),
        }
    }

    /// Checks that every changed package has the features that are asked of it.
    fn check_features(&self) -> Result<(), String> {
        for (index, node) in self.nodes.iter().enumerate() {
            let Facts::Release(release) = node.facts else {
                continue;
            };
            if self.bound == Bound::Everything || !node.is_touched {
                continue;
            }
            let lacking = self.asked[index]
                .iter()
                .find(|feature| !features::has_all(release, std::slice::from_ref(feature)));
            if let Some(feature) = lacking {
                return Err(format!(
                    "`{} {}` does not have the feature `{feature}`, which is asked for",
                    node.name, node.version
                ));
            }
        }

        Ok(())
    }
}

impl<'a> Facts<'a> {
    fn package(self) -> Option<Package<'a>> {
        match self {
            Self::Project(project) => Some(Package::of_project(project)),
            Self::Release(release) => Some(Package::of_release(release)),
            Self::Unknown => None,
        }
    }

    /// The dependencies that can be locked: those for development only of members.
    fn needs(self) -> Vec<Need<'a>> {
        match self {
            Self::Project(project) => project
                .dependencies
                .iter()
                .filter(|one| project.is_member || one.kind != DependencyKind::Development)
                .map(|one| Need {
                    name: &one.name,
                    package: &one.package,
                    requirement: one.requirement.as_deref(),
                    registry: None,
                    optional: one.optional,
                    features: &one.features,
                    default_features: one.default_features,
                })
                .collect(),
            Self::Release(release) => release
                .requirements
                .iter()
                .filter(|one| one.kind != DependencyKind::Development)
                .map(|one| Need {
                    name: &one.name,
                    package: one.package_name(),
                    requirement: Some(&one.requirement),
                    registry: one.registry.as_deref(),
                    optional: one.optional,
                    features: &one.features,
                    default_features: !one.no_default_features,
                })
                .collect(),
            Self::Unknown => Vec::new(),
        }
    }
}

/// Whether a source is a registry.
pub(super) fn is_registry(source: &str) -> bool {
    source.starts_with("registry+") || source.starts_with("sparse+")
}

//! A made-up ecosystem with semantic versions and Cargo's requirements, and graphs of it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use patchgate_ecosystems::{
    Copies, Ecosystem, EditError, MetadataRequest, ParseError, Release, Requirement,
    RequirementEdit, RequirementError, Upgradable, VersionError,
};
use patchgate_model::{
    Bump, DependencyKind, EcosystemName, Edge, FormatId, Lockfile, Package, PackageIndex, Root,
};
use semver::{Version, VersionReq};

use crate::{
    Judge, Judged, Memory, PlanOptions, Planned, Proposal, Releases, Request, Target, plan_on,
};

pub(crate) struct TestEcosystem {
    /// How many versions of one package a graph of it may contain.
    copies: Copies,
    /// Whether a package that comes in gets its oldest release, as in Go.
    takes_oldest: bool,
    /// Whether features decide what a release needs, as in Cargo. A feature's values are names of
    /// optional dependencies, or `dependency/feature`.
    features: bool,
}

impl TestEcosystem {
    pub(crate) const fn new(copies: Copies) -> Self {
        Self {
            copies,
            takes_oldest: false,
            features: false,
        }
    }
}

const ANY: TestEcosystem = TestEcosystem::new(Copies::Any);

fn version(text: &str) -> Result<Version, VersionError> {
    Version::parse(text).map_err(|_| VersionError {
        version: text.to_owned(),
        ecosystem: EcosystemName::new("toy"),
    })
}

impl Ecosystem for TestEcosystem {
    fn name(&self) -> EcosystemName {
        EcosystemName::new("toy")
    }
    fn purl_type(&self) -> &'static str {
        "toy"
    }
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(version(a)?.cmp(&version(b)?))
    }
}

impl Upgradable for TestEcosystem {
    fn is_prerelease(&self, text: &str) -> Result<bool, VersionError> {
        Ok(!version(text)?.pre.is_empty())
    }
    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        let (from, to) = (version(from)?, version(to)?);
        Ok(if from.major != to.major {
            Bump::Major
        } else if from.minor != to.minor {
            Bump::Minor
        } else {
            Bump::Patch
        })
    }
    fn admits(&self, requirement: &str, text: &str) -> Result<bool, RequirementError> {
        let parsed = VersionReq::parse(requirement).map_err(|_| RequirementError {
            requirement: requirement.to_owned(),
            reason: "names a tag, not versions".to_owned(),
        })?;
        Ok(version(text).is_ok_and(|version| parsed.matches(&version)))
    }
    fn raise_requirement(&self, requirement: &str, to: &str) -> Result<String, RequirementError> {
        match requirement.chars().next() {
            Some(style @ ('=' | '^' | '~')) => Ok(format!("{style}{to}")),
            _ => Err(RequirementError {
                requirement: requirement.to_owned(),
                reason: "names a tag, not versions".to_owned(),
            }),
        }
    }
    fn is_requirement_key(&self, path: &[&str]) -> bool {
        matches!(path, ["dependencies", _])
    }
    fn edit_manifest(&self, _: &str, _: &str, edit: &RequirementEdit) -> Result<String, EditError> {
        Err(EditError::Unreadable(edit.name.clone()))
    }
    fn copies(&self) -> Copies {
        self.copies
    }
    fn has_features(&self, release: &Release, features: &[String]) -> bool {
        features
            .iter()
            .all(|one| release.features.contains_key(one))
    }
    fn installs_optional(&self) -> bool {
        !self.features
    }
    fn has_feature_graph(&self) -> bool {
        self.features
    }
    fn turned_on(
        &self,
        release: &Release,
        features: &BTreeSet<String>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut turned_on: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let values = features
            .iter()
            .filter_map(|name| release.features.get(name));
        for value in values.flatten() {
            let (name, feature) = value.split_once('/').unwrap_or((value, ""));
            let asked = turned_on.entry(name.to_owned()).or_default();
            asked.extend((!feature.is_empty()).then(|| feature.to_owned()));
        }
        turned_on
    }
    fn prefers_newest(&self) -> bool {
        !self.takes_oldest
    }
    fn metadata_request(&self, _: &str, name: &str) -> MetadataRequest {
        MetadataRequest {
            url: name.to_owned(),
            accept: None,
        }
    }
    fn parse_metadata(&self, _: &str, _: &[u8]) -> Result<Vec<Release>, ParseError> {
        Err(ParseError::new("is a toy"))
    }
}

/// A repository, its registry and its advisories, written down in a few lines.
pub(crate) struct World {
    pub(crate) lockfile: Lockfile,
    pub(crate) known_releases: Releases,
    /// Ids of affected versions: package, id, affected below this version (all when empty).
    advisories: Vec<(String, String, String)>,
    pub(crate) refused: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) yanked_installable: bool,
    pub(crate) options: PlanOptions,
    /// Ids of findings that need no fix.
    pub(crate) ignored: Vec<String>,
    pub(crate) copies: Copies,
    pub(crate) takes_oldest: bool,
    pub(crate) features: bool,
    /// Packages that may make no major step.
    pub(crate) limited: BTreeSet<String>,
    /// Versions that the project's runtime is too old for, by package.
    pub(crate) too_new: BTreeMap<String, String>,
}

impl fmt::Debug for World {
    /// One line for each project, copy, release and advisory.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edges = |edges: &[Edge]| -> Vec<String> {
            let text = |edge: &Edge| {
                let requirement = edge.requirement.as_deref().unwrap_or_default();
                format!("{} {requirement}", edge.name)
            };
            edges.iter().map(text).collect()
        };
        for root in &self.lockfile.roots {
            writeln!(out, "project {:?}", edges(&root.edges))?;
        }
        for package in &self.lockfile.packages {
            let edges = edges(&package.edges);
            writeln!(out, "{} {} {edges:?}", package.name, package.version)?;
        }
        for name in ["a", "b", "c", "d", "e"] {
            let known = self.known_releases.releases(&ANY, name);
            for release in known.and_then(Result::ok).into_iter().flatten() {
                let needs: Vec<String> = release
                    .requirements
                    .iter()
                    .map(|needed| format!("{} {}", needed.name, needed.requirement))
                    .collect();
                writeln!(out, "release {name} {} {needs:?}", release.version)?;
            }
        }

        writeln!(out, "{:?}", self.advisories)
    }
}

/// Vulnerabilities without notices.
pub(crate) fn judged(vulnerabilities: BTreeSet<String>) -> Judged {
    Judged {
        vulnerabilities,
        notices: BTreeSet::new(),
    }
}

pub(crate) fn requirement(text: &str) -> (String, String, DependencyKind) {
    let (text, kind) = match text.strip_prefix("peer ") {
        Some(rest) => (rest, DependencyKind::Peer),
        None => (text, DependencyKind::Runtime),
    };
    let (name, requirement) = text.split_once(' ').unwrap();
    (name.to_owned(), requirement.to_owned(), kind)
}

/// `version` or `version!` (yanked), then its requirements: under a condition (`if`), under one that is
/// met (`when`), or only as a bound (`bounds`).
pub(crate) fn release(text: &str, requirements: &[&str]) -> Release {
    Release {
        version: text.trim_end_matches('!').to_owned(),
        yanked: text.ends_with('!'),
        requirements: requirements
            .iter()
            .map(|text| {
                let words = ["if ", "when ", "bounds "];
                let word = words.into_iter().find(|word| text.starts_with(word));
                let word = word.unwrap_or_default();
                let (name, requirement, kind) = self::requirement(&text[word.len()..]);
                Requirement {
                    name,
                    package: None,
                    requirement,
                    kind,
                    condition: match word {
                        "if " | "when " => "somewhere".to_owned(),
                        _ => String::new(),
                    },
                    applies: word == "when ",
                    only_bounds: word == "bounds ",
                    ..Requirement::default()
                }
            })
            .collect(),
        ..Release::default()
    }
}

impl World {
    /// A project that asks for `direct` (`name requirement`), with these copies locked
    /// (`name version`); each dependency is satisfied by the first copy of its name.
    pub(crate) fn new(direct: &[&str], locked: &[(&str, &[&str])]) -> Self {
        let packages: Vec<(String, String)> = locked
            .iter()
            .map(|(text, _)| {
                let (name, version) = text.split_once(' ').unwrap();
                (name.to_owned(), version.to_owned())
            })
            .collect();
        let edges = |requirements: &[&str]| -> Vec<Edge> {
            requirements
                .iter()
                .map(|text| {
                    let (name, requirement, kind) = requirement(text);
                    let index = packages
                        .iter()
                        .position(|(known, _)| *known == name)
                        .unwrap();

                    Edge {
                        to: PackageIndex(u32::try_from(index).unwrap()),
                        name: name.into(),
                        requirement: Some(requirement.into()),
                        kind,
                    }
                })
                .collect()
        };
        let lockfile = Lockfile {
            path: "toy.lock".into(),
            ecosystem: EcosystemName::new("toy"),
            format: FormatId::new("toy-1"),
            packages: locked
                .iter()
                .zip(&packages)
                .map(|((_, requirements), (name, version))| Package {
                    install_path: Some(format!("node_modules/{name}")),
                    edges: edges(requirements),
                    ..Package::new(EcosystemName::new("toy"), name.clone(), version.clone())
                })
                .collect(),
            roots: vec![Root {
                name: "project".into(),
                manifest: Some("toy.json".into()),
                edges: edges(direct),
            }],
            ..Lockfile::default()
        };

        Self {
            lockfile,
            known_releases: Releases::default(),
            advisories: Vec::new(),
            refused: BTreeMap::new(),
            yanked_installable: false,
            options: PlanOptions::default(),
            ignored: Vec::new(),
            copies: Copies::Any,
            takes_oldest: false,
            features: false,
            limited: BTreeSet::new(),
            too_new: BTreeMap::new(),
        }
    }

    pub(crate) fn releases(mut self, name: &str, releases: &[(&str, &[&str])]) -> Self {
        let releases = releases
            .iter()
            .map(|(version, requirements)| release(version, requirements))
            .collect();
        self.known_releases.insert(&ANY, name, Ok(releases));
        self
    }

    /// An advisory for all versions below `fixed`; for all versions when it is empty.
    pub(crate) fn advisory(mut self, name: &str, id: &str, fixed: &str) -> Self {
        self.advisories.push((name.into(), id.into(), fixed.into()));
        self
    }

    pub(crate) fn judge(&self, name: &str, version: &str) -> BTreeSet<String> {
        self.advisories
            .iter()
            .filter(|(affected, _, fixed)| {
                affected == name
                    && (fixed.is_empty()
                        || ANY.compare_versions(version, fixed) == Ok(Ordering::Less))
            })
            .map(|(_, id, _)| id.clone())
            .collect()
    }

    pub(crate) fn vulnerable(&self) -> BTreeMap<PackageIndex, BTreeSet<String>> {
        self.lockfile
            .indexed()
            .map(|(index, package)| (index, self.judge(&package.name, &package.version)))
            .filter(|(_, ids)| !ids.is_empty())
            .collect()
    }

    pub(crate) fn plan(&self) -> Planned {
        let judge = |name: &str, version: &str| Some(judged(self.judge(name, version)));
        self.plan_with(&judge)
    }

    /// Plans for all findings that a look-up knows.
    pub(crate) fn plan_with(&self, judge: &Judge<'_>) -> Planned {
        self.ask(judge, &self.known_releases, &mut Memory::default())
    }

    /// Plans with the facts that the planner asks for, round by round.
    pub(crate) fn proposal_by_rounds(&self) -> Proposal {
        let judge = |name: &str, version: &str| Some(judged(self.judge(name, version)));
        let mut known = Releases::default();
        let mut memory = Memory::default();
        loop {
            let facts = match self.ask(&judge, &known, &mut memory) {
                Planned::Ready(proposal) => return proposal,
                Planned::Missing(facts) => facts,
            };
            for name in facts.packages {
                let releases = self.known_releases.releases(&ANY, &name).unwrap().unwrap();
                known.insert(&ANY, &name, Ok(releases.to_vec()));
            }
        }
    }

    fn ask(&self, judge: &Judge<'_>, releases: &Releases, memory: &mut Memory) -> Planned {
        let vulnerable = self.vulnerable();
        let targets: Vec<Target> = vulnerable
            .iter()
            .flat_map(|(copy, ids)| ids.iter().map(|id| (*copy, id.clone())))
            .filter(|(_, id)| !self.ignored.contains(id))
            .map(|(copy, id)| Target {
                copy,
                id,
                is_notice: false,
            })
            .collect();
        let findings = vulnerable
            .into_iter()
            .map(|(copy, ids)| (copy, judged(ids)))
            .collect();

        let request = Request {
            lockfile: &self.lockfile,
            ecosystem: &TestEcosystem {
                copies: self.copies,
                takes_oldest: self.takes_oldest,
                features: self.features,
            },
            findings: &findings,
            targets: &targets,
            releases,
            judge,
            usable: &|name, release| match self.too_new.get(name) {
                Some(version) if *version == release.version => {
                    Err("it needs Toy 2, and the project supports 1".to_owned())
                }
                _ => Ok(()),
            },
            max_bump: &|name| match self.limited.contains(name) {
                true => Bump::Minor,
                false => Bump::Major,
            },
            asked: &BTreeMap::new(),
            refused: &self.refused,
            frozen: &BTreeMap::new(),
            yanked_installable: self.yanked_installable,
            options: self.options,
        };
        plan_on(&request, memory)
    }

    pub(crate) fn proposal(&self) -> Proposal {
        match self.plan() {
            Planned::Ready(proposal) => proposal,
            Planned::Missing(facts) => panic!("needs {facts:?}"),
        }
    }

    /// The proposal as lines.
    pub(crate) fn summary(&self) -> String {
        let proposal = self.proposal();
        let mut lines = Vec::new();
        for step in &proposal.moves {
            let mut line = format!("{} {} -> {}", step.name, step.from, step.to());
            if !step.fixes.is_empty() {
                line += &format!(" ends {}", step.fixes.join(" "));
            }
            if let Some(other) = &step.because_of {
                line += &format!(" for {other}");
            }
            for edit in &step.edits {
                line += &format!(
                    " [{}: {} -> {}]",
                    edit.manifest, edit.edit.from, edit.edit.to
                );
            }

            lines.push(line);
        }

        for left in &proposal.left {
            lines.push(format!("left {}: {}", left.ids.join(" "), left.reason));
        }

        lines.join("\n")
    }
}

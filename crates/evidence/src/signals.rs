//! What a registry says about the release before and the release after, side by side.

use std::collections::BTreeSet;

use patchgate_ecosystems::Release;
use patchgate_model::{BeforeAfter, DependencyKind, ReleaseSignals};

/// The signals of two releases. `before` is `None` for a package that comes, or when the registry
/// does not have the release.
#[must_use]
pub fn signals(before: Option<&Release>, after: &Release) -> ReleaseSignals {
    ReleaseSignals {
        published: both(before, after, |release| release.published.clone()),
        yanked: both(before, after, |release| Some(release.yanked)),
        install_scripts: both(before, after, |release| release.facts.install_scripts),
        provenance: both(before, after, |release| release.facts.provenance),
        publisher: both(before, after, |release| release.facts.publisher.clone()),
        maintainers: both(before, after, |release| release.facts.maintainers.clone()),
        license: both(before, after, |release| release.facts.license.clone()),
        size: both(before, after, |release| release.facts.size),
        commit: both(before, after, |release| release.facts.commit.clone()),
        runtime: both(before, after, |release| release.runtime.clone()),
        peers: both(before, after, peers),
        new_dependencies: new_dependencies(before, after),
    }
}

fn both<T>(
    before: Option<&Release>,
    after: &Release,
    value: impl Fn(&Release) -> Option<T>,
) -> BeforeAfter<T> {
    BeforeAfter {
        before: before.and_then(&value),
        after: value(after),
    }
}

/// The peers with their requirements; `None` while the dependencies are unknown.
fn peers(release: &Release) -> Option<Vec<String>> {
    if release.details.is_some() {
        return None;
    }

    let mut peers: Vec<String> = release
        .requirements
        .iter()
        .filter(|requirement| requirement.kind == DependencyKind::Peer)
        .map(|requirement| format!("{} {}", requirement.name, requirement.requirement))
        .collect();
    peers.sort();

    Some(peers)
}

/// The dependencies that only the release after has. Empty while one of the two is unknown.
fn new_dependencies(before: Option<&Release>, after: &Release) -> Vec<String> {
    let names = |release: &Release| -> Option<BTreeSet<String>> {
        let is_installed = |kind: DependencyKind| {
            matches!(
                kind,
                DependencyKind::Runtime | DependencyKind::Optional | DependencyKind::Build
            )
        };
        release.details.is_none().then(|| {
            release
                .requirements
                .iter()
                .filter(|requirement| is_installed(requirement.kind))
                .map(|requirement| requirement.package_name().to_owned())
                .collect()
        })
    };

    match (before.and_then(names), names(after)) {
        (Some(before), Some(after)) => after.difference(&before).cloned().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::{MetadataRequest, ReleaseFacts, Requirement};

    use super::*;

    fn release(version: &str, dependencies: &[(&str, DependencyKind)]) -> Release {
        Release {
            version: version.to_owned(),
            requirements: dependencies
                .iter()
                .map(|(name, kind)| Requirement {
                    name: (*name).to_owned(),
                    requirement: "^1".to_owned(),
                    kind: *kind,
                    ..Requirement::default()
                })
                .collect(),
            facts: ReleaseFacts {
                install_scripts: Some(version == "2.0.0"),
                ..ReleaseFacts::default()
            },
            ..Release::default()
        }
    }

    #[test]
    fn both_releases_are_side_by_side() {
        let before = release("1.0.0", &[("a", DependencyKind::Runtime)]);
        let after = release(
            "2.0.0",
            &[
                ("a", DependencyKind::Runtime),
                ("b", DependencyKind::Runtime),
                ("p", DependencyKind::Peer),
            ],
        );
        let found = signals(Some(&before), &after);
        assert_eq!(found.new_dependencies, ["b"]);
        assert_eq!(found.peers.before, Some(Vec::new()));
        assert_eq!(found.peers.after, Some(vec!["p ^1".to_owned()]));
        assert_eq!(found.install_scripts.before, Some(false));
        assert_eq!(found.install_scripts.after, Some(true));
        assert_eq!(found.provenance, BeforeAfter::default());
    }

    #[test]
    fn unknown_dependencies_are_not_new() {
        let before = Release {
            details: Some(MetadataRequest {
                url: "https://registry.invalid/a".to_owned(),
                accept: None,
            }),
            ..release("1.0.0", &[])
        };
        let after = release("2.0.0", &[("a", DependencyKind::Runtime)]);
        let found = signals(Some(&before), &after);
        assert!(found.new_dependencies.is_empty());
        assert_eq!(found.peers.before, None);
        assert!(signals(None, &after).new_dependencies.is_empty());
    }
}

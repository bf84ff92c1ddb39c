//! The releases that a reference to an action can point to.
//!
//! Most actions have moving tags: `v4` refers to the newest release `v4.x.y`, and `v4.1` to the
//! newest `v4.1.x`
//! (<https://docs.github.com/en/actions/how-tos/create-and-publish-actions/using-immutable-releases-and-tags-to-manage-your-actions-releases>).
//! A branch can contain any release. Only a tag with three numbers names one release.

use super::version::{self, Tag};
use super::{GitHubActions, NAME};
use crate::version::comparison::{check_length, in_all, refuse, successor};
use crate::{Interval, Prereleases, RequirementError, VersionSet};

/// Whether a reference names no single release: a branch, or a tag with fewer than three numbers.
/// A commit names one, although its version is unknown.
pub(super) fn is_moving(reference: &str) -> bool {
    match version::parse(reference) {
        Ok(tag) => tag.is_moving(),
        Err(_) => !is_commit(reference) && is_reference(reference),
    }
}

/// The releases that a reference can point to. A moving tag points to releases only, not to
/// pre-releases.
pub(super) fn admitted(reference: &str) -> Result<VersionSet, RequirementError> {
    check_length(reference)?;
    if reference.is_empty() {
        return Ok(VersionSet::all());
    }
    if is_commit(reference) {
        return Err(RequirementError::new(
            reference,
            "names a commit, and its release is unknown",
        ));
    }

    match version::parse(reference) {
        Ok(tag) if tag.is_moving() => moving(reference, &tag),
        Ok(_) => Ok(Interval::exactly(reference).into()),
        Err(_) if is_reference(reference) => Ok(VersionSet::all()),
        Err(_) => Err(refuse(NAME, reference)),
    }
}

/// The releases of `v4` or `v4.1`.
fn moving(reference: &str, tag: &Tag<'_>) -> Result<VersionSet, RequirementError> {
    let mut next: Vec<String> = tag.digits().map(str::to_owned).collect();
    if let Some(last) = next.last_mut() {
        *last = successor(last);
    }
    next.resize(3, "0".to_owned());
    let mut first: Vec<&str> = tag.digits().collect();
    first.resize(3, "0");

    let releases = Interval::between(&first.join("."), &next.join("."))
        .with_prereleases(Prereleases::Of(Vec::new()));
    in_all(&GitHubActions, reference, [releases.into()])
}

/// Whether a reference is a commit or the beginning of one. A number of seven or more digits can be
/// one, or a tag that is a date.
fn is_commit(reference: &str) -> bool {
    (7..=64).contains(&reference.len()) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether git accepts a text as the name of a branch or tag
/// (<https://git-scm.com/docs/git-check-ref-format>).
fn is_reference(text: &str) -> bool {
    let is_forbidden = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    !text.is_empty()
        && !text.contains(is_forbidden)
        && !text.contains("..")
        && !text.contains("@{")
        && !text.starts_with(['/', '-'])
        && !text.ends_with(['/', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ecosystem as _;
    use crate::version::comparison::{assert_admitted, assert_refused};

    #[test]
    fn tags_branches_and_commits() {
        let all: &[&str] = &["0.0.1", "v4.1.3", "99.0.0", "v4.0.0-beta.1"];
        assert_admitted(
            &GitHubActions,
            &[
                (
                    "v4",
                    &["v4.0.0", "4.1.3", "v4.99.0", "v4", "v4.1.2.3"],
                    &[
                        "v3.9.9",
                        "v5.0.0",
                        "v4.0.0-beta.1",
                        "v5.0.0-beta.1",
                        "v40.0.0",
                    ],
                ),
                ("4", &["v4.0.0", "4.9.9"], &["v5.0.0"]),
                (
                    "v4.1",
                    &["v4.1.0", "v4.1.99"],
                    &["v4.0.9", "v4.2.0", "v4.10.0"],
                ),
                ("v9", &["v9.0.0"], &["v10.0.0"]),
                ("v0", &["v0.1.0"], &["v1.0.0"]),
                (
                    "v18446744073709551615",
                    &["v18446744073709551615.2.0"],
                    &["v18446744073709551616.0.0"],
                ),
                ("v4.1.3", &["4.1.3"], &["4.1.2", "4.1.4"]),
                ("v4.1.3-beta.1", &["v4.1.3-beta.1"], &["v4.1.3"]),
                ("main", all, &[]),
                ("release/v1", all, &[]),
                ("v1.x", all, &[]),
                ("v4-beta", all, &[]),
                ("", all, &[]),
            ],
        );

        let unknown = "names a commit, and its release is unknown";
        assert_refused(
            &GitHubActions,
            &[
                ("11bd719", unknown),
                ("11bd71901bbe5b1630ceea73d27597364c9af683", unknown),
                ("20240101", unknown),
                (
                    "${{ matrix.version }}",
                    "is not a requirement of GitHub Actions",
                ),
                ("a..b", "is not a requirement of GitHub Actions"),
            ],
        );
    }

    #[test]
    fn only_tags_of_one_release_and_commits_do_not_move() {
        for reference in ["v4", "4", "v4.1", "main", "v1.x", "20240101", "feature/a"] {
            assert!(is_moving(reference), "{reference}");
        }
        for reference in ["v4.1.3", "v4.1.3-beta", "v1.2.3.4", "11bd719", "", "a b"] {
            assert!(!is_moving(reference), "{reference}");
        }
    }

    #[test]
    fn a_moving_tag_is_between_its_neighbors() {
        let set = |text: &str| GitHubActions.admitted_versions(text).unwrap();
        let before = VersionSet::from(Interval::below("4.0.0"));
        let through = VersionSet::from(Interval::below("5.0.0-beta.1"));
        let v4 = set("v4");
        assert!(
            v4.intersection(&GitHubActions, &before)
                .unwrap()
                .intervals
                .is_empty()
        );
        assert_eq!(v4.is_subset(&GitHubActions, &through), Ok(true));
        assert_eq!(v4.is_subset(&GitHubActions, &set("v4.1")), Ok(false));
        assert_eq!(GitHubActions.at_least("4.1.3"), "v4.1.3");
    }
}

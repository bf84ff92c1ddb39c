//! Changes of references to git repositories in YAML: `owner/name@v4`, `rev: v4.6.0`. The style stays:
//! a commit stays a commit, a moving tag stays one, and a tag of one version stays one.

use std::ops::Range;

use patchgate_model::CommitId;

use super::{refs, version};
use crate::Release;

/// The reference to a release in the style of another one.
///
/// A moving tag is taken when it certainly leads to the release or a later one; otherwise it becomes
/// the tag of the release.
///
/// # Errors
/// If the style cannot be kept, as a fragment for a person.
pub(crate) fn in_style(reference: &str, release: &Release) -> Result<String, String> {
    if let Some(commit) = CommitId::parse(reference) {
        let new = refs::commit(release).filter(|new| new.len() == commit.as_str().len());
        return new
            .map(str::to_owned)
            .ok_or_else(|| format!("the commit of `{}` is not known", release.version));
    }
    let Ok(tag) = version::parse(reference) else {
        return Err(format!(
            "`{reference}` is a branch, which has no version that can be changed"
        ));
    };

    let count = tag.digits().count();
    let moving = refs::moving(release)
        .filter(|_| tag.is_moving())
        .find(|name| {
            let digits = version::parse(name).map_or(0, |tag| tag.digits().count());
            digits == count && has_prefix(name) == has_prefix(reference)
        });
    Ok(moving.unwrap_or(&release.version).to_owned())
}

fn has_prefix(tag: &str) -> bool {
    tag.starts_with(['v', 'V'])
}

/// Replaces the reference in a line, after the text `before` (`owner/name@`), and the version in the
/// comment after a commit. `None` if the line does not have the reference exactly once.
pub(crate) fn replace(
    line: &str,
    before: &str,
    reference: &str,
    new: &str,
    release: &Release,
) -> Option<String> {
    let is_end = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || "\"'},]".contains(c));
    let is_start = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || "\"'{,[:".contains(c));
    let old = format!("{before}{reference}");
    let mut places = line.match_indices(&old).map(|(at, _)| at).filter(|at| {
        let behind = line
            .get(at + old.len()..)
            .and_then(|rest| rest.chars().next());
        let ahead = line.get(..*at).and_then(|start| start.chars().next_back());
        is_end(behind) && is_start(ahead)
    });
    let (Some(at), None) = (places.next(), places.next()) else {
        return None;
    };

    let mut edited = line.to_owned();
    // The comment is further right, so it is first.
    if CommitId::parse(reference).is_some()
        && let Some(range) = comment_version(line, reference)
    {
        let was = line.get(range.clone())?;
        let stated = in_style(was, release).ok()?;
        let bare = stated.trim_start_matches(['v', 'V']);
        let stated = match has_prefix(was) {
            true => stated.as_str(),
            false => bare,
        };
        edited.replace_range(range, stated);
    }
    let from = at + before.len();
    edited.replace_range(from..from + reference.len(), new);
    Some(edited)
}

/// The version in the comment after a commit, in the forms that bots write: `…@11bd719… # v4.2.2`,
/// `# tag=v4.2.2`, `# frozen: v4.2.2`, `# ratchet:owner/name@v4`.
pub(crate) fn comment_version(line: &str, commit: &str) -> Option<Range<usize>> {
    let behind = line.find(commit)? + commit.len();
    let comment = behind + line.get(behind..)?.find('#')? + 1;
    let mut at = comment;
    let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')');
    for word in line.get(comment..)?.split_inclusive(is_end) {
        let start = at;
        at += word.len();
        let word = word.trim_end_matches(is_end);
        let text = word.strip_prefix("tag=").unwrap_or(word);
        let text = text.rsplit_once('@').map_or(text, |(_, version)| version);
        if version::parse(text).is_ok() {
            let end = start + word.len();
            return Some(end - text.len()..end);
        }
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::github::refs::tests::{advertisement, id};

    /// The release `v5.0.1` at commit `b…`, to which `v5` leads and `5.0` does not.
    pub(crate) fn release() -> Release {
        let (a, b) = (id('a'), id('b'));
        let body = advertisement(&[
            (&a, "refs/tags/v5.0.0"),
            (&a, "refs/tags/v5.0"),
            (&b, "refs/tags/v5.0.1"),
            (&b, "refs/tags/v5"),
        ]);
        refs::parse_metadata(&body).unwrap().remove(1)
    }

    #[test]
    fn the_style_of_a_reference_is_kept() {
        let (commit, new) = (id('1'), id('b'));
        for (reference, expected) in [
            ("v4", "v5"),
            ("v4.1", "v5.0.1"),
            ("4", "v5.0.1"),
            ("v4.1.2", "v5.0.1"),
            (commit.as_str(), new.as_str()),
        ] {
            assert_eq!(
                in_style(reference, &release()).as_deref(),
                Ok(expected),
                "{reference}"
            );
        }
        assert!(in_style("main", &release()).is_err());
        assert!(in_style(&"1".repeat(64), &release()).is_err());
    }

    #[test]
    fn the_version_in_the_comment_follows_its_commit() {
        let (commit, new) = (id('1'), id('b'));
        for (before, after) in [
            ("uses: a/b@{} # v4.2.2", "uses: a/b@{} # v5.0.1"),
            ("uses: a/b@{} # v4 (2024)", "uses: a/b@{} # v5 (2024)"),
            (
                "uses: 'a/b@{}' #tag=4.2.2, ours",
                "uses: 'a/b@{}' #tag=5.0.1, ours",
            ),
            (
                "uses: a/b@{} # ratchet:a/b@v4.2.2",
                "uses: a/b@{} # ratchet:a/b@v5.0.1",
            ),
            ("uses: a/b@{} # pinned", "uses: a/b@{} # pinned"),
            ("- {uses: a/b@{}, id: x}\r\n", "- {uses: a/b@{}, id: x}\r\n"),
        ] {
            let edited = replace(
                &before.replace("{}", &commit),
                "a/b@",
                &commit,
                &new,
                &release(),
            );
            assert_eq!(edited, Some(after.replace("{}", &new)));
        }
    }

    #[test]
    fn a_line_with_another_reference_is_not_changed() {
        for line in [
            "uses: a/b@v4.1",
            "uses: xa/b@v4",
            "uses: *anchor",
            "x: [a/b@v4, a/b@v4]",
        ] {
            assert_eq!(
                replace(line, "a/b@", "v4", "v5", &release()),
                None,
                "{line}"
            );
        }
    }
}

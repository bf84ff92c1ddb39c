//! The text of one requirement with its hashes and comments.

use crate::Upgradable as _;
use crate::pypi::PyPi;
use crate::pypi::requirement::Requirement;
use crate::pypi::requirements_txt::lines::split_comment;

/// The parts of the text of a requirement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'t> {
    /// Name, version, marker and options.
    pub(super) code: &'t str,
    /// The rest: blanks, a comment on the same line, line ends and the comments below.
    pub(super) rest: &'t str,
}

impl<'t> Parts<'t> {
    /// Splits the text of a requirement, whose code and comment on the same line are `length` long.
    pub(super) fn of(text: &'t str, length: usize) -> Self {
        let (own, _) = text.split_at_checked(length).unwrap_or((text, ""));
        let last = own.rfind('\n').map_or(0, |at| at + 1);
        let (code, _) = split_comment(own.get(last..).unwrap_or_default());
        let end = own.get(..last + code.len()).unwrap_or(own).trim_end().len();
        let (code, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        Self { code, rest }
    }
}

/// The code with another version. `requirement` is the requirement without options.
pub(super) fn with_version(code: &str, requirement: &str, version: &str) -> Result<String, String> {
    let parsed = Requirement::parse(requirement).ok_or("its requirement cannot be read")?;
    let spread = || {
        format!(
            "the requirement of `{}` continues on another line",
            parsed.name
        )
    };
    let first = code.lines().next().unwrap_or_default();
    let mut at = first.find(parsed.name).ok_or_else(spread)? + parsed.name.len();
    let after = |at: usize| first.get(at..).unwrap_or_default();
    if after(at).trim_start().starts_with('[') {
        at += after(at).find(']').ok_or_else(spread)? + 1;
    }
    at += after(at).find(parsed.specifier).ok_or_else(spread)?;

    let mut changed = first.to_owned();
    let mut found = false;
    let mut end = at + parsed.specifier.len();
    for clause in parsed.specifier.rsplit(',') {
        let start = end - clause.len();
        match exact(clause) {
            Some(old) => {
                let from = start + clause.rfind(old).unwrap_or_default();
                changed.replace_range(from..from + old.len(), version);
                found = true;
            }
            None => admits(parsed.name, clause, version)?,
        }
        end = start.saturating_sub(1);
    }
    if !found {
        return Err(format!("`{}` is not pinned", parsed.name));
    }

    changed.push_str(code.get(first.len()..).unwrap_or_default());
    Ok(changed)
}

/// The version of a clause that admits only one.
fn exact(clause: &str) -> Option<&str> {
    let clause = clause.trim();
    let version = clause
        .strip_prefix("===")
        .or_else(|| clause.strip_prefix("=="))?;
    Some(version.trim()).filter(|version| !version.is_empty())
}

fn admits(name: &str, clause: &str, version: &str) -> Result<(), String> {
    if clause.trim().is_empty() {
        return Ok(());
    }
    match PyPi.admits(clause.trim(), version) {
        Ok(true) => Ok(()),
        _ => Err(format!(
            "the requirement of `{name}` also has `{}`",
            clause.trim()
        )),
    }
}

/// The code with other hashes, in the style of those that it has.
pub(super) fn with_hashes(code: &str, hashes: &[String]) -> Result<String, String> {
    let (start, end, style) = hash_span(code)?;
    let mut changed = code.get(..start).unwrap_or_default().to_owned();
    changed.push_str(&style.rendered(hashes));
    changed.push_str(code.get(end..).unwrap_or_default());
    Ok(changed)
}

/// The code with hashes in the style of another requirement's.
pub(super) fn add_hashes(code: &str, like: &str, hashes: &[String]) -> Result<String, String> {
    let (start, _, style) = hash_span(like)?;
    let before = like.get(..start).unwrap_or_default();
    let gap = before
        .get(before.trim_end_matches([' ', '\t', '\\', '\r', '\n']).len()..)
        .unwrap_or_default();
    Ok(format!("{code}{gap}{}", style.rendered(hashes)))
}

/// How hashes are written.
struct HashStyle<'t> {
    /// Between `--hash` and the hash.
    sign: &'t str,
    /// Between two hashes.
    gap: &'t str,
}

impl HashStyle<'_> {
    fn rendered(&self, hashes: &[String]) -> String {
        let all: Vec<String> = hashes
            .iter()
            .map(|hash| format!("--hash{}{hash}", self.sign))
            .collect();
        all.join(self.gap)
    }
}

/// The position of the hashes of a requirement, and their style.
///
/// # Errors
/// If something else is between them.
fn hash_span(code: &str) -> Result<(usize, usize, HashStyle<'_>), String> {
    const OPTION: &str = "--hash";
    let is_blank = |text: &str| text.chars().all(|c| c.is_whitespace() || c == '\\');
    let mut spans: Vec<(usize, usize, &str)> = Vec::new();
    for (at, _) in code.match_indices(OPTION) {
        let rest = code.get(at + OPTION.len()..).unwrap_or_default();
        let sign = rest.len() - rest.trim_start_matches(['=', ' ']).len();
        let value = rest.get(sign..).unwrap_or_default();
        let length = value
            .find(|c: char| c.is_whitespace() || c == '\\')
            .unwrap_or(value.len());
        let end = at + OPTION.len() + sign + length;
        spans.push((at, end, rest.get(..sign).unwrap_or_default()));
    }

    let unclear = || "its hashes are mixed with other options".to_owned();
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return Err("its hashes were not found".to_owned());
    };
    let mut gaps = spans
        .iter()
        .zip(spans.iter().skip(1))
        .map(|(one, next)| code.get(one.1..next.0).unwrap_or("?"));
    if !gaps.clone().all(is_blank) {
        return Err(unclear());
    }
    let before = code.get(..first.0).unwrap_or_default();
    let own = before
        .get(before.trim_end_matches([' ', '\t', '\\', '\r', '\n']).len()..)
        .unwrap_or_default();

    let gap = gaps.next().unwrap_or(own);
    Ok((first.0, last.1, HashStyle { sign: first.2, gap }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_version_changes() {
        for (code, requirement, expected) in [
            ("a==1.0", "a==1.0", Ok("a==2.0")),
            (
                "a [x] == 1.0 ; m",
                "a [x] == 1.0 ; m",
                Ok("a [x] == 2.0 ; m"),
            ),
            (
                "a1==1 \\\n  --hash=1",
                "a1==1",
                Ok("a1==2.0 \\\n  --hash=1"),
            ),
            ("a===1.0", "a===1.0", Ok("a===2.0")),
            (" a>=1,==1.0", "a>=1,==1.0", Ok(" a>=1,==2.0")),
            ("a<2,==1.0", "a<2,==1.0", Err("also has `<2`")),
            ("a \\\n==1.0", "a ==1.0", Err("continues on another line")),
            ("a>1", "a>1", Err("is not pinned")),
        ] {
            match (with_version(code, requirement, "2.0"), expected) {
                (Ok(changed), Ok(expected)) => assert_eq!(changed, expected),
                (Err(reason), Err(expected)) => assert!(reason.contains(expected), "{reason}"),
                (other, _) => panic!("{code}: {other:?}"),
            }
        }
    }

    #[test]
    fn hashes_keep_their_style() {
        let new = ["sha256:aa".to_owned(), "sha256:bb".to_owned()];
        for (code, expected) in [
            (
                "a==1 \\\n    --hash=sha256:11 \\\n    --hash=sha256:22 \\\n    --hash=sha256:33",
                "a==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb",
            ),
            (
                "a==1 --hash sha256:11",
                "a==1 --hash sha256:aa --hash sha256:bb",
            ),
            (
                "a==1 \\\r\n --hash=sha256:11",
                "a==1 \\\r\n --hash=sha256:aa \\\r\n --hash=sha256:bb",
            ),
        ] {
            assert_eq!(with_hashes(code, &new).as_deref(), Ok(expected));
        }
        let mixed = "a==1 --hash=sha256:11 --no-binary --hash=sha256:22";
        assert!(with_hashes(mixed, &new).is_err());
        assert_eq!(
            add_hashes("b==2", "a==1 \\\n  --hash=sha256:11", &new).as_deref(),
            Ok("b==2 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb")
        );
    }

    #[test]
    fn a_comment_is_not_code() {
        let text = "a==1  # x\n    # via b";
        let parts = Parts::of(text, 9);
        assert_eq!(parts.code, "a==1");
        assert_eq!(parts.rest, "  # x\n    # via b");
    }
}

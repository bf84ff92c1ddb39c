//! Matching of versions against requirements, to choose between several locked packages of one
//! project.
//!
//! Deliberately absent are the rules for choosing new releases (pre-releases, post-releases of an
//! exclusive bound): all versions here are already locked.

use super::version::Version;

/// Whether a specifier of PEP 440 or of Poetry admits a version; `None` if one of them is invalid.
pub(super) fn admits(specifier: &str, version: &str) -> Option<bool> {
    let version = Version::parse(version)?;
    let mut any = false;
    for alternative in specifier.split("||") {
        let mut all = true;
        for clause in alternative.split(',').map(str::trim) {
            all &= clause_admits(clause, &version)?;
        }
        any |= all;
    }

    Some(any)
}

fn clause_admits(clause: &str, version: &Version) -> Option<bool> {
    if clause.is_empty() || clause == "*" {
        return Some(true);
    }

    let (operator, bound) = ["===", "==", "~=", "!=", "<=", ">=", "<", ">", "^", "~"]
        .iter()
        .find_map(|operator| Some((*operator, clause.strip_prefix(operator)?.trim())))
        .unwrap_or(("==", clause));
    if bound.is_empty() || bound.contains(char::is_whitespace) {
        return None;
    }
    if let Some(start) = bound.strip_suffix(".*") {
        let inside = within(start, None, version)?;
        return match operator {
            "==" => Some(inside),
            "!=" => Some(!inside),
            _ => None,
        };
    }

    let limit = Version::parse(bound)?;
    Some(match operator {
        "===" | "==" => *version == limit || without_local(version) == limit,
        "!=" => *version != limit,
        "<=" => without_local(version) <= limit,
        ">=" => *version >= limit,
        "<" => *version < limit,
        ">" => *version > limit,
        "~=" => *version >= limit && within(bound, Some(-1), version)?,
        "~" => *version >= limit && within(bound, Some(2), version)?,
        "^" => *version >= limit && within(bound, caret(bound), version)?,
        _ => return None,
    })
}

/// Count of leading numbers that `^` keeps fixed: up to the first nonzero one.
fn caret(bound: &str) -> Option<isize> {
    let zeros = bound
        .split('.')
        .take_while(|number| number.bytes().all(|byte| byte == b'0'))
        .count();
    isize::try_from(zeros + 1).ok()
}

/// Whether a version begins with the first `keep` numbers of the release `start`. `None` means all
/// numbers, -1 all but the last.
fn within(start: &str, keep: Option<isize>, version: &Version) -> Option<bool> {
    let (epoch, release) = release(start)?;
    let Version::Standard {
        epoch: own_epoch,
        release: own,
        ..
    } = version
    else {
        return Some(false);
    };
    let keep = match keep {
        None => release.len(),
        Some(keep) if keep < 0 => release.len().saturating_sub(keep.unsigned_abs()),
        Some(keep) => release.len().min(keep.unsigned_abs()),
    };
    let zero = super::version::Number::default();
    let same = release
        .iter()
        .take(keep)
        .enumerate()
        .all(|(index, number)| own.get(index).unwrap_or(&zero) == number);

    Some(*own_epoch == epoch && same)
}

/// Epoch and numbers of a release, including trailing zeros, which [`Version`] drops.
pub(super) fn release(text: &str) -> Option<(super::version::Number, Vec<super::version::Number>)> {
    let Version::Standard {
        epoch, mut release, ..
    } = Version::parse(text)?
    else {
        return None;
    };
    let numbers = text.rsplit('!').next().unwrap_or(text);
    let count = numbers
        .split('.')
        .take_while(|number| {
            number
                .trim_start_matches('v')
                .starts_with(|c: char| c.is_ascii_digit())
        })
        .count();
    release.resize(count.max(release.len()), super::version::Number::default());

    Some((epoch, release))
}

/// The version without its local part (`+cpu`), which bounds do not consider.
fn without_local(version: &Version) -> Version {
    let mut version = version.clone();
    if let Version::Standard { local, .. } = &mut version {
        *local = None;
    }
    version
}

#[cfg(test)]
mod tests {
    use super::admits;

    #[test]
    fn admits_by_the_rules_of_pep_440_and_poetry() {
        for (specifier, version, expected) in [
            ("==1.0", "1.0.0", Some(true)),
            ("==1.0", "1.0+cpu", Some(true)),
            ("==1.*", "1.9", Some(true)),
            ("!=1.*", "1.9", Some(false)),
            (">=1.0,<2", "1.5", Some(true)),
            (">=1.0,<2", "2.0", Some(false)),
            ("~=1.4.2", "1.4.9", Some(true)),
            ("~=1.4.2", "1.5", Some(false)),
            ("~=1.4", "1.9", Some(true)),
            ("^1.2", "1.9", Some(true)),
            ("^1.2", "2.0", Some(false)),
            ("^0.2.3", "0.2.9", Some(true)),
            ("^0.2.3", "0.3", Some(false)),
            ("~1.2.3", "1.2.9", Some(true)),
            ("~1.2.3", "1.3", Some(false)),
            ("3.17.0", "3.17", Some(true)),
            ("*", "3", Some(true)),
            ("", "3", Some(true)),
            ("<1 || >=2", "2.1", Some(true)),
            ("<1 || >=2", "1.1", Some(false)),
            ("one of these", "1", None),
        ] {
            assert_eq!(
                admits(specifier, version),
                expected,
                "{specifier} {version}"
            );
        }
    }
}

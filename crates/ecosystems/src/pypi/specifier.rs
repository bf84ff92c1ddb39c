//! Whether a version is among those that a requirement admits, to tell copies of one package apart.
//!
//! This is about locked copies, so the rules on which releases may be taken anew (pre-releases, the
//! post-releases of an excluded bound) are not here.

use super::version::Version;

/// Whether a specifier of PEP 440 or of Poetry admits a version; `None` when it cannot be judged.
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

    let at = Version::parse(bound)?;
    Some(match operator {
        "===" | "==" => *version == at || without_local(version) == at,
        "!=" => *version != at,
        "<=" => without_local(version) <= at,
        ">=" => *version >= at,
        "<" => *version < at,
        ">" => *version > at,
        "~=" => *version >= at && within(bound, Some(-1), version)?,
        "~" => *version >= at && within(bound, Some(2), version)?,
        "^" => *version >= at && within(bound, caret(bound), version)?,
        _ => return None,
    })
}

/// How many numbers of a release `^` holds fast: up to the first that is not zero.
fn caret(bound: &str) -> Option<isize> {
    let zeros = bound
        .split('.')
        .take_while(|number| number.bytes().all(|byte| byte == b'0'))
        .count();
    isize::try_from(zeros + 1).ok()
}

/// Whether a version begins with the first `keep` numbers of another's release: all for `None`, all
/// but the last for -1.
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
        .all(|(place, number)| own.get(place).unwrap_or(&zero) == number);

    Some(*own_epoch == epoch && same)
}

/// Epoch and numbers of a release, with the zeros at its end.
fn release(text: &str) -> Option<(super::version::Number, Vec<super::version::Number>)> {
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
    fn copies_are_told_apart() {
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

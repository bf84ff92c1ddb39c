//! Version order of RPM: `[epoch:]version[-release]`, with each part compared in segments
//! (rpm-version(7), <https://rpm.org/docs/latest/man/rpm-version.7>).

use std::cmp::Ordering;

use crate::VersionError;
use crate::version::number::Number;
use crate::version::runs::split;
use patchgate_model::EcosystemName;

/// A version, split into the parts that determine its order.
#[derive(Debug)]
struct Version<'a> {
    epoch: Number<&'a str>,
    version: &'a str,
    release: &'a str,
}

/// Compares two versions of a distribution.
pub(super) fn compare(name: EcosystemName, a: &str, b: &str) -> Result<Ordering, VersionError> {
    crate::version::compare(name, parse, a, b)
}

/// Parses a version; `None` if the text is not one.
fn parse(text: &str) -> Option<Version<'_>> {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    let allowed = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+~^%{}:-".contains(&byte))
    };
    let epoch = Number::parse(epoch)?;

    (!version.is_empty() && allowed(version) && allowed(release)).then_some(Version {
        epoch,
        version,
        release,
    })
}

impl Ord for Version<'_> {
    /// RPM ignores the release if one side has none, which is not transitive. Here a version
    /// without a release sorts before all versions with one.
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| segments(self.version, other.version))
            .then_with(|| segments(self.release, other.release))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version<'_> {}

/// Compares segment by segment: digits as numbers, letters as text, and numbers after letters.
/// Separators do not count. `~` sorts before everything, including the end; `^` sorts after the end
/// and before everything else.
fn segments(mut a: &str, mut b: &str) -> Ordering {
    let separator = |c: char| !(c.is_ascii_alphanumeric() || c == '~' || c == '^');
    loop {
        a = a.trim_start_matches(separator);
        b = b.trim_start_matches(separator);
        match (a.strip_prefix('~'), b.strip_prefix('~')) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }

        match (a.strip_prefix('^'), b.strip_prefix('^')) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            (Some(_), None) if b.is_empty() => return Ordering::Greater,
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) if a.is_empty() => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }

        if a.is_empty() || b.is_empty() {
            return a.len().min(1).cmp(&b.len().min(1));
        }

        let digits = (starts_with_digit(a), starts_with_digit(b));
        let order = match digits {
            (true, true) => {
                let (x, y);
                (x, a) = split(a, |byte| byte.is_ascii_digit());
                (y, b) = split(b, |byte| byte.is_ascii_digit());
                Number::new(x).cmp(&Number::new(y))
            }
            (false, false) => {
                let (x, y);
                (x, a) = split(a, |byte| byte.is_ascii_alphabetic());
                (y, b) = split(b, |byte| byte.is_ascii_alphabetic());
                x.cmp(y)
            }
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        parse(a).unwrap().cmp(&parse(b).unwrap())
    }

    #[test]
    fn follows_the_manual() {
        let ascending = [
            "1.0~rc1",
            "1.0",
            "1.0-1.el9",
            "1.0-1.el9_4",
            "1.0-2.el9",
            "1.0^git1",
            "1.0a",
            "1.0.1",
            "1.2",
            "1.10",
            "99999999999999999999",
            "1:0.1",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(order(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }

        for (a, b) in [
            ("1.0", "1_0"),
            ("1.0", "1.00"),
            ("0:1", "1"),
            ("2.0.1a", "2.0.1.a"),
        ] {
            assert_eq!(order(a, b), Ordering::Equal, "{a} {b}");
        }

        assert_eq!(order("1.a", "1.1"), Ordering::Less);
        for text in ["", ":1", "x:1", "1 2", "é"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}

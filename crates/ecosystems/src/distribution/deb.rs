//! Version order of Debian (deb-version(7), Debian Policy Manual section 5.6.12,
//! <https://www.debian.org/doc/debian-policy/ch-controlfields.html#version>).

use std::cmp::Ordering;

use crate::VersionError;
use crate::version::number::Number;
use crate::version::runs::compare_in_turn;
use patchgate_model::EcosystemName;

/// A version of the form `[epoch:]upstream[-revision]`.
#[derive(Debug)]
struct Version<'a> {
    epoch: Number<&'a str>,
    upstream: &'a str,
    revision: &'a str,
}

/// Compares two versions of a distribution.
pub(super) fn compare(name: EcosystemName, a: &str, b: &str) -> Result<Ordering, VersionError> {
    crate::version::compare(name, parse, a, b)
}

/// Parses a version; `None` if the text is not one.
fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim();
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    let allowed = |text: &str, extra: &[u8]| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    let sound = !upstream.is_empty() && allowed(upstream, b".+-~:_") && allowed(revision, b".+~_");
    let epoch = Number::parse(epoch)?;

    sound.then_some(Version {
        epoch,
        upstream,
        revision,
    })
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_in_turn(self.upstream, other.upstream))
            .then_with(|| compare_in_turn(self.revision, other.revision))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_policy() {
        let ascending = [
            "1.0~~",
            "1.0~~a",
            "1.0~",
            "1.0",
            "1.0-1~bpo12+1.",
            "1.0-1",
            "1.0a",
            "1.0+",
            "1.2",
            "1.10",
            "9999999999999999999999.0",
            "1:0.1",
        ];
        for pair in ascending.windows(2) {
            let (a, b) = (parse(pair[0]).unwrap(), parse(pair[1]).unwrap());
            assert_eq!(a.cmp(&b), Ordering::Less, "{pair:?}");
        }

        for (a, b) in [
            ("1.0", "1.00"),
            ("0:1", "1"),
            ("1.0-0", "1.0"),
            ("1.01", "1.1"),
        ] {
            assert_eq!(parse(a).unwrap(), parse(b).unwrap());
        }

        for text in ["", "a:1", ":1", "1 2", "1-", "1/2", "é"] {
            let is_version = parse(text).is_some();
            assert_eq!(is_version, text == "1-", "{text}");
        }
    }
}

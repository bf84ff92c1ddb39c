//! Words in a version: pre-releases, and flavors (`-jre`, `-android`), which are builds of one release
//! for different platforms.
//!
//! Maven orders the words (<https://maven.apache.org/pom.html#version-order-specification>) but has no
//! notion of a pre-release or a flavor. The lists here follow the conventions of published artifacts.

use patchgate_model::Bump;

/// Words of pre-releases. Maven knows the first six; the others are newer than the release for Maven
/// too, but projects use them for builds before it.
const PRERELEASES: &[&str] = &[
    "alpha",
    "beta",
    "milestone",
    "rc",
    "cr",
    "snapshot",
    "canary",
    "dev",
    "ea",
    "eap",
    "nightly",
    "pr",
    "pre",
    "preview",
];

/// Words of a release itself, or of one that follows it.
const RELEASES: &[&str] = &["ga", "final", "release", "sp", "sec"];

/// Runs of letters in lower case, with the digits that follow each.
fn words(version: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut in_word = false;
    for character in version.chars() {
        if character.is_ascii_alphabetic() {
            let continues = in_word && found.last().is_some_and(|(_, digits)| digits.is_empty());
            if !continues {
                found.push((String::new(), String::new()));
            }
            if let Some((letters, _)) = found.last_mut() {
                letters.push(character.to_ascii_lowercase());
            }
            in_word = true;
        } else if character.is_ascii_digit() && in_word {
            if let Some((_, digits)) = found.last_mut() {
                digits.push(character);
            }
        } else {
            in_word = false;
        }
    }

    found
}

fn is_early((letters, digits): &(String, String)) -> bool {
    // A single letter is short for a word only before a number.
    let is_short = matches!(letters.as_str(), "a" | "b" | "m") && !digits.is_empty();
    is_short || PRERELEASES.contains(&letters.as_str())
}

/// Whether a version is a pre-release.
pub(super) fn is_prerelease(version: &str) -> bool {
    words(version).iter().any(is_early)
}

/// The flavor of a version: `jre` of `33.0-jre`, `jre11` of `9.2.1.jre11`. Empty without one. Single
/// letters are stamps of a build (`v20240101`).
fn flavor(version: &str) -> Vec<String> {
    words(version)
        .into_iter()
        .filter(|word| !is_early(word) && !RELEASES.contains(&word.0.as_str()) && word.0.len() > 1)
        .map(|(letters, digits)| letters + &digits)
        .collect()
}

/// How much may break. Maven has no rule for it, so semantic versioning is assumed; a change of the
/// flavor counts as breaking.
pub(super) fn bump(from: &str, to: &str) -> Bump {
    if flavor(from) != flavor(to) {
        return Bump::Major;
    }

    let (from, to) = (numbers(from), numbers(to));
    let part = |numbers: &[&str], index: usize| -> String {
        let text = numbers.get(index).copied().unwrap_or_default();
        text.trim_start_matches('0').to_owned()
    };
    let differs = |index| part(&from, index) != part(&to, index);
    if differs(0) {
        Bump::Major
    } else if differs(1) {
        match part(&from, 0).is_empty() {
            true => Bump::Major,
            false => Bump::Minor,
        }
    } else {
        Bump::Patch
    }
}

/// The numbers at the start of a version.
fn numbers(version: &str) -> Vec<&str> {
    let end = version
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(version.len());
    let start = version.get(..end).unwrap_or_default();
    start.split('.').filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pre_releases_are_recognized_by_their_words() {
        for version in [
            "1.0-alpha",
            "1.0-alpha-1",
            "1.0b2",
            "2.0.0-M1",
            "1.0.0.RC1",
            "3.0.CR2",
            "1-SNAPSHOT",
            "1.8.20-dev-42",
            "17-ea+3",
            "2.0-rc1-jre",
        ] {
            assert!(is_prerelease(version), "{version}");
        }
        for version in [
            "1.0",
            "1.0.0.RELEASE",
            "5.1.0.Final",
            "33.0-jre",
            "9.2.1.jre11",
            "1.2.3.redhat-00001",
            "9.4.0.v20161208",
            "1.0-SP1",
            "1.2.17a",
        ] {
            assert!(!is_prerelease(version), "{version}");
        }
    }

    #[test]
    fn another_flavor_is_a_breaking_change() {
        for (from, to, expected) in [
            ("31.0-jre", "31.1-jre", Bump::Minor),
            ("31.0-jre", "31.0.1-android", Bump::Major),
            ("9.2.0.jre8", "9.2.1.jre11", Bump::Major),
            ("2.0.0.RELEASE", "2.0.1", Bump::Patch),
            ("1.0", "1.0.1", Bump::Patch),
            ("1.0.1", "1.2.0", Bump::Minor),
            ("1.9", "2.0", Bump::Major),
            ("0.1", "0.2", Bump::Major),
            ("0.1.0", "0.1.1", Bump::Patch),
            ("1", "1.0", Bump::Patch),
        ] {
            assert_eq!(bump(from, to), expected, "{from} {to}");
        }
    }
}

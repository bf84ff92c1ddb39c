//! Release notes between two versions, from the changelog in the archive of a release.
//!
//! The text is the package's own, and hostile: who shows it escapes it. It is cut by the headings
//! of versions, so a file without such headings has no notes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use patchgate_ecosystems::Ecosystem;
use patchgate_model::ReleaseNotes;

/// Names of changelogs without their ends, in lower case, the best first.
const NAMES: [&str; 6] = [
    "changelog",
    "changes",
    "history",
    "news",
    "releases",
    "release-notes",
];

/// Ends of the names of texts.
const ENDS: [&str; 5] = ["", ".md", ".markdown", ".rst", ".txt"];

/// Most bytes of the notes.
const MAX_BYTES: usize = 8 * 1024;

/// Most sentences about breaking changes.
const MAX_SENTENCES: usize = 20;

/// Most characters of a sentence.
const MAX_SENTENCE: usize = 400;

/// Words that announce a breaking change.
const BREAKING: [&str; 12] = [
    "breaking",
    "backwards incompatible",
    "backward incompatible",
    "backwards-incompatible",
    "backward-incompatible",
    "incompatible change",
    "no longer",
    "removed support",
    "drop support",
    "dropped support",
    "drops support",
    "has been removed",
];

/// Whether a file at the top of an archive is a changelog.
#[must_use]
pub fn is_changelog(path: &str) -> bool {
    rank(path).is_some()
}

fn rank(path: &str) -> Option<usize> {
    let name = path.to_lowercase();
    NAMES.iter().position(|stem| {
        name.strip_prefix(stem)
            .is_some_and(|end| ENDS.contains(&end))
    })
}

/// The notes of all versions above `from`, up to `to`. `None` if no changelog has a heading of one.
#[must_use]
pub fn notes(
    ecosystem: &dyn Ecosystem,
    files: &BTreeMap<String, Vec<u8>>,
    from: &str,
    to: &str,
) -> Option<ReleaseNotes> {
    let mut changelogs: Vec<(usize, &String, &Vec<u8>)> = files
        .iter()
        .filter_map(|(path, bytes)| Some((rank(path)?, path, bytes)))
        .collect();
    changelogs.sort();

    changelogs.into_iter().find_map(|(_, path, bytes)| {
        let text = String::from_utf8_lossy(bytes);
        let between = between(ecosystem, &text, from, to)?;
        let mut end = between.len().min(MAX_BYTES);
        while !between.is_char_boundary(end) {
            end -= 1;
        }

        Some(ReleaseNotes {
            file: path.clone(),
            breaking: breaking_sentences(&between),
            is_cut: end < between.len(),
            text: between.get(..end).unwrap_or_default().trim().to_owned(),
        })
    })
}

/// The sections of the versions between two.
fn between(ecosystem: &dyn Ecosystem, text: &str, from: &str, to: &str) -> Option<String> {
    let is_between = |version: &str| {
        let above = ecosystem.compare_versions(version, from).ok() == Some(Ordering::Greater);
        let up_to = ecosystem
            .compare_versions(version, to)
            .is_ok_and(Ordering::is_le);
        above && up_to
    };

    let lines: Vec<&str> = text.lines().collect();
    let mut found = String::new();
    let mut takes = false;
    for (index, line) in lines.iter().enumerate() {
        let underline = lines.get(index + 1).copied().unwrap_or_default();
        if let Some(version) = heading(line, underline) {
            takes = is_between(version);
        }
        if takes && found.len() < 64 * 1024 {
            found.push_str(line);
            found.push('\n');
        }
    }

    (!found.trim().is_empty()).then_some(found)
}

/// The version that a line is the heading of: a heading of Markdown or reStructuredText, or a line
/// that begins with a version and has little else.
fn heading<'l>(line: &'l str, underline: &str) -> Option<&'l str> {
    let is_underlined = underline.len() >= 3
        && ['=', '-', '~', '^']
            .iter()
            .any(|c| underline.trim_end().chars().all(|other| other == *c));
    let is_marked = line.starts_with('#') || line.starts_with("= ") || is_underlined;
    // An indented line is part of a list.
    if line.starts_with([' ', '\t', '*', '-', '+']) || line.len() > 160 {
        return None;
    }

    let mut words = line
        .split(|c: char| {
            c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | ':' | ',' | '`' | '/')
        })
        .filter(|word| !word.is_empty() && !word.starts_with('#'));
    let is_plain = !is_marked;
    let first = if is_plain {
        words.next()
    } else {
        words.find(|word| version(word).is_some())
    };
    let found = version(first?)?;
    // `1.0.0 is out now, with …` is a sentence.
    (is_marked || words.count() <= 4).then_some(found)
}

/// The version in a word: `v1.2.3`, `1.2.3`, `pkg@1.2.3`.
fn version(word: &str) -> Option<&str> {
    let word = word.rsplit('@').next().unwrap_or(word);
    let word = word.trim_matches(['*', '_', '"', '\'', '.', '<', '>']);
    let word = word.strip_prefix(['v', 'V']).unwrap_or(word);
    let is_number = word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    // A date such as 2024.01.02 or 2024-01-02 is none.
    let is_plain = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_'));
    (is_number && is_plain).then_some(word)
}

/// The sentences and items that announce a breaking change, without the marks of lists.
fn breaking_sentences(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_breaking_section = false;
    for item in items(text) {
        let plain = plain(&item);
        let lower = plain.to_lowercase();
        let is_heading = item.trim_start().starts_with('#') || item.trim_end().ends_with(':');
        if is_heading {
            is_breaking_section = lower.contains("breaking") && !lower.contains("non-breaking");
            continue;
        }

        for sentence in sentences(&plain) {
            let lower = sentence.to_lowercase();
            let says = BREAKING.iter().any(|word| lower.contains(word))
                && !lower.contains("non-breaking")
                && !lower.contains("no breaking");
            if (says || is_breaking_section) && found.len() < MAX_SENTENCES {
                let cut: String = sentence.chars().take(MAX_SENTENCE).collect();
                if !found.contains(&cut) {
                    found.push(cut);
                }
            }
        }
    }

    found
}

/// Paragraphs and items of lists, each on one line.
fn items(text: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let trimmed = line.trim();
        let starts = trimmed.starts_with(['#', '*', '-', '+']);
        match items.last_mut() {
            Some(last) if goes_on && !starts && !trimmed.is_empty() => {
                last.push(' ');
                last.push_str(trimmed);
            }
            _ if !trimmed.is_empty() => items.push(trimmed.to_owned()),
            _ => {}
        }
        goes_on = !trimmed.is_empty() && !trimmed.starts_with('#') && !trimmed.ends_with(':');
    }

    items
}

/// An item without the marks of lists, headings and emphasis.
fn plain(item: &str) -> String {
    let item = item.trim_start_matches(['#', '*', '-', '+', ' ', '\t']);
    item.replace("**", "").replace("__", "").trim().to_owned()
}

/// The sentences of a paragraph.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(". ") {
        // `e.g. a` and `1. a` do not end a sentence.
        let next = text.get(at + 2..).and_then(|rest| rest.chars().next());
        if next.is_some_and(char::is_uppercase) {
            sentences.extend(text.get(start..=at).map(|one| one.trim().to_owned()));
            start = at + 2;
        }
    }
    sentences.extend(text.get(start..).map(|one| one.trim().to_owned()));
    sentences.retain(|one| !one.is_empty());

    sentences
}

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::by_name;
    use patchgate_model::EcosystemName;

    use super::*;

    fn notes_of(file: &str, text: &str, from: &str, to: &str) -> Option<ReleaseNotes> {
        let ecosystem = by_name(EcosystemName::new("npm")).unwrap();
        let files = BTreeMap::from([(file.to_owned(), text.as_bytes().to_vec())]);
        notes(ecosystem, &files, from, to)
    }

    const MARKDOWN: &str = "# Changelog\n\nAll changes.\n\n## [Unreleased]\n\n- soon\n\n\
        ## [3.0.0] - 2024-05-01\n\n- later\n\n\
        ## 2.0.0 (2024-01-02)\n\n### BREAKING CHANGES\n\n* **core:** `parse` takes an object\n  instead of a text\n\n\
        ### Features\n\n- a faster parser. Node.js 12 is no longer supported. Enjoy\n\n\
        ## v1.1.0\n\n- more\n\n## 1.0.0\n\n- first\n";

    #[test]
    fn only_the_sections_between_both_versions_are_taken() {
        let found = notes_of("CHANGELOG.md", MARKDOWN, "1.0.0", "2.0.0").unwrap();
        assert!(found.text.starts_with("## 2.0.0"), "{}", found.text);
        assert!(
            found.text.ends_with("## v1.1.0\n\n- more"),
            "{}",
            found.text
        );
        assert_eq!(
            found.breaking,
            [
                "core: `parse` takes an object instead of a text",
                "Node.js 12 is no longer supported."
            ]
        );
        assert!(!found.is_cut);

        assert_eq!(notes_of("CHANGELOG.md", MARKDOWN, "3.0.0", "4.0.0"), None);
        assert_eq!(notes_of("README.md", MARKDOWN, "1.0.0", "2.0.0"), None);
        assert_eq!(
            notes_of("HISTORY.md", "no versions at all\n", "1.0.0", "2.0.0"),
            None
        );
    }

    #[test]
    fn other_styles_of_headings_are_understood() {
        let underlined = "2.1.0\n=====\n\n* B\n\n2.0.0 / 2020-01-01\n==================\n\n* A\n";
        let found = notes_of("History.md", underlined, "2.0.0", "2.1.0").unwrap();
        assert!(found.text.contains("* B") && !found.text.contains("* A"));

        let plain = "Version history\n\n2.1.0 (released 2020)\n  - B\n2.0.0\n  - A, not 2.1.0\n";
        let found = notes_of("CHANGES.txt", plain, "2.0.0", "2.1.0").unwrap();
        assert!(found.text.contains("- B") && !found.text.contains("- A"));
    }

    #[test]
    fn long_notes_are_cut_between_characters() {
        let long = format!("## 2.0.0\n\n{}\n", "ö".repeat(MAX_BYTES));
        let found = notes_of("NEWS", &long, "1.0.0", "2.0.0").unwrap();
        assert!(found.is_cut && found.text.len() <= MAX_BYTES);
    }
}

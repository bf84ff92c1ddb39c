//! Sentences of an advisory that say how it can be mitigated, what an attack needs, and which
//! configuration is affected, found by rule and quoted.
//!
//! A rule looks for the words of one sentence, or for a section with a title. It does not understand
//! the sentence, so the sentence is always quoted, and nothing else is claimed. Deliberately absent:
//! any effect on a decision.

/// What a sentence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassageKind {
    /// There is a workaround or a mitigation other than an upgrade.
    Workaround,
    /// There is no workaround.
    NoWorkaround,
    /// An attack needs something: a login, a position, a victim's action.
    Precondition,
    /// Only a configuration or a feature is affected.
    Configuration,
}

impl PassageKind {
    /// The word for scripts.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Workaround => "workaround",
            Self::NoWorkaround => "no-workaround",
            Self::Precondition => "precondition",
            Self::Configuration => "configuration",
        }
    }
}

/// A sentence of an advisory and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// What it says.
    pub kind: PassageKind,
    /// The sentence as the record writes it, with white space joined.
    pub sentence: String,
    /// The names in it that are written as code: features, options, functions.
    pub names: Vec<String>,
}

/// Most bytes of a text that are read.
const MAX_BYTES: usize = 16 * 1024;

/// Most characters of a sentence that are quoted.
const MAX_SENTENCE: usize = 300;

/// Most passages of one kind.
const MAX_OF_KIND: usize = 3;

/// Most names of a sentence.
const MAX_NAMES: usize = 8;

/// The passages of a text in Markdown, in its order.
#[must_use]
pub fn passages(text: &str) -> Vec<Passage> {
    let text = text
        .get(..text.floor_char_boundary(MAX_BYTES))
        .unwrap_or(text);
    let mut found: Vec<Passage> = Vec::new();
    for (section, sentence) in sentences(text) {
        for kind in kinds(section, &sentence) {
            let known = found.iter().filter(|one| one.kind == kind).count();
            if known < MAX_OF_KIND {
                found.push(Passage {
                    kind,
                    names: names(&sentence),
                    sentence: sentence.chars().take(MAX_SENTENCE).collect(),
                });
            }
        }
    }
    found
}

/// What a section is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Workaround,
    /// Sections such as "Patches", which are about upgrades.
    Other,
}

/// The sentences of a text with their sections. Blocks of code are left out.
fn sentences(text: &str) -> Vec<(Section, String)> {
    let mut all = Vec::new();
    let mut section = Section::Other;
    let mut in_code = false;
    let mut paragraph = String::new();
    let end = |section: Section, paragraph: &mut String, all: &mut Vec<(Section, String)>| {
        all.extend(split(paragraph).map(|sentence| (section, sentence)));
        paragraph.clear();
    };

    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            end(section, &mut paragraph, &mut all);
            in_code = !in_code;
        } else if in_code {
        } else if line.starts_with('#') {
            end(section, &mut paragraph, &mut all);
            let title = words(line);
            let is_about =
                |word: &String| word.starts_with("workaround") || word.starts_with("mitigation");
            section = match title.iter().any(is_about) {
                true => Section::Workaround,
                false => Section::Other,
            };
        } else if line.is_empty() || line.starts_with(['*', '-', '|']) {
            end(section, &mut paragraph, &mut all);
            paragraph.push_str(line.trim_start_matches(['*', '-', '|', ' ']));
        } else {
            paragraph.push(' ');
            paragraph.push_str(line);
        }
    }
    end(section, &mut paragraph, &mut all);
    all
}

/// Splits a paragraph at the ends of its sentences: a period, an exclamation or a question mark before
/// white space. Abbreviations and numbers with a period go on.
fn split(paragraph: &str) -> impl Iterator<Item = String> {
    let mut all = Vec::new();
    let mut current = String::new();
    for word in paragraph.split_whitespace() {
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
        let is_short = matches!(
            word.to_ascii_lowercase().trim_start_matches('('),
            "e.g." | "i.e." | "etc." | "vs." | "cf." | "v." | "no."
        ) && current.len() > word.len();
        if word.ends_with(['.', '!', '?', ':']) && !is_short {
            all.push(std::mem::take(&mut current));
        }
    }
    if !current.is_empty() {
        all.push(current);
    }
    all.into_iter()
}

/// The words in lower case. A hyphen and an apostrophe are part of a word.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && !"'’-_".contains(c))
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().replace('’', "'"))
        .collect()
}

/// What a sentence says, at most one kind of workaround and one of the others each.
fn kinds(section: Section, sentence: &str) -> Vec<PassageKind> {
    let words = words(sentence);
    let mut kinds = Vec::new();
    kinds.extend(workaround(section, &words));
    if is_precondition(&words) {
        kinds.push(PassageKind::Precondition);
    }
    if is_configuration(&words) {
        kinds.push(PassageKind::Configuration);
    }
    kinds
}

const NEGATIONS: [&str; 12] = [
    "no", "not", "none", "without", "cannot", "can't", "never", "neither", "nor", "isn't",
    "aren't", "n't",
];

/// Words of an upgrade, which is a fix and no workaround.
const UPGRADES: [&str; 10] = [
    "upgrade",
    "upgraded",
    "upgrading",
    "update",
    "updated",
    "updating",
    "patched",
    "release",
    "released",
    "version",
];

fn workaround(section: Section, words: &[String]) -> Option<PassageKind> {
    let is = |word: &String, all: &[&str]| all.contains(&word.as_str());
    let negated = words
        .iter()
        .any(|word| is(word, &NEGATIONS) || word.ends_with("n't"));

    // "Users who cannot upgrade should …" is a workaround, whatever else the sentence has.
    let unable = [
        "unable to upgrade",
        "unable to update",
        "cannot upgrade",
        "cannot update",
        "can't upgrade",
        "not able to upgrade",
        "do not upgrade",
        "cannot immediately upgrade",
    ];
    let advice = [
        "should",
        "may",
        "can",
        "could",
        "disable",
        "avoid",
        "restrict",
        "set",
        "use",
        "block",
        "recommended",
    ];
    let text = words.join(" ");
    if let Some(at) = unable
        .iter()
        .find_map(|phrase| text.find(phrase).map(|at| at + phrase.len()))
        && let Some(rest) = text.get(at..)
        && rest.split(' ').any(|word| advice.contains(&word))
    {
        return Some(PassageKind::Workaround);
    }

    let keyword = words.iter().position(|word| {
        word.starts_with("workaround")
            || word.starts_with("mitigat")
            || word == "work-around"
            || word == "work-arounds"
    });
    match (section, keyword) {
        (Section::Workaround, None) if words.is_empty() => None,
        (Section::Workaround, None) => match words.first().map(String::as_str) {
            Some("none" | "no" | "n" | "na" | "nothing") => Some(PassageKind::NoWorkaround),
            Some(_) if is_upgrade(words) => None,
            Some(_) => Some(PassageKind::Workaround),
            None => None,
        },
        (_, Some(at)) => {
            // A negation may come at most six words before the word, or after it ("is not known").
            let before = words.get(at.saturating_sub(6)..at).unwrap_or_default();
            let after = words
                .get(at + 1..(at + 7).min(words.len()))
                .unwrap_or_default();
            let denies = |word: &String| is(word, &NEGATIONS) || word.ends_with("n't");
            let needless = after
                .iter()
                .any(|word| is(word, &["needed", "necessary", "required"]));
            match before
                .iter()
                .chain(after)
                .filter(|word| denies(word))
                .count()
            {
                1 if needless => None,
                // Two negations may be "not possible without a workaround": nothing is claimed.
                2.. => None,
                1 => Some(PassageKind::NoWorkaround),
                _ if negated || is_upgrade(words) => None,
                _ => Some(PassageKind::Workaround),
            }
        }
        (Section::Other, None) => None,
    }
}

fn is_upgrade(words: &[String]) -> bool {
    words.iter().any(|word| UPGRADES.contains(&word.as_str()))
}

/// Phrases of what an attack needs.
const NEEDS: [&str; 24] = [
    "attacker must",
    "attacker needs",
    "attacker would need",
    "attacker would have to",
    "attacker has to",
    "requires an attacker",
    "requires the attacker",
    "requires user interaction",
    "user interaction is required",
    "requires authentication",
    "authentication is required",
    "authenticated attacker",
    "authenticated user",
    "authenticated remote attacker",
    "attacker with",
    "local attacker",
    "adjacent attacker",
    "privileged attacker",
    "man-in-the-middle",
    "requires that",
    "must be tricked",
    "trick a user",
    "convince a user",
    "to be exploitable",
];

/// Phrases that say that an attack needs nothing.
const NEEDS_NOTHING: [&str; 6] = [
    "no authentication",
    "without authentication",
    "authentication is not required",
    "without user interaction",
    "no user interaction",
    "user interaction is not required",
];

fn is_precondition(words: &[String]) -> bool {
    let text = format!(" {} ", words.join(" "));
    let has = |phrase: &&str| text.contains(&format!(" {phrase} "));
    NEEDS.iter().any(has) && !NEEDS_NOTHING.iter().any(has)
}

/// Phrases of an affected configuration.
const CONFIGURATIONS: [&str; 22] = [
    "default configuration",
    "default configurations",
    "non-default",
    "not enabled by default",
    "disabled by default",
    "enabled by default",
    "is enabled",
    "are enabled",
    "is disabled",
    "are disabled",
    "feature is",
    "feature flag",
    "cargo feature",
    "features are",
    "is configured",
    "are configured",
    "configured to",
    "configured with",
    "is set to",
    "only affects applications",
    "only affects users",
    "only applications",
];

fn is_configuration(words: &[String]) -> bool {
    let text = format!(" {} ", words.join(" "));
    CONFIGURATIONS
        .iter()
        .any(|phrase| text.contains(&format!(" {phrase} ")))
        || (text.contains(" feature ")
            && [" with the ", " when ", " if "]
                .iter()
                .any(|word| text.contains(word)))
}

/// The names between backticks.
fn names(sentence: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in sentence.split('`').skip(1).step_by(2) {
        let name = name.trim();
        let is_new = !names.iter().any(|known| known == name);
        if !name.is_empty() && name.len() <= 80 && is_new && names.len() < MAX_NAMES {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<PassageKind> {
        passages(text).into_iter().map(|one| one.kind).collect()
    }

    #[test]
    fn negations_are_understood() {
        use PassageKind::{NoWorkaround, Workaround};
        for (text, kinds) in [
            ("As a workaround, disable the endpoint.", &[Workaround][..]),
            ("There are no known workarounds.", &[NoWorkaround]),
            ("There is no workaround for this issue.", &[NoWorkaround]),
            ("A workaround is not available.", &[NoWorkaround]),
            ("Workarounds aren't known.", &[NoWorkaround]),
            ("The issue cannot be mitigated.", &[NoWorkaround]),
            (
                "It can be mitigated by a proxy that limits the size of requests.",
                &[Workaround],
            ),
            ("No workaround is needed.", &[]),
            ("It is not possible without a workaround.", &[]),
            ("This was mitigated in version 1.2.3.", &[]),
            (
                "Users unable to upgrade should disable the parser.",
                &[Workaround],
            ),
            (
                "Users who cannot upgrade can restrict access.",
                &[Workaround],
            ),
            ("Upgrade to 1.2.3.", &[]),
        ] {
            assert_eq!(found(text), kinds, "{text}");
        }
    }

    #[test]
    fn a_section_with_a_title_speaks_for_its_sentences() {
        use PassageKind::{NoWorkaround, Workaround};
        for (body, kinds) in [
            ("None", &[NoWorkaround][..]),
            ("N/A", &[NoWorkaround]),
            ("Do not pass user input to `parse`.", &[Workaround]),
            ("Upgrade to 2.0.0.", &[]),
            ("", &[]),
        ] {
            let text = format!(
                "### Impact\nA flaw.\n\n### Workarounds\n{body}\n\n### References\nA link."
            );
            assert_eq!(found(&text), kinds, "{body}");
        }
    }

    #[test]
    fn preconditions_and_configurations_are_quoted_with_their_names() {
        let text = "An authenticated attacker can read files.\n\nOnly users of the `tls` feature are affected when `verify` is disabled. Done.";
        let found = passages(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].kind, PassageKind::Precondition);
        assert_eq!(
            found[0].sentence,
            "An authenticated attacker can read files."
        );
        assert_eq!(found[1].kind, PassageKind::Configuration);
        assert_eq!(found[1].names, ["tls", "verify"]);
        assert!(passages("An unauthenticated attacker can read files.").is_empty());
        assert!(
            passages("Authentication is not required, so a local attacker can do it.").is_empty()
        );
    }

    #[test]
    fn code_is_not_read_and_a_huge_text_is_bounded() {
        assert!(passages("```\nworkaround: disable it.\n```").is_empty());
        let huge = "As a workaround, disable it. ".repeat(10_000);
        assert_eq!(passages(&huge).len(), 3);
        let one = format!("As a workaround, {}", "x".repeat(100_000));
        assert!(passages(&one)[0].sentence.chars().count() <= 300);
        assert!(passages("`").is_empty());
    }
}

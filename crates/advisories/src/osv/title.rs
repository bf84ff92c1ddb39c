//! A title for records that have none: the first sentence of their details, which are Markdown
//! (<https://ossf.github.io/osv-schema/#summary-details-fields>).

/// Most characters of a title. The schema recommends 120 for a summary.
const MAX_TITLE: usize = 160;
/// Most bytes of the details that are read.
const MAX_READ: usize = 4_096;
/// Words whose period ends no sentence.
const ABBREVIATIONS: [&str; 8] = ["e.g.", "i.e.", "etc.", "vs.", "cf.", "a.k.a.", "v.", "no."];

/// The first sentence of the details, without Markdown, on one line. Headings, lists of links and code
/// are skipped. Empty when nothing is left.
pub(super) fn title(details: &str) -> String {
    let mut end = details.len().min(MAX_READ);
    while !details.is_char_boundary(end) {
        end -= 1;
    }

    let mut words: Vec<String> = Vec::new();
    let mut in_code = false;
    for line in details.get(..end).unwrap_or_default().lines() {
        let line = line.trim();
        if line.starts_with("```") {
            in_code = !in_code;
            continue;
        }
        let is_heading = line.starts_with('#') || line.chars().all(|c| "=-*_".contains(c));
        if in_code || is_heading {
            // An empty line or a heading ends the first paragraph.
            if !words.is_empty() {
                break;
            }
            continue;
        }

        let line = line.trim_start_matches(['>', '*', '-', ' ']);
        words.extend(without_markup(line).split_whitespace().map(str::to_owned));
    }

    let mut sentences = words.split_inclusive(|word| ends_sentence(word));
    let first = sentences.next().unwrap_or_default();
    // Many records begin with a description of the product, which is the same in all of them.
    let sentence = match sentences.next() {
        Some(second) if describes_product(first) => second,
        _ => first,
    };
    bounded(sentence.join(" ").trim_end_matches('.'))
}

/// Whether a sentence says what the product is: `Requests is a HTTP library.`
fn describes_product(sentence: &[String]) -> bool {
    const FLAWS: [&str; 8] = [
        "vulnerab", "affected", "attack", "inject", "overflow", "denial", "issue", "flaw",
    ];
    let is_description = sentence
        .windows(2)
        .take(6)
        .any(|pair| matches!(pair, [is, article] if is == "is" && ["a", "an", "the"].contains(&article.as_str())));

    let text = sentence.join(" ").to_lowercase();
    is_description && !FLAWS.iter().any(|flaw| text.contains(flaw))
}

fn ends_sentence(word: &str) -> bool {
    let word = word.trim_end_matches(['"', '\'', ')', '`']);
    word.ends_with(['.', '!', '?'])
        && !ABBREVIATIONS.contains(&word.trim_start_matches('(').to_lowercase().as_str())
}

/// The text without emphasis, and with the label of a link in place of the link.
fn without_markup(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let (before, link) = rest.split_at(open);
        out.push_str(before);
        let parts = link
            .find("](")
            .and_then(|middle| Some((middle, middle + link.get(middle..)?.find(')')?)));
        match parts {
            Some((middle, close)) => {
                out.push_str(link.get(1..middle).unwrap_or_default());
                rest = link.get(close + 1..).unwrap_or_default();
            }
            None => {
                out.push('[');
                rest = link.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);

    out.replace("**", "").replace("__", "")
}

/// The text, cut at a word if it is too long.
fn bounded(text: &str) -> String {
    if text.chars().count() <= MAX_TITLE {
        return text.to_owned();
    }

    let cut: String = text.chars().take(MAX_TITLE - 1).collect();
    let end = cut.rfind(' ').filter(|end| *end > MAX_TITLE / 2);
    format!("{}…", cut.get(..end.unwrap_or(cut.len())).unwrap_or(&cut))
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn the_first_sentence_is_the_title() {
        for (details, expected) in [
            ("A flaw lets anyone in. It is bad.", "A flaw lets anyone in"),
            (
                "# Impact\n\nA flaw in `a.b`\nlets anyone in (e.g. by\nHTTP). More.",
                "A flaw in `a.b` lets anyone in (e.g. by HTTP)",
            ),
            ("Impact\n======\n", "Impact"),
            (
                "See [the **page**](https://a.invalid/b) for more",
                "See the page for more",
            ),
            ("An [array](\nbroken", "An [array]( broken"),
            (
                "```\ncode. more\n```\n* Version 1.2.3 is affected",
                "Version 1.2.3 is affected",
            ),
            ("First paragraph\n\nSecond", "First paragraph"),
            (
                "Requests is a HTTP library. It leaks secrets. More.",
                "It leaks secrets",
            ),
            (
                "a is a library with a flaw. More.",
                "a is a library with a flaw",
            ),
            ("a is a library.", "a is a library"),
            ("", ""),
            ("---", ""),
        ] {
            assert_eq!(title(details), expected, "{details:?}");
        }
    }

    #[test]
    fn a_title_is_bounded() {
        let long = title(&"word ".repeat(2_000));
        assert!(
            long.ends_with("word…") && long.chars().count() <= 160,
            "{long}"
        );
        assert_eq!(title(&"ä".repeat(9_000)).chars().count(), 160);
    }

    proptest::proptest! {
        #[test]
        fn a_title_is_one_short_line(details in "(?s).{0,300}|[\\[\\]()#*` \na.]{0,80}") {
            let title = title(&details);
            proptest::prop_assert!(title.chars().count() <= 160);
            proptest::prop_assert!(!title.contains(['\n', '\r']));
        }
    }
}

//! Expansion of `${…}` in a POM (<https://maven.apache.org/pom.html#properties>).

use patchgate_model::SmolStr;

/// Deepest chain of properties that refer to one another.
const MAX_DEPTH: usize = 32;

/// Longest value, in bytes. A few properties that refer to each other twice could otherwise fill
/// all memory.
const MAX_BYTES: usize = 1024;

/// Most substitutions in one text. Empty values need a limit of their own because they add no
/// bytes.
const MAX_STEPS: usize = 1000;

/// Values by the names of properties.
pub(super) trait Values {
    /// The value of a name, which may refer to other properties.
    fn value(&self, name: &str) -> Option<&str>;

    /// The text with all properties expanded; `None` if one of them is unknown. Properties of the
    /// environment and of the Java virtual machine are unknown.
    fn fill(&self, text: &SmolStr) -> Option<SmolStr> {
        if !has_property(text) {
            return Some(text.clone());
        }

        let mut filled = String::new();
        let mut steps = MAX_STEPS;
        fill_into(self, text, &mut filled, MAX_DEPTH, &mut steps)?;
        Some(SmolStr::new(filled))
    }

    /// The text with its properties expanded, or the unchanged text if one of them has no value.
    fn filled(&self, text: &SmolStr) -> SmolStr {
        self.fill(text).unwrap_or_else(|| text.clone())
    }
}

/// Whether a text refers to a property.
pub(super) fn has_property(text: &str) -> bool {
    text.contains("${")
}

fn fill_into(
    values: &(impl Values + ?Sized),
    text: &str,
    filled: &mut String,
    depth: usize,
    steps: &mut usize,
) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}')?;
        filled.push_str(before);
        *steps = steps.checked_sub(1)?;
        fill_into(values, values.value(name)?, filled, depth, steps)?;
        rest = after;
    }

    filled.push_str(rest);
    (filled.len() <= MAX_BYTES).then_some(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    impl Values for HashMap<String, String> {
        fn value(&self, name: &str) -> Option<&str> {
            self.get(name).map(String::as_str)
        }
    }

    fn properties(set: &[(&str, &str)]) -> HashMap<String, String> {
        set.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn fills_in_what_is_known() {
        let known = properties(&[("a", "${b}-x"), ("b", "2")]);
        for (text, value) in [
            ("1.2", Some("1.2")),
            ("${a}", Some("2-x")),
            ("${b}.${b}", Some("2.2")),
            ("${c}", None),
            ("${env.HOME}", None),
            ("${a", None),
            ("$a", Some("$a")),
        ] {
            assert_eq!(known.fill(&text.into()).as_deref(), value, "{text}");
        }
    }

    #[test]
    fn properties_without_an_end_have_no_value() {
        let circle = properties(&[("a", "${b}"), ("b", "${a}")]);
        assert_eq!(circle.fill(&"${a}".into()), None);

        for last in ["x", ""] {
            let bomb: Vec<(String, String)> = (0..30)
                .map(|n| (format!("p{n}"), format!("${{p{}}}${{p{}}}", n + 1, n + 1)))
                .chain([("p30".to_owned(), last.to_owned())])
                .collect();
            let bomb: Vec<(&str, &str)> =
                bomb.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(properties(&bomb).fill(&"${p0}".into()), None);
        }
    }
}

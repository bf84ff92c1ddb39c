//! Expansion of `${…}` in a POM (<https://maven.apache.org/pom.html#properties>).

use std::collections::HashMap;

/// Deepest chain of properties that refer to one another.
const MAX_DEPTH: usize = 32;

/// Longest value, in bytes. A few properties that refer to each other twice could otherwise fill
/// all memory.
const MAX_BYTES: usize = 1024;

/// Most substitutions in one text. Empty values need a limit of their own because they add no
/// bytes.
const MAX_STEPS: usize = 1000;

/// The values that a project defines.
#[derive(Debug, Clone, Default)]
pub(super) struct Properties {
    /// The project's own elements: `version`, `groupId` and so on, without a prefix.
    pub(super) project: HashMap<&'static str, String>,
    /// The entries of its `properties`, by name.
    pub(super) set: HashMap<String, String>,
}

impl Properties {
    /// The text with all properties expanded; `None` if one of them is unknown. Properties of the
    /// environment and of the Java virtual machine are unknown.
    pub(super) fn fill(&self, text: &str) -> Option<String> {
        let mut filled = String::new();
        let mut steps = MAX_STEPS;
        self.fill_into(text, &mut filled, MAX_DEPTH, &mut steps)?;
        Some(filled)
    }

    fn fill_into(
        &self,
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
            self.fill_into(self.value(name)?, filled, depth, steps)?;
            rest = after;
        }

        filled.push_str(rest);
        (filled.len() <= MAX_BYTES).then_some(())
    }

    /// The value of a name. A prefixed element of the project comes first, then a property, then
    /// the old name of an element without prefix.
    fn value(&self, name: &str) -> Option<&str> {
        let prefixed = name
            .strip_prefix("project.")
            .or_else(|| name.strip_prefix("pom."));
        prefixed
            .and_then(|name| self.project.get(name))
            .or_else(|| self.set.get(name))
            .or_else(|| self.project.get(name))
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(set: &[(&str, &str)]) -> Properties {
        Properties {
            project: HashMap::from([("version", "1.0".to_owned())]),
            set: set
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn fills_in_what_is_known() {
        let known = properties(&[("a", "${b}-x"), ("b", "2"), ("project.version", "9")]);
        for (text, value) in [
            ("1.2", Some("1.2")),
            ("${a}", Some("2-x")),
            ("${b}.${b}", Some("2.2")),
            ("${project.version}", Some("1.0")),
            ("${pom.version}", Some("1.0")),
            ("${version}", Some("1.0")),
            ("${c}", None),
            ("${env.HOME}", None),
            ("${a", None),
            ("$a", Some("$a")),
        ] {
            assert_eq!(known.fill(text).as_deref(), value, "{text}");
        }
    }

    #[test]
    fn properties_without_an_end_have_no_value() {
        let circle = properties(&[("a", "${b}"), ("b", "${a}")]);
        assert_eq!(circle.fill("${a}"), None);

        for last in ["x", ""] {
            let bomb: Vec<(String, String)> = (0..30)
                .map(|n| (format!("p{n}"), format!("${{p{}}}${{p{}}}", n + 1, n + 1)))
                .chain([("p30".to_owned(), last.to_owned())])
                .collect();
            let bomb: Vec<(&str, &str)> =
                bomb.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(properties(&bomb).fill("${p0}"), None);
        }
    }
}

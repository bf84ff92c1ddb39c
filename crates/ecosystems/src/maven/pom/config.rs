//! Properties that `.mvn/maven.config` gives to every build below its directory
//! (<https://maven.apache.org/configure.html#mvn-maven-config-file>).
//!
//! The file is read as data. Its other options, such as profiles and settings, are ignored: profiles
//! are evaluated one by one in any case.

use std::collections::HashMap;

use patchgate_model::SmolStr;

use super::sources::directory;
use crate::Input;

/// The file with the options of each build.
pub(in crate::maven) const FILE: &str = ".mvn/maven.config";

/// Most bytes that are read. It is a command line.
const MAX_BYTES: usize = 64 * 1024;

/// The properties for a project: those of the closest file in its directory or above. They are the
/// user's properties, which come before those of a POM.
pub(super) fn properties(input: &Input<'_>) -> HashMap<SmolStr, SmolStr> {
    let mut at = directory(input.path);
    loop {
        let path = match at {
            "" => FILE.to_owned(),
            at => format!("{at}/{FILE}"),
        };
        if let Some(bytes) = input.sibling(&path) {
            let text = bytes.get(..bytes.len().min(MAX_BYTES)).unwrap_or_default();
            return std::str::from_utf8(text).map(defined).unwrap_or_default();
        }
        if at.is_empty() {
            return HashMap::new();
        }
        at = directory(at);
    }
}

/// The values of `-Dname=value`, `-D name=value` and `--define name=value`. The last of a name counts.
/// A name without a value is `true`.
fn defined(text: &str) -> HashMap<SmolStr, SmolStr> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let mut words = lines.flat_map(str::split_whitespace);

    let mut properties = HashMap::new();
    while let Some(word) = words.next() {
        let definition = match word {
            "-D" | "--define" => words.next(),
            word => word
                .strip_prefix("-D")
                .or_else(|| word.strip_prefix("--define=")),
        };
        if let Some(definition) = definition {
            let (name, value) = definition.split_once('=').unwrap_or((definition, "true"));
            properties.insert(SmolStr::new(name), SmolStr::new(value));
        }
    }

    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_a_definition_are_read() {
        let found = defined(
            "# -Dcomment=1\n-T 4 -Drevision=1.0\n-D sha=abc\n--define\nchanged=-x\n-DskipTests\n\
             -Drevision=2.0",
        );
        let mut found: Vec<_> = found
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        found.sort_unstable();

        let expected = [
            ("changed", "-x"),
            ("revision", "2.0"),
            ("sha", "abc"),
            ("skipTests", "true"),
        ];
        assert_eq!(found, expected);
    }
}

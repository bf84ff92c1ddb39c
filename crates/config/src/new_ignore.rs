//! One more ignore entry in a settings file, with all other bytes as they are.

use jiff::civil::Date;

use crate::{ConfigErrors, parse};

/// An ignore entry that is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIgnore {
    /// Id of the vulnerability.
    pub id: String,
    /// Why the finding is accepted: one line.
    pub reason: String,
    /// Last day on which the entry applies.
    pub until: Date,
}

/// Why an entry cannot be added.
#[derive(Debug, thiserror::Error)]
pub enum NewIgnoreError {
    /// The file, before or after the change, is not valid.
    #[error(transparent)]
    Invalid(#[from] ConfigErrors),
    /// The file has its entries in a form that is not edited.
    #[error("`{file}` does not have `ignore` as a list with one entry a line")]
    Form {
        /// Name of the file.
        file: String,
    },
    /// An entry for the vulnerability exists.
    #[error("`{file}` has an entry for `{id}` already, until {until}")]
    Exists {
        /// Name of the file.
        file: String,
        /// Id of the vulnerability.
        id: String,
        /// Last day of the entry.
        until: Date,
    },
}

impl NewIgnore {
    /// The entry as YAML, with its list item at the column `indent`.
    #[must_use]
    pub fn to_yaml(&self, indent: usize) -> String {
        // A JSON string is a double-quoted scalar of YAML (YAML 1.2.2, 1.3).
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let space = " ".repeat(indent);
        format!(
            "{space}- id: {}\n{space}  until: {}\n{space}  reason: {}\n",
            quoted(&self.id),
            self.until,
            quoted(&self.reason)
        )
    }

    /// The settings with this entry as the first of `ignore`.
    ///
    /// # Errors
    /// When the file is invalid, has an entry with the id, or has its entries in a form that is not
    /// edited. The result is read again, and is an error when it does not have exactly the entries of
    /// before and this one.
    pub fn add_to(&self, file: &str, text: &str) -> Result<String, NewIgnoreError> {
        let before = parse(file, text)?;
        if let Some(entry) = before
            .ignore
            .iter()
            .find(|entry| entry.id.eq_ignore_ascii_case(&self.id))
        {
            return Err(NewIgnoreError::Exists {
                file: file.to_owned(),
                id: self.id.clone(),
                until: entry.until,
            });
        }

        let form = || NewIgnoreError::Form {
            file: file.to_owned(),
        };
        let after = self.inserted(text).ok_or_else(form)?;
        let read = parse(file, &after)?;
        let entries = |config: &crate::Config| -> Vec<(String, String, Date)> {
            let entries = config.ignore.iter();
            entries
                .map(|entry| (entry.id.clone(), entry.reason.clone(), entry.until))
                .collect()
        };
        let mut expected = entries(&before);
        expected.insert(0, (self.id.clone(), self.reason.clone(), self.until));
        if entries(&read) != expected {
            return Err(form());
        }

        Ok(after)
    }

    /// The text with the entry inserted; `None` when its form is not edited.
    fn inserted(&self, text: &str) -> Option<String> {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let end = at + line.len();
            if let Some(rest) = line.strip_prefix("ignore:") {
                let (head, tail) = (text.get(..at)?, text.get(end..)?);
                return match rest.split(" #").next().unwrap_or_default().trim() {
                    "" => {
                        let line = line.trim_end_matches(['\r', '\n']);
                        let entry = self.to_yaml(indent_of_list(tail));
                        Some(format!("{head}{line}\n{entry}{tail}"))
                    }
                    "[]" => Some(format!("{head}ignore:\n{}{tail}", self.to_yaml(2))),
                    _ => None,
                };
            }
            at = end;
        }

        let text = match text {
            "" => String::new(),
            text => format!("{}\n", text.trim_end_matches('\n')),
        };
        Some(format!("{text}\nignore:\n{}", self.to_yaml(2)))
    }
}

/// The column of the first item of a list.
fn indent_of_list(text: &str) -> usize {
    let first = text.lines().find(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    });
    first
        .filter(|line| line.trim_start().starts_with("- "))
        .map_or(2, |line| line.len() - line.trim_start().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> NewIgnore {
        NewIgnore {
            id: "CVE-2026-1".to_owned(),
            reason: "not reachable: \"x\" # y".to_owned(),
            until: "2027-01-31".parse().unwrap(),
        }
    }

    const YAML: &str = "- id: \"CVE-2026-1\"\n    until: 2027-01-31\n    reason: \"not reachable: \\\"x\\\" # y\"\n";

    #[test]
    fn every_other_byte_stays() {
        let other = |indent: &str| {
            format!(
                "{indent}- id: CVE-2025-9\n{indent}  until: 2027-02-01\n{indent}  reason: kept # so\n"
            )
        };
        for (text, expected) in [
            (
                "version: 1".to_owned(),
                format!("version: 1\n\nignore:\n  {YAML}"),
            ),
            (
                format!("version: 1 # a\nignore: # b\n{}\ngate: {{}}\n", other("  ")),
                format!(
                    "version: 1 # a\nignore: # b\n  {YAML}{}\ngate: {{}}\n",
                    other("  ")
                ),
            ),
            (
                format!("ignore:\n# c\n{}version: 1\n", other("")),
                format!(
                    "ignore:\n{}# c\n{}version: 1\n",
                    YAML.replace("\n    ", "\n  "),
                    other("")
                ),
            ),
            (
                "version: 1\nignore: []\n".to_owned(),
                format!("version: 1\nignore:\n  {YAML}"),
            ),
        ] {
            assert_eq!(entry().add_to("f", &text).unwrap(), expected);
        }
    }

    #[test]
    fn other_forms_and_known_ids_are_refused() {
        let flow = "version: 1\nignore: [{ id: A-1, until: 2027-01-01, reason: r }]\n";
        assert!(matches!(
            entry().add_to("f", flow),
            Err(NewIgnoreError::Form { .. })
        ));
        let known =
            "version: 1\nignore:\n  - id: cve-2026-1\n    until: 2027-01-01\n    reason: r\n";
        assert!(matches!(
            entry().add_to("f", known),
            Err(NewIgnoreError::Exists { .. })
        ));
        assert!(matches!(
            entry().add_to("f", "ignore: ["),
            Err(NewIgnoreError::Invalid(_))
        ));
    }

    proptest::proptest! {
        #[test]
        fn any_reason_is_read_as_it_was_given(reason in "[^\\s\\p{C}][^\\p{C}]{0,80}[^\\s\\p{C}]") {
            let entry = NewIgnore { reason, ..entry() };
            let text = entry.add_to("f", "version: 1\n").unwrap();
            proptest::prop_assert_eq!(&parse("f", &text).unwrap().ignore[0].reason, &entry.reason);
        }
    }
}

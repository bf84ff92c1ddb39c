//! Values of SSVC decision points that an analyst gave in a record, such as CISA in Vulnrichment
//! (<https://github.com/cisagov/vulnrichment>). They count before values that are derived from a vector.

use patchgate_model::{Advisory, Finding};
use serde_json::{Map, Value};

use crate::ssvc::Exploitation;

/// Deepest object that is searched. CISA's container has its points in the sixth.
const MAX_DEPTH: usize = 10;

/// The values that records give; `None` where they give none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Analyst {
    pub(crate) exploitation: Option<Exploitation>,
    pub(crate) automatable: Option<bool>,
    pub(crate) total_impact: Option<bool>,
}

impl Analyst {
    /// The values of a finding's records. Of two that contradict each other, the more urgent counts.
    pub(crate) fn of(finding: &Finding) -> Self {
        let mut all = Self::default();
        for record in &finding.advisories {
            all.read(record);
        }
        all
    }

    fn read(&mut self, record: &Advisory) {
        // Nearly all records have none, so their text is not parsed.
        let text = record.database_specific.as_deref().unwrap_or_default();
        if !text.contains("utomatable") {
            return;
        }
        if let Ok(value) = serde_json::from_str(text) {
            self.search(&value, MAX_DEPTH);
        }
    }

    /// Looks for the points: an object with them, or the list `options` of objects with one each
    /// (<https://github.com/CERTCC/SSVC/blob/main/data/schema/v1/Decision_Point_Value_Selection-1-0-1.schema.json>).
    fn search(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(object) => {
                self.points(object);
                if let Some(depth) = depth.checked_sub(1) {
                    object.values().for_each(|value| self.search(value, depth));
                }
            }
            Value::Array(values) => {
                if let Some(depth) = depth.checked_sub(1) {
                    values.iter().for_each(|value| self.search(value, depth));
                }
            }
            _ => {}
        }
    }

    fn points(&mut self, object: &Map<String, Value>) {
        for (name, value) in object {
            let Some(value) = value.as_str() else {
                continue;
            };
            let name: String = name
                .chars()
                .filter(char::is_ascii_alphabetic)
                .map(|letter| letter.to_ascii_lowercase())
                .collect();
            match (name.as_str(), value.to_ascii_lowercase().as_str()) {
                ("exploitation", "none") => self.exploited(Exploitation::None),
                ("exploitation", "poc" | "public poc") => self.exploited(Exploitation::PublicPoc),
                ("exploitation", "active") => self.exploited(Exploitation::Active),
                ("automatable", "yes") => self.automatable = Some(true),
                ("automatable", "no") => self.automatable = self.automatable.or(Some(false)),
                ("technicalimpact", "total") => self.total_impact = Some(true),
                ("technicalimpact", "partial") => {
                    self.total_impact = self.total_impact.or(Some(false));
                }
                _ => {}
            }
        }
    }

    fn exploited(&mut self, value: Exploitation) {
        self.exploitation = self.exploitation.max(Some(value));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use patchgate_model::{Basis, Level};

    use super::*;
    use crate::evidence::Evidence;
    use crate::score::tests::finding;

    fn with(text: &str) -> Finding {
        let mut finding = finding(Level::Critical);
        finding.severity.cvss_vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into());
        finding.advisories = vec![Arc::new(Advisory {
            id: "CVE-2024-1".into(),
            aliases: Vec::new(),
            summary: String::new(),
            details: String::new(),
            modified: None,
            published: None,
            withdrawn: None,
            severity: Vec::new(),
            affected: Vec::new(),
            references: Vec::new(),
            cwes: Vec::new(),
            severity_word: None,
            informational: None,
            database_specific: Some(text.to_owned()),
        })];
        finding
    }

    fn evidence(finding: &Finding) -> Evidence {
        let vector = finding.severity.cvss_vector.as_deref();
        Evidence::of(finding, vector.and_then(crate::severity::vector))
    }

    #[test]
    fn an_analysts_values_count_before_derived_ones() {
        let derived = evidence(&with("{}"));
        assert_eq!(
            (derived.automatable, derived.total_impact),
            (Some(true), Some(true))
        );
        assert_eq!(derived.automatable_basis, Basis::Derived);

        let listed = r#"{"adp": [{"metrics": [{"other": {"type": "ssvc", "content": {"options": [
            {"Exploitation": "poc"}, {"Automatable": "no"}, {"Technical Impact": "partial"}]}}}]}]}"#;
        let flat = r#"{"ssvc": {"exploitation": "PoC", "automatable": "no", "technical_impact": "partial"}}"#;
        for text in [listed, flat] {
            let stated = evidence(&with(text));
            assert_eq!(
                (stated.automatable, stated.total_impact),
                (Some(false), Some(false))
            );
            assert_eq!(stated.automatable_basis, Basis::Stated);
            assert_eq!(stated.exploitation(), Exploitation::PublicPoc);
        }
    }

    #[test]
    fn what_is_no_value_changes_nothing() {
        let derived = evidence(&with("{}"));
        for text in [
            r#"{"Automatable": 1}"#,
            r#"{"Automatable": "maybe"}"#,
            r#"{"Automatable": "no""#,
            &format!(
                "{}{{\"Automatable\":\"no\"}}{}",
                "[".repeat(40),
                "]".repeat(40)
            ),
        ] {
            assert_eq!(evidence(&with(text)), derived, "{text}");
        }
    }
}

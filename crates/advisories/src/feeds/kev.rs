//! CISA's Known Exploited Vulnerabilities catalogue
//! (<https://www.cisa.gov/known-exploited-vulnerabilities-catalog>).

use jiff::Timestamp;
use jiff::civil::Date;
use patchgate_model::Kev;
use serde::Deserialize;

/// Why a text is not a KEV catalogue.
#[derive(Debug, thiserror::Error)]
pub enum KevError {
    /// The text is not JSON, or has other fields than the catalogue.
    #[error("not a KEV catalogue")]
    Json(#[from] serde_json::Error),
    /// A date of an entry is not a date.
    #[error("`{field}` of `{cve}` in the KEV catalogue is not a date: `{value}`")]
    Date {
        /// Id of the entry.
        cve: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// The number of entries differs from the one that the catalogue states, so a part is missing.
    #[error("the KEV catalogue states {stated} entries but contains {found}")]
    Count {
        /// `count` of the catalogue.
        stated: u64,
        /// Number of entries in it.
        found: u64,
    },
}

/// CISA's catalogue of known exploited vulnerabilities.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// Time of the release.
    pub(crate) as_of: Option<Timestamp>,
    /// The entries, in the order of the file.
    pub(crate) entries: Vec<Kev>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCatalogue {
    #[serde(default)]
    date_released: Option<String>,
    #[serde(default)]
    count: Option<u64>,
    vulnerabilities: Vec<WireEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry {
    #[serde(rename = "cveID")]
    cve_id: String,
    date_added: String,
    due_date: String,
    #[serde(default)]
    known_ransomware_campaign_use: Option<String>,
}

impl Catalogue {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, KevError> {
        let wire: WireCatalogue = serde_json::from_slice(json)?;
        let found = wire.vulnerabilities.len() as u64;
        if let Some(stated) = wire.count.filter(|stated| *stated != found) {
            return Err(KevError::Count { stated, found });
        }

        let as_of = wire.date_released.and_then(|date| date.parse().ok());
        let entries = wire
            .vulnerabilities
            .into_iter()
            .map(WireEntry::into_kev)
            .collect::<Result<_, _>>()?;

        Ok(Self { as_of, entries })
    }
}

impl WireEntry {
    /// The entry. Deadlines count from its dates, so an entry without them is an error: a column that
    /// was renamed must not read as a catalogue without dates.
    fn into_kev(self) -> Result<Kev, KevError> {
        for (field, value) in [("dateAdded", &self.date_added), ("dueDate", &self.due_date)] {
            if value.parse::<Date>().is_err() {
                return Err(KevError::Date {
                    cve: self.cve_id,
                    field,
                    value: value.chars().take(40).collect(),
                });
            }
        }

        let ransomware = self
            .known_ransomware_campaign_use
            .is_some_and(|known| known.eq_ignore_ascii_case("known"));
        Ok(Kev {
            cve: self.cve_id,
            date_added: self.date_added,
            due_date: self.due_date,
            ransomware,
        })
    }
}

/// Whether a JSON text looks like the catalogue, by fields that no OSV record has.
pub(crate) fn is_catalogue(json: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Probe {
        catalog_version: Option<serde::de::IgnoredAny>,
        date_released: Option<serde::de::IgnoredAny>,
        vulnerabilities: Option<serde::de::IgnoredAny>,
    }

    serde_json::from_slice::<Probe>(json).is_ok_and(|probe| {
        probe.vulnerabilities.is_some()
            && (probe.catalog_version.is_some() || probe.date_released.is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::{Catalogue, KevError, is_catalogue};

    const ONE: &str = r#"{"title": "t", "catalogVersion": "2025.08.25",
        "dateReleased": "2025-08-25T17:04:19.9796Z", "count": 1, "vulnerabilities": [
        {"cveID": "CVE-2025-1", "dateAdded": "2025-08-25", "dueDate": "2025-09-15",
         "knownRansomwareCampaignUse": "Known"}]}"#;

    #[test]
    fn reads_an_entry() {
        let catalogue = Catalogue::parse(ONE.as_bytes()).unwrap();
        assert!(is_catalogue(ONE.as_bytes()));
        assert_eq!(catalogue.as_of.unwrap().as_second(), 1_756_141_459);

        let kev = &catalogue.entries[0];
        assert_eq!((kev.cve.as_str(), kev.ransomware), ("CVE-2025-1", true));
        assert_eq!(
            (kev.date_added.as_str(), kev.due_date.as_str()),
            ("2025-08-25", "2025-09-15")
        );
    }

    #[test]
    fn renamed_and_invalid_dates_are_errors_that_name_them() {
        for field in ["dateAdded", "dueDate"] {
            let renamed = ONE.replace(field, "date");
            let Err(KevError::Json(error)) = Catalogue::parse(renamed.as_bytes()) else {
                panic!("{field} was not missed");
            };
            assert!(error.to_string().contains(field), "{error}");
        }
        for value in ["", "15.09.2025", "2025-02-30"] {
            let invalid = ONE.replace("2025-09-15", value);
            let error = Catalogue::parse(invalid.as_bytes()).unwrap_err();
            assert!(
                error.to_string().contains("`dueDate` of `CVE-2025-1`"),
                "{error}"
            );
        }
    }

    #[test]
    fn sees_a_missing_part() {
        let short = ONE.replace("\"count\": 1", "\"count\": 2");
        assert!(matches!(
            Catalogue::parse(short.as_bytes()),
            Err(KevError::Count {
                stated: 2,
                found: 1
            })
        ));
        assert!(!is_catalogue(br#"{"id": "A-1", "affected": []}"#));
    }
}

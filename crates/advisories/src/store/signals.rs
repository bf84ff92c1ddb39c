//! KEV and EPSS from the tables of a store.

use patchgate_model::{Epss, Kev, KevStatus, Problem, ProblemKind};

use super::manifest::SourceKind;
use super::{OpenSource, Store, error, invalid};
use crate::feeds::{EpssRow, SignalSource};

impl Store {
    fn feed(&self, kind: SourceKind) -> Option<&OpenSource> {
        self.sources.iter().find(|open| open.source.kind == kind)
    }

    /// The value of a CVE in a feed: `None` without the feed, `Some(None)` if the feed does not list
    /// the CVE.
    fn feed_value(&self, kind: SourceKind, cve: &str) -> Result<Option<Option<String>>, Problem> {
        let Some(open) = self.feed(kind) else {
            return Ok(None);
        };
        let read = open.table.get(cve.as_bytes()).and_then(|value| {
            value
                .map(|value| String::from_utf8(value).map_err(invalid))
                .transpose()
        });

        read.map(Some)
            .map_err(|error| self.unreadable(ProblemKind::Feed, &open.source, &error))
    }

    fn invalid_entry(&self, kind: SourceKind) -> Problem {
        let path = self.feed(kind).map_or_else(
            || self.dir.clone(),
            |open| self.dir.join(&open.source.file.name),
        );
        Problem {
            kind: ProblemKind::Feed,
            subject: path.display().to_string(),
            line: None,
            reason: "the store file contains an invalid entry".to_owned(),
            hint: Some(error::rebuild(&self.dir)),
        }
    }
}

impl SignalSource for Store {
    fn epss(&self, cve: &str) -> Result<Option<Epss>, Problem> {
        let Some(Some(value)) = self.feed_value(SourceKind::Epss, cve)? else {
            return Ok(None);
        };
        let (probability, percentile) =
            EpssRow::parse_numbers(&value).ok_or_else(|| self.invalid_entry(SourceKind::Epss))?;

        Ok(Some(Epss {
            cve: cve.to_owned(),
            probability,
            percentile,
        }))
    }

    fn kev(&self, cve: &str) -> Result<KevStatus, Problem> {
        let value = match self.feed_value(SourceKind::Kev, cve)? {
            None => return Ok(KevStatus::NotConsulted),
            Some(None) => return Ok(KevStatus::NotListed),
            Some(Some(value)) => value,
        };
        let parts: Vec<&str> = value.split('\n').collect();
        let [date_added, due_date, ransomware] = parts[..] else {
            return Err(self.invalid_entry(SourceKind::Kev));
        };

        Ok(KevStatus::Listed(Kev {
            cve: cve.to_owned(),
            date_added: date_added.to_owned(),
            due_date: due_date.to_owned(),
            ransomware: ransomware == "true",
        }))
    }

    fn has_kev(&self) -> bool {
        self.feed(SourceKind::Kev).is_some()
    }
}

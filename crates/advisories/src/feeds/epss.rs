//! The scores of FIRST's Exploit Prediction Scoring System (EPSS), from the daily CSV
//! (<https://www.first.org/epss/data_stats>).

use std::io::{BufRead, BufReader, Read};

use jiff::Timestamp;

/// Limit on the uncompressed scores, in bytes. The daily file has 10 MiB.
pub(crate) const MAX_TEXT_BYTES: u64 = 512 * 1024 * 1024;

/// Why a text is not a file of EPSS scores.
#[derive(Debug, thiserror::Error)]
pub enum EpssError {
    /// Reading or decompression fails before the end.
    #[error("the EPSS scores cannot be read to their end")]
    Read(#[source] std::io::Error),
    /// The first line is not that of a file of scores.
    #[error("the EPSS scores begin with neither `#model_version` nor `cve,epss,percentile`")]
    Header,
    /// The columns have other names or another order.
    #[error("the EPSS scores have the columns `{0}`, not `cve,epss,percentile`")]
    Columns(String),
    /// There is no score, so the file is cut.
    #[error("the EPSS scores end before the first score")]
    Empty,
    /// A line is invalid.
    #[error("line {line} of the EPSS scores is not a score")]
    Row {
        /// Line number, from 1.
        line: u64,
    },
}

/// The score of one CVE.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EpssRow {
    pub(crate) cve: String,
    pub(crate) probability: f64,
    pub(crate) percentile: f64,
}

/// All scores of a day.
#[derive(Debug)]
pub(crate) struct EpssTable {
    /// Time of the computation.
    pub(crate) as_of: Option<Timestamp>,
    /// The scores, in the file's order.
    pub(crate) rows: Vec<EpssRow>,
}

/// Whether a text starts like a file of scores.
pub(crate) fn is_epss_header(line: &[u8]) -> bool {
    line.starts_with(b"#model_version") || line.starts_with(b"cve,epss,percentile")
}

impl EpssTable {
    /// Reads the scores from plain or gzipped text.
    pub(crate) fn parse_any(bytes: &[u8]) -> Result<Self, EpssError> {
        if bytes.starts_with(b"\x1F\x8B") {
            Self::parse(flate2::read::MultiGzDecoder::new(bytes).take(MAX_TEXT_BYTES))
        } else {
            Self::parse(bytes)
        }
    }

    /// Reads the scores from plain text.
    pub(crate) fn parse(text: impl Read) -> Result<Self, EpssError> {
        let mut lines = BufReader::with_capacity(64 * 1024, text);
        let mut line = String::new();
        let mut number = 0;
        let mut table = Self {
            as_of: None,
            rows: Vec::new(),
        };

        let (mut has_header, mut has_columns) = (false, false);
        loop {
            line.clear();
            // A truncated gzip stream fails here.
            if lines.read_line(&mut line).map_err(EpssError::Read)? == 0 {
                break;
            }

            number += 1;
            let row = line.trim_end();

            if let Some(comment) = row.strip_prefix('#') {
                table.as_of = table.as_of.or_else(|| score_date(comment));
                has_header = true;
            } else if row == "cve,epss,percentile" {
                (has_header, has_columns) = (true, true);
            } else if has_header && !has_columns && !row.is_empty() && !row.starts_with("CVE-") {
                return Err(EpssError::Columns(row.chars().take(80).collect()));
            } else if !has_header {
                return Err(EpssError::Header);
            } else if !row.is_empty() {
                table
                    .rows
                    .push(EpssRow::parse(row).ok_or(EpssError::Row { line: number })?);
            }
        }

        match (has_header, table.rows.is_empty()) {
            (true, false) => Ok(table),
            (true, true) => Err(EpssError::Empty),
            (false, _) => Err(EpssError::Header),
        }
    }
}

impl EpssRow {
    /// Parses `CVE-…,probability,percentile`. The numbers must be between 0 and 1.
    pub(crate) fn parse(row: &str) -> Option<Self> {
        let (cve, numbers) = row.split_once(',')?;
        let (probability, percentile) = Self::parse_numbers(numbers)?;
        cve.starts_with("CVE-").then(|| Self {
            cve: cve.to_owned(),
            probability,
            percentile,
        })
    }

    /// Parses `probability,percentile`, without the CVE.
    pub(crate) fn parse_numbers(text: &str) -> Option<(f64, f64)> {
        let (probability, percentile) = text.split_once(',')?;
        let share = |text: &str| {
            text.parse::<f64>()
                .ok()
                .filter(|number| (0.0..=1.0).contains(number))
        };
        Some((share(probability)?, share(percentile)?))
    }
}

/// The time in `model_version:v2025.03.14,score_date:2026-01-30T12:55:00Z`.
fn score_date(comment: &str) -> Option<Timestamp> {
    let text = comment
        .split(',')
        .find_map(|part| part.strip_prefix("score_date:"))?;
    // Files of earlier years have an offset without a colon, which the parser refuses.
    text.parse()
        .ok()
        .or_else(|| text.replace("+0000", "Z").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{EpssError, EpssTable};

    #[test]
    fn reads_scores_with_and_without_a_comment() {
        let text = "#model_version:v1,score_date:2026-01-30T12:55:00Z\ncve,epss,percentile\n\
                    CVE-1999-0001,0.01151,0.78086\n";
        let table = EpssTable::parse(text.as_bytes()).unwrap();

        assert_eq!(table.as_of.unwrap().to_string(), "2026-01-30T12:55:00Z");
        assert_eq!(table.rows[0].cve, "CVE-1999-0001");
        assert_eq!(
            (table.rows[0].probability, table.rows[0].percentile),
            (0.01151, 0.78086)
        );

        let bare = EpssTable::parse("cve,epss,percentile\r\nCVE-1-2,1,0\r\n".as_bytes()).unwrap();
        assert_eq!((bare.rows.len(), bare.as_of), (1, None));

        let old = "#model_version:v1,score_date:2022-05-01T00:00:00+0000\ncve,epss,percentile\n\
                   CVE-1-2,1,0\n";
        assert!(EpssTable::parse(old.as_bytes()).unwrap().as_of.is_some());
    }

    #[test]
    fn names_the_line_of_a_row_that_is_none() {
        for row in [
            "CVE-1-2,0.1",
            "CVE-1-2,1.5,0",
            "CVE-1-2,NaN,0",
            "x,0.1,0.1",
            "CVE-1-2,0.1,",
        ] {
            let text = format!("cve,epss,percentile\n{row}\n");
            assert!(
                matches!(
                    EpssTable::parse(text.as_bytes()),
                    Err(EpssError::Row { line: 2 })
                ),
                "{row}"
            );
        }

        let changed = "#model_version:v1\ncve,score,rank\nCVE-1-2,0.1,0.1\n";
        let error = EpssTable::parse(changed.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("`cve,score,rank`"), "{error}");
        assert!(matches!(
            EpssTable::parse("#model_version:v1\ncve,epss,percentile\n".as_bytes()),
            Err(EpssError::Empty)
        ));
        assert!(matches!(
            EpssTable::parse("a,b\n".as_bytes()),
            Err(EpssError::Header)
        ));
        assert!(matches!(
            EpssTable::parse("".as_bytes()),
            Err(EpssError::Header)
        ));
    }
}

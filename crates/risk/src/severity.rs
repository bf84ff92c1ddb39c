//! The severity of a finding, from its records.

use patchgate_cvss::{Vector, VectorError, Version};
use patchgate_model::{
    Advisory, EcosystemName, EnvironmentalScore, Level, ReportedSeverity, Severity,
};

use crate::profile::Profile;

/// Base metrics by version of CVSS.
const BASE_V2: &[&str] = &["AV", "AC", "Au", "C", "I", "A"];
const BASE_V3: &[&str] = &["AV", "AC", "PR", "UI", "S", "C", "I", "A"];
const BASE_V4: &[&str] = &[
    "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
];

/// The severity that the records state for a package.
///
/// In each record, the severity of the package's own entry takes precedence over that of the whole
/// record. Then, over all records of the vulnerability:
///
/// 1. the highest base score of the CVSS v3 and v4 vectors, in v4 with the threat metrics: databases
///    disagree, and the lower figure is not a reason to wait;
/// 2. else the highest base score of the CVSS v2 vectors, which use another scale;
/// 3. else [`Level::Critical`] for a record of a malicious release (`MAL-…`);
/// 4. else [`Level::Informational`] when every record says `unmaintained` or `notice`;
/// 5. else the highest severity word;
/// 6. else [`Level::Unknown`], also for `unsound` records without a vector.
#[must_use]
pub fn severity(advisories: &[&Advisory], ecosystem: EcosystemName, name: &str) -> Severity {
    let stated: Vec<&ReportedSeverity> = advisories
        .iter()
        .flat_map(|advisory| stated_for(advisory, ecosystem, name))
        .collect();
    let mut best: Option<(bool, f64, &str)> = None;
    for reported in &stated {
        if let Some((current, score)) = base_score(&reported.value) {
            let candidate = (current, score, reported.value.trim());
            // The smaller text breaks a tie, so that the order of records makes no difference.
            let better = best.is_none_or(|(a, b, text)| {
                (a, b)
                    .partial_cmp(&(current, score))
                    .is_none_or(|order| order.is_lt() || (order.is_eq() && candidate.2 < text))
            });

            if better {
                best = Some(candidate);
            }
        }
    }

    if let Some((_, score, vector)) = best {
        return Severity {
            level: band(score),
            cvss_score: Some(score),
            cvss_vector: Some(vector.to_owned()),
        };
    }

    Severity {
        level: level_without_vector(advisories, &stated),
        cvss_score: None,
        cvss_vector: None,
    }
}

fn level_without_vector(advisories: &[&Advisory], stated: &[&ReportedSeverity]) -> Level {
    if advisories.iter().any(|a| a.id.starts_with("MAL-")) {
        return Level::Critical;
    }

    let states_none = |advisory: &&Advisory| {
        matches!(
            advisory.informational.as_deref(),
            Some("unmaintained" | "notice")
        )
    };
    if !advisories.is_empty() && advisories.iter().all(states_none) {
        return Level::Informational;
    }

    let words = advisories
        .iter()
        .filter_map(|advisory| advisory.severity_word.as_deref())
        .chain(stated.iter().map(|reported| reported.value.as_str()));
    words
        .filter_map(level_of_word)
        .max()
        .unwrap_or(Level::Unknown)
}

/// The severities that a record states for the package: those of the package's entry if one of them
/// is usable, otherwise those of the whole record.
fn stated_for<'a>(
    advisory: &'a Advisory,
    ecosystem: EcosystemName,
    name: &str,
) -> impl Iterator<Item = &'a ReportedSeverity> {
    let of_package: Vec<&ReportedSeverity> = advisory
        .affected
        .iter()
        .filter(|affected| affected.ecosystem == ecosystem && same_name(&affected.name, name))
        .flat_map(|affected| &affected.severity)
        .filter(|reported| is_usable(reported))
        .collect();

    if of_package.is_empty() {
        advisory.severity.iter().collect::<Vec<_>>().into_iter()
    } else {
        of_package.into_iter()
    }
}

fn is_usable(reported: &ReportedSeverity) -> bool {
    base_score(&reported.value).is_some() || level_of_word(&reported.value).is_some()
}

/// Compares names without case and separators. The records already belong to one package; a record
/// may only spell its name differently (`Foo.Bar` and `foo-bar`).
fn same_name(a: &str, b: &str) -> bool {
    let fold = |c: char| match c {
        '_' | '.' => '-',
        other => other.to_ascii_lowercase(),
    };
    a.chars().map(fold).eq(b.chars().map(fold))
}

/// The vector that a record states. Records write vectors in ways that the specification does not
/// know: in parentheses (NVD, v2), with a `/` at the end, with a metric of another version. What is
/// certain is repaired; a vector with an unknown base metric or value is none.
pub(crate) fn vector(text: &str) -> Option<Vector> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || "()/".contains(c));
    if text.len() > patchgate_cvss::MAX_BYTES {
        return None;
    }

    match text.parse() {
        Ok(vector) => Some(vector),
        Err(
            VectorError::UnknownMetric { .. }
            | VectorError::UnknownValue { .. }
            | VectorError::Malformed(_)
            | VectorError::EmptyMetric,
        ) => base_metrics(text)?.parse().ok(),
        Err(_) => None,
    }
}

/// The text without metrics that are none of the base metrics of its version.
fn base_metrics(text: &str) -> Option<String> {
    let (prefix, base) = match text.get(..9) {
        Some("CVSS:4.0/") => ("CVSS:4.0/", BASE_V4),
        Some("CVSS:3.1/") => ("CVSS:3.1/", BASE_V3),
        Some("CVSS:3.0/") => ("CVSS:3.0/", BASE_V3),
        _ => ("", BASE_V2),
    };
    let metrics = text.strip_prefix(prefix)?.split('/');
    let kept: Vec<&str> = metrics
        .filter(|metric| {
            let name = metric.split(':').next().unwrap_or_default();
            base.contains(&name)
        })
        .collect();
    Some(format!("{prefix}{}", kept.join("/")))
}

/// The base score of a vector, and whether the vector is of CVSS v3 or v4. `None` when it cannot be
/// parsed. In v4 the threat metrics count (specification, section 1.3, "CVSS-BT":
/// <https://www.first.org/cvss/v4.0/specification-document#Nomenclature>), because v4 has no score of
/// its own for them.
fn base_score(text: &str) -> Option<(bool, f64)> {
    let vector = vector(text)?;
    let score = counted(vector).scores().overall;
    Some((vector.version() != Version::V2, score))
}

/// The vector with the metrics that count: the base ones, and in v4 the threat ones.
pub(crate) fn counted(vector: Vector) -> Vector {
    match vector.version() {
        Version::V40 => vector.without_environment(),
        Version::V2 | Version::V30 | Version::V31 => vector.base(),
    }
}

/// The score with the environmental metrics of a profile; `None` when no metric follows from it.
pub(crate) fn environmental(vector: Vector, profile: &Profile) -> Option<EnvironmentalScore> {
    let counted = counted(vector);
    let changed = profile.environmental(counted);
    (changed != counted).then(|| EnvironmentalScore {
        score: changed.scores().overall,
        vector: changed.to_string(),
    })
}

/// The band of a CVSS score: section 5 of the CVSS v3.1 specification
/// (<https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale>).
/// v2 scores, which have no band "critical" of their own, use the same bands.
#[must_use]
pub fn band(score: f64) -> Level {
    match score {
        s if s >= 9.0 => Level::Critical,
        s if s >= 7.0 => Level::High,
        s if s >= 4.0 => Level::Medium,
        s if s > 0.0 => Level::Low,
        _ => Level::None,
    }
}

/// The CVSS score that is assumed for a level without a vector: the middle of its band. For an unknown
/// level it is the lower end of "high", because thresholds count it as high.
#[must_use]
pub fn midpoint(level: Level) -> f64 {
    match level {
        Level::Informational | Level::None => 0.0,
        Level::Low => 2.0,
        Level::Medium => 5.5,
        Level::Unknown => 7.0,
        Level::High => 8.0,
        Level::Critical => 9.5,
    }
}

/// The level for a database's own word. Red Hat writes `important`, GitHub `moderate`, Ubuntu
/// `negligible` and Debian `unimportant`.
fn level_of_word(word: &str) -> Option<Level> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "critical" => Level::Critical,
        "high" | "important" => Level::High,
        "medium" | "moderate" => Level::Medium,
        "low" | "minor" | "negligible" | "unimportant" => Level::Low,
        "none" => Level::None,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use patchgate_model::Affected;

    use super::*;

    fn advisory(vectors: &[&str]) -> Advisory {
        Advisory {
            id: "GHSA-x".into(),
            aliases: Vec::new(),
            summary: String::new(),
            details: String::new(),
            modified: None,
            published: None,
            withdrawn: None,
            severity: vectors.iter().map(|v| reported(v)).collect(),
            affected: Vec::new(),
            references: Vec::new(),
            cwes: Vec::new(),
            severity_word: None,
            informational: None,
            database_specific: None,
        }
    }

    fn reported(value: &str) -> ReportedSeverity {
        ReportedSeverity {
            kind: "CVSS_V3".into(),
            value: value.into(),
        }
    }

    fn of(advisory: &Advisory) -> Severity {
        severity(&[advisory], EcosystemName::new("npm"), "a")
    }

    const V3_CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    const V3_LOW: &str = "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
    const V2: &str = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
    const V4: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";

    #[test]
    fn scores_each_version() {
        // Scores as the calculators of FIRST and NVD give them.
        for (vector, score) in [(V3_CRITICAL, 9.8), (V3_LOW, 1.8), (V2, 10.0), (V4, 9.3)] {
            assert_eq!(of(&advisory(&[vector])).cvss_score, Some(score), "{vector}");
        }
    }

    #[test]
    fn accepts_parentheses_and_a_trailing_slash() {
        for vector in [format!("({V2})"), format!("{V2}/"), format!(" ({V2}/) ")] {
            let severity = of(&advisory(&[&vector]));
            assert_eq!(severity.cvss_score, Some(10.0), "{vector}");
        }
    }

    #[test]
    fn leaves_out_the_temporal_metrics_of_version_three() {
        let vector = format!("{V3_CRITICAL}/E:U/RL:O/RC:U");
        assert_eq!(of(&advisory(&[&vector])).cvss_score, Some(9.8));
    }

    #[test]
    fn the_highest_current_vector_wins_over_version_two() {
        let severity = of(&advisory(&[V2, V3_LOW]));
        assert_eq!(
            (severity.level, severity.cvss_score),
            (Level::Low, Some(1.8))
        );
        let severity = of(&advisory(&[V3_LOW, V4, V3_CRITICAL]));
        assert_eq!(severity.cvss_score, Some(9.8));
    }

    #[test]
    fn the_packages_own_figure_goes_before_the_records() {
        let mut record = advisory(&[V3_CRITICAL]);
        record.affected.push(Affected {
            ecosystem: "npm".into(),
            distribution: None,
            name: "A".into(),
            ranges: Vec::new(),
            versions: Vec::new(),
            severity: vec![reported(V3_LOW)],
            ecosystem_specific: None,
            database_specific: None,
        });

        assert_eq!(of(&record).level, Level::Low);
        assert_eq!(
            severity(&[&record], EcosystemName::new("npm"), "b").level,
            Level::Critical
        );
    }

    #[test]
    fn counts_the_threat_metrics_of_version_four() {
        let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        assert_eq!(of(&advisory(&[v4])).cvss_score, Some(9.3));
        let unreported = of(&advisory(&[&format!("{v4}/E:U")]));
        assert_eq!(
            (unreported.cvss_score, unreported.level),
            (Some(8.1), Level::High)
        );
    }

    #[test]
    fn words_stand_in_for_vectors() {
        let mut record = advisory(&["CVSS:3.1/nonsense"]);
        assert_eq!(of(&record).level, Level::Unknown);
        record.severity_word = Some("MODERATE".into());
        assert_eq!(of(&record).level, Level::Medium);
        assert_eq!(of(&advisory(&["important"])).level, Level::High);
    }

    #[test]
    fn informational_records_are_told_apart() {
        let mut record = advisory(&[]);
        for (word, level) in [
            ("unmaintained", Level::Informational),
            ("notice", Level::Informational),
            ("unsound", Level::Unknown),
        ] {
            record.informational = Some(word.into());
            assert_eq!(of(&record).level, level, "{word}");
        }

        record.id = "MAL-2024-1".into();
        assert_eq!(of(&record).level, Level::Critical);
    }

    #[test]
    fn bands_are_those_of_the_specification() {
        for (score, level) in [
            (0.0, Level::None),
            (0.1, Level::Low),
            (3.9, Level::Low),
            (4.0, Level::Medium),
            (6.9, Level::Medium),
            (7.0, Level::High),
            (8.9, Level::High),
            (9.0, Level::Critical),
        ] {
            assert_eq!(band(score), level, "{score}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in ".{0,80}") {
            let _ = of(&advisory(&[&text]));
        }

        #[test]
        fn the_order_of_records_is_no_matter(mut vectors in proptest::sample::subsequence(vec![V3_CRITICAL, V3_LOW, V2, V4], 0..=4)) {
            let forward = of(&advisory(&vectors));
            vectors.reverse();
            proptest::prop_assert_eq!(forward, of(&advisory(&vectors)));
        }
    }
}

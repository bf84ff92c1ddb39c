//! Version ranges in a subset of `vers` (<https://github.com/package-url/vers-spec>).
//!
//! The subset is `*`, or comparisons without `!=`, in ascending order and without overlap. Any other
//! range becomes [`Versions::Unknown`], which contains no version.

use std::cmp::Ordering;

use patchgate_ecosystems::Ecosystem;
use patchgate_model::{Event, EventKind, Range, RangeKind};
use percent_encoding::percent_decode_str;

use crate::version_eq::same_version;

/// Most comparisons in one range.
const MAX_COMPARISONS: usize = 1_000;

/// A set of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Versions {
    /// Every version of the package.
    #[default]
    Any,
    /// Exactly one version, compared by the ecosystem's rules.
    One(String),
    /// The versions in a range.
    Range(Vers),
    /// A range that is not supported, as text. No version is certainly in it, nor certainly outside.
    Unknown(String),
}

/// A version range of the supported subset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vers {
    kind: String,
    spans: Vec<Span>,
}

/// Versions between two bounds, each with whether it is included. A bound that is `None` is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Span {
    from: Option<(String, bool)>,
    to: Option<(String, bool)>,
}

impl Versions {
    /// Reads a range. A text outside of the supported subset becomes [`Versions::Unknown`].
    ///
    /// ```
    /// use patchgate_vex::Versions;
    ///
    /// assert!(matches!(Versions::range("vers:npm/>=1.0.0|<2.0.0"), Versions::Range(_)));
    /// assert!(matches!(Versions::range("before 2.0.0"), Versions::Unknown(_)));
    /// ```
    #[must_use]
    pub fn range(text: &str) -> Self {
        match parse(text) {
            Some(vers) => Self::Range(vers),
            None => Self::Unknown(text.chars().take(200).collect()),
        }
    }

    /// Whether the set certainly contains a version.
    pub(crate) fn contain(
        &self,
        ecosystem: Option<&'static dyn Ecosystem>,
        kind: &str,
        version: &str,
    ) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => same_version(ecosystem, one, version),
            Self::Range(vers) => {
                vers.kind == kind
                    && ecosystem.is_some_and(|ecosystem| vers.contains(ecosystem, version))
            }
            Self::Unknown(_) => false,
        }
    }
}

impl Vers {
    /// Whether a version is within the range; false also if it cannot be compared.
    fn contains(&self, ecosystem: &dyn Ecosystem, version: &str) -> bool {
        let compare = |other: &str| ecosystem.compare_versions(version, other).ok();
        // The specification requires ascending order. The meaning of any other order is unclear.
        if !self.is_ascending(ecosystem) {
            return false;
        }

        self.spans.iter().any(|span| {
            let above = match &span.from {
                None => Some(true),
                Some((from, inclusive)) => compare(from).map(|order| {
                    order == Ordering::Greater || *inclusive && order == Ordering::Equal
                }),
            };
            let below = match &span.to {
                None => Some(true),
                Some((to, inclusive)) => compare(to)
                    .map(|order| order == Ordering::Less || *inclusive && order == Ordering::Equal),
            };

            above == Some(true) && below == Some(true)
        })
    }

    fn is_ascending(&self, ecosystem: &dyn Ecosystem) -> bool {
        let ends: Vec<&str> = self
            .spans
            .iter()
            .flat_map(|span| [&span.from, &span.to])
            .flatten()
            .map(|(version, _)| version.as_str())
            .collect();

        ends.windows(2).all(|pair| match pair {
            [a, b] => matches!(
                ecosystem.compare_versions(a, b),
                Ok(Ordering::Less | Ordering::Equal)
            ),
            _ => true,
        })
    }

    /// The same range as ranges of an advisory, and the single versions that it lists. `None` if a
    /// bound has no corresponding OSV event, or the range is for another type of package.
    pub(crate) fn to_osv(
        &self,
        ecosystem: &dyn Ecosystem,
        kind: &str,
    ) -> Option<(Vec<Range>, Vec<String>)> {
        if self.kind != kind || !self.is_ascending(ecosystem) {
            return None;
        }

        let mut ranges = Vec::new();
        let mut listed = Vec::new();
        for span in &self.spans {
            let from = match &span.from {
                None => "0",
                Some((version, true)) => version,
                Some((_, false)) => return None,
            };
            let to = match &span.to {
                Some((version, true)) if version == from => {
                    listed.push(version.clone());
                    continue;
                }
                Some((version, true)) => Some((EventKind::LastAffected, version)),
                Some((version, false)) => Some((EventKind::Fixed, version)),
                None => None,
            };

            let mut events = vec![Event {
                kind: EventKind::Introduced,
                version: from.into(),
            }];
            events.extend(to.map(|(kind, version)| Event {
                kind,
                version: version.into(),
            }));
            ranges.push(Range {
                kind: RangeKind::Ecosystem,
                repo: None,
                events,
            });
        }

        Some((ranges, listed))
    }
}

/// Reads a range such as `vers:npm/>=1.0.0|<2.0.0`; `None` for one outside of the subset.
fn parse(text: &str) -> Option<Vers> {
    let (kind, constraints) = text.trim().strip_prefix("vers:")?.split_once('/')?;
    let mut spans = Vec::new();
    let mut open: Option<Span> = None;
    let constraints: Vec<&str> = constraints.split('|').map(str::trim).collect();
    if constraints.len() > MAX_COMPARISONS {
        return None;
    }

    for (index, constraint) in constraints.iter().enumerate() {
        if *constraint == "*" {
            if constraints.len() != 1 {
                return None;
            }
            spans.push(Span::default());
            continue;
        }

        let (comparator, version) = comparison(constraint)?;
        let end = Some((version.clone(), comparator.ends_with('=')));

        match comparator {
            "=" if open.is_none() => spans.push(Span {
                from: end.clone(),
                to: end,
            }),
            ">" | ">=" if open.is_none() => {
                open = Some(Span {
                    from: end,
                    to: None,
                });
            }
            "<" | "<=" => match open.take() {
                Some(span) => spans.push(Span { to: end, ..span }),
                // Only the first comparison can be an upper bound without a lower one.
                None if index == 0 => spans.push(Span {
                    from: None,
                    to: end,
                }),
                None => return None,
            },
            _ => return None,
        }
    }

    spans.extend(open);
    Some(Vers {
        kind: kind.trim().to_ascii_lowercase(),
        spans,
    })
}

/// The comparator (`=` if none is written) and the decoded version.
fn comparison(text: &str) -> Option<(&'static str, String)> {
    const COMPARATORS: [&str; 6] = ["!=", ">=", "<=", ">", "<", "="];

    let (comparator, version) = COMPARATORS
        .iter()
        .find_map(|known| Some((*known, text.strip_prefix(known)?)))
        .unwrap_or(("=", text));
    let version = version.trim();
    let is_plain = !version.is_empty()
        && !version
            .chars()
            .any(|c| c.is_whitespace() || matches!(c, '<' | '>' | '=' | '!' | '*' | '|' | ','));

    is_plain.then(|| {
        let version = percent_decode_str(version).decode_utf8_lossy();
        (comparator, version.into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, version: &str) -> bool {
        let npm = patchgate_ecosystems::by_name("npm");
        Versions::range(range).contain(npm, "npm", version)
    }

    #[test]
    fn a_range_contains_the_versions_between_its_bounds() {
        for (range, inside, outside) in [
            ("vers:npm/*", &["0.0.1", "9.0.0"][..], &[][..]),
            ("vers:npm/1.0.0", &["1.0.0"], &["1.0.1", "0.9.0"]),
            ("vers:npm/1.0.0|2.0.0", &["1.0.0", "2.0.0"], &["1.5.0"]),
            ("vers:npm/<2.0.0", &["1.9.9", "0.1.0"], &["2.0.0"]),
            ("vers:npm/<=2.0.0", &["2.0.0"], &["2.0.1"]),
            ("vers:npm/>1.0.0", &["1.0.1", "9.0.0"], &["1.0.0"]),
            (
                "vers:npm/>=1.0.0|<1.5.0|>=2.0.0|<=2.1.0",
                &["1.0.0", "1.4.9", "2.0.0", "2.1.0"],
                &["0.9.9", "1.5.0", "1.9.0", "2.1.1"],
            ),
            (
                "vers:npm/<1.0.0|>=2.0.0",
                &["0.9.0", "2.0.0", "3.0.0"],
                &["1.0.0", "1.9.0"],
            ),
            ("vers:npm/>=1.0.0%2Dbeta|<2.0.0", &["1.0.0"], &["0.9.0"]),
        ] {
            for version in inside {
                assert!(contains(range, version), "{version} in {range}");
            }
            for version in outside {
                assert!(!contains(range, version), "{version} not in {range}");
            }
        }
    }

    #[test]
    fn an_unsupported_range_contains_no_version() {
        for range in [
            "",
            "<2.0.0",
            "vers:npm/",
            "vers:npm",
            "vers:pypi/<2.0.0",
            "vers:npm/!=1.0.0",
            "vers:npm/>=1.0.0|!=1.2.0|<2.0.0",
            "vers:npm/>=1.0.0|>=1.1.0",
            "vers:npm/<1.0.0|<2.0.0",
            "vers:npm/<2.0.0|>=1.0.0",
            "vers:npm/>=1.0.0|*",
            "vers:npm/>=not a version",
            "vers:npm/>=zzz|<2.0.0",
        ] {
            assert!(!contains(range, "1.2.0"), "{range}");
            assert!(!contains(range, "1.0.0"), "{range}");
        }
    }
}

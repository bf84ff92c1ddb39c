//! Sets of versions: the versions that a requirement admits, and those that an advisory affects.
//!
//! A set is a union of intervals in the order of an ecosystem. Most package managers choose a
//! pre-release only where the requirement asks for one, so an interval also has a rule about
//! pre-releases.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Bound;

use patchgate_model::{Event, EventKind, Range, SmolStr};

use crate::{Ecosystem, VersionError};

/// A set of versions of one ecosystem.
///
/// The operations take the ecosystem, whose order they use. They fail if a bound is not a version of
/// it.
///
/// ```
/// use patchgate_ecosystems::{VersionSet, by_name};
///
/// let npm = by_name("npm").unwrap();
/// let admitted = npm.admitted_versions("^1.2.0").unwrap();
/// assert!(admitted.contains(npm, "1.9.0").unwrap());
/// assert!(!admitted.contains(npm, "2.0.0").unwrap());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionSet {
    /// The intervals, in any order. They may overlap.
    pub intervals: Vec<Interval>,
}

/// All versions between two bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// The lower bound.
    pub lower: Bound<SmolStr>,
    /// The upper bound.
    pub upper: Bound<SmolStr>,
    /// The pre-releases among them that belong to the interval.
    pub prereleases: Prereleases,
}

/// The pre-releases that an interval contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prereleases {
    /// All that are between the bounds.
    All,
    /// Only those of these releases: with `1.2.0`, `1.2.0-rc.1` and its like. An empty list
    /// excludes every pre-release.
    Of(Vec<SmolStr>),
}

impl Interval {
    /// An interval with these bounds and all pre-releases between them.
    #[must_use]
    pub fn new(lower: Bound<SmolStr>, upper: Bound<SmolStr>) -> Self {
        Self {
            lower,
            upper,
            prereleases: Prereleases::All,
        }
    }

    /// The interval of one version.
    #[must_use]
    pub fn exactly(version: &str) -> Self {
        let bound = Bound::Included(SmolStr::new(version));
        Self::new(bound.clone(), bound)
    }

    /// The interval from a version upwards.
    #[must_use]
    pub fn at_least(version: &str) -> Self {
        Self::new(Bound::Included(version.into()), Bound::Unbounded)
    }

    /// The interval of all versions below a version.
    #[must_use]
    pub fn below(version: &str) -> Self {
        Self::new(Bound::Unbounded, Bound::Excluded(version.into()))
    }

    /// The interval from a version upwards, below another.
    #[must_use]
    pub fn between(lower: &str, upper: &str) -> Self {
        Self::new(Bound::Included(lower.into()), Bound::Excluded(upper.into()))
    }

    /// The interval with another rule about pre-releases.
    #[must_use]
    pub fn with_prereleases(self, prereleases: Prereleases) -> Self {
        Self {
            prereleases,
            ..self
        }
    }

    fn contains(&self, order: &dyn Ecosystem, version: &str) -> Result<bool, VersionError> {
        let above = match &self.lower {
            Bound::Unbounded => true,
            Bound::Included(bound) => order.compare_versions(version, bound)?.is_ge(),
            Bound::Excluded(bound) => order.compare_versions(version, bound)?.is_gt(),
        };
        let below = match &self.upper {
            Bound::Unbounded => true,
            Bound::Included(bound) => order.compare_versions(version, bound)?.is_le(),
            Bound::Excluded(bound) => order.compare_versions(version, bound)?.is_lt(),
        };

        Ok(above && below && self.prereleases.contain(order, version)?)
    }

    fn intersection(
        &self,
        order: &dyn Ecosystem,
        other: &Self,
    ) -> Result<Option<Self>, VersionError> {
        let common = Self {
            lower: higher(order, &self.lower, &other.lower)?.clone(),
            upper: lower(order, &self.upper, &other.upper)?.clone(),
            prereleases: self.prereleases.intersection(order, &other.prereleases)?,
        };
        Ok((!common.is_empty(order)?).then_some(common))
    }

    /// The parts below and above another interval.
    fn difference(&self, order: &dyn Ecosystem, other: &Self) -> Result<Vec<Self>, VersionError> {
        // The other interval lacks pre-releases that this one may have. An interval of only these
        // cannot be expressed, so nothing is taken away.
        if !self.prereleases.is_within(order, &other.prereleases)? {
            return Ok(vec![self.clone()]);
        }

        let mut parts = Vec::new();
        if let Some(upper) = complement(&other.lower) {
            parts.push(Self {
                upper: lower(order, &self.upper, &upper)?.clone(),
                ..self.clone()
            });
        }
        if let Some(bound) = complement(&other.upper) {
            parts.push(Self {
                lower: higher(order, &self.lower, &bound)?.clone(),
                ..self.clone()
            });
        }

        let mut left = Vec::new();
        for part in parts {
            if !part.is_empty(order)? {
                left.push(part);
            }
        }
        Ok(left)
    }

    /// Whether no version can be in the interval. An interval between two versions that have no
    /// version between them counts as not empty, because an order does not say so.
    fn is_empty(&self, order: &dyn Ecosystem) -> Result<bool, VersionError> {
        let (
            Bound::Included(low) | Bound::Excluded(low),
            Bound::Included(high) | Bound::Excluded(high),
        ) = (&self.lower, &self.upper)
        else {
            return Ok(false);
        };

        match order.compare_versions(low, high)? {
            Ordering::Greater => return Ok(true),
            Ordering::Equal => {
                let is_point = matches!(
                    (&self.lower, &self.upper),
                    (Bound::Included(_), Bound::Included(_))
                );
                return Ok(!is_point || !self.prereleases.contain(order, low)?);
            }
            Ordering::Less => {}
        }

        // From a pre-release up to its release there are only pre-releases of it.
        let Some(release) = order.release_of(low) else {
            return Ok(false);
        };
        if self.prereleases.contain(order, low)? {
            return Ok(false);
        }
        let reaches_release = match &self.upper {
            Bound::Included(high) => order.compare_versions(high, &release)?.is_ge(),
            _ => order.compare_versions(high, &release)?.is_gt(),
        };
        Ok(!reaches_release)
    }
}

impl Prereleases {
    fn contain(&self, order: &dyn Ecosystem, version: &str) -> Result<bool, VersionError> {
        let (Self::Of(releases), Some(release)) = (self, order.release_of(version)) else {
            return Ok(true);
        };

        lists(order, releases, &release)
    }

    fn intersection(&self, order: &dyn Ecosystem, other: &Self) -> Result<Self, VersionError> {
        Ok(match (self, other) {
            (Self::All, rule) | (rule, Self::All) => rule.clone(),
            (Self::Of(releases), Self::Of(others)) => {
                let mut both = Vec::new();
                for release in releases {
                    if lists(order, others, release)? {
                        both.push(release.clone());
                    }
                }
                Self::Of(both)
            }
        })
    }

    /// Whether the other rule leaves out no pre-release that this one has.
    fn is_within(&self, order: &dyn Ecosystem, other: &Self) -> Result<bool, VersionError> {
        Ok(match (self, other) {
            (_, Self::All) => true,
            (Self::All, Self::Of(_)) => false,
            (Self::Of(releases), Self::Of(others)) => {
                for release in releases {
                    if !lists(order, others, release)? {
                        return Ok(false);
                    }
                }
                true
            }
        })
    }
}

/// Whether a version is in a list.
fn lists(order: &dyn Ecosystem, releases: &[SmolStr], version: &str) -> Result<bool, VersionError> {
    for release in releases {
        if order.compare_versions(release, version)?.is_eq() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The bound of what an interval with this bound leaves out.
fn complement(bound: &Bound<SmolStr>) -> Option<Bound<SmolStr>> {
    match bound {
        Bound::Unbounded => None,
        Bound::Included(version) => Some(Bound::Excluded(version.clone())),
        Bound::Excluded(version) => Some(Bound::Included(version.clone())),
    }
}

/// The lower bound that admits fewer versions.
fn higher<'a>(
    order: &dyn Ecosystem,
    a: &'a Bound<SmolStr>,
    b: &'a Bound<SmolStr>,
) -> Result<&'a Bound<SmolStr>, VersionError> {
    narrower(order, a, b, Ordering::Greater)
}

/// The upper bound that admits fewer versions.
fn lower<'a>(
    order: &dyn Ecosystem,
    a: &'a Bound<SmolStr>,
    b: &'a Bound<SmolStr>,
) -> Result<&'a Bound<SmolStr>, VersionError> {
    narrower(order, a, b, Ordering::Less)
}

fn narrower<'a>(
    order: &dyn Ecosystem,
    a: &'a Bound<SmolStr>,
    b: &'a Bound<SmolStr>,
    direction: Ordering,
) -> Result<&'a Bound<SmolStr>, VersionError> {
    let version = |bound: &'a Bound<SmolStr>| match bound {
        Bound::Unbounded => None,
        Bound::Included(version) | Bound::Excluded(version) => Some(version),
    };
    let (Some(of_a), Some(of_b)) = (version(a), version(b)) else {
        return Ok(if version(a).is_none() { b } else { a });
    };

    let order = order.compare_versions(of_a, of_b)?;
    let a_wins = order == direction || (order.is_eq() && matches!(a, Bound::Excluded(_)));
    Ok(if a_wins { a } else { b })
}

impl VersionSet {
    /// The set of all versions, pre-releases included.
    #[must_use]
    pub fn all() -> Self {
        Self::from(Interval::new(Bound::Unbounded, Bound::Unbounded))
    }

    /// The versions that an advisory's range affects, by the evaluation algorithm of the OSV schema
    /// (<https://ossf.github.io/osv-schema/#evaluation>).
    ///
    /// # Errors
    /// If an event is not a version of the ecosystem.
    pub fn of_range(order: &dyn Ecosystem, range: &Range) -> Result<Self, VersionError> {
        let mut limit: Option<Bound<SmolStr>> = None;
        let mut events: Vec<&Event> = Vec::new();
        for event in &range.events {
            if event.kind != EventKind::Limit {
                events.push(event);
                continue;
            }

            let bound = match event.version.as_str() {
                "*" => Bound::Unbounded,
                version => {
                    order.compare_versions(version, version)?;
                    Bound::Excluded(version.into())
                }
            };
            // A version below any limit is inside.
            limit = Some(match limit {
                None => bound,
                Some(known) if *lower(order, &known, &bound)? == known => bound,
                Some(known) => known,
            });
        }
        sort(order, &mut events)?;

        let mut set = Self::default();
        let mut open: Option<Bound<SmolStr>> = None;
        for event in events {
            let end = match event.kind {
                EventKind::Introduced if is_start(event) => {
                    open.get_or_insert(Bound::Unbounded);
                    continue;
                }
                EventKind::Introduced => {
                    open.get_or_insert(Bound::Included(event.version.clone()));
                    continue;
                }
                EventKind::LastAffected => Bound::Included(event.version.clone()),
                EventKind::Fixed | EventKind::Limit => Bound::Excluded(event.version.clone()),
            };
            if let Some(start) = open.take() {
                set.intervals.push(Interval::new(start, end));
            }
        }
        if let Some(start) = open {
            set.intervals.push(Interval::new(start, Bound::Unbounded));
        }

        match limit {
            None => Ok(set),
            Some(upper) => {
                let limit = Self::from(Interval::new(Bound::Unbounded, upper));
                set.intersection(order, &limit)
            }
        }
    }

    /// Whether a version is in the set.
    ///
    /// # Errors
    /// If the version or a bound is not a version of the ecosystem.
    pub fn contains(&self, order: &dyn Ecosystem, version: &str) -> Result<bool, VersionError> {
        for interval in &self.intervals {
            if interval.contains(order, version)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The versions that are in both sets.
    ///
    /// # Errors
    /// If a bound is not a version of the ecosystem.
    pub fn intersection(&self, order: &dyn Ecosystem, other: &Self) -> Result<Self, VersionError> {
        let mut intervals = Vec::new();
        for interval in &self.intervals {
            for other in &other.intervals {
                intervals.extend(interval.intersection(order, other)?);
            }
        }
        Ok(Self { intervals })
    }

    /// The versions that are not in the other set. An interval of the other set takes nothing away
    /// from one with more pre-releases, so the difference may be too large, but is never too small.
    ///
    /// # Errors
    /// If a bound is not a version of the ecosystem.
    pub fn difference(&self, order: &dyn Ecosystem, other: &Self) -> Result<Self, VersionError> {
        let mut intervals = Vec::new();
        for interval in &self.intervals {
            if !interval.is_empty(order)? {
                intervals.push(interval.clone());
            }
        }

        for other in &other.intervals {
            let mut left = Vec::new();
            for interval in &intervals {
                left.extend(interval.difference(order, other)?);
            }
            intervals = left;
        }
        Ok(Self { intervals })
    }

    /// Whether the set has no versions. `false` also for an interval in which no version happens to
    /// exist.
    ///
    /// # Errors
    /// If a bound is not a version of the ecosystem.
    pub fn is_empty(&self, order: &dyn Ecosystem) -> Result<bool, VersionError> {
        for interval in &self.intervals {
            if !interval.is_empty(order)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether all versions of the set are in the other one.
    ///
    /// # Errors
    /// If a bound is not a version of the ecosystem.
    pub fn is_subset(&self, order: &dyn Ecosystem, other: &Self) -> Result<bool, VersionError> {
        Ok(self.difference(order, other)?.intervals.is_empty())
    }

    /// The same set as disjoint intervals in ascending order, for display.
    ///
    /// # Errors
    /// If a bound is not a version of the ecosystem.
    pub fn merged(&self, order: &dyn Ecosystem) -> Result<Self, VersionError> {
        let mut left = Vec::new();
        for interval in &self.intervals {
            if !interval.is_empty(order)? {
                left.push(interval.clone());
            }
        }

        let mut failed = None;
        left.sort_by(|a, b| match compare_lower(order, &a.lower, &b.lower) {
            Ok(order) => order,
            Err(error) => {
                failed = Some(error);
                Ordering::Equal
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }

        let mut merged: Vec<Interval> = Vec::with_capacity(left.len());
        for interval in left {
            match merged.last_mut() {
                Some(last)
                    if last.prereleases == interval.prereleases
                        && touches(order, &last.upper, &interval.lower)? =>
                {
                    if *lower(order, &last.upper, &interval.upper)? == last.upper {
                        last.upper = interval.upper;
                    }
                }
                _ => merged.push(interval),
            }
        }
        Ok(Self { intervals: merged })
    }
}

fn compare_lower(
    order: &dyn Ecosystem,
    a: &Bound<SmolStr>,
    b: &Bound<SmolStr>,
) -> Result<Ordering, VersionError> {
    Ok(match (a, b) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Less,
        (_, Bound::Unbounded) => Ordering::Greater,
        (
            Bound::Included(of_a) | Bound::Excluded(of_a),
            Bound::Included(of_b) | Bound::Excluded(of_b),
        ) => {
            let is_excluded = |bound: &Bound<SmolStr>| matches!(bound, Bound::Excluded(_));
            order
                .compare_versions(of_a, of_b)?
                .then(is_excluded(a).cmp(&is_excluded(b)))
        }
    })
}

/// Whether no version lies between an interval with this upper bound and one with this lower bound.
fn touches(
    order: &dyn Ecosystem,
    upper: &Bound<SmolStr>,
    lower: &Bound<SmolStr>,
) -> Result<bool, VersionError> {
    Ok(match (upper, lower) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Excluded(upper), Bound::Excluded(lower)) => {
            order.compare_versions(lower, upper)?.is_lt()
        }
        (
            Bound::Included(upper) | Bound::Excluded(upper),
            Bound::Included(lower) | Bound::Excluded(lower),
        ) => order.compare_versions(lower, upper)?.is_le(),
    })
}

/// Whether an event starts before all versions.
fn is_start(event: &Event) -> bool {
    event.kind == EventKind::Introduced && event.version == "0"
}

/// Sorts the events of a range. At one version, `last_affected` comes last, because it ends what
/// begins there; otherwise the order of the record stays.
fn sort(order: &dyn Ecosystem, events: &mut [&Event]) -> Result<(), VersionError> {
    for event in events.iter().filter(|event| !is_start(event)) {
        order.compare_versions(&event.version, &event.version)?;
    }

    events.sort_by(|a, b| match (is_start(a), is_start(b)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        // All were compared above.
        (false, false) => order
            .compare_versions(&a.version, &b.version)
            .unwrap_or(Ordering::Equal)
            .then_with(|| {
                let is_last = |event: &Event| event.kind == EventKind::LastAffected;
                is_last(a).cmp(&is_last(b))
            }),
    });
    Ok(())
}

impl From<Interval> for VersionSet {
    fn from(interval: Interval) -> Self {
        Self {
            intervals: vec![interval],
        }
    }
}

impl FromIterator<Interval> for VersionSet {
    fn from_iter<I: IntoIterator<Item = Interval>>(intervals: I) -> Self {
        Self {
            intervals: intervals.into_iter().collect(),
        }
    }
}

/// In the notation of requirements: `>= 1.0.0, < 1.2.3`.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.lower, &self.upper) {
            (Bound::Unbounded, Bound::Unbounded) => return f.write_str("all versions"),
            (Bound::Included(a), Bound::Included(b)) if a == b => return write!(f, "= {a}"),
            _ => {}
        }

        match &self.lower {
            Bound::Unbounded => {}
            Bound::Included(version) => write!(f, ">= {version}")?,
            Bound::Excluded(version) => write!(f, "> {version}")?,
        }
        if self.lower != Bound::Unbounded && self.upper != Bound::Unbounded {
            f.write_str(", ")?;
        }
        match &self.upper {
            Bound::Unbounded => Ok(()),
            Bound::Included(version) => write!(f, "<= {version}"),
            Bound::Excluded(version) => write!(f, "< {version}"),
        }
    }
}

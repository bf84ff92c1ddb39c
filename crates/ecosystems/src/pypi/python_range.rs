//! Sets of versions of Python, as bounds of markers and of `requires-python` state them.

/// Most numbers of a version.
const MAX_NUMBERS: usize = 4;

/// A position between versions: before one or after it. Numbers have no zeros at their end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cut {
    numbers: Vec<u32>,
    is_after: bool,
}

impl Cut {
    fn before(numbers: &[u32]) -> Self {
        Self::new(numbers, false)
    }

    fn after(numbers: &[u32]) -> Self {
        Self::new(numbers, true)
    }

    fn new(numbers: &[u32], is_after: bool) -> Self {
        let mut numbers = numbers.to_vec();
        while numbers.len() > 1 && numbers.last() == Some(&0) {
            numbers.pop();
        }
        Self { numbers, is_after }
    }

    fn version(&self) -> String {
        let numbers: Vec<String> = self.numbers.iter().map(u32::to_string).collect();
        numbers.join(".")
    }
}

/// The versions between two positions; `None` for no bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interval {
    lower: Option<Cut>,
    upper: Option<Cut>,
}

impl Interval {
    pub(super) const ALL: Self = Self {
        lower: None,
        upper: None,
    };

    fn new(lower: Option<Cut>, upper: Option<Cut>) -> Self {
        Self { lower, upper }
    }

    fn and(&self, other: &Self) -> Option<Self> {
        // `None` is below every lower bound, but above every upper one.
        let lower = (&self.lower).max(&other.lower).clone();
        let upper = match (&self.upper, &other.upper) {
            (Some(one), Some(two)) => Some(one.min(two).clone()),
            (one, two) => one.as_ref().or(two.as_ref()).cloned(),
        };
        let is_empty = matches!((&lower, &upper), (Some(lower), Some(upper)) if lower >= upper);
        (!is_empty).then_some(Self { lower, upper })
    }

    /// The bounds as conditions of a marker.
    pub(super) fn conditions(&self, variable: &str) -> Vec<String> {
        if let (Some(lower), Some(upper)) = (&self.lower, &self.upper) {
            let is_one = lower.numbers == upper.numbers && !lower.is_after && upper.is_after;
            if is_one {
                return vec![format!("{variable} == '{}'", lower.version())];
            }
            if let ([major, minor], false, false) =
                (lower.numbers.as_slice(), lower.is_after, upper.is_after)
                && upper.numbers == [*major, minor.saturating_add(1)]
            {
                return vec![format!("{variable} == '{major}.{minor}.*'")];
            }
        }

        let lower = self.lower.iter().map(|lower| match lower.is_after {
            true => format!("{variable} > '{}'", lower.version()),
            false => format!("{variable} >= '{}'", lower.version()),
        });
        let upper = self.upper.iter().map(|upper| match upper.is_after {
            true => format!("{variable} <= '{}'", upper.version()),
            false => format!("{variable} < '{}'", upper.version()),
        });
        lower.chain(upper).collect()
    }
}

/// The versions in both sets.
pub(super) fn intersection(one: &[Interval], two: &[Interval]) -> Vec<Interval> {
    let mut all: Vec<Interval> = Vec::new();
    for left in one {
        all.extend(two.iter().filter_map(|right| left.and(right)));
    }
    sorted(all)
}

/// The versions in one of two sets.
pub(super) fn union(one: &[Interval], two: &[Interval]) -> Vec<Interval> {
    sorted([one, two].concat())
}

/// Sorted intervals; those that meet become one.
fn sorted(mut all: Vec<Interval>) -> Vec<Interval> {
    all.sort_by(|one, two| one.lower.cmp(&two.lower));
    let mut merged: Vec<Interval> = Vec::new();
    for next in all {
        match merged.last_mut() {
            Some(last) if last.upper.is_none() || last.upper >= next.lower => {
                if last.upper.is_some() && (next.upper.is_none() || next.upper > last.upper) {
                    last.upper = next.upper;
                }
            }
            _ => merged.push(next),
        }
    }
    merged
}

/// The versions of Python that a project supports: everything between two bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PythonRange(Interval);

impl PythonRange {
    /// Reads a `requires-python`. Versions that it excludes between its bounds do not count, as in uv.
    /// `None` if it cannot be read.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut range = Interval::ALL;
        for clause in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let end = clause.find(|c: char| !"<>=!~^".contains(c))?;
            let (operator, version) = clause.split_at(end);
            let version = version.trim();
            if operator == "!=" {
                continue;
            }
            let [interval] = <[Interval; 1]>::try_from(bounds(operator, version)?).ok()?;
            range = range.and(&interval)?;
        }
        Some(Self(range))
    }

    /// The part of the range that is in a set, if it is one.
    pub(super) fn within(&self, set: &[Interval]) -> Option<Self> {
        match intersection(&self.intervals(), set).as_slice() {
            [only] => Some(Self(only.clone())),
            _ => None,
        }
    }

    /// The range as a set.
    pub(super) fn intervals(&self) -> Vec<Interval> {
        vec![self.0.clone()]
    }

    /// Whether the lowest version of another range is in this one, or above it. uv ignores upper bounds
    /// of dependencies (<https://docs.astral.sh/uv/concepts/resolution/>).
    pub(super) fn starts_before(&self, other: &Self) -> bool {
        self.0.lower <= other.0.lower
    }

    /// A set without the bounds that the range implies.
    pub(super) fn relax(&self, set: &[Interval]) -> Vec<Interval> {
        set.iter()
            .map(|one| Interval {
                lower: one
                    .lower
                    .clone()
                    .filter(|lower| Some(lower) > self.0.lower.as_ref()),
                upper: one.upper.clone().filter(|upper| {
                    let own = self.0.upper.as_ref();
                    own.is_none_or(|own| upper < own)
                }),
            })
            .collect()
    }

    /// The versions of Python that a comparison in a marker admits. `python_version` has two numbers
    /// only.
    pub(super) fn comparison(operator: &str, value: &str, is_short: bool) -> Option<Vec<Interval>> {
        if operator == "in" {
            let values = value.split([' ', ',']).filter(|one| !one.is_empty());
            let mut all = Vec::new();
            for value in values {
                all.extend(Self::comparison("==", value, is_short)?);
            }
            return Some(sorted(all));
        }
        if !is_short || value.ends_with(".*") {
            return bounds(operator, value);
        }

        let [major, minor] = match numbers(value)?.as_slice() {
            [major] => [*major, 0],
            [major, minor] => [*major, *minor],
            _ => return None,
        };
        let (own, next) = (
            Cut::before(&[major, minor]),
            Cut::before(&[major, minor.checked_add(1)?]),
        );
        Some(match operator {
            "<" => vec![Interval::new(None, Some(own))],
            "<=" => vec![Interval::new(None, Some(next))],
            ">" => vec![Interval::new(Some(next), None)],
            ">=" => vec![Interval::new(Some(own), None)],
            "==" => vec![Interval::new(Some(own), Some(next))],
            "!=" => vec![
                Interval::new(None, Some(own)),
                Interval::new(Some(next), None),
            ],
            _ => return None,
        })
    }

    /// Whether `major.minor` is above the range's lower bound, or in it.
    pub(super) fn reaches(&self, major: u32, minor: u32) -> bool {
        let lower = self.0.lower.as_ref();
        lower.is_none_or(|lower| {
            let number = |at: usize| lower.numbers.get(at).copied().unwrap_or(0);
            (major, minor) >= (number(0), number(1))
        })
    }

    /// Whether `major.minor` is below the range's upper bound. `None` if the bound is not between two
    /// of these versions.
    pub(super) fn is_below_upper(&self, major: u32, minor: u32) -> Option<bool> {
        let Some(upper) = &self.0.upper else {
            return Some(true);
        };
        match upper.numbers.len() <= 2 && !upper.is_after {
            true => Some(Cut::before(&[major, minor]) < *upper),
            false => None,
        }
    }
}

/// The versions that a clause admits.
fn bounds(operator: &str, version: &str) -> Option<Vec<Interval>> {
    if let Some(prefix) = version.strip_suffix(".*") {
        let start = numbers(prefix)?;
        let (own, next) = (Cut::before(&start), Cut::before(&following(&start)?));
        return match operator {
            "==" => Some(vec![Interval::new(Some(own), Some(next))]),
            "!=" => Some(vec![
                Interval::new(None, Some(own)),
                Interval::new(Some(next), None),
            ]),
            _ => None,
        };
    }

    let exact = numbers(version)?;
    let (before, after) = (Cut::before(&exact), Cut::after(&exact));
    Some(match operator {
        "<" => vec![Interval::new(None, Some(before))],
        "<=" => vec![Interval::new(None, Some(after))],
        ">" => vec![Interval::new(Some(after), None)],
        ">=" => vec![Interval::new(Some(before), None)],
        "==" => vec![Interval::new(Some(before), Some(after))],
        "!=" => vec![
            Interval::new(None, Some(before)),
            Interval::new(Some(after), None),
        ],
        // Poetry's form, for versions of Python, whose first number is not zero.
        "^" => {
            let start = exact.get(..1)?;
            vec![Interval::new(
                Some(before),
                Some(Cut::before(&following(start)?)),
            )]
        }
        "~=" => {
            let (_, start) = exact.split_last()?;
            vec![Interval::new(
                Some(before),
                Some(Cut::before(&following(start)?)),
            )]
        }
        _ => return None,
    })
}

/// The numbers with the last one raised.
fn following(numbers: &[u32]) -> Option<Vec<u32>> {
    let (last, start) = numbers.split_last()?;
    Some([start, &[last.checked_add(1)?]].concat())
}

/// The numbers of a version. The pre-release of a version of Python counts as the version, as in uv.
fn numbers(version: &str) -> Option<Vec<u32>> {
    let end = version.find(|c: char| c.is_ascii_alphabetic());
    let release = version.get(..end.unwrap_or(version.len()))?;
    let numbers: Option<Vec<u32>> = release
        .split('.')
        .map(|number| number.parse().ok())
        .collect();
    numbers.filter(|numbers| numbers.len() <= MAX_NUMBERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let range = |text: &str| PythonRange::parse(text);
        for (one, two, expected) in [
            (">=3.8", ">=3.9,<4", true),
            (">=3.8,!=3.9.0", "==3.10.*", true),
            (">=3.10", ">=3.9", false),
            ("~=3.9", ">=3.9.0", true),
            ("<3.13", ">=3.9", true),
            (">3.9", ">=3.9", false),
        ] {
            let (one, two) = (range(one).unwrap(), range(two).unwrap());
            assert_eq!(one.starts_before(&two), expected, "{one:?} {two:?}");
        }
        for text in ["3.9", ">=x", ">=3.10,<3.9", "===3.9"] {
            assert_eq!(range(text), None, "{text}");
        }
    }

    #[test]
    fn intervals_that_meet_are_one() {
        let one = PythonRange::comparison("==", "3.10", true).unwrap();
        let two = PythonRange::comparison(">=", "3.11", true).unwrap();
        let all = union(&two, &one);
        assert_eq!(
            all.iter()
                .flat_map(|one| one.conditions("v"))
                .collect::<Vec<_>>(),
            ["v >= '3.10'"]
        );
        assert!(intersection(&one, &two).is_empty());
        let not = PythonRange::comparison("!=", "3.10", true).unwrap();
        assert_eq!(union(&not, &one), [Interval::ALL]);
    }
}

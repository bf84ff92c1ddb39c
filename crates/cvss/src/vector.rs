//! A vector: its version and the values of its metrics.

use std::fmt;
use std::str::FromStr;

use crate::metrics::{Group, Metric, V2, V3, V4, key};

/// Longest text that is parsed, in bytes. A full v4.0 vector has about 250.
pub const MAX_BYTES: usize = 1_024;

/// The most metrics that a version has.
const METRICS: usize = 32;

/// Mark of a metric that a vector does not contain.
const ABSENT: u8 = u8::MAX;

/// A version of CVSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// CVSS v2, of 2007.
    V2,
    /// CVSS v3.0, of 2015.
    V30,
    /// CVSS v3.1, of 2019.
    V31,
    /// CVSS v4.0, of 2023.
    V40,
}

impl Version {
    /// The number: `2.0`, `3.0`, `3.1` or `4.0`.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V30 => "3.0",
            Self::V31 => "3.1",
            Self::V40 => "4.0",
        }
    }

    pub(crate) fn metrics(self) -> &'static [Metric] {
        match self {
            Self::V2 => V2,
            Self::V30 | Self::V31 => V3,
            Self::V40 => V4,
        }
    }

    /// The beginning of a vector; v2 has none.
    fn prefix(self) -> &'static str {
        match self {
            Self::V2 => "",
            Self::V30 => "CVSS:3.0/",
            Self::V31 => "CVSS:3.1/",
            Self::V40 => "CVSS:4.0/",
        }
    }
}

/// Why a text is not a vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// The text is empty.
    #[error("the vector is empty")]
    Empty,
    /// The text is longer than [`MAX_BYTES`].
    #[error("the vector is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The text begins with `CVSS:`, but with no version that is supported.
    #[error("`{0}` is not a version of CVSS that is supported: 3.0, 3.1 or 4.0; v2 has no prefix")]
    Version(String),
    /// A part between two `/` is empty, or the text ends with one.
    #[error("an empty metric: two `/` in a row, or one at the end")]
    EmptyMetric,
    /// A part is not a name and a value.
    #[error("`{0}` is not a metric and its value, such as `AV:N`")]
    Malformed(String),
    /// The version has no such metric. Names are case-sensitive.
    #[error("CVSS v{version} has no metric `{name}`")]
    UnknownMetric {
        /// Number of the version.
        version: &'static str,
        /// Name of the metric.
        name: String,
    },
    /// The metric has no such value. Values are case-sensitive.
    #[error("`{name}` has no value `{value}`")]
    UnknownValue {
        /// Name of the metric.
        name: &'static str,
        /// The value.
        value: String,
    },
    /// A metric occurs twice.
    #[error("`{0}` occurs twice")]
    Duplicate(&'static str),
    /// Base metrics are missing.
    #[error("base metrics are missing: {0}")]
    Missing(String),
}

/// A valid vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vector {
    version: Version,
    /// For each metric of the version, the index of its value, or [`ABSENT`].
    values: [u8; METRICS],
}

impl FromStr for Vector {
    type Err = VectorError;

    /// Metrics may be in any order; nothing else is lenient.
    fn from_str(text: &str) -> Result<Self, VectorError> {
        if text.is_empty() {
            return Err(VectorError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(VectorError::TooLong);
        }

        let version = [Version::V30, Version::V31, Version::V40]
            .into_iter()
            .find(|version| text.starts_with(version.prefix()))
            .unwrap_or(Version::V2);
        let metrics = text.strip_prefix(version.prefix()).unwrap_or(text);
        if version == Version::V2 && text.starts_with("CVSS:") {
            let prefix = text.split('/').next().unwrap_or(text);
            return Err(VectorError::Version(shorten(prefix)));
        }

        let mut vector = Self {
            version,
            values: [ABSENT; METRICS],
        };
        for part in metrics.split('/') {
            vector.add(part)?;
        }
        vector.check_base()?;

        Ok(vector)
    }
}

impl Vector {
    fn add(&mut self, part: &str) -> Result<(), VectorError> {
        if part.is_empty() {
            return Err(VectorError::EmptyMetric);
        }
        let (name, value) = part
            .split_once(':')
            .filter(|(_, value)| !value.contains(':'))
            .ok_or_else(|| VectorError::Malformed(shorten(part)))?;

        let (metric, slot) = self
            .position(name)
            .and_then(|at| Some((self.version.metrics().get(at)?, self.values.get_mut(at)?)))
            .ok_or_else(|| VectorError::UnknownMetric {
                version: self.version.number(),
                name: shorten(name),
            })?;
        let index = index_of(metric, value).ok_or_else(|| VectorError::UnknownValue {
            name: metric.name,
            value: shorten(value),
        })?;

        if *slot != ABSENT {
            return Err(VectorError::Duplicate(metric.name));
        }
        *slot = index;
        Ok(())
    }

    fn check_base(&self) -> Result<(), VectorError> {
        let missing: Vec<&str> = self
            .entries()
            .filter(|(metric, index)| metric.group == Group::Base && *index == ABSENT)
            .map(|(metric, _)| metric.name)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(VectorError::Missing(missing.join(", ")))
    }

    fn entries(&self) -> impl Iterator<Item = (&'static Metric, u8)> {
        self.version.metrics().iter().zip(self.values)
    }

    /// The version of the vector.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The value of a metric, such as `N` for `AV`. `None` when it is absent or "not defined", or when
    /// the version has no such metric.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static str> {
        let (value, _) = self.value(name)?;
        (!is_undefined(value)).then_some(value)
    }

    /// The vector with another value of a metric. `None` when the version has no such metric or value.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Option<Self> {
        let position = self.position(name)?;
        let metric = self.version.metrics().get(position)?;
        let mut changed = *self;
        *changed.values.get_mut(position)? = index_of(metric, value)?;
        Some(changed)
    }

    /// The vector without environmental metrics, and without supplemental ones, which change no score.
    #[must_use]
    pub fn without_environment(&self) -> Self {
        self.without(&[Group::Environmental, Group::Supplemental])
    }

    /// The vector with its base metrics only.
    #[must_use]
    pub fn base(&self) -> Self {
        self.without(&[Group::Temporal, Group::Environmental, Group::Supplemental])
    }

    pub(crate) fn without(&self, groups: &[Group]) -> Self {
        let mut changed = *self;
        for (metric, slot) in self.version.metrics().iter().zip(&mut changed.values) {
            if groups.contains(&metric.group) {
                *slot = ABSENT;
            }
        }
        changed
    }

    /// Whether a metric of the group has a value other than "not defined".
    pub(crate) fn defines(&self, group: Group) -> bool {
        self.entries().any(|(metric, index)| {
            let value = metric.values.get(usize::from(index));
            metric.group == group && value.is_some_and(|(value, _)| !is_undefined(value))
        })
    }

    /// The value and weight of a metric that the vector contains.
    fn value(&self, name: &str) -> Option<(&'static str, f64)> {
        let position = self.position(name)?;
        let index = self.values.get(position)?;
        let metric = self.version.metrics().get(position)?;
        metric.values.get(usize::from(*index)).copied()
    }

    /// The place of a metric in the list of the version's metrics.
    fn position(&self, name: &str) -> Option<usize> {
        let wanted = key(name);
        let mut metrics = self.version.metrics().iter();
        metrics.position(|metric| metric.key == wanted)
    }

    /// The weight of a metric; that of "not defined" when it is absent.
    pub(crate) fn weight(&self, name: &str) -> f64 {
        let undefined = || {
            let metric = self.version.metrics().get(self.position(name)?)?;
            metric.values.first().copied()
        };
        self.value(name)
            .or_else(undefined)
            .map_or(0.0, |(_, weight)| weight)
    }
}

impl fmt::Display for Vector {
    /// The vector in the order of the specification, without metrics that are not defined.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version.prefix())?;
        let mut separator = "";
        for (metric, index) in self.entries() {
            let value = metric.values.get(usize::from(index));
            if let Some((value, _)) = value.filter(|(value, _)| !is_undefined(value)) {
                write!(f, "{separator}{}:{value}", metric.name)?;
                separator = "/";
            }
        }
        Ok(())
    }
}

fn index_of(metric: &Metric, value: &str) -> Option<u8> {
    let index = metric.values.iter().position(|(word, _)| *word == value)?;
    u8::try_from(index).ok()
}

fn is_undefined(value: &str) -> bool {
    matches!(value, "X" | "ND")
}

/// The beginning of a text, for a message.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

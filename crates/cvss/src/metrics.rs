//! The metrics of each version, with their values and weights.
//!
//! Sources: v2 guide, section 3.2; v3.0 and v3.1 specification, section 7.4; v4.0 specification,
//! section 7 ("CVSS v4.0 Scoring"). The weight of a v4.0 value is its distance from the most severe
//! value of the metric, in steps.

/// One metric.
#[derive(Debug)]
pub(crate) struct Metric {
    /// Abbreviation, as in a vector.
    pub(crate) name: &'static str,
    /// The name as a number.
    pub(crate) key: u32,
    pub(crate) group: Group,
    /// Values with their weights. An optional metric has its "not defined" first.
    pub(crate) values: &'static [(&'static str, f64)],
}

/// A group of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Base,
    /// Temporal metrics of v2 and v3, threat metrics of v4.
    Temporal,
    Environmental,
    /// Supplemental metrics of v4, which change no score.
    Supplemental,
}

use Group::{Base, Environmental, Supplemental, Temporal};

/// A name of at most four bytes as a number, which is compared faster than a text. 0 for a longer
/// name, which no metric has.
pub(crate) const fn key(name: &str) -> u32 {
    match *name.as_bytes() {
        [a] => u32::from_be_bytes([0, 0, 0, a]),
        [a, b] => u32::from_be_bytes([0, 0, a, b]),
        [a, b, c] => u32::from_be_bytes([0, a, b, c]),
        [a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
        _ => 0,
    }
}

const fn metric(
    name: &'static str,
    group: Group,
    values: &'static [(&'static str, f64)],
) -> Metric {
    Metric {
        name,
        key: key(name),
        group,
        values,
    }
}

const IMPACT_V2: &[(&str, f64)] = &[("N", 0.0), ("P", 0.275), ("C", 0.660)];
const REQUIREMENT_V2: &[(&str, f64)] = &[("ND", 1.0), ("L", 0.5), ("M", 1.0), ("H", 1.51)];

pub(crate) const V2: &[Metric] = &[
    metric("AV", Base, &[("L", 0.395), ("A", 0.646), ("N", 1.0)]),
    metric("AC", Base, &[("H", 0.35), ("M", 0.61), ("L", 0.71)]),
    metric("Au", Base, &[("M", 0.45), ("S", 0.56), ("N", 0.704)]),
    metric("C", Base, IMPACT_V2),
    metric("I", Base, IMPACT_V2),
    metric("A", Base, IMPACT_V2),
    metric(
        "E",
        Temporal,
        &[
            ("ND", 1.0),
            ("U", 0.85),
            ("POC", 0.9),
            ("F", 0.95),
            ("H", 1.0),
        ],
    ),
    metric(
        "RL",
        Temporal,
        &[
            ("ND", 1.0),
            ("OF", 0.87),
            ("TF", 0.9),
            ("W", 0.95),
            ("U", 1.0),
        ],
    ),
    metric(
        "RC",
        Temporal,
        &[("ND", 1.0), ("UC", 0.9), ("UR", 0.95), ("C", 1.0)],
    ),
    metric(
        "CDP",
        Environmental,
        &[
            ("ND", 0.0),
            ("N", 0.0),
            ("L", 0.1),
            ("LM", 0.3),
            ("MH", 0.4),
            ("H", 0.5),
        ],
    ),
    metric(
        "TD",
        Environmental,
        &[
            ("ND", 1.0),
            ("N", 0.0),
            ("L", 0.25),
            ("M", 0.75),
            ("H", 1.0),
        ],
    ),
    metric("CR", Environmental, REQUIREMENT_V2),
    metric("IR", Environmental, REQUIREMENT_V2),
    metric("AR", Environmental, REQUIREMENT_V2),
];

const IMPACT_V3: &[(&str, f64)] = &[("N", 0.0), ("L", 0.22), ("H", 0.56)];
const MODIFIED_IMPACT_V3: &[(&str, f64)] = &[("X", 0.0), ("N", 0.0), ("L", 0.22), ("H", 0.56)];
const REQUIREMENT_V3: &[(&str, f64)] = &[("X", 1.0), ("L", 0.5), ("M", 1.0), ("H", 1.5)];

/// The metrics of v3.0 and v3.1. The weights of `PR` are those of an unchanged scope; `S` has none.
pub(crate) const V3: &[Metric] = &[
    metric(
        "AV",
        Base,
        &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)],
    ),
    metric("AC", Base, &[("L", 0.77), ("H", 0.44)]),
    metric("PR", Base, &[("N", 0.85), ("L", 0.62), ("H", 0.27)]),
    metric("UI", Base, &[("N", 0.85), ("R", 0.62)]),
    metric("S", Base, &[("U", 0.0), ("C", 0.0)]),
    metric("C", Base, IMPACT_V3),
    metric("I", Base, IMPACT_V3),
    metric("A", Base, IMPACT_V3),
    metric(
        "E",
        Temporal,
        &[
            ("X", 1.0),
            ("U", 0.91),
            ("P", 0.94),
            ("F", 0.97),
            ("H", 1.0),
        ],
    ),
    metric(
        "RL",
        Temporal,
        &[
            ("X", 1.0),
            ("O", 0.95),
            ("T", 0.96),
            ("W", 0.97),
            ("U", 1.0),
        ],
    ),
    metric(
        "RC",
        Temporal,
        &[("X", 1.0), ("U", 0.92), ("R", 0.96), ("C", 1.0)],
    ),
    metric("CR", Environmental, REQUIREMENT_V3),
    metric("IR", Environmental, REQUIREMENT_V3),
    metric("AR", Environmental, REQUIREMENT_V3),
    metric(
        "MAV",
        Environmental,
        &[
            ("X", 0.0),
            ("N", 0.85),
            ("A", 0.62),
            ("L", 0.55),
            ("P", 0.2),
        ],
    ),
    metric(
        "MAC",
        Environmental,
        &[("X", 0.0), ("L", 0.77), ("H", 0.44)],
    ),
    metric(
        "MPR",
        Environmental,
        &[("X", 0.0), ("N", 0.85), ("L", 0.62), ("H", 0.27)],
    ),
    metric(
        "MUI",
        Environmental,
        &[("X", 0.0), ("N", 0.85), ("R", 0.62)],
    ),
    metric("MS", Environmental, &[("X", 0.0), ("U", 0.0), ("C", 0.0)]),
    metric("MC", Environmental, MODIFIED_IMPACT_V3),
    metric("MI", Environmental, MODIFIED_IMPACT_V3),
    metric("MA", Environmental, MODIFIED_IMPACT_V3),
];

const VULNERABLE_V4: &[(&str, f64)] = &[("H", 0.0), ("L", 1.0), ("N", 2.0)];
const SUBSEQUENT_V4: &[(&str, f64)] = &[("H", 1.0), ("L", 2.0), ("N", 3.0)];
const REQUIREMENT_V4: &[(&str, f64)] = &[("X", 0.0), ("H", 0.0), ("M", 1.0), ("L", 2.0)];
const MODIFIED_VULNERABLE_V4: &[(&str, f64)] = &[("X", 0.0), ("H", 0.0), ("L", 1.0), ("N", 2.0)];
const MODIFIED_SUBSEQUENT_V4: &[(&str, f64)] =
    &[("X", 0.0), ("S", 0.0), ("H", 1.0), ("L", 2.0), ("N", 3.0)];

pub(crate) const V4: &[Metric] = &[
    metric(
        "AV",
        Base,
        &[("N", 0.0), ("A", 1.0), ("L", 2.0), ("P", 3.0)],
    ),
    metric("AC", Base, &[("L", 0.0), ("H", 1.0)]),
    metric("AT", Base, &[("N", 0.0), ("P", 1.0)]),
    metric("PR", Base, &[("N", 0.0), ("L", 1.0), ("H", 2.0)]),
    metric("UI", Base, &[("N", 0.0), ("P", 1.0), ("A", 2.0)]),
    metric("VC", Base, VULNERABLE_V4),
    metric("VI", Base, VULNERABLE_V4),
    metric("VA", Base, VULNERABLE_V4),
    metric("SC", Base, SUBSEQUENT_V4),
    metric("SI", Base, SUBSEQUENT_V4),
    metric("SA", Base, SUBSEQUENT_V4),
    metric(
        "E",
        Temporal,
        &[("X", 0.0), ("A", 0.0), ("P", 1.0), ("U", 2.0)],
    ),
    metric("CR", Environmental, REQUIREMENT_V4),
    metric("IR", Environmental, REQUIREMENT_V4),
    metric("AR", Environmental, REQUIREMENT_V4),
    metric(
        "MAV",
        Environmental,
        &[("X", 0.0), ("N", 0.0), ("A", 1.0), ("L", 2.0), ("P", 3.0)],
    ),
    metric("MAC", Environmental, &[("X", 0.0), ("L", 0.0), ("H", 1.0)]),
    metric("MAT", Environmental, &[("X", 0.0), ("N", 0.0), ("P", 1.0)]),
    metric(
        "MPR",
        Environmental,
        &[("X", 0.0), ("N", 0.0), ("L", 1.0), ("H", 2.0)],
    ),
    metric(
        "MUI",
        Environmental,
        &[("X", 0.0), ("N", 0.0), ("P", 1.0), ("A", 2.0)],
    ),
    metric("MVC", Environmental, MODIFIED_VULNERABLE_V4),
    metric("MVI", Environmental, MODIFIED_VULNERABLE_V4),
    metric("MVA", Environmental, MODIFIED_VULNERABLE_V4),
    metric(
        "MSC",
        Environmental,
        &[("X", 0.0), ("H", 1.0), ("L", 2.0), ("N", 3.0)],
    ),
    metric("MSI", Environmental, MODIFIED_SUBSEQUENT_V4),
    metric("MSA", Environmental, MODIFIED_SUBSEQUENT_V4),
    metric("S", Supplemental, &[("X", 0.0), ("N", 0.0), ("P", 0.0)]),
    metric("AU", Supplemental, &[("X", 0.0), ("N", 0.0), ("Y", 0.0)]),
    metric(
        "R",
        Supplemental,
        &[("X", 0.0), ("A", 0.0), ("U", 0.0), ("I", 0.0)],
    ),
    metric("V", Supplemental, &[("X", 0.0), ("D", 0.0), ("C", 0.0)]),
    metric(
        "RE",
        Supplemental,
        &[("X", 0.0), ("L", 0.0), ("M", 0.0), ("H", 0.0)],
    ),
    metric(
        "U",
        Supplemental,
        &[
            ("X", 0.0),
            ("Clear", 0.0),
            ("Green", 0.0),
            ("Amber", 0.0),
            ("Red", 0.0),
        ],
    ),
];

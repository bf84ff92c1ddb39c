//! The score of CVSS v4.0: specification, section 8.2, "CVSS v4.0 Equations"
//! (<https://www.first.org/cvss/v4.0/specification-document#New-Scoring-System-Development>).
//!
//! A vector belongs to a macrovector: six classes of metrics, EQ1 to EQ6, of which EQ3 and EQ6 depend
//! on each other. Experts scored the macrovectors. A vector's score is that of its macrovector, minus
//! a part of the difference to the next lower macrovectors, by its distance from the most severe
//! vector of its own.

use crate::score::round;
use crate::vector::Vector;

/// Levels of metrics: the distances, in steps, from the most severe value.
type Levels<const N: usize> = [i32; N];

/// The scores of the macrovectors in tenths, as FIRST published them
/// (<https://github.com/FIRSTdotorg/cvss-v4-calculator>, `cvss_lookup.js`). A line is one class of EQ1,
/// EQ2, and EQ3 with EQ6 (00, 01, 10, 11, 21), in ascending order; it has the classes of EQ4, then EQ5.
const MACROVECTORS: [[u8; 9]; 30] = [
    [100, 98, 95, 100, 93, 91, 93, 89, 81],
    [99, 95, 92, 96, 87, 81, 90, 80, 68],
    [98, 95, 90, 93, 89, 81, 88, 78, 69],
    [95, 92, 84, 92, 81, 65, 80, 70, 48],
    [92, 82, 72, 79, 69, 50, 69, 55, 27],
    [99, 95, 92, 95, 90, 84, 92, 82, 72],
    [97, 92, 85, 91, 83, 71, 81, 71, 53],
    [95, 92, 85, 92, 80, 70, 84, 71, 50],
    [93, 85, 73, 82, 72, 59, 70, 52, 30],
    [86, 75, 52, 71, 52, 29, 63, 29, 17],
    [98, 94, 91, 94, 86, 77, 87, 74, 63],
    [95, 87, 81, 89, 74, 64, 75, 63, 49],
    [94, 88, 76, 86, 74, 59, 72, 57, 52],
    [89, 77, 67, 76, 58, 50, 57, 52, 25],
    [83, 70, 54, 65, 58, 26, 53, 21, 13],
    [95, 88, 76, 90, 75, 61, 77, 68, 52],
    [90, 76, 70, 77, 62, 53, 66, 59, 30],
    [89, 76, 62, 74, 57, 47, 61, 57, 24],
    [78, 67, 58, 59, 57, 23, 52, 29, 16],
    [71, 59, 30, 58, 26, 15, 23, 13, 6],
    [93, 86, 75, 86, 74, 56, 70, 52, 40],
    [87, 72, 58, 74, 61, 34, 54, 40, 22],
    [85, 74, 62, 72, 55, 46, 53, 34, 19],
    [75, 55, 51, 57, 41, 19, 36, 19, 8],
    [64, 51, 20, 47, 21, 11, 24, 9, 4],
    [88, 73, 60, 73, 59, 41, 54, 45, 20],
    [75, 53, 50, 55, 40, 20, 43, 22, 11],
    [75, 58, 40, 61, 48, 20, 46, 17, 8],
    [55, 45, 21, 51, 18, 9, 18, 7, 2],
    [53, 24, 14, 24, 12, 5, 10, 3, 1],
];

/// The most severe vectors of each class, as levels. Specification, tables 24 to 29.
const EQ1: [&[Levels<3>]; 3] = [
    &[[0, 0, 0]],
    &[[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    &[[3, 0, 0], [1, 1, 1]],
];
const EQ2: [&[Levels<2>]; 2] = [&[[0, 0]], &[[1, 0], [0, 1]]];
const EQ36: [&[Levels<6>]; 5] = [
    &[[0, 0, 0, 0, 0, 0]],
    &[[0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1]],
    &[[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]],
    &[
        [1, 0, 1, 0, 1, 0],
        [1, 0, 0, 0, 1, 1],
        [0, 1, 0, 1, 0, 1],
        [0, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 0, 1],
    ],
    &[[1, 1, 1, 0, 0, 0]],
];
const EQ4: [&[Levels<3>]; 3] = [&[[1, 0, 0]], &[[1, 1, 1]], &[[2, 2, 2]]];

/// The depths of the classes: the greatest distance within a class, in steps.
const DEPTH1: [i32; 3] = [1, 4, 5];
const DEPTH2: [i32; 2] = [1, 2];
const DEPTH36: [i32; 5] = [7, 6, 8, 8, 10];
const DEPTH4: [i32; 3] = [6, 5, 4];

/// The classes of a vector. `eq36` is an index of [`EQ36`].
#[derive(Clone, Copy)]
struct Classes {
    eq1: usize,
    eq2: usize,
    eq36: usize,
    eq4: usize,
    eq5: usize,
}

impl Classes {
    /// The score of the macrovector in tenths; `None` when a class does not exist.
    fn score(self) -> Option<i32> {
        let exist = self.eq1 < 3 && self.eq2 < 2 && self.eq36 < 5 && self.eq4 < 3 && self.eq5 < 3;
        let line = MACROVECTORS.get((self.eq1 * 2 + self.eq2) * 5 + self.eq36)?;
        let tenths = line.get(self.eq4 * 3 + self.eq5)?;
        exist.then(|| i32::from(*tenths))
    }

    /// The score of the next lower macrovector in EQ3 and EQ6; the higher one of two.
    fn below_eq36(self) -> Option<i32> {
        let lower: &[usize] = match self.eq36 {
            0 => &[1, 2],
            1 | 2 => &[3],
            3 => &[4],
            _ => &[],
        };
        let scores = lower.iter().filter_map(|eq36| {
            Self {
                eq36: *eq36,
                ..self
            }
            .score()
        });
        scores.max()
    }
}

/// The score of all metrics of the vector.
pub(crate) fn score(vector: &Vector) -> f64 {
    let level = |modified: &str, base: &str| level(vector, modified, base);
    let eq1 = [level("MAV", "AV"), level("MPR", "PR"), level("MUI", "UI")];
    let eq2 = [level("MAC", "AC"), level("MAT", "AT")];
    let vulnerable = [level("MVC", "VC"), level("MVI", "VI"), level("MVA", "VA")];
    let required = ["CR", "IR", "AR"].map(|name| steps(vector.weight(name)));
    let subsequent = [level("MSC", "SC"), level("MSI", "SI"), level("MSA", "SA")];
    if vulnerable == [2, 2, 2] && subsequent == [3, 3, 3] {
        return 0.0;
    }

    let classes = Classes {
        eq1: class1(eq1),
        eq2: usize::from(eq2 != [0, 0]),
        eq36: class36(vulnerable, required),
        eq4: class4(subsequent),
        eq5: usize::try_from(steps(vector.weight("E"))).unwrap_or_default(),
    };
    let Some(value) = classes.score() else {
        return 0.0;
    };

    let [vc, vi, va] = vulnerable;
    let [cr, ir, ar] = required;
    let eq36 = [vc, vi, va, cr, ir, ar];
    let (c1, c2) = (classes.eq1, classes.eq2);
    let lower = [
        (
            Classes {
                eq1: c1 + 1,
                ..classes
            }
            .score(),
            share(&eq1, &EQ1, &DEPTH1, c1),
        ),
        (
            Classes {
                eq2: c2 + 1,
                ..classes
            }
            .score(),
            share(&eq2, &EQ2, &DEPTH2, c2),
        ),
        (
            classes.below_eq36(),
            share(&eq36, &EQ36, &DEPTH36, classes.eq36),
        ),
        (
            Classes {
                eq4: classes.eq4 + 1,
                ..classes
            }
            .score(),
            share(&subsequent, &EQ4, &DEPTH4, classes.eq4),
        ),
        // All vectors of a class of EQ5 are equally severe.
        (
            Classes {
                eq5: classes.eq5 + 1,
                ..classes
            }
            .score(),
            0.0,
        ),
    ];

    let distances: Vec<f64> = lower
        .into_iter()
        .filter_map(|(lower, share)| Some(f64::from(value - lower?) * share))
        .collect();
    let count = u32::try_from(distances.len()).unwrap_or(1).max(1);
    let mean = distances.iter().sum::<f64>() / f64::from(count);

    // The tolerance of the reference implementation, in tenths.
    round(((f64::from(value) - mean + 1e-5) / 10.0).clamp(0.0, 10.0))
}

/// The level of a metric: that of the modified one where it is defined.
fn level(vector: &Vector, modified: &str, base: &str) -> i32 {
    let name = vector.get(modified).map_or(base, |_| modified);
    steps(vector.weight(name))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "levels are whole numbers from 0 to 3"
)]
fn steps(weight: f64) -> i32 {
    weight as i32
}

fn class1(levels: Levels<3>) -> usize {
    let [attack_vector, ..] = levels;
    let none_needed = levels.iter().filter(|level| **level == 0).count();
    match none_needed {
        3 => 0,
        1 | 2 if attack_vector != 3 => 1,
        _ => 2,
    }
}

/// The class of EQ3 with EQ6: what the vulnerable system loses, and whether a high loss meets a high
/// requirement.
fn class36(vulnerable: Levels<3>, required: Levels<3>) -> usize {
    let [vc, vi, _] = vulnerable;
    let meets = vulnerable
        .iter()
        .zip(required)
        .any(|(loss, requirement)| *loss == 0 && requirement == 0);
    let eq3 = if vc == 0 && vi == 0 {
        0
    } else if vulnerable.contains(&0) {
        1
    } else {
        2
    };

    match (eq3, meets) {
        (0, true) => 0,
        (0, false) => 1,
        (1, true) => 2,
        (1, false) => 3,
        _ => 4,
    }
}

fn class4(subsequent: Levels<3>) -> usize {
    let [_, integrity, availability] = subsequent;
    // Level 0 is an effect on safety, which only the modified metrics have.
    if integrity == 0 || availability == 0 {
        0
    } else if subsequent.contains(&1) {
        1
    } else {
        2
    }
}

/// The distance from the first most severe vector that is at least as severe, as a part of the depth.
fn share<const N: usize>(
    levels: &Levels<N>,
    highest: &[&[Levels<N>]],
    depths: &[i32],
    class: usize,
) -> f64 {
    let candidates = highest.get(class).copied().unwrap_or_default();
    let distance = |from: &Levels<N>| {
        let steps = levels.iter().zip(from).map(|(level, high)| level - high);
        steps
            .clone()
            .all(|step| step >= 0)
            .then(|| steps.sum::<i32>())
    };
    let distance = candidates.iter().find_map(distance).unwrap_or_default();
    let depth = depths.get(class).copied().unwrap_or(1);

    f64::from(distance) / f64::from(depth)
}

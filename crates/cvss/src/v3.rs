//! The equations of CVSS v3.0 and v3.1: specification, section 7
//! (<https://www.first.org/cvss/v3.1/specification-document#CVSS-v3-1-Equations>).

use crate::vector::{Vector, Version};

/// The metrics that the equations read: base ones, or modified ones where they are defined.
struct Terms {
    changed_scope: bool,
    exploitability: f64,
    /// Product of what remains of confidentiality, integrity and availability.
    kept: f64,
}

/// The base, temporal and environmental score.
pub(crate) fn scores(vector: &Vector) -> (f64, Option<f64>, Option<f64>) {
    let later = vector.weight("E") * vector.weight("RL") * vector.weight("RC");
    let base = base(vector);
    let environmental = round_up(environmental(vector) * later);

    (base, Some(round_up(base * later)), Some(environmental))
}

fn base(vector: &Vector) -> f64 {
    let terms = terms(vector, |_, base| base, |_| 1.0);
    let isc = 1.0 - terms.kept;
    let impact = if terms.changed_scope {
        7.52 * (isc - 0.029) - 3.25 * (isc - 0.02).powi(15)
    } else {
        6.42 * isc
    };

    combined(&terms, impact)
}

/// The environmental score before the temporal metrics.
fn environmental(vector: &Vector) -> f64 {
    let modified = |modified: &'static str, base: &'static str| {
        vector.get(modified).map_or(base, |_| modified)
    };
    let terms = terms(vector, modified, |requirement| vector.weight(requirement));
    let isc = (1.0 - terms.kept).min(0.915);
    let impact = match (terms.changed_scope, vector.version()) {
        (false, _) => 6.42 * isc,
        (true, Version::V30) => 7.52 * (isc - 0.029) - 3.25 * (isc - 0.02).powi(15),
        // v3.1 changed this equation alone, and the one of the base score not.
        (true, _) => 7.52 * (isc - 0.029) - 3.25 * (isc * 0.9731 - 0.02).powi(13),
    };

    combined(&terms, impact)
}

/// `choose` picks the modified or the base metric, `requirement` weighs an impact.
fn terms(
    vector: &Vector,
    choose: impl Fn(&'static str, &'static str) -> &'static str,
    requirement: impl Fn(&str) -> f64,
) -> Terms {
    let changed_scope = vector.get(choose("MS", "S")) == Some("C");
    let privileges = choose("MPR", "PR");
    // With a changed scope, needed privileges reduce the score less.
    let privileges = match (changed_scope, vector.get(privileges)) {
        (true, Some("L")) => 0.68,
        (true, Some("H")) => 0.5,
        _ => vector.weight(privileges),
    };
    let weight = |modified, base| vector.weight(choose(modified, base));
    let exploitability =
        8.22 * weight("MAV", "AV") * weight("MAC", "AC") * privileges * weight("MUI", "UI");
    let kept = [("MC", "C", "CR"), ("MI", "I", "IR"), ("MA", "A", "AR")];

    Terms {
        changed_scope,
        exploitability,
        kept: kept
            .map(|(modified, base, name)| 1.0 - weight(modified, base) * requirement(name))
            .iter()
            .product(),
    }
}

fn combined(terms: &Terms, impact: f64) -> f64 {
    if impact < 1e-9 {
        return 0.0;
    }
    let factor = if terms.changed_scope { 1.08 } else { 1.0 };
    round_up((factor * (impact + terms.exploitability)).min(10.0))
}

/// The smallest number with one decimal that is not less than the value. The tolerance is for the
/// error of floating-point numbers (v3.1, appendix A).
fn round_up(value: f64) -> f64 {
    (value * 10.0 - 1e-9).ceil().max(0.0) / 10.0
}

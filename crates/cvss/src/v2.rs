//! The equations of CVSS v2: guide, section 3.2 (<https://www.first.org/cvss/v2/guide>).

use crate::metrics::Group;
use crate::score::round;
use crate::vector::Vector;

/// The base, temporal and environmental score.
pub(crate) fn scores(vector: &Vector) -> (f64, Option<f64>, Option<f64>) {
    let base = base(vector, impact(vector));
    let published = base.max(0.0);
    let temporal = vector
        .defines(Group::Temporal)
        .then(|| temporal(vector, published).max(0.0));
    let environmental = vector
        .defines(Group::Environmental)
        .then(|| environmental(vector).max(0.0));

    (published, temporal, environmental)
}

fn impact(vector: &Vector) -> f64 {
    let kept = ["C", "I", "A"].map(|name| 1.0 - vector.weight(name));
    10.41 * (1.0 - kept.iter().product::<f64>())
}

fn adjusted_impact(vector: &Vector) -> f64 {
    let kept = [("C", "CR"), ("I", "IR"), ("A", "AR")]
        .map(|(impact, requirement)| 1.0 - vector.weight(impact) * vector.weight(requirement));
    (10.41 * (1.0 - kept.iter().product::<f64>())).min(10.0)
}

/// May be negative: a small adjusted impact does not outweigh the constant.
fn base(vector: &Vector, impact: f64) -> f64 {
    if impact.abs() < 1e-9 {
        return 0.0;
    }
    let exploitability = 20.0 * vector.weight("AV") * vector.weight("AC") * vector.weight("Au");
    round((0.6 * impact + 0.4 * exploitability - 1.5) * 1.176)
}

fn temporal(vector: &Vector, base: f64) -> f64 {
    round(base * vector.weight("E") * vector.weight("RL") * vector.weight("RC"))
}

fn environmental(vector: &Vector) -> f64 {
    let adjusted = temporal(vector, base(vector, adjusted_impact(vector)));
    let with_damage = adjusted + (10.0 - adjusted) * vector.weight("CDP");
    round(with_damage * vector.weight("TD"))
}

//! Scores and errors of single vectors.
#![expect(
    clippy::unwrap_used,
    reason = "the lint's exception for tests does not reach their helper functions"
)]

use patchgate_cvss::{Rating, Vector, VectorError};
use proptest::prelude::*;

fn scores(text: &str) -> (f64, Option<f64>, Option<f64>, f64) {
    let scores = text.parse::<Vector>().unwrap().scores();
    (
        scores.base,
        scores.temporal,
        scores.environmental,
        scores.overall,
    )
}

/// Values of FIRST's guides and calculators.
#[test]
fn each_version_has_its_scores() {
    let v2 = "AV:N/AC:L/Au:N/C:N/I:N/A:C";
    assert_eq!(scores(v2), (7.8, None, None, 7.8));
    let all = format!("{v2}/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H");
    assert_eq!(scores(&all), (7.8, Some(6.4), Some(9.2), 9.2));

    // v3.1 changed the environmental equation of a changed scope.
    let metrics = "AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N/E:P/RL:O/RC:C/CR:H/MAV:L";
    for version in ["3.0", "3.1"] {
        let (base, temporal, environmental, overall) = scores(&format!("CVSS:{version}/{metrics}"));
        assert_eq!((base, temporal), (6.4, Some(5.8)));
        assert_eq!(environmental, Some(overall));
    }
    let worst = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H";
    assert_eq!(scores(worst), (10.0, Some(10.0), Some(10.0), 10.0));

    let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    assert_eq!(scores(v4), (9.3, Some(9.3), Some(9.3), 9.3));
    assert_eq!(scores(&format!("{v4}/E:U")).3, 8.1);
    let (base, threat, environmental, overall) = scores(&format!("{v4}/E:U/CR:L/IR:L/AR:L/MAV:P"));
    assert_eq!((base, threat), (9.3, Some(8.1)));
    assert!(environmental.unwrap() < 8.1 && overall == environmental.unwrap());
}

#[test]
fn ratings_are_those_of_the_version() {
    let rating = |text: &str| {
        let vector: Vector = text.parse().unwrap();
        vector.rating(vector.scores().overall)
    };
    assert_eq!(rating("AV:N/AC:L/Au:N/C:C/I:C/A:C"), Rating::High);
    assert_eq!(rating("AV:N/AC:L/Au:N/C:N/I:N/A:N"), Rating::Low);
    assert_eq!(
        rating("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"),
        Rating::None
    );
    assert_eq!(
        rating("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
        Rating::Critical
    );
}

#[test]
fn what_is_wrong_is_named() {
    let error = |text: &str| text.parse::<Vector>().unwrap_err();
    let base = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

    assert_eq!(error(""), VectorError::Empty);
    assert_eq!(error(&"A".repeat(2_000)), VectorError::TooLong);
    assert_eq!(
        error("CVSS:3.2/AV:N"),
        VectorError::Version("CVSS:3.2".to_owned())
    );
    assert_eq!(error(&format!("{base}/")), VectorError::EmptyMetric);
    assert_eq!(error(&format!("{base}/AV:L")), VectorError::Duplicate("AV"));
    assert!(matches!(
        error(&format!("{base}/E")),
        VectorError::Malformed(_)
    ));
    assert!(matches!(
        error(&format!("{base}/XX:Y")),
        VectorError::UnknownMetric { .. }
    ));
    assert!(matches!(
        error(&format!("{base}/E:Q")),
        VectorError::UnknownValue { .. }
    ));
    assert!(matches!(
        error(&base.to_lowercase()),
        VectorError::UnknownMetric { .. }
    ));
    assert_eq!(
        error("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H").to_string(),
        "base metrics are missing: I, A"
    );
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in "(CVSS:[34]\\.[01]/)?([A-Za-z]{1,3}:[A-Z]{1,2}/?){0,12}") {
        if let Ok(vector) = text.parse::<Vector>() {
            // What is shown is the vector itself, without metrics that are not defined.
            let again: Vector = vector.to_string().parse().unwrap();
            prop_assert_eq!(again.scores(), vector.scores());
        }
    }
}

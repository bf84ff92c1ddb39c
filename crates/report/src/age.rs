//! Ages as texts.

/// An age for a person: `just now`, `5 min old`, `3 h old`, `12 d old`. The unit is the largest one
/// that gives at least two, rounded down.
#[must_use]
pub fn age(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;

    match seconds {
        s if s < 2 * MINUTE => "just now".to_owned(),
        s if s < 2 * HOUR => format!("{} min old", s / MINUTE),
        s if s < 2 * DAY => format!("{} h old", s / HOUR),
        s => format!("{} d old", s / DAY),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn takes_the_largest_unit_that_says_something() {
        for (seconds, text) in [
            (-5, "just now"),
            (119, "just now"),
            (120, "2 min old"),
            (7_199, "119 min old"),
            (7_200, "2 h old"),
            (172_800, "2 d old"),
        ] {
            assert_eq!(super::age(seconds), text);
        }
    }
}

//! Deadline of a fix as a whole.

use std::time::Duration;

use jiff::SignedDuration;
use patchgate_model::{Problem, ProblemKind};
use tokio::time::Instant;

/// The time that a fix may take as a whole, and when it ends.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimit {
    limit: Duration,
    ends: Instant,
}

impl TimeLimit {
    /// The time starts to run now.
    pub fn from_now(limit: Duration) -> Self {
        let now = Instant::now();
        Self {
            limit,
            // A limit that overflows the clock means no limit.
            ends: now
                .checked_add(limit)
                .unwrap_or_else(|| now + Duration::from_secs(u64::from(u32::MAX))),
        }
    }

    /// The same time, from now.
    pub(super) fn restarted(&self) -> Self {
        Self::from_now(self.limit)
    }

    /// Whether it is used up.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.ends
    }

    /// Waits for some work, but no longer than there is time. Work that is cut short is dropped,
    /// and with it the programs that it runs.
    pub(super) async fn run_within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.ends, work).await.ok()
    }

    /// The reason for whatever was left out when the time is used up.
    pub(super) fn reason(&self) -> String {
        let limit = SignedDuration::try_from(self.limit).unwrap_or(SignedDuration::MAX);
        format!("the time limit of {limit:#} was used up")
    }

    /// The problem of a lockfile whose fix was cut short.
    pub(super) fn problem(&self, lockfile: &str) -> Problem {
        Problem {
            kind: ProblemKind::File,
            subject: lockfile.to_owned(),
            line: None,
            reason: format!(
                "{}; findings that were not tried are not fixed",
                self.reason()
            ),
            hint: Some("give it more time with `--time-limit`".to_owned()),
        }
    }
}

/// Reads a time limit from a flag: `10m`, `90s`, `1h 30m`.
/// # Errors
/// When the text is not a duration, or is zero.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time limit is a number with a unit, such as 90s, 10m or 1h".to_owned();
    let limit: SignedDuration = text.parse().map_err(|_| wrong())?;
    match Duration::try_from(limit) {
        Ok(limit) if !limit.is_zero() => Ok(limit),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_has_a_unit_and_is_more_than_nothing() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "10", "0s", "-5m", "soon", "1 fortnight"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn work_that_does_not_end_is_cut_short_and_reported() {
        let limit = TimeLimit::from_now(Duration::from_millis(1));
        assert_eq!(limit.run_within(std::future::pending::<()>()).await, None);
        assert!(limit.is_over());
        assert_eq!(limit.run_within(async { 1 }).await, Some(1));

        let limit = TimeLimit::from_now(Duration::from_secs(600));
        assert!(!limit.is_over());
        assert_eq!(
            limit.problem("a/Cargo.lock").reason,
            "the time limit of 10m was used up; findings that were not tried are not fixed"
        );
        assert!(!TimeLimit::from_now(Duration::MAX).is_over());
    }
}

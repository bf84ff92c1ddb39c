//! Repetition of calls: [`Retries`], the only retry loop, and the rules behind it.
//!
//! The module does not know which calls may be repeated. Callers pass failures of calls that are not
//! idempotent as final.

use std::fmt::Display;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::debug;

/// Longest `Retry-After` that is honoured. If a server asks for a longer wait, the call fails.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// A failed attempt of a call.
#[derive(Debug)]
pub struct FailedAttempt<E> {
    /// The error, which the call returns if it is not repeated.
    pub error: E,
    /// Whether the same call may succeed later, and may be sent again.
    pub repeatable: bool,
    /// The wait that the server asks for.
    pub wait: Option<Duration>,
}

impl<E> FailedAttempt<E> {
    /// A failure that a repetition would not change.
    pub fn finally(error: E) -> Self {
        Self {
            error,
            repeatable: false,
            wait: None,
        }
    }
}

/// The repetitions of one call.
///
/// ```no_run
/// # use std::time::Duration;
/// # use patchgate_http::{FailedAttempt, Retries};
/// # async fn attempt() -> Result<u8, FailedAttempt<String>> { Ok(0) }
/// # async fn call() -> Result<u8, String> {
/// let mut retries = Retries::new(3, Duration::from_millis(500), Duration::from_secs(60));
/// loop {
///     match attempt().await {
///         Ok(answer) => return Ok(answer),
///         Err(failed) => retries.wait_after(failed).await?,
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Retries {
    started: Instant,
    done: u32,
    max: u32,
    base_delay: Duration,
    budget: Duration,
}

impl Retries {
    /// Starts a call. `max` is the number of repetitions, without the first attempt. The wait
    /// before a repetition starts with `base_delay` and doubles each time, unless the server names
    /// one. No repetition starts later than `budget` after now.
    #[must_use]
    pub fn new(max: u32, base_delay: Duration, budget: Duration) -> Self {
        Self {
            started: Instant::now(),
            done: 0,
            max,
            base_delay,
            budget,
        }
    }

    /// Waits until the call may be repeated.
    ///
    /// # Errors
    /// The error of the attempt, if the call must not be repeated: the failure is final, the
    /// repetitions or the budget are used up, or the server asks for a wait above one minute.
    pub async fn wait_after<E: Display>(&mut self, failed: FailedAttempt<E>) -> Result<(), E> {
        let wait = failed
            .wait
            .unwrap_or_else(|| backoff(self.base_delay, self.done));
        let spent = self.started.elapsed().saturating_add(wait);
        let again = failed.repeatable
            && self.done < self.max
            && wait <= MAX_RETRY_AFTER
            && spent <= self.budget;
        if !again {
            return Err(failed.error);
        }

        debug!(error = %failed.error, attempt = self.done, ?wait, "trying again");
        tokio::time::sleep(wait).await;
        self.done += 1;

        Ok(())
    }
}

/// Whether the same request may succeed later, by the HTTP status of its answer.
#[must_use]
pub fn is_temporary(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504)
}

/// The wait of a `Retry-After` header: seconds or an HTTP date (RFC 9110, section 10.2.3). `None` if
/// the value is neither.
#[must_use]
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }

    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    let seconds = date.as_second().saturating_sub(now.as_second());

    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The wait before repetition number `attempt`, counted from 0, if the server names none: the base,
/// doubled each time.
fn backoff(base: Duration, attempt: u32) -> Duration {
    base.saturating_mul(1 << attempt.min(10))
        .min(MAX_RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{MAX_RETRY_AFTER, backoff, is_temporary, retry_after};

    #[test]
    fn reads_seconds_and_dates() {
        // 1994-11-06T08:49:37Z, the date of RFC 9110's example.
        let date = Timestamp::from_second(784_111_777).unwrap();
        let ten_before = Timestamp::from_second(784_111_767).unwrap();
        let text = "Sun, 06 Nov 1994 08:49:37 GMT";

        assert_eq!(retry_after(" 7 ", date), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(text, ten_before), Some(Duration::from_secs(10)));
        assert_eq!(
            retry_after(text, Timestamp::from_second(784_111_800).unwrap()),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after("soon", date), None);
        assert_eq!(retry_after("-1", date), None);
    }

    #[test]
    fn doubles_up_to_a_limit() {
        let base = Duration::from_millis(500);
        assert_eq!(backoff(base, 0), base);
        assert_eq!(backoff(base, 2), Duration::from_secs(2));
        assert_eq!(backoff(base, u32::MAX), MAX_RETRY_AFTER);
    }

    #[test]
    fn knows_what_passes() {
        assert!([429, 500, 502, 503, 504].into_iter().all(is_temporary));
        assert!(
            ![200, 400, 401, 403, 404, 409, 422, 501]
                .into_iter()
                .any(is_temporary)
        );
    }
}

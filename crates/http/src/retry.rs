//! When a call is repeated, and how long to wait before it.

use std::time::Duration;

use jiff::Timestamp;

/// Longest wait that a server's `Retry-After` is granted; a server that wants more is refused and
/// the call fails.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Whether a status says that the same request may succeed later.
pub(crate) fn is_temporary(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504)
}

/// The wait that a `Retry-After` header asks for: seconds or an HTTP date (RFC 9110, section
/// 10.2.3). `None` when it is neither.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
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

/// The wait before repetition number `attempt`, counted from 0, when the server names none: the
/// base, doubled each time.
pub(crate) fn backoff(base: Duration, attempt: u32) -> Duration {
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

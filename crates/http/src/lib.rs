//! The one network client: timeouts, retries, caps, cache, redaction

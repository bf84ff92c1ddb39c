//! What a client is built from.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a [`crate::Client`], with a default for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// Value of the `User-Agent` header.
    pub user_agent: String,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for one attempt, from the connection to the last byte.
    pub total_timeout: Duration,
    /// Longest time that one call with all its attempts and waits may take; no attempt starts
    /// after it.
    pub retry_budget: Duration,
    /// First wait before a repetition where the server names none; it doubles each time.
    pub retry_base_delay: Duration,
    /// Most repetitions of an idempotent call. The call itself is not counted.
    pub retries: u32,
    /// Largest answer in bytes, unless a request says otherwise.
    pub max_response_bytes: u64,
    /// True to send nothing at all: answers come from the cache or not at all.
    pub offline: bool,
    /// Folder of the cache; `None` for no cache.
    pub cache_dir: Option<PathBuf>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("patchgate/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(60),
            retry_budget: Duration::from_secs(120),
            retry_base_delay: Duration::from_millis(500),
            retries: 3,
            max_response_bytes: 64 * 1024 * 1024,
            offline: false,
            cache_dir: None,
        }
    }
}

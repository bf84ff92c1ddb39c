//! Settings of the client.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a [`crate::Client`], with a default for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// Value of the `User-Agent` header.
    pub user_agent: String,
    /// Time limit for a connection.
    pub connect_timeout: Duration,
    /// Time limit for one attempt, from the connection to the last byte.
    pub total_timeout: Duration,
    /// Time limit for a call with all its attempts and waits. No attempt starts after it.
    pub retry_budget: Duration,
    /// Wait before the first repetition if the server names none. It doubles each time.
    pub retry_base_delay: Duration,
    /// Limit on the repetitions of an idempotent call. The first attempt is not counted.
    pub retries: u32,
    /// Size limit of an answer in bytes, unless the request sets another one.
    pub max_response_bytes: u64,
    /// Whether to send nothing: answers come only from the cache.
    pub offline: bool,
    /// Directory of the cache; `None` for no cache.
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

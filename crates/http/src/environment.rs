//! The environment of one run: the clock, the variables, the cache directory and the network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::{Client, ClientOptions, Error};

/// The environment of one run, read once at its start.
///
/// Every part with effects takes it as an argument, so that a test can set the time and the
/// variables.
#[derive(Debug, Clone)]
pub struct Environment {
    now: Timestamp,
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// An environment with this time and these variables.
    pub fn new(now: Timestamp, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            now,
            variables: variables.into_iter().collect(),
        }
    }

    /// The environment of this process. Variables that are not UTF-8 count as absent.
    pub fn of_process() -> Self {
        Self::new(
            Timestamp::now(),
            std::env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            }),
        )
    }

    /// When the run began. Every age in a report is counted from it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The day on which the run began, in UTC.
    pub fn today(&self) -> jiff::civil::Date {
        jiff::tz::TimeZone::UTC.to_datetime(self.now).date()
    }

    /// A variable. An empty one counts as absent, because CI runners set many that way.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The directory for answers that may be kept between runs: `PATCHGATE_CACHE_DIR`, else
    /// `patchgate` in `XDG_CACHE_HOME`, else `~/.cache/patchgate`. `None` without a home directory.
    pub fn cache_dir(&self) -> Option<PathBuf> {
        if let Some(directory) = self.variable("PATCHGATE_CACHE_DIR") {
            return Some(PathBuf::from(directory));
        }

        self.variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| {
                self.variable("HOME")
                    .map(|home| PathBuf::from(home).join(".cache"))
            })
            .map(|cache| cache.join("patchgate"))
    }

    /// A client that keeps answers in the cache directory, and with `offline` answers from there
    /// alone.
    ///
    /// # Errors
    /// When the system has no certificates to verify servers with.
    pub fn client(&self, offline: bool) -> Result<Client, Error> {
        Client::new(self.client_options(offline))
    }

    /// The options of [`Environment::client`], for a client that differs in some of them.
    pub fn client_options(&self, offline: bool) -> ClientOptions {
        ClientOptions {
            user_agent: concat!("patchgate/", env!("CARGO_PKG_VERSION")).to_owned(),
            offline,
            cache_dir: self.cache_dir(),
            ..ClientOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::new(Timestamp::UNIX_EPOCH, variables)
    }

    #[test]
    fn an_empty_variable_counts_as_absent() {
        assert_eq!(environment(&[("A", "")]).variable("A"), None);
        assert_eq!(environment(&[("A", "1")]).variable("A"), Some("1"));
    }

    #[test]
    fn the_cache_directory_is_the_most_specific_one() {
        let home = ("HOME", "/home/u");
        let cache = ("XDG_CACHE_HOME", "/cache");
        let own = ("PATCHGATE_CACHE_DIR", "/own");
        let of = |variables: &[(&str, &str)]| environment(variables).cache_dir();

        assert_eq!(of(&[]), None);
        assert_eq!(of(&[home]), Some("/home/u/.cache/patchgate".into()));
        assert_eq!(of(&[home, cache]), Some("/cache/patchgate".into()));
        assert_eq!(of(&[home, cache, own]), Some("/own".into()));
    }
}

//! What every command shares: the time, the terminal, the environment, the runner.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::runner::Runner;
use crate::terminal::Terminal;

/// The surroundings of one run, read once at its start.
#[derive(Debug)]
pub(crate) struct Context {
    /// When the run began. Every age in a report is counted from it.
    pub(crate) now: Timestamp,
    /// The standard streams.
    pub(crate) terminal: Terminal,
    /// What a CI runner is told, when there is one.
    pub(crate) runner: Runner,
    environment: BTreeMap<String, String>,
}

impl Context {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self {
            now: Timestamp::now(),
            terminal,
            runner: Runner::default(),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        }
    }

    /// The day on which the run began, in UTC.
    pub(crate) fn today(&self) -> jiff::civil::Date {
        jiff::tz::TimeZone::UTC.to_datetime(self.now).date()
    }

    /// An environment variable; an empty one counts as absent, as runners set many that way.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The folder for answers that may be kept between runs: `PATCHGATE_CACHE_DIR`, else
    /// `patchgate` in `XDG_CACHE_HOME`, else `~/.cache/patchgate`.
    pub(crate) fn cache_dir(&self) -> Option<PathBuf> {
        if let Some(folder) = self.variable("PATCHGATE_CACHE_DIR") {
            return Some(PathBuf::from(folder));
        }

        self.variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| {
                self.variable("HOME")
                    .map(|home| PathBuf::from(home).join(".cache"))
            })
            .map(|cache| cache.join("patchgate"))
    }
}

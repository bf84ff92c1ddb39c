//! Context of a command: the environment, the terminal and the CI runner.

use patchgate_http::Environment;

use crate::runner::Runner;
use crate::terminal::Terminal;

/// The surroundings of one run, read once at its start.
#[derive(Debug)]
pub(crate) struct Context {
    /// The clock, the variables, the cache directory and the network.
    pub(crate) environment: Environment,
    /// The standard streams: whether they are terminals, and how wide.
    pub(crate) terminal: Terminal,
    /// The CI runner that gets outputs and annotations, when there is one.
    pub(crate) runner: Runner,
}

impl Context {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self {
            environment: Environment::of_process(),
            terminal,
            runner: Runner::default(),
        }
    }
}

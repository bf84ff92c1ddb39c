//! A run of git that nothing but its arguments decides.

use std::path::Path;
use std::process::Command;

/// Settings of a clone that could name programs to run, or change what git prints, each with the
/// value that turns it off.
const SETTINGS: [&str; 7] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.alternateRefsCommand=",
    "core.quotePath=false",
    "log.showSignature=false",
    "diff.external=",
    "protocol.allow=never",
];

/// Variables that keep out the settings of machine and user, questions to a person, and the network.
const VARIABLES: [(&str, &str); 8] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("LC_ALL", "C"),
];

/// git in a directory, isolated from the settings of machine, user and clone, and from the
/// environment but for `PATH`. It runs no hook and reaches no network. The caller adds further `-c`
/// settings, and then the subcommand.
///
/// ```
/// let mut git = patchgate_fs::isolated_git(std::path::Path::new("."));
/// git.args(["-c", "gc.auto=0", "rev-parse", "HEAD"]);
///
/// let variables = git.get_envs().count();
/// assert!((8..=9).contains(&variables));
/// ```
#[must_use]
pub fn isolated_git(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }

    command.env_clear().envs(VARIABLES);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }

    command
}

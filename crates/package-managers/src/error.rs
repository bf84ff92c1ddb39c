//! Errors of a relock.

use std::time::Duration;

/// The reason why a manager did not deliver a lockfile.
#[derive(Debug, thiserror::Error)]
pub enum RelockError {
    /// The manager is not installed.
    #[error("`{program}` was not found")]
    NotInstalled {
        /// The name of the program.
        program: &'static str,
    },
    /// rustup has no toolchain to run Cargo with.
    #[error("`cargo` cannot run: {reason}")]
    NoToolchain {
        /// The cause, in rustup's words.
        reason: String,
    },
    /// The manager could not be started, or its scratch directory not be created.
    #[error("cannot {action}")]
    Io {
        /// The action that failed: `start \`npm\``, `write \`package.json\` to the scratch
        /// directory`.
        action: String,
        /// The error of the system.
        #[source]
        source: std::io::Error,
    },
    /// It took too long and was stopped.
    #[error("`{command}` took longer than {} seconds and was stopped", limit.as_secs())]
    TimedOut {
        /// The command, without the scratch directory.
        command: String,
        /// The limit that passed, as wall-clock time.
        limit: Duration,
    },
    /// The manager refuses one version.
    #[error("`{package} {version}` was refused: {reason}")]
    Refused {
        /// The name of the package.
        package: String,
        /// The version that it should have got.
        version: String,
        /// Why, as the manager says it in short.
        reason: String,
    },
    /// The manager ended with an error.
    #[error("`{command}` failed: {reason}")]
    Failed {
        /// The command, without the scratch directory.
        command: String,
        /// Why, as the manager says it in short.
        reason: String,
    },
    /// Something that the manager needs for any lockfile of the project is out of reach.
    #[error("`{command}` cannot reach a source of the project: {reason}")]
    Unreachable {
        /// The command, without the scratch directory.
        command: String,
        /// Why, as the manager says it in short.
        reason: String,
    },
    /// A second run changed the lockfile again.
    #[error("`{command}` does not settle: a second run changes the lockfile again")]
    Unstable {
        /// The command, without the scratch directory.
        command: String,
    },
    /// The manager has no command that locks a package to an exact version.
    #[error("`{program}` cannot lock packages to exact versions")]
    NotExact {
        /// The name of the program.
        program: &'static str,
    },
    /// A file of the project cannot be used.
    #[error("`{path}` cannot be used: {reason}")]
    Unusable {
        /// Path of the file in the project.
        path: String,
        /// The reason, as a fragment.
        reason: String,
    },
}

impl RelockError {
    /// The next step, when there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotInstalled { program } => Some(format!(
                "install `{program}` or put its directory on PATH, then run `patchgate fix` again"
            )),
            Self::NoToolchain { .. } => Some(
                "run `rustup default stable`, or set `RUSTUP_TOOLCHAIN`, then run `patchgate fix` \
                 again"
                    .to_owned(),
            ),
            Self::Unreachable { reason, .. } if reason.contains("failed to load manifest") => Some(
                "the manager reads the manifest of every member and path dependency; check that \
                 the checkout is complete, submodules included"
                    .to_owned(),
            ),
            Self::Unreachable { .. } => Some(
                "the manager reads every git dependency and registry of the project; run \
                 `patchgate fix` where they can be reached"
                    .to_owned(),
            ),
            Self::TimedOut { .. } => {
                Some("check that the registry can be reached from here".to_owned())
            }
            Self::Unstable { .. } => Some(
                "run the same command by hand until nothing changes, commit the lockfile, and try again"
                    .to_owned(),
            ),
            Self::Failed { reason, .. } if reason.contains("no repository of Maven") => {
                Some("install Maven, or name a mirror in `~/.m2/settings.xml`".to_owned())
            }
            Self::Failed { reason, .. } if reason.contains("offline") => {
                Some("run once without `--offline` so that the manager's cache gets it".to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_reach_has_a_next_step_of_its_own() {
        let hint = |reason: &str| {
            RelockError::Unreachable {
                command: "cargo update --workspace".to_owned(),
                reason: reason.to_owned(),
            }
            .hint()
            .unwrap()
        };
        assert!(hint("failed to load manifest for dependency `a`").contains("submodules"));
        assert!(hint("unable to update https://git.invalid/a").contains("can be reached"));
    }
}

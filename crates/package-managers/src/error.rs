//! Why a manager did not deliver a lockfile.

use std::time::Duration;

/// Why a manager did not deliver a lockfile.
#[derive(Debug, thiserror::Error)]
pub enum RelockError {
    /// The manager is not installed.
    #[error("`{program}` was not found")]
    NotInstalled {
        /// The program.
        program: &'static str,
    },
    /// rustup has no toolchain to run Cargo with.
    #[error("`cargo` cannot run: {reason}")]
    NoToolchain {
        /// The cause, in rustup's words.
        reason: String,
    },
    /// The manager could not be started or its folder not be made.
    #[error("cannot {action}")]
    Io {
        /// What was tried: `start \`npm\``, `write \`package.json\` to the scratch folder`.
        action: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// It took too long and was stopped.
    #[error("`{command}` took longer than {} seconds and was stopped", limit.as_secs())]
    TimedOut {
        /// The command, without the scratch folder.
        command: String,
        /// The limit.
        limit: Duration,
    },
    /// One move is not possible.
    #[error("`{package} {version}` was refused: {reason}")]
    Refused {
        /// The package.
        package: String,
        /// The version that it should have got.
        version: String,
        /// Why, as the manager says it in short.
        reason: String,
    },
    /// The manager failed.
    #[error("`{command}` failed: {reason}")]
    Failed {
        /// The command, without the scratch folder.
        command: String,
        /// Why, as the manager says it in short.
        reason: String,
    },
    /// Something that the manager needs for any lockfile of the project is out of reach.
    #[error("`{command}` cannot reach what the project needs: {reason}")]
    Unreachable {
        /// The command, without the scratch folder.
        command: String,
        /// Why, as the manager says it in short.
        reason: String,
    },
    /// A second run changed the lockfile again.
    #[error("`{command}` does not come to rest: a second run changes the lockfile again")]
    Unstable {
        /// The command, without the scratch folder.
        command: String,
    },
    /// A file of the project cannot be used.
    #[error("`{path}` cannot be used: {reason}")]
    Unusable {
        /// Path of the file in the project.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

impl RelockError {
    /// What to do next, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotInstalled { program } => Some(format!(
                "install `{program}` or put its folder on PATH, then run `patchgate fix` again"
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

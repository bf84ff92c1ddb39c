//! Git commands, isolated from the settings of machine, user and repository.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use patchgate_fs::isolated_git;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// Time limit for a git command. Each one handles only a few objects.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Limit on the output, in bytes. The largest one is a pack with a few lockfiles.
const MAX_OUTPUT_BYTES: u64 = 512 * 1024 * 1024;

/// Why a git command failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// git is not installed or cannot be started.
    #[error("`git` cannot be started")]
    Start(#[source] std::io::Error),
    /// Reading or writing a pipe of the command failed.
    #[error("the connection to `git {command}` failed")]
    Pipe {
        /// Name of the subcommand.
        command: String,
        /// The error of the pipe.
        #[source]
        source: std::io::Error,
    },
    /// The command exceeded the time limit.
    #[error("`git {command}` took longer than {} s", TIMEOUT.as_secs())]
    Timeout {
        /// Name of the subcommand.
        command: String,
    },
    /// The command ended with an error code.
    #[error("`git {command}` failed: {message}")]
    Failed {
        /// Name of the subcommand.
        command: String,
        /// The command's error output.
        message: String,
    },
    /// The output of the command has an unknown form.
    #[error("the output of `git {command}` has an unknown form")]
    Unreadable {
        /// Name of the subcommand.
        command: String,
    },
    /// A file of the plan cannot be part of the commit.
    #[error("`{path}` {reason}")]
    File {
        /// Path from the repository root.
        path: String,
        /// The reason: a fragment that follows the path.
        reason: String,
    },
}

impl GitError {
    /// The next step: a fragment for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Start(_) => Some("install git, version 2.30 or later, and put it on the `PATH`"),
            Self::Failed { message, .. } if message.contains("not a git repository") => {
                Some("run it inside a clone of the repository")
            }
            Self::Failed { message, .. } if message.contains("dubious ownership") => Some(
                "the clone belongs to another account: run as that account, or change its owner",
            ),
            _ => None,
        }
    }
}

/// git in one repository.
#[derive(Debug, Clone)]
pub(super) struct Git {
    folder: PathBuf,
    index: Option<PathBuf>,
}

impl Git {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            index: None,
        }
    }

    /// The same with an index of its own, so that the clone's stays as it is.
    pub(super) fn with_index(&self, index: PathBuf) -> Self {
        Self {
            index: Some(index),
            ..self.clone()
        }
    }

    /// Runs a command and gives its output as one trimmed line of text.
    pub(super) async fn line(
        &self,
        arguments: &[&str],
        extra: &[(&str, &str)],
        input: &[u8],
    ) -> Result<String, GitError> {
        let output = self.run(arguments, extra, input).await?;
        let text = String::from_utf8(output).map_err(|_| GitError::Unreadable {
            command: name(arguments),
        })?;
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// Runs a command and gives its output.
    pub(super) async fn run(
        &self,
        arguments: &[&str],
        extra: &[(&str, &str)],
        input: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        tokio::time::timeout(TIMEOUT, self.start(arguments, extra, input))
            .await
            .map_err(|_| GitError::Timeout {
                command: name(arguments),
            })?
    }

    async fn start(
        &self,
        arguments: &[&str],
        extra: &[(&str, &str)],
        input: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        let pipe = |source| GitError::Pipe {
            command: name(arguments),
            source,
        };
        let mut command = self.command(arguments, extra);
        let mut child = command.spawn().map_err(GitError::Start)?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(pipe(std::io::Error::other("a pipe is missing")));
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let write = async {
            // A command that ends before it read everything says why on its own.
            let _ = stdin.write_all(input).await;
            drop(stdin);
        };
        let mut stdout = stdout.take(MAX_OUTPUT_BYTES);
        let mut stderr = stderr.take(64 * 1024);
        let ((), read, _) = tokio::join!(
            write,
            stdout.read_to_end(&mut out),
            stderr.read_to_end(&mut err)
        );

        read.map_err(pipe)?;
        let status = child.wait().await.map_err(pipe)?;
        if status.success() {
            return Ok(out);
        }

        let message = String::from_utf8_lossy(&err);
        let message: String = message
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .filter(|c| !c.is_control())
            .take(400)
            .collect();

        Err(GitError::Failed {
            command: name(arguments),
            message,
        })
    }

    fn command(&self, arguments: &[&str], extra: &[(&str, &str)]) -> Command {
        let mut command = Command::from(isolated_git(&self.folder));
        command
            .args(["-c", "gc.auto=0"])
            .args(["-c", "commit.gpgSign=false"])
            .args(["-c", "i18n.commitEncoding=UTF-8"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        for (key, value) in extra {
            command.env(OsStr::new(key), OsStr::new(value));
        }

        command
    }
}

/// The subcommand, for errors.
fn name(arguments: &[&str]) -> String {
    arguments.first().copied().unwrap_or_default().to_owned()
}

//! One run of the user's test command: a scrubbed environment, bounded time, the end of its output.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use patchgate_evidence::is_secret_name;
use patchgate_package_managers::process::{Group, is_passed};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

/// Most bytes kept of the output: its end.
const MAX_OUTPUT_BYTES: usize = 256 * 1024;

/// How long the output may stay open after the command ended, by a program that it left behind.
const GRACE: Duration = Duration::from_secs(2);

/// Variables that the command gets besides those of package managers: where toolchains are, and
/// that it runs in CI. Everything else stays behind, tokens above all, and so do the files by which
/// a step of a workflow changes later ones (`GITHUB_ENV`): the tests run the code of new releases.
const PASSED: &[&str] = &[
    "CI",
    "TERM",
    "TZ",
    "SHELL",
    "NO_COLOR",
    "JAVA_HOME",
    "MAVEN_HOME",
    "GRADLE_HOME",
    "GRADLE_USER_HOME",
    "ANDROID_HOME",
    "NVM_DIR",
    "VOLTA_HOME",
    "PNPM_HOME",
    "COREPACK_HOME",
    "PYENV_ROOT",
    "UV_CACHE_DIR",
    "PIP_CACHE_DIR",
    "POETRY_HOME",
    "RBENV_ROOT",
    "GEM_HOME",
    "BUNDLE_PATH",
    "COMPOSER_HOME",
    "DOTNET_ROOT",
    "PUB_CACHE",
    "MIX_HOME",
    "HEX_HOME",
    "LIBRARY_PATH",
    "LD_LIBRARY_PATH",
    "PKG_CONFIG_PATH",
];

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunEnd {
    Success,
    Failure,
    TimedOut,
}

/// The end of one run, with the end of its output.
#[derive(Debug)]
pub(super) struct TestRun {
    pub(super) end: RunEnd,
    pub(super) output: String,
}

/// The environment of the command, and the secrets that stay behind.
#[derive(Debug, Clone)]
pub(super) struct TestEnvironment {
    passed: Vec<(OsString, OsString)>,
    /// The values of variables whose names are those of secrets.
    pub(super) secrets: Vec<String>,
}

impl TestEnvironment {
    /// Of the variables given, those that are known to be harmless, and those that the user names.
    pub(super) fn new(
        variables: impl Iterator<Item = (OsString, OsString)>,
        named: &[String],
    ) -> Self {
        let mut passed = Vec::new();
        let mut secrets = Vec::new();
        for (name, value) in variables {
            let Some(text) = name.to_str() else { continue };
            if is_secret_name(text) {
                secrets.extend(value.to_str().map(str::to_owned));
            }
            let is_named = named.iter().any(|one| one == text);
            if is_named || is_passed(text) || PASSED.contains(&text) {
                passed.push((name, value));
            }
        }

        Self { passed, secrets }
    }
}

/// Runs the command in a directory.
///
/// # Errors
/// When no shell can be started.
pub(super) async fn run(
    command: &str,
    directory: &Path,
    environment: &TestEnvironment,
    limit: Duration,
) -> Result<TestRun, std::io::Error> {
    let mut shell = shell(command);
    shell
        .current_dir(directory)
        .env_clear()
        .envs(environment.passed.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    shell.process_group(0);
    tracing::debug!(command, ?directory, "test");

    let mut child = shell.spawn()?;
    // Stops the group when this function returns, or when nothing waits for it any more.
    let group = Group::of(child.id());
    let kept = Arc::new(Mutex::new(VecDeque::new()));
    let stdout = tokio::spawn(keep(child.stdout.take(), Arc::clone(&kept)));
    let stderr = tokio::spawn(keep(child.stderr.take(), Arc::clone(&kept)));
    let readers = async {
        // A reader ends early only by a panic, which ends the process.
        let _ = tokio::join!(stdout, stderr);
    };

    let end = match tokio::time::timeout(limit, child.wait()).await {
        Err(_) => RunEnd::TimedOut,
        Ok(status) => match status?.success() {
            true => RunEnd::Success,
            false => RunEnd::Failure,
        },
    };
    if tokio::time::timeout(GRACE, readers).await.is_ok() && end != RunEnd::TimedOut {
        // Nothing of the group holds the output any more, and its number may soon be that of
        // another.
        group.ended();
    } else {
        drop(group);
    }

    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes: Vec<u8> = kept.iter().copied().collect();
    Ok(TestRun {
        end,
        output: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

#[cfg(not(windows))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

/// Reads to the end and keeps the last [`MAX_OUTPUT_BYTES`] of both outputs.
async fn keep(from: Option<impl AsyncRead + Unpin>, kept: Arc<Mutex<VecDeque<u8>>>) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(buffer.iter().take(count));
        let surplus = kept.len().saturating_sub(MAX_OUTPUT_BYTES);
        kept.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> TestEnvironment {
        TestEnvironment::new(std::env::vars_os(), &[])
    }

    async fn run_in_temporary(command: &str, limit: Duration) -> TestRun {
        let directory = tempfile::tempdir().unwrap();
        run(command, directory.path(), &environment(), limit)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn both_outputs_are_kept_and_the_end_is_known() {
        let minute = Duration::from_secs(60);
        let passed = run_in_temporary("echo out; echo err >&2", minute).await;
        assert_eq!(passed.end, RunEnd::Success);
        assert!(passed.output.contains("out\n") && passed.output.contains("err\n"));
        let failed = run_in_temporary("exit 3", minute).await;
        assert_eq!(failed.end, RunEnd::Failure);
        let long = run_in_temporary("yes | head -c 3000000; echo end", minute).await;
        assert_eq!(long.output.len(), MAX_OUTPUT_BYTES);
        assert!(long.output.ends_with("end\n"));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_that_hangs_is_stopped_with_its_children() {
        let hung = "sleep 60 & echo $!; wait";
        let run = run_in_temporary(hung, Duration::from_millis(500)).await;
        assert_eq!(run.end, RunEnd::TimedOut);
        assert_ends(run.output.trim()).await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_is_left_behind_is_stopped() {
        let left = "sleep 60 & echo $!";
        let run = run_in_temporary(left, Duration::from_secs(60)).await;
        assert_eq!(run.end, RunEnd::Success);
        assert_ends(run.output.trim()).await;
    }

    #[cfg(unix)]
    async fn assert_ends(pid: &str) {
        let gone = || {
            std::fs::read_to_string(format!("/proc/{pid}/stat"))
                .map_or(true, |stat| stat.contains(") Z ") || stat.contains(") X "))
        };
        for _ in 0..200 {
            if gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{pid} still runs");
    }

    #[test]
    fn tokens_and_the_files_of_a_workflow_stay_behind() {
        let variables = [
            ("PATH", "/bin"),
            ("JAVA_HOME", "/java"),
            ("GITHUB_TOKEN", "secret-1"),
            ("GITHUB_ENV", "/env"),
            ("INPUT_TOKEN", "secret-2"),
            ("DATABASE", "x"),
            ("OTHER", "y"),
        ];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let environment = TestEnvironment::new(variables.into_iter(), &["DATABASE".to_owned()]);
        let names: Vec<&str> = environment
            .passed
            .iter()
            .filter_map(|(name, _)| name.to_str())
            .collect();
        assert_eq!(names, ["PATH", "JAVA_HOME", "DATABASE"]);
        assert_eq!(environment.secrets, ["secret-1", "secret-2"]);
    }
}

//! Starts a manager: scrubbed environment, bounded time and output.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::RelockError;

/// Most bytes kept of each output of a manager; the rest is read and dropped.
const MAX_OUTPUT_BYTES: usize = 4 * 1024 * 1024;

/// Variables that a manager gets from Patchgate's own environment. Everything else, tokens above
/// all, stays behind. The user's own configuration is found through `HOME` and `CARGO_HOME`.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TMP",
    "TEMP",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_PROXY",
    "CARGO_NET_OFFLINE",
    "npm_config_userconfig",
    "NPM_CONFIG_USERCONFIG",
    "npm_config_globalconfig",
    "NPM_CONFIG_GLOBALCONFIG",
    "npm_config_registry",
    "NPM_CONFIG_REGISTRY",
    "npm_config_cache",
    "NPM_CONFIG_CACHE",
    "GOROOT",
    "GOENV",
    "GOPATH",
    "GOMODCACHE",
    "GOCACHE",
    "GOPROXY",
    "GOPRIVATE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOSUMDB",
    "GOINSECURE",
    // Windows needs these to start programs and find the user's directory.
    "SystemRoot",
    "PATHEXT",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
];

/// Whether a variable of Patchgate's environment is passed on to a manager.
#[must_use]
pub fn is_passed(name: &str) -> bool {
    if PASSED.contains(&name) {
        return true;
    }
    // The addresses of Cargo's registries, but never their tokens or the programs that print those.
    (name.starts_with("CARGO_REGISTRIES_") || name.starts_with("CARGO_SOURCE_"))
        && ["_INDEX", "_PROTOCOL", "_REGISTRY", "_REPLACE_WITH"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
}

/// Output of a manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// True when it ended with success.
    pub success: bool,
    /// Standard output, up to the limit.
    pub stdout: String,
    /// Standard error, up to the limit.
    pub stderr: String,
}

/// Runs a program in a directory and waits for it.
///
/// # Errors
/// When it is not installed, cannot be started, or takes longer than `timeout`; then the program
/// and all that it started are stopped. The same happens when the future is dropped.
pub async fn run(
    program: &'static str,
    arguments: &[&str],
    folder: &Path,
    environment: &[(&str, &str)],
    timeout: Duration,
) -> Result<Output, RelockError> {
    let passed: Vec<(OsString, OsString)> = std::env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(is_passed))
        .collect();
    tracing::debug!(program, ?arguments, "start");
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(passed)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let failed = |source: std::io::Error| {
        if source.kind() == std::io::ErrorKind::NotFound {
            RelockError::NotInstalled { program }
        } else {
            RelockError::Io {
                action: format!("start `{program}`"),
                source,
            }
        }
    };
    let mut child = command.spawn().map_err(failed)?;
    let group = Group::of(child.id());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let finished = tokio::time::timeout(timeout, async {
        tokio::join!(read(stdout), read(stderr), child.wait())
    })
    .await;
    let Ok((stdout, stderr, status)) = finished else {
        return Err(RelockError::TimedOut {
            command: shown(program, arguments),
            limit: timeout,
        });
    };

    group.ended();
    let status = status.map_err(|source| RelockError::Io {
        action: format!("wait for `{program}`"),
        source,
    })?;

    Ok(Output {
        success: status.success(),
        stdout,
        stderr,
    })
}

/// The command as a person would type it.
#[must_use]
pub fn shown(program: &str, arguments: &[&str]) -> String {
    let mut text = program.to_owned();
    for argument in arguments {
        text.push(' ');
        text.push_str(argument);
    }
    text
}

/// Reads to the end and keeps the first [`MAX_OUTPUT_BYTES`].
async fn read(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut from) = from else {
        return String::new();
    };
    let mut kept = Vec::new();

    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let room = MAX_OUTPUT_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }

    String::from_utf8_lossy(&kept).into_owned()
}

/// A process and its descendants, which are stopped when nothing waits for them any more: when the
/// value goes. The process must have been started as the first of a group of its own.
#[derive(Debug)]
pub struct Group(Option<u32>);

impl Group {
    /// The group of a process, by its number.
    #[must_use]
    pub fn of(process: Option<u32>) -> Self {
        Self(process)
    }

    /// The process ended by itself, and its number may belong to another one soon.
    pub fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self
            .0
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw)
            && let Err(error) =
                rustix::process::kill_process_group(group, rustix::process::Signal::KILL)
        {
            tracing::debug!(%error, "the group had already ended");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stay_behind() {
        for name in [
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "PATCHGATE_TOKEN",
            "NPM_TOKEN",
            "NODE_AUTH_TOKEN",
            "NODE_OPTIONS",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_OURS_TOKEN",
            "CARGO_REGISTRIES_OURS_CREDENTIAL_PROVIDER",
            "CARGO_BUILD_RUSTC",
            "RUSTC_WRAPPER",
            "GOFLAGS",
            "GOAUTH",
            "GOTOOLCHAIN",
            "npm_config_script_shell",
            "npm_config__authToken",
        ] {
            assert!(!is_passed(name), "{name}");
        }

        for name in ["PATH", "HOME", "CARGO_HOME", "CARGO_REGISTRIES_OURS_INDEX"] {
            assert!(is_passed(name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_missing_program_is_named_with_the_next_step() {
        let error = run(
            "patchgate-no-such-program",
            &[],
            &std::env::temp_dir(),
            &[],
            Duration::from_secs(5),
        )
        .await
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`patchgate-no-such-program` was not found"
        );

        assert!(
            error
                .hint()
                .unwrap()
                .starts_with("install `patchgate-no-such-program`")
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_hangs_is_stopped_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let error = run(
            "sh",
            &["-c", "sleep 60 & echo $! > child; wait"],
            folder.path(),
            &[],
            Duration::from_secs(1),
        )
        .await
        .unwrap_err();

        assert!(
            error.to_string().contains("took longer than 1 seconds"),
            "{error}"
        );
        assert_ends(&child_of(folder.path()).await).await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_nobody_waits_for_is_stopped_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["-c", "sleep 60 & echo $! > child; wait"];
        let running = run(
            "sh",
            &arguments,
            folder.path(),
            &[],
            Duration::from_secs(60),
        );
        let child = tokio::select! {
            _ = running => panic!("it should wait for its child"),
            child = child_of(folder.path()) => child,
        };

        assert_ends(&child).await;
    }

    /// The number that a shell wrote into `child`.
    #[cfg(unix)]
    async fn child_of(folder: &Path) -> String {
        for _ in 0..500 {
            if let Ok(child) = std::fs::read_to_string(folder.join("child"))
                && child.ends_with('\n')
            {
                return child.trim().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }

        panic!("the child did not start");
    }

    #[cfg(unix)]
    async fn assert_ends(pid: &str) {
        // The kernel may need a moment to take it away; a zombie is as good as gone.
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

        panic!("the child still runs");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn output_is_captured_from_both_sides() {
        let output = run(
            "sh",
            &["-c", "echo out; echo err >&2; exit 3"],
            &std::env::temp_dir(),
            &[],
            Duration::from_secs(20),
        )
        .await
        .unwrap();
        assert_eq!(
            output,
            Output {
                success: false,
                stdout: "out\n".into(),
                stderr: "err\n".into(),
            }
        );
    }
}

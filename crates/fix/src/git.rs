//! Questions to git about the scanned repository. git reads here and never writes.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use patchgate_fs::isolated_git;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// Time limit of one question.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The answer to a question, at most `limit` bytes of it; `None` where there is no clone, no git,
/// no answer in time, or a longer one.
pub(crate) async fn ask(
    directory: &Path,
    arguments: &[&str],
    input: &[u8],
    limit: usize,
) -> Option<Vec<u8>> {
    tokio::time::timeout(TIMEOUT, answer(directory, arguments, input, limit))
        .await
        .ok()?
}

async fn answer(
    directory: &Path,
    arguments: &[&str],
    input: &[u8],
    limit: usize,
) -> Option<Vec<u8>> {
    let mut child = command(directory, arguments).spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    let stdout = child.stdout.take()?;
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).ok()?.saturating_add(1);
    let mut bounded = stdout.take(most);
    let write = async {
        let written = stdin.write_all(input).await;
        drop(stdin);
        written
    };
    let (written, read) = tokio::join!(write, bounded.read_to_end(&mut bytes));
    read.ok()?;
    if bytes.len() > limit {
        return None;
    }
    written.ok()?;

    child.wait().await.ok()?.success().then_some(bytes)
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::from(isolated_git(directory));
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);

    command
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Runs git in a directory, with settings of the test only.
    pub(crate) fn git(directory: &Path, arguments: &[&str]) {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b.invalid"])
            .args(["-c", "core.autocrlf=false", "-c", "commit.gpgSign=false"])
            .args(arguments)
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    #[tokio::test]
    async fn an_answer_is_bounded_and_no_answer_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let list = ["ls-files", "--others", "-z"];
        assert_eq!(ask(root, &list, b"", 100).await, None, "no clone");

        git(root, &["init", "-q"]);
        std::fs::write(root.join("a"), "1").unwrap();
        assert_eq!(ask(root, &list, b"", 100).await.unwrap(), b"a\0");
        assert_eq!(ask(root, &list, b"", 1).await, None, "too long");
    }
}

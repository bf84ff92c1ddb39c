//! Output of a command's result: to standard output, or to a file that appears as a whole.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use patchgate_report::clean;

/// Writes `text` to the file, or to standard output where none is given.
///
/// A reader that went away (`patchgate scan | head`) is not an error.
pub(crate) fn write(text: &str, to: Option<&Path>) -> anyhow::Result<()> {
    match to {
        Some(path) => write_file(path, text.as_bytes()),
        None => {
            let mut stdout = std::io::stdout().lock();
            match stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush())
            {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                other => other.context("failed to write to standard output"),
            }
        }
    }
}

/// Writes `text` to standard error, so that it does not mix with the result.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints a warning to standard error, without control characters and line ends of `text`.
pub(crate) fn warn(text: &str) {
    say(&format!("warning: {}\n", clean(text)));
}

/// Replaces a file, or creates it, as a whole.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    patchgate_fs::write_atomic(path, bytes)
        .with_context(|| format!("failed to write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::write_file;

    #[test]
    fn names_the_file_that_cannot_be_written() {
        let directory = tempfile::tempdir().unwrap();
        let error = write_file(&directory.path().join("absent/report.json"), b"").unwrap_err();
        assert!(format!("{error:#}").contains("absent/report.json"));
    }
}

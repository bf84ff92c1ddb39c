//! What a CI runner is told beside the report: step outputs, the job summary, annotations.
//!
//! Commands always say these things; they reach a runner only under `patchgate action`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;

/// Largest job summary, in bytes. GitHub refuses a step's summary above 1 MiB
/// (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
const MAX_SUMMARY_BYTES: usize = 1024 * 1024;

/// The files and streams that a GitHub runner reads, when there is one.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    output: Option<PathBuf>,
    summary: Option<PathBuf>,
    annotate: bool,
}

impl Runner {
    /// A runner that reads these files, as GitHub names them in `GITHUB_OUTPUT` and
    /// `GITHUB_STEP_SUMMARY`.
    pub(crate) fn new(output: Option<&str>, summary: Option<&str>) -> Self {
        Self {
            output: output.map(PathBuf::from),
            summary: summary.map(PathBuf::from),
            annotate: true,
        }
    }

    /// Sets a step output. Values are one line: line breaks become spaces, so that no value can
    /// set another output.
    pub(crate) fn output(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let value: String = value
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        append(self.output.as_ref(), &format!("{name}={value}\n"))
    }

    /// Adds to the job summary, as far as it fits.
    pub(crate) fn summary(&self, markdown: &str) -> anyhow::Result<()> {
        const CUT: &str = "\n\n_The rest does not fit into a job summary; see the report._\n";
        if markdown.len() <= MAX_SUMMARY_BYTES {
            return append(self.summary.as_ref(), markdown);
        }
        let mut end = MAX_SUMMARY_BYTES - CUT.len();
        while !markdown.is_char_boundary(end) {
            end -= 1;
        }
        append(self.summary.as_ref(), &format!("{}{CUT}", &markdown[..end]))
    }

    /// Prints annotations, which are workflow commands on standard output.
    pub(crate) fn annotate(&self, commands: &str) -> anyhow::Result<()> {
        if self.annotate {
            crate::output::write(commands, None)?;
        }
        Ok(())
    }
}

fn append(path: Option<&PathBuf>, text: &str) -> anyhow::Result<()> {
    let Some(path) = path else {
        return Ok(());
    };
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("failed to write the runner's file `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_set_another_output() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output");
        let runner = Runner::new(path.to_str(), None);
        runner.output("findings", "1\nverdict=merge").unwrap();
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "findings=1 verdict=merge\n"
        );
    }

    #[test]
    fn a_summary_that_is_too_long_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary");
        let runner = Runner::new(None, path.to_str());
        runner.summary(&"é".repeat(MAX_SUMMARY_BYTES)).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.len() <= MAX_SUMMARY_BYTES);
        assert!(text.ends_with("see the report._\n"));
    }
}

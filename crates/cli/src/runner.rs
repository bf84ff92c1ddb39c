//! Messages to a CI runner: step outputs, the job summary, annotations.
//!
//! Commands always send them. They reach a runner only under `patchgate action`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;

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

    /// Whether there is a runner. Work that only a runner needs can be left out otherwise.
    pub(crate) fn is_there(&self) -> bool {
        self.annotate
    }

    /// Adds to the job summary. Keep it below [`patchgate_report::GITHUB_SUMMARY_LIMIT`].
    pub(crate) fn summary(&self, markdown: &str) -> anyhow::Result<()> {
        append(self.summary.as_ref(), markdown)
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
}

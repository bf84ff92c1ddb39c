//! The machine-readable block in the body of a pull request that Patchgate opened.
//!
//! It states the plan that the pull request claims to contain. Anyone with write access can change this
//! text, so it is only compared with values that are computed from the files themselves.

use serde::{Deserialize, Serialize};

/// The text before the JSON. A comment is invisible in the rendered body.
const OPEN: &str = "<!-- patchgate:plan ";
/// The text after the JSON.
const CLOSE: &str = " -->";

/// Largest block that is read, in bytes: GitHub's limit for a whole body is 65,536 characters.
const MAX_BYTES: usize = 256 * 1024;

/// The only version of the block so far.
const VERSION: u32 = 1;

/// Mark of lines in a body that differ from run to run although the change is the same, such as the age
/// of a source. A body that differs in such lines only is up to date.
pub const DATED_MARK: &str = "<!-- patchgate:dated -->";

/// The plan that a pull request claims to contain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanBlock {
    /// Version of the block's format.
    version: u32,
    /// The value of [`crate::Plan::decision_digest`].
    pub decision: String,
    /// The value of [`crate::Plan::content_digest`].
    pub content: String,
    /// Id of the commit that the plan is based on.
    pub base: String,
    /// Id of the commit with the plan.
    pub commit: String,
    /// Paths of the files that the plan changes, sorted.
    pub files: Vec<String>,
    /// The packages with findings that the plan fixes, as `ecosystem:name`, sorted. Empty in blocks of
    /// earlier releases.
    #[serde(default)]
    pub packages: Vec<String>,
}

/// Why a body has no usable block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanBlockError {
    /// The body has no block.
    Absent,
    /// The body has several blocks, and it is ambiguous which one counts.
    Several,
    /// The block cannot be read, for the reason in the fragment.
    Unreadable(String),
}

impl std::fmt::Display for PlanBlockError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => write!(f, "the body has no `patchgate:plan` block"),
            Self::Several => write!(f, "the body has more than one `patchgate:plan` block"),
            Self::Unreadable(reason) => {
                write!(
                    f,
                    "the body's `patchgate:plan` block cannot be read: {reason}"
                )
            }
        }
    }
}

impl std::error::Error for PlanBlockError {}

impl PlanBlock {
    /// The block for a plan that is based on the commit `base` and contained in `commit`.
    #[must_use]
    pub fn new(plan: &crate::Plan, base: &str, commit: &str) -> Self {
        Self {
            version: VERSION,
            decision: plan.decision_digest(),
            content: plan.content_digest(),
            base: base.to_owned(),
            commit: commit.to_owned(),
            files: plan
                .changes
                .iter()
                .map(|change| change.path.clone())
                .collect(),
            packages: plan.fixed_packages().into_iter().collect(),
        }
    }

    /// The block as one HTML comment on one line.
    ///
    /// `<`, `>` and `--` in strings are escaped, so that no path can end the comment early.
    #[must_use]
    pub fn render(&self) -> String {
        // A struct of numbers, strings and a list of strings always serialises.
        let json = serde_json::to_string(self).unwrap_or_default();
        let json = json
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace("--", "\\u002d\\u002d");
        format!("{OPEN}{json}{CLOSE}")
    }

    /// Whether the text contains the start of a block, readable or not.
    #[must_use]
    pub fn is_marked(body: &str) -> bool {
        body.contains("<!-- patchgate:plan")
    }

    /// Reads the block of a body.
    ///
    /// # Errors
    /// When there is not exactly one block, or it cannot be read.
    pub fn parse(body: &str) -> Result<Self, PlanBlockError> {
        if !Self::is_marked(body) {
            return Err(PlanBlockError::Absent);
        }
        if body.matches("<!-- patchgate:plan").nth(1).is_some() {
            return Err(PlanBlockError::Several);
        }

        let unreadable = |reason: &str| PlanBlockError::Unreadable(reason.to_owned());
        let (_, rest) = body
            .split_once(OPEN)
            .ok_or_else(|| unreadable("its start is invalid"))?;
        let (json, _) = rest
            .split_once("-->")
            .ok_or_else(|| unreadable("its end is missing"))?;
        if json.len() > MAX_BYTES {
            return Err(unreadable("it is too long"));
        }

        let block: Self = serde_json::from_str(json.trim())
            .map_err(|error| PlanBlockError::Unreadable(error.to_string()))?;
        if block.version != VERSION {
            return Err(PlanBlockError::Unreadable(format!(
                "its version is {}, but only {VERSION} is supported",
                block.version
            )));
        }

        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> PlanBlock {
        PlanBlock {
            version: VERSION,
            decision: "d".repeat(64),
            content: "c".repeat(64),
            base: "b".repeat(40),
            commit: "a".repeat(40),
            files: vec!["a --> b/<!-- package-lock.json".into()],
            packages: vec!["npm:<!-- patchgate:plan -->".into()],
        }
    }

    #[test]
    fn reads_what_it_writes_whatever_the_paths_are() {
        let body = format!("# Title\n\ntext -->\n{}\nmore", block().render());
        assert_eq!(PlanBlock::parse(&body), Ok(block()));
    }

    #[test]
    fn two_blocks_are_none() {
        let body = format!("{}\n{}", block().render(), block().render());
        assert_eq!(PlanBlock::parse(&body), Err(PlanBlockError::Several));
    }

    #[test]
    fn absent_cut_and_strange_blocks_are_told_apart() {
        assert_eq!(PlanBlock::parse("hello"), Err(PlanBlockError::Absent));
        for body in [
            "<!-- patchgate:plan {\"version\":1",
            "<!-- patchgate:plan {} -->",
            "<!-- patchgate:plan\n{} -->",
        ] {
            assert!(
                matches!(PlanBlock::parse(body), Err(PlanBlockError::Unreadable(_))),
                "{body}"
            );
        }

        let later = block().render().replace("\"version\":1", "\"version\":2");
        let error = PlanBlock::parse(&later).unwrap_err();

        assert_eq!(
            error.to_string(),
            "the body's `patchgate:plan` block cannot be read: its version is 2, but only 1 is supported"
        );
    }
}

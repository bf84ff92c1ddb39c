//! The digest of a plan that another job recomputed from the base.

use serde::{Deserialize, Serialize};

use crate::{Plan, content_digest};

/// The only version of the file's format so far.
const VERSION: u32 = 1;
/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// The files that a plan leads to, as one digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanDigest {
    version: u32,
    /// Id of the commit that the plan is based on.
    pub base: String,
    /// The value of [`Plan::content_digest`].
    pub content: String,
    /// Paths of the files that the plan changes, sorted.
    pub files: Vec<String>,
}

impl PlanDigest {
    /// The digest of a plan that is based on the commit `base`.
    #[must_use]
    pub fn new(plan: &Plan, base: &str) -> Self {
        let mut files: Vec<String> = plan
            .changes
            .iter()
            .map(|change| change.path.clone())
            .collect();
        files.sort_unstable();
        Self {
            version: VERSION,
            base: base.to_owned(),
            content: content_digest(
                plan.changes
                    .iter()
                    .map(|change| (change.path.as_str(), change.after.as_slice()))
                    .collect::<Vec<_>>(),
            ),
            files,
        }
    }

    /// The digest as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A struct of a number and strings always serialises.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is something else; a fragment that follows the file's name.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("is larger than {MAX_BYTES} bytes"));
        }
        let digest: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("cannot be read: {error}"))?;
        if digest.version != VERSION {
            return Err(format!(
                "has the version {}, but only {VERSION} is supported",
                digest.version
            ));
        }
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileChange;

    #[test]
    fn a_digest_is_read_as_it_was_written() {
        let plan = Plan {
            changes: vec![FileChange {
                path: "Cargo.lock".into(),
                before: b"1".to_vec(),
                after: b"2".to_vec(),
            }],
            ..Plan::default()
        };
        let digest = PlanDigest::new(&plan, "base");
        assert_eq!(digest.content, plan.content_digest());
        assert_eq!(
            PlanDigest::parse(digest.to_json().as_bytes()),
            Ok(digest.clone())
        );

        let other = digest.to_json().replace("\"version\": 1", "\"version\": 2");
        for text in ["", "{}", "[]", &other, &" ".repeat(MAX_BYTES + 1)] {
            assert!(PlanDigest::parse(text.as_bytes()).is_err());
        }
    }
}

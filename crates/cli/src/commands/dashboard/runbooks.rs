//! The runbooks of a repository: Markdown files below `runbooks/`, each with a condition.
//!
//! A runbook starts with YAML between two lines `---`: `when`, a condition as in `--fail-on`, and
//! `owner`, a name. The first one by file name whose condition holds counts.

use std::path::Path;

use patchgate_forge::ForgeKind;
use patchgate_model::Finding;
use patchgate_report::Runbook;
use patchgate_risk::Condition;

use crate::forge::OpenForge;
use crate::output::warn;

/// Directory of the runbooks.
const DIRECTORY: &str = "runbooks";

/// Most runbooks, and the largest one in bytes.
const MAX_FILES: usize = 100;
const MAX_BYTES: u64 = 256 * 1024;

/// The runbooks by file name.
pub(super) struct Runbooks(Vec<(Condition, Runbook)>);

impl Runbooks {
    /// Reads the runbooks of a clone at `commit`. One that cannot be read is left out with a warning.
    pub(super) fn read(root: &Path, forge: &OpenForge, commit: &str) -> Self {
        let mut names: Vec<String> = std::fs::read_dir(root.join(DIRECTORY))
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".md"))
            .collect();
        names.sort();
        if names.len() > MAX_FILES {
            warn(&format!(
                "only the first {MAX_FILES} files of `{DIRECTORY}/` are read"
            ));
        }

        let middle = match forge.kind {
            ForgeKind::GitHub => "blob",
            ForgeKind::GitLab => "-/blob",
            ForgeKind::Gitea => "src/commit",
        };
        let mut runbooks = Vec::new();
        for name in names.into_iter().take(MAX_FILES) {
            let path = format!("{DIRECTORY}/{name}");
            let read = patchgate_fs::read_inside(root, &path, MAX_BYTES)
                .map_err(|error| error.to_string())
                .and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string()))
                .and_then(|text| parse(&text));
            match read {
                Ok((condition, owner)) => {
                    let url = format!("{}/{middle}/{commit}/{path}", forge.address);
                    runbooks.push((condition, Runbook { path, url, owner }));
                }
                Err(reason) => warn(&format!("`{path}` is left out: {reason}")),
            }
        }

        Self(runbooks)
    }

    /// The runbook for a finding.
    pub(super) fn of(&self, finding: &Finding) -> Option<&Runbook> {
        let mut runbooks = self.0.iter();
        runbooks
            .find(|(condition, _)| condition.holds(finding))
            .map(|(_, runbook)| runbook)
    }
}

/// The condition and the owner in the head of a runbook.
fn parse(text: &str) -> Result<(Condition, Option<String>), String> {
    let text = text.replace("\r\n", "\n");
    let head = text
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---"))
        .map(|(head, _)| head)
        .ok_or("it does not start with YAML between two lines `---`")?;
    let tree = patchgate_syntax::yaml_settings(head)
        .map_err(|error| error.to_string())?
        .ok_or("it has no `when`")?;
    let mut keys = tree.entries().iter().map(|(key, _)| &key.name);
    if let Some(key) = keys.find(|key| !matches!(key.as_ref(), "when" | "owner")) {
        return Err(format!("its head has the unknown key `{key}`"));
    }
    let when = tree
        .get("when")
        .and_then(|when| when.text())
        .ok_or("it has no `when`")?;
    let condition = when
        .parse::<Condition>()
        .map_err(|error| format!("`when`: {error}"))?;
    let owner = tree.get("owner").and_then(|owner| owner.text());

    Ok((condition, owner.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_runbook_has_a_condition() {
        let (_, owner) =
            parse("---\nwhen: malicious\nowner: \"@acme/security\"\n---\ntext").unwrap();
        assert_eq!(owner.as_deref(), Some("@acme/security"));
        assert!(parse("---\r\nwhen: kev\r\n---\r\ntext").is_ok());
        for bad in [
            "",
            "# text",
            "---\nowner: x\n---\n",
            "---\nwhen: nonsense\n---\n",
            "---\nwhen: kev\n",
            "---\nwhen: kev\nowners: x\n---\n",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

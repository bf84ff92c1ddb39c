//! Writer of the revisions in `.pre-commit-config.yaml`.

use patchgate_model::{Lockfile, PackageIndex};

use super::pre_commit;
use crate::github::write::{Place, write};
use crate::syntax::yaml;
use crate::{Downloads, Input, LockfileWriter, Siblings, TargetGraph, WriteError};

/// Writer of `rev:`.
#[derive(Debug)]
pub(super) struct PreCommitWriter;

impl LockfileWriter for PreCommitWriter {
    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        let error = |error: crate::ParseError| WriteError::new(input, error.to_string());
        let root = yaml(input.text().map_err(error)?).map_err(error)?;
        let revisions = pre_commit::revisions(&root);
        let place = |index: PackageIndex| {
            let (line, revision) = revisions.get(index.0 as usize)?;
            let package = lockfile.package(index)?;
            (*revision == package.version).then(|| Place {
                line: *line,
                before: String::new(),
                reference: package.version.clone(),
            })
        };
        write(input, lockfile, target, place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::reference::tests::release;
    use crate::github::refs::tests::id;
    use crate::parse;

    fn written(text: &str, changed: &[usize]) -> Result<String, String> {
        let siblings = Siblings::new();
        let input = Input {
            path: ".pre-commit-config.yaml",
            bytes: text.as_bytes(),
            siblings: &siblings,
        };
        let lockfile = parse(&input).unwrap();
        let mut target = TargetGraph::unchanged(&lockfile);
        for index in changed {
            target.nodes[*index].release = Some(release());
        }
        let files = PreCommitWriter.write(&input, &lockfile, &target, &Downloads::new());
        files
            .map(|mut files| String::from_utf8(files.remove(input.path).unwrap()).unwrap())
            .map_err(|error| error.reason)
    }

    #[test]
    fn revisions_keep_their_style_and_every_other_byte() {
        let (old, new) = (id('1'), id('b'));
        let text = format!(
            "repos:\r\n-   repo: local\r\n    hooks: []\r\n-   repo: https://git.invalid/a\r\n    rev: 'v4.6.0'  # why\r\n    hooks:\r\n    -   id: v4.6.0\r\n-   rev: {old}  # frozen: v4.6.0\r\n    repo: https://git.invalid/b\r\n    hooks: []\r\n- {{repo: https://git.invalid/c, rev: v4, hooks: []}}"
        );
        let expected = text
            .replace("rev: 'v4.6.0'", "rev: 'v5.0.1'")
            .replace(&old, &new)
            .replace("frozen: v4.6.0", "frozen: v5.0.1")
            .replace("rev: v4,", "rev: v5,");
        assert_eq!(written(&text, &[0, 1, 2]), Ok(expected));
        assert_eq!(written(&text, &[]), Ok(text));
    }

    #[test]
    fn a_branch_is_not_changed() {
        let text = "repos:\n- repo: https://git.invalid/a\n  rev: main\n  hooks: []\n";
        assert!(written(text, &[0]).unwrap_err().contains("is a branch"));
    }

    #[test]
    fn fixtures_are_written_back_as_they_are() {
        let text = include_str!("fixtures/read/hooks/.pre-commit-config.yaml");
        assert_eq!(written(text, &[]).as_deref(), Ok(text));
    }
}

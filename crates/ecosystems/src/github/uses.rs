//! Reader of `uses:` in workflows and composite actions.

use patchgate_model::{
    CommitId, DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root,
    Scope,
};

use super::reference::comment_version;
use crate::syntax::{Node, yaml};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Reads the steps of the jobs in a workflow, and the workflows that the jobs call.
pub(super) fn workflow(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let root = yaml(text)?;
    if !root.is_map() || root.get("jobs").is_none() {
        return Err(ParseError::new("is not a workflow: it has no `jobs`"));
    }

    let mut reader = LockfileBuilder::new(input, text, FormatId::new("github-workflow"), &root);
    for (name, job) in root.optional_map("jobs")? {
        if !job.is_map() {
            let error = job.unexpected(&name.name, "a job");
            reader.skipped.package(name.line, error.reason);
            continue;
        }
        reader.uses(job);
        reader.steps(job);
    }

    reader.finish()
}

/// Reads the metadata of an action. Only a composite action uses others.
pub(super) fn action(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let root = yaml(text)?;
    let Some(runs) = root.get("runs").filter(|runs| runs.is_map()) else {
        return Err(ParseError::new("is not an action: it has no `runs`"));
    };
    let mut reader = LockfileBuilder::new(input, text, FormatId::new("github-action"), &root);
    reader.steps(runs);
    reader.finish()
}

/// A lockfile under construction.
struct LockfileBuilder<'a> {
    /// Lines of the file, for the comments that the YAML tree does not contain.
    lines: Vec<&'a str>,
    lockfile: Lockfile,
    skipped: SkippedEntries,
}

impl<'a> LockfileBuilder<'a> {
    fn new(input: &Input<'_>, text: &'a str, format: FormatId, root: &Node<'_>) -> Self {
        let name = root.get("name").and_then(Node::text).unwrap_or_default();
        Self {
            lines: text.lines().collect(),
            skipped: SkippedEntries::default(),
            lockfile: Lockfile {
                path: input.path.to_owned(),
                ecosystem: super::NAME,
                format,
                roots: vec![Root {
                    name: name.to_owned(),
                    manifest: None,
                    edges: Vec::new(),
                }],
                ..Lockfile::default()
            },
        }
    }

    /// # Errors
    /// When there are too many actions, or no entry could be read.
    fn finish(self) -> Result<Lockfile, ParseError> {
        if self.lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("uses too many actions"));
        }
        salvage::finish(self.lockfile, self.skipped)
    }

    fn steps(&mut self, owner: &Node<'_>) {
        let steps = owner.optional_list("steps");
        let steps = self.skipped.recover(Loss::Package, owner.line, steps);
        for step in steps.unwrap_or_default() {
            self.uses(step);
        }
    }

    fn uses(&mut self, node: &Node<'_>) {
        let added = self.add(node);
        self.skipped.recover(Loss::Package, node.line, added);
    }

    fn add(&mut self, node: &Node<'_>) -> Result<(), ParseError> {
        let Some(text) = node.optional_text("uses")? else {
            return Ok(());
        };
        let line = node.get("uses").map_or(node.line, |uses| uses.line);
        if text.starts_with("./") || text.starts_with("../") || text.starts_with("docker://") {
            return Ok(());
        }

        let parsed = text.rsplit_once('@').and_then(|(path, reference)| {
            let mut parts = path.split('/').filter(|part| !part.is_empty());
            let (owner, name) = (parts.next()?, parts.next()?);
            (!reference.is_empty()).then(|| (format!("{owner}/{name}"), reference))
        });
        let Some((name, reference)) = parsed else {
            let reason = format!("uses `{text}`, which is not `owner/name@ref`");
            return Err(ParseError::new(reason).at_line(line as usize));
        };
        if self.lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("uses too many actions").at_line(line as usize));
        }

        let package = self.package(name, reference, line);
        let index = u32::try_from(self.lockfile.packages.len()).unwrap_or(u32::MAX);
        for root in &mut self.lockfile.roots {
            root.edges.push(Edge {
                to: PackageIndex(index),
                name: text.rsplit_once('@').map_or(text, |(path, _)| path).into(),
                requirement: Some(reference.into()),
                kind: DependencyKind::Build,
            });
        }

        self.lockfile.packages.push(package);
        Ok(())
    }

    /// The package of a `uses:`. A tag is the version. For a commit, the version comes from the
    /// comment after it, in the form that bots write; the commit stays the origin.
    fn package(&self, name: String, reference: &str, line: u32) -> Package {
        let commit = CommitId::parse(reference).filter(CommitId::is_sha1);
        let (version, origin) = if let Some(commit) = commit {
            let stated = self.comment_version(line, reference).unwrap_or(reference);
            let origin = Origin::Git {
                url: format!("{}/{name}", super::SERVER),
                commit: Some(commit.into()),
            };
            (stated, origin)
        } else {
            (reference, Origin::Registry(None))
        };

        Package {
            line,
            origin,
            scope: Scope::Build,
            ..Package::new(super::NAME, name, version.to_owned())
        }
    }

    /// The version in the comment after a commit: `…@11bd719… # v4.2.2`.
    fn comment_version(&self, line: u32, commit: &str) -> Option<&'a str> {
        let line = self.lines.get((line as usize).checked_sub(1)?)?;
        line.get(comment_version(line, commit)?)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::Siblings;

    fn read(text: &str) -> Result<Lockfile, ParseError> {
        let siblings = Siblings::new();
        workflow(&Input {
            path: ".github/workflows/ci.yml",
            bytes: text.as_bytes(),
            siblings: &siblings,
        })
    }

    #[test]
    fn tags_branches_commits_and_reusable_workflows() {
        let lockfile = read(
            "name: ci\non: push\njobs:\n  call:\n    uses: Org/shared/.github/workflows/x.yml@v1\n  build:\n    steps:\n      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2\n      - uses: actions/cache@11bd71901bbe5b1630ceea73d27597364c9af683 # pinned\n      - uses: 'github/codeql-action/init@v3'\n      - uses: a/b@main\n      - uses: ./.github/actions/own\n      - uses: docker://alpine:3.20\n      - run: |\n          uses: not/this@v1\n",
        )
        .unwrap();
        let list: Vec<String> = lockfile
            .packages
            .iter()
            .map(|package| {
                format!(
                    "{} {} {} {:?}",
                    package.line, package.name, package.version, package.origin
                )
            })
            .collect();

        assert_snapshot!(list.join("\n"), @r#"
        5 Org/shared v1 Registry(None)
        8 actions/checkout v4.2.2 Git { url: "https://github.com/actions/checkout", commit: Some("11bd71901bbe5b1630ceea73d27597364c9af683") }
        9 actions/cache 11bd71901bbe5b1630ceea73d27597364c9af683 Git { url: "https://github.com/actions/cache", commit: Some("11bd71901bbe5b1630ceea73d27597364c9af683") }
        10 github/codeql-action v3 Registry(None)
        11 a/b main Registry(None)
        "#);
        assert_eq!(lockfile.roots[0].edges[3].name, "github/codeql-action/init");
    }

    #[test]
    fn what_is_no_workflow_is_refused_with_its_line() {
        let error = read("jobs:\n  a:\n    steps:\n      - uses: checkout\n").unwrap_err();
        assert_eq!(error.line, Some(4));
        assert!(read("jobs:\n  a: [1]\n").is_err());
        assert!(read("name: x\n").is_err());
        assert!(read("jobs:\n  a:\n    steps:\n      - uses: [a]\n").is_err());
    }
}

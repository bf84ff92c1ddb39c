//! Reader of `.pre-commit-config.yaml`
//! (<https://pre-commit.com/#pre-commit-configyaml---top-level>): the repositories of hooks, with
//! their tag or commit.

use patchgate_model::{
    CommitId, DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root,
    Scope, Unresolved, without_credentials,
};

use crate::syntax::{Node, yaml};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Reads a configuration. Hooks of the repository itself (`local`, `meta`) are not packages.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let root = yaml(input.text()?)?;
    // Before version 1.0, the file was the list alone.
    let repos = root.get("repos").unwrap_or(&root);
    if !repos.is_list() {
        return Err(ParseError::new(
            "is not a pre-commit configuration: it has no list `repos`",
        ));
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("pre-commit-config"),
        roots: vec![Root::default()],
        ..Lockfile::default()
    };
    let mut skipped = SkippedEntries::default();
    for repo in repos.items() {
        if lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("names too many repositories").at_line(repo.line as usize));
        }
        let added = repository(&mut lockfile, repo);
        skipped.recover(Loss::Package, repo.line, added);

        let hooks = repo.get("hooks").map(Node::items).unwrap_or_default();
        for hook in hooks {
            let extras = hook.optional_list("additional_dependencies");
            let extras = skipped.recover(Loss::Package, hook.line, extras);
            for extra in extras.unwrap_or_default() {
                let extra = skipped.recover(Loss::Package, extra.line, additional(extra));
                lockfile.unresolved.extend(extra);
            }
        }
    }

    salvage::finish(lockfile, skipped)
}

/// Adds the repository of an entry. Hooks of the repository itself are not a package.
fn repository(lockfile: &mut Lockfile, repo: &Node<'_>) -> Result<(), ParseError> {
    let url = without_credentials(repo.need_text("repo")?);
    if matches!(&*url, "local" | "meta") {
        return Ok(());
    }
    add(lockfile, repo, &url)
}

fn add(lockfile: &mut Lockfile, repo: &Node<'_>, url: &str) -> Result<(), ParseError> {
    let rev = repo.need_text(revision_key(repo))?;

    let commit = CommitId::parse(rev).filter(CommitId::is_sha1);
    let index = u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX);
    for root in &mut lockfile.roots {
        root.edges.push(Edge {
            to: PackageIndex(index),
            name: url.into(),
            requirement: Some(rev.into()),
            kind: DependencyKind::Development,
        });
    }

    lockfile.packages.push(Package {
        line: repo.get("repo").map_or(repo.line, |node| node.line),
        scope: Scope::Development,
        origin: Origin::Git {
            url: url.to_owned(),
            commit: commit.map(Into::into),
        },
        ..Package::new(super::NAME, url.to_owned(), rev.to_owned())
    });

    Ok(())
}

/// The key of the revision. Before version 0.16, it was `sha`.
fn revision_key(repo: &Node<'_>) -> &'static str {
    match repo.get("sha") {
        Some(_) if repo.get("rev").is_none() => "sha",
        _ => "rev",
    }
}

/// The revisions of the packages with their lines, in the order of the file.
pub(super) fn revisions<'a>(root: &'a Node<'_>) -> Vec<(u32, &'a str)> {
    let repos = root.get("repos").unwrap_or(root);
    repos
        .items()
        .iter()
        .filter(|repo| {
            let url = repo.get("repo").and_then(Node::text);
            url.is_some_and(|url| !matches!(url, "local" | "meta"))
        })
        .filter_map(|repo| {
            let revision = repo.get(revision_key(repo))?;
            Some((revision.line, revision.text()?))
        })
        .collect()
}

/// An additional dependency of a hook. Its ecosystem is stated only in the hook's own repository,
/// so it stays an unresolved requirement as written.
fn additional(node: &Node<'_>) -> Result<Unresolved, ParseError> {
    let text = node
        .text()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| node.unexpected("additional_dependencies", "a text"))?;
    Ok(Unresolved {
        ecosystem: crate::generic::NAME,
        name: text.to_owned(),
        requirement: String::new(),
        kind: DependencyKind::Development,
        line: node.line,
    })
}

//! Text form of a lockfile for snapshots, made for review by a person.

use std::fmt::Write as _;

use patchgate_model::{Edge, Lockfile, Origin};

use crate::purl;

/// The whole lockfile, with one line per package, root, edge, unresolved
/// requirement, missing file and skipped entry.
pub(crate) fn snapshot_text(lockfile: &Lockfile) -> String {
    let mut text = format!("{} {}\n", lockfile.path, lockfile.format);
    for package in &lockfile.packages {
        let _ = write!(text, "{}: {}", package.line, purl(package));
        match &package.origin {
            Origin::Registry(None) => {}
            Origin::Registry(Some(address)) => drop(write!(text, " registry {address}")),
            Origin::Git { url, commit } => drop(write!(text, " git {url} {commit:?}")),
            Origin::Path(path) => drop(write!(text, " path {path:?}")),
            Origin::Url(url) => drop(write!(text, " url {url}")),
        }

        let _ = write!(text, " {:?}", package.scope);
        if !package.groups.is_empty() {
            let _ = write!(text, " {:?}", package.groups);
        }
        if let Some(alias) = &package.alias {
            let _ = write!(text, " as {alias}");
        }
        if let Some(hash) = &package.integrity {
            let start: String = hash.chars().take(12).collect();
            let _ = write!(text, " {start}");
        }

        text.push('\n');
        edges(lockfile, &package.edges, &mut text);
    }

    for root in &lockfile.roots {
        let manifest = root.manifest.as_deref().unwrap_or("?");
        let _ = writeln!(text, "root `{}` {manifest}", root.name);
        edges(lockfile, &root.edges, &mut text);
    }

    for open in &lockfile.unresolved {
        let _ = writeln!(
            text,
            "{}: unresolved {} `{}` {:?}",
            open.line, open.name, open.requirement, open.kind
        );
    }

    for file in &lockfile.missing {
        let _ = writeln!(
            text,
            "{}: lacks {} {} {} at {} {:?}",
            file.line, file.role, file.name, file.version, file.path, file.reason
        );
    }

    for entry in &lockfile.skipped {
        let _ = writeln!(
            text,
            "{}: skipped {:?}: {}",
            entry.line, entry.loss, entry.reason
        );
    }

    text
}

fn edges(lockfile: &Lockfile, edges: &[Edge], text: &mut String) {
    for edge in edges {
        let to = lockfile
            .package(edge.to)
            .map(|package| format!("{}@{}", package.name, package.version))
            .unwrap_or_default();
        let requirement = edge.requirement.as_deref().unwrap_or("?");
        let _ = writeln!(
            text,
            "  -> {to} as {} `{requirement}` {:?}",
            edge.name, edge.kind
        );
    }
}

//! Sources of packages: another server, another address, another git commit.

use std::collections::BTreeSet;

use patchgate_model::{Origin, Package, without_credentials};

use super::{Comparison, LockfileDiff, versions};
use crate::source::Source;

impl Comparison<'_> {
    /// Copies from other sources than before.
    pub(super) fn source(
        &self,
        name: &str,
        base: &[&Package],
        head: &[&Package],
        diff: &mut LockfileDiff,
    ) {
        let before: BTreeSet<Source> = base.iter().map(|package| Source::of(package)).collect();
        let now: BTreeSet<Source> = head.iter().map(|package| Source::of(package)).collect();

        for source in now.difference(&before) {
            let text = self.text(&format!("{name} comes from {source}, and did not before"));
            // Same server and another path, or a server that the lockfile does not state: it may be
            // the registry's own layout, so a person decides.
            let same_server = before.iter().any(|known| known.server == source.server);
            // npm leaves the addresses out where it is configured so, and states those of new versions
            // where it is not.
            let states_none = || {
                let mut servers = self.servers.iter().flatten();
                servers.all(|server| !server.starts_with("registry"))
            };
            let unstated = source.kind == "registry"
                && before.iter().any(|known| known.server.is_none())
                && (self.servers.contains(&source.server) || states_none());

            if same_server || unstated || source.server.is_none() {
                diff.source_unclear.push(text);
            } else {
                diff.source_changed.push(text);
            }
        }
    }

    /// A git dependency is its commit: another one is other code, whatever the version says. Forges
    /// serve the commits of forks under the address of the original too.
    pub(super) fn commits(
        &self,
        name: &str,
        base: &[&Package],
        head: &[&Package],
        diff: &mut LockfileDiff,
    ) {
        let (before, now) = (commits(base), commits(head));

        for (url, commit) in now.difference(&before) {
            let was: Vec<&str> = before
                .iter()
                .filter(|(known, _)| known == url)
                .map(|(_, commit)| commit.unwrap_or("no commit"))
                .collect();
            // Another address is another source, which is reported as such.
            if !was.is_empty() {
                diff.source_changed.push(self.text(&format!(
                    "{name} comes from another commit of `{}`: {} -> {}",
                    without_credentials(url),
                    was.join(", "),
                    commit.unwrap_or("no commit")
                )));
            }
        }
    }

    /// A version that changes although the git commit or the archive does not. npm installs what is
    /// there and does not compare the versions, so the finding would be gone only on paper.
    pub(super) fn renumbered(
        &self,
        name: &str,
        base: &[&Package],
        head: &[&Package],
        diff: &mut LockfileDiff,
    ) {
        let before = versions(base);
        for package in head.iter().filter(|copy| !before.contains(&*copy.version)) {
            let same_code = base.iter().find(|was| {
                let same_hash = was.integrity.is_some() && was.integrity == package.integrity;
                let is_code = match &package.origin {
                    Origin::Git { .. } | Origin::Url(_) => true,
                    // npm states the address of the archive, and Cargo that of the index.
                    Origin::Registry(address) => {
                        address.is_some() && package.install_path.is_some()
                    }
                    Origin::Path(_) => false,
                };
                same_hash || (is_code && was.origin == package.origin)
            });
            if let Some(was) = same_code {
                diff.source_changed.push(self.text(&format!(
                    "{name} {} is the same archive or commit as {}",
                    package.version, was.version
                )));
            }
        }
    }
}

/// The address and the commit of each copy from git.
fn commits<'a>(packages: &[&'a Package]) -> BTreeSet<(&'a str, Option<&'a str>)> {
    packages
        .iter()
        .filter_map(|package| match &package.origin {
            Origin::Git { url, commit } => Some((url.as_str(), commit.as_deref())),
            _ => None,
        })
        .collect()
}

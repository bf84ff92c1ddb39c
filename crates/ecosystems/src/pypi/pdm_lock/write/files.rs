//! The files of a release that PDM locks, and its summary.

use std::collections::BTreeSet;

use super::block::quoted;
use crate::pypi::marker::{Applies, Marker};
use crate::pypi::python_range::PythonRange;
use crate::pypi::{PyPi, release_files};
use crate::syntax::{Node, toml};
use crate::{Release, ReleaseFile, Upgradable as _};

/// Highest minor version of Python, and patch, that is compared with the versions of a target.
const VERSIONS: std::ops::RangeInclusive<u32> = 0..=60;

/// What a lockfile is for.
#[derive(Debug)]
pub(super) struct Targets {
    /// The versions of Python whose wheels are listed. `None` if all files are.
    python: Option<String>,
    /// Whether files have addresses in place of names.
    has_addresses: bool,
    /// Whether entries have the groups and markers of their dependents.
    pub(super) inherits: bool,
}

impl Targets {
    /// # Errors
    /// If the lockfile is for certain platforms only.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let file = toml(text).map_err(|error| error.reason)?;
        let metadata = file.get("metadata");
        let metadata = metadata.ok_or("it has no table `metadata`")?;
        let strategy: Option<Vec<&str>> = metadata
            .get("strategy")
            .map(|strategy| strategy.items().iter().filter_map(Node::text).collect());
        let has = |flag: &str| strategy.as_ref().is_some_and(|all| all.contains(&flag));
        let targets = metadata.get("targets").map(Node::items).unwrap_or_default();
        let python = match targets {
            [] if strategy.is_none() || has("cross_platform") => None,
            [only] if only.entries().len() == 1 => {
                let python = only.get("requires_python").and_then(Node::text);
                Some(
                    python
                        .ok_or("its target has no `requires_python`")?
                        .to_owned(),
                )
            }
            _ => return Err("it is for certain platforms".to_owned()),
        };

        Ok(Self {
            python,
            has_addresses: has("static_urls"),
            inherits: has("inherit_metadata"),
        })
    }

    /// Whether a dependency with a marker may be needed somewhere.
    pub(super) fn may_apply(&self, marker: &str) -> bool {
        let python = self.python.as_deref().unwrap_or_default();
        let applies =
            PythonRange::parse(python).and_then(|range| Marker::parse(marker)?.applies(&range));
        applies != Some(Applies::Never)
    }

    /// The rows of `files`, sorted by name or address.
    pub(super) fn rows(&self, name: &str, release: &Release) -> Result<Vec<String>, String> {
        let mut rows = BTreeSet::new();
        for file in &release.files {
            if !self.includes(file) {
                continue;
            }
            let one = Release {
                version: release.version.clone(),
                files: vec![file.clone()],
                ..Release::default()
            };
            let hash = release_files::hashes(name, &one, ["sha256"])?.concat();
            let (key, value) = match self.has_addresses {
                true => ("url", &file.url),
                false => ("file", &file.name),
            };
            if self.has_addresses && !value.contains("://") {
                return Err(format!("a file of `{name}` has no absolute address"));
            }
            rows.insert((value.clone(), key, hash));
        }
        if rows.is_empty() {
            return Err(format!(
                "the registry has no files of `{name}` {}",
                release.version
            ));
        }

        Ok(rows
            .into_iter()
            .map(|(value, key, hash)| {
                format!("{{{key} = {}, hash = {}}}", quoted(&value), quoted(&hash))
            })
            .collect())
    }

    /// Whether a file is a source archive, or a wheel for a version of Python in the target: the rules
    /// of `EnvSpec` in the library dep-logic, which PDM uses, for a target without a platform.
    fn includes(&self, file: &ReleaseFile) -> bool {
        let (Some(python), Some(wheel)) = (&self.python, file.name.strip_suffix(".whl")) else {
            return true;
        };
        let mut parts = wheel.rsplit('-');
        let (_, Some(abi), Some(tags)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        tags.split('.')
            .any(|tag| abi.split('.').any(|abi| is_for(tag, abi, python)))
    }
}

/// The `Requires-Python` of a release with its clauses sorted, as PDM spells it.
pub(super) fn python(release: &Release) -> Option<String> {
    let clauses = release.runtime.as_deref()?.split(',');
    let mut clauses: Vec<String> = clauses
        .map(|clause| clause.split_whitespace().collect::<String>())
        .filter(|clause| !clause.is_empty())
        .collect();
    clauses.sort();
    clauses.dedup();
    (!clauses.is_empty()).then(|| clauses.join(","))
}

/// Whether a wheel with a tag for Python and one for its binary interface is for a version of a range.
fn is_for(tag: &str, abi: &str, python: &str) -> bool {
    let (Some(implementation), Some(version)) = (tag.get(..2), tag.get(2..)) else {
        return false;
    };
    let (major, minor) = version.split_at_checked(1).unwrap_or((version, ""));
    let abi = abi.split('_').next().unwrap_or(abi);
    let abi = abi.replace("pypy", "pp").replace("pyston", "pt");
    let is_stable = abi == "abi3";
    if is_stable && implementation != "cp"
        || !is_stable && abi != "none" && !abi.starts_with(&tag.to_ascii_lowercase())
    {
        return false;
    }
    let Ok(major) = major.parse::<u32>() else {
        return false;
    };

    let admits = |minor: u32| {
        let mut versions = VERSIONS.map(|patch| format!("{major}.{minor}.{patch}"));
        versions.any(|version| PyPi.admits(python, &version) == Ok(true))
    };
    match (minor.parse::<u32>(), is_stable) {
        (Ok(minor), false) => admits(minor),
        // The stable interface is for later versions too.
        (Ok(first), true) => (first..=*VERSIONS.end()).any(admits),
        (Err(_), _) if minor.is_empty() => VERSIONS.into_iter().any(admits),
        (Err(_), _) => false,
    }
}

/// The summary in the metadata of a release. Empty if it states none.
pub(super) fn summary<'r>(name: &str, release: &'r Release) -> Result<&'r str, String> {
    let document = release.document.as_ref();
    let summary = document.and_then(|document| document.get("summary")?.as_str());
    summary.ok_or_else(|| format!("the summary of `{name}` {} is not known", release.version))
}

#[cfg(test)]
mod tests {
    use super::is_for;

    #[test]
    fn wheels_are_those_for_the_versions_of_the_target() {
        for (tag, abi, python, expected) in [
            ("py3", "none", ">=3.9", true),
            ("py2", "none", ">=3.9", false),
            ("cp38", "cp38", ">=3.9", false),
            ("cp39", "cp39", ">=3.9", true),
            ("cp39", "cp39", ">=3.9.7", true),
            ("cp310", "cp310", "<3.10,>=3.9", false),
            ("cp36", "abi3", ">=3.9", true),
            ("cp313", "abi3", "<3.12,>=3.9", false),
            ("pp39", "pypy39_pp73", ">=3.9", true),
            ("pp37", "pypy37_pp73", ">=3.9", false),
            ("cp313", "cp313t", ">=3.9", true),
            ("cp36", "cp36m", ">=3.9", false),
            ("py310", "none", ">=3.9", true),
            ("x", "none", ">=3.9", false),
        ] {
            assert_eq!(is_for(tag, abi, python), expected, "{tag} {abi} {python}");
        }
    }
}

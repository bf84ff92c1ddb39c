//! yarn's `resolutions`: requirements of the root project that replace those of packages
//! (<https://yarnpkg.com/configuration/manifest#resolutions>).

use std::collections::HashMap;

use crate::npm::tree::Project;

/// Replacing requirements by package name. The dependents to which they are limited (`a/**/b`) are
/// ignored: only the requirement that yarn has used leads to an entry of the lockfile.
#[derive(Debug, Default)]
pub(super) struct Resolutions(HashMap<String, Vec<String>>);

impl Resolutions {
    /// The resolutions of the root project. `None`, for unknown, if its manifest is missing or cannot
    /// be read.
    pub(super) fn of(root: Option<&Project<'_>>) -> Option<Self> {
        let root = root.filter(|root| root.readable)?;
        let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
        for (pattern, requirement) in root.manifest.resolutions() {
            let name = target(&pattern).to_owned();
            by_name.entry(name).or_default().push(requirement);
        }
        Some(Self(by_name))
    }

    /// The requirements that may replace those on a package.
    pub(super) fn about(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The package that a pattern applies to: its last part, with its scope and without its requirement.
pub(super) fn target(pattern: &str) -> &str {
    let mut rest = pattern;
    loop {
        let scope = match rest.strip_prefix('@') {
            Some(_) => rest.find('/').map_or(rest.len(), |slash| slash + 1),
            None => 0,
        };
        let Some(end) = rest[scope..].find(['/', '@']) else {
            return rest;
        };
        let (name, after) = rest.split_at(scope + end);

        match after.strip_prefix('/') {
            Some(below) if !below.is_empty() => rest = below,
            _ => return name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn names_the_package_that_is_replaced() {
        for (pattern, name) in [
            ("a", "a"),
            ("@s/a", "@s/a"),
            ("**/a", "a"),
            ("b/**/a", "a"),
            ("b/@s/a", "@s/a"),
            ("@t/b/@s/a", "@s/a"),
            ("a@npm:^1", "a"),
            ("@s/a@^1", "@s/a"),
            ("b/a@npm:1", "a"),
        ] {
            assert_eq!(target(pattern), name, "{pattern}");
        }
    }
}

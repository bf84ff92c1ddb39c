//! yarn's `resolutions`: requirements of the root project that stand in for those of packages.

use std::collections::HashMap;

use crate::npm::tree::Project;

/// Requirements by the name of the package that they are about. Which of its dependents they are
/// meant for (`a/**/b`) is passed over: the lockfile shows which of them it took.
#[derive(Debug, Default)]
pub(super) struct Resolutions(HashMap<String, Vec<String>>);

impl Resolutions {
    /// Those of the root project. `None` when its manifest is not there or cannot be read, so that
    /// nothing is known of them.
    pub(super) fn of(root: Option<&Project<'_>>) -> Option<Self> {
        let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
        let root = root.filter(|root| root.readable)?;
        for (pattern, requirement) in root.manifest.resolutions() {
            let name = target(&pattern).to_owned();
            by_name.entry(name).or_default().push(requirement);
        }
        Some(Self(by_name))
    }

    /// What stands in for the requirements on a package.
    pub(super) fn about(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The package that a pattern is about: its last part, with its scope and without its requirement.
fn target(pattern: &str) -> &str {
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

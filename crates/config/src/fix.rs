//! How far fixes may go: for all packages, and by package.

use globset::GlobBuilder;
use patchgate_model::Bump;

use crate::schema;

/// How far fixes may go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FixSettings {
    /// Greatest step of a package's version; `None` when the file sets no limit.
    pub max_bump: Option<Bump>,
    /// Age in days that a release must have to be chosen.
    pub cooldown_days: u32,
    /// Rules for packages. The first one that names a package applies to it.
    pub packages: Vec<PackageRule>,
    /// Packages that change together.
    pub groups: Vec<PackageGroup>,
}

/// A rule for packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRule {
    /// The packages.
    pub package: PackagePattern,
    /// Greatest step of their versions, when it differs from that of all.
    pub max_bump: Option<Limit>,
    /// Age in days that their releases must have, when it differs from that of all.
    pub cooldown_days: Option<u32>,
    /// Why, for the report.
    pub reason: Option<String>,
}

/// Greatest step of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The version stays.
    None,
    /// This step.
    Bump(Bump),
}

/// Packages that change in one step of a fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageGroup {
    /// Name of the group.
    pub name: String,
    /// Its packages.
    pub packages: Vec<PackagePattern>,
}

/// Names of packages, as a glob: `*` matches any characters, `/` included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagePattern {
    /// The ecosystem by its OSV name, if the pattern names one.
    pub ecosystem: Option<String>,
    /// The glob of the name.
    pub name: String,
}

impl PackagePattern {
    /// Whether it names a package.
    ///
    /// ```
    /// use patchgate_config::PackagePattern;
    ///
    /// let types = PackagePattern { ecosystem: Some("npm".into()), name: "@types/*".into() };
    /// assert!(types.matches("npm", "@types/node"));
    /// assert!(!types.matches("npm", "typescript"));
    /// assert!(!types.matches("PyPI", "@types/node"));
    /// ```
    #[must_use]
    pub fn matches(&self, ecosystem: &str, name: &str) -> bool {
        let is_of_ecosystem = self
            .ecosystem
            .as_ref()
            .is_none_or(|own| own.eq_ignore_ascii_case(ecosystem));
        let has_name = || {
            self.name == name
                || GlobBuilder::new(&self.name)
                    .literal_separator(false)
                    .build()
                    .is_ok_and(|glob| glob.compile_matcher().is_match(name))
        };

        is_of_ecosystem && has_name()
    }
}

impl FixSettings {
    /// The rule for a package.
    #[must_use]
    pub fn rule(&self, ecosystem: &str, name: &str) -> Option<&PackageRule> {
        let mut rules = self.packages.iter();
        rules.find(|rule| rule.package.matches(ecosystem, name))
    }

    /// The groups that contain a package, by their index.
    pub fn groups_of(&self, ecosystem: &str, name: &str) -> impl Iterator<Item = usize> {
        let groups = self.groups.iter().enumerate();
        groups
            .filter(move |(_, group)| {
                let mut packages = group.packages.iter();
                packages.any(|package| package.matches(ecosystem, name))
            })
            .map(|(index, _)| index)
    }
}

pub(crate) fn settings(wire: schema::Fix) -> FixSettings {
    FixSettings {
        max_bump: wire.max_bump.map(schema::BumpWord::bump),
        cooldown_days: wire.cooldown_days,
        packages: wire
            .packages
            .into_iter()
            .map(|rule| PackageRule {
                package: pattern(&rule.package),
                max_bump: rule.max_bump.map(|word| match word {
                    schema::LimitWord::None => Limit::None,
                    schema::LimitWord::Patch => Limit::Bump(Bump::Patch),
                    schema::LimitWord::Minor => Limit::Bump(Bump::Minor),
                    schema::LimitWord::Major => Limit::Bump(Bump::Major),
                }),
                cooldown_days: rule.cooldown_days,
                reason: rule.reason,
            })
            .collect(),
        groups: wire
            .groups
            .into_iter()
            .map(|group| PackageGroup {
                name: group.name,
                packages: group.packages.iter().map(|text| pattern(text)).collect(),
            })
            .collect(),
    }
}

/// A name of packages, after the name of an ecosystem or not.
fn pattern(text: &str) -> PackagePattern {
    let (ecosystem, name) = crate::config::with_ecosystem(text);
    PackagePattern {
        ecosystem: ecosystem.map(str::to_owned),
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_names_a_package_applies() {
        let text = "fix:\n  max-bump: minor\n  cooldown-days: 3\n  packages:\n\
                    \x20   - package: npm:react-dom\n      max-bump: none\n      reason: pinned\n\
                    \x20   - package: react*\n      cooldown-days: 0\n\
                    \x20 groups:\n    - name: react\n      packages: [react, \"react-*\"]\n";
        let fix = crate::parse(".patchgate.yml", text).unwrap().fix;

        assert_eq!(fix.max_bump, Some(Bump::Minor));
        assert_eq!(fix.cooldown_days, 3);
        let rule = |ecosystem: &str, name: &str| fix.rule(ecosystem, name).cloned();
        assert_eq!(
            rule("npm", "react-dom").unwrap().max_bump,
            Some(Limit::None)
        );
        assert_eq!(rule("PyPI", "react-dom").unwrap().cooldown_days, Some(0));
        assert_eq!(rule("npm", "lodash"), None);
        assert_eq!(fix.groups_of("npm", "react-is").collect::<Vec<_>>(), [0]);
        assert_eq!(fix.groups_of("npm", "preact").count(), 0);
    }

    #[test]
    fn a_pattern_that_is_no_glob_is_an_error_with_its_line() {
        let text = "fix:\n  packages:\n    - package: \"react[\"\n      max-bump: none\n";
        let error = crate::parse(".patchgate.yml", text)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(".patchgate.yml:3:"), "{error}");
        assert!(error.contains("is not a glob"), "{error}");
    }
}

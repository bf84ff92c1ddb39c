//! The settings about fixes, applied to packages and releases.

use jiff::Timestamp;
use patchgate_config::{FixSettings, Limit};
use patchgate_ecosystems::Release;
use patchgate_model::Bump;

/// Hours in a day.
const HOURS: i64 = 24;

/// What the settings allow, at the time of the run.
#[derive(Debug, Clone)]
pub(crate) struct Policy<'a> {
    pub(crate) settings: &'a FixSettings,
    pub(crate) now: Timestamp,
}

impl Policy<'_> {
    /// The greatest step of a package's version.
    pub(crate) fn max_bump(&self, ecosystem: &str, name: &str) -> Bump {
        let rule = self.settings.rule(ecosystem, name);
        match rule.and_then(|rule| rule.max_bump) {
            Some(Limit::Bump(bump)) => bump,
            // A pinned package does not move at all.
            Some(Limit::None) | None => Bump::Major,
        }
    }

    /// Why a package must keep its version, when it must.
    pub(crate) fn pinned(&self, ecosystem: &str, name: &str) -> Option<String> {
        let rule = self.settings.rule(ecosystem, name)?;
        (rule.max_bump == Some(Limit::None)).then(|| match &rule.reason {
            Some(reason) => format!("the settings pin `{name}`: {reason}"),
            None => format!("the settings pin `{name}`"),
        })
    }

    /// The age in days that a release of a package must have.
    pub(crate) fn cooldown(&self, ecosystem: &str, name: &str) -> u32 {
        let rule = self.settings.rule(ecosystem, name);
        rule.and_then(|rule| rule.cooldown_days)
            .unwrap_or(self.settings.cooldown_days)
    }

    /// Whether a release is old enough. The error is a fragment for a person.
    pub(crate) fn check_age(
        &self,
        ecosystem: &str,
        name: &str,
        release: &Release,
    ) -> Result<(), String> {
        let wanted = self.cooldown(ecosystem, name);
        if wanted == 0 {
            return Ok(());
        }

        let published = release.published.as_deref();
        let Some(published) = published.and_then(|text| text.parse::<Timestamp>().ok()) else {
            return Err(format!(
                "its time of publication is not known, and the settings ask for {wanted} days"
            ));
        };
        let days = self.now.duration_since(published).as_hours() / HOURS;
        match days >= i64::from(wanted) {
            true => Ok(()),
            false => Err(format!(
                "it is {days} days old, and the settings ask for {wanted}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = "fix:\n  cooldown-days: 3\n  packages:\n\
                            \x20   - { package: old, cooldown-days: 0, max-bump: minor }\n\
                            \x20   - { package: fixed, max-bump: none, reason: waits }\n";

    fn release(published: Option<&str>) -> Release {
        Release {
            version: "1.0.0".to_owned(),
            published: published.map(str::to_owned),
            ..Release::default()
        }
    }

    #[test]
    fn a_release_must_have_the_age_that_the_settings_ask_for() {
        let config = patchgate_config::parse(".patchgate.yml", SETTINGS).unwrap();
        let policy = Policy {
            settings: &config.fix,
            now: "2026-01-10T00:00:00Z".parse().unwrap(),
        };
        let check = |name: &str, published| policy.check_age("npm", name, &release(published));

        assert_eq!(
            check("a", Some("2026-01-07T00:00:00.5Z")).unwrap_err(),
            "it is 2 days old, and the settings ask for 3"
        );
        assert_eq!(check("a", Some("2026-01-07T00:00:00Z")), Ok(()));
        assert_eq!(
            check("a", None).unwrap_err(),
            "its time of publication is not known, and the settings ask for 3 days"
        );
        assert!(check("a", Some("yesterday")).is_err());
        assert_eq!(check("old", None), Ok(()));
    }

    #[test]
    fn a_rule_limits_or_pins_a_package() {
        let config = patchgate_config::parse(".patchgate.yml", SETTINGS).unwrap();
        let policy = Policy {
            settings: &config.fix,
            now: Timestamp::UNIX_EPOCH,
        };

        assert_eq!(policy.max_bump("npm", "old"), Bump::Minor);
        assert_eq!(policy.max_bump("npm", "other"), Bump::Major);
        assert_eq!(policy.pinned("npm", "old"), None);
        assert_eq!(
            policy.pinned("npm", "fixed").unwrap(),
            "the settings pin `fixed`: waits"
        );
    }
}

//! The section about pull requests: what its schema cannot express, and its values.

use std::collections::BTreeSet;

use globset::GlobBuilder;
use jiff::Timestamp;
use patchgate_model::{FreezePeriod, Outcome, Scope};
use patchgate_syntax::{Node, Value};

use crate::error::ConfigError;
use crate::gate::{period, weekday};
use crate::node::{describe, shorten};
use crate::schema::{
    OutcomeWord, PerWord, PullRequestGroup, PullRequests, ScopeWord, UrgentWord, WindowEntry,
};

/// How fixes are divided into pull requests, and when they are opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestSettings {
    /// Whether every step that no group takes gets a pull request of its own.
    pub each_step: bool,
    /// Steps that share a pull request. The first group that takes a step has it.
    pub groups: Vec<StepGroup>,
    /// The lowest outcome that is urgent.
    pub urgent: Outcome,
    /// Most open pull requests into one branch.
    pub max_open: Option<usize>,
    /// Most pull requests that are opened within an hour.
    pub max_new_per_hour: Option<usize>,
    /// Times in which pull requests are opened; empty for always.
    pub schedule: Vec<FreezePeriod>,
    /// Labels of every pull request.
    pub labels: Vec<String>,
    /// Logins of the accounts that every pull request is assigned to.
    pub assignees: Vec<String>,
    /// Logins of the accounts that are asked to review every pull request.
    pub reviewers: Vec<String>,
    /// Path of the body's template, from the repository's root.
    pub template: Option<String>,
}

impl Default for PullRequestSettings {
    fn default() -> Self {
        settings(PullRequests::default())
    }
}

impl PullRequestSettings {
    /// Whether the schedule lets pull requests be opened now.
    #[must_use]
    pub fn is_open_at(&self, now: Timestamp) -> bool {
        let mut windows = self.schedule.iter();
        self.schedule.is_empty() || windows.any(|window| window.contains(now))
    }
}

/// Steps that share a pull request. An empty condition holds for every step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepGroup {
    /// Name of the group.
    pub name: String,
    /// Ecosystems by their OSV names.
    pub ecosystems: Vec<String>,
    /// Globs of the lockfiles' paths.
    pub paths: Vec<String>,
    /// Scopes of the packages.
    pub scopes: BTreeSet<Scope>,
    /// Outcomes of the most urgent finding.
    pub urgency: BTreeSet<Outcome>,
}

/// The facts about a step that decide about its group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepFacts {
    /// Ecosystems of what it changes.
    pub ecosystems: BTreeSet<String>,
    /// Lockfiles and manifests that it changes.
    pub paths: BTreeSet<String>,
    /// Scopes of the packages whose findings it fixes.
    pub scopes: BTreeSet<Scope>,
    /// The most urgent outcome of what it fixes.
    pub urgency: Outcome,
}

impl StepGroup {
    /// Whether every condition of the group holds for a step.
    ///
    /// ```
    /// use patchgate_config::StepFacts;
    ///
    /// let text = "pull-requests: { groups: [{ name: web, paths: ['web/**'] }] }";
    /// let config = patchgate_config::parse(".patchgate.yml", text).unwrap();
    /// let group = &config.pull_requests.groups[0];
    /// let step = |path: &str| StepFacts { paths: [path.to_owned()].into(), ..StepFacts::default() };
    /// assert!(group.takes(&step("web/package-lock.json")));
    /// assert!(!group.takes(&step("Cargo.lock")));
    /// ```
    #[must_use]
    pub fn takes(&self, step: &StepFacts) -> bool {
        let has_ecosystem = |name: &String| {
            let mut own = self.ecosystems.iter();
            own.any(|own| own.eq_ignore_ascii_case(name))
        };
        let has_path = |path: &String| {
            self.paths.iter().any(|glob| {
                GlobBuilder::new(glob)
                    .literal_separator(true)
                    .build()
                    .is_ok_and(|glob| glob.compile_matcher().is_match(path))
            })
        };

        (self.ecosystems.is_empty() || step.ecosystems.iter().all(has_ecosystem))
            && (self.paths.is_empty() || step.paths.iter().all(has_path))
            && (self.scopes.is_empty() || step.scopes.is_subset(&self.scopes))
            && (self.urgency.is_empty() || self.urgency.contains(&step.urgency))
    }
}

/// Errors for names, globs and times that are none.
pub(crate) fn errors(root: &Node<'_>) -> Vec<ConfigError> {
    let Some(section) = root.get("pull-requests") else {
        return Vec::new();
    };
    let items = |key: &str| section.get(key).map(Node::items).unwrap_or_default();

    let mut errors = Vec::new();
    let mut names = BTreeSet::new();
    for group in items("groups") {
        if let Some(name) = group.get("name")
            && let Value::Text(text) = &name.value
        {
            if slug(text).is_empty() {
                let message = format!("the name {} has no letter or digit", describe(name));
                errors.push(ConfigError::new(name, message));
            } else if !names.insert(slug(text)) {
                let message = format!("another group is called {} already", describe(name));
                errors.push(ConfigError::new(name, message));
            }
        }
        let list = |key: &str| group.get(key).map(Node::items).unwrap_or_default();
        errors.extend(list("paths").iter().filter_map(crate::gate::bad_glob));
        errors.extend(list("ecosystems").iter().filter_map(bad_ecosystem));
    }
    for key in ["assignees", "reviewers"] {
        errors.extend(items(key).iter().filter_map(bad_login));
    }
    errors.extend(items("schedule").iter().filter_map(bad_window));

    errors
}

fn bad_ecosystem(node: &Node<'_>) -> Option<ConfigError> {
    let Value::Text(text) = &node.value else {
        return None;
    };
    (!crate::config::is_ecosystem(text)).then(|| {
        let message = format!("`{}` is not the name of an ecosystem", shorten(text));
        let hint = "`patchgate formats` lists them".to_owned();
        ConfigError::new(node, message).with_hint(Some(hint))
    })
}

fn bad_login(node: &Node<'_>) -> Option<ConfigError> {
    let Value::Text(text) = &node.value else {
        return None;
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!text.chars().all(is_plain)).then(|| {
        let message = format!("`{}` is not the login of an account", shorten(text));
        let hint = "write it without `@`; a team is not an account".to_owned();
        ConfigError::new(node, message).with_hint(Some(hint))
    })
}

fn bad_window(window: &Node<'_>) -> Option<ConfigError> {
    let value = |key: &str| match &window.get(key)?.value {
        Value::Text(text) => Some(text.as_ref()),
        _ => None,
    };
    let days = window.get("days")?;
    if days.items().is_empty() {
        return Some(ConfigError::new(days, "`days` is empty"));
    }

    let (from, to, zone) = (value("from")?, value("to")?, value("time-zone")?);
    period(from, to, Some(Vec::new()), zone)
        .err()
        .map(|(key, message, hint)| {
            let node = window.get(key).unwrap_or(window);
            ConfigError::new(node, message).with_hint(Some(hint.to_owned()))
        })
}

/// Most characters of a name within a branch's name.
const MAX_SLUG: usize = 40;

/// A text as a part of a branch's name: lower-case ASCII letters and digits, and hyphens between.
///
/// ```
/// assert_eq!(patchgate_config::slug("@types/Node.js "), "types-node-js");
/// ```
#[must_use]
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if slug.len() >= MAX_SLUG {
            break;
        }
        match c.is_ascii_alphanumeric() {
            true => slug.push(c.to_ascii_lowercase()),
            false if slug.is_empty() || slug.ends_with('-') => {}
            false => slug.push('-'),
        }
    }

    slug.trim_end_matches('-').to_owned()
}

pub(crate) fn settings(wire: PullRequests) -> PullRequestSettings {
    let limit = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    PullRequestSettings {
        each_step: wire.per == PerWord::Step,
        groups: wire.groups.into_iter().map(group).collect(),
        urgent: match wire.urgent {
            UrgentWord::ActNow => Outcome::ActNow,
            UrgentWord::OutOfCycle => Outcome::OutOfCycle,
            UrgentWord::Scheduled => Outcome::Scheduled,
        },
        max_open: wire.max_open.map(limit),
        max_new_per_hour: wire.max_new_per_hour.map(limit),
        schedule: wire.schedule.into_iter().filter_map(window).collect(),
        labels: wire.labels,
        assignees: wire.assignees,
        reviewers: wire.reviewers,
        template: wire.template,
    }
}

fn group(wire: PullRequestGroup) -> StepGroup {
    let scope = |word| match word {
        ScopeWord::Runtime => Scope::Runtime,
        ScopeWord::Peer => Scope::Peer,
        ScopeWord::Optional => Scope::Optional,
        ScopeWord::Build => Scope::Build,
        ScopeWord::Test => Scope::Test,
        ScopeWord::Development => Scope::Development,
    };
    let outcome = |word| match word {
        OutcomeWord::ActNow => Outcome::ActNow,
        OutcomeWord::OutOfCycle => Outcome::OutOfCycle,
        OutcomeWord::Scheduled => Outcome::Scheduled,
        OutcomeWord::Defer => Outcome::Defer,
    };

    StepGroup {
        name: wire.name,
        ecosystems: wire.ecosystems,
        paths: wire.paths,
        scopes: wire.scopes.into_iter().map(scope).collect(),
        urgency: wire.urgency.into_iter().map(outcome).collect(),
    }
}

/// [`errors`] reported a time that cannot be read, so none is lost here.
fn window(entry: WindowEntry) -> Option<FreezePeriod> {
    let days = entry.days.iter().map(|day| weekday(*day)).collect();
    period(&entry.from, &entry.to, Some(days), &entry.time_zone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> PullRequestSettings {
        crate::parse(".patchgate.yml", text).unwrap().pull_requests
    }

    #[test]
    fn a_group_takes_a_step_only_when_all_of_it_fits() {
        let settings = parsed(
            "pull-requests:\n  per: step\n  groups:\n\
             \x20   - { name: tools, ecosystems: [npm], scopes: [development, test] }\n\
             \x20   - { name: now, urgency: [act-now] }\n",
        );
        assert!(settings.each_step);
        let step = |ecosystems: &[&str], scopes: &[Scope], urgency| StepFacts {
            ecosystems: ecosystems.iter().map(|&name| name.to_owned()).collect(),
            scopes: scopes.iter().copied().collect(),
            urgency,
            ..StepFacts::default()
        };
        let taken = |step: &StepFacts| {
            let mut groups = settings.groups.iter();
            groups
                .find(|group| group.takes(step))
                .map(|group| group.name.as_str())
        };

        let test = [Scope::Test];
        assert_eq!(taken(&step(&["NPM"], &test, Outcome::Defer)), Some("tools"));
        let both = [Scope::Runtime, Scope::Test];
        assert_eq!(taken(&step(&["npm"], &both, Outcome::Defer)), None);
        let two = ["npm", "PyPI"];
        assert_eq!(taken(&step(&two, &test, Outcome::Defer)), None);
        assert_eq!(taken(&step(&two, &test, Outcome::ActNow)), Some("now"));
    }

    #[test]
    fn a_window_is_in_its_time_zone() {
        let settings = parsed(
            "pull-requests:\n  max-open: 3\n  schedule:\n\
             \x20   - { days: [mon], from: '06:00', to: '09:00', time-zone: Europe/Berlin }\n",
        );
        assert_eq!(settings.max_open, Some(3));
        let at = |time: &str| settings.is_open_at(time.parse().unwrap());
        // 30 November 2026 is a Monday, at UTC+1.
        assert!(at("2026-11-30T05:00:00Z"));
        assert!(!at("2026-11-30T04:59:59Z"));
        assert!(!at("2026-11-30T08:00:00Z"));
        assert!(!at("2026-12-01T05:00:00Z"));
        assert!(PullRequestSettings::default().is_open_at("2026-12-01T05:00:00Z".parse().unwrap()));
    }

    #[test]
    fn names_globs_and_times_that_are_none_are_errors_with_their_line() {
        for (line, message) in [
            ("groups: [{ name: '@!' }]", "has no letter or digit"),
            (
                "groups: [{ name: a.b }, { name: A-B }]",
                "another group is called",
            ),
            ("groups: [{ name: a, paths: ['x['] }]", "is not a glob"),
            (
                "groups: [{ name: a, ecosystems: [nmp] }]",
                "is not the name of an ecosystem",
            ),
            (
                "groups: [{ name: a, scopes: [dev] }]",
                "must be one of `runtime`",
            ),
            ("assignees: ['@jane']", "is not the login of an account"),
            ("reviewers: [acme/web]", "is not the login of an account"),
            ("per: package", "must be one of `all`, `step`"),
            ("max-open: 0", "must be from 1 to 1000"),
            (
                "schedule: [{ days: [], from: '06:00', to: '09:00', time-zone: UTC }]",
                "`days` is empty",
            ),
            (
                "schedule: [{ days: [mon], from: '6', to: '09:00', time-zone: UTC }]",
                "is not a time of the day",
            ),
            (
                "schedule: [{ days: [mon], from: '06:00', to: '09:00', time-zone: Mars/Base }]",
                "not the name of a time zone",
            ),
        ] {
            let error = crate::parse(".patchgate.yml", &format!("pull-requests:\n  {line}\n"))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(".patchgate.yml:2:"), "{line}: {error}");
            assert!(error.contains(message), "{line}: {error}");
        }
    }

    #[test]
    fn a_slug_is_a_part_of_a_branch_name_whatever_the_text_is() {
        for (text, expected) in [
            ("lodash", "lodash"),
            ("org.apache:log4j", "org-apache-log4j"),
            ("../../main", "main"),
            ("\u{202e}\n;rm -rf", "rm-rf"),
            ("é", ""),
        ] {
            assert_eq!(slug(text), expected);
        }
        assert_eq!(slug(&"ab-".repeat(100)).len(), MAX_SLUG);
        assert_eq!(slug(&"abc-".repeat(100)).len(), MAX_SLUG - 1);
    }
}

//! Templates of the files that `patchgate init` writes.

/// A commented settings file with every setting at its default.
#[must_use]
pub fn config_template() -> &'static str {
    include_str!("template/patchgate.yml")
}

/// A workflow that scans, opens a pull request with the fix, and runs the gate on it.
///
/// `release` is the tag of a release, such as `v0.1.0`, whose binary the action downloads: an action
/// that is pinned to a commit cannot find the release itself. The repository and the commit of the
/// action are placeholders that the user replaces.
#[must_use]
pub fn workflow_template(release: &str) -> String {
    include_str!("template/workflow.yml").replace("RELEASE", release)
}

/// A policy to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPolicy {
    /// Patches alone, after three days, for half of the pull requests.
    Cautious,
    /// Patches, and urgent fixes up to a minor step; people review one in five.
    Balanced,
    /// Everything up to a minor step, at once.
    Fast,
}

/// The settings file with a starting policy in place of the examples of rules.
#[must_use]
pub fn config_template_with(policy: StartingPolicy) -> String {
    let rules = match policy {
        StartingPolicy::Cautious => include_str!("template/cautious.yml"),
        StartingPolicy::Balanced => include_str!("template/balanced.yml"),
        StartingPolicy::Fast => include_str!("template/fast.yml"),
    };
    let template = config_template();
    let parts = template
        .split_once("  #> rules:\n")
        .and_then(|(before, rest)| {
            Some((before, rest.split_once("  # How far the gate may go")?.1))
        })
        .and_then(|(before, rest)| Some((before, rest.split_once("  automatic-share: 100\n")?)));
    match parts {
        Some((before, (stages, after))) => {
            let stages = stages
                .split_once("  # Percentage of")
                .map_or(stages, |(stages, _)| stages);
            format!("{before}{rules}\n  # How far the gate may go{stages}{after}")
        }
        None => template.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_the_default() {
        let config = crate::parse("patchgate.yml", config_template()).unwrap();
        assert_eq!(config, crate::Config::default());
    }

    /// The file is valid with the examples in its comments enabled, too.
    #[test]
    fn the_examples_in_the_comments_are_valid() {
        let text: String = config_template()
            .lines()
            .map(|line| match line.trim_start().strip_prefix("#> ") {
                Some(example) => {
                    let indent = line.len() - line.trim_start().len();
                    format!("{}{example}\n", " ".repeat(indent))
                }
                None => format!("{line}\n"),
            })
            .collect();
        let config = crate::parse("patchgate.yml", &text).unwrap();

        assert_eq!(config.ignore.len(), 1);
        assert_eq!(config.exclude.len(), 1);
        assert_eq!(config.fix.packages.len(), 1);
        assert_eq!(config.gate.accounts.len(), 1);
    }

    #[test]
    fn every_starting_policy_is_valid_and_merges_patches_alone() {
        use StartingPolicy::{Balanced, Cautious, Fast};
        use patchgate_policy::Condition;

        for (policy, share, rules) in [(Cautious, 50, 2), (Balanced, 80, 4), (Fast, 100, 2)] {
            let text = config_template_with(policy);
            let gate = crate::parse("patchgate.yml", &text).unwrap().gate;
            assert_eq!(gate.automatic_share, share);
            assert_eq!(gate.rules.len(), rules);
            assert!(
                gate.rules
                    .iter()
                    .all(|rule| Condition::parse(&rule.when).is_ok())
            );
            assert!(!text.contains("urgent patches"), "{text}");
            assert!(text.contains("How far the gate may go"), "{text}");
        }
    }

    fn workflow() -> serde_json::Value {
        let text = workflow_template("v1.2.3");
        crate::node::to_json(&patchgate_syntax::yaml_settings(&text).unwrap().unwrap())
    }

    #[test]
    fn the_workflow_is_yaml_without_permissions_by_default() {
        let workflow = workflow();
        assert_eq!(workflow["permissions"], serde_json::json!({}));
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            assert!(job["permissions"].is_object(), "{name}");
            assert!(job["timeout-minutes"].is_number(), "{name}");
        }
    }

    /// Attack 24: any finished workflow of any branch or fork would cancel a gate that runs.
    #[test]
    fn attack_24_nothing_cancels_a_gate() {
        let concurrency = &workflow()["concurrency"];
        assert_eq!(
            concurrency["cancel-in-progress"],
            "${{ github.event_name == 'pull_request' }}"
        );
        let group = concurrency["group"].as_str().unwrap();
        assert!(group.contains("workflow_run.head_branch"), "{group}");
        assert!(group.contains("workflow_run.head_repository"), "{group}");
    }

    #[test]
    fn every_use_of_the_action_names_its_release() {
        let workflow = workflow();
        let mut uses = 0;
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            for step in job["steps"].as_array().unwrap() {
                if step["uses"].as_str() == Some("OWNER/patchgate@COMMIT") {
                    assert_eq!(step["with"]["version"], "v1.2.3", "{name}");
                    uses += 1;
                }
            }
        }

        assert_eq!(uses, 3);
    }
}

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

//! What the settings allow a fix to do.

use serde_json::Value;

use crate::fix::output::two_steps;
use crate::support::sandbox::Sandbox;

fn fix(sandbox: &Sandbox, settings: &str, exit: i32) -> Value {
    sandbox.write(".patchgate.yml", settings);
    let flags = [
        "fix",
        "--format=json",
        "--store=store",
        "--max-age-days=36500",
        "repo",
    ];
    sandbox.run(&flags).expect(exit).json()
}

/// The reason for the only finding that remains.
#[track_caller]
fn left(json: &Value, package: &str) -> String {
    let unfixed = json["unfixed"].as_array().unwrap();
    assert_eq!(unfixed.len(), 1, "{json:#}");
    assert_eq!(unfixed[0]["package"], package);
    unfixed[0]["reason"].as_str().unwrap().to_owned()
}

#[test]
fn the_packages_of_a_group_change_in_one_step() {
    let (sandbox, _registry) = two_steps();
    let json = fix(&sandbox, "version: 1\n", 0);
    assert_eq!(json["steps"].as_array().unwrap().len(), 2);

    let group = "fix:\n  groups:\n    - { name: all, packages: [leaf, \"npm:ri*\"] }\n";
    let json = fix(&sandbox, group, 0);
    assert_eq!(json["steps"].as_array().unwrap().len(), 1, "{json:#}");
    assert_eq!(json["steps"][0]["fixes"].as_array().unwrap().len(), 2);
}

#[test]
fn a_limit_of_the_settings_is_the_reason() {
    let (sandbox, _registry) = two_steps();
    let limit = "fix:\n  packages:\n    - { package: ring, max-bump: minor }\n";
    let reason = left(&fix(&sandbox, limit, 1), "ring");
    assert!(
        reason.contains("only minor steps of it are allowed"),
        "{reason}"
    );

    let all = "fix:\n  max-bump: minor\n";
    let reason = left(&fix(&sandbox, all, 1), "ring");
    assert!(reason.contains("only minor ones are allowed"), "{reason}");

    let pinned = "fix:\n  packages:\n    - { package: leaf, max-bump: none, reason: waits }\n";
    let reason = left(&fix(&sandbox, pinned, 1), "leaf");
    assert!(
        reason.contains("the settings pin `leaf`: waits"),
        "{reason}"
    );
}

#[test]
fn a_release_of_unknown_age_is_not_chosen_where_an_age_is_asked_for() {
    let (sandbox, _registry) = two_steps();
    let settings = "fix:\n  cooldown-days: 3\n  packages:\n    - { package: ring, cooldown-days: 0 }\n\
                    \x20   - { package: twig, cooldown-days: 0 }\n";
    let reason = left(&fix(&sandbox, settings, 1), "leaf");
    assert!(
        reason.contains("its time of publication is not known"),
        "{reason}"
    );
}

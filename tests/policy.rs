//! `patchgate policy`, and the starting policies of `patchgate init`.

use crate::support::sandbox::Sandbox;

#[test]
fn a_table_of_tests_says_which_rule_decided_otherwise() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["init", "--policy", "balanced", "repo"])
        .expect(0);
    let tests = "\
- name: a patch merges
  facts: { change.bump: patch }
  expect: merge
- name: a minor step waits
  facts: { change.bump: minor, pull.age_hours: 47, fixed.score: 69.9 }
  expect: review
- name: a minor step after two days
  facts: { change.bump: minor, pull.age_hours: 48 }
  expect: merge
- name: a major step merges
  facts: { change.bump: major }
  expect: merge
";
    std::fs::write(sandbox.path("tests.yml"), tests).unwrap();
    let run = sandbox
        .run(&[
            "policy",
            "test",
            "tests.yml",
            "--config",
            "repo/.patchgate.yml",
        ])
        .expect(1);
    assert_eq!(
        run.stdout,
        "tests.yml:10: a major step merges: expected merge, got review: the rule `everything else` \
         says review\n4 tests, 1 failed\n"
    );

    std::fs::write(
        sandbox.path("tests.yml"),
        tests.split("- name: a major").next().unwrap(),
    )
    .unwrap();
    let run = sandbox
        .run(&[
            "policy",
            "test",
            "tests.yml",
            "--config",
            "repo/.patchgate.yml",
        ])
        .expect(0);
    assert_eq!(run.stdout, "3 tests, 0 failed\n");
}

#[test]
fn a_test_that_cannot_be_read_is_wrong_usage_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.run(&["init", "--policy", "fast", "repo"]).expect(0);
    for (text, said) in [
        (
            "- name: a\n  facts: { change.bmp: patch }\n  expect: merge\n",
            "line 2: unknown field `change.bmp`, did you mean `change.bump`?",
        ),
        (
            "- name: a\n  facts: { fixed.score: 1 }\n  expect: merge\n",
            "line 2: `fixed.score` must be a number with a point",
        ),
        (
            "- name: a\n  expects: merge\n",
            "line 2: unknown key `expects`",
        ),
        (
            "- name: a\n  expect: maybe\n",
            "`expect` must be merge, review or block",
        ),
        ("[]\n", "there are no tests"),
        ("", "the file is empty"),
        ("a: [", "line"),
    ] {
        std::fs::write(sandbox.path("tests.yml"), text).unwrap();
        let run = sandbox
            .run(&[
                "policy",
                "test",
                "tests.yml",
                "--config",
                "repo/.patchgate.yml",
            ])
            .expect(2);
        assert!(run.stderr.contains(said), "{text}: {run:?}");
    }
}

#[test]
fn the_fields_are_listed_with_their_types() {
    let run = Sandbox::new().run(&["policy", "fields"]).expect(0);
    for field in patchgate_policy::FIELDS {
        assert!(run.stdout.contains(field.name) && run.stdout.contains(field.meaning));
    }
}

use proptest::prelude::*;

use super::{admits, raise};

/// A range, with versions that npm's own `semver` 7.8 admits and versions that it does not, with
/// `loose: true` as npm sets it.
const FACTS: &[(&str, &[&str], &[&str])] = &[
    ("", &["0.0.0", "9.9.9"], &["1.0.0-a"]),
    ("*", &["1.2.3"], &["1.2.3-a"]),
    ("||", &["1.2.3"], &["1.2.3-a"]),
    (
        "1",
        &["1.0.0", "1.9.9"],
        &["0.9.9", "2.0.0", "2.0.0-0", "1.0.0-a"],
    ),
    ("1.x", &["1.9.9"], &["2.0.0"]),
    ("1.2.*", &["1.2.0", "1.2.9"], &["1.3.0", "1.3.0-a"]),
    ("=1.2", &["1.2.9"], &["1.3.0"]),
    ("1.2.3", &["1.2.3", "1.2.3+b"], &["1.2.4", "1.2.3-a"]),
    ("v1.2.3", &["1.2.3"], &["1.2.4"]),
    ("= 1.2.3", &["1.2.3"], &["1.2.2"]),
    (
        "^1.2.3",
        &["1.2.3", "1.9.0"],
        &["1.2.2", "2.0.0", "2.0.0-a", "1.3.0-a"],
    ),
    ("^ 1.2.3", &["1.9.0"], &["2.0.0"]),
    ("^1.2", &["1.2.0", "1.9.0"], &["1.1.9", "2.0.0"]),
    ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]),
    ("^0.0.3", &["0.0.3"], &["0.0.4", "0.0.2"]),
    ("^0.0", &["0.0.0", "0.0.9"], &["0.1.0"]),
    ("^0", &["0.0.1", "0.9.0"], &["1.0.0"]),
    ("^0.x", &["0.9.0"], &["1.0.0"]),
    (
        "^1.2.3-beta.2",
        &["1.2.3-beta.2", "1.2.3-beta.10", "1.2.3", "1.3.0"],
        &["1.2.3-beta.1", "1.2.4-beta.2"],
    ),
    ("^0.0.3-beta", &["0.0.3-beta", "0.0.3"], &["0.0.4"]),
    ("^1.02", &["1.2.0"], &["2.0.0"]),
    ("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]),
    ("~>1.2", &["1.2.0", "1.2.9"], &["1.3.0"]),
    ("~1", &["1.9.0"], &["2.0.0"]),
    ("~0", &["0.9.0"], &["1.0.0"]),
    ("~1.2.3-beta", &["1.2.3-beta.2", "1.2.9"], &["1.3.0"]),
    (">1", &["2.0.0"], &["1.9.9"]),
    (">1.2", &["1.3.0"], &["1.2.9"]),
    (">1.2.3", &["1.2.4"], &["1.2.3"]),
    (">= 1.2", &["1.2.0", "9.0.0"], &["1.1.9"]),
    ("<2", &["1.9.9"], &["2.0.0", "2.0.0-0"]),
    ("<=1", &["1.9.9"], &["2.0.0"]),
    ("<=0.7.x", &["0.7.5"], &["0.8.0"]),
    (
        "<2.0.0-rc.1",
        &["1.0.0", "2.0.0-rc.0"],
        &["2.0.0", "2.0.0-rc.1", "1.0.0-a"],
    ),
    (">=1.2.3 <2", &["1.5.0"], &["2.0.0", "1.2.2"]),
    (">=20.0.0 <21 || >=22", &["20.1.0", "22.4.0"], &["21.0.0"]),
    (">*", &[], &["0.0.0", "1.0.0"]),
    ("<*", &[], &["0.0.0"]),
    (">=*", &["1.0.0"], &[]),
    ("1.2.3 - 2.3.4", &["1.2.3", "2.3.4"], &["2.3.5", "1.2.2"]),
    ("1.2 - 2.3", &["1.2.0", "2.3.9"], &["2.4.0"]),
    ("1 - 2", &["2.9.9"], &["3.0.0"]),
    ("1.2.3 - *", &["9.0.0"], &["1.2.2"]),
    ("^1 || ^3", &["1.2.3", "3.4.5"], &["2.0.0"]),
    (
        "1.x||>=2.5.0||5.0.0 - 7.2.3",
        &["1.2.3", "2.5.0", "9.0.0"],
        &["2.4.0"],
    ),
    // If an alternative is `*`, npm ignores the others, even for pre-releases.
    ("^0.1.0-rc.2 || *", &["0.1.0", "5.0.0"], &["0.1.0-rc.2"]),
    ("0.0.2023112908571234", &["0.0.2023112908571234"], &[]),
    ("npm:real@^1.2.0", &["1.2.0"], &["2.0.0"]),
    ("npm:@own/real@~2.0", &["2.0.9"], &["2.1.0"]),
    ("npm:@own/real", &["2.0.9"], &[]),
    ("npm:~2.3.2", &["2.3.9"], &["2.5.4", "4.0.0"]),
    ("npm:1.0.0", &["1.0.0"], &["1.0.1"]),
];

#[test]
fn admits_what_npm_admits() {
    for (range, admitted, refused) in FACTS {
        for version in *admitted {
            assert_eq!(admits(range, version), Ok(true), "{range} {version}");
        }
        for version in *refused {
            assert_eq!(admits(range, version), Ok(false), "{range} {version}");
        }
    }

    assert_eq!(admits("*", "no version"), Ok(false));
}

#[test]
fn requirements_that_do_not_name_versions_are_refused() {
    let messages: Vec<String> = [
        "latest",
        "next",
        "workspace:*",
        "file:../a",
        "./a",
        "git+ssh://git@git.invalid/a.git#semver:^1",
        "github:own/a",
        "own/a",
        "https://files.invalid/a.tgz",
        "catalog:",
        "npm:real@latest",
        "1.x.3",
        "1.2.3.4",
        ">=1.2.3, <2",
        "^1.2.3 foo",
        "&&",
        "0.0.20231129085712345",
    ]
    .into_iter()
    .map(|requirement| admits(requirement, "1.0.0").unwrap_err().to_string())
    .collect();

    insta::assert_snapshot!(messages.join("\n"), @r#"
requirement `latest` names a tag, not versions
requirement `next` names a tag, not versions
requirement `workspace:*` names a workspace member, not versions
requirement `file:../a` names a directory or a file, not versions
requirement `./a` names a directory or a file, not versions
requirement `git+ssh://git@git.invalid/a.git#semver:^1` names a git repository, not versions
requirement `github:own/a` names a git repository, not versions
requirement `own/a` names a git repository, not versions
requirement `https://files.invalid/a.tgz` names an address, not versions
requirement `catalog:` is of a kind that npm does not resolve to versions
requirement `npm:real@latest` names a tag, not versions
requirement `1.x.3` names a tag, not versions
requirement `1.2.3.4` names a tag, not versions
requirement `>=1.2.3, <2` is not a requirement of npm
requirement `^1.2.3 foo` is not a requirement of npm
requirement `&&` is not a requirement of npm
requirement `0.0.20231129085712345` names a tag, not versions
"#);
}

#[test]
fn raises_in_the_same_style() {
    for (requirement, version, raised) in [
        ("4.17.1", "4.17.3", "4.17.3"),
        ("=4.17.1", "4.17.3", "=4.17.3"),
        ("v4.17.1", "4.17.3", "v4.17.3"),
        ("^1.2.3", "1.4.0", "^1.4.0"),
        ("^1.2.3", "2.0.1", "^2.0.1"),
        ("^1", "1.4.0", "^1.4.0"),
        ("~1.2.3", "1.2.9", "~1.2.9"),
        ("~>1.2", "1.3.1", "~>1.3.1"),
        (">=1.0.0", "1.5.0", ">=1.5.0"),
        (">1.0.0", "1.5.0", ">=1.5.0"),
        ("1.x", "1.5.0", "1.x"),
        ("1.x", "2.5.0", "2.x"),
        ("1", "2.5.0", "2"),
        ("1.2.*", "1.3.7", "1.3.*"),
        ("*", "2.5.0", "*"),
        ("", "2.5.0", ""),
        (">=1.0.0 <2.0.0", "1.5.0", ">=1.5.0 <2.0.0"),
        (">=1.0.0 <2.0.0", "2.5.0", ">=2.5.0 <3.0.0"),
        (">=1.0.0 <2", "2.5.0", ">=2.5.0 <3"),
        (">=0.3.0 <0.4.0", "0.4.2", ">=0.4.2 <0.5.0"),
        ("<2.0.0", "1.5.0", ">=1.5.0 <2.0.0"),
        ("1.0.0 - 2.0.0", "1.5.0", "1.5.0 - 2.0.0"),
        ("^1.0.0 || ^2.0.0", "2.5.0", "^2.5.0"),
        ("^1.0.0 || ^2.0.0", "1.5.0", "^1.5.0 || ^2.0.0"),
        ("^1.0.0 || ^2.0.0", "3.1.0", "^3.1.0"),
        ("npm:real@^1.0.0", "1.5.0", "npm:real@^1.5.0"),
        ("npm:@own/real@1.0.0", "2.0.0", "npm:@own/real@2.0.0"),
        ("npm:^1.0.0", "1.5.0", "npm:^1.5.0"),
        ("^1.0.0-rc.1", "1.0.0-rc.3", "^1.0.0-rc.3"),
    ] {
        assert_eq!(
            raise(requirement, version).as_deref(),
            Ok(raised),
            "{requirement} {version}"
        );
    }
}

#[test]
fn refuses_requirements_that_cannot_be_raised() {
    let messages: Vec<String> = [
        ("latest", "1.0.0"),
        ("<2.0.0", "2.5.0"),
        (">=1.0.0 <=1.4.0", "1.5.0"),
        ("1.0.0 - 1.4.0", "1.5.0"),
        (">=1.0.0 <1.4.2", "1.5.0"),
        ("^2.0.0", "nonsense"),
        ("1.x", "2.0.0-rc.1"),
    ]
    .into_iter()
    .map(|(requirement, version)| raise(requirement, version).unwrap_err().to_string())
    .collect();

    insta::assert_snapshot!(messages.join("\n"), @r#"
requirement `latest` names a tag, not versions
requirement `<2.0.0` cannot be raised to `2.5.0` in its own style
requirement `>=1.0.0 <=1.4.0` cannot be raised to `1.5.0` in its own style
requirement `1.0.0 - 1.4.0` cannot be raised to `1.5.0` in its own style
requirement `>=1.0.0 <1.4.2` cannot be raised to `1.5.0` in its own style
requirement `^2.0.0` cannot be raised to `nonsense`, which is not a version
requirement `1.x` cannot be raised to `2.0.0-rc.1` in its own style
"#);
}

fn simple_range() -> impl Strategy<Value = String> {
    (
        prop_oneof![Just("^"), Just("~"), Just(""), Just(">="), Just("=")],
        (0u64..4, 0u64..4, 0u64..4),
    )
        .prop_map(|(sign, (major, minor, patch))| format!("{sign}{major}.{minor}.{patch}"))
}

proptest! {
    #[test]
    fn a_raised_requirement_admits_the_version_and_nothing_below(
        range in simple_range(),
        to in (0u64..6, 0u64..6, 0u64..6),
        below in (0u64..6, 0u64..6, 0u64..6),
    ) {
        let text = |(major, minor, patch): (u64, u64, u64)| format!("{major}.{minor}.{patch}");
        if let Ok(raised) = raise(&range, &text(to)) {
            prop_assert_eq!(admits(&raised, &text(to)), Ok(true));
            prop_assert_eq!(admits(&raised, &text(below)).unwrap() && below < to, false);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(requirement in "[ -~]{0,24}", version in "[0-9.a-]{0,12}") {
        let admitted = admits(&requirement, &version);
        if let Ok(raised) = raise(&requirement, &version) {
            prop_assert!(admitted.is_ok(), "what is raised is a requirement on versions");
            prop_assert_eq!(admits(&raised, &version), Ok(true), "{}", raised);
        }
    }
}

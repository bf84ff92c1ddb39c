//! The table: its width, its order, and what it leaves out.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use patchgate_model::{Extent, Finding, FixedVersion, Level, Lockfile, Problem, ProblemKind};

use super::samples::*;
use crate::Terminal;
use crate::scan::*;

#[test]
fn the_table_fits_its_terminal() {
    for width in [80, 140] {
        let text = rich().to_table(plain(width), Detail::Brief);
        assert_harmless(&text);
        assert_snapshot!(format!("table_{width}"), text);
    }

    let text = rich().to_table(plain(80), Detail::All);
    assert_harmless(&text);
    assert_snapshot!("table_all", text);
}

/// The text without links.
fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}]8;;") {
        out.push_str(before);
        rest = after.split_once("\u{1b}\\").unwrap().1;
    }
    out.push_str(rest);
    out
}

fn interactive(width: usize) -> Terminal {
    Terminal {
        interactive: true,
        ..plain(width)
    }
}

/// So many packages with three findings each, the first one worst.
fn many_packages(number: u32) -> Vec<Finding> {
    let findings = (0..number * 3).map(|n| {
        let name = format!(
            "github.invalid/some-organisation/a-module-with-a-long-name/{}",
            n / 3
        );
        let mut finding = finding(&format!("GHSA-{n}"), &name, "1.0.0", Level::High, Some(8.0));
        finding.score.value = 90.0 - f64::from(n / 3) / 100.0;
        finding
    });
    findings.collect()
}

#[test]
fn nothing_leaves_the_edge_of_a_terminal() {
    let mut findings = findings();
    findings.extend(many_packages(1));
    findings[0].package.name = "n".repeat(300);
    findings[0].id = "GHSA-".repeat(40);
    findings[1].package.version = format!("v0.0.0-20190408044501-{}", "6".repeat(90));
    findings[1].locations[0].file = "directory/".repeat(30);
    let report = ScanReport::new(&ScanInput {
        findings: &findings,
        possible: &[required("GHSA-1", &"p".repeat(99), "^4.0.0", Extent::Some)],
        problems: &problems(),
        ..input(&[lockfile()], &sources())
    });

    for detail in [Detail::Brief, Detail::All] {
        let text = report.to_table(interactive(80), detail);
        assert!(text.contains("\u{1b}]8;;https://advisories.invalid/"));
        for line in without_links(&text).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert_harmless(&without_links(&text));
    }

    // Elsewhere names are whole, so that they can be searched for.
    let text = report.to_table(plain(80), Detail::All);
    assert!(text.contains(&"n".repeat(300)) && text.contains(&"6".repeat(90)));
    assert!(text.contains(&"p".repeat(99)) && text.contains(&"directory/".repeat(30)));
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn a_big_scan_is_about_a_screen() {
    let findings = many_packages(200);
    let report = report(&findings, &[], &[], &[]);
    let brief = report.to_table(plain(80), Detail::Brief);
    assert!(brief.lines().count() < 80, "{}", brief.lines().count());
    assert!(brief.starts_with("600 findings in 200"), "{brief}");
    assert!(
        brief.contains("a-module-with-a-long-name/0 1.0.0"),
        "{brief}"
    );
    assert!(brief.contains("more packages ✗ with"), "{brief}");

    let all = report.to_table(plain(80), Detail::All);
    assert!(
        findings
            .iter()
            .all(|one| all.contains(&format!("{} ", one.id)))
    );
}

#[test]
fn the_worst_is_next_to_the_end_of_a_terminal() {
    let report = report(&many_packages(200), &[], &[], &problems());
    let terminal = report.to_table(interactive(80), Detail::Brief);
    let pipe = report.to_table(plain(80), Detail::Brief);
    let order = |text: &str| {
        let index = |part: &str| text.find(part).unwrap();
        (
            index("Incomplete: "),
            index("long-name/1 1.0.0"),
            index("long-name/0 1.0.0"),
        )
    };

    let (incomplete, second, worst) = order(&without_links(&terminal));
    assert!(incomplete < second && second < worst, "{terminal}");
    let (incomplete, second, worst) = order(&pipe);
    assert!(worst < second && second < incomplete, "{pipe}");
}

#[test]
fn a_package_is_one_line_with_one_fix() {
    let mut findings = vec![
        finding("GHSA-1", "semver", "5.7.1", Level::High, Some(7.5)),
        finding("GHSA-2", "semver", "5.7.1", Level::High, Some(7.4)),
        finding("GHSA-1", "semver", "10.0.0", Level::High, Some(7.5)),
        finding("GHSA-1", "semver", "9.0.0", Level::High, Some(7.5)),
    ];
    findings[1].fixed = FixedVersion::None("none".into());
    findings[3].fixed = FixedVersion::None("none".into());
    let fixes = BTreeMap::from([
        (findings[0].package.clone(), "5.7.2".to_owned()),
        (findings[2].package.clone(), "10.0.1".to_owned()),
    ]);
    let report = ScanReport::new(&ScanInput {
        findings: &findings,
        fixes: &fixes,
        ..input(&[lockfile()], &[])
    });
    let text = report.to_table(plain(140), Detail::Brief);
    assert!(
        text.contains(
            "semver 5.7.1 -> 5.7.2 (fixes 1 of 2), 9.0.0 (no fix), 10.0.0 -> 10.0.1 in package-lock.json:120"
        ),
        "{text}"
    );
    assert_eq!(text.matches("GHSA-1").count(), 1, "{text}");
    assert!(
        text.contains("4 findings in 1 package, worst first"),
        "{text}"
    );
}

#[test]
fn findings_in_test_files_come_after_the_own_ones() {
    let mut own = finding("GHSA-1", "own", "1.0.0", Level::Low, Some(2.0));
    own.locations[0].file = "Cargo.lock".into();
    let mut in_tests = exploited();
    in_tests.locations.truncate(1);
    let report = ScanReport::new(&ScanInput {
        findings: &[in_tests, own],
        groups: &BTreeMap::from([("package-lock.json", "test")]),
        ..input(&[lockfile()], &[])
    });

    let text = report.to_table(plain(100), Detail::Brief);
    let index = |part: &str| text.find(part).unwrap();
    assert!(
        index("own 1.0.0") < index("In test files only: Act now: 1 finding in 1 package"),
        "{text}"
    );
    assert!(index("In test files only") < index("qs 6.5.2"), "{text}");
    assert!(
        text.contains("\n1 finding is in test files only\n"),
        "{text}"
    );

    let markdown = report.to_markdown(usize::MAX);
    assert!(markdown.find("### Defer") < markdown.find("### In test files only"));
    assert!(markdown.contains("1 finding is in test files only."));
}

#[test]
fn waived_inputs_are_apart() {
    let mut report = report(&[exploited()], &[], &[], &problems());
    report.incomplete[0].waived = true;
    let text = report.to_table(plain(100), Detail::Brief);
    assert!(text.contains("Incomplete: 1 input could not"), "{text}");
    assert!(
        text.contains("Waived by the settings: 1 input could not"),
        "{text}"
    );
    assert!(
        text.contains("2 inputs could not be read or looked up (1 waived by"),
        "{text}"
    );

    let markdown = report.to_markdown(usize::MAX);
    assert!(markdown.contains("### Incomplete") && markdown.contains("### Waived"));
}

#[test]
fn many_inputs_with_one_cause_are_one_entry() {
    let problems: Vec<Problem> = (0..90)
        .map(|n| Problem {
            kind: ProblemKind::Unresolved,
            subject: format!("{n}/package.json"),
            line: Some(n),
            reason: format!("requires `p{n}`, and the requirement is no requirement"),
            hint: Some("lock the version".into()),
        })
        .collect();
    let report = report(&[], &[], &[], &problems);

    let text = report.to_table(plain(100), Detail::Brief);
    assert_eq!(text.matches("lock the version").count(), 1, "{text}");
    assert!(text.contains("and 87 more: requires `p0`, and"), "{text}");
    assert!(text.contains("(90 of this kind)"), "{text}");
    let all = report.to_table(plain(100), Detail::All);
    assert!(all.contains("89/package.json:89: requires `p89`"), "{all}");
    let markdown = report.to_markdown(usize::MAX);
    assert!(markdown.contains(" and 85 more: requires"), "{markdown}");
}

#[test]
fn colour_changes_nothing_but_colour() {
    let color = Terminal {
        width: 100,
        color: true,
        interactive: false,
    };
    let painted = rich().to_table(color, Detail::Brief);

    for red in ["critical", "· known", " 99.7"] {
        let red = format!("\u{1b}[1m\u{1b}[31m{red}");
        assert!(painted.contains(&red), "{red:?} is not in {painted:?}");
    }

    let mut bare = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }

    bare.push_str(rest);
    let trimmed: String = bare
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();

    assert_eq!(trimmed, rich().to_table(plain(100), Detail::Brief));
}

#[test]
fn direct_dependencies_alone_are_told() {
    let pom = |path: &str| Lockfile {
        path: path.to_owned(),
        direct_only: true,
        ..lockfile()
    };
    let of = |lockfiles: &[Lockfile]| {
        ScanReport::new(&ScanInput {
            exit: RunEnd {
                code: 0,
                reason: "clean",
            },
            ..input(lockfiles, &[])
        })
    };
    let several = of(&[
        pom("pom.xml"),
        lockfile(),
        pom("a/pom.xml"),
        pom("b/pom.xml"),
    ]);
    let text = several.to_table(plain(300), Detail::Brief);

    assert!(
        text.contains("pom.xml and 2 other files list direct dependencies only, so transitive"),
        "{text}"
    );

    let one = of(&[pom("pom.xml")]);
    let note = "pom.xml lists direct dependencies only";

    assert!(one.to_markdown(usize::MAX).contains(note));
    assert!(one.to_sarif().contains(note));
    assert!(one.lockfiles[0].direct_only);
    assert!(
        !of(&[lockfile()])
            .to_markdown(usize::MAX)
            .contains("direct dependencies only")
    );
}

#[test]
fn clean_is_said_only_of_a_whole_scan() {
    let clean = report(&[], &[], &[], &[]).to_table(plain(80), Detail::Brief);
    assert!(
        clean.ends_with("No known vulnerabilities in 6 packages from 1 lockfile\n"),
        "{clean}"
    );

    let incomplete = report(&[], &[], &[], &problems()).to_table(plain(200), Detail::Brief);
    assert!(
        incomplete.ends_with("No known vulnerabilities in the part that was read: 6 packages from 1 lockfile. The scan is incomplete\n"),
        "{incomplete}"
    );
}

//! What the page says about upgrades and chains.

use patchgate_model::FixedVersion;

use crate::samples::{finding, html, report};

#[test]
fn an_upgrade_says_what_it_fixes_and_what_not() {
    let mut findings = [finding(0), finding(1)];
    findings[1].fixed = FixedVersion::None("no release is free of it".into());
    let page = html(&report(&findings, &[]));
    assert!(
        page.contains(
            "<b>Upgrade to 0.0.5</b> fixes 1 of 2 findings, 1 of them known exploited. For the \
             rest: no release is free of it"
        ),
        "{page}"
    );
    assert!(page.contains("fixes 1 of 2, 1 known exploited; worst"));

    findings[0].fixed = FixedVersion::None("it was given up".into());
    let page = html(&report(&findings, &[]));
    assert!(page.contains("<b>No fix</b>: "), "{page}");
    assert!(!page.contains("Upgrades that fix most"));
}

#[test]
fn a_possible_finding_is_raised() {
    let page = html(&report(&[], &[]));
    assert!(
        page.contains("<b>Raise to ^6.5.3</b> fixes this finding"),
        "{page}"
    );
    assert!(page.contains("affects &gt;= 4.0.0, &lt; 6.5.3, not the newest admitted version"));
    assert!(page.contains("<p>None.</p>"));
}

#[test]
fn the_middle_of_a_long_chain_is_left_out() {
    let mut long = finding(0);
    long.paths = vec![(0..30).map(|step| format!("step-{step}@1.0.0")).collect()];
    let page = html(&report(&[long], &[]));
    assert!(page.contains("<li>step-4@1.0.0</li><li>… 20 more …</li><li>step-25@1.0.0</li>"));
    assert!(page.contains("<li>step-29@1.0.0</li></ol>"));
}

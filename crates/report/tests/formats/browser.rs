//! The page in a real Chromium: it is used, printed, measured, and checked by axe-core.

use std::process::Command;

use patchgate_testkit::{Tools, chromium};
use serde_json::Value;

use crate::samples::{html, mixed, ordinary};

/// Opens a page with `drive.mjs` and returns what that saw; `None` after a skip.
///
/// `PATCHGATE_SCREENSHOTS` names a directory for pictures of the page.
fn opened(name: &str, page: &str) -> Option<Value> {
    let tools = Tools::installed()?;
    let (playwright, axe) = tools.browser_driver()?;
    let chromium = chromium()?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    std::fs::write(&path, page).unwrap();
    let pictures = std::env::var("PATCHGATE_SCREENSHOTS").unwrap_or_default();
    if !pictures.is_empty() {
        let copy = std::path::Path::new(&pictures).join(format!("{name}.html"));
        std::fs::write(copy, page).unwrap();
    }

    let output = Command::new(tools.node())
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/formats/drive.mjs"
        ))
        .args([&playwright, &axe, &chromium, &path])
        .args([&pictures, name])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_str(&told).unwrap())
}

#[test]
fn a_person_searches_filters_sorts_and_prints() {
    let page = html(&mixed());
    let Some(seen) = opened("mixed", &page) else {
        return;
    };

    // Nothing ran, nothing was loaded, nothing was blocked.
    for empty in ["hacked", "requests", "errors"] {
        assert_eq!(seen[empty], serde_json::json!([]), "{empty}: {seen:#}");
    }
    assert_eq!(seen["all"], "13 of 13 findings in 5 package versions");
    assert_eq!(seen["search"], "3 of 13 findings in 1 package versions");
    assert_eq!(seen["nothing"], true);
    assert_eq!(seen["severity"], serde_json::json!(["critical"]));
    assert_eq!(seen["outcome"], serde_json::json!(["act-now"]));
    assert_eq!(seen["exploited"], 2);
    assert_eq!(seen["sorted"], true);
    assert_eq!(seen["reset"], "13 of 13 findings in 5 package versions");

    // The keyboard alone is enough.
    assert_eq!(seen["firstFocus"], "Skip to the findings");
    assert_eq!(seen["slash"], "search");
    assert_eq!(seen["opened"], true);

    // Without a script everything is there, and no control that would do nothing.
    assert_eq!(
        seen["plain"],
        serde_json::json!({ "rows": 13, "controls": false })
    );
    assert_eq!(seen["overflow"], 0, "a phone scrolls sideways");
    assert!(seen["pdf"].as_u64().unwrap() > 20_000, "{seen:#}");
    assert_eq!(seen["printed"], true, "paper shows what is folded");
    assert_eq!(seen["axe"], serde_json::json!([]), "{seen:#}");
}

#[test]
fn five_thousand_findings_open_in_a_second() {
    let page = html(&ordinary(5_000));
    let megabytes = page.len() as f64 / 1e6;
    assert!(megabytes < 5.0, "{megabytes:.2} MB");
    let Some(seen) = opened("huge", &page) else {
        return;
    };

    println!(
        "5,000 findings: {megabytes:.2} MB, shown after {} ms, searched in {} ms",
        seen["shownMs"], seen["searchMs"]
    );
    assert!(seen["all"].as_str().unwrap().starts_with("5000 of 5000"));
    // A second on an idle machine; tests share theirs with others.
    assert!(seen["shownMs"].as_f64().unwrap() < 5_000.0, "{seen:#}");
    assert!(seen["searchMs"].as_f64().unwrap() < 5_000.0, "{seen:#}");
}

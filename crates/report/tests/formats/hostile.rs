//! Hostile text in every format.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::samples::{HOSTILE, gitlab, html, mixed};

/// Characters that act in a terminal, an editor or an XML reader.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\r') || matches!(c, '\u{202e}' | '\u{fffe}')
}

#[test]
fn no_format_has_characters_that_act() {
    let report = mixed();
    for (name, text) in [
        ("html", html(&report)),
        ("gitlab", gitlab(&report)),
        ("code quality", report.to_code_quality()),
        ("csv", report.to_csv()),
        ("junit", report.to_junit()),
    ] {
        // JSON writes control characters as escapes, which a reader turns back.
        assert!(!text.contains("\\u001b"), "{name}");
        let found = text.chars().find(|c| acts(*c) && *c != '\u{fffe}');
        assert_eq!(found, None, "{name}");
        assert!(text.len() < 400_000, "{name} has {} bytes", text.len());
    }
}

#[test]
fn a_spreadsheet_finds_no_formula() {
    let csv = mixed().to_csv();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    assert_eq!(header.get(0), Some("status"));
    let column = |name: &str| header.iter().position(|one| one == name).unwrap();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    // 13 findings, a possible one, two inputs that could not be read.
    assert_eq!(records.len(), 16);
    for record in &records {
        assert_eq!(record.len(), header.len());
        for cell in record {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell}"
            );
        }
    }

    let hostile = records.iter().find(|one| one[1].starts_with("'=cmd"));
    let hostile = hostile.expect("the formula is text");
    assert!(hostile[column("summary")].contains("</script>"));
    assert_eq!(&hostile[column("known_exploited")], "true");
    assert!(csv.ends_with("\r\n"));
}

#[test]
fn junit_is_well_formed_xml() {
    let xml = mixed().to_junit();
    let mut reader = Reader::from_str(&xml);
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    let mut totals = std::collections::BTreeMap::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    let value = attribute.unwrap();
                    assert!(!value.value.contains('<'));
                }
                match tag.name().as_ref() {
                    "testsuites" => {
                        for one in tag.attributes().map(Result::unwrap) {
                            let name = one.key.as_ref().to_owned();
                            totals.insert(name, one.value.to_string());
                        }
                    }
                    "testcase" => tests += 1,
                    "failure" => failures += 1,
                    "error" => errors += 1,
                    "skipped" => skipped += 1,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    for (name, number) in [
        ("tests", tests),
        ("failures", failures),
        ("errors", errors),
        ("skipped", skipped),
    ] {
        assert_eq!(totals[name], number.to_string(), "{name}");
    }
    assert_eq!((tests, errors), (17, 2));
    assert!(!xml.contains(['\u{fffe}', '\u{b}']));
}

#[test]
fn the_page_keeps_text_as_text() {
    let page = html(&mixed());
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(!page.contains("<img"));
    assert!(page.contains("{{ 7*7 }}"), "text is not a template");
    assert!(HOSTILE.contains("{{ 7*7 }}"));
}

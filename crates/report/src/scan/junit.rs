//! The report of a scan as JUnit XML, which most CI servers show as test results. There is no official
//! schema; the elements are those that Jenkins and GitLab read
//! (<https://docs.gitlab.com/ci/testing/unit_test_reports/>).

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{FindingReport, IncompleteReport, ScanReport, phrases};
use crate::clean::{clean, cut};

/// Most characters of an attribute or a text.
const MAX_TEXT: usize = 4_000;

/// One test case.
struct Case {
    class: String,
    name: String,
    result: CaseResult,
}

enum CaseResult {
    Passed,
    /// With the message and the details.
    Failed(String, String),
    Error(String),
    Skipped(String),
}

impl ScanReport {
    /// As JUnit XML. Each file that was read is a test that passes, each finding that fails the run a
    /// failure, each input that could not be read an error. A finding below the threshold, an ignored
    /// or suppressed one, and an input that the settings waive are skipped tests.
    #[must_use]
    pub fn to_junit(&self) -> String {
        let cases = self.cases();
        let count = |test: fn(&CaseResult) -> bool| {
            let number = cases.iter().filter(|case| test(&case.result)).count();
            number.to_string()
        };
        let totals = [
            ("name", "patchgate".to_owned()),
            ("tests", cases.len().to_string()),
            (
                "failures",
                count(|one| matches!(one, CaseResult::Failed(..))),
            ),
            ("errors", count(|one| matches!(one, CaseResult::Error(_)))),
            (
                "skipped",
                count(|one| matches!(one, CaseResult::Skipped(_))),
            ),
            ("time", "0".to_owned()),
        ];

        let mut out = Out(Writer::new_with_indent(Vec::new(), b' ', 2));
        out.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        out.start("testsuites", &totals);
        out.start("testsuite", &totals);
        for case in &cases {
            out.case(case);
        }
        out.end("testsuite");
        out.end("testsuites");

        let mut text = String::from_utf8(out.0.into_inner()).unwrap_or_default();
        text.push('\n');
        text
    }

    fn cases(&self) -> Vec<Case> {
        let findings = self.findings.iter().chain(&self.possible).map(finding);
        let ignored = self.ignored.iter().map(|one| Case {
            result: CaseResult::Skipped(format!("ignored until {}: {}", one.until, one.reason)),
            ..finding(&one.finding)
        });
        let suppressed = self.suppressed.iter().map(|one| Case {
            result: CaseResult::Skipped(format!(
                "{} ({})",
                phrases::statement(one),
                phrases::stated_by(one)
            )),
            ..finding(&one.finding)
        });
        let unread = self.incomplete.iter().map(incomplete);
        let files = self.lockfiles.iter().map(|file| Case {
            class: file.path.clone(),
            name: format!(
                "{} read as {}",
                phrases::count(file.packages, "package", "packages"),
                file.format
            ),
            result: CaseResult::Passed,
        });

        let findings = findings.chain(ignored).chain(suppressed);
        unread.chain(findings).chain(files).collect()
    }
}

fn finding(finding: &FindingReport) -> Case {
    let class = finding.locations.first().map(|one| one.file.clone());
    let headline = format!(
        "severity {}, score {:.1}: {}",
        phrases::severity(finding.severity),
        finding.score,
        finding.summary
    );

    Case {
        class: class.unwrap_or_default(),
        name: phrases::subject(finding),
        result: match finding.at_or_above_threshold {
            true => CaseResult::Failed(headline, details(finding)),
            false => CaseResult::Skipped(format!("below the threshold: {headline}")),
        },
    }
}

/// The facts for a person, one on a line.
fn details(finding: &FindingReport) -> String {
    let mut lines = vec![match (&finding.fixed_version, &finding.no_fix_reason) {
        (Some(version), _) => format!("Fixed in: {version}"),
        (None, Some(reason)) => format!("No fix: {reason}"),
        (None, None) => "No fix is known".to_owned(),
    }];
    lines.push(format!(
        "Signals: {}",
        phrases::exploitation(finding).join(", ")
    ));
    if let Some(chain) = finding.paths.first().filter(|chain| chain.len() > 1) {
        lines.push(format!("Dependency chain: {}", chain.join(" > ")));
    }
    let locations: Vec<String> = finding.locations.iter().map(phrases::location).collect();
    lines.push(format!("Location: {}", phrases::some_of(&locations, 20)));
    lines.extend(phrases::url(finding).map(|url| format!("Advisory: {url}")));

    let lines: Vec<String> = lines.iter().map(|line| allowed(line)).collect();
    lines.join("\n")
}

fn incomplete(problem: &IncompleteReport) -> Case {
    let mut message = problem.reason.clone();
    if let Some(hint) = &problem.hint {
        message.push_str(&format!(" ({hint})"));
    }

    Case {
        class: problem.file.clone().unwrap_or_else(|| problem.kind.clone()),
        name: format!(
            "{} can be read",
            phrases::at_line(&problem.subject, problem.line)
        ),
        result: match problem.waived {
            true => CaseResult::Skipped(format!("waived: {message}")),
            false => CaseResult::Error(message),
        },
    }
}

/// The text on one line, without the characters that XML 1.0 excludes (section 2.2): control
/// characters and the two noncharacters.
fn allowed(text: &str) -> String {
    let text: String = clean(text)
        .chars()
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect();
    cut(&text, MAX_TEXT)
}

struct Out(Writer<Vec<u8>>);

impl Out {
    fn event(&mut self, event: Event<'_>) {
        // Writing to a vector cannot fail.
        let _ = self.0.write_event(event);
    }

    fn start(&mut self, name: &str, attributes: &[(&str, String)]) {
        self.event(Event::Start(element(name, attributes)));
    }

    fn end(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn case(&mut self, case: &Case) {
        let attributes = [
            ("classname", case.class.clone()),
            ("name", case.name.clone()),
            ("file", case.class.clone()),
            ("time", "0".to_owned()),
        ];
        if matches!(case.result, CaseResult::Passed) {
            return self.event(Event::Empty(element("testcase", &attributes)));
        }

        self.start("testcase", &attributes);
        match &case.result {
            CaseResult::Passed => {}
            CaseResult::Failed(message, details) => {
                let attributes = [("message", message.clone()), ("type", "finding".to_owned())];
                self.start("failure", &attributes);
                self.event(Event::Text(BytesText::new(details)));
                self.end("failure");
            }
            CaseResult::Error(message) => {
                let attributes = [
                    ("message", message.clone()),
                    ("type", "incomplete".to_owned()),
                ];
                self.event(Event::Empty(element("error", &attributes)));
            }
            CaseResult::Skipped(message) => {
                self.event(Event::Empty(element(
                    "skipped",
                    &[("message", message.clone())],
                )));
            }
        }
        self.end("testcase");
    }
}

fn element<'n>(name: &'n str, attributes: &[(&str, String)]) -> BytesStart<'n> {
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        start.push_attribute((*key, &*allowed(value)));
    }
    start
}

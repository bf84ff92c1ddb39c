//! What the project's own tests say about the steps of a fix.

use patchgate_model::{Plan, UnverifiedStep};
use schemars::JsonSchema;
use serde::Serialize;

use super::entries::{FixedReport, fixed_report};
use crate::clean::clean;
use crate::markdown::{Body, code, text};
use crate::scan::count;
use crate::terminal::{BOLD, DIM, GREEN, Span, Terminal, YELLOW};

/// Most lines of a log in text and Markdown; the JSON has all that are kept.
const MAX_LOG_LINES: usize = 8;

/// The outcome of running the project's own tests. The steps of the plan passed them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerificationReport {
    /// The command, as the user gave it.
    pub command: String,
    /// Number of times that it was run.
    pub runs: usize,
    /// Steps of the plan that pass.
    pub passed: usize,
    /// The steps that were left, the most urgent first.
    pub left: Vec<UnverifiedStepReport>,
}

/// A step that the tests do not pass with, or that was not tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnverifiedStepReport {
    /// The packages that it upgrades: `qs 6.5.2 -> 6.5.3`.
    pub upgrades: Vec<String>,
    /// The findings that it would fix.
    pub fixes: Vec<FixedReport>,
    /// The kind of the failure: `compile`, `test`, `policy`, `lock`, `resolution`, `time-out`,
    /// `not-tested` or `unknown`.
    pub class: String,
    /// The reason in one sentence without a period.
    pub reason: String,
    /// The end of the command's output, with `***` for secrets; empty if the command was not run.
    pub log: String,
}

/// The verification of a plan; `None` if there was none.
pub(crate) fn verification(plan: &Plan) -> Option<VerificationReport> {
    let verification = plan.verification.as_ref()?;
    Some(VerificationReport {
        command: verification.command.clone(),
        runs: verification.runs,
        passed: plan.steps.len(),
        left: verification.left.iter().map(step).collect(),
    })
}

fn step(step: &UnverifiedStep) -> UnverifiedStepReport {
    UnverifiedStepReport {
        upgrades: step.upgrades.clone(),
        fixes: step.fixes.iter().map(fixed_report).collect(),
        class: step.class.word().to_owned(),
        reason: step.reason.clone(),
        log: step.log.clone(),
    }
}

impl VerificationReport {
    /// In one sentence without a period.
    fn sentence(&self) -> String {
        let runs = count(self.runs, "run", "runs");
        let passed = count(self.passed, "step passes", "steps pass");
        match self.left.len() {
            0 => format!("Verified in {runs}: {passed}"),
            left => format!("Verified in {runs}: {passed}, {left} left"),
        }
    }
}

/// Adds the verification as text.
pub(super) fn verification_lines(
    report: &VerificationReport,
    terminal: Terminal,
    lines: &mut Vec<String>,
) {
    let style = if report.left.is_empty() { GREEN } else { BOLD };
    lines.extend(terminal.flow("", 0, &[Span::styled(style, report.sentence())]));
    lines.extend(terminal.wrap("", 2, &format!("command: {}", clean(&report.command))));
    for step in &report.left {
        let spans = [
            Span::styled(YELLOW, format!("left ({}):", step.class)),
            Span::new(clean(&step.title())),
            Span::styled(DIM, clean(&step.reason)),
        ];
        lines.extend(terminal.flow("  ", 4, &spans));
        for line in step.last_lines() {
            let line = terminal.paint(DIM, &format!("    | {}", clean(line)));
            lines.push(line);
        }
    }
    lines.push(String::new());
}

/// Adds the verification as Markdown.
pub(crate) fn verification_section(report: Option<&VerificationReport>, body: &mut Body) {
    let Some(report) = report else { return };
    body.push(&format!(
        "### Verification\n\n{}: {}.\n\n",
        code(&report.command),
        text(&report.sentence())
    ));
    body.rows(
        "",
        report.left.iter().map(|step| {
            let mut row = format!(
                "- {} ({}): {}\n",
                code(&step.title()),
                step.class,
                text(&step.reason)
            );
            for line in step.last_lines().filter(|line| !line.trim().is_empty()) {
                row.push_str(&format!("  - {}\n", code(line)));
            }
            row
        }),
    );
}

impl UnverifiedStepReport {
    /// The upgrades, else the findings.
    fn title(&self) -> String {
        match self.upgrades.is_empty() {
            false => self.upgrades.join(", "),
            true => {
                let ids: Vec<&str> = self.fixes.iter().map(|fixed| fixed.id.as_str()).collect();
                ids.join(", ")
            }
        }
    }

    fn last_lines(&self) -> impl Iterator<Item = &str> {
        let lines: Vec<&str> = self.log.lines().collect();
        let first = lines.len().saturating_sub(MAX_LOG_LINES);
        lines.into_iter().skip(first)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use patchgate_model::{FailureClass, FixedFinding, Verification};

    use super::*;
    use crate::scan::tests::{assert_harmless, plain};

    fn report() -> VerificationReport {
        let fixes = vec![FixedFinding {
            ecosystem: patchgate_model::EcosystemName::new("npm"),
            package: "a".into(),
            version: "1.0.0".into(),
            id: "GHSA-a".into(),
        }];
        let left = |class, log: &str| UnverifiedStep {
            upgrades: vec!["a 1.0.0 -> 2.0.0".into(), "b 1.0.0 -> 1.0.1".into()],
            fixes: fixes.clone(),
            class,
            reason: "`npm test` fails with it".into(),
            log: log.into(),
        };
        let plan = Plan {
            verification: Some(Verification {
                command: "npm ci && npm test".into(),
                runs: 4,
                left: vec![
                    left(
                        FailureClass::Test,
                        "\u{1b}[31mfail\u{1b}[0m @octocat <b>\n::error::x\n| `y` |",
                    ),
                    left(FailureClass::NotTested, ""),
                ],
            }),
            ..Plan::default()
        };
        verification(&plan).unwrap()
    }

    #[test]
    fn text_and_markdown_have_the_class_and_the_end_of_the_log() {
        let mut lines = Vec::new();
        verification_lines(&report(), plain(100), &mut lines);
        let text = lines.join("\n");
        assert_harmless(&text);
        assert_snapshot!("verification_text", text);

        let mut body = Body::new(60_000, 0);
        verification_section(Some(&report()), &mut body);
        let markdown = body.finish("");
        assert_harmless(&markdown);
        assert_snapshot!("verification_markdown", markdown);
    }
}

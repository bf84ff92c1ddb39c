//! The report of the gate: the verdict and the result of every rule.

use std::collections::BTreeSet;

use patchgate_model::{Judgement, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use crate::clean::clean;
use crate::markdown::{Body, code, text};
use crate::scan::Tool;
use crate::terminal::{BOLD, GREEN, RED_BOLD, Terminal, YELLOW};

/// Results of a cause that are shown without `--explain`.
const EXAMPLES: usize = 3;

/// The report of the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GateReport {
    /// Version of this format.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// The decision: merge, review or block.
    pub verdict: VerdictName,
    /// Every condition that was checked, the decisive ones first.
    pub reasons: Vec<ReasonReport>,
    /// The exact commit that was judged; empty when it could not be read.
    pub head_sha: String,
    /// The commit that the policy was read from; empty when it could not be read.
    pub base_sha: String,
    /// Whether the judged commit was merged.
    pub merged: bool,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// A decision of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum VerdictName {
    /// The pull request may be merged without a review by a person.
    Merge,
    /// A person must decide.
    Review,
    /// The pull request must not be merged in its current state.
    Block,
}

/// One condition that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReasonReport {
    /// Stable name in kebab-case, such as `checks-pending`.
    pub code: String,
    /// The verdict if this were the only condition.
    pub verdict: VerdictName,
    /// Explanation for a person.
    pub text: String,
}

impl From<Verdict> for VerdictName {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Merge => Self::Merge,
            Verdict::Review => Self::Review,
            Verdict::Block => Self::Block,
        }
    }
}

impl VerdictName {
    /// The word in JSON and step outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}

impl GateReport {
    /// Makes the report. `merged` says whether the judged commit was merged.
    #[must_use]
    pub fn new(judgement: &Judgement, merged: bool, exit_code: u8) -> Self {
        Self {
            schema_version: crate::SCHEMA_VERSION,
            tool: Tool {
                name: "patchgate".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            verdict: judgement.verdict.into(),
            reasons: judgement
                .reasons
                .iter()
                .map(|reason| ReasonReport {
                    code: reason.code.to_owned(),
                    verdict: reason.verdict.into(),
                    text: reason.text.clone(),
                })
                .collect(),
            head_sha: judgement.head_sha.clone(),
            base_sha: judgement.base_sha.clone(),
            merged,
            exit_code,
        }
    }

    /// The report as indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::to_json(self)
    }

    /// As text for a terminal: one line for each cause, with its number of results and three of them.
    /// With `explain`, every result has a line.
    #[must_use]
    pub fn to_text(&self, terminal: Terminal, explain: bool) -> String {
        let mut lines = vec![terminal.paint(verdict_style(self.verdict), &self.headline())];
        let causes = self.causes(explain);

        let width = causes.iter().map(|cause| cause.code.chars().count()).max();
        let indent = 10 + width.unwrap_or(0) + 2;
        for cause in &causes {
            let word = match cause.verdict {
                VerdictName::Merge => "ok",
                other => other.as_str(),
            };
            let label = format!("  {word:<8}{}", cause.code);
            let wrapped = terminal.wrap(&label, indent, &clean(&cause.text));

            for (index, line) in wrapped.iter().enumerate() {
                // Only the verdict, at the start of the first line, has a color.
                match (index, line.split_at_checked(10)) {
                    (0, Some((word, rest))) => lines.push(format!(
                        "{}{rest}",
                        terminal.paint(verdict_style(cause.verdict), word)
                    )),
                    _ => lines.push(line.clone()),
                }
            }
        }
        if !explain {
            lines.push(format!("  {:<8}{}", "ok", self.met()));
        }

        for (what, commit) in [("head", &self.head_sha), ("policy", &self.base_sha)] {
            let what = terminal.paint(BOLD, &format!("{what:<10}"));
            lines.push(format!("{what}{}", sha(commit)));
        }
        lines.join("\n") + "\n"
    }

    /// As Markdown of at most [`crate::GITHUB_BODY_LIMIT`] bytes, for a check run or a comment, with
    /// the causes as in [`GateReport::to_text`].
    #[must_use]
    pub fn to_markdown(&self, explain: bool) -> String {
        let mut body = Body::new(crate::GITHUB_BODY_LIMIT, 0);
        body.push(&format!("**{}**\n\n", text(&self.headline())));

        body.rows(
            "| Verdict | Condition | |\n| --- | --- | --- |\n",
            self.causes(explain).iter().map(|cause| {
                let word = match cause.verdict {
                    VerdictName::Merge => "ok",
                    other => other.as_str(),
                };
                format!(
                    "| {word} | {} | {} |\n",
                    code(&cause.code),
                    text(&cause.text)
                )
            }),
        );
        if !explain {
            body.push(&format!("{}\n\n", text(&self.met())));
        }
        body.push(&format!(
            "Judged head {}, policy from {}.\n",
            code(sha(&self.head_sha)),
            code(sha(&self.base_sha))
        ));
        body.finish("")
    }

    /// The results by cause, worst first: one line for each rule and verdict, without the rules that
    /// are met. With `explain`, each result on its own.
    fn causes(&self, explain: bool) -> Vec<ReasonReport> {
        if explain {
            return self.reasons.clone();
        }

        let mut causes: Vec<(&ReasonReport, Vec<&str>)> = Vec::new();
        for reason in self
            .reasons
            .iter()
            .filter(|reason| reason.verdict != VerdictName::Merge)
        {
            let same = causes
                .iter_mut()
                .find(|(first, _)| first.code == reason.code && first.verdict == reason.verdict);
            match same {
                Some((_, texts)) => texts.push(&reason.text),
                None => causes.push((reason, vec![&reason.text])),
            }
        }
        let summaries = causes.into_iter().map(|(first, texts)| ReasonReport {
            text: summary(&texts),
            ..first.clone()
        });
        one_for_each_text(summaries)
    }

    /// The number of rules that are met.
    fn met(&self) -> String {
        let against: BTreeSet<&str> = self
            .reasons
            .iter()
            .filter(|reason| reason.verdict != VerdictName::Merge)
            .map(|reason| reason.code.as_str())
            .collect();
        let met: BTreeSet<&str> = self
            .reasons
            .iter()
            .map(|reason| reason.code.as_str())
            .filter(|code| !against.contains(code))
            .collect();
        let count = crate::scan::count(met.len(), "condition is met", "conditions are met");
        format!("{count}; `--explain` lists every result")
    }

    /// One line: the verdict and the number of causes that led to it.
    #[must_use]
    pub fn headline(&self) -> String {
        let decisive: BTreeSet<&str> = self
            .reasons
            .iter()
            .filter(|reason| reason.verdict == self.verdict)
            .map(|reason| reason.code.as_str())
            .collect();
        match (self.verdict, self.merged) {
            (VerdictName::Merge, true) => {
                "merge: every condition is met, and it was merged".to_owned()
            }
            (VerdictName::Merge, false) => "merge: every condition is met".to_owned(),
            (verdict, merged) => format!(
                "{}: {}{}",
                verdict.as_str(),
                crate::scan::count(decisive.len(), "reason", "reasons"),
                if merged { ", and it was merged" } else { "" }
            ),
        }
    }
}

/// One line for the rules that say the same: a piece of evidence that is missing is missing for each of
/// them. The first rule has the line, and it names the others.
fn one_for_each_text(causes: impl Iterator<Item = ReasonReport>) -> Vec<ReasonReport> {
    let mut lines: Vec<(ReasonReport, Vec<String>)> = Vec::new();
    for cause in causes {
        let same = lines
            .iter_mut()
            .find(|(first, _)| first.verdict == cause.verdict && first.text == cause.text);
        match same {
            Some((_, others)) => others.push(cause.code),
            None => lines.push((cause, Vec::new())),
        }
    }

    let named = |(first, others): (ReasonReport, Vec<String>)| match others.is_empty() {
        true => first,
        false => ReasonReport {
            text: format!("{} (also {})", first.text, others.join(", ")),
            ..first
        },
    };
    lines.into_iter().map(named).collect()
}

/// The results of one cause: all of up to three, else their number and three of them.
fn summary(texts: &[&str]) -> String {
    match texts {
        [one] => (*one).to_owned(),
        _ => {
            let shown: Vec<&str> = texts.iter().take(EXAMPLES).copied().collect();
            let more = texts.len() - shown.len();
            let rest = match more {
                0 => String::new(),
                _ => format!("; and {more} more"),
            };
            format!("{} results: {}{rest}", texts.len(), shown.join("; "))
        }
    }
}

fn verdict_style(verdict: VerdictName) -> anstyle::Style {
    match verdict {
        VerdictName::Merge => GREEN,
        VerdictName::Review => YELLOW,
        VerdictName::Block => RED_BOLD,
    }
}

fn sha(sha: &str) -> &str {
    if sha.is_empty() { "unknown" } else { sha }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use patchgate_model::GateReason;

    use super::*;
    use crate::scan::tests::{assert_harmless, assert_valid, plain};

    fn report(merged: bool) -> GateReport {
        let reason = |code, verdict, text: &str| GateReason {
            code,
            verdict,
            text: text.to_owned(),
        };
        let mut reasons = vec![reason(
            "head-is-judged",
            Verdict::Merge,
            "the head did not move while it was judged",
        )];
        if !merged {
            reasons.push(reason(
                "checks-pending",
                Verdict::Review,
                "the check `test` of `github-actions` has not finished, and the policy wants it to have succeeded",
            ));
            reasons.push(reason(
                "commit-author",
                Verdict::Block,
                "commit by @octocat\u{1b}[2J <img src=x>\n::error::x | y",
            ));
        }

        let judgement = Judgement::new("a".repeat(40), String::new(), reasons);
        GateReport::new(&judgement, merged, if merged { 0 } else { 11 })
    }

    #[test]
    fn text_puts_the_decisive_reasons_first() {
        let text = report(false).to_text(plain(80), true);
        assert_harmless(&text);
        assert_snapshot!("gate_text", text);
        assert!(
            report(true)
                .to_text(plain(80), true)
                .starts_with("merge: every condition is met, and it was merged\n")
        );
    }

    /// A pull request with 400 changes without a cause, and two blocks.
    #[test]
    fn a_cause_has_one_line_with_its_number_and_three_results() {
        let reason = |code, verdict, text: String| GateReason {
            code,
            verdict,
            text,
        };
        let mut reasons: Vec<GateReason> = (0..400)
            .map(|id| {
                reason(
                    "dependency-cause",
                    Verdict::Review,
                    format!("p{id} changes"),
                )
            })
            .collect();
        reasons.push(reason(
            "open",
            Verdict::Merge,
            "the pull request is open".into(),
        ));
        reasons.push(reason("downgrade", Verdict::Block, "a falls".into()));
        reasons.push(reason("downgrade", Verdict::Block, "b falls".into()));
        let judgement = Judgement::new("a".repeat(40), "b".repeat(40), reasons);
        let report = GateReport::new(&judgement, false, 11);
        assert_snapshot!("gate_causes", report.to_text(plain(100), false));
        assert_snapshot!("gate_causes_markdown", report.to_markdown(false));
        assert_eq!(report.to_text(plain(100), true).lines().count(), 406);
    }

    /// A store that cannot be read is one cause, however many rules ask for it.
    #[test]
    fn rules_that_say_the_same_share_a_line() {
        let reason = |code, text: &str| GateReason {
            code,
            verdict: Verdict::Review,
            text: text.to_owned(),
        };
        let reasons = vec![
            reason("findings-introduced", "the store could not be read"),
            reason("checks-present", "no check ran"),
            reason("findings-ended", "the store could not be read"),
            reason("malicious-remaining", "the store could not be read"),
        ];
        let judgement = Judgement::new("a".repeat(40), "b".repeat(40), reasons);
        let report = GateReport::new(&judgement, true, 10);
        let text = report.to_text(plain(80), false);
        assert!(
            text.starts_with("review: 4 reasons, and it was merged\n"),
            "{text}"
        );
        assert_eq!(text.matches("the store could not").count(), 1, "{text}");
        let others = "(also findings-ended, malicious-remaining)";
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(others), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert_eq!(
            report.to_text(plain(80), true).matches("the store").count(),
            3
        );
    }

    #[test]
    fn markdown_is_inert() {
        let text = report(false).to_markdown(true);
        assert_harmless(&text);
        assert_snapshot!("gate_markdown", text);
    }

    #[test]
    fn json_is_of_its_schema() {
        let text = report(false).to_json();
        assert_valid(&crate::schema(crate::SchemaKind::Gate), &text);
        assert_snapshot!("gate_json", text);
    }
}

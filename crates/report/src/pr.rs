//! The report of `patchgate pr`: what was done about pull requests.

use patchgate_model::Plan;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clean::clean;
use crate::fix::{UnfixedReport, UpgradeReport, unfixed, unfixed_list, upgrades, upgrades_table};
use crate::markdown::{Body, code, link, text};
use crate::scan::{
    FindingReport, IncompleteReport, ScanReport, Tool, incident_lines, incident_section,
};
use crate::terminal::Terminal;

/// What a report about pull requests is made from.
#[derive(Debug, Clone, Copy)]
pub struct PrInput<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The scan that the plan was made from.
    pub scan: &'a ScanReport,
    /// Every pull request of Patchgate into the base branch, in the order in which it was dealt
    /// with.
    pub pull_requests: &'a [PullRequestReport],
    /// The branch and the commit that carry the plan; `None` for an empty plan.
    pub carried: Option<(&'a str, &'a str)>,
    /// Why there is no pull request, when there is none: a fragment.
    pub none_because: &'a str,
    /// Sentences that a person should read.
    pub warnings: &'a [String],
    /// How the run ends.
    pub exit_code: u8,
}

/// The report of `patchgate pr`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PrReport {
    /// Version of this form.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// What was done: about the pull request that carries the plan when there is one, else about
    /// the first one.
    pub action: PrAction,
    /// The pull request that carries the plan, where one is open.
    pub pull_request: Option<PullRequestLink>,
    /// The plan's branch; `null` when there is nothing to propose.
    pub branch: Option<String>,
    /// The plan's commit; `null` when there is nothing to propose.
    pub commit: Option<String>,
    /// Every pull request that was dealt with.
    pub pull_requests: Vec<PullRequestReport>,
    /// Malicious releases that are installed on the base branch: incidents.
    pub incidents: Vec<FindingReport>,
    /// Packages that move.
    pub upgrades: Vec<UpgradeReport>,
    /// Findings that stay.
    pub unfixed: Vec<UnfixedReport>,
    /// What could not be read or looked up.
    pub incomplete: Vec<IncompleteReport>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// The exit code of the run.
    pub exit_code: u8,
    /// Why there is no pull request: a fragment.
    #[serde(skip)]
    none_because: String,
}

/// What was done about a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum PrAction {
    /// It was opened.
    Opened,
    /// Its branch or its text was renewed.
    Updated,
    /// It was as it should be.
    Unchanged,
    /// It was closed.
    Closed,
    /// It was left alone.
    Left,
    /// There is none, and none was opened.
    None,
}

impl PrAction {
    /// The word that scripts see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Closed => "closed",
            Self::Left => "left",
            Self::None => "none",
        }
    }

    /// Whether the pull request carries the plan.
    fn carries(self) -> bool {
        matches!(self, Self::Opened | Self::Updated | Self::Unchanged)
    }
}

/// Where a pull request is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PullRequestLink {
    /// Number.
    pub number: u64,
    /// Its page.
    pub url: String,
}

/// A pull request and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PullRequestReport {
    /// Number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// What was done about it.
    pub action: PrAction,
    /// Why, where that is not plain: a fragment.
    pub reason: Option<String>,
}

/// The report of `pr` is for a log: without colour, and as wide as a log is read.
const PLAIN: Terminal = Terminal {
    width: 120,
    color: false,
};

impl PrReport {
    /// Makes the report.
    #[must_use]
    pub fn new(input: &PrInput<'_>) -> Self {
        let pulls = input.pull_requests;
        let carrier = pulls.iter().find(|pull| pull.action.carries());

        Self {
            schema_version: crate::SCHEMA_VERSION,
            tool: input.scan.tool.clone(),
            action: carrier
                .or(pulls.first())
                .map_or(PrAction::None, |pull| pull.action),
            pull_request: carrier.map(|pull| PullRequestLink {
                number: pull.number,
                url: pull.url.clone(),
            }),
            branch: input.carried.map(|(branch, _)| branch.to_owned()),
            commit: input.carried.map(|(_, commit)| commit.to_owned()),
            pull_requests: pulls.to_vec(),
            incidents: input.scan.incidents(),
            upgrades: upgrades(input.plan),
            unfixed: unfixed(input.plan),
            incomplete: input.scan.incomplete.clone(),
            warnings: input.warnings.to_vec(),
            exit_code: input.exit_code,
            none_because: input.none_because.to_owned(),
        }
    }

    /// As JSON, indented.
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::to_json(self)
    }

    /// As text, one line for each pull request.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = Vec::new();
        incident_lines(&self.incidents, PLAIN, &mut lines);
        lines.extend(self.pull_requests.iter().map(line));

        if self.pull_requests.is_empty() {
            lines.push(format!("no pull request: {}", clean(&self.none_because)));
        }
        for problem in &self.incomplete {
            lines.push(format!(
                "incomplete {}: {}",
                clean(&problem.subject),
                clean(&problem.reason)
            ));
            if let Some(hint) = &problem.hint {
                lines.push(format!("  {}", clean(hint)));
            }
        }

        lines.extend(
            self.warnings
                .iter()
                .map(|warning| format!("warning: {}", clean(warning))),
        );
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// As Markdown of at most `limit` bytes, for a job summary.
    #[must_use]
    pub fn to_markdown(&self, limit: usize) -> String {
        let mut body = Body::new(limit, 0);
        body.push("## Patchgate pull request\n\n");
        incident_section(&self.incidents, &mut body);

        if self.pull_requests.is_empty() {
            body.push(&format!(
                "No pull request: {}.\n\n",
                text(&self.none_because)
            ));
        }

        body.rows(
            "",
            self.pull_requests
                .iter()
                .map(|pull| format!("- {}\n", markdown_line(pull))),
        );
        body.rows(
            "",
            self.warnings
                .iter()
                .map(|warning| format!("> {}\n", text(warning))),
        );
        upgrades_table(&self.upgrades, &mut body);
        unfixed_list(&self.unfixed, &mut body);
        body.rows(
            "### Incomplete\n\n",
            self.incomplete.iter().map(|problem| {
                format!("- {}: {}\n", code(&problem.subject), text(&problem.reason))
            }),
        );

        body.finish("")
    }
}

fn line(pull: &PullRequestReport) -> String {
    let mut line = format!(
        "{} #{} {}",
        pull.action.as_str(),
        pull.number,
        clean(&pull.url)
    );
    if let Some(reason) = &pull.reason {
        line.push_str(": ");
        line.push_str(&clean(reason));
    }

    line
}

/// The same with the number as a link.
fn markdown_line(pull: &PullRequestReport) -> String {
    let number = link(&format!("pull request {}", pull.number), &pull.url);
    let mut line = format!("{}: {number}", pull.action.as_str());
    if let Some(reason) = &pull.reason {
        line.push_str(", ");
        line.push_str(&text(reason));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::tests::plan;
    use crate::scan::tests::{assert_harmless, rich};

    fn pull(number: u64, action: PrAction, reason: Option<&str>) -> PullRequestReport {
        PullRequestReport {
            number,
            url: format!("https://forge.invalid/acme/shop/pull/{number}"),
            action,
            reason: reason.map(str::to_owned),
        }
    }

    fn report(pulls: &[PullRequestReport]) -> PrReport {
        PrReport::new(&PrInput {
            plan: &plan(),
            scan: &rich(),
            pull_requests: pulls,
            carried: Some(("patchgate/fix-0123", "c0ffee")),
            none_because: "nothing is left to fix",
            warnings: &["a warning\u{1b}[31m <b>".to_owned()],
            exit_code: 3,
        })
    }

    #[test]
    fn the_pull_request_that_carries_the_plan_is_the_one_that_is_named() {
        let report = report(&[
            pull(3, PrAction::Left, Some("it is not known")),
            pull(5, PrAction::Opened, None),
        ]);
        assert_eq!(report.action, PrAction::Opened);
        assert_eq!(
            report.pull_request.as_ref().map(|link| link.number),
            Some(5)
        );
    }

    #[test]
    fn a_left_or_closed_one_is_told_and_not_named() {
        let left = report(&[pull(3, PrAction::Left, Some("it is not known"))]);
        assert_eq!((left.action, left.pull_request), (PrAction::Left, None));
        assert_eq!(report(&[]).action, PrAction::None);
    }

    #[test]
    fn texts_are_harmless_and_say_everything() {
        let report = report(&[pull(3, PrAction::Left, Some("why\u{1b}[2J <script>"))]);
        let text = report.to_text();

        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(text.starts_with("INCIDENT: 1 malicious release is installed\n"));
        assert!(text.contains("\nleft #3 https://forge.invalid/acme/shop/pull/3: why"));
        assert!(text.contains("warning: a warning"));

        let markdown = report.to_markdown(crate::GITHUB_SUMMARY_LIMIT);
        assert_harmless(&markdown);

        let link = "- left: [pull request 3](https://forge.invalid/acme/shop/pull/3), why";
        assert!(markdown.contains(link), "{markdown}");
        assert!(report.to_markdown(400).len() <= 400);
    }
}

//! The report of `patchgate review`: the vulnerabilities that a pull request brings, worsens and ends,
//! and the packages that it brings.

mod lines;
mod packages;
mod posted;

use std::fmt::Write as _;

use patchgate_model::{Finding, FindingComparison, FindingKey, FixedVersion};
use patchgate_risk::Threshold;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clean::{clean, cut};
use crate::markdown::{Body, code, short, text};
use crate::scan::{SeverityName, Tool, scope_name};

pub use lines::LineNote;
pub use packages::ReviewPackage;
pub use posted::PostedError;

/// The report about the change of a pull request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewReport {
    /// Version of this format.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// Number of the pull request.
    pub pull_request: u64,
    /// The outcome.
    pub verdict: ReviewVerdict,
    /// Vulnerabilities that the base does not have, most urgent first.
    pub new: Vec<ReviewFinding>,
    /// Vulnerabilities that the base has in fewer versions, or in a weaker scope.
    pub worse: Vec<ReviewFinding>,
    /// Vulnerabilities that only the base has.
    pub gone: Vec<ReviewFinding>,
    /// Number of vulnerabilities in the changed files on both sides.
    pub remaining: usize,
    /// Packages that are new, or have another version than at the base. They do not change the verdict.
    pub packages: Vec<ReviewPackage>,
    /// Lockfiles that the change touches, by path.
    pub files: Vec<String>,
    /// Parts of the change that could not be read or judged.
    pub incomplete: Vec<String>,
    /// The commit at the head that was compared.
    pub head_sha: String,
    /// The commit that it was compared with: the merge base of head and base branch.
    pub base_sha: String,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// The outcome of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum ReviewVerdict {
    /// Nothing new or worse reaches the threshold.
    Passed,
    /// Something new or worse reaches the threshold.
    Failed,
    /// Something could not be read or judged, and nothing that was reaches the threshold.
    Incomplete,
}

/// One vulnerability of one package in one lockfile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewFinding {
    /// Id of the vulnerability.
    pub id: String,
    /// The other ids of the same vulnerability.
    pub aliases: Vec<String>,
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Name of the package.
    pub package: String,
    /// Affected versions in the lockfile.
    pub versions: Vec<String>,
    /// Path of the lockfile.
    pub file: String,
    /// Line of the first entry in it, from 1.
    pub line: u32,
    /// The strongest reason why the package is installed.
    pub scope: String,
    /// Severity that the records state.
    pub severity: SeverityName,
    /// Priority, from 0.0 to 100.0.
    pub score: f64,
    /// Whether the release itself is malicious.
    pub malicious: bool,
    /// The direct dependency that brings the package, and the chain below it: `name@version` each.
    pub brought_by: Vec<String>,
    /// The version that fixes it; `null` when there is none.
    pub fixed_version: Option<String>,
    /// Whether it fails the review.
    pub fails: bool,
}

/// What a review is made from.
#[derive(Debug)]
pub struct ReviewInput<'a> {
    /// Number of the pull request.
    pub pull_request: u64,
    /// Findings in the changed files at the base.
    pub base: &'a [Finding],
    /// Findings in the changed files at the head.
    pub head: &'a [Finding],
    /// The comparison of the two.
    pub comparison: &'a FindingComparison,
    /// Packages that are new or have another version.
    pub packages: Vec<ReviewPackage>,
    /// The threshold that fails the review.
    pub threshold: &'a Threshold,
    /// Lockfiles that the change touches.
    pub files: &'a [String],
    /// Parts that could not be read or judged: fragments.
    pub incomplete: &'a [String],
    /// The commit at the head.
    pub head_sha: &'a str,
    /// The merge base.
    pub base_sha: &'a str,
}

impl ReviewReport {
    /// Makes the report. The exit code is set by [`ReviewReport::with_exit_code`].
    #[must_use]
    pub fn new(input: ReviewInput<'_>) -> Self {
        let of = |keys: &[FindingKey], findings: &[Finding]| {
            let mut found: Vec<ReviewFinding> = keys
                .iter()
                .filter_map(|key| review_finding(key, findings, input.threshold))
                .collect();
            found.sort_by(|a, b| {
                (b.malicious, b.score)
                    .partial_cmp(&(a.malicious, a.score))
                    .unwrap_or(std::cmp::Ordering::Equal)
                    .then_with(|| (&a.package, &a.id, &a.file).cmp(&(&b.package, &b.id, &b.file)))
            });
            found
        };
        let is_at_base = |key: &FindingKey| {
            input.base.iter().any(|finding| {
                finding.id == key.id
                    && finding.package.name == key.package
                    && finding.package.ecosystem == key.ecosystem
                    && is_in(finding, &key.lockfile)
            })
        };
        let (worse, new): (Vec<FindingKey>, Vec<FindingKey>) = input
            .comparison
            .introduced
            .iter()
            .cloned()
            .partition(is_at_base);
        let (new, worse) = (of(&new, input.head), of(&worse, input.head));
        let verdict = if new.iter().chain(&worse).any(|finding| finding.fails) {
            ReviewVerdict::Failed
        } else if input.incomplete.is_empty() {
            ReviewVerdict::Passed
        } else {
            ReviewVerdict::Incomplete
        };

        Self {
            schema_version: crate::SCHEMA_VERSION,
            tool: Tool {
                name: "patchgate".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            pull_request: input.pull_request,
            verdict,
            new,
            worse,
            gone: of(&input.comparison.ended, input.base),
            remaining: input.comparison.remaining.len(),
            packages: input.packages,
            files: input.files.to_vec(),
            incomplete: input.incomplete.to_vec(),
            head_sha: input.head_sha.to_owned(),
            base_sha: input.base_sha.to_owned(),
            exit_code: 0,
        }
    }

    /// The same report with the exit code of the run.
    #[must_use]
    pub fn with_exit_code(mut self, exit_code: u8) -> Self {
        self.exit_code = exit_code;
        self
    }

    /// The report as indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::to_json(self)
    }

    /// The verdict and the numbers in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let word = match self.verdict {
            ReviewVerdict::Passed => "passed",
            ReviewVerdict::Failed => "failed",
            ReviewVerdict::Incomplete => "incomplete",
        };
        if self.files.is_empty() && self.incomplete.is_empty() {
            return format!("{word}: no lockfile changes");
        }

        let count = |number: usize, word: &str| format!("{number} {word}");
        format!(
            "{word}: {}, {}, {}, {} unchanged",
            count(self.new.len(), "new"),
            count(self.worse.len(), "worse"),
            count(self.gone.len(), "gone"),
            self.remaining
        )
    }

    /// As text for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = self.headline();
        out.push('\n');
        for (word, findings) in self.sections() {
            for finding in findings {
                let fix = finding
                    .fixed_version
                    .as_ref()
                    .map_or_else(|| "no fix".to_owned(), |fix| format!("fixed in {fix}"));
                let line = format!(
                    "  {word:<6}{} {} {} ({}, score {:.1}, {fix}; {}{})",
                    finding.id,
                    finding.package,
                    finding.versions.join(", "),
                    finding.scope,
                    finding.score,
                    finding.file,
                    brought(finding, |step| step.to_owned()),
                );
                out.push_str(&clean(&line));
                out.push('\n');
            }
        }
        for reason in &self.incomplete {
            let _ = writeln!(out, "  incomplete: {}", clean(reason));
        }
        packages::text_lines(&self.packages, &mut out);

        out
    }

    /// As a comment of at most `limit` bytes.
    #[must_use]
    pub fn to_markdown(&self, limit: usize) -> String {
        self.markdown(limit, "")
    }

    /// As a comment, with a note below the first line.
    fn markdown(&self, limit: usize, note: &str) -> String {
        let end = format!(
            "\n<sub>Compared {} with {}.</sub>\n",
            code(&self.head_sha),
            code(&self.base_sha)
        );
        let mut body = Body::new(limit, end.len());
        body.push(&format!(
            "**Patchgate review {}**\n",
            text(&self.headline())
        ));
        if !note.is_empty() {
            body.push(&format!("\n{note}\n"));
        }
        for reason in self.incomplete.iter().take(20) {
            body.push(&format!("\n- Incomplete: {}", short(reason, 300)));
        }
        if !self.incomplete.is_empty() {
            body.push("\n");
        }

        for (word, findings) in self.sections() {
            let head = format!(
                "\n| {word} | package | where | score | fix |\n| --- | --- | --- | --- | --- |\n"
            );
            body.rows(&head, findings.iter().map(row));
        }
        packages::section(&self.packages, &mut body);

        body.finish(&end)
    }

    fn sections(&self) -> [(&'static str, &[ReviewFinding]); 3] {
        [
            ("new", &self.new),
            ("worse", &self.worse),
            ("gone", &self.gone),
        ]
    }
}

fn row(finding: &ReviewFinding) -> String {
    let mark = if finding.malicious {
        "**malicious** "
    } else {
        ""
    };
    let score = if finding.fails {
        format!("**{:.1}**", finding.score)
    } else {
        format!("{:.1}", finding.score)
    };
    let ids: Vec<String> = std::iter::once(&finding.id)
        .chain(finding.aliases.iter().filter(|id| id.starts_with("CVE-")))
        .take(3)
        .map(|id| short(id, 80))
        .collect();
    format!(
        "| {mark}{} | {} {} | {}, {}{} | {score} | {} |\n",
        ids.join(" "),
        short(&finding.package, 100),
        short(&finding.versions.join(", "), 60),
        code(&format!("{}:{}", cut(&finding.file, 300), finding.line)),
        short(&finding.scope, 40),
        brought(finding, |step| short(step, 60)),
        finding
            .fixed_version
            .as_ref()
            .map_or_else(|| "none".to_owned(), |fix| short(fix, 60)),
    )
}

/// `, through a@1 > b@2` for a package that a dependency brings.
fn brought(finding: &ReviewFinding, escape: impl Fn(&str) -> String) -> String {
    match &finding.brought_by[..] {
        [] | [_] => String::new(),
        [above @ .., _] => {
            let steps: Vec<String> = above.iter().take(4).map(|step| escape(step)).collect();
            let more = if above.len() > 4 { " → …" } else { "" };
            format!(", through {}{more}", steps.join(" → "))
        }
    }
}

fn is_in(finding: &Finding, file: &str) -> bool {
    finding
        .locations
        .iter()
        .any(|location| location.file == file)
}

fn review_finding(
    key: &FindingKey,
    findings: &[Finding],
    threshold: &Threshold,
) -> Option<ReviewFinding> {
    let all: Vec<&Finding> = findings
        .iter()
        .filter(|finding| {
            finding.id == key.id
                && finding.package.name == key.package
                && finding.package.ecosystem == key.ecosystem
                && is_in(finding, &key.lockfile)
        })
        .collect();
    // The most urgent version stands for the others.
    let first = all
        .iter()
        .max_by(|a, b| a.score.value.total_cmp(&b.score.value))?;

    Some(ReviewFinding {
        id: key.id.clone(),
        aliases: first.aliases.clone(),
        ecosystem: key.ecosystem.as_str().to_owned(),
        package: key.package.clone(),
        versions: key.versions.clone(),
        file: key.lockfile.clone(),
        line: all
            .iter()
            .flat_map(|finding| &finding.locations)
            .filter(|location| location.file == key.lockfile)
            .map(|location| location.line)
            .min()
            .unwrap_or(1),
        scope: scope_name(key.scope).to_owned(),
        severity: first.severity.level.into(),
        score: key.score,
        malicious: key.malicious,
        brought_by: first.paths.first().cloned().unwrap_or_default(),
        fixed_version: match &first.fixed {
            FixedVersion::At(version) => Some(version.clone()),
            FixedVersion::None(_) => None,
        },
        fails: all.iter().any(|finding| threshold.is_reached_by(finding)),
    })
}

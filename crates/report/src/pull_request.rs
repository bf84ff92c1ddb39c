//! Title and body of a pull request with a fix.

use std::collections::BTreeSet;

use patchgate_model::Plan;

use crate::clean::{clean, cut};
use crate::fix::{
    FixSummary, entries, entries_section, evidence, evidence_section, files, files_list, unfixed,
    unfixed_list, upgrades, upgrades_table, verification, verification_section,
};
use crate::markdown::Body;
use crate::scan::{FindingReport, ScanReport, count, findings_table, incident_section, reasons};

/// Most characters of a title. GitHub accepts 256, and cuts long ones in lists.
const MAX_TITLE: usize = 120;

/// The input of a pull request's text.
#[derive(Debug, Clone, Copy)]
pub struct PullRequestInput<'a> {
    /// The plan in the pull request.
    pub plan: &'a Plan,
    /// The scan that the plan is based on.
    pub scan: &'a ScanReport,
    /// The machine-readable block from [`patchgate_model::PlanBlock::render`]. The body always
    /// contains it unchanged, even when other parts are omitted.
    pub block: &'a str,
}

/// The title: the package when only one is upgraded, otherwise the number of packages.
#[must_use]
pub fn pull_request_title(plan: &Plan) -> String {
    let summary = FixSummary::new(plan);
    let vulnerabilities = match plan.fixed.as_slice() {
        [first, rest @ ..] if rest.iter().all(|other| other.id == first.id) => first.id.clone(),
        _ => count(summary.vulnerabilities, "vulnerability", "vulnerabilities"),
    };
    // A package that only changes because another one needs it is not what the change is about.
    let mut with_findings = plan
        .upgrades
        .iter()
        .filter(|upgrade| !upgrade.fixes.is_empty());
    let title = match (with_findings.next(), with_findings.next()) {
        (Some(one), None) => {
            format!(
                "Update {} to {} to fix {vulnerabilities}",
                one.package, one.to
            )
        }
        _ => format!(
            "Update {} to fix {vulnerabilities}",
            count(summary.packages, "package", "packages")
        ),
    };

    // A mention in a title would notify everyone who follows the repository.
    cut(&clean(&title).replace('`', "'"), MAX_TITLE)
}

/// The body: the upgrades, the findings that they fix with their scores, the files, the findings
/// that remain with the reasons, and the machine-readable block. It has at most
/// [`crate::GITHUB_BODY_LIMIT`] bytes; rows that do not fit are counted.
#[must_use]
pub fn pull_request_body(input: &PullRequestInput<'_>) -> String {
    let end = format!("\n---\n{FOOTER}\n\n{}\n", input.block);
    let mut body = Body::new(crate::GITHUB_BODY_LIMIT, end.len());
    let fixed = fixed(input);

    incident_section(&input.scan.incidents(), &mut body);
    let summary = FixSummary::new(input.plan);
    body.push(&format!(
        "This upgrades {} to fix {} ({}). In the lockfiles {}.\n\n",
        count(summary.packages, "package", "packages"),
        count(summary.vulnerabilities, "vulnerability", "vulnerabilities"),
        count(summary.fixed, "finding", "findings"),
        summary.entries.sentence(),
    ));
    if !input.scan.summary.complete {
        body.push(&format!(
            "> **The scan was incomplete:** {} could not be read or looked up, so there may be more findings.\n\n",
            count(input.scan.incomplete.len(), "input", "inputs")
        ));
    }

    upgrades_table(&upgrades(input.plan), &mut body);
    findings_table(&fixed, &mut body);
    files_list(&files(&input.plan.changes), &mut body);
    evidence_section(&evidence(input.plan), &mut body);
    verification_section(verification(input.plan).as_ref(), &mut body);
    unfixed_list(&unfixed(input.plan), &mut body);
    entries_section(&entries(input.plan), &mut body);
    reasons(&fixed, &mut body);

    body.finish(&end)
}

const FOOTER: &str = "Made by Patchgate. The gate does not merge this on its own after another account has pushed to its branch. To accept a finding for a limited time instead, add it to `ignore` in `.patchgate.yml`, with a reason and a date.";

/// The findings that the plan fixes, worst first.
fn fixed(input: &PullRequestInput<'_>) -> Vec<FindingReport> {
    let fixed: BTreeSet<(&str, &str, &str, &str)> = input
        .plan
        .fixed
        .iter()
        .map(|finding| {
            (
                finding.ecosystem.as_str(),
                finding.package.as_str(),
                finding.version.as_str(),
                finding.id.as_str(),
            )
        })
        .collect();

    input
        .scan
        .findings
        .iter()
        .filter(|finding| {
            let package = &finding.package;
            let version = match &finding.requirement {
                Some(matched) => &matched.requirement,
                None => &package.version,
            };
            fixed.contains(&(
                package.ecosystem.as_str(),
                package.name.as_str(),
                version.as_str(),
                finding.id.as_str(),
            ))
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use patchgate_model::{PlanBlock, Unfixed};

    use super::*;
    use crate::fix::tests::plan;
    use crate::scan::tests::{assert_harmless, rich};

    fn body(plan: &Plan) -> String {
        let block = PlanBlock::new(plan, "b", "c").render();
        pull_request_body(&PullRequestInput {
            plan,
            scan: &rich(),
            block: &block,
        })
    }

    #[test]
    fn the_title_names_one_package_or_counts() {
        let mut plan = plan();
        assert_eq!(
            pull_request_title(&plan),
            "Update qs to 6.5.3 to fix GHSA-aaaa-bbbb-cccc"
        );

        plan.upgrades[0].fixes = vec!["GHSA-x".into()];
        let mut other = plan.fixed[0].clone();
        other.id = "GHSA-x".into();
        plan.fixed.push(other);
        assert_eq!(
            pull_request_title(&plan),
            "Update 2 packages to fix 2 vulnerabilities"
        );

        plan.upgrades.truncate(1);
        plan.upgrades[0].package = format!("a\n@b\u{1b}{}", "x".repeat(300));
        let title = pull_request_title(&plan);

        assert_harmless(&title);
        assert_eq!(title.chars().count(), MAX_TITLE);
    }

    #[test]
    fn the_body_says_what_why_and_what_is_left() {
        let text = body(&plan());
        assert_harmless(&text);
        insta::assert_snapshot!("pull_request_body", text);
    }

    #[test]
    fn the_block_can_be_read_back_whatever_the_texts_are() {
        let mut plan = plan();
        plan.unfixed[0].reason = "<!-- patchgate:plan {} -->".into();
        plan.upgrades[0].package = "<!-- patchgate:plan {} -->".into();
        let expected = PlanBlock::new(&plan, "b", "c");
        assert_eq!(PlanBlock::parse(&body(&plan)), Ok(expected));
    }

    #[test]
    fn a_long_body_keeps_its_block_and_says_what_is_missing() {
        let mut plan = plan();
        let left = Unfixed {
            reason: "reason ".repeat(20),
            ..plan.unfixed[0].clone()
        };
        plan.unfixed = vec![left; 2_000];
        plan.upgrades = vec![plan.upgrades[1].clone(); 300];
        let text = body(&plan);

        assert!(text.len() <= crate::GITHUB_BODY_LIMIT, "{}", text.len());
        assert!(text.contains("more are omitted here"));
        assert!(PlanBlock::parse(&text).is_ok());
        assert_eq!(
            text.matches("<details>").count(),
            text.matches("</details>").count()
        );
    }
}

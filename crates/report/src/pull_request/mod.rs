//! Title and body of a pull request with a fix.
//!
//! The body is made of sections that a template places. When it is longer than a forge accepts,
//! sections are replaced by a line that says so and links to the commit, the least important first. A
//! table is never cut.

mod template;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Value;
use patchgate_model::{DATED_MARK, Plan};

use crate::clean::{clean, cut};
use crate::fix::{
    FixSummary, breaking_section, entries, evidence, evidence_section, files, files_list,
    other_entries_section, unfixed, unfixed_list, upgrades, upgrades_table, verification,
    verification_section,
};
use crate::markdown::{Body, code, link, without_references};
use crate::scan::{FindingReport, ScanReport, count, findings_table, incident_section, reasons};

pub use template::{BodyTemplate, TemplateError};

/// Most characters of a title. GitHub accepts 256, and cuts long ones in lists.
const MAX_TITLE: usize = 120;

/// The input of a pull request's text.
#[derive(Debug, Clone, Copy)]
pub struct PullRequestInput<'a> {
    /// The plan in the pull request.
    pub plan: &'a Plan,
    /// The scan that the plan is based on.
    pub scan: &'a ScanReport,
    /// Id of the commit that the plan is based on.
    pub base: &'a str,
    /// Address of the commit with the plan, for links to what the text has no room for.
    pub commit_url: &'a str,
    /// A note for the reader, if there is one: a sentence.
    pub note: Option<&'a str>,
    /// The machine-readable block from [`patchgate_model::PlanBlock::render`]. The body always
    /// contains it unchanged, whatever the template says.
    pub block: &'a str,
}

/// The title: the package when only one is upgraded, otherwise the number of packages.
///
/// It mentions nobody and closes no issue, also as the message of a commit.
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

    // `[skip ci]` would keep the checks from running.
    let title = clean(&title).replace('`', "'").replace('[', "(");
    without_references(&cut(&title.replace(']', ")"), MAX_TITLE))
}

/// The body, with the machine-readable block at its end. It has at most [`crate::GITHUB_BODY_LIMIT`]
/// bytes.
///
/// # Errors
/// When the template fails, or its own text is too long.
pub fn pull_request_body(
    input: &PullRequestInput<'_>,
    template: &BodyTemplate,
) -> Result<String, TemplateError> {
    let end = format!("\n---\n{FOOTER}\n\n{}\n", input.block);
    let sections = sections(input);

    let mut folded = BTreeSet::new();
    loop {
        let body = template.render(values(input, &sections, &folded))?;
        let body = body.trim_end();
        if body.len() + 1 + end.len() <= crate::GITHUB_BODY_LIMIT {
            return Ok(format!("{body}\n{end}"));
        }

        let next = FOLD_ORDER.into_iter().find(|&name| {
            let section = sections.get(name);
            !folded.contains(name) && section.is_some_and(|section| !section.text.is_empty())
        });
        let Some(next) = next else {
            return Err(template.too_long());
        };
        folded.insert(next);
    }
}

const FOOTER: &str = "Made by Patchgate. The gate does not merge this on its own after another account has pushed to its branch. To accept a finding for a limited time instead, add it to `ignore` in `.patchgate.yml`, with a reason and a date.";

/// The sections that may be long, in the order in which they are left out.
const FOLD_ORDER: [&str; 9] = [
    "reasons",
    "entries",
    "evidence",
    "remaining",
    "files",
    "verification",
    "findings",
    "breaking",
    "upgrades",
];

/// A part of the body.
struct Section {
    /// As Markdown with an empty line at its end; empty when there is nothing to say.
    text: String,
    /// What it lists: a plural.
    what: &'static str,
}

/// The sections by their names in templates.
fn sections(input: &PullRequestInput<'_>) -> BTreeMap<&'static str, Section> {
    let fixed = fixed(input);
    let entries = entries(input.plan);
    let verification = verification(input.plan);

    let mut sections = BTreeMap::new();
    let mut add = |name, what, write: &dyn Fn(&mut Body)| {
        // The length of the whole is bounded, not that of a section.
        let mut body = Body::new(usize::MAX, 0);
        write(&mut body);
        let text = body.finish("");
        sections.insert(name, Section { text, what });
    };
    add("incidents", "incidents", &|body| {
        incident_section(&input.scan.incidents(), body);
    });
    add("summary", "numbers", &|body| summary(input, body));
    add("note", "notes", &|body| {
        if let Some(note) = input.note {
            body.push(&format!("> [!NOTE]\n> {note}\n\n"));
        }
    });
    add("upgrades", "upgrades", &|body| {
        upgrades_table(&upgrades(input.plan), body);
    });
    add("findings", "findings", &|body| findings_table(&fixed, body));
    add("breaking", "moves that may break", &|body| {
        breaking_section(&entries, body);
    });
    add(
        "entries",
        "other changed entries of the lockfiles",
        &|body| {
            other_entries_section(&entries, body);
        },
    );
    add("verification", "facts about the verification", &|body| {
        verified(input, body);
        verification_section(verification.as_ref(), body);
    });
    add("evidence", "facts about the new versions", &|body| {
        evidence_section(&evidence(input.plan), body);
    });
    add("files", "files", &|body| {
        files_list(&files(&input.plan.changes), body);
    });
    add("remaining", "findings that remain", &|body| {
        unfixed_list(&unfixed(input.plan), body);
    });
    add("reasons", "reasons for the scores", &|body| {
        reasons(&fixed, body);
    });
    add("rollback", "steps", &|body| {
        body.push(ROLLBACK);
    });

    sections
}

const ROLLBACK: &str = "<details><summary>Roll back</summary>\n\nRevert the merged commit, with `git revert COMMIT`, or `git revert -m 1 COMMIT` for a merge commit, and install from the lockfiles again. Only the files above change. The findings are then back.\n\n</details>\n\n";

/// What the change is, why, and what is not known.
fn summary(input: &PullRequestInput<'_>, body: &mut Body) {
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
}

/// How the change was made and checked.
fn verified(input: &PullRequestInput<'_>, body: &mut Body) {
    body.push(&format!(
        "### How it was verified\n\nEach changed lockfile was locked again from the base commit {}, without scripts of packages, and scanned again. It was kept because the findings above are gone, no other vulnerability came in, and no package got an older version.\n\n",
        code(input.base)
    ));
    let sources = input.scan.sources.iter().map(|source| {
        let as_of = match &source.as_of {
            Some(time) => format!("as of {}", code(time)),
            None => "of an unknown date".to_owned(),
        };
        format!("{} {as_of}", code(&source.name))
    });
    let sources: Vec<String> = sources.collect();
    if !sources.is_empty() {
        body.push(&format!(
            "Sources: {}. {DATED_MARK}\n\n",
            sources.join(", ")
        ));
    }
}

/// The values of a template: the sections, and facts that it may name itself.
fn values(
    input: &PullRequestInput<'_>,
    sections: &BTreeMap<&'static str, Section>,
    folded: &BTreeSet<&'static str>,
) -> Value {
    let ready = |name: &'static str, section: &Section| {
        let text = match folded.contains(name) {
            true => {
                let commit = link("the commit", input.commit_url);
                format!(
                    "There is no room here for the {}: {commit} has every change, and `patchgate fix` in a clone of {} lists the rest.\n\n",
                    section.what,
                    code(input.base)
                )
            }
            false => section.text.clone(),
        };
        (name, Value::from_safe_string(text))
    };
    let mut values: BTreeMap<&str, Value> = sections
        .iter()
        .map(|(&name, section)| ready(name, section))
        .collect();

    let packages = input.plan.upgrades.iter().map(|upgrade| {
        minijinja::context! {
            ecosystem => upgrade.ecosystem.as_str(),
            lockfile => upgrade.lockfile.as_str(),
            name => upgrade.package.as_str(),
            from => upgrade.from.as_str(),
            to => upgrade.to.as_str(),
            fixes => upgrade.fixes.iter().map(String::as_str).collect::<Value>(),
        }
    });
    values.insert("packages", packages.collect());
    let findings = input.plan.fixed.iter().map(|finding| {
        minijinja::context! {
            id => finding.id.as_str(),
            ecosystem => finding.ecosystem.as_str(),
            package => finding.package.as_str(),
            version => finding.version.as_str(),
        }
    });
    values.insert("fixed", findings.collect());
    values.insert("base", Value::from(input.base));

    Value::from_pairs(values)
}

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
mod tests;

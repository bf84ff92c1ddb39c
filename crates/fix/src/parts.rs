//! A fix in parts, one for each pull request.
//!
//! Which steps share a part is decided on the plan of everything. A part is then planned, locked,
//! scanned and verified again with its own findings only, so it holds without the others.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_config::{PullRequestSettings, StepFacts, slug};
use patchgate_http::Environment;
use patchgate_model::{
    Finding, FixedFinding, Outcome, Plan, Step, UnfixedClass, UserError, Verification,
};
use patchgate_scan::ScanRequest;

use crate::change_graph::fixed_finding;
use crate::plan_report::sort_unfixed;
use crate::run::{FixOptions, FixOutcome};
use crate::steps::{checked, planned};

/// The name of the part with everything that has no group.
const REST: &str = "fix";

/// The reason of findings that another part fixes.
const ANOTHER_PART: &str = "another pull request fixes it";

/// One part of a fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixPart {
    /// Name of its group: lower-case letters, digits and hyphens.
    pub name: String,
    /// Whether it fixes something urgent.
    pub is_urgent: bool,
    /// Its plan alone, as in [`FixOutcome::plan`].
    pub plan: Plan,
}

/// Scans a repository and plans the fixes of every lockfile in the parts that the settings ask for,
/// most urgent first. Nothing is written.
///
/// The plan of the outcome is what all parts change together. Its changed files are those of the plan
/// of everything; a part may lead to others, which are in its own plan. `prefix` is the path of the
/// scanned directory from the repository's root, with a `/` at its end unless it is empty.
///
/// # Errors
/// As for [`crate::fix`].
pub async fn fix_in_parts(
    request: &ScanRequest<'_>,
    options: &FixOptions,
    environment: &Environment,
    prefix: &str,
) -> Result<(FixOutcome, Vec<FixPart>), UserError> {
    let mut whole = planned(request, options, environment).await?;
    let settings = &request.config.pull_requests;
    let drafts = divide(&whole, settings, prefix);
    if drafts.len() <= 1 {
        let whole = checked(whole, request, options, environment).await?;
        let parts = drafts
            .into_iter()
            .filter(|_| !whole.plan.is_empty())
            .map(|draft| FixPart {
                name: draft.name,
                is_urgent: draft.is_urgent,
                plan: whole.plan.clone(),
            })
            .collect();
        return Ok((whole, parts));
    }

    let count = drafts.len();
    let mut parts = Vec::new();
    for (index, draft) in drafts.into_iter().enumerate() {
        (request.progress)(&format!(
            "planning pull request {} of {count}: {}",
            index + 1,
            draft.name
        ));
        let part = whole
            .plan_steps(&draft.steps, ANOTHER_PART, request, options, environment)
            .await?;
        let part = FixOutcome {
            scan: whole.scan,
            plan: part.plan,
            notes: part.notes,
            problems: part.problems,
        };
        let part = checked(part, request, options, environment).await?;

        whole.scan = part.scan;
        whole.notes.extend(part.notes);
        whole.problems.extend(part.problems);
        parts.push(FixPart {
            name: draft.name,
            is_urgent: draft.is_urgent,
            plan: part.plan,
        });
    }

    whole.plan = together(&whole.plan, &parts);
    parts.retain(|part| !part.plan.is_empty());
    whole.notes.sort();
    whole.notes.dedup();
    whole.problems.sort();
    whole.problems.dedup();

    Ok((whole, parts))
}

/// The steps of a part before it is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draft {
    name: String,
    steps: BTreeSet<usize>,
    is_urgent: bool,
}

/// The parts of a plan. A plan without steps, which a change of a requirement alone may be, is one.
fn divide(whole: &FixOutcome, settings: &PullRequestSettings, prefix: &str) -> Vec<Draft> {
    let plan = &whole.plan;
    let findings = &whole.scan.findings;
    let by_key: BTreeMap<FixedFinding, &Finding> = findings
        .kept
        .iter()
        .chain(&findings.possible)
        .map(|finding| (fixed_finding(finding), finding))
        .collect();

    let mut drafts: Vec<(Option<usize>, Draft)> = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let fixed = || step.fixes.iter().map(|fixed| by_key.get(fixed).copied());
        let facts = facts(plan, step, fixed(), prefix);
        let group = settings.groups.iter().position(|group| group.takes(&facts));
        let is_urgent = fixed().any(|finding| is_urgent(finding, settings.urgent));

        let known = drafts
            .iter_mut()
            .find(|(known, _)| *known == group && (group.is_some() || !settings.each_step));
        match known {
            Some((_, draft)) => {
                draft.steps.insert(index);
                draft.is_urgent |= is_urgent;
            }
            None => {
                let group_name = group.and_then(|group| settings.groups.get(group));
                let name = match group_name {
                    Some(group) => slug(&group.name),
                    None if settings.each_step => name_of(plan, step),
                    None => REST.to_owned(),
                };
                let draft = Draft {
                    name,
                    steps: [index].into(),
                    is_urgent,
                };
                drafts.push((group, draft));
            }
        }
    }

    let mut drafts: Vec<Draft> = drafts.into_iter().map(|(_, draft)| draft).collect();
    if drafts.is_empty() && !plan.is_empty() {
        drafts.push(Draft {
            name: REST.to_owned(),
            steps: BTreeSet::new(),
            is_urgent: false,
        });
    }
    // Steps are most urgent first, but a later step may make its part urgent.
    drafts.sort_by_key(|draft| !draft.is_urgent);

    drafts
}

/// The facts about a step. A finding that is not known has every urgency.
fn facts<'f>(
    plan: &Plan,
    step: &Step,
    fixed: impl Iterator<Item = Option<&'f Finding>>,
    prefix: &str,
) -> StepFacts {
    let mut facts = StepFacts::default();
    let entries = step.entries.iter().filter_map(|at| plan.entries.get(*at));
    for entry in entries {
        facts.ecosystems.insert(entry.ecosystem.to_string());
        facts.paths.insert(format!("{prefix}{}", entry.lockfile));
    }
    let upgrades = step.upgrades.iter().filter_map(|at| plan.upgrades.get(*at));
    for upgrade in upgrades {
        facts.ecosystems.insert(upgrade.ecosystem.to_string());
        facts.paths.insert(format!("{prefix}{}", upgrade.lockfile));
    }

    for finding in fixed {
        facts.scopes.extend(finding.map(|finding| finding.scope));
        let outcome = finding.map_or(Outcome::ActNow, |finding| finding.score.decision.outcome);
        facts.urgency = facts.urgency.max(outcome);
    }

    facts
}

/// Whether a finding waits for nothing. One that is not known does not wait either.
fn is_urgent(finding: Option<&Finding>, lowest: Outcome) -> bool {
    finding.is_none_or(|finding| {
        finding.malicious
            || finding.signals.kev.is_listed() == Some(true)
            || finding.score.decision.outcome >= lowest
    })
}

/// The name of a step: that of the package that it is about.
fn name_of(plan: &Plan, step: &Step) -> String {
    let mut upgrades = step.upgrades.iter().filter_map(|at| plan.upgrades.get(*at));
    let upgraded = upgrades.find(|upgrade| !upgrade.fixes.is_empty());
    let package = match (upgraded, step.fixes.first()) {
        (Some(upgrade), _) => slug(&upgrade.package),
        (None, Some(finding)) => slug(&finding.package),
        (None, None) => String::new(),
    };
    match package.is_empty() {
        true => REST.to_owned(),
        false => package,
    }
}

/// What all parts change together. Findings that a part could not fix without the others remain.
fn together(whole: &Plan, parts: &[FixPart]) -> Plan {
    let mut plan = Plan {
        changes: whole.changes.clone(),
        unfixed: whole.unfixed.clone(),
        ..Plan::default()
    };
    for part in parts.iter().map(|part| &part.plan) {
        let upgrades: Vec<usize> = indices(&mut plan.upgrades, &part.upgrades);
        let entries: Vec<usize> = indices(&mut plan.entries, &part.entries);
        let moved = |list: &[usize], to: &[usize]| {
            let new = list.iter().filter_map(|at| to.get(*at).copied());
            new.collect()
        };
        plan.steps.extend(part.steps.iter().map(|step| Step {
            upgrades: moved(&step.upgrades, &upgrades),
            entries: moved(&step.entries, &entries),
            fixes: step.fixes.clone(),
        }));
        indices(&mut plan.evidence, &part.evidence);
        plan.fixed.extend(part.fixed.iter().cloned());
        let own = part.unfixed.iter();
        let own = own.filter(|unfixed| unfixed.class != UnfixedClass::NotChosen);
        indices(&mut plan.unfixed, &own.cloned().collect::<Vec<_>>());

        plan.verification = match (plan.verification.take(), &part.verification) {
            (Some(all), Some(own)) => Some(Verification {
                runs: all.runs + own.runs,
                left: all.left.into_iter().chain(own.left.clone()).collect(),
                command: all.command,
            }),
            (all, own) => all.or_else(|| own.clone()),
        };
    }

    plan.fixed.sort();
    plan.fixed.dedup();
    sort_unfixed(&mut plan.unfixed);
    plan
}

/// Adds what is not there yet, and returns where each value is.
fn indices<T: Clone + PartialEq>(all: &mut Vec<T>, own: &[T]) -> Vec<usize> {
    own.iter()
        .map(|one| match all.iter().position(|known| known == one) {
            Some(at) => at,
            None => {
                all.push(one.clone());
                all.len() - 1
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use patchgate_model::{Bump, EcosystemName, Unfixed, Upgrade};

    use super::*;

    fn upgrade(package: &str, id: &str) -> Upgrade {
        Upgrade {
            ecosystem: EcosystemName::new("npm"),
            lockfile: "package-lock.json".into(),
            package: package.into(),
            from: "1.0.0".into(),
            to: "2.0.0".into(),
            bump: Bump::Major,
            fixes: vec![id.into()],
            requirement_changes: Vec::new(),
            because_of: None,
        }
    }

    fn part(upgrades: &[Upgrade], unfixed: Vec<Unfixed>) -> FixPart {
        let steps = (0..upgrades.len()).map(|index| Step {
            upgrades: vec![index],
            ..Step::default()
        });
        FixPart {
            name: "a".into(),
            is_urgent: false,
            plan: Plan {
                upgrades: upgrades.to_vec(),
                steps: steps.collect(),
                unfixed,
                ..Plan::default()
            },
        }
    }

    #[test]
    fn parts_together_name_each_change_once_and_what_remains() {
        let (a, b) = (upgrade("a", "X-1"), upgrade("b", "X-2"));
        let left = |class| Unfixed {
            ecosystem: EcosystemName::new("npm"),
            lockfile: "package-lock.json".into(),
            package: "b".into(),
            version: "1.0.0".into(),
            ids: vec!["X-2".into()],
            reason: "r".into(),
            class,
            fixed_version: None,
            is_new: false,
        };
        let first = part(
            std::slice::from_ref(&a),
            vec![left(UnfixedClass::NotChosen), left(UnfixedClass::Blocked)],
        );
        let second = part(&[a.clone(), b.clone()], Vec::new());
        let plan = together(&Plan::default(), &[first, second]);

        assert_eq!(plan.upgrades, [a, b]);
        let of_steps: Vec<_> = plan
            .steps
            .iter()
            .map(|step| step.upgrades.clone())
            .collect();
        assert_eq!(of_steps, [vec![0], vec![0], vec![1]]);
        assert_eq!(plan.unfixed, [left(UnfixedClass::Blocked)]);
    }

    #[test]
    fn a_step_is_named_after_its_package_whatever_the_name_is() {
        let plan = Plan {
            upgrades: vec![upgrade("@Types/Node", "X-1"), upgrade("日本", "X-2")],
            ..Plan::default()
        };
        let step = |index| Step {
            upgrades: vec![index],
            ..Step::default()
        };
        assert_eq!(name_of(&plan, &step(0)), "types-node");
        assert_eq!(name_of(&plan, &step(1)), REST);
        assert_eq!(name_of(&plan, &step(9)), REST);
    }
}

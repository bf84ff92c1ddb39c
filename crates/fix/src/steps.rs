//! Plans of some steps only.
//!
//! Changes of one lockfile cannot be taken apart as text: what is left must be a graph that the
//! package manager accepts. So the fix is planned again for the findings of the chosen steps, and
//! verified like any other.

use std::collections::BTreeSet;

use patchgate_http::Environment;
use patchgate_model::{FixedFinding, Plan, Unfixed, UnfixedClass, UserError};
use patchgate_scan::{ScanRequest, ScanResult, scan};

use crate::plan_report::sort_unfixed;
use crate::run::{Chosen, FixOptions, FixOutcome, PlannedFix, plan_scanned};
use crate::{evidence, verification};

/// Scans a repository and plans the fixes for every lockfile of it. Nothing is written.
///
/// # Errors
/// As for [`scan`]. A lockfile that cannot be worked on is no error but one of
/// [`FixOutcome::problems`].
pub async fn fix(
    request: &ScanRequest<'_>,
    options: &FixOptions,
    environment: &Environment,
) -> Result<FixOutcome, UserError> {
    let fixed = planned(request, options, environment).await?;
    checked(fixed, request, options, environment).await
}

/// Scans and plans, with as many steps as the options allow.
pub(crate) async fn planned(
    request: &ScanRequest<'_>,
    options: &FixOptions,
    environment: &Environment,
) -> Result<FixOutcome, UserError> {
    let scan = scan(request, environment).await?;
    let all = FixOutcome::new(scan, request, options, environment).await?;

    match options.max_steps {
        Some(most) if all.plan.steps.len() > most.get() => {
            let chosen = (0..most.get()).collect();
            let reason = format!("left for a later run by `--max-steps {most}`");
            let planned = all
                .plan_steps(&chosen, &reason, request, options, environment)
                .await?;
            Ok(all.with(planned))
        }
        _ => Ok(all),
    }
}

/// The same fix with the project's own tests and with evidence, as the options ask for them.
pub(crate) async fn checked(
    fixed: FixOutcome,
    request: &ScanRequest<'_>,
    options: &FixOptions,
    environment: &Environment,
) -> Result<FixOutcome, UserError> {
    let mut fixed = match &options.verify {
        Some(verify) => verification::verify(fixed, verify, request, options, environment).await?,
        None => fixed,
    };
    if options.evidence {
        evidence::gather(&mut fixed, request, options, environment).await;
    }

    Ok(fixed)
}

impl FixOutcome {
    async fn new(
        scan: ScanResult,
        request: &ScanRequest<'_>,
        options: &FixOptions,
        environment: &Environment,
    ) -> Result<Self, UserError> {
        let planned = plan_scanned(&scan, request, options, environment).await?;
        Ok(Self {
            scan,
            plan: planned.plan,
            notes: planned.notes,
            problems: planned.problems,
        })
    }

    /// Plans again with some steps of the plan only, by their indices. The findings of the others
    /// remain, with `reason`.
    ///
    /// # Errors
    /// As for [`fix`].
    pub async fn plan_steps(
        &self,
        chosen: &BTreeSet<usize>,
        reason: &str,
        request: &ScanRequest<'_>,
        options: &FixOptions,
        environment: &Environment,
    ) -> Result<PlannedFix, UserError> {
        let options = FixOptions {
            chosen: Some(findings_of(&self.plan, chosen)),
            ..options.clone()
        };
        let mut planned = plan_scanned(&self.scan, request, &options, environment).await?;

        let mut left: Vec<Unfixed> = self.plan.unfixed.clone();
        left.extend(not_chosen(&self.plan, chosen, reason));
        add_left(&mut planned.plan, left);
        planned.problems.extend(self.problems.iter().cloned());
        planned.problems.sort();
        planned.problems.dedup();

        Ok(planned)
    }

    /// The same scan with another plan.
    #[must_use]
    pub fn with(self, planned: PlannedFix) -> Self {
        Self {
            scan: self.scan,
            plan: planned.plan,
            notes: planned.notes,
            problems: planned.problems,
        }
    }
}

/// The findings of some steps.
fn findings_of(plan: &Plan, chosen: &BTreeSet<usize>) -> Chosen {
    let steps = chosen.iter().filter_map(|index| plan.steps.get(*index));
    steps
        .flat_map(|step| &step.fixes)
        .map(|finding| (finding.package.clone(), finding.id.clone()))
        .collect()
}

/// The findings of the steps that were not chosen.
fn not_chosen(plan: &Plan, chosen: &BTreeSet<usize>, reason: &str) -> Vec<Unfixed> {
    let mut left = Vec::new();
    for (_, step) in plan
        .steps
        .iter()
        .enumerate()
        .filter(|(index, _)| !chosen.contains(index))
    {
        for finding in &step.fixes {
            let is_of = |index: &&usize| {
                plan.entries.get(**index).is_some_and(|entry| {
                    entry.package == finding.package
                        && entry.from.as_ref() == Some(&finding.version)
                })
            };
            let lockfiles: BTreeSet<&str> = step
                .entries
                .iter()
                .filter(is_of)
                .filter_map(|index| plan.entries.get(*index))
                .map(|entry| entry.lockfile.as_str())
                .collect();
            left.extend(
                lockfiles
                    .into_iter()
                    .map(|lockfile| unfixed(lockfile, finding, reason)),
            );
        }
    }

    left
}

fn unfixed(lockfile: &str, finding: &FixedFinding, reason: &str) -> Unfixed {
    Unfixed {
        ecosystem: finding.ecosystem,
        lockfile: lockfile.to_owned(),
        package: finding.package.clone(),
        version: finding.version.clone(),
        ids: vec![finding.id.clone()],
        reason: reason.to_owned(),
        class: UnfixedClass::NotChosen,
        fixed_version: None,
        is_new: false,
    }
}

/// Adds findings that remain, unless the plan fixes them or names them itself. Those of one package
/// version with one reason become one.
fn add_left(plan: &mut Plan, left: Vec<Unfixed>) {
    // The changes that brought a new one may not be made now.
    for mut unfixed in left.into_iter().filter(|unfixed| !unfixed.is_new) {
        let mut ids = std::mem::take(&mut unfixed.ids);
        ids.retain(|id| !is_known(plan, &unfixed, id));
        if ids.is_empty() {
            continue;
        }
        unfixed.ids = ids;

        let known = plan.unfixed.iter_mut().find(|known| {
            is_same(known, &unfixed)
                && (known.class, &known.reason) == (unfixed.class, &unfixed.reason)
        });
        match known {
            Some(known) => {
                known.ids.append(&mut unfixed.ids);
                known.ids.sort();
            }
            None => plan.unfixed.push(unfixed),
        }
    }

    sort_unfixed(&mut plan.unfixed);
}

/// Whether a plan fixes a finding, or says why it remains.
fn is_known(plan: &Plan, unfixed: &Unfixed, id: &String) -> bool {
    let is_fixed = plan.fixed.iter().any(|finding| {
        finding.package == unfixed.package
            && finding.version == unfixed.version
            && finding.id == *id
    });
    let mut same = plan.unfixed.iter().filter(|known| is_same(known, unfixed));
    is_fixed || same.any(|known| known.ids.contains(id))
}

/// Whether both are about one package version in one lockfile.
fn is_same(a: &Unfixed, b: &Unfixed) -> bool {
    (&a.lockfile, &a.package, &a.version) == (&b.lockfile, &b.package, &b.version)
}

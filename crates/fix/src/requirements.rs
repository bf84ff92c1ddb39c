//! Requirements that no lockfile pins and that admit affected versions: each is raised to the
//! smallest one that admits none, in its own style.
//!
//! No package manager is run, because there is no lockfile to re-create. The raised requirement is
//! judged by the same advisories as the present one, and is left out if it still has findings.

use std::collections::BTreeMap;

use patchgate_ecosystems::{
    Ecosystem, RequirementEdit, by_name, is_fixable_manifest, raised_requirement,
};
use patchgate_model::{
    Bump, DependencyKind, EcosystemName, Finding, FixedVersion, Inventory, Plan, Unfixed,
    UnlockedManifest, Unresolved, Upgrade,
};
use patchgate_scan::evaluate;

use crate::context::{FixContext, Fixed};
use crate::plan_report;

/// A requirement in a file, with its findings.
struct AffectedRequirement<'a> {
    ecosystem: EcosystemName,
    path: &'a str,
    name: &'a str,
    requirement: &'a str,
    findings: Vec<&'a Finding>,
}

/// Plans a change for every requirement of a manifest without a lockfile that one of `findings` is
/// about.
pub(crate) async fn raise<'a>(
    context: &FixContext<'_>,
    findings: impl Iterator<Item = &'a Finding>,
    fixed: &mut Fixed,
) {
    for affected in affected(findings) {
        match raise_one(context, &affected, &mut fixed.plan).await {
            Ok(upgrade) => {
                fixed.changes.add_requirement(&upgrade);
                fixed.plan.upgrades.push(upgrade);
            }
            Err(reason) => fixed.plan.unfixed.push(affected.unfixed(reason)),
        }
    }
}

/// The requirements that findings are about, one for each file.
fn affected<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<AffectedRequirement<'a>> {
    let mut all: BTreeMap<_, AffectedRequirement<'a>> = BTreeMap::new();
    for finding in findings {
        let Some(matched) = &finding.requirement else {
            continue;
        };
        let package = &finding.package;

        for location in &finding.locations {
            let key = (
                location.file.as_str(),
                package.ecosystem,
                package.name.as_str(),
                matched.requirement.as_str(),
            );
            let known = all.entry(key).or_insert_with(|| AffectedRequirement {
                ecosystem: package.ecosystem,
                path: &location.file,
                name: &package.name,
                requirement: &matched.requirement,
                findings: Vec::new(),
            });
            if !known.findings.iter().any(|one| one.id == finding.id) {
                known.findings.push(finding);
            }
        }
    }

    all.into_values().collect()
}

impl AffectedRequirement<'_> {
    fn ids(&self) -> Vec<String> {
        self.findings
            .iter()
            .map(|finding| finding.id.clone())
            .collect()
    }

    fn unfixed(&self, reason: String) -> Unfixed {
        Unfixed {
            ecosystem: self.ecosystem,
            lockfile: self.path.to_owned(),
            package: self.name.to_owned(),
            version: self.requirement.to_owned(),
            ids: self.ids(),
            class: plan_report::class(&self.findings, self.is_changeable()),
            fixed_version: by_name(self.ecosystem)
                .and_then(|ecosystem| plan_report::fixed_version(ecosystem, &self.findings)),
            is_new: false,
            reason,
        }
    }

    /// Whether `fix` can change requirements in a file of this format.
    fn is_changeable(&self) -> bool {
        is_fixable_manifest(self.path)
            && by_name(self.ecosystem).is_some_and(|ecosystem| ecosystem.upgradable().is_some())
    }

    /// The version from which on no admitted version is affected: the greatest of those of the
    /// findings.
    fn target(&self, order: &dyn Ecosystem) -> Result<String, String> {
        let mut target: Option<&str> = None;
        for finding in &self.findings {
            let version = match &finding.fixed {
                FixedVersion::At(version) => version.as_str(),
                FixedVersion::None(reason) => return Err(reason.clone()),
            };
            let is_greater = match target {
                None => true,
                Some(known) => order
                    .compare_versions(version, known)
                    .map_err(|error| error.to_string())?
                    .is_gt(),
            };
            if is_greater {
                target = Some(version);
            }
        }
        Ok(target.unwrap_or_default().to_owned())
    }
}

/// Raises one requirement in its manifest, as the plan has it so far.
async fn raise_one(
    context: &FixContext<'_>,
    affected: &AffectedRequirement<'_>,
    plan: &mut Plan,
) -> Result<Upgrade, String> {
    let present = affected.requirement;
    let is_unlocked = |path: &str| {
        let mut unlocked = context.contents.inventory.unlocked.iter();
        unlocked.any(|manifest| manifest.path == path)
    };
    let upgradable = by_name(affected.ecosystem)
        .and_then(|ecosystem| ecosystem.upgradable())
        .filter(|_| is_fixable_manifest(affected.path) && is_unlocked(affected.path))
        .ok_or("`patchgate fix` does not change requirements in files of this format")?;

    let target = affected.target(upgradable)?;
    let raised = raised_requirement(upgradable, present, &target);
    check(context, affected, &raised).await?;

    let before = context.contents.files.get(affected.path);
    let before = before.ok_or("the manifest was not read")?;
    let planned = plan.changes.iter().find(|one| one.path == affected.path);
    let text = std::str::from_utf8(planned.map_or(before, |change| &change.after))
        .map_err(|_| "the manifest is not text in UTF-8")?;
    let edit = RequirementEdit {
        name: affected.name.to_owned(),
        from: present.to_owned(),
        to: raised.clone(),
    };
    let after = upgradable
        .edit_manifest(affected.path, text, &edit)
        .map_err(|error| error.to_string())?;
    plan_report::change(plan, affected.path, before, after.as_bytes());

    let admits_target = upgradable.admits(present, &target).unwrap_or_default();
    Ok(Upgrade {
        ecosystem: affected.ecosystem,
        lockfile: affected.path.to_owned(),
        package: affected.name.to_owned(),
        from: present.to_owned(),
        to: raised.clone(),
        bump: if admits_target {
            Bump::Minor
        } else {
            Bump::Major
        },
        fixes: affected.ids(),
        requirement_changes: vec![format!("{}: {present} -> {raised}", affected.path)],
        because_of: None,
    })
}

/// Judges the raised requirement. The error is the reason why it is no fix.
async fn check(
    context: &FixContext<'_>,
    affected: &AffectedRequirement<'_>,
    raised: &str,
) -> Result<(), String> {
    let inventory = Inventory {
        unlocked: vec![UnlockedManifest {
            path: affected.path.to_owned(),
            ecosystem: affected.ecosystem,
            unresolved: vec![Unresolved {
                ecosystem: affected.ecosystem,
                name: affected.name.to_owned(),
                requirement: raised.to_owned(),
                kind: DependencyKind::Runtime,
                line: 1,
            }],
        }],
        ..Inventory::default()
    };
    let judged = evaluate(&inventory, context.source).await;
    if let Some(problem) = judged.problems.first() {
        return Err(format!(
            "`{raised}` could not be checked: {}: {}",
            problem.subject, problem.reason
        ));
    }

    let ids = affected.ids();
    let left: Vec<&str> = judged
        .findings
        .iter()
        .chain(&judged.possible)
        .filter(|finding| !context.suppressions.covers(finding))
        .filter(|finding| !finding.is_possible() || ids.contains(&finding.id))
        .map(|finding| finding.id.as_str())
        .collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "`{raised}` would still be affected by {}",
            left.join(", ")
        ))
    }
}

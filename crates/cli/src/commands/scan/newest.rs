//! The newest admitted release of each requirement with a possible finding, from its registry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use patchgate_fix::{StatedRequirements, newest_admitted};
use patchgate_model::{EcosystemName, Finding, Inventory, Lockfile, Package, Problem};
use patchgate_scan::{AdvisorySource, ScanResult, evaluate};

use crate::context::Context;
use crate::output::warn;

/// Most requirements that registries are asked about.
const MAX_REQUIREMENTS: usize = 1_000;

/// A requirement of a package.
type Stated = (EcosystemName, String, String);

/// Asks the registries, and rates the possible findings again with whether the newest admitted release
/// is affected. Those whose registry does not answer stay as the records leave them.
pub(super) async fn ask(result: &mut ScanResult, root: &Path, context: &Context) {
    let mut files: BTreeMap<(String, EcosystemName), BTreeSet<(String, String)>> = BTreeMap::new();
    for finding in &result.findings.possible {
        if let (Some((ecosystem, name, requirement)), Some(at)) =
            (stated(finding), finding.locations.first())
        {
            files
                .entry((at.file.clone(), ecosystem))
                .or_default()
                .insert((name, requirement));
        }
    }

    let mut newest: BTreeMap<Stated, String> = BTreeMap::new();
    let mut unknown: Vec<String> = Vec::new();
    let mut left = MAX_REQUIREMENTS;
    for ((file, ecosystem), requirements) in files {
        let requirements: Vec<(String, String)> = requirements.into_iter().take(left).collect();
        left -= requirements.len();
        let asked = StatedRequirements {
            root,
            file: &file,
            ecosystem,
            requirements: &requirements,
        };
        for ((name, requirement), answer) in newest_admitted(asked, &context.environment).await {
            match answer {
                Ok(version) => {
                    newest.insert((ecosystem, name, requirement), version);
                }
                Err(reason) => unknown.push(format!("`{name}`: {reason}")),
            }
        }
    }
    if let Some(first) = unknown.first() {
        warn(&format!(
            "the newest version of {} is unknown: {first}",
            match unknown.len() {
                1 => "a package".to_owned(),
                number => format!("{number} packages"),
            }
        ));
    }

    let affected = match affected(&newest, &result.source).await {
        Ok(affected) => affected,
        // Not known to be affected is not the same as not affected.
        Err(problem) => {
            warn(&format!(
                "whether the newest versions are affected is unknown: `{}` {}",
                problem.subject, problem.reason
            ));
            return;
        }
    };
    let rater = result.source.rater();
    for finding in &mut result.findings.possible {
        let version = stated(finding).and_then(|stated| newest.get(&stated));
        if let (Some(version), Some(matched)) = (version, &mut finding.requirement) {
            let key = |id: &str| (finding.package.name.clone(), version.clone(), id.to_owned());
            let mut ids = std::iter::once(&finding.id).chain(&finding.aliases);
            matched.newest_affected = Some(ids.any(|id| affected.contains(&key(id))));
            matched.newest = Some(version.clone());
            rater.rate(finding);
        }
    }
}

/// The requirement of a finding. Go's own library and tools are released with Go, not in a registry.
fn stated(finding: &Finding) -> Option<Stated> {
    let matched = finding.requirement.as_ref()?;
    let is_of_go = finding.package.ecosystem.as_str() == "Go";
    if is_of_go && matches!(finding.package.name.as_str(), "stdlib" | "toolchain") {
        return None;
    }
    Some((
        finding.package.ecosystem,
        finding.package.name.clone(),
        matched.requirement.clone(),
    ))
}

/// The vulnerabilities of the newest releases, with their aliases: name, version and id.
///
/// # Errors
/// The first thing that could not be looked up or judged.
async fn affected(
    newest: &BTreeMap<Stated, String>,
    source: &AdvisorySource,
) -> Result<BTreeSet<(String, String, String)>, Problem> {
    let mut lockfiles: BTreeMap<EcosystemName, Lockfile> = BTreeMap::new();
    for ((ecosystem, name, _), version) in newest {
        let lockfile = lockfiles.entry(*ecosystem).or_insert_with(|| Lockfile {
            ecosystem: *ecosystem,
            ..Lockfile::default()
        });
        let package = Package::new(*ecosystem, name.clone(), version.clone());
        lockfile.packages.push(package);
    }
    let inventory = Inventory {
        lockfiles: lockfiles.into_values().collect(),
        ..Inventory::default()
    };

    let evaluation = evaluate(&inventory, source).await;
    if let Some(problem) = evaluation.problems.into_iter().next() {
        return Err(problem);
    }

    let mut affected = BTreeSet::new();
    for finding in evaluation.findings {
        for id in std::iter::once(&finding.id).chain(&finding.aliases) {
            let package = &finding.package;
            affected.insert((package.name.clone(), package.version.clone(), id.clone()));
        }
    }

    Ok(affected)
}

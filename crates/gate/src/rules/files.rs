//! Rules about the changed files.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use patchgate_ecosystems::{fixable_format, is_fixable_manifest, manifest_of};
use patchgate_model::{ChangedFile, FileStatus};

use crate::context::{Context, Outcome, block, or_met, review, unread, with};
use crate::manifest_diff::{self, RaisedRequirement};

/// Files that configure CI or the gate itself. A change to them is never merged without a person.
const PROTECTED_NAMES: &[&str] = &[
    ".gitlab-ci.yml",
    ".gitlab-ci.yaml",
    ".patchgate.yml",
    ".patchgate.yaml",
    "action.yml",
    "action.yaml",
    "codeowners",
];

/// Blocks a protected file in a pull request with a plan block: Patchgate never touches such files,
/// so another account changed the branch under its name. Without a block the pull request makes no
/// such claim, and a person decides. Neither can be merged by the gate.
pub(super) fn protected(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.files, "the changed files", |files| {
        let claims_a_plan = matches!(context.block, Some(Ok(_)));
        let touched: BTreeSet<&str> = files
            .iter()
            .flat_map(paths)
            .filter(|path| is_protected(path))
            .collect();

        or_met(
            touched
                .into_iter()
                .map(|path| {
                    if claims_a_plan {
                        block(format!(
                            "`{path}` changes, which Patchgate never does: this branch was changed by another account"
                        ))
                    } else {
                        review(format!("`{path}` changes, which a person must check"))
                    }
                })
                .collect(),
            "no workflow, action or policy file changes",
        )
    })
}

pub(super) fn exactly_the_plan(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.files, "the changed files", |files| {
        let mut outcomes = Vec::new();
        if let Ok(pull_request) = &context.evidence.pull_request
            && pull_request.changed_file_count != files.len() as u64
        {
            outcomes.push(review(format!(
                "the pull request changes {} files, and {} were read",
                pull_request.changed_file_count,
                files.len()
            )));
        }

        for file in files {
            if !is_editable(&file.path) {
                outcomes.push(review(format!(
                    "`{}` is neither a lockfile nor a manifest",
                    file.path
                )));
            }

            if file.status != FileStatus::Modified {
                outcomes.push(review(format!(
                    "`{}` is {}, not modified",
                    file.path,
                    word(&file.status)
                )));
            }

            if !context.evidence.contents.contains_key(&file.path) {
                outcomes.push(review(format!("`{}` was not read", file.path)));
            }
        }

        let changed: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        match &context.block {
            Some(Ok(plan)) => {
                let planned: BTreeSet<&str> = plan.files.iter().map(String::as_str).collect();
                for path in changed.difference(&planned) {
                    outcomes.push(review(format!(
                        "`{path}` changes, but the plan does not list it"
                    )));
                }

                for path in planned.difference(&changed) {
                    outcomes.push(review(format!(
                        "`{path}` does not change, but the plan lists it"
                    )));
                }
            }
            Some(Err(error)) => outcomes.push(review(error.to_string())),
            None => outcomes.push(review("the body could not be read")),
        }

        if files.is_empty() {
            outcomes.push(review("no file changes"));
        }

        or_met(outcomes, "exactly the files of the plan are changed")
    })
}

pub(super) fn requirements_only(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.files, "the changed files", |files| {
        let mut outcomes = Vec::new();
        for file in files.iter().filter(|file| is_fixable_manifest(&file.path)) {
            if !is_locked(&file.path, files) {
                outcomes.push(review(format!(
                    "`{}` changes, and no lockfile that pins its requirements does",
                    file.path
                )));
            }

            let Some(contents) = context.evidence.contents.get(&file.path) else {
                outcomes.push(review(format!("`{}` was not read", file.path)));
                continue;
            };
            let (base, head) = match (&contents.base, &contents.head) {
                (Ok(Some(base)), Ok(Some(head))) => (base, head),
                (Err(missing), _) | (_, Err(missing)) => {
                    outcomes.push(unread(&format!("`{}`", file.path), missing));
                    continue;
                }
                _ => {
                    outcomes.push(review(format!("`{}` is not on both sides", file.path)));
                    continue;
                }
            };

            match manifest_diff::changes(&file.path, base, head) {
                Ok(changes) => {
                    outcomes.extend(changes.other.iter().map(|change| {
                        review(format!(
                            "`{}` changes more than requirements: {change}",
                            file.path
                        ))
                    }));
                    outcomes.extend(
                        changes
                            .raised
                            .iter()
                            .filter(|raised| !is_change_of_lockfile(context, &file.path, raised))
                            .map(|raised| {
                                review(format!(
                                    "`{}` raises `{}` to {}, and no lockfile changes {} that far",
                                    file.path, raised.key, raised.version, raised.package
                                ))
                            }),
                    );
                }
                Err(reason) => {
                    outcomes.push(review(format!("`{}` {reason}", file.path)));
                }
            }
        }

        or_met(outcomes, "in manifests only requirements change")
    })
}

/// Whether a requirement is raised for a change of its package in a lockfile: to a version above the
/// one before, and not above the new one.
fn is_change_of_lockfile(
    context: &Context<'_>,
    manifest: &str,
    raised: &RaisedRequirement,
) -> bool {
    let ecosystem = manifest_of(manifest).and_then(|(ecosystem, _)| ecosystem.upgradable());
    let (Some(ecosystem), Ok(lockfiles)) = (ecosystem, &context.lockfiles) else {
        return false;
    };
    let order = |a: &str, b: &str| ecosystem.compare_versions(a, b).ok();
    let name = ecosystem.normalize_name(&raised.package);
    let mut steps = lockfiles.diff.upgrades.iter().chain(&lockfiles.diff.raised);
    steps.any(|step| {
        step.package == *name
            && order(&step.from, &raised.version) == Some(Ordering::Less)
            && order(&step.to, &raised.version).is_some_and(Ordering::is_ge)
    })
}

/// Whether a lockfile of the manifest's ecosystem at or above its directory changes too. Only then do
/// the rules about lockfiles judge the versions that its requirements now lead to.
fn is_locked(manifest: &str, files: &[ChangedFile]) -> bool {
    let Some((ecosystem, _)) = manifest_of(manifest) else {
        return false;
    };
    let directory = |path: &str| {
        path.rsplit_once('/')
            .map_or("", |(directory, _)| directory)
            .to_owned()
    };
    let of_manifest = directory(manifest);

    files.iter().any(|file| {
        let above = directory(&file.path);
        let is_above = above.is_empty()
            || of_manifest == above
            || of_manifest.starts_with(&format!("{above}/"));
        is_above
            && fixable_format(&file.path)
                .is_some_and(|(upgradable, _)| upgradable.name() == ecosystem.name())
    })
}

fn paths(file: &ChangedFile) -> impl Iterator<Item = &str> {
    std::iter::once(file.path.as_str()).chain(file.previous_path.as_deref())
}

pub(crate) fn is_protected(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = file_name(&lower);
    lower.starts_with(".github/")
        || lower.starts_with(".gitlab/")
        || PROTECTED_NAMES.contains(&name)
}

/// Whether Patchgate's pull requests change files of this name.
pub(super) fn is_editable(path: &str) -> bool {
    if is_protected(path) {
        return false;
    }
    fixable_format(path).is_some() || is_fixable_manifest(path)
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn word(status: &FileStatus) -> &str {
    match status {
        FileStatus::Added => "added",
        FileStatus::Modified => "modified",
        FileStatus::Removed => "removed",
        FileStatus::Renamed => "renamed",
        FileStatus::Other(word) => word,
    }
}

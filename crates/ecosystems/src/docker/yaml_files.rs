//! Readers of the images in Compose files, GitLab CI configurations and GitHub workflows.

use patchgate_model::{DependencyKind, FormatId, Lockfile, Loss, Root};

use super::image;
use crate::syntax::{Node, yaml, yaml_documents};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

fn empty(input: &Input<'_>, format: FormatId) -> Lockfile {
    Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format,
        roots: vec![Root::default()],
        ..Lockfile::default()
    }
}

/// The lockfile with its skipped entries.
///
/// # Errors
/// When there are too many images, or no entry could be read.
fn finish(lockfile: Lockfile, skipped: SkippedEntries) -> Result<Lockfile, ParseError> {
    if lockfile.packages.len() >= limits::MAX_PACKAGES {
        return Err(ParseError::new("names too many images"));
    }
    salvage::finish(lockfile, skipped)
}

/// Reads `services.*.image` of a Compose file
/// (<https://docs.docker.com/reference/compose-file/services/#image>). The image of a service that
/// is built locally comes from its Dockerfile.
pub(super) fn compose(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let root = yaml(input.text()?)?;
    let mut lockfile = empty(input, FormatId::new("compose"));
    if !root.is_map() {
        return Err(ParseError::new("is not a Compose file"));
    }
    // In the first version of the format there is no `services`: each top-level key is a service.
    let services = match root.get("services") {
        Some(_) => root.optional_map("services")?,
        None if root.get("include").is_some() || root.get("name").is_some() => &[],
        None => root.entries(),
    };

    let mut skipped = SkippedEntries::default();
    for (name, service) in services {
        if !service.is_map() {
            if root.get("services").is_some() && !service.is_null() {
                let error = service.unexpected(&name.name, "a service");
                skipped.package(name.line, error.reason);
            }
            continue;
        }
        if service.get("build").is_none() {
            let added = add(&mut lockfile, service, DependencyKind::Runtime);
            skipped.recover(Loss::Package, name.line, added);
        }
    }

    finish(lockfile, skipped)
}

/// Reads `image:` and `services:` of a GitLab CI configuration, at the top level, in `default` and
/// in each job (<https://docs.gitlab.com/ci/yaml/#image>).
pub(super) fn gitlab_ci(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut lockfile = empty(input, FormatId::new("gitlab-ci"));
    let mut skipped = SkippedEntries::default();
    for root in yaml_documents(input.text()?)? {
        if !root.is_map() {
            return Err(
                ParseError::new("is not a GitLab CI configuration").at_line(root.line as usize)
            );
        }

        let jobs = root
            .entries()
            .iter()
            .map(|(_, job)| job)
            .filter(|job| job.is_map());
        // A top-level `image` can be a map, which is not a job.
        let jobs = jobs.filter(|job| Some(*job) != root.get("image"));

        for owner in std::iter::once(&root).chain(jobs) {
            let added = add(&mut lockfile, owner, DependencyKind::Build);
            skipped.recover(Loss::Package, owner.line, added);
            let services = owner.optional_list("services");
            let services = skipped.recover(Loss::Package, owner.line, services);
            for service in services.unwrap_or_default() {
                let added = match service.text() {
                    Some(text) => {
                        let kind = DependencyKind::Build;
                        image::add(&mut lockfile, text, service.line, kind)
                    }
                    None => name(&mut lockfile, service, DependencyKind::Build),
                };
                skipped.recover(Loss::Package, service.line, added);
            }
        }
    }

    finish(lockfile, skipped)
}

/// Reads the containers and services of the jobs in a GitHub workflow, and the steps that are
/// images
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idcontainer>).
pub(super) fn workflow(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let root = yaml(input.text()?)?;
    if root.get("jobs").is_none() {
        return Err(ParseError::new("is not a workflow: it has no `jobs`"));
    }

    let mut lockfile = empty(input, FormatId::new("github-workflow-images"));
    let mut skipped = SkippedEntries::default();
    for (name, job) in root.optional_map("jobs")? {
        if !job.is_map() {
            let error = job.unexpected(&name.name, "a job");
            skipped.package(name.line, error.reason);
            continue;
        }

        let added = match job.get("container") {
            Some(container) if container.text().is_some() => text(&mut lockfile, container),
            Some(container) => add(&mut lockfile, container, DependencyKind::Build),
            None => Ok(()),
        };
        skipped.recover(Loss::Package, name.line, added);

        let services = skipped.recover(Loss::Package, name.line, job.optional_map("services"));
        for (_, service) in services.unwrap_or_default() {
            let added = add(&mut lockfile, service, DependencyKind::Build);
            skipped.recover(Loss::Package, service.line, added);
        }

        let steps = skipped.recover(Loss::Package, name.line, job.optional_list("steps"));
        for step in steps.unwrap_or_default() {
            let uses = step.get("uses").filter(|uses| uses.text().is_some());
            if let Some(uses) = uses
                && let Some(image) = uses.text().and_then(|text| text.strip_prefix("docker://"))
            {
                let added = image::add(&mut lockfile, image, uses.line, DependencyKind::Build);
                skipped.recover(Loss::Package, uses.line, added);
            }
        }
    }

    finish(lockfile, skipped)
}

/// Adds the image under `image`: a string, or a map with a `name`.
fn add(lockfile: &mut Lockfile, owner: &Node<'_>, kind: DependencyKind) -> Result<(), ParseError> {
    match owner.get("image") {
        Some(node) if node.is_map() => name(lockfile, node, kind),
        Some(node) => match node.text() {
            Some(text) => image::add(lockfile, text, node.line, kind),
            None if node.is_null() => Ok(()),
            None => Err(node.unexpected("image", "a text")),
        },
        None => Ok(()),
    }
}

fn name(lockfile: &mut Lockfile, node: &Node<'_>, kind: DependencyKind) -> Result<(), ParseError> {
    // In YAML, `{$IMAGE}` is a map with the key `$IMAGE`. It is meant as a variable.
    if let [(key, value)] = node.entries()
        && value.is_null()
        && key.name.contains('$')
    {
        return image::add(lockfile, &format!("{{{}}}", key.name), key.line, kind);
    }

    let text = node.need_text("name")?;
    let line = node.get("name").map_or(node.line, |name| name.line);
    image::add(lockfile, text, line, kind)
}

fn text(lockfile: &mut Lockfile, node: &Node<'_>) -> Result<(), ParseError> {
    // An empty string means that the job has no container.
    match node.text() {
        Some(text) if !text.trim().is_empty() => {
            image::add(lockfile, text, node.line, DependencyKind::Build)
        }
        _ => Ok(()),
    }
}

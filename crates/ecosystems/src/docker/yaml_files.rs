//! Readers of the images in Compose files, GitLab CI configurations and GitHub workflows.

use patchgate_model::{DependencyKind, FormatId, Lockfile, Root};

use super::image;
use crate::syntax::{Node, yaml, yaml_documents};
use crate::{Input, ParseError};

fn empty(input: &Input<'_>, format: FormatId) -> Lockfile {
    Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format,
        roots: vec![Root::default()],
        ..Lockfile::default()
    }
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

    for (name, service) in services {
        if !service.is_map() {
            if root.get("services").is_some() && !service.is_null() {
                return Err(service.unexpected(&name.name, "a service"));
            }
            continue;
        }
        if service.get("build").is_none() {
            add(&mut lockfile, service, DependencyKind::Runtime)?;
        }
    }

    Ok(lockfile)
}

/// Reads `image:` and `services:` of a GitLab CI configuration, at the top level, in `default` and
/// in each job (<https://docs.gitlab.com/ci/yaml/#image>).
pub(super) fn gitlab_ci(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut lockfile = empty(input, FormatId::new("gitlab-ci"));
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
            add(&mut lockfile, owner, DependencyKind::Build)?;
            for service in services(owner)? {
                match service.text() {
                    Some(text) => {
                        let kind = DependencyKind::Build;
                        image::add(&mut lockfile, text, service.line, kind)?;
                    }
                    None => name(&mut lockfile, service)?,
                }
            }
        }
    }

    Ok(lockfile)
}

fn services<'n, 'a>(owner: &'n Node<'a>) -> Result<&'n [Node<'a>], ParseError> {
    owner.optional_list("services")
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
    for (name, job) in root.optional_map("jobs")? {
        if !job.is_map() {
            return Err(job.unexpected(&name.name, "a job"));
        }

        match job.get("container") {
            Some(container) if container.text().is_some() => {
                text(&mut lockfile, container)?;
            }
            Some(container) => add(&mut lockfile, container, DependencyKind::Build)?,
            None => {}
        }

        for (_, service) in job.optional_map("services")? {
            add(&mut lockfile, service, DependencyKind::Build)?;
        }
        for step in job.optional_list("steps")? {
            let uses = step.get("uses").filter(|uses| uses.text().is_some());
            if let Some(uses) = uses
                && let Some(image) = uses.text().and_then(|text| text.strip_prefix("docker://"))
            {
                image::add(&mut lockfile, image, uses.line, DependencyKind::Build)?;
            }
        }
    }

    Ok(lockfile)
}

/// Adds the image under `image`: a string, or a map with a `name`.
fn add(lockfile: &mut Lockfile, owner: &Node<'_>, kind: DependencyKind) -> Result<(), ParseError> {
    match owner.get("image") {
        Some(node) if node.is_map() => name(lockfile, node),
        Some(node) => match node.text() {
            Some(text) => image::add(lockfile, text, node.line, kind),
            None if node.is_null() => Ok(()),
            None => Err(node.unexpected("image", "a text")),
        },
        None => Ok(()),
    }
}

fn name(lockfile: &mut Lockfile, node: &Node<'_>) -> Result<(), ParseError> {
    let text = node.need_text("name")?;
    let line = node.get("name").map_or(node.line, |name| name.line);
    image::add(lockfile, text, line, DependencyKind::Build)
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

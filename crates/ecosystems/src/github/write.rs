//! Writer of the references in workflows and composite actions.

use patchgate_model::{Lockfile, PackageIndex};

use super::reference;
use crate::{
    Downloads, Input, LockfileWriter, Release, Siblings, TargetGraph, TargetNode, WriteError,
};

/// Writer of `uses:`.
#[derive(Debug)]
pub(super) struct UsesWriter;

impl LockfileWriter for UsesWriter {
    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        let place = |index: PackageIndex| {
            let package = lockfile.package(index)?;
            let edge = lockfile
                .roots
                .first()?
                .edges
                .iter()
                .find(|edge| edge.to == index)?;
            Some(Place {
                line: package.line,
                before: format!("{}@", edge.name),
                reference: edge.requirement.as_deref()?.to_owned(),
            })
        };
        write(input, lockfile, target, place)
    }
}

/// The place of a reference in a file.
pub(crate) struct Place {
    /// Line, from 1.
    pub(crate) line: u32,
    /// The text directly before it.
    pub(crate) before: String,
    pub(crate) reference: String,
}

/// Changes the references of a file in which every package is a reference to a git repository.
pub(crate) fn write(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    place: impl Fn(PackageIndex) -> Option<Place>,
) -> Result<Siblings, WriteError> {
    let error = |reason: String| WriteError::new(input, reason);
    input.text().map_err(|reason| error(reason.to_string()))?;
    let text = std::str::from_utf8(input.bytes).map_err(|reason| error(reason.to_string()))?;
    if target.nodes.len() != lockfile.packages.len() {
        return Err(error(
            "a step or a repository is written or removed by a person only".to_owned(),
        ));
    }

    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let mut expected: Vec<Option<String>> = Vec::new();
    for node in &target.nodes {
        let index = node
            .was
            .ok_or_else(|| error(format!("`{}` is new", node.name)))?;
        let place = place(index)
            .ok_or_else(|| error(format!("the reference of `{}` was not found", node.name)))?;
        let Some(release) = changed(lockfile, node) else {
            expected.push(Some(place.reference));
            continue;
        };

        let new = reference::in_style(&place.reference, release)
            .map_err(|reason| error(format!("{reason}, for `{}`", node.name)))?;
        let line = (place.line as usize)
            .checked_sub(1)
            .and_then(|line| lines.get_mut(line));
        let edited = line.and_then(|line| {
            let edited = reference::replace(line, &place.before, &place.reference, &new, release)?;
            *line = edited;
            Some(())
        });
        if edited.is_none() {
            return Err(error(format!(
                "line {} does not have `{}{}` in a form that can be changed",
                place.line, place.before, place.reference
            )));
        }
        expected.push(Some(new));
    }

    let text = lines.concat();
    check(input, &text, &expected).map_err(error)?;
    Ok(Siblings::from([(input.path.to_owned(), text.into_bytes())]))
}

/// The release that a node gets, if it is another one.
fn changed<'a>(lockfile: &Lockfile, node: &'a TargetNode) -> Option<&'a Release> {
    let was = node.was.and_then(|was| lockfile.package(was))?;
    node.release
        .as_ref()
        .filter(|release| release.version != was.version)
}

/// Reads the new text again: an alias of YAML may share a reference with another step.
fn check(input: &Input<'_>, text: &str, expected: &[Option<String>]) -> Result<(), String> {
    let siblings = Siblings::new();
    let again = Input {
        bytes: text.as_bytes(),
        siblings: &siblings,
        ..*input
    };
    let format = crate::fixable_format(input.path)
        .ok_or("its format is not known")?
        .1;
    let lockfile = (format.parse)(&again).map_err(|error| error.to_string())?;
    let references: Vec<Option<String>> = lockfile
        .roots
        .iter()
        .flat_map(|root| &root.edges)
        .map(|edge| edge.requirement.as_deref().map(str::to_owned))
        .collect();
    match references == expected {
        true => Ok(()),
        false => Err("a reference is shared by several steps".to_owned()),
    }
}

#[cfg(test)]
mod tests;

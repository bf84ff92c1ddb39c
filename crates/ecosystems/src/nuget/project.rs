//! Reader of project files: `*.csproj`, `*.fsproj`, `*.vbproj`
//! (<https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files>).
//!
//! Versions come from the lockfile next to the project if there is one. Otherwise they come from
//! the project, the `Directory.Packages.props` above it
//! (<https://learn.microsoft.com/nuget/consume-packages/central-package-management>) and the
//! properties of both. Packages that `Directory.Build.props` includes for all projects below it are
//! reported for that file.

use patchgate_model::{FormatId, Lockfile};

use super::central::{self, Locked, State};
use super::lock_json;
use super::msbuild::Document;
use super::project_files::own_name;
use crate::{Input, ParseError};

/// Reads a project file, together with its lockfile or the MSBuild files around it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let locked = locked(input);
    let document = Document::read(input)?;
    let mut state = State::around(input);
    state.add(input.path, &document, input);
    state.add_targets(input);
    let is_locked = locked.is_some();
    let mut lockfile = central::lockfile(
        input,
        &document,
        &mut state,
        &locked.unwrap_or_default(),
        FormatId::new("msbuild-project"),
    )?;
    lockfile.direct_only = !is_locked && state.has_references();

    Ok(lockfile)
}

/// The versions in the lockfile next to the project. An unreadable one is reported as an error of
/// its own file.
fn locked(input: &Input<'_>) -> Option<Locked> {
    let own = input.beside(&own_name(input.path, "lock.json"));
    let path = [own, input.beside("packages.lock.json")]
        .into_iter()
        .find(|path| input.sibling(path).is_some())?;
    let lockfile = Input {
        path: &path,
        bytes: input.sibling(&path)?,
        siblings: input.siblings,
    };

    lock_json::direct_versions(&lockfile).ok()
}

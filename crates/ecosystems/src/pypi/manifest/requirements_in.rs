//! `requirements.in`: the requirements from which pip-tools and uv make a `requirements.txt`.

use patchgate_model::DependencyKind;

use super::{Direct, Manifest};
use crate::pypi::requirements_txt::read::File;
use crate::{Input, ParseError};

/// Reads the file's own lines; files that it includes are read on their own.
pub(super) fn parse(input: &Input<'_>) -> Result<Manifest, ParseError> {
    let file = File::read(input)?;
    let direct = file.lines.iter().map(|line| Direct {
        name: line.name(),
        requirement: line.requirement(),
        kind: DependencyKind::Runtime,
        group: None,
        is_local: line.is_folder(),
        has_marker: line.text.contains(';'),
        line: line.line,
    });

    Ok(Manifest {
        direct: direct.collect(),
        ..Manifest::default()
    })
}

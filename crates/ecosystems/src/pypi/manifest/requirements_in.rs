//! `requirements.in`: the requirements from which pip-tools and uv compile a `requirements.txt`.

use patchgate_model::DependencyKind;

use super::{Direct, Manifest};
use crate::pypi::requirement::Requirement;
use crate::pypi::requirements_txt::read::File;
use crate::{Input, ParseError};

/// Reads the lines of a file, without those of the files that it includes.
pub(super) fn parse(input: &Input<'_>) -> Result<Manifest, ParseError> {
    let file = File::read(input)?;
    let direct = file.lines.iter().map(|line| Direct {
        name: line.name(),
        requirement: line.requirement(),
        extras: Requirement::parse(&line.text)
            .iter()
            .flat_map(Requirement::extras)
            .map(str::to_owned)
            .collect(),
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

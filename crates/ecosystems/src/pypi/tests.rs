//! Tests of whole files: the fixtures, and the pitfalls of the formats.

mod locks;
mod requirements;

use patchgate_model::{Lockfile, Unresolved};

use crate::{Input, ParseError, Siblings};

macro_rules! fixture {
    ($path:literal) => {
        (
            $path,
            include_str!(concat!("../fixtures/read/", $path)).to_owned(),
        )
    };
}
use fixture;

/// Reads the first of the files; all of them are the repository.
fn read(files: &[(&str, String)]) -> Result<Lockfile, ParseError> {
    let siblings = siblings(files);
    let (path, text) = &files[0];
    crate::parse(&Input {
        path,
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

fn unresolved(files: &[(&str, String)]) -> Result<Vec<Unresolved>, ParseError> {
    let siblings = siblings(files);
    let (path, text) = &files[0];
    crate::unresolved(&Input {
        path,
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

fn siblings(files: &[(&str, String)]) -> Siblings {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.clone().into_bytes()))
        .collect()
}

fn names(lockfile: &Lockfile) -> Vec<String> {
    lockfile
        .packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version))
        .collect()
}

fn open(unresolved: &[Unresolved]) -> Vec<String> {
    unresolved
        .iter()
        .map(|open| {
            let text = format!("{}: {} {}", open.line, open.name, open.requirement);
            text.trim_end().to_owned()
        })
        .collect()
}

#[test]
fn a_manifest_asks_for_extras() {
    use crate::Upgradable as _;

    let asked = |path: &str, text: &str| {
        let manifests = Siblings::from([(path.to_owned(), text.as_bytes().to_vec())]);
        let asked = crate::pypi::PyPi.asked_features(path, &manifests);
        let extras = asked.into_iter().filter(|(_, extras)| !extras.is_empty());
        extras
            .map(|(name, extras)| format!("{name} {}", Vec::from_iter(extras).join(",")))
            .collect::<Vec<_>>()
    };
    let project =
        "[project]\nname = \"a\"\ndependencies = [\"Requests[socks, security]>=2\", \"b\"]\n";
    assert_eq!(
        asked("pyproject.toml", project),
        ["requests security,socks"]
    );
    let poetry = "[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\n\
                  requests = { version = \"^2\", extras = [\"socks\"] }\n";
    assert_eq!(asked("pyproject.toml", poetry), ["requests socks"]);
    let pipfile = "[packages]\nrequests = { version = \"*\", extras = [\"socks\"] }\n";
    assert_eq!(asked("Pipfile", pipfile), ["requests socks"]);
    assert_eq!(
        asked("requirements.in", "requests[socks]\n"),
        ["requests socks"]
    );
}

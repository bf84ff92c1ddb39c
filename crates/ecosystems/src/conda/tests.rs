//! Whole files: the contents of the fixtures.

use patchgate_model::Lockfile;

use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings};

fn read(path: &str, text: &str, beside: &[(&str, &str)]) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = beside
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned().into_bytes()))
        .collect();
    crate::parse(&Input {
        path,
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

const LOCK: &str = include_str!("fixtures/read/lock/conda-lock.yml");
const ENVIRONMENT: &str = include_str!("fixtures/read/environment/environment.yml");

#[test]
fn platforms_of_one_package_are_one() {
    insta::assert_snapshot!(snapshot_text(&read("conda-lock.yml", LOCK, &[]).unwrap()));
}

#[test]
fn an_environment_pins_some_and_asks_for_others() {
    insta::assert_snapshot!(snapshot_text(
        &read("environment.yml", ENVIRONMENT, &[]).unwrap()
    ));
}

#[test]
fn a_lockfile_pins_what_its_environment_asks_for() {
    let lock = [("conda-lock.yml", LOCK)];
    let lockfile = read("environment.yml", ENVIRONMENT, &lock).unwrap();
    assert!(lockfile.unresolved.is_empty());
    assert_eq!(lockfile.packages.len(), 3);
}

#[test]
fn the_pip_section_asks_for_projects_of_pypi() {
    let text = "dependencies:\n  - numpy[version='>=1.2,<2', build=*cpu*]\n  - pip:\n    - flask[async]>=2; python_version > '3'\n    - -r more.txt\n";
    let lockfile = read("environment.yml", text, &[]).unwrap();
    let asked: Vec<_> = lockfile
        .unresolved
        .iter()
        .map(|one| (one.ecosystem, one.name.as_str(), one.requirement.as_str()))
        .collect();

    assert_eq!(
        asked,
        [
            (super::NAME, "numpy", ">=1.2,<2"),
            (crate::pypi::NAME, "flask", ">=2"),
            (crate::pypi::NAME, "more.txt", "file:more.txt"),
        ]
    );
}

#[test]
fn another_version_or_manager_is_skipped() {
    let later = LOCK.replacen("version: 1\n", "version: 2\n", 1);
    let lockfile = read("conda-lock.yml", &later, &[]).unwrap();
    let skipped = |lockfile: &Lockfile| -> Vec<String> {
        let all = lockfile.skipped.iter();
        all.map(|entry| format!("{:?}: {}", entry.loss, entry.reason))
            .collect()
    };

    assert_eq!(
        skipped(&lockfile),
        ["Package: has the unknown format version 2: packages may be missing"]
    );

    let other = LOCK.replacen("manager: conda", "manager: npm", 1);
    let lockfile = read("conda-lock.yml", &other, &[]).unwrap();

    assert_eq!(
        skipped(&lockfile),
        ["Package: has `libzlib` from `npm`, which is neither conda nor pip"]
    );
    let other = LOCK.replacen("  optional: false\n", "", 1);
    assert_eq!(
        skipped(&read("conda-lock.yml", &other, &[]).unwrap()),
        ["Detail: lacks `optional` of `libzlib`"]
    );
}

#[test]
fn entries_may_all_lack_optional() {
    let lock = include_str!("fixtures/read/no-optional/conda-lock.yml");
    insta::assert_snapshot!(snapshot_text(&read("conda-lock.yml", lock, &[]).unwrap()));
    let cut = lock.trim_end();
    let error = read("conda-lock.yml", cut, &[]).unwrap_err();
    assert_eq!(error.reason, "lacks `optional` of `zlib`");
}

#[test]
fn what_conda_lock_resolved_is_read() {
    let lock = include_str!("fixtures/read/resolved/conda-lock.yml");
    let environment = include_str!("fixtures/read/resolved/environment.yml");
    insta::assert_snapshot!(snapshot_text(&read("conda-lock.yml", lock, &[]).unwrap()));
    let lock = [("conda-lock.yml", lock)];
    let asked = read("environment.yml", environment, &lock).unwrap();
    insta::assert_snapshot!("resolved_environment", snapshot_text(&asked));
}

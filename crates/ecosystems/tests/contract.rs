//! Rules that every ecosystem follows.
//!
//! The directory of an ecosystem is named after its package URL type. Distributions of operating
//! systems have no files of their own and share one directory. An ecosystem with files has
//! `fixtures/read/`, whose lockfiles are valid, and `fixtures/refused/`, whose lockfiles are
//! errors. `fixtures/odd/` has lockfiles with entries that cannot be read, next to others that are.
//! Each directory directly below these is one repository, with the manifests next to the lockfiles.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed step fails the test; tests, unlike the crate, read their fixtures from files"
)]

#[path = "contract/fixtures.rs"]
mod fixtures;

use std::collections::BTreeSet;

use patchgate_ecosystems::{
    ALL, Ecosystem, FileReader, Input, Siblings, by_name, by_purl_type, formats_of, purl,
};
use patchgate_model::{EcosystemName, Edge, Lockfile, Loss, Package};
use proptest::prelude::*;
use proptest::sample::Index;

use fixtures::{Fixture, all, formats, readable, source_directory};

/// Formats in which a file that lost its last entries can still be valid by its own grammar. A cut
/// exactly between two lines may be undetected.
///
/// Go's files have one directive or module per line, in any order. A `yarn.lock` of yarn 1 leaves
/// the requirements of the project to its manifest, so no other entry may depend on a lost last
/// one. The last entry of a `pnpm-lock.yaml` may have lost its list of dependencies. Gradle's older
/// lockfiles have one package per line, and its catalogs are TOML, in which any table may be
/// incomplete. In `uv.lock`, `pdm.lock` and `pylock.toml` the packages come last, one table each,
/// and need no dependents. Bundler before 2.5 ends its lockfile with the requirements of the
/// project. A `conda-lock.yml` ends with its list of packages, and so does Julia's manifest;
/// Gleam's `manifest.toml` ends with the requirements of the project. The fields of an opam file
/// have no fixed order, so a lost last field of pins is not noticed. Carton's snapshot ends with
/// the requirements of a distribution.
const LINE_BASED: &[&str] = &[
    "cargo-lock",
    "conda-lock",
    "cpanfile-snapshot",
    "gemfile-lock",
    "gleam-manifest",
    "go-mod",
    "go-vendor",
    "go-work",
    "gradle-dependency-locks",
    "gradle-version-catalog",
    "julia-manifest",
    "opam-locked",
    "paket-lock",
    "pdm-lock",
    "pnpm-lock",
    "pylock",
    "terraform-lock",
    "uv-lock",
    "yarn-lock",
];

/// Hand-written formats of free form, in which the beginning of a file can be a valid file.
const FREE_FORM: &[&str] = &[
    "compose",
    "conda-environment",
    "dockerfile",
    "dockerfile-go",
    "github-action",
    "github-workflow",
    "github-workflow-go",
    "github-workflow-images",
    "gitlab-ci",
    "go-version",
    "pip-requirements",
    "pre-commit-config",
];

/// Formats whose managers read a file without its last part or its last line break. Such a file must
/// always be marked: a skipped entry says that packages may be missing.
const MARKED: &[&str] = &[
    "cabal-freeze",
    "gemfile-lock",
    "gradle-lock",
    "paket-lock",
    "podfile-lock",
    "pubspec-lock",
    "yarn-lock",
];

/// Formats whose managers read an empty file, which states nothing.
const EMPTY: &[&str] = &["pip-requirements"];

/// Beginnings of lines that name no package, by format. Within such a line a file may end.
const NO_PACKAGE: &[(&str, &str)] = &[("go-mod", "module "), ("go-mod", "go ")];

/// Directories that belong to no single ecosystem: distributions of operating systems, and the
/// shared version orders.
const SHARED_FOLDERS: [&str; 2] = ["distribution", "version"];

/// Package URL types that several distributions share, so that the type alone does not identify
/// one.
const DISTRIBUTION_TYPES: [&str; 3] = ["apk", "deb", "rpm"];

/// Largest fixture, in bytes, that is cut at every byte.
const CUT_UP_TO: usize = 6_000;

/// Properties of every inventory, whatever it was read from.
fn check_inventory(lockfile: &Lockfile, fixture: &Fixture) {
    let at = fixture.file.display();
    assert_eq!(lockfile.path, fixture.path, "{at}");
    assert_eq!(lockfile.ecosystem, fixture.ecosystem.name(), "{at}");

    let lines = fixture.bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let check_edges = |edges: &[Edge]| {
        for edge in edges {
            assert!(lockfile.package(edge.to).is_some(), "{at}: a dangling edge");
            assert!(!edge.name.is_empty(), "{at}: an edge without a name");
        }
    };
    for package in &lockfile.packages {
        assert!(!package.name.is_empty(), "{at}: a package without a name");
        assert!(purl(package).starts_with("pkg:"), "{at}");
        assert!(package.groups.is_sorted(), "{at}: groups in disorder");
        assert!(package.line >= 1 && package.line as usize <= lines, "{at}");
        check_edges(&package.edges);
    }

    for unresolved in &lockfile.unresolved {
        assert!(
            !unresolved.name.is_empty(),
            "{at}: a requirement without a name"
        );
        assert!(
            unresolved.line >= 1 && unresolved.line as usize <= lines,
            "{at}"
        );
    }

    for root in &lockfile.roots {
        check_edges(&root.edges);
        if let Some(manifest) = &root.manifest {
            assert!(fixture.siblings.contains_key(manifest), "{at}: {manifest}");
        }
    }

    for entry in &lockfile.skipped {
        let reason = &entry.reason;
        assert!(
            !reason.is_empty() && !reason.ends_with('.') && !reason.contains('\n'),
            "{at}: `{reason}` is not a fragment"
        );
        assert!(entry.line >= 1 && entry.line as usize <= lines, "{at}");
    }

    let paths: Vec<&String> = lockfile
        .packages
        .iter()
        .filter_map(|package| package.install_path.as_ref())
        .collect();
    let unique: BTreeSet<&&String> = paths.iter().collect();

    assert_eq!(unique.len(), paths.len(), "{at}: an install path twice");
}

#[test]
fn every_directory_is_registered() {
    let directories: BTreeSet<String> = std::fs::read_dir(source_directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let registered: BTreeSet<String> = ALL
        .iter()
        .map(|ecosystem| ecosystem.purl_type())
        .filter(|purl_type| !DISTRIBUTION_TYPES.contains(purl_type))
        .chain(SHARED_FOLDERS)
        .map(str::to_owned)
        .collect();

    assert_eq!(directories, registered);

    let names: BTreeSet<EcosystemName> = ALL.iter().map(|ecosystem| ecosystem.name()).collect();
    assert_eq!(names.len(), ALL.len(), "a name twice");
}

#[test]
fn names_lead_back_to_their_ecosystem() {
    let mut ids = BTreeSet::new();
    for ecosystem in ALL {
        let found = by_name(ecosystem.name()).expect("it is found by its own name");
        assert_eq!(found.purl_type(), ecosystem.purl_type());
        let found = by_purl_type(ecosystem.purl_type()).map(Ecosystem::name);
        let is_shared = DISTRIBUTION_TYPES.contains(&ecosystem.purl_type());
        assert_eq!(found, (!is_shared).then(|| ecosystem.name()));
        assert!(
            ecosystem
                .purl_type()
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.')
        );
        for format in formats(*ecosystem) {
            assert!(ids.insert(format.id), "{} twice", format.id);
            assert!(!format.files.is_empty(), "{}", format.id);
            assert!(!format.fixable || ecosystem.upgradable().is_some());

            for pattern in format.files {
                let path = pattern.replace('*', "x");
                assert!(
                    formats_of(&path).any(|(_, found)| found.id == format.id),
                    "{pattern}"
                );
            }
        }
    }
}

/// Every format has a fixture that is valid and one that is refused.
#[test]
fn every_format_has_fixtures() {
    for kind in ["read", "refused"] {
        let seen: BTreeSet<&str> = all(kind).iter().map(|fixture| fixture.format.id).collect();
        for ecosystem in ALL {
            for format in formats(*ecosystem) {
                assert!(
                    seen.contains(format.id),
                    "{} has none in `{kind}`",
                    format.id
                );
            }
        }
    }
}

#[test]
fn fixtures_are_read() {
    for fixture in all("read") {
        let lockfile = fixture
            .parse(&fixture.bytes)
            .unwrap_or_else(|error| panic!("{}: {error}", fixture.file.display()));
        assert!(!lockfile.packages.is_empty(), "{}", fixture.file.display());
        check_inventory(&lockfile, &fixture);
    }
}

#[test]
fn lockfiles_are_read_without_their_manifests() {
    for fixture in readable() {
        let alone = Fixture {
            siblings: Siblings::new(),
            ..fixture
        };
        let lockfile = alone
            .parse(&alone.bytes)
            .unwrap_or_else(|error| panic!("{}: {error}", alone.file.display()));
        check_inventory(&lockfile, &alone);
    }
}

#[test]
fn unreadable_manifests_lose_no_package() {
    for mut fixture in readable() {
        let whole = fixture.parse(&fixture.bytes).expect("it is read");
        for manifest in fixture.siblings.values_mut() {
            *manifest = b"\xff[[[ not {{{ a manifest".to_vec();
        }

        let lockfile = fixture.parse(&fixture.bytes).expect("it is read");
        // A project that builds on the files around it reports missing ones. A catalog next to an
        // unreadable lockfile leaves nothing to that lockfile.
        let is_told = lockfile.unresolved.len() > whole.unresolved.len()
            || lockfile.missing.len() > whole.missing.len()
            || lockfile.skipped.iter().any(|it| it.loss == Loss::Package);

        assert!(
            lockfile.packages.len() >= whole.packages.len() || is_told,
            "{}",
            fixture.file.display()
        );

        check_inventory(&lockfile, &fixture);
    }
}

#[test]
fn line_ends_and_byte_order_marks_change_nothing() {
    for fixture in readable() {
        let whole = fixture.parse(&fixture.bytes).expect("it is read");
        let text = String::from_utf8(fixture.bytes.clone()).expect("fixtures are UTF-8");

        // Some fixtures already have the line ends of an editor on Windows.
        let plain = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        for variant in [
            plain.replace('\n', "\r\n"),
            format!("\u{feff}{plain}"),
            plain,
        ] {
            let lockfile = fixture.parse(variant.as_bytes());
            assert_eq!(lockfile.as_ref(), Ok(&whole), "{}", fixture.file.display());
        }
    }
}

/// Formats refuse the results of an editor error, a merge conflict or a broken download.
#[test]
fn texts_of_a_merge_or_not_utf_8_are_refused() {
    for fixture in readable() {
        let at = fixture.file.display();
        let with = |text: &[u8]| {
            let mut bytes = fixture.bytes.clone();
            bytes.extend_from_slice(text);
            bytes
        };
        let conflict = b"\n<<<<<<< HEAD\n=======\n>>>>>>> branch\n";

        for (what, bytes) in [
            ("nothing", Vec::new()),
            ("blanks", b" \n \n".to_vec()),
            ("bytes that are not UTF-8", with(b"\n# \xff\xfe\n")),
            ("NUL bytes", with(b"\n# \0\n")),
            ("a conflict", with(conflict)),
        ] {
            let is_legal = bytes.trim_ascii().is_empty() && EMPTY.contains(&fixture.format.id);
            assert_eq!(fixture.parse(&bytes).is_ok(), is_legal, "{at} with {what}");
        }
    }
}

#[test]
fn a_file_beyond_the_limit_is_refused() {
    let bytes = vec![b' '; patchgate_ecosystems::limits::MAX_FILE_BYTES + 1];
    let siblings = Siblings::new();

    for ecosystem in ALL {
        for format in formats(*ecosystem) {
            let path = format.files[0].replace('*', "x");
            let input = Input {
                path: &path,
                bytes: &bytes,
                siblings: &siblings,
            };
            let error = (format.parse)(&input).unwrap_err();

            assert!(
                error.reason.contains("MiB"),
                "{}: {}",
                format.id,
                error.reason
            );
        }
    }
}

#[test]
fn hostile_fixtures_are_refused_with_a_reason() {
    for fixture in all("refused") {
        let Err(error) = fixture.parse(&fixture.bytes) else {
            panic!("{} is read", fixture.file.display());
        };
        let at = fixture.file.display();

        assert!(!error.reason.is_empty(), "{at}");
        assert!(
            !error.reason.ends_with('.') && !error.reason.contains('\n'),
            "{at}: `{}` is not a fragment",
            error.reason
        );

        let lines = fixture.bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
        assert!(
            error
                .line
                .is_none_or(|line| line >= 1 && line as usize <= lines),
            "{at}: {:?}",
            error.line
        );
    }
}

/// A cut file is an error, or all of its packages are still read, or it is marked. A file of a line-based format
/// that is cut between two entries is valid by its grammar if nothing depends on the lost ones. In
/// that case the result must be consistent, and the cut must be at the end of a line.
#[test]
fn a_cut_file_never_passes_for_a_shorter_one() {
    for fixture in readable()
        .iter()
        .filter(|fixture| fixture.bytes.len() <= CUT_UP_TO)
    {
        let whole = fixture.parse(&fixture.bytes).expect("it is read");
        for cut in 0..fixture.bytes.len() {
            let Ok(lockfile) = fixture.parse(&fixture.bytes[..cut]) else {
                continue;
            };

            check_inventory(&lockfile, fixture);
            let free_form = FREE_FORM.contains(&fixture.format.id);
            // A marked file has no package that the whole file does not have.
            let is_marked = MARKED.contains(&fixture.format.id)
                && lockfile.skipped.iter().any(|entry| {
                    entry.loss == Loss::Package && entry.reason.starts_with("may be truncated")
                });
            if is_marked {
                for package in &lockfile.packages {
                    let is_known =
                        |it: &Package| (&it.name, &it.version) == (&package.name, &package.version);
                    assert!(whole.packages.iter().any(is_known), "{cut}: {package:?}");
                }
                continue;
            }
            // Otherwise, a cut is never taken for an entry that cannot be read.
            let skips_more = lockfile
                .skipped
                .iter()
                .any(|entry| !whole.skipped.contains(entry));
            assert!(
                free_form || !skips_more,
                "{} cut at byte {cut} is salvaged: {:?}",
                fixture.file.display(),
                lockfile.skipped
            );
            if lockfile.packages == whole.packages || free_form {
                continue;
            }
            // The line cannot name a package, so the file is as good as one that ends before it.
            let last = fixture.bytes[..cut].rsplit(|byte| *byte == b'\n').next();
            let names_none = |line: &[u8]| {
                NO_PACKAGE
                    .iter()
                    .any(|(id, verb)| *id == fixture.format.id && line.starts_with(verb.as_bytes()))
            };
            if last.is_some_and(names_none) {
                continue;
            }

            let at_line_end =
                fixture.bytes[cut] == b'\n' || (cut > 0 && fixture.bytes[cut - 1] == b'\n');
            assert!(
                LINE_BASED.contains(&fixture.format.id) && at_line_end,
                "{} cut at byte {cut} passes for a whole file with {} of {} packages",
                fixture.file.display(),
                lockfile.packages.len(),
                whole.packages.len()
            );
        }
    }
}

/// A change by an editor, a merge or an attacker.
fn mutate(bytes: &mut Vec<u8>, at: &Index, to: &Index, kind: u8, byte: u8) {
    if bytes.is_empty() {
        return;
    }

    let (a, b) = (at.index(bytes.len()), to.index(bytes.len()));
    let (from, until) = (a.min(b), a.max(b));

    match kind % 4 {
        0 => bytes[a] = byte,
        1 => bytes.insert(a, byte),
        2 => drop(bytes.drain(from..until)),
        _ => {
            let copied: Vec<u8> = bytes[from..until].to_vec();
            bytes.splice(b..b, copied);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_never_panic(
        which in any::<Index>(),
        changes in prop::collection::vec(
            (any::<Index>(), any::<Index>(), any::<u8>(), prop_oneof![
                any::<u8>(),
                prop::sample::select(b"\"[]{}=,.\n\\#".to_vec()),
            ]),
            1..4,
        ),
    ) {
        let mut fixtures = readable();
        let mut fixture = fixtures.swap_remove(which.index(fixtures.len()));
        for (at, to, kind, byte) in &changes {
            mutate(&mut fixture.bytes, at, to, *kind, *byte);
        }
        if let Ok(lockfile) = fixture.parse(&fixture.bytes) {
            check_inventory(&lockfile, &fixture);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,80}", other in "\\PC{0,40}") {
        for ecosystem in ALL {
            let files = ecosystem.files();
            for format in files.into_iter().flat_map(FileReader::formats) {
                let path = format.files[0].replace('*', "x");
                let siblings: Siblings = files
                    .into_iter()
                    .flat_map(FileReader::manifests)
                    .flat_map(|manifest| manifest.files)
                    .chain(files.into_iter().flat_map(FileReader::companions))
                    .map(|name| (name.replace('*', "x"), other.clone().into_bytes()))
                    .collect();
                let input = Input { path: &path, bytes: text.as_bytes(), siblings: &siblings };
                let _ = (format.parse)(&input);
            }
            for manifest in files.into_iter().flat_map(FileReader::manifests) {
                for pattern in manifest.files {
                    let path = pattern.replace('*', "x");
                    let input = Input {
                        path: &path,
                        bytes: text.as_bytes(),
                        siblings: &Siblings::new(),
                    };
                    let _ = (manifest.unresolved)(&input);
                }
            }
            let _ = ecosystem.normalize_name(&text);
            let _ = ecosystem.purl(&text, &other);
            if let Some(upgradable) = ecosystem.upgradable() {
                let _ = upgradable.parse_metadata(&other, text.as_bytes());
                let _ = upgradable.metadata_request(&text, &other);
                let _ = upgradable.admits(&text, &other);
                let _ = upgradable.raise_requirement(&text, &other);
            }
        }
    }

    #[test]
    fn normalising_twice_changes_nothing(name in "[@a-zA-Z0-9._/-]{1,20}") {
        for ecosystem in ALL {
            let once = ecosystem.normalize_name(&name).into_owned();
            prop_assert_eq!(ecosystem.normalize_name(&once), once.as_str());
        }
    }
}

use super::*;
use crate::Siblings;
use patchgate_model::Root;
use proptest::prelude::*;
use proptest::sample::Index;

const WORKSPACE: &str = include_str!("../fixtures/read/workspace-v4/Cargo.lock");
const FIXTURES: [&str; 7] = [
    WORKSPACE,
    include_str!("../fixtures/read/single-v3/Cargo.lock"),
    include_str!("../fixtures/read/root-v1/Cargo.lock"),
    include_str!("../fixtures/read/metadata-v1/Cargo.lock"),
    include_str!("../fixtures/read/short-v2/Cargo.lock"),
    include_str!("../fixtures/read/git-v4/Cargo.lock"),
    include_str!("../fixtures/read/replace-v4/Cargo.lock"),
];

fn read(text: &str, siblings: &Siblings) -> Result<Lockfile, ParseError> {
    parse(&Input {
        path: "Cargo.lock",
        bytes: text.as_bytes(),
        siblings,
    })
}

fn alone(text: &str) -> Lockfile {
    read(text, &Siblings::new()).expect("it is read")
}

/// The file as the TOML parser reads it.
fn toml(text: &str) -> Result<RawLock<'_>, ParseError> {
    raw::parse(text, &mut SkippedEntries::default())
}

/// A graph in lines: format, packages with line, scope and dependencies, then roots.
fn outline(lockfile: &Lockfile) -> String {
    let step = |index: PackageIndex| {
        let package = lockfile.package(index).expect("edges lead to packages");
        format!("{} {}", package.name, package.version)
    };
    let edge = |edge: &Edge| {
        let requirement = edge.requirement.as_deref().unwrap_or("-");
        format!(
            "\n    {} = {requirement} {:?} -> {}",
            edge.name,
            edge.kind,
            step(edge.to)
        )
    };

    let mut text = lockfile.format.to_string().to_owned();
    for package in &lockfile.packages {
        text += &format!(
            "\n{}: {} {} {:?} {:?}",
            package.line, package.name, package.version, package.scope, package.origin
        );
        if let Some(integrity) = &package.integrity {
            text += &format!(" {}", &integrity[..4]);
        }
        for to in &package.edges {
            text += &format!(" -> {}", step(to.to));
        }
    }

    for Root {
        name,
        manifest,
        edges,
    } in &lockfile.roots
    {
        text += &format!("\nroot {name} {manifest:?}");
        text.extend(edges.iter().map(edge));
    }

    text.to_string()
}

#[test]
fn version_1_with_a_root() {
    insta::assert_snapshot!(outline(&alone(FIXTURES[2])));
}

#[test]
fn version_1_with_checksums_in_metadata() {
    insta::assert_snapshot!(outline(&alone(FIXTURES[3])));
}

#[test]
fn version_2() {
    insta::assert_snapshot!(outline(&alone(FIXTURES[4])));
}

#[test]
fn version_3() {
    insta::assert_snapshot!(outline(&alone(FIXTURES[1])));
}

#[test]
fn sources_and_a_cycle_in_version_4() {
    insta::assert_snapshot!(outline(&alone(FIXTURES[5])));
}

#[test]
fn a_replaced_package_leads_to_its_replacement() {
    insta::assert_snapshot!(outline(&alone(FIXTURES[6])));
}

/// A lockfile that Cargo wrote, read with the two manifests of its project.
fn locked(lock: &str, own: &str, part: &str) -> String {
    let siblings = Siblings::from([
        ("Cargo.toml".to_owned(), own.as_bytes().to_vec()),
        (
            "crates/part/Cargo.toml".to_owned(),
            part.as_bytes().to_vec(),
        ),
    ]);
    outline(&read(lock, &siblings).expect("it is read"))
}

#[test]
fn sources_as_cargo_locks_them() {
    insta::assert_snapshot!(locked(
        include_str!("../fixtures/read/locked-v4/Cargo.lock"),
        include_str!("../fixtures/read/locked-v4/Cargo.toml"),
        include_str!("../fixtures/read/locked-v4/crates/part/Cargo.toml"),
    ));
}

/// The old format has the same content, except for the order of two packages with one name.
#[test]
fn an_older_cargo_locks_the_same() {
    let old = locked(
        include_str!("../fixtures/read/locked-v2/Cargo.lock"),
        include_str!("../fixtures/read/locked-v2/Cargo.toml"),
        include_str!("../fixtures/read/locked-v2/crates/part/Cargo.toml"),
    );
    let new = locked(
        include_str!("../fixtures/read/locked-v4/Cargo.lock"),
        include_str!("../fixtures/read/locked-v4/Cargo.toml"),
        include_str!("../fixtures/read/locked-v4/crates/part/Cargo.toml"),
    );
    let facts = |text: &str| {
        let mut lines: Vec<String> = text
            .lines()
            .skip(1)
            .map(|line| match line.split_once(": ") {
                // Without the line number.
                Some((number, rest)) if number.parse::<u32>().is_ok() => rest.to_owned(),
                _ => line.to_owned(),
            })
            .collect();
        lines.sort();

        lines
    };

    assert!(old.starts_with("cargo-lock-v2"));
    assert_eq!(facts(&old), facts(&new));
}

#[test]
fn a_replacement_as_cargo_locks_it() {
    insta::assert_snapshot!(locked(
        include_str!("../fixtures/read/replaced-v4/Cargo.lock"),
        include_str!("../fixtures/read/replaced-v4/Cargo.toml"),
        include_str!("../fixtures/read/replaced-v4/crates/part/Cargo.toml"),
    ));
}

#[test]
fn a_workspace_with_its_manifests() {
    let manifest = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
    let siblings = Siblings::from([
        manifest(
            "Cargo.toml",
            include_str!("../fixtures/read/workspace-v4/Cargo.toml"),
        ),
        manifest(
            "crates/core/Cargo.toml",
            include_str!("../fixtures/read/workspace-v4/crates/core/Cargo.toml"),
        ),
        manifest(
            "crates/tool/Cargo.toml",
            include_str!("../fixtures/read/workspace-v4/crates/tool/Cargo.toml"),
        ),
        manifest(
            "crates/left-out/Cargo.toml",
            include_str!("../fixtures/read/workspace-v4/crates/left-out/Cargo.toml"),
        ),
    ]);
    let lockfile = read(WORKSPACE, &siblings).expect("it is read");

    insta::assert_snapshot!(outline(&lockfile));
}

#[test]
fn every_refusal_says_what_is_wrong() {
    let header = "version = 4\n\n[[package]]\nname = \"a\"\n";
    let mut messages = String::new();
    for text in [
        "version = 4",
        "version = -1\n",
        "version = \"4\"\n",
        "package = 1\n",
        "{}",
        header,
        &format!("{header}version = 1\n"),
        &format!("{header}version = \"1.0.0\"\nversion = \"1.0.0\"\n"),
        &format!("{header}version = \"1.0.0\"\ndependencies = [\n \"b\",\n]\n"),
        &format!("{header}version = \"1.0.0\"\ndependencies = [\n"),
        &format!("{header}version = \"1.0.0\"\ndependencies = [1]\n"),
        "[[package]]\nname = \"a/b\"\nversion = \"1.0.0\"\n",
    ] {
        let error = read(text, &Siblings::new()).expect_err(text);
        let line = error.line.map_or("-".to_owned(), |line| line.to_string());
        messages += &format!("{line}: {error}\n");
    }

    insta::assert_snapshot!(messages);
}

/// One odd entry each, in a file whose last entry is whole.
#[test]
fn one_odd_entry_does_not_lose_the_file() {
    let around = |odd: &str| {
        format!(
            "version = 4\n\n[[package]]\nname = \"a\"\n{odd}\n[[package]]\nname = \"z\"\nversion = \"1.0.0\"\nsource = \"registry+https://index.invalid/\"\nchecksum = \"00\"\n"
        )
    };
    let mut seen = String::new();
    for text in [
        around("version = \"1.0.0\"\n").replace("version = 4", "version = 5"),
        around(""),
        around("version = 1\n"),
        around("version = \"1.0.0\"\nchecksum = 1\n"),
        around("version = \"1.0.0\"\nsource = \"ftp+x\"\n"),
        around("version = \"1.0.0\"\n").replace("\"a\"", "\"a/b\""),
        around("version = \"1.0.0\"\ndependencies = [\n \"b\",\n \"c 2.0.0\",\n]\n"),
        around("version = \"1.0.0\"\ndependencies = [\n \"a 1.0.0 registry\",\n]\n"),
        around("version = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n"),
        around("version = \"1.0.0\"\n") + "\n[metadata]\na = 1\n",
    ] {
        seen += &crate::snapshot_text::snapshot_text(&alone(&text));
        seen.push('\n');
    }

    insta::assert_snapshot!(seen);
}

/// Cargo reads such a file, and writes the checksums to the entries.
#[test]
fn checksums_may_be_in_entries_and_in_metadata() {
    let text = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://index.invalid/\"\nchecksum = \"00\"\n\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"registry+https://index.invalid/\"\n\n[metadata]\n\"checksum b 1.0.0 (registry+https://index.invalid/)\" = \"11\"\n";
    let lockfile = alone(text);
    let hashes: Vec<_> = lockfile
        .packages
        .iter()
        .map(|package| package.integrity.as_deref())
        .collect();

    assert_eq!(hashes, [Some("00"), Some("11")]);
    assert!(lockfile.skipped.is_empty());
}

/// Cargo sorts packages, so a package after the last one was lost to a cut.
#[test]
fn a_dependency_beyond_the_last_package_is_a_cut() {
    let cut = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\n \"z\",\n]\n\n[[package]]\nname = \"y\"\nversion = \"1.0.0\"\n";
    let error = read(cut, &Siblings::new()).unwrap_err();
    assert_eq!(
        error.reason,
        "package `a` depends on `z`, which is not in the file"
    );
}

#[test]
fn an_ambiguous_dependency_is_skipped() {
    let package = |name: &str, version: &str, rest: &str| {
        format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{rest}")
    };
    let from = |registry: &str| format!("source = \"registry+https://{registry}.invalid/\"\n");
    let asks = |dependency: &str| format!("dependencies = [\n \"{dependency}\",\n]\n");
    let (one, other) = (from("one"), from("other"));

    for (first, second, ambiguous, clear) in [
        (("1.0.0", &one), ("2.0.0", &one), "a", "a 2.0.0"),
        (
            ("1.0.0", &one),
            ("1.0.0", &other),
            "a 1.0.0",
            "a 1.0.0 (registry+https://other.invalid/)",
        ),
    ] {
        let text = |dependency: &str| {
            let (a, b) = (
                package("a", first.0, first.1),
                package("a", second.0, second.1),
            );
            format!(
                "version = 4\n{a}{b}{}",
                package("b", "1.0.0", &asks(dependency))
            )
        };
        let lockfile = alone(&text(ambiguous));
        let [skipped] = &lockfile.skipped[..] else {
            panic!("{:?}", lockfile.skipped)
        };
        assert_eq!(skipped.loss, patchgate_model::Loss::Edge);
        assert!(
            skipped
                .reason
                .ends_with("which matches more than one package"),
            "{}",
            skipped.reason
        );
        let lockfile = read(&text(clear), &Siblings::new()).expect(clear);
        let edge = &lockfile.packages[2].edges[0];
        assert_eq!((edge.to.0, &*edge.name), (1, "a"));
    }
}

#[test]
fn what_cargo_ignores_is_ignored() {
    let text = WORKSPACE.replace("version = 4\n", "version = 4\nfuture = [1, {a = 2}]\n");
    assert_eq!(
        outline(&alone(&text)).lines().count(),
        outline(&alone(WORKSPACE)).lines().count()
    );
}

#[test]
fn the_fast_reader_accepts_lockfiles_of_cargo() {
    for text in FIXTURES {
        let fast = scan::scan(text).expect("Cargo's own spelling");
        assert_eq!(fast, toml(text).expect("it is TOML"));
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test reads shared files")]
fn the_fast_reader_accepts_the_lockfiles_of_the_corpus() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let mut count = 0;
    let files = patchgate_testkit::files_below(&shared.join("corpus"));
    for path in files.iter().filter(|path| path.ends_with("Cargo.lock")) {
        let text = std::fs::read_to_string(path).expect("it is text");
        let fast = scan::scan(&text).expect("Cargo's own spelling");
        assert_eq!(fast, toml(&text).expect("it is TOML"));
        count += 1;
    }

    assert!(count >= 7, "only {count} lockfiles");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The TOML parser reads every text that the fast reader accepts, with the same result.
    #[test]
    fn the_fast_reader_never_differs_from_toml(
        which in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), prop::sample::select(vec![
            "", "\n", "\r\n", "\r", " ", "\t", "\"", "\\", "\\n", "'", "#", "# x\n", "=", "[", "]", ",", "\0", "ä", "\u{7f}",
            "version = 4\n", "version = 04\n", "name = \"x\"\n", "name = 'x'\n", "[root]\n", "[metadata]\n",
            "[[package]]\n", "[[patch.unused]]\n", "[package]\n", "dependencies = []\n", "dependencies = [\n", "]\n",
            " \"left\",\n", "\"a\" = \"b\"\n", "source = \"x\"\n", "\n\n",
        ]), 0usize..12), 1..4),
    ) {
        let mut text = FIXTURES[which.index(FIXTURES.len())].to_owned();
        for (at, insert, remove) in &changes {
            // Half of the changes are at the start of a line, where they affect the grammar most.
            let mut at = at.index(text.len() + 1);
            if remove % 2 == 0 {
                at = text[..floor(&text, at)].rfind('\n').map_or(0, |end| end + 1);
            }
            let (from, until) = (floor(&text, at), floor(&text, (at + remove).min(text.len())));
            text.replace_range(from..until.max(from), insert);
        }

        if let Some(fast) = scan::scan(&text) {
            let slow = toml(&text);
            prop_assert_eq!(Ok(fast), slow, "{}", text);
        }
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// The file that Cargo 1.95 writes for a workspace without members.
#[test]
fn a_workspace_without_members_locks_nothing() {
    let text = "# This file is automatically @generated by Cargo.\n\
                # It is not intended for manual editing.\nversion = 4\n";
    let lockfile = read(text, &Siblings::new()).unwrap();

    assert!(lockfile.packages.is_empty() && lockfile.skipped.is_empty());
}

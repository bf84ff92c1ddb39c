use crate::gem::registry;
use crate::test_graph::{Case, add};
use crate::{Release, TargetGraph, TargetNode};

const PLAIN: &str = include_str!("../fixtures/read/bundler/Gemfile.lock");
const PLAIN_MANIFEST: &str = include_str!("../fixtures/read/bundler/Gemfile");
const CHECKSUMS: &str = include_str!("../fixtures/read/checksums/Gemfile.lock");
const CHECKSUMS_MANIFEST: &str = include_str!("../fixtures/read/checksums/Gemfile");

fn locked(text: &str, manifest: &str) -> Case {
    Case::new("Gemfile.lock", text, &[("Gemfile", manifest)])
}

/// The release of a document of the compact index with these lines.
fn release(name: &str, lines: &str) -> Release {
    let body = format!("---\n{lines}\n");
    registry::parse(name, body.as_bytes()).unwrap().remove(0)
}

fn hash(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// Gives every copy of a gem a release.
fn set(target: &mut TargetGraph, name: &str, release: &Release) {
    let own = |node: &&mut TargetNode| node.name == name;
    for node in target.nodes.iter_mut().filter(own) {
        node.release = Some(release.clone());
    }
}

fn raise(target: &mut TargetGraph, name: &str, requirement: &str) {
    for edge in target.roots[0].iter_mut().filter(|edge| edge.name == name) {
        edge.requirement = Some(requirement.to_owned());
    }
}

/// The lines that differ, in the order of the files.
fn difference(before: &str, after: &str) -> String {
    let mut out = Vec::new();
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.lines().collect(), after.lines().collect());
    out.extend(
        before
            .iter()
            .filter(|line| !after.contains(line))
            .map(|line| format!("-{line}")),
    );
    out.extend(
        after
            .iter()
            .filter(|line| !before.contains(line))
            .map(|line| format!("+{line}")),
    );
    out.join("\n")
}

#[test]
fn an_unchanged_graph_gives_the_same_bytes() {
    for (text, manifest) in [(PLAIN, PLAIN_MANIFEST), (CHECKSUMS, CHECKSUMS_MANIFEST)] {
        for text in [
            text.to_owned(),
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
        ] {
            let case = locked(&text, manifest);
            assert_eq!(case.write(&case.target()).unwrap(), text);
            // Cut and printed again.
            let plain = text.trim_start_matches('\u{feff}');
            let document = super::Document::parse(plain).unwrap();
            assert_eq!(document.print(false), plain);
        }
    }
}

#[test]
fn a_gem_gets_another_version_with_its_dependencies() {
    let case = locked(PLAIN, PLAIN_MANIFEST);
    let mut target = case.target();
    set(
        &mut target,
        "rack-test",
        &release(
            "rack-test",
            "2.2.0 zeitwerk:>= 0,rack:< 4&>= 1.3,bundler:>= 1.2|",
        ),
    );
    add(&mut target, "zeitwerk", release("zeitwerk", "2.6 |"));
    let written = case.write(&target).unwrap();
    insta::assert_snapshot!(difference(PLAIN, &written));

    // The order of the file, not that of the changes.
    let names: Vec<&str> = written
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert!(
        names.ends_with(&["rspec-support (3.12.1)", "zeitwerk (2.6)"]),
        "{names:?}"
    );
}

#[test]
fn line_ends_and_the_end_of_the_file_stay() {
    for text in [PLAIN.replace('\n', "\r\n"), PLAIN.trim_end().to_owned()] {
        let case = locked(&text, PLAIN_MANIFEST);
        let mut target = case.target();
        set(&mut target, "rack", &release("rack", "3.0.9 |"));
        assert_eq!(
            case.write(&target).unwrap(),
            text.replace("rack (3.0.8)", "rack (3.0.9)")
        );
    }
}

#[test]
fn an_odd_order_stays() {
    let text = PLAIN.replace("    racc (1.7.1)\n", "").replace(
        "    rspec-support (3.12.1)\n",
        "    rspec-support (3.12.1)\n    racc (1.7.1)\n",
    );
    let case = locked(&text, PLAIN_MANIFEST);
    let mut target = case.target();
    set(&mut target, "racc", &release("racc", "1.7.3 |"));
    assert_eq!(
        case.write(&target).unwrap(),
        text.replace("racc (1.7.1)", "racc (1.7.3)")
    );
}

#[test]
fn archives_of_several_platforms_change_together() {
    let case = locked(CHECKSUMS, CHECKSUMS_MANIFEST);
    let (a, b, c) = (hash('a'), hash('b'), hash('c'));
    let lines = format!(
        "1.16.2 mini:~> 2.8,racc:~> 1.4|checksum:{c}\n\
         1.16.2-arm64-darwin racc:~> 1.4|checksum:{a}\n\
         1.16.2-java racc:~> 1.4|checksum:{c}\n\
         1.16.2-x86_64-linux racc:~> 1.4|checksum:{b}"
    );
    let mut target = case.target();
    set(&mut target, "nokogiri", &release("nokogiri", &lines));
    // The file is for Java, too, but has no archive for it.
    insta::assert_snapshot!(case.write(&target).unwrap_err());

    let text = CHECKSUMS.replace("  java\n", "");
    let case = locked(&text, CHECKSUMS_MANIFEST);
    insta::assert_snapshot!(difference(&text, &case.write(&target).unwrap()));
}

#[test]
fn gems_that_nothing_needs_leave_with_their_hashes() {
    let text = CHECKSUMS.replace("  java\n", "");
    let case = locked(&text, CHECKSUMS_MANIFEST);
    let mut target = case.target();
    let (a, b) = (hash('a'), hash('b'));
    let lines = format!("1.17-arm64-darwin |checksum:{a}\n1.17-x86_64-linux |checksum:{b}");
    set(&mut target, "nokogiri", &release("nokogiri", &lines));
    target.nodes.retain(|node| node.name != "racc");
    insta::assert_snapshot!(difference(&text, &case.write(&target).unwrap()));
}

#[test]
fn a_raised_requirement_is_written_as_bundler_does() {
    let case = locked(PLAIN, PLAIN_MANIFEST);
    let mut target = case.target();
    set(&mut target, "rack", &release("rack", "4.1 |"));
    let unsatisfied = case.write(&target).unwrap_err();
    assert_eq!(unsatisfied, "`rack 4.1` does not satisfy `>= 2.2, < 4`");

    raise(&mut target, "rack", "< 5, >= 4.1");
    let unknown = case.write(&target).unwrap_err();
    assert_eq!(
        unknown,
        "the Gemfile does not require `rack` as `>= 4.1, < 5`"
    );

    let manifest = PLAIN_MANIFEST.replace(r#"">= 2.2", "< 4""#, r#"">= 4.1", "< 5""#);
    let case = case.edited("Gemfile", &manifest);
    insta::assert_snapshot!(difference(PLAIN, &case.write(&target).unwrap()));
}

#[test]
fn what_is_not_exact_is_refused() {
    let reason = |text: &str, change: &dyn Fn(&mut TargetGraph)| {
        locked(text, PLAIN_MANIFEST).changed(change).unwrap_err()
    };
    let refusals = [
        reason(PLAIN, &|target| {
            set(target, "rack", &release("rack", "3.1 absent:>= 0|"))
        }),
        reason(PLAIN, &|target| {
            set(target, "tool", &release("tool", "0.4 |"))
        }),
        reason(PLAIN, &|target| {
            set(target, "racc", &release("racc", "1.8-java |"))
        }),
        reason(PLAIN, &|target| {
            let release = Release {
                version: "3.1".to_owned(),
                ..Release::default()
            };
            set(target, "rack", &release);
        }),
        reason(
            &PLAIN.replace(
                "GEM\n",
                "GEM\n  remote: https://other.invalid/\n  specs:\n    a (1.0)\n\nGEM\n",
            ),
            &|target| {
                add(target, "new", release("new", "1.0 |"));
            },
        ),
        reason(&PLAIN.replace("PLATFORMS\n", "PLATFORMS\r\n"), &|target| {
            set(target, "rack", &release("rack", "3.1 |"));
        }),
        reason(CHECKSUMS, &|target| {
            set(target, "rake", &release("rake", "13.2 |"))
        }),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "tests read the corpus from files"
)]
fn every_lockfile_of_the_corpus_is_cut_and_printed_as_it_was() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let Ok(repositories) = std::fs::read_dir(root) else {
        return;
    };
    for repository in repositories.flatten() {
        for name in ["Gemfile.lock", "docs/Gemfile.lock"] {
            let Ok(text) = std::fs::read_to_string(repository.path().join(name)) else {
                continue;
            };
            let document = super::Document::parse(&text).unwrap();
            assert_eq!(document.print(false), text, "{repository:?} {name}");
        }
    }
}

//! Whole files: the contents of the fixtures, and the traps of the formats.

use patchgate_model::{Lockfile, Loss, Origin};

use super::Go;
use crate::snapshot_text::snapshot_text;
use crate::test_files::read;
use crate::{Ecosystem as _, ParseError};

macro_rules! fixture {
    ($path:literal) => {
        (
            $path,
            include_str!(concat!("fixtures/read/", $path)).to_owned(),
        )
    };
}

fn go_mod(text: &str) -> Result<Lockfile, ParseError> {
    read(&[("go.mod", text.to_owned())])
}

fn names(lockfile: &Lockfile) -> Vec<String> {
    lockfile
        .packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version))
        .collect()
}

/// The last line states neither a module nor its version, so nothing that counts can be cut from it.
#[test]
fn a_last_line_may_lack_its_line_break() {
    let lockfile = read(&[fixture!("no-line-break/go.mod")]).unwrap();
    assert!(
        lockfile
            .packages
            .iter()
            .any(|package| package.name == "golang.org/x/text")
    );

    for (last, is_whole) in [
        ("module a", true),
        ("go 1.20", true),
        ("go 1.21.3", true),
        ("go 1.2", false),
        ("require a v1.2.3", false),
        ("require a v1.2.3 // indirect", false),
        ("require a v0.0.0-20200101000000-0123456789ab", false),
        ("replace a => ./b", false),
    ] {
        let start = if last.starts_with("module") {
            ""
        } else {
            "module m\n"
        };
        let read = go_mod(&format!("{start}{last}"));
        assert_eq!(read.is_ok(), is_whole, "{last}: {read:?}");
    }
}

#[test]
fn a_tool_is_a_dependency_for_development() {
    let lockfile = read(&[fixture!("tool/go.mod"), fixture!("tool/go.sum")]).unwrap();
    insta::assert_snapshot!(snapshot_text(&lockfile));
}

#[test]
fn before_go_1_17_the_sums_complete_the_modules() {
    let lockfile = read(&[fixture!("old/go.mod"), fixture!("old/go.sum")]).unwrap();
    insta::assert_snapshot!(snapshot_text(&lockfile));
}

#[test]
fn replaced_modules_are_what_replaces_them() {
    let lockfile = read(&[fixture!("replaced/go.mod"), fixture!("replaced/go.sum")]).unwrap();
    insta::assert_snapshot!(snapshot_text(&lockfile));
}

#[test]
fn vendored_modules_are_those_that_are_built() {
    let lockfile = read(&[
        fixture!("replaced/vendor/modules.txt"),
        fixture!("replaced/go.mod"),
    ])
    .unwrap();
    insta::assert_snapshot!(snapshot_text(&lockfile));
}

#[test]
fn a_workspace_claims_its_members() {
    let members = [
        fixture!("workspace/go.work"),
        fixture!("workspace/app/go.mod"),
        fixture!("workspace/lib/go.mod"),
    ];
    let lockfile = read(&members).unwrap();

    insta::assert_snapshot!(snapshot_text(&lockfile));

    let [work, app, lib] = members;
    let vendored = fixture!("workspace/vendor/modules.txt");
    let lockfile = read(&[vendored, work, app, lib]).unwrap();

    insta::assert_snapshot!(snapshot_text(&lockfile));
}

#[test]
fn a_member_outside_the_repository_is_not_passed_over() {
    let lockfile = read(&[(
        "go.work",
        "go 1.22\n\nuse (\n\t.\n\t../other\n)\n".to_owned(),
    )]);
    insta::assert_snapshot!(snapshot_text(&lockfile.unwrap()));
}

/// The release or the minimum of the standard library, depending on the `go` and `toolchain` lines.
#[test]
fn the_later_of_go_and_toolchain_is_the_standard_library() {
    for (lines, versions) in [
        ("", vec![]),
        ("go 1.20", vec!["stdlib >=1.20"]),
        ("go 1.21rc2", vec!["stdlib >=1.21rc2"]),
        (
            "go 1.21\ntoolchain go1.21.0",
            vec!["stdlib 1.21.0", "toolchain 1.21.0"],
        ),
        ("go 1.22.5\ntoolchain go1.22.1", vec!["stdlib >=1.22.5"]),
        (
            "go 1.22\ntoolchain go1.23rc1",
            vec!["stdlib 1.23rc1", "toolchain 1.23rc1"],
        ),
        (
            "go 1.22\ntoolchain go1.22.3-acme",
            vec!["stdlib 1.22.3", "toolchain 1.22.3"],
        ),
        ("go 1.22\ntoolchain default", vec!["stdlib >=1.22"]),
    ] {
        let lockfile = go_mod(&format!("module m\n{lines}\n")).unwrap();
        let mut read = names(&lockfile);
        let minimum = lockfile.unresolved.iter();
        read.extend(minimum.map(|one| format!("{} {}", one.name, one.requirement)));
        assert_eq!(read, versions, "{lines}");
    }
}

#[test]
fn of_two_requirements_the_higher_counts() {
    let lockfile = go_mod(
        "module m\nrequire a.invalid/x v1.10.0 // indirect\nrequire a.invalid/x v1.9.0\n\
         require a.invalid/X v1.0.0\n",
    )
    .unwrap();
    assert_eq!(
        names(&lockfile),
        ["a.invalid/x v1.10.0", "a.invalid/X v1.0.0"]
    );
    assert_eq!(lockfile.packages[0].line, 2);
    assert_eq!(lockfile.roots[0].edges.len(), 2);
}

#[test]
fn a_query_is_no_version() {
    let lockfile = go_mod(
        "module m\nrequire (\n\ta.invalid/x master\n\ta.invalid/y v1.2\n\ta.invalid/z v1.0.0\n)\n\
         exclude a.invalid/z v1.0.0\nreplace a.invalid/w => a.invalid/v main\n\
         require a.invalid/w v1.0.0\n",
    )
    .unwrap();
    insta::assert_snapshot!(snapshot_text(&lockfile));
}

#[test]
fn a_replaced_version_goes_before_all_versions() {
    let lockfile = go_mod(
        "module m\nrequire a.invalid/x v1.0.0\nrequire a.invalid/y v1.0.0\n\
         replace (\n\ta.invalid/x => a.invalid/all v1.1.0\n\
         \ta.invalid/x v1.0.0 => a.invalid/x v1.0.1\n\
         \ta.invalid/y v2.0.0 => a.invalid/never v1.0.0\n\
         \ta.invalid/other => ../other\n)\n",
    )
    .unwrap();
    assert_eq!(
        names(&lockfile),
        ["a.invalid/x v1.0.1", "a.invalid/y v1.0.0"]
    );
    assert_eq!(lockfile.packages[0].line, 6);
    assert_eq!(lockfile.packages[0].alias, None);
}

/// Sums of versions that nothing uses any more: of lower versions, of a replaced or excluded
/// module, and of a module that the file lists at another version.
#[test]
fn sums_left_from_before_are_no_packages() {
    let hash = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let sums: String = [
        "a.invalid/direct v1.9.0",
        "a.invalid/other v1.9.0",
        "a.invalid/other v1.10.0",
        "a.invalid/other v1.11.0/go.mod",
        "a.invalid/only v1.0.0/go.mod",
        "a.invalid/replaced v1.0.0",
        "a.invalid/excluded v1.0.0",
    ]
    .map(|sum| format!("{sum} {hash}\n"))
    .concat();

    let text = "module m\ngo 1.16\nrequire a.invalid/direct v1.8.0\n\
                replace a.invalid/replaced => ./folder\nexclude a.invalid/excluded v1.0.0\n";
    let with = |go: &str, sums: &str| {
        read(&[
            ("x/go.mod", text.replace("1.16", go)),
            ("x/go.sum", sums.to_owned()),
        ])
    };

    assert_eq!(
        names(&with("1.16", &sums).unwrap()),
        ["a.invalid/direct v1.8.0", "a.invalid/other v1.10.0",]
    );
    assert_eq!(
        names(&with("1.17", &sums).unwrap()),
        ["a.invalid/direct v1.8.0"]
    );

    // A sum that cannot be read can be the one of a module that nothing else names.
    let lockfile = with("1.16", &format!("a.invalid/x v1.0.0\n{sums}")).unwrap();
    assert_eq!(lockfile.packages.len(), 2);
    let skipped = &lockfile.skipped[0];
    assert_eq!(
        (skipped.loss, skipped.reason.as_str()),
        (
            Loss::Package,
            "is not complete without `go.sum`, which has a line that is not a module, a version \
             and a hash at line 1"
        )
    );

    let alone = |go: &str| {
        read(&[("go.mod", text.replace("1.16", go))])
            .unwrap()
            .direct_only
    };
    assert!(alone("1.16") && !alone("1.17"));
    assert!(!with("1.16", &sums).unwrap().direct_only);

    // If `go.mod` lists all modules, sums only add hashes.
    let lockfile = with("1.17", "a.invalid/x v1.0.0\n").unwrap();
    assert_eq!(lockfile.skipped[0].loss, Loss::Detail);
}

#[test]
fn a_folder_in_place_of_a_module_is_the_users_own() {
    let lockfile = read(&[fixture!("replaced/go.mod")]).unwrap();
    let errors = lockfile
        .packages
        .iter()
        .find(|package| package.name == "github.com/pkg/errors");

    assert_eq!(
        errors.unwrap().origin,
        Origin::Path(Some("./forks/errors".to_owned()))
    );
}

#[test]
fn what_go_refuses_is_reported() {
    for (text, reason) in [
        ("go 1.20\n", "does not name its module"),
        ("module a\nmodule b\n", "states its module twice"),
        ("module a b\n", "has a `module` with 2 words instead of one"),
        ("module m\ngo 1.20\ngo 1.21\n", "has a second `go` line"),
        (
            "module m\ngo latest\n",
            "asks for the invalid Go version `latest`",
        ),
        (
            "module m\ntoolchain 1.22\n",
            "names the invalid toolchain `1.22`",
        ),
        (
            "module m\nrequire a\n",
            "has a `require` that is not a module and a version",
        ),
        (
            "module m\nrequire a/../b v1.0.0\n",
            "names the module \"a/../b\", which Go does not allow",
        ),
        (
            "module m\nreplace a b\n",
            "has a `replace` that is not `module => replacement`",
        ),
        (
            "module m\nreplace a => b\n",
            "replaces a module with something that is neither a directory nor a module with a version",
        ),
        (
            "module m\nreplace a => b v1.0.0\nreplace a => b v1.0.1\n",
            "replaces `a` twice, with different modules",
        ),
    ] {
        // A file with other content is read without the odd line.
        let reported = match go_mod(text) {
            Ok(lockfile) => lockfile.skipped.into_iter().map(|it| it.reason).collect(),
            Err(error) => vec![error.reason],
        };
        assert!(
            reported.iter().any(|it| it == reason),
            "{text}: {reported:?}"
        );
    }

    let unknown = go_mod("module m\nfuture (\n\tx y z\n)\ngodebug default=go1.21\n");
    assert!(unknown.is_ok(), "a directive of a later Go");
}

#[test]
fn names_differ_by_case_and_versions_are_kept_as_written() {
    assert_eq!(
        Go.normalize_name("github.com/Masterminds/vcs"),
        "github.com/Masterminds/vcs"
    );
    assert_eq!(
        Go.purl("github.com/docker/distribution", "v2.7.1+incompatible"),
        "pkg:golang/github.com/docker/distribution@v2.7.1%2Bincompatible"
    );
    assert!(Go.compare_versions("v1.2.3", "1.2.3").unwrap().is_eq());
    assert!(Go.compare_versions("master", "1.2.3").is_err());
}

#[test]
fn an_odd_last_directive_is_skipped_in_a_file_that_is_whole() {
    let start = "module m\nrequire (\n\ta v1.2.3\n";
    let odd = format!("{start}\tb is bad\n)\n");
    let twice = format!("{start})\nreplace (\n\ta => ./b\n\ta => ./c\n)\n");
    for (text, line) in [(odd, 4), (twice, 7)] {
        let lockfile = go_mod(&text).unwrap();
        assert_eq!(lockfile.packages.len(), 1, "{text}");
        let skipped: Vec<u32> = lockfile.skipped.iter().map(|entry| entry.line).collect();
        assert_eq!(skipped, [line], "{text}");
    }
}

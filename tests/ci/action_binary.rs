//! How the action gets its binary: the steps of `action.yml`, run exactly as the file has them.

use std::os::unix::fs::symlink;
use std::process::Command;

use patchgate_syntax::{Node, yaml};
use patchgate_testkit::{HttpServer, Response, Tools};

use crate::ci::action::run_workflow;
use crate::support::ci_step::{Step, program};
use crate::support::release_archive::{
    ARCHIVE, HERE, PROGRAM, archive, built, bytes_of, packed, release,
};
use crate::support::sandbox::{Run, Sandbox, root};

/// Runs the download step against a server.
#[track_caller]
fn download(sandbox: &Sandbox, server: &str, repository: &str, release: &str) -> Run {
    let temp = sandbox.path("temp");
    std::fs::create_dir_all(&temp).unwrap();

    Step::of("action.yml", "curl").run(
        sandbox,
        "repo",
        &[
            ("github.server_url", server),
            ("github.action_repository", repository),
            ("inputs.version || github.action_ref", release),
            ("runner.os", "Linux"),
            ("runner.arch", HERE.0),
            ("runner.temp", temp.to_str().unwrap()),
        ],
    )
}

/// Holds the step to refusing this release with this reason, and to leaving nothing behind.
#[track_caller]
fn refused(sandbox: &Sandbox, archive: Response, checksum: Option<Vec<u8>>, reason: &str) {
    let server = release(archive, checksum);
    // An earlier job may have left a program on a runner that is reused.
    program(&sandbox.path("temp/patchgate-release/patchgate"), PROGRAM);
    let run = download(sandbox, &server.url(), "owner/patchgate", "v0.1.0").expect(1);

    assert!(run.stdout.starts_with("::error::"), "{run:?}");
    assert!(run.stdout.contains(reason), "{run:?}");
    assert!(!run.stdout.contains("was run"), "{run:?}");

    let left: Vec<_> = std::fs::read_dir(sandbox.path("temp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!sandbox.path("patchgate").exists());
}

#[test]
fn the_action_runs_the_binary_that_the_release_workflow_packed() {
    let sandbox = built();
    let (archive, checksum) = packed(&sandbox);
    let server = release(bytes_of(archive), Some(checksum));
    download(&sandbox, &server.url(), "owner/patchgate", "v0.1.0").expect(0);
    let output = Command::new(sandbox.path("temp/patchgate-release/patchgate"))
        .arg("action")
        .output()
        .unwrap();

    assert_eq!(output.stdout, b"patchgate was run with action\n");
}

/// Runs a workflow that uses the action as `owner/patchgate@REFERENCE` of this server.
#[track_caller]
pub(crate) fn run_released(
    tools: &Tools,
    sandbox: &Sandbox,
    server: &HttpServer,
    reference: &str,
    workflow: &str,
    arguments: &[&str],
) -> Run {
    let action = sandbox.path("action");
    std::fs::create_dir_all(&action).unwrap();
    std::fs::copy(root().join("action.yml"), action.join("action.yml")).unwrap();
    let action = format!(
        "--local-repository=owner/patchgate@{reference}={}",
        action.display()
    );
    let server = format!("--env=GITHUB_SERVER_URL={}", server.url());
    let mut all = vec![action.as_str(), &server];
    all.extend(arguments);

    run_workflow(tools, sandbox, workflow, &all).expect(0)
}

#[test]
fn a_workflow_that_names_a_release_runs_its_binary() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let sandbox = built();
    let (archive, checksum) = packed(&sandbox);
    let server = release(bytes_of(archive), Some(checksum));

    // Pinned to a commit with the release in a comment, as `patchgate init` writes it.
    let commit = "0123456789abcdef0123456789abcdef01234567";
    for (reference, version) in [("v0.1.0", ""), (commit, "v0.1.0")] {
        let workflow = format!(
            "on: push
permissions: {{}}
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: owner/patchgate@{reference}
        with:
          version: '{version}'
"
        );
        let run = run_released(&tools, &sandbox, &server, reference, &workflow, &[]);

        assert!(
            run.stdout.contains("patchgate was run with action"),
            "{run:?}"
        );
    }
}

#[test]
fn every_archive_of_the_release_is_named_after_a_runner() {
    let text = std::fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let tree = yaml(&text).unwrap();
    let build = tree.get("jobs").and_then(|jobs| jobs.get("build")).unwrap();
    let matrix = build.get("strategy").and_then(|it| it.get("matrix"));
    let include = matrix.and_then(|matrix| matrix.get("include")).unwrap();
    let built: Vec<(&str, &str)> = include
        .items()
        .iter()
        .map(|entry| {
            let text = |key| entry.get(key).and_then(Node::text).unwrap();
            (text("runner"), text("archive"))
        })
        .collect();

    // `runner.os` and `runner.arch` of these runners, as GitHub documents them.
    let named = [
        ("ubuntu-22.04", "patchgate-Linux-X64"),
        ("ubuntu-22.04-arm", "patchgate-Linux-ARM64"),
        ("macos-15", "patchgate-macOS-ARM64"),
    ];
    assert_eq!(built, named);

    let upload = Step::of(".github/workflows/release.yml", "gh release upload");
    for file in ["\"$ARCHIVE.tar.gz\"", "\"$ARCHIVE.tar.gz.sha256\""] {
        assert!(upload.script.contains(file), "{file} is not uploaded");
    }
}

#[test]
fn a_release_has_the_version_of_its_binary() {
    let sandbox = Sandbox::new();
    let binary = sandbox.path("build/target/release/patchgate");
    std::fs::create_dir_all(binary.parent().unwrap()).unwrap();
    symlink(env!("CARGO_BIN_EXE_patchgate"), binary).unwrap();
    let check = Step::of(".github/workflows/release.yml", "--version");
    let tag = concat!("v", env!("CARGO_PKG_VERSION"));
    check
        .run(&sandbox, "build", &[("github.ref_name", tag)])
        .expect(0);
    let run = check
        .run(&sandbox, "build", &[("github.ref_name", "v999.0.0")])
        .expect(1);

    assert!(run.stdout.contains("the tag is v999.0.0"), "{run:?}");
}

#[test]
fn a_wrong_checksum_is_refused() {
    let sandbox = built();
    let (archive, _) = packed(&sandbox);
    let checksum = format!("{}  {ARCHIVE}\n", "0".repeat(64)).into_bytes();
    refused(
        &sandbox,
        bytes_of(archive),
        Some(checksum),
        "does not have the checksum",
    );
}

#[test]
fn a_checksum_file_without_a_checksum_is_refused() {
    let sandbox = built();
    let (archive, _) = packed(&sandbox);
    for text in [
        "",
        "\n",
        "<html>",
        "--help",
        "d41d8cd98f00b204e9800998ecf8427e",
    ] {
        let checksum = Some(text.as_bytes().to_vec());
        refused(&sandbox, bytes_of(archive.clone()), checksum, "no checksum");
    }

    refused(&sandbox, bytes_of(archive), None, "could not download");
}

#[test]
fn a_truncated_download_is_refused() {
    let sandbox = built();
    let (archive, checksum) = packed(&sandbox);
    let whole = bytes_of(archive.clone());
    refused(
        &sandbox,
        whole.cut_in_half(),
        Some(checksum.clone()),
        "could not download",
    );

    // Cut before it was served, so that its length is no lie.
    let half = archive[..archive.len() / 2].to_vec();
    refused(
        &sandbox,
        bytes_of(half),
        Some(checksum),
        "does not have the checksum",
    );
}

#[test]
fn a_release_that_does_not_exist_is_refused() {
    let sandbox = built();
    let (_, checksum) = packed(&sandbox);
    refused(
        &sandbox,
        Response::status(404),
        Some(checksum.clone()),
        "set the input version to a release that has it",
    );
    refused(
        &sandbox,
        Response::status(500),
        Some(checksum),
        "could not download",
    );
}

#[test]
fn an_archive_of_anything_but_one_file_is_refused() {
    let sandbox = built();
    let packed = sandbox.path("build/packed");
    program(&packed.join("patchgate"), PROGRAM);
    program(&packed.join("other"), PROGRAM);
    program(&packed.join("folder/patchgate"), PROGRAM);
    program(&packed.join("../patchgate"), PROGRAM);
    symlink("/bin/true", packed.join("link")).unwrap();
    let refuse = |arguments: &str, reason: &str| {
        let (bytes, checksum) = archive(&sandbox, arguments);
        refused(&sandbox, bytes_of(bytes), Some(checksum), reason);
    };
    for beside in [
        "../patchgate",
        "patchgate ../patchgate",
        "/bin/true patchgate",
        "patchgate link",
        "folder/patchgate",
        "other",
    ] {
        refuse(beside, "something other than the file patchgate");
    }

    std::fs::remove_file(packed.join("patchgate")).unwrap();
    symlink("/bin/true", packed.join("patchgate")).unwrap();
    refuse("patchgate", "is not a file or is empty");
    std::fs::remove_file(packed.join("patchgate")).unwrap();
    std::fs::write(packed.join("patchgate"), "").unwrap();
    refuse("patchgate", "is not a file or is empty");
}

#[test]
fn only_a_forge_on_plain_http_is_downloaded_from_without_tls() {
    let sandbox = built();
    let (archive, checksum) = packed(&sandbox);
    let server = release(bytes_of(archive), Some(checksum));
    // Curl takes the scheme in any case; the step takes it as plain HTTP as runners write it only.
    let address = server.url().replace("http://", "HTTP://");
    let run = download(&sandbox, &address, "owner/patchgate", "v0.1.0").expect(1);
    assert!(run.stderr.contains("disabled"), "{run:?}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_platform_without_a_release_is_named_before_any_download() {
    let sandbox = built();
    let server = HttpServer::start(|_| Response::status(404));
    let commit = "0123456789abcdef0123456789abcdef01234567";
    for (repository, release, reason) in [
        ("", "", "set the input version to source"),
        ("owner/patchgate", commit, "found by its tag"),
    ] {
        let run = download(&sandbox, &server.url(), repository, release).expect(1);
        assert!(run.stdout.contains(reason), "{run:?}");
    }

    assert!(server.requests().is_empty());
}

/// Runs the build step in a copy of the workspace's manifest, with this program as cargo.
#[track_caller]
fn build(sandbox: &Sandbox, cargo: &str) -> Run {
    program(&sandbox.path("programs/cargo"), cargo);
    std::fs::copy(root().join("Cargo.toml"), sandbox.path("repo/Cargo.toml")).unwrap();
    let temp = sandbox.path("temp");
    let temp = temp.to_str().unwrap();
    let mut step = Step::of("action.yml", "cargo build");

    // As a job may have it that builds for another machine.
    let target = ("CARGO_BUILD_TARGET".to_owned(), "other".to_owned());
    step.environment.push(target);

    step.run(sandbox, "repo", &[("runner.temp", temp)])
}

#[test]
fn the_source_is_built_with_its_lockfile_and_the_action_finds_the_binary() {
    let sandbox = Sandbox::new();
    let cargo = "#!/bin/sh
echo \"$*\" > arguments
echo \"target: $CARGO_BUILD_TARGET\" >> arguments
mkdir -p \"$CARGO_TARGET_DIR/release\"
echo built > \"$CARGO_TARGET_DIR/release/patchgate\"
";
    build(&sandbox, cargo).expect(0);
    let arguments = std::fs::read_to_string(sandbox.path("repo/arguments")).unwrap();

    assert_eq!(
        arguments,
        "build --release --locked --package patchgate\ntarget: \n"
    );
    assert!(
        sandbox
            .path("temp/patchgate-build/release/patchgate")
            .is_file()
    );
}

#[test]
fn without_cargo_the_error_says_to_install_rust() {
    let sandbox = Sandbox::new();
    let programs = sandbox.path("programs");
    let temp = sandbox.path("temp");
    let run = Step::of("action.yml", "cargo build")
        .run_with_path(
            programs.to_str().unwrap(),
            &sandbox,
            "repo",
            &[("runner.temp", temp.to_str().unwrap())],
        )
        .expect(1);

    assert!(run.stdout.contains("install Rust first"), "{run:?}");
}

#[test]
fn an_old_cargo_is_refused_with_the_version_that_is_needed() {
    let sandbox = Sandbox::new();
    let cargo = "#!/bin/sh
[ \"$1\" = --version ] && echo 'cargo 1.70.0' && exit
echo 'error: it requires rustc' >&2
exit 101
";
    let run = build(&sandbox, cargo).expect(1);
    let needed = env!("CARGO_PKG_RUST_VERSION");
    let printed = format!("needs Rust {needed} or newer; this runner has cargo 1.70.0");

    assert!(run.stdout.contains(&printed), "{run:?}");
    assert!(run.stderr.contains("it requires rustc"), "{run:?}");
}

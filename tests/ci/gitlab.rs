//! The GitLab components: the scripts of their jobs, run unchanged.

use std::os::unix::fs::symlink;
use std::process::Command;

use patchgate_syntax::yaml_documents;
use patchgate_testkit::{HttpServer, Response, Tools};

use crate::support::ci_step::{Step, program};
use crate::support::release_archive::{
    ARCHIVE, HERE, PROGRAM, archive, built, bytes_of, packed, release,
};
use crate::support::sandbox::{Run, Sandbox, root};

/// The text of a component.
fn template(name: &str) -> String {
    std::fs::read_to_string(root().join(format!("gitlab/templates/{name}.yml"))).unwrap()
}

/// The script of the component's job as a step, run by `sh`, which every image has.
fn job() -> Step {
    job_of("scan")
}

fn job_of(name: &str) -> Step {
    let text = template(name);
    let documents = yaml_documents(&text).unwrap();
    let job = documents[1].get(&format!("patchgate-{name}")).unwrap();
    let lines = job.get("script").unwrap().items().iter();
    let variables = job.get("variables").unwrap().entries().iter();

    Step {
        script: lines
            .map(|line| format!("{}\n", line.text().unwrap()))
            .collect(),
        shell: &["/bin/sh", "-e"],
        environment: variables
            .map(|(key, value)| (key.name.to_string(), value.scalar().unwrap().to_owned()))
            .collect(),
    }
}

/// Runs the job with a download of a release, on a machine for which `uname -m` prints `machine`.
#[track_caller]
fn run(sandbox: &Sandbox, machine: &str, releases: &str, version: &str) -> Run {
    let inputs = [("inputs.releases", releases), ("inputs.version", version)];
    run_with(sandbox, machine, &inputs)
}

/// Runs the job with these inputs; the others are empty or the same in every test.
#[track_caller]
fn run_with(sandbox: &Sandbox, machine: &str, inputs: &[(&str, &str)]) -> Run {
    program(
        &sandbox.path("programs/uname"),
        &format!("#!/bin/sh\necho {machine}\n"),
    );
    let temp = sandbox.path("temp");
    std::fs::create_dir_all(&temp).unwrap();
    let mut job = job();
    let temp = temp.to_str().unwrap().to_owned();
    job.environment.push(("TMPDIR".to_owned(), temp));

    let mut all = inputs.to_vec();
    for other in [
        ("inputs.version", ""),
        ("inputs.releases", ""),
        ("inputs.ecosystems", ""),
        ("inputs.mirror", ""),
        ("inputs.vex", ""),
        ("inputs.vex-product", ""),
        ("inputs.csaf", ""),
        ("inputs.path", "."),
        ("inputs.severity", "high"),
        ("inputs.report", "patchgate.json"),
        ("inputs.page", "patchgate.html"),
    ] {
        if inputs.iter().all(|(name, _)| *name != other.0) {
            all.push(other);
        }
    }

    job.run(sandbox, "repo", &all)
}

fn releases(server: &HttpServer) -> String {
    format!("{}/owner/patchgate/releases/download", server.url())
}

/// Asserts that the job left no temporary files.
#[track_caller]
fn nothing_left(sandbox: &Sandbox) {
    let left: Vec<_> = std::fs::read_dir(sandbox.path("temp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Asserts that the job refuses this release with this reason.
#[track_caller]
fn refused(sandbox: &Sandbox, archive: Response, checksum: Option<Vec<u8>>, reason: &str) {
    let server = release(archive, checksum);
    let run = run(sandbox, HERE.1, &releases(&server), "v0.1.0").expect(1);
    assert!(run.stderr.contains(reason), "{run:?}");
    assert!(!run.stdout.contains("was run"), "{run:?}");
    nothing_left(sandbox);
}

#[test]
fn the_job_runs_the_release_that_it_names() {
    let sandbox = built();
    let (archive, checksum) = packed(&sandbox);
    let server = release(bytes_of(archive), Some(checksum));
    let run = run(&sandbox, HERE.1, &releases(&server), "v0.1.0").expect(0);

    assert!(
        run.stdout.contains("patchgate was run with scan"),
        "{run:?}"
    );

    nothing_left(&sandbox);
}

#[test]
fn without_a_release_the_job_runs_the_binary_of_the_image_and_has_its_exit_code() {
    let sandbox = Sandbox::new();
    let binary = sandbox.path("programs/patchgate");
    program(&binary, "#!/bin/sh\necho \"$*\"\nexit 3\n");
    let run = run(&sandbox, HERE.1, "", "").expect(3);
    assert_eq!(
        run.stdout,
        "scan --format json=patchgate.json --format html=patchgate.html \
         --format gitlab-dependency-scanning=gl-dependency-scanning-report.json \
         --format gitlab-code-quality=gl-code-quality-report.json --severity high -- .\n"
    );
}

#[test]
fn a_store_in_the_cache_is_updated_and_used() {
    let sandbox = Sandbox::new();
    let binary = sandbox.path("programs/patchgate");

    // After a failed update the restored store is used.
    program(
        &binary,
        "#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done\necho \" $PATCHGATE_STORE\"\n[ \"$1\" = scan ]\n",
    );
    let ecosystems = "npm 'GitHub Actions' $(touch-me) `touch-me`";
    let run = run_with(
        &sandbox,
        HERE.1,
        &[
            ("inputs.ecosystems", ecosystems),
            ("inputs.mirror", "https://mirror.invalid"),
        ],
    )
    .expect(0);
    let lines: Vec<&str> = run.stdout.lines().collect();

    assert_eq!(
        lines[0],
        "<db><update><--into><.patchgate-store><--mirror><https://mirror.invalid>\
         <--ecosystem><npm><--ecosystem><GitHub Actions>\
         <--ecosystem><$(touch-me)><--ecosystem><`touch-me`> "
    );
    assert!(
        lines[1].starts_with("<scan>") && lines[1].ends_with(" .patchgate-store"),
        "{lines:?}"
    );
    assert!(
        run.stderr.contains("could not be updated completely"),
        "{run:?}"
    );
}

#[test]
fn a_list_that_cannot_be_split_fails_the_job() {
    let sandbox = Sandbox::new();
    program(
        &sandbox.path("programs/patchgate"),
        "#!/bin/sh\necho was run\n",
    );

    for (input, name) in [("inputs.ecosystems", "ecosystems"), ("inputs.csaf", "csaf")] {
        let value = "https://vendor.invalid/a.json vendor's.json";
        let run = run_with(&sandbox, HERE.1, &[(input, value)]).expect(2);
        assert!(
            run.stderr.contains(&format!("the input {name} cannot")),
            "{run:?}"
        );
        assert!(!run.stdout.contains("was run"), "{run:?}");
    }
}

#[test]
fn documents_are_passed_one_by_one_and_no_shell_runs_them() {
    let sandbox = Sandbox::new();
    program(
        &sandbox.path("programs/patchgate"),
        "#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done\n",
    );
    let run = run_with(
        &sandbox,
        HERE.1,
        &[
            ("inputs.vex", "vex 'a b.json' $(touch-me) --apply"),
            ("inputs.vex-product", "pkg:oci/shop@1"),
            (
                "inputs.csaf",
                "https://vendor.invalid/provider-metadata.json",
            ),
        ],
    )
    .expect(0);

    assert_eq!(
        run.stdout,
        "<scan><--format><json=patchgate.json><--format><html=patchgate.html>\
         <--format><gitlab-dependency-scanning=gl-dependency-scanning-report.json>\
         <--format><gitlab-code-quality=gl-code-quality-report.json><--severity><high>\
         <--vex=vex><--vex=a b.json><--vex=$(touch-me)><--vex=--apply>\
         <--vex-product=pkg:oci/shop@1>\
         <--csaf=https://vendor.invalid/provider-metadata.json><--><.>"
    );
}

#[test]
fn a_release_with_another_checksum_is_refused() {
    let sandbox = built();
    let (archive, checksum) = packed(&sandbox);
    let wrong = format!("{}  {ARCHIVE}\n", "0".repeat(64)).into_bytes();
    let whole = || bytes_of(archive.clone());
    refused(&sandbox, whole(), Some(wrong), "does not have the checksum");

    for text in ["", "<html>"] {
        let checksum = Some(text.as_bytes().to_vec());
        refused(&sandbox, whole(), checksum, "contains no checksum");
    }

    refused(&sandbox, whole(), None, "could not download");
    refused(
        &sandbox,
        Response::status(404),
        Some(checksum.clone()),
        "could not download",
    );
    let cut = whole().cut_in_half();
    refused(&sandbox, cut, Some(checksum), "could not download");
}

#[test]
fn an_archive_of_anything_but_one_file_is_refused() {
    let sandbox = built();
    let packed = sandbox.path("build/packed");
    program(&packed.join("../patchgate"), PROGRAM);
    program(&packed.join("other"), PROGRAM);
    symlink("/bin/true", packed.join("patchgate")).unwrap();

    for (arguments, reason) in [
        ("../patchgate", "something other than the file patchgate"),
        ("patchgate other", "something other than the file patchgate"),
        ("patchgate", "is not a file or is empty"),
    ] {
        let (bytes, checksum) = archive(&sandbox, arguments);
        refused(&sandbox, bytes_of(bytes), Some(checksum), reason);
    }
}

#[test]
fn a_platform_without_a_release_is_named_before_any_download() {
    let sandbox = built();
    let (archive, checksum) = packed(&sandbox);
    let server = release(bytes_of(archive), Some(checksum));
    let address = releases(&server);

    // curl accepts the scheme in any case. The job allows plain HTTP only for a lower-case scheme.
    let shouted = address.replace("http://", "HTTP://");
    for (machine, releases, reason) in [
        (HERE.1, "", "needs the input releases"),
        ("riscv64", &address, "there is no release for riscv64"),
        (HERE.1, &shouted, "could not download"),
    ] {
        let run = run(&sandbox, machine, releases, "v0.1.0").expect(1);
        assert!(run.stderr.contains(reason), "{run:?}");
        nothing_left(&sandbox);
    }
    assert!(server.requests().is_empty());
}

/// Runs a job with a `patchgate` that prints its arguments; returns them.
#[track_caller]
fn arguments(name: &str, inputs: &[(&str, &str)]) -> String {
    let sandbox = Sandbox::new();
    program(
        &sandbox.path("programs/patchgate"),
        "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n",
    );
    let run = job_of(name).run(&sandbox, "repo", inputs);
    // The job has the exit code of the command.
    run.expect(7).stdout
}

#[test]
fn the_inputs_of_the_other_jobs_are_flags_and_no_shell_runs_them() {
    for (name, inputs, expected) in [
        (
            "fix",
            &[
                ("inputs.path", "."),
                ("inputs.label", ""),
                ("inputs.max-bump", "major"),
                ("inputs.max-steps", "0"),
            ][..],
            "<pr><--max-bump><major><--><.>",
        ),
        (
            "fix",
            &[
                ("inputs.path", "-x; $(touch evil)"),
                ("inputs.label", "a b"),
                ("inputs.max-bump", "minor"),
                ("inputs.max-steps", "3"),
            ],
            "<pr><--max-bump><minor><--label=a b><--max-steps=3><--><-x; $(touch evil)>",
        ),
        (
            "review",
            &[("inputs.severity", "high"), ("inputs.comment", "true")],
            "<review><--severity><high><--format><json=patchgate-review.json><--format><gitlab-code-quality=patchgate-code-quality.json>",
        ),
        (
            "review",
            &[("inputs.severity", "low"), ("inputs.comment", "false")],
            "<review><--severity><low><--format><json=patchgate-review.json><--format><gitlab-code-quality=patchgate-code-quality.json><--no-comment>",
        ),
        (
            "gate",
            &[("inputs.merge-request", ""), ("inputs.merge", "false")],
            "<gate><--all>",
        ),
        (
            "gate",
            &[("inputs.merge-request", "12"), ("inputs.merge", "true")],
            "<gate><--pull-request=12><--merge>",
        ),
    ] {
        assert_eq!(arguments(name, inputs), expected, "{name}");
    }
}

/// Every input is described, typed by its default or by itself, and used; nothing else is used.
#[test]
fn inputs_of_the_components_are_declared_and_used() {
    for name in ["fix", "review", "gate"] {
        let text = template(name);
        let documents = yaml_documents(&text).unwrap();
        let inputs = documents[0].get("spec").unwrap().get("inputs").unwrap();
        let (_, jobs) = text.split_once("\n---\n").unwrap();
        for (key, input) in inputs.entries() {
            assert!(input.get("description").is_some(), "{name}: {}", key.name);
            let used = format!("$[[ inputs.{} ]]", key.name);
            assert_eq!(jobs.matches(&used).count(), 1, "{name}: {used}");
        }
        assert_eq!(
            jobs.matches("$[[ ").count(),
            inputs.entries().len(),
            "{name}: an input is not declared"
        );
    }
}

#[test]
fn the_jobs_are_valid_by_gitlabs_schema() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    for name in ["scan", "fix", "review", "gate"] {
        let text = template(name);
        let (_, jobs) = text.split_once("\n---\n").unwrap();
        let sandbox = Sandbox::new();
        sandbox.write("jobs.yml", jobs);
        let output = Command::new(tools.python_program("check-jsonschema"))
            .args(["--builtin-schema", "vendor.gitlab-ci"])
            .arg(sandbox.path("repo/jobs.yml"))
            .output()
            .unwrap();

        assert!(output.status.success(), "{name}: {output:?}");
    }
}

//! Damaged and hostile lockfiles. Each gives one clear message that names the file, the exit code for
//! "incomplete", and no partial output; a good lockfile next to it is still reported.

use crate::support::sandbox::Sandbox;

/// Scans a repository with one bad file next to the Cargo example; returns the reason given for it.
#[track_caller]
fn reason_for(file: &str, content: &[u8]) -> String {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.write(file, content);
    let report = sandbox.scan_offline().expect(3).json();

    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        3,
        "the good lockfile is not reported: {report:#}"
    );

    let incomplete = report["incomplete"].as_array().unwrap();
    let about: Vec<_> = incomplete
        .iter()
        .filter(|problem| problem.to_string().contains(file))
        .collect();

    assert_eq!(
        about.len(),
        1,
        "not one message about `{file}`: {incomplete:#?}"
    );
    about[0].to_string()
}

fn good_npm_lock() -> Vec<u8> {
    let path = crate::support::sandbox::root().join("examples/npm-workspace/package-lock.json");
    std::fs::read(path).unwrap()
}

#[test]
fn a_truncated_lockfile_is_incomplete() {
    let whole = good_npm_lock();
    for end in [1, whole.len() / 3, whole.len() - 3] {
        reason_for("web/package-lock.json", &whole[..end]);
    }
    reason_for(
        "other/Cargo.lock",
        b"version = 4\n\n[[package]]\nname = \"a",
    );
}

#[test]
fn an_empty_lockfile_is_incomplete() {
    for file in ["web/package-lock.json", "other/Cargo.lock"] {
        let reason = reason_for(file, b"");
        assert!(reason.contains("empty"), "{reason}");
        reason_for(file, b" \n\t\n");
    }
}

#[test]
fn a_binary_lockfile_is_incomplete() {
    let bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
    reason_for("web/package-lock.json", &bytes);
    reason_for("other/Cargo.lock", &bytes);
}

#[test]
fn a_lockfile_of_fifty_megabytes_is_incomplete() {
    let mut lock = b"{\"lockfileVersion\": 3, \"packages\": {}, \"x\": \"".to_vec();
    lock.resize(50 * 1024 * 1024, b'a');
    lock.extend_from_slice(b"\"}");
    let reason = reason_for("web/package-lock.json", &lock);
    assert!(reason.contains("32 MiB"), "{reason}");
}

#[test]
fn a_deeply_nested_lockfile_is_incomplete() {
    let deep = |key: &str, depth: usize| {
        format!("{{\"lockfileVersion\": 1, \"{key}\": ")
            + &"{\"a\":".repeat(depth)
            + "1"
            + &"}".repeat(depth + 1)
    };
    reason_for(
        "web/package-lock.json",
        deep("dependencies", 200_000).as_bytes(),
    );
    reason_for("web/package-lock.json", "[".repeat(200_000).as_bytes());
    let array = format!(
        "version = 4\nx = {}{}\n",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    reason_for("other/Cargo.lock", array.as_bytes());
}

#[test]
fn json_that_is_not_a_lockfile_is_incomplete() {
    let reason = reason_for("web/package-lock.json", b"{\"name\": \"web\"}");
    assert!(reason.contains("lockfileVersion"), "{reason}");
    reason_for("web/package-lock.json", b"[]");
    reason_for("web/package-lock.json", b"null");
}

#[test]
fn a_lockfile_in_another_encoding_is_incomplete() {
    let text = String::from_utf8(good_npm_lock()).unwrap();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    reason_for("web/package-lock.json", &utf16);
    let latin1 = b"{\"name\": \"caf\xe9\", \"lockfileVersion\": 3, \"packages\": {}}";
    let reason = reason_for("web/package-lock.json", latin1);
    assert!(reason.contains("UTF-8"), "{reason}");
}

#[test]
fn a_lockfile_with_a_merge_conflict_is_incomplete() {
    let text = "version = 4\n<<<<<<< HEAD\n[[package]]\n=======\n[[package]]\n>>>>>>> other\n";
    let reason = reason_for("other/Cargo.lock", text.as_bytes());
    assert!(reason.contains("conflict"), "{reason}");
    assert!(
        reason.contains("resolve"),
        "the next step is missing: {reason}"
    );
}

/// Both entries are read, so nothing is lost; the report names the line.
#[test]
fn a_lockfile_with_the_same_package_twice_is_read_with_both() {
    let twice = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n\
                 [[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
    let sandbox = Sandbox::new();
    sandbox.build_store();
    sandbox.write("other/Cargo.lock", twice);
    let report = sandbox
        .offline("scan", &["--format", "json", "repo"])
        .expect(0)
        .json();

    assert_eq!(report["lockfiles"][0]["packages"], 2);
    assert_eq!(report["lockfiles"][0]["skipped"][0]["line"], 7);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_out_of_the_tree_is_not_followed() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    let outside = sandbox.path("outside-Cargo.lock");
    std::fs::copy(sandbox.path("repo/Cargo.lock"), &outside).unwrap();
    std::fs::create_dir_all(sandbox.path("repo/linked")).unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.path("repo/linked/Cargo.lock")).unwrap();
    let report = sandbox.scan_offline().json();

    for finding in report["findings"].as_array().unwrap() {
        assert!(
            !finding["locations"].to_string().contains("linked/"),
            "{finding:#}"
        );
    }
}

#[test]
fn an_output_that_cannot_be_written_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.build_store();
    let run = sandbox
        .run(&[
            "scan",
            "--offline",
            "--store",
            "store",
            "--output",
            "no/such/directory/out.json",
            "repo",
        ])
        .expect(3);
    assert!(run.stderr.contains("no/such/directory"), "{}", run.stderr);
    assert!(!sandbox.path("no").exists());
}

/// A pull request from a fork decides what `.patchgate.yml` is, and an error quotes the file.
#[test]
fn settings_that_lead_out_of_the_repository_print_nothing_of_the_machine() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    let secret = "//registry.invalid/:_authToken=npm_hunter2\n";
    std::fs::write(sandbox.path("secret"), secret).unwrap();
    let settings = sandbox.path("repo/.patchgate.yml");

    std::os::unix::fs::symlink(sandbox.path("secret"), &settings).unwrap();
    for arguments in [
        &["scan", "repo"][..],
        &["scan", "--config", "repo/.patchgate.yml", "repo"],
        &["fix", "repo"],
        &["inventory", "repo"],
        &["explain", "CVE-2020-11023", "repo"],
    ] {
        let run = sandbox.run(arguments).expect(2);
        assert!(
            run.stderr.contains("leads out of the repository"),
            "{run:?}"
        );
        assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
    }

    std::fs::remove_file(&settings).unwrap();
    for store in ["/", "..", "link"] {
        sandbox.write(
            ".patchgate.yml",
            format!("version: 1\nstore: {{ path: {store} }}\n"),
        );
        let link = sandbox.path("repo/link");
        if !link.exists() {
            std::os::unix::fs::symlink(sandbox.path("."), &link).unwrap();
        }
        let run = sandbox.run(&["scan", "repo"]).expect(2);
        assert!(run.stderr.contains("outside of the repository"), "{run:?}");
    }
}

//! `patchgate inventory`, and files that are named one by one.

use crate::support::sandbox::{Sandbox, texts};

#[test]
fn every_package_is_listed_with_its_scope_line_and_edges() {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    let report = sandbox
        .run(&["inventory", "repo", "--format", "json"])
        .expect(0)
        .json();

    assert_eq!(report["incomplete"].as_array().unwrap().len(), 0);

    let packages = report["packages"].as_array().unwrap();
    let of = |name: &str| {
        packages
            .iter()
            .find(|package| package["name"] == name)
            .unwrap_or_else(|| panic!("no `{name}`"))
    };
    let minimist = of("minimist");

    assert_eq!(minimist["purl"], "pkg:npm/minimist@1.2.5");
    assert_eq!(minimist["direct"], false);
    assert_eq!(minimist["location"]["file"], "package-lock.json");
    assert!(
        minimist["integrity"][0]
            .as_str()
            .unwrap()
            .starts_with("sha512-")
    );

    let by = &of("mkdirp")["depends_on"];
    assert!(by.as_array().unwrap().contains(&minimist["id"]), "{by}");

    // Every number leads to the entry that has it.
    for (place, package) in packages.iter().enumerate() {
        assert_eq!(package["id"], place);
    }
}

#[test]
fn a_tree_and_the_chains_to_a_package_are_printed() {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    let tree = sandbox
        .run(&["inventory", "repo", "--format", "tree"])
        .expect(0);

    assert!(tree.stdout.contains("mkdirp 0.5.5"), "{}", tree.stdout);

    let why = sandbox
        .run(&["inventory", "repo", "--why", "minimist"])
        .expect(0);
    assert!(
        why.stdout.contains("> mkdirp@0.5.5 > minimist@1.2.5"),
        "{}",
        why.stdout
    );

    let none = sandbox
        .run(&["inventory", "repo", "--why", "left-pad"])
        .expect(0);
    assert!(
        none.stdout.contains("no file contains `left-pad`"),
        "{}",
        none.stdout
    );
}

#[test]
fn a_file_of_any_name_is_read_in_the_given_format() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    std::fs::rename(
        sandbox.path("repo/Cargo.lock"),
        sandbox.path("repo/locked.txt"),
    )
    .unwrap();
    sandbox.build_store();
    let named = |file: &str| {
        sandbox.run(&[
            "scan",
            "--offline",
            "--store",
            "store",
            "--format",
            "json",
            "--lockfile",
            file,
        ])
    };
    let report = named("cargo-lock:repo/locked.txt").expect(1).json();

    assert_eq!(report["findings"].as_array().unwrap().len(), 3);

    let place = &report["findings"][0]["locations"][0];
    assert_eq!(place["file"], "repo/locked.txt");

    let unknown = named("repo/locked.txt").expect(2);
    assert!(unknown.stderr.contains("FORMAT:FILE"), "{}", unknown.stderr);

    named("cargo-lock:repo/nothing.lock").expect(2);
}

#[test]
fn a_manifest_without_a_lockfile_is_not_clean() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "package.json",
        "{\n  \"dependencies\": {\n    \"left-pad\": \"owner/left-pad\",\n    \"own\": \"workspace:*\"\n  }\n}\n",
    );
    let report = sandbox.scan_offline().expect(3).json();

    assert_eq!(texts(&report["incomplete"], "kind"), ["unresolved"]);
    assert_eq!(texts(&report["incomplete"], "file"), ["package.json"]);
    assert_eq!(report["incomplete"][0]["line"], 3);

    let inventory = sandbox
        .run(&["inventory", "repo", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(texts(&inventory["unresolved"], "name"), ["left-pad"]);
    assert!(inventory["packages"].as_array().unwrap().is_empty());
}

#[test]
fn a_requirement_that_a_lockfile_next_to_it_pins_is_not_unknown() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "pyproject.toml",
        "[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"Flask_Thing>=1\", \"other\"]\n",
    );
    sandbox.write("requirements.txt", "flask-thing==1.2.3\n");
    let inventory = sandbox
        .run(&["inventory", "repo", "--offline", "--format", "json"])
        .expect(0)
        .json();

    assert_eq!(texts(&inventory["unresolved"], "name"), ["other"]);
}

#[test]
fn a_requirements_file_includes_files_of_any_name() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "-r deps/base.list\nflask==1.0\n");
    sandbox.write(
        "deps/base.list",
        "-r ../requirements.txt\n-r more.list\nrequests==2.0\n",
    );
    sandbox.write("deps/more.list", "-r ../../outside.txt\nurllib3==1.0\n");
    let inventory = sandbox
        .run(&["inventory", "repo", "--offline", "--format", "json"])
        .expect(0)
        .json();
    let mut names = texts(&inventory["packages"], "name");
    names.sort();

    assert_eq!(names, ["flask", "requests", "urllib3"]);
    assert_eq!(
        texts(&inventory["unresolved"], "name"),
        ["../../outside.txt"]
    );
}

#[test]
fn packages_without_an_advisory_source_are_reported_and_not_clean() {
    let sandbox = Sandbox::new();
    sandbox.write("Dockerfile", "FROM alpine:3.20\nFROM debian\n");
    let report = sandbox.scan_offline().expect(0).json();
    assert_eq!(report["not_covered"][0]["ecosystem"], "Docker");
    assert_eq!(report["not_covered"][0]["packages"], 1);
}

#[test]
fn an_sbom_in_every_format_is_read_back_as_the_same_packages() {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    let identities = |report: &serde_json::Value| {
        let mut purls = texts(&report["packages"], "purl");
        purls.sort();
        purls.dedup();
        purls
    };
    let own = sandbox
        .run(&["inventory", "repo", "--format", "json"])
        .expect(0)
        .json();

    for (format, version, file) in [
        ("cyclonedx-json", "1.5", "bom.json"),
        ("cyclonedx-json", "1.6", "bom.json"),
        ("cyclonedx-json", "1.7", "bom.json"),
        ("cyclonedx-xml", "1.5", "bom.xml"),
        ("cyclonedx-xml", "1.6", "bom.xml"),
        ("cyclonedx-xml", "1.7", "bom.xml"),
        ("spdx-json", "1.6", "bom.spdx.json"),
        ("spdx-tag-value", "1.6", "bom.spdx"),
        ("spdx3", "1.6", "bom.jsonld"),
    ] {
        let arguments = ["inventory", "repo", "--format", format, "--output", file];
        let version_arguments = ["--cyclonedx-version", version];
        sandbox
            .run(&[&arguments[..], &version_arguments].concat())
            .expect(0);
        if format.starts_with("cyclonedx") {
            let text = std::fs::read_to_string(sandbox.path(file)).unwrap();
            let stated = [
                format!("\"specVersion\": \"{version}\""),
                format!("cyclonedx.org/schema/bom/{version}\""),
            ];
            assert!(
                stated.iter().any(|one| text.contains(one)),
                "{format} {version}"
            );
        }
        let back = sandbox
            .run(&["inventory", "--sbom", file, "--format", "json"])
            .expect(0)
            .json();
        assert_eq!(identities(&back), identities(&own), "{format}");
    }
}

#[test]
fn an_sbom_next_to_its_lockfile_counts_no_package_twice() {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    let before = sandbox.scan_offline().expect(1).json();

    sandbox
        .run(&[
            "inventory",
            "repo",
            "--format",
            "cyclonedx-json",
            "--output",
            "repo/unusual-name.json",
        ])
        .expect(0);
    let after = sandbox.scan_offline().expect(1).json();

    assert_eq!(after["summary"]["findings"], before["summary"]["findings"]);
    assert_eq!(after["summary"]["packages"], before["summary"]["packages"]);

    let places = after["findings"][0]["locations"].as_array().unwrap();
    let files: Vec<&str> = places
        .iter()
        .filter_map(|place| place["file"].as_str())
        .collect();

    assert_eq!(files, ["package-lock.json", "unusual-name.json"]);
}

#[test]
fn an_unreadable_sbom_is_listed_and_makes_the_scan_incomplete() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "bom.json",
        "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\", \"components\": [{\"na",
    );
    let report = sandbox.scan_offline().expect(3).json();
    assert_eq!(texts(&report["incomplete"], "file"), ["bom.json"]);
}

#[test]
fn a_token_in_an_address_is_in_no_report() {
    let sandbox = Sandbox::new();
    let git = "git+https://user:S3CRET@git.invalid/x.git";
    let commit = "4e55001eb042661fd81e9c5ec619e516c34d810c";
    let manifest = serde_json::json!({"name": "a", "version": "1.0.0", "dependencies": {"x": git}});
    let lockfile = serde_json::json!({
        "name": "a", "version": "1.0.0", "lockfileVersion": 3,
        "packages": {
            "": manifest,
            "node_modules/x": {"version": "1.0.0", "resolved": format!("{git}#{commit}")}
        }
    });

    sandbox.write("repo/locked/package.json", manifest.to_string());
    sandbox.write("repo/locked/package-lock.json", lockfile.to_string());
    sandbox.write("repo/unlocked/package.json", manifest.to_string());
    let bill = serde_json::json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "components": [{"type": "library", "name": git}]
    });
    sandbox.write("repo/bill.cdx.json", bill.to_string());
    sandbox.write(
        "repo/.pre-commit-config.yaml",
        format!(
            "repos:\n  - repo: https://user:S3CRET@git.invalid/hooks.git\n    rev: v1\n    hooks:\n      - id: a\n        additional_dependencies: [\"{git}\"]\n"
        ),
    );
    let formats = [
        "table",
        "tree",
        "json",
        "cyclonedx-json",
        "cyclonedx-xml",
        "spdx-json",
        "spdx-tag-value",
        "spdx3",
    ];
    for format in formats {
        let output = sandbox.run(&["inventory", "repo", "--format", format]);
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains("S3CRET"), "{format}: {text}");
        }
        assert!(output.stdout.contains("git.invalid/hooks"), "{format}");
    }

    sandbox.build_store();
    for format in ["table", "json", "markdown", "sarif"] {
        let output = sandbox.offline("scan", &["repo", "--format", format]);
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains("S3CRET"), "{format}: {text}");
        }
        assert!(output.stdout.contains("unlocked/package.json"), "{format}");
    }
}

/// Every server names its secrets differently, so no query, fragment or user information of an
/// address is printed, in any format and from any kind of file.
#[test]
fn no_format_prints_the_credentials_of_an_address() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let address = "https://me:s3cret@h.invalid/x-1.0.0.tgz?jwt=s3cret&session=s3cret#s3cret";
    let git = format!("git+https://me:s3cret@h.invalid/g.git?code=s3cret#{commit}");
    let sandbox = Sandbox::new();
    sandbox.write(
        "manifest/package.json",
        format!(
            r#"{{"name": "root", "version": "1.0.0", "dependencies": {{
            "x": "{address}", "g": "{git}", "h": "git:s3cret@h.invalid:a/h.git#s3cret"}}}}"#
        ),
    );
    sandbox.write(
        "lock/package-lock.json",
        format!(
            r#"{{"name": "root", "version": "1.0.0", "lockfileVersion": 3, "packages": {{
            "": {{"name": "root", "version": "1.0.0", "dependencies": {{"x": "{address}", "g": "{git}"}}}},
            "node_modules/x": {{"version": "1.0.0", "resolved": "{address}"}},
            "node_modules/g": {{"version": "1.0.0", "resolved": "{git}"}}}}}}"#
        ),
    );
    sandbox.write(
        "old/package-lock.json",
        format!(
            r#"{{"name": "root", "version": "1.0.0", "lockfileVersion": 1, "requires": true,
            "dependencies": {{"x": {{"version": "{address}"}}, "g": {{"version": "{git}", "from": "{git}"}}}}}}"#
        ),
    );
    sandbox.write(
        "mix/mix.lock",
        format!(
            "%{{\n  \"g\": {{:git, \"https://me:s3cret@h.invalid/g.git?pwd=s3cret\", \"{commit}\", []}},\n}}\n"
        ),
    );
    sandbox.write(
        "pip/requirements.txt",
        format!(
            "--index-url https://me:s3cret@h.invalid/simple?jwt=s3cret\n\
             --extra-index-url=//me:s3cret@h.invalid/simple?jwt=s3cret\n\
             x @ {address}\n\
             git+https://me:s3cret@h.invalid/g.git@{commit}#egg=g&s3cret\n\
             y==1.0.0\n"
        ),
    );

    for format in [
        "table",
        "tree",
        "json",
        "cyclonedx-json",
        "cyclonedx-xml",
        "spdx-json",
        "spdx-tag-value",
        "spdx3",
    ] {
        for directory in ["manifest", "lock", "old", "mix", "pip"] {
            let path = format!("repo/{directory}");
            let run = sandbox.run(&["inventory", &path, "--format", format]);
            let text = format!("{}{}", run.stdout, run.stderr);
            assert_eq!(run.code, 0, "{format} of {directory}: {run:?}");
            assert!(!text.contains("s3cret"), "{format} of {directory}: {text}");
            // The addresses themselves are shown, and so are commits.
            if format == "json" {
                assert!(text.contains("h.invalid/"), "{directory}: {text}");
                assert!(text.contains(commit), "{directory}: {text}");
            }
        }
    }
}

//! Changes of whole lockfiles.

use super::super::tarball::tarball;
use super::*;
use crate::ReleaseFile;
use crate::test_graph::set_or_add;
use serde_json::json;

const LOCK: &str = "%{\n  \
    \"mime\": {:hex, :mime, \"2.0.0\", \"aa\", [:mix], [], \"hexpm\", \"bb\"},\n  \
    \"old\": {:hex, :old, \"1.0.0\", \"aa\", [:mix], [], \"hexpm\", \"bb\"},\n  \
    \"own\": {:git, \"https://code.invalid/own\", \"abc\", []},\n  \
    \"plug\": {:hex, :plug, \"1.14.0\", \"aa\", [:mix], [{:mime, \"~> 1.0 or ~> 2.0\", [hex: :mime, repo: \"hexpm\", optional: false]}, {:old, \"~> 1.0\", [hex: :old, repo: \"hexpm\", optional: false]}], \"hexpm\", \"bb\"},\n}\n";

const MANIFEST: &str = "defmodule A do\n  defp deps, do: [{:plug, \"~> 1.14\"}, {:own, git: \"https://code.invalid/own\"}]\nend\n";

fn release(version: &str, dependencies: &[(&str, &str, bool)]) -> Release {
    let dependencies: Vec<Value> = dependencies
        .iter()
        .map(|(name, requirement, optional)| {
            json!({"app": name, "package": name, "requirement": requirement, "optional": optional, "repository": null})
        })
        .collect();
    Release {
        version: version.to_owned(),
        files: vec![ReleaseFile {
            url: "https://hex.invalid/tarballs/x.tar".to_owned(),
            ..ReleaseFile::default()
        }],
        document: Some(json!({ "dependencies": dependencies })),
        ..Release::default()
    }
}

fn write_all(
    text: &str,
    manifest: &str,
    releases: &[(&str, Release)],
    gone: &str,
) -> Result<Siblings, String> {
    let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
    // A project of its own, which has another lockfile.
    let siblings = Siblings::from([
        file("mix.exs", manifest),
        file("mix.lock", text),
        file(
            "other/mix.exs",
            "[{:plug, \"~> 0.1\"}, {:mime, computed()}]",
        ),
        file("other/mix.lock", "%{\n}\n"),
    ]);
    let input = Input {
        path: "mix.lock",
        bytes: text.as_bytes(),
        siblings: &siblings,
    };
    let lockfile = super::super::mix_lock::parse(&input).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    target.nodes.retain(|node| node.name != gone);
    set_or_add(&mut target, releases);
    let archive = tarball("{<<\"build_tools\">>,[<<\"mix\">>,<<\"make\">>]}.\n");
    let downloads = Downloads::from([("https://hex.invalid/tarballs/x.tar".to_owned(), archive)]);
    MixWriter
        .write(&input, &lockfile, &target, &downloads)
        .map_err(|error| error.reason)
}

fn write(text: &str, releases: &[(&str, Release)]) -> Result<String, String> {
    let files = write_all(text, MANIFEST, releases, "old")?;
    Ok(String::from_utf8(files["mix.lock"].clone()).unwrap())
}

#[test]
fn a_package_moves_brings_one_and_drops_one() {
    let needs = [
        ("telemetry", "~> 1.0", false),
        ("mime", "~> 2.0", false),
        ("gone", ">= 0.0.0", true),
    ];
    let releases = [
        ("plug", release("1.14.2", &needs)),
        ("telemetry", release("1.2.0", &[])),
    ];
    insta::assert_snapshot!(write(LOCK, &releases).unwrap());

    let crlf = |text: &str| text.replace('\n', "\r\n");
    let cut = crlf(LOCK);
    let written = write(cut.trim_end(), &releases).unwrap();
    assert_eq!(written, crlf(&write(LOCK, &releases).unwrap()).trim_end());
}

#[test]
fn a_literal_requirement_that_is_in_the_way_is_raised() {
    let releases = [("plug", release("2.0.1", &[("mime", "~> 2.0", false)]))];
    let files = write_all(LOCK, MANIFEST, &releases, "old").unwrap();
    let manifest = String::from_utf8(files["mix.exs"].clone()).unwrap();
    assert_eq!(manifest, MANIFEST.replace("~> 1.14", "~> 2.0 and >= 2.0.1"));
    assert_eq!(files.len(), 2);
}

#[test]
fn the_same_versions_are_the_same_file() {
    for text in [
        LOCK,
        include_str!("../fixtures/read/mix/mix.lock"),
        include_str!("../fixtures/read/fetched/mix.lock"),
    ] {
        let files = write_all(text, MANIFEST, &[], "").unwrap();
        assert_eq!(String::from_utf8_lossy(&files["mix.lock"]), text);
    }
    // What Mix itself wrote is understood line by line.
    let fetched = include_str!("../fixtures/read/fetched/mix.lock");
    assert!(Document::read(fetched).is_ok());
}

#[test]
fn what_is_not_exact_is_refused() {
    let plug = |needs: &[(&str, &str, bool)]| [("plug", release("1.14.2", needs))];
    let reason = |manifest: &str, releases: &[(&str, Release)]| {
        write_all(LOCK, manifest, releases, "old").unwrap_err()
    };
    let mut hashed = release("1.14.2", &[]);
    hashed.files[0].hashes = vec![("sha256".to_owned(), "00".to_owned())];
    let reasons = [
        reason(MANIFEST, &plug(&[("mime", "~> 1.0", false)])),
        reason(MANIFEST, &plug(&[("new", "~> 1.0", false)])),
        reason(MANIFEST, &plug(&[("New", "~> 1.0", true)])),
        reason(MANIFEST, &[("plug", hashed)]),
        reason(MANIFEST, &[("own", release("1.0.0", &[]))]),
        reason(&MANIFEST.replace("\"~> 1.14\"", "version()"), &plug(&[])),
        reason(
            &MANIFEST.replace("{:plug, \"~> 1.14\"}", "plug()"),
            &plug(&[]),
        ),
        reason(
            &MANIFEST
                .replace("~> 1.14", "~> 1.0 or ~> 9.0")
                .replace("1.0 or", "1.15 or"),
            &plug(&[]),
        ),
        write(&LOCK.replace("  \"own\"", " \"own\""), &plug(&[])).unwrap_err(),
        write(
            &LOCK.replace(", \"hexpm\", \"bb\"},\n}", "},\n}"),
            &plug(&[]),
        )
        .unwrap_err(),
    ];
    insta::assert_snapshot!(reasons.join("\n"));
}

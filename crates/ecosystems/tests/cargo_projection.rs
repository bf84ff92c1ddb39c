//! Cargo resolves a projected manifest to the same lockfile as the complete one.
//!
//! Cargo only gets manifests that are written here, never those of a scanned repository.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    reason = "a failed step fails the test; it, unlike the crate, writes files and starts cargo"
)]

use std::path::Path;
use std::process::Command;

use patchgate_ecosystems::cargo::resolution_manifest;

/// A workspace with everything that can name a file: targets, a build script, a readme.
const WORKSPACE: [(&str, &str); 4] = [
    (
        "",
        r#"
[package]
name = "root"
version = "0.1.0"
edition = "2024"
links = "z"
build = "make.rs"
readme = "docs/README.md"
license-file = "docs/LICENCE"
default-run = "first"
autotests = false

[lib]
name = "renamed"
path = "source/library.rs"

[[bin]]
name = "first"
path = "source/first.rs"

[[bin]]
name = "second"
path = "source/second.rs"
required-features = ["extra"]

[[bench]]
name = "speed"
path = "source/speed.rs"
harness = false

[features]
default = ["extra"]
extra = ["dep:derive"]

[dependencies]
derive = { path = "derive", optional = true }
inner.workspace = true

[target.'cfg(unix)'.dev-dependencies]
leaf = { path = "leaf" }

[lints]
workspace = true

[profile.release]
lto = true

[workspace]
members = ["inner"]

[workspace.dependencies]
inner = { path = "inner", version = "0.2" }

[workspace.lints.rust]
unsafe_code = "forbid"
"#,
    ),
    (
        "derive",
        r#"
[package]
name = "derive"
version = "0.1.0"
edition = "2021"

[lib]
proc-macro = true
path = "macros.rs"
"#,
    ),
    (
        "inner",
        r#"
[package]
name = "inner"
version = "0.2.3"
edition = "2021"

[[bin]]
name = "inner"
path = "tool.rs"

[build-dependencies]
leaf = { path = "../leaf" }
"#,
    ),
    (
        "leaf",
        r#"
[package]
name = "leaf"
version = "1.0.0"
"#,
    ),
];

/// Files that the complete manifests name.
const SOURCES: [&str; 12] = [
    "make.rs",
    "docs/README.md",
    "docs/LICENCE",
    "source/library.rs",
    "source/first.rs",
    "source/second.rs",
    "source/speed.rs",
    "derive/macros.rs",
    "inner/tool.rs",
    "leaf/src/lib.rs",
    "inner/src/main.rs",
    "derive/src/main.rs",
];

fn write(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().expect("it has a directory")).expect("it is made");
    std::fs::write(file, text).expect("it is written");
}

/// The result of `cargo generate-lockfile` in a directory, without network access.
fn lockfile(directory: &Path) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["generate-lockfile", "--offline", "--quiet"])
        .current_dir(directory)
        .output()
        .expect("cargo is there");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    std::fs::read_to_string(directory.join("Cargo.lock")).expect("cargo wrote it")
}

#[test]
fn cargo_resolves_it_alike() {
    let whole = tempfile::tempdir().expect("a directory");
    let scratch = tempfile::tempdir().expect("a directory");
    for (directory, manifest) in WORKSPACE {
        write(&whole.path().join(directory).join("Cargo.toml"), manifest);
        let projected = resolution_manifest(manifest).expect("it is TOML");
        assert!(!projected.contains("path = \"source"), "{projected}");
        write(
            &scratch.path().join(directory).join("Cargo.toml"),
            &projected,
        );
        write(&scratch.path().join(directory).join("src/lib.rs"), "");
    }

    for source in SOURCES {
        write(&whole.path().join(source), "");
    }

    let expected = lockfile(whole.path());
    assert!(expected.contains("name = \"derive\""), "{expected}");
    assert_eq!(lockfile(scratch.path()), expected);
}

use super::*;

#[test]
fn keeps_what_decides_the_graph_and_nothing_else() {
    let manifest = r#"
cargo-features = ["edition2024"]

[package]
name = "app"
version = "0.1.0"
edition = "2021"
rust-version = "1.70"
links = "z"
build = "make.rs"
readme = "docs/README.md"
license-file = "LICENCE"
default-run = "app"
autobins = false
include = ["src"]
metadata.docs.all-features = true

[lib]
path = "lib/app.rs"
crate-type = ["cdylib"]

[[bin]]
name = "app"
required-features = ["cli"]

[[test]]
name = "t"
path = "t.rs"

[[bench]]
name = "b"
harness = false

[[example]]
name = "e"

[features]
default = ["cli"]
cli = ["dep:clap"]

[dependencies]
clap = { version = "4", optional = true }

[target.'cfg(windows)'.dev-dependencies]
left = "1"

[lints]
workspace = true

[badges]
x = { y = "z" }

[profile.release]
lto = true

[workspace]
members = ["crates/*"]
metadata.x = 1
lints.rust.unsafe_code = "forbid"

[workspace.dependencies]
left = "1"

[patch.crates-io]
left = { path = "left" }
"#;
    insta::assert_snapshot!(resolution_manifest(manifest).expect("it is TOML"));
}

#[test]
fn a_macro_crate_stays_a_macro_crate() {
    for library in [
        "[lib]\nproc-macro = true\npath = \"x.rs\"\n",
        "[lib]\nproc_macro = true\n",
        "[lib]\ncrate-type = [\"proc-macro\"]\n",
        "lib = { proc-macro = true }\n",
    ] {
        let cut = resolution_manifest(library).expect("it is TOML");
        assert_eq!(cut, "[lib]\nproc-macro = true\n", "{library}");
    }

    for library in ["[lib]\nproc-macro = false\n", "[lib]\nname = \"x\"\n"] {
        assert_eq!(resolution_manifest(library).expect("it is TOML"), "");
    }
}

#[test]
fn an_unreadable_manifest_is_refused_with_the_reason() {
    for (text, message) in [
        (
            "[package",
            "the manifest cannot be read: unclosed table, expected `]`",
        ),
        (
            "package = 1",
            "the manifest cannot be read: `package` is not a table",
        ),
    ] {
        assert_eq!(resolution_manifest(text).unwrap_err().to_string(), message);
    }
}

//! A Cargo registry: a sparse index (<https://doc.rust-lang.org/cargo/reference/registry-index.html>)
//! and `.crate` files.

use serde_json::{Value, json};

use super::archive::{sha256_hex, tar_gz};
use super::{FaultyServer, RegistryFault, Release};
use crate::{Request, Response};

/// A running registry with the crates that the test gave it.
pub struct CargoRegistry {
    faulty: FaultyServer,
}

impl CargoRegistry {
    /// Starts a registry with these releases.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start(releases: Vec<Release>) -> Self {
        let faulty = FaultyServer::start(move |request| answer(&releases, request));
        Self { faulty }
    }

    /// Starts an index with these entries, in the format of an index, without archives.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start_index(entries: Vec<Value>) -> Self {
        let faulty = FaultyServer::start(move |request| {
            let segments = request.segments();
            match segments.last().map(String::as_str) {
                Some("config.json") | None => answer(&[], request),
                Some(name) => index_file(entries.iter().filter(|entry| {
                    entry["name"].as_str().map(str::to_lowercase).as_deref() == Some(name)
                })),
            }
        });
        Self { faulty }
    }

    /// Address of the index, with a trailing slash and without Cargo's `sparse+`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/index/", self.faulty.server.url())
    }

    /// The text of a `.cargo/config.toml` that replaces Cargo's default registry by this one.
    #[must_use]
    pub fn config(&self) -> String {
        format!(
            "[source.crates-io]\nreplace-with = \"stand-in\"\n\n\
             [source.stand-in]\nregistry = \"sparse+{}\"\n",
            self.url()
        )
    }

    /// All requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.faulty.server.requests()
    }

    /// Misbehaves at the next `times` requests whose path contains `path_part`.
    pub fn fail(&self, path_part: &str, fault: RegistryFault, times: u32) {
        self.faulty.fail(path_part, fault, times);
    }

    /// Runs an action once, before the answer to the next request whose path contains `path_part`.
    pub fn before(&self, path_part: &str, act: impl FnOnce() + Send + 'static) {
        self.faulty.before(path_part, act);
    }
}

fn answer(releases: &[Release], request: &Request) -> Response {
    let segments = request.segments();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();

    match words[..] {
        ["index", "config.json"] => {
            let host = request.header("host").unwrap_or_default();
            Response::json(200, &json!({"dl": format!("http://{host}/dl")}))
        }
        ["index", .., name] => {
            let lines: Vec<Value> = releases
                .iter()
                .filter(|release| release.name.to_lowercase() == name)
                .map(index_line)
                .collect();
            index_file(lines.iter())
        }
        ["dl", name, version, "download"] => releases
            .iter()
            .find(|release| release.name == name && release.version == version)
            .map_or_else(
                || Response::status(404),
                |release| Response::bytes(200, "application/gzip", archive(release)),
            ),
        _ => Response::status(404),
    }
}

fn index_file<'v>(entries: impl Iterator<Item = &'v Value>) -> Response {
    let lines: Vec<String> = entries.map(Value::to_string).collect();
    if lines.is_empty() {
        Response::status(404)
    } else {
        Response::bytes(200, "text/plain", lines.join("\n") + "\n")
    }
}

fn index_line(release: &Release) -> Value {
    let dependencies: Vec<Value> = release
        .dependencies
        .iter()
        .map(|(name, requirement)| {
            json!({
                "name": name, "req": requirement, "features": [], "optional": false,
                "default_features": true, "target": null, "kind": "normal",
            })
        })
        .collect();

    json!({
        "name": release.name, "vers": release.version, "deps": dependencies,
        "cksum": sha256_hex(&archive(release)), "features": {}, "yanked": release.yanked,
    })
}

fn archive(release: &Release) -> Vec<u8> {
    let directory = format!("{}-{}", release.name, release.version);
    let mut manifest = format!(
        "[package]\nname = \"{}\"\nversion = \"{}\"\nedition = \"2021\"\n\n[dependencies]\n",
        release.name, release.version
    );
    for (name, requirement) in &release.dependencies {
        manifest.push_str(&format!("{name} = \"{requirement}\"\n"));
    }

    tar_gz(&[
        (format!("{directory}/Cargo.toml"), manifest.into_bytes()),
        (
            format!("{directory}/src/lib.rs"),
            b"//! Nothing.\n".to_vec(),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn cargo_itself_locks_and_fetches_from_it() {
        let registry = CargoRegistry::start(vec![
            Release::new("leafy", "1.0.0", &[]),
            Release::new("leafy", "1.1.0", &[]).yanked(),
            Release::new("rooty", "2.0.0", &[("leafy", "1")]),
        ]);
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
             [dependencies]\nrooty = \"2\"\n\n[workspace]\n",
        );
        write("src/lib.rs", "");
        write(".cargo/config.toml", &registry.config());
        let output = Command::new("cargo")
            .arg("fetch")
            .current_dir(directory.path())
            .env("CARGO_HOME", directory.path().join("home"))
            .env("RUSTUP_TOOLCHAIN", crate::rust_toolchain())
            .output()
            .unwrap();

        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );

        let lock = std::fs::read_to_string(directory.path().join("Cargo.lock")).unwrap();
        assert!(
            lock.contains("name = \"leafy\"\nversion = \"1.0.0\""),
            "{lock}"
        );
    }
}

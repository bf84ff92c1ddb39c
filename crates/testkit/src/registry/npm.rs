//! An npm registry: packuments and tarballs.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::archive::{integrity, sha1_hex, tar_gz};
use super::{FaultyServer, RegistryFault, Release};
use crate::{Request, Response};

/// A running registry with the packages that the test gave it.
pub struct NpmRegistry {
    faulty: FaultyServer,
    releases: Arc<Vec<Release>>,
}

impl NpmRegistry {
    /// Serves these releases. The last plain release of a package in the list is `latest`.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start(releases: Vec<Release>) -> Self {
        let releases = Arc::new(releases);
        let served = Arc::clone(&releases);
        let faulty = FaultyServer::start(move |request| answer(&served, request));
        Self { faulty, releases }
    }

    /// The document of a package, as the registry answers with it.
    #[must_use]
    pub fn document(&self, name: &str) -> Vec<u8> {
        let of_name = self.releases.iter().filter(|release| release.name == name);
        let of_name: Vec<&Release> = of_name.collect();
        let url = self.faulty.server.url();
        let host = url.trim_start_matches("http://");
        packument(name, &of_name, host).to_string().into_bytes()
    }

    /// The base address with a trailing slash, as in npm's setting `registry`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/", self.faulty.server.url())
    }

    /// The archive at an address of this registry, as the registry answers with it.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn archive(&self, address: &str) -> Vec<u8> {
        let is_meant = |release: &&Release| {
            address.ends_with(&format!("/{}/-/{}", release.name, file_name(release)))
        };
        tarball(self.releases.iter().find(is_meant).unwrap())
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

    // A scope's slash comes escaped in metadata requests and plain in archive addresses.
    let (name, file) = match words[..] {
        [scope, name, "-", file] => (format!("{scope}/{name}"), Some(file)),
        [name, "-", file] => (name.to_owned(), Some(file)),
        [scope, name] => (format!("{scope}/{name}"), None),
        [name] => (name.to_owned(), None),
        _ => return not_found(),
    };
    let of_name: Vec<&Release> = releases
        .iter()
        .filter(|release| release.name == name)
        .collect();

    match file {
        None if of_name.is_empty() => not_found(),
        None => {
            let host = request.header("host").unwrap_or_default();
            Response::json(200, &packument(&name, &of_name, host))
        }
        Some(file) => of_name
            .iter()
            .find(|release| file_name(release) == file)
            .map_or_else(not_found, |release| {
                Response::bytes(200, "application/octet-stream", tarball(release))
            }),
    }
}

fn not_found() -> Response {
    Response::json(404, &json!({"error": "Not found"}))
}

fn packument(name: &str, releases: &[&Release], host: &str) -> Value {
    let mut versions = Map::new();
    for release in releases {
        let mut manifest = manifest(release);
        let file = file_name(release);
        manifest["_id"] = json!(format!("{name}@{}", release.version));
        manifest["dist"] = json!({
            "tarball": format!("http://{host}/{name}/-/{file}"),
            "integrity": integrity(&tarball(release)),
            "shasum": sha1_hex(&tarball(release)),
        });

        if release.yanked {
            manifest["deprecated"] = json!("use another release");
        }

        versions.insert(release.version.clone(), manifest);
    }

    let latest = releases
        .iter()
        .rfind(|release| !release.version.contains('-'))
        .or(releases.last())
        .map(|release| release.version.as_str());
    // The long form has the times of publication, here those of the field `published`.
    let times: Map<String, Value> = releases
        .iter()
        .filter_map(|release| {
            let time = release.fields.get("published")?;
            Some((release.version.clone(), time.clone()))
        })
        .collect();
    json!({
        "name": name, "dist-tags": {"latest": latest}, "versions": versions, "time": times,
    })
}

fn manifest(release: &Release) -> Value {
    let dependencies: Map<String, Value> = release
        .dependencies
        .iter()
        .map(|(name, requirement)| (name.clone(), json!(requirement)))
        .collect();
    let mut manifest =
        json!({"name": release.name, "version": release.version, "dependencies": dependencies});
    if !release.bundled.is_empty() {
        let names: Vec<&str> = release
            .bundled
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        manifest["bundleDependencies"] = json!(names);
    }

    if let Some(command) = &release.install_script {
        manifest["scripts"] =
            json!({"preinstall": command, "install": command, "postinstall": command});
        manifest["hasInstallScript"] = json!(true);
    }

    if let (Some(fields), Some(manifest)) = (release.fields.as_object(), manifest.as_object_mut()) {
        manifest.extend(fields.clone());
    }

    manifest
}

fn tarball(release: &Release) -> Vec<u8> {
    let text = manifest(release).to_string().into_bytes();
    let mut files = vec![("package/package.json".to_owned(), text)];
    for (name, version) in &release.bundled {
        let text = json!({"name": name, "version": version}).to_string();
        files.push((
            format!("package/node_modules/{name}/package.json"),
            text.into_bytes(),
        ));
    }

    for (path, text) in &release.files {
        files.push((format!("package/{path}"), text.clone().into_bytes()));
    }

    tar_gz(&files)
}

fn file_name(release: &Release) -> String {
    let name = release.name.rsplit('/').next().unwrap_or_default();
    format!("{name}-{}.tgz", release.version)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn npm_itself_locks_and_installs_from_it() {
        let registry = NpmRegistry::start(vec![
            Release::new("@acme/leaf", "1.0.0", &[]),
            Release::new("@acme/leaf", "1.1.0", &[]),
            Release::new("root-thing", "2.0.0", &[("@acme/leaf", "~1.0.0")]),
        ]);
        let directory = tempfile::tempdir().unwrap();
        let manifest =
            json!({"name": "a", "version": "1.0.0", "dependencies": {"root-thing": "^2"}});
        std::fs::write(directory.path().join("package.json"), manifest.to_string()).unwrap();
        let output = Command::new("npm")
            .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
            .arg(format!("--registry={}", registry.url()))
            .arg(format!(
                "--cache={}",
                directory.path().join("cache").display()
            ))
            .current_dir(directory.path())
            .output()
            .unwrap();

        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );

        let lock = std::fs::read(directory.path().join("package-lock.json")).unwrap();
        let lock: Value = serde_json::from_slice(&lock).unwrap();

        assert_eq!(
            lock["packages"]["node_modules/@acme/leaf"]["version"],
            "1.0.0"
        );
    }
}

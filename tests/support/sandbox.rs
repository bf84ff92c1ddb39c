//! The basis of every test: a temporary directory, the examples, and the binary in a clean environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use patchgate_testkit::rust_toolchain;
use serde_json::Value;
use tempfile::TempDir;

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A temporary directory, removed when the value is dropped. `home/` is the home of every run and
/// `repo/` the repository; a test may create anything else.
pub(crate) struct Sandbox {
    directory: TempDir,
    environment: Vec<(String, String)>,
}

/// Flags of a run that uses the store at `store/` and no network.
pub(crate) const OFFLINE: [&str; 5] = ["--offline", "--store", "store", "--max-age-days", "36500"];

/// Exit code and output of a run. The code is -1 after a signal.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("standard output is not JSON: {error}\n{self:?}"))
    }

    /// The same run, after a check of its exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("home")).unwrap();
        std::fs::create_dir_all(directory.path().join("repo")).unwrap();
        Self {
            directory,
            environment: Vec::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file of the repository at `repo/`.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path("repo").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Runs git in `repo/`, with its own settings only.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b.invalid"])
            .args(["-c", "core.autocrlf=false"])
            .args(arguments)
            .current_dir(self.path("repo"))
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    /// The text of a file of the repository at `repo/`.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path("repo").join(name)).unwrap()
    }

    /// Copies an example to `repo/`.
    pub(crate) fn example(&self, name: &str) {
        copy(&root().join("examples").join(name), &self.path("repo"));
    }

    /// Builds `store/` from the advisories of the examples.
    #[track_caller]
    pub(crate) fn build_store(&self) {
        let advisories = root().join("examples/advisories");
        self.run(&[
            "db",
            "build",
            "--from",
            advisories.to_str().unwrap(),
            "--into",
            "store",
        ])
        .expect(0);
    }

    /// Sets a variable of later runs.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.push((name.to_owned(), value.into()));
    }

    /// Lets later runs use cargo and npm with the settings of the machine, which say where the
    /// registries are.
    pub(crate) fn allow_managers(&mut self) {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        for (name, default) in [
            ("CARGO_HOME", ".cargo"),
            ("RUSTUP_HOME", ".rustup"),
            ("NPM_CONFIG_USERCONFIG", ".npmrc"),
        ] {
            let value = std::env::var(name)
                .unwrap_or_else(|_| home.join(default).to_string_lossy().into_owned());
            self.set(name, value);
        }

        // The sandbox is outside of the repository, where rustup does not find its toolchain file.
        self.set("RUSTUP_TOOLCHAIN", rust_toolchain());
    }

    /// Runs `patchgate` in the sandbox. Its environment contains `PATH`, a home of its own, and the
    /// variables of [`Sandbox::set`], nothing else.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_patchgate"))
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();

        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Builds the store of the examples and scans `repo/` with it, to JSON.
    pub(crate) fn scan_offline(&self) -> Run {
        self.build_store();
        self.offline("scan", &["--format", "json", "repo"])
    }

    /// Builds `store/` from the records in `records/`.
    #[track_caller]
    pub(crate) fn build_store_of_records(&self) {
        self.run(&["db", "build", "--from", "records", "--into", "store"])
            .expect(0);
    }

    /// Runs a command with the store at `store/`, whatever its age, and without the network.
    pub(crate) fn offline(&self, command: &str, arguments: &[&str]) -> Run {
        self.run(&[&[command][..], &OFFLINE, arguments].concat())
    }
}

/// Copies a directory with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The texts at `field` of every object in a list.
pub(crate) fn texts(list: &Value, field: &str) -> Vec<String> {
    list.as_array()
        .unwrap_or_else(|| panic!("not a list: {list}"))
        .iter()
        .map(|item| item[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

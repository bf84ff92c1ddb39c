//! Files that state dependencies in a format that is not read: build scripts, which only their own
//! tool can evaluate, and manifests without a reader yet.
//!
//! They are named, so that a scan of a repository with such a file is not called whole. A file is
//! left out when a lockfile pins it, or when it does not contain the words that every dependency of
//! its format needs.

/// A kind of file that states dependencies and is not read.
#[derive(Debug, Clone, Copy)]
pub struct UnreadFormat {
    /// Patterns of the files, as in [`crate::Format::files`].
    pub files: &'static [&'static str],
    /// Words of which a file with dependencies contains at least one. Empty if every file of this
    /// name has dependencies.
    pub words: &'static [&'static str],
    /// Ids of formats whose lockfiles pin the dependencies, next to the file or above it.
    pub pinned_by: &'static [&'static str],
    /// The next step of a user.
    pub hint: &'static str,
}

/// Hint for formats whose tool writes no lockfile that is read.
const SBOM: &str = "commit an SBOM of the build, which is read instead";

/// Every such format.
pub(crate) const UNREAD: &[UnreadFormat] = &[
    UnreadFormat {
        files: &["build.gradle", "build.gradle.kts"],
        words: &["dependencies", "plugins", "apply"],
        pinned_by: &[
            "gradle-lock",
            "gradle-dependency-locks",
            "gradle-verification-metadata",
        ],
        hint: "activate dependency locking and commit `gradle.lockfile`",
    },
    UnreadFormat {
        files: &["build.sbt"],
        words: &["Dependencies", "Dependency", "%"],
        pinned_by: &["sbt-lock"],
        hint: "lock the build with sbt-dependency-lock and commit `build.sbt.lock`",
    },
    UnreadFormat {
        files: &["ivy.xml"],
        words: &["<dependency", "include"],
        pinned_by: &[],
        hint: SBOM,
    },
    UnreadFormat {
        files: &["deps.edn"],
        words: &["deps", "mvn", "git"],
        pinned_by: &[],
        hint: SBOM,
    },
    UnreadFormat {
        files: &["project.clj"],
        words: &["dependencies", "plugins", "parent"],
        pinned_by: &[],
        hint: SBOM,
    },
    UnreadFormat {
        files: &["setup.py"],
        words: &["requires", "require", "**", "exec", "eval"],
        pinned_by: &[
            "pipfile-lock",
            "poetry-lock",
            "uv-lock",
            "pdm-lock",
            "pylock",
        ],
        hint: "state the dependencies in `pyproject.toml` and commit a lockfile, such as `uv.lock`",
    },
    UnreadFormat {
        files: &["Package.swift"],
        words: &["package(", "package ("],
        pinned_by: &["swift-resolved"],
        hint: "run `swift package resolve` and commit `Package.resolved`",
    },
    UnreadFormat {
        files: &["Cartfile", "Cartfile.resolved"],
        words: &[],
        pinned_by: &[],
        hint: SBOM,
    },
    UnreadFormat {
        files: &["Podfile"],
        words: &["pod", "eval", "require"],
        pinned_by: &["podfile-lock"],
        hint: "run `pod install` and commit `Podfile.lock`",
    },
    UnreadFormat {
        files: &["mix.exs"],
        words: &["deps"],
        pinned_by: &["mix-lock"],
        hint: "run `mix deps.get` and commit `mix.lock`",
    },
    UnreadFormat {
        files: &["rebar.config", "rebar.lock"],
        words: &["deps", "plugins", "pkg", "git"],
        pinned_by: &["mix-lock"],
        hint: SBOM,
    },
    UnreadFormat {
        files: &["conanfile.py"],
        words: &["require"],
        pinned_by: &["conan-lock"],
        hint: "run `conan lock create` and commit `conan.lock`",
    },
    UnreadFormat {
        files: &["*.cabal"],
        words: &["build-depends", "Build-Depends", "Build-depends", "import"],
        pinned_by: &["cabal-freeze", "stack-lock"],
        hint: "run `cabal freeze` and commit `cabal.project.freeze`",
    },
    UnreadFormat {
        files: &["Gopkg.lock", "Gopkg.toml", "glide.lock", "glide.yaml"],
        words: &[],
        pinned_by: &["go-mod", "go-vendor"],
        hint: "run `go mod init`, which converts the file, and commit `go.mod` and `go.sum`",
    },
    UnreadFormat {
        files: &["bower.json"],
        words: &["ependencies"],
        pinned_by: &[],
        hint: SBOM,
    },
    UnreadFormat {
        files: &["cpanfile"],
        words: &["requires", "recommends", "suggests", "feature"],
        pinned_by: &["cpanfile-snapshot"],
        hint: "run `carton install` and commit `cpanfile.snapshot`",
    },
    UnreadFormat {
        files: &["vcpkg.json"],
        words: &["dependencies"],
        pinned_by: &[],
        hint: SBOM,
    },
    UnreadFormat {
        files: &["MODULE.bazel"],
        words: &["bazel_dep", "use_extension", "include"],
        pinned_by: &[],
        hint: SBOM,
    },
    UnreadFormat {
        files: &["*.tf"],
        words: &["required_providers"],
        pinned_by: &["terraform-lock"],
        hint: "run `terraform init` and commit `.terraform.lock.hcl`",
    },
];

impl UnreadFormat {
    /// Whether a file of this format may state dependencies.
    #[must_use]
    pub fn may_state_dependencies(&self, bytes: &[u8]) -> bool {
        self.words.is_empty()
            || self
                .words
                .iter()
                .any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{format_by_id, formats_of, manifest_of, unread_format};

    #[test]
    fn lockfiles_and_names_exist() {
        for format in UNREAD {
            for id in format.pinned_by {
                assert!(format_by_id(id).is_some(), "{id}");
            }
            for pattern in format.files {
                let path = pattern.replace('*', "x");
                assert!(unread_format(&path).is_some(), "{path}");
                assert!(formats_of(&path).next().is_none(), "{path} is read");
                assert!(manifest_of(&path).is_none(), "{path} is read");
            }
        }
    }

    #[test]
    fn a_file_without_the_words_of_a_dependency_has_none() {
        let setup = unread_format("a/setup.py").unwrap();
        assert!(!setup.may_state_dependencies(b"from setuptools import setup\nsetup()\n"));
        assert!(setup.may_state_dependencies(b"setup(install_requires=['a'])\n"));
        assert!(setup.may_state_dependencies(b"setup(**config)\n"));
        assert!(
            unread_format("Cartfile")
                .unwrap()
                .may_state_dependencies(b"")
        );
    }
}

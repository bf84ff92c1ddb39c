//! The class of a failed build, from its log.
//!
//! The signs are the messages of the tools themselves. A log that has none of them is of an unknown
//! class; a wrong class would send a reader the wrong way.

use patchgate_model::FailureClass;

/// Signs of each class. Earlier classes are causes of later ones: a project whose lockfile does not
/// fit does not compile, and one that does not compile fails its tests.
const SIGNS: &[(FailureClass, &[&str])] = &[
    (
        FailureClass::Lock,
        &[
            // npm, yarn, pnpm, bun
            "can only install packages when your package.json and",
            "lockfile would have been modified by this install",
            "lockfile needs to be updated",
            "err_pnpm_outdated_lockfile",
            "lockfile had changes, but lockfile is frozen",
            // cargo
            "needs to be updated but --locked was passed",
            "because --locked was passed to prevent this",
            // Python
            "pyproject.toml changed significantly since poetry.lock",
            "the lockfile at `uv.lock` needs to be updated",
            "do not match the hashes from the requirements file",
            // Go
            "missing go.sum entry",
            "updates to go.mod needed",
            // Bundler, Composer
            "the gemfile's dependencies changed but the lockfile can't be updated",
            "the lock file is not up to date with the latest changes in composer.json",
        ],
    ),
    (
        FailureClass::Resolution,
        &[
            "eresolve",
            "etarget",
            "no matching version found for",
            "resolutionimpossible",
            "no solution found when resolving dependencies",
            "no matching distribution found for",
            "version solving failed",
            "failed to select a version for",
            "could not resolve dependencies for project",
            "could not find compatible versions",
            "your requirements could not be resolved to an installable set",
            "unable to resolve dependency tree",
        ],
    ),
    (
        FailureClass::Compile,
        &[
            "error[e0",
            "could not compile `",
            "error ts",
            ": error ts",
            "syntaxerror:",
            "cannot find module '",
            "err_module_not_found",
            "err_package_path_not_exported",
            "err_require_esm",
            "does not provide an export named",
            "modulenotfounderror:",
            "importerror:",
            "compilation error",
            "cannot find symbol",
            "[build failed]",
            "undefined: ",
            "module not found: error:",
            "error: cannot find name",
        ],
    ),
    (
        FailureClass::Test,
        &[
            "test result: failed",
            "assertionerror",
            "assertion `",
            "--- fail:",
            "not ok ",
            "tests failed",
            "failures:",
            "there are test failures",
            "short test summary info",
            "failing tests",
            " failing\n",
            "test suites: ",
        ],
    ),
    (
        FailureClass::Policy,
        &[
            "denied warnings",
            "#[deny(",
            "-d warnings",
            "eslint",
            "maven-enforcer-plugin",
            "checkstyle",
            "advisories failed",
            "licenses failed",
            "coverage threshold",
            "too many warnings",
            "ruff check",
            "mypy",
        ],
    ),
];

/// The class of a failed build by the end of its log.
#[must_use]
pub fn classify(log: &str) -> FailureClass {
    let log = log.to_lowercase();
    // A lint that is denied stops the compiler: the rule is the cause.
    let is_denied = ["denied warnings", "implied by `-d warnings`", "#[deny("]
        .iter()
        .any(|sign| log.contains(sign));
    if is_denied && !log.contains("error[e0") {
        return FailureClass::Policy;
    }

    SIGNS
        .iter()
        .find(|(_, signs)| signs.iter().any(|sign| log.contains(sign)))
        .map_or(FailureClass::Unknown, |(class, _)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_tools_have_their_class() {
        for (log, class) in [
            (
                "npm error `npm ci` can only install packages when your package.json and \
                 package-lock.json or npm-shrinkwrap.json are in sync.",
                FailureClass::Lock,
            ),
            (
                "error: the lock file /a/Cargo.lock needs to be updated but --locked was passed",
                FailureClass::Lock,
            ),
            (
                "npm error code ERESOLVE\nnpm error ERESOLVE could not resolve",
                FailureClass::Resolution,
            ),
            (
                "error[E0425]: cannot find function `a` in crate `b`\nerror: could not compile `c`",
                FailureClass::Compile,
            ),
            (
                "src/a.ts(1,10): error TS2305: Module 'b' has no exported member 'c'.",
                FailureClass::Compile,
            ),
            (
                "Error: Cannot find module 'b/lib/c'\n    at Module._resolveFilename",
                FailureClass::Compile,
            ),
            (
                "E   ImportError: cannot import name 'escape' from 'jinja2'",
                FailureClass::Compile,
            ),
            (
                "test result: FAILED. 3 passed; 1 failed; 0 ignored",
                FailureClass::Test,
            ),
            ("--- FAIL: TestA (0.00s)", FailureClass::Test),
            (
                "error: use of deprecated function\n = note: `-D deprecated` implied by `-D warnings`\n\
                 error: could not compile `c`",
                FailureClass::Policy,
            ),
            ("Segmentation fault", FailureClass::Unknown),
            ("", FailureClass::Unknown),
        ] {
            assert_eq!(classify(log), class, "{log}");
        }
    }
}

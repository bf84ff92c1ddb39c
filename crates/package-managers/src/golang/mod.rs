//! Go: where modules come from, and `go get` on a copy of the `go.mod` files.
//!
//! The copy contains `go.mod`, `go.sum` and `go.work` files and no sources, so `go mod tidy` is never
//! run: without sources it would remove every requirement. Go is told to use itself and no other
//! toolchain, so that neither a `go` line nor a `toolchain` line of the repository downloads one.
//!
//! A repository has no configuration of its own for Go: proxies and private modules are settings of
//! the user and of the environment.

mod environment;
mod explain;
mod files;
mod manager;
#[cfg(test)]
mod tests;

pub(crate) use manager::Go;

use patchgate_ecosystems::{Input, Siblings};

use crate::process::{self, Output};
use crate::scratch::Scratch;
use crate::{LockedProject, PinnedVersion, RelockError, Relocked, RunOptions};

/// Variables of every run. `GOVCS` keeps Go from fetching public modules with version control: their
/// addresses are those of the repository's choice, and the programs would run for each of them.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("GOTOOLCHAIN", "local"),
    ("GO111MODULE", "on"),
    ("GOVCS", "public:off,private:git"),
];

/// How Go is run.
#[derive(Clone, Copy)]
struct Run<'a> {
    options: RunOptions,
    /// Further variables. Tests set the proxy and the caches.
    environment: &'a [(&'a str, &'a str)],
}

impl From<RunOptions> for Run<'_> {
    fn from(options: RunOptions) -> Self {
        Self {
            options,
            environment: &[],
        }
    }
}

/// Changes versions of modules, all in one run.
///
/// # Errors
/// When Go is missing, fails, takes too long, or chooses another version.
async fn relock(
    project: LockedProject<'_>,
    pins: &[PinnedVersion],
    run: Run<'_>,
) -> Result<Relocked, RelockError> {
    let is_workspace = project.lockfile.path.ends_with("go.work");
    if pins.is_empty() || is_workspace {
        return Err(RelockError::NotExact { program: "go" });
    }
    if let Some(pin) = pins.iter().find(|pin| is_of_go(&pin.name)) {
        return Err(RelockError::Refused {
            package: pin.name.clone(),
            version: pin.to.clone(),
            reason: "the release of Go is not a module".to_owned(),
        });
    }

    let scratch = files::scratch(project)?;
    let mut arguments = vec!["get".to_owned()];
    arguments.extend(pins.iter().map(|pin| format!("{}@{}", pin.name, pin.to)));
    let output = run.go(&scratch, &project, &arguments, "-mod=mod").await?;
    if !output.success {
        return Err(explain::failure(&arguments, &output, pins));
    }

    let path = &project.lockfile.path;
    let go_mod = scratch.read(path)?;
    let sum_path = crate::manager::next_to(path, "go.sum");
    let others: Siblings = scratch
        .read(&sum_path)
        .map(|sums| Siblings::from([(sum_path, sums)]))
        .unwrap_or_default();
    check_result(project, &go_mod, pins)?;

    // A further run must not change the files again.
    list(&scratch, &project, run).await?;
    Ok(Relocked {
        lockfile: go_mod,
        others,
        notes: Vec::new(),
    })
}

/// Checks that Go would use the files as they are.
///
/// `go list -m all` reads the `go.mod` of every module of the graph. It proves that no module requires
/// a higher version of another one than the file lists, and that `go.sum` has the right hash of each
/// `go.mod`. `go mod verify` proves that the archives in the module cache have the hashes of `go.sum`.
/// Neither proves that an archive that was never downloaded has its hash, or that every imported
/// package has a module, which needs the sources.
///
/// # Errors
/// When Go would change the files or refuses them, or cannot be asked.
async fn check(project: LockedProject<'_>, run: Run<'_>) -> Result<(), RelockError> {
    let scratch = files::scratch(project)?;
    list(&scratch, &project, run).await?;

    let is_workspace = project.lockfile.path.ends_with("go.work");
    if !is_workspace {
        let arguments = ["mod".to_owned(), "verify".to_owned()];
        let output = run
            .go(&scratch, &project, &arguments, "-mod=readonly")
            .await?;
        if !output.success {
            return Err(explain::failure(&arguments, &output, &[]));
        }
    }

    match scratch.read(&project.lockfile.path)? == project.bytes {
        true => Ok(()),
        false => Err(RelockError::Unstable {
            command: "go list -m all".to_owned(),
        }),
    }
}

/// Reads the whole graph without a change.
async fn list(
    scratch: &Scratch,
    project: &LockedProject<'_>,
    run: Run<'_>,
) -> Result<(), RelockError> {
    let arguments = ["list", "-m", "all"].map(str::to_owned);
    let output = run
        .go(scratch, project, &arguments, "-mod=readonly")
        .await?;
    match output.success {
        true => Ok(()),
        false => Err(explain::failure(&arguments, &output, &[])),
    }
}

impl Run<'_> {
    /// Runs Go in the directory of the lockfile.
    async fn go(
        self,
        scratch: &Scratch,
        project: &LockedProject<'_>,
        arguments: &[String],
        flags: &str,
    ) -> Result<Output, RelockError> {
        let is_workspace = project.lockfile.path.ends_with("go.work");
        let mut environment = ENVIRONMENT.to_vec();
        environment.push(("GOFLAGS", flags));
        if !is_workspace {
            environment.push(("GOWORK", "off"));
        }
        if self.options.offline {
            environment.push(("GOPROXY", "off"));
        }
        environment.extend(self.environment);

        let directory = scratch.path().join(project.directory());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        process::run(
            "go",
            &arguments,
            &directory,
            &environment,
            self.options.timeout,
        )
        .await
    }
}

/// Refuses a result in which a module has another version than asked for, or the project another
/// release of Go: `go get` raises the `go` line for a module that needs it.
fn check_result(
    project: LockedProject<'_>,
    go_mod: &[u8],
    pins: &[PinnedVersion],
) -> Result<(), RelockError> {
    let path = &project.lockfile.path;
    let unusable = |reason: String| RelockError::Unusable {
        path: path.clone(),
        reason,
    };
    let siblings = Siblings::new();
    let read = |bytes| {
        let siblings = &siblings;
        patchgate_ecosystems::parse(&Input {
            path,
            bytes,
            siblings,
        })
        .map_err(|error| unusable(error.to_string()))
    };
    let (before, after) = (
        files::release_of_go(project.bytes),
        files::release_of_go(go_mod),
    );
    if before != after {
        return Err(RelockError::Failed {
            command: "go get".to_owned(),
            reason: format!("a version needs {after}, and the project states {before}"),
        });
    }

    let lockfile = read(go_mod)?;
    for pin in pins {
        let mut packages = lockfile.packages.iter();
        let is_exact = packages.any(|one| one.name == pin.name && one.version == pin.to);
        if !is_exact {
            return Err(RelockError::Refused {
                package: pin.name.clone(),
                version: pin.to.clone(),
                reason: "Go selects another version, which a module of the graph requires"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

/// Whether a name is one of OSV's for the parts of Go itself.
fn is_of_go(name: &str) -> bool {
    matches!(name, "stdlib" | "toolchain")
}

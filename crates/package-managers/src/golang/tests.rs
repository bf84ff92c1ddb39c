//! The real `go` command against a proxy on loopback.

use std::path::Path;
use std::process::Command;

use patchgate_ecosystems::golang::Go as GoRules;
use patchgate_ecosystems::{
    Downloads, Input, Release, TargetGraph, TargetNode, Upgradable as _, format_by_id, parse,
};
use patchgate_testkit::{GoModule, GoProxy, Requirement, skip};

use super::*;

const APP: &str = "module app.invalid/app\n\ngo 1.21\n";
const SOURCE: &str = "package main\n\nimport _ \"a.invalid/a\"\n\nfunc main() {}\n";

/// A project with its sources, and a proxy with modules.
struct Case {
    proxy: GoProxy,
    modules: Vec<GoModule>,
    directory: tempfile::TempDir,
}

impl Case {
    /// `None` when Go is not installed.
    fn start() -> Option<Self> {
        if Command::new("go").arg("version").output().is_err() {
            skip(Requirement::Tools, "`go` is missing");
            return None;
        }

        let c = "require c.invalid/c v1.0.0\n";
        let next =
            "require (\n\tc.invalid/c v1.1.0\n\td.invalid/d v1.0.0\n\tt.invalid/t v1.0.0\n)\n";
        let modules = vec![
            GoModule::new(
                "a.invalid/a",
                "v1.2.0",
                &format!("go 1.20\n\n{c}"),
                &["c.invalid/c"],
            ),
            GoModule::new(
                "a.invalid/a",
                "v1.3.0",
                &format!("go 1.20\n\n{next}"),
                &["c.invalid/c", "d.invalid/d"],
            ),
            GoModule::new(
                "a.invalid/a",
                "v1.4.0",
                &format!("go 1.25\n\n{next}"),
                &["c.invalid/c"],
            ),
            GoModule::new("c.invalid/c", "v1.0.0", "", &[]),
            GoModule::new(
                "c.invalid/c",
                "v1.1.0",
                "require e.invalid/e v1.0.0\n",
                &["e.invalid/e"],
            ),
            GoModule::new("d.invalid/d", "v1.0.0", "go 1.17\n", &[]),
            GoModule::new("e.invalid/e", "v1.0.0", "", &[]),
            GoModule::new("t.invalid/t", "v1.0.0", "go 1.17\n", &[]),
        ];
        let case = Self {
            proxy: GoProxy::start(modules.clone()),
            modules,
            directory: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(case.project()).unwrap();
        case.write("go.mod", &format!("{APP}\nrequire a.invalid/a v1.2.0\n"));
        case.write("main.go", SOURCE);
        case.go(&["mod", "tidy"]);
        Some(case)
    }

    fn project(&self) -> std::path::PathBuf {
        self.directory.path().join("project")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.project().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.project().join(name)).unwrap()
    }

    fn environment(&self) -> Vec<(String, String)> {
        let cache = |name: &str| self.directory.path().join(name).display().to_string();
        [
            ("GOPROXY", self.proxy.url()),
            ("GOSUMDB", "off".to_owned()),
            ("GOPATH", cache("path")),
            ("GOMODCACHE", cache("modules")),
            ("GOCACHE", cache("cache")),
            ("GOENV", "off".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// Runs Go on the project with its sources.
    fn go(&self, arguments: &[&str]) {
        let output = Command::new("go")
            .args(arguments)
            .current_dir(self.project())
            .envs(self.environment())
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-modcacherw")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
    }

    fn siblings(&self) -> Siblings {
        ["go.mod", "go.sum"]
            .into_iter()
            .map(|name| (name.to_owned(), self.read(name).into_bytes()))
            .collect()
    }

    /// Runs the manager on the project's files.
    async fn manage<T>(
        &self,
        act: impl AsyncFnOnce(LockedProject<'_>, Run<'_>) -> Result<T, RelockError>,
    ) -> Result<T, RelockError> {
        let siblings = self.siblings();
        let input = Input {
            path: "go.mod",
            bytes: &siblings["go.mod"],
            siblings: &siblings,
        };
        let lockfile = parse(&input).unwrap();
        let root = Path::new("/nonexistent");
        let configuration = super::files::around(&self.project(), "go.mod");
        let project = LockedProject {
            root,
            lockfile: &lockfile,
            bytes: input.bytes,
            manifests: &Siblings::new(),
            configuration: &configuration,
        };
        let environment = self.environment();
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let run = Run {
            options: RunOptions::default(),
            environment: &environment,
        };
        act(project, run).await
    }

    fn release(&self, path: &str, version: &str) -> Release {
        let list = GoRules.metadata_request(&self.proxy.url(), path);
        let mut release = GoRules
            .parse_metadata(path, version.as_bytes())
            .unwrap()
            .remove(0);
        release.resolve(&list.url);
        let module = self.module(path, version);
        GoRules
            .parse_details(path, &mut release, module.go_mod.as_bytes())
            .unwrap();
        release
    }

    fn module(&self, path: &str, version: &str) -> &GoModule {
        let mut modules = self.modules.iter();
        modules
            .find(|one| one.path == path && one.version == version)
            .unwrap()
    }

    /// The documents at the addresses that the writer asks for.
    fn document(&self, address: &str) -> Option<Vec<u8>> {
        let path = address.strip_prefix(&self.proxy.url())?.strip_prefix('/')?;
        let (path, file) = path.split_once("/@v/")?;
        let (version, extension) = file.rsplit_once('.')?;
        let module = self.module(path, version);
        Some(match extension {
            "zip" => module.archive(),
            _ => module.go_mod.clone().into_bytes(),
        })
    }

    /// Writes versions directly. Modules that the project does not have are added.
    fn write_directly(&self, versions: &[(&str, &str)]) {
        let siblings = self.siblings();
        let input = Input {
            path: "go.mod",
            bytes: &siblings["go.mod"],
            siblings: &siblings,
        };
        let lockfile = parse(&input).unwrap();
        let mut target = TargetGraph::unchanged(&lockfile);
        for (name, version) in versions {
            let release = Some(self.release(name, version));
            match target.nodes.iter_mut().find(|node| node.name == *name) {
                Some(node) => node.release = release,
                None => target.nodes.push(TargetNode {
                    was: None,
                    name: (*name).to_owned(),
                    release,
                    edges: Vec::new(),
                }),
            }
        }

        let writer = format_by_id("go-mod").unwrap().writer.unwrap();
        let mut downloads: Downloads = target
            .nodes
            .iter()
            .flat_map(|node| {
                let release = node.release.iter();
                release.flat_map(|release| writer.downloads(&node.name, release))
            })
            .filter_map(|request| Some((request.url.clone(), self.document(&request.url)?)))
            .collect();
        loop {
            let further = writer.further_downloads(&input, &lockfile, &target, &downloads);
            let known = downloads.len();
            downloads.extend(
                further
                    .into_iter()
                    .filter_map(|one| Some((one.url.clone(), self.document(&one.url)?))),
            );
            if downloads.len() == known {
                break;
            }
        }

        for (path, bytes) in writer
            .write(&input, &lockfile, &target, &downloads)
            .unwrap()
        {
            self.write(&path, &String::from_utf8(bytes).unwrap());
        }
    }
}

fn pin(name: &str, from: &str, to: &str) -> PinnedVersion {
    PinnedVersion {
        install_path: None,
        name: name.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

#[tokio::test]
async fn go_accepts_what_is_written_directly_and_leaves_it_as_it_is() {
    let Some(case) = Case::start() else { return };
    case.write_directly(&[
        ("a.invalid/a", "v1.3.0"),
        ("c.invalid/c", "v1.1.0"),
        ("d.invalid/d", "v1.0.0"),
        ("e.invalid/e", "v1.0.0"),
        ("t.invalid/t", "v1.0.0"),
    ]);
    let (go_mod, go_sum) = (case.read("go.mod"), case.read("go.sum"));

    case.manage(async |project, run| check(project, run).await)
        .await
        .unwrap();
    case.go(&["build", "-mod=readonly", "-o", "/dev/null", "./..."]);
    case.go(&["mod", "verify"]);
    case.go(&["mod", "tidy"]);
    assert_eq!(case.read("go.mod"), go_mod);
    // The sums of the old `go.mod` files are not needed, and do no harm.
    let kept: String = go_sum
        .split_inclusive('\n')
        .filter(|line| !line.contains("a v1.2.0/go.mod") && !line.contains("c v1.0.0/go.mod"))
        .collect();
    assert_eq!(case.read("go.sum"), kept);
}

#[tokio::test]
async fn go_get_sets_the_versions_that_are_asked_for() {
    let Some(case) = Case::start() else { return };
    let pins = [pin("c.invalid/c", "v1.0.0", "v1.1.0")];
    let relocked = case
        .manage(async |project, run| relock(project, &pins, run).await)
        .await
        .unwrap();
    let go_mod = String::from_utf8(relocked.lockfile).unwrap();
    assert!(
        go_mod.contains("c.invalid/c v1.1.0 // indirect\n"),
        "{go_mod}"
    );
    let go_sum = String::from_utf8(relocked.others["go.sum"].clone()).unwrap();
    assert!(go_sum.contains("c.invalid/c v1.1.0 h1:"), "{go_sum}");

    // The direct writer gives the same `go.mod`, and only lines that Go writes too.
    case.write_directly(&[("c.invalid/c", "v1.1.0"), ("e.invalid/e", "v1.0.0")]);
    assert_eq!(case.read("go.mod"), go_mod);
    for line in case.read("go.sum").lines() {
        assert!(go_sum.contains(line), "{line}");
    }
}

#[tokio::test]
async fn a_version_that_raises_the_go_line_or_is_not_there_is_refused() {
    let Some(case) = Case::start() else { return };
    let reason = async |version: &str| {
        let pins = [pin("a.invalid/a", "v1.2.0", version)];
        let relocked = case.manage(async |project, run| relock(project, &pins, run).await);
        relocked.await.unwrap_err().to_string()
    };
    assert!(reason("v1.4.0").await.contains("needs `go 1.25"));
    assert!(reason("v9.9.9").await.contains("v9.9.9` was refused"));
}

#[tokio::test]
async fn a_go_mod_that_go_would_change_is_refused() {
    let Some(case) = Case::start() else { return };
    // `a` v1.3.0 needs a higher `c`, and has no sum.
    let go_mod = case.read("go.mod");
    case.write(
        "go.mod",
        &go_mod.replace("a.invalid/a v1.2.0", "a.invalid/a v1.3.0"),
    );
    let checked = case.manage(async |project, run| check(project, run).await);
    assert!(matches!(checked.await, Err(RelockError::Failed { .. })));

    // A wrong hash.
    case.write("go.mod", &go_mod);
    let go_sum = case.read("go.sum");
    case.write("go.sum", &go_sum.replace("/go.mod h1:", "/go.mod h1:A"));
    let checked = case.manage(async |project, run| check(project, run).await);
    assert!(checked.await.is_err());
}

#[tokio::test]
async fn a_directory_outside_of_the_repository_is_not_read() {
    let Some(case) = Case::start() else { return };
    let go_mod = case.read("go.mod");
    case.write(
        "go.mod",
        &format!("{go_mod}\nreplace c.invalid/c => ../../etc\n"),
    );
    let checked = case.manage(async |project, run| check(project, run).await);
    let error = checked.await.unwrap_err().to_string();
    assert!(error.contains("outside of the repository"), "{error}");
}

#[test]
fn a_private_module_has_no_registry() {
    let settings: super::environment::Settings = serde_json::from_str(
        r#"{"GOPROXY":"https://p.invalid,direct","GONOPROXY":"corp.invalid"}"#,
    )
    .unwrap();
    let registry = |key: &str| super::manager::registry(&settings, key);
    assert_eq!(registry("").unwrap().as_deref(), Some("https://p.invalid"));
    assert_eq!(registry("a.invalid/a").unwrap(), None);
    assert!(registry("corp.invalid/a").is_err());
}

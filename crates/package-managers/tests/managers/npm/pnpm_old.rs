//! pnpm 6, 7 and 8 on lockfiles that Patchgate wrote.

use std::path::PathBuf;
use std::process::Command;

use patchgate_ecosystems::Siblings;
use patchgate_package_managers::{
    LockedProject, PackageManager, PinnedVersion, RelockError, RunOptions, manager_of,
};
use patchgate_testkit::{NpmRegistry, Release, Tools};
use serde_json::{Value, json};

use super::support::{Locked, has_program};

const LOCKFILE: &str = "pnpm-lock.yaml";

fn made(name: &str, version: &str, fields: Value) -> Release {
    Release::new(name, version, &[]).with_fields(fields)
}

/// The releases of all tests.
fn registry() -> NpmRegistry {
    let react = json!({ "peerDependencies": { "react": "^18" }, "engines": { "node": ">=8" } });
    let both = json!({ "react": "^18", "react-dom": "^18" });
    let script = json!({ "scripts": { "postinstall": "node x" }, "dependencies": { "ms": "^2" } });
    let needs = |name: &str, requirement: &str| json!({ "dependencies": { name: requirement } });
    let color = json!({
        "dependencies": { "ms": "^2.0.0" },
        "peerDependencies": { "supports-color": "*" },
        "peerDependenciesMeta": { "supports-color": { "optional": true } },
    });
    NpmRegistry::start(vec![
        made("ms", "2.0.0", json!({})),
        made("ms", "2.1.3", needs("@own/leaf", ">=1")),
        made(
            "@own/leaf",
            "1.0.0",
            json!({
                "bin": "x.js",
                "engines": { "node": ">=8", "npm": "*" },
                "os": ["linux", "!win32"],
                "cpu": ["x64", "arm64"],
                "deprecated": "don't: use, it",
            }),
        ),
        made("react", "18.2.0", json!({})),
        made(
            "react",
            "18.3.1",
            json!({ "engines": { "node": ">=0.10" } }),
        ),
        made("react-dom", "18.2.0", react.clone()),
        made("react-dom", "18.3.1", react),
        made(
            "use",
            "1.0.0",
            json!({ "peerDependencies": { "react": "^18" } }),
        ),
        made("use", "1.1.0", json!({ "peerDependencies": both })),
        made(
            "wrap",
            "1.0.0",
            json!({ "dependencies": { "use": "^1.0.0", "ms": "^2.0.0" } }),
        ),
        made("debug", "4.3.4", color),
        made("log", "1.0.0", needs("debug", "^4.0.0")),
        made("supports-color", "8.0.0", json!({})),
        made("supports-color", "8.1.0", json!({})),
        made("built", "1.0.0", json!({})),
        made("built", "1.1.0", script),
        made("@own/p", "1.0.0", json!({})),
        made("@own/p", "1.1.0", json!({})),
        made(
            "q",
            "1.0.0",
            json!({ "peerDependencies": { "@own/p": "1" } }),
        ),
        made(
            "opt",
            "1.0.0",
            json!({ "optionalDependencies": { "built": "^1" } }),
        ),
        made(
            "opt",
            "1.1.0",
            json!({ "optionalDependencies": { "built": "^1" } }),
        ),
    ])
}

/// A project of one pnpm.
struct Project<'a> {
    program: [PathBuf; 2],
    major: u64,
    registry: &'a NpmRegistry,
    directory: tempfile::TempDir,
    siblings: Siblings,
}

impl<'a> Project<'a> {
    fn new(tools: &Tools, major: u64, registry: &'a NpmRegistry) -> Option<Self> {
        Some(Self {
            program: tools.older_pnpm(major)?,
            major,
            registry,
            directory: tempfile::tempdir().unwrap(),
            siblings: Siblings::new(),
        })
    }

    fn add(&mut self, path: &str, text: &str) {
        let target = self.directory.path().join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, text).unwrap();
        self.siblings
            .insert(path.to_owned(), text.as_bytes().to_vec());
    }

    fn pnpm(&self, arguments: &[&str]) -> String {
        let path = self.directory.path();
        let [node, script] = &self.program;
        let output = Command::new(node)
            .arg(script)
            .args(["install", "--lockfile-only", "--ignore-scripts"])
            .args(["--no-strict-peer-dependencies"])
            .args(arguments)
            .env("HOME", path)
            .env("npm_config_registry", self.registry.url())
            .env("npm_config_fetch_retries", "0")
            .env_remove("CI")
            .current_dir(path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let major = self.major;
        assert!(
            output.status.success(),
            "pnpm {major} {arguments:?}: {text}"
        );
        std::fs::read_to_string(path.join(LOCKFILE)).unwrap()
    }

    /// The lockfile as pnpm writes it without one.
    fn locked(&self) -> String {
        let _ = std::fs::remove_file(self.directory.path().join(LOCKFILE));
        self.pnpm(&[])
    }

    fn written(&self, text: &str, change: impl FnOnce(&mut Locked<'_>)) -> Result<String, String> {
        let mut locked = Locked::new(LOCKFILE, text, &self.siblings, self.registry);
        change(&mut locked);
        locked.write()
    }

    /// The lockfile after a change, which pnpm must accept frozen and leave as it is.
    fn changed(&self, text: &str, change: impl FnOnce(&mut Locked<'_>)) -> String {
        let written = self.written(text, change).unwrap();
        for arguments in [
            &["--frozen-lockfile"][..],
            &[],
            &["--no-prefer-frozen-lockfile"],
        ] {
            std::fs::write(self.directory.path().join(LOCKFILE), &written).unwrap();
            let after = self.pnpm(arguments);
            assert_eq!(after, written, "pnpm {} {arguments:?}", self.major);
        }
        written
    }
}

impl Project<'_> {
    fn managed<T>(
        &self,
        text: &str,
        act: impl AsyncFnOnce(&'static dyn PackageManager, LockedProject<'_>) -> T,
    ) -> T {
        let root = self.directory.path();
        let manager = manager_of("pnpm-lock").unwrap();
        let configuration = manager.configuration(root, LOCKFILE);
        let locked = Locked::new(LOCKFILE, text, &self.siblings, self.registry);
        let project = LockedProject {
            root,
            lockfile: &locked.lockfile,
            bytes: text.as_bytes(),
            manifests: &self.siblings,
            configuration: &configuration,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(act(manager, project))
    }

    fn check(&self, text: &str) -> Result<(), RelockError> {
        self.managed(text, async |manager, project| {
            manager.check(project, RunOptions::default()).await
        })
    }

    fn refuses_to_lock(&self, text: &str) -> bool {
        let pins = [PinnedVersion {
            install_path: None,
            name: "ms".to_owned(),
            from: "2.0.0".to_owned(),
            to: "2.1.3".to_owned(),
        }];
        let relocked = self.managed(text, async |manager, project| {
            let relocked = manager.relock(project, &pins, RunOptions::default());
            relocked.await
        });
        matches!(relocked, Err(RelockError::NotExact { .. }))
    }
}

/// Runs a test with every pnpm that is installed.
fn with_each(test: impl Fn(Project<'_>)) {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let registry = registry();
    for major in [6, 7, 8] {
        let Some(project) = Project::new(&tools, major, &registry) else {
            return;
        };
        test(project);
    }
}

#[test]
fn a_version_changes_as_pnpm_would_lock_it() {
    with_each(|mut project| {
        let manifest = r#"{ "dependencies": { "ms": "2.0.0", "log": "1.0.0" },
            "devDependencies": { "built": "1.0.0" }, "optionalDependencies": { "opt": "1.0.0" } }"#;
        project.add("package.json", manifest);
        let text = project.locked();
        // The next one is what pnpm writes when nothing is locked.
        let manifest = manifest
            .replace("2.0.0", "2.1.3")
            .replace("\"built\": \"1.0.0\"", "\"built\": \"1.1.0\"");
        project.add("package.json", &manifest);
        let written = project.changed(&text, |locked| {
            for (name, from, to) in [("ms", "2.0.0", "2.1.3"), ("built", "1.0.0", "1.1.0")] {
                locked.change(name, from, to);
                locked.require(name, to);
            }
        });
        assert_eq!(written, project.locked(), "pnpm {}", project.major);
    });
}

#[test]
fn peers_follow_and_come() {
    with_each(|mut project| {
        let manifest = json!({
            "dependencies": {
                "react": "18.2.0", "react-dom": "18.2.0", "wrap": "1.0.0", "log": "1.0.0",
                "supports-color": "8.0.0", "use": "1.0.0", "@own/p": "1.0.0", "q": "1.0.0",
            },
        });
        let manifest = manifest.to_string();
        project.add("package.json", &manifest);
        let text = project.locked();
        let manifest = manifest
            .replace("\"react\":\"18.2.0\"", "\"react\":\"18.3.1\"")
            .replace("8.0.0", "8.1.0")
            .replace("\"@own/p\":\"1.0.0\"", "\"@own/p\":\"1.1.0\"");
        project.add("package.json", &manifest);
        let written = project.changed(&text, |locked| {
            for (name, from, to) in [
                ("react", "18.2.0", "18.3.1"),
                ("supports-color", "8.0.0", "8.1.0"),
                ("@own/p", "1.0.0", "1.1.0"),
            ] {
                locked.change(name, from, to);
                locked.require(name, to);
            }
        });
        assert_eq!(written, project.locked(), "pnpm {}", project.major);

        // The other release needs one more peer.
        project.add(
            "package.json",
            &manifest.replace("\"use\":\"1.0.0\"", "\"use\":\"1.1.0\""),
        );
        let written = project.changed(&written, |locked| {
            locked.change("use", "1.0.0", "1.1.0");
            locked.require("use", "1.1.0");
        });
        assert_eq!(written, project.locked(), "pnpm {}", project.major);
    });
}

#[test]
fn members_aliases_and_kinds_of_dependencies_follow() {
    with_each(|mut project| {
        project.add("pnpm-workspace.yaml", "packages:\n  - packages/*\n");
        project.add(
            "package.json",
            r#"{ "devDependencies": { "wrap": "1.0.0" } }"#,
        );
        project.add(
            "packages/a/package.json",
            r#"{ "name": "a", "dependencies": { "react": "18.2.0" }, "devDependencies": { "react-dom": "18.2.0" } }"#,
        );
        let b = r#"{ "name": "b", "dependencies": { "a": "workspace:*", "react": "18.3.1", "al": "npm:ms@2.0.0" }, "optionalDependencies": { "log": "1.0.0" } }"#;
        project.add("packages/b/package.json", b);
        let text = project.locked();
        project.add("packages/b/package.json", &b.replace("2.0.0", "2.1.3"));
        let written = project.changed(&text, |locked| {
            locked.change("ms", "2.0.0", "2.1.3");
            locked.require("al", "npm:ms@2.1.3");
        });
        assert_eq!(written, project.locked(), "pnpm {}", project.major);
    });
}

#[test]
fn overrides_of_the_manifest_are_repeated() {
    with_each(|mut project| {
        let manifest = r#"{ "dependencies": { "ms": "~2.0.0", "log": "1.0.0" }, "pnpm": { "overrides": { "zz": "1.0.0" } } }"#;
        project.add("package.json", manifest);
        let text = project.locked();
        project.add(
            "package.json",
            &manifest.replace("\"zz\": \"1.0.0\"", "\"zz\": \"1.0.0\", \"ms\": \"2.1.3\""),
        );
        let written = project.changed(&text, |locked| locked.change("ms", "2.0.0", "2.1.3"));
        assert_eq!(written, project.locked(), "pnpm {}", project.major);

        project.add(
            "pnpm-workspace.yaml",
            "packages: [a]\noverrides:\n  ms: 2.1.3\n",
        );
        let refused = project.written(&text, |locked| locked.change("ms", "2.0.0", "2.1.3"));
        assert_eq!(
            refused.unwrap_err(),
            "its version of pnpm does not read the overrides in `pnpm-workspace.yaml`"
        );
        project.add("pnpm-workspace.yaml", "packages: [a]\n");
        project.add(".pnpmfile.cjs", "module.exports = {};\n");
        let refused = project.written(&text, |locked| locked.change("ms", "2.0.0", "2.1.3"));
        assert_eq!(
            refused.unwrap_err(),
            "a program of the project, `.pnpmfile.cjs`, may change new entries"
        );
    });
}

/// A lockfile of pnpm 8, which says that no peers are installed, as `.npmrc` does.
fn locked_by_eight<'a>(tools: &Tools, registry: &'a NpmRegistry) -> Option<(Project<'a>, String)> {
    let mut project = Project::new(tools, 8, registry)?;
    let npmrc = format!(
        "registry={}\nauto-install-peers=false\nscript-shell=./x\n",
        registry.url()
    );
    project.add(".npmrc", &npmrc);
    project.add(
        "package.json",
        r#"{ "packageManager": "pnpm@9.0.0", "dependencies": { "ms": "2.0.0", "use": "1.1.0", "react": "18.2.0" } }"#,
    );
    let text = project.locked();
    assert!(text.contains("autoInstallPeers: false"), "{text}");
    Some((project, text))
}

#[test]
fn the_manager_checks_only_with_the_pnpm_of_the_version() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let Some([node, script]) = tools.older_pnpm(8) else {
        return;
    };
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("pnpm");
    let text = format!("#!/bin/sh\nexec {node:?} {script:?} \"$@\"\n");
    std::fs::write(&program, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let test = "npm::pnpm_old::the_manager_checks_only_with_the_pnpm_of_the_version";
    if !has_program(&program, test) {
        return;
    }

    let registry = registry();
    let (project, text) = locked_by_eight(&tools, &registry).unwrap();
    project.check(&text).unwrap();
    assert!(project.check(&text.replace("(react@18.2.0)", "")).is_err());
    assert!(project.refuses_to_lock(&text));
    let older = text.replace("'6.0'", "5.4").replace(
        "settings:\n  autoInstallPeers: false\n  excludeLinksFromLockfile: false\n\n",
        "",
    );
    let failed = project.check(&older.replace('@', "/"));
    assert!(
        matches!(failed, Err(RelockError::NotInstalled { program: "pnpm 7" })),
        "{failed:?}"
    );
}

#[test]
fn a_newer_pnpm_never_converts_an_older_lockfile() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let test = "npm::pnpm_old::a_newer_pnpm_never_converts_an_older_lockfile";
    if !has_program(&tools.pnpm(), test) {
        return;
    }

    let registry = registry();
    let Some((project, text)) = locked_by_eight(&tools, &registry) else {
        return;
    };
    let checked = project.check(&text);
    assert!(
        matches!(
            checked,
            Err(RelockError::NotInstalled { program: "pnpm 8" })
        ),
        "{checked:?}"
    );
    assert!(project.refuses_to_lock(&text));
}

//! bun itself on lockfiles that Patchgate wrote.

use std::path::Path;
use std::process::Command;

use patchgate_ecosystems::{Ecosystem as _, Siblings, npm::Npm};
use patchgate_package_managers::{LockedProject, RunOptions, manager_of};
use patchgate_testkit::{NpmRegistry, Release, Tools};
use serde_json::{Value, json};

use super::support::{Locked, has_program};

const LOCKFILE: &str = "bun.lock";

fn made(name: &str, version: &str, fields: Value) -> Release {
    Release::new(name, version, &[]).with_fields(fields)
}

/// The releases of all tests.
fn registry() -> NpmRegistry {
    let needs = |name: &str, requirement: &str| json!({ "dependencies": { name: requirement } });
    NpmRegistry::start(vec![
        made("ms", "2.0.0", json!({})),
        made(
            "ms",
            "2.1.3",
            json!({
                "dependencies": { "@own/leaf": ">=1", "zz": " ^1.0.0" },
                "optionalDependencies": { "native": "1.x" },
                "bin": { "ams": "a.js", "zms": "./z.js" },
            }),
        ),
        made(
            "native",
            "1.0.0",
            json!({
                "os": ["darwin", "linux", "!win32"],
                "cpu": ["x64", "arm64"],
                "libc": ["glibc"],
                "hasInstallScript": true,
            }),
        ),
        made(
            "@own/leaf",
            "1.0.0",
            json!({ "bin": "x.js", "os": ["!win32", "!aix"], "engines": { "node": ">=8" } }),
        ),
        made("zz", "1.0.0", json!({ "directories": { "bin": "./bin" } })),
        made("debug", "2.6.9", needs("ms", "2.0.0")),
        made("debug", "4.3.4", needs("ms", "^2.1.0")),
        made(
            "send",
            "1.0.0",
            json!({ "dependencies": { "debug": "2.6.9", "ms": "^2.0.0" } }),
        ),
        made("log", "1.0.0", needs("debug", "^2.0.0")),
        made("react", "18.2.0", json!({})),
        made("react", "18.3.1", json!({})),
        made(
            "use",
            "1.0.0",
            json!({
                "peerDependencies": { "react": "^18", "color": "*" },
                "peerDependenciesMeta": { "color": { "optional": true } },
            }),
        ),
        made(
            "use",
            "1.1.0",
            json!({
                "peerDependencies": { "react": "^18", "color": "*" },
                "peerDependenciesMeta": { "color": { "optional": true }, "other": { "optional": true } },
            }),
        ),
    ])
}

/// A project in a directory of its own.
struct Project<'a> {
    tools: &'a Tools,
    registry: &'a NpmRegistry,
    directory: tempfile::TempDir,
    siblings: Siblings,
}

impl<'a> Project<'a> {
    fn new(tools: &'a Tools, registry: &'a NpmRegistry, files: &[(&str, &str)]) -> Self {
        let mut project = Self {
            tools,
            registry,
            directory: tempfile::tempdir().unwrap(),
            siblings: Siblings::new(),
        };
        for (path, text) in files {
            project.add(path, text);
        }
        project
    }

    fn add(&mut self, path: &str, text: &str) {
        let target = self.path().join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, text).unwrap();
        self.siblings
            .insert(path.to_owned(), text.as_bytes().to_vec());
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn bun(&self, arguments: &[&str]) {
        let output = Command::new(self.tools.bun())
            .args(["install", "--ignore-scripts"])
            .args(arguments)
            .env("HOME", self.path())
            .env("BUN_INSTALL_CACHE_DIR", self.path().join("cache"))
            .env("BUN_CONFIG_REGISTRY", self.registry.url())
            .current_dir(self.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {text}");
    }

    fn read(&self) -> String {
        std::fs::read_to_string(self.path().join(LOCKFILE)).unwrap()
    }

    /// The lockfile as bun writes it.
    fn locked(&self) -> String {
        self.bun(&["--lockfile-only"]);
        self.read()
    }

    fn written(&self, text: &str, change: impl FnOnce(&mut Locked<'_>)) -> Result<String, String> {
        let mut locked = Locked::new(LOCKFILE, text, &self.siblings, self.registry);
        change(&mut locked);
        locked.write()
    }

    /// The lockfile after changes of versions. bun must install from it as it is, and leave it as it is
    /// when it may change it.
    fn changed(&self, text: &str, change: impl FnOnce(&mut Locked<'_>)) -> String {
        let written = self.written(text, change).unwrap();
        for arguments in [&["--lockfile-only"][..], &["--frozen-lockfile"], &[]] {
            std::fs::write(self.path().join(LOCKFILE), &written).unwrap();
            self.bun(arguments);
            assert_eq!(self.read(), written, "{arguments:?}");
        }
        written
    }
}

#[test]
fn versions_change_and_packages_move() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let registry = registry();
    let manifest =
        r#"{ "name": "app", "dependencies": { "ms": "2.0.0", "log": "1.0.0", "send": "1.0.0" } }"#;
    let mut project = Project::new(&tools, &registry, &[("package.json", manifest)]);
    let text = project.locked();
    project.add("package.json", &manifest.replace("2.0.0", "2.1.3"));
    let written = project.changed(&text, |locked| {
        locked.split("debug", "ms", "2.0.0");
        locked.change("ms", "2.0.0", "2.1.3");
        locked.require("ms", "2.1.3");
    });
    assert!(
        written.contains("\n    \"debug/ms\": [\"ms@2.0.0\", "),
        "{written}"
    );
    assert!(
        written.contains(r#""bin": { "ams": "a.js", "zms": "./z.js" }"#),
        "{written}"
    );

    // The other way round, the nested copy goes away again.
    project.add("package.json", manifest);
    let back = project.changed(&written, |locked| {
        locked.change("ms", "2.1.3", "2.0.0");
        locked.require("ms", "2.0.0");
    });
    assert_eq!(back, text);

    let returns = text.replace('\n', "\r\n");
    let written = project.written(&returns, |locked| locked.change("log", "1.0.0", "1.0.0"));
    assert_eq!(written.unwrap(), returns);
}

#[test]
fn members_peers_and_overrides_keep_their_form() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let registry = registry();
    let manifest = r#"{ "name": "app", "workspaces": ["packages/*"], "devDependencies": { "ms": "2.1.3" }, "overrides": { "zz": "1.0.0" } }"#;
    let member = r#"{ "name": "@app/a", "version": "1.0.0", "dependencies": { "use": "1.0.0", "react": "18.2.0", "al": "npm:ms@2.0.0", "log": "1.0.0" } }"#;
    let mut project = Project::new(
        &tools,
        &registry,
        &[
            ("package.json", manifest),
            ("packages/a/package.json", member),
        ],
    );
    let text = project.locked();
    let member = member
        .replace("\"use\": \"1.0.0\"", "\"use\": \"1.1.0\"")
        .replace("18.2.0", "18.3.1");
    project.add("packages/a/package.json", &member);
    let written = project.changed(&text, |locked| {
        for (name, from, to) in [("react", "18.2.0", "18.3.1"), ("use", "1.0.0", "1.1.0")] {
            locked.change(name, from, to);
            locked.require(name, to);
        }
    });
    assert!(
        written.contains(r#""optionalPeers": ["color", "other"]"#),
        "{written}"
    );

    let formats = Npm.files().unwrap().formats();
    let format = formats.iter().find(|format| format.id == "bun-lock");
    let writer = format.unwrap().writer.unwrap();
    let edit = writer.write_override(LOCKFILE, &project.siblings, "debug", "4.3.4");
    let (path, edited) = edit.unwrap().unwrap();
    project.add(&path, &edited);
    let written = project.changed(&written, |locked| locked.change("debug", "2.6.9", "4.3.4"));
    assert!(
        written.contains(
            "  \"overrides\": {\n    \"debug\": \"4.3.4\",\n    \"zz\": \"1.0.0\",\n  },\n"
        ),
        "{written}"
    );
}

#[test]
fn the_manager_checks_without_running_the_repository() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let test = "npm::bun::the_manager_checks_without_running_the_repository";
    if !has_program(&tools.bun(), test) {
        return;
    }

    let registry = registry();
    let mark = |project: &Project<'_>| project.path().join("mark");
    let mut project = Project::new(&tools, &registry, &[]);
    let touch = format!("touch {}", mark(&project).display());
    let manifest = json!({
        "name": "app",
        "dependencies": { "log": "1.0.0" },
        "scripts": { "preinstall": touch, "install": touch, "prepare": touch },
    });
    project.add("package.json", &manifest.to_string());
    let text = project.locked();
    project.add("evil.js", "require('fs').writeFileSync('mark', '')");
    let settings = format!(
        "preload = [\"./evil.js\"]\n[install]\nregistry = \"{}\"\n",
        registry.url()
    );
    project.add("bunfig.toml", &settings);

    let check = |text: &str| {
        let manager = manager_of("bun-lock").unwrap();
        let configuration = manager.configuration(project.path(), LOCKFILE);
        let locked = Locked::new(LOCKFILE, text, &project.siblings, project.registry);
        let locked = LockedProject {
            root: project.path(),
            lockfile: &locked.lockfile,
            bytes: text.as_bytes(),
            manifests: &project.siblings,
            configuration: &configuration,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(manager.check(locked, RunOptions::default()))
    };
    check(&text).unwrap();
    let wrong = text.replace("\"log\": \"1.0.0\",", "\"log\": \"^1.0.0\",");
    assert_ne!(wrong, text);
    assert!(check(&wrong).is_err());
    assert!(!mark(&project).exists());
}

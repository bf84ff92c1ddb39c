//! bun itself on lockfiles that Patchgate wrote.

use std::process::Command;

use patchgate_ecosystems::{Ecosystem as _, npm::Npm};
use patchgate_testkit::{NpmRegistry, Release, Tools};
use serde_json::{Value, json};

use super::support::{Manager, Project, has_program};

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

/// How bun is run on a project.
const BUN: Manager = Manager {
    format: "bun-lock",
    lockfile: LOCKFILE,
    run: bun,
    lock: &["--lockfile-only"],
    // bun must install from the lockfile as it is, and leave it as it is when it may change it.
    checks: &[&["--lockfile-only"], &["--frozen-lockfile"], &[]],
};

fn bun(project: &Project<'_>, arguments: &[&str]) -> Command {
    let mut command = Command::new(project.tools.bun());
    command
        .args(["install", "--ignore-scripts"])
        .args(arguments)
        .env("BUN_INSTALL_CACHE_DIR", project.path().join("cache"))
        .env("BUN_CONFIG_REGISTRY", project.registry.url());
    command
}

#[test]
fn versions_change_and_packages_move() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let registry = registry();
    let manifest =
        r#"{ "name": "app", "dependencies": { "ms": "2.0.0", "log": "1.0.0", "send": "1.0.0" } }"#;
    let mut project = Project::new(&BUN, &tools, &registry, &[("package.json", manifest)]);
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
        &BUN,
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
    let mut project = Project::new(&BUN, &tools, &registry, &[]);
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

    let check = |text: &str| project.check(text);
    check(&text).unwrap();
    let wrong = text.replace("\"log\": \"1.0.0\",", "\"log\": \"^1.0.0\",");
    assert_ne!(wrong, text);
    assert!(check(&wrong).is_err());
    assert!(!mark(&project).exists());
}

//! pnpm itself on lockfiles that Patchgate wrote.

use std::process::Command;

use patchgate_ecosystems::{Ecosystem as _, npm::Npm};
use patchgate_package_managers::{PinnedVersion, RelockError, Relocked, RunOptions};
use patchgate_testkit::{NpmRegistry, Release, Tools};
use serde_json::{Value, json};

use super::support::{Locked, Manager, Project, has_program};

fn made(name: &str, version: &str, fields: Value) -> Release {
    Release::new(name, version, &[]).with_fields(fields)
}

/// The releases of all tests.
fn registry() -> NpmRegistry {
    let react = json!({ "peerDependencies": { "react": "^18.2.0" } });
    let both = json!({ "react": "^18", "react-dom": "^18" });
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
        made("ca", "1.0.0", json!({ "peerDependencies": { "cb": "1" } })),
        made("cb", "1.0.0", json!({ "peerDependencies": { "ca": "1" } })),
        made("cb", "1.1.0", json!({ "peerDependencies": { "ca": "1" } })),
        made(
            "plugin",
            "1.0.0",
            json!({ "peerDependencies": { "ca": "1" } }),
        ),
    ])
}

const LOCKFILE: &str = "pnpm-lock.yaml";

/// How pnpm is run on a project.
const PNPM: Manager = Manager {
    format: "pnpm-lock",
    lockfile: LOCKFILE,
    run: pnpm,
    lock: &["--no-frozen-lockfile"],
    // pnpm must accept the lockfile as it is, and leave it as it is when it may change it, also when
    // it looks at every entry.
    checks: &[
        &["--frozen-lockfile"],
        &["--no-frozen-lockfile"],
        &["--no-prefer-frozen-lockfile"],
        &["--fix-lockfile"],
    ],
};

fn pnpm(project: &Project<'_>, arguments: &[&str]) -> Command {
    let mut command = Command::new(project.tools.pnpm());
    command
        .args(["install", "--lockfile-only", "--ignore-scripts"])
        .args(arguments)
        .env("npm_config_registry", project.registry.url())
        .env("PNPM_CONFIG_REGISTRY", project.registry.url());
    command
}

#[test]
fn a_version_changes_and_brings_a_dependency() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let registry = registry();
    let manifest = r#"{ "dependencies": { "ms": "2.0.0", "log": "1.0.0" } }"#;
    let mut project = Project::new(&PNPM, &tools, &registry, &[("package.json", manifest)]);
    let text = project.locked();
    project.add("package.json", &manifest.replace("2.0.0", "2.1.3"));
    let written = project.changed(&text, |locked| {
        locked.change("ms", "2.0.0", "2.1.3");
        locked.require("ms", "2.1.3");
    });
    assert!(written.contains("\n  '@own/leaf@1.0.0':\n"), "{written}");
}

#[test]
fn peers_follow_and_come() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let registry = registry();
    let manifest = json!({
        "dependencies": {
            "react": "18.2.0", "react-dom": "18.2.0", "wrap": "1.0.0", "log": "1.0.0",
            "ca": "1.0.0", "cb": "1.0.0", "plugin": "1.0.0", "supports-color": "8.0.0",
            "use": "1.0.0",
        },
    });
    let manifest = manifest.to_string();
    let mut project = Project::new(&PNPM, &tools, &registry, &[("package.json", &manifest)]);
    let text = project.locked();

    let manifest = manifest
        .replace("\"react\":\"18.2.0\"", "\"react\":\"18.3.1\"")
        .replace("\"cb\":\"1.0.0\"", "\"cb\":\"1.1.0\"")
        .replace("8.0.0", "8.1.0");
    project.add("package.json", &manifest);
    let written = project.changed(&text, |locked| {
        for (name, from, to) in [
            ("react", "18.2.0", "18.3.1"),
            ("cb", "1.0.0", "1.1.0"),
            ("supports-color", "8.0.0", "8.1.0"),
        ] {
            locked.change(name, from, to);
            locked.require(name, to);
        }
    });
    for path in [
        "ca@1.0.0(cb@1.1.0)",
        "plugin@1.0.0(ca@1.0.0)",
        "log@1.0.0(supports-color@8.1.0)",
        "use@1.0.0(react@18.3.1)",
    ] {
        assert!(written.contains(&format!("\n  {path}:\n")), "{written}");
    }

    // The other release needs one more peer, and so do all that depend on it.
    project.add(
        "package.json",
        &manifest.replace("\"use\":\"1.0.0\"", "\"use\":\"1.1.0\""),
    );
    let written = project.changed(&written, |locked| {
        locked.change("use", "1.0.0", "1.1.0");
        locked.require("use", "1.1.0");
    });
    let path = "  wrap@1.0.0(react-dom@18.2.0(react@18.3.1))(react@18.3.1):\n";
    assert!(written.contains(path), "{written}");
}

#[test]
fn long_lists_of_peers_are_hashed() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let registry = registry();
    let manifest =
        r#"{ "dependencies": { "react": "18.2.0", "react-dom": "18.2.0", "wrap": "1.0.0" } }"#;
    let mut project = Project::new(
        &PNPM,
        &tools,
        &registry,
        &[
            ("package.json", manifest),
            ("pnpm-workspace.yaml", "peersSuffixMaxLength: 20\n"),
        ],
    );
    let text = project.locked();
    project.add(
        "package.json",
        &manifest.replace("\"react\": \"18.2.0\"", "\"react\": \"18.3.1\""),
    );
    project.changed(&text, |locked| {
        locked.change("react", "18.2.0", "18.3.1");
        locked.require("react", "18.3.1");
    });
}

#[test]
fn members_catalogs_and_aliases_keep_their_form() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let registry = registry();
    let workspace = "packages:\n  - packages/*\ncatalog:\n  ms: ~2.0.0\ncatalogs:\n  ui:\n    react: 18.2.0\npackageExtensions:\n  log:\n    dependencies:\n      ms: ^2.0.0\n";
    let manifests = [
        (
            "package.json",
            r#"{ "dependencies": { "ms": "catalog:" } }"#,
        ),
        (
            "packages/a/package.json",
            r#"{ "name": "a", "dependencies": { "react": "catalog:ui", "react-dom": "18.2.0", "wrap": "1.0.0" } }"#,
        ),
        (
            "packages/b/package.json",
            r#"{ "name": "b", "dependencies": { "a": "workspace:*", "react": "18.3.1", "al": "npm:ms@2.0.0" }, "optionalDependencies": { "log": "1.0.0" } }"#,
        ),
        ("pnpm-workspace.yaml", workspace),
    ];
    let mut project = Project::new(&PNPM, &tools, &registry, &manifests);
    let text = project.locked();
    let workspace = workspace.replace("react: 18.2.0", "react: 18.3.1");
    project.add("pnpm-workspace.yaml", &workspace);
    let change = |locked: &mut Locked<'_>| {
        locked.change("react", "18.2.0", "18.3.1");
        locked.require("react", "18.3.1");
    };
    project.changed(&text, change);

    let extended = project.written(&text, |locked| locked.change("log", "1.0.0", "1.0.0"));
    assert_eq!(extended.unwrap_err(), "`packageExtensions` change `log`");

    // pnpm would merge the copy that has only some of the peers of the other one.
    let mut project = Project::new(&PNPM, &tools, &registry, &manifests);
    let other = r#"{ "name": "b", "dependencies": { "react": "18.3.1", "wrap": "1.0.0" } }"#;
    project.add("packages/b/package.json", other);
    let text = project.locked();
    project.add("pnpm-workspace.yaml", &workspace);
    let merged = project.written(&text, change).unwrap_err();
    let reason = "pnpm alone decides whether `use@1.1.0(react@18.3.1)` is merged with another copy";
    assert_eq!(merged, reason);
}

#[test]
fn an_override_is_written_where_pnpm_reads_it() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let registry = registry();
    let manifest = r#"{ "dependencies": { "ms": "~2.0.0", "log": "1.0.0" } }"#;
    for (workspace, expected) in [
        (
            "autoInstallPeers: true\n",
            "\noverrides:\n  ms: 2.1.3\n\nimporters:\n",
        ),
        (
            "overrides:\n  zz: 1.0.0\n  ab: 1.0.0\n",
            "\noverrides:\n  zz: 1.0.0\n  ab: 1.0.0\n  ms: 2.1.3\n\nimporters:\n",
        ),
        (
            "overrides:\n  ms: 2.0.0\n",
            "\noverrides:\n  ms: 2.1.3\n\nimporters:\n",
        ),
    ] {
        let mut project = Project::new(&PNPM, &tools, &registry, &[("package.json", manifest)]);
        project.add("pnpm-workspace.yaml", workspace);
        let text = project.locked();
        let formats = Npm.files().unwrap().formats();
        let format = formats.iter().find(|format| format.id == "pnpm-lock");
        let writer = format.unwrap().writer.unwrap();
        let edit = writer.write_override(LOCKFILE, &project.siblings, "ms", "2.1.3");
        let (path, edited) = edit.unwrap().unwrap();
        assert_eq!(path, "pnpm-workspace.yaml");
        project.add(&path, &edited);
        let written = project.changed(&text, |locked| {
            locked.change("ms", "2.0.0", "2.1.3");
        });
        assert!(written.contains(expected), "{written}");
    }
}

fn relock(
    project: &Project<'_>,
    text: &str,
    pins: &[(&str, &str, &str)],
) -> Result<String, RelockError> {
    let pins: Vec<PinnedVersion> = pins
        .iter()
        .map(|(name, from, to)| PinnedVersion {
            install_path: None,
            name: (*name).to_owned(),
            from: (*from).to_owned(),
            to: (*to).to_owned(),
        })
        .collect();
    let relocked: Result<Relocked, RelockError> = project
        .managed(text, async |manager, project| {
            manager.relock(project, &pins, RunOptions::default()).await
        });
    Ok(String::from_utf8(relocked?.lockfile).unwrap())
}

#[test]
fn the_manager_checks_and_locks_without_running_the_repository() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let test = "npm::pnpm::the_manager_checks_and_locks_without_running_the_repository";
    if !has_program(&tools.pnpm(), test) {
        return;
    }

    let registry = registry();
    let manifest = json!({
        "name": "app",
        "dependencies": { "log": "1.0.0", "ms": "^2.0.0", "react": "18.2.0", "wrap": "1.0.0" },
    });
    let mut project = Project::new(&PNPM, &tools, &registry, &[]);
    let npmrc = format!("registry={}\n", registry.url());
    project.add(".npmrc", &npmrc);
    project.add("package.json", &manifest.to_string());
    project.add(
        "pnpm-workspace.yaml",
        "overrides:\n  ms: 2.0.0\n  zz: 1.0.0\n",
    );
    let text = project.locked();
    let text = text
        .replace("  ms: 2.0.0\n  zz:", "  zz:")
        .replace("specifier: 2.0.0", "specifier: ^2.0.0");

    // From here on the repository is hostile.
    let mark = project.path().join("mark");
    let touch = format!("touch {}", mark.display());
    let mut hostile = manifest;
    hostile["packageManager"] = json!("pnpm@9.0.0");
    hostile["devEngines"] = json!({ "packageManager": { "name": "pnpm", "version": "9.0.0" } });
    hostile["scripts"] = json!({ "preinstall": touch, "pnpm:devPreinstall": touch });
    project.add("package.json", &hostile.to_string());
    let hook = format!(
        "require('fs').writeFileSync({:?}, '')",
        mark.display().to_string()
    );
    for path in [".pnpmfile.cjs", ".pnpmfile.mjs", "hook.cjs"] {
        std::fs::write(project.path().join(path), &hook).unwrap();
    }
    let settings = "overrides:\n  zz: 1.0.0\npnpmfile: ./hook.cjs\nscriptShell: ./hook.cjs\nconfigDependencies:\n  pnpm-plugin-x: 1.0.0+sha512-x\n";
    project.add("pnpm-workspace.yaml", settings);

    project.check(&text).unwrap();
    let wrong = text.replace("(react@18.2.0)", "");
    assert_ne!(wrong, text);
    assert!(project.check(&wrong).is_err());

    let relocked = relock(&project, &text, &[("ms", "2.0.0", "2.1.3")]).unwrap();
    let written = project.written(&text, |locked| locked.change("ms", "2.0.0", "2.1.3"));
    assert_eq!(relocked, written.unwrap());
    project.check(&relocked).unwrap();
    let refused = relock(&project, &text, &[("ms", "2.0.0", "9.9.9")]);
    assert!(refused.is_err());
    assert!(!mark.exists());
}

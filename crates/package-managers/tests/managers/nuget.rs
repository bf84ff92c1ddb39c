//! NuGet itself on lockfiles that Patchgate wrote: those of the writer's fixtures.
//!
//! A script stands in for MSBuild. It answers with the description of the projects that MSBuild would
//! compute from their files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use patchgate_testkit::{Requirement, Tools, skip, system_tool};
use serde_json::{Map, Value, json};

/// Copies the description of the projects to where NuGet looks for it.
const MSBUILD: &str = "#!/bin/sh\nfor one in \"$@\"; do case \"$one\" in *.targets) file=$one; break;; esac; done\n\
    out=$(sed -n 's/.*RestoreGraphOutputPath>\\([^<]*\\)<.*/\\1/p' \"$file\")\nexec cp \"$DESCRIPTION\" \"$out\"\n";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ecosystems/src/nuget/fixtures/written")
}

/// A project: its name, its frameworks, and the project that it references.
type Project = (&'static str, &'static [&'static str], Option<&'static str>);

const APP: Project = ("App", &["netcoreapp3.1", "netstandard2.0"], Some("Lib.One"));
const LIB: Project = ("Lib.One", &["netstandard2.0"], None);

/// The packages that a project file requires, with their ranges.
fn requirements(file: &Path) -> Map<String, Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let references = text.split("<PackageReference Include=\"").skip(1);
    let read = |reference: &str| {
        let mut parts = reference.split('"');
        let name = parts.next().unwrap().to_owned();
        let range = format!("[{}, )", parts.nth(1).unwrap());
        (name, json!({"target": "Package", "version": range}))
    };
    references.map(read).collect()
}

/// What MSBuild computes for the projects of a directory, for a restore that may change no lockfile.
fn description(root: &Path) -> Value {
    let path = |name: &str| root.join(name).join(format!("{name}.csproj"));
    let (mut restore, mut projects) = (Map::new(), Map::new());
    for (name, frameworks, reference) in [APP, LIB] {
        let file = path(name);
        let referenced: Map<String, Value> = reference
            .map(|name| path(name).display().to_string())
            .map(|path| (path.clone(), json!({"projectPath": path})))
            .into_iter()
            .collect();
        let of = |content: &dyn Fn(&str) -> Value| -> Map<String, Value> {
            frameworks
                .iter()
                .map(|one| ((*one).to_owned(), content(one)))
                .collect()
        };
        let own = of(&|one| json!({"targetAlias": one, "projectReferences": referenced}));
        let dependencies = requirements(&file);
        let key = file.display().to_string();
        let project = json!({
            "version": "1.0.0",
            "restore": {
                "projectUniqueName": key, "projectName": name, "projectPath": key,
                "packagesPath": root.join("packages"), "outputPath": root.join(name).join("obj"),
                "projectStyle": "PackageReference", "originalTargetFrameworks": frameworks,
                "sources": {(fixtures().join("feed").canonicalize().unwrap().display().to_string()): {}},
                "configFilePaths": [], "fallbackFolders": [], "frameworks": own,
                "restoreLockProperties": {"restorePackagesWithLockFile": "true", "restoreLockedMode": true},
            },
            "frameworks": of(&|one| json!({"targetAlias": one, "dependencies": dependencies})),
        });
        restore.insert(key.clone(), json!({}));
        projects.insert(key, project);
    }
    json!({"format": 1, "restore": restore, "projects": projects})
}

/// Restores projects with lockfiles that must not change. Returns what NuGet printed.
fn restore(mono: &Path, nuget: &Path, root: &Path) -> (bool, String) {
    let msbuild = root.join("msbuild");
    std::fs::create_dir_all(&msbuild).unwrap();
    let script = msbuild.join("xbuild.exe");
    std::fs::write(&script, MSBUILD).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = root.join("description.json");
    std::fs::write(&file, description(root).to_string()).unwrap();

    let output = Command::new(mono)
        .arg(nuget)
        .args(["restore", "App.csproj", "-NonInteractive", "-MSBuildPath"])
        .arg(&msbuild)
        .current_dir(root.join("App"))
        .env("DESCRIPTION", &file)
        .env("HOME", root)
        .env("TMPDIR", root)
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), text)
}

/// A copy of the projects of one fixture, with the lockfiles of another one.
fn lay_out(projects: &Path, lockfiles: &Path) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, ..) in [APP, LIB] {
        let directory = root.path().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let project = format!("{name}.csproj");
        std::fs::copy(projects.join(name).join(&project), directory.join(&project)).unwrap();
        let lockfile = "packages.lock.json";
        std::fs::copy(
            lockfiles.join(name).join(lockfile),
            directory.join(lockfile),
        )
        .unwrap();
    }
    root
}

#[test]
fn nuget_accepts_the_lockfiles_and_leaves_them() {
    let (Some(tools), Some(mono)) = (Tools::installed(), system_tool(Requirement::Tools, "mono"))
    else {
        return;
    };
    let nuget = tools.nuget();
    if !nuget.is_file() {
        return skip(
            Requirement::Tools,
            "NuGet is missing: run `tests/tools/install`",
        );
    }

    for case in ["direct", "project", "pin"] {
        let after = fixtures().join(case).join("after");
        let root = lay_out(&after, &after);
        let (is_restored, text) = restore(&mono, &nuget, root.path());
        assert!(is_restored, "{case}: {text}");
        for (name, ..) in [APP, LIB] {
            let read =
                |root: &Path| std::fs::read(root.join(name).join("packages.lock.json")).unwrap();
            assert_eq!(read(root.path()), read(&after), "{case}: {name}");
        }

        // Lockfiles of before the change do not belong to the projects any more.
        let root = lay_out(&after, &fixtures().join(case).join("before"));
        let (is_restored, text) = restore(&mono, &nuget, root.path());
        assert!(!is_restored && text.contains("NU1004"), "{case}: {text}");
    }
}

use super::*;
use crate::git::tests::track;

/// A lockfile without packages of others.
const LOCKFILE: &str = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n";

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// The lockfiles below `path`, each with its group.
fn lockfiles(path: &Path, skip: &[FileGroup]) -> Vec<String> {
    let skip = skip.iter().copied().collect();
    let inventory = Repository::open(path, &[])
        .unwrap()
        .without(skip)
        .read(|_| {})
        .inventory;
    assert_eq!(inventory.problems, []);
    inventory
        .lockfiles
        .iter()
        .map(|lockfile| match inventory.groups.get(&lockfile.path) {
            Some(group) => format!("{} {}", lockfile.path, group.word()),
            None => lockfile.path.clone(),
        })
        .collect()
}

fn problems(root: &Path) -> Vec<String> {
    let contents = Repository::open(root, &[]).unwrap().read(|_| {});
    contents
        .inventory
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.subject, problem.reason))
        .collect()
}

#[test]
fn a_symbolic_link_out_of_the_tree_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("Cargo.lock"), "version = 4\n").unwrap();
    let root = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("Cargo.lock"),
        root.path().join("Cargo.lock"),
    )
    .unwrap();

    assert_eq!(
        problems(root.path()),
        ["Cargo.lock: is a symbolic link that leads out of the repository"]
    );
}

#[test]
fn a_file_above_the_limit_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(root.path().join("package-lock.json")).unwrap();
    file.set_len(50 * 1024 * 1024).unwrap();
    assert_eq!(
        problems(root.path()),
        ["package-lock.json: is larger than 32 MiB"]
    );
}

#[test]
fn ignored_and_dependency_folders_are_not_entered() {
    let root = tempfile::tempdir().unwrap();
    track(root.path(), &[]);
    for folder in ["node_modules/a", "ignored", "target/package/a"] {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
        std::fs::write(root.path().join(folder).join("package-lock.json"), "x").unwrap();
    }
    std::fs::write(root.path().join(".gitignore"), "/ignored/\n").unwrap();
    assert!(problems(root.path()).is_empty());
}

#[test]
fn an_unknown_file_is_a_usage_error() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("notes.txt");
    std::fs::write(&path, "").unwrap();
    let error = Repository::open(&path, &[]).unwrap_err();
    assert!(error.to_string().contains("notes.txt"));
}

#[test]
fn a_tracked_file_is_read_although_an_ignore_file_names_it() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), ".gitignore", "*.lock\n/out/\n");
    for path in [
        "Cargo.lock",
        "a/Cargo.lock",
        "out/Cargo.lock",
        "target/Cargo.lock",
    ] {
        write(root.path(), path, LOCKFILE);
    }
    track(
        root.path(),
        &[
            "Cargo.lock",
            "absent/Cargo.lock",
            "out/Cargo.lock",
            "target/Cargo.lock",
        ],
    );
    let tracked = ["Cargo.lock", "out/Cargo.lock", "target/Cargo.lock"];
    assert_eq!(lockfiles(root.path(), &[]), tracked);

    // Any file may be tracked when the index cannot be read, or does not exist.
    let all = ["Cargo.lock", "a/Cargo.lock", "out/Cargo.lock"];
    write(root.path(), ".git/index", "DIRC");
    assert_eq!(lockfiles(root.path(), &[]), all);
    std::fs::remove_dir_all(root.path().join(".git")).unwrap();
    assert_eq!(lockfiles(root.path(), &[]), all);
}

#[test]
fn a_directory_of_a_repository_has_paths_from_the_root() {
    let root = tempfile::tempdir().unwrap();
    track(root.path(), &["services/shop/Cargo.lock"]);
    write(root.path(), ".gitignore", "Cargo.lock\n");
    write(
        root.path(),
        ".gitattributes",
        "services/shop/gen/** linguist-generated\n",
    );
    write(root.path(), "services/requirements.txt", "a==1\n");
    write(root.path(), "services/shop/Cargo.lock", LOCKFILE);
    write(root.path(), "services/shop/gen/requirements.txt", "a==1\n");
    write(
        root.path(),
        "services/shop/requirements.txt",
        "-r ../base.txt\n",
    );
    write(root.path(), "services/base.txt", "b==1\n");

    let shop = root.path().join("services/shop");
    let repository = Repository::open(&shop, &[]).unwrap();
    assert_eq!(repository.root(), root.path().canonicalize().unwrap());
    assert_eq!(
        lockfiles(&shop, &[]),
        [
            "services/shop/Cargo.lock",
            "services/shop/gen/requirements.txt generated",
            "services/shop/requirements.txt",
        ]
    );
    assert_eq!(
        lockfiles(&shop.join("Cargo.lock"), &[]),
        ["services/shop/Cargo.lock"]
    );
}

#[test]
fn groups_are_recorded_and_can_be_left_out() {
    let root = tempfile::tempdir().unwrap();
    for path in [
        "Cargo.lock",
        "tests/a/Cargo.lock",
        "third_party/b/Cargo.lock",
    ] {
        write(root.path(), path, LOCKFILE);
    }
    assert_eq!(
        lockfiles(root.path(), &[]),
        [
            "Cargo.lock",
            "tests/a/Cargo.lock test",
            "third_party/b/Cargo.lock vendored"
        ]
    );
    assert_eq!(
        lockfiles(root.path(), &[FileGroup::Vendored]),
        ["Cargo.lock", "tests/a/Cargo.lock test"]
    );
}

#[test]
fn a_vendored_project_has_no_direct_dependencies() {
    let root = tempfile::tempdir().unwrap();
    let module = "module a.invalid/app\n\ngo 1.20\n\nrequire b.invalid/b v1.0.0\n";
    write(root.path(), "go.mod", module);
    write(root.path(), "vendor/b.invalid/b/go.mod", module);
    let inventory = Repository::open(root.path(), &[])
        .unwrap()
        .read(|_| {})
        .inventory;
    let direct = |path: &str| {
        let lockfile = inventory
            .lockfiles
            .iter()
            .find(|lockfile| lockfile.path == path);
        let edges = lockfile.unwrap().roots[0].edges.iter();
        edges.filter(|edge| edge.name == "b.invalid/b").count()
    };
    assert_eq!(direct("go.mod"), 1);
    assert_eq!(direct("vendor/b.invalid/b/go.mod"), 0);
}

#[test]
fn a_file_that_is_not_read_is_named_unless_a_lockfile_pins_it() {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("setup.py", "setup(install_requires=['a'])\n"),
        ("shim/setup.py", "setup()\n"),
        ("vendor/a/setup.py", "setup(install_requires=['a'])\n"),
        ("infra/a.tf", "terraform { required_providers {} }\n"),
        ("infra/b.tf", "terraform { required_providers {} }\n"),
        ("gems/a.gemspec", "spec.add_dependency 'b'\n"),
        (
            "gems/Gemfile.lock",
            "GEM\n  specs:\n    b (1.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  b\n",
        ),
        ("java/app/build.gradle", "dependencies {}\n"),
        (
            "java/gradle/verification-metadata.xml",
            "<verification-metadata><components><component group=\"g\" name=\"n\" version=\"1\"/></components></verification-metadata>",
        ),
    ] {
        write(root.path(), path, text);
    }
    assert_eq!(
        problems(root.path()),
        [
            "infra/a.tf: states dependencies, and Patchgate does not read it",
            "setup.py: states dependencies, and Patchgate does not read it",
        ]
    );
}

#[test]
fn the_minimum_of_go_is_left_out_where_a_file_names_the_release() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "go.mod", "module m\n\ngo 1.20\n");
    let floors = || {
        let inventory = Repository::open(root.path(), &[])
            .unwrap()
            .read(|_| {})
            .inventory;
        let mut found = Vec::new();
        for lockfile in &inventory.lockfiles {
            let unresolved = lockfile.unresolved.iter().map(|one| &one.requirement);
            let packages = lockfile.packages.iter().map(|package| &package.version);
            found.extend(
                unresolved
                    .chain(packages)
                    .map(|text| format!("{} {text}", lockfile.path)),
            );
        }
        found
    };
    assert_eq!(floors(), ["go.mod >=1.20"]);

    write(root.path(), ".go-version", "1.21.4\n");
    assert_eq!(floors(), [".go-version 1.21.4"]);
}

#[test]
fn one_cause_in_a_file_of_several_formats_is_one_problem() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "Dockerfile", "RUN true\n");
    write(root.path(), ".github/workflows/ci.yml", "name: ci\n");
    assert_eq!(
        problems(root.path()),
        [
            ".github/workflows/ci.yml: is not a workflow: it has no `jobs`",
            "Dockerfile: is not a Dockerfile: it has no `FROM`",
        ]
    );
}

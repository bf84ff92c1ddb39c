use patchgate_model::{FormatId, Lockfile};

use super::parse;
use crate::snapshot_text::snapshot_text;
use crate::{Input, ParseError, Siblings};

fn read(text: &str, siblings: &[(&str, &str)]) -> Result<Lockfile, ParseError> {
    let siblings: Siblings = siblings
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    parse(&Input {
        path: "yarn.lock",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
}

macro_rules! fixture {
    ($case:literal, $($file:literal),+) => {
        read(
            include_str!(concat!("../fixtures/read/", $case, "/yarn.lock")),
            &[$(($file, include_str!(concat!("../fixtures/read/", $case, "/", $file)))),+],
        )
        .unwrap()
    };
}

macro_rules! workspace {
    ($case:literal) => {
        fixture!(
            $case,
            "package.json",
            "packages/app/package.json",
            "packages/lib/package.json"
        )
    };
}

fn reason(text: &str, siblings: &[(&str, &str)]) -> String {
    let error = read(text, siblings).unwrap_err();
    format!("{}: {}", error.line.unwrap_or(0), error.reason)
}

#[test]
fn a_workspace_of_yarn_1() {
    insta::assert_snapshot!(snapshot_text(&workspace!("yarn-workspace-v1")));
}

#[test]
fn a_workspace_of_yarn_4() {
    insta::assert_snapshot!(snapshot_text(&workspace!("yarn-workspace-v10")));
}

/// yarn 2, 3 and 4 write the same tree; only checksums and requirements differ.
#[test]
fn all_later_versions_give_the_same_tree() {
    let facts = |mut lockfile: Lockfile| {
        lockfile.format = FormatId::new("");
        for package in &mut lockfile.packages {
            package.integrity = None;
            for edge in &mut package.edges {
                edge.requirement = None;
            }
        }
        snapshot_text(&lockfile)
    };
    let newest = facts(workspace!("yarn-workspace-v10"));

    assert_eq!(facts(workspace!("yarn-workspace-v4")), newest);
    assert_eq!(facts(workspace!("yarn-workspace-v6")), newest);
    assert_eq!(facts(workspace!("yarn-workspace-v8")), newest);
}

#[test]
fn patches_portals_links_and_catalogs() {
    let lockfile = fixture!(
        "yarn-protocols-v10",
        "package.json",
        "vendor/p/package.json",
        "vendor/l/package.json",
        "vendor/f/package.json"
    );
    insta::assert_snapshot!(snapshot_text(&lockfile));
}

#[test]
fn dependencies_without_an_entry_are_reported() {
    let package = "a@1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^2\"\n";
    let manifest = |text: &'static str| [("package.json", text)];

    assert_eq!(
        reason(package, &manifest("{ \"dependencies\": { \"a\": \"1\" } }")),
        "1: `a@1` depends on `b@^2`, which is not in the file"
    );

    // Without the manifest, a resolution may be the reason: the file is read, and the dependency is
    // reported as unresolved.
    let lockfile = read(package, &[]).unwrap();
    let open: Vec<String> = lockfile
        .unresolved
        .iter()
        .map(|open| format!("{}: {} {}", open.line, open.name, open.requirement))
        .collect();

    assert_eq!(open, ["1: b ^2"]);

    // A workspace member has no entry.
    let lockfile = read(
        package,
        &[
            (
                "package.json",
                "{ \"workspaces\": { \"packages\": [\"./p/*\", \"!p/x\"] } }",
            ),
            (
                "p/b/package.json",
                "{ \"name\": \"b\", \"dependencies\": { \"c\": \"1\" } }",
            ),
            ("p/x/package.json", "{ \"name\": \"x\" }"),
            ("p/b/node_modules/c/package.json", "{ \"name\": \"c\" }"),
        ],
    )
    .unwrap();
    let manifests: Vec<_> = lockfile
        .roots
        .iter()
        .filter_map(|root| root.manifest.as_deref())
        .collect();

    assert_eq!(manifests, ["package.json", "p/b/package.json"]);
    assert_eq!(lockfile.unresolved[0].name, "c");
}

#[test]
fn one_odd_entry_of_yarn_1_does_not_lose_the_file() {
    let manifest = [("package.json", "{\"dependencies\": {\"z\": \"1\"}}")];
    let all: Vec<String> = [
        "a@1:\n  resolved \"https://npm.invalid/a/-/a-1.0.0.tgz\"\n",
        "a@1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^2\"\n",
        "a@1:\n  version \"1.0.0\"\na@1:\n  version \"1.1.0\"\n",
        "a:\n  version \"1.0.0\"\n",
    ]
    .iter()
    .map(|odd| {
        let text = format!("# yarn lockfile v1\n\n{odd}\nz@1:\n  version \"1.0.0\"\n");
        snapshot_text(&read(&text, &manifest).unwrap())
    })
    .collect();

    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn one_odd_entry_of_a_later_yarn_does_not_lose_the_file() {
    let manifest = [("package.json", "{\"name\": \"z\"}")];
    let end = "  linkType: hard\n";
    let all: Vec<String> = [
        format!("\"a@npm:1\":\n  resolution: \"a@npm:1.0.0\"\n{end}"),
        "\"a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n".to_owned(),
        format!("\"a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    b: \"npm:^2\"\n    c: [1]\n{end}"),
        format!("\"a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  checksum: [1]\n{end}"),
        "x: y\n".to_owned(),
    ]
    .iter()
    .map(|odd| {
        let text = format!("__metadata:\n  version: 8\n\n{odd}\n\"z@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"z@workspace:.\"\n  linkType: soft\n");
        snapshot_text(&read(&text, &manifest).unwrap())
    })
    .collect();

    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_later_file_without_its_project_or_its_end_is_refused() {
    let head = "__metadata:\n  version: 8\n";
    let root = "\"s@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"s@workspace:.\"\n  linkType: soft\n";
    let reasons: Vec<String> = [
        head.to_owned(),
        format!("{head}{}", root.replace("  linkType: soft\n", "")),
        format!("{head}{}", root.replace("linkType: soft", "linkType: so")),
        format!("{head}{}", root.replace("  version: 0.0.0-use.local\n", "")),
        format!("{head}{root}{root}"),
        format!("{head}{root}x: 1\n"),
        format!("{head}{root}\"x\":\n  version: 1\n  resolution: \"x\"\n  linkType: hard\n"),
        root.to_owned(),
        format!("__metadata:\n  version: x\n{root}"),
        "__metadata:\n  version: 8\n  a: [".to_owned(),
    ]
    .iter()
    .map(|text| reason(text, &[]))
    .collect();

    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn git_archives_and_folders_of_yarn_1_are_told_apart() {
    let text = "# yarn lockfile v1

a@1:
  version \"1.0.0\"
  resolved \"https://files.invalid/odd/a.tgz#0123456789012345678901234567890123456789\"

\"b@git+https://git.invalid/b.git#v1\":
  version \"1.0.0\"
  resolved \"git+https://git.invalid/b.git#0123456789012345678901234567890123456789\"

c@o/c:
  version \"1.0.0\"
  resolved \"https://archive.invalid/o/c/tar.gz/0123456789012345678901234567890123456789\"

\"d@file:./d\":
  version \"0.0.0\"

\"e@link:../e\":
  version \"0.0.0\"
  uid \"\"

\"f@npm:ms@1\", ms@1:
  version \"1.0.0\"
";
    insta::assert_snapshot!(snapshot_text(&read(text, &[]).unwrap()));
}

/// Yarn sorts the entry of the project among the others, so they are whole without it.
#[test]
fn a_later_file_without_the_entry_of_its_project_may_be_truncated() {
    let text = "__metadata:\n  version: 4\n\n\"a@npm:^1\":\n  version: 1.2.0\n  \
                resolution: \"a@npm:1.2.0\"\n  languageName: node\n  linkType: hard\n";
    let lockfile = read(text, &[]).unwrap();

    assert_eq!(lockfile.packages[0].version, "1.2.0");
    assert_eq!(
        (lockfile.skipped[0].line, lockfile.skipped[0].loss),
        (8, patchgate_model::Loss::Package)
    );
    assert!(read(text.trim_end_matches("rd\n"), &[]).is_err());
}

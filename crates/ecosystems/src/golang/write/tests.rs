use std::collections::BTreeMap;

use super::super::archive::tests::zipped;
use super::*;
use crate::golang::Go;
use crate::test_graph::{add, set};
use crate::{TargetEdge, Upgradable as _, parse};

pub(super) const PROXY: &str = "https://proxy.invalid/go";

/// A project with its files.
pub(super) struct Project {
    path: &'static str,
    files: Siblings,
}

impl Project {
    pub(super) fn new(go_mod: &str, go_sum: &str) -> Self {
        let files = [("go.mod", go_mod), ("go.sum", go_sum)];
        Self {
            path: "go.mod",
            files: files
                .into_iter()
                .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
                .collect(),
        }
    }

    fn input(&self) -> Input<'_> {
        Input {
            path: self.path,
            bytes: &self.files[self.path],
            siblings: &self.files,
        }
    }

    fn lockfile(&self) -> Lockfile {
        parse(&self.input()).unwrap()
    }

    /// Writes the graph after a change, with the releases of a proxy.
    pub(super) fn write(
        &self,
        proxy: &Proxy,
        change: impl FnOnce(&mut TargetGraph),
    ) -> Result<BTreeMap<String, String>, String> {
        self.try_write(proxy, change).map_err(|error| error.reason)
    }

    /// The requirements that the writer finds and the graph does not meet.
    pub(super) fn found(
        &self,
        proxy: &Proxy,
        change: impl FnOnce(&mut TargetGraph),
    ) -> Vec<String> {
        let error = self.try_write(proxy, change).unwrap_err();
        let found = error.requirements.iter();
        found
            .map(|one| {
                let needs = &one.requirement;
                let word = if needs.only_bounds { "bounds" } else { "needs" };
                let (package, version) = (&one.package, &one.version);
                format!(
                    "{package} {version} {word} {} {}",
                    needs.name, needs.requirement
                )
            })
            .collect()
    }

    fn try_write(
        &self,
        proxy: &Proxy,
        change: impl FnOnce(&mut TargetGraph),
    ) -> Result<BTreeMap<String, String>, WriteError> {
        let lockfile = self.lockfile();
        let mut target = TargetGraph::unchanged(&lockfile);
        change(&mut target);
        let writer: &dyn LockfileWriter = match self.path.ends_with("go.work") {
            true => &GoWorkWriter,
            false => &GoModWriter,
        };
        let mut downloads = Downloads::new();
        for node in &target.nodes {
            for request in node
                .release
                .iter()
                .flat_map(|one| writer.downloads(&node.name, one))
            {
                if let Some(bytes) = proxy.files.get(&request.url) {
                    downloads.insert(request.url, bytes.clone());
                }
            }
        }

        loop {
            let further = writer.further_downloads(&self.input(), &lockfile, &target, &downloads);
            let found = further.into_iter().filter_map(|request| {
                let bytes = proxy.files.get(&request.url)?;
                Some((request.url, bytes.clone()))
            });
            let before = downloads.len();
            downloads.extend(found);
            if downloads.len() == before {
                break;
            }
        }

        let written = writer.write(&self.input(), &lockfile, &target, &downloads);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        written.map(|files| {
            files
                .into_iter()
                .map(|(path, bytes)| (path, text(bytes)))
                .collect()
        })
    }
}

/// The files of a module proxy.
#[derive(Default)]
pub(super) struct Proxy {
    pub(super) files: Downloads,
}

impl Proxy {
    pub(super) fn with(self, path: &str, version: &str, go_mod: &str, source: &str) -> Self {
        self.with_files(path, version, go_mod, &[("a.go", source)])
    }

    pub(super) fn with_files(
        mut self,
        path: &str,
        version: &str,
        go_mod: &str,
        sources: &[(&str, &str)],
    ) -> Self {
        let base = format!("{PROXY}/{}/@v/{}", escape(path), escape(version));
        let text = format!("module {path}\n\n{go_mod}");
        let mut files = vec![("go.mod", text.as_str())];
        files.extend(sources);
        let archive = zipped(path, version, &files);
        self.files.insert(format!("{base}.mod"), text.into_bytes());
        self.files.insert(format!("{base}.zip"), archive);
        self
    }

    pub(super) fn release(&self, path: &str, version: &str) -> Release {
        let list = Go.metadata_request(PROXY, path).url;
        let mut releases = Go.parse_metadata(path, version.as_bytes()).unwrap();
        let mut release = releases.remove(0);
        release.resolve(&list);
        let details = release.details.clone().unwrap();
        if let Some(body) = self.files.get(&details.url) {
            Go.parse_details(path, &mut release, body).unwrap();
        }
        release
    }
}

pub(super) const GO_MOD: &str = "module m.invalid/app // the app\n\ngo 1.21\n\nrequire (\n\ta.invalid/a v1.2.0\n\tb.invalid/B v0.3.0 // why\n)\n\nrequire (\n\tc.invalid/c v1.0.0 // indirect\n\te.invalid/e v1.0.0 // indirect\n)\n\nexclude a.invalid/a v1.2.4\n";
pub(super) const GO_SUM: &str = "a.invalid/a v1.2.0 h1:AAAA=\na.invalid/a v1.2.0/go.mod h1:AAAB=\nb.invalid/B v0.3.0 h1:BBBB=\nb.invalid/B v0.3.0/go.mod h1:BBBC=\nc.invalid/c v1.0.0 h1:CCCC=\nc.invalid/c v1.0.0/go.mod h1:CCCD=\n";

#[test]
fn an_unchanged_graph_gives_the_same_bytes() {
    for go_mod in [GO_MOD.to_owned(), GO_MOD.replace('\n', "\r\n")] {
        let project = Project::new(&go_mod, GO_SUM);
        let files = project.write(&Proxy::default(), |_| {}).unwrap();
        assert_eq!(files["go.mod"], go_mod);
        assert_eq!(files["go.sum"], GO_SUM);
    }
}

#[test]
fn one_module_changes_in_its_line_and_in_the_sums() {
    let proxy = Proxy::default().with("a.invalid/a", "v1.2.5", "go 1.20\n", "package a\n");
    let release = proxy.release("a.invalid/a", "v1.2.5");
    let project = Project::new(GO_MOD, GO_SUM);
    let files = project
        .write(&proxy, |target| set(target, "a.invalid/a", release))
        .unwrap();

    assert_eq!(
        files["go.mod"],
        GO_MOD.replace("a.invalid/a v1.2.0", "a.invalid/a v1.2.5")
    );
    let added = "a.invalid/a v1.2.5 h1:";
    let sums: Vec<&str> = files["go.sum"].lines().collect();
    assert!(sums[1].starts_with(added), "{sums:?}");
    assert!(
        sums[2].starts_with("a.invalid/a v1.2.5/go.mod h1:"),
        "{sums:?}"
    );
    assert_eq!(sums[0], "a.invalid/a v1.2.0/go.mod h1:AAAB=");
    assert_eq!(sums[3..], GO_SUM.lines().collect::<Vec<_>>()[2..]);
}

#[test]
fn line_breaks_and_a_capital_letter_are_kept() {
    let proxy = Proxy::default().with("b.invalid/B", "v0.3.1", "", "package b\n");
    let release = proxy.release("b.invalid/B", "v0.3.1");
    let go_mod = GO_MOD.replace('\n', "\r\n");
    let project = Project::new(&go_mod, &GO_SUM.replace('\n', "\r\n"));
    let files = project
        .write(&proxy, |target| set(target, "b.invalid/B", release))
        .unwrap();
    assert_eq!(
        files["go.mod"],
        go_mod.replace("b.invalid/B v0.3.0", "b.invalid/B v0.3.1")
    );
    assert_eq!(
        files["go.sum"].matches('\n').count(),
        files["go.sum"].matches("\r\n").count()
    );
}

#[test]
fn a_module_that_is_imported_comes_in_and_one_for_tests_does_not() {
    let proxy = Proxy::default()
        .with(
            "a.invalid/a",
            "v1.3.0",
            "go 1.20\nrequire (\n\td.invalid/d v1.0.0\n\tt.invalid/t v1.0.0\n)\n",
            "package a\nimport \"d.invalid/d\"\n",
        )
        .with(
            "d.invalid/d",
            "v1.1.0",
            "go 1.20\nrequire x.invalid/x v1.0.0\n",
            "package d\nimport \"x.invalid/x\"\n",
        )
        .with("t.invalid/t", "v1.0.0", "go 1.20\n", "package t\n")
        .with("x.invalid/x", "v1.0.0", "go 1.20\n", "package x\n");
    let project = Project::new(GO_MOD, GO_SUM);
    let files = project
        .write(&proxy, |target| {
            set(
                target,
                "a.invalid/a",
                proxy.release("a.invalid/a", "v1.3.0"),
            );
            for (name, version) in [
                ("t.invalid/t", "v1.0.0"),
                ("x.invalid/x", "v1.0.0"),
                ("d.invalid/d", "v1.1.0"),
            ] {
                add(target, name, proxy.release(name, version));
            }
        })
        .unwrap();

    assert_eq!(
        files["go.mod"],
        GO_MOD
            .replace("a.invalid/a v1.2.0", "a.invalid/a v1.3.0")
            .replace(
                "\te.invalid",
                "\td.invalid/d v1.1.0 // indirect\n\te.invalid"
            )
            .replace(
                "e v1.0.0 // indirect\n",
                "e v1.0.0 // indirect\n\tx.invalid/x v1.0.0 // indirect\n"
            )
    );
    assert!(files["go.sum"].contains("d.invalid/d v1.1.0 h1:"));
    assert!(!files["go.sum"].contains("t.invalid"));
}

#[test]
fn new_requirements_are_where_go_puts_them() {
    let proxy = Proxy::default()
        .with(
            "a.invalid/a",
            "v1.3.0",
            "go 1.20\nrequire d.invalid/d v1.0.0\n",
            "package a\nimport \"d.invalid/d\"\n",
        )
        .with("d.invalid/d", "v1.0.0", "go 1.20\n", "package d\n");
    for (before, after) in [
        // Only a line: the other kind follows in a statement of its own.
        (
            "module m\n\ngo 1.21\n\nrequire a.invalid/a v1.2.0",
            "module m\n\ngo 1.21\n\nrequire a.invalid/a v1.3.0\n\nrequire d.invalid/d v1.0.0 // indirect\n",
        ),
        // A line of the same kind becomes a block.
        (
            "module m\n\ngo 1.21\n\nrequire a.invalid/a v1.2.0\n\nrequire z.invalid/z v1.0.0 // indirect\n",
            "module m\n\ngo 1.21\n\nrequire a.invalid/a v1.3.0\n\nrequire (\n\td.invalid/d v1.0.0 // indirect\n\tz.invalid/z v1.0.0 // indirect\n)\n",
        ),
        // One mixed block stays one.
        (
            "module m\n\ngo 1.21\n\nrequire (\n\tz.invalid/z v1.0.0 // indirect\n\ta.invalid/a v1.2.0\n)\n",
            "module m\n\ngo 1.21\n\nrequire (\n\td.invalid/d v1.0.0 // indirect\n\tz.invalid/z v1.0.0 // indirect\n\ta.invalid/a v1.3.0\n)\n",
        ),
    ] {
        let before = before
            .strip_suffix("v1.2.0")
            .map_or(before.to_owned(), |start| format!("{start}v1.2.0\n"));
        let project = Project::new(&before, "a.invalid/a v1.2.0 h1:AAAA=\n");
        let files = project
            .write(&proxy, |target| {
                set(
                    target,
                    "a.invalid/a",
                    proxy.release("a.invalid/a", "v1.3.0"),
                );
                add(
                    target,
                    "d.invalid/d",
                    proxy.release("d.invalid/d", "v1.0.0"),
                );
            })
            .unwrap();
        assert_eq!(files["go.mod"], after);
    }
}

#[test]
fn a_module_that_leaves_takes_its_line_along() {
    let gone = |go_mod: &str, name: &str| {
        let project = Project::new(go_mod, GO_SUM);
        let files = project
            .write(&Proxy::default(), |target| {
                target.nodes.retain(|node| node.name != name)
            })
            .unwrap();
        (files["go.mod"].clone(), files["go.sum"].clone())
    };

    let (go_mod, go_sum) = gone(GO_MOD, "c.invalid/c");
    assert_eq!(
        go_mod,
        GO_MOD.replace(
            "require (\n\tc.invalid/c v1.0.0 // indirect\n\te.invalid/e v1.0.0 // indirect\n)",
            "require e.invalid/e v1.0.0 // indirect"
        )
    );
    assert_eq!(go_sum, GO_SUM.replace("c.invalid/c v1.0.0 h1:CCCC=\n", ""));
    let (go_mod, _) = gone(&go_mod, "e.invalid/e");
    assert_eq!(
        go_mod,
        GO_MOD.replace(
            "\nrequire (\n\tc.invalid/c v1.0.0 // indirect\n\te.invalid/e v1.0.0 // indirect\n)\n",
            ""
        )
    );
}

#[test]
fn a_replacement_changes_in_its_own_line() {
    let go_mod = "module m\n\ngo 1.21\n\nrequire (\n\ta.invalid/a v1.2.0\n\tc.invalid/c v1.0.0\n)\n\nreplace a.invalid/a => f.invalid/fork v1.2.1 // ours\n\nreplace c.invalid/c v1.0.0 => c.invalid/c v1.0.1\n";
    let proxy = Proxy::default()
        .with("f.invalid/fork", "v1.2.2", "go 1.20\n", "package a\n")
        .with("c.invalid/c", "v1.0.2", "go 1.20\n", "package c\n");
    let project = Project::new(go_mod, "");
    let files = project
        .write(&proxy, |target| {
            set(
                target,
                "f.invalid/fork",
                proxy.release("f.invalid/fork", "v1.2.2"),
            );
            set(
                target,
                "c.invalid/c",
                proxy.release("c.invalid/c", "v1.0.2"),
            );
        })
        .unwrap();
    assert_eq!(
        files["go.mod"],
        go_mod
            .replace("fork v1.2.1", "fork v1.2.2")
            .replace("=> c.invalid/c v1.0.1", "=> c.invalid/c v1.0.2")
    );
    assert!(files["go.sum"].contains("f.invalid/fork v1.2.2 h1:"));
}

#[test]
fn a_module_of_an_old_file_gets_a_line() {
    let go_mod = "module m\n\ngo 1.16\n\nrequire a.invalid/a v1.2.0\n";
    let go_sum = "a.invalid/a v1.2.0 h1:AAAA=\na.invalid/a v1.2.0/go.mod h1:AAAB=\nq.invalid/q v1.0.0 h1:QQQQ=\nq.invalid/q v1.0.0/go.mod h1:QQQR=\n";
    let proxy = Proxy::default().with("q.invalid/q", "v1.0.1", "", "package q\n");
    let project = Project::new(go_mod, go_sum);
    let files = project
        .write(&proxy, |target| {
            set(
                target,
                "q.invalid/q",
                proxy.release("q.invalid/q", "v1.0.1"),
            )
        })
        .unwrap();
    assert_eq!(
        files["go.mod"],
        "module m\n\ngo 1.16\n\nrequire (\n\ta.invalid/a v1.2.0\n\tq.invalid/q v1.0.1 // indirect\n)\n"
    );
}

#[test]
fn sums_of_requirements_are_added_where_go_reads_them() {
    let proxy = Proxy::default()
        .with(
            "a.invalid/a",
            "v1.2.5",
            "require (\n\tk.invalid/k v1.0.0\n\tn.invalid/N v0.1.0\n)\n",
            "package a\n",
        )
        .with(
            "n.invalid/N",
            "v0.1.0",
            "require k.invalid/k v1.0.0\n",
            "package n\n",
        );
    let release = proxy.release("a.invalid/a", "v1.2.5");
    let known = format!("{GO_SUM}k.invalid/k v1.0.0/go.mod h1:KKKK=\n");
    let project = Project::new(GO_MOD, &known);
    let change = |target: &mut TargetGraph| set(target, "a.invalid/a", release.clone());
    let files = project.write(&proxy, change).unwrap();
    assert!(files["go.sum"].contains("n.invalid/N v0.1.0/go.mod h1:"));
    assert!(!files["go.sum"].contains("n.invalid/N v0.1.0 h1:"));

    let deep = proxy.with(
        "n.invalid/N",
        "v0.1.0",
        "require u.invalid/u v1.0.0\n",
        "package n\n",
    );
    let reason = project.write(&deep, change).unwrap_err();
    assert!(reason.contains("`u.invalid/u v1.0.0/go.mod`"), "{reason}");

    // Two that require each other are read once.
    let cycle = "require (\n\tn.invalid/N v0.1.0\n\tw.invalid/w v1.0.0\n)\n";
    let whole = deep
        .with("u.invalid/u", "v1.0.0", cycle, "package u\n")
        .with("w.invalid/w", "v1.0.0", "", "package w\n");
    let files = project.write(&whole, change).unwrap();
    for module in [
        "n.invalid/N v0.1.0",
        "u.invalid/u v1.0.0",
        "w.invalid/w v1.0.0",
    ] {
        assert!(files["go.sum"].contains(&format!("{module}/go.mod h1:")));
        assert!(!files["go.sum"].contains(&format!("{module} h1:")));
    }
}

#[test]
fn what_is_not_exact_is_refused_with_its_reason() {
    let proxy = Proxy::default()
        .with("a.invalid/a", "v1.2.4", "go 1.20\n", "package a\n")
        .with("a.invalid/a", "v1.9.0", "go 1.23.0\n", "package a\n")
        .with(
            "a.invalid/a",
            "v1.3.0",
            "go 1.20\nrequire c.invalid/c v1.1.0\n",
            "package a\n",
        )
        .with("a.invalid/a", "v2.0.0", "go 1.20\n", "package a\n");
    let project = Project::new(GO_MOD, GO_SUM);
    for (version, expected) in [
        ("v1.2.4", "the file excludes `a.invalid/a v1.2.4`"),
        (
            "v1.9.0",
            "`a.invalid/a v1.9.0` needs Go 1.23.0, and the project states Go 1.21",
        ),
        (
            "v1.3.0",
            "`a.invalid/a v1.3.0` requires `c.invalid/c v1.1.0`, and the graph has v1.0.0",
        ),
        (
            "v1.2.9",
            "the `mod` file of `a.invalid/a v1.2.9` was not downloaded",
        ),
    ] {
        let release = proxy.release("a.invalid/a", version);
        let reason = project.write(&proxy, |target| set(target, "a.invalid/a", release));
        assert_eq!(reason.unwrap_err(), expected);
    }
    let major = Release {
        version: "v2.0.0".to_owned(),
        ..proxy.release("a.invalid/a", "v1.3.0")
    };
    let reason = project.write(&proxy, |target| set(target, "a.invalid/a", major));
    assert!(reason.unwrap_err().contains("another major version"));
}

#[test]
fn a_project_that_vendors_or_has_no_sums_is_refused() {
    let proxy = Proxy::default().with("a.invalid/a", "v1.2.5", "go 1.20\n", "package a\n");
    let change = |target: &mut TargetGraph| {
        set(
            target,
            "a.invalid/a",
            proxy.release("a.invalid/a", "v1.2.5"),
        );
    };
    let mut project = Project::new(GO_MOD, GO_SUM);
    project
        .files
        .insert("vendor/modules.txt".to_owned(), Vec::new());
    assert!(
        project
            .write(&proxy, change)
            .unwrap_err()
            .contains("`vendor/modules.txt`")
    );

    let mut project = Project::new(GO_MOD, GO_SUM);
    project.files.remove("go.sum");
    assert!(
        project
            .write(&proxy, change)
            .unwrap_err()
            .contains("no `go.sum`")
    );
}

#[test]
fn a_release_of_go_is_not_changed() {
    let project = Project::new(
        "module m\n\ngo 1.21\n\ntoolchain go1.22.1\n\nrequire a.invalid/a v1.0.0\n",
        "",
    );
    let release = Release {
        version: "1.22.5".to_owned(),
        ..Release::default()
    };
    let reason = project.write(&Proxy::default(), |target| set(target, "stdlib", release));
    assert!(reason.unwrap_err().contains("the release of Go"));
}

#[test]
fn a_workspace_has_replacements_and_sums_of_its_own() {
    let work = "go 1.21\n\nuse .\n\nreplace a.invalid/a => a.invalid/a v1.2.0\n";
    let mut project = Project::new(GO_MOD, GO_SUM);
    project.path = "go.work";
    project
        .files
        .insert("go.work".to_owned(), work.as_bytes().to_vec());
    let proxy = Proxy::default().with("a.invalid/a", "v1.2.5", "go 1.20\n", "package a\n");
    let files = project
        .write(&proxy, |target| {
            set(
                target,
                "a.invalid/a",
                proxy.release("a.invalid/a", "v1.2.5"),
            )
        })
        .unwrap();
    assert_eq!(files["go.work"], work.replace("v1.2.0", "v1.2.5"));
    assert!(files["go.work.sum"].starts_with("a.invalid/a v1.2.5 h1:"));
    assert_eq!(project.write(&proxy, |_| {}).unwrap()["go.work"], work);
}

#[test]
fn a_requirement_is_edited_on_its_own() {
    let edit = crate::RequirementEdit {
        name: "a.invalid/a".to_owned(),
        from: "v1.2.0".to_owned(),
        to: "v1.2.5".to_owned(),
    };
    let edited = Go.edit_manifest("go.mod", GO_MOD, &edit).unwrap();
    assert_eq!(edited, GO_MOD.replace("a v1.2.0", "a v1.2.5"));
    let wrong = crate::RequirementEdit {
        from: "v1.1.0".to_owned(),
        ..edit.clone()
    };
    assert!(Go.edit_manifest("go.mod", GO_MOD, &wrong).is_err());
    let query = crate::RequirementEdit {
        to: "latest".to_owned(),
        ..edit
    };
    assert!(Go.edit_manifest("go.mod", GO_MOD, &query).is_err());
}

/// An edge keeps its meaning when the writer does not need it.
#[test]
fn edges_of_the_graph_do_not_change_the_text() {
    let project = Project::new(GO_MOD, GO_SUM);
    let files = project
        .write(&Proxy::default(), |target| {
            target.nodes[0].edges.push(TargetEdge {
                name: "c.invalid/c".to_owned(),
                requirement: Some("v1.0.0".to_owned()),
                kind: patchgate_model::DependencyKind::Runtime,
                to: 2,
            });
        })
        .unwrap();
    assert_eq!(files["go.mod"], GO_MOD);
}

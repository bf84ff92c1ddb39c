use super::PomWriter;
use crate::maven::pom::tests::{dependency, import, managed, project, repository};
use crate::{
    Downloads, Input, LockfileWriter as _, Release, ReleaseFile, Siblings, TargetGraph, TargetNode,
};

/// Writes a project with packages at other versions. The result has the files that changed.
pub(super) fn write(
    siblings: &Siblings,
    path: &str,
    moves: &[(&str, &str)],
) -> Result<Siblings, String> {
    let input = Input {
        path,
        bytes: &siblings[path],
        siblings,
    };
    let lockfile = crate::maven::pom::parse(&input).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    for (name, version) in moves {
        let mut nodes = target.nodes.iter_mut().filter(|node| node.name == *name);
        let node = nodes.next().expect(name);
        node.release = Some(release(version));
        for node in nodes {
            node.release = Some(release(version));
        }
    }

    let written = PomWriter.write(&input, &lockfile, &target, &Downloads::new());
    let written = written.map_err(|error| error.reason)?;
    let mut after = siblings.clone();
    after.extend(written.clone());
    let input = Input {
        bytes: &after[path],
        siblings: &after,
        ..input
    };
    let after = crate::maven::pom::parse(&input).unwrap();
    for (name, version) in moves {
        let mut packages = after.packages.iter().filter(|one| one.name == *name);
        assert!(packages.all(|one| one.version == *version), "{name}");
    }
    assert_eq!(after.packages.len(), lockfile.packages.len());
    Ok(written)
}

fn release(version: &str) -> Release {
    Release {
        version: version.to_owned(),
        ..Release::default()
    }
}

/// The only file that changed besides the project, or the project.
pub(super) fn text(written: &Siblings, path: &str) -> String {
    String::from_utf8(written[path].clone()).unwrap()
}

/// Writes one project and compares the whole text.
fn becomes(pom: &str, moves: &[(&str, &str)], expected: &str) {
    let siblings = repository(&[("pom.xml", pom)]);
    let written = write(&siblings, "pom.xml", moves).unwrap();
    assert_eq!(written.len(), 1);
    assert_eq!(text(&written, "pom.xml"), expected);
}

const POM: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>org.acme</groupId>
  <artifactId>app</artifactId>
  <version>1</version>

  <properties>
    <lib.version>1.0</lib.version> <!-- 1.0 for now -->
  </properties>

  <dependencies>
    <dependency>
      <groupId>g</groupId>
      <artifactId>a</artifactId>
      <version><!-- why --> 1.0 </version>
    </dependency>
    <dependency>
      <groupId>g</groupId>
      <artifactId>b</artifactId>
      <version>${lib.version}</version>
    </dependency>
    <dependency>
      <groupId>h</groupId>
      <artifactId>c</artifactId>
      <version>[1.0]</version>
    </dependency>
  </dependencies>
</project>
"#;

#[test]
fn the_unchanged_graph_gives_the_same_bytes() {
    for pom in [POM, &POM.replace('\n', "\r\n"), &format!("\u{feff}{POM}")] {
        becomes(pom, &[], pom);
    }
}

#[test]
fn a_version_changes_where_it_is_written() {
    becomes(
        POM,
        &[("g:a", "1.1"), ("g:b", "2.0"), ("h:c", "1.0.1")],
        &POM.replace("--> 1.0 <", "--> 1.1 <")
            .replace("<lib.version>1.0", "<lib.version>2.0")
            .replace("[1.0]", "[1.0.1]"),
    );
    let windows = POM.replace('\n', "\r\n");
    becomes(
        &format!("\u{feff}{windows}"),
        &[("g:b", "1.2")],
        &format!(
            "\u{feff}{}",
            windows.replace("version>1.0<", "version>1.2<")
        ),
    );
}

#[test]
fn a_property_of_several_packages_changes_for_all_or_none() {
    let pom = |b: &str, property: &str| {
        project(
            "app",
            &format!(
                "<properties><v>{property}</v></properties><dependencies>{}{}{}</dependencies>",
                dependency("a", "<version>${v}</version>"),
                dependency("b", b),
                dependency("t", "<version>${v}</version><type>test-jar</type>"),
            ),
        )
    };
    let before = pom("<version>${v}</version>", "1.0.0");
    let all = [("g:a", "2.0.0"), ("g:b", "2.0.0"), ("g:t", "2.0.0")];
    becomes(&before, &all, &pom("<version>${v}</version>", "2.0.0"));

    // Small steps may part packages that belong together, larger ones may not.
    becomes(
        &before,
        &[("g:b", "1.0.1")],
        &pom("<version>1.0.1</version>", "1.0.0"),
    );
    let siblings = repository(&[("pom.xml", &before)]);
    let refused = write(&siblings, "pom.xml", &[("g:b", "1.1.0")]).unwrap_err();
    assert_eq!(
        refused,
        "the property `v` also decides the version of `g:a`, which stays"
    );
}

#[test]
fn packages_of_one_group_with_one_property_change_together() {
    let pom = |version: &str| {
        project(
            "app",
            &format!(
                "<properties><v>{version}</v></properties><dependencies>{}{}</dependencies>",
                dependency("a", "<version>${v}</version>"),
                dependency("b", "<version>${v}</version>"),
            ),
        )
    };
    let siblings = repository(&[("pom.xml", &pom("1.0.0"))]);
    let input = Input {
        path: "pom.xml",
        bytes: &siblings["pom.xml"],
        siblings: &siblings,
    };
    let lockfile = crate::maven::pom::parse(&input).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    let file =
        |artifact: &str| format!("https://r.invalid/m2/g/{artifact}/2.0.0/{artifact}-2.0.0.pom");
    target.nodes[0].release = Some(Release {
        files: vec![ReleaseFile {
            name: "a-2.0.0.pom".to_owned(),
            url: file("a"),
            ..ReleaseFile::default()
        }],
        ..release("2.0.0")
    });

    let none = Downloads::new();
    let wanted = PomWriter.further_downloads(&input, &lockfile, &target, &none);
    let wanted: Vec<String> = wanted.into_iter().map(|one| one.url).collect();
    assert_eq!(wanted, [file("b")]);
    assert!(PomWriter.write(&input, &lockfile, &target, &none).is_err());

    let known = Downloads::from([(file("b"), Vec::new())]);
    assert_eq!(
        PomWriter.further_downloads(&input, &lockfile, &target, &known),
        []
    );
    let written = PomWriter.write(&input, &lockfile, &target, &known).unwrap();
    assert_eq!(text(&written, "pom.xml"), pom("2.0.0"));
}

#[test]
fn a_property_of_a_plugin_stays() {
    let pom = |version: &str| {
        project(
            "app",
            &format!(
                "<properties><v>1</v><w>${{v}}</w></properties><build><plugins><plugin>\
                 <artifactId>p</artifactId><version>${{v}}</version></plugin></plugins></build>\
                 <dependencies>{}</dependencies>",
                dependency("a", &format!("<version>{version}</version>")),
            ),
        )
    };
    becomes(&pom("${w}"), &[("g:a", "2")], &pom("2"));
}

#[test]
fn a_chain_of_properties_changes_at_its_end() {
    let pom = |version: &str| {
        project(
            "app",
            &format!(
                "<properties><v>${{w}}</v><w>{version}</w></properties><dependencies>{}\
                 </dependencies>",
                dependency("a", "<version>${v}</version>"),
            ),
        )
    };
    becomes(&pom("1"), &[("g:a", "2")], &pom("2"));

    let pom = |version: &str| {
        project(
            "app",
            &format!(
                "<properties><v>{version}</v><w>1</w></properties><dependencies>{}\
                 </dependencies>",
                dependency("a", "<version>${v}</version>"),
            ),
        )
    };
    becomes(&pom("${w}.5"), &[("g:a", "2")], &pom("2"));
}

/// A parent in the repository, with a module.
pub(super) fn reactor(parent: &str, module: &str) -> Siblings {
    let link = "<parent><groupId>org.acme</groupId><artifactId>root</artifactId>\
                <version>1</version></parent>";
    let module = format!("<project>{link}<artifactId>m</artifactId>{module}</project>");
    repository(&[
        ("pom.xml", &project("root", parent)),
        ("m/pom.xml", &module),
    ])
}

pub(super) fn changed(siblings: &Siblings, written: &Siblings) -> Vec<String> {
    let paths = written.keys();
    paths
        .filter(|path| siblings.get(*path) != written.get(*path))
        .cloned()
        .collect()
}

#[test]
fn a_parent_of_the_repository_changes_where_it_decides() {
    let property = "<properties><v>1</v></properties>";
    let list = managed(&dependency("a", "<version>${v}</version>"));
    let uses = |version: &str| format!("<dependencies>{}</dependencies>", dependency("a", version));

    // The property, a literal version, and an inherited dependency.
    for (parent, module) in [
        (format!("{property}{list}"), uses("")),
        (property.to_owned(), uses("<version>${v}</version>")),
        (managed(&dependency("a", "<version>1</version>")), uses("")),
        (uses("<version>1</version>"), String::new()),
    ] {
        let siblings = reactor(&parent, &module);
        let written = write(&siblings, "m/pom.xml", &[("g:a", "1.5")]).unwrap();
        assert_eq!(changed(&siblings, &written), ["pom.xml"], "{parent}");
        let text = text(&written, "pom.xml");
        let expected = project("root", &parent)
            .replace("<v>1<", "<v>1.5<")
            .replace(
                "<artifactId>a</artifactId><version>1<",
                "<artifactId>a</artifactId><version>1.5<",
            );
        assert_eq!(text, expected);
    }

    // The module's own version wins over the parent's.
    let siblings = reactor(&format!("{property}{list}"), &uses("<version>1</version>"));
    let written = write(&siblings, "m/pom.xml", &[("g:a", "2")]).unwrap();
    assert_eq!(changed(&siblings, &written), ["m/pom.xml"]);
}

#[test]
fn another_module_that_uses_a_property_counts() {
    let parent = "<properties><v>1.0</v></properties>";
    let uses = |artifact: &str| {
        let version = dependency(artifact, "<version>${v}</version>");
        format!("<dependencies>{version}</dependencies>")
    };
    let mut siblings = reactor(parent, &uses("a"));
    let other = |artifact: &str| {
        String::from_utf8(reactor(parent, &uses(artifact))["m/pom.xml"].clone())
            .unwrap()
            .replace("<artifactId>m<", "<artifactId>n<")
            .into_bytes()
    };
    siblings.insert("n/pom.xml".to_owned(), other("a"));
    let written = write(&siblings, "m/pom.xml", &[("g:a", "2.0")]).unwrap();
    assert_eq!(changed(&siblings, &written), ["pom.xml"]);

    siblings.insert("n/pom.xml".to_owned(), other("b"));
    assert!(write(&siblings, "m/pom.xml", &[("g:a", "2.0")]).is_err());
    // The same name in a project with other parents is another property.
    siblings.insert(
        "n/pom.xml".to_owned(),
        project("n", &format!("{parent}{}", uses("b"))).into_bytes(),
    );
    let written = write(&siblings, "m/pom.xml", &[("g:a", "2.0")]).unwrap();
    assert_eq!(changed(&siblings, &written), ["pom.xml"]);
}

#[test]
fn a_list_of_versions_in_the_repository_changes() {
    let list = project("list", &managed(&dependency("a", "<version>1</version>")));
    let uses = format!("<dependencies>{}</dependencies>", dependency("a", ""));
    let app = project("app", &format!("{}{uses}", managed(&import("list"))));
    let siblings = repository(&[("pom.xml", &app), ("list/pom.xml", &list)]);
    let written = write(&siblings, "pom.xml", &[("g:a", "2")]).unwrap();
    assert_eq!(changed(&siblings, &written), ["list/pom.xml"]);
    assert_eq!(
        text(&written, "list/pom.xml"),
        list.replace(
            "<artifactId>a</artifactId><version>1<",
            "<artifactId>a</artifactId><version>2<"
        )
    );
}

#[test]
fn profiles_change_with_the_project() {
    let uses = |version: &str| {
        let version = format!("<version>{version}</version>");
        format!("<dependencies>{}</dependencies>", dependency("a", &version))
    };
    let pom = |version: &str, property: &str| {
        project(
            "app",
            &format!(
                "{}<profiles><profile><id>p</id><properties><v>{property}</v></properties>{}\
                 </profile></profiles>",
                uses(version),
                uses("${v}")
            ),
        )
    };
    becomes(&pom("1", "1"), &[("g:a", "3")], &pom("3", "3"));
}

#[test]
fn a_manifest_that_is_edited_already_is_gone_on_from() {
    let pom = |version: &str, other: &str| {
        let a = dependency("a", &format!("<version>{version}</version>"));
        let b = dependency("b", &format!("<version>{other}</version>"));
        project("app", &format!("<dependencies>{a}{b}</dependencies>"))
    };
    let before = pom("[1.0]", "1.0");
    let input = Input {
        path: "pom.xml",
        bytes: before.as_bytes(),
        siblings: &repository(&[("pom.xml", &pom("[1.5]", "1.0"))]),
    };
    let alone = Input {
        siblings: &Siblings::new(),
        ..input
    };
    let lockfile = crate::maven::pom::parse(&alone).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    target.nodes[0].release = Some(release("1.5"));
    target.nodes[1].release = Some(release("1.6"));
    let written = PomWriter.write(&input, &lockfile, &target, &Downloads::new());
    assert_eq!(text(&written.unwrap(), "pom.xml"), pom("[1.5]", "1.6"));
}

#[test]
fn what_a_release_needs_is_not_written_and_other_changes_are_refused() {
    let siblings = repository(&[("pom.xml", POM)]);
    let input = Input {
        path: "pom.xml",
        bytes: POM.as_bytes(),
        siblings: &siblings,
    };
    let lockfile = crate::maven::pom::parse(&input).unwrap();
    let write = |change: &dyn Fn(&mut TargetGraph)| {
        let mut target = TargetGraph::unchanged(&lockfile);
        change(&mut target);
        let written = PomWriter.write(&input, &lockfile, &target, &Downloads::new());
        written
            .map(|written| text(&written, "pom.xml"))
            .map_err(|error| error.reason)
    };
    let new = || TargetNode {
        was: None,
        name: "g:new".to_owned(),
        release: Some(release("1")),
        edges: Vec::new(),
    };

    let needed = write(&|target| {
        target.nodes.push(new());
        target.nodes[0].release = Some(release("1.1"));
    });
    assert_eq!(needed, Ok(POM.replace("--> 1.0 <", "--> 1.1 <")));
    let asked = write(&|target| {
        target.nodes.push(new());
        target.roots[0][0].to = 3;
    });
    assert_eq!(asked, Err("`g:new` would be a new dependency".to_owned()));
    let gone = write(&|target| {
        target.nodes.pop();
        target.roots[0].pop();
    });
    assert_eq!(gone, Err("`h:c` is required and cannot leave".to_owned()));
    let odd = write(&|target| target.nodes[0].release = Some(release("1<x/>")));
    assert_eq!(odd, Err("`1<x/>` is not a version".to_owned()));
}

#[test]
fn an_override_manages_a_package_and_is_raised() {
    let siblings = repository(&[("pom.xml", POM)]);
    let written = |siblings: &Siblings, name: &str, version: &str| {
        PomWriter.write_override("pom.xml", siblings, name, version)
    };
    let (path, first) = written(&siblings, "x:deep", "1.5").unwrap().unwrap();
    assert_eq!(path, "pom.xml");
    let list = |version: &str| {
        format!(
            "  <dependencyManagement>\n    <dependencies>\n      <dependency>\n        \
             <groupId>x</groupId>\n        <artifactId>deep</artifactId>\n        \
             <version>{version}</version>\n      </dependency>\n    </dependencies>\n  \
             </dependencyManagement>\n\n  <dependencies>"
        )
    };
    assert_eq!(first, POM.replace("  <dependencies>", &list("1.5")));

    let siblings = repository(&[("pom.xml", &first)]);
    let (_, second) = written(&siblings, "x:deep", "1.6").unwrap().unwrap();
    assert_eq!(second, POM.replace("  <dependencies>", &list("1.6")));

    // A direct dependency has its own version, over which no other wins.
    let (_, direct) = written(&siblings, "g:a", "1.1").unwrap().unwrap();
    assert_eq!(direct, first.replace("--> 1.0 <", "--> 1.1 <"));
    assert_eq!(
        PomWriter.write_override("pom.xml", &Siblings::new(), "g:a", "1.1"),
        Ok(None)
    );
}

/// Empty elements, and elements in one line.
#[test]
fn an_entry_fits_in_any_layout() {
    let entry = dependency("a", "<version>2</version>");
    let lines = |indent: &str| {
        format!(
            "{indent}<dependency>\n{indent}  <groupId>g</groupId>\n{indent}  \
             <artifactId>a</artifactId>\n{indent}  <version>2</version>\n{indent}</dependency>\n"
        )
    };
    for (before, after) in [
        (managed(""), managed(&entry)),
        (String::new(), managed(&entry)),
        ("<dependencyManagement/>".to_owned(), managed(&entry)),
        (
            "\n  <dependencyManagement>\n    <dependencies/>\n  </dependencyManagement>\n"
                .to_owned(),
            format!(
                "\n  <dependencyManagement>\n    <dependencies>\n{}    </dependencies>\n  \
                 </dependencyManagement>\n",
                lines("      ")
            ),
        ),
        (
            "\n  <dependencyManagement>\n    <dependencies>\n    </dependencies>\n  \
             </dependencyManagement>\n"
                .to_owned(),
            format!(
                "\n  <dependencyManagement>\n    <dependencies>\n{}    </dependencies>\n  \
                 </dependencyManagement>\n",
                lines("      ")
            ),
        ),
        (
            "\n  <!-- ours --><dependencies></dependencies>\n".to_owned(),
            format!(
                "\n  <!-- ours --><dependencies></dependencies>\n  <dependencyManagement>\n    \
                 <dependencies>\n{}    </dependencies>\n  </dependencyManagement>\n",
                lines("      ")
            ),
        ),
    ] {
        let pom = |rest: &str| {
            let start = if rest.starts_with('\n') { "\n  " } else { "" };
            format!("<project>{start}<artifactId>p</artifactId>{rest}</project>")
        };
        let siblings = repository(&[("pom.xml", &pom(&before))]);
        let written = PomWriter.write_override("pom.xml", &siblings, "g:a", "2");
        let (_, text) = written.unwrap().unwrap();
        assert_eq!(text, pom(&after), "{before}");
    }
}

//! Projects of one repository that build on each other, and files that are missing.

use super::*;

/// Maven 3.8.7 gives the same versions and scopes (`help:effective-pom`).
#[test]
fn versions_come_through_several_levels() {
    let files = repository(&[
        ("pom.xml", include_str!("../../fixtures/reactor/pom.xml")),
        (
            "build/base/pom.xml",
            include_str!("../../fixtures/reactor/build/base/pom.xml"),
        ),
        (
            "versions/pom.xml",
            include_str!("../../fixtures/reactor/versions/pom.xml"),
        ),
        (
            "app/pom.xml",
            include_str!("../../fixtures/reactor/app/pom.xml"),
        ),
    ]);
    let lockfile = read(&files, "app/pom.xml");

    assert_eq!(
        summary(&lockfile),
        [
            "org.json:json 1.5",
            "org.listed:listed 1.1.7",
            "org.xml:xml 1.1",
            "org.xml:xml 1.1-tests",
            "org.net:net 4.1",
            "org.log:log 3.2",
            "org.range:range ? [1.0,2.0)",
        ]
    );
    assert_eq!(lockfile.packages[3].scope, Scope::Test);
}

/// Projects that are read together give the same as each alone, also when a file is added later.
#[test]
fn what_projects_share_changes_nothing() {
    let parent = |artifact: &str| {
        format!(
            "<parent><groupId>org.acme</groupId><artifactId>{artifact}</artifactId>\
             <version>1</version><relativePath/></parent>"
        )
    };
    let module = |name: &str| {
        format!(
            "<project>{}<artifactId>{name}</artifactId><dependencies>{}</dependencies></project>",
            parent("middle"),
            dependency("a", "")
        )
    };
    let middle = format!(
        "<project>{}<artifactId>middle</artifactId></project>",
        parent("top")
    );
    let top = project("top", &managed(&dependency("a", "<version>1</version>")));
    let mut files = repository(&[
        ("x/pom.xml", &module("x")),
        ("y/pom.xml", &module("y")),
        ("middle/pom.xml", &middle),
    ]);

    let mut projects = Projects::default();
    let together = |projects: &Projects, files: &Siblings, path: &str| {
        let input = Input {
            path,
            bytes: &files[path],
            siblings: files,
        };
        summary(&projects.parse(&input).unwrap())
    };
    for path in ["x/pom.xml", "y/pom.xml"] {
        assert_eq!(
            together(&projects, &files, path),
            ["g:a ? ", "lacks org/acme/top/1/top-1.pom"]
        );
    }

    files.insert(
        format!("{EXTERNAL}org/acme/top/1/top-1.pom"),
        top.into_bytes(),
    );
    projects.files_added();
    for path in ["x/pom.xml", "y/pom.xml"] {
        assert_eq!(together(&projects, &files, path), ["g:a 1"]);
        assert_eq!(summary(&read(&files, path)), ["g:a 1"]);
    }
}

/// Checked with Maven 3.8.7 (`help:effective-pom`), which only warns of such files.
#[test]
fn of_managed_duplicates_maven_takes_the_first_or_the_last() {
    let twice = |name: &str| {
        dependency(name, "<version>1</version>") + &dependency(name, "<version>2</version>")
    };
    let parent = project(
        "parent",
        &managed(&(dependency("cross", "<version>1</version>") + &twice("above"))),
    );
    let list = project("list", &managed(&twice("listed")));
    let use_all = |names: &[&str]| {
        let all: String = names.iter().map(|name| dependency(name, "")).collect();
        format!("<dependencies>{all}</dependencies>")
    };

    let of = |text: String| {
        let files = repository(&[
            ("pom.xml", &parent),
            ("list/pom.xml", &list),
            ("a/pom.xml", &text),
        ]);
        summary(&read(&files, "a/pom.xml"))
    };
    let child = |rest: String| {
        "<project><parent><groupId>org.acme</groupId><artifactId>parent</artifactId>\
         <version>1</version></parent><artifactId>a</artifactId>\
         <properties><g>g</g></properties>"
            .to_owned()
            + &rest
            + "</project>"
    };
    let cross = dependency("cross", "<version>2</version>").replace("<groupId>g", "<groupId>${g}");

    let own = twice("own");
    assert_eq!(
        of(project("a", &(managed(&own) + &use_all(&["own"])))),
        ["g:own 1"]
    );
    assert_eq!(
        of(project(
            "a",
            &(managed(&(own.clone() + &import("list"))) + &use_all(&["own", "listed"]))
        )),
        ["g:own 2", "g:listed 1"]
    );
    assert_eq!(
        of(child(managed(&own) + &use_all(&["own", "above"]))),
        ["g:own 2", "g:above 1"]
    );
    assert_eq!(
        of(child(managed(&cross) + &use_all(&["cross"]))),
        ["g:cross 2"]
    );
    assert_eq!(
        of(child(
            managed(&(cross + &import("list"))) + &use_all(&["cross"])
        )),
        ["g:cross 1"]
    );
}

/// An entry without a version hides the one of the parent, and Maven then refuses the project.
#[test]
fn a_managed_dependency_without_a_version_hides_that_of_the_parent() {
    let parent = project("parent", &managed(&dependency("a", "<version>1</version>")));
    let child = "<project><parent><groupId>org.acme</groupId><artifactId>parent</artifactId>\
        <version>1</version></parent><artifactId>child</artifactId>"
        .to_owned()
        + &managed(&dependency("a", "<scope>test</scope>"))
        + "<dependencies>"
        + &dependency("a", "")
        + "</dependencies></project>";
    let files = repository(&[("pom.xml", &parent), ("child/pom.xml", &child)]);

    assert_eq!(summary(&read(&files, "child/pom.xml")), ["g:a ? "]);
}

/// A parent without a relative path, or in a directory of another name, is found by its coordinates,
/// as Maven finds it among the projects of a build.
#[test]
fn parents_and_lists_are_found_by_coordinates() {
    let parent = project(
        "acme-parent",
        &("<properties><v>1</v></properties>".to_owned()
            + &managed(&dependency("a", "<version>${v}</version>"))),
    );
    let list = project(
        "acme-versions",
        &managed(&dependency("b", "<version>3</version>")),
    );
    let child = "<project><parent><groupId>org.acme</groupId>\
        <artifactId>acme-parent</artifactId><version>1</version><relativePath/></parent>\
        <artifactId>child</artifactId><properties><v>2</v></properties>"
        .to_owned()
        + &managed(&import("acme-versions"))
        + "<dependencies>"
        + &dependency("a", "")
        + &dependency("b", "")
        + "</dependencies></project>";
    let files = repository(&[
        ("build/base/pom.xml", &parent),
        ("build/bom/pom.xml", &list),
        ("app/pom.xml", &child),
    ]);

    assert_eq!(summary(&read(&files, "app/pom.xml")), ["g:a 2", "g:b 3"]);
}

/// Another version of a project of the repository was released before, and is a package.
#[test]
fn only_the_same_version_of_a_project_is_a_path() {
    let lib = project("lib", "");
    let app = project(
        "app",
        &("<dependencies>".to_owned()
            + &dependency("lib", "<version>1</version>").replace(">g<", ">org.acme<")
            + &dependency("lib", "<version>0.9</version><classifier>x</classifier>")
                .replace(">g<", ">org.acme<")
            + "</dependencies>"),
    );
    let files = repository(&[("some/where/pom.xml", &lib), ("app/pom.xml", &app)]);
    let lockfile = read(&files, "app/pom.xml");

    assert_eq!(summary(&lockfile), ["org.acme:lib 1", "org.acme:lib 0.9"]);
    assert_eq!(
        lockfile.packages[0].origin,
        Origin::Path(Some("some/where".to_owned()))
    );
    assert_eq!(lockfile.packages[1].origin, Origin::Registry(None));
}

#[test]
fn a_requirement_has_the_value_of_its_property() {
    let text = project(
        "app",
        &("<properties><range>[1,2)</range><newest>LATEST</newest></properties><dependencies>"
            .to_owned()
            + &dependency("a", "<version>${range}</version>")
            + &dependency("b", "<version>${newest}</version>")
            + &dependency("c", "<version>${unset}</version>")
            + &dependency("d", "<version>[3]</version>")
            + "</dependencies>"),
    );

    assert_eq!(
        summary(&read(&repository(&[("pom.xml", &text)]), "pom.xml")),
        ["g:d 3", "g:a ? [1,2)", "g:b ? LATEST", "g:c ? ${unset}"]
    );
}

/// A package without a name has no advisories, but that does not make it clean.
#[test]
fn a_dependency_whose_name_is_unknown_may_be_any_package() {
    let text = project(
        "app",
        &("<dependencies>\n".to_owned()
            + &dependency("${which}", "<version>1</version>")
            + "</dependencies>"),
    );
    let lockfile = read(&repository(&[("pom.xml", &text)]), "pom.xml");

    assert_eq!(summary(&lockfile), [""; 0]);
    assert_eq!(
        lockfile.skipped,
        [SkippedEntry {
            line: 2,
            reason: "depends on `g:${which}`, whose property has no value".to_owned(),
            loss: Loss::Package,
        }]
    );
}

/// A parent can have dependencies; a list of versions has none.
#[test]
fn a_missing_parent_may_bring_packages_and_a_missing_list_only_versions() {
    let stated = dependency("a", "<version>1</version>");
    let lists = managed(&import("list"));
    let of = |rest: &str, dependencies: &str| {
        let text = format!(
            "<project>{rest}<artifactId>app</artifactId>{lists}<dependencies>{dependencies}\
             </dependencies></project>"
        );
        read(&repository(&[("pom.xml", &text)]), "pom.xml")
            .missing
            .iter()
            .map(|one| (one.name.clone(), one.versions_only))
            .collect::<Vec<_>>()
    };
    let own = "<groupId>org.acme</groupId><version>1</version>";
    let parent = "<parent><groupId>org.acme</groupId><artifactId>parent</artifactId>\
        <version>1</version></parent>";

    assert_eq!(of(own, &stated), []);
    assert_eq!(
        of(own, &dependency("open", "")),
        [("org.acme:list".to_owned(), true)]
    );
    for dependencies in [&stated, &dependency("open", "")] {
        assert_eq!(
            of(parent, dependencies),
            [("org.acme:parent".to_owned(), false)]
        );
    }
}

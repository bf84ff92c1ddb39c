use insta::assert_snapshot;

use super::*;
use crate::Siblings;
use crate::snapshot_text::snapshot_text;

mod reactor;

pub(super) fn repository(files: &[(&str, &str)]) -> Siblings {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn read(siblings: &Siblings, path: &str) -> Lockfile {
    parse(&Input {
        path,
        bytes: &siblings[path],
        siblings,
    })
    .unwrap()
}

/// A project with coordinates and further content.
pub(super) fn project(artifact: &str, rest: &str) -> String {
    format!(
        "<project><groupId>org.acme</groupId><artifactId>{artifact}</artifactId>\
         <version>1</version>{rest}</project>"
    )
}

pub(super) fn dependency(artifact: &str, rest: &str) -> String {
    format!(
        "<dependency><groupId>g</groupId><artifactId>{artifact}</artifactId>{rest}</dependency>"
    )
}

pub(super) fn import(artifact: &str) -> String {
    format!(
        "<dependency><groupId>org.acme</groupId><artifactId>{artifact}</artifactId>\
         <version>1</version><type>pom</type><scope>import</scope></dependency>"
    )
}

pub(super) fn managed(list: &str) -> String {
    format!("<dependencyManagement><dependencies>{list}</dependencies></dependencyManagement>")
}

/// Names with versions, then unresolved dependencies, then missing files.
fn summary(lockfile: &Lockfile) -> Vec<String> {
    let packages = lockfile.packages.iter();
    let unresolved = lockfile.unresolved.iter();
    let missing = lockfile.missing.iter();
    packages
        .map(|one| format!("{} {}", one.name, one.version))
        .chain(unresolved.map(|one| format!("{} ? {}", one.name, one.requirement)))
        .chain(missing.map(|one| format!("lacks {}", one.path)))
        .collect()
}

#[test]
fn modules_of_one_repository() {
    let files: Siblings = [
        ("pom.xml", include_str!("../fixtures/read/modules/pom.xml")),
        (
            "bom/pom.xml",
            include_str!("../fixtures/read/modules/bom/pom.xml"),
        ),
        (
            "lib/pom.xml",
            include_str!("../fixtures/read/modules/lib/pom.xml"),
        ),
        (
            "app/pom.xml",
            include_str!("../fixtures/read/modules/app/pom.xml"),
        ),
    ]
    .iter()
    .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
    .collect();

    assert_snapshot!(snapshot_text(&read(&files, "app/pom.xml")));
    assert_snapshot!(snapshot_text(&read(&files, "lib/pom.xml")));
}

#[test]
fn what_lacks_is_named_and_nothing_is_guessed() {
    let text = "<project><parent><groupId>org.springframework.boot</groupId>\n\
        <artifactId>spring-boot-starter-parent</artifactId><version>2.7.5</version>\
        <relativePath/></parent>\n<artifactId>app</artifactId><dependencies>\n"
        .to_owned()
        + &dependency("managed", "")
        + &dependency("stated", "<version>1</version>")
        + "</dependencies></project>";
    let mut files = repository(&[("pom.xml", &text)]);

    assert_eq!(
        summary(&read(&files, "pom.xml")),
        [
            "g:stated 1",
            "g:managed ? ",
            "lacks org/springframework/boot/spring-boot-starter-parent/2.7.5/spring-boot-starter-parent-2.7.5.pom",
        ]
    );

    // Once the parent is available, its own parent is missing.
    let parent = "<project><parent><groupId>b</groupId><artifactId>c</artifactId>\
        <version>1</version></parent><artifactId>spring-boot-starter-parent</artifactId></project>";
    let path = format!(
        "{EXTERNAL}org/springframework/boot/spring-boot-starter-parent/2.7.5/spring-boot-starter-parent-2.7.5.pom"
    );
    files.insert(path, parent.as_bytes().to_vec());
    let lockfile = read(&files, "pom.xml");

    assert_eq!(summary(&lockfile)[2..], ["lacks b/c/1/c-1.pom"]);
    assert_eq!(lockfile.missing[0].line, 1);

    let above = project(
        "c",
        &managed(&dependency("managed", "<version>7</version>")),
    )
    .replace("org.acme", "b");
    files.insert(format!("{EXTERNAL}b/c/1/c-1.pom"), above.into_bytes());

    assert_eq!(
        summary(&read(&files, "pom.xml")),
        ["g:managed 7", "g:stated 1"]
    );

    // An unreadable file counts as missing, with a reason.
    files.insert(format!("{EXTERNAL}b/c/1/c-1.pom"), b"<project>".to_vec());
    let lockfile = read(&files, "pom.xml");

    assert_eq!(
        lockfile.missing[0].reason.as_deref(),
        Some("is truncated: `<project>` is not closed")
    );
}

#[test]
fn the_first_list_that_says_something_counts() {
    let list = |versions: &[(&str, &str)]| {
        let list: String = versions
            .iter()
            .map(|(name, version)| dependency(name, &format!("<version>{version}</version>")))
            .collect();
        managed(&list)
    };

    let app = project(
        "app",
        &(managed(
            &(import("first") + &import("second") + &dependency("own", "<version>1</version>")),
        ) + "<dependencies>"
            + &dependency("own", "")
            + &dependency("both", "")
            + &dependency("late", "")
            + "</dependencies>"),
    );

    let first = project("first", &list(&[("own", "2"), ("both", "2")]));
    let second = project(
        "second",
        &list(&[("own", "3"), ("both", "3"), ("late", "3")]),
    );
    let mut files = repository(&[("pom.xml", &app)]);
    let at = |name: &str| format!("{EXTERNAL}org/acme/{name}/1/{name}-1.pom");
    files.insert(at("second"), second.into_bytes());

    // As long as the first list is missing, the second does not count.
    assert_eq!(
        summary(&read(&files, "pom.xml")),
        [
            "g:own 1",
            "g:both ? ",
            "g:late ? ",
            "lacks org/acme/first/1/first-1.pom"
        ]
    );

    files.insert(at("first"), first.into_bytes());
    assert_eq!(
        summary(&read(&files, "pom.xml")),
        ["g:own 1", "g:both 2", "g:late 3"]
    );
}

#[test]
fn a_child_has_the_last_word() {
    let parent = project(
        "parent",
        &("<properties><v>1</v><w>1</w></properties>".to_owned()
            + &managed(
                &(dependency("a", "<version>${v}</version><scope>test</scope>")
                    + &dependency("b", "<version>1</version>")
                    + &dependency("b", "<version>1</version><type>war</type>")),
            )
            + "<dependencies>"
            + &dependency("inherited", "<version>${w}</version>")
            + &dependency("replaced", "<version>1</version>")
            + "</dependencies>"),
    );
    let child = "<project><parent><groupId>org.acme</groupId><artifactId>parent</artifactId>\n\
        <version>1</version></parent><artifactId>child</artifactId>\
        <properties><v>2</v></properties>"
        .to_owned()
        + &managed(&dependency("b", "<version>2</version>"))
        + "<dependencies>"
        + &dependency("a", "")
        + &dependency("b", "")
        + &dependency("b", "<type>war</type>")
        + &dependency("replaced", "<version>3</version>")
        + &dependency("twice", "<version>1</version>")
        + &dependency("twice", "<version>2</version>")
        + "</dependencies></project>";
    let files = repository(&[("pom.xml", &parent), ("child/pom.xml", &child)]);
    let lockfile = read(&files, "child/pom.xml");

    assert_eq!(
        summary(&lockfile),
        [
            "g:a 2",
            "g:b 2",
            "g:b 1",
            "g:replaced 3",
            "g:twice 2",
            "g:inherited 1"
        ]
    );
    assert_eq!(lockfile.packages[0].scope, Scope::Test);
    assert_eq!(lockfile.roots[0].name, "org.acme:child");
}

#[test]
fn a_parent_of_another_name_is_not_the_parent() {
    let other = project("other", &managed(&dependency("a", "<version>1</version>")));
    let child = "<project><parent><groupId>org.acme</groupId><artifactId>parent</artifactId>\
        <version>1</version></parent><artifactId>child</artifactId><dependencies>"
        .to_owned()
        + &dependency("a", "")
        + "</dependencies></project>";
    let files = repository(&[("pom.xml", &other), ("child/pom.xml", &child)]);

    assert_eq!(
        summary(&read(&files, "child/pom.xml")),
        ["g:a ? ", "lacks org/acme/parent/1/parent-1.pom"]
    );
}

#[test]
fn profiles() {
    let profile = |id: &str, activation: &str, version: &str| {
        format!(
            "<profile><id>{id}</id><activation>{activation}</activation><dependencies>{}\
             </dependencies></profile>",
            dependency(id, &format!("<version>{version}</version>"))
        )
    };

    let of = |profiles: &[String]| {
        let text = project(
            "app",
            &format!("<profiles>{}</profiles>", profiles.concat()),
        );
        let files = repository(&[("pom.xml", &text)]);

        read(&files, "pom.xml")
            .packages
            .iter()
            .map(|one| format!("{} {:?}", one.name, one.groups))
            .collect::<Vec<_>>()
    };

    let default = profile("default", "<activeByDefault>true</activeByDefault>", "1");
    let absent = profile("absent", "<property><name>!skip</name></property>", "1");
    let java = profile("java", "<jdk>[17,)</jdk>", "1");

    assert_eq!(
        of(&[default.clone(), java.clone()]),
        [
            "g:default [\"compile\"]",
            "g:java [\"compile\", \"profile java\"]"
        ]
    );
    // A profile that is active for its own reason disables the default profile.
    assert_eq!(
        of(&[default, absent]),
        [
            "g:absent [\"compile\"]",
            "g:default [\"compile\", \"profile default\"]"
        ]
    );
}

/// Some build uses the version that a profile sets, too.
#[test]
fn a_profile_that_changes_a_version_adds_one() {
    let text = project(
        "app",
        &("<properties><v>1</v></properties><dependencies>".to_owned()
            + &dependency("a", "<version>${v}</version>")
            + &dependency("b", "<version>1</version>")
            + &dependency("c", "")
            + "</dependencies><profiles><profile><id>java</id><activation><jdk>11</jdk>\
               </activation><properties><v>2</v></properties></profile></profiles>"),
    );
    let lockfile = read(&repository(&[("pom.xml", &text)]), "pom.xml");

    assert_eq!(summary(&lockfile), ["g:a 1", "g:b 1", "g:a 2", "g:c ? "]);
    assert_eq!(lockfile.packages[2].groups, ["compile", "profile java"]);
}

/// A list in the same repository can take its version from a parent's property.
#[test]
fn a_list_whose_version_its_parent_sets_is_found() {
    let base = "<project><groupId>org.acme</groupId><artifactId>base</artifactId>\
        <version>${revision}</version><properties><revision>5</revision></properties></project>";
    let list = "<project><parent><groupId>org.acme</groupId><artifactId>base</artifactId>\
        <version>${revision}</version></parent><artifactId>acme-list</artifactId>"
        .to_owned()
        + &managed(&dependency("a", "<version>${project.version}</version>"))
        + "</project>";
    let app = project(
        "app",
        &(managed(&import("acme-list").replace("<version>1<", "<version>5<"))
            + "<dependencies>"
            + &dependency("a", "")
            + "</dependencies>"),
    );
    let files = repository(&[
        ("pom.xml", base),
        ("list/pom.xml", &list),
        ("app/pom.xml", &app),
    ]);

    assert_eq!(summary(&read(&files, "app/pom.xml")), ["g:a 5"]);
}

#[test]
fn circles_end() {
    let own_parent = "<project><parent><groupId>a</groupId><artifactId>b</artifactId>\
        <version>1</version><relativePath>pom.xml</relativePath></parent>\
        <artifactId>b</artifactId></project>";
    let files = repository(&[("pom.xml", own_parent)]);

    assert!(read(&files, "pom.xml").packages.is_empty());

    let text = project(
        "list",
        &(managed(&import("list")) + "<dependencies>" + &dependency("a", "") + "</dependencies>"),
    );
    let mut files = repository(&[("pom.xml", &text)]);
    files.insert(
        format!("{EXTERNAL}org/acme/list/1/list-1.pom"),
        text.clone().into_bytes(),
    );

    assert_eq!(read(&files, "pom.xml").unresolved.len(), 1);
}

#[test]
fn old_encodings_are_read() {
    let text = project("app", "<name>caf\u{e9}</name>");
    let mut bytes = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n".to_vec();
    bytes.extend(
        text.chars()
            .map(|character| u8::try_from(character).unwrap()),
    );
    let siblings = Siblings::new();
    let input = Input {
        path: "pom.xml",
        bytes: &bytes,
        siblings: &siblings,
    };

    assert_eq!(parse(&input).unwrap().roots[0].name, "org.acme:app");

    let undeclared = Input {
        bytes: &bytes[44..],
        ..input
    };
    assert_eq!(parse(&undeclared).unwrap_err().reason, "is not UTF-8");
}

#[test]
fn repositories_are_named_with_their_parents() {
    let text = project(
        "app",
        "<properties><host>https://repo.invalid</host></properties><repositories>\
         <repository><id>a</id><url>${host}/a</url></repository>\
         <repository><id>b</id><url>${unknown}/b</url></repository></repositories>",
    );
    let files = repository(&[("pom.xml", &text)]);
    let input = Input {
        path: "pom.xml",
        bytes: &files["pom.xml"],
        siblings: &files,
    };
    let expected = DeclaredRepository {
        id: "a".to_owned(),
        url: "https://repo.invalid/a".to_owned(),
        releases: true,
    };
    let found = Projects::default().repositories(&input).unwrap();

    assert_eq!(found, [expected]);
}

#[test]
fn properties_of_the_build_come_before_those_of_the_project() {
    let text = project(
        "app",
        &format!(
            "<properties><revision>1.0</revision><kept>3.0</kept></properties>\
             <dependencies>{}{}{}</dependencies>",
            dependency("a", "<version>${revision}</version>"),
            dependency("b", "<version>${kept}</version>"),
            dependency("c", "<version>${unset}</version>"),
        ),
    );
    let siblings = repository(&[
        ("app/pom.xml", &text),
        (".mvn/maven.config", "-Drevision=2.0\n-Dunset=4.0\n"),
    ]);
    assert_eq!(
        summary(&read(&siblings, "app/pom.xml")),
        ["g:a 2.0", "g:b 3.0", "g:c 4.0"]
    );

    // The file of another directory is not for this project.
    let siblings = repository(&[
        ("app/pom.xml", &text),
        ("lib/.mvn/maven.config", "-Drevision=2.0"),
    ]);
    assert_eq!(
        summary(&read(&siblings, "app/pom.xml")),
        ["g:a 1.0", "g:b 3.0", "g:c ? ${unset}"]
    );
}

#[test]
fn a_module_in_a_file_of_another_name_is_reported() {
    let text = project(
        "app",
        "<modules>\n<module>lib</module>\n<module>lib/pom.xml</module>\n\
         <module>lib/pom-java8.xml</module></modules>\n\
         <profiles><profile><id>x</id><modules><module>x.xml</module></modules></profile></profiles>",
    );
    let lockfile = read(&repository(&[("pom.xml", &text)]), "pom.xml");
    let skipped: Vec<_> = lockfile
        .skipped
        .iter()
        .map(|entry| (entry.line, entry.loss, entry.reason.as_str()))
        .collect();

    assert_eq!(
        skipped,
        [
            (
                4,
                Loss::Package,
                "has the module `lib/pom-java8.xml`, which is not read: it is not named `pom.xml`"
            ),
            (
                5,
                Loss::Package,
                "has the module `x.xml`, which is not read: it is not named `pom.xml`"
            ),
        ]
    );
}

#[test]
fn a_project_and_a_dependency_may_lack_a_part_of_their_names() {
    let text = "<project>\n<dependencies>\n<dependency><groupId>g</groupId></dependency>\n\
                <dependency><groupId>g</groupId><artifactId>a</artifactId><version>1</version>\
                </dependency></dependencies></project>";
    let lockfile = read(&repository(&[("pom.xml", text)]), "pom.xml");

    assert_eq!(lockfile.roots[0].name, "");
    assert_eq!(lockfile.packages.len(), 1);
    assert_eq!(lockfile.packages[0].name, "g:a");
    let skipped = &lockfile.skipped;
    assert_eq!(skipped.len(), 1);
    assert_eq!((skipped[0].line, skipped[0].loss), (3, Loss::Package));
    assert_eq!(
        skipped[0].reason,
        "has a `<dependency>` without `<artifactId>`"
    );
}

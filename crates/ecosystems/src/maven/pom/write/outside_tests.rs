//! Tests of versions that files outside of the repository decide.

use super::tests::{changed, reactor, text, write};
use crate::maven::pom::tests::{dependency, import, managed, project, repository};

/// A file from outside of the repository.
fn external(artifact: &str) -> String {
    format!("//maven/org/acme/{artifact}/1/{artifact}-1.pom")
}

#[test]
fn an_imported_list_from_outside_is_overridden() {
    let list = project("list", &managed(&dependency("a", "<version>1</version>")));
    let pom = |more: &str| {
        format!(
            "<project>\n    <groupId>org.acme</groupId>\n    <artifactId>app</artifactId>\n    \
             <version>1</version>\n\n    <dependencyManagement>\n        <dependencies>\n            \
             <dependency>\n                <groupId>org.acme</groupId>\n                \
             <artifactId>list</artifactId>\n                <version>1</version>\n                \
             <type>pom</type>\n                <scope>import</scope>\n            </dependency>\n\
             {more}        </dependencies>\n    </dependencyManagement>\n\n    <dependencies>\n        \
             {}\n    </dependencies>\n</project>\n",
            dependency("a", "")
        )
    };
    let entry = "            <dependency>\n                <groupId>g</groupId>\n                \
                 <artifactId>a</artifactId>\n                <version>2</version>\n            \
                 </dependency>\n";
    for line_end in ["\n", "\r\n"] {
        let lines = |text: &str| text.replace('\n', line_end);
        let siblings = repository(&[("pom.xml", &lines(&pom(""))), (&external("list"), &list)]);
        let written = write(&siblings, "pom.xml", &[("g:a", "2")]).unwrap();
        assert_eq!(text(&written, "pom.xml"), lines(&pom(entry)));
    }
}

#[test]
fn a_parent_from_outside_is_overridden_in_the_topmost_project() {
    let above = project("above", &managed(&dependency("a", "<version>1</version>")));
    let link = "<parent><groupId>org.acme</groupId><artifactId>above</artifactId>\
                <version>1</version><relativePath/></parent>";
    let root = |more: &str| {
        format!(
            "<project>\n\t{link}\n\t<groupId>org.acme</groupId>\n\t<artifactId>root</artifactId>\n\t\
             <version>1</version>\n{more}\t<!-- own -->\n</project>\n"
        )
    };
    let uses = format!("<dependencies>{}</dependencies>", dependency("a", ""));
    let module = String::from_utf8(reactor("", &uses)["m/pom.xml"].clone()).unwrap();
    let siblings = repository(&[
        ("pom.xml", &root("")),
        ("m/pom.xml", &module),
        (&external("above"), &above),
    ]);
    let written = write(&siblings, "m/pom.xml", &[("g:a", "2")]).unwrap();
    assert_eq!(changed(&siblings, &written), ["pom.xml"]);
    let entry = "\t<dependencyManagement>\n\t\t<dependencies>\n\t\t\t<dependency>\n\t\t\t\t\
                 <groupId>g</groupId>\n\t\t\t\t<artifactId>a</artifactId>\n\t\t\t\t\
                 <version>2</version>\n\t\t\t</dependency>\n\t\t</dependencies>\n\t\
                 </dependencyManagement>\n";
    assert_eq!(text(&written, "pom.xml"), root(entry));
}

#[test]
fn an_entry_names_the_kind_of_file() {
    let kind = "<type>test-jar</type><classifier>tests</classifier>";
    let entry = dependency("a", &format!("<version>1</version>{kind}"));
    let list = project("list", &managed(&entry));
    let uses = format!("<dependencies>{}</dependencies>", dependency("a", kind));
    let app = project("app", &format!("{}{uses}", managed(&import("list"))));
    let siblings = repository(&[("pom.xml", &app), (&external("list"), &list)]);
    let written = write(&siblings, "pom.xml", &[("g:a", "2")]).unwrap();
    let entry = dependency("a", &format!("<version>2</version>{kind}"));
    let management = managed(&format!("{}{entry}", import("list")));
    assert_eq!(
        text(&written, "pom.xml"),
        project("app", &format!("{management}{uses}"))
    );
}

#[test]
fn an_inherited_version_from_outside_that_nothing_overrides_is_refused() {
    let uses = format!(
        "<dependencies>{}</dependencies>",
        dependency("a", "<version>1</version>")
    );
    let app = "<project><parent><groupId>org.acme</groupId><artifactId>above</artifactId>\
               <version>1</version><relativePath/></parent><artifactId>app</artifactId></project>";
    let siblings = repository(&[
        ("pom.xml", app),
        (&external("above"), &project("above", &uses)),
    ]);
    let refused = write(&siblings, "pom.xml", &[("g:a", "2")]).unwrap_err();
    assert_eq!(
        refused,
        "the version of `g:a` comes from a file outside of the repository"
    );
}

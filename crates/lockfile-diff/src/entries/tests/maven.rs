use super::{NONE, expect};

const POM: &str = "<project>
  <artifactId>p</artifactId>
  <properties>
    <lib.version>1.0</lib.version>
    <plugin.version>1.0</plugin.version>
  </properties>
  <dependencyManagement>
    <dependencies>
      <dependency>
        <groupId>g</groupId>
        <artifactId>managed</artifactId>
        <version>1.0</version>
      </dependency>
    </dependencies>
  </dependencyManagement>
  <dependencies>
    <dependency>
      <groupId>g</groupId>
      <artifactId>lib</artifactId>
      <version>${lib.version}</version>
    </dependency>
    <dependency>
      <groupId>h</groupId>
      <artifactId>other</artifactId>
      <version>${lib.version}</version>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <artifactId>q</artifactId>
        <version>${plugin.version}</version>
      </plugin>
    </plugins>
  </build>
</project>
";

/// An entry for one of the project's packages.
fn with_entry(name: &str) -> String {
    let entry = format!(
        "      <dependency>\n        <groupId>g</groupId>\n        \
         <artifactId>{name}</artifactId>\n        <version>1.5</version>\n      \
         </dependency>\n    </dependencies>\n  </dependencyManagement>"
    );
    POM.replace("    </dependencies>\n  </dependencyManagement>", &entry)
}

#[test]
fn versions_of_a_project_are_not_other_differences() {
    for after in [
        POM.replace("<lib.version>1.0", "<lib.version>1.1"),
        POM.replacen("${lib.version}", "1.1", 1),
        POM.replace("<version>1.0</version>", "<version>1.2</version>"),
        with_entry("lib"),
    ] {
        expect("pom.xml", POM, &after, &NONE);
    }
}

#[test]
fn every_other_change_of_a_project_is_reported() {
    for (after, expected) in [
        (
            POM.replace("<plugin.version>1.0", "<plugin.version>2.0"),
            &[
                "the line `<plugin.version>1.0</plugin.version>` is gone",
                "the line `<plugin.version>2.0</plugin.version>` is new",
            ][..],
        ),
        (
            POM.replace("<artifactId>q<", "<artifactId>evil<"),
            &[
                "the line `<artifactId>evil</artifactId>` is new",
                "the line `<artifactId>q</artifactId>` is gone",
            ],
        ),
        (
            with_entry("deep"),
            &["`dependencyManagement` decides the version of `g:deep`"],
        ),
        (
            POM.replace("<lib.version>1.0", "<lib.version>0.9"),
            &["!`${lib.version}` falls from 1.0 to 0.9"],
        ),
        (
            POM.replace("<version>1.0</version>", "<version>0.5</version>"),
            &["!`g:managed` falls from 1.0 to 0.5"],
        ),
        (
            POM.replace(
                "<version>1.0</version>",
                "<version>${lib.version}</version>",
            ),
            &["`g:managed` changes from `1.0` to `${lib.version}`"],
        ),
    ] {
        expect("pom.xml", POM, &after, expected);
    }
}

const CATALOG: &str = "[versions]
a = \"1.0\"
java = \"17\"

[libraries]
a = { module = \"g:a\", version.ref = \"a\" }
c = { module = \"h:c\", version.ref = \"a\" }
b = \"g:b:2.0\"
";

#[test]
fn only_versions_of_a_catalog_may_change() {
    let path = "gradle/libs.versions.toml";
    for after in [
        CATALOG.replace("a = \"1.0", "a = \"1.1"),
        CATALOG.replacen("version.ref = \"a\"", "version = \"1.1\"", 1),
        CATALOG.replace("b:2.0", "b:2.1"),
    ] {
        expect(path, CATALOG, &after, &NONE);
    }
    for (after, expected) in [
        (
            CATALOG.replace("\"17", "\"21"),
            [
                "the line `java = \"17\"` is gone",
                "the line `java = \"21\"` is new",
            ],
        ),
        (
            CATALOG.replace("g:b:", "g:evil:"),
            [
                "the line `b = \"g:b:{version}\"` is gone",
                "the line `b = \"g:evil:{version}\"` is new",
            ],
        ),
    ] {
        expect(path, CATALOG, &after, &expected);
    }
}

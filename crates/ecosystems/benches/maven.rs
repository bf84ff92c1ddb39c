//! Processor time to read every project of a large Maven repository: modules below several levels of
//! parents, with lists of versions, properties and dependencies on each other.

use std::fmt::Write as _;

use patchgate_ecosystems::{Input, Siblings, maven};

fn main() {
    divan::main();
}

/// Modules of one group, which has a parent of its own.
const GROUP: usize = 30;

/// Lists of versions that the uppermost project imports, and the entries of each.
const LISTS: usize = 14;
const ENTRIES: usize = 400;

const COORDINATES: &str = "<groupId>org.acme</groupId>\n  <version>${revision}</version>\n";

fn dependency(group: &str, artifact: &str, rest: &str) -> String {
    format!(
        "    <dependency>\n      <groupId>{group}</groupId>\n      \
         <artifactId>{artifact}</artifactId>\n{rest}    </dependency>\n"
    )
}

fn project(artifact: &str, parent: Option<&str>, rest: &str) -> String {
    let head = match parent {
        Some(parent) => format!(
            "  <parent>\n    <groupId>org.acme</groupId>\n    <artifactId>{parent}</artifactId>\n    \
             <version>${{revision}}</version>\n  </parent>\n"
        ),
        None => format!("  {COORDINATES}"),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  \
         <modelVersion>4.0.0</modelVersion>\n{head}  <artifactId>{artifact}</artifactId>\n{rest}\
         </project>\n"
    )
}

/// The uppermost project: properties, managed dependencies and the imports of all lists.
fn root() -> String {
    let mut rest = "  <properties>\n    <revision>3.2.1</revision>\n".to_owned();
    for index in 0..200 {
        let _ = writeln!(rest, "    <v{index}>1.{index}</v{index}>");
    }
    rest.push_str("  </properties>\n  <dependencyManagement>\n  <dependencies>\n");
    for index in 0..200 {
        let version = format!("      <version>${{v{index}}}</version>\n");
        rest.push_str(&dependency("org.own", &format!("own-{index}"), &version));
    }
    for index in 0..LISTS {
        let list = "      <version>1</version>\n      <type>pom</type>\n      \
                    <scope>import</scope>\n";
        rest.push_str(&dependency("org.lists", &format!("list-{index}"), list));
    }
    rest.push_str("  </dependencies>\n  </dependencyManagement>\n");
    project("root", None, &rest)
}

fn list(index: usize) -> String {
    let mut rest = "  <dependencyManagement>\n  <dependencies>\n".to_owned();
    for entry in 0..ENTRIES {
        let artifact = format!("listed-{index}-{entry}");
        let version = format!("      <version>{entry}.0</version>\n");
        rest.push_str(&dependency("org.listed", &artifact, &version));
    }
    rest.push_str("  </dependencies>\n  </dependencyManagement>\n");
    project(&format!("list-{index}"), None, &rest)
        .replace("org.acme", "org.lists")
        .replacen("${revision}", "1", 1)
}

/// A module: dependencies from the parents, from lists, of its own and on another module.
fn module(index: usize) -> String {
    let mut rest = "  <dependencies>\n".to_owned();
    for step in 0..8 {
        let own = (index * 7 + step * 13) % 200;
        rest.push_str(&dependency("org.own", &format!("own-{own}"), ""));
        let (list, entry) = ((index + step * 5) % LISTS, (index * 3 + step) % ENTRIES);
        rest.push_str(&dependency(
            "org.listed",
            &format!("listed-{list}-{entry}"),
            "",
        ));
    }
    rest.push_str(&dependency(
        "org.stated",
        &format!("stated-{index}"),
        "      <version>1.0</version>\n      <scope>test</scope>\n",
    ));
    if let Some(before) = index.checked_sub(1) {
        let version = "      <version>${project.version}</version>\n";
        rest.push_str(&dependency(
            "org.acme",
            &format!("module-{before}"),
            version,
        ));
    }
    rest.push_str("  </dependencies>\n  <build>\n    <plugins>\n");
    for plugin in 0..10 {
        let _ = writeln!(
            rest,
            "      <plugin>\n        <groupId>org.plugins</groupId>\n        \
             <artifactId>plugin-{plugin}</artifactId>\n        <configuration>\n          \
             <skip>true</skip>\n        </configuration>\n      </plugin>"
        );
    }
    rest.push_str("    </plugins>\n  </build>\n");
    project(
        &format!("module-{index}"),
        Some(&format!("group-{}", index / GROUP)),
        &rest,
    )
}

/// A repository with a number of modules, by path; the lists come from outside of it.
fn reactor(modules: usize) -> Siblings {
    let mut files = Siblings::new();
    let mut add = |path: String, text: String| {
        files.insert(path, text.into_bytes());
    };

    add("pom.xml".to_owned(), root());
    for index in 0..LISTS {
        let path = format!("org/lists/list-{index}/1/list-{index}-1.pom");
        add(format!("{}{path}", maven::EXTERNAL), list(index));
    }
    for group in 0..modules.div_ceil(GROUP) {
        let text = project(&format!("group-{group}"), Some("root"), "");
        add(format!("group-{group}/pom.xml"), text);
    }
    for index in 0..modules {
        let group = index / GROUP;
        let path = format!("group-{group}/module-{index}/pom.xml");
        add(path, module(index));
    }

    files
}

/// The number of packages in all projects.
fn read_all(files: &Siblings) -> usize {
    let projects = maven::Projects::default();
    let own = files
        .iter()
        .filter(|(path, _)| !path.starts_with(maven::EXTERNAL));
    own.filter_map(|(path, bytes)| {
        let input = Input {
            path,
            bytes,
            siblings: files,
        };
        let lockfile = projects.parse(&input).ok()?;
        let is_whole = lockfile.missing.is_empty() && lockfile.unresolved.is_empty();
        is_whole.then_some(lockfile.packages.len())
    })
    .sum()
}

#[divan::bench(args = [150, 1_500], sample_count = 10)]
fn maven_reactor(bencher: divan::Bencher<'_, '_>, modules: usize) {
    let files = reactor(modules);
    let bytes: usize = files.values().map(Vec::len).sum();

    // 17 of each module's own, and one on the module before it.
    assert_eq!(read_all(&files), modules * 18 - 1);

    bencher
        .counter(divan::counter::ItemsCount::new(modules))
        .counter(divan::counter::BytesCount::new(bytes))
        .bench(|| read_all(&files));
}

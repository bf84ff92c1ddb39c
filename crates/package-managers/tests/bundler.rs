//! Bundler itself on lockfiles that Patchgate wrote, in a project of the test's own.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use patchgate_ecosystems::{
    Downloads, Ecosystem as _, Format, Input, Release, RequirementEdit, Siblings, TargetGraph,
    TargetNode, Upgradable as _, gem::RubyGems,
};
use patchgate_testkit::{HttpServer, Requirement, Response, system_tool};

/// Gems, one for each line, with tabs between name, version, platform and dependencies.
const OLD: &str = "a\t1.0.0\truby\n\
                   native\t1.0\truby\tmini:~> 2.0\n\
                   native\t1.0\tjava\n\
                   native\t1.0\tx86_64-darwin\n\
                   mini\t2.0\truby\n\
                   p\t1.0\truby\ta:>= 1.0&< 3\tgone:>= 0\n\
                   gone\t1.0\truby\n\
                   q\t1.2.0\truby\n";
const NEW: &str = "a\t1.0.1\truby\tb:!= 1.1&>= 1.0\tb-c:>= 0\n\
                   b\t1.0\truby\n\
                   b-c\t1.0\truby\n\
                   native\t1.1\truby\tmini:~> 2.0\n\
                   native\t1.1\tjava\n\
                   native\t1.1\tx86_64-darwin\ta:>= 1\n\
                   p\t1.1\truby\ta:>= 1.0&< 3\n\
                   q\t2.1.0\truby\n";

fn format() -> &'static Format {
    &RubyGems.files().unwrap().formats()[0]
}

/// Builds gems and an index of them.
fn build(ruby: &Path, directory: &Path, gems: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bundler.rb");
    let mut child = Command::new(ruby)
        .arg(script)
        .arg(directory)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(gems.as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}

/// Serves an index with the hashes that Bundler checks.
fn serve(directory: &Path) -> HttpServer {
    let directory = directory.to_owned();
    HttpServer::start(move |request| {
        let path = directory.join(request.path.trim_start_matches('/'));
        let Ok(content) = std::fs::read(&path) else {
            return Response::status(404);
        };
        let etag = std::fs::read_to_string(format!("{}.etag", path.display())).unwrap_or_default();
        Response::bytes(200, "application/octet-stream", content)
            .with_header("ETag", format!("\"{etag}\""))
    })
}

/// Runs Bundler in a project, without anything that it kept.
fn bundle(program: &Path, project: &Path, arguments: &[&str], frozen: bool) {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(program)
        .args(arguments)
        .env("HOME", home.path())
        .env("BUNDLE_PATH", home.path().join("gems"))
        .env("BUNDLE_FROZEN", if frozen { "true" } else { "false" })
        .current_dir(project)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The release of a gem in the index.
fn release(index: &Path, name: &str, version: &str) -> Release {
    let body = std::fs::read(index.join("info").join(name)).unwrap();
    let releases = RubyGems.parse_metadata(name, &body).unwrap();
    let is_meant = |release: &Release| release.version == version;
    releases.into_iter().find(is_meant).unwrap()
}

#[test]
fn bundler_accepts_what_is_written_and_leaves_it_as_it_is() {
    let tool = |name| system_tool(Requirement::Bundler, name);
    let (Some(ruby), Some(program)) = (tool("ruby"), tool("bundle")) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (index, project) = (directory.path().join("index"), directory.path().join("app"));
    std::fs::create_dir(&project).unwrap();
    build(&ruby, &index, OLD);
    let server = serve(&index);

    // Bundler's own lockfile of the old gems.
    let manifest = format!(
        "source \"{}\"\n\ngem \"p\"\ngem \"q\", \"~> 1.2\"\ngroup :test do\n  gem 'native'\nend\n",
        server.url()
    );
    std::fs::write(project.join("Gemfile"), &manifest).unwrap();
    bundle(
        &program,
        &project,
        &["lock", "--add-platform", "ruby", "java", "x86_64-darwin-21"],
        false,
    );
    let before = std::fs::read(project.join("Gemfile.lock")).unwrap();
    build(&ruby, &index, &format!("{OLD}{NEW}"));

    // Written directly with new ones.
    let edit = RequirementEdit {
        name: "q".to_owned(),
        from: "~> 1.2".to_owned(),
        to: RubyGems.raise_requirement("~> 1.2", "2.1.0").unwrap(),
    };
    let manifest = RubyGems.edit_manifest("Gemfile", &manifest, &edit).unwrap();
    let siblings = Siblings::from([("Gemfile".to_owned(), manifest.clone().into_bytes())]);
    let input = Input {
        path: "Gemfile.lock",
        bytes: &before,
        siblings: &siblings,
    };
    let lockfile = (format().parse)(&input).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    target.nodes.retain(|node| node.name != "gone");
    for (name, version) in [
        ("a", "1.0.1"),
        ("native", "1.1"),
        ("p", "1.1"),
        ("q", "2.1.0"),
    ] {
        for node in target.nodes.iter_mut().filter(|node| node.name == name) {
            node.release = Some(release(&index, name, version));
        }
    }
    for name in ["b", "b-c"] {
        target.nodes.push(TargetNode {
            was: None,
            name: name.to_owned(),
            release: Some(release(&index, name, "1.0")),
            edges: Vec::new(),
        });
    }
    for edge in target.roots[0].iter_mut().filter(|edge| edge.name == "q") {
        edge.requirement = Some(edit.to.clone());
    }
    let writer = format().writer.unwrap();
    let files = writer.write(&input, &lockfile, &target, &Downloads::new());
    let written = String::from_utf8(files.unwrap().remove("Gemfile.lock").unwrap()).unwrap();
    assert!(
        written.contains("      b (>= 1.0, != 1.1)\n      b-c\n"),
        "{written}"
    );
    assert!(written.contains("  q (~> 2.1)\n"), "{written}");

    // Frozen, and free to change it.
    std::fs::write(project.join("Gemfile"), &manifest).unwrap();
    std::fs::write(project.join("Gemfile.lock"), &written).unwrap();
    for (arguments, frozen) in [
        (&["install"][..], true),
        (&["lock"], false),
        (&["install"], false),
    ] {
        bundle(&program, &project, arguments, frozen);
        let now = std::fs::read_to_string(project.join("Gemfile.lock")).unwrap();
        assert_eq!(now, written, "{arguments:?}");
    }

    // Bundler comes to the same file by itself.
    bundle(&program, &project, &["lock", "--update"], false);
    let now = std::fs::read_to_string(project.join("Gemfile.lock")).unwrap();
    assert_eq!(now, written);
}

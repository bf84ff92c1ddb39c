use super::*;
use crate::github::reference::tests::release;
use crate::github::refs::tests::id;
use crate::parse;

/// The file after some packages, by index, get the release.
fn written(path: &str, text: &str, changed: &[usize]) -> Result<String, String> {
    let siblings = Siblings::new();
    let input = Input {
        path,
        bytes: text.as_bytes(),
        siblings: &siblings,
    };
    let lockfile = (crate::fixable_format(path).unwrap().1.parse)(&input).unwrap();
    let mut target = TargetGraph::unchanged(&lockfile);
    for index in changed {
        target.nodes[*index].release = Some(release());
    }
    let files = UsesWriter.write(&input, &lockfile, &target, &Downloads::new());
    files
        .map(|mut files| String::from_utf8(files.remove(path).unwrap()).unwrap())
        .map_err(|error| error.reason)
}

const WORKFLOW: &str = ".github/workflows/ci.yml";

#[test]
fn every_kind_of_reference_keeps_its_style_and_every_other_byte() {
    let (old, new) = (id('1'), id('b'));
    let text = format!(
        "\u{feff}name: ci # a/b@v4\r\njobs:\r\n  call:\r\n    uses: Org/a/.github/workflows/x.yml@v4.1.0\r\n  build:\r\n    steps:\r\n      - uses:   a/b/sub@v4 # major\r\n      - {{uses: \"a/c@{old}\"}} # v4.2.2\r\n      - uses: a/d@v4.1.0\r\n      - run: a/b/sub@v4"
    );
    let expected = text
        .replace("x.yml@v4.1.0", "x.yml@v5.0.1")
        .replace("uses:   a/b/sub@v4", "uses:   a/b/sub@v5")
        .replace(&old, &new)
        .replace("# v4.2.2", "# v5.0.1");
    assert_eq!(written(WORKFLOW, &text, &[0, 1, 2]), Ok(expected));
    assert_eq!(written(WORKFLOW, &text, &[]), Ok(text));
}

#[test]
fn a_composite_action_is_changed() {
    let text = "name: x\nruns:\n  using: composite\n  steps:\n    - uses: a/b@v4\n";
    assert_eq!(
        written("tools/action.yml", text, &[0]),
        Ok(text.replace("@v4", "@v5"))
    );
}

#[test]
fn one_of_several_equal_references_changes_alone() {
    let text = "jobs:\n  a:\n    steps:\n      - uses: a/b@v4\n      - uses: a/b@v4\n";
    assert_eq!(
        written(WORKFLOW, text, &[1]),
        Ok("jobs:\n  a:\n    steps:\n      - uses: a/b@v4\n      - uses: a/b@v5\n".to_owned())
    );
}

#[test]
fn what_is_not_exact_is_refused() {
    let shared = "jobs:\n  a:\n    steps:\n      - &step\n        uses: a/b@v4\n      - *step\n";
    for (text, changed, expected) in [
        (shared, [0], "shared by several steps"),
        (
            "jobs:\n  a:\n    steps:\n      - uses: a/b@main\n",
            [0],
            "is a branch",
        ),
        (
            "jobs:\n  a:\n    steps:\n      - uses: \"a/b\\u0040v4\"\n",
            [0],
            "in a form that can be changed",
        ),
    ] {
        let reason = written(WORKFLOW, text, &changed).unwrap_err();
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn steps_do_not_come_and_go() {
    let siblings = Siblings::new();
    let input = Input {
        path: WORKFLOW,
        bytes: b"jobs:\n  a:\n    steps:\n      - uses: a/b@v4\n",
        siblings: &siblings,
    };
    let format = crate::fixable_format(WORKFLOW).unwrap().1;
    let lockfile = (format.parse)(&input).unwrap();
    let written = UsesWriter.write(
        &input,
        &lockfile,
        &TargetGraph::default(),
        &Downloads::new(),
    );
    assert!(written.is_err());
    // The first format of a workflow is the one of the Go release that it installs.
    assert_ne!(parse(&input).unwrap().format, lockfile.format);
}

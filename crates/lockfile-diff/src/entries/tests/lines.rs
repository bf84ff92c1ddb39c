use super::{NONE, expect};

const GO_MOD: &str =
    "module m\n\ngo 1.21\n\nrequire a.invalid/a v1.2.0\n\nreplace b.invalid/b => ../b\n";

#[test]
fn versions_and_requirements_of_go_are_not_other_differences() {
    for after in [
        GO_MOD.replace("v1.2.0", "v1.3.0"),
        GO_MOD.replace(
            "v1.2.0\n",
            "v1.3.0\n\nrequire (\n\tc.invalid/c v1.0.0 // indirect\n\td.invalid/d v1.0.0 // indirect\n)\n",
        ),
    ] {
        expect("go.mod", GO_MOD, &after, &NONE);
    }
}

#[test]
fn every_other_line_of_go_is_reported() {
    expect(
        "go.mod",
        GO_MOD,
        &GO_MOD.replace("1.21", "1.23"),
        &["the line `go 1.21` is gone", "the line `go 1.23` is new"],
    );
    expect(
        "go.mod",
        GO_MOD,
        &GO_MOD.replace("../b", "../evil"),
        &[
            "the line `replace b.invalid/b => ../b` is gone",
            "the line `replace b.invalid/b => ../evil` is new",
        ],
    );
}

const WORKFLOW: &str = "jobs:\n  a:\n    steps:\n      - uses: a/b@1111111111111111111111111111111111111111 # v4.2.0\n      - run: make\n";

#[test]
fn only_references_of_a_workflow_may_change() {
    let path = ".github/workflows/ci.yml";
    let changed = WORKFLOW
        .replace(&"1".repeat(40), &"2".repeat(40))
        .replace("v4.2.0", "v4.2.1");
    let judged = "a reference of a workflow changes, which a person has to judge";
    expect(path, WORKFLOW, &changed, &[judged]);
    expect(
        path,
        WORKFLOW,
        &changed.replace("make", "curl"),
        &[
            judged,
            "the line `- run: curl` is new",
            "the line `- run: make` is gone",
        ],
    );
    expect(
        path,
        WORKFLOW,
        &changed.replace("      - run", "      - uses: x/y@v1\n      - run"),
        &[judged, "the line `- uses: x/y@{version}` is new"],
    );
}

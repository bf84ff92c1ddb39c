use super::*;
use proptest::prelude::*;

fn change(name: &str, from: &str, to: &str) -> RequirementEdit {
    RequirementEdit {
        name: name.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

const EVERYWHERE: &str = r#"# left = "1.0" stays in a comment
[package]
name = "app" # left
version = "1.0"

[dependencies]
left = "1.0" # why
'right' = { version = '1.0', default-features = false }
other = { package = "left", version = "1.0" }
inherited = { workspace = true }
dotted.version = "1.0"
dotted.optional = true

[dependencies.long]
features = ["left"]
version = """1.0"""

[dev-dependencies]
left = "2.0"

[build-dependencies]
left = { version = "1.0" }

[target.'cfg(unix)'.dependencies]
left = "1.0"

[workspace.dependencies]
left = "1.0"

[patch.crates-io]
left = { path = "left", version = "1.0" }

[package.metadata.left]
left = "1.0"
"#;

/// The lines that an edit changes, with their numbers.
fn changed_lines(before: &str, edit_: &RequirementEdit) -> Vec<(usize, String)> {
    let after = edit(before, edit_).expect("it is changed");
    assert_eq!(before.split('\n').count(), after.split('\n').count());

    before
        .split('\n')
        .zip(after.split('\n'))
        .enumerate()
        .filter(|(_, (before, after))| before != after)
        .map(|(index, (_, after))| (index + 1, after.to_owned()))
        .collect()
}

#[test]
fn changes_every_table_that_has_it() {
    let lines = changed_lines(EVERYWHERE, &change("left", "1.0", "1.4.2"));
    let lines: Vec<_> = lines.iter().map(|(n, text)| (*n, text.as_str())).collect();

    assert_eq!(
        lines,
        [
            (7, "left = \"1.4.2\" # why"),
            (22, "left = { version = \"1.4.2\" }"),
            (25, "left = \"1.4.2\""),
            (28, "left = \"1.4.2\""),
        ]
    );
}

#[test]
fn keeps_the_quotes_and_the_form() {
    for (name, line, expected) in [
        (
            "right",
            8,
            "'right' = { version = '1.4.2', default-features = false }",
        ),
        (
            "other",
            9,
            "other = { package = \"left\", version = \"1.4.2\" }",
        ),
        ("dotted", 11, "dotted.version = \"1.4.2\""),
        ("long", 16, "version = \"\"\"1.4.2\"\"\""),
    ] {
        let lines = changed_lines(EVERYWHERE, &change(name, "1.0", "1.4.2"));
        assert_eq!(lines, [(line, expected.to_owned())]);
    }
}

#[test]
fn keeps_line_ends_and_the_byte_order_mark() {
    let text = "\u{feff}[dependencies]\r\nleft = \"=1.5.4\"\r\n# end";
    assert_eq!(
        edit(text, &change("left", "=1.5.4", "=1.5.6")).as_deref(),
        Ok("\u{feff}[dependencies]\r\nleft = \"=1.5.6\"\r\n# end")
    );
}

#[test]
fn reads_a_requirement_through_its_escapes() {
    let text = "[dependencies]\nleft = \"\\u0031.0\"\n";
    assert_eq!(
        edit(text, &change("left", "1.0", "1.4")).as_deref(),
        Ok("[dependencies]\nleft = \"1.4\"\n")
    );
}

#[test]
fn says_why_it_changes_nothing() {
    for (text, edit_, message) in [
        (
            EVERYWHERE,
            change("left", "3", "4"),
            "the manifest does not require `left` as `3`",
        ),
        (
            EVERYWHERE,
            change("inherited", "1.0", "1.4"),
            "the manifest does not require `inherited` as `1.0`",
        ),
        (
            "[dependencies\n",
            change("left", "1.0", "1.4"),
            "the manifest cannot be read: line 1 is not valid TOML: unclosed table, expected `]`",
        ),
        (
            EVERYWHERE,
            change("left", "1.0", "1\" }\nevil = \"1"),
            "the manifest cannot be changed: `1\\\" }\\nevil = \\\"1` is not a requirement of crates.io",
        ),
    ] {
        assert_eq!(edit(text, &edit_).unwrap_err().to_string(), message);
    }
}

proptest! {
    #[test]
    fn never_panics(text in "(\\[dependencies\\]\n|left = |\"1.0\"|\n|\\{|\\}|version = |'|\"|[a-z.,]){0,24}") {
        let _ = edit(&text, &change("left", "1.0", "1.4"));
    }

    #[test]
    fn two_opposite_edits_restore_the_text(from in 0u64..30, to in 0u64..30) {
        let (from, to) = (format!("0.{from}"), format!("0.{to}.1"));
        let text = EVERYWHERE.replace("1.0", &from);
        let there = edit(&text, &change("left", &from, &to)).unwrap();
        prop_assert_eq!(edit(&there, &change("left", &to, &from)).unwrap(), text);
    }
}

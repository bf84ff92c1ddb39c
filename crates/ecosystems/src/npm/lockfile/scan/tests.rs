use patchgate_model::Lockfile;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::{document, read};
use super::*;
use crate::{Input, ParseError, Siblings, SkippedEntries};

macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../../fixtures/read/", $path))
    };
}

/// Lockfiles with npm's own layout.
const WRITTEN: &[&str] = &[
    fixture!("three-formats-v2/package-lock.json"),
    fixture!("three-formats-v3/package-lock.json"),
    fixture!("plain-v3/package-lock.json"),
    fixture!("workspace-v3/frontend/package-lock.json"),
    ALL_KEYS,
];

/// A lockfile with every key that is read, and values of every kind for keys that are skipped.
const ALL_KEYS: &str = r#"{
  "name": "all",
  "version": "1.0.0",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "all",
      "workspaces": [
        "packages/*"
      ],
      "dependencies": {
        "a": "^1.0.0"
      },
      "devDependencies": {
        "b": "^1.0.0"
      }
    },
    "node_modules/a": {
      "name": "other",
      "version": "1.0.0",
      "resolved": "https://npm.invalid/other/-/other-1.0.0.tgz",
      "integrity": "sha512-AA==",
      "deprecated": "not \"this\"\nbut that",
      "license": "MIT",
      "funding": [
        {
          "url": "https://npm.invalid/fund"
        },
        "https://npm.invalid/fund"
      ],
      "bundleDependencies": [],
      "bin": {},
      "dependencies": {
        "c": "^1.0.0"
      },
      "optionalDependencies": {
        "d": "^1.0.0"
      },
      "peerDependencies": {
        "b": "*"
      },
      "peerDependenciesMeta": {
        "b": {
          "optional": true
        }
      }
    },
    "node_modules/b": {
      "version": "1.0.0",
      "dev": true,
      "engines": {
        "node": ">=18"
      }
    },
    "node_modules/c": {
      "version": "1.0.0",
      "inBundle": true
    },
    "node_modules/d": {
      "version": "1.0.0",
      "optional": true,
      "hasInstallScript": true,
      "os": [
        "linux"
      ]
    },
    "node_modules/e": {
      "version": "1.0.0",
      "devOptional": true,
      "since": -1.5e3
    },
    "node_modules/f": {
      "resolved": "packages/f",
      "link": true
    },
    "packages/f": {}
  }
}
"#;

fn lockfile(text: &str, document: Document<'_>) -> Result<Lockfile, ParseError> {
    let input = Input {
        path: "package-lock.json",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    };
    read(&input, text, document, SkippedEntries::default())
}

fn by_serde(text: &str) -> Result<Lockfile, ParseError> {
    lockfile(text, document(text)?)
}

#[test]
fn accepts_lockfiles_of_npm() {
    for text in WRITTEN {
        let expected = by_serde(text);
        assert!(expected.is_ok(), "{expected:?}");
        for part_bytes in [usize::MAX, 1_000, 100, 1, 0] {
            let fast = scan_in_parts(text, part_bytes);
            let fast = fast.unwrap_or_else(|| panic!("in parts of {part_bytes}: {text}"));
            assert_eq!(lockfile(text, fast), expected, "parts of {part_bytes}");
        }
    }
}

#[test]
fn needs_no_line_end_at_the_end() {
    assert!(scan(ALL_KEYS.trim_end()).is_some());
    assert!(scan(&format!("{ALL_KEYS}\n")).is_none());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test reads shared files")]
fn accepts_the_lockfiles_of_the_corpus() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let mut count = 0;
    let files = patchgate_testkit::files_below(&shared.join("corpus"));
    for path in files
        .iter()
        .filter(|path| path.ends_with("package-lock.json"))
    {
        let text = std::fs::read_to_string(path).expect("it is text");
        if text.contains("\"lockfileVersion\": 1") || !text.contains("\"lockfileVersion\"") {
            assert!(scan(&text).is_none());
            continue;
        }
        for part_bytes in [PART_BYTES, 10_000] {
            let fast = scan_in_parts(&text, part_bytes).expect("npm's own spelling");
            assert_eq!(lockfile(&text, fast), by_serde(&text));
        }
        count += 1;
    }

    assert!(count >= 4, "only {count} lockfiles");
}

#[test]
fn parts_end_between_entries() {
    let first = "    \"a\": {\n      \"b\": {\n      },\n    },\n";
    let second = "    \"ä\": {\n    },\n";
    let last = "    \"c\": {\n    }\n  },\n  \"d\": {\n    \"e\": {\n    },\n  }\n}\n";
    let all = format!("{first}{second}{last}");

    assert_eq!(parts(&all, 2, usize::MAX), [&all]);
    assert_eq!(parts(&all, 2, 0), [first, second, last]);

    // In the middle of a character.
    let inside = second.find('ä').unwrap() + 1;
    assert_eq!(parts(&all[first.len()..], 2, inside), [second, last]);
}

#[test]
fn leaves_deep_values_to_serde_json() {
    let scan_with = |value: &str| {
        let text = ALL_KEYS.replace(
            ": true,\n  \"packages",
            &format!(": {value},\n  \"packages"),
        );
        assert!(by_serde(&text).is_ok());
        scan(&text).is_some()
    };

    let on_lines = |levels: usize| {
        let (open, close) = ("[\n".repeat(levels), "\n]".repeat(levels));
        format!("{open}1{close}")
    };
    assert!(scan_with(&on_lines(MAX_DEPTH)));
    assert!(!scan_with(&on_lines(MAX_DEPTH + 1)));
    assert!(!scan_with(&on_lines(100_000)));
    assert!(scan_with(&format!(
        "{}1{}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    )));
}

/// A change of a text. Most changes affect whole lines.
#[derive(Debug, Clone)]
enum Change {
    /// Replaces a number of bytes at a position by a text.
    Put(Index, &'static str, usize),
    /// Inserts a line before another.
    PutLine(Index, &'static str),
    /// Inserts a copy of the first line before the second.
    Copy(Index, Index),
    Remove(Index),
    Swap(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = prop::sample::select(vec![
        "", "\n", "\r\n", "\r", " ", "\t", "\"", "\\", "\\n", "\\u0061", ",", ":", "{", "}", "[",
        "]", "{}", "[]", "\0", "ä", "\u{7f}", "\u{2028}", "1", "01", "-", "null", "true", "false",
        "}\n", "},\n", "    },\n", "[[", "\"a\": 1",
    ]);
    let lines = prop::sample::select(vec![
        "}",
        "},",
        "]",
        "],",
        "{",
        "[",
        "    },",
        "  },",
        "  }",
        "\"a\": {",
        "\"a\": [",
        "\"a\": {,",
        "\"a\": {},",
        "\"a\": [],",
        "\"a\": \"b\",",
        "\"a\": \"b\"",
        "\"b\": \"b\",",
        "\"a\": null,",
        "\"a\": [{\"b\": 1}],",
        "\"a\" : 1,",
        "\"a\":1,",
        "\"a\": 1 ,",
        "\"a\": 01,",
        "\"a\": 1e999,",
        "\"a\": \"\\ud800\",",
        "\"a\": \"\\x\",",
        "\"\\u0061\": \"b\",",
        "\"name\": \"x\",",
        "\"name\": null,",
        "\"name\": \"\\u0061\",",
        "\"version\": \"2.0.0\",",
        "\"version\": 2,",
        "\"link\": true,",
        "\"link\": false,",
        "\"dev\": true,",
        "\"dev\": 1,",
        "\"optional\": true,",
        "\"dependencies\": {",
        "\"dependencies\": {},",
        "\"dependencies\": [],",
        "\"peerDependencies\": {",
        "\"resolved\": \"packages/f\",",
        "\"lockfileVersion\": 3,",
        "\"lockfileVersion\": 2,",
        "\"lockfileVersion\": 1,",
        "\"packages\": {",
        "\"packages\": {},",
        "    \"node_modules/a\": {",
        "    \"node_modules/z\": {},",
        "",
        " ",
    ]);

    prop_oneof![
        (any::<Index>(), bytes, 0usize..8).prop_map(|(at, text, over)| Change::Put(at, text, over)),
        (any::<Index>(), lines).prop_map(|(at, line)| Change::PutLine(at, line)),
        any::<(Index, Index)>().prop_map(|(from, to)| Change::Copy(from, to)),
        any::<Index>().prop_map(Change::Remove),
        any::<(Index, Index)>().prop_map(|(one, other)| Change::Swap(one, other)),
    ]
}

fn changed(text: &str, change: &Change) -> String {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let number = |index: &Index| index.index(text.split('\n').count());
    match change {
        Change::Put(at, put, over) => {
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            let until = text.floor_char_boundary(at + over).max(at);
            return format!("{}{put}{}", &text[..at], &text[until..]);
        }
        Change::PutLine(at, line) => lines.insert(number(at), line),
        Change::Copy(from, to) => lines.insert(number(to), lines[number(from)]),
        Change::Remove(at) => {
            lines.remove(number(at));
        }
        Change::Swap(one, other) => lines.swap(number(one), number(other)),
    }

    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// serde_json reads every text that the fast reader accepts, with the same result, whatever the
    /// number of parts.
    #[test]
    fn never_differs_from_serde_json(
        which in any::<Index>(),
        changes in prop::collection::vec(change(), 1..4),
        part_bytes in 0usize..2_000,
    ) {
        let written = WRITTEN[which.index(WRITTEN.len())].to_owned();
        let text = changes.iter().fold(written, |text, change| changed(&text, change));
        let in_parts = scan_in_parts(&text, part_bytes).map(|fast| lockfile(&text, fast));
        if let Some(fast) = &in_parts {
            prop_assert_eq!(fast, &by_serde(&text), "{}", text);
        }

        let as_one = scan_in_parts(&text, usize::MAX).map(|fast| lockfile(&text, fast));
        if in_parts.is_some() {
            prop_assert_eq!(as_one, in_parts, "{}", text);
        } else if let Some(fast) = as_one {
            prop_assert_eq!(fast, by_serde(&text), "{}", text);
        }
    }
}

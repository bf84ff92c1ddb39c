//! Go, Rust and Java.

use patchgate_model::Reachability::{NotImported, PackageImported, SymbolCalled, Unknown};

use super::{CASE, Case, GO, RUST};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "go: a function",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/html\"\n\nfunc f() { html.Parse(nil) }\n",
        )],
        symbols: GO,
        answer: SymbolCalled,
        place: "a.go:5",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "go: a function under another name",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport h \"example.org/m/html\"\n\nvar f = h.Parse\n",
        )],
        symbols: GO,
        answer: SymbolCalled,
        place: "a.go:5",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "go: only the import",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/html\"\n\nvar e = html.EscapeString(\"\")\n",
        )],
        symbols: GO,
        answer: PackageImported,
        place: "a.go:3",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "go: a method of a parameter",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/html\"\n\nfunc f(n *html.Node) error {\n\treturn n.Render(nil)\n}\n",
        )],
        symbols: GO,
        answer: SymbolCalled,
        place: "a.go:6",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "go: a method of a returned value",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/html\"\n\nfunc f() {\n\tz := html.NewTokenizer(nil)\n\tz.Next()\n}\n",
        )],
        symbols: GO,
        answer: SymbolCalled,
        place: "a.go:7",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "go: a method of a literal",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/html\"\n\nfunc f() {\n\tn := &html.Node{}\n\t_ = n.Render(nil)\n}\n",
        )],
        symbols: GO,
        answer: SymbolCalled,
        place: "a.go:7",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "go: a method of a field",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/html\"\n\ntype t struct{ n *html.Node }\n\nfunc (x t) f() { x.n.Render(nil) }\n",
        )],
        symbols: GO,
        answer: PackageImported,
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "go: a method of the same name of another type",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/html\"\n\ntype own struct{}\n\nfunc (own) Render() {}\n\nvar _ html.Attribute\n\nfunc f(o own) { o.Render() }\n",
        )],
        symbols: GO,
        answer: PackageImported,
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "go: a variable hides the package",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/html\"\n\nvar _ html.Attribute\n\ntype parser struct{}\n\nfunc (parser) Parse() {}\n\nfunc f(html parser) { html.Parse() }\n",
        )],
        symbols: GO,
        answer: PackageImported,
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "go: another package of the module",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/text\"\n\nvar _ = text.Max\n",
        )],
        symbols: GO,
        answer: Unknown,
        place: "a.go:3",
        ..CASE
    },
    Case {
        name: "go: another module below the path",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/v2/html\"\n\nvar _ = html.Parse\n",
        )],
        symbols: GO,
        others: &["example.org/m/v2"],
        answer: Unknown,
        ..CASE
    },
    Case {
        name: "go: a name that is not the path's",
        ecosystem: "Go",
        package: "example.org/go-html",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/go-html\"\n\nvar _ = html.Parse\n",
        )],
        symbols: "{\"imports\":[{\"path\":\"example.org/go-html\",\"symbols\":[\"Parse\"]}]}",
        answer: SymbolCalled,
        place: "a.go:5",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "go: a wrapper in the own sources",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\nimport \"example.org/m/html\"\n\ntype page = html.Node\n\nfunc f(p *page) { p.Render(nil) }\n",
        )],
        symbols: GO,
        answer: PackageImported,
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "go: not in any source",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[("a.go", "package a\n")],
        symbols: GO,
        answer: Unknown,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "go: a comment and a text",
        ecosystem: "Go",
        package: "example.org/m",
        files: &[(
            "a.go",
            "package a\n\n// html.Parse of example.org/m/html\nvar s = \"html.Parse(x)\"\n",
        )],
        symbols: GO,
        answer: Unknown,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "rust: a path",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[("src/main.rs", "fn main() {\n    ammonia::clean(\"\");\n}\n")],
        symbols: RUST,
        answer: SymbolCalled,
        place: "src/main.rs:2",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "rust: an import and a call",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "use ammonia::clean;\n\nfn main() {\n    clean(\"\");\n}\n",
        )],
        symbols: RUST,
        answer: SymbolCalled,
        place: "src/main.rs:4",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "rust: only the import",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "use ammonia::clean_text;\n\nfn main() {\n    clean_text(\"\");\n}\n",
        )],
        symbols: RUST,
        answer: PackageImported,
        place: "src/main.rs:1",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "rust: in a macro",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "fn main() {\n    assert_eq!(ammonia::clean(\"\"), \"\");\n}\n",
        )],
        symbols: RUST,
        answer: SymbolCalled,
        place: "src/main.rs:2",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "rust: a method of a constructor's value",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "use ammonia::Builder;\n\nfn main() {\n    let b = Builder::new();\n    b.clean(\"\");\n}\n",
        )],
        symbols: RUST,
        answer: SymbolCalled,
        place: "src/main.rs:5",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "rust: a method of a parameter",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "fn f(b: &ammonia::Builder<'_>) {\n    b.clean(\"\");\n}\n",
        )],
        symbols: RUST,
        answer: SymbolCalled,
        place: "src/main.rs:2",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "rust: a chain of methods",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "fn f() {\n    ammonia::Builder::default().add_tags(&[]).clean(\"\");\n}\n",
        )],
        symbols: RUST,
        answer: SymbolCalled,
        place: "src/main.rs:2",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "rust: a method of the same name of another type",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "use ammonia::Url;\n\nstruct Own;\n\nfn f(own: &Own, _: Url) {\n    own.clean();\n}\n",
        )],
        symbols: RUST,
        answer: PackageImported,
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "rust: a renamed crate",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "fn main() {\n    sanitizer::clean(\"\");\n}\n",
        )],
        symbols: RUST,
        alias: Some("sanitizer"),
        answer: SymbolCalled,
        place: "src/main.rs:2",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "rust: a name of a wildcard",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "use ammonia::*;\n\nfn main() {\n    clean(\"\");\n}\n",
        )],
        symbols: RUST,
        answer: PackageImported,
        place: "src/main.rs:1",
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "rust: an exported name of a deeper module",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[("src/main.rs", "fn main() {\n    ammonia::rewrite();\n}\n")],
        symbols: RUST,
        answer: SymbolCalled,
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "rust: the same name of another module",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "fn main() {\n    ammonia::html::rewrite();\n}\n",
        )],
        symbols: RUST,
        answer: PackageImported,
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "rust: no source",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "use std::fs;\n\nfn main() {\n    fs::read(\"x\").unwrap();\n    u32::from(1_u8);\n}\n",
        )],
        symbols: RUST,
        answer: NotImported,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "rust: an own module",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[
            (
                "src/main.rs",
                "mod html;\n\nfn main() {\n    html::clean();\n}\n",
            ),
            ("src/html.rs", "pub fn clean() {}\n"),
        ],
        symbols: RUST,
        answer: NotImported,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "rust: a crate that nothing explains",
        ecosystem: "crates.io",
        package: "am-monia",
        files: &[(
            "src/main.rs",
            "fn main() {\n    sanitize::clean(\"\");\n}\n",
        )],
        answer: Unknown,
        place: "src/main.rs:2",
        ..CASE
    },
    Case {
        name: "rust: generated code",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[(
            "src/main.rs",
            "include!(concat!(env!(\"OUT_DIR\"), \"/x.rs\"));\nfn main() {}\n",
        )],
        symbols: RUST,
        answer: Unknown,
        place: "src/main.rs:1",
        ..CASE
    },
    Case {
        name: "rust: needed by another package",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[("src/main.rs", "fn main() {}\n")],
        symbols: RUST,
        needed_by: Some("comrak"),
        answer: Unknown,
        ..CASE
    },
    Case {
        name: "rust: needed by another package and called",
        ecosystem: "crates.io",
        package: "ammonia",
        files: &[("src/main.rs", "fn main() {\n    ammonia::clean(\"\");\n}\n")],
        symbols: RUST,
        needed_by: Some("comrak"),
        answer: SymbolCalled,
        truth: SymbolCalled,
        ..CASE
    },
    Case {
        name: "java: an import, from the table",
        ecosystem: "Maven",
        package: "com.google.guava:guava",
        files: &[(
            "A.java",
            "package a;\n\nimport com.google.common.collect.Lists;\n",
        )],
        answer: PackageImported,
        place: "A.java:3",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "java: a full name",
        ecosystem: "Maven",
        package: "org.yaml:snakeyaml",
        files: &[(
            "A.java",
            "package a;\n\nclass A { Object y = new org.yaml.snakeyaml.Yaml(); }\n",
        )],
        answer: PackageImported,
        place: "A.java:3",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "java: a class by its name",
        ecosystem: "Maven",
        package: "com.h2database:h2",
        files: &[(
            "A.java",
            "package a;\n\nclass A { void f() throws Exception { Class.forName(\"org.h2.Driver\"); } }\n",
        )],
        answer: PackageImported,
        place: "A.java:3",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "java: an artifact whose packages are not known",
        ecosystem: "Maven",
        package: "org.example:thing",
        files: &[("A.java", "package a;\n\nimport org.example.thing.T;\n")],
        answer: Unknown,
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "java: no import",
        ecosystem: "Maven",
        package: "com.google.guava:guava",
        files: &[("A.java", "package a;\n\nimport java.util.List;\n")],
        answer: Unknown,
        truth: NotImported,
        ..CASE
    },
];

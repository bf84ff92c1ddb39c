//! What became of the names that a repository uses.

use std::collections::BTreeSet;

use patchgate_model::{SymbolChange, SymbolUse};

use crate::exports::{DEFAULT, Exports};
use crate::{Files, Imports, Language, javascript, python, rust};

/// The part of a module's name that names its package: `@scope/a` of `@scope/a/b`, `a` of `a.b`.
#[must_use]
pub fn module_of_package(language: Language, module: &str) -> &str {
    match language {
        Language::Python => module.split('.').next().unwrap_or(module),
        Language::Rust => module.split("::").next().unwrap_or(module),
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            let parts = if module.starts_with('@') { 2 } else { 1 };
            let end = module.match_indices('/').nth(parts - 1);
            end.and_then(|(end, _)| module.get(..end)).unwrap_or(module)
        }
        // A path names the module only together with the list of modules, and a package of Java does
        // not name its artifact.
        Language::Go | Language::Java => module,
    }
}

/// The modules that a release of a package has at the top: for Python the names in its archive,
/// which need not be that of the package.
#[must_use]
pub fn modules(language: Language, package: &str, files: &Files) -> BTreeSet<String> {
    match language {
        Language::Python => python::modules(files),
        Language::Rust => BTreeSet::from([package.replace('-', "_")]),
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            BTreeSet::from([package.to_owned()])
        }
        Language::Go | Language::Java => BTreeSet::new(),
    }
}

/// Compares the names of a package that are used between two releases. `used` has the modules of
/// the package only.
#[must_use]
pub fn compare(
    language: Language,
    package: &str,
    used: &Imports,
    before: &Files,
    after: &Files,
) -> Vec<SymbolUse> {
    let mut symbols = BTreeSet::new();
    for (module, names) in used {
        let (old, new) = match language {
            Language::Python => (
                python::exports(before, module),
                python::exports(after, module),
            ),
            Language::Rust => (
                Some(rust::exports(before, module)),
                Some(rust::exports(after, module)),
            ),
            Language::JavaScript | Language::TypeScript | Language::Tsx => {
                javascript::exports(package, module, before, after)
            }
            // Their public names are not read.
            Language::Go | Language::Java => continue,
        };
        for name in names {
            symbols.insert(symbol(language, module, name, old.as_ref(), new.as_ref()));
        }
    }

    symbols.into_iter().collect()
}

fn symbol(
    language: Language,
    module: &str,
    name: &str,
    before: Option<&Exports>,
    after: Option<&Exports>,
) -> SymbolUse {
    let full = match (language, name) {
        (_, DEFAULT) => module.to_owned(),
        (Language::Rust, name) => format!("{module}::{name}"),
        (_, name) => format!("{module}.{name}"),
    };
    let of = |exports: Option<&Exports>| exports.and_then(|all| all.names.get(name)).cloned();
    let (old, new) = (of(before), of(after));
    let change = match (&old, &new) {
        (Some(Some(old)), Some(Some(new))) if old == new => SymbolChange::Unchanged,
        (Some(Some(_)), Some(Some(_))) => SymbolChange::SignatureChanged,
        // The module is gone as a whole, or all its names are known.
        (Some(_), None) if after.is_none_or(|all| !all.is_partial) => SymbolChange::Removed,
        _ => SymbolChange::Unknown,
    };
    let shown = |signature: Option<Option<String>>| {
        signature
            .flatten()
            .filter(|_| change == SymbolChange::SignatureChanged)
    };

    SymbolUse {
        name: full,
        change,
        before: shown(old),
        after: shown(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn files(files: &[(&str, &str)]) -> Files {
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    fn changes(
        language: Language,
        package: &str,
        source: &str,
        before: &[(&str, &str)],
        after: &[(&str, &str)],
    ) -> Vec<(String, &'static str)> {
        let mut used = crate::imports(language, source.as_bytes());
        used.retain(|module, _| module_of_package(language, module) == package);
        compare(language, package, &used, &files(before), &files(after))
            .into_iter()
            .map(|symbol| (symbol.name, symbol.change.word()))
            .collect()
    }

    #[track_caller]
    fn assert_changes(found: &[(String, &'static str)], expected: &[(&str, &str)]) {
        let found: Vec<(&str, &str)> = found.iter().map(|(name, word)| (&**name, *word)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn modules_are_compared_by_their_exports() {
        let before = [
            ("package.json", r#"{"main": "lib/index.js"}"#),
            (
                "lib/index.js",
                "export * from './more.js';\nexport function kept(a, b) {}\nexport const arrow = (a) => a;\n\
                 export default function (x) {}",
            ),
            (
                "lib/more.js",
                "export class Shape { constructor(a) {} area() {} }\nfunction inner() {}\nexport { inner as gone };",
            ),
        ];
        let after = [
            (
                "package.json",
                r#"{"exports": {".": {"import": "./lib/index.js"}}}"#,
            ),
            (
                "lib/index.js",
                "export * from './more.js';\nexport function kept(a,\n  b,\n) {}\nexport const arrow = (a, b) => a;\n\
                 export default function (x) {}",
            ),
            (
                "lib/more.js",
                "export class Shape { constructor(a) {} size() {} }",
            ),
        ];
        let source = "import whole, { kept, arrow as f, Shape, gone, never } from 'a';\nwhole(1);\n\
                      import { other } from 'b';";

        let found = changes(Language::JavaScript, "a", source, &before, &after);
        assert_changes(
            &found,
            &[
                ("a", "unchanged"),
                ("a.Shape", "signature-changed"),
                ("a.arrow", "signature-changed"),
                ("a.gone", "removed"),
                ("a.kept", "unchanged"),
                ("a.never", "unknown"),
            ],
        );
    }

    #[test]
    fn common_modules_are_compared_by_their_assignments() {
        let before = [
            ("package.json", "{}"),
            (
                "index.js",
                "const parse = function (text, options) {};\nmodule.exports = { parse, load: load };\n\
                 function load(a) {}\nmodule.exports.extra = (a) => a;",
            ),
        ];
        let after = [
            ("package.json", r#"{"main": "./main"}"#),
            (
                "main.js",
                "\"use strict\";\nObject.defineProperty(exports, \"__esModule\", { value: true });\n\
                 exports.parse = parse;\nfunction parse(text) {}\nexports.load = function (a) {};",
            ),
        ];
        let source = "const a = require('a');\na.parse('x'); a.load(); a.extra(1);\n\
                      const { parse } = require('a');";
        let found = changes(Language::JavaScript, "a", source, &before, &after);
        assert_changes(
            &found,
            &[
                ("a.extra", "removed"),
                ("a.load", "unchanged"),
                ("a.parse", "signature-changed"),
            ],
        );
        // A name that is taken from another file has the signature that it has there.
        let parts = |parameters: &str| {
            [
                (
                    "index.js".to_owned(),
                    "const parse = require('./parse');\nparse.extra = require('./extra').one;\n\
                     parse.load = parse;\nmodule.exports = parse;"
                        .to_owned(),
                ),
                (
                    "parse.js".to_owned(),
                    format!("module.exports = parse;\nfunction parse{parameters} {{}}"),
                ),
            ]
        };
        let of = |parts: [(String, String); 2]| -> Vec<(String, &'static str)> {
            let [(a, b), (c, d)] = parts;
            let old = [
                (
                    "index.js",
                    "const parse = require('./parse');\nparse.load = parse;\nmodule.exports = parse;",
                ),
                ("parse.js", "module.exports = (a) => 1;"),
            ];
            let new = [(a.as_str(), b.as_str()), (c.as_str(), d.as_str())];
            let source = "const a = require('a');\na(1); a.load();";
            changes(Language::JavaScript, "a", source, &old, &new)
        };
        assert_changes(
            &of(parts("(a)")),
            &[("a", "unchanged"), ("a.load", "unchanged")],
        );
        assert_changes(
            &of(parts("(a, b)")),
            &[("a", "signature-changed"), ("a.load", "signature-changed")],
        );

        // A wrapper around the module hides what it exports.
        let hidden = [(
            "index.js",
            "(function (root, factory) { module.exports = factory(); })(this, f);",
        )];
        let found = changes(Language::JavaScript, "a", source, &before, &hidden);
        assert!(
            found.iter().all(|(_, word)| *word == "unknown"),
            "{found:?}"
        );
    }

    #[test]
    fn declarations_of_types_are_preferred() {
        let before = [
            ("package.json", r#"{"main": "i.js", "types": "i.d.ts"}"#),
            ("i.js", "module.exports = make();"),
            (
                "i.d.ts",
                "export declare function get(url: string): Promise<void>;\n\
                 export interface Options { a?: number }\nexport type Id = string;",
            ),
        ];
        let after = [
            ("package.json", r#"{"main": "i.js", "types": "i.d.ts"}"#),
            ("i.js", "module.exports = make();"),
            (
                "i.d.ts",
                "export declare function get(url: string, options: Options): Promise<void>;\n\
                 export interface Options { a?: number }",
            ),
        ];
        let source =
            "import { get, type Options, Id } from 'a';\nimport type { Options as O } from 'a';";

        let found = changes(Language::TypeScript, "a", source, &before, &after);
        assert_changes(
            &found,
            &[
                ("a.Id", "removed"),
                ("a.Options", "unchanged"),
                ("a.get", "signature-changed"),
            ],
        );
    }

    #[test]
    fn python_modules_are_compared_by_their_definitions() {
        let before = [
            (
                "a/__init__.py",
                "from .core import load, Loader\nfrom a.more import *\nVERSION = '1'\n",
            ),
            (
                "a/core.py",
                "def load(text, strict=False):\n    pass\n\nclass Loader:\n    def __init__(self, a):\n        pass\n    def read(self):\n        pass\n",
            ),
            (
                "a/more.py",
                "def escape(text):\n    pass\n\ndef _own():\n    pass\n",
            ),
        ];
        let after = [
            (
                "a/__init__.py",
                "from .core import load, Loader\nVERSION = '2'\n",
            ),
            (
                "a/core.py",
                "def load(text, *, loader):\n    pass\n\nclass Loader:\n    def __init__(self, a):\n        pass\n    def read(self):\n        pass\n    def _own(self):\n        pass\n",
            ),
        ];
        let source = "import a\nfrom a import Loader, escape\nfrom a.core import load as l\n\
                      a.load('x')\nprint(a.VERSION, b.c)\n";
        let found = changes(Language::Python, "a", source, &before, &after);
        assert_changes(
            &found,
            &[
                ("a.Loader", "unchanged"),
                ("a.VERSION", "unchanged"),
                ("a.core.load", "signature-changed"),
                ("a.escape", "removed"),
                ("a.load", "signature-changed"),
            ],
        );

        let dynamic = [("a/__init__.py", "def __getattr__(name):\n    return 1\n")];
        let found = changes(
            Language::Python,
            "a",
            "from a import escape",
            &before,
            &dynamic,
        );
        assert_changes(&found, &[("a.escape", "unknown")]);
    }

    #[test]
    fn rust_modules_are_compared_by_their_public_items() {
        let before = [
            (
                "src/lib.rs",
                "mod inner;\npub mod de;\npub use inner::{Value, make as build};\npub fn load(text: &str) -> u8 { 1 }\n\
                 pub(crate) fn own() {}\n#[macro_export]\nmacro_rules! json { () => {} }",
            ),
            (
                "src/inner.rs",
                "pub struct Value { pub a: u8, b: u8 }\npub fn make() {}",
            ),
            ("src/de.rs", "pub trait Read { fn next(&mut self) -> u8; }"),
        ];
        let after = [
            (
                "src/lib.rs",
                "mod inner;\npub mod de;\npub use inner::*;\npub fn load(text: &[u8]) -> u8 { 1 }",
            ),
            (
                "src/inner.rs",
                "pub struct Value { pub a: u8, c: u8 }\npub fn make() {}",
            ),
            (
                "src/de.rs",
                "pub trait Read { fn next(&mut self) -> u8; fn end(&self) {} }",
            ),
        ];
        let source = "use a_b::{load, de::Read, Value as V};\nuse std::fmt::Debug;\nfn f() { a_b::build(); }\n\
                      use crate::own::X;";
        let found = changes(Language::Rust, "a_b", source, &before, &after);
        assert_changes(
            &found,
            &[
                ("a_b::Value", "unchanged"),
                ("a_b::build", "removed"),
                ("a_b::de::Read", "unchanged"),
                ("a_b::load", "signature-changed"),
            ],
        );
    }

    #[test]
    fn the_package_of_a_module_is_its_beginning() {
        for (language, module, package) in [
            (Language::JavaScript, "lodash/fp/map", "lodash"),
            (Language::JavaScript, "@a/b/c", "@a/b"),
            (Language::JavaScript, "@a/b", "@a/b"),
            (Language::Python, "a.b.c", "a"),
        ] {
            assert_eq!(module_of_package(language, module), package);
        }
    }

    #[test]
    fn hostile_sources_are_read_without_harm() {
        let deep = "(".repeat(200_000);
        for language in [
            Language::JavaScript,
            Language::TypeScript,
            Language::Python,
            Language::Rust,
        ] {
            for source in [
                &deep,
                "\u{0}\u{ff}",
                "import",
                "export {",
                "from a import (",
            ] {
                let found = crate::imports(language, source.as_bytes());
                let is_odd = |name: &String| !matches!(name.as_str(), "" | "a");
                assert!(!found.keys().any(is_odd), "{source:.20}: {found:?}");
            }
            let circle = files(&[
                ("index.js", "export * from './index.js';"),
                ("a/__init__.py", "from a import *\nfrom . import x\n"),
            ]);
            let used = Imports::from([("a".to_owned(), BTreeSet::from(["x".to_owned()]))]);
            let found = compare(language, "a", &used, &circle, &circle);
            assert_eq!(found.len(), 1, "{found:?}");
            let word = found[0].change.word();
            assert!(matches!(word, "unknown" | "unchanged"), "{found:?}");
        }
    }
}

//! JavaScript, TypeScript and Python.

use patchgate_model::Reachability::{NotImported, PackageImported, Unknown};
use patchgate_model::Scope;

use super::{CASE, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "npm: an import",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.mjs", "import { template } from \"lodash\";\n")],
        answer: PackageImported,
        place: "a.mjs:1",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "npm: a part of the package",
        ecosystem: "npm",
        package: "lodash",
        files: &[(
            "a.ts",
            "import template = require(\"x\");\nimport t from \"lodash/template\";\n",
        )],
        answer: PackageImported,
        place: "a.ts:2",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "npm: a require in an expression",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "app.use(require(\"lodash\")());\n")],
        answer: PackageImported,
        place: "a.js:1",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "npm: a dynamic import of a text",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "const m = await import(`lodash`);\n")],
        answer: PackageImported,
        place: "a.js:1",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "npm: a re-export",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "export * from \"lodash\";\n")],
        answer: PackageImported,
        place: "a.js:1",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "npm: an alias",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "import x from \"low\";\n")],
        alias: Some("low"),
        answer: PackageImported,
        place: "a.js:1",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "npm: a package with a longer name",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "import x from \"lodash-es\";\n")],
        answer: NotImported,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "npm: a dynamic import of a value",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "const m = await import(name);\n")],
        answer: Unknown,
        place: "a.js:1",
        ..CASE
    },
    Case {
        name: "npm: a program of a script",
        ecosystem: "npm",
        package: "nodemon",
        files: &[
            ("a.js", "x();\n"),
            (
                "package.json",
                "{\"dependencies\": {\"nodemon\": \"1\"}, \"scripts\": {\"start\": \"nodemon a.js\"}}",
            ),
        ],
        answer: Unknown,
        place: "package.json:1",
        ..CASE
    },
    Case {
        name: "npm: a plugin of a configuration",
        ecosystem: "npm",
        package: "babel-plugin-x",
        files: &[
            ("a.js", "x();\n"),
            (".babelrc", "{\"plugins\": [\"babel-plugin-x\"]}"),
        ],
        answer: Unknown,
        place: ".babelrc:1",
        ..CASE
    },
    Case {
        name: "npm: only the manifest",
        ecosystem: "npm",
        package: "lodash",
        files: &[
            ("a.js", "x();\n"),
            ("package.json", "{\"dependencies\": {\"lodash\": \"1\"}}"),
            ("README.md", "uses lodash\n"),
        ],
        answer: NotImported,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "npm: a component in another language",
        ecosystem: "npm",
        package: "lodash",
        files: &[
            ("a.js", "x();\n"),
            ("A.vue", "<script>\nimport _ from \"lodash\"\n</script>\n"),
        ],
        answer: Unknown,
        place: "A.vue:2",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "npm: a development dependency",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "x();\n")],
        scope: Scope::Development,
        answer: Unknown,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "npm: a malicious release",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "x();\n")],
        malicious: true,
        answer: Unknown,
        ..CASE
    },
    Case {
        name: "npm: an installed copy is no source",
        ecosystem: "npm",
        package: "lodash",
        files: &[
            ("a.js", "x();\n"),
            ("node_modules/b/i.js", "require(\"lodash\")"),
        ],
        answer: NotImported,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "npm: a source that cannot be parsed",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "import { from \"lodash\" (((\n")],
        answer: Unknown,
        place: "a.js:1",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "npm: a broken source without the name",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "function ( {{{\n")],
        answer: NotImported,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "npm: no sources at all",
        ecosystem: "npm",
        package: "lodash",
        files: &[("package.json", "{}")],
        answer: Unknown,
        ..CASE
    },
    Case {
        name: "npm: copies of other sources",
        ecosystem: "npm",
        package: "lodash",
        files: &[("a.js", "x();\n"), ("third_party/b/c.js", "x();\n")],
        answer: Unknown,
        ..CASE
    },
    Case {
        name: "python: an import",
        ecosystem: "PyPI",
        package: "requests",
        files: &[("a.py", "import requests\n")],
        answer: PackageImported,
        place: "a.py:1",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "python: another name, from the table",
        ecosystem: "PyPI",
        package: "PyYAML",
        files: &[("a.py", "import os\nfrom yaml import load\n")],
        answer: PackageImported,
        place: "a.py:2",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "python: a namespace",
        ecosystem: "PyPI",
        package: "google-cloud-storage",
        files: &[("a.py", "from google.cloud import storage\n")],
        answer: Unknown,
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "python: a part of a namespace",
        ecosystem: "PyPI",
        package: "google-cloud-storage",
        files: &[("a.py", "import google.cloud.storage.blob\n")],
        answer: PackageImported,
        place: "a.py:1",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "python: in a function",
        ecosystem: "PyPI",
        package: "requests",
        files: &[(
            "a.py",
            "def f():\n    try:\n        import requests\n    except ImportError:\n        pass\n",
        )],
        answer: PackageImported,
        place: "a.py:3",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "python: by its name at run time",
        ecosystem: "PyPI",
        package: "requests",
        files: &[(
            "a.py",
            "import importlib\nm = importlib.import_module(\"requests.api\")\n",
        )],
        answer: PackageImported,
        place: "a.py:2",
        truth: PackageImported,
        ..CASE
    },
    Case {
        name: "python: by a value at run time",
        ecosystem: "PyPI",
        package: "requests",
        files: &[(
            "a.py",
            "import importlib\nm = importlib.import_module(name)\n",
        )],
        answer: Unknown,
        place: "a.py:2",
        ..CASE
    },
    Case {
        name: "python: nothing but the language and own modules",
        ecosystem: "PyPI",
        package: "requests",
        files: &[
            ("a.py", "import os.path\nimport util\nfrom app import b\n"),
            ("util.py", ""),
            ("src/app/b.py", "from . import c\n"),
        ],
        answer: NotImported,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "python: a module that nothing explains",
        ecosystem: "PyPI",
        package: "requests",
        files: &[("a.py", "import sparkle\n")],
        answer: Unknown,
        place: "a.py:1",
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "python: a module of another package",
        ecosystem: "PyPI",
        package: "requests",
        files: &[("a.py", "import flask\n")],
        others: &["Flask"],
        answer: NotImported,
        truth: NotImported,
        ..CASE
    },
    Case {
        name: "python: an application in the settings",
        ecosystem: "PyPI",
        package: "django-debug",
        files: &[("a.py", "APPS = [\"django-debug\"]\n")],
        answer: Unknown,
        place: "a.py:1",
        ..CASE
    },
    Case {
        name: "an ecosystem without sources",
        ecosystem: "RubyGems",
        package: "rails",
        files: &[("a.rb", "require 'rails'\n")],
        answer: Unknown,
        truth: PackageImported,
        ..CASE
    },
];

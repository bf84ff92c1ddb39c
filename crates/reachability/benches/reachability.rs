//! The time to answer for a repository of 500,000 lines: made sources in five languages, or those of a
//! directory that the variable `PATCHGATE_BENCH_SOURCES` names.
#![expect(
    clippy::unwrap_used,
    reason = "the lint's exception for tests does not reach benchmarks"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use patchgate_model::{
    DependencyKind, EcosystemName, Edge, Finding, FixedVersion, FormatId, Inventory, Level,
    Lockfile, Package, PackageIndex, PackageRef, Root, Scope, Score, Severity, Signals,
};
use patchgate_reachability::{Sources, assess};

fn main() {
    divan::main();
}

/// Lines of the made repository, and of each of its files.
const LINES: usize = 500_000;
const LINES_OF_FILE: usize = 250;

/// Findings of each ecosystem.
const FINDINGS: usize = 80;

const ECOSYSTEMS: [(&str, &str, &str); 5] = [
    ("crates.io", "rs", "cargo-lock-v4"),
    ("Go", "go", "go-mod"),
    ("PyPI", "py", "poetry-lock"),
    ("npm", "ts", "npm-lock-v3"),
    ("Maven", "java", "gradle-lock"),
];

/// A file of one language that imports a few packages and calls them on every sixth line.
fn source(end: &str, number: usize) -> String {
    let mut text = String::new();
    let imports = [number % 70, number % 50 + 7, number % 30 + 3];
    if end == "go" {
        text.push_str("package made\n\n");
    }
    if end == "java" {
        text.push_str("package made;\n\n");
    }
    for import in imports {
        let line = match end {
            "rs" => format!("use made_{import}::{{Value, parse_{number}}};"),
            "go" => format!("import m{import} \"example.org/made-{import}/m\""),
            "py" => format!("from made_{import} import parse_{number} as p{import}"),
            "ts" => format!("import {{ parse as p{import} }} from \"made-{import}\";"),
            _ => format!("import org.made{import}.Parser;"),
        };
        writeln!(text, "{line}").unwrap();
    }
    if end == "java" {
        text.push_str("class Made {\n");
    }

    let mut lines = text.lines().count();
    let mut function = 0;
    while lines + 6 < LINES_OF_FILE {
        let import = imports[function % 3];
        let body = match end {
            "rs" => format!(
                "/// Adds `a` and `b`.\nfn f{function}(a: u32, b: &str) -> Option<u32> {{\n    let v = made_{import}::Value::new(b)?;\n    let sum = a.checked_add(v.len())?;\n    Some(sum + {function})\n}}\n"
            ),
            "go" => format!(
                "// f{function} adds.\nfunc f{function}(a int, b string) (int, error) {{\n\tv, err := m{import}.Parse(b)\n\tsum := a + v.Len() + {function}\n\treturn sum, err\n}}\n"
            ),
            "py" => format!(
                "\ndef f{function}(a: int, b: str) -> int:\n    \"\"\"Adds a and b.\"\"\"\n    v = p{import}(b)\n    total = a + len(v) + {function}\n    return total\n"
            ),
            "ts" => format!(
                "/** Adds a and b. */\nexport function f{function}(a: number, b: string): number {{\n  const v = p{import}(b);\n  const sum = a + v.length + {function};\n  return sum;\n}}\n"
            ),
            _ => format!(
                "  /** Adds a and b. */\n  static int f{function}(int a, String b) {{\n    var v = new org.made{import}.Parser(b);\n    int sum = a + v.length() + {function};\n    return sum;\n  }}\n"
            ),
        };
        text.push_str(&body);
        lines += 6;
        function += 1;
    }
    if end == "java" {
        text.push_str("}\n");
    }
    text
}

fn make(root: &Path) {
    for number in 0..LINES / LINES_OF_FILE {
        let (_, end, _) = ECOSYSTEMS[number % ECOSYSTEMS.len()];
        let directory = root.join(format!("services/{}", number % 40));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(
            directory.join(format!("file_{number}.{end}")),
            source(end, number),
        )
        .unwrap();
    }
}

fn name(ecosystem: &str, number: usize) -> String {
    match ecosystem {
        "Go" => format!("example.org/made-{number}"),
        "Maven" => format!("org.made{number}:made"),
        _ => format!("made-{number}"),
    }
}

fn lockfile(ecosystem: &'static str, format: &'static str) -> Lockfile {
    let of = EcosystemName::new(ecosystem);
    let packages =
        (0..FINDINGS).map(|number| Package::new(of, name(ecosystem, number), "1.0.0".to_owned()));
    let edges = (0..FINDINGS).map(|number| Edge {
        to: PackageIndex(u32::try_from(number).unwrap()),
        name: name(ecosystem, number).into(),
        requirement: None,
        kind: DependencyKind::Runtime,
    });
    Lockfile {
        path: format!("{format}.lock"),
        ecosystem: of,
        format: FormatId::new(format),
        packages: packages.collect(),
        roots: vec![Root {
            edges: edges.collect(),
            ..Root::default()
        }],
        ..Lockfile::default()
    }
}

fn finding(ecosystem: &'static str, number: usize) -> Finding {
    Finding {
        id: format!("X-{number}"),
        aliases: Vec::new(),
        summary: String::new(),
        package: PackageRef {
            ecosystem: EcosystemName::new(ecosystem),
            distribution: None,
            name: name(ecosystem, number),
            version: "1.0.0".to_owned(),
            purl: String::new(),
        },
        locations: Vec::new(),
        paths: Vec::new(),
        scope: Scope::Runtime,
        requirement: None,
        fixed: FixedVersion::None(String::new()),
        severity: Severity {
            level: Level::High,
            cvss_score: None,
            cvss_vector: None,
        },
        signals: Signals::default(),
        informational: None,
        malicious: false,
        reachability: None,
        score: Score::default(),
        advisories: Vec::new(),
    }
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn half_a_million_lines(bencher: divan::Bencher<'_, '_>) {
    let directory = tempfile::tempdir().unwrap();
    let root: PathBuf = match std::env::var_os("PATCHGATE_BENCH_SOURCES") {
        Some(sources) => sources.into(),
        None => {
            make(directory.path());
            directory.path().to_owned()
        }
    };
    let inventory = Inventory {
        lockfiles: ECOSYSTEMS
            .iter()
            .map(|(ecosystem, _, format)| lockfile(ecosystem, format))
            .collect(),
        ..Inventory::default()
    };
    let findings: Vec<Finding> = ECOSYSTEMS
        .iter()
        .flat_map(|(ecosystem, _, _)| (0..FINDINGS).map(|number| finding(ecosystem, number)))
        .collect();
    let sources = Sources {
        root: &root,
        inventory: &inventory,
        progress: &|_| (),
    };

    bencher
        .with_inputs(|| findings.clone())
        .bench_refs(|findings| {
            let mut all: Vec<&mut Finding> = findings.iter_mut().collect();
            assess(&sources, &mut all, false);
        });
}

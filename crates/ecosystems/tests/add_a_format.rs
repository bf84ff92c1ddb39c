//! The page "Add a lockfile format" of `ARCHITECTURE.md`, followed step by step with a format of a
//! made-up ecosystem, so that the page stays true. Paths and names on the other pages are checked to
//! exist.
//!
//! A step of the page has a heading in bold. [`STEPS`] repeats the headings: a step that is added
//! there has to be followed here.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed step fails the test; tests, unlike the crate, read their fixtures from files"
)]

use std::borrow::Cow;
use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use patchgate_ecosystems::{
    Ecosystem, FileReader, Format, FormatIndex, Input, ManifestFormat, ParseError, Siblings,
    VersionError, limits,
};
use patchgate_model::{
    DependencyKind, EcosystemName, Edge, FormatId, Lockfile, Package, Root, Unresolved,
};
use patchgate_testkit::files_below;

/// The steps of "Add a lockfile format", and where this file follows them.
const STEPS: [&str; 7] = [
    // `parse`.
    "Write the reader",
    // `impl FileReader for Basket`.
    "Register the format",
    // `manifests` and `companions` there, `roots`.
    "Name the files around it",
    // `tests/add_a_format/read` and `tests/add_a_format/refused`.
    "Add fixtures",
    // `the_format_is_read_through_the_same_entry_points`.
    "Test the result",
    // `the_format_keeps_the_contract`.
    "Pass the contract",
    // `every_name_on_the_page_is_in_a_file_of_its_step`: the table itself is compared in `cli`.
    "Update the support table",
];

/// Headings of the pages that say how to add something.
const PAGES: [&str; 5] = [
    "Add a lockfile format",
    "Add an ecosystem",
    "Add a package manager",
    "Add a forge",
    "Add a rule",
];

/// A made-up ecosystem with one lockfile format.
struct Basket;

impl Ecosystem for Basket {
    fn name(&self) -> EcosystemName {
        EcosystemName::new("Basket")
    }

    fn purl_type(&self) -> &'static str {
        "basket"
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(a.cmp(b))
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Basket {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "basket-lock",
            files: &["basket.lock", "*.basket.lock"],
            versions: "v1",
            fixable: false,
            writer: None,
            parse,
        }]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["basket.txt"],
            unresolved,
        }]
    }

    fn companions(&self) -> &'static [&'static str] {
        &["basket.members"]
    }
}

/// Reads a `basket.lock`: a package a line, and their number at the end.
fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: EcosystemName::new("Basket"),
        format: FormatId::new("basket-lock-v1"),
        ..Lockfile::default()
    };

    let mut announced = None;
    for (line, text) in (1..).zip(input.text()?.lines()) {
        match text.split_once(' ') {
            _ if text.is_empty() || text.starts_with('#') => {}
            Some(("end", count)) => announced = count.parse().ok(),
            Some((name, version)) if announced.is_none() => lockfile.packages.push(Package {
                line,
                ..Package::new(
                    EcosystemName::new("Basket"),
                    name.to_owned(),
                    version.to_owned(),
                )
            }),
            _ => return Err(ParseError::new("has a line without a version").at_line(line as usize)),
        }
    }

    if announced != Some(lockfile.packages.len()) {
        return Err(ParseError::new(
            "is truncated: its last line does not count its packages",
        ));
    }

    lockfile.roots = roots(input, &lockfile);
    Ok(lockfile)
}

/// The project of the manifest next to the lockfile.
fn roots(input: &Input<'_>, lockfile: &Lockfile) -> Vec<Root> {
    let path = input.beside("basket.txt");
    let Some(bytes) = input.sibling(&path) else {
        return Vec::new();
    };
    let asked = unresolved(&Input {
        path: &path,
        bytes,
        siblings: input.siblings,
    });

    let edges = asked.unwrap_or_default().into_iter().filter_map(|asked| {
        let (to, _) = lockfile
            .indexed()
            .find(|(_, package)| package.name == asked.name)?;
        Some(Edge {
            to,
            name: asked.name.as_str().into(),
            requirement: Some(asked.requirement.as_str().into()),
            kind: asked.kind,
        })
    });
    vec![Root {
        edges: edges.collect(),
        manifest: Some(path),
        ..Root::default()
    }]
}

/// Reads a `basket.txt`: a name and a requirement a line.
fn unresolved(manifest: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    (1..)
        .zip(manifest.text()?.lines())
        .map(|(line, text)| {
            let (name, requirement) = text.split_once(' ').ok_or_else(|| {
                ParseError::new("has a line without a requirement").at_line(line as usize)
            })?;
            Ok(Unresolved {
                ecosystem: EcosystemName::new("toy"),
                name: name.to_owned(),
                requirement: requirement.to_owned(),
                kind: DependencyKind::Runtime,
                line,
            })
        })
        .collect()
}

fn index() -> FormatIndex {
    FormatIndex::new(&[&Basket])
}

/// The files of a fixture by their paths in its repository.
fn repository(fixture: &str) -> Siblings {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/add_a_format")
        .join(fixture);
    files_below(&root)
        .into_iter()
        .map(|file| {
            let path = file.strip_prefix(&root).unwrap();
            let path = path.to_str().unwrap().replace('\\', "/");
            (path, std::fs::read(&file).unwrap())
        })
        .collect()
}

fn read(files: &Siblings, bytes: &[u8]) -> Result<Lockfile, ParseError> {
    index().parse(&Input {
        path: "basket.lock",
        bytes,
        siblings: files,
    })
}

#[test]
fn the_format_is_read_through_the_same_entry_points() {
    let files = repository("read/shop");
    let index = index();
    let formats: Vec<&str> = index
        .formats_of("a/x.basket.lock")
        .map(|(_, format)| format.id)
        .collect();
    assert_eq!(formats, ["basket-lock"]);
    assert!(index.formats_of("Cargo.lock").next().is_none());
    for sibling in ["basket.lock", "a/basket.txt", "basket.members"] {
        assert!(index.is_sibling(sibling), "{sibling}");
    }

    let lockfile = read(&files, &files["basket.lock"]).unwrap();
    let packages: Vec<(&str, &str, u32)> = lockfile
        .packages
        .iter()
        .map(|package| (&*package.name, &*package.version, package.line))
        .collect();
    assert_eq!(packages, [("apples", "1.2.0", 2), ("pears", "0.9.1", 3)]);
    assert_eq!(lockfile.roots[0].manifest.as_deref(), Some("basket.txt"));
    assert_eq!(lockfile.roots[0].edges.len(), 1);

    let manifest = Input {
        path: "basket.txt",
        bytes: &files["basket.txt"],
        siblings: &files,
    };
    let (ecosystem, _) = index.manifest_of("basket.txt").unwrap();
    assert_eq!(ecosystem.name(), "Basket");
    assert_eq!(index.unresolved(&manifest).unwrap()[0].requirement, "^1");
}

#[test]
fn the_format_keeps_the_contract() {
    let files = repository("read/shop");
    let bytes = &files["basket.lock"];
    let whole = read(&files, bytes).unwrap();
    for cut in 0..bytes.len() {
        if let Ok(lockfile) = read(&files, &bytes[..cut]) {
            assert_eq!(lockfile.packages, whole.packages, "cut at byte {cut}");
        }
    }

    let alone = read(&Siblings::new(), bytes).unwrap();
    assert_eq!(alone.packages, whole.packages);
    let large = vec![b' '; limits::MAX_FILE_BYTES + 1];
    assert!(read(&files, &large).is_err());

    let refused = repository("refused/cut");
    let error = read(&refused, &refused["basket.lock"]).unwrap_err();
    assert!(error.reason.starts_with("is truncated"), "{error}");
}

/// A numbered step of a page.
struct Step {
    page: &'static str,
    title: String,
    /// The texts in backquotes.
    quoted: Vec<String>,
}

impl Step {
    /// The files and directories of the repository that the step names.
    fn paths(&self) -> Vec<&str> {
        let is_path = |text: &&str| {
            text.starts_with("crates/") || (text.ends_with(".md") && !text.contains(' '))
        };
        let paths = self.quoted.iter().map(String::as_str).filter(is_path);
        // `<type>` is a directory that the reader names.
        paths.filter(|path| !path.contains('<')).collect()
    }

    /// The names of code: `Format`, `FileReader::formats`.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.quoted.iter().map(String::as_str).filter(|text| {
            text.chars()
                .all(|c| c.is_alphanumeric() || "_:".contains(c))
        })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn steps(page: &'static str) -> Vec<Step> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text
        .split("\n## ")
        .find_map(|section| section.strip_prefix(page)?.strip_prefix('\n'))
        .unwrap_or_else(|| panic!("ARCHITECTURE.md has no section `{page}`"));

    let mut steps: Vec<String> = Vec::new();
    for line in section.lines() {
        if line.starts_with(&format!("{}. **", steps.len() + 1)) {
            steps.push(line.to_owned());
        } else if let Some(step) = steps.last_mut()
            && line.starts_with("   ")
        {
            step.push_str(line.trim_start_matches("  "));
        }
    }

    steps
        .iter()
        .map(|text| Step {
            page,
            title: text
                .split("**")
                .nth(1)
                .unwrap()
                .trim_end_matches('.')
                .to_owned(),
            quoted: text
                .split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect(),
        })
        .collect()
}

#[test]
fn every_step_of_the_page_is_followed_here() {
    let titles: Vec<String> = steps(PAGES[0]).into_iter().map(|step| step.title).collect();
    assert_eq!(titles, STEPS);
}

#[test]
fn every_path_on_the_pages_exists() {
    for page in PAGES {
        let steps = steps(page);
        assert!(steps.len() >= 4, "`{page}` has {} steps", steps.len());
        assert!(steps.iter().any(|step| !step.paths().is_empty()), "{page}");

        for step in &steps {
            for path in step.paths() {
                let exists = root().join(path).exists();
                assert!(exists, "`{}`, {}: {path}", step.page, step.title);
            }
        }
    }
}

/// A name that no file of its step contains was renamed or moved.
#[test]
fn every_name_on_the_page_is_in_a_file_of_its_step() {
    for step in PAGES.into_iter().flat_map(steps) {
        let texts: Vec<String> = step
            .paths()
            .into_iter()
            .map(|path| root().join(path))
            .filter(|path| path.is_file())
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect();
        for name in step.names() {
            let last = name.rsplit("::").next().unwrap_or(name);
            assert!(
                texts.iter().any(|text| text.contains(last)),
                "`{}`, {}: no file of the step contains `{name}`",
                step.page,
                step.title
            );
        }
    }
}

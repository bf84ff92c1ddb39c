//! Documents that other tools made of one small npm project, read whole.

use std::fmt::Write as _;
use std::path::Path;

use patchgate_model::{Edge, Lockfile};
use patchgate_sbom::{detect, read};

/// A document as one line a package, a root or a requirement.
fn show(lockfile: &Lockfile) -> String {
    let targets = |edges: &[Edge]| -> String {
        let names: Vec<String> = edges
            .iter()
            .map(|edge| {
                format!(
                    "{}:{:?}",
                    lockfile.package(edge.to).unwrap().name,
                    edge.kind
                )
            })
            .collect();
        names.join(" ")
    };
    let mut text = format!("{}\n", lockfile.format);
    for root in &lockfile.roots {
        writeln!(text, "root {} -> {}", root.name, targets(&root.edges)).unwrap();
    }
    for package in &lockfile.packages {
        let hash = package.integrity.as_deref().unwrap_or("-");
        let hash: String = hash.chars().take(12).collect();
        writeln!(
            text,
            "{} {} {} {:?} line {} {hash} -> {}",
            package.ecosystem,
            package.name,
            package.version,
            package.scope,
            package.line,
            targets(&package.edges)
        )
        .unwrap();
    }
    for wanted in &lockfile.unresolved {
        writeln!(text, "? {} {:?}", wanted.name, wanted.requirement).unwrap();
    }

    text
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documents/fixtures");
    std::fs::read(Path::new(folder).join(name)).unwrap()
}

pub(crate) const NAMES: [&str; 10] = [
    "cyclonedx-npm.cdx.json",
    "cyclonedx-npm.cdx.xml",
    "npm-sbom.cdx.json",
    "npm-sbom.spdx.json",
    "syft.cdx.json",
    "syft.cdx.xml",
    "syft.spdx",
    "syft.spdx.json",
    "syft.spdx.rdf.xml",
    "syft.spdx.yaml",
];

#[test]
fn documents_of_other_tools_are_read() {
    for name in NAMES {
        let lockfile =
            read(name, &fixture(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        insta::assert_snapshot!(name, show(&lockfile));
    }
}

/// All of them describe the same project, so all contain the same packages.
#[test]
fn all_tools_find_the_same_packages() {
    let packages = |name: &str| -> Vec<(String, String)> {
        let lockfile = read(name, &fixture(name)).unwrap();
        let mut found: Vec<_> = lockfile
            .packages
            .into_iter()
            .filter(|package| package.ecosystem == "npm" && package.name != "shop")
            .map(|package| (package.name, package.version))
            .collect();
        found.sort();
        found.dedup();
        found
    };
    let first = packages(NAMES[0]);
    assert!(first.len() > 5);
    for name in NAMES {
        assert_eq!(packages(name), first, "{name}");
    }
}

/// A document that is cut is refused, or all of its packages are there. Lines of tags and values
/// that end after the first package are a whole document by the specification.
#[test]
fn a_cut_document_never_passes_for_a_shorter_one() {
    for name in NAMES {
        let bytes = fixture(name);
        let whole = read(name, &bytes).unwrap().packages.len();
        let step = (bytes.len() / 150).max(1);
        for cut in (0..bytes.len()).step_by(step) {
            let cut_bytes = &bytes[..cut];
            let _ = detect(cut_bytes);
            if let Ok(lockfile) = read(name, cut_bytes) {
                let entries = lockfile.packages.len() + lockfile.unresolved.len();
                if name == "syft.spdx" && entries <= 1 {
                    continue;
                }
                assert_eq!(lockfile.packages.len(), whole, "{name} cut at {cut}");
            }
        }
    }
}

#[test]
fn hostile_xml_is_refused() {
    let document = r#"<!DOCTYPE bom [<!ENTITY a "b">]>
<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components/></bom>"#;
    let error = read("bom.xml", document.as_bytes()).unwrap_err();
    assert_eq!(error.reason, "has a document type, which is not supported");
    let error = read("bom.json", b"{}").unwrap_err();
    assert_eq!(error.reason, "is neither CycloneDX nor SPDX");
}

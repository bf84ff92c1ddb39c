//! Inventories that are written in every format, and read back as the same inventory.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchgate_model::{
    DependencyKind, EcosystemName, Edge, FormatId, Inventory, Lockfile, Origin, Package,
    PackageIndex, Root, Scope, Unresolved, without_credentials,
};
use patchgate_sbom::{CycloneDxVersion, OutputFormat, WriteOptions, detect, read, write};
use proptest::prelude::*;
use proptest::sample::Index;

/// Every format that is written, in every version.
pub(crate) const FORMATS: [OutputFormat; 9] = [
    OutputFormat::CycloneDxJson(CycloneDxVersion::V1_5),
    OutputFormat::CycloneDxJson(CycloneDxVersion::V1_6),
    OutputFormat::CycloneDxJson(CycloneDxVersion::V1_7),
    OutputFormat::CycloneDxXml(CycloneDxVersion::V1_5),
    OutputFormat::CycloneDxXml(CycloneDxVersion::V1_6),
    OutputFormat::CycloneDxXml(CycloneDxVersion::V1_7),
    OutputFormat::SpdxJson,
    OutputFormat::SpdxTagValue,
    OutputFormat::Spdx3Json,
];

pub(crate) fn options(locations: bool) -> WriteOptions<'static> {
    WriteOptions {
        name: "example",
        tool_version: "0.1.0",
        timestamp: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        locations,
    }
}

/// A hash in the one spelling in which documents are read: `sha512:` and hexadecimal digits.
fn hash(text: &str) -> String {
    if let Some((name @ ("sha1" | "sha256" | "sha384" | "sha512"), digest)) = text.split_once('-') {
        let digits = STANDARD.decode(digest).unwrap();
        let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
        return format!("{name}:{digits}");
    }

    match text.len() {
        64 => format!("sha256:{text}"),
        _ => text.to_owned(),
    }
}

/// The origin as documents have it: an address in a report has no credentials and no query.
fn published(origin: &Origin) -> Origin {
    let clean = |address: &String| without_credentials(address).into_owned();
    match origin {
        Origin::Registry(address) => Origin::Registry(address.as_ref().map(clean)),
        Origin::Git { url, commit } => Origin::Git {
            url: clean(url),
            commit: commit.clone(),
        },
        Origin::Url(address) => Origin::Url(clean(address)),
        Origin::Path(_) => origin.clone(),
    }
}

/// Everything about a package that a document keeps, but its edges.
fn describe(package: &Package) -> String {
    let package = &Package {
        origin: published(&package.origin),
        ..package.clone()
    };
    let integrity = package.integrity.as_deref().unwrap_or_default();
    let mut hashes: Vec<String> = integrity.split_whitespace().map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();

    format!(
        "{}:{:?} {:?} {:?} {} {:?} {:?} {:?} {:?} {} {hashes:?}",
        package.ecosystem,
        package.distribution,
        package.name,
        package.version,
        if package.ecosystem == "unknown" {
            String::new()
        } else {
            patchgate_ecosystems::purl(package)
        },
        package.origin,
        package.scope,
        package.groups,
        package.alias,
        package.bundled,
    )
}

/// The facts that [`write`] promises to keep.
fn same(lockfiles: &[Lockfile]) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for lockfile in lockfiles {
        let described: Vec<String> = lockfile.packages.iter().map(describe).collect();
        for (package, from) in lockfile.packages.iter().zip(&described) {
            facts.insert(from.clone());
            for edge in &package.edges {
                facts.insert(format!("{from} -> {}", described[edge.to.0 as usize]));
            }
        }

        for root in &lockfile.roots {
            let from = format!("root {:?} {:?}", root.name, root.manifest);
            facts.insert(from.clone());
            for edge in &root.edges {
                facts.insert(format!("{from} -> {}", described[edge.to.0 as usize]));
            }
        }

        for wanted in &lockfile.unresolved {
            facts.insert(format!(
                "{:?} {:?} {:?}",
                wanted.name, wanted.requirement, wanted.kind
            ));
        }
    }

    facts
}

/// Fails when something that [`write`] promises to keep is lost, or writing and reading again makes
/// another document.
pub(crate) fn check(inventory: &Inventory, with_locations: &[bool]) {
    let expected = same(&inventory.lockfiles);
    for format in FORMATS {
        for locations in with_locations.iter().copied() {
            let text = write(inventory, &options(locations), format);
            assert!(detect(text.as_bytes()).is_some(), "{format:?}");

            let lockfile = read("bom", text.as_bytes())
                .unwrap_or_else(|error| panic!("{format:?}: {error:?}\n{text}"));
            let found = same(std::slice::from_ref(&lockfile));
            let lost: Vec<_> = expected.difference(&found).take(3).collect();
            let made: Vec<_> = found.difference(&expected).take(3).collect();

            assert!(
                lost.is_empty() && made.is_empty(),
                "{format:?}\n-{lost:#?}\n+{made:#?}"
            );

            // From here on nothing changes, except for the locations.
            let once = Inventory {
                lockfiles: vec![lockfile],
                ..Inventory::default()
            };
            let second = write(&once, &options(false), format);
            let again = read("bom", second.as_bytes()).unwrap();
            let twice = Inventory {
                lockfiles: vec![again],
                ..Inventory::default()
            };

            assert_eq!(write(&twice, &options(false), format), second, "{format:?}");
            if !locations
                && inventory
                    .lockfiles
                    .iter()
                    .all(|file| file.unresolved.is_empty())
            {
                assert_eq!(second, text, "{format:?}");
            }
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c]{1,2}",
        1 => "@[a-b]/[a-b]",
        1 => "[a-z][a-zA-Z0-9 %<>&\"'#?@+:=_.\\\\-]{0,6}[a-z]",
        1 => "[ä-ü€😀]{1,2}",
    ]
}

fn kind() -> impl Strategy<Value = DependencyKind> {
    prop_oneof![
        Just(DependencyKind::Runtime),
        Just(DependencyKind::Optional),
        Just(DependencyKind::Peer),
        Just(DependencyKind::Build),
        Just(DependencyKind::Test),
        Just(DependencyKind::Development),
    ]
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        5 => Just(Origin::Registry(None)),
        1 => Just(Origin::Registry(Some("https://r.invalid/a-1.tgz".to_owned()))),
        1 => text().prop_map(|text| Origin::Registry(Some(text))),
        1 => text().prop_map(|text| Origin::Git { url: format!("https://g.invalid/{text}"), commit: Some("abc".to_owned()) }),
        1 => Just(Origin::Git { url: "git@g.invalid:a/b".to_owned(), commit: None }),
        1 => Just(Origin::Path(None)),
        1 => text().prop_map(|text| Origin::Path(Some(text))),
        1 => Just(Origin::Url("https://u.invalid/a.tgz".to_owned())),
    ]
}

fn integrity() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        Just(Some(
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned()
        )),
        Just(Some(
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned()
        )),
    ]
}

fn package() -> impl Strategy<Value = (Package, Vec<(Index, DependencyKind)>)> {
    (
        prop_oneof![
            Just("crates.io"),
            Just("npm"),
            Just("unknown"),
            Just("Debian")
        ],
        (text(), text()),
        (origin(), integrity(), kind()),
        (
            prop::option::of(text()),
            any::<bool>(),
            prop::collection::btree_set(text(), 0..2),
        ),
        prop::collection::vec((any::<Index>(), kind()), 0..4),
    )
        .prop_map(
            |(
                ecosystem,
                (name, version),
                (origin, integrity, scope),
                (alias, bundled, groups),
                edges,
            )| {
                let debian = ecosystem == "Debian";
                let package = Package {
                    origin,
                    integrity,
                    scope: Scope::from(scope),
                    alias,
                    bundled,
                    groups: groups.into_iter().collect(),
                    distribution: debian.then(|| "12".to_owned()),
                    purl: debian
                        .then(|| "pkg:deb/debian/libx@1?upstream=y&distro=debian-12".to_owned()),
                    ..Package::new(EcosystemName::new(ecosystem), name, version)
                };

                (package, edges)
            },
        )
}

type Edges = Vec<(Index, DependencyKind)>;

fn lockfile() -> impl Strategy<Value = Lockfile> {
    (
        prop::collection::vec(package(), 1..8),
        prop::collection::vec(
            (
                text(),
                prop::option::of(text()),
                prop::collection::vec((any::<Index>(), kind()), 0..4),
            ),
            0..3,
        ),
        prop::collection::vec((text(), text(), kind()), 0..2),
    )
        .prop_map(|(packages, roots, unresolved)| {
            let count = packages.len();
            let edges = |edges: Edges| {
                edges
                    .into_iter()
                    .map(|(to, kind)| Edge {
                        to: PackageIndex(u32::try_from(to.index(count)).unwrap()),
                        name: "x".into(),
                        requirement: None,
                        kind,
                    })
                    .collect::<Vec<_>>()
            };

            Lockfile {
                path: "lock".to_owned(),
                ecosystem: EcosystemName::new("npm"),
                format: FormatId::new("x"),
                unresolved: unresolved
                    .into_iter()
                    .map(|(name, requirement, kind)| Unresolved {
                        ecosystem: EcosystemName::new("npm"),
                        name,
                        requirement,
                        kind,
                        line: 1,
                    })
                    .collect(),
                roots: roots
                    .into_iter()
                    .map(|(name, manifest, to)| Root {
                        name,
                        manifest,
                        edges: edges(to),
                    })
                    .collect(),
                packages: packages
                    .into_iter()
                    .enumerate()
                    .map(|(index, (package, to))| {
                        let mut edges = edges(to);
                        // A package that needs itself is no dependency.
                        edges.retain(|edge| edge.to.0 as usize != index);
                        Package { edges, ..package }
                    })
                    .collect(),
                ..Lockfile::default()
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn inventories_are_read_back(lockfiles in prop::collection::vec(lockfile(), 1..3)) {
        check(&Inventory { lockfiles, ..Inventory::default() }, &[true, false]);
    }
}

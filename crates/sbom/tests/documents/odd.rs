//! Documents with entries that cannot be read: the other entries are read, and the lost ones are
//! listed with their lines.

use patchgate_model::{Lockfile, Loss};
use patchgate_sbom::read;

fn packages(lockfile: &Lockfile) -> Vec<(&str, &str)> {
    let packages = lockfile.packages.iter();
    packages
        .map(|package| (package.name.as_str(), package.version.as_str()))
        .collect()
}

fn skipped(lockfile: &Lockfile) -> Vec<(u32, Loss, &str)> {
    let entries = lockfile.skipped.iter();
    entries
        .map(|entry| (entry.line, entry.loss, entry.reason.as_str()))
        .collect()
}

#[test]
fn a_component_that_cannot_be_read_loses_only_itself() {
    let text = r#"{
"bomFormat": "CycloneDX",
"components": [
{"bom-ref": "a", "name": "a", "version": "1", "purl": "pkg:npm/a@1",
 "hashes": [{"alg": "SHA-256", "content": "00"}, {"alg": "MD2", "content": "00"}]},
{"bom-ref": "b", "name": ["b"], "version": "1",
 "components": [{"bom-ref": "c", "name": "c", "version": "1", "purl": "nonsense"}]},
7
],
"dependencies": [
{"ref": "a", "dependsOn": ["c", "gone"]},
{"ref": "c", "dependsOn": 7}
]
}"#;
    let lockfile = read("bom.json", text.as_bytes()).unwrap();

    assert_eq!(packages(&lockfile), [("a", "1"), ("c", "1")]);
    assert_eq!(lockfile.packages[0].edges.len(), 1);
    assert_eq!(
        skipped(&lockfile),
        [
            (1, Loss::Package, "lacks `specVersion`"),
            (
                1,
                Loss::Edge,
                "has a relation to `gone`, which it does not contain"
            ),
            (5, Loss::Detail, "has a hash that is not one of `SHA-256`"),
            (
                6,
                Loss::Package,
                "has a list under `name` where a text belongs"
            ),
            (7, Loss::Detail, "has the invalid package URL `nonsense`"),
            (
                8,
                Loss::Package,
                "has a number under `components` where a component belongs"
            ),
            (
                12,
                Loss::Edge,
                "has a number under `dependsOn` where a list belongs"
            ),
        ]
    );
}

#[test]
fn a_package_that_cannot_be_read_loses_only_itself() {
    let text = r#"{
"spdxVersion": "SPDX-2.3",
"packages": [
{"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1",
 "checksums": [{"algorithm": "SHA1", "checksumValue": "0"}]},
{"SPDXID": "SPDXRef-b", "name": {}, "versionInfo": "1"},
[]
],
"relationships": [
{"spdxElementId": "SPDXRef-a", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-b"},
{"spdxElementId": "SPDXRef-a", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "NOASSERTION"},
{"spdxElementId": "SPDXRef-a", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "DocumentRef-x:SPDXRef-c"}
]
}"#;
    let lockfile = read("bom.spdx.json", text.as_bytes()).unwrap();

    assert_eq!(packages(&lockfile), [("a", "1")]);
    let losses: Vec<_> = skipped(&lockfile)
        .into_iter()
        .map(|(line, loss, _)| (line, loss))
        .collect();
    assert_eq!(
        losses,
        [
            (1, Loss::Edge),
            (5, Loss::Detail),
            (6, Loss::Package),
            (7, Loss::Package),
        ]
    );

    let text = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
{"type":"software_Package","spdxId":"a","name":"a","software_packageVersion":"1"},
{"type":"software_Package","spdxId":"b","name":["b"],"software_packageVersion":"1"}]}"#;
    let lockfile = read("bom.json", text.as_bytes()).unwrap();
    assert_eq!(packages(&lockfile), [("a", "1")]);
    assert_eq!(
        skipped(&lockfile),
        [(
            3,
            Loss::Package,
            "has a list under `name` where a text belongs"
        )]
    );
}

/// A document that lists a component often, and refers to as many that do not exist.
#[test]
fn the_list_of_lost_entries_is_bounded() {
    let needs: Vec<String> = (0..1_000).map(|at| format!("\"{at}\"")).collect();
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"bom-ref":"a","name":"a","version":"1"}}],"dependencies":[{{"ref":"a","dependsOn":[{}]}}]}}"#,
        needs.join(",")
    );
    let lockfile = read("bom.json", text.as_bytes()).unwrap();

    assert_eq!(lockfile.skipped.len(), 101);
    assert!(
        lockfile
            .skipped
            .iter()
            .all(|entry| entry.loss == Loss::Edge)
    );
}

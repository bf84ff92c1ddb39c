//! Documents that are cut, deep, large or broken.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::samples::{csaf, cyclonedx, openvex, read, with};

fn samples() -> [(&'static str, Value); 3] {
    [
        ("OpenVEX", openvex()),
        ("CycloneDX", cyclonedx()),
        ("CSAF", csaf()),
    ]
}

#[test]
fn a_document_that_is_cut_anywhere_is_refused() {
    for (name, sample) in samples() {
        let text = sample.to_string();
        read(&sample);
        for end in 0..text.len() {
            assert!(
                patchgate_vex::read(&text.as_bytes()[..end]).is_err(),
                "{name} up to {end}"
            );
        }
    }
}

#[test]
fn depth_and_number_have_an_end() {
    let deep = format!(
        "{{\"@context\": \"https://openvex.dev/ns/v0.2.0\", \"statements\": {}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(patchgate_vex::read(deep.as_bytes()).is_err());

    let mut branch = json!({"category": "vendor", "name": "v"});
    for _ in 0..100 {
        branch = json!({"category": "vendor", "name": "v", "branches": [branch]});
    }

    let document = with(csaf(), "/product_tree/branches", json!([branch]));
    assert!(patchgate_vex::read(document.to_string().as_bytes()).is_err());
}

/// Few bytes that name many pairs of a vulnerability and a product.
#[test]
fn many_products_in_many_vulnerabilities_are_refused() {
    let purls: Vec<String> = (0..1_500)
        .map(|number| format!("pkg:npm/a{number}@1"))
        .collect();
    let product = json!({
        "name": "n",
        "product_id": "N",
        "product_identification_helper": {"purls": purls},
    });
    let vulnerabilities: Vec<Value> = (0..1_500)
        .map(|number| {
            json!({
                "cve": format!("CVE-2026-{number}"),
                "product_status": {"known_not_affected": ["N"]},
            })
        })
        .collect();

    let tree = json!({"full_product_names": [product]});
    let document = with(csaf(), "/product_tree", tree);
    let document = with(document, "/vulnerabilities", json!(vulnerabilities));
    let reason = crate::samples::refused(&document);

    assert!(reason.contains("makes more than"), "{reason}");
}

#[test]
fn long_texts_are_cut() {
    let document = with(
        openvex(),
        "/statements/0/impact_statement",
        json!("ä".repeat(100_000)),
    );
    let impact = read(&document).statements[0].impact.clone().unwrap();
    assert_eq!(impact.chars().count(), 4_001);
}

#[test]
fn a_key_that_stands_there_twice_is_refused() {
    let text =
        openvex()
            .to_string()
            .replacen("\"status\":", "\"status\":\"affected\",\"status\":", 1);
    let error = patchgate_vex::read(text.as_bytes()).unwrap_err();
    assert!(error.reason.contains("twice"), "{error}");
}

#[test]
fn values_of_another_kind_are_refused() {
    let pointers = [
        (openvex(), "/statements"),
        (openvex(), "/statements/0"),
        (openvex(), "/statements/0/vulnerability"),
        (openvex(), "/statements/0/vulnerability/name"),
        (openvex(), "/statements/0/vulnerability/aliases"),
        (openvex(), "/statements/0/products"),
        (openvex(), "/statements/0/products/0"),
        (openvex(), "/statements/0/status"),
        (openvex(), "/statements/0/justification"),
        (openvex(), "/timestamp"),
        (cyclonedx(), "/vulnerabilities"),
        (cyclonedx(), "/vulnerabilities/0"),
        (cyclonedx(), "/vulnerabilities/0/affects"),
        (cyclonedx(), "/vulnerabilities/0/analysis/state"),
        (cyclonedx(), "/components"),
        (csaf(), "/document/tracking/status"),
        (csaf(), "/document/tracking/id"),
        (csaf(), "/product_tree/branches"),
        (csaf(), "/vulnerabilities"),
        (
            csaf(),
            "/vulnerabilities/0/product_status/known_not_affected",
        ),
        (csaf(), "/vulnerabilities/0/flags"),
    ];

    for (sample, pointer) in pointers {
        let broken = with(sample, pointer, json!(true));
        assert!(
            patchgate_vex::read(broken.to_string().as_bytes()).is_err(),
            "{pointer}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// With any byte changed, reading ends, and the statements that were read can be applied.
    #[test]
    fn no_mutation_breaks_it(which in 0_usize..3, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let (_, sample) = &samples()[which];
        let mut bytes = sample.to_string().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;

        for text in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(document) = patchgate_vex::read(text) {
                let _ = crate::samples::apply(vec![document], &["pkg:oci/shop@2.0"], crate::samples::lib());
            }
        }
    }
}

//! Documents that an editor, a broken download or an attacker changed: read, or refused with a
//! reason, in bounded time and memory.

use patchgate_sbom::{Format, detect, read};

use crate::fixtures::fixture;
use crate::mutated::{counts, documents, lost};

#[test]
fn line_ends_and_byte_order_marks_change_nothing() {
    for (name, bytes) in documents() {
        let whole = read(name, &bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();

        for variant in [text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
            assert_eq!(
                detect(variant.as_bytes()),
                detect(text.as_bytes()),
                "{name}"
            );
            assert_eq!(read(name, variant.as_bytes()).unwrap(), whole, "{name}");
        }
    }
}

#[test]
fn what_is_no_text_or_stands_in_a_merge_is_refused() {
    for (name, bytes) in documents() {
        let with = |more: &[u8]| [&bytes, more].concat();
        let utf_16: Vec<u8> = String::from_utf8(bytes.clone())
            .unwrap()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();

        for (changed, reason) in [
            (Vec::new(), "is empty"),
            (b" \n \n".to_vec(), "is empty"),
            (with(b"\n\xff\xfe\n"), "is not UTF-8"),
            (with(b"\n\0\n"), "is not text: it contains NUL bytes"),
            (utf_16, "is not text: it contains NUL bytes"),
            (with(b"\n<<<<<<< HEAD\n"), "has merge conflict markers"),
        ] {
            assert_eq!(read(name, &changed).unwrap_err().reason, reason, "{name}");
        }
    }
}

#[test]
fn a_document_beyond_the_limit_is_refused() {
    for (name, mut bytes) in documents() {
        bytes.resize(patchgate_ecosystems::limits::MAX_FILE_BYTES + 1, b' ');
        let error = read(name, &bytes).unwrap_err();
        assert_eq!(error.reason, "is larger than 32 MiB", "{name}");
    }
}

/// A key that is there twice, so that one would hide the other.
#[test]
fn what_stands_there_twice_hides_nothing() {
    let doubled = |name: &str, from: &str, to: &str| {
        let text = String::from_utf8(fixture(name)).unwrap();
        assert!(text.contains(from), "{name}");
        read(name, text.replacen(from, to, 1).as_bytes())
    };
    for (name, from, to, reason) in [
        (
            "cyclonedx-npm.cdx.json",
            "\"components\":",
            "\"components\": [], \"components\":",
            "has the key `components` twice",
        ),
        (
            "syft.spdx.json",
            "\"packages\":",
            "\"packages\": [], \"packages\":",
            "has the key `packages` twice",
        ),
        (
            "syft.spdx.yaml",
            "\npackages:",
            "\npackages: []\npackages:",
            "has the key `packages` twice",
        ),
        // The first line of the second package is lost.
        (
            "syft.spdx",
            "PackageName: @babel/code-frame",
            "PackageNames: @babel/code-frame",
            "has `SPDXID` twice in a package",
        ),
    ] {
        assert_eq!(
            doubled(name, from, to).unwrap_err().reason,
            reason,
            "{name}"
        );
    }

    let whole = read("a", &fixture("cyclonedx-npm.cdx.xml")).unwrap();
    let from = "  <components>";
    let with = doubled(
        "cyclonedx-npm.cdx.xml",
        from,
        &format!("<components/>{from}"),
    );

    assert_eq!(lost(&whole, &with.unwrap()), 0);
}

#[test]
fn entities_and_document_types_are_refused() {
    let bomb = "<!DOCTYPE bom [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let outside = "<!DOCTYPE bom SYSTEM \"file:///etc/passwd\">";

    for (name, top) in [
        ("cyclonedx-npm.cdx.xml", "<bom"),
        ("syft.cdx.xml", "<bom"),
        ("syft.spdx.rdf.xml", "<rdf:RDF"),
    ] {
        let text = String::from_utf8(fixture(name)).unwrap();
        for kind in [bomb, outside] {
            let changed = text.replacen(top, &format!("{kind}{top}"), 1);
            let error = read(name, changed.as_bytes()).unwrap_err();
            assert_eq!(
                error.reason, "has a document type, which is not supported",
                "{name}"
            );
        }
        let changed = text.replacen("</name>", "&b;</name>", 1);
        let changed = changed.replacen("</spdx:name>", "&b;</spdx:name>", 1);
        let error = read(name, changed.as_bytes()).unwrap_err();
        assert_eq!(
            error.reason, "uses the entity `&b;`, which is not supported",
            "{name}"
        );
    }
}

#[test]
fn aliases_are_written_out_within_bounds() {
    let yaml = |rest: &str| {
        let head =
            "spdxVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\ndocumentDescribes: [SPDXRef-a]\n";
        read("bom.yaml", format!("{head}{rest}").as_bytes())
    };
    let package = "{SPDXID: SPDXRef-a, name: &name a, versionInfo: &v '1'}";
    let again = "{SPDXID: SPDXRef-b, name: *name, versionInfo: *v}";
    let read = yaml(&format!("packages: [{package}, {again}]\n")).unwrap();

    assert_eq!(counts(&read)[&("a", "1")], 2);

    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }

    let error = yaml(&bomb).unwrap_err();
    assert!(error.reason.contains("aliases written out"), "{error}");

    let names = vec!["{name: *long}"; 100].join(",");
    let long = format!(
        "a: &long {}\npackages: [{names}]\n",
        "x".repeat(1024 * 1024)
    );
    let error = yaml(&long).unwrap_err();

    assert!(error.reason.contains("aliases written out"), "{error}");
}

#[test]
fn deep_nesting_is_refused() {
    let wrap = |depth: usize, before: &str, open: &str, close: &str, after: &str| {
        format!(
            "{before}{}{}{after}",
            open.repeat(depth),
            close.repeat(depth)
        )
    };

    for depth in [200, 100_000] {
        for text in [
            wrap(
                depth,
                r#"{"bomFormat":"CycloneDX","specVersion":"1.6","x":"#,
                "[",
                "]",
                "}",
            ),
            wrap(
                depth,
                r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":["#,
                r#"{"components":["#,
                "]}",
                "]}",
            ),
            wrap(
                depth,
                r#"{"spdxVersion":"SPDX-2.3","x":"#,
                "{\"a\":",
                "}",
                "}",
            ),
            wrap(
                depth,
                r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":"#,
                "[",
                "]",
                "}",
            ),
            wrap(
                depth,
                "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\">",
                "<components><component>",
                "</component></components>",
                "</bom>",
            ),
            wrap(
                depth,
                "<rdf:RDF xmlns:spdx=\"http://spdx.org/rdf/terms#\">",
                "<spdx:Package>",
                "</spdx:Package>",
                "</rdf:RDF>",
            ),
            wrap(depth, "spdxVersion: SPDX-2.3\nx: ", "[", "]", "\n"),
            wrap(depth, "spdxVersion: SPDX-2.3\nx:\n  ", "- ", "", "\n"),
        ] {
            assert!(detect(text.as_bytes()).is_some(), "{}", &text[..60]);
            let result = read("bom", text.as_bytes());
            assert!(result.is_err(), "{depth}: {}", &text[..60]);
        }
    }
}

#[test]
fn more_packages_than_the_limit_are_refused() {
    let list = |item: &str| vec![item; patchgate_ecosystems::limits::MAX_PACKAGES + 1].join(",");
    let lines = |item: &str| item.repeat(patchgate_ecosystems::limits::MAX_PACKAGES + 1);

    for text in [
        format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}]}}"#,
            list("{}")
        ),
        format!(
            r#"{{"spdxVersion":"SPDX-2.3","packages":[{}]}}"#,
            list("{}")
        ),
        format!(
            r#"{{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{}]}}"#,
            list(r#"{"type":"software_Package"}"#)
        ),
        format!(
            "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"><components>{}</components></bom>",
            lines("<component/>")
        ),
        format!(
            "<r:RDF xmlns:s=\"http://spdx.org/rdf/terms#\"><s:SpdxDocument><s:specVersion>SPDX-2.3</s:specVersion></s:SpdxDocument>{}</r:RDF>",
            lines("<s:Package><s:a/></s:Package>")
        ),
        format!("SPDXVersion: SPDX-2.3\n{}", lines("PackageName: a\n")),
        format!(
            "spdxVersion: SPDX-2.3\ndocumentDescribes: [a]\npackages:\n{}",
            lines("- SPDXID: a\n")
        ),
    ] {
        let error = read("bom", text.as_bytes()).unwrap_err();
        let known = ["has more than 200000 components", "has too many packages"];
        assert!(
            known.contains(&error.reason.as_str()),
            "{error}: {}",
            &text[..60]
        );
    }
}

/// Texts that are written once and meant many times: without a bound, each of these takes
/// hundreds of gigabytes.
#[test]
fn long_texts_are_not_copied_for_each_relation() {
    let long = "x".repeat(4 * 1024 * 1024);
    let many = vec!["\"a\""; 100_000].join(",");
    // The identifier of the component with the relations.
    for text in [
        format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"bom-ref":"a","name":"a"}}],"dependencies":[{{"ref":"{long}","dependsOn":[{many}]}}]}}"#
        ),
        format!(
            r#"{{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{{"type":"software_Package","spdxId":"a","name":"a"}},{{"type":"Relationship","relationshipType":"dependsOn","from":"{long}","to":[{many}]}}]}}"#
        ),
        format!(
            "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"><components><component><name>a</name></component></components><dependencies><dependency ref=\"{long}\">{}</dependency></dependencies></bom>",
            "<dependency ref=\"a\"/>".repeat(100_000)
        ),
        format!(
            "<r:RDF xmlns:s=\"http://spdx.org/rdf/terms#\"><s:SpdxDocument><s:specVersion>SPDX-2.3</s:specVersion></s:SpdxDocument><s:Package about=\"{long}\"><s:name>a</s:name>{}</s:Package></r:RDF>",
            "<s:Relationship><s:relationshipType>x_dependsOn</s:relationshipType><s:relatedSpdxElement resource=\"a\"/></s:Relationship>".repeat(50_000)
        ),
    ] {
        let read = read("bom", text.as_bytes()).unwrap();
        assert_eq!(read.packages.len() + read.unresolved.len(), 1, "{}", &text[..60]);
    }
    // The name of what many need.
    let users: Vec<String> = (0..10_000)
        .map(|at| format!(r#"{{"bom-ref":"u{at}","name":"u","version":"1"}}"#))
        .collect();

    let needs: Vec<String> = (0..10_000)
        .map(|at| format!(r#"{{"ref":"u{at}","dependsOn":["a"]}}"#))
        .collect();
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"bom-ref":"a","version":"1","name":"{long}"}},{}],"dependencies":[{}]}}"#,
        users.join(","),
        needs.join(",")
    );
    let error = read("bom", text.as_bytes()).unwrap_err();

    assert_eq!(
        error.reason,
        "has too many relations to components with long names"
    );

    // The release of the operating system that all packages are of.
    let system = format!(r#"{{"type":"operating-system","name":"fedora","version":"{long}"}}"#);
    let package = r#"{"name":"a","purl":"pkg:rpm/fedora/a@1"}"#;
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{system},{}]}}"#,
        vec![package; 100_000].join(",")
    );
    let error = read("bom", text.as_bytes()).unwrap_err();

    assert_eq!(
        error.reason,
        "names an operating system with a name or version of more than 256 bytes"
    );
}

/// A qualifier of which every part could be a distribution is looked at once, not once a part.
#[test]
fn a_distribution_of_many_dashes_takes_no_time() {
    let purl = format!("pkg:deb/x/a@1?distro={}", "a-".repeat(4 * 1024 * 1024));
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"name":"a","purl":"{purl}"}}]}}"#
    );
    assert_eq!(read("bom", text.as_bytes()).unwrap().packages.len(), 1);
    let contexts = "\"@context\":1,".repeat(1_000_000);
    let text = format!(r#"{{{contexts}"bomFormat":"CycloneDX"}}"#);
    assert_eq!(detect(text.as_bytes()), Some(Format::CycloneDxJson));
}

/// Forms that the formats allow, and of which the packages would be overlooked.
#[test]
fn what_is_written_in_an_unusual_form_is_read_or_refused() {
    let graph = |element: &str| {
        let head = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":["#;
        read("bom.json", format!("{head}{element}]}}").as_bytes())
    };
    for (kind, reason) in [
        (
            r#""https://spdx.org/rdf/3.0.1/terms/Software/Package""#,
            "has an element of type `https://spdx.org/rdf/3.0.1/terms/Software/Package`, which is not supported",
        ),
        (
            r#"["software_Package"]"#,
            "has a list under `type` where a text belongs",
        ),
    ] {
        let error = graph(&format!(r#"{{"type":{kind},"name":"a"}}"#)).unwrap_err();
        assert_eq!(error.reason, reason);
    }
    let error = graph(r#"{"name":"a"}"#).unwrap_err();
    assert_eq!(error.reason, "has an element without `type`");
    let model = r#"{"type":"ai_AIPackage","name":"a","software_packageVersion":"1"}"#;
    assert_eq!(graph(model).unwrap().packages.len(), 1);

    let rdf = |package: &str| {
        let head = "<rdf:RDF xmlns:rdf=\"r\" xmlns:s=\"http://spdx.org/rdf/terms#\"><s:SpdxDocument><s:specVersion>SPDX-2.3</s:specVersion></s:SpdxDocument>";
        read("bom.rdf", format!("{head}{package}</rdf:RDF>").as_bytes())
    };
    let described = "<rdf:Description rdf:about=\"x#a\"><rdf:type rdf:resource=\"http://spdx.org/rdf/terms#Package\"/><s:name>a</s:name><s:versionInfo>1</s:versionInfo></rdf:Description>";
    assert_eq!(counts(&rdf(described).unwrap())[&("a", "1")], 1);
    let error = rdf("<s:Package s:name=\"a\" s:versionInfo=\"1\"/>").unwrap_err();
    assert_eq!(
        error.reason,
        "has `name` of a package as an attribute, which is not supported"
    );

    // A relation must not name a component that does not exist.
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","component":[{"bom-ref":"a","name":"a"}],"dependencies":[{"ref":"a","dependsOn":["b"]}]}"#;
    let error = read("bom.json", text.as_bytes()).unwrap_err();
    assert_eq!(
        error.reason,
        "is incomplete: it relates components but contains none of them"
    );
    let text = String::from_utf8(fixture("syft.spdx.json")).unwrap();
    let text = text.replacen("\"packages\":", "\"package\":", 1);
    let error = read("bom.json", text.as_bytes()).unwrap_err();
    assert!(error.reason.starts_with("is incomplete"), "{error}");
    // Documents about files alone have no packages.
    let text = r#"{"spdxVersion":"SPDX-2.3","documentDescribes":["SPDXRef-f"],"files":[{"SPDXID":"SPDXRef-f"}]}"#;
    assert!(
        read("bom.json", text.as_bytes())
            .unwrap()
            .packages
            .is_empty()
    );
}

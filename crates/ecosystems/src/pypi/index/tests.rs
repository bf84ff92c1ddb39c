use super::*;

const PAGE: &str = r#"{
  "meta": { "api-version": "1.1" },
  "name": "Shop_Core",
  "versions": ["1.0", "1.1", "2.0rc1"],
  "files": [
    { "filename": "shop-core-1.0.tar.gz", "url": "https://files.invalid/shop-core-1.0.tar.gz#sha256=aa",
      "hashes": { "sha256": "aa" }, "yanked": "broken", "size": 10, "upload-time": "2020-01-02T00:00:00Z" },
    { "filename": "shop_core-1.1-cp312-cp312-win32.whl", "url": "../../f/shop_core-1.1-cp312-cp312-win32.whl",
      "hashes": { "sha256": "bb" }, "core-metadata": { "sha256": "cc" }, "requires-python": ">=3.9" },
    { "filename": "shop_core-1.1-py3-none-any.whl", "url": "../../f/shop_core-1.1-py3-none-any.whl",
      "hashes": { "sha256": "dd" }, "yanked": true, "data-dist-info-metadata": true, "requires-python": ">=3.8",
      "upload-time": "2021-01-02T00:00:00Z" },
    { "filename": "shop-core-1.1.tar.gz", "url": "../../f/shop-core-1.1.tar.gz", "hashes": {},
      "upload-time": "2021-01-01T00:00:00Z" },
    { "filename": "shop_core-2.0.RC1.zip", "url": "https://files.invalid/shop_core-2.0.RC1.zip", "hashes": {} },
    { "filename": "shop_core-1.0-py3.8.egg", "url": "x", "hashes": {} },
    { "filename": "shop-3.0.tar.gz", "url": "x", "hashes": {} }
  ]
}"#;

#[test]
fn a_page_is_requested_by_its_normal_name() {
    let request = request("https://index.invalid/simple/", "shop-core");
    assert_eq!(request.url, "https://index.invalid/simple/shop-core/");
    assert_eq!(
        super::request("https://i.invalid", "../a?b").url,
        "https://i.invalid/ab/"
    );
}

#[test]
fn files_are_grouped_by_their_release() {
    let releases = parse("shop.core", PAGE.as_bytes()).unwrap();
    let shown: Vec<String> = releases
        .iter()
        .map(|release| {
            format!(
                "{} yanked={} files={} {:?} {:?} {}",
                release.version,
                release.yanked,
                release.files.len(),
                release.published,
                release.runtime,
                release.details.as_ref().unwrap().url
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#"1.0 yanked=true files=1 Some("2020-01-02T00:00:00Z") None https://files.invalid/shop-core-1.0.tar.gz.metadata"#,
            r#"1.1 yanked=false files=3 Some("2021-01-01T00:00:00Z") Some(">=3.8") ../../f/shop_core-1.1-py3-none-any.whl.metadata"#,
            r#"2.0rc1 yanked=false files=1 None None https://files.invalid/shop_core-2.0.RC1.zip.metadata"#,
        ]
    );
    assert_eq!(
        releases[0].files[0].url,
        "https://files.invalid/shop-core-1.0.tar.gz"
    );
    assert_eq!(releases[0].files[0].size, Some(10));
}

#[test]
fn other_answers_are_errors() {
    for body in [
        "",
        "<!DOCTYPE html>",
        "{}",
        r#"{"meta":{"api-version":"2.0"},"name":"a","files":[]}"#,
        r#"{"meta":{"api-version":"1.0"},"name":"b","files":[]}"#,
        r#"{"meta":{"api-version":"1.0"},"name":"a","files":[{"url":"x"}]}"#,
    ] {
        assert!(parse("a", body.as_bytes()).is_err(), "{body}");
    }
}

fn details(file: &str, metadata: &str) -> Result<Release, ParseError> {
    let mut release = Release {
        version: "1.1".to_owned(),
        details: Some(MetadataRequest {
            url: format!("https://files.invalid/{file}.metadata"),
            accept: None,
        }),
        ..Release::default()
    };
    let result = complete("shop-core", &mut release, metadata.as_bytes());
    // After an error the dependencies are still unknown.
    assert_eq!(release.details.is_some(), result.is_err());
    result.map(|()| release)
}

#[test]
fn dependencies_have_extras_and_conditions() {
    let release = details(
        "shop_core-1.1-py3-none-any.whl",
        "Metadata-Version: 2.1\r\nName: shop_core\r\nVersion: 1.1\r\nRequires-Python: >=3.9\r\n\
         Requires-Dist: a[x, y] (>=1.0) ; python_version < \"3.11\"\r\n\
         Requires-Dist: b ; extra == 'color'\r\nRequires-Dist: c<2,\r\n  >=1\r\n\
         Requires-Dist: d @ https://h.invalid/d.zip\r\n\r\nRequires-Dist: text\r\n",
    )
    .unwrap();
    let shown: Vec<_> = release
        .requirements
        .iter()
        .map(|wanted| {
            let Requirement {
                name,
                requirement,
                kind,
                condition,
                features: extras,
                ..
            } = wanted;
            format!("{name} {extras:?} {requirement} {kind:?} {condition}")
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#"a ["x", "y"] >=1.0 Runtime python_version < "3.11""#,
            "b []  Optional extra == 'color'",
            "c [] <2, >=1 Runtime ",
            "d [] @ https://h.invalid/d.zip Runtime ",
        ]
    );
    assert_eq!(release.runtime.as_deref(), Some(">=3.9"));
}

#[test]
fn dependencies_of_a_build_stay_unknown() {
    let source = "shop-core-1.1.tar.gz";
    let head = "Name: shop-core\nVersion: 1.1\n";
    assert!(details(source, &format!("Metadata-Version: 2.1\n{head}")).is_err());
    let dynamic = format!("Metadata-Version: 2.2\n{head}Dynamic: Requires-Dist\n");
    assert!(details(source, &dynamic).is_err());
    assert!(details(source, &format!("Metadata-Version: 2.2\n{head}")).is_ok());
}

#[test]
fn other_metadata_is_an_error() {
    for metadata in [
        "",
        "<html>",
        "Metadata-Version: 3.0\nName: shop-core\nVersion: 1.1\n",
        "Metadata-Version: 2.1\nName: other\nVersion: 1.1\n",
        "Metadata-Version: 2.1\nName: shop-core\nVersion: 1.2\n",
        "Metadata-Version: 2.1\nName: shop-core\nVersion: 1.1\nRequires-Dist: ?\n",
    ] {
        assert!(
            details("a-1.1-py3-none-any.whl", metadata).is_err(),
            "{metadata}"
        );
    }
}

use super::*;

const SUM: &str = "1111111111111111111111111111111111111111111111111111111111111111";

fn line(vers: &str, rest: &str) -> String {
    format!(r#"{{"name":"left","vers":"{vers}","deps":[],"cksum":"{SUM}","features":{{}}{rest}}}"#)
}

#[test]
fn paths_follow_the_length_of_the_name() {
    for (name, path) in [
        ("a", "1/a"),
        ("AB", "2/ab"),
        ("abc", "3/a/abc"),
        ("Serde_JSON", "se/rd/serde_json"),
        ("../../x", "%2E%2E/%2F%2E/%2E%2E%2F%2E%2E%2Fx"),
        ("a?b#c", "a%3F/b%23/a%3Fb%23c"),
    ] {
        for base in [
            "https://index.invalid/git",
            "https://index.invalid/git/",
            "sparse+https://index.invalid/git/",
        ] {
            assert_eq!(
                metadata_request(base, name).url,
                format!("https://index.invalid/git/{path}")
            );
        }
    }
}

#[test]
fn reads_releases() {
    let body = [
        line("1.0.0", r#","yanked":true"#),
        String::new(),
        format!(
            r#"{{"name":"Left","vers":"1.1.0+build","cksum":"{SUM}","features":{{"a":["c"],"c":[]}},"features2":{{"a":["dep:b"]}},"v":2,"rust_version":"1.70","yanked":false,"links":"left","pubtime":"2024-01-02T03:04:05Z","deps":[
            {{"name":"itoa","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal"}},
            {{"name":"old","req":"=0.4.1","features":["x"],"optional":true,"default_features":false,"target":"cfg(unix)","kind":"normal","registry":null,"package":"itoa"}},
            {{"name":"cc","req":"1.0","features":[],"optional":true,"default_features":true,"target":null,"kind":"build"}},
            {{"name":"quick","req":"1","features":[],"optional":false,"default_features":true,"target":null,"kind":"dev"}},
            {{"name":"bare","req":"*","features":[],"optional":false,"default_features":true}}]}}"#
        )
        .replace("\n            ", ""),
        r#"{"v":3,"name":"left","something":"else"}"#.to_owned(),
    ]
    .join("\n");
    let releases = parse_metadata("left", body.as_bytes()).expect("it is read");

    assert_eq!(releases.len(), 2);
    assert!(releases[0].yanked && !releases[1].yanked);

    assert_eq!(releases[1].runtime.as_deref(), Some("1.70"));
    assert_eq!(releases[1].links.as_deref(), Some("left"));
    assert_eq!(
        releases[1].published.as_deref(),
        Some("2024-01-02T03:04:05Z")
    );
    assert_eq!(releases[1].features["a"], ["c", "dep:b"]);
    assert_eq!(
        releases[1].files[0].hashes,
        [("sha256".to_owned(), SUM.to_owned())]
    );
    let old = &releases[1].requirements[1];
    assert!(old.optional && old.no_default_features && old.registry.is_none());
    assert_eq!(
        (old.features.as_slice(), old.condition.as_str()),
        (["x".to_owned()].as_slice(), "cfg(unix)")
    );
    let cc = &releases[1].requirements[2];
    assert!(cc.optional && !cc.no_default_features);

    let requirements: Vec<_> = releases[1]
        .requirements
        .iter()
        .map(|r| {
            (
                r.name.as_str(),
                r.package.as_deref(),
                r.requirement.as_str(),
                r.kind,
            )
        })
        .collect();
    assert_eq!(
        requirements,
        [
            ("itoa", None, "^1", DependencyKind::Runtime),
            ("old", Some("itoa"), "=0.4.1", DependencyKind::Optional),
            ("cc", None, "1.0", DependencyKind::Build),
            ("quick", None, "1", DependencyKind::Development),
            ("bare", None, "*", DependencyKind::Runtime),
        ]
    );
}

#[test]
fn refuses_other_answers() {
    let other = line("1.0.0", "").replace("left", "right");
    let no_version = line("latest", "");
    let no_sum = line("1.0.0", "").replace(SUM, "11");
    let half = &line("1.0.0", "")[..40];
    for (body, message, at) in [
        ("", "is empty", None),
        ("\n\n", "is empty", None),
        (
            r#"{"v":3}"#,
            "contains only entries newer than version 2 of the index format",
            None,
        ),
        (&other, "describes a crate other than `left`", Some(1)),
        (&no_version, "has an entry with an invalid `vers`", Some(1)),
        (
            &no_sum,
            "has an entry with a `cksum` that is not a SHA-256 checksum",
            Some(1),
        ),
        (
            half,
            "is not an index file: EOF while parsing a value at line 1 column 40",
            Some(1),
        ),
        (
            "<html>",
            "is not an index file: expected value at line 1 column 1",
            Some(1),
        ),
    ] {
        let error = parse_metadata("left", body.as_bytes()).expect_err(body);
        assert_eq!((error.reason.as_str(), error.line), (message, at));
    }

    assert!(parse_metadata("left", b"\xff").is_err());
}

#[test]
fn an_archive_is_where_the_settings_of_the_index_say() {
    let release = Release {
        version: "1.0.0".to_owned(),
        files: vec![ReleaseFile {
            hashes: vec![("sha256".to_owned(), "AB".repeat(32))],
            ..ReleaseFile::default()
        }],
        ..Release::default()
    };
    for (settings, url) in [
        (
            r#"{"dl": "https://index.invalid/dl/"}"#,
            Some("https://index.invalid/dl/serde/1.0.0/download"),
        ),
        (
            r#"{"dl": "https://index.invalid/{prefix}/{crate}-{version}.crate", "api": null}"#,
            Some("https://index.invalid/se/rd/serde-1.0.0.crate"),
        ),
        (r#"{"dl": "https://index.invalid/{other}"}"#, None),
        (
            r#"{"dl": "https://index.invalid", "auth-required": true}"#,
            None,
        ),
        ("<html>", None),
    ] {
        let found = archive("serde", &release, settings.as_bytes());
        assert_eq!(found.as_ref().map(|one| one.url.as_str()), url);
        assert!(found.is_none_or(|one| one.hash == "ab".repeat(32)));
    }
}

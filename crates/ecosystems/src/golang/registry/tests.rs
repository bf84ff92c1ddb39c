use super::*;

fn versions(name: &str, list: &str) -> Vec<String> {
    parse_metadata(name, list.as_bytes())
        .unwrap()
        .into_iter()
        .map(|release| release.version)
        .collect()
}

#[test]
fn addresses_escape_capital_letters_and_nothing_leads_elsewhere() {
    for (name, expected) in [
        (
            "github.com/Azure/go-X",
            "https://p.invalid/github.com/!azure/go-!x/@v/list",
        ),
        ("a.invalid/b/v2", "https://p.invalid/a.invalid/b/v2/@v/list"),
        ("a?b#c%d", "https://p.invalid/a%3Fb%23c%25d/@v/list"),
        ("a!b", "https://p.invalid/a%21b/@v/list"),
    ] {
        assert_eq!(metadata_request("https://p.invalid/", name).url, expected);
    }
}

#[test]
fn a_list_has_the_versions_of_the_path_in_order() {
    let list = "v1.10.0\nv1.9.0\nmaster\nv1.9.0\nv2.0.0\nv2.0.0+incompatible\nv1.2\n\
                v0.0.0-20200101000000-abcdefabcdef\nv1.11.0-rc.1\n";
    assert_eq!(
        versions("a.invalid/b", list),
        ["v1.9.0", "v1.10.0", "v1.11.0-rc.1", "v2.0.0+incompatible"]
    );
    assert_eq!(versions("a.invalid/b/v2", list), ["v2.0.0"]);
    assert_eq!(versions("gopkg.in/b.v2", list), ["v2.0.0"]);
}

#[test]
fn a_module_without_tags_has_its_newest_commit() {
    assert!(versions("a.invalid/b", "").is_empty());
    let mut pages = metadata_pages(b"\n");
    let page = pages
        .remove(0)
        .resolve("https://p.invalid/a.invalid/b/@v/list");
    assert_eq!(page.url, "https://p.invalid/a.invalid/b/@latest");
    assert!(metadata_pages(b"v1.0.0\n").is_empty());

    let latest = br#"{"Version":"v0.0.0-20200101000000-abcdefabcdef","Time":"2020-01-01T00:00:00Z","Origin":{}}"#;
    let releases = parse_metadata("a.invalid/b", latest).unwrap();
    assert_eq!(releases[0].version, "v0.0.0-20200101000000-abcdefabcdef");
    assert_eq!(
        releases[0].published.as_deref(),
        Some("2020-01-01T00:00:00Z")
    );
}

#[test]
fn the_requirements_of_a_release_are_in_its_go_mod() {
    let mut release = parse_metadata("a.invalid/B", b"v1.0.0-Rc.1\n")
        .unwrap()
        .remove(0);
    release.resolve("https://p.invalid/a.invalid/!b/@v/list");
    let details = release.details.clone().unwrap();
    assert_eq!(
        details.url,
        "https://p.invalid/a.invalid/!b/@v/v1.0.0-!rc.1.mod"
    );

    parse_details(
        &mut release,
        b"module a.invalid/B\n\ngo 1.22.0\n\nrequire (\n\tc.invalid/c v1.2.0\n\td.invalid/d v0.1.0 // indirect\n)\nexclude c.invalid/c v1.3.0\nreplace c.invalid/c => ../c",
    )
    .unwrap();
    let shown: Vec<String> = release
        .requirements
        .iter()
        .map(|one| format!("{} {} {}", one.name, one.requirement, one.only_bounds))
        .collect();
    assert_eq!(
        shown,
        ["c.invalid/c v1.2.0 true", "d.invalid/d v0.1.0 true"]
    );
    assert_eq!(release.runtime.as_deref(), Some("1.22.0"));
    assert_eq!(release.details, None);
}

#[test]
fn the_go_line_binds_from_1_21() {
    for (line, expected) in [("go 1.20\n", None), ("", None), ("go 1.21\n", Some("1.21"))] {
        let mut release = release("v1.0.0");
        parse_details(
            &mut release,
            format!("module a.invalid/b\n{line}").as_bytes(),
        )
        .unwrap();
        assert_eq!(release.runtime.as_deref(), expected, "{line}");
    }
}

#[test]
fn the_newest_release_retracts_versions() {
    let list = b"v1.0.0\nv1.0.1\nv1.1.0\nv1.2.0\nv1.3.0-rc.1\n";
    let mut releases = parse_metadata("a.invalid/b", list).unwrap();
    assert_eq!(yanks_request(&releases).unwrap().url, "v1.2.0.mod");
    parse_yanks(
        &mut releases,
        b"module a.invalid/b\nretract v1.2.0 // published by accident\nretract (\n\t[v1.0.0, v1.0.9]\n)\n",
    )
    .unwrap();
    let yanked: Vec<&str> = releases
        .iter()
        .filter(|release| release.yanked)
        .map(|release| release.version.as_str())
        .collect();
    assert_eq!(yanked, ["v1.0.0", "v1.0.1", "v1.2.0"]);
    assert!(parse_yanks(&mut releases, b"retract latest\n").is_err());
    assert!(parse_yanks(&mut releases, b"retract [v1.0.0\n").is_err());
}

#[test]
fn the_time_is_that_of_the_version() {
    let mut release = release("v1.0.0");
    assert_eq!(published_request(&release).unwrap().url, "v1.0.0.info");
    parse_published(
        &mut release,
        br#"{"Version":"v1.0.0","Time":"2024-02-03T04:05:06Z"}"#,
    )
    .unwrap();
    assert_eq!(release.published.as_deref(), Some("2024-02-03T04:05:06Z"));
    assert!(parse_published(&mut release, br#"{"Version":"v1.0.1"}"#).is_err());
}

#[test]
fn an_answer_of_another_format_is_refused() {
    for body in [
        b"<html>maintenance</html>".as_slice(),
        b"{}",
        b"{",
        b"\xff",
        b"{\"Version\":\"x\"}",
    ] {
        assert!(parse_metadata("a.invalid/b", body).is_err());
    }
    for body in [
        b"<html>".as_slice(),
        b"\xff",
        b"module a\nrequire b\ngo 1.22\n",
        b"module a\nrequire (\n",
        b"",
    ] {
        assert!(
            parse_details(&mut release("v1.0.0"), body).is_err(),
            "{body:?}"
        );
    }
}

#[test]
fn versions_fit_the_major_version_of_a_path() {
    for (path, version, fits) in [
        ("a.invalid/b", "v1.0.0", true),
        ("a.invalid/b", "v0.0.0", true),
        ("a.invalid/b", "v2.0.0", false),
        ("a.invalid/b", "v2.0.0+incompatible", true),
        ("a.invalid/b/v2", "v2.1.0", true),
        ("a.invalid/b/v2", "v3.0.0", false),
        ("a.invalid/b/v2", "v2.0.0+incompatible", false),
        ("a.invalid/b/v1", "v1.0.0", true),
        ("gopkg.in/yaml.v3", "v3.0.1", true),
        ("gopkg.in/yaml.v3", "v2.0.0", false),
        (
            "gopkg.in/check.v1",
            "v0.0.0-20161208181325-20d25e280405",
            true,
        ),
    ] {
        assert_eq!(fits_path(path, version), fits, "{path} {version}");
    }
}

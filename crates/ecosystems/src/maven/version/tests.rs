use super::*;

fn order(a: &str, b: &str) -> Ordering {
    Version::new(a).compare(&Version::new(b))
}

/// Examples from the specification, and from versions in use.
#[test]
fn orders_as_maven_does() {
    let ascending = [
        "1-alpha-1",
        "1-alpha2",
        "1-beta",
        "1-milestone-1",
        "1-rc1",
        "1-cr2",
        "1-SNAPSHOT",
        "1",
        "1-sp",
        "1-sp-1",
        "1-android",
        "1-jre",
        "1-1",
        "1-2",
        "1.0.1",
        "1.1",
        "1.9",
        "1.10",
        "1.99999999999999999999999",
        "2.0.0.RC1",
        "2.0.0-RC2",
        "2.0.0.RELEASE",
        "2.0.1",
        "20040616",
        "18446744073709551616",
        "18446744073709551617",
    ];

    for (index, a) in ascending.iter().enumerate() {
        for (other, b) in ascending.iter().enumerate() {
            assert_eq!(order(a, b), index.cmp(&other), "{a} {b}");
        }
    }
}

#[test]
fn trims_and_knows_aliases() {
    for (a, b) in [
        ("1", "1.0.0"),
        ("1", "1.ga"),
        ("1", "1-final"),
        ("1", "1.RELEASE"),
        ("1", "1."),
        ("1", "1-"),
        ("1.0.0-foo.0.0", "1-foo"),
        ("1.0.0-0.0.0", "1"),
        ("1.0-cr", "1-RC"),
        ("1-a1", "1-alpha-1"),
        ("1b2", "1-beta-2"),
        ("1-m3", "1-milestone-3"),
        ("1.01", "1.1"),
        ("", "0"),
        ("1.0000000000000000000000000000", "1"),
    ] {
        assert_eq!(order(a, b), Ordering::Equal, "{a} {b}");
    }

    // Only before a number are single letters short for words.
    assert_eq!(order("1-a", "1-alpha"), Ordering::Greater);
}

#[test]
fn is_consistent_where_maven_is_not() {
    let ascending = ["1-alpha", "1", "1.sp.1", "1-sp"];
    for (index, a) in ascending.iter().enumerate() {
        for (other, b) in ascending.iter().enumerate() {
            assert_eq!(order(a, b), index.cmp(&other), "{a} {b}");
        }
    }
}

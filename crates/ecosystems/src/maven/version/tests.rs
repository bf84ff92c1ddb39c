use proptest::prelude::*;

use super::*;

fn order(a: &str, b: &str) -> Ordering {
    Version::new(a).compare(&Version::new(b))
}

/// The examples of the specification and of the versions that are in use.
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
    for (place, a) in ascending.iter().enumerate() {
        for (other, b) in ascending.iter().enumerate() {
            assert_eq!(order(a, b), place.cmp(&other), "{a} {b}");
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
    // Only before a number do the letters stand for the words.
    assert_eq!(order("1-a", "1-alpha"), Ordering::Greater);
}

#[test]
fn is_consistent_where_maven_is_not() {
    let ascending = ["1-alpha", "1", "1.sp.1", "1-sp"];
    for (place, a) in ascending.iter().enumerate() {
        for (other, b) in ascending.iter().enumerate() {
            assert_eq!(order(a, b), place.cmp(&other), "{a} {b}");
        }
    }
}

fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,2}([.-]([0-9]{1,2}|alpha|a|b|m|rc|sp|final|ga|jre|x)){0,4}",
        "[0-9]([.-]?(0|1|00|alpha|rc|cr|sp|final|ga|release|foo|SNAPSHOT|m)){0,5}",
        "[01a.-]{0,8}",
        "[0-9]{18,24}(\\.[0-9]{18,24})?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_is_total(a in version(), b in version(), c in version()) {
        prop_assert_eq!(order(&a, &a), Ordering::Equal);
        prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
        let (ab, bc, ac) = (order(&a, &b), order(&b, &c), order(&a, &c));
        if ab == bc {
            prop_assert_eq!(ac, ab);
        }
        if ab.is_eq() {
            prop_assert_eq!(bc, ac);
        }
    }

    #[test]
    fn any_text_is_a_version(a in "\\PC{0,24}", b in "\\PC{0,24}") {
        prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
    }
}

//! The version order of every ecosystem is total. The properties of an order are checked on
//! versions that are similar to each other.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::cmp::Ordering;
use std::collections::BTreeSet;

use patchgate_ecosystems::{ALL, Ecosystem, by_name};
use proptest::prelude::*;
use proptest::strategy::{Strategy, Union, ValueTree as _};
use proptest::string::string_regex;
use proptest::test_runner::{TestCaseError, TestRunner};

/// Ecosystems whose versions have no order, such as image tags.
const WITHOUT_ORDER: &[&str] = &["Docker"];

/// Number of version lists per form.
const LISTS: u32 = 16;

/// Number of versions in a list. All pairs and triples of a list are checked.
const LENGTH: usize = 40;

/// Versions of ecosystems that write them alike.
struct Forms {
    ecosystems: &'static [&'static str],
    /// Patterns of versions. A letter in angle brackets is replaced by its pattern in [`PARTS`].
    patterns: &'static [&'static str],
    /// Texts that must each occur in some version; otherwise the patterns miss relevant cases.
    must_hold: &'static [&'static str],
}

/// Patterns within patterns. They have few values, so that versions often agree up to a late part.
const PARTS: &[(&str, &str)] = &[
    // A number, including those around the end of 64 bits.
    (
        "<n>",
        "(0|1|1|1|2|9|10|18446744073709551615|18446744073709551616|28446744073709551616)",
    ),
    // The same, with optional leading zeros.
    ("<z>", "(0|1|1|1|2|9|10|00|01|010|18446744073709551616)"),
    // An identifier of Semantic Versioning.
    (
        "<i>",
        "(0|1|2|10|a|a|A|b|a1|1a|-|rc|alpha|18446744073709551616|28446744073709551616)",
    ),
];

const SEMANTIC: &str = "<n>\\.<n>\\.<n>(-<i>(\\.<i>){0,2})?(\\+<i>(\\.<i>)?)?";

const FORMS: &[Forms] = &[
    Forms {
        ecosystems: &["crates.io", "Deno", "Terraform"],
        patterns: &[SEMANTIC],
        must_hold: &["-", "+", "18446744073709551616", ".10"],
    },
    Forms {
        ecosystems: &["npm", "Bitnami"],
        patterns: &[SEMANTIC, "v<n>\\.<n>\\.<n>(-<i>(\\.<i>)?)?"],
        must_hold: &["-", "+", "v", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["Go"],
        patterns: &[
            "v?<n>(\\.<n>){0,2}",
            "v?<n>\\.<n>\\.<n>-<i>(\\.<i>){0,2}(\\+incompatible)?",
            "v[01]\\.0\\.[01]-(pre\\.)?(0\\.)?2019010[12]000000-[ab]{12}(\\+incompatible)?",
            "1\\.(20|21)(\\.[01])?((alpha|beta|rc)[12]0?)?",
            "v?[12](\\.0){2}\\+incompatible|0",
        ],
        must_hold: &[
            "-",
            "v0.0.0-2019",
            "+incompatible",
            "rc1",
            "18446744073709551616",
        ],
    },
    Forms {
        ecosystems: &["Hex", "Pub"],
        patterns: &["<z>\\.<z>\\.<z>(-(<i>|01)(\\.(<i>|01)){0,2})?(\\+<i>)?"],
        must_hold: &["-", "+", "01", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["SwiftURL"],
        patterns: &["v?<z>(\\.<z>){0,2}(-<i>(\\.<i>){0,2})?(\\+<i>)?"],
        must_hold: &["-", "+", "v", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["NuGet"],
        patterns: &[
            "<z>(\\.<z>){0,3}(-(<i>|01|RC|rc|Alpha)(\\.<i>){0,2})?(\\+<i>)?",
            "0",
        ],
        must_hold: &["-", "+", "-rc", "-RC", "01", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["Julia"],
        patterns: &["v?<z>(\\.<z>){0,2}(-|-?(a|b1|rc|rc1)(\\.<i>)?|-<i>)?(\\+<i>(\\.<i>)?)?"],
        must_hold: &["-", "+", "1rc", "v", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["GitHub Actions", "Git"],
        patterns: &[
            "[vV]?<z>(\\.<z>){0,3}",
            "v?<z>(\\.<z>){2,3}(-<i>(\\.<i>)?)?(\\+a)?",
        ],
        must_hold: &["-", "+", "v", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["ConanCenter"],
        patterns: &[
            "<z>(\\.(<z>|1a|5a|1b|a)){0,3}(-(<i>)?(\\.<i>)?)?(\\+<i>)?",
            "cci\\.2020010[12]|system|[019a.+-]{1,5}",
        ],
        must_hold: &["-", "+", ".1a", "cci.", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["Hackage"],
        patterns: &["<z>(\\.<z>){0,4}"],
        must_hold: &["01", ".10", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["CRAN", "Bioconductor"],
        patterns: &["<z>([.-]<z>){0,4}"],
        must_hold: &["-", "01", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["CPAN"],
        patterns: &[
            "v?<z>(\\.<z>){0,3}",
            "[01]\\.[01]{1,7}(_[01]{1,2})?(-TRIAL)?",
        ],
        must_hold: &["v", "_", "-TRIAL", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["opam"],
        patterns: &["v?<z>(\\.<z>){0,2}([~+-](<i>)?){0,2}", "[019a~+._-]{1,5}"],
        must_hold: &["~", "+", "-", "v", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["RubyGems"],
        patterns: &[
            "<z>(\\.(<z>|a|b|rc|pre|a1|1a)){0,4}",
            "<z>(\\.<z>){0,2}-[a01]{1,2}(\\.[a0])?",
        ],
        must_hold: &[".rc", ".a1", "-", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["CocoaPods"],
        patterns: &["<z>(\\.<z>){0,3}([.-](a|b|rc|a1|1a)(\\.?[0-2]){0,2})?(\\+<i>)?"],
        must_hold: &["-", "+", ".rc", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["Packagist"],
        patterns: &[
            "v?<z>(\\.<z>){0,3}([.-_]?(a|alpha|b|beta|RC|p|pl|patch|stable)[.-]?[0-2]?(\\.[0-2])?)?([.-]dev)?",
            "<n>(\\.<n>){0,2}\\.x-dev|2010[.-]?0[12][.-]?0[12]([.-][01])?",
            "[12](\\.0){0,3}(@(beta|dev)|\\+b)?",
        ],
        must_hold: &[
            "-dev",
            "RC",
            "pl",
            "x-dev",
            "2010",
            "@",
            "+",
            "18446744073709551616",
        ],
    },
    Forms {
        ecosystems: &["PyPI"],
        patterns: &[
            "([01]!)?v?<z>(\\.<z>){0,3}([._-]?(a|alpha|b|c|rc|pre)[._-]?[0-2]?)?(-[01]|[._-]?(post|r|rev)[0-2]?)?([._-]?dev[0-2]?)?(\\+[01a]{1,2}([._-][01a])?)?",
            // Legacy versions.
            "<z>(\\.<z>){0,2}[.-]?(x|dev|rc|final|a)?(-x|-|\\.|--)[01]?",
            "[01a.-]{1,6}|foo(bar)?[01]?",
        ],
        must_hold: &[
            "!",
            "rc",
            "post",
            "dev",
            "+",
            "-x",
            "foo",
            "18446744073709551616",
        ],
    },
    Forms {
        ecosystems: &["conda"],
        patterns: &["([01]!)?<z>([._-](<z>|dev|post|rc|a1|1a|a)){0,3}_?(\\+[01a](\\.[01a])?)?"],
        must_hold: &["!", "dev", "post", "_", "+", "18446744073709551616"],
    },
    Forms {
        ecosystems: &["Maven"],
        patterns: &[
            "<z>([.-](<z>|alpha|a|b|m|rc|cr|sp|final|ga|release|SNAPSHOT|jre|x)){0,4}",
            "[01]([.-]?(0|1|alpha|a1|rc1|m2|sp|final|x|SNAPSHOT)){0,4}",
            "[01a.-]{0,6}",
        ],
        must_hold: &[
            "alpha",
            "SNAPSHOT",
            "sp",
            "final",
            "-",
            "18446744073709551616",
        ],
    },
    Forms {
        ecosystems: &["Debian", "Ubuntu", "Echo"],
        patterns: &[
            "([01]:)?<z>(\\.<z>){0,2}([~+](a|rc1|deb12u1|dfsg|b1)?){0,2}(-<z>([.~+]?(bpo|ubuntu|deb)?[01])?)?",
            "([01]:)?[01a~+.-]{1,5}",
        ],
        must_hold: &[":", "~", "+", "-", "18446744073709551616"],
    },
    Forms {
        ecosystems: &[
            "Alpine",
            "Wolfi",
            "Chainguard",
            "MinimOS",
            "Alpaquita",
            "BellSoft Hardened Containers",
            "CleanStart",
        ],
        patterns: &[
            "<z>(\\.(<z>|0[019]{1,2}|10{1,2})){0,3}[ab]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[01]?){0,2}(~[0a1]{1,2})?(-r<z>)?",
            // Versions that apk calls invalid.
            "<z>(\\.[01]?){0,2}(p|p1|pp|A)?(_(p|rc|x)[01]?(\\.1)?)?(~|~a|~g)?(-[01]|-r|-r1(-r1)?)?",
        ],
        must_hold: &[
            "_alpha",
            "_p",
            "_x",
            "p1",
            "-r",
            "~",
            ".01",
            "18446744073709551616",
        ],
    },
    Forms {
        ecosystems: &[
            "Red Hat",
            "Rocky Linux",
            "AlmaLinux",
            "SUSE",
            "openSUSE",
            "Mageia",
            "openEuler",
            "Photon OS",
            "Azure Linux",
        ],
        patterns: &[
            "([01]:)?<z>([.~^_]?(<z>|a|rc1|git1)){0,3}(-<z>(\\.(el9|el9_4|fc40|mga9)){0,1})?",
            "([01]:)?[01ab~^.]{1,5}(-[01a~^.]{1,3})?",
        ],
        must_hold: &[":", "~", "^", "-", "el9_4", "18446744073709551616"],
    },
];

/// Versions of an ecosystem.
fn versions(forms: &'static Forms) -> impl Strategy<Value = String> {
    let patterns: Vec<_> = forms
        .patterns
        .iter()
        .map(|pattern| {
            let whole = PARTS
                .iter()
                .fold((*pattern).to_owned(), |text, (part, meaning)| {
                    text.replace(part, meaning)
                });
            string_regex(&whole).unwrap().boxed()
        })
        .collect();

    Union::new(patterns)
}

fn is_version(ecosystem: &dyn Ecosystem, text: &str) -> bool {
    ecosystem.compare_versions(text, text).is_ok()
}

#[test]
fn every_ecosystem_has_versions_to_try() {
    let tried: Vec<&str> = FORMS
        .iter()
        .flat_map(|forms| forms.ecosystems)
        .chain(WITHOUT_ORDER)
        .copied()
        .collect();
    let names: BTreeSet<&str> = ALL
        .iter()
        .map(|ecosystem| ecosystem.name().as_str())
        .collect();

    assert_eq!(tried.iter().copied().collect::<BTreeSet<_>>(), names);
    assert_eq!(tried.len(), names.len(), "an ecosystem twice");

    for name in WITHOUT_ORDER {
        let ecosystem = by_name(name).unwrap();
        assert!(!is_version(ecosystem, "1.0.0"), "{name} has an order");
        assert!(!ecosystem.has_advisories(), "{name}");
    }
}

/// A list of versions that are refused, or that all look the same, would prove nothing.
#[test]
fn the_versions_to_try_are_versions_of_all_forms() {
    for forms in FORMS {
        let strategy = versions(forms);
        let mut runner = TestRunner::deterministic();
        let texts: Vec<String> = (0..3_000)
            .map(|_| strategy.new_tree(&mut runner).unwrap().current())
            .collect();
        for name in forms.ecosystems {
            let ecosystem = by_name(name).unwrap();
            let read: Vec<&String> = texts
                .iter()
                .filter(|text| is_version(ecosystem, text))
                .collect();

            assert!(
                read.len() * 10 >= texts.len() * 7,
                "{name}: only {} of {} are versions",
                read.len(),
                texts.len()
            );

            for form in forms.must_hold {
                let occurrences = read.iter().filter(|text| text.contains(form)).count();
                assert!(
                    occurrences >= 5,
                    "{name}: `{form}` only occurs {occurrences} times"
                );
            }
        }
    }
}

/// Two versions compare the same from either side, equal versions have the same neighbors, and no
/// three versions form a cycle.
fn check(ecosystem: &dyn Ecosystem, versions: &[&str]) -> Result<(), TestCaseError> {
    let name = ecosystem.name();
    let order = |a: &&str, b: &&str| {
        ecosystem
            .compare_versions(a, b)
            .map_err(|error| TestCaseError::fail(format!("{name}: `{a}` and `{b}`: {error}")))
    };
    let row = |a| versions.iter().map(move |b| order(a, b)).collect();
    let orders: Vec<Vec<Ordering>> = versions.iter().map(row).collect::<Result<_, _>>()?;
    for (i, a) in versions.iter().enumerate() {
        prop_assert_eq!(
            orders[i][i],
            Ordering::Equal,
            "{}: `{}` and itself",
            name,
            a
        );

        for (j, b) in versions.iter().enumerate() {
            let ij = orders[i][j];
            prop_assert_eq!(orders[j][i], ij.reverse(), "{}: `{}` and `{}`", name, a, b);

            for (k, c) in versions.iter().enumerate() {
                let (jk, ik) = (orders[j][k], orders[i][k]);
                let holds = match ij {
                    Ordering::Equal => ik == jk,
                    _ => ij != jk || ik == ij,
                };

                prop_assert!(
                    holds,
                    "{name}: `{a}` is {ij:?} than `{b}`, that {jk:?} than `{c}`, but the first {ik:?} than \
                     the last"
                );
            }
        }
    }

    Ok(())
}

#[test]
fn every_order_is_total() {
    let config = ProptestConfig {
        cases: LISTS,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    for forms in FORMS {
        let lists = prop::collection::vec(versions(forms), 3..=LENGTH);
        let tried = TestRunner::new(config.clone()).run(&lists, |texts| {
            for name in forms.ecosystems {
                let ecosystem = by_name(name).unwrap();
                let versions: Vec<&str> = texts
                    .iter()
                    .map(String::as_str)
                    .filter(|text| is_version(ecosystem, text))
                    .collect();
                check(ecosystem, &versions)?;
            }

            Ok(())
        });
        assert_eq!(tried, Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No text panics, and a text that is a version has a position in the order.
    #[test]
    fn any_text_is_ordered_or_refused(
        texts in prop::collection::vec("\\PC{0,12}|[0-9a-z.~^:+_!-]{0,8}", 3),
    ) {
        for ecosystem in ALL {
            let (versions, others): (Vec<&str>, Vec<&str>) = texts
                .iter()
                .map(String::as_str)
                .partition(|text| is_version(*ecosystem, text));
            check(*ecosystem, &versions)?;
            for (version, other) in versions.iter().zip(&others) {
                prop_assert!(ecosystem.compare_versions(version, other).is_err());
                prop_assert!(ecosystem.compare_versions(other, version).is_err());
            }
        }
    }

    /// A fix asks whether a version is a pre-release only for versions that have an order.
    #[test]
    fn pre_releases_are_told_of_all_versions(
        text in "[0-9]{1,2}(\\.[0-9]{1,2}){2}(-[a-z0-9]{1,2}(\\.[a-z0-9]{1,2})?)?(\\+[a-z0-9]{1,2})?",
    ) {
        for ecosystem in ALL {
            if let Some(upgradable) = ecosystem.upgradable() {
                let is_known = upgradable.is_prerelease(&text).is_ok();
                prop_assert_eq!(is_version(*ecosystem, &text), is_known);
            }
        }
    }
}

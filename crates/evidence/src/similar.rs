//! Names of packages that are easily mistaken for another one.
//!
//! The names to compare with are an argument. No list of popular packages is part of Patchgate,
//! because it would be out of date with the release.

/// Shortest name that is compared, in characters. Shorter ones are one letter away from many others.
const MIN_CHARACTERS: usize = 5;

/// Longest name that is compared, in characters. The distance takes time in proportion to the
/// product of both lengths.
const MAX_CHARACTERS: usize = 100;

/// The first known name that differs from `name` in one letter, in two neighboring letters that
/// are exchanged, or only in case and in the signs between its words. Names of one scope
/// (`@example/a`) have one owner and are not compared.
#[must_use]
pub fn similar_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let is_comparable =
        |name: &str| (MIN_CHARACTERS..=MAX_CHARACTERS).contains(&name.chars().count());
    if !is_comparable(name) {
        return None;
    }

    let (own_scope, own_folded) = (scope(name), folded(name));
    known.into_iter().find(|other| {
        *other != name
            && is_comparable(other)
            && (own_scope.is_none() || own_scope != scope(other))
            && (folded(other) == own_folded || strsim::osa_distance(name, other) == 1)
    })
}

fn scope(name: &str) -> Option<&str> {
    let (scope, _) = name.split_once('/')?;
    scope.starts_with('@').then_some(scope)
}

/// The letters and digits of a name, in lower case.
fn folded(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_or_the_signs_between_words() {
        let known = ["lodash", "cross-env", "@types/node", "ms", "react"];
        for (name, similar) in [
            ("lodahs", Some("lodash")),
            ("lodas", Some("lodash")),
            ("lodassh", Some("lodash")),
            ("l0dash", Some("lodash")),
            ("crossenv", Some("cross-env")),
            ("Cross_Env", Some("cross-env")),
            ("types-node", Some("@types/node")),
            ("@typos/node", Some("@types/node")),
            ("lodash", None),
            ("low-dash", None),
            ("@types/nodes", None),
            ("qs", None),
            ("preact", Some("react")),
            ("redux", None),
            ("", None),
        ] {
            assert_eq!(similar_name(name, known), similar, "{name}");
        }
    }

    #[test]
    fn a_long_name_is_not_compared() {
        let long = "a".repeat(100_000);
        assert_eq!(similar_name(&long, ["a-long-name", &long]), None);
    }
}

//! Dependency specifiers, PEP 508
//! (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/>).

use super::name::is_name;
use super::version::is_standard;

/// The parts of a requirement, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Requirement<'a> {
    /// Name of the project.
    pub(crate) name: &'a str,
    /// The extras, comma-separated and without brackets.
    pub(crate) extras: &'a str,
    /// The admitted versions; empty for any.
    pub(crate) specifier: &'a str,
    /// The address after `@`.
    pub(crate) url: Option<&'a str>,
    /// The condition on the environment; empty for all environments.
    pub(crate) marker: &'a str,
}

impl<'a> Requirement<'a> {
    /// The extras, one by one.
    pub(crate) fn extras(&self) -> impl Iterator<Item = &'a str> {
        let extras = self.extras.split(',').map(str::trim);
        extras.filter(|extra| !extra.is_empty())
    }

    /// Parses `name [extras] specifier ; marker` or `name [extras] @ address ; marker`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let end = text
            .find(|character: char| {
                !character.is_ascii_alphanumeric() && !matches!(character, '-' | '_' | '.')
            })
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if !is_name(name) {
            return None;
        }

        let mut rest = rest.trim_start();
        let mut extras = "";
        if let Some(inside) = rest.strip_prefix('[') {
            (extras, rest) = inside.split_once(']')?;
            rest = rest.trim_start();
        }

        let part = Self {
            name,
            extras: extras.trim(),
            ..Self::default()
        };
        if let Some(address) = rest.strip_prefix('@') {
            // A `;` without a space before it may be part of the address.
            let (url, marker) = match address.split_once(" ;") {
                Some((url, marker)) => (url, marker),
                None => address.split_once("; ").unwrap_or((address, "")),
            };
            return (!url.trim().is_empty()).then(|| Self {
                url: Some(url.trim()),
                marker: marker.trim(),
                ..part
            });
        }

        let (specifier, marker) = rest.split_once(';').unwrap_or((rest, ""));
        let specifier = specifier.trim();
        let specifier = specifier
            .strip_prefix('(')
            .and_then(|inside| inside.strip_suffix(')'))
            .unwrap_or(specifier)
            .trim();

        (specifier.is_empty() || clauses(specifier).all(|clause| clause.is_some())).then(|| Self {
            specifier,
            marker: marker.trim(),
            ..part
        })
    }

    /// The only version that the requirement admits, if it states one.
    pub(crate) fn exact_version(&self) -> Option<&'a str> {
        exact_version(self.specifier)
    }
}

/// The only version that a specifier admits, if it states one: `==1.0` or `===1.0`.
///
/// `==1.*` is a range, and a lower bound is not a version either. A specifier with two different
/// versions gives `None`.
pub(crate) fn exact_version(specifier: &str) -> Option<&str> {
    let mut exact = None;
    for (operator, version) in clauses(specifier).flatten() {
        let is_exact = match operator {
            "===" => true,
            "==" => is_standard(version),
            _ => false,
        };
        if is_exact {
            if exact.is_some_and(|earlier| earlier != version) {
                return None;
            }
            exact = Some(version);
        }
    }

    exact
}

/// The clauses of a specifier, as operator and version; `None` for an invalid clause.
fn clauses(specifier: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    specifier
        .split(',')
        .map(str::trim)
        // A trailing comma is allowed.
        .filter(|clause| !clause.is_empty())
        .map(|clause| {
            let (operator, version) = OPERATORS
                .iter()
                .find_map(|operator| Some((*operator, clause.strip_prefix(operator)?.trim())))?;
            let fits = !version.is_empty()
                && !version.contains(|character: char| {
                    character.is_whitespace() || "=<>~\"'()[]@;#".contains(character)
                });
            fits.then_some((operator, version))
        })
}

/// Longer operators first, because a shorter one may be a prefix of them.
const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_split() {
        let requirement = Requirement::parse(
            "Requests [security, socks] (>=2.8.1, ==2.8.*) ; python_version < '2.7'",
        )
        .unwrap();
        assert_eq!(requirement.name, "Requests");
        assert_eq!(requirement.extras, "security, socks");
        assert_eq!(requirement.specifier, ">=2.8.1, ==2.8.*");
        assert_eq!(requirement.marker, "python_version < '2.7'");

        let at = Requirement::parse("pip @ https://host.invalid/pip-1.zip;x=1 ; os_name=='a'");
        let at = at.unwrap();
        assert_eq!(at.url, Some("https://host.invalid/pip-1.zip;x=1"));
        assert_eq!(at.marker, "os_name=='a'");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "==1.0",
            "a b",
            "a ==",
            "a 1.0",
            "a[b",
            "a =1.0",
            "a >=1 <2",
            "-a",
            "a @ ",
            "The word of a sentence.",
            "a == 1 0",
        ] {
            assert_eq!(Requirement::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_an_exact_pin_is_a_version() {
        for (specifier, version) in [
            ("==1.0", Some("1.0")),
            ("== 1.0", Some("1.0")),
            ("===odd-one", Some("odd-one")),
            ("==1.0+cpu", Some("1.0+cpu")),
            ("==1!2.0", Some("1!2.0")),
            (">=0.9,==1.0", Some("1.0")),
            ("==1.*", None),
            ("==odd-one", None),
            ("==1.0,==2.0", None),
            (">=1.0", None),
            ("~=1.0", None),
            ("<=1.0", None),
            ("", None),
        ] {
            assert_eq!(exact_version(specifier), version, "{specifier}");
        }
    }
}

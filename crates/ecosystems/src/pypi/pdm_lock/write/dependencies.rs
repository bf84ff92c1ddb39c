//! The lines of `dependencies` in an entry, as PDM spells them.

use std::collections::{BTreeMap, BTreeSet};

use crate::pypi::name::normalize;
use crate::pypi::requirement::Requirement as Specifier;
use crate::{Release, Requirement};

/// The dependencies of an entry: those of the release itself, or of some of its extras. `old` are the
/// lines of the entry before.
///
/// # Errors
/// If they are not known, or the spelling of a condition is not certain.
pub(super) fn lines(
    name: &str,
    release: &Release,
    extras: &[String],
    old: &[String],
) -> Result<Vec<String>, String> {
    if release.details.is_some() {
        return Err(format!(
            "the dependencies of `{name}` {} are not known",
            release.version
        ));
    }

    let mut lines = BTreeSet::new();
    if !extras.is_empty() {
        lines.insert(format!("{name}=={}", release.version));
    }
    for requirement in &release.requirements {
        let condition = Condition::parse(&requirement.condition)
            .ok_or_else(|| unclear(name, &requirement.condition))?;
        let applies = match &condition.extra {
            None => extras.is_empty(),
            Some(extra) => extras.iter().any(|own| normalize(own) == normalize(extra)),
        };
        if applies {
            lines.insert(line(name, requirement, &condition, old)?);
        }
    }

    Ok(lines.into_iter().collect())
}

fn unclear(name: &str, condition: &str) -> String {
    format!("the condition `{condition}` of a dependency of `{name}` may be spelled differently")
}

fn line(
    name: &str,
    requirement: &Requirement,
    condition: &Condition<'_>,
    old: &[String],
) -> Result<String, String> {
    if requirement.requirement.starts_with('@') {
        return Err(format!("a dependency of `{name}` is not from an index"));
    }
    let mut clauses: Vec<String> = requirement
        .requirement
        .split(',')
        .map(|clause| clause.split_whitespace().collect())
        .filter(|clause: &String| !clause.is_empty())
        .collect();
    clauses.sort();
    clauses.dedup();
    let mut extras = requirement.features.clone();
    extras.sort();
    let extras = match extras.is_empty() {
        true => String::new(),
        false => format!("[{}]", extras.join(",")),
    };
    let base = format!("{}{extras}{}", requirement.name, clauses.join(","));

    let marker = match condition.comparisons.as_slice() {
        [] => return Ok(base),
        [only] => only.to_string(),
        // PDM sorts and simplifies; the entry before may have the same.
        _ => same_marker(requirement, condition, old)
            .ok_or_else(|| unclear(name, &requirement.condition))?,
    };
    Ok(format!("{base}; {marker}"))
}

/// The marker of the line before that has the same comparisons, joined by `and`.
fn same_marker(
    requirement: &Requirement,
    condition: &Condition<'_>,
    old: &[String],
) -> Option<String> {
    old.iter().find_map(|line| {
        let line = Specifier::parse(line)?;
        let before = Condition::parse(line.marker)?;
        let is_same = normalize(line.name) == normalize(&requirement.name)
            && before.is_conjunction
            && condition.is_conjunction
            && before.set() == condition.set();
        is_same.then(|| line.marker.to_owned())
    })
}

/// Checks that the dependencies that stay have the same conditions, if entries inherit them.
pub(super) fn same_conditions(
    name: &str,
    old: &[String],
    new: &[String],
    inherits: bool,
) -> Result<(), String> {
    if !inherits {
        return Ok(());
    }
    let markers = |lines: &[String]| {
        let mut markers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in lines {
            if let Some(parsed) = Specifier::parse(line) {
                let own = markers.entry(normalize(parsed.name).into_owned());
                own.or_default().insert(parsed.marker.to_owned());
            }
        }
        markers
    };
    let (before, after) = (markers(old), markers(new));
    for (dependency, marker) in &before {
        if after.get(dependency).is_some_and(|after| after != marker) {
            return Err(format!(
                "`{name}` needs `{dependency}` under another condition"
            ));
        }
    }

    Ok(())
}

/// One comparison of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Comparison<'m> {
    variable: &'m str,
    operator: &'m str,
    value: &'m str,
}

impl std::fmt::Display for Comparison<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{} {} \"{}\"",
            self.variable, self.operator, self.value
        )
    }
}

/// A marker as its comparisons.
#[derive(Debug, Default, PartialEq, Eq)]
struct Condition<'m> {
    /// The extra that it asks for.
    extra: Option<&'m str>,
    /// The other comparisons.
    comparisons: Vec<Comparison<'m>>,
    /// Whether all of them must hold.
    is_conjunction: bool,
}

/// Most comparisons of one marker that are read.
const MAX_COMPARISONS: usize = 100;

impl<'m> Condition<'m> {
    /// Reads a marker. `None` if an extra is one of several alternatives, and for other texts.
    fn parse(marker: &'m str) -> Option<Self> {
        let mut condition = Self {
            is_conjunction: true,
            ..Self::default()
        };
        let mut rest = marker.trim();
        while !rest.is_empty() {
            rest = rest.trim_start_matches(['(', ')', ' ']);
            let (variable, after) = word(rest)?;
            let after = after.trim_start();
            let end = after.find(['"', '\'', ' '])?;
            let (mut operator, mut after) = after.split_at(end);
            if operator == "not" {
                after = after.trim_start().strip_prefix("in")?;
                operator = "not in";
            }
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, after) = after.get(1..)?.split_once(quote)?;

            let is_operator = matches!(
                operator,
                "==" | "!=" | "<" | ">" | "<=" | ">=" | "~=" | "===" | "in" | "not in"
            );
            if !is_operator || value.contains(['"', '\'', '\\']) {
                return None;
            }
            match (variable, operator) {
                ("extra", "==") if condition.extra.is_none() => condition.extra = Some(value),
                ("extra", _) => return None,
                _ => condition.comparisons.push(Comparison {
                    variable,
                    operator,
                    value,
                }),
            }
            if condition.comparisons.len() > MAX_COMPARISONS {
                return None;
            }

            rest = after.trim_start_matches([')', ' ']);
            if let Some(after) = rest.strip_prefix("and ") {
                rest = after;
            } else if let Some(after) = rest.strip_prefix("or ") {
                condition.is_conjunction = false;
                rest = after;
            } else if !rest.is_empty() {
                return None;
            }
        }

        let is_certain = condition.is_conjunction || condition.extra.is_none();
        is_certain.then_some(condition)
    }

    fn set(&self) -> BTreeSet<Comparison<'m>> {
        self.comparisons.iter().copied().collect()
    }
}

/// The variable at the start of a text, and the rest.
fn word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(text: &str) -> Requirement {
        let parsed = Specifier::parse(text).unwrap();
        Requirement {
            name: parsed.name.to_owned(),
            requirement: parsed.specifier.to_owned(),
            condition: parsed.marker.to_owned(),
            features: parsed
                .extras
                .split(',')
                .filter(|extra| !extra.is_empty())
                .map(|extra| extra.trim().to_owned())
                .collect(),
            ..Requirement::default()
        }
    }

    fn of(texts: &[&str], extras: &[&str], old: &[&str]) -> Result<Vec<String>, String> {
        let owned =
            |all: &[&str]| -> Vec<String> { all.iter().map(|text| (*text).to_owned()).collect() };
        let release = Release {
            version: "2.0".to_owned(),
            requirements: texts.iter().map(|text| requirement(text)).collect(),
            ..Release::default()
        };
        lines("a", &release, &owned(extras), &owned(old))
    }

    #[test]
    fn lines_are_spelled_as_pdm_does() {
        let texts = [
            "zz>=1",
            "Py_Socks (>=1.5.6, !=1.5.7) ; extra == 'socks'",
            "c[y,x] < 4 , >=2",
            "importlib-metadata>=3.6.0; python_version < '3.10'",
            "win ; (sys_platform == 'win32') and extra == \"socks\"",
        ];
        assert_eq!(
            of(&texts, &[], &[]).unwrap(),
            [
                "c[x,y]<4,>=2",
                "importlib-metadata>=3.6.0; python_version < \"3.10\"",
                "zz>=1",
            ]
        );
        assert_eq!(
            of(&texts, &["socks"], &[]).unwrap(),
            [
                "Py_Socks!=1.5.7,>=1.5.6",
                "a==2.0",
                "win; sys_platform == \"win32\"",
            ]
        );
    }

    #[test]
    fn conditions_of_uncertain_spelling_are_refused_unless_they_were_there() {
        let text = "b; (sys_platform != 'win32' and (sys_platform != 'cygwin' and x != 'y'))";
        assert!(of(&[text], &[], &[]).is_err());
        let old = "b>=1; (sys_platform != \"cygwin\" and sys_platform != \"win32\") and x != \"y\"";
        assert_eq!(
            of(&[text], &[], &[old]).unwrap(),
            ["b; (sys_platform != \"cygwin\" and sys_platform != \"win32\") and x != \"y\""]
        );
        for odd in [
            "b; x == 'y' or z == 'y'",
            "b; extra == 'a' or extra == 'b'",
            "b; x",
        ] {
            assert!(of(&[odd], &[], &[old]).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_dependency_keeps_its_condition() {
        let owned = |text: &str| vec![text.to_owned()];
        let (plain, windows) = (owned("b>=1"), owned("b>=2; os_name == \"nt\""));
        assert!(same_conditions("a", &plain, &windows, true).is_err());
        assert!(same_conditions("a", &plain, &windows, false).is_ok());
        assert!(same_conditions("a", &plain, &owned("b>=2"), true).is_ok());
        assert!(same_conditions("a", &plain, &owned("c"), true).is_ok());
    }
}

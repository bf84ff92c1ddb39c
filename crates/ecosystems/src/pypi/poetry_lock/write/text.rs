//! Requirements, markers and texts in the notation of `poetry.lock`.

use crate::pypi::canonical::canonical;
use crate::pypi::name::normalize;
use crate::pypi::version::Version;

/// A marker without alternatives: conditions in the order of the release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    all: Vec<String>,
    /// The extras that it names.
    pub(super) extras: Vec<String>,
}

impl Conditions {
    /// Reads a marker. `None` if it has alternatives, or conditions that Poetry may combine.
    pub(super) fn parse(marker: &str) -> Option<Self> {
        let mut conditions = Self::default();
        if marker.trim().is_empty() {
            return Some(conditions);
        }
        let mut seen: Vec<(String, String)> = Vec::new();
        // Without alternatives, parentheses do not matter.
        let plain = marker.replace(['(', ')'], " ");
        for part in plain.split(" and ") {
            let words: Vec<&str> = part.split_whitespace().collect();
            let joined = words.join(" ");
            let end = joined.find(|c: char| "<>=!~".contains(c))?;
            let (variable, rest) = joined.split_at(end);
            let start = rest.find(|c: char| !"<>=!~".contains(c))?;
            let (operator, value) = rest.split_at(start);
            let (variable, value) = (variable.trim(), value.trim());
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let value = value.strip_prefix(quote)?.strip_suffix(quote)?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
            let is_word = variable.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if !is_word || variable.is_empty() || value.is_empty() || !value.chars().all(is_plain) {
                return None;
            }
            if !["==", "!=", "<", "<=", ">", ">="].contains(&operator) {
                return None;
            }

            // Poetry joins bounds of one variable.
            let is_joined = |(known, before): &(String, String)| {
                known == variable && (before != "!=" || operator != "!=")
            };
            let is_version =
                variable.contains("version") && seen.iter().any(|(v, _)| v == variable);
            if seen.iter().any(is_joined) || is_version {
                return None;
            }
            seen.push((variable.to_owned(), operator.to_owned()));
            let value = match variable {
                "extra" if operator == "==" => {
                    let extra = normalize(value).into_owned();
                    conditions.extras.push(extra.clone());
                    extra
                }
                "extra" => return None,
                _ => value.to_owned(),
            };
            conditions
                .all
                .push(format!("{variable} {operator} \"{value}\""));
        }
        Some(conditions)
    }

    /// All conditions as text.
    pub(super) fn text(&self) -> String {
        self.all.join(" and ")
    }

    /// The conditions on the environment as text.
    pub(super) fn without_extra(&self) -> String {
        let others = self.all.iter().filter(|one| !one.starts_with("extra "));
        others.cloned().collect::<Vec<_>>().join(" and ")
    }
}

/// A requirement as Poetry writes it: the lower bound, excluded versions, the upper bound. `None` if
/// it is not certain.
pub(super) fn constraint(requirement: &str) -> Option<String> {
    let (mut lower, mut upper, mut excluded) = (None, None, Vec::new());
    let clauses: Vec<&str> = requirement
        .split(',')
        .map(str::trim)
        .filter(|clause| !clause.is_empty())
        .collect();
    for clause in &clauses {
        let end = clause.find(|c: char| !"<>=!~".contains(c))?;
        let (operator, version) = clause.split_at(end);
        let version = version.trim();
        let plain = version.strip_suffix(".*").unwrap_or(version);
        let parsed = Version::parse(plain)?;
        if canonical(plain).as_deref() != Some(plain) || (plain != version && operator.len() != 2) {
            return None;
        }
        match operator {
            "==" if clauses.len() == 1 => {
                return Some(match plain == version {
                    true => version.to_owned(),
                    false => format!("=={version}"),
                });
            }
            "!=" => excluded.push((parsed, format!("!={version}"))),
            _ if plain != version => return None,
            ">=" | ">" if lower.is_none() => lower = Some((parsed, format!("{operator}{version}"))),
            "<" | "<=" if upper.is_none() => upper = Some((parsed, format!("{operator}{version}"))),
            "~=" if lower.is_none() && upper.is_none() => {
                let end = following(version)?;
                lower = Some((parsed, format!(">={version}")));
                upper = Some((Version::parse(&end)?, format!("<{end}")));
            }
            _ => return None,
        }
    }

    excluded.sort_by(|(one, _), (two, _)| one.cmp(two));
    // Versions outside of the bounds are not excluded, and a bound may be one of them.
    let is_inside = |(version, _): &(Version, String)| {
        lower.as_ref().is_none_or(|(bound, _)| bound < version)
            && upper.as_ref().is_none_or(|(bound, _)| version < bound)
    };
    let is_empty = matches!((&lower, &upper), (Some((one, _)), Some((two, _))) if one >= two);
    if is_empty || !excluded.iter().all(is_inside) {
        return None;
    }
    let parts: Vec<String> = lower
        .into_iter()
        .chain(excluded)
        .chain(upper)
        .map(|(_, text)| text)
        .collect();
    Some(match parts.is_empty() {
        true => "*".to_owned(),
        false => parts.join(","),
    })
}

/// The first version that `~=` does not admit.
fn following(version: &str) -> Option<String> {
    let mut numbers: Vec<u64> = version
        .split('.')
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    if numbers.len() < 2 {
        return None;
    }
    let at = numbers.len() - 2;
    *numbers.get_mut(at)? += 1;
    *numbers.last_mut()? = 0;
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    Some(numbers.join("."))
}

/// A text of TOML. `None` if it has characters that need an escape of their own.
pub(super) fn quoted(text: &str) -> Option<String> {
    let is_plain = text.chars().all(|c| !c.is_control());
    is_plain.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_written_as_poetry_does() {
        for (requirement, expected) in [
            ("", Some("*")),
            ("<3,>=1.21.1", Some(">=1.21.1,<3")),
            ("~=0.1", Some(">=0.1,<1.0")),
            ("~=25.3.0", Some(">=25.3.0,<25.4.0")),
            ("==5.1.0", Some("5.1.0")),
            ("==1.*", Some("==1.*")),
            ("!=1.5.7,<2.0,>=1.5.6", Some(">=1.5.6,!=1.5.7,<2.0")),
            ("!=8.1.*,>=6", Some(">=6,!=8.1.*")),
            (
                "!=0.15.1,>=0.14.0,!=0.15.0",
                Some(">=0.14.0,!=0.15.0,!=0.15.1"),
            ),
            (">=1.0.0rc8", Some(">=1.0.0rc8")),
            (">=1,>=2", None),
            ("===1", None),
            (">=1,!=0.5", None),
            (">=2,<1", None),
            ("~=1", None),
        ] {
            assert_eq!(
                constraint(requirement).as_deref(),
                expected,
                "{requirement}"
            );
        }
    }

    #[test]
    fn markers_keep_their_order() {
        let read = |marker: &str| Conditions::parse(marker);
        let conditions = read("(sys_platform != 'win32' and (sys_platform != 'cygwin' and platform_python_implementation != 'PyPy')) and extra == 'Stan_dard'").unwrap();
        assert_eq!(
            conditions.without_extra(),
            "sys_platform != \"win32\" and sys_platform != \"cygwin\" and platform_python_implementation != \"PyPy\""
        );
        assert!(conditions.text().ends_with(" and extra == \"stan-dard\""));
        for marker in [
            "os_name == 'a' or os_name == 'b'",
            "python_version >= '3.8' and python_version < '3.10'",
            "os_name == 'a' and os_name != 'b'",
            "'linux' in sys_platform",
            "python_version in '3.8 3.9'",
            "os_name == ",
            "os_name == 'a\"'",
        ] {
            assert_eq!(read(marker), None, "{marker}");
        }
    }
}

//! The markers that Pipenv makes from `Requires-Python`, as the function `marker_from_specifier` of
//! Pipenv 2026 does.
//!
//! The markers of an entry also have conditions of its dependents. Which of them those are is not in
//! the file, so an entry with other conditions than bounds of Python's version is only changed if its
//! bounds stay.

/// How a file has its markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MarkerStyle {
    /// Whether any entry has markers from `Requires-Python`.
    pub(super) has_any: bool,
    /// Whether excluded versions are in one list, as in old versions of Pipenv.
    pub(super) has_lists: bool,
}

/// The markers of an entry that gets a release with this `Requires-Python`. `None` if they stay as
/// they are.
///
/// # Errors
/// If they are not certain, as the end of a sentence.
pub(super) fn changed(
    before: Option<&str>,
    runtime: Option<&str>,
    style: MarkerStyle,
) -> Result<Option<String>, String> {
    let new = match runtime {
        Some(runtime) => from_runtime(runtime)?,
        None => Vec::new(),
    };
    let excludes = new.iter().any(|clause| clause.contains(" != "));
    if style.has_lists && excludes {
        return Err("would have a list of versions in another form".to_owned());
    }

    let Some(before) = before else {
        let is_needed = style.has_any && !new.is_empty();
        return Ok(is_needed.then(|| new.join(" and ")));
    };
    let old: Vec<&str> = before.split(" and ").map(str::trim).collect();
    let is_kept = |clause: &&str| new.iter().any(|new| new == *clause);
    if old.iter().all(|clause| is_bound(clause) || is_kept(clause)) {
        let new = new.join(" and ");
        if new.is_empty() {
            return Err("may come from its dependents".to_owned());
        }
        return Ok((new != before).then_some(new));
    }

    let bounds: Vec<&str> = old.into_iter().filter(|clause| is_bound(clause)).collect();
    match bounds.len() == new.len() && bounds.iter().all(is_kept) {
        true => Ok(None),
        false => Err("have conditions of its dependents".to_owned()),
    }
}

/// Whether a clause is a lower bound of Python's version, or excludes one.
fn is_bound(clause: &str) -> bool {
    let mut words = clause.split(' ');
    let is_python = matches!(words.next(), Some("python_version" | "python_full_version"));
    is_python && matches!(words.next(), Some(">=" | "!=")) && words.count() == 1
}

/// The clauses for a `Requires-Python`, sorted by version.
fn from_runtime(runtime: &str) -> Result<Vec<String>, String> {
    let unclear = || format!("are not certain for `{runtime}`");
    let mut clauses: Vec<(String, &str)> = Vec::new();
    for clause in runtime.split(',').map(str::trim) {
        if clause.is_empty() {
            continue;
        }
        let (operator, version) = [">=", "!=", "==", "<"]
            .iter()
            .find_map(|operator| Some((*operator, clause.strip_prefix(operator)?.trim())))
            .ok_or_else(unclear)?;
        let plain = version.strip_suffix(".*").unwrap_or(version);
        let is_number = plain
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if !is_number {
            return Err(unclear());
        }
        clauses.push((plain.to_owned(), operator));
    }

    // Pipenv joins several clauses of one of these kinds.
    for operator in [">=", "==", "<"] {
        if clauses.iter().filter(|(_, one)| *one == operator).count() > 1 {
            return Err(unclear());
        }
    }
    let numbers = |version: &str| -> Vec<u64> {
        let parts = version.split('.');
        parts.map(|part| part.parse().unwrap_or(u64::MAX)).collect()
    };
    clauses.sort_by_key(|(version, _)| numbers(version));
    clauses.dedup();

    Ok(clauses
        .into_iter()
        .map(|(version, operator)| {
            let variable = match version.matches('.').count() {
                0 | 1 => "python_version",
                _ => "python_full_version",
            };
            format!("{variable} {operator} '{version}'")
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_those_of_pipenv() {
        for (runtime, expected) in [
            (">=3.7", "python_version >= '3.7'"),
            (">=3.7.0", "python_full_version >= '3.7.0'"),
            (
                "<4.0,>=3.7",
                "python_version >= '3.7' and python_version < '4.0'",
            ),
            (
                ">=2.7, !=3.0.*, !=3.10.*, !=3.2.*",
                "python_version >= '2.7' and python_version != '3.0' and python_version != '3.2' \
                 and python_version != '3.10'",
            ),
            ("==3.8.*", "python_version == '3.8'"),
            (">=3", "python_version >= '3'"),
            (">= 3.8", "python_version >= '3.8'"),
        ] {
            assert_eq!(from_runtime(runtime).unwrap().join(" and "), expected);
        }
        for runtime in [
            ">3.6",
            "<=3.12",
            "~=3.7",
            ">=3.6,>=3.7",
            "3.7",
            ">=3.7rc1",
            "===3.7",
        ] {
            assert!(from_runtime(runtime).is_err(), "{runtime}");
        }
    }

    #[test]
    fn conditions_of_dependents_are_not_lost() {
        let style = MarkerStyle {
            has_any: true,
            has_lists: false,
        };
        let (seven, windows) = ("python_version >= '3.7'", "sys_platform == 'win32'");
        let of_dependents = Err("have conditions of its dependents");
        for (before, runtime, expected) in [
            (
                Some(seven),
                Some(">=3.8"),
                Ok(Some("python_version >= '3.8'")),
            ),
            (Some(seven), Some(">=3.7"), Ok(None)),
            (None, Some(">=3.8"), Ok(Some("python_version >= '3.8'"))),
            (None, None, Ok(None)),
            (Some(windows), None, Ok(None)),
            (Some(windows), Some(">=3.8"), of_dependents),
            (
                Some("python_version < '3.10'"),
                Some(">=3.8"),
                of_dependents,
            ),
            (Some(seven), None, Err("may come from its dependents")),
        ] {
            let changed = changed(before, runtime, style);
            let changed = changed
                .as_ref()
                .map(Option::as_deref)
                .map_err(String::as_str);
            assert_eq!(changed, expected, "{before:?} {runtime:?}");
        }
    }
}

//! Inputs that could not be read, grouped by cause: one line and one next step for each cause,
//! however many files have it.

use std::collections::{BTreeMap, BTreeSet};

use super::{IncompleteReport, ScanReport};

/// Inputs that failed for the same reason and have the same next step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cause<'a> {
    /// The inputs, in the order of the report.
    pub(crate) inputs: Vec<&'a IncompleteReport>,
    /// The next step for all of them.
    pub(crate) hint: Option<String>,
}

/// The kinds of inputs, worst first: those behind which most findings may be hidden.
const KINDS: [&str; 8] = [
    "advisories",
    "file",
    "unsupported",
    "unresolved",
    "version",
    "vex",
    "registry",
    "feed",
];

impl<'a> Cause<'a> {
    /// The causes, worst first, then by the number of inputs.
    pub(crate) fn all(incomplete: impl IntoIterator<Item = &'a IncompleteReport>) -> Vec<Self> {
        let mut causes: BTreeMap<(usize, String, String), Vec<&IncompleteReport>> = BTreeMap::new();
        for problem in incomplete {
            let rank = KINDS.iter().position(|kind| *kind == problem.kind);
            let hint = pattern(problem.hint.as_deref().unwrap_or_default());
            // The store lacks ecosystems in more than one way, and one command adds them all.
            let reason = match problem.hint.as_deref().and_then(added_ecosystem) {
                Some(_) => String::new(),
                None => pattern(&problem.reason),
            };
            let key = (rank.unwrap_or(KINDS.len()), reason, hint);
            causes.entry(key).or_default().push(problem);
        }

        let mut causes: Vec<(usize, Self)> = causes
            .into_iter()
            .map(|((rank, ..), inputs)| {
                let hint = hint(&inputs);
                (rank, Self { inputs, hint })
            })
            .collect();
        causes.sort_by_key(|(rank, cause)| (*rank, std::cmp::Reverse(cause.inputs.len())));

        causes.into_iter().map(|(_, cause)| cause).collect()
    }

    /// The reason of the first input, which stands for those of the others.
    pub(crate) fn reason(&self) -> &'a str {
        self.inputs.first().map_or("", |first| &first.reason)
    }

    /// Whether the inputs differ in their reasons, by a name or a number.
    pub(crate) fn varies(&self) -> bool {
        self.inputs.iter().any(|one| one.reason != self.reason())
    }

    /// The inputs by name: a file with its lines is one.
    pub(crate) fn subjects(&self) -> Vec<String> {
        let mut subjects: Vec<(&str, Vec<u32>)> = Vec::new();
        for problem in &self.inputs {
            match subjects.last_mut() {
                Some((subject, lines)) if *subject == problem.subject => lines.extend(problem.line),
                _ => subjects.push((&problem.subject, problem.line.into_iter().collect())),
            }
        }

        subjects
            .into_iter()
            .map(|(subject, lines)| match lines.as_slice() {
                [] => subject.to_owned(),
                [line] => format!("{subject}:{line}"),
                [line, others @ ..] => {
                    format!("{subject}:{line} (and {} more lines)", others.len())
                }
            })
            .collect()
    }
}

impl ScanReport {
    /// The inputs that could not be read, without the entries of files that were read in part: those
    /// are listed with their files.
    pub(super) fn unread(&self) -> Vec<IncompleteReport> {
        let entries: BTreeSet<(&str, u32, &str)> = self
            .lockfiles
            .iter()
            .flat_map(|file| file.skipped.iter().map(|entry| (file.path.as_str(), entry)))
            .map(|(path, entry)| (path, entry.line, entry.reason.as_str()))
            .collect();
        let is_entry = |problem: &&IncompleteReport| {
            let (file, line) = (problem.file.as_deref(), problem.line);
            file.zip(line)
                .is_some_and(|(file, line)| entries.contains(&(file, line, &problem.reason)))
        };

        let unread = self.incomplete.iter().filter(|one| !is_entry(one));
        unread.cloned().collect()
    }
}

/// A text without what differs between inputs with the same cause: names in backticks and numbers.
pub(super) fn pattern(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            out.push('`');
        } else {
            for c in part.chars() {
                match c.is_ascii_digit() {
                    false => out.push(c),
                    true if out.ends_with('#') => {}
                    true => out.push('#'),
                }
            }
        }
    }

    out
}

/// The step for all inputs: that of the first one, with every ecosystem that it should add.
fn hint(inputs: &[&IncompleteReport]) -> Option<String> {
    let first = inputs.first()?.hint.as_deref()?;
    let mut flags: Vec<&str> = inputs
        .iter()
        .filter_map(|one| added_ecosystem(one.hint.as_deref()?))
        .collect();
    flags.sort_unstable();
    flags.dedup();

    Some(match added_ecosystem(first) {
        Some(flag) => first.replacen(flag, &flags.join(" "), 1),
        None => first.to_owned(),
    })
}

/// The flag in a step that adds one ecosystem to a store: `--ecosystem npm`, `--ecosystem "GitHub
/// Actions"`.
fn added_ecosystem(hint: &str) -> Option<&str> {
    const FLAG: &str = "--ecosystem ";
    let start = hint.find(FLAG)?;
    let flag = hint.get(start..)?;
    let name = flag.get(FLAG.len()..)?;
    let length = match name.chars().next()? {
        quote @ ('"' | '\'') => name.get(1..)?.find(quote)? + 2,
        _ => name.find([' ', '`'])?,
    };

    flag.get(..FLAG.len() + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(kind: &str, subject: &str, line: Option<u32>, reason: &str) -> IncompleteReport {
        IncompleteReport {
            kind: kind.into(),
            subject: subject.into(),
            file: None,
            line,
            reason: reason.into(),
            hint: Some("lock the version".into()),
            waived: false,
        }
    }

    #[test]
    fn inputs_with_one_cause_are_one() {
        let problems = [
            problem("feed", "kev", None, "is not there"),
            problem("unresolved", "a/x", Some(3), "requires `a`, and so on"),
            problem("unresolved", "a/x", Some(9), "requires `b`, and so on"),
            problem("unresolved", "b/x", Some(1), "requires `a`, and so on"),
            problem("unresolved", "c/x", Some(1), "requires `a`, or not"),
        ];
        let causes = Cause::all(&problems);
        let seen: Vec<_> = causes
            .iter()
            .map(|cause| (cause.reason(), cause.subjects().join(", "), cause.varies()))
            .collect();
        assert_eq!(
            seen,
            [
                (
                    "requires `a`, and so on",
                    "a/x:3 (and 1 more lines), b/x:1".into(),
                    true
                ),
                ("requires `a`, or not", "c/x:1".into(), false),
                ("is not there", "kev".into(), false),
            ]
        );
    }

    #[test]
    fn one_command_adds_all_ecosystems() {
        let lacks = |ecosystem: &str, reason: &str| IncompleteReport {
            hint: Some(format!(
                "add it with `patchgate db update --into store --ecosystem {ecosystem}`; offline, more"
            )),
            ..problem("advisories", ecosystem, None, reason)
        };
        let problems = [
            lacks("Hex", "no advisories"),
            lacks("npm", "no export"),
            lacks("\"GitHub Actions\"", "no advisories"),
        ];
        let causes = Cause::all(&problems);
        assert_eq!(causes.len(), 1);
        assert_eq!(
            causes[0].hint.as_deref(),
            Some(
                "add it with `patchgate db update --into store --ecosystem \"GitHub Actions\" \
                 --ecosystem Hex --ecosystem npm`; offline, more"
            )
        );
    }
}

//! Short reasons from Cargo's output.

use crate::RelockError;
use crate::process::Output;

/// Longest reason that is passed on, in characters. Cargo lists every version and every dependent, so
/// a message can be of any length.
const MAX_REASON: usize = 1_200;

/// Most lines of Cargo's output that are passed on.
const MAX_LINES: usize = 12;

/// The line with which Cargo ends its message about a conflict. It repeats the first one.
const CONFLICT_END: &str = "which could resolve this conflict";

/// The reason in Cargo's output, on one line, with the cause of a conflict before the dependents that
/// led to it. The message about an unreachable source can be too long. Then its middle is left out,
/// except for the source: Cargo begins with the action and ends with the cause.
pub(super) fn reason(output: &Output) -> String {
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with("error"))
        .map(|line| line.trim_start_matches("error:").trim())
        .filter(|line| !line.is_empty() && *line != "Caused by:")
        .take_while(|line| {
            !line.starts_with("As a reminder") && !line.starts_with("If you want to use")
        })
        .collect();
    let text = cause_first(&lines).join("; ");
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();

    match lines.as_slice() {
        [] => "it says nothing about why".to_owned(),
        [first, middle @ .., last]
            if text.chars().count() > MAX_REASON && is_unreachable(output) =>
        {
            let third = MAX_REASON / 3;
            let source = middle
                .iter()
                .find(|line| line.starts_with("unable to update"));
            let kept = [Some(first), source, Some(last)].into_iter().flatten();
            let kept: Vec<String> = kept.map(|line| cut(line, third)).collect();
            kept.join("; …; ")
        }
        _ => cut(&text, MAX_REASON),
    }
}

/// The first lines of a message. Between the package and the cause of a conflict, Cargo lists all
/// dependents and versions; these come last.
fn cause_first<'l>(lines: &[&'l str]) -> Vec<&'l str> {
    let is_end = |line: &&str| line.ends_with(CONFLICT_END);
    let is_cause = |line: &&str| {
        line.starts_with("all possible versions conflict")
            || line.starts_with("package `")
            || line.starts_with("the package `")
            || line.starts_with("candidate versions found")
    };
    let lines: Vec<&str> = lines.iter().filter(|line| !is_end(line)).copied().collect();
    let cause = lines.iter().position(is_cause).unwrap_or(1).max(1);
    let (before, cause) = lines.split_at(cause.min(lines.len()));
    let first = before.iter().take(1);
    let dependents = before.iter().skip(1);

    first
        .chain(cause)
        .chain(dependents)
        .take(MAX_LINES)
        .copied()
        .collect()
}

/// The locked package, as name and version, that leaves no version for another one.
pub(super) fn in_the_way(output: &Output) -> Option<(&str, &str)> {
    let (_, rest) = output.stderr.split_once("previously selected package `")?;
    let (package, _) = rest.split_once('`')?;
    let (name, version) = package.split_once(" v")?;
    Some((name, version.split(' ').next().unwrap_or(version)))
}

/// The first of some packages, given as name and version, that a message mentions.
pub(super) fn mentioned<'p>(
    output: &Output,
    packages: impl Iterator<Item = (&'p str, &'p str)>,
) -> Option<(&'p str, &'p str)> {
    packages
        .filter_map(|(name, version)| {
            let spellings = [
                format!("`{name} v{version}`"),
                format!("`{name} = \"={version}\"`"),
                format!("`{name} v{version} "),
            ];
            let found = spellings
                .iter()
                .filter_map(|text| output.stderr.find(text.as_str()));
            Some((found.min()?, (name, version)))
        })
        .min()
        .map(|(_, package)| package)
}

/// Refuses the output of a run in which rustup found no Cargo to run.
///
/// # Errors
/// With rustup's own message.
pub(super) fn toolchain_error(output: &Output) -> Result<(), RelockError> {
    let line = output
        .stderr
        .lines()
        .find(|line| {
            line.starts_with("error: rustup ")
                || (line.starts_with("error: toolchain '") && line.contains("is not installed"))
        })
        .filter(|_| !output.success);

    match line {
        None => environment_error(output),
        Some(line) => Err(RelockError::NoToolchain {
            reason: line.trim_start_matches("error: ").to_owned(),
        }),
    }
}

/// Fails when Cargo cannot write its own files: a directory without permission (EACCES, 13), a full
/// disk (ENOSPC, 28), a read-only file system (EROFS, 30). No other choice of versions helps then.
fn environment_error(output: &Output) -> Result<(), RelockError> {
    let is_cause = |line: &&str| {
        let codes = ["(os error 13)", "(os error 28)", "(os error 30)"];
        codes.iter().any(|code| line.contains(code))
    };
    let mut lines = output.stderr.lines();
    let what = output
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("error: "));
    match lines.find(is_cause).filter(|_| !output.success) {
        None => Ok(()),
        Some(cause) => Err(RelockError::Io {
            action: "run `cargo` here".to_owned(),
            source: std::io::Error::other(match what {
                Some(what) if !what.contains(cause.trim()) => format!("{what}: {}", cause.trim()),
                _ => cause.trim().trim_start_matches("error: ").to_owned(),
            }),
        }),
    }
}

/// Whether Cargo failed because a source is unreachable, which no other choice of versions fixes.
pub(super) fn is_unreachable(output: &Output) -> bool {
    [
        "failed to load source for dependency",
        "unable to update ",
        "failed to download from",
        "download of config.json failed",
        "failed to fetch into",
        "failed to load manifest",
    ]
    .iter()
    .any(|complaint| output.stderr.contains(complaint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_out_of_reach_is_told_from_a_conflict() {
        let says = |stderr: &str| Output {
            success: false,
            stdout: String::new(),
            stderr: stderr.to_owned(),
        };
        assert!(is_unreachable(&says(
            "error: x\n  unable to update https://git.invalid/a\n"
        )));
        assert!(!is_unreachable(&says(
            "error: failed to select a version for `a`.\n"
        )));
    }

    #[test]
    fn the_locked_package_in_the_way_is_found() {
        let output = Output {
            success: false,
            stdout: String::new(),
            stderr:
                "error: failed to select a version for `h2`.\n\nall possible versions conflict \
                     with previously selected packages.\n\n  previously selected package \
                     `h2 v0.3.21`\n    ... which satisfies dependency `h2 = \"^0.3.10\"`\n"
                    .to_owned(),
        };
        assert_eq!(in_the_way(&output), Some(("h2", "0.3.21")));
    }

    #[test]
    fn of_a_long_error_the_beginning_and_the_cause_are_kept() {
        let long = "failed to load source for dependency ".repeat(20);
        let output = Output {
            success: false,
            stdout: String::new(),
            stderr: format!(
                "error: failed to get `a`\n\nCaused by:\n  {long}\n\nCaused by:\n  unable to update \
                 https://git.invalid/a\n\nCaused by:\n  {long}\n\nCaused by:\n  revision 1 not found\n"
            ),
        };

        assert_eq!(
            reason(&output),
            "failed to get `a`; …; unable to update https://git.invalid/a; …; revision 1 not found"
        );
    }

    #[test]
    fn rustup_without_a_toolchain_is_reported_in_its_own_words() {
        let output = Output {
            success: false,
            stdout: String::new(),
            stderr: "error: rustup could not choose a version of cargo to run, because one wasn't \
                     specified explicitly, and no default is configured.\nhelp: run 'rustup default \
                     stable'\n"
                .to_owned(),
        };
        let error = toolchain_error(&output).unwrap_err();
        assert!(
            error.to_string().contains("no default is configured"),
            "{error}"
        );
        assert!(error.hint().is_some());

        let other = Output {
            stderr: "error: failed to select a version for `rustup`.\n".to_owned(),
            ..output
        };
        assert!(toolchain_error(&other).is_ok());
    }

    #[test]
    fn the_cause_of_a_conflict_is_not_cut() {
        let dependents: String = (0..20)
            .map(|number| format!("    ... required by package `p{number} v1.0.0`\n"))
            .collect();
        let output = Output {
            success: false,
            stdout: String::new(),
            stderr: format!(
                "error: failed to select a version for `hyper`.\n{dependents}versions that meet the \
                 requirements `^1` are: 1.1.0, 1.0.1\n\npackage `app` depends on `hyper` with feature \
                 `runtime` but `hyper` does not have that feature.\n\n\nfailed to select a version \
                 for `hyper` which could resolve this conflict\n"
            ),
        };
        let reason = reason(&output);
        assert!(
            reason.starts_with(
                "failed to select a version for `hyper`.; package `app` depends on `hyper` with \
                 feature `runtime` but `hyper` does not have that feature.; ... required by package \
                 `p0 v1.0.0`; "
            ),
            "{reason}"
        );
        assert!(!reason.contains("could resolve"), "{reason}");

        let packages = [("p7", "1.0.0"), ("p3", "1.0.0"), ("p1", "2.0.0")];
        assert_eq!(
            mentioned(&output, packages.into_iter()),
            Some(("p3", "1.0.0"))
        );
    }

    #[test]
    fn the_error_is_put_on_one_line() {
        let output = Output {
            success: false,
            stdout: String::new(),
            stderr: "    Updating index\nerror: failed to select a version for `a`.\n    ... required by package `b v1.0.0`\n\n".into(),
        };
        assert_eq!(
            reason(&output),
            "failed to select a version for `a`.; ... required by package `b v1.0.0`"
        );
    }

    #[test]
    fn a_directory_that_cargo_cannot_write_is_no_fault_of_versions() {
        let output = Output {
            success: false,
            stdout: String::new(),
            stderr: "error: failed to create directory `/none/.cargo/registry`\n\nCaused by:\n  \
                     Permission denied (os error 13)\n"
                .to_owned(),
        };
        let error = toolchain_error(&output).unwrap_err();
        assert_eq!(
            patchgate_model::error_chain(&error),
            "cannot run `cargo` here: failed to create directory `/none/.cargo/registry`: \
             Permission denied (os error 13)"
        );
    }
}

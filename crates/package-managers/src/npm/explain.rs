//! Short forms of npm's error output.

use crate::process::Output;

/// Longest reason that is passed on, in characters.
const MAX_REASON: usize = 300;

/// The reason in npm's output, without its log file's name.
pub(super) fn reason(output: &Output) -> String {
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .filter_map(|line| {
            line.strip_prefix("npm error ")
                .or_else(|| line.strip_prefix("npm ERR! "))
        })
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.contains("complete log of this run"))
        .collect();
    let code = lines.iter().find_map(|line| line.strip_prefix("code "));
    let text = match code {
        Some("ERESOLVE") => format!(
            "peer requirements contradict each other: {}",
            conflict(&lines)
        ),
        Some("ENOTCACHED") => {
            "npm's cache lacks a package, and `--offline` forbids to fetch it (offline)".to_owned()
        }
        Some("E401" | "E403" | "ENEEDAUTH") => {
            "the registry wants credentials that npm does not have here".to_owned()
        }
        Some("EALLOWGIT") => {
            "a git dependency would have to be fetched, which is not done".to_owned()
        }
        _ => lines
            .iter()
            .find(|line| !line.starts_with("code "))
            .map_or_else(
                || "it says nothing about why".to_owned(),
                |line| (*line).to_owned(),
            ),
    };

    text.chars().take(MAX_REASON).collect()
}

/// npm's words when it cannot write its own files, such as its cache below the home directory. No
/// other choice of versions helps then.
pub(super) fn environment(output: &Output) -> Option<String> {
    let value = |key: &str| {
        let mut lines = output.stderr.lines().filter_map(|line| {
            line.strip_prefix("npm error ")
                .or_else(|| line.strip_prefix("npm ERR! "))
        });
        lines.find_map(|line| {
            line.trim()
                .strip_prefix(key)?
                .strip_prefix(' ')
                .map(str::trim)
        })
    };
    let (code, call) = (value("code")?, value("syscall")?);
    let is_refused = matches!(code, "EACCES" | "EPERM" | "EROFS" | "ENOSPC" | "EDQUOT");
    // A parent that does not exist or is a file.
    let has_no_parent = matches!(code, "ENOENT" | "ENOTDIR") && call == "mkdir";
    if !is_refused && !has_no_parent {
        return None;
    }

    let path = value("path").map_or_else(String::new, |path| format!(" `{path}`"));
    let text = format!("{code}: {call}{path}");
    Some(text.chars().take(MAX_REASON).collect())
}

/// The lines that name the installed package and the one that asks for another version.
fn conflict(lines: &[&str]) -> String {
    let found = lines.iter().find_map(|line| line.strip_prefix("Found: "));
    let asked = lines
        .iter()
        .find(|line| line.contains("peer") && line.contains(" from "))
        .map(|line| {
            line.trim_start_matches("Could not resolve dependency:")
                .trim()
        });

    match (found, asked) {
        (Some(found), Some(asked)) => format!("found {found}, but {asked}"),
        (Some(found), None) => format!("found {found}"),
        _ => lines
            .iter()
            .find(|line| line.starts_with("ERESOLVE"))
            .map_or_else(String::new, |line| (*line).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(stderr: &str) -> Output {
        Output {
            success: false,
            stdout: String::new(),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn a_peer_conflict_names_both_sides() {
        let output = failed(
            "npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree\nnpm error\n\
             npm error Found: react@17.0.2\nnpm error Could not resolve dependency:\n\
             npm error peer react@\"^18.0.0\" from widget@2.0.0\nnpm error A complete log of this run can be found in: /x\n",
        );
        assert_eq!(
            reason(&output),
            "peer requirements contradict each other: found react@17.0.2, but peer react@\"^18.0.0\" from widget@2.0.0"
        );
    }

    #[test]
    fn an_empty_cache_offline_is_said() {
        assert!(
            reason(&failed(
                "npm error code ENOTCACHED\nnpm error request to x failed"
            ))
            .contains("offline")
        );
    }

    #[test]
    fn the_first_line_is_taken_from_anything_else() {
        assert_eq!(
            reason(&failed(
                "npm error code ETARGET\nnpm error notarget No matching version found for a@9.\n"
            )),
            "notarget No matching version found for a@9."
        );
        assert_eq!(reason(&failed("")), "it says nothing about why");
    }

    #[test]
    fn a_home_that_npm_cannot_write_is_no_fault_of_versions() {
        let output = failed(
            "npm error code EACCES\nnpm error syscall mkdir\nnpm error path /none/.npm\n\
             npm error errno EACCES\n",
        );
        assert_eq!(environment(&output).unwrap(), "EACCES: mkdir `/none/.npm`");
        let other = failed("npm error code ETARGET\nnpm error notarget No matching version\n");
        assert_eq!(environment(&other), None);
        let missing = failed("npm error code ENOENT\nnpm error syscall open\nnpm error path /x\n");
        assert_eq!(environment(&missing), None);
    }
}

//! Short reasons from Go's output.

use crate::process::{self, Output};
use crate::{PinnedVersion, RelockError};

/// Longest reason that is passed on, in characters.
const MAX_REASON: usize = 400;

/// Most lines of Go's output that are passed on.
const MAX_LINES: usize = 4;

/// Beginnings of lines that report progress.
const PROGRESS: [&str; 6] = [
    "downloading ",
    "finding ",
    "added ",
    "upgraded ",
    "downgraded ",
    "extracting ",
];

/// The reason in Go's output, on one line.
pub(super) fn reason(output: &Output) -> String {
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .map(|line| line.trim_start_matches("go: ").trim())
        .filter(|line| !line.is_empty())
        .filter(|line| !PROGRESS.iter().any(|progress| line.starts_with(progress)))
        .take(MAX_LINES)
        .collect();
    match lines.as_slice() {
        [] => "it says nothing about why".to_owned(),
        lines => lines.join("; ").chars().take(MAX_REASON).collect(),
    }
}

/// The error of a failed run: a version that is refused, a source that is out of reach, or another
/// one.
pub(super) fn failure(
    arguments: &[String],
    output: &Output,
    pins: &[PinnedVersion],
) -> RelockError {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let command = process::shown("go", &arguments);
    let reason = reason(output);
    let unreachable = [
        "dial tcp",
        "no such host",
        "connection refused",
        "i/o timeout",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "GOVCS disallows",
        "module lookup disabled by GOPROXY=off",
    ];
    if unreachable
        .iter()
        .any(|complaint| output.stderr.contains(complaint))
    {
        return RelockError::Unreachable { command, reason };
    }

    let refused = pins
        .iter()
        .find(|pin| reason.contains(&format!("{}@{}", pin.name, pin.to)));
    match refused {
        Some(pin) => RelockError::Refused {
            package: pin.name.clone(),
            version: pin.to.clone(),
            reason,
        },
        // Another module that the proxy does not serve: private, or gone.
        None if output.stderr.contains("reading http") => {
            RelockError::Unreachable { command, reason }
        }
        None => RelockError::Failed { command, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(stderr: &str) -> Output {
        Output {
            success: false,
            stdout: String::new(),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn errors_are_told_apart() {
        let pins = [PinnedVersion {
            install_path: None,
            name: "a.invalid/a".to_owned(),
            from: "v1.0.0".to_owned(),
            to: "v1.1.0".to_owned(),
        }];
        let error = |stderr: &str| failure(&["get".to_owned()], &says(stderr), &pins);
        assert!(matches!(
            error("go: downloading a.invalid/a v1.1.0\ngo: a.invalid/a@v1.1.0 requires go >= 1.30\n"),
            RelockError::Refused { reason, .. } if reason == "a.invalid/a@v1.1.0 requires go >= 1.30"
        ));
        assert!(matches!(
            error("go: a.invalid/a@v1.1.0: Get \"https://p.invalid\": dial tcp: x\n"),
            RelockError::Unreachable { .. }
        ));
        assert!(matches!(
            error("go: b.invalid/b@v1.0.0: reading https://p.invalid/b: 403 Forbidden\n"),
            RelockError::Unreachable { .. }
        ));
        assert!(matches!(
            error("go: updates to go.mod needed\n"),
            RelockError::Failed { reason, .. } if reason == "updates to go.mod needed"
        ));
        assert_eq!(reason(&says("")), "it says nothing about why");
    }
}

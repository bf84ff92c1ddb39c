//! Comments in which pip-tools and uv name the reasons for a package:
//! `# via -r requirements.in, flask`, or one reason per line.

use crate::pypi::name::is_name;

/// A reason for which a package is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// Another package depends on it.
    Package(String),
    /// A file requires it. `name` is the file's project.
    File { name: Option<String>, path: String },
    /// A constraints file limits its version, which is not a dependency.
    Constraint,
}

/// The reasons in the comments of a line.
pub(super) fn reasons(comments: &[String]) -> Vec<Reason> {
    let mut all = Vec::new();
    let mut inside = false;
    for comment in comments {
        let comment = comment.trim();
        let listed = match comment.strip_prefix("via") {
            Some(rest) if !inside && (rest.is_empty() || rest.starts_with([' ', ':'])) => {
                inside = true;
                rest.trim_start_matches(':')
            }
            _ if inside && !comment.is_empty() => comment,
            _ => {
                inside = false;
                continue;
            }
        };

        let reasons: Option<Vec<Reason>> = listed
            .split(", ")
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(reason)
            .collect();
        match reasons {
            Some(reasons) => all.extend(reasons),
            // Any other comment ends the list.
            None => inside = false,
        }
    }

    all
}

/// Parses one reason; `None` for other comments.
fn reason(text: &str) -> Option<Reason> {
    if let Some(path) = text.strip_prefix("-r ") {
        return Some(Reason::File {
            name: None,
            path: path.trim().to_owned(),
        });
    }
    if text.starts_with("-c ") || text.starts_with("--override ") {
        return Some(Reason::Constraint);
    }

    let (name, file) = match text.split_once(" (") {
        Some((name, file)) => (name, Some(file.strip_suffix(')')?)),
        None => (text, None),
    };
    let name = name.split(['[', ':']).next().unwrap_or(name);

    is_name(name).then(|| match file {
        Some(path) => Reason::File {
            name: Some(name.to_owned()),
            path: path.to_owned(),
        },
        None => Reason::Package(name.to_owned()),
    })
}

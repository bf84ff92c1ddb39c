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
    texts(comments).into_iter().filter_map(reason).collect()
}

/// The reasons in the comments of a line, as written.
pub(super) fn texts(comments: &[String]) -> Vec<&str> {
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

        let listed: Vec<&str> = listed
            .split(", ")
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .collect();
        match listed.iter().all(|text| reason(text).is_some()) {
            true => all.extend(listed),
            // Any other comment ends the list.
            false => inside = false,
        }
    }

    all
}

/// Parses one reason; `None` for other comments.
pub(super) fn reason(text: &str) -> Option<Reason> {
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

//! What pip-tools and uv write behind a package about why it is there:
//! `# via -r requirements.in, flask`, or one reason a line.

use crate::pypi::name::is_name;

/// Why a package is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// A package needs it.
    Package(String),
    /// A file asks for it, of the project of this name.
    File { name: Option<String>, path: String },
    /// A constraints file holds its version; that brings nothing.
    Constraint,
}

/// The reasons in the comments of a line.
pub(super) fn reasons(comments: &[String]) -> Vec<Reason> {
    let mut found = Vec::new();
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
        let read: Option<Vec<Reason>> = listed
            .split(", ")
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(reason)
            .collect();

        match read {
            Some(reasons) => found.extend(reasons),
            // Any other comment ends the list.
            None => inside = false,
        }
    }

    found
}

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

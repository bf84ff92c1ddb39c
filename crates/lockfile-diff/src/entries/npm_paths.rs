//! The paths of npm's entries.

/// The name of the directory in `node_modules`, with its scope. `None` for a project.
pub(super) fn installed_name(path: &str) -> Option<&str> {
    let (above, name) = match path.rsplit_once("/node_modules/") {
        Some((above, name)) => (above, name),
        None => ("", path.strip_prefix("node_modules/")?),
    };
    (!name.is_empty() && !above.ends_with('/')).then_some(name)
}

/// Whether npm writes a path below `node_modules` in this spelling.
///
/// npm resolves `./node_modules/a` and `x/../node_modules/a` to the same directory as
/// `node_modules/a`, and the entry that comes last wins. A second spelling of a path would replace
/// the entry that is judged.
pub(super) fn is_normal(path: &str) -> bool {
    // A project that is linked from outside of the lockfile's directory.
    let mut inside = path;
    while let Some(rest) = inside.strip_prefix("../") {
        inside = rest;
    }

    let parts_are_normal = inside
        .split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']));
    let mut names = inside.split("node_modules/").skip(1);
    let names_are_normal = names.all(|name| {
        let name = name.strip_suffix('/').unwrap_or(name);
        let slashes = name.bytes().filter(|byte| *byte == b'/').count();
        slashes == usize::from(name.starts_with('@')) && !name.starts_with('.')
    });

    parts_are_normal && names_are_normal
}

#[cfg(test)]
mod tests {
    use super::is_normal;

    #[test]
    fn one_spelling_of_each_path_is_normal() {
        for path in [
            "node_modules/a",
            "node_modules/@s/a",
            "node_modules/a/node_modules/@s/a.b",
            "packages/x/node_modules/a",
            "../../x/node_modules/a",
        ] {
            assert!(is_normal(path), "{path}");
        }
        for path in [
            "./node_modules/a",
            "x/../node_modules/a",
            "node_modules/./a",
            "node_modules//a",
            "node_modules/a/",
            "node_modules/a/../b",
            "node_modules/a/b",
            "node_modules/@s",
            "node_modules/@s/a/b",
            "node_modules/.bin",
            "node_modules/x/.bin/a",
            "node_modules\\a",
            "node_modules/a\\node_modules\\b",
            "/node_modules/a",
            "C:/node_modules/a",
            "node_modules/a//node_modules/b",
        ] {
            assert!(!is_normal(path), "{path}");
        }
    }
}

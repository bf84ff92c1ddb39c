//! Changes of `go.sum` (<https://go.dev/ref/mod#go-sum-files>).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::version;

/// A `go.sum` under change.
pub(super) struct Sums {
    /// The lines, each with its line break.
    lines: Vec<String>,
    ending: &'static str,
    /// The modules and versions that have a sum, as the file writes them: `path version` and
    /// `path version/go.mod`.
    known: BTreeSet<(String, String)>,
}

impl Sums {
    pub(super) fn new(text: &str) -> Self {
        let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let known = lines.iter().filter_map(|line| key(line)).collect();
        Self {
            lines,
            ending: if text.contains("\r\n") { "\r\n" } else { "\n" },
            known,
        }
    }

    pub(super) fn into_text(self) -> String {
        self.lines.concat()
    }

    /// Whether there is a sum of a release's `go.mod`.
    pub(super) fn has_go_mod(&self, path: &str, version: &str) -> bool {
        self.known
            .contains(&(path.to_owned(), format!("{version}/go.mod")))
    }

    /// Removes the sum of a release's archive. That of its `go.mod` stays, because the requirements of
    /// every version count that any module of the build requires.
    pub(super) fn remove_archive(&mut self, path: &str, version: &str) {
        let gone = (path.to_owned(), version.to_owned());
        self.lines.retain(|line| key(line).as_ref() != Some(&gone));
        self.known.remove(&gone);
    }

    /// Adds the sum of a release's archive (`v1.2.3`) or `go.mod` (`v1.2.3/go.mod`), where Go's own
    /// order has it.
    ///
    /// # Errors
    /// If the file has another sum for it.
    pub(super) fn add(&mut self, path: &str, version: &str, hash: &str) -> Result<(), String> {
        let added = (path.to_owned(), version.to_owned());
        if self.known.contains(&added) {
            let is_same = self.lines.iter().any(|line| {
                key(line).as_ref() == Some(&added) && line.split_whitespace().nth(2) == Some(hash)
            });
            return match is_same {
                true => Ok(()),
                false => Err(format!(
                    "`go.sum` has another hash for `{path} {version}` than the registry"
                )),
            };
        }

        let at = self
            .lines
            .iter()
            .position(|line| key(line).is_some_and(|key| order(&key, &added).is_gt()))
            .unwrap_or(self.lines.len());
        let before = at.checked_sub(1).and_then(|at| self.lines.get_mut(at));
        if let Some(line) = before.filter(|line| !line.ends_with('\n')) {
            line.push_str(self.ending);
        }
        self.lines
            .insert(at, format!("{path} {version} {hash}{}", self.ending));
        self.known.insert(added);
        Ok(())
    }
}

/// The module and the version of a line.
fn key(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

/// Go's order of the lines: by path, by version, and the archive before the `go.mod`
/// (<https://pkg.go.dev/golang.org/x/mod/module#Sort>).
fn order(a: &(String, String), b: &(String, String)) -> Ordering {
    let split = |version: &str| {
        let (version, file) = version.split_once('/').unwrap_or((version, ""));
        (version.to_owned(), file.to_owned())
    };
    let ((a_version, a_file), (b_version, b_file)) = (split(&a.1), split(&b.1));
    a.0.cmp(&b.0)
        .then_with(|| version::compare(&a_version, &b_version))
        .then_with(|| a_version.cmp(&b_version))
        .then_with(|| a_file.cmp(&b_file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_in_the_order_of_go() {
        let mut sums = Sums::new("a v1.9.0 h1:a\r\na v1.9.0/go.mod h1:b\r\nc v1.0.0/go.mod h1:c");
        sums.add("a", "v1.10.0/go.mod", "h1:e").unwrap();
        sums.add("a", "v1.10.0", "h1:d").unwrap();
        sums.add("d", "v0.1.0", "h1:f").unwrap();
        sums.remove_archive("a", "v1.9.0");
        assert_eq!(
            sums.into_text(),
            "a v1.9.0/go.mod h1:b\r\na v1.10.0 h1:d\r\na v1.10.0/go.mod h1:e\r\n\
             c v1.0.0/go.mod h1:c\r\nd v0.1.0 h1:f\r\n"
        );
    }

    #[test]
    fn a_hash_that_the_file_has_is_not_replaced() {
        let mut sums = Sums::new("a v1.0.0 h1:a\n");
        assert_eq!(sums.add("a", "v1.0.0", "h1:a"), Ok(()));
        assert!(sums.add("a", "v1.0.0", "h1:b").is_err());
        assert_eq!(sums.into_text(), "a v1.0.0 h1:a\n");
    }
}

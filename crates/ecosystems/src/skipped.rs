//! Entries of a file that a parser could not read, in bounded number.
//!
//! A parser records an entry here and reads on. Files that are not of the format at all, are
//! truncated or exceed a limit are a [`ParseError`] instead.

use patchgate_model::{Loss, SkippedEntry};

use crate::ParseError;

/// Most entries that are listed one by one; the others are counted. A scanned repository is hostile
/// input, and more would not be read.
const MAX_LISTED: usize = 100;

/// Longest reason, in characters. It can contain a name from the file.
const MAX_REASON_CHARS: usize = 300;

/// Collects the entries of one file that could not be read.
#[derive(Debug, Clone, Default)]
pub struct SkippedEntries {
    listed: Vec<SkippedEntry>,
    /// The first line and the strongest loss of the entries beyond [`MAX_LISTED`].
    more: Option<(u32, Loss)>,
    more_count: usize,
}

impl SkippedEntries {
    /// Records an entry with which a package may be missing.
    pub fn package(&mut self, line: u32, reason: impl Into<String>) {
        self.add(Loss::Package, line, reason.into());
    }

    /// Records an entry with which an edge of the graph is missing.
    pub fn edge(&mut self, line: u32, reason: impl Into<String>) {
        self.add(Loss::Edge, line, reason.into());
    }

    /// Records an entry with which a hash or another detail is missing.
    pub fn detail(&mut self, line: u32, reason: impl Into<String>) {
        self.add(Loss::Detail, line, reason.into());
    }

    /// The value, or `None` after the error was recorded. An error without a line gets the line of
    /// the entry.
    pub fn recover<T>(
        &mut self,
        loss: Loss,
        line: u32,
        result: Result<T, ParseError>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(loss, error.line.unwrap_or(line), error.reason);
                None
            }
        }
    }

    /// Records an entry.
    pub fn add(&mut self, loss: Loss, line: u32, mut reason: String) {
        let line = line.max(1);
        if self.listed.len() >= MAX_LISTED {
            self.more_count += 1;
            self.more = Some(match self.more {
                Some((first, strongest)) => (first.min(line), strongest.min(loss)),
                None => (line, loss),
            });
            return;
        }

        if let Some((end, _)) = reason.char_indices().nth(MAX_REASON_CHARS) {
            reason.truncate(end);
            reason.push('…');
        }
        self.listed.push(SkippedEntry { line, reason, loss });
    }

    /// The entries by line. Those beyond the first hundred are one entry at the end, with the
    /// strongest loss among them.
    #[must_use]
    pub fn into_entries(self) -> Vec<SkippedEntry> {
        let mut entries = self.listed;
        entries.sort_by_key(|entry| entry.line);

        if let Some((line, loss)) = self.more {
            let count = self.more_count;
            let noun = if count == 1 { "entry" } else { "entries" };
            entries.push(SkippedEntry {
                line,
                reason: format!("has {count} more {noun} that could not be read"),
                loss,
            });
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_ordered_by_line() {
        let mut skipped = SkippedEntries::default();
        skipped.edge(7, "has an edge to `a`");
        skipped.detail(3, "has a bad hash");
        let error = Err::<(), _>(ParseError::new("lacks `name`"));
        assert_eq!(skipped.recover(Loss::Package, 5, error), None);
        assert_eq!(skipped.recover(Loss::Package, 6, Ok(1)), Some(1));

        let entries = skipped.into_entries();
        let seen: Vec<_> = entries
            .iter()
            .map(|entry| (entry.line, entry.loss))
            .collect();
        assert_eq!(
            seen,
            [(3, Loss::Detail), (5, Loss::Package), (7, Loss::Edge)]
        );
    }

    #[test]
    fn entries_beyond_the_bound_are_one_with_the_strongest_loss() {
        let mut skipped = SkippedEntries::default();
        for line in 1..=MAX_LISTED as u32 {
            skipped.detail(line, "has a bad hash");
        }
        skipped.edge(900, "a");
        skipped.package(901, "b");
        skipped.detail(902, "c");

        let entries = skipped.into_entries();
        assert_eq!(entries.len(), MAX_LISTED + 1);
        assert_eq!(
            entries.last(),
            Some(&SkippedEntry {
                line: 900,
                reason: "has 3 more entries that could not be read".to_owned(),
                loss: Loss::Package,
            })
        );
    }

    #[test]
    fn a_reason_is_bounded() {
        let mut skipped = SkippedEntries::default();
        skipped.package(0, "ä".repeat(100_000));

        let entries = skipped.into_entries();
        let lengths: Vec<_> = entries.iter().map(|it| it.reason.chars().count()).collect();
        assert_eq!((lengths, entries[0].line), (vec![MAX_REASON_CHARS + 1], 1));
    }
}

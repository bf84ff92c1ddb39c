//! The last step of a reader that reads on after an odd entry.

use patchgate_model::{Lockfile, Loss};

use crate::{ParseError, SkippedEntries};

/// The lockfile with its skipped entries.
///
/// # Errors
/// When no entry could be read: such a file is more probably of another format, or broken as a
/// whole, than a list of odd entries.
pub(crate) fn finish(
    mut lockfile: Lockfile,
    skipped: SkippedEntries,
) -> Result<Lockfile, ParseError> {
    let entries = skipped.into_entries();
    let is_empty = lockfile.packages.is_empty() && lockfile.unresolved.is_empty();
    if is_empty && let Some(first) = entries.iter().find(|entry| entry.loss == Loss::Package) {
        return Err(ParseError::new(first.reason.clone()).at_line(first.line as usize));
    }

    lockfile.skipped.extend(entries);
    Ok(lockfile)
}

/// Records that a file lacks the part that its manager writes last, although the manager reads such a
/// file: whether it ever had more packages is unknown.
///
/// # Errors
/// When the last line has no line break: its entry may have been cut, and then states another version
/// than the one that is locked.
pub(crate) fn may_be_cut(
    skipped: &mut SkippedEntries,
    text: &str,
    last_part: &str,
) -> Result<(), ParseError> {
    let line = text.lines().count();
    if !text.ends_with('\n') {
        let reason = format!("is truncated: it lacks {last_part}");
        return Err(ParseError::new(reason).at_line(line));
    }

    let line = u32::try_from(line).unwrap_or(u32::MAX);
    skipped.package(line, format!("may be truncated: it lacks {last_part}"));
    Ok(())
}

/// Records that the last line has no line break, although nothing of what is read of it can be cut:
/// the manager reads such a file, but further lines may be missing.
pub(crate) fn lacks_line_break(skipped: &mut SkippedEntries, line: u32) {
    skipped.package(
        line,
        "may be truncated: its last line does not end with a line break",
    );
}

/// Records that the file states another version of its format than those that are known. It is
/// read as the nearest known one, but packages may have another form.
pub(crate) fn other_version(skipped: &mut SkippedEntries, line: u32, version: &str, known: &str) {
    let shown: String = version.chars().take(20).collect();
    skipped.package(
        line,
        format!("has format version {shown:?}; {known} supported"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgate_model::{EcosystemName, Package};

    #[test]
    fn a_file_of_which_nothing_is_left_is_refused() {
        let mut skipped = SkippedEntries::default();
        skipped.detail(1, "has a bad hash");
        let empty = finish(Lockfile::default(), skipped.clone()).unwrap();
        assert_eq!(empty.skipped.len(), 1);

        skipped.package(3, "lacks `name`");
        let error = finish(Lockfile::default(), skipped.clone()).unwrap_err();
        assert_eq!(
            (error.reason.as_str(), error.line),
            ("lacks `name`", Some(3))
        );

        let name = EcosystemName::new("npm");
        let lockfile = Lockfile {
            packages: vec![Package::new(name, "a".to_owned(), "1".to_owned())],
            ..Lockfile::default()
        };
        assert_eq!(finish(lockfile, skipped).unwrap().skipped.len(), 2);
    }

    #[test]
    fn a_file_without_its_last_part_may_lack_packages() {
        let mut skipped = SkippedEntries::default();
        may_be_cut(&mut skipped, "a\nb\n", "`c`").unwrap();
        let entries = skipped.into_entries();
        assert_eq!((entries[0].line, entries[0].loss), (2, Loss::Package));
        assert_eq!(entries[0].reason, "may be truncated: it lacks `c`");

        let error = may_be_cut(&mut SkippedEntries::default(), "a\nb", "`c`").unwrap_err();
        assert_eq!(error.reason, "is truncated: it lacks `c`");
    }
}

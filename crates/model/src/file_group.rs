//! Groups of files that are part of a repository and not of its own product.

/// The part that a file has in a repository, if it is not one of the project's own files. Files of
/// every group are read; a report shows them apart, and settings can leave a group out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileGroup {
    /// A file of the project's tests: a fixture, or the project of an end-to-end test.
    Test,
    /// An example, a sample, or a template of other projects.
    Example,
    /// A copy of somebody else's project: a vendored tree, a submodule.
    Vendored,
    /// A file in a generated tree.
    Generated,
}

impl FileGroup {
    /// Every group, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Test, Self::Example, Self::Vendored, Self::Generated];

    /// The word for the group in settings, flags and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Example => "example",
            Self::Vendored => "vendored",
            Self::Generated => "generated",
        }
    }

    /// The group with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::FileGroup;

    #[test]
    fn every_group_has_a_word_of_its_own() {
        for group in FileGroup::ALL {
            assert_eq!(FileGroup::from_word(group.word()), Some(group));
        }
        assert_eq!(FileGroup::from_word("tests"), None);
    }
}

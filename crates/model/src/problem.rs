//! Inputs that could not be read. A scan with problems is incomplete, never clean.

/// An input that could not be read or looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Problem {
    /// The kind of the input.
    pub kind: ProblemKind,
    /// Name of the file, server, ecosystem or package.
    pub subject: String,
    /// Line in the file, if one is known.
    pub line: Option<u32>,
    /// The cause: a lower-case fragment without a final period.
    pub reason: String,
    /// The next step, if there is one.
    pub hint: Option<String>,
}

/// The kind of an input that could not be read or looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A file of the repository.
    File,
    /// Advisories of an ecosystem or a package.
    Advisories,
    /// A signal feed: EPSS, KEV.
    Feed,
    /// Metadata of a registry.
    Registry,
    /// A document with statements about vulnerabilities.
    Vex,
    /// Requirements for which no file states a version.
    Unresolved,
    /// A file that states dependencies in a format that is not read.
    Unsupported,
    /// A version that its ecosystem cannot compare with others.
    Version,
}

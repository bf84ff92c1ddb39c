//! What could not be done, as a value: a scan with problems is incomplete, never clean.

/// Something that could not be read or looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Problem {
    /// What kind of thing it was.
    pub kind: ProblemKind,
    /// The file, server, ecosystem or package that it is about.
    pub subject: String,
    /// Line in the file, where one is known.
    pub line: Option<u32>,
    /// What went wrong: a lower-case fragment without a final period.
    pub reason: String,
    /// What to do next, where there is something to do.
    pub hint: Option<String>,
}

/// What kind of thing could not be read or looked up.
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
    /// A version that its ecosystem's order cannot place.
    Version,
}

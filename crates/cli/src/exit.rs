//! Exit codes: the only definition, the same for every output format.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing at or above the threshold; the command did all that it was asked to.
    Clean,
    /// There are findings at or above the threshold; after a fix, such that remain although a fix
    /// exists.
    Findings,
    /// Wrong usage or configuration: nothing was done.
    Usage,
    /// Something could not be read or reached: the answer is incomplete. Stronger than
    /// [`Exit::Findings`], because an incomplete report must not look complete.
    Incomplete,
    /// No lockfile was found.
    NothingToScan,
    /// A release that is malicious itself is among the packages: an incident, whatever the
    /// thresholds are. Stronger than [`Exit::Incomplete`]: whatever else there may be, the incident
    /// comes first.
    Malicious,
    /// `gate`: every condition is met.
    Merge,
    /// `gate`: a person must decide.
    Review,
    /// `gate`: it must not be merged.
    Block,
}

impl Exit {
    /// Every exit, for the table in the help and in the documentation.
    pub(crate) const ALL: [Self; 9] = [
        Self::Clean,
        Self::Findings,
        Self::Usage,
        Self::Incomplete,
        Self::NothingToScan,
        Self::Malicious,
        Self::Merge,
        Self::Review,
        Self::Block,
    ];

    /// The number that a script sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Clean | Self::Merge => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::NothingToScan => 4,
            Self::Malicious => 5,
            Self::Review => 10,
            Self::Block => 11,
        }
    }

    /// The meaning of the number, for a person.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Clean => "nothing at or above the threshold",
            Self::Findings => "findings at or above the threshold",
            Self::Usage => "wrong usage or configuration",
            Self::Incomplete => "incomplete: something could not be read or reached",
            Self::NothingToScan => "nothing to scan",
            Self::Malicious => {
                "incident: a malicious release is installed, whatever else was found"
            }
            Self::Merge => "gate: merge",
            Self::Review => "gate: review",
            Self::Block => "gate: block",
        }
    }

    /// The reason in one word, as JSON reports give it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Findings => "findings",
            Self::Usage => "usage",
            Self::Incomplete => "incomplete",
            Self::NothingToScan => "nothing-to-scan",
            Self::Malicious => "malicious",
            Self::Merge => "merge",
            Self::Review => "review",
            Self::Block => "block",
        }
    }

    /// The table that ends `patchgate --help`.
    pub(crate) fn table() -> String {
        let mut table = String::from("Exit codes:\n");
        for exit in Self::ALL {
            table.push_str(&format!("  {:>2}  {}\n", exit.code(), exit.meaning()));
        }
        table
    }
}

impl From<Exit> for patchgate_report::RunEnd {
    fn from(exit: Exit) -> Self {
        Self {
            code: exit.code(),
            reason: exit.word(),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn codes_are_the_documented_ones() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 0, 10, 11]);
    }
}

//! The outcome of running a project's own tests on the steps of a plan.

use crate::FixedFinding;

/// What the project's own tests say about a plan. The steps of the plan passed them together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// The command, as the user gave it.
    pub command: String,
    /// Number of times that it was run.
    pub runs: usize,
    /// The steps that are not part of the plan any more, in the order of the plan that was tested.
    pub left: Vec<UnverifiedStep>,
}

/// A step that the tests do not pass with, or that was not tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedStep {
    /// The packages that it upgrades: `qs 6.5.2 -> 6.5.3`.
    pub upgrades: Vec<String>,
    /// The findings that it would fix.
    pub fixes: Vec<FixedFinding>,
    /// The kind of the failure.
    pub class: FailureClass,
    /// The reason in one sentence without a period.
    pub reason: String,
    /// The end of the command's output. Secrets are replaced; other text is as the command printed
    /// it. Empty if the command was not run.
    pub log: String,
}

/// The part of a build that a step breaks. The first four are those of a study of 571 reproduced
/// breakages by upgrades in Java (BUMP, <https://arxiv.org/abs/2401.09906>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// The sources do not compile, or a module or name is missing when they are loaded.
    Compile,
    /// A test fails.
    Test,
    /// A rule of the build fails: a linter, an enforced policy, a warning that counts as an error.
    Policy,
    /// The lockfile does not fit its manifest.
    Lock,
    /// No set of versions satisfies the requirements.
    Resolution,
    /// It took longer than its time limit.
    TimeOut,
    /// It was not tested: the number of runs was used up.
    NotTested,
    /// The output does not say.
    Unknown,
}

impl FailureClass {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Test => "test",
            Self::Policy => "policy",
            Self::Lock => "lock",
            Self::Resolution => "resolution",
            Self::TimeOut => "time-out",
            Self::NotTested => "not-tested",
            Self::Unknown => "unknown",
        }
    }
}

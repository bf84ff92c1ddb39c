//! The cases. `truth` is what a person says who reads the sources: "unknown" where only a run, or the
//! sources of a dependency, would show it.

mod compiled;
mod scripts;

use Reachability::Unknown;
use patchgate_model::{Reachability, Scope};

/// A repository with one finding.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) ecosystem: &'static str,
    pub(crate) package: &'static str,
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// `ecosystem_specific` of the record.
    pub(crate) symbols: &'static str,
    /// The name that the manifest gives the package.
    pub(crate) alias: Option<&'static str>,
    /// Other direct dependencies.
    pub(crate) others: &'static [&'static str],
    /// The package that needs it, if the project does not need it itself.
    pub(crate) needed_by: Option<&'static str>,
    pub(crate) scope: Scope,
    pub(crate) malicious: bool,
    pub(crate) answer: Reachability,
    /// File and line of the first place; empty where it does not matter.
    pub(crate) place: &'static str,
    pub(crate) truth: Reachability,
}

const CASE: Case = Case {
    name: "",
    ecosystem: "",
    package: "",
    files: &[],
    symbols: "",
    alias: None,
    others: &[],
    needed_by: None,
    scope: Scope::Runtime,
    malicious: false,
    answer: Unknown,
    place: "",
    truth: Unknown,
};

const GO: &str = r#"{"imports":[{"path":"example.org/m/html","symbols":["Parse","Node.Render","Tokenizer.Next"]}]}"#;
const RUST: &str = r#"{"affects":{"functions":["ammonia::clean","ammonia::Builder::clean","ammonia::url::rewrite"]}}"#;

/// All cases.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    compiled::CASES.iter().chain(scripts::CASES)
}

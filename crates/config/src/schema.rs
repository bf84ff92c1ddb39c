//! The format of the settings file. The JSON Schema is generated from these types; their doc comments
//! become its descriptions, which editors show to users.

mod gate;
mod pull_requests;

use patchgate_model::Bump;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::risk::{ProfileEntry, Sla};
pub(crate) use gate::{
    AccountEntry, Check, DayWord, FailedChecks, FreezeEntry, Gate, IdentifiedAccount, MergeWord,
    ProofWord, RuleEntry, StageEntry, StageWord, ThenWord,
};
pub(crate) use pull_requests::{
    OutcomeWord, PerWord, PullRequestGroup, PullRequests, ScopeWord, UrgentWord, WindowEntry,
};

/// Settings of Patchgate for one repository.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(title = "Patchgate settings")]
pub(crate) struct File {
    /// Version of the file's format.
    #[schemars(extend("const" = 1))]
    pub(crate) version: Option<u32>,
    /// Thresholds of findings that fail a run. A finding fails it when it reaches any threshold that is
    /// set. Malicious releases always do, and so do vulnerabilities that are known to be exploited (CISA
    /// KEV), unless `fail-on` says which findings do.
    pub(crate) thresholds: Thresholds,
    /// Findings that are accepted until a date.
    pub(crate) ignore: Vec<IgnoreEntry>,
    /// Conditions under which the gate merges a pull request without a person. Without this section,
    /// it merges none.
    pub(crate) gate: Gate,
    /// How far fixes may go.
    pub(crate) fix: Fix,
    /// How fixes are divided into pull requests, and when they are opened.
    pub(crate) pull_requests: PullRequests,
    /// How advisories are interpreted.
    pub(crate) advisories: Advisories,
    /// The offline advisory store.
    pub(crate) store: Store,
    /// Scope of a scan.
    pub(crate) scan: Scan,
    /// VEX documents: statements that a product is not affected by a vulnerability.
    pub(crate) vex: Vex,
    /// CSAF advisories of vendors, in addition to those of OSV: files and directories from the
    /// repository's root, and `https` addresses of documents or of a `provider-metadata.json`. The gate
    /// uses none of them.
    #[schemars(inner(length(min = 1)))]
    pub(crate) csaf: Vec<String>,
    /// Business profiles: what the files of a glob belong to. The profile of the most specific glob
    /// applies.
    pub(crate) profiles: Vec<ProfileEntry>,
    /// Deadlines of findings: a published table, or the organisation's own.
    pub(crate) sla: Option<Sla>,
    /// What the reachability of a finding changes, which `--reachability` reads from the sources.
    pub(crate) reachability: Reachability,
}

/// What the reachability of a finding changes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Reachability {
    /// A finding in a package that no source of the repository imports: `keep` its outcome, or `lower`
    /// it by one, but not below scheduled if the vulnerability is known to be exploited, and never that
    /// of a malicious release.
    pub(crate) not_imported: NotImportedWord,
}

/// What a package that no source imports means for the outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum NotImportedWord {
    #[default]
    Keep,
    Lower,
}

/// Thresholds of findings that fail a run.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Thresholds {
    /// Lowest severity that fails a run; `low` when neither threshold is set. An unknown severity
    /// counts as high.
    pub(crate) severity: Option<SeverityWord>,
    /// Lowest score, from 0 to 100, that fails a run; 0 sets no threshold.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub(crate) score: Option<f64>,
    /// Condition under which a finding fails a run, such as `act-now or (severity>=high and fixable)`.
    #[schemars(length(min = 1))]
    pub(crate) fail_on: Option<String>,
    /// Whether possible findings count: those about a requirement that admits affected versions and
    /// others.
    pub(crate) possible: bool,
    /// Whether an incomplete scan fails a run: one word for everything, or one for each kind of input.
    pub(crate) incomplete: Incomplete,
}

/// Whether an incomplete scan fails a run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(crate) enum Incomplete {
    /// For every kind of input.
    All(IncompleteWord),
    /// By kind of input. Kinds that are not listed fail a run.
    ByKind(IncompleteKinds),
}

impl Default for Incomplete {
    fn default() -> Self {
        Self::All(IncompleteWord::Fail)
    }
}

/// Consequence of an input that could not be read or judged: `fail` ends the run with exit code 3,
/// `warn` lists the input and goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum IncompleteWord {
    #[default]
    Fail,
    Warn,
}

/// Consequences by kind of input.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(inline)]
pub(crate) struct IncompleteKinds {
    /// Files that cannot be read, or only in part.
    pub(crate) file: IncompleteWord,
    /// Advisories that cannot be looked up.
    pub(crate) advisories: IncompleteWord,
    /// Feeds (KEV, EPSS) that cannot be read.
    pub(crate) feed: IncompleteWord,
    /// Registries that cannot be read.
    pub(crate) registry: IncompleteWord,
    /// VEX documents that cannot be read.
    pub(crate) vex: IncompleteWord,
    /// Requirements for which no file states a version and that cannot be judged.
    pub(crate) unresolved: IncompleteWord,
    /// Files that state dependencies in a format that Patchgate does not read.
    pub(crate) unsupported: IncompleteWord,
    /// Versions that cannot be compared.
    pub(crate) version: IncompleteWord,
}

impl IncompleteKinds {
    /// The same consequence for every kind.
    pub(crate) fn all(word: IncompleteWord) -> Self {
        Self {
            file: word,
            advisories: word,
            feed: word,
            registry: word,
            vex: word,
            unresolved: word,
            unsupported: word,
            version: word,
        }
    }
}

/// A severity, by CVSS bands.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum SeverityWord {
    Low,
    Medium,
    High,
    Critical,
}

/// A finding that is accepted until a date.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct IgnoreEntry {
    /// Id of the vulnerability, or one of its aliases.
    #[schemars(length(min = 1))]
    pub(crate) id: String,
    /// Why the finding is accepted; reports show this text.
    #[schemars(length(min = 1))]
    pub(crate) reason: String,
    /// Last day, `YYYY-MM-DD`, on which the entry applies.
    #[schemars(extend("format" = "date"))]
    pub(crate) until: String,
    /// Restricts the entry to a package: `name` or `ecosystem:name`.
    #[schemars(length(min = 1))]
    pub(crate) package: Option<String>,
    /// Why this repository is not affected. With it, VEX documents that Patchgate writes state
    /// `not_affected`, otherwise `affected`.
    pub(crate) justification: Option<JustificationWord>,
}

/// Why a product is not affected, in the words of OpenVEX and CSAF.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum JustificationWord {
    ComponentNotPresent,
    VulnerableCodeNotPresent,
    VulnerableCodeNotInExecutePath,
    VulnerableCodeCannotBeControlledByAdversary,
    InlineMitigationsAlreadyExist,
}

/// Size of a version change.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum BumpWord {
    Patch,
    #[default]
    Minor,
    Major,
}

impl BumpWord {
    pub(crate) fn bump(self) -> Bump {
        match self {
            Self::Patch => Bump::Patch,
            Self::Minor => Bump::Minor,
            Self::Major => Bump::Major,
        }
    }
}

/// How far fixes may go.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Fix {
    /// Greatest step of a package's version. The default is any; `--max-bump` comes before it.
    pub(crate) max_bump: Option<BumpWord>,
    /// Age in days that a release must have to be chosen. A release whose time of publication is not
    /// known is then never chosen.
    #[schemars(range(min = 0, max = 3650))]
    pub(crate) cooldown_days: u32,
    /// Rules for packages. The first one that names a package applies to it.
    pub(crate) packages: Vec<FixRule>,
    /// Packages that change in one step.
    pub(crate) groups: Vec<FixGroup>,
}

/// A rule for packages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FixRule {
    /// The packages: a name or a glob of names, after the ecosystem's name or not, as in `npm:react*`.
    #[schemars(length(min = 1))]
    pub(crate) package: String,
    /// Greatest step of their versions; `none` pins them.
    pub(crate) max_bump: Option<LimitWord>,
    /// Age in days that their releases must have.
    #[schemars(range(min = 0, max = 3650))]
    pub(crate) cooldown_days: Option<u32>,
    /// Why; the report shows it.
    #[schemars(length(min = 1))]
    pub(crate) reason: Option<String>,
}

/// Greatest step of a version.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum LimitWord {
    None,
    Patch,
    Minor,
    Major,
}

/// Packages that change in one step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FixGroup {
    /// Name of the group.
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    /// Its packages, as in a rule.
    #[schemars(inner(length(min = 1)))]
    pub(crate) packages: Vec<String>,
}

/// How advisories are interpreted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Advisories {
    /// Prefixes of ids whose records all describe malicious releases, such as `LWA-`. `MAL-` is always
    /// one of them.
    #[schemars(inner(length(min = 2)))]
    pub(crate) malicious_prefixes: Vec<String>,
}

/// The offline advisory store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Store {
    /// Directory of the store, from the repository's root. Without it, advisories are looked up online.
    #[schemars(length(min = 1))]
    pub(crate) path: Option<String>,
    /// Age in days above which a source of the store gets a warning.
    #[schemars(range(min = 0, max = 36500))]
    pub(crate) max_age_days: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: None,
            max_age_days: 7,
        }
    }
}

/// Scope of a scan.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Scan {
    /// Globs of paths, from the repository's root, that are skipped.
    #[schemars(inner(length(min = 1)))]
    pub(crate) exclude: Vec<String>,
    /// Groups of files that are skipped: those of tests, examples, vendored trees and generated
    /// trees. The default is to read all of them.
    pub(crate) skip: Vec<GroupWord>,
}

/// A group of files that are not the project's own.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum GroupWord {
    Test,
    Example,
    Vendored,
    Generated,
}

/// VEX documents: statements that a product is not affected by a vulnerability. The gate uses none of
/// them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Vex {
    /// Trusted documents (OpenVEX, CycloneDX or CSAF): files and directories from the repository's root,
    /// and `https` addresses.
    #[schemars(inner(length(min = 1)))]
    pub(crate) sources: Vec<String>,
    /// Names of this repository's product in documents, usually package URLs. A statement about a
    /// component of a product applies when the product is one of these.
    #[schemars(inner(length(min = 1)))]
    pub(crate) products: Vec<String>,
    /// Author of the documents that Patchgate writes, such as an e-mail address.
    #[schemars(length(min = 1))]
    pub(crate) author: Option<String>,
    /// Age in days above which a document gets a warning.
    #[schemars(range(min = 0, max = 36500))]
    pub(crate) max_age_days: u32,
}

impl Default for Vex {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            products: Vec::new(),
            author: None,
            max_age_days: 365,
        }
    }
}

/// The JSON Schema (draft 2020-12) of the settings file.
#[must_use]
pub fn config_schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
    });
    settings
        .into_generator()
        .into_root_schema_for::<File>()
        .to_value()
}

//! The file as it is written. The JSON Schema is generated from these types, doc comments included.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of Patchgate for one repository.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(title = "Patchgate settings")]
pub(crate) struct File {
    /// Version of the file's form.
    #[schemars(extend("const" = 1))]
    pub(crate) version: Option<u32>,
    /// What fails a run: a finding that reaches any threshold that is set. A malicious release and
    /// a vulnerability that is known to be exploited (CISA KEV) always do.
    pub(crate) thresholds: Thresholds,
    /// Findings that are accepted for a time.
    pub(crate) ignore: Vec<IgnoreEntry>,
    /// What a pull request needs to be merged without a person. Without it, nothing is.
    pub(crate) gate: Gate,
    /// What advisories mean beside what they say.
    pub(crate) advisories: Advisories,
    /// The offline advisory store.
    pub(crate) store: Store,
    /// What is scanned.
    pub(crate) scan: Scan,
    /// Statements about vulnerabilities that do no harm here.
    pub(crate) vex: Vex,
    /// Advisories of vendors, as CSAF, beside those of OSV: files and folders from the repository's
    /// root, and `https` addresses of documents or of a `provider-metadata.json`. The gate takes none.
    #[schemars(inner(length(min = 1)))]
    pub(crate) csaf: Vec<String>,
}

/// What fails a run.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Thresholds {
    /// Lowest severity that fails a run; `low` when neither threshold is set. An unknown severity
    /// counts as high.
    pub(crate) severity: Option<SeverityWord>,
    /// Lowest score, from 0 to 100, that fails a run; 0 sets no threshold.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub(crate) score: Option<f64>,
}

/// A severity.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
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
    /// Why it is accepted, for whoever reads the report.
    #[schemars(length(min = 1))]
    pub(crate) reason: String,
    /// Last day, `YYYY-MM-DD`, on which the entry counts.
    #[schemars(extend("format" = "date"))]
    pub(crate) until: String,
    /// Only for this package: `name` or `ecosystem:name`.
    #[schemars(length(min = 1))]
    pub(crate) package: Option<String>,
    /// Why the vulnerability does no harm, where that is so: then a VEX document that is written
    /// says `not_affected`, and `affected` without it.
    pub(crate) justification: Option<JustificationWord>,
}

/// Why a vulnerability does no harm, in the words of OpenVEX and CSAF.
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

/// What a pull request needs to be merged without a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Gate {
    /// Logins that may author the pull request and its commits, such as `my-app[bot]`. Empty means
    /// that nobody is trusted.
    #[schemars(inner(length(min = 1)))]
    pub(crate) accounts: Vec<String>,
    /// Checks that must succeed on the head, each from its own app.
    pub(crate) required_checks: Vec<Check>,
    /// Instead of naming checks: at least one ran, and all that ran succeeded.
    pub(crate) any_check: bool,
    /// Whether a skipped check counts as success.
    pub(crate) skipped_is_success: bool,
    /// Whether a neutral check counts as success.
    pub(crate) neutral_is_success: bool,
    /// What a failed check calls for.
    pub(crate) failed_checks: FailedChecks,
    /// The furthest that a package may move.
    pub(crate) max_bump: BumpWord,
    /// Whether packages may come into the tree that were not there before.
    pub(crate) allow_new_packages: bool,
    /// Highest score, from 0 to 100, of a finding that may stay. Without it, any may.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub(crate) max_score: Option<f64>,
    /// Whether every commit needs a signature that the forge verified.
    pub(crate) require_signed_commits: bool,
    /// Whether the pull request must stand on the tip of its base branch.
    pub(crate) require_up_to_date: bool,
    /// How it is merged.
    pub(crate) merge_method: MergeWord,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            required_checks: Vec::new(),
            any_check: false,
            skipped_is_success: false,
            neutral_is_success: false,
            failed_checks: FailedChecks::default(),
            max_bump: BumpWord::default(),
            allow_new_packages: false,
            max_score: None,
            require_signed_commits: false,
            require_up_to_date: true,
            merge_method: MergeWord::default(),
        }
    }
}

/// A check that must succeed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Check {
    /// Name of the check run, or context of the status.
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    /// Slug of the app that must have made it, such as `github-actions`, or login of the account
    /// that set the status.
    #[schemars(length(min = 1))]
    pub(crate) app: String,
}

/// What a failed check calls for.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum FailedChecks {
    #[default]
    Block,
    Review,
}

/// How far a package moves.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum BumpWord {
    Patch,
    #[default]
    Minor,
    Major,
}

/// How a pull request is merged.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum MergeWord {
    Merge,
    #[default]
    Squash,
    Rebase,
}

/// What advisories mean beside what they say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Advisories {
    /// What the ids of databases begin with whose records all speak of malicious releases, such as
    /// `LWA-`. `MAL-` is always one.
    #[schemars(inner(length(min = 2)))]
    pub(crate) malicious_prefixes: Vec<String>,
}

/// The offline advisory store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Store {
    /// Folder of the store, from the repository's root. Without it, advisories are asked online.
    #[schemars(length(min = 1))]
    pub(crate) path: Option<String>,
    /// Age in days above which the store's sources are warned about.
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

/// What is scanned.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Scan {
    /// Globs of paths, from the repository's root, that are left out.
    #[schemars(inner(length(min = 1)))]
    pub(crate) exclude: Vec<String>,
}

/// Statements about vulnerabilities that do no harm here. The gate takes none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Vex {
    /// Documents that are believed, OpenVEX, CycloneDX or CSAF: files and folders from the
    /// repository's root, and `https` addresses.
    #[schemars(inner(length(min = 1)))]
    pub(crate) sources: Vec<String>,
    /// What this repository is, as documents name it: package URLs, most often. A statement about
    /// a part of a product counts when the product is one of these.
    #[schemars(inner(length(min = 1)))]
    pub(crate) products: Vec<String>,
    /// Who makes the statements of a document that is written, such as an e-mail address.
    #[schemars(length(min = 1))]
    pub(crate) author: Option<String>,
    /// Age in days above which a document is warned about.
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

//! The settings in the model's types, and their construction from a file.

use std::collections::BTreeSet;

use jiff::civil::Date;
use patchgate_model::{FileGroup, GatePolicy, Justification, Level, ProblemKind};
use patchgate_risk::{Profile, SlaTable, Threshold};
use patchgate_syntax::{Node, Value};

use crate::check::{check, parse_date};
use crate::error::{ConfigError, ConfigErrors, Location};
use crate::fix::{self, FixSettings};
use crate::gate;
use crate::node::{self, describe, to_json};
use crate::pull_requests::{self, PullRequestSettings};
use crate::schema::{
    self, GroupWord, Incomplete, IncompleteKinds, IncompleteWord, JustificationWord,
    NotImportedWord, SeverityWord,
};

/// The settings of a repository. The default applies to a repository without a settings file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// The conditions under which a finding fails a run.
    pub thresholds: Threshold,
    /// Kinds of inputs that do not fail a run when they cannot be read or judged.
    pub waived: BTreeSet<ProblemKind>,
    /// Findings that are accepted until a date, in the order of the file.
    pub ignore: Vec<Ignore>,
    /// The policy for merges without a person.
    pub gate: GatePolicy,
    /// How far fixes may go.
    pub fix: FixSettings,
    /// How fixes are divided into pull requests, and when they are opened.
    pub pull_requests: PullRequestSettings,
    /// Prefixes of ids whose records all describe malicious releases.
    pub malicious_prefixes: Vec<String>,
    /// The offline advisory store.
    pub store: StoreSettings,
    /// Globs of paths that a scan skips.
    pub exclude: Vec<String>,
    /// Groups of files that a scan skips.
    pub skip: BTreeSet<FileGroup>,
    /// VEX documents, which state that a product is not affected by a vulnerability.
    pub vex: VexSettings,
    /// Advisories of vendors, as CSAF: paths from the repository's root, and addresses.
    pub csaf: Vec<String>,
    /// Business profiles, in the order of the file.
    pub profiles: Vec<Profile>,
    /// The table of deadlines.
    pub sla: Option<SlaTable>,
    /// Whether a finding in a package that no source imports is one outcome less urgent.
    pub lower_not_imported: bool,
}

/// A finding that is accepted until a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Id of the vulnerability, or one of its aliases.
    pub id: String,
    /// Why the finding is accepted.
    pub reason: String,
    /// Last day on which the entry applies.
    pub until: Date,
    /// Ecosystem by its OSV name, if the entry names one.
    pub ecosystem: Option<String>,
    /// Name of the package, if the entry names one.
    pub package: Option<String>,
    /// Why the repository is not affected, if the entry states that.
    pub justification: Option<Justification>,
    /// Name of the file with the entry.
    pub file: String,
    /// Line of the entry, from 1.
    pub line: u32,
}

/// The offline advisory store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Directory of the store, from the repository's root; `None` when the file names none.
    pub path: Option<String>,
    /// Age in days above which a source of the store gets a warning.
    pub max_age_days: u32,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            path: None,
            max_age_days: schema::Store::default().max_age_days,
        }
    }
}

/// Settings for VEX documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexSettings {
    /// Trusted documents: paths from the repository's root, and addresses.
    pub sources: Vec<String>,
    /// Names of the repository's product in documents, such as package URLs.
    pub products: Vec<String>,
    /// Author of the documents that Patchgate writes.
    pub author: Option<String>,
    /// Age in days above which a document gets a warning.
    pub max_age_days: u32,
}

impl Default for VexSettings {
    fn default() -> Self {
        schema::Vex::default().into()
    }
}

impl From<schema::Vex> for VexSettings {
    fn from(wire: schema::Vex) -> Self {
        Self {
            sources: wire.sources,
            products: wire.products,
            author: wire.author,
            max_age_days: wire.max_age_days,
        }
    }
}

/// Reads a settings file. `file` is its name in messages.
///
/// ```
/// use patchgate_model::Level;
///
/// let text = "thresholds:\n  severity: high\n  score: 70\n";
/// let config = patchgate_config::parse(".patchgate.yml", text)?;
/// assert_eq!(config.thresholds.severity, Some(Level::High));
/// assert_eq!(config.thresholds.score, Some(70.0));
/// # Ok::<(), patchgate_config::ConfigErrors>(())
/// ```
///
/// # Errors
/// With every error of the file, each with its line, when it is not YAML or does not match the schema.
pub fn parse(file: &str, text: &str) -> Result<Config, ConfigErrors> {
    let failed = |errors: Vec<ConfigError>| ConfigErrors {
        file: file.to_owned(),
        errors,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = node::parse(text).map_err(|error| failed(vec![error]))?;
    let mut errors = check(&root, &schema::config_schema());
    errors.extend(gate::contradictions(&root));
    errors.extend(bad_globs(&root));
    errors.extend(crate::risk::errors(&root));
    errors.extend(pull_requests::errors(&root));
    errors.sort_by_key(|error| (error.line, error.column));
    if !errors.is_empty() {
        return Err(failed(errors));
    }

    let wire: schema::File = serde_json::from_value(to_json(&root)).map_err(|error| {
        // The schema comes from the same types, so only a rule that it cannot express gets here.
        failed(vec![ConfigError::new(&root, error.to_string())])
    })?;
    config(wire, &root, file).map_err(|error| failed(vec![error]))
}

/// Errors for invalid globs.
fn bad_globs(root: &Node<'_>) -> Vec<ConfigError> {
    let globs = root.get("scan").and_then(|scan| scan.get("exclude"));
    let excluded = globs.map(Node::items).unwrap_or_default();
    let of_fix = |key: &str| {
        let list = root.get("fix").and_then(|fix| fix.get(key));
        list.map(Node::items).unwrap_or_default()
    };
    let rules = of_fix("packages")
        .iter()
        .filter_map(|rule| rule.get("package"));
    let groups = of_fix("groups")
        .iter()
        .filter_map(|group| group.get("packages"))
        .flat_map(Node::items);

    excluded
        .iter()
        .chain(rules)
        .chain(groups)
        .filter_map(|item| match &item.value {
            Value::Text(text) => {
                let error = globset::Glob::new(text).err()?;
                let message = format!("{} is not a glob: {}", describe(item), error.kind());
                Some(ConfigError::new(item, message))
            }
            _ => None,
        })
        .collect()
}

fn config(wire: schema::File, root: &Node<'_>, file: &str) -> Result<Config, ConfigError> {
    let locations: Vec<Location> = root
        .get("ignore")
        .map(|list| list.items().iter().map(Location::from).collect())
        .unwrap_or_default();
    let ignore = wire
        .ignore
        .into_iter()
        .zip(locations)
        .map(|(entry, location)| ignore(entry, location, file))
        .collect::<Result<_, _>>()?;

    Ok(Config {
        thresholds: Threshold {
            severity: wire.thresholds.severity.map(|word| match word {
                SeverityWord::Low => Level::Low,
                SeverityWord::Medium => Level::Medium,
                SeverityWord::High => Level::High,
                SeverityWord::Critical => Level::Critical,
            }),
            score: wire.thresholds.score,
            // The text was checked with the rest of the file.
            condition: wire.thresholds.fail_on.and_then(|text| text.parse().ok()),
            possible: wire.thresholds.possible,
        },
        waived: waived(&wire.thresholds.incomplete),
        ignore,
        gate: gate::policy(wire.gate),
        fix: fix::settings(wire.fix),
        pull_requests: pull_requests::settings(wire.pull_requests),
        malicious_prefixes: wire.advisories.malicious_prefixes,
        store: StoreSettings {
            path: wire.store.path,
            max_age_days: wire.store.max_age_days,
        },
        exclude: wire.scan.exclude,
        skip: wire
            .scan
            .skip
            .into_iter()
            .map(|word| match word {
                GroupWord::Test => FileGroup::Test,
                GroupWord::Example => FileGroup::Example,
                GroupWord::Vendored => FileGroup::Vendored,
                GroupWord::Generated => FileGroup::Generated,
            })
            .collect(),
        vex: wire.vex.into(),
        csaf: wire.csaf,
        profiles: wire.profiles.into_iter().map(Profile::from).collect(),
        sla: wire.sla.map(SlaTable::from),
        lower_not_imported: wire.reachability.not_imported == NotImportedWord::Lower,
    })
}

/// The kinds of inputs that do not fail a run.
fn waived(incomplete: &Incomplete) -> BTreeSet<ProblemKind> {
    let by_kind = |kinds: &IncompleteKinds| {
        [
            (ProblemKind::File, kinds.file),
            (ProblemKind::Advisories, kinds.advisories),
            (ProblemKind::Feed, kinds.feed),
            (ProblemKind::Registry, kinds.registry),
            (ProblemKind::Vex, kinds.vex),
            (ProblemKind::Unresolved, kinds.unresolved),
            (ProblemKind::Unsupported, kinds.unsupported),
            (ProblemKind::Version, kinds.version),
        ]
    };

    let words = match incomplete {
        Incomplete::All(word) => by_kind(&IncompleteKinds::all(*word)),
        Incomplete::ByKind(kinds) => by_kind(kinds),
    };
    words
        .into_iter()
        .filter(|(_, word)| *word == IncompleteWord::Warn)
        .map(|(kind, _)| kind)
        .collect()
}

fn ignore(
    entry: schema::IgnoreEntry,
    location: Location,
    file: &str,
) -> Result<Ignore, ConfigError> {
    let until = parse_date(&entry.until)
        .ok_or_else(|| ConfigError::new(location, format!("`{}` is not a date", entry.until)))?;
    let (ecosystem, package) = match &entry.package {
        None => (None, None),
        Some(package) => {
            let (ecosystem, name) = with_ecosystem(package);
            (ecosystem.map(str::to_owned), Some(name.to_owned()))
        }
    };

    Ok(Ignore {
        id: entry.id.trim().to_owned(),
        reason: entry.reason.trim().to_owned(),
        until,
        ecosystem,
        package,
        justification: entry.justification.map(justification),
        file: file.to_owned(),
        line: location.line,
    })
}

fn justification(word: JustificationWord) -> Justification {
    match word {
        JustificationWord::ComponentNotPresent => Justification::ComponentNotPresent,
        JustificationWord::VulnerableCodeNotPresent => Justification::VulnerableCodeNotPresent,
        JustificationWord::VulnerableCodeNotInExecutePath => {
            Justification::VulnerableCodeNotInExecutePath
        }
        JustificationWord::VulnerableCodeCannotBeControlledByAdversary => {
            Justification::VulnerableCodeCannotBeControlledByAdversary
        }
        JustificationWord::InlineMitigationsAlreadyExist => {
            Justification::InlineMitigationsAlreadyExist
        }
    }
}

/// The ecosystem and the name of a package, as in `npm:lodash`.
///
/// Maven names contain a colon, too. So the first part is an ecosystem only when OSV knows it, as in
/// `Maven:group:artifact`; otherwise the whole text is a name.
pub(crate) fn with_ecosystem(package: &str) -> (Option<&str>, &str) {
    match package.split_once(':') {
        Some((first, rest)) if is_ecosystem(first) => (Some(first), rest),
        _ => (None, package),
    }
}

/// Whether the text is the name of an ecosystem with advisories, without regard to case.
pub(crate) fn is_ecosystem(text: &str) -> bool {
    patchgate_ecosystems::ALL
        .iter()
        .filter(|ecosystem| ecosystem.has_advisories())
        .any(|ecosystem| ecosystem.name().as_str().eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests;

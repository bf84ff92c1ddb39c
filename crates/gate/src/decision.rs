//! The team's own rules, the stages of trust, and the share of automatic merges.

use globset::GlobBuilder;
use patchgate_model::{Evidence, GatePolicy, PolicyRule, Stage, Verdict};
use patchgate_policy::{Condition, Facts};
use patchgate_proof::sha256;
use serde_json::json;

/// What the rules say about a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDecision<'a> {
    /// The verdict; [`Verdict::Review`] when no rule holds.
    pub verdict: Verdict,
    /// The first rule whose condition holds.
    pub rule: Option<&'a PolicyRule>,
    /// The reason as a fragment.
    pub text: String,
}

/// The decision of the first rule whose condition holds.
///
/// A condition that cannot be evaluated ends the search with [`Verdict::Review`]: a later rule must not
/// decide what an earlier one would have forbidden.
#[must_use]
pub fn decide<'a>(rules: &'a [PolicyRule], facts: &Facts) -> RuleDecision<'a> {
    let review = |text: String| RuleDecision {
        verdict: Verdict::Review,
        rule: None,
        text,
    };
    for rule in rules {
        let holds = Condition::parse(&rule.when)
            .map_err(|error| error.message)
            .and_then(|condition| condition.holds(facts));
        match holds {
            Ok(false) => {}
            Ok(true) => return of_rule(rule, facts),
            Err(error) => {
                return review(format!(
                    "the rule `{}` cannot be evaluated: {error}",
                    rule.name
                ));
            }
        }
    }
    review("no rule of the policy applies".to_owned())
}

fn of_rule<'a>(rule: &'a PolicyRule, facts: &Facts) -> RuleDecision<'a> {
    let waits = rule.then == Verdict::Merge && rule.wait_hours > 0 && {
        let age = format!("pull.age_hours < {}", rule.wait_hours);
        // A wait that cannot be computed is not over.
        Condition::parse(&age).map_or(true, |age| age.holds(facts) != Ok(false))
    };
    let verdict = if waits { Verdict::Review } else { rule.then };

    let word = match rule.then {
        Verdict::Merge => "merge",
        Verdict::Review => "review",
        Verdict::Block => "block",
    };
    let mut text = format!("the rule `{}` says {word}", rule.name);
    if waits {
        text.push_str(&format!(", {} hours after it was opened", rule.wait_hours));
    }
    if verdict != Verdict::Merge && !rule.reviewers.is_empty() {
        text.push_str(&format!("; reviewers: {}", rule.reviewers.join(", ")));
    }
    RuleDecision {
        verdict,
        rule: Some(rule),
        text,
    }
}

/// How far the gate may go for a pull request: the lowest stage of its files. Without the list of
/// files, it only observes if any path is only observed.
#[must_use]
pub fn stage_of(policy: &GatePolicy, evidence: &Evidence) -> Stage {
    let Ok(files) = &evidence.files else {
        let stages = policy.stages.iter().map(|rule| rule.stage);
        return stages.min().unwrap_or(Stage::Auto);
    };
    let stage = |path: &str| {
        let mut rules = policy.stages.iter();
        let rule = rules.find(|rule| rule.paths.iter().any(|glob| matches(glob, path)));
        rule.map_or(Stage::Auto, |rule| rule.stage)
    };
    let paths = files.iter().map(|file| file.path.as_str());
    paths.map(stage).min().unwrap_or(Stage::Auto)
}

/// Whether a path is one of a glob. A glob that cannot be read matches everything, so that its stage
/// counts.
fn matches(glob: &str, path: &str) -> bool {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .map_or(true, |glob| glob.compile_matcher().is_match(path))
}

/// The number from 0 to 99 of a change, which is the same in every run: from the SHA-256 of its files.
///
/// ```
/// # use patchgate_gate::share_of;
/// let number = share_of([("Cargo.lock", b"1".as_slice())]);
/// assert_eq!(number, share_of([("Cargo.lock", b"1".as_slice())]));
/// assert!(number < 100);
/// ```
#[must_use]
pub fn share_of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> u32 {
    let files: Vec<(&str, String)> = files
        .into_iter()
        .map(|(path, bytes)| (path, sha256(bytes)))
        .collect();
    let digest = sha256(json!(files).to_string().as_bytes());
    let number = digest
        .get(..8)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    // Without a number, a person reviews it.
    number.map_or(99, |number| number % 100)
}

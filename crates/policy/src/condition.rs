//! One condition: read, checked, evaluated.

use cel::{Context, Program, Value};

use crate::check::{Checker, Mistake, Type};
use crate::facts::Facts;

/// Longest source, in bytes.
const MAX_SOURCE: usize = 2_000;
/// Most operators and brackets. The parser recurses for each of them.
const MAX_OPERATORS: usize = 200;
/// Deepest nesting of brackets.
const MAX_BRACKETS: usize = 20;

/// Why a condition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConditionError {
    /// The mistake: a fragment.
    pub message: String,
    /// The next step, where one is known.
    pub hint: Option<String>,
}

impl From<Mistake> for ConditionError {
    fn from((message, hint): Mistake) -> Self {
        Self { message, hint }
    }
}

fn error(message: impl Into<String>) -> ConditionError {
    ConditionError {
        message: message.into(),
        hint: None,
    }
}

/// A condition that was checked.
#[derive(Debug)]
pub struct Condition {
    program: Program,
}

impl Condition {
    /// Reads and checks a condition.
    ///
    /// # Errors
    /// When it is too large, not CEL, uses an unknown field or a wrong type, or is never true.
    ///
    /// ```
    /// use patchgate_policy::{Condition, Facts};
    ///
    /// let condition = Condition::parse("change.bump == 'patch' && fixed.score >= 70.0")?;
    /// assert_eq!(condition.holds(&Facts::default()), Ok(false));
    ///
    /// let error = Condition::parse("fixed.scor >= 70.0").unwrap_err();
    /// assert_eq!(error.message, "unknown field `fixed.scor`");
    /// assert_eq!(error.hint.as_deref(), Some("did you mean `fixed.score`?"));
    /// # Ok::<(), patchgate_policy::ConditionError>(())
    /// ```
    pub fn parse(source: &str) -> Result<Self, ConditionError> {
        bounded(source)?;
        let program = Program::compile(source).map_err(|errors| {
            let text = errors.to_string();
            let line = text.lines().next().unwrap_or_default();
            let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
            error(format!("it is not CEL: {line}"))
        })?;

        let mut checker = Checker::default();
        let kind = checker.check(program.expression())?;
        if kind != Type::Bool {
            return Err(error(format!(
                "it must be true or false, not {}",
                kind.word()
            )));
        }
        let condition = Self { program };
        if !checker.uses_field && condition.holds(&Facts::default()) != Ok(true) {
            return Err(error("it is never true"));
        }
        Ok(condition)
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    /// When it cannot be evaluated, such as a number that is too large; a fragment.
    pub fn holds(&self, facts: &Facts) -> Result<bool, String> {
        let mut context = Context::default();
        for (group, fields) in facts.groups() {
            context.add_variable_from_value(group, fields);
        }
        match self.program.execute(&context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err("its value is neither true nor false".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Refuses a source on which the parser or the evaluation would recurse deeply.
fn bounded(source: &str) -> Result<(), ConditionError> {
    if source.len() > MAX_SOURCE {
        return Err(error(format!("it is longer than {MAX_SOURCE} bytes")));
    }
    let (mut operators, mut depth, mut deepest) = (0, 0_usize, 0);
    for c in source.chars() {
        match c {
            '(' | '[' | '{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c.is_ascii_punctuation() && !matches!(c, '_' | '\'' | '"') {
            operators += 1;
        }
    }
    if operators > MAX_OPERATORS {
        return Err(error(format!("it has more than {MAX_OPERATORS} operators")));
    }
    if deepest > MAX_BRACKETS {
        return Err(error(format!("it nests more than {MAX_BRACKETS} brackets")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> Facts {
        let mut facts = Facts::default();
        for (name, value) in [
            ("change.bump", json!("minor")),
            (
                "change.files",
                json!(["web/package-lock.json", "Cargo.lock"]),
            ),
            ("fixed.score", json!(71.5)),
            ("fixed.count", json!(2)),
            ("fixed.runtime", json!(true)),
        ] {
            facts.set(name, value).unwrap();
        }
        facts
    }

    #[test]
    fn conditions_hold_or_do_not() {
        for (source, holds) in [
            ("true", true),
            (
                "fixed.score >= 70.0 && change.bump in ['patch', 'minor']",
                true,
            ),
            ("fixed.score >= 71.6", false),
            ("fixed.count - 1 == 1", true),
            ("!fixed.runtime || size(change.files) > 3", false),
            ("change.files.exists(f, f.startsWith('web/'))", true),
            ("change.files.all(f, f.endsWith('.json'))", false),
            ("change.files.exists(f, f.matches('^Cargo[.]lock$'))", true),
            ("'Cargo.lock' in change.files", true),
            ("(fixed.count > 1 ? fixed.score : 0.0) > 70.0", true),
            ("change.bump.size() == 5", true),
        ] {
            let condition = Condition::parse(source).unwrap_or_else(|e| panic!("{source}: {e}"));
            assert_eq!(condition.holds(&facts()), Ok(holds), "{source}");
        }
    }

    #[test]
    fn mistakes_are_errors_before_anything_is_evaluated() {
        for (source, message) in [
            ("", "not CEL"),
            ("fixed.score >=", "not CEL"),
            ("fixed.scor > 1.0", "unknown field `fixed.scor`"),
            ("fixed", "unknown field `fixed`"),
            ("fixed.score.high > 1.0", "unknown field `fixed.score.high`"),
            ("score > 1.0", "unknown field `score`"),
            ("fixed.score >= 70", "must be a number with a point"),
            ("70 <= fixed.score", "compared with a number with a point"),
            ("fixed.count == 2.0", "must be a whole number"),
            ("change.bump == 1", "must be a text"),
            ("change.bump > 'minor'", "only numbers"),
            ("fixed.count", "must be true or false"),
            (
                "fixed.runtime && 1 == 1 && fixed.count",
                "must be true or false",
            ),
            ("change.bump in 'minor'", "must be a list"),
            ("change.files == 'a'", "must be a list"),
            ("change.files.exists(f, g == 'a')", "unknown field `g`"),
            ("change.files.map(f, f) == []", "only `exists` and `all`"),
            (
                "change.files.exists(f, change.packages.exists(p, p == f))",
                "nested",
            ),
            ("change.bump.matches(pull.base)", "literal text"),
            ("has(fixed.score)", "`has` is not needed"),
            ("{'a': 1} == {}", "maps"),
            ("null == null", "no field"),
            ("timestamp('2026-01-01T00:00:00Z') == 1", "not allowed"),
            ("1 == 2", "never true"),
            ("false", "never true"),
        ] {
            let error = Condition::parse(source).unwrap_err();
            assert!(
                error.message.contains(message),
                "{source}: {}",
                error.message
            );
        }
    }

    #[test]
    fn large_conditions_are_refused() {
        for source in [
            "true".to_owned() + &" || true".repeat(20_000),
            "(".repeat(500) + "true" + &")".repeat(500),
            "!".repeat(1_500) + "true",
            "[".repeat(100),
            "true".to_owned() + &" || true".repeat(150),
        ] {
            assert!(Condition::parse(&source).is_err());
        }
        assert!(Condition::parse(&("true".to_owned() + &" || true".repeat(90))).is_ok());
    }

    #[test]
    fn a_number_that_is_too_large_is_an_error_and_no_answer() {
        let source = "fixed.count * 9223372036854775807 * 9 == 1";
        assert!(Condition::parse(source).unwrap().holds(&facts()).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_source_panics(source in "[a-z.()\\[\\]{}'\"0-9 <>=!&|?:,+*-]{0,120}") {
            if let Ok(condition) = Condition::parse(&source) {
                let _ = condition.holds(&facts());
            }
        }
    }
}

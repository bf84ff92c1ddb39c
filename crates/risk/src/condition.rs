//! Conditions: which findings fail a run, as a short expression.
//!
//! ```text
//! condition = all { "or" all }
//! all       = part { "and" part }
//! part      = "(" condition ")" | figure | word
//! figure    = ( "severity" | "score" ) ">=" value
//! word      = "act-now" | "out-of-cycle" | "scheduled" | "kev" | "malicious" | "fixable" | "overdue"
//!           | "new"
//! ```
//!
//! `and` binds stronger than `or`. There is no negation, so that more evidence of urgency never lets a
//! finding pass.

use std::fmt;
use std::str::FromStr;

use patchgate_model::{BaselineChange, Finding, FixedVersion, Level, Outcome};

use crate::threshold::counts_as;

/// Longest condition, in bytes.
const MAX_BYTES: usize = 1_024;
/// Most parentheses in each other.
const MAX_DEPTH: usize = 16;

/// Words that a condition may have.
const WORDS: &str = "`act-now`, `out-of-cycle`, `scheduled`, `kev`, `malicious`, `fixable`, \
                     `overdue`, `new`, `severity>=LEVEL` or `score>=N`";

/// A condition about a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    text: String,
    node: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Any(Vec<Node>),
    All(Vec<Node>),
    Outcome(Outcome),
    Severity(Level),
    Score(f64),
    Kev,
    Malicious,
    Fixable,
    Overdue,
    New,
}

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct ConditionError {
    /// Position of the error in characters, from 1.
    pub column: usize,
    /// What is wrong: a fragment for a person.
    pub reason: String,
}

impl Condition {
    /// Whether the finding meets the condition.
    #[must_use]
    pub fn holds(&self, finding: &Finding) -> bool {
        self.node.holds(finding, false)
    }

    /// Whether the finding meets the condition if everything that is unknown about it is at its worst.
    #[must_use]
    pub fn may_hold(&self, finding: &Finding) -> bool {
        self.node.holds(finding, true)
    }

    /// Whether either condition holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            text: format!("{} or {}", self.text, other.text),
            node: Node::Any(vec![self.node, other.node]),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Node {
    fn holds(&self, finding: &Finding, at_worst: bool) -> bool {
        let decision = &finding.score.decision;
        match self {
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(finding, at_worst)),
            Self::All(nodes) => nodes.iter().all(|node| node.holds(finding, at_worst)),
            Self::Outcome(least) if at_worst => decision.at_worst >= *least,
            Self::Outcome(least) => decision.outcome >= *least,
            Self::Severity(least) => counts_as(finding.severity.level) >= *least,
            Self::Score(least) => {
                finding.score.value >= *least
                    || (at_worst && decision.missing.iter().any(|one| is_of_feed(one.evidence)))
            }
            Self::Kev => match finding.signals.kev.is_listed() {
                None => at_worst,
                Some(listed) => listed,
            },
            Self::Malicious => finding.malicious,
            Self::Fixable => matches!(finding.fixed, FixedVersion::At(_)),
            // Without a baseline, everything is new; so is what became worse.
            Self::New => !matches!(
                decision.change,
                Some(BaselineChange::Better | BaselineChange::Same)
            ),
            Self::Overdue => decision.deadline.as_ref().is_some_and(|one| one.overdue),
        }
    }
}

fn is_of_feed(evidence: &str) -> bool {
    matches!(evidence, "kev" | "epss")
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        if text.len() > MAX_BYTES {
            return Err(ConditionError {
                column: 1,
                reason: format!("the condition is longer than {MAX_BYTES} bytes"),
            });
        }
        let mut parser = Parser {
            tokens: tokens(text),
            position: 0,
            end: text.chars().count() + 1,
        };
        let node = parser.any(0)?;
        match parser.peek() {
            None => Ok(Self {
                text: text.split_whitespace().collect::<Vec<_>>().join(" "),
                node,
            }),
            Some(token) => Err(token.error(format!(
                "`{}` does not follow a condition; join conditions with `and` or `or`",
                token.shown()
            ))),
        }
    }
}

/// A word, a parenthesis or `>=`, with its position.
#[derive(Debug, Clone)]
struct Token {
    text: String,
    column: usize,
}

impl Token {
    fn error(&self, reason: String) -> ConditionError {
        ConditionError {
            column: self.column,
            reason,
        }
    }

    fn shown(&self) -> String {
        let mut shown: String = self.text.chars().take(40).collect();
        if self.text.chars().count() > 40 {
            shown.push('…');
        }
        shown
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    // Whether the next character may belong to the last token: two words, or two parts of a sign.
    let mut open = None;
    for (index, character) in text.chars().enumerate() {
        let kind = match character {
            character if character.is_whitespace() => None,
            '(' | ')' => Some('('),
            '<' | '>' | '=' | '!' | '&' | '|' => Some('>'),
            _ => Some('a'),
        };
        match (kind, tokens.last_mut()) {
            (Some(kind), Some(last)) if open == Some(kind) && kind != '(' => {
                last.text.push(character);
            }
            (Some(_), _) => tokens.push(Token {
                text: character.to_string(),
                column: index + 1,
            }),
            (None, _) => {}
        }
        open = kind;
    }

    tokens
}

struct Parser {
    tokens: Vec<Token>,
    position: usize,
    /// The column after the last character.
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position)
    }

    fn next_is(&mut self, word: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.text == word);
        self.position += usize::from(is);
        is
    }

    fn any(&mut self, depth: usize) -> Result<Node, ConditionError> {
        let mut nodes = vec![self.all(depth)?];
        while self.next_is("or") {
            nodes.push(self.all(depth)?);
        }
        Ok(single(nodes, Node::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Node, ConditionError> {
        let mut nodes = vec![self.part(depth)?];
        while self.next_is("and") {
            nodes.push(self.part(depth)?);
        }
        Ok(single(nodes, Node::All))
    }

    fn part(&mut self, depth: usize) -> Result<Node, ConditionError> {
        let Some(token) = self.peek().cloned() else {
            return Err(ConditionError {
                column: self.end,
                reason: format!("a condition is missing: {WORDS}"),
            });
        };
        self.position += 1;

        match token.text.as_str() {
            "(" if depth == MAX_DEPTH => {
                Err(token.error(format!("more than {MAX_DEPTH} parentheses in each other")))
            }
            "(" => {
                let node = self.any(depth + 1)?;
                if !self.next_is(")") {
                    return Err(token.error("the parenthesis is not closed".to_owned()));
                }
                Ok(node)
            }
            "act-now" => Ok(Node::Outcome(Outcome::ActNow)),
            "out-of-cycle" => Ok(Node::Outcome(Outcome::OutOfCycle)),
            "scheduled" => Ok(Node::Outcome(Outcome::Scheduled)),
            "kev" => Ok(Node::Kev),
            "malicious" => Ok(Node::Malicious),
            "fixable" => Ok(Node::Fixable),
            "overdue" => Ok(Node::Overdue),
            "new" => Ok(Node::New),
            "severity" | "score" => self.figure(&token),
            "possible" => Err(token.error(
                "`possible` cannot be combined; give it as a condition of its own".to_owned(),
            )),
            _ => Err(token.error(format!(
                "`{}` is not a condition; expected {WORDS}",
                token.shown()
            ))),
        }
    }

    /// The rest of `severity>=high` or `score>=70`.
    fn figure(&mut self, name: &Token) -> Result<Node, ConditionError> {
        let after = |column: usize, what: &str| ConditionError {
            column,
            reason: format!("`{}` needs {what}", name.text),
        };
        if !self.next_is(">=") {
            let column = self.peek().map_or(self.end, |token| token.column);
            return Err(after(column, "`>=` and a value"));
        }
        let Some(value) = self.peek().cloned() else {
            return Err(after(self.end, "a value"));
        };
        self.position += 1;

        if name.text == "score" {
            let score = value.text.parse().ok();
            let within = score.filter(|score| (0.0..=100.0).contains(score));
            return within.map(Node::Score).ok_or_else(|| {
                let shown = value.shown();
                value.error(format!("`{shown}` is not a score from 0 to 100"))
            });
        }
        let level = match value.text.as_str() {
            "low" => Level::Low,
            "medium" => Level::Medium,
            "high" => Level::High,
            "critical" => Level::Critical,
            _ => {
                let shown = value.shown();
                return Err(value.error(format!(
                    "`{shown}` is not a severity: `low`, `medium`, `high` or `critical`"
                )));
            }
        };
        Ok(Node::Severity(level))
    }
}

fn single(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        last => {
            nodes.extend(last);
            join(nodes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::tests::finding;

    fn error(text: &str) -> ConditionError {
        text.parse::<Condition>().unwrap_err()
    }

    #[test]
    fn and_binds_stronger_than_or() {
        let mut fixable = finding(Level::Low);
        fixable.score.value = 10.0;
        let holds = |text: &str| text.parse::<Condition>().unwrap().holds(&fixable);

        assert!(holds("fixable"));
        assert!(holds("fixable or kev and malicious"));
        assert!(!holds("(fixable or kev) and malicious"));
        assert!(holds("severity >= low and score>=10"));
        assert!(!holds("severity>=medium or score >= 10.1"));
        assert!(!holds("act-now or overdue"));
    }

    #[test]
    fn an_outcome_means_at_least_this_one() {
        let mut urgent = finding(Level::Low);
        urgent.score.decision.outcome = Outcome::ActNow;
        for (text, holds) in [
            ("act-now", true),
            ("out-of-cycle", true),
            ("scheduled", true),
        ] {
            assert_eq!(text.parse::<Condition>().unwrap().holds(&urgent), holds);
        }
        urgent.score.decision.outcome = Outcome::Scheduled;
        assert!(!"out-of-cycle".parse::<Condition>().unwrap().holds(&urgent));
    }

    #[test]
    fn everything_is_new_without_a_baseline() {
        let new: Condition = "new".parse().unwrap();
        let mut finding = finding(Level::Low);
        assert!(new.holds(&finding));
        for (change, holds) in [
            (BaselineChange::New, true),
            (BaselineChange::Worse, true),
            (BaselineChange::Same, false),
            (BaselineChange::Better, false),
        ] {
            finding.score.decision.change = Some(change);
            assert_eq!(new.holds(&finding), holds);
        }
    }

    #[test]
    fn an_error_names_the_position() {
        for (text, column, part) in [
            ("", 1, "missing"),
            ("kev or", 7, "missing"),
            ("kev fixable", 5, "does not follow"),
            ("(kev", 1, "not closed"),
            ("kev)", 4, "does not follow"),
            ("kev && fixable", 5, "does not follow"),
            ("not kev", 1, "is not a condition"),
            ("severity", 9, "needs `>=`"),
            ("severity=high", 9, "needs `>=`"),
            ("severity>=", 11, "needs a value"),
            ("severity>=hihg", 11, "is not a severity"),
            ("score>=101", 8, "from 0 to 100"),
            ("score>=NaN", 8, "from 0 to 100"),
            ("kev or possible", 8, "of its own"),
            ("KEV", 1, "is not a condition"),
        ] {
            let error = error(text);
            assert_eq!(error.column, column, "{text}: {error}");
            assert!(error.reason.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn size_and_depth_are_bounded() {
        assert!(error(&"(".repeat(1_000)).reason.contains("parentheses"));
        assert!(error(&"kev or ".repeat(1_000)).reason.contains("longer"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in "[a-z()>=& é-]{0,60}") {
            if let Ok(condition) = text.parse::<Condition>() {
                // What is shown is the condition itself.
                let again: Condition = condition.to_string().parse().unwrap();
                proptest::prop_assert_eq!(again.node, condition.node);
            }
        }
    }
}

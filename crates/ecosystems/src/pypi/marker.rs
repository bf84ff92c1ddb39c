//! Environment markers, simplified as uv writes them into its lockfile
//! (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers>).
//!
//! A marker becomes alternatives, each with bounds on Python's version and conditions on other
//! variables. Bounds that the project's own `requires-python` implies go. Markers that this form does
//! not have, or that uv may write in another order, are no answer: a caller must not guess.

use std::collections::{BTreeMap, BTreeSet};

use super::name::normalize;
use super::python_range::{Interval, PythonRange, intersection, union};

/// Most alternatives of a marker.
const MAX_ALTERNATIVES: usize = 16;

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 16;

/// Variables whose values are compared as texts.
const VARIABLES: [&str; 7] = [
    "implementation_name",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "sys_platform",
];

/// A marker. Without alternatives it never applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker(Vec<Alternative>);

/// Conditions that have to be met together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Alternative {
    /// Versions of Python, sorted and apart.
    python: Vec<Interval>,
    /// The extra that has to be asked for.
    extra: Option<String>,
    /// Values that a variable has, or does not have.
    others: BTreeMap<&'static str, Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Condition {
    Is(String),
    IsNot(BTreeSet<String>),
}

/// The environments in which a marker applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Applies {
    Never,
    Always,
    /// The marker as uv writes it.
    When(String),
}

impl Marker {
    /// The marker of a requirement without one.
    pub(super) fn always() -> Self {
        Self(vec![Alternative::any()])
    }

    /// Reads a marker. `None` if it has a form that is not supported.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self::always());
        }
        let mut tokens = Tokens {
            rest: text,
            depth: 0,
        };
        let marker = tokens.any_of()?;
        tokens.rest.trim().is_empty().then_some(marker)
    }

    /// A marker that applies where one of two does.
    pub(super) fn or(mut self, other: Self) -> Option<Self> {
        self.0.extend(other.0);
        (self.0.len() <= MAX_ALTERNATIVES).then_some(self)
    }

    /// A marker that applies where both do.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let mut all = Vec::new();
        for left in &self.0 {
            for right in &other.0 {
                all.extend(left.and(right)?);
            }
        }
        (all.len() <= MAX_ALTERNATIVES).then_some(Self(all))
    }

    /// A marker that applies in these versions of Python.
    pub(super) fn for_python(python: &[Interval]) -> Self {
        Self(vec![Alternative {
            python: python.to_vec(),
            ..Alternative::any()
        }])
    }

    /// The versions of Python in which the marker applies, if nothing else decides: alternatives for
    /// each value of one variable, and for all others, count as one without it.
    pub(super) fn only_python(&self) -> Option<Vec<Interval>> {
        let mut python: BTreeMap<&BTreeMap<&'static str, Condition>, Vec<Interval>> =
            BTreeMap::new();
        for alternative in &self.0 {
            if alternative.extra.is_some() {
                return None;
            }
            let known = python.entry(&alternative.others).or_default();
            *known = union(known, &alternative.python);
        }

        let none = BTreeMap::new();
        let always = python.remove(&none).unwrap_or_default();
        let (mut values, mut excluded) = (BTreeSet::new(), None);
        let mut variables = BTreeSet::new();
        let mut all = None;
        for (others, intervals) in &python {
            let mut conditions = others.iter();
            let (Some((variable, condition)), None) = (conditions.next(), conditions.next()) else {
                return None;
            };
            variables.insert(*variable);
            match condition {
                Condition::Is(value) => {
                    values.insert(value.clone());
                }
                Condition::IsNot(not) if excluded.is_none() => excluded = Some(not.clone()),
                Condition::IsNot(_) => return None,
            }
            let intervals = union(intervals, &always);
            if all.get_or_insert_with(|| intervals.clone()) != &intervals {
                return None;
            }
        }
        match (all, variables.len()) {
            (None, _) => Some(always),
            (Some(all), 1) if excluded == Some(values) => Some(all),
            _ => None,
        }
    }

    /// The parts of the marker for each extra, without the condition on it. The part that needs none
    /// has an empty name.
    pub(super) fn by_extra(self) -> BTreeMap<String, Self> {
        let mut parts: BTreeMap<String, Self> = BTreeMap::new();
        for mut alternative in self.0 {
            let extra = alternative.extra.take().unwrap_or_default();
            let part = parts.entry(extra).or_insert_with(|| Self(Vec::new()));
            part.0.push(alternative);
        }
        parts
    }

    /// The environments in which the marker applies, among those of a project. `None` if its form is
    /// not certain.
    pub(super) fn applies(&self, project: &PythonRange) -> Option<Applies> {
        let mut merged: Vec<Alternative> = Vec::new();
        for alternative in &self.0 {
            if alternative.extra.is_some() {
                return None;
            }
            let python = intersection(&alternative.python, &project.intervals());
            if python.is_empty() {
                continue;
            }
            let same = merged
                .iter_mut()
                .find(|known| known.others == alternative.others);
            match same {
                Some(known) => known.python = union(&known.python, &python),
                None => merged.push(Alternative {
                    python,
                    ..alternative.clone()
                }),
            }
        }
        for alternative in &mut merged {
            alternative.python = project.relax(&alternative.python);
        }

        let kept: Vec<&Alternative> = merged
            .iter()
            .enumerate()
            .filter(|(at, one)| {
                let mut others = merged.iter().enumerate();
                !others.any(|(other, wider)| other != *at && wider.contains(one))
            })
            .map(|(_, one)| one)
            .collect();
        match kept.as_slice() {
            [] => Some(Applies::Never),
            [only] => only.text().map(|text| match text.is_empty() {
                true => Applies::Always,
                false => Applies::When(text),
            }),
            several => alternatives(several),
        }
    }
}

/// The text of several alternatives. Only such that have one condition each, on different values of
/// variables, have a certain order.
fn alternatives(several: &[&Alternative]) -> Option<Applies> {
    let mut texts = BTreeSet::new();
    for alternative in several {
        let is_free = alternative.python == [Interval::ALL];
        let (order, count) = match (is_free, alternative.others.first_key_value()) {
            (false, None) => ("", alternative.python.len()),
            (true, Some((variable, Condition::Is(_)))) => (*variable, alternative.others.len()),
            _ => return None,
        };
        if count != 1 {
            return None;
        }
        texts.insert((order, alternative.text()?));
    }

    let several_bounds = texts.iter().filter(|(order, _)| order.is_empty()).count() > 1;
    let texts: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
    (!several_bounds && !texts.iter().any(|text| text.contains(" and ")))
        .then(|| Applies::When(texts.join(" or ")))
}

impl Alternative {
    fn any() -> Self {
        Self {
            python: vec![Interval::ALL],
            extra: None,
            others: BTreeMap::new(),
        }
    }

    /// Both together: `None` if the form is not supported, nothing if they exclude each other.
    fn and(&self, other: &Self) -> Option<Option<Self>> {
        let extra = match (&self.extra, &other.extra) {
            (Some(one), Some(two)) if one != two => return None,
            (one, two) => one.as_ref().or(two.as_ref()).cloned(),
        };
        let python = intersection(&self.python, &other.python);
        let mut others = self.others.clone();
        for (variable, condition) in &other.others {
            let both = match others.get(variable) {
                None => condition.clone(),
                Some(known) => match known.and(condition) {
                    Some(both) => both,
                    None => return Some(None),
                },
            };
            others.insert(variable, both);
        }

        Some((!python.is_empty()).then_some(Self {
            python,
            extra,
            others,
        }))
    }

    /// Whether it applies wherever the other one does.
    fn contains(&self, other: &Self) -> bool {
        let is_met = |(variable, condition): (&&'static str, &Condition)| {
            other.others.get(variable) == Some(condition)
        };
        intersection(&self.python, &other.python) == other.python && self.others.iter().all(is_met)
    }

    /// The text as uv writes it: Python's version, then the other variables by name.
    fn text(&self) -> Option<String> {
        // uv leaves out what one of these says about the other.
        let known = ["os_name", "platform_system", "sys_platform"];
        let related: Vec<&Condition> = known
            .iter()
            .filter_map(|variable| self.others.get(variable))
            .collect();
        let is_windows = self.others.get("os_name") == Some(&Condition::Is("nt".to_owned()))
            && self.others.get("sys_platform") == Some(&Condition::Is("win32".to_owned()))
            && related.len() == 2;
        if related.len() > 1 && !is_windows {
            return None;
        }

        let mut parts = Vec::new();
        match self.python.as_slice() {
            [one] => parts.extend(one.conditions("python_full_version")),
            _ => return None,
        }
        for (variable, condition) in &self.others {
            match condition {
                Condition::Is(value) => parts.push(format!("{variable} == '{value}'")),
                Condition::IsNot(values) => {
                    let mut values = values.iter();
                    let (Some(value), None) = (values.next(), values.next()) else {
                        return None;
                    };
                    parts.push(format!("{variable} != '{value}'"));
                }
            }
        }
        Some(parts.join(" and "))
    }
}

impl Condition {
    fn and(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Is(one), Self::Is(two)) => (one == two).then(|| self.clone()),
            (Self::Is(one), Self::IsNot(not)) | (Self::IsNot(not), Self::Is(one)) => {
                (!not.contains(one)).then(|| Self::Is(one.clone()))
            }
            (Self::IsNot(one), Self::IsNot(two)) => Some(Self::IsNot(one | two)),
        }
    }
}

/// The words of a marker that are not read yet.
struct Tokens<'t> {
    rest: &'t str,
    depth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Text(&'t str),
    Operator(&'t str),
    Open,
    Close,
}

impl<'t> Tokens<'t> {
    fn peek(&self) -> Option<(Token<'t>, &'t str)> {
        let rest = self.rest.trim_start();
        let first = rest.chars().next()?;
        match first {
            '(' => Some((Token::Open, rest.get(1..)?)),
            ')' => Some((Token::Close, rest.get(1..)?)),
            '"' | '\'' => {
                let (text, after) = rest.get(1..)?.split_once(first)?;
                Some((Token::Text(text), after))
            }
            '<' | '>' | '=' | '!' | '~' => {
                let end = rest.find(|c| !"<>=!~".contains(c)).unwrap_or(rest.len());
                let (operator, after) = rest.split_at(end);
                Some((Token::Operator(operator), after))
            }
            _ => {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                (!word.is_empty()).then_some((Token::Word(word), after))
            }
        }
    }

    fn next(&mut self) -> Option<Token<'t>> {
        let (token, rest) = self.peek()?;
        self.rest = rest;
        Some(token)
    }

    fn skip(&mut self, expected: Token<'_>) -> bool {
        match self.peek() {
            Some((token, rest)) if token == expected => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn any_of(&mut self) -> Option<Marker> {
        let mut marker = self.all_of()?;
        while self.skip(Token::Word("or")) {
            marker = marker.or(self.all_of()?)?;
        }
        Some(marker)
    }

    fn all_of(&mut self) -> Option<Marker> {
        let mut marker = self.condition()?;
        while self.skip(Token::Word("and")) {
            marker = marker.and(&self.condition()?)?;
        }
        Some(marker)
    }

    fn condition(&mut self) -> Option<Marker> {
        if self.skip(Token::Open) {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return None;
            }
            let marker = self.any_of()?;
            self.depth -= 1;
            return self.skip(Token::Close).then_some(marker);
        }

        let left = self.next()?;
        let operator = match self.next()? {
            Token::Operator(operator) => operator,
            Token::Word("in") => "in",
            _ => return None,
        };
        match (left, self.next()?) {
            (Token::Word(variable), Token::Text(value)) => compare(variable, operator, value),
            (Token::Text(value), Token::Word(variable)) => {
                compare(variable, turned(operator)?, value)
            }
            _ => None,
        }
    }
}

/// The operator for the same comparison with its sides exchanged.
fn turned(operator: &str) -> Option<&str> {
    Some(match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        "==" | "!=" => operator,
        _ => return None,
    })
}

fn compare(variable: &str, operator: &str, value: &str) -> Option<Marker> {
    let any = Alternative::any();
    if matches!(variable, "python_version" | "python_full_version") {
        let python = PythonRange::comparison(operator, value, variable == "python_version")?;
        return Some(Marker(match python.is_empty() {
            true => Vec::new(),
            false => vec![Alternative { python, ..any }],
        }));
    }
    if variable == "extra" {
        let extra = (operator == "==").then(|| normalize(value).into_owned())?;
        return Some(Marker(vec![Alternative {
            extra: Some(extra),
            ..any
        }]));
    }

    let variable = *VARIABLES.iter().find(|known| **known == variable)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if value.is_empty() || !value.chars().all(is_plain) {
        return None;
    }
    let (variable, value) = match (variable, value) {
        ("platform_system", "Windows") => ("sys_platform", "win32"),
        ("platform_system", "Linux") => ("sys_platform", "linux"),
        ("platform_system", "Darwin") => ("sys_platform", "darwin"),
        other => other,
    };
    let condition = match operator {
        "==" => Condition::Is(value.to_owned()),
        "!=" => Condition::IsNot([value.to_owned()].into()),
        _ => return None,
    };
    Some(Marker(vec![Alternative {
        others: [(variable, condition)].into(),
        ..any
    }]))
}

#[cfg(test)]
mod tests;

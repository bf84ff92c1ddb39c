//! The template of a pull request's body, which a team may replace.
//!
//! A template places sections that are ready-made Markdown, and may name the packages and findings
//! itself. It comes from a repository, so it can do little: it reads nothing, has no way to build long
//! texts, and a value that it names is escaped whatever it does. Only its own words are taken as they
//! are.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value};

use crate::markdown::text;

/// Largest template, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// Most instructions of one rendering.
const FUEL: u64 = 500_000;
/// Longest text of one rendering, in bytes.
const MAX_TEXT: usize = 8 * 1024 * 1024;
/// The statements that a template may use. Those that keep a text and use it again could double it
/// with every line.
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];
/// Signs that build texts and lists, which could double with every use as well.
const SIGNS: [char; 7] = ['~', '*', '+', '[', '{', '(', ','];

/// The template of Patchgate itself.
const DEFAULT: &str = include_str!("default.md.j2");

/// A template of a pull request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyTemplate {
    name: String,
    source: String,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`{}: {reason}", .line.map(|line| format!(" line {line}")).unwrap_or_default())]
pub struct TemplateError {
    /// Path of the template.
    pub name: String,
    /// Line of the mistake, from 1, when it has one.
    pub line: Option<usize>,
    /// The mistake: a fragment.
    pub reason: String,
}

impl Default for BodyTemplate {
    fn default() -> Self {
        Self {
            name: "default.md.j2".to_owned(),
            source: DEFAULT.to_owned(),
        }
    }
}

impl BodyTemplate {
    /// Reads a template. `name` is its path, for errors.
    ///
    /// # Errors
    /// When it is too large, is no text, cannot be parsed, or uses what a template may not use.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, TemplateError> {
        let error = |line, reason: String| TemplateError {
            name: name.to_owned(),
            line,
            reason,
        };
        if bytes.len() > MAX_BYTES {
            let reason = format!("it is larger than {MAX_BYTES} bytes");
            return Err(error(None, reason));
        }
        let source = std::str::from_utf8(bytes)
            .map_err(|_| error(None, "it is not UTF-8".to_owned()))?
            .trim_start_matches('\u{feff}');
        if let Some((line, reason)) = refused(source) {
            return Err(error(Some(line), reason));
        }

        let template = Self {
            name: name.to_owned(),
            source: source.to_owned(),
        };
        environment()
            .template_from_named_str(name, source)
            .map_err(|cause| template.error(&cause))?;
        Ok(template)
    }

    /// The text for some values.
    ///
    /// # Errors
    /// When the template names a value that does not exist, or does too much.
    pub(super) fn render(&self, values: Value) -> Result<String, TemplateError> {
        let environment = environment();
        let mut text = Bounded(Vec::new());
        environment
            .template_from_named_str(&self.name, &self.source)
            .and_then(|template| template.render_captured_to(values, &mut text).map(drop))
            .map_err(|cause| self.error(&cause))?;

        Ok(String::from_utf8_lossy(&text.0).into_owned())
    }

    /// An error about the template as a whole.
    pub(super) fn too_long(&self) -> TemplateError {
        TemplateError {
            name: self.name.clone(),
            line: None,
            reason: "its text is longer than the forge accepts, even without tables".to_owned(),
        }
    }

    fn error(&self, cause: &minijinja::Error) -> TemplateError {
        let kind = cause.kind().to_string();
        TemplateError {
            name: self.name.clone(),
            line: cause.line(),
            reason: match cause.detail() {
                Some(detail) => format!("{kind}: {detail}"),
                None => kind,
            },
        }
    }
}

/// An environment without filters, functions, tests and other templates.
fn environment<'source>() -> Environment<'source> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    environment.set_formatter(write_value);
    environment.set_fuel(Some(FUEL));
    environment
}

/// Writes a section as it is, and any other value escaped.
fn write_value(
    out: &mut Output<'_>,
    _: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if !matches!(
        value.kind(),
        ValueKind::String | ValueKind::Number | ValueKind::Bool
    ) {
        let reason = format!("a {} cannot be written", value.kind());
        return Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason));
    }

    let written = value.to_string();
    match value.is_safe() {
        true => Ok(out.write_str(&written)?),
        false => Ok(out.write_str(&text(&written))?),
    }
}

/// The first thing in a template that is not allowed, with its line. Every place at which a tag could
/// start is looked at, also those in comments.
fn refused(source: &str) -> Option<(usize, String)> {
    source.match_indices('{').find_map(|(at, _)| {
        let from = source.get(at..)?;
        let reason = match (from.strip_prefix("{%"), from.strip_prefix("{{")) {
            (Some(inner), _) => bad_statement(inner).or_else(|| bad_sign(inner, "%}")),
            (None, Some(inner)) => bad_sign(inner, "}}"),
            (None, None) => None,
        }?;
        let line = source.get(..at)?.matches('\n').count() + 1;
        Some((line, reason))
    })
}

fn bad_statement(inner: &str) -> Option<String> {
    let inner = inner.trim_start_matches(['-', '+']).trim_start();
    let end = inner.find(|c: char| !c.is_alphanumeric() && c != '_');
    let word = inner.get(..end.unwrap_or(inner.len()))?;
    (!STATEMENTS.contains(&word)).then(|| {
        let known = STATEMENTS.join("`, `");
        format!("`{word}` is not allowed in a template, only `{known}`")
    })
}

/// A sign outside of the texts in quotes, up to the end of the tag.
fn bad_sign(inner: &str, end: &str) -> Option<String> {
    let mut quote = None;
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            Some(_) if c == '\\' => {
                chars.next();
            }
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if inner.get(at..)?.starts_with(end) => return None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if SIGNS.contains(&c) => {
                return Some(format!("`{c}` is not allowed in a template"));
            }
            None => {}
        }
    }

    None
}

/// A text that fails to grow further than its bound.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEXT {
            return Err(std::io::Error::other("the text is too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str) -> Result<String, TemplateError> {
        let values = minijinja::context! {
            summary => Value::from_safe_string("**two** packages\n".to_owned()),
            packages => [minijinja::context! { name => "@me/<b>", to => "1" }]
                .into_iter()
                .collect::<Value>(),
        };
        BodyTemplate::parse(".github/body.md", source.as_bytes())?.render(values)
    }

    #[test]
    fn sections_are_kept_and_values_are_escaped() {
        let source =
            "# Ours @team\n{{ summary }}{% for it in packages %}- {{ it.name }}{% endfor %}\n";
        assert_eq!(
            render(source).unwrap(),
            "# Ours @team\n**two** packages\n- @&#8203;me/&lt;b&gt;"
        );
    }

    #[test]
    fn a_mistake_is_named_with_file_and_line() {
        for (source, message) in [
            ("a\n{{ sumary }}", "line 2: undefined value"),
            ("a\n\n{% if %}", "line 3: syntax error"),
            ("{{ summary", "line 1: syntax error"),
            ("a\n{{ summary|safe }}", "line 2: unknown filter"),
            ("{{ range(9) }}", "line 1: `(` is not allowed"),
            ("a {{ packages }}", "line 1: invalid operation: a sequence"),
            ("{{ '}}' ~ summary }}", "line 1: `~` is not allowed"),
            (
                "{% for a in [summary] %}{% endfor %}",
                "line 1: `[` is not allowed",
            ),
            ("\n{% set a = summary %}", "line 2: `set` is not allowed"),
            (
                "\n{%- include '/etc/passwd' %}",
                "line 2: `include` is not allowed",
            ),
            ("{% extends 'x' %}", "line 1: `extends` is not allowed"),
            (
                "{% macro a() %}{% endmacro %}",
                "line 1: `macro` is not allowed",
            ),
            ("\n\n{{ 'a' * 100000000 }}", "line 3: `*` is not allowed"),
            ("{{ summary ~ summary }}", "line 1: `~` is not allowed"),
        ] {
            let error = render(source).unwrap_err().to_string();
            let expected = format!("`.github/body.md` {message}");
            assert!(error.starts_with(&expected), "{source}: {error}");
        }
        let large = "x".repeat(MAX_BYTES + 1);
        assert!(render(&large).unwrap_err().to_string().contains("larger"));
        let binary = BodyTemplate::parse("t", b"\xff\xfe").unwrap_err();
        assert_eq!(binary.to_string(), "`t`: it is not UTF-8");
    }

    #[test]
    fn work_and_text_are_bounded() {
        let loops = "{% for a in packages %}".to_owned();
        let values = |count: usize| {
            let packages = (0..count).map(|_| minijinja::context! { name => "x".repeat(1000) });
            minijinja::context! { packages => packages.collect::<Value>() }
        };
        let nested = format!(
            "{}{{{{ a.name }}}}{}",
            loops.repeat(3),
            "{% endfor %}".repeat(3)
        );
        let template = BodyTemplate::parse("t", nested.as_bytes()).unwrap();
        assert!(template.render(values(2)).is_ok());
        assert!(template.render(values(300)).is_err());
    }

    #[test]
    fn the_default_template_is_allowed() {
        let default = BodyTemplate::default();
        let parsed = BodyTemplate::parse(&default.name, default.source.as_bytes());
        assert_eq!(parsed, Ok(default));
    }

    proptest::proptest! {
        #[test]
        fn no_template_ends_the_program(source in "(?s)(\\{[{%#]|[-+]|[%#}]\\}|if |for |in |set |\n|.){0,40}") {
            if let Ok(text) = render(&source) {
                proptest::prop_assert!(text.len() <= MAX_TEXT);
            }
        }
    }
}

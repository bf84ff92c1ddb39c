//! The report of a scan as one HTML page that needs no network and no script.
//!
//! The page is rendered from a template that escapes every value. A content security policy admits
//! only the page's own style and script, by their hashes, so that text that got past the escaping
//! could not run either. The script adds search, filters and sorting; without it everything is shown.

mod cards;
mod chart;
mod view;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, Value};
use sha2::{Digest as _, Sha256};

use super::ScanReport;
use view::View;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What a page says about the scan as a whole.
#[derive(Debug, Clone, Copy)]
pub struct HtmlOptions<'a> {
    /// Name of the scanned project. Empty is written as `repository`.
    pub name: &'a str,
    /// Time of the scan.
    pub time: Timestamp,
}

impl ScanReport {
    /// As a self-contained HTML page. Findings beyond the worst 10,000 are counted and not shown.
    #[must_use]
    pub fn to_html(&self, options: &HtmlOptions<'_>) -> String {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(format_value);
        let context = minijinja::context! {
            view => minijinja::value::Serde(View::new(self, options)),
            policy => policy(),
            style => Value::from_safe_string(STYLE.to_owned()),
            script => Value::from_safe_string(SCRIPT.to_owned()),
        };

        // The template is part of the program, and a test renders every part of it.
        match environment.render_str(PAGE, context) {
            Ok(page) => page,
            Err(error) => format!("<!doctype html><title>Patchgate</title><p>{error}</p>\n"),
        }
    }
}

/// Writes a value with the five characters escaped that end a text or an attribute. The library's own
/// formatter also writes every slash in six characters, which is a fifth of a page full of addresses
/// and paths.
fn format_value(
    out: &mut Output<'_>,
    _: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if value.is_safe() || value.kind() == ValueKind::Number {
        return Ok(write!(out, "{value}")?);
    }

    let text = value.to_string();
    let mut start = 0;
    for (index, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.write_str(text.get(start..index).unwrap_or_default())?;
        out.write_str(escape)?;
        start = index + 1;
    }

    Ok(out.write_str(text.get(start..).unwrap_or_default())?)
}

/// The content security policy (<https://www.w3.org/TR/CSP3/>): nothing but the style and the script
/// of this page.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        source_hash(STYLE),
        source_hash(SCRIPT)
    )
}

/// The hash of an inline style or script, as a policy names it.
fn source_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests;

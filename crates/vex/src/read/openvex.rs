//! Reader of OpenVEX (<https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md>) 0.2.0 and of the
//! versions before it, in which vulnerabilities and products were plain texts.

use std::sync::Arc;

use jiff::Timestamp;
use patchgate_model::Justification;
use patchgate_syntax::{Node, ParseError};

use super::{component, distinct, prose, text, time};
use crate::document::{
    Component, Document, Format, StatedJustification, Statement, Status, Target,
};
use crate::identity::PackageIdentity;

/// The prefix of the context of every version of OpenVEX.
const CONTEXT: &str = "https://openvex.dev/ns";

/// Whether the document declares itself as OpenVEX.
pub(super) fn is(root: &Node<'_>) -> bool {
    root.get("@context")
        .and_then(Node::text)
        .is_some_and(|context| context.starts_with(CONTEXT))
}

pub(super) fn read(root: &Node<'_>) -> Result<Document, ParseError> {
    check_version(root)?;
    let issued = time(root, "timestamp")?;
    let list = root
        .get("statements")
        .ok_or_else(|| ParseError::new("lacks `statements`"))?;
    if !list.is_list() {
        return Err(list.unexpected("statements", "a list"));
    }

    let statements = list.items().iter().map(|node| statement(node, issued));
    Ok(Document {
        format: Format::OpenVex,
        id: text(root, "@id")?.unwrap_or_default(),
        author: text(root, "author")?.unwrap_or_default(),
        timestamp: time(root, "last_updated")?.or(issued),
        preliminary: None,
        label: None,
        statements: statements.collect::<Result<_, _>>()?,
        advisories: Vec::new(),
    })
}

/// Rejects unknown versions, which may give the same words another meaning.
fn check_version(root: &Node<'_>) -> Result<(), ParseError> {
    let context = root.need_text("@context")?;
    let version = context.strip_prefix(CONTEXT).unwrap_or_default();
    let version = version.trim_matches('/');
    let known = version.is_empty()
        || ["v0.0.", "v0.1.", "v0.2."]
            .iter()
            .any(|known| version.starts_with(known));
    if known {
        return Ok(());
    }

    let shown: String = version.chars().take(20).collect();
    Err(ParseError::new(format!(
        "is OpenVEX version `{shown}`, which is not supported"
    ))
    .with_hint("write the document as OpenVEX 0.2.0"))
}

fn statement(node: &Node<'_>, issued: Option<Timestamp>) -> Result<Statement, ParseError> {
    if !node.is_map() {
        return Err(node.unexpected("statements", "a statement"));
    }

    let made = time(node, "timestamp")?;
    let statement = Statement {
        id: text(node, "@id")?,
        line: node.line,
        ids: vulnerability(node)?,
        targets: targets(node)?,
        status: status(node)?,
        justification: justification(node)?,
        impact: prose(node, "impact_statement")?,
        action: prose(node, "action_statement")?,
        // A statement without a time inherits that of its document ("Inheritance Flow" of the
        // specification). `last_updated` of the document is not inherited: the change may have been
        // in another statement.
        timestamp: time(node, "last_updated")?.or(made).or(issued),
    };
    if statement.ids.is_empty() {
        return Err(
            ParseError::new("has a statement about no vulnerability").at_line(node.line as usize)
        );
    }

    Ok(statement)
}

fn vulnerability(statement: &Node<'_>) -> Result<Vec<String>, ParseError> {
    let Some(node) = statement.get("vulnerability") else {
        return Err(ParseError::new("has a statement without `vulnerability`")
            .at_line(statement.line as usize));
    };
    if let Some(name) = node.text() {
        return Ok(distinct([name.to_owned()]));
    }
    if !node.is_map() {
        return Err(node.unexpected("vulnerability", "a vulnerability"));
    }

    let mut ids: Vec<String> = text(node, "name")?.into_iter().collect();
    for alias in node.optional_list("aliases")? {
        let alias = alias
            .text()
            .ok_or_else(|| alias.unexpected("aliases", "a text"))?;
        ids.push(alias.to_owned());
    }
    // Some tools use the name itself as `@id`, others an address that ends with it.
    if let Some(id) = text(node, "@id")? {
        if ids.is_empty() {
            ids.extend(id.rsplit(['/', '#']).next().map(str::to_owned));
        }
        ids.push(id);
    }

    Ok(distinct(ids))
}

fn status(statement: &Node<'_>) -> Result<Status, ParseError> {
    let word = statement.need_text("status")?;
    [
        Status::NotAffected,
        Status::Fixed,
        Status::UnderInvestigation,
        Status::Affected,
    ]
    .into_iter()
    .find(|status| status.word() == word)
    .ok_or_else(|| unknown_word(statement, "status", word))
}

fn justification(statement: &Node<'_>) -> Result<Option<StatedJustification>, ParseError> {
    let Some(written) = text(statement, "justification")? else {
        return Ok(None);
    };
    let word = Justification::from_word(&written)
        .ok_or_else(|| unknown_word(statement, "justification", &written))?;
    Ok(Some(StatedJustification { word, written }))
}

fn unknown_word(node: &Node<'_>, name: &str, word: &str) -> ParseError {
    let line = node.get(name).map_or(node.line, |value| value.line);
    let shown: String = word.chars().take(60).collect();
    ParseError::new(format!(
        "has the {name} `{shown}`, which OpenVEX does not define"
    ))
    .at_line(line as usize)
}

/// The products with their subcomponents. Before 0.2.0, subcomponents were listed next to the
/// products and belonged to all of them.
fn targets(statement: &Node<'_>) -> Result<Vec<Arc<Target>>, ParseError> {
    let shared = statement.optional_list("subcomponents")?;
    let mut targets = Vec::new();
    for product in statement.optional_list("products")? {
        let own = match product.is_map() {
            true => product.optional_list("subcomponents")?,
            false => &[],
        };
        let whole = identified(product)?;
        if own.is_empty() && shared.is_empty() {
            targets.push(Arc::new(Target {
                component: whole,
                within: Vec::new(),
            }));
            continue;
        }

        for part in own.iter().chain(shared) {
            targets.push(Arc::new(Target {
                component: identified(part)?,
                within: vec![whole.clone()],
            }));
        }
    }

    Ok(targets)
}

/// A product or subcomponent, by its identifiers. If both `@id` and `identifiers` have a package URL,
/// both must match, because they should identify the same package.
fn identified(node: &Node<'_>) -> Result<Component, ParseError> {
    if let Some(id) = node.text() {
        return Ok(component(id.trim()));
    }
    if !node.is_map() {
        return Err(node.unexpected("products", "a product"));
    }

    let mut found = text(node, "@id")?.map_or_else(Component::default, |id| component(&id));
    for (key, value) in node.optional_map("identifiers")? {
        let identifier = value
            .text()
            .ok_or_else(|| value.unexpected(&key.name, "a text"))?
            .trim();
        match (&*key.name, PackageIdentity::parse(identifier)) {
            ("purl", Some(purl)) => found.purls.push(purl),
            ("purl", None) => {
                let shown: String = identifier.chars().take(80).collect();
                return Err(
                    ParseError::new(format!("has `{shown}` instead of a package URL"))
                        .at_line(value.line as usize),
                );
            }
            _ => found.names.push(identifier.to_owned()),
        }
    }

    Ok(found)
}

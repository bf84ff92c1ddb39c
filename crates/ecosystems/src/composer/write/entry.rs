//! The entry of a package in a lockfile, from its description in a repository.
//!
//! The order of the fields and their normal forms are those of Composer's `ArrayLoader`, `ArrayDumper`
//! and `Locker::lockPackages`
//! (<https://github.com/composer/composer/tree/main/src/Composer/Package>).

use crate::composer::php_json::{self, is_empty, key, list, map, text};
use crate::syntax::{Key, Node, Value};

/// What a lockfile repeats of the repository, not of the package: it is taken from another entry.
#[derive(Debug, Default, Clone)]
pub(super) struct FromRepository<'a> {
    /// The address that installations are reported to.
    pub(super) notification_url: Option<Node<'a>>,
    /// Mirrors of archives.
    pub(super) dist_mirrors: Option<Node<'a>>,
}

impl<'a> FromRepository<'a> {
    /// Reads an entry.
    ///
    /// # Errors
    /// If the repository has settings of its own for each package.
    pub(super) fn of(entry: &Node<'a>) -> Result<Self, String> {
        let name = entry.get("name").and_then(Node::text).unwrap_or_default();
        let mirrors = |part: &str| entry.get(part).and_then(|part| part.get("mirrors"));
        if entry.get("transport-options").is_some() || mirrors("source").is_some() {
            return Err(format!("`{name}` has options of its repository"));
        }
        Ok(Self {
            notification_url: entry.get("notification-url").cloned(),
            dist_mirrors: mirrors("dist").cloned(),
        })
    }
}

type Fields<'a> = Vec<(Key<'a>, Node<'a>)>;

/// The entry.
///
/// # Errors
/// If Composer's form of a field is not certain.
pub(super) fn entry<'a>(
    described: &Node<'a>,
    repository: &FromRepository<'a>,
) -> Result<Node<'a>, String> {
    let stated = |name: &str| described.get(name).filter(|value| !value.is_null());
    let name = stated("name")
        .and_then(Node::text)
        .ok_or("it has no name")?;
    let version = stated("version")
        .and_then(Node::text)
        .ok_or("it has no version")?;
    for odd in ["php-ext", "transport-options", "default-branch"] {
        if stated(odd).is_some() {
            return Err(format!("it has `{odd}`"));
        }
    }
    if !php_json::is_printable(described) {
        return Err("it has numbers that PHP may print in another way".to_owned());
    }

    let mut fields: Fields<'a> = vec![
        (key("name"), text(name.to_owned())),
        (key("version"), text(version.to_owned())),
    ];
    let mut push = |name: &'static str, value: Option<Node<'a>>| {
        fields.extend(
            value
                .filter(|value| !is_empty(value))
                .map(|value| (key(name), value)),
        );
    };
    let full_text = |name: &str| {
        let value = stated(name).filter(|value| value.text().is_some_and(|text| !text.is_empty()));
        value.cloned()
    };
    let full = |name: &str| stated(name).filter(|value| is_container(value)).cloned();

    push("target-dir", full_text("target-dir"));
    push(
        "source",
        origin(stated("source"), &["type", "url", "reference"], None)?,
    );
    push(
        "dist",
        origin(
            stated("dist"),
            &["type", "url"],
            repository.dist_mirrors.clone(),
        )?,
    );
    for kind in ["require", "conflict", "provide", "replace", "require-dev"] {
        push(kind, links(stated(kind), name)?);
    }
    push("suggest", suggestions(stated("suggest"), version)?);
    push(
        "bin",
        listed(stated("bin"), |path| {
            path.trim_start_matches('/').to_owned()
        })?,
    );
    let kind = stated("type").and_then(Node::text).unwrap_or("library");
    push("type", Some(text(kind.to_ascii_lowercase())));
    push("extra", full("extra"));
    push("autoload", full("autoload"));
    push("autoload-dev", full("autoload-dev"));
    let own_url = full_text("notification-url");
    push(
        "notification-url",
        own_url.or_else(|| repository.notification_url.clone()),
    );
    push("include-path", full("include-path"));
    push("archive", archive(stated("archive")));
    push("scripts", scripts(stated("scripts"))?);
    push("license", listed(stated("license"), str::to_owned)?);
    push("authors", full("authors"));
    push("description", full_text("description"));
    push("homepage", full_text("homepage"));
    push("keywords", keywords(stated("keywords"))?);
    push("support", full("support"));
    push("funding", full("funding"));
    push("abandoned", abandoned(stated("abandoned")));
    push("time", time(stated("time"))?);

    Ok(map(fields))
}

fn is_container(node: &Node<'_>) -> bool {
    node.is_list() || node.is_map()
}

/// `source` or `dist`.
fn origin<'a>(
    stated: Option<&Node<'a>>,
    needed: &[&str],
    mirrors: Option<Node<'a>>,
) -> Result<Option<Node<'a>>, String> {
    let Some(stated) = stated else {
        return Ok(None);
    };

    let mut fields: Fields<'a> = Vec::new();
    for name in ["type", "url", "reference", "shasum"] {
        if name == "shasum" && needed.contains(&"reference") {
            continue;
        }
        match stated.get(name).filter(|value| !value.is_null()) {
            Some(value) if value.text().is_some() => fields.push((key(name), value.clone())),
            None if !needed.contains(&name) => {}
            _ => return Err(format!("its `{name}` is not a text")),
        }
    }

    fields.extend(mirrors.map(|mirrors| (key("mirrors"), mirrors)));
    Ok(Some(map(fields)))
}

/// Requirements and the like: lower-case names in their order.
fn links<'a>(stated: Option<&Node<'a>>, own: &str) -> Result<Option<Node<'a>>, String> {
    let Some(stated) = stated.filter(|stated| !is_empty(stated)) else {
        return Ok(None);
    };

    let mut fields: Fields<'a> = Vec::new();
    for (name, value) in stated.entries() {
        let lower = name.name.to_ascii_lowercase();
        if value.text().is_none() {
            return Err(format!("its requirement on `{lower}` is not a text"));
        }
        if lower.eq_ignore_ascii_case(own) {
            continue;
        }
        if fields.iter().any(|(known, _)| known.name == lower) {
            return Err(format!("it names `{lower}` twice"));
        }
        fields.push((key(lower), value.clone()));
    }

    sort(&mut fields)?;
    Ok(Some(map(fields)))
}

/// Sorts by keys. PHP compares numbers in another way, which no name of a package is.
fn sort(fields: &mut Fields<'_>) -> Result<(), String> {
    if fields.iter().any(|(key, _)| is_numeric(&key.name)) {
        return Err("it has a number as a name".to_owned());
    }
    fields.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    Ok(())
}

fn is_numeric(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok()
}

fn suggestions<'a>(stated: Option<&Node<'a>>, version: &str) -> Result<Option<Node<'a>>, String> {
    let Some(stated) = stated.filter(|stated| !is_empty(stated)) else {
        return Ok(None);
    };

    let mut fields: Fields<'a> = Vec::new();
    for (name, reason) in stated.entries() {
        let Some(given) = reason.text() else {
            return Err("its `suggest` has other values than texts".to_owned());
        };
        let reason = match given.trim() == "self.version" {
            true => text(version.to_owned()),
            false => reason.clone(),
        };
        fields.push((name.clone(), reason));
    }

    sort(&mut fields)?;
    Ok(Some(map(fields)))
}

/// A list of texts, or one text.
fn listed<'a>(
    stated: Option<&Node<'a>>,
    normal: impl Fn(&str) -> String,
) -> Result<Option<Node<'a>>, String> {
    let Some(stated) = stated else {
        return Ok(None);
    };

    let items: Vec<&Node<'a>> = match &stated.value {
        Value::List(items) => items.iter().collect(),
        Value::Text(text) if text.is_empty() => Vec::new(),
        Value::Text(_) => vec![stated],
        _ => return Err("it has a map where a list belongs".to_owned()),
    };

    let texts: Option<Vec<Node<'a>>> = items
        .into_iter()
        .map(|item| Some(text(normal(item.text()?))))
        .collect();
    texts
        .map(|texts| Some(list(texts)))
        .ok_or_else(|| "it has a list with other values than texts".to_owned())
}

fn archive<'a>(stated: Option<&Node<'a>>) -> Option<Node<'a>> {
    let stated = stated?;
    let mut fields: Fields<'a> = Vec::new();
    for name in ["name", "exclude"] {
        let value = stated
            .get(name)
            .filter(|value| !value.is_null() && !is_empty(value));
        fields.extend(value.map(|value| (key(name), value.clone())));
    }
    Some(map(fields))
}

fn scripts<'a>(stated: Option<&Node<'a>>) -> Result<Option<Node<'a>>, String> {
    let Some(stated) = stated.filter(|stated| is_container(stated) && !is_empty(stated)) else {
        return Ok(None);
    };
    let mut fields: Fields<'a> = Vec::new();
    for (event, listeners) in stated.entries() {
        let listeners = match &listeners.value {
            Value::Text(_) => list(vec![listeners.clone()]),
            Value::List(_) => listeners.clone(),
            _ => return Err("its `scripts` have other values than texts".to_owned()),
        };
        fields.push((event.clone(), listeners));
    }
    Ok(Some(map(fields)))
}

/// Sorted. PHP compares two numbers as numbers.
fn keywords<'a>(stated: Option<&Node<'a>>) -> Result<Option<Node<'a>>, String> {
    let Some(stated) = stated.filter(|stated| stated.is_list()) else {
        return Ok(None);
    };

    let words: Option<Vec<&str>> = stated.items().iter().map(Node::text).collect();
    let Some(mut words) = words else {
        return Err("its `keywords` have other values than texts".to_owned());
    };
    if words.iter().filter(|word| is_numeric(word)).count() > 1 {
        return Err("its `keywords` have several numbers".to_owned());
    }

    words.sort_unstable();
    Ok(Some(list(
        words
            .into_iter()
            .map(|word| text(word.to_owned()))
            .collect(),
    )))
}

fn abandoned<'a>(stated: Option<&Node<'a>>) -> Option<Node<'a>> {
    match &stated?.value {
        Value::Bool(true) => stated.cloned(),
        Value::Text(text) if !text.is_empty() && text != "0" => stated.cloned(),
        _ => None,
    }
}

/// The time in the form of RFC 3339, with the zone that it has.
fn time<'a>(stated: Option<&Node<'a>>) -> Result<Option<Node<'a>>, String> {
    let Some(given) = stated else {
        return Ok(None);
    };
    let given = given.text().ok_or("its `time` is not a text")?;
    if given.is_empty() {
        return Ok(None);
    }

    let shape: String = given
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let written = match shape.as_str() {
        "0000-00-00T00:00:00+00:00" | "0000-00-00T00:00:00-00:00" => given.to_owned(),
        "0000-00-00T00:00:00Z" => given.replace('Z', "+00:00"),
        "0000-00-00 00:00:00" => format!("{}+00:00", given.replace(' ', "T")),
        _ => return Err("its `time` has an unusual form".to_owned()),
    };

    Ok(Some(text(written)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::json;

    #[test]
    fn fields_are_ordered_and_normal_as_in_composers_lockfiles() {
        let described = json(
            r#"{"name": "acme/a", "description": "A", "keywords": ["z", "a b", "B"], "version": "v1.0.0", "version_normalized": "1.0.0.0",
                "license": "MIT", "homepage": "", "authors": [{"name": "Ä/B"}], "time": "2024-01-01T00:00:00Z",
                "source": {"url": "https://code.invalid/a.git", "type": "git", "reference": "0b5088d9"},
                "dist": {"url": "https://code.invalid/a.zip", "type": "zip", "shasum": "", "reference": "0b5088d9"},
                "type": "Library", "bin": ["/bin/a"], "suggest": {"x/z": "self.version", "ext-a": "for a"},
                "autoload": {"psr-4": {"A\\": "src/"}}, "extra": {"e": {}}, "uid": 1, "abandoned": "acme/b",
                "require": {"php": ">=8", "Acme/C": "self.version", "acme/b": "^1.0", "acme/a": "*"}, "require-dev": {},
                "scripts": {"test": "phpunit"}, "support": {"issues": "https://code.invalid/a"}}"#,
        )
        .unwrap();
        let repository = FromRepository {
            notification_url: Some(text("https://repo.invalid/downloads/")),
            dist_mirrors: Some(list(vec![text("m")])),
        };
        let entry = entry(&described, &repository).unwrap();
        insta::assert_snapshot!(php_json::pretty(&entry, 0));
    }

    #[test]
    fn what_is_not_certain_is_refused() {
        let refused = |fields: &str| {
            let text = format!("{{\"name\": \"a/b\", \"version\": \"1\", {fields}}}");
            entry(&json(&text).unwrap(), &FromRepository::default()).unwrap_err()
        };
        let reasons = [
            refused(r#""time": "yesterday""#),
            refused(r#""extra": {"x": 1.50}"#),
            refused(r#""dist": {"type": "zip"}"#),
            refused(r#""source": {"type": "git", "url": "x"}"#),
            refused(r#""require": {"a/c": 1}"#),
            refused(r#""require": {"A/c": "1", "a/C": "1"}"#),
            refused(r#""keywords": ["1", "02"]"#),
            refused(r#""php-ext": {"x": 1}"#),
        ];
        insta::assert_snapshot!(reasons.join("\n"));
    }
}

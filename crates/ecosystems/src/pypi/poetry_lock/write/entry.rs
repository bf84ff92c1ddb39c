//! The entry of a package that gets a release.

use std::collections::BTreeMap;

use super::document::{Document, Entry};
use super::text::{Conditions, constraint, quoted};
use crate::pypi::marker::{Applies, Marker};
use crate::pypi::name::{is_name, normalize};
use crate::pypi::python_range::PythonRange;
use crate::pypi::release_files;
use crate::{Release, Requirement};

/// The lines of a written entry's dependencies, by normal name, with the name as the release has it.
pub(super) type Lines = BTreeMap<String, (String, String)>;

/// The lines that say where an entry belongs: groups, markers, its source.
pub(super) struct Place {
    pub(super) optional: String,
    pub(super) groups: String,
    pub(super) markers: String,
    pub(super) source: String,
}

impl Place {
    /// The place of an entry of the file.
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            optional: entry.line("optional"),
            groups: entry.line("groups"),
            markers: entry.line("markers"),
            source: entry.source.clone(),
        }
    }
}

/// The text of an entry.
pub(super) fn text(
    name: &str,
    release: &Release,
    place: &Place,
    lines: &Lines,
) -> Result<String, String> {
    let missing = |what: &str| format!("the {what} of `{name}` {} is not certain", release.version);
    let document = release.document.as_ref();
    let summary = document.and_then(|document| document.get("summary"));
    let summary = summary.and_then(serde_json::Value::as_str).and_then(quoted);
    let summary = summary.ok_or_else(|| missing("description"))?;
    let runtime = quoted(release.runtime.as_deref().unwrap_or("*"));
    let runtime = runtime.ok_or_else(|| missing("requirement on Python"))?;

    let mut text = format!(
        "[[package]]\nname = \"{name}\"\nversion = \"{}\"\ndescription = {summary}\n{}python-versions = {runtime}\n{}{}files = [\n{}]\n",
        release.version,
        place.optional,
        place.groups,
        place.markers,
        files(name, release)?
    );
    if !lines.is_empty() {
        text.push_str("\n[package.dependencies]\n");
        for (written, value) in lines.values() {
            text.push_str(&format!("{} = {value}\n", key(written)));
        }
    }
    let extras = extras(release)?;
    if !extras.is_empty() {
        text.push_str("\n[package.extras]\n");
        for (extra, requirements) in extras {
            text.push_str(&format!(
                "{} = [{}]\n",
                key(&extra),
                requirements.join(", ")
            ));
        }
    }
    let text = text.trim_end_matches('\n');
    Ok(format!("{text}{}", place.source))
}

/// The lines of all files, sorted by name.
fn files(name: &str, release: &Release) -> Result<String, String> {
    let missing = || {
        format!(
            "the registry has no SHA-256 of each file of `{name}` {}",
            release.version
        )
    };
    let mut lines = Vec::new();
    for file in &release.files {
        let hash = file
            .hashes
            .iter()
            .find(|(algorithm, _)| algorithm == "sha256");
        let hash = hash
            .map(|(_, hash)| hash.to_ascii_lowercase())
            .filter(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .ok_or_else(missing)?;
        let file = quoted(&file.name).ok_or_else(missing)?;
        lines.push(format!(
            "    {{file = {file}, hash = \"sha256:{hash}\"}},\n"
        ));
    }
    lines.sort();
    match lines.is_empty() {
        true => Err(missing()),
        false => Ok(lines.concat()),
    }
}

/// The lines of the dependencies of a release. `asked` says which of its extras something asks for.
pub(super) fn lines(
    document: &Document,
    name: &str,
    release: &Release,
    asked: impl Fn(&str) -> bool,
) -> Result<Lines, String> {
    release_files::check(name, &release.version)?;
    let own = |reason: String| format!("`{name}` {}: {reason}", release.version);
    if release.details.is_some() {
        return Err(own("its dependencies are not known".to_owned()));
    }
    if let Some(runtime) = &release.runtime {
        let range = PythonRange::parse(runtime);
        if !range.is_some_and(|range| range.starts_before(&document.python)) {
            return Err(own(format!(
                "it needs Python `{runtime}`, which is not certain for the whole project"
            )));
        }
    }

    let mut by_name: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for requirement in &release.requirements {
        let unclear = || {
            own(format!(
                "the condition of its dependency `{}` is not certain",
                requirement.name
            ))
        };
        let normal = normalize(&requirement.name).into_owned();
        let conditions = Conditions::parse(&requirement.condition);
        let Some(conditions) = conditions else {
            // Only extras that nothing asks for may have markers of any form.
            match requirement.condition.contains("extra") {
                true => return Err(unclear()),
                false if applies(document, requirement) == Some(Applies::Never) => continue,
                false => return Err(unclear()),
            }
        };
        if !conditions.extras.iter().all(|extra| asked(extra)) {
            continue;
        }
        match applies(document, requirement) {
            None => return Err(unclear()),
            Some(Applies::Never) => continue,
            Some(_) => {}
        }
        let value = value(requirement, &conditions).ok_or_else(unclear)?;
        let written = (requirement.name.clone(), value);
        by_name.entry(normal).or_default().push(written);
    }

    let mut lines = Lines::new();
    for (normal, mut written) in by_name {
        match (written.pop(), written.is_empty()) {
            (Some(line), true) => {
                lines.insert(normal, line);
            }
            _ => return Err(own(format!("it needs `{normal}` in several ways"))),
        }
    }
    Ok(lines)
}

/// The environments of the project in which a requirement applies.
fn applies(document: &Document, requirement: &Requirement) -> Option<Applies> {
    let marker = Marker::parse(&requirement.condition)?;
    let mut parts = marker.by_extra().into_values();
    match (parts.next(), parts.next()) {
        (Some(part), None) => part.applies(&document.python),
        (None, _) => Some(Applies::Never),
        _ => None,
    }
}

/// The value of a dependency's line.
fn value(requirement: &Requirement, conditions: &Conditions) -> Option<String> {
    if !is_name(&requirement.name) || requirement.requirement.starts_with('@') {
        return None;
    }
    let version = quoted(&constraint(&requirement.requirement)?)?;
    let mut parts = vec![format!("version = {version}")];
    if !requirement.features.is_empty() {
        let mut extras: Vec<String> = requirement
            .features
            .iter()
            .map(|extra| quoted(&normalize(extra)))
            .collect::<Option<_>>()?;
        extras.sort();
        parts.push(format!("extras = [{}]", extras.join(", ")));
    }
    if !conditions.extras.is_empty() {
        parts.push("optional = true".to_owned());
    }
    let markers = conditions.text();
    if !markers.is_empty() {
        parts.push(format!("markers = {}", quoted(&markers)?));
    }
    Some(match parts.len() {
        1 => version,
        _ => format!("{{{}}}", parts.join(", ")),
    })
}

/// The extras of a release with their requirements, as texts of TOML.
fn extras(release: &Release) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut extras: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let stated = release.document.as_ref();
    let stated = stated.and_then(|document| document.get("extras")?.as_array());
    for extra in stated
        .into_iter()
        .flatten()
        .filter_map(|extra| extra.as_str())
    {
        if !is_name(extra) {
            return Err(format!("`{}` is not an extra", extra.escape_debug()));
        }
        extras.insert(normalize(extra).into_owned(), Vec::new());
    }
    for requirement in &release.requirements {
        if !requirement.condition.contains("extra") {
            continue;
        }
        let unclear = || format!("the extra with `{}` is not certain", requirement.name);
        let conditions = Conditions::parse(&requirement.condition).ok_or_else(unclear)?;
        let [extra] = conditions.extras.as_slice() else {
            return Err(unclear());
        };
        let text = extra_text(requirement, &conditions).ok_or_else(unclear)?;
        extras.get_mut(extra).ok_or_else(unclear)?.push(text);
    }
    // Poetry takes the extras from the requirements, so it has none without a requirement
    // (`poetry/inspection/info.py`).
    extras.retain(|_, requirements| !requirements.is_empty());
    for requirements in extras.values_mut() {
        requirements.sort();
    }
    Ok(extras)
}

fn extra_text(requirement: &Requirement, conditions: &Conditions) -> Option<String> {
    if !is_name(&requirement.name) || requirement.requirement.starts_with('@') {
        return None;
    }
    let mut text = requirement.name.clone();
    if !requirement.features.is_empty() {
        let mut asked: Vec<_> = requirement
            .features
            .iter()
            .map(|extra| normalize(extra))
            .collect();
        asked.sort();
        text.push_str(&format!("[{}]", asked.join(",")));
    }
    match constraint(&requirement.requirement)?.as_str() {
        "*" => {}
        exact if exact.starts_with(|c: char| c.is_ascii_digit()) => {
            text.push_str(&format!(" (=={exact})"));
        }
        range => text.push_str(&format!(" ({range})")),
    }
    let markers = conditions.without_extra();
    if !markers.is_empty() {
        text.push_str(&format!(" ; {markers}"));
    }
    quoted(&text)
}

/// A key of TOML. Names with a period are quoted.
fn key(name: &str) -> String {
    match name.contains('.') {
        true => format!("\"{name}\""),
        false => name.to_owned(),
    }
}

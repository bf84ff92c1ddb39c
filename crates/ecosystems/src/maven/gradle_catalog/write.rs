//! Direct changes of versions in a version catalog, at the positions that the TOML parser reports.
//!
//! A version that several entries refer to is raised when all of them change alike, else the entry
//! gets a version of its own. The result is read again and must have exactly the wanted versions.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use patchgate_model::{Bump, Lockfile};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::parse_requirement;
use crate::maven::moves::{Moves, moves};
use crate::maven::{Maven, words};
use crate::{
    Downloads, Input, LockfileWriter, ParseError, Siblings, TargetGraph, Upgradable as _,
    WriteError,
};

/// The hashes of the files that a build may use.
const VERIFICATION: &str = "gradle/verification-metadata.xml";

/// Directory of the lockfiles before Gradle 7.
const LEGACY_LOCKS: &str = "gradle/dependency-locks/";

/// The writer of version catalogs.
#[derive(Debug)]
pub(in crate::maven) struct CatalogWriter;

impl LockfileWriter for CatalogWriter {
    /// The lockfiles of the projects, whose versions are not changed in the catalog alone, and the
    /// hashes of everything that a build may use.
    fn reads(&self, path: &str) -> bool {
        path.ends_with(".lockfile")
            || path.ends_with(VERIFICATION)
            || path.ends_with(".versions.toml")
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        let own = input.sibling(input.path).unwrap_or(input.bytes);
        let mut written = own.to_vec();
        if *target != TargetGraph::unchanged(lockfile) {
            let failed = |reason: String| WriteError::new(input, reason);
            let moves = moves(lockfile, target).map_err(failed)?;
            unlocked(input).map_err(failed)?;
            let text = std::str::from_utf8(own);
            let text = text.map_err(|_| failed("it is not UTF-8".to_owned()))?;
            let changed = change(text, &moves).map_err(failed)?;

            let after = super::parse(&Input {
                bytes: changed.as_bytes(),
                ..*input
            });
            let after = after.map_err(|error| failed(format!("it {}", error.reason)))?;
            if versions(&after, &Moves::new()) != versions(lockfile, &moves) {
                let reason = "the versions are not those of the plan after the change";
                return Err(failed(reason.to_owned()));
            }
            written = changed.into_bytes();
        }

        Ok(Siblings::from([(input.path.to_owned(), written)]))
    }
}

/// Checks that a build takes another version without other files that only Gradle writes.
fn unlocked(input: &Input<'_>) -> Result<(), String> {
    let root = super::project(input.path);
    let is_of_build = |path: &&String| {
        root.is_empty()
            || path
                .strip_prefix(root)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let mut files = input.siblings.keys().filter(is_of_build);
    let other = files.find(|path| path.ends_with(VERIFICATION) || path.contains(LEGACY_LOCKS));
    match other {
        Some(path) if path.ends_with(VERIFICATION) => Err(format!(
            "`{path}` needs the hashes of everything that the new versions bring"
        )),
        Some(path) => Err(format!("`{path}` locks versions for one configuration")),
        None => Ok(()),
    }
}

/// Names and versions, those that move with their new one.
fn versions<'l>(lockfile: &'l Lockfile, moves: &'l Moves) -> BTreeSet<(&'l str, &'l str)> {
    let packages = lockfile.packages.iter();
    packages
        .map(|one| {
            let moved = moves.get(&(one.name.clone(), one.version.clone()));
            (one.name.as_str(), moved.unwrap_or(&one.version).as_str())
        })
        .collect()
}

/// The version of an entry.
enum Written<'t> {
    /// Its own: the texts that state it, with their positions.
    Own(Vec<(&'t str, Range<usize>)>),
    /// That of a name in the table `versions`, with the position of the whole reference.
    Ref(&'t str, Range<usize>),
}

struct Entry<'t> {
    name: String,
    version: Written<'t>,
}

/// A catalog with other versions.
///
/// # Errors
/// If another entry would change with them, or a range does not admit them.
pub(in crate::maven) fn change(text: &str, moves: &Moves) -> Result<String, String> {
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let body = text.get(start..).unwrap_or_default();
    let file = DeTable::parse(body).map_err(|error| format!("it {}", error.message()))?;
    let file = file.get_ref();
    let versions = table(file, "versions");
    let entries = entries(body, file)?;
    let of_name: BTreeMap<&str, &Spanned<DeValue<'_>>> = versions
        .map(|table| table.iter().map(|(key, value)| (&**key.get_ref(), value)))
        .into_iter()
        .flatten()
        .collect();

    let mut splices: BTreeMap<(usize, usize), String> = BTreeMap::new();
    for entry in &entries {
        let (texts, reference) = match &entry.version {
            Written::Own(texts) => (texts.clone(), None),
            Written::Ref(name, at) => match of_name.get(name) {
                Some(value) => (texts_of(value), Some((*name, at))),
                None => continue,
            },
        };
        let Some((from, at)) = decisive(&texts) else {
            continue;
        };
        let Some(to) = moves.get(&(entry.name.clone(), from.to_owned())) else {
            continue;
        };
        admitted(&texts, from, to)?;

        let raised = match reference {
            Some((name, at)) if !is_shared_alike(&entries, name, from, to, moves) => {
                may_part(&entries, entry, name, (from, to), moves)?;
                (at.clone(), format!("version = \"{to}\""))
            }
            _ => {
                let written = body.get(at.clone()).unwrap_or_default();
                let place = written.rfind(from).ok_or("it has an escaped version")?;
                let place = at.start + place;
                (place..place + from.len(), to.clone())
            }
        };
        splices.insert((raised.0.start + start, raised.0.end + start), raised.1);
    }

    // From the end, so that earlier positions stay valid.
    let mut changed = text.to_owned();
    for ((from, to), with) in splices.into_iter().rev() {
        if changed.get(from..to).is_none() {
            return Err("it has a version at an unknown position".to_owned());
        }
        changed.replace_range(from..to, &with);
    }
    Ok(changed)
}

/// The positions of everything that states the version of an entry: its own, a reference, and the
/// versions that entries refer to.
///
/// # Errors
/// When the text is not TOML.
pub(in crate::maven) fn version_positions(text: &str) -> Result<Vec<Range<usize>>, ParseError> {
    let file = DeTable::parse(text).map_err(|error| ParseError::new(error.message()))?;
    let file = file.get_ref();
    let mut found: BTreeSet<(usize, usize)> = BTreeSet::new();
    for entry in entries(text, file).map_err(ParseError::new)? {
        let texts = match entry.version {
            Written::Own(texts) => texts,
            Written::Ref(name, at) => {
                found.insert((at.start, at.end));
                let value = table(file, "versions").and_then(|table| table.get(name));
                value.map(texts_of).unwrap_or_default()
            }
        };
        for (version, at) in texts {
            let written = text.get(at.clone()).unwrap_or_default();
            if let Some(start) = written.rfind(version).map(|start| at.start + start) {
                // A version of its own takes the position of a reference.
                let key = text.get(..at.start).unwrap_or_default();
                let is_own = key
                    .trim_end()
                    .ends_with('=')
                    .then(|| key.trim_end_matches([' ', '=']));
                let key = is_own.and_then(|key| key.strip_suffix("version"));
                match key {
                    Some(key) => found.insert((key.len(), at.end)),
                    None => found.insert((start, start + version.len())),
                };
            }
        }
    }

    Ok(found.into_iter().map(|(start, end)| start..end).collect())
}

/// Whether every entry that refers to a version moves to the same one.
fn is_shared_alike(entries: &[Entry<'_>], name: &str, from: &str, to: &str, moves: &Moves) -> bool {
    let mut users = entries.iter().filter(|entry| entry.refers_to(name));
    users.all(|user| {
        let moved = moves.get(&(user.name.clone(), from.to_owned()));
        moved.is_some_and(|version| version == to)
    })
}

/// Checks that an entry may get another version than the others that refer to the same one. Packages
/// of one group are released together, and may not work in different versions.
fn may_part(
    entries: &[Entry<'_>],
    entry: &Entry<'_>,
    name: &str,
    (from, to): (&str, &str),
    moves: &Moves,
) -> Result<(), String> {
    let group = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
    let stays = |user: &&Entry<'_>| {
        user.refers_to(name)
            && moves
                .get(&(user.name.clone(), from.to_owned()))
                .map(String::as_str)
                != Some(to)
            && group(&user.name) == group(&entry.name)
    };
    match entries.iter().find(stays) {
        Some(other) if words::bump(from, to) != Bump::Patch => Err(format!(
            "the version `{name}` also decides that of `{}`, which stays",
            other.name
        )),
        _ => Ok(()),
    }
}

impl Entry<'_> {
    fn refers_to(&self, version: &str) -> bool {
        matches!(self.version, Written::Ref(name, _) if name == version)
    }
}

/// The text that decides the version, and the version in it.
fn decisive<'t>(texts: &[(&'t str, Range<usize>)]) -> Option<(&'t str, Range<usize>)> {
    texts.iter().find_map(|(text, at)| {
        let exact = parse_requirement(text).1?;
        let start = text.rfind(exact.as_str())?;
        Some((text.get(start..start + exact.len())?, at.clone()))
    })
}

/// Checks that the other parts of a rich version admit the new one.
fn admitted(texts: &[(&str, Range<usize>)], from: &str, to: &str) -> Result<(), String> {
    for (text, _) in texts {
        let range = text.split_once("!!").map_or(*text, |(range, _)| range);
        let is_own = range == from || range.is_empty();
        if !is_own && Maven.admits(range, to) != Ok(true) {
            return Err(format!("the requirement `{text}` does not admit {to}"));
        }
    }
    Ok(())
}

/// The texts of a version: one, or those of a rich version in the order in which they decide.
fn texts_of<'t>(value: &'t Spanned<DeValue<'_>>) -> Vec<(&'t str, Range<usize>)> {
    match value.get_ref() {
        DeValue::String(text) => vec![(text, value.span())],
        DeValue::Table(table) => ["strictly", "require", "prefer"]
            .into_iter()
            .filter_map(|key| table.get(key))
            .filter_map(|value| Some((value.get_ref().as_str()?, value.span())))
            .collect(),
        _ => Vec::new(),
    }
}

fn table<'t>(file: &'t DeTable<'_>, name: &str) -> Option<&'t DeTable<'t>> {
    file.get(name)?.get_ref().as_table()
}

/// The libraries and plugins.
fn entries<'t>(body: &str, file: &'t DeTable<'_>) -> Result<Vec<Entry<'t>>, String> {
    let mut found = Vec::new();
    for (kind, is_plugin) in [("libraries", false), ("plugins", true)] {
        let rows = table(file, kind).into_iter().flat_map(DeTable::iter);
        for (_, value) in rows {
            found.extend(entry(body, value, is_plugin)?);
        }
    }
    Ok(found)
}

fn entry<'t>(
    body: &str,
    value: &'t Spanned<DeValue<'_>>,
    is_plugin: bool,
) -> Result<Option<Entry<'t>>, String> {
    let name = |module: &str| match is_plugin {
        true => format!("{module}:{module}.gradle.plugin"),
        false => module.to_owned(),
    };
    if let Some(text) = value.get_ref().as_str() {
        let parts = text.rsplit_once(':');
        return Ok(parts.map(|(module, version)| Entry {
            name: name(module),
            version: Written::Own(vec![(version, value.span())]),
        }));
    }

    let Some(row) = value.get_ref().as_table() else {
        return Ok(None);
    };
    let text = |key: &str| row.get(key).and_then(|value| value.get_ref().as_str());
    let module = match (text("module"), text("id"), text("group"), text("name")) {
        (Some(module), ..) => module.to_owned(),
        (_, Some(id), ..) => id.to_owned(),
        (_, _, Some(group), Some(artifact)) => format!("{group}:{artifact}"),
        _ => return Ok(None),
    };
    let Some((key, version)) = row.iter().find(|(key, _)| &**key.get_ref() == "version") else {
        return Ok(None);
    };

    let reference = version
        .get_ref()
        .as_table()
        .and_then(|table| table.get("ref"));
    let version = match reference.and_then(|value| Some((value.get_ref().as_str()?, value.span())))
    {
        None => Written::Own(texts_of(version)),
        Some((target, at)) => Written::Ref(
            target,
            whole(body, key.span(), at).ok_or("it has an odd reference")?,
        ),
    };
    Ok(Some(Entry {
        name: name(&module),
        version,
    }))
}

/// The position of a whole reference: `version.ref = "x"`, or `version = { ref = "x" }`.
fn whole(body: &str, key: Range<usize>, value: Range<usize>) -> Option<Range<usize>> {
    let between = body.get(key.end..value.start)?;
    let end = match between.trim_start().starts_with('.') {
        true => value.end,
        false => {
            let rest = body.get(value.end..)?;
            value.end
                + rest
                    .find('}')
                    .filter(|at| rest.get(..*at).is_some_and(|it| it.trim().is_empty()))?
                + 1
        }
    };
    let is_one_line = !body.get(key.start..end)?.contains(['\n', '#']);
    is_one_line.then_some(key.start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Release;

    const CATALOG: &str = r#"[metadata]
format.version = "1.1"

[versions]
# shared by all of them
jackson = "2.15.0" # keep
kotlin = "1.9.0"
guava = { strictly = "[30, 33[", prefer = "31.0-jre" }

[libraries]
databind = { module = "org.j:databind", version.ref = "jackson" }
core = { group = "org.j", name = "core", version = { ref = "jackson" } }
stdlib = { module = "org.k:stdlib", version.ref = "kotlin" }
guava = { module = "org.g:guava", version.ref = "guava" }
log = 'org.l:log:2.14.0'
own = { module = "org.o:own", version = "1.0" }
strict = "org.s:strict:1.0!!"

[plugins]
kotlin = { id = "org.kt", version.ref = "kotlin" }
"#;

    fn write(text: &str, changes: &[(&str, &str)]) -> Result<String, String> {
        write_among(&Siblings::new(), text, changes)
    }

    fn write_among(
        siblings: &Siblings,
        text: &str,
        changes: &[(&str, &str)],
    ) -> Result<String, String> {
        let input = Input {
            path: "gradle/libs.versions.toml",
            bytes: text.as_bytes(),
            siblings,
        };
        let lockfile = super::super::parse(&input).unwrap();
        let mut target = TargetGraph::unchanged(&lockfile);
        for (name, version) in changes {
            let node = target.nodes.iter_mut().find(|node| node.name == *name);
            node.expect(name).release = Some(Release {
                version: (*version).to_owned(),
                ..Release::default()
            });
        }
        let written = CatalogWriter.write(&input, &lockfile, &target, &Downloads::new());
        let mut written = written.map_err(|error| error.reason)?;
        Ok(String::from_utf8(written.remove(input.path).unwrap()).unwrap())
    }

    #[test]
    fn the_unchanged_graph_gives_the_same_bytes() {
        for text in [CATALOG, &CATALOG.replace('\n', "\r\n"), CATALOG.trim_end()] {
            assert_eq!(write(text, &[]).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_version_changes_where_it_is_written() {
        for (changes, from, to) in [
            (&[("org.l:log", "2.17.1")][..], "log:2.14.0", "log:2.17.1"),
            (
                &[("org.o:own", "1.1")],
                "version = \"1.0\"",
                "version = \"1.1\"",
            ),
            (&[("org.s:strict", "1.5")], "strict:1.0!!", "strict:1.5!!"),
            (&[("org.g:guava", "32.0-jre")], "31.0-jre", "32.0-jre"),
            (
                &[("org.j:databind", "2.16.0"), ("org.j:core", "2.16.0")],
                "jackson = \"2.15.0\"",
                "jackson = \"2.16.0\"",
            ),
        ] {
            for line_end in ["\n", "\r\n"] {
                let text = CATALOG.replace('\n', line_end);
                assert_eq!(write(&text, changes), Ok(text.replace(from, to)));
            }
        }
    }

    #[test]
    fn an_entry_gets_a_version_of_its_own() {
        assert_eq!(
            write(CATALOG, &[("org.j:databind", "2.15.1")]),
            Ok(CATALOG.replacen("version.ref = \"jackson\"", "version = \"2.15.1\"", 1))
        );
        assert_eq!(
            write(CATALOG, &[("org.j:core", "2.15.1")]),
            Ok(CATALOG.replace("version = { ref = \"jackson\" }", "version = \"2.15.1\""))
        );
        assert_eq!(
            write(CATALOG, &[("org.k:stdlib", "2.0.0")]),
            Ok(CATALOG.replacen("version.ref = \"kotlin\"", "version = \"2.0.0\"", 1))
        );
    }

    #[test]
    fn other_effects_are_refused() {
        assert_eq!(
            write(CATALOG, &[("org.j:databind", "2.16.0")]),
            Err("the version `jackson` also decides that of `org.j:core`, which stays".to_owned())
        );
        assert_eq!(
            write(CATALOG, &[("org.g:guava", "33.0-jre")]),
            Err("the requirement `[30, 33[` does not admit 33.0-jre".to_owned())
        );
    }

    #[test]
    fn files_that_only_gradle_writes_are_not_left_behind() {
        let change = [("org.l:log", "2.17.1")];
        for path in [
            "gradle/verification-metadata.xml",
            "app/gradle/dependency-locks/runtimeClasspath.lockfile",
        ] {
            let siblings = Siblings::from([(path.to_owned(), Vec::new())]);
            let refused = write_among(&siblings, CATALOG, &change).unwrap_err();
            assert!(refused.contains(path), "{refused}");
            assert_eq!(write_among(&siblings, CATALOG, &[]).as_deref(), Ok(CATALOG));
            assert!(CatalogWriter.reads(path));
        }
    }
}

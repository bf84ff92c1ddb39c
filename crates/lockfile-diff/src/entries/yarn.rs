//! `yarn.lock` of every version, cut at the lines of its keys.
//!
//! The cut accepts only lines as yarn writes them, so that nothing can hide in another spelling. A
//! package in a version is one entry, whatever requirements lead to it; those are compared as edges.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Lockfile;

use super::{Differences, State};

/// The fields of an entry that yarn writes. Those of version 1 have no colon.
const FIELDS: [&str; 13] = [
    "bin",
    "checksum",
    "conditions",
    "dependencies",
    "dependenciesMeta",
    "integrity",
    "languageName",
    "linkType",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "resolution",
    "resolved",
];

/// The key of the entry with the version of the format.
const METADATA: &str = "__metadata";

/// Compares two states of the file.
///
/// # Errors
/// When one of them cannot be cut into its entries, or they are of different versions of the format.
pub(super) fn compare(
    base: State<'_>,
    head: State<'_>,
    differences: &mut Differences,
) -> Result<(), String> {
    let (before, now) = (text(base.bytes)?, text(head.bytes)?);
    let (before, now) = (
        Cut::new(&before, base.lockfile)?,
        Cut::new(&now, head.lockfile)?,
    );
    if before.metadata != now.metadata {
        return Err(
            "the file changes the version of its format, so that all entries differ".into(),
        );
    }
    if before.comments != now.comments {
        differences.unclear("the comments of the file differ");
    }

    for (id, bodies) in &now.entries {
        let label = format!("`{}`", id.join(" "));
        let Some(known) = before.entries.get(id) else {
            for body in bodies {
                new_entry(&label, id, body, &before, differences);
            }
            continue;
        };
        for body in bodies.iter().filter(|body| !known.contains(*body)) {
            let closest = known.iter().next();
            let differing: BTreeSet<&str> = closest
                .into_iter()
                .flat_map(|known| known.symmetric_difference(body))
                .filter_map(|line| line.trim_start().split([' ', ':']).next())
                .collect();
            let listed: Vec<&str> = differing.into_iter().collect();
            differences.certain(format!(
                "the entry of {label} differs, whose version does not change: {}",
                listed.join(", ")
            ));
        }
    }

    Ok(())
}

fn text(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    // yarn treats both line ends alike.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(text.replace("\r\n", "\n"))
}

/// A name and a version, and the resolution in later versions of the format.
type Id = Vec<String>;

/// The lines of an entry without its key, each once.
type Body<'t> = BTreeSet<&'t str>;

/// A file in pieces.
struct Cut<'t> {
    comments: Vec<&'t str>,
    metadata: Vec<&'t str>,
    entries: BTreeMap<Id, BTreeSet<Body<'t>>>,
    /// Names of packages with programs.
    has_programs: BTreeSet<String>,
}

impl<'t> Cut<'t> {
    fn new(text: &'t str, lockfile: &Lockfile) -> Result<Self, String> {
        let odd =
            |line: usize| format!("line {line} is not as yarn writes it, and cannot be compared");
        let mut of_line: BTreeMap<usize, BTreeSet<(&str, &str)>> = BTreeMap::new();
        for package in &lockfile.packages {
            of_line
                .entry(package.line as usize)
                .or_default()
                .insert((&package.name, &package.version));
        }

        let mut cut = Self {
            comments: Vec::new(),
            metadata: Vec::new(),
            entries: BTreeMap::new(),
            has_programs: BTreeSet::new(),
        };
        let mut blocks: Vec<(usize, &str, Vec<&str>)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            match line.chars().next() {
                None => {}
                Some('#') => cut.comments.push(line),
                Some(' ') => match blocks.last_mut() {
                    Some((_, _, body)) if is_field(line, body) => body.push(line),
                    _ => return Err(odd(number)),
                },
                Some('\t' | '\r') => return Err(odd(number)),
                Some(_) if line.ends_with(':') => blocks.push((number, line, Vec::new())),
                Some(_) => return Err(odd(number)),
            }
        }

        for (number, key, body) in blocks {
            if key.trim_end_matches(':') == METADATA {
                cut.metadata = body;
                continue;
            }
            let set: Body<'_> = body.iter().copied().collect();
            let resolution = body.iter().find(|line| line.starts_with("  resolution: "));
            let packages = of_line.remove(&number).unwrap_or_default();
            if packages.is_empty() && resolution.is_none() {
                return Err(odd(number));
            }
            for (name, version) in &packages {
                if body.iter().any(|line| line.starts_with("  bin:")) {
                    cut.has_programs.insert((*name).to_owned());
                }
                let mut id = vec![(*name).to_owned(), (*version).to_owned()];
                // Entries of one version, such as a patched one, may differ in where they are from.
                id.extend(resolution.map(|line| line.trim().to_owned()));
                cut.entries.entry(id).or_default().insert(set.clone());
            }
            // The entry of the project itself, which is not a package.
            if let (true, Some(resolution)) = (packages.is_empty(), resolution) {
                let id = vec![resolution.trim().to_owned()];
                cut.entries.entry(id).or_default().insert(set);
            }
        }
        match of_line.keys().next() {
            Some(line) => Err(odd(*line)),
            None => Ok(cut),
        }
    }
}

/// Whether a line is a field, or belongs to the list above it.
fn is_field(line: &str, above: &[&str]) -> bool {
    let depth = line.len() - line.trim_start_matches(' ').len();
    match depth {
        2 => true,
        4 | 6 => !above.is_empty(),
        _ => false,
    }
}

/// An entry of a version that was not there before.
fn new_entry(
    label: &str,
    id: &Id,
    body: &Body<'_>,
    before: &Cut<'_>,
    differences: &mut Differences,
) {
    let fields = body.iter().filter(|line| !line.starts_with("   "));
    for line in fields {
        let field = line
            .trim_start()
            .split([' ', ':'])
            .next()
            .unwrap_or_default();
        if field != "version" && !FIELDS.contains(&field) {
            differences.unclear(format!("{label} has the unknown field `{field}`"));
        }
        let is_new = id
            .first()
            .is_some_and(|name| !before.has_programs.contains(name));
        if field == "bin" && is_new {
            differences.unclear(format!(
                "{label} has commands (`bin`), which the package did not have before"
            ));
        }
    }
}

//! Reader of `cpanfile.snapshot`, the lockfile of Carton (its format is described in
//! Carton::Snapshot). `DISTRIBUTIONS` lists each distribution with the path of its archive, the
//! modules it provides and the modules it requires.
//!
//! A required module that no distribution provides is part of Perl, because Carton lists all
//! others.

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, package_url,
};

use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// The beginning of the comment that states the version of the format.
const HEADER: &str = "carton snapshot format: version ";

/// A distribution in the file.
#[derive(Default)]
struct Distribution<'a> {
    title: &'a str,
    line: u32,
    pathname: Option<&'a str>,
    provides: Vec<&'a str>,
    /// Required modules with their minimum versions.
    requires: Vec<(&'a str, &'a str)>,
}

/// Reads a snapshot. It has no roots, because it does not say which distributions are direct.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let mut skipped = SkippedEntries::default();
    let all = distributions(text, &mut skipped)?;
    if !text.ends_with('\n') {
        return Err(
            ParseError::new("is truncated: its last line has no line break")
                .with_hint("run `carton install`"),
        );
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("cpanfile-snapshot"),
        ..Lockfile::default()
    };
    // The distribution that provides each module.
    let mut providers = HashMap::new();
    let mut distributions = Vec::with_capacity(all.len());
    let last = all.last().map(|distribution| distribution.line);
    for distribution in all {
        let package = match package(&distribution) {
            Ok(package) => package,
            // The last distribution may have lost a part of its entry.
            Err(error) if last == Some(distribution.line) => return Err(error),
            Err(error) => {
                skipped.package(distribution.line, error.reason);
                continue;
            }
        };
        let index = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        for module in &distribution.provides {
            providers.entry(*module).or_insert(index);
        }
        lockfile.packages.push(package);
        distributions.push(distribution);
    }

    // An edge for each required module that is provided here.
    let mut count = 0;
    for (index, distribution) in distributions.iter().enumerate() {
        let mut seen = HashSet::new();
        let mut edges = Vec::new();
        for (module, requirement) in &distribution.requires {
            let Some(to) = providers.get(module).copied() else {
                continue;
            };

            if to.0 as usize != index && seen.insert(*module) {
                edges.push(Edge {
                    to,
                    name: (*module).into(),
                    requirement: Some((*requirement).into()),
                    kind: DependencyKind::Runtime,
                });
            }
        }

        count += edges.len();
        if count > limits::MAX_EDGES {
            return Err(ParseError::new("contains too many dependencies"));
        }

        if let Some(package) = lockfile.packages.get_mut(index) {
            package.edges = edges;
        }
    }

    salvage::finish(lockfile, skipped)
}

/// The version of the format, if it is not the known one. The comment in the first line states it;
/// other comments are valid.
fn other_format(comment: &str) -> Option<&str> {
    let version = comment.strip_prefix(HEADER)?;
    Some(version.trim()).filter(|version| *version != "1.0")
}

fn distributions<'a>(
    text: &'a str,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Distribution<'a>>, ParseError> {
    let last_line = u32::try_from(text.trim_end().lines().count()).unwrap_or(u32::MAX);
    let mut distributions: Vec<Distribution<'_>> = Vec::new();
    let mut started = false;
    let mut has_header = false;
    let mut section = "";
    for (number, line) in (1_u32..).zip(text.lines()) {
        let content = line.trim();
        let failed = |reason: String| ParseError::new(reason).at_line(number as usize);
        let short = || content.chars().take(60).collect::<String>();
        let unknown = || failed(format!("is not a Carton snapshot: `{}`", short()));
        let unknown_line = || format!("has the unknown line `{}`", short());

        if let Some(comment) = content.strip_prefix('#') {
            has_header |= comment.trim().starts_with(HEADER);
            if let Some(version) = other_format(comment.trim()) {
                salvage::other_version(skipped, number, version, "version 1.0 is");
            }
            continue;
        }

        if content.is_empty() {
            continue;
        }

        if !started {
            started = content == "DISTRIBUTIONS";
            if started {
                continue;
            } else {
                return Err(unknown());
            }
        }

        // The indentation decides the kind of a line: a distribution, a field, or an entry of a field.
        let depth = line.len() - line.trim_start_matches(' ').len();
        match (depth, distributions.last_mut()) {
            (2, _) => {
                if distributions.len() >= limits::MAX_PACKAGES {
                    return Err(failed("contains too many packages".to_owned()));
                }
                section = "";
                distributions.push(Distribution {
                    title: content,
                    line: number,
                    ..Distribution::default()
                });
            }
            (4, Some(open)) => match content.split_once(':') {
                Some(("pathname", path)) => open.pathname = Some(path.trim()),
                Some((name, "")) => section = name,
                _ if number < last_line => skipped.edge(number, unknown_line()),
                _ => return Err(unknown()),
            },
            (6, Some(open)) => {
                let Some((module, version)) = content.split_once(' ') else {
                    if number >= last_line {
                        return Err(unknown());
                    }
                    skipped.edge(number, unknown_line());
                    continue;
                };
                match section {
                    "provides" => open.provides.push(module),
                    "requirements" => open.requires.push((module, version.trim())),
                    _ => {}
                }
            }
            (_, Some(_)) if number < last_line => skipped.package(number, unknown_line()),
            _ => return Err(unknown()),
        }
    }

    // Carton writes both headings also for a project without dependencies.
    if distributions.is_empty() && !(started && has_header) {
        return Err(ParseError::new(
            "is not a Carton snapshot: it lists no distribution",
        ));
    }

    Ok(distributions)
}

fn package(distribution: &Distribution<'_>) -> Result<Package, ParseError> {
    let failed = |reason: String| ParseError::new(reason).at_line(distribution.line as usize);
    let title = distribution.title;
    let (name, version) = split(title)
        .ok_or_else(|| failed(format!("has `{title}` where a distribution is expected")))?;
    let path = distribution
        .pathname
        .filter(|path| !path.is_empty())
        .ok_or_else(|| failed(format!("is truncated: `{title}` has no `pathname`")))?;

    // In `A/AB/ABC/Name-1.0.tar.gz`, the third part is the author, which the package URL requires.
    let author = path
        .split('/')
        .nth(2)
        .filter(|_| path.matches('/').count() >= 3);
    let purl = author.map(|author| package_url("cpan", &format!("{author}/{name}"), version));

    Ok(Package {
        line: distribution.line,
        origin: Origin::Registry(Some(path.to_owned())),
        purl,
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    })
}

/// Splits `Name-Of-It-v1.2.3` or `Name-1.02-TRIAL` into name and version.
fn split(title: &str) -> Option<(&str, &str)> {
    let end = title.strip_suffix("-TRIAL").map_or(title.len(), str::len);
    let at = title.get(..end)?.rfind('-')?;
    let (name, version) = (title.get(..at)?, title.get(at + 1..)?);
    // Some authors write suffixes that Perl cannot order, such as `1.02b` or `20240101.git`.
    let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let known = is_number(version) || version.strip_prefix('v').is_some_and(is_number);
    (!name.is_empty() && known).then_some((name, version))
}

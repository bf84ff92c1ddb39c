//! Reader of `Gemfile.lock` and `gems.locked` in Bundler's format
//! (<https://bundler.io/guides/rationale.html>): one section per source, below it the gems with
//! four spaces of indentation, and below each gem its dependencies with six. The requirements of
//! the project follow.

use std::collections::{BTreeMap, HashMap};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Purl, Root,
    Unresolved,
};

use super::gemfile::{self, Gemfile};
use crate::{Input, ParseError, SkippedEntries, limits, salvage, scope};
use patchgate_model::without_credentials;

/// Bundler itself, which is never locked.
const BUNDLER: &str = "bundler";

/// Reads a lockfile, together with the Gemfile next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let mut reader = Reader::default();
    for (line, content) in (1_u32..).zip(text.lines()) {
        let Err(error) = reader.line(content.trim_end(), line) else {
            continue;
        };
        // Something else than a section at the beginning: the file has another format.
        if reader.section == Section::None || reader.is_full() {
            return Err(error.at_line(line as usize));
        }
        reader.skipped.add(reader.loss(content), line, error.reason);
    }

    reader.ends_whole(text)?;
    let skipped = std::mem::take(&mut reader.skipped);
    let mut lockfile = reader.lockfile(input)?;
    scope::from_roots(&mut lockfile);

    salvage::finish(lockfile, skipped)
}

/// The section that a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Section {
    #[default]
    None,
    Gem,
    Git,
    Path,
    Plugin,
    Dependencies,
    Checksums,
    BundledWith,
    Other,
}

/// A dependency that is resolved after all lines are read. It comes from a package or, if `from` is
/// `None`, from the project.
struct PendingDependency {
    from: Option<usize>,
    name: String,
    requirement: Option<String>,
    line: u32,
}

/// State of the line-by-line reader.
#[derive(Default)]
struct Reader {
    section: Section,
    has_dependencies: bool,
    has_checksums: bool,
    has_bundled_with: bool,
    remotes: Vec<String>,
    revision: Option<String>,
    in_specs: bool,
    /// Whether the last gem was read, so that the dependencies below it belong to it.
    in_gem: bool,
    packages: Vec<Package>,
    pending: Vec<PendingDependency>,
    /// Indices of the gems by name, one for each platform.
    by_name: HashMap<String, Vec<PackageIndex>>,
    /// Index of each gem by its name and its version with platform.
    by_entry: HashMap<(String, String), PackageIndex>,
    skipped: SkippedEntries,
}

impl Reader {
    /// Whether a limit is reached, so that an error is not about a single line.
    fn is_full(&self) -> bool {
        self.packages.len() >= limits::MAX_PACKAGES || self.pending.len() >= limits::MAX_EDGES
    }

    /// The loss with a line of the current section that cannot be read.
    fn loss(&self, content: &str) -> Loss {
        match self.section {
            Section::Dependencies => Loss::Edge,
            Section::Checksums => Loss::Detail,
            _ if self.in_gem && content.starts_with("      ") => Loss::Edge,
            _ => Loss::Package,
        }
    }

    fn line(&mut self, content: &str, line: u32) -> Result<(), ParseError> {
        if content.is_empty() {
            return Ok(());
        }

        let text = content.trim_start_matches(' ');
        let indent = content.len() - text.len();

        match (self.section, indent) {
            (_, 0) => self.heading(text),
            (Section::Gem | Section::Git | Section::Path | Section::Plugin, _) => {
                match (indent, self.in_specs) {
                    (2, _) => self.setting(text),
                    (4, true) => self.gem(text, line),
                    (6, true) => self.dependency(text, line),
                    _ => Err(ParseError::new("has a line with unexpected indentation")),
                }
            }
            (Section::Dependencies, _) => self.requirement(text, line),
            (Section::Checksums, _) => self.checksum(text),
            (Section::None, _) => Err(ParseError::new("begins within a section")),
            (Section::BundledWith | Section::Other, _) => Ok(()),
        }
    }

    fn heading(&mut self, text: &str) -> Result<(), ParseError> {
        self.section = match text {
            "GEM" => Section::Gem,
            "GIT" => Section::Git,
            "PATH" => Section::Path,
            "PLUGIN SOURCE" => Section::Plugin,
            "DEPENDENCIES" => Section::Dependencies,
            "CHECKSUMS" => Section::Checksums,
            "BUNDLED WITH" => Section::BundledWith,
            // `PLATFORMS`, `RUBY VERSION`, and sections of later versions of Bundler. Bundler
            // ignores unknown sections as well.
            _ if text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b' ') =>
            {
                Section::Other
            }
            _ => {
                let shown: String = text.chars().take(60).collect();
                if self.section == Section::None {
                    let reason = format!("is not a Bundler lockfile: {shown:?} is not a section");
                    return Err(ParseError::new(reason));
                }
                self.section = Section::Other;
                return Err(ParseError::new(format!(
                    "has the unknown section {shown:?}"
                )));
            }
        };
        self.in_gem = false;
        self.has_dependencies |= self.section == Section::Dependencies;
        self.has_checksums |= self.section == Section::Checksums;
        self.has_bundled_with |= self.section == Section::BundledWith;
        self.remotes.clear();
        self.revision = None;
        self.in_specs = false;

        Ok(())
    }

    fn setting(&mut self, text: &str) -> Result<(), ParseError> {
        let (key, value) = text
            .split_once(':')
            .ok_or_else(|| ParseError::new("has a source setting without a colon"))?;
        let value = value.trim();
        match key {
            "specs" => self.in_specs = true,
            "remote" => self.remotes.push(without_credentials(value).into_owned()),
            "revision" => self.revision = Some(value.to_owned()),
            _ => {}
        }

        Ok(())
    }

    /// The origin of the section's gems. If a section has several remotes, it does not say which
    /// gem comes from which.
    fn origin(&self) -> Result<Origin, ParseError> {
        let only = match self.remotes.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        let needed = || {
            only.clone()
                .ok_or_else(|| ParseError::new("has a source without `remote`"))
        };

        Ok(match self.section {
            Section::Git => Origin::Git {
                url: needed()?,
                commit: self.revision.clone(),
            },
            Section::Path => Origin::Path(Some(needed()?)),
            Section::Plugin => Origin::Url(needed()?),
            _ => Origin::Registry(only),
        })
    }

    fn gem(&mut self, text: &str, line: u32) -> Result<(), ParseError> {
        self.in_gem = false;
        let (name, entry) = named(text)?;
        let entry = entry.ok_or_else(|| ParseError::new("locks a gem without a version"))?;
        let (version, platform) = match entry.split_once('-') {
            Some((version, platform)) => (version, Some(platform)),
            None => (entry, None),
        };
        if version.is_empty() || super::Version::parse(version).is_none() {
            return Err(ParseError::new(format!(
                "locks `{name}` at {version:?}, which is not a version"
            )));
        }
        if self.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "locks more than {} gems",
                limits::MAX_PACKAGES
            )));
        }

        let index = PackageIndex(u32::try_from(self.packages.len()).unwrap_or(u32::MAX));
        let key = (name.to_owned(), entry.to_owned());
        if self.by_entry.insert(key, index).is_some() {
            self.skipped
                .detail(line, format!("locks `{name} ({entry})` twice"));
        }

        self.by_name.entry(name.to_owned()).or_default().push(index);
        let purl = platform
            .filter(|platform| is_plain(platform))
            .map(|platform| Purl::new("gem", name, version).with_qualifier("platform", platform));
        let origin = self.origin();
        let origin = self.skipped.recover(Loss::Detail, line, origin);
        self.in_gem = true;
        self.packages.push(Package {
            line,
            origin: origin.unwrap_or(Origin::Registry(None)),
            purl: purl.map(|purl| purl.to_string()),
            ..Package::new(super::NAME, name.to_owned(), version.to_owned())
        });

        Ok(())
    }

    fn dependency(&mut self, text: &str, line: u32) -> Result<(), ParseError> {
        // The dependencies of a gem that could not be read are lost with it.
        if !self.in_gem {
            return Ok(());
        }
        let (name, requirement) = named(text)?;
        self.add_pending(Some(self.packages.len() - 1), name, requirement, line)
    }

    fn requirement(&mut self, text: &str, line: u32) -> Result<(), ParseError> {
        let (name, requirement) = named(text.strip_suffix('!').unwrap_or(text))?;
        self.add_pending(None, name, requirement, line)
    }

    fn add_pending(
        &mut self,
        from: Option<usize>,
        name: &str,
        requirement: Option<&str>,
        line: u32,
    ) -> Result<(), ParseError> {
        if self.pending.len() >= limits::MAX_EDGES {
            return Err(too_many_edges());
        }

        self.pending.push(PendingDependency {
            from,
            name: name.to_owned(),
            requirement: requirement.map(str::to_owned),
            line,
        });
        Ok(())
    }

    /// Reads `name (1.0-java) sha256=…`, where the hash can be missing.
    fn checksum(&mut self, text: &str) -> Result<(), ParseError> {
        let (entry, hashes) = match text.split_once(") ") {
            Some((entry, hashes)) => (format!("{entry})"), hashes),
            None => (text.to_owned(), ""),
        };
        let (name, version) = named(&entry)?;
        let key = (name.to_owned(), version.unwrap_or_default().to_owned());
        let package = self
            .by_entry
            .get(&key)
            .and_then(|index| self.packages.get_mut(index.0 as usize));
        if let Some(package) = package
            && !hashes.trim().is_empty()
        {
            package.integrity = Some(hashes.trim().replace(',', " "));
        }

        Ok(())
    }

    /// Refuses a file that lacks the parts that Bundler always writes last.
    fn ends_whole(&mut self, text: &str) -> Result<(), ParseError> {
        if !self.has_dependencies && self.has_bundled_with && !self.by_name.is_empty() {
            self.skipped.edge(1, "lacks `DEPENDENCIES`");
            return Ok(());
        }

        let is_cut = !text.ends_with('\n');
        let last = text.lines().count();
        if !self.has_dependencies && !self.by_name.is_empty() && !is_cut {
            return salvage::may_be_cut(&mut self.skipped, text, "`DEPENDENCIES`");
        }

        // All gems are above this section, so that only a requirement of the project can be cut.
        if self.section == Section::Dependencies && is_cut && !self.by_name.is_empty() {
            let line = u32::try_from(last).unwrap_or(u32::MAX);
            if !self.is_whole(text.lines().next_back().unwrap_or_default()) {
                self.pending.retain(|one| one.line != line);
                salvage::lacks_line_break(&mut self.skipped, line);
            }
            return Ok(());
        }

        let reason = if !self.has_dependencies {
            "is truncated or is not a Bundler lockfile: it lacks `DEPENDENCIES`"
        } else if self.has_checksums && !self.has_bundled_with {
            "is truncated: it has `CHECKSUMS` but lacks `BUNDLED WITH`"
        } else if self.section != Section::BundledWith && is_cut {
            "is truncated: its last line does not end with a line break"
        } else {
            return Ok(());
        };

        Err(ParseError::new(reason)
            .at_line(last)
            .with_hint("re-create the file with `bundle lock`"))
    }

    /// Whether nothing of a last line can be missing: the mark of a gem from a source of its own is
    /// the last character of its line.
    fn is_whole(&self, line: &str) -> bool {
        self.section == Section::Dependencies && line.ends_with('!')
    }

    /// Resolves the pending dependencies and adds the kinds and groups from the Gemfile.
    fn lockfile(mut self, input: &Input<'_>) -> Result<Lockfile, ParseError> {
        let (manifest, gemfile) = gemfile_of(input);
        let kinds = gemfile.as_ref().map(kinds).unwrap_or_default();
        let from_gemspec = gemfile.as_ref().is_some_and(|file| file.gemspec.is_some());
        let mut unresolved = Vec::new();
        // The edges, from packages and from the project.
        let mut edges = Vec::new();
        let mut left = limits::MAX_EDGES;
        for pending in std::mem::take(&mut self.pending) {
            let kind = match (&pending.from, &gemfile) {
                (None, Some(_)) => kinds.get(pending.name.as_str()).copied().unwrap_or({
                    if from_gemspec && !self.is_from_directory(&pending.name) {
                        DependencyKind::Development
                    } else {
                        DependencyKind::Runtime
                    }
                }),
                _ => DependencyKind::Runtime,
            };

            let Some(copies) = self.by_name.get(&pending.name) else {
                // A gem for platforms that are not locked is not installed.
                let elsewhere = gemfile.iter().flat_map(|file| &file.gems).any(|declared| {
                    declared.for_platform && declared.name == pending.name && pending.from.is_none()
                });
                if pending.name != BUNDLER && !elsewhere {
                    unresolved.push(open(pending));
                }
                continue;
            };

            left = left.checked_sub(copies.len()).ok_or_else(too_many_edges)?;
            let into = match pending.from {
                Some(from) => self
                    .packages
                    .get_mut(from)
                    .map(|package| &mut package.edges),
                None => Some(&mut edges),
            };

            if let Some(into) = into {
                into.extend(copies.iter().map(|to| Edge {
                    to: *to,
                    name: pending.name.as_str().into(),
                    requirement: pending.requirement.clone().map(Into::into),
                    kind,
                }));
            }
        }

        let mut lockfile = Lockfile {
            path: input.path.to_owned(),
            ecosystem: super::NAME,
            format: FormatId::new("gemfile-lock"),
            unresolved,
            packages: self.packages,
            roots: vec![Root {
                name: String::new(),
                manifest,
                edges,
            }],
            ..Lockfile::default()
        };
        if let Some(gemfile) = gemfile {
            set_groups(&mut lockfile, &gemfile);
        }

        Ok(lockfile)
    }

    fn is_from_directory(&self, name: &str) -> bool {
        let copies = self.by_name.get(name).into_iter().flatten();
        copies
            .filter_map(|index| self.packages.get(index.0 as usize))
            .any(|package| matches!(package.origin, Origin::Path(_)))
    }
}

fn too_many_edges() -> ParseError {
    ParseError::new(format!("has more than {} dependencies", limits::MAX_EDGES))
}

/// A requirement without a locked gem. A requirement of the project itself can be for platforms
/// that are not locked, such as `tzinfo-data` for Windows.
fn open(pending: PendingDependency) -> Unresolved {
    Unresolved {
        ecosystem: crate::gem::NAME,
        name: pending.name,
        requirement: pending.requirement.unwrap_or_default(),
        kind: match pending.from {
            Some(_) => DependencyKind::Runtime,
            None => DependencyKind::Optional,
        },
        line: pending.line,
    }
}

/// Splits `name (content)` into its parts; the parentheses are optional.
fn named(text: &str) -> Result<(&str, Option<&str>), ParseError> {
    let (name, inside) = match text.split_once(" (") {
        None => (text, None),
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(inside) => (name, Some(inside)),
            None => return Err(ParseError::new("has an unclosed parenthesis")),
        },
    };
    if is_plain(name) {
        return Ok((name, inside));
    }

    Err(ParseError::new(format!(
        "names the gem {:?}, which RubyGems does not allow",
        name.chars().take(60).collect::<String>()
    )))
}

/// Whether a text consists of the characters of gem names and platforms: letters, digits, `_`, `-`,
/// `.`.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// The path of the Gemfile of a lockfile, if the file exists, and its contents, if all of it was
/// understood.
fn gemfile_of(input: &Input<'_>) -> (Option<String>, Option<Gemfile>) {
    let path = match input.path.strip_suffix("gems.locked") {
        Some(directory) => format!("{directory}gems.rb"),
        None => input
            .path
            .strip_suffix(".lock")
            .unwrap_or(input.path)
            .to_owned(),
    };
    let Some(bytes) = input.sibling(&path) else {
        return (None, None);
    };
    let gemfile = gemfile::read(&Input {
        path: &path,
        bytes,
        siblings: input.siblings,
    });

    // An unreadable Gemfile still belongs to this lockfile.
    (Some(path), gemfile.ok().filter(|gemfile| gemfile.is_clear))
}

/// The kind of each gem in the Gemfile. A gem that is listed with different kinds counts as a
/// run-time dependency.
fn kinds(gemfile: &Gemfile) -> HashMap<&str, DependencyKind> {
    let mut kinds = HashMap::new();
    for declared in &gemfile.gems {
        let kind = kinds
            .entry(declared.name.as_str())
            .or_insert(declared.kind());
        if *kind != declared.kind() {
            *kind = DependencyKind::Runtime;
        }
    }
    kinds
}

/// Gives each package the groups that lead to it. By Bundler's rule, requirements of a gemspec that
/// the Gemfile does not list are for development.
fn set_groups(lockfile: &mut Lockfile, gemfile: &Gemfile) {
    let mut groups_of: HashMap<&str, Vec<&str>> = HashMap::new();
    for declared in &gemfile.gems {
        let groups = groups_of.entry(&declared.name).or_default();
        groups.extend(declared.groups.iter().map(String::as_str));
    }

    let mut starts: BTreeMap<String, Vec<PackageIndex>> = BTreeMap::new();
    for edge in lockfile.roots.iter().flat_map(|root| &root.edges) {
        let unnamed = match edge.kind {
            DependencyKind::Development => "development",
            _ => "default",
        };
        let groups = groups_of.get(edge.name.as_str());
        for group in groups.map_or([unnamed].as_slice(), Vec::as_slice) {
            starts.entry((*group).to_owned()).or_default().push(edge.to);
        }
    }

    for (group, start) in starts {
        let mut reached = vec![false; lockfile.packages.len()];
        walk(lockfile, start, |at| {
            reached
                .get_mut(at.0 as usize)
                .is_some_and(|flag| !std::mem::replace(flag, true))
        });

        for (package, is_reached) in lockfile.packages.iter_mut().zip(reached) {
            if is_reached {
                package.groups.push(group.clone());
            }
        }
    }
}

/// Visits every package that is reachable from `stack`. `enter` returns whether a package is new.
fn walk(
    lockfile: &Lockfile,
    mut stack: Vec<PackageIndex>,
    mut enter: impl FnMut(PackageIndex) -> bool,
) {
    while let Some(at) = stack.pop() {
        if !enter(at) {
            continue;
        }
        if let Some(package) = lockfile.package(at) {
            stack.extend(package.edges.iter().map(|edge| edge.to));
        }
    }
}

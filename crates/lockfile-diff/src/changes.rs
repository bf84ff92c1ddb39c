//! What moves between two states of the lockfiles.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::{Format, Input, Siblings, Upgradable, fixable_format};
use patchgate_model::{Bump, Evidence, FileContents, Lockfile, Missing, Origin, Package};

/// Everything that moves, over all changed lockfiles. Texts name package, versions and file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moves {
    pub(crate) upgrades: Vec<Step>,
    pub(crate) downgrades: Vec<String>,
    /// Moves whose direction cannot be told.
    pub(crate) unordered: Vec<String>,
    pub(crate) added: Vec<String>,
    pub(crate) removed: Vec<String>,
    pub(crate) integrity_changed: Vec<String>,
    pub(crate) integrity_lacking: Vec<String>,
    pub(crate) origin_changed: Vec<String>,
    pub(crate) origin_unclear: Vec<String>,
}

/// One package that moves up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) package: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// How far, or why that cannot be told.
    pub(crate) bump: Result<Bump, String>,
}

/// Reads the lockfiles on both sides and compares them.
///
/// # Errors
/// Every lockfile that could not be read, or the changed files when they are missing.
pub(crate) fn between(evidence: &Evidence) -> Result<Moves, Vec<Missing>> {
    let files = evidence
        .files
        .as_ref()
        .map_err(|missing| vec![missing.clone()])?;
    let base_siblings = siblings(evidence, |contents| &contents.base);
    let head_siblings = siblings(evidence, |contents| &contents.head);
    let mut moves = Moves::default();

    let mut missing = Vec::new();
    for file in files {
        let Some((ecosystem, format)) = fixable_format(&file.path) else {
            continue;
        };
        match both_sides(evidence, format, &file.path, &base_siblings, &head_siblings) {
            Ok((base, head)) => Comparison::new(ecosystem, &base, &head).add_to(&mut moves),
            Err(reason) => missing.push(reason),
        }
    }

    if missing.is_empty() {
        Ok(moves)
    } else {
        Err(missing)
    }
}

fn siblings(
    evidence: &Evidence,
    side: impl Fn(&FileContents) -> &patchgate_model::Fetched<Option<Vec<u8>>>,
) -> Siblings {
    evidence
        .contents
        .iter()
        .filter_map(|(path, contents)| match side(contents) {
            Ok(Some(bytes)) => Some((path.clone(), bytes.clone())),
            _ => None,
        })
        .collect()
}

fn both_sides(
    evidence: &Evidence,
    format: &Format,
    path: &str,
    base_siblings: &Siblings,
    head_siblings: &Siblings,
) -> Result<(Lockfile, Lockfile), Missing> {
    let contents = evidence
        .contents
        .get(path)
        .ok_or_else(|| Missing::new(format!("`{path}` was not read")))?;
    let parse = |side: &str, bytes: &patchgate_model::Fetched<Option<Vec<u8>>>, siblings| {
        let bytes = bytes
            .as_ref()
            .map_err(|missing| Missing {
                reason: format!("`{path}` on the {side}: {}", missing.reason),
                hint: missing.hint.clone(),
            })?
            .as_ref()
            .ok_or_else(|| Missing::new(format!("`{path}` does not exist on the {side}")))?;

        (format.parse)(&Input {
            path,
            bytes,
            siblings,
        })
        .map_err(|error| Missing {
            reason: format!("`{path}` on the {side} {}", error.reason),
            hint: error.hint,
        })
    };

    Ok((
        parse("base", &contents.base, base_siblings)?,
        parse("head", &contents.head, head_siblings)?,
    ))
}

/// Copies of one package, by name.
type Copies<'a> = BTreeMap<String, Vec<&'a Package>>;

struct Comparison<'a> {
    ecosystem: &'a dyn Upgradable,
    base: Copies<'a>,
    head: Copies<'a>,
    base_file: &'a Lockfile,
    head_file: &'a Lockfile,
}

impl<'a> Comparison<'a> {
    fn new(ecosystem: &'a dyn Upgradable, base: &'a Lockfile, head: &'a Lockfile) -> Self {
        let copies = |lockfile: &'a Lockfile| {
            let mut copies: Copies<'a> = BTreeMap::new();
            for package in &lockfile.packages {
                copies
                    .entry(ecosystem.normalize_name(&package.name).into_owned())
                    .or_default()
                    .push(package);
            }
            copies
        };

        Self {
            ecosystem,
            base: copies(base),
            head: copies(head),
            base_file: base,
            head_file: head,
        }
    }

    fn add_to(&self, moves: &mut Moves) {
        for (name, head) in &self.head {
            match self.base.get(name) {
                Some(base) => {
                    self.versions(name, base, head, moves);
                    self.integrity(base, head, moves);
                    self.origin(name, base, head, moves);
                }
                None => self.new_package(name, head, moves),
            }
        }

        for (name, base) in &self.base {
            if !self.head.contains_key(name) {
                moves
                    .removed
                    .push(self.text(&format!("{name} {}", list(&versions(base)))));
            }
        }

        self.in_place(moves);
        self.direct(moves);
    }

    fn text(&self, what: &str) -> String {
        format!("{what} ({})", self.head_file.path)
    }

    /// Pairs the versions that go with those that come.
    fn versions(&self, name: &str, base: &[&Package], head: &[&Package], moves: &mut Moves) {
        let (before, after) = (versions(base), versions(head));
        let gone: Vec<&str> = before.difference(&after).copied().collect();
        let come: Vec<&str> = after.difference(&before).copied().collect();
        for to in &come {
            match self.closest_below(to, &before, &gone) {
                Ok(Some(from)) => moves.upgrades.push(Step {
                    package: name.to_owned(),
                    from: from.to_owned(),
                    to: (*to).to_owned(),
                    bump: self
                        .ecosystem
                        .bump(from, to)
                        .map_err(|error| error.to_string()),
                }),
                Ok(None) => moves
                    .downgrades
                    .push(self.text(&format!("{name} {} -> {to}", list(&before)))),
                Err(error) => moves.unordered.push(self.text(&format!("{name}: {error}"))),
            }
        }

        match (self.highest(&before), self.highest(&after)) {
            // Something that needed the highest version must do with a lower one now, or nothing
            // needs it any more: the lockfile alone does not always say which.
            (Ok(Some(was)), Ok(Some(is))) if self.order(is, was) == Ok(Ordering::Less) => {
                moves.unordered.push(self.text(&format!(
                    "{name} {was} leaves the tree, and {is} is now the highest"
                )));
            }
            (Err(error), _) | (_, Err(error)) if !gone.is_empty() || !come.is_empty() => {
                moves.unordered.push(self.text(&format!("{name}: {error}")));
            }
            _ => {}
        }
    }

    /// The version that `to` replaces: the highest below it among those that go, or, when none
    /// goes, among all that were there. `None` when all are higher.
    fn closest_below<'v>(
        &self,
        to: &str,
        before: &BTreeSet<&'v str>,
        gone: &[&'v str],
    ) -> Result<Option<&'v str>, String> {
        let below = |candidates: &mut dyn Iterator<Item = &'v str>| {
            let mut best: Option<&'v str> = None;
            for candidate in candidates {
                if self.order(candidate, to)? != Ordering::Greater
                    && match best {
                        Some(best) => self.order(candidate, best)? == Ordering::Greater,
                        None => true,
                    }
                {
                    best = Some(candidate);
                }
            }

            Ok::<_, String>(best)
        };
        if gone.is_empty() {
            return below(&mut before.iter().copied());
        }

        below(&mut gone.iter().copied())
    }

    fn highest<'v>(&self, versions: &BTreeSet<&'v str>) -> Result<Option<&'v str>, String> {
        let mut highest: Option<&'v str> = None;
        for version in versions {
            if match highest {
                Some(best) => self.order(version, best)? == Ordering::Greater,
                None => true,
            } {
                highest = Some(version);
            }
        }

        Ok(highest)
    }

    fn order(&self, a: &str, b: &str) -> Result<Ordering, String> {
        self.ecosystem
            .compare_versions(a, b)
            .map_err(|error| error.to_string())
    }

    /// Copies that stay at one place of the tree must not go down there, even when the same
    /// version still exists elsewhere.
    fn in_place(&self, moves: &mut Moves) {
        let base: BTreeMap<(&str, &str), &Package> = self
            .base_file
            .packages
            .iter()
            .filter_map(|package| {
                Some((
                    (package.install_path.as_deref()?, package.name.as_str()),
                    package,
                ))
            })
            .collect();

        for package in &self.head_file.packages {
            let Some(path) = package.install_path.as_deref() else {
                continue;
            };
            if let Some(before) = base.get(&(path, package.name.as_str())) {
                self.must_not_fall(path, &before.version, &package.version, moves);
            }
        }
    }

    /// Direct dependencies must not resolve to a lower version.
    fn direct(&self, moves: &mut Moves) {
        let edges = |lockfile: &'a Lockfile| {
            lockfile.roots.iter().flat_map(move |root| {
                root.edges.iter().filter_map(move |edge| {
                    let package = lockfile.package(edge.to)?;
                    let key = (
                        root.name.as_str(),
                        root.manifest.as_deref(),
                        edge.name.as_str(),
                        package.name.as_str(),
                        edge.kind,
                    );
                    Some((key, package))
                })
            })
        };
        let base: BTreeMap<_, _> = edges(self.base_file)
            .map(|((root, manifest, name, package, kind), to)| {
                ((root, manifest, name, package, format!("{kind:?}")), to)
            })
            .collect();

        for ((root, manifest, name, package, kind), to) in edges(self.head_file) {
            let key = (root, manifest, name, package, format!("{kind:?}"));
            if let Some(before) = base.get(&key) {
                self.must_not_fall(
                    &format!("direct dependency {name}"),
                    &before.version,
                    &to.version,
                    moves,
                );
            }
        }
    }

    fn must_not_fall(&self, what: &str, from: &str, to: &str, moves: &mut Moves) {
        if from == to {
            return;
        }

        let text = self.text(&format!("{what} {from} -> {to}"));
        match self.order(to, from) {
            Ok(Ordering::Less) if !moves.downgrades.contains(&text) => moves.downgrades.push(text),
            Err(error) => moves.unordered.push(format!("{text}: {error}")),
            _ => {}
        }
    }

    fn integrity(&self, base: &[&Package], head: &[&Package], moves: &mut Moves) {
        let known: BTreeMap<&str, BTreeSet<&str>> = base
            .iter()
            .filter_map(|package| Some((package.version.as_str(), package.integrity.as_deref()?)))
            .fold(BTreeMap::new(), |mut known, (version, hash)| {
                known.entry(version).or_default().insert(hash);
                known
            });

        let was_there: BTreeSet<&str> = versions(base);
        let mut seen = BTreeSet::new();

        for package in head {
            let version = package.version.as_str();
            if !seen.insert((version, package.integrity.as_deref())) {
                continue;
            }

            let name = &package.name;
            match (&package.integrity, known.get(version)) {
                (Some(now), Some(before)) if !before.contains(now.as_str()) => {
                    moves
                        .integrity_changed
                        .push(self.text(&format!("the hash of {name} {version} changes")));
                }
                // A copy inside its parent's archive has no hash of its own.
                (None, Some(_)) if !package.bundled => moves
                    .integrity_changed
                    .push(self.text(&format!("the hash of {name} {version} is gone"))),
                (None, None) if !was_there.contains(version) => {
                    self.unhashed(package, moves);
                }
                _ => {}
            }
        }
    }

    /// A new version without a hash, where the format gives hashes to registry packages.
    fn unhashed(&self, package: &Package, moves: &mut Moves) {
        let hashed = self
            .base_file
            .packages
            .iter()
            .any(|other| other.integrity.is_some());
        if hashed && matches!(package.origin, Origin::Registry(_)) && !package.bundled {
            moves
                .integrity_lacking
                .push(self.text(&format!("{} {} has no hash", package.name, package.version)));
        }
    }

    fn origin(&self, name: &str, base: &[&Package], head: &[&Package], moves: &mut Moves) {
        let before: BTreeSet<Place> = base.iter().map(|package| Place::of(package)).collect();
        let now: BTreeSet<Place> = head.iter().map(|package| Place::of(package)).collect();

        for place in now.difference(&before) {
            let text = self.text(&format!(
                "{name} comes from {place}, which it did not before"
            ));
            // Same server, other path; or a server that the lockfile does not state: perhaps the
            // registry's own layout, so a person decides.
            let same_server = before.iter().any(|known| known.server == place.server);

            if same_server || place.server.is_none() {
                moves.origin_unclear.push(text);
            } else {
                moves.origin_changed.push(text);
            }
        }
    }

    fn new_package(&self, name: &str, head: &[&Package], moves: &mut Moves) {
        moves
            .added
            .push(self.text(&format!("{name} {}", list(&versions(head)))));
        let servers: BTreeSet<_> = self
            .base_file
            .packages
            .iter()
            .map(|package| Place::of(package).server)
            .collect();

        for package in head {
            let place = Place::of(package);
            if !servers.contains(&place.server) {
                moves.origin_changed.push(self.text(&format!(
                    "{name} comes from {place}, from where nothing came before"
                )));
            }
            if package.integrity.is_none() {
                self.unhashed(package, moves);
            }
        }
    }
}

/// Where a package comes from, without its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    kind: &'static str,
    /// Scheme, host and port; `None` where the lockfile states no address.
    server: Option<String>,
    /// The address with the version cut out.
    address: String,
}

impl Place {
    fn of(package: &Package) -> Self {
        let (kind, address) = match &package.origin {
            Origin::Registry(address) => ("registry", address.as_deref()),
            Origin::Git { url, .. } => ("git", Some(url.as_str())),
            Origin::Path(path) => ("path", Some(path.as_deref().unwrap_or(""))),
            Origin::Url(url) => ("url", Some(url.as_str())),
        };
        let server = address.map(|address| match url::Url::parse(address) {
            Ok(url) => format!("{kind} {}", url.origin().ascii_serialization()),
            Err(_) => format!("{kind} {address}"),
        });
        let address = address
            .map(|address| address.replace(&package.version, "{version}"))
            .unwrap_or_default();

        Self {
            kind,
            server,
            address,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.server.is_none() {
            write!(f, "{} without an address", self.kind)
        } else {
            write!(f, "{} `{}`", self.kind, without_secrets(&self.address))
        }
    }
}

/// An address without user, password, query and fragment.
fn without_secrets(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(mut url) => {
            // Both fail only for addresses that cannot carry credentials.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.to_string().replace("%7Bversion%7D", "{version}")
        }
        Err(_) => address.to_owned(),
    }
}

fn versions<'a>(packages: &[&'a Package]) -> BTreeSet<&'a str> {
    packages
        .iter()
        .map(|package| package.version.as_str())
        .collect()
}

fn list(versions: &BTreeSet<&str>) -> String {
    versions.iter().copied().collect::<Vec<_>>().join(", ")
}

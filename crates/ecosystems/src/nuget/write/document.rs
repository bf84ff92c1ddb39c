//! A `packages.lock.json` as NuGet writes it (`PackagesLockFileFormat` in
//! <https://github.com/NuGet/NuGet.Client>): two blanks for each level, and the entries of a framework
//! by their kind, then by name.

use std::fmt::Write as _;

use crate::syntax::{Node, json};

/// A `packages.lock.json`, of which everything is known that NuGet prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    version: String,
    pub(super) targets: Vec<Target>,
}

/// The packages of a framework, or of a framework on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// `net8.0`, or with a platform `net8.0/win-x64`.
    pub(super) name: String,
    pub(super) entries: Vec<Entry>,
}

/// The kinds of entries, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The project requires it.
    Direct,
    /// Another package requires it.
    Transitive,
    /// Another project.
    Project,
    /// Another package requires it, and the project's central list states its version.
    CentralTransitive,
}

/// A package or project below a framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) requested: Option<String>,
    pub(super) resolved: Option<String>,
    pub(super) hash: Option<String>,
    pub(super) dependencies: Vec<(String, String)>,
}

const KINDS: [(&str, Kind); 4] = [
    ("Direct", Kind::Direct),
    ("Transitive", Kind::Transitive),
    ("Project", Kind::Project),
    ("CentralTransitive", Kind::CentralTransitive),
];

impl Kind {
    fn name(self) -> &'static str {
        KINDS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }
}

impl Entry {
    /// The name by which NuGet compares packages.
    pub(super) fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}

impl Document {
    /// Reads a lockfile, and checks that it is written as NuGet writes it.
    ///
    /// # Errors
    /// If it is not, so that a change would touch other lines.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let tree = json(text).map_err(|error| error.to_string())?;
        let unusual = || "it is not written as NuGet writes it".to_owned();
        let mut targets = Vec::new();
        for (name, entries) in tree
            .get("dependencies")
            .map(Node::entries)
            .unwrap_or_default()
        {
            let read = |(name, node): &(_, Node<'_>)| {
                let name: &crate::syntax::Key<'_> = name;
                entry(&name.name, node)
            };
            targets.push(Target {
                name: name.name.to_string(),
                entries: entries
                    .entries()
                    .iter()
                    .map(read)
                    .collect::<Option<_>>()
                    .ok_or_else(unusual)?,
            });
        }
        let version = tree.get("version").and_then(Node::scalar);
        let document = Self {
            version: version.ok_or_else(unusual)?.to_owned(),
            targets,
        };

        match document.print() == text.replace("\r\n", "\n").trim_end_matches('\n') {
            true => Ok(document),
            false => Err(unusual()),
        }
    }

    /// The text with the byte order mark, the line ends and the end of another one.
    pub(super) fn print_like(&self, before: &str) -> String {
        let mut text = self.print();
        let body = before.trim_end_matches(['\r', '\n']);
        let end = before.get(body.len()..).unwrap_or_default();
        if before.contains("\r\n") {
            text = text.replace('\n', "\r\n");
        }
        let mark = match before.starts_with('\u{feff}') {
            true => "\u{feff}",
            false => "",
        };
        format!("{mark}{text}{end}")
    }

    fn print(&self) -> String {
        let mut text = format!("{{\n  \"version\": {},\n  \"dependencies\": ", self.version);
        print_map(&mut text, 1, &self.targets, |text, target| {
            print_key(text, &target.name);
            print_map(text, 2, &target.entries, print_entry);
        });
        text.push_str("\n}");
        text
    }
}

fn entry(name: &str, node: &Node<'_>) -> Option<Entry> {
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let kind = text("type")?;
    let (_, kind) = KINDS.iter().find(|(name, _)| *name == kind)?;
    let dependencies = node
        .get("dependencies")
        .map(Node::entries)
        .unwrap_or_default();

    Some(Entry {
        name: name.to_owned(),
        kind: *kind,
        requested: text("requested"),
        resolved: text("resolved"),
        hash: text("contentHash"),
        dependencies: dependencies
            .iter()
            .map(|(name, requirement)| {
                Some((name.name.to_string(), requirement.text()?.to_owned()))
            })
            .collect::<Option<_>>()?,
    })
}

fn print_entry(text: &mut String, entry: &Entry) {
    print_key(text, &entry.name);
    let _ = write!(text, "{{\n        \"type\": \"{}\"", entry.kind.name());

    for (key, value) in [
        ("requested", &entry.requested),
        ("resolved", &entry.resolved),
        ("contentHash", &entry.hash),
    ] {
        if let Some(value) = value {
            let _ = write!(text, ",\n        \"{key}\": {}", quoted(value));
        }
    }

    if !entry.dependencies.is_empty() {
        text.push_str(",\n        \"dependencies\": ");
        print_map(text, 4, &entry.dependencies, |text, (name, requirement)| {
            print_key(text, name);
            text.push_str(&quoted(requirement));
        });
    }

    text.push_str("\n      }");
}

/// Prints a map whose own level is given.
fn print_map<T>(text: &mut String, level: usize, items: &[T], print: impl Fn(&mut String, &T)) {
    if items.is_empty() {
        text.push_str("{}");
        return;
    }
    text.push('{');
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index > 0 { ",\n" } else { "\n" });
        text.push_str(&"  ".repeat(level + 1));
        print(text, item);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(level));
    text.push('}');
}

fn print_key(text: &mut String, key: &str) {
    let _ = write!(text, "{}: ", quoted(key));
}

/// A string of JSON. Other characters than those of names and versions are not changed, so a file with
/// them is one that is not written in this way.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

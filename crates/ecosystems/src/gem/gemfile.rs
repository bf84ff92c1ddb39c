//! Reader of `Gemfile` and `gems.rb` (<https://bundler.io/man/gemfile.5.html>).
//!
//! These files are Ruby programs, and they are never run. Only the statements that nearly all of
//! them consist of are understood. If a file has any other statement, its groups are not used.

use std::collections::BTreeSet;

use patchgate_model::{DependencyKind, Unresolved, without_credentials};

use super::ruby::{Argument, arguments, literals, statements, without_texts, words};
use crate::syntax::join;
use crate::{Input, ParseError};

/// Bundler's name for the group of gems outside all groups.
const DEFAULT: &str = "default";

/// Names of arguments with the address of a repository or a directory.
const ADDRESSES: [&str; 5] = ["git", "github", "gist", "bitbucket", "path"];

/// The requirement of gems that only Ruby code names.
pub(super) const CODE: &str = "ruby:code";

/// The requirement of a Gemfile on a gemspec that is not in the repository.
pub(super) const NO_GEMSPEC: &str = "ruby:gemspec";

/// Methods that require gems, or run other code that may.
const CALLS: [&str; 4] = ["gem", "eval_gemfile", "instance_eval", "eval"];

/// Most groups of a Gemfile whose groups are used; more than any project has.
const MAX_GROUPS: usize = 64;

/// The readable part of a Gemfile.
#[derive(Debug, Default)]
pub(super) struct Gemfile {
    /// The gems that the file lists itself.
    pub(super) gems: Vec<GemRequirement>,
    /// The statement that includes the requirements of a gemspec.
    pub(super) gemspec: Option<GemspecStatement>,
    /// Lines of statements that may require gems, and are not understood.
    pub(super) unread: Vec<u32>,
    /// Whether every statement was understood, so that the groups are complete.
    pub(super) is_clear: bool,
}

/// A statement that includes the requirements of a gemspec.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GemspecStatement {
    /// The directory of the gemspec, from that of the Gemfile; empty if it is the same.
    directory: String,
    /// Line number, from 1.
    line: u32,
}

/// A gem that the file requires.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GemRequirement {
    /// Name of the gem.
    pub(super) name: String,
    /// Requirements, separated by `, `; the address, such as `git:https://host.invalid/a`, if the gem
    /// is from a repository or a directory, where any version may be.
    pub(super) requirement: String,
    /// Its groups, never empty.
    pub(super) groups: BTreeSet<String>,
    /// Whether it is required only on some platforms. A lockfile for other platforms does not
    /// contain it.
    pub(super) for_platform: bool,
    /// Line number, from 1.
    pub(super) line: u32,
}

impl GemRequirement {
    /// Whether the gem is a directory of the repository, for a Gemfile in `directory`.
    pub(super) fn is_inside(&self, directory: &str) -> bool {
        let path = self.requirement.strip_prefix("path:");
        path.is_some_and(|path| !path.is_empty() && join(directory, path).is_some())
    }

    /// The kind of dependency, derived from the groups.
    pub(super) fn kind(&self) -> DependencyKind {
        let only = |allowed: &[&str]| {
            self.groups
                .iter()
                .all(|group| allowed.contains(&group.as_str()))
        };
        if only(&["test"]) {
            DependencyKind::Test
        } else if only(&["test", "development"]) {
            DependencyKind::Development
        } else {
            DependencyKind::Runtime
        }
    }
}

/// The purpose of a block in the file.
enum Block {
    /// Gems of these groups (`group`).
    Groups(BTreeSet<String>),
    /// Gems of one registry (`source`), which does not change their groups.
    Neutral,
    /// Gems of a repository or a directory (`git`, `path`), with its address.
    Address(String),
    /// Gems for some platforms (`platforms`).
    Platform,
    /// Code without gems, such as the definition of a source's address (`git_source`).
    Opaque,
    /// Any other code, which may contain gems.
    Code,
}

/// The requirements of a Gemfile that has no lockfile. A gemspec of the repository is read on its own;
/// the requirements of another one are unknown and reported as one named `gemspec`. A statement that
/// may require gems and is not understood is reported as one named `gem`.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let gemfile = read(input)?;
    let directory = parent(input.path);
    let has_gemspec = |statement: &GemspecStatement| {
        let directory = match statement.directory.as_str() {
            "" => Some(directory.to_owned()),
            inner => join(directory, inner),
        };
        let paths = input
            .siblings
            .keys()
            .filter(|path| path.ends_with(".gemspec"));
        directory.is_some_and(|directory| paths.map(|path| parent(path)).any(|it| it == directory))
    };
    let mut open: Vec<Unresolved> = gemfile
        .gems
        .into_iter()
        // A directory of the repository has files of its own, which are read.
        .filter(|gem| !gem.is_inside(directory))
        .map(|gem| Unresolved {
            ecosystem: crate::gem::NAME,
            kind: gem.kind(),
            name: gem.name,
            requirement: gem.requirement,
            line: gem.line,
        })
        .collect();
    let missing = gemfile.gemspec.filter(|statement| !has_gemspec(statement));
    open.extend(missing.map(|statement| Unresolved {
        ecosystem: crate::gem::NAME,
        name: "gemspec".to_owned(),
        requirement: NO_GEMSPEC.to_owned(),
        kind: DependencyKind::Runtime,
        line: statement.line,
    }));
    open.extend(gemfile.unread.into_iter().map(by_code));

    Ok(open)
}

/// The requirement on gems that only Ruby code names: its text is not known.
pub(super) fn by_code(line: u32) -> Unresolved {
    Unresolved {
        ecosystem: crate::gem::NAME,
        name: "gem".to_owned(),
        requirement: CODE.to_owned(),
        kind: DependencyKind::Runtime,
        line,
    }
}

/// The directory of a file.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Reads a Gemfile statement by statement.
pub(super) fn read(input: &Input<'_>) -> Result<Gemfile, ParseError> {
    let mut reader = Reader {
        gemfile: Gemfile {
            is_clear: true,
            ..Gemfile::default()
        },
        blocks: Vec::new(),
    };
    for (line, statement) in statements(input.text()?) {
        reader.statement(&statement, line);
    }

    // More groups than the limit are treated like statements that were not understood.
    let groups: BTreeSet<&String> = reader
        .gemfile
        .gems
        .iter()
        .flat_map(|gem| &gem.groups)
        .collect();
    let is_clear = reader.gemfile.is_clear && groups.len() <= MAX_GROUPS;
    reader.gemfile.is_clear = is_clear && reader.blocks.is_empty();

    Ok(reader.gemfile)
}

/// The versions of Ruby that a Gemfile states as plain texts
/// (<https://bundler.io/man/gemfile.5.html#RUBY>).
pub(super) fn supported_ruby(text: &str) -> Option<String> {
    let statements = statements(text);
    let stated = statements.iter().find_map(|(_, statement)| {
        let rest = statement.strip_prefix("ruby")?;
        rest.starts_with([' ', '(']).then_some(rest)
    })?;
    let mut versions = Vec::new();
    for argument in arguments(stated) {
        if let Argument::Positional(value) = argument {
            versions.extend(literals(value)?);
        }
    }
    (!versions.is_empty()).then(|| versions.join(", "))
}

struct Reader {
    gemfile: Gemfile,
    blocks: Vec<Block>,
}

impl Reader {
    fn statement(&mut self, text: &str, line: u32) {
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let body = opens(text);
        if matches!(self.blocks.last(), Some(Block::Opaque)) && word != "end" {
            if body.is_some() || opens_code(word) {
                self.blocks.push(Block::Opaque);
            }
            return;
        }

        let is_plain = word == "gem" && body.is_none() && !rest.contains(';');
        if !is_plain && has_call(text) {
            self.gemfile.unread.push(line);
        }

        let head = body
            .and_then(|_| rest.rsplit_once(" do"))
            .map_or(rest, |(head, _)| head);
        match (word, body.is_some()) {
            ("end", _) => {
                self.gemfile.is_clear &= self.blocks.pop().is_some();
            }
            ("gem", false) => self.gem(rest, line),
            ("gemspec", false) => {
                self.gemfile.gemspec = Some(GemspecStatement {
                    directory: directory_of(rest),
                    line,
                });
                self.gemfile.is_clear &= !rest.contains("development_group");
            }
            ("source" | "ruby" | "plugin" | "git_source", false) => {}
            ("group" | "groups", true) => self.group(head),
            ("source", true) => self.blocks.push(Block::Neutral),
            ("git" | "path" | "github", true) => {
                let address = match arguments(head).first() {
                    Some(Argument::Positional(value)) => address(word, value),
                    _ => address(word, ""),
                };
                self.blocks.push(Block::Address(address));
            }
            ("platform" | "platforms", true) => self.blocks.push(Block::Platform),
            ("git_source", true) => self.blocks.push(Block::Opaque),
            ("else" | "elsif" | "when" | "ensure" | "rescue", _) => {}
            _ => {
                self.gemfile.is_clear = false;
                if body.is_some() || opens_code(word) {
                    self.blocks.push(Block::Code);
                }
            }
        }
    }

    fn group(&mut self, head: &str) {
        let mut groups = BTreeSet::new();
        for argument in arguments(head) {
            let named = match argument {
                Argument::Positional(value) => literals(value),
                Argument::Keyword(..) => Some(Vec::new()),
            };
            match named {
                Some(named) => groups.extend(named),
                None => self.gemfile.is_clear = false,
            }
        }

        self.gemfile.is_clear &= !groups.is_empty();
        self.blocks.push(Block::Groups(groups));
    }

    fn gem(&mut self, rest: &str, line: u32) {
        let mut arguments = arguments(rest).into_iter();
        let name = match arguments.next() {
            Some(Argument::Positional(value)) => literals(value).unwrap_or_default(),
            _ => Vec::new(),
        };
        let [name] = name.as_slice() else {
            self.gemfile.is_clear = false;
            if self.gemfile.unread.last() != Some(&line) {
                self.gemfile.unread.push(line);
            }
            return;
        };
        let mut requirements = Vec::new();
        let mut source = self.blocks.iter().rev().find_map(|block| match block {
            Block::Address(address) => Some(address.clone()),
            _ => None,
        });
        let mut groups: BTreeSet<String> = self
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Groups(groups) => Some(groups),
                _ => None,
            })
            .flatten()
            .cloned()
            .collect();

        // The arguments after the name: requirements, groups and platforms.
        let in_block = |block: &Block| matches!(block, Block::Platform);
        let mut for_platform = self.blocks.iter().any(in_block);
        for argument in arguments {
            let into_groups = matches!(argument, Argument::Keyword("group" | "groups", _));
            for_platform |= matches!(argument, Argument::Keyword("platform" | "platforms", _));
            if let Argument::Keyword(key, value) = argument
                && ADDRESSES.contains(&key)
            {
                source = Some(address(key, value));
            }
            let value = match argument {
                Argument::Keyword(_, value) if into_groups => value,
                Argument::Keyword(_, value) => {
                    self.gemfile.is_clear &= !has_condition(value);
                    continue;
                }
                Argument::Positional(value) => value,
            };

            match literals(value) {
                Some(named) if into_groups => groups.extend(named),
                Some(named) => requirements.extend(named),
                None => self.gemfile.is_clear = false,
            }
        }

        if groups.is_empty() {
            groups.insert(DEFAULT.to_owned());
        }

        self.gemfile.gems.push(GemRequirement {
            name: name.clone(),
            requirement: source.unwrap_or_else(|| requirements.join(", ")),
            groups,
            for_platform,
            line,
        });
    }
}

/// The directory that a `gemspec` statement names (`path: "engine"`).
fn directory_of(rest: &str) -> String {
    let named = arguments(rest)
        .into_iter()
        .find_map(|argument| match argument {
            Argument::Keyword("path", value) => literals(value)?.into_iter().next(),
            _ => None,
        });
    named.filter(|path| path != ".").unwrap_or_default()
}

/// The address of a repository or a directory. A value that is not a plain text is unknown.
fn address(kind: &str, value: &str) -> String {
    let stated = literals(value).unwrap_or_default();
    let stated = stated.first().map_or("", String::as_str);
    format!("{kind}:{}", without_credentials(stated))
}

/// Whether a statement has one of [`CALLS`] outside its texts.
fn has_call(statement: &str) -> bool {
    words(&without_texts(statement)).any(|(_, word)| CALLS.contains(&word))
}

/// Whether a value is followed by a condition, as in `false if windows?`.
fn has_condition(value: &str) -> bool {
    value.contains(" if ") || value.contains(" unless ")
}

/// The part of a statement before the `do` of the block that it opens: `Some` for `… do` and `… do
/// |x|`.
fn opens(text: &str) -> Option<&str> {
    let before = match text.strip_suffix('|') {
        Some(inner) => inner
            .rsplit_once('|')
            .map(|(before, _)| before.trim_end())?,
        None => text,
    };
    before.strip_suffix(" do")
}

/// Whether a word begins code that ends with `end`.
fn opens_code(word: &str) -> bool {
    matches!(
        word,
        "if" | "unless" | "case" | "while" | "until" | "begin" | "def" | "for" | "class" | "module"
    )
}

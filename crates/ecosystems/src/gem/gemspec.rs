//! Reader of `*.gemspec` files (<https://guides.rubygems.org/specification-reference/>).
//!
//! These files are Ruby programs, and they are never run. A statement that adds a dependency by a plain
//! text is read, whatever block or condition it is in. Any other code that may add one is reported.

use std::collections::BTreeSet;

use patchgate_model::{DependencyKind, Unresolved};

use super::gemfile::{self, by_code, parent};
use super::ruby::{Argument, arguments, literals, statements, without_texts, words};
use crate::{Input, ParseError};

/// Methods of a specification that add a dependency.
const CALLS: [(&str, DependencyKind); 3] = [
    ("add_dependency", DependencyKind::Runtime),
    ("add_runtime_dependency", DependencyKind::Runtime),
    ("add_development_dependency", DependencyKind::Development),
];

/// Methods that run other code.
const CODE: [&str; 3] = ["eval", "instance_eval", "eval_gemfile"];

/// Lockfiles of Bundler that pin the requirements of a gemspec next to them or below.
const LOCKFILES: [&str; 2] = ["Gemfile.lock", "gems.locked"];

/// The requirements of a gemspec that no lockfile pins. A version that is not a plain text admits any.
/// A statement that may add a dependency and is not understood is reported as one named `gem`.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let text = input.text()?;
    if is_pinned(input) {
        return Ok(Vec::new());
    }

    let mut open = Vec::new();
    for (line, statement) in statements(text) {
        let code = without_texts(&statement);
        match added(&statement, &code) {
            Some(added) => open.push(Unresolved { line, ..added }),
            None if may_add(&code) => open.push(by_code(line)),
            None => {}
        }
    }

    let own = own_gems(input);
    open.retain(|one| !own.contains(&one.name));
    Ok(open)
}

/// The dependency that a statement adds; `None` unless its name is a plain text.
fn added(statement: &str, code: &str) -> Option<Unresolved> {
    let mut calls = words(code).filter_map(|(at, word)| {
        let (_, kind) = CALLS.iter().find(|(name, _)| *name == word)?;
        Some((at + word.len(), *kind))
    });
    let (start, kind) = calls.next()?;
    if calls.next().is_some() || code.contains(';') {
        return None;
    }

    // A condition after the call (`if windows?`) is not one of its arguments.
    let end = [" if ", " unless "]
        .iter()
        .filter_map(|word| code.get(start..)?.find(word))
        .min()
        .map_or(statement.len(), |length| start + length);
    let mut values = arguments(statement.get(start..end)?).into_iter();
    let Some(Argument::Positional(name)) = values.next() else {
        return None;
    };
    let [name] = <[String; 1]>::try_from(literals(name)?).ok()?;
    let stated = values.filter_map(|value| match value {
        Argument::Positional(value) => literals(value),
        Argument::Keyword(..) => None,
    });

    (!name.is_empty()).then(|| Unresolved {
        ecosystem: super::NAME,
        name,
        requirement: stated.flatten().collect::<Vec<_>>().join(", "),
        kind,
        line: 0,
    })
}

/// Whether code may add a dependency.
fn may_add(code: &str) -> bool {
    words(code)
        .any(|(_, word)| CODE.contains(&word) || word.to_ascii_lowercase().contains("dependenc"))
}

/// Whether a lockfile in the directory of the gemspec or above it pins its requirements.
fn is_pinned(input: &Input<'_>) -> bool {
    let above = std::iter::successors(Some(parent(input.path)), |directory| {
        (!directory.is_empty()).then(|| parent(directory))
    });
    above.into_iter().any(|directory| {
        LOCKFILES.iter().any(|name| {
            let path = match directory {
                "" => (*name).to_owned(),
                directory => format!("{directory}/{name}"),
            };
            input.siblings.contains_key(&path)
        })
    })
}

/// Gems that the Gemfile next to the gemspec takes from directories of the repository.
fn own_gems(input: &Input<'_>) -> BTreeSet<String> {
    let path = input.beside("Gemfile");
    let Some(bytes) = input.sibling(&path) else {
        return BTreeSet::new();
    };
    let read = gemfile::read(&Input {
        path: &path,
        bytes,
        siblings: input.siblings,
    });
    let gems = read.map(|gemfile| gemfile.gems).unwrap_or_default();
    gems.into_iter()
        .filter(|gem| gem.is_inside(parent(&path)))
        .map(|gem| gem.name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Siblings;

    fn read(files: &[(&str, &str)]) -> Vec<String> {
        let siblings: Siblings = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let (path, text) = files[0];
        let open = unresolved(&Input {
            path,
            bytes: text.as_bytes(),
            siblings: &siblings,
        })
        .unwrap();
        open.iter()
            .map(|one| {
                let kind = match one.kind {
                    DependencyKind::Development => " dev",
                    _ => "",
                };
                format!("{} {} [{}]{kind}", one.line, one.name, one.requirement)
            })
            .collect()
    }

    #[test]
    fn dependencies_with_plain_names_are_read() {
        let text = "Gem::Specification.new do |spec|\n\
                    \x20 spec.name = 'add_dependency'\n\
                    \x20 spec.add_dependency 'rack', '~> 2.0', \">= 2.0.1\" # why\n\
                    \x20 spec.add_runtime_dependency(%q<rake>.freeze, [\">= 1\".freeze, '< 14'])\n\
                    \x20 spec.add_development_dependency \"minitest\"\n\
                    \x20 spec.add_dependency 'own', Own::VERSION\n\
                    \x20 spec.add_dependency 'wdm', '>= 0.1' if Gem.win_platform?\n\
                    \x20 spec.add_dependency('json',\n    '>= 2')\n\
                    end\n";
        assert_eq!(
            read(&[("a.gemspec", text)]),
            [
                "3 rack [~> 2.0, >= 2.0.1]",
                "4 rake [>= 1, < 14]",
                "5 minitest [] dev",
                "6 own []",
                "7 wdm [>= 0.1]",
                "8 json [>= 2]",
            ]
        );
    }

    #[test]
    fn code_that_may_add_a_dependency_is_reported() {
        for code in [
            "%w[a b].each { |name| spec.add_dependency name }",
            "spec.add_dependency name, '1'",
            "spec.add_dependency \"a#{b}\"",
            "spec.add_dependency 'a'; spec.add_dependency 'b'",
            "spec.dependencies << Gem::Dependency.new('a')",
            "spec.instance_eval File.read('more.rb')",
        ] {
            assert_eq!(
                read(&[("a.gemspec", code)]),
                ["1 gem [ruby:code]"],
                "{code}"
            );
        }
        assert!(read(&[("a.gemspec", "spec.summary = 'adds a dependency; eval'\n")]).is_empty());
    }

    #[test]
    fn a_lockfile_next_to_it_or_above_pins_a_gemspec() {
        let text = "s.add_dependency 'a'\n";
        for (gemspec, lockfile, is_pinned) in [
            ("a.gemspec", "Gemfile.lock", true),
            ("gems/a/a.gemspec", "gems.locked", true),
            ("gems/a/a.gemspec", "gems/b/Gemfile.lock", false),
        ] {
            let read = read(&[(gemspec, text), (lockfile, "")]);
            assert_eq!(read.is_empty(), is_pinned, "{gemspec} {lockfile}");
        }
    }

    #[test]
    fn a_gem_of_the_repository_is_left_out() {
        let gemspec = "s.add_dependency 'common', VERSION\ns.add_dependency 'a'\n";
        let gemfile = "gem 'common', path: '../common'\ngemspec\n";
        let files = [("one/one.gemspec", gemspec), ("one/Gemfile", gemfile)];
        assert_eq!(read(&files), ["2 a []"]);
    }
}

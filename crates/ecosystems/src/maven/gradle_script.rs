//! Versions that a build script of Gradle states literally, in Groovy or Kotlin
//! (<https://docs.gradle.org/current/userguide/declaring_dependencies_basics.html>).
//!
//! A script is a program and is not run. Only what is certainly a literal is found:
//! `"group:artifact:version"`, the three parts by name, and plugins with their versions. A version that
//! comes from a variable is only known to exist.

mod tokens;

use std::collections::BTreeSet;
use std::ops::Range;

use self::tokens::{Token, tokens};
use super::coordinates;

/// The literal versions of a script.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) literals: Vec<Literal>,
    /// Packages that get a version in a way that is not a literal.
    pub(super) computed: BTreeSet<String>,
    /// Words that change versions wherever they come from.
    pub(super) forces: Option<&'static str>,
}

/// One literal version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) name: String,
    pub(super) version: String,
    /// Position of the version.
    pub(super) at: Range<usize>,
}

/// Words in scripts that decide versions against what dependencies require.
const FORCES: [&str; 7] = [
    "enforcedPlatform",
    "resolutionStrategy",
    "useVersion",
    "strictly",
    "force",
    "dependencyManagement",
    "failOnVersionConflict",
];

impl Script {
    /// Reads a script.
    pub(super) fn read(text: &str) -> Self {
        let tokens = tokens(text);
        let mut script = Self::default();
        for (index, token) in tokens.iter().enumerate() {
            let after = tokens.get(index..).unwrap_or_default();
            match token {
                Token::Text { content, is_plain } => script.add_text(text, content, *is_plain),
                Token::Word(at) => {
                    let word = text.get(at.clone()).unwrap_or_default();
                    let found = FORCES.into_iter().find(|one| *one == word);
                    script.forces = script.forces.or(found);
                    match word {
                        "group" => script.add_named(text, after),
                        "id" | "kotlin" => script.add_plugin(text, word, after),
                        _ => {}
                    }
                }
                Token::Sign(..) => {}
            }
        }
        script
    }

    /// A text of the form `group:artifact:version`, with or without a classifier and an extension.
    fn add_text(&mut self, text: &str, at: &Range<usize>, is_plain: bool) {
        let content = text.get(at.clone()).unwrap_or_default();
        let mut parts = content.splitn(3, ':');
        let (Some(group), Some(artifact), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        if !coordinates::is_id(group) || !coordinates::is_id(artifact) {
            return;
        }

        let name = format!("{group}:{artifact}");
        let version = rest.split([':', '@']).next().unwrap_or_default();
        let version = version.strip_suffix("!!").unwrap_or(version);
        if is_plain && coordinates::is_version(version) {
            let start = at.end - rest.len();
            self.literals.push(Literal {
                name,
                version: version.to_owned(),
                at: start..start + version.len(),
            });
        } else {
            self.computed.insert(name);
        }
    }

    /// `group: 'g', name: 'a', version: 'v'`, and the same with `=`.
    fn add_named(&mut self, text: &str, tokens: &[Token]) {
        let word = |index: usize, expected: &str| matches!(tokens.get(index), Some(Token::Word(at)) if text.get(at.clone()) == Some(expected));
        let sign = |index: usize, expected: &[char]| matches!(tokens.get(index), Some(Token::Sign(sign, _)) if expected.contains(sign));
        let plain = |index: usize| match tokens.get(index) {
            Some(Token::Text {
                content,
                is_plain: true,
            }) => Some(content.clone()),
            _ => None,
        };
        let is_list = sign(1, &[':', '='])
            && sign(3, &[','])
            && word(4, "name")
            && sign(5, &[':', '='])
            && sign(7, &[','])
            && word(8, "version")
            && sign(9, &[':', '=']);
        let (true, Some(group), Some(artifact)) = (is_list, plain(2), plain(6)) else {
            return;
        };

        let part = |at: &Range<usize>| text.get(at.clone()).unwrap_or_default();
        let name = format!("{}:{}", part(&group), part(&artifact));
        match plain(10) {
            Some(at) if coordinates::is_version(part(&at)) => self.literals.push(Literal {
                name,
                version: part(&at).to_owned(),
                at,
            }),
            _ => {
                self.computed.insert(name);
            }
        }
    }

    /// `id("x") version "1"`, and `kotlin("jvm") version "1"`. A plugin is found by its marker
    /// (<https://docs.gradle.org/current/userguide/plugins.html#sec:plugin_markers>).
    fn add_plugin(&mut self, text: &str, word: &str, tokens: &[Token]) {
        let mut rest = tokens.iter().skip(1).filter(|token| {
            // Groovy needs no brackets.
            !matches!(token, Token::Sign('(' | ')', _))
        });
        let (Some(Token::Text { content: id, .. }), Some(Token::Word(version)), Some(value)) =
            (rest.next(), rest.next(), rest.next())
        else {
            return;
        };
        if text.get(version.clone()) != Some("version") {
            return;
        }

        let id = text.get(id.clone()).unwrap_or_default();
        let id = match word {
            "kotlin" => format!("org.jetbrains.kotlin.{id}"),
            _ => id.to_owned(),
        };
        let name = format!("{id}:{id}.gradle.plugin");
        match value {
            Token::Text {
                content,
                is_plain: true,
            } => {
                let version = text.get(content.clone()).unwrap_or_default().to_owned();
                self.literals.push(Literal {
                    name,
                    version,
                    at: content.clone(),
                });
            }
            _ => {
                self.computed.insert(name);
            }
        }
    }
}

/// A script with a constraint: the version that a package has at least, whatever requires it
/// (<https://docs.gradle.org/current/userguide/dependency_constraints.html>).
///
/// # Errors
/// If the script has no block of dependencies of its own.
pub(super) fn with_constraint(
    text: &str,
    is_kotlin: bool,
    configuration: &str,
    (name, version): (&str, &str),
) -> Result<String, String> {
    let tokens = tokens(text);
    let none = || "it has no block `dependencies` of its own".to_owned();
    let block = block(text, &tokens, 0..tokens.len(), "dependencies")?.ok_or_else(none)?;
    let inner = block.start + 1..block.end;
    let constraints = self::block(text, &tokens, inner, "constraints")?;

    let new_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let indent = |at: usize| -> Option<String> {
        let line = text.get(..at)?.rsplit('\n').next()?;
        line.trim().is_empty().then(|| line.to_owned())
    };
    let close = |block: &Range<usize>| match tokens.get(block.end) {
        Some(Token::Sign(_, at)) => Some(*at),
        _ => None,
    };
    let call = match is_kotlin {
        true => format!("{configuration}(\"{name}:{version}\")"),
        false => format!("{configuration} '{name}:{version}'"),
    };
    let unit = step(text);
    let at = close(constraints.as_ref().unwrap_or(&block)).ok_or_else(none)?;
    let own = indent(at).ok_or("its block `dependencies` ends in the middle of a line")?;
    let lines = match constraints {
        Some(_) => vec![format!("{own}{unit}{call}")],
        None => vec![
            format!("{own}{unit}constraints {{"),
            format!("{own}{unit}{unit}{call}"),
            format!("{own}{unit}}}"),
        ],
    };
    let added: String = lines.into_iter().map(|line| line + new_line).collect();

    let start = at - own.len();
    let (before, after) = text.split_at_checked(start).ok_or_else(none)?;
    Ok(format!("{before}{added}{after}"))
}

/// The indentation of the first line that has one.
fn step(text: &str) -> &str {
    let mut lines = text.lines().map(|line| {
        let rest = line.trim_start_matches([' ', '\t']);
        (
            line.get(..line.len() - rest.len()).unwrap_or_default(),
            rest,
        )
    });
    let first = lines
        .find(|(indent, rest)| !indent.is_empty() && !rest.is_empty() && !rest.starts_with('*'));
    match first {
        Some((indent, _)) if indent.starts_with('\t') => "\t",
        Some(("  ", _)) => "  ",
        _ => "    ",
    }
}

/// The block of a name directly in a range of tokens: the indexes of its brackets. `None` without
/// one.
///
/// # Errors
/// If there are several.
fn block(
    text: &str,
    tokens: &[Token],
    within: Range<usize>,
    name: &str,
) -> Result<Option<Range<usize>>, String> {
    let is_name = |index: Option<usize>| {
        let token = index.and_then(|index| tokens.get(index));
        matches!(token, Some(Token::Word(at)) if text.get(at.clone()) == Some(name))
    };
    let mut depth = 0usize;
    let mut open = None;
    let mut found = None;
    for index in within {
        match tokens.get(index) {
            Some(Token::Sign('{' | '(' | '[', _)) => {
                if depth == 0 && is_name(index.checked_sub(1)) {
                    open = Some(index);
                }
                depth += 1;
            }
            Some(Token::Sign('}' | ')' | ']', _)) => {
                depth = depth.checked_sub(1).ok_or("its brackets do not match")?;
                let closed = open.take_if(|_| depth == 0);
                if let Some(start) = closed
                    && found.replace(start..index).is_some()
                {
                    return Err(format!("it has several blocks `{name}`"));
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(script: &str) -> Vec<(String, String)> {
        let found = Script::read(script).literals;
        for literal in &found {
            assert_eq!(
                script.get(literal.at.clone()),
                Some(literal.version.as_str())
            );
        }
        let found = found.into_iter();
        found.map(|one| (one.name, one.version)).collect()
    }

    #[test]
    fn literal_versions_are_found() {
        for (script, name) in [
            ("implementation 'g:a:1.0'", "g:a"),
            ("implementation(\"g:a:1.0\") { transitive = false }", "g:a"),
            ("api platform('g:a:1.0')", "g:a"),
            ("api 'g:a:1.0:sources@jar'", "g:a"),
            ("api 'g:a:1.0!!'", "g:a"),
            ("api group: 'g', name: \"a\", version: '1.0'", "g:a"),
            ("api(group = \"g\", name = \"a\", version = \"1.0\")", "g:a"),
            ("plugins { id 'p' version '1.0' }", "p:p.gradle.plugin"),
            ("id(\"p\") version \"1.0\" apply false", "p:p.gradle.plugin"),
            (
                "kotlin(\"jvm\") version \"1.0\"",
                "org.jetbrains.kotlin.jvm:org.jetbrains.kotlin.jvm.gradle.plugin",
            ),
            ("def p = ~/a\"b/; api 'g:a:1.0'", "g:a"),
            ("x = 4 / 2; api 'g:a:1.0' // /", "g:a"),
        ] {
            let expected = [(name.to_owned(), "1.0".to_owned())];
            assert_eq!(literals(script), expected, "{script}");
        }
    }

    #[test]
    fn what_is_no_literal_is_not_taken_for_one() {
        for script in [
            "// api 'g:a:1.0'",
            "/* api 'g:a:1.0' */",
            "text = \"\"\"\napi 'g:a:1.0'\"\"\"",
            "text = '''\napi \"g:a:1.0\"\n'''",
            "api 'g:a'",
            "exclude group: 'g', module: 'a'",
            "url 'https://h.invalid:80/a'",
            "project(':g:a:1.0')",
        ] {
            assert_eq!(literals(script), [], "{script}");
        }
        for script in [
            "api \"g:a:$v\"",
            "api \"g:a:${v}\"",
            "api 'g:a:1.0",
            "api 'g:a:1.+'",
            "api 'g:a:[1,2)'",
            "api group: 'g', name: 'a', version: v",
        ] {
            assert_eq!(literals(script), [], "{script}");
            let computed = Script::read(script).computed;
            assert_eq!(computed, BTreeSet::from(["g:a".to_owned()]), "{script}");
        }
        assert_eq!(Script::read("a { force('x') }").forces, Some("force"));
        assert_eq!(Script::read("// force\nenforce()").forces, None);
    }

    fn constrained(text: &str) -> Result<String, String> {
        with_constraint(text, false, "implementation", ("g:a", "1.2"))
    }

    #[test]
    fn a_constraint_is_added_to_the_block_of_dependencies() {
        let script = "buildscript {\n  dependencies {\n    classpath 'x:y:1'\n  }\n}\n\
                      dependencies {\n  api 'b:c:1' // }\n}\n";
        let expected = script.replace(
            "// }\n}\n",
            "// }\n  constraints {\n    implementation 'g:a:1.2'\n  }\n}\n",
        );
        assert_eq!(constrained(script).as_deref(), Ok(expected.as_str()));
        let again = constrained(&expected).unwrap();
        let line = "    implementation 'g:a:1.2'\n";
        assert_eq!(again, expected.replace(line, &line.repeat(2)));

        let crlf = script.replace('\n', "\r\n");
        assert_eq!(constrained(&crlf), Ok(expected.replace('\n', "\r\n")));
        let kotlin = with_constraint("dependencies {\n}\n", true, "api", ("g:a", "1.2"));
        let expected = "dependencies {\n    constraints {\n        api(\"g:a:1.2\")\n    }\n}\n";
        assert_eq!(kotlin.as_deref(), Ok(expected));
    }

    #[test]
    fn a_script_without_one_block_gets_no_constraint() {
        for script in [
            "",
            "allprojects {\n    dependencies {\n    }\n}\n",
            "dependencies { api 'b:c:1' }",
            "dependencies {\n",
            "dependencies {\n}\ndependencies {\n}\n",
            "// dependencies {\n// }\n",
            "}}dependencies {\n}\n",
        ] {
            assert!(constrained(script).is_err(), "{script}");
        }
    }
}

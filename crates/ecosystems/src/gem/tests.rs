//! Whole files: the contents of the fixtures, and the traps of the formats.

use patchgate_model::{DependencyKind, Loss, Scope};

use super::gemfile::{self, Gemfile};
use crate::snapshot_text::snapshot_text;
use crate::test_files::read;
use crate::{Input, Siblings};

fn gemfile(text: &str) -> Gemfile {
    gemfile::read(&Input {
        path: "Gemfile",
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    })
    .unwrap()
}

fn asked(text: &str) -> Vec<String> {
    let shown = |asked: &gemfile::GemRequirement| {
        let groups: Vec<&str> = asked.groups.iter().map(String::as_str).collect();
        let (name, requirement, line) = (&asked.name, &asked.requirement, asked.line);
        format!("{line} {name} [{requirement}] {}", groups.join("+"))
    };
    gemfile(text).gems.iter().map(shown).collect()
}

#[test]
fn a_lockfile_of_all_kinds_of_sources() {
    insta::assert_snapshot!(snapshot_text(
        &read(&[
            (
                "Gemfile.lock",
                include_str!("fixtures/read/bundler/Gemfile.lock")
            ),
            ("Gemfile", include_str!("fixtures/read/bundler/Gemfile")),
        ])
        .unwrap()
    ));
}

#[test]
fn a_gemspec_brings_its_development_dependencies() {
    insta::assert_snapshot!(snapshot_text(
        &read(&[
            (
                "gems.locked",
                include_str!("fixtures/read/gemspec/gems.locked")
            ),
            ("gems.rb", include_str!("fixtures/read/gemspec/gems.rb")),
        ])
        .unwrap()
    ));
}

const LOCK: &str = "GEM\n  remote: https://gems.invalid/\n  specs:\n    rack (3.0)\n    rake (13.0)\n\n\
                    PLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack\n  rake\n\nBUNDLED WITH\n   2.5.1\n";

#[test]
fn a_gemfile_that_computes_says_nothing_about_groups() {
    let scopes = |gemfile: &str| -> Vec<(Scope, usize)> {
        let lockfile = read(&[("Gemfile.lock", LOCK), ("Gemfile", gemfile)]).unwrap();
        assert_eq!(lockfile.roots[0].manifest.as_deref(), Some("Gemfile"));
        assert_eq!(lockfile.roots[0].edges.len(), 2);
        let packages = lockfile.packages.iter();
        packages.map(|it| (it.scope, it.groups.len())).collect()
    };

    let plain = "gem 'rack'\ngroup :test do\n  gem 'rake'\nend\n";
    assert_eq!(scopes(plain), [(Scope::Runtime, 1), (Scope::Test, 1)]);

    for code in [
        "eval_gemfile 'other.rb'\n",
        "gem 'rake', *args\n",
        "if ENV['A']\n  gem 'rake'\nend\n",
        "gem 'rake' if windows?\n",
        "gem 'rake', require: false if windows?\n",
        "gem name\n",
        "[1].each do |x|\n  gem 'rake'\nend\n",
        "group :a do\n",
        "end\n",
    ] {
        let found = scopes(&format!("{plain}{code}"));
        assert_eq!(found, [(Scope::Runtime, 0), (Scope::Runtime, 0)], "{code}");
    }
}

#[test]
fn the_path_of_the_gemfile_follows_from_the_lockfile() {
    for (lock, gemfile) in [
        ("a/Gemfile.lock", "a/Gemfile"),
        ("gems.locked", "gems.rb"),
        ("gemfiles/rails_7.gemfile.lock", "gemfiles/rails_7.gemfile"),
    ] {
        let lockfile = read(&[(lock, LOCK), (gemfile, "gem 'rack'\n")]).unwrap();
        assert_eq!(lockfile.roots[0].manifest.as_deref(), Some(gemfile));
    }
}

#[test]
fn what_is_asked_for_is_read_from_plain_statements() {
    let text = "gem 'a', '~> 1.0', '>= 1.0.2' # why\ngem(\"b\", [\">= 1\", '< 2'])\n\
                gem 'c', :group => :test, require: false\ngroup :x, 'y', optional: true do\n\
                \x20 gem 'd', groups: [:z]\nend\ngem 'e',\n  '1',\n  group: %i[p q]\n\
                =begin\ngem 'no'\n=end\ngem '#f', git: 'https://code.invalid/f.git'\n\
                __END__\ngem 'no'\n";

    assert_eq!(
        asked(text),
        [
            "1 a [~> 1.0, >= 1.0.2] default",
            "2 b [>= 1, < 2] default",
            "3 c [] test",
            "5 d [] x+y+z",
            "7 e [1] p+q",
            "13 #f [git:https://code.invalid/f.git] default",
        ]
    );
    assert!(gemfile(text).is_clear);
    assert_eq!(asked("gem \"a#{b}\"\ngem x\ngem\n"), Vec::<String>::new());
}

#[test]
fn a_gemfile_alone_asks_for_its_gems_and_its_gemspec() {
    let open = gemfile::unresolved(&Input {
        path: "Gemfile",
        bytes: b"gemspec\ngem 'a', '1'\ngroup :development do\n  gem 'b'\nend\n",
        siblings: &Siblings::new(),
    })
    .unwrap();
    let open: Vec<_> = open
        .iter()
        .map(|it| (it.name.as_str(), it.requirement.as_str(), it.kind, it.line))
        .collect();

    assert_eq!(
        open,
        [
            ("a", "1", DependencyKind::Runtime, 2),
            ("b", "", DependencyKind::Development, 4),
            ("gemspec", "ruby:gemspec", DependencyKind::Runtime, 1),
        ]
    );
}

#[test]
fn a_gemspec_of_the_repository_is_read_on_its_own() {
    let names = |text: &str, gemspec: &str| -> Vec<String> {
        let siblings = Siblings::from([(gemspec.to_owned(), Vec::new())]);
        let open = gemfile::unresolved(&Input {
            path: "app/Gemfile",
            bytes: text.as_bytes(),
            siblings: &siblings,
        });
        open.unwrap().into_iter().map(|one| one.name).collect()
    };

    assert!(names("gemspec\n", "app/app.gemspec").is_empty());
    assert!(names("gemspec path: 'engine'\n", "app/engine/e.gemspec").is_empty());
    assert_eq!(names("gemspec\n", "app/engine/e.gemspec"), ["gemspec"]);
    assert_eq!(names("gemspec path: '../..'\n", "a.gemspec"), ["gemspec"]);
}

/// A repository has any version, whatever the requirement next to it says.
#[test]
fn a_gem_from_an_address_names_no_versions() {
    let open = gemfile::unresolved(&Input {
        path: "Gemfile",
        bytes: b"gem 'a', '1', github: 'maker/a'\ngem 'b', path: DIR\n\
                 git 'https://u:p@h.invalid/c.git' do\n  gem 'c', '1'\nend\n\
                 source 'https://gems.invalid' do\n  gem 'd', '1'\nend\n",
        siblings: &Siblings::new(),
    })
    .unwrap();
    let open: Vec<_> = open
        .iter()
        .map(|it| (it.name.as_str(), it.requirement.as_str()))
        .collect();

    assert_eq!(
        open,
        [
            ("a", "github:maker/a"),
            ("b", "path:"),
            ("c", "git:https://h.invalid/c.git"),
            ("d", "1"),
        ]
    );
    for (_, requirement) in &open[..3] {
        assert!(crate::Ecosystem::admitted_versions(&crate::gem::RubyGems, requirement).is_err());
    }
}

#[test]
fn several_remotes_do_not_say_which_gem_is_whose() {
    let text = LOCK.replace("  specs", "  remote: https://more.invalid/\n  specs");
    let lockfile = read(&[("Gemfile.lock", &text)]).unwrap();
    assert_eq!(
        lockfile.packages[0].origin,
        patchgate_model::Origin::Registry(None)
    );
}

#[test]
fn a_line_that_cannot_be_read_loses_only_itself() {
    for (from, to, reason, line) in [
        (
            "    rake (13.0)",
            "    rack (3.0)",
            "locks `rack (3.0)` twice",
            5,
        ),
        (
            "rake (13.0)",
            "rake (x)",
            "locks `rake` at \"x\", which is not a version",
            5,
        ),
        (
            "rake (13.0)",
            "rake (13.0",
            "has an unclosed parenthesis",
            5,
        ),
        (
            "    rake (13.0)",
            "   rake (13.0)",
            "has a line with unexpected indentation",
            5,
        ),
        (
            "rake (13.0)",
            "ra/../ke (13.0)",
            "names the gem \"ra/../ke\", which RubyGems does not allow",
            5,
        ),
    ] {
        let lockfile = read(&[("Gemfile.lock", &LOCK.replace(from, to))]).unwrap();
        let skipped = &lockfile.skipped[0];
        assert_eq!((skipped.reason.as_str(), skipped.line), (reason, line));
    }
}

/// The output of `bundle list` for the platform on which it ran.
#[test]
fn checksums_and_platforms_of_a_real_lockfile_are_read() {
    insta::assert_snapshot!(snapshot_text(
        &read(&[
            (
                "Gemfile.lock",
                include_str!("fixtures/read/checksums/Gemfile.lock")
            ),
            ("Gemfile", include_str!("fixtures/read/checksums/Gemfile")),
        ])
        .unwrap()
    ));
}

/// The file that Bundler 2.6.7 writes for a Gemfile without gems.
/// The last line of an old lockfile is whole if it ends with a mark. Another one may be cut, but all
/// gems are above it.
#[test]
fn a_last_line_may_lack_its_line_break() {
    let head =
        "GEM\n  remote: https://gems.invalid/\n  specs:\n    rake (13.0.6)\n\nDEPENDENCIES\n";
    for (last, is_whole) in [
        ("  rake (~> 13.0)", false),
        ("  rake!", true),
        ("  rake", false),
        ("  rak", false),
        ("  rake (~> 13", false),
    ] {
        let text = format!("{head}{last}");
        let lockfile = read(&[("Gemfile.lock", text.as_str())]).unwrap();
        assert_eq!(lockfile.packages.len(), 1, "{last}");
        assert!(lockfile.unresolved.is_empty(), "{last}");
        assert_eq!(
            lockfile.roots[0].edges.len(),
            usize::from(is_whole),
            "{last}"
        );
        let lost: Vec<Loss> = lockfile.skipped.iter().map(|entry| entry.loss).collect();
        assert_eq!(lost.is_empty(), is_whole, "{last}: {lost:?}");
    }
}

#[test]
fn a_lockfile_without_gems_is_read() {
    let text = "GEM\n  remote: https://gems.invalid/\n  specs:\n\nPLATFORMS\n  ruby\n\n\
                DEPENDENCIES\n\nBUNDLED WITH\n   2.6.7\n";
    let lockfile = read(&[("Gemfile.lock", text)]).unwrap();
    assert_eq!(lockfile.packages, []);
}

/// A directory of the repository is read on its own; one outside is not known.
#[test]
fn gems_of_the_repository_itself_are_not_open() {
    let siblings = Siblings::new();
    let open = gemfile::unresolved(&Input {
        path: "app/Gemfile",
        bytes: b"gem 'a', path: '../a'\ngem 'b', path: '../../b'\ngem 'c', path: '/c'\n",
        siblings: &siblings,
    });
    let names: Vec<String> = open.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["b", "c"]);
}

#[test]
fn statements_that_may_require_gems_are_not_lost() {
    for (text, expected) in [
        ("gem name", "1 gem ruby:code"),
        ("%w[a b].each { |name| gem name }", "1 gem ruby:code"),
        ("eval_gemfile 'x'", "1 gem ruby:code"),
        ("group(:a) { gem 'b' }", "1 gem ruby:code"),
        ("send :gem, 'b'", "1 gem ruby:code"),
        ("gem 'a', '1'; gem 'b'", "1 a |1 gem ruby:code"),
        ("gem 'a'\nputs 'one gem'", "1 a "),
        ("source 'https://gem.invalid'\ngem 'a', '1' if x", "2 a "),
    ] {
        let siblings = Siblings::new();
        let input = Input {
            path: "Gemfile",
            bytes: text.as_bytes(),
            siblings: &siblings,
        };
        let found: Vec<String> = gemfile::unresolved(&input)
            .unwrap()
            .iter()
            .map(|one| format!("{} {} {}", one.line, one.name, one.requirement))
            .collect();
        assert_eq!(found.join("|"), expected, "{text}");
    }

    use crate::Ecosystem as _;
    assert!(super::RubyGems.admitted_versions(gemfile::CODE).is_err());
}

//! The dependency graph as an indented tree.

use super::{InventoryReport, WhyChain};
use crate::clean::clean;
use crate::terminal::{BOLD, DIM, Terminal, YELLOW};

/// Deepest level that is drawn; `…` marks a cut.
const MAX_LEVELS: usize = 64;

impl InventoryReport {
    /// The graph of every file as text: its projects, and below each package its dependencies. `(*)`
    /// marks a package whose dependencies were drawn before.
    #[must_use]
    pub fn to_tree(&self, terminal: Terminal) -> String {
        let mut lines = Vec::new();
        if self.why.is_some() {
            self.why_lines(terminal, &mut lines);
        } else {
            for (number, lockfile) in self.lockfiles.iter().enumerate() {
                self.file_lines(number, &lockfile.path, terminal, &mut lines);
            }
            self.unresolved_lines(terminal, &mut lines);
        }

        self.end_lines(terminal, &mut lines);
        lines.join("\n") + "\n"
    }

    fn file_lines(&self, number: usize, path: &str, terminal: Terminal, lines: &mut Vec<String>) {
        // The copies of this file are a contiguous part of all copies.
        let first: usize = self
            .lockfiles
            .iter()
            .take(number)
            .map(|file| file.packages)
            .sum();
        let count = self.lockfiles.get(number).map_or(0, |file| file.packages);

        lines.push(terminal.paint(BOLD, &clean(path)));
        let mut drawn = vec![false; count];
        let mut draw = Draw {
            report: self,
            terminal,
            first,
            drawn: &mut drawn,
            lines,
        };

        // Trees below the projects.
        let own = |id: &usize| (first..first + count).contains(id);
        // A file may be read as two formats. A root belongs to the one that contains its targets.
        for root in self
            .roots
            .iter()
            .filter(|root| root.lockfile == path && root.depends_on.iter().all(own))
            .filter(|root| !root.depends_on.is_empty())
        {
            let name = root_name(&root.name, root.manifest.as_deref());
            draw.lines.push(clean(&name));
            draw.children(&root.depends_on, "", 1);
        }

        // Trees of the packages that no project leads to: the file does not say why they are
        // installed.
        let rest: Vec<usize> = (first..first + count)
            .filter(|id| draw.is_left(*id))
            .collect();
        let below: std::collections::BTreeSet<usize> = rest
            .iter()
            .flat_map(|id| self.packages.get(*id))
            .flat_map(|package| {
                package
                    .depends_on
                    .iter()
                    .copied()
                    .filter(|to| *to != package.id)
            })
            .collect();
        let tops: Vec<usize> = rest
            .iter()
            .copied()
            .filter(|id| !below.contains(id))
            .collect();

        if !rest.is_empty() {
            draw.lines
                .push("(not required by any known project)".to_owned());
        }

        draw.children(&tops, "", 0);

        // Cycles have no top, so any of their packages may begin a tree.
        let circular: Vec<usize> = rest.into_iter().filter(|id| draw.is_left(*id)).collect();
        for id in circular {
            if draw.is_left(id) {
                draw.children(&[id], "", 0);
            }
        }

        lines.push(String::new());
    }

    fn why_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        let Some(why) = &self.why else { return };

        if why.chains.is_empty() {
            lines.push(format!("no file contains `{}`", clean(&why.package)));
        }

        let mut file = None;
        for chain in &why.chains {
            if file != Some(&chain.lockfile) {
                lines.push(terminal.paint(BOLD, &clean(&chain.lockfile)));
                file = Some(&chain.lockfile);
            }
            lines.push(format!("  {}", chain_text(chain)));
        }

        if why.more {
            let text = format!("there are more chains; {} are shown", why.chains.len());
            lines.push(terminal.paint(YELLOW, &text));
        }

        lines.push(String::new());
    }

    pub(super) fn unresolved_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        if self.unresolved.is_empty() {
            return;
        }

        let title = format!("Without a version ({})", self.unresolved.len());
        lines.push(terminal.paint(YELLOW, &title));
        for one in &self.unresolved {
            lines.push(format!(
                "  {}:{}: {} {}",
                clean(&one.location.file),
                one.location.line,
                clean(&one.name),
                clean(&one.requirement)
            ));
        }

        lines.push(String::new());
    }
}

/// A chain on one line.
pub(super) fn chain_text(chain: &WhyChain) -> String {
    let root = chain
        .root
        .as_deref()
        .unwrap_or("(not required by any known project)");
    std::iter::once(root)
        .chain(chain.steps.iter().map(String::as_str))
        .map(clean)
        .collect::<Vec<_>>()
        .join(" > ")
}

/// The label of a project: its name, or its manifest when it has none.
pub(super) fn root_name(name: &str, manifest: Option<&str>) -> String {
    match (name, manifest) {
        ("", Some(manifest)) => manifest.to_owned(),
        ("", None) => "(project)".to_owned(),
        (name, _) => name.to_owned(),
    }
}

struct Draw<'a> {
    report: &'a InventoryReport,
    terminal: Terminal,
    first: usize,
    drawn: &'a mut Vec<bool>,
    lines: &'a mut Vec<String>,
}

impl Draw<'_> {
    fn is_left(&self, id: usize) -> bool {
        self.drawn.get(id - self.first) == Some(&false)
    }

    fn children(&mut self, ids: &[usize], indent: &str, level: usize) {
        for (index, id) in ids.iter().enumerate() {
            let Some(package) = self.report.packages.get(*id) else {
                continue;
            };
            let last = index + 1 == ids.len();
            let again = !self.is_left(*id);

            if let Some(drawn) = self.drawn.get_mut(*id - self.first) {
                *drawn = true;
            }

            // The line of the package itself.
            let mut line = format!(
                "{indent}{}{} {}",
                if last { "└── " } else { "├── " },
                clean(&package.name),
                clean(&package.version)
            );
            let mut notes = Vec::new();
            if package.scope != "runtime" {
                notes.push(package.scope.clone());
            }
            if package.origin.kind != "registry" {
                notes.push(package.origin.kind.clone());
            }
            if !notes.is_empty() {
                line.push_str(
                    &self
                        .terminal
                        .paint(DIM, &format!(" ({})", notes.join(", "))),
                );
            }

            let below = !package.depends_on.is_empty();
            let cut = level >= MAX_LEVELS;
            if below && (again || cut) {
                line.push_str(if again { " (*)" } else { " …" });
            }

            self.lines.push(line);

            // The trees of its dependencies.
            if below && !again && !cut {
                let indent = format!("{indent}{}", if last { "    " } else { "│   " });
                let ids = &package.depends_on;
                self.children(ids, &indent, level + 1);
            }
        }
    }
}

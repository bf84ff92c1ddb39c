//! The inventory as a table.

use super::tree::chain_text;
use super::{InventoryPackage, InventoryReport};
use crate::clean::{clean, cut};
use crate::grid::Grid;
use crate::scan::{Detail, count, incomplete_lines};
use crate::terminal::{DIM, GREEN, RED_BOLD, Terminal};

/// Most columns of a name. On a terminal a longer one is cut, elsewhere it is whole.
const MAX_NAME: usize = 56;
/// Most columns of a version, likewise.
const MAX_VERSION: usize = 32;

impl InventoryReport {
    /// As text for a terminal: a line for each package, file by file.
    #[must_use]
    pub fn to_table(&self, terminal: Terminal) -> String {
        let mut lines = Vec::new();
        match &self.why {
            Some(why) => {
                for chain in &why.chains {
                    lines.push(format!("{}: {}", clean(&chain.lockfile), chain_text(chain)));
                }
                if why.chains.is_empty() {
                    lines.push(format!("no file contains `{}`", clean(&why.package)));
                }
                if why.more {
                    lines.push(format!(
                        "there are more chains; {} are shown",
                        why.chains.len()
                    ));
                }

                lines.push(String::new());
            }
            None => {
                self.package_lines(terminal, &mut lines);
                self.unresolved_lines(terminal, &mut lines);
            }
        }

        self.end_lines(terminal, &mut lines);
        lines.join("\n") + "\n"
    }

    /// Only the inputs that could not be read.
    #[must_use]
    pub fn problems_text(&self, terminal: Terminal) -> String {
        let mut lines = Vec::new();
        incomplete_lines(&self.incomplete, terminal, Detail::Brief, &mut lines);
        lines.join("\n") + "\n"
    }

    fn package_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        if self.packages.is_empty() {
            return;
        }

        let cell = |text: &str, width: usize| match terminal.interactive {
            true => cut(&clean(text), width),
            false => clean(text),
        };
        let header = [
            "ECOSYSTEM",
            "PACKAGE",
            "VERSION",
            "SCOPE",
            "DIRECT",
            "LOCATION",
        ];
        let mut grid = Grid::new(&header, &[]);
        for package in &self.packages {
            let direct = match package.direct {
                Some(true) => "direct",
                Some(false) => "transitive",
                None => "",
            };
            let at = format!(
                "{}:{}",
                clean(&package.location.file),
                package.location.line
            );
            grid.row([
                &ecosystem(package),
                &cell(&package.name, MAX_NAME),
                &cell(&package.version, MAX_VERSION),
                &package.scope,
                direct,
                &at,
            ]);
        }

        lines.extend(grid.lines(terminal).concat());
        lines.push(String::new());
    }

    /// Adds the inputs that could not be read, and the totals.
    pub(super) fn end_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        incomplete_lines(&self.incomplete, terminal, Detail::Brief, lines);
        let mut text = format!(
            "{} in {}",
            count(self.summary.packages, "package", "packages"),
            count(self.summary.lockfiles, "file", "files")
        );
        if self.summary.unresolved > 0 {
            text.push_str(&format!(
                ", {} without a version",
                count(self.summary.unresolved, "requirement", "requirements")
            ));
        }

        let style = if self.summary.complete {
            GREEN
        } else {
            text.push_str("; incomplete");
            RED_BOLD
        };
        lines.push(terminal.paint(style, &text));

        if self.summary.lockfiles == 0 {
            let hint = "`patchgate formats` lists the supported files";
            lines.push(terminal.paint(DIM, hint));
        }
    }
}

fn ecosystem(package: &InventoryPackage) -> String {
    match &package.distribution {
        Some(distribution) => clean(&format!("{}:{distribution}", package.ecosystem)),
        None => package.ecosystem.clone(),
    }
}

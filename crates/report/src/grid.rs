//! Tables of plain cells, for commands whose rows have a few short columns and a long last one.

use crate::clean::clean;
use crate::terminal::{BOLD, Span, Terminal};

/// Most columns that a column is wide because of one cell. A wider one moves the rest of its row.
const MAX_COLUMN: usize = 56;
/// Fewest columns for the last cell beside the others. With fewer, it begins on a line of its own.
const MIN_LAST: usize = 20;
/// Indentation of the further lines of a row whose last cell is not beside the others.
const HANGING: usize = 4;

/// A table without lines between its cells. Its rows are at most as wide as the terminal: the last
/// cell is wrapped within its column.
#[derive(Debug)]
pub struct Grid<'a> {
    header: &'a [&'a str],
    right: &'a [usize],
    rows: Vec<Vec<String>>,
}

impl<'a> Grid<'a> {
    /// A table with the titles of its columns. The columns whose indices are in `right` are aligned at
    /// their right ends.
    #[must_use]
    pub fn new(header: &'a [&'a str], right: &'a [usize]) -> Self {
        Self {
            header,
            right,
            rows: Vec::new(),
        }
    }

    /// Adds a row with a cell for each column.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter().map(|cell| clean(cell.as_ref()));
        self.rows.push(cells.collect());
    }

    /// The lines of each row, first those of the header. The last cell keeps its words whole, unless a
    /// terminal would break them.
    #[must_use]
    pub fn lines(&self, terminal: Terminal) -> Vec<Vec<String>> {
        let header = self.header.iter().map(|title| (*title).to_owned());
        let header: Vec<String> = header.collect();
        let widths: Vec<usize> = (0..self.header.len().saturating_sub(1))
            .map(|column| {
                let cells = self.rows.iter().chain([&header]);
                let lengths = cells.map(|row| row.get(column).map_or(0, |cell| length(cell)));
                lengths.max().unwrap_or(0).min(MAX_COLUMN)
            })
            .collect();

        let mut lines = vec![self.row_lines(&header, &widths, terminal)];
        for line in lines.iter_mut().flatten() {
            *line = terminal.paint(BOLD, line);
        }
        let rows = self.rows.iter();
        lines.extend(rows.map(|row| self.row_lines(row, &widths, terminal)));
        lines
    }

    /// The table as text.
    #[must_use]
    pub fn text(&self, terminal: Terminal) -> String {
        let lines: Vec<String> = self.lines(terminal).concat();
        lines.join("\n") + "\n"
    }

    fn row_lines(&self, cells: &[String], widths: &[usize], terminal: Terminal) -> Vec<String> {
        let mut label = String::new();
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            match self.right.contains(&column) {
                true => label.push_str(&format!("{cell:>width$}  ")),
                false => label.push_str(&format!("{cell:<width$}  ")),
            }
        }
        let indent = label.chars().count();
        let last = cells.get(widths.len()).map_or("", String::as_str);

        // Beside the others.
        let columns = terminal.columns();
        if indent + MIN_LAST <= columns || indent + length(last) <= columns {
            let lines = terminal.flow(&label, indent, &[Span::new(last)]);
            return trimmed(lines);
        }

        // Below the others, which are wrapped if they are too wide even without it.
        let mut lines = match length(label.trim_end()) <= columns {
            true => vec![label],
            false => terminal.flow("", HANGING, &[Span::new(label)]),
        };
        lines.extend(terminal.wrap("", HANGING, last));
        trimmed(lines)
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn trimmed(lines: Vec<String>) -> Vec<String> {
    let lines = lines.into_iter();
    lines.map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(width: usize) -> Terminal {
        Terminal {
            width,
            color: false,
            interactive: false,
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut grid = Grid::new(&["NAME", "COUNT", "FILES"], &[1]);
        grid.row(["a", "7", "one, two"]);
        grid.row(["a-long-name", "12345678", ""]);

        assert_eq!(
            grid.text(at(80)),
            "NAME            COUNT  FILES\n\
             a                   7  one, two\n\
             a-long-name  12345678\n"
        );
    }

    #[test]
    fn the_last_cell_is_wrapped_within_its_column() {
        let mut grid = Grid::new(&["NAME", "FILES"], &[]);
        grid.row(["a", &"file.lock, ".repeat(8)]);

        let lines = grid.lines(at(60));
        let row = &lines[1];
        assert_eq!(row.len(), 2);
        assert!(row[0].starts_with("a     file.lock, "));
        assert!(row[1].starts_with("      file.lock, "));
        assert!(row.iter().all(|line| line.len() <= 60));
    }

    #[test]
    fn a_cell_without_room_is_on_a_line_of_its_own() {
        let name = "n".repeat(45);
        let mut grid = Grid::new(&["NAME", "AT"], &[]);
        grid.row([name.as_str(), "directory/of/the/file"]);
        grid.row(["a", "b"]);

        let lines = grid.lines(at(60));
        assert_eq!(lines[1], [name, "    directory/of/the/file".to_owned()]);
        assert_eq!(lines[2].len(), 1);
    }

    #[test]
    fn cells_that_do_not_fit_at_all_are_wrapped() {
        let mut grid = Grid::new(&["NAME", "VERSION", "AT"], &[]);
        grid.row([
            "n".repeat(50),
            "v".repeat(40),
            "directory/of/the/file".to_owned(),
        ]);

        let lines = grid.lines(at(60));
        assert!(
            lines.concat().iter().all(|line| line.len() <= 60),
            "{lines:?}"
        );
    }
}

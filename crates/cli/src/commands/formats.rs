//! `patchgate formats`: the files that are read, from the registry of ecosystems.

use patchgate_ecosystems::{ALL, FileReader};
use patchgate_report::{Grid, Terminal};

use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Flags of `patchgate formats`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Format of the list
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Columns for people
    Table,
    /// Markdown: the table of docs/formats.md
    Markdown,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let text = match args.format {
        Format::Table => table(context.terminal.for_output(None)),
        Format::Markdown => markdown(),
    };
    output::write(&text, None)?;
    Ok(Exit::Clean)
}

fn table(terminal: Terminal) -> String {
    let header = ["ECOSYSTEM", "FORMAT", "VERSIONS", "FIX", "FILES"];
    let mut grid = Grid::new(&header, &[]);
    for ecosystem in ALL {
        for format in ecosystem.files().into_iter().flat_map(FileReader::formats) {
            grid.row([
                ecosystem.name().as_str(),
                format.id,
                format.versions,
                if format.fixable { "yes" } else { "" },
                &format.files.join(", "),
            ]);
        }
    }

    grid.text(terminal)
}

/// The table between the markers in `docs/formats.md`.
pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "| ecosystem | format | files | versions | `fix` |\n| --- | --- | --- | --- | --- |\n",
    );
    for ecosystem in ALL {
        for format in ecosystem.files().into_iter().flat_map(FileReader::formats) {
            let files: Vec<String> = format
                .files
                .iter()
                .map(|file| format!("`{file}`"))
                .collect();
            text.push_str(&format!(
                "| {} | `{}` | {} | {} | {} |\n",
                ecosystem.name(),
                format.id,
                files.join(", "),
                format.versions,
                if format.fixable { "yes" } else { "" }
            ));
        }
    }

    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fits_its_terminal() {
        let terminal = patchgate_report::Terminal {
            width: 80,
            color: false,
            interactive: true,
        };
        let text = super::table(terminal);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{text}");

        // Every format begins in the same column.
        let at = text.find("FORMAT").unwrap();
        let rows = text.lines().filter(|line| !line.starts_with(' '));
        assert!(rows.into_iter().all(|line| &line[at - 2..at] == "  "));
    }

    /// The table of `docs/formats.md` comes from the code. `UPDATE_DOCS=1` writes it.
    #[test]
    fn the_page_has_the_current_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats.md");
        let page = std::fs::read_to_string(path).unwrap();
        let begin = "<!-- patchgate formats --format markdown -->\n";
        let (before, rest) = page.split_once(begin).unwrap();
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        let current = format!("{before}{begin}{}<!-- end -->{after}", super::markdown());

        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &current).unwrap();
        } else {
            assert!(
                page == current,
                "docs/formats.md is out of date: run the tests with UPDATE_DOCS=1"
            );
        }
    }
}

//! `patchgate formats`: the lockfiles that are read, from the registry of ecosystems.

use patchgate_ecosystems::ALL;

use crate::exit::Exit;
use crate::output;

/// Flags of `patchgate formats`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How to print the table
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Columns
    Table,
    /// The table of the README
    Markdown,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let text = match args.format {
        Format::Table => table(),
        Format::Markdown => markdown(),
    };
    output::write(&text, None)?;
    Ok(Exit::Clean)
}

fn table() -> String {
    let mut text = format!("{:<12} {:<22} {}\n", "ECOSYSTEM", "FILE", "VERSIONS");
    for ecosystem in ALL {
        for file in ecosystem.lockfiles() {
            text.push_str(&format!(
                "{:<12} {:<22} {}\n",
                ecosystem.name(),
                file.file_name,
                file.versions
            ));
        }
    }
    text
}

/// The table between the markers in the README.
pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "| ecosystem | lockfiles read | manifests changed by `fix` |\n| --- | --- | --- |\n",
    );
    for ecosystem in ALL {
        let lockfiles: Vec<String> = ecosystem
            .lockfiles()
            .iter()
            .map(|file| format!("`{}` {}", file.file_name, file.versions))
            .collect();
        let manifests: Vec<String> = ecosystem
            .manifests()
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        text.push_str(&format!(
            "| {} | {} | {} |\n",
            ecosystem.name(),
            lockfiles.join(", "),
            manifests.join(", ")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_readme_has_the_table_of_today() {
        let readme = include_str!("../../../../README.md");
        assert!(
            readme.contains(&super::markdown()),
            "README.md lacks the table that `patchgate formats --format markdown` prints"
        );
    }
}

//! Detection of the terminal: whether the standard streams are one, its width, and color.

use std::io::IsTerminal as _;

/// The choice of `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Everywhere, also in files and pipes.
    Always,
    /// Nowhere, also not on a terminal.
    Never,
}

/// The terminal that a command writes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// Whether standard output takes colour.
    pub(crate) color: bool,
    /// Columns of standard output: those of the terminal, or the environment's `COLUMNS`, or
    /// [`Terminal::PIPE_WIDTH`].
    pub(crate) width: usize,
    /// Whether standard output is a terminal.
    pub(crate) interactive: bool,
    /// Whether progress may be drawn on standard error.
    pub(crate) progress: bool,
}

impl From<Terminal> for patchgate_report::Terminal {
    fn from(terminal: Terminal) -> Self {
        Self {
            width: terminal.width,
            color: terminal.color,
            interactive: terminal.interactive,
        }
    }
}

impl Terminal {
    /// Columns for files and pipes: wide enough for a package with its paths on one line.
    const PIPE_WIDTH: usize = 120;

    pub(crate) fn detect(color: Color, quiet: bool) -> Self {
        let stdout = std::io::stdout();
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                stdout.is_terminal()
                    && anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never
            }
        };

        let interactive = stdout.is_terminal();
        let of_terminal = || {
            let (width, _) = terminal_size::terminal_size().filter(|_| interactive)?;
            Some(usize::from(width.0))
        };
        let stated = || std::env::var("COLUMNS").ok()?.parse().ok();

        Self {
            color,
            width: of_terminal().or_else(stated).unwrap_or(Self::PIPE_WIDTH),
            interactive,
            progress: !quiet && std::io::stderr().is_terminal(),
        }
    }
}

impl Terminal {
    /// The layout for messages on standard error.
    pub(crate) fn for_messages() -> patchgate_report::Terminal {
        patchgate_report::Terminal {
            width: Self::PIPE_WIDTH,
            color: false,
            interactive: false,
        }
    }

    /// The layout for a result that goes to `file`, or to standard output where none is given.
    pub(crate) fn for_output(self, file: Option<&std::path::Path>) -> patchgate_report::Terminal {
        match file {
            Some(_) => Self::for_messages(),
            None => self.into(),
        }
    }
}

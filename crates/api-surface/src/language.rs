//! The languages whose sources are read.

use tree_sitter::{Parser, Tree};

/// A language, with the ecosystem of its packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// JavaScript and JSX.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// Python.
    Python,
    /// Rust.
    Rust,
    /// Go.
    Go,
    /// Java.
    Java,
}

/// Most bytes of a source file. Larger ones are bundles or data.
const MAX_BYTES: usize = 1024 * 1024;

impl Language {
    /// The language of a file by the end of its name; `None` for other files.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let (_, end) = path.rsplit_once('.')?;
        Some(match end {
            "js" | "mjs" | "cjs" | "jsx" => Self::JavaScript,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "tsx" => Self::Tsx,
            "py" | "pyi" => Self::Python,
            "rs" => Self::Rust,
            "go" => Self::Go,
            "java" => Self::Java,
            _ => return None,
        })
    }

    /// The ecosystem of the packages that its imports name, by its OSV name.
    #[must_use]
    pub fn ecosystem(self) -> &'static str {
        match self {
            Self::JavaScript | Self::TypeScript | Self::Tsx => "npm",
            Self::Python => "PyPI",
            Self::Rust => "crates.io",
            Self::Go => "Go",
            Self::Java => "Maven",
        }
    }

    /// The syntax tree of a source; `None` if it is too large.
    pub(crate) fn parse(self, source: &[u8]) -> Option<Tree> {
        if source.len() > MAX_BYTES {
            return None;
        }
        let language = match self {
            Self::JavaScript => tree_sitter_javascript::LANGUAGE,
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
            Self::Python => tree_sitter_python::LANGUAGE,
            Self::Rust => tree_sitter_rust::LANGUAGE,
            Self::Go => tree_sitter_go::LANGUAGE,
            Self::Java => tree_sitter_java::LANGUAGE,
        };
        let mut parser = Parser::new();
        parser.set_language(&language.into()).ok()?;
        parser.parse(source, None)
    }
}

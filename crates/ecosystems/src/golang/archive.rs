//! The archive of a module release: its hash in `go.sum`, and the packages that it imports.
//!
//! The hash is the one of `golang.org/x/mod/sumdb/dirhash`
//! (<https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1>): the SHA-256 of a list of the files,
//! sorted by name, each with the SHA-256 of its content.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::ParseError;

/// Largest content of an archive, in bytes, as in Go
/// (<https://pkg.go.dev/golang.org/x/mod/zip#pkg-constants>).
const MAX_CONTENT_BYTES: u64 = 500 << 20;

/// Most files in an archive. The largest published modules have some ten thousand.
const MAX_FILES: usize = 200_000;

/// Beginning of a Go file that is searched for imports, in bytes. They precede all other code, but not
/// the comment with the license.
const MAX_HEADER_BYTES: u64 = 256 * 1024;

/// The content of an archive, as far as a lockfile needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Archive {
    /// The hash as `go.sum` writes it, `h1:` and base64.
    pub(super) hash: String,
    /// The import paths in its files other than tests.
    pub(super) imports: BTreeSet<String>,
}

/// The hash of a `go.mod` alone, as `go.sum` writes it.
pub(super) fn go_mod_hash(content: &[u8]) -> String {
    let files = BTreeMap::from([("go.mod".to_owned(), hex(&Sha256::digest(content)))]);
    hash(&files)
}

impl Archive {
    /// Reads the archive of a release. Every file in it lies in a directory `path@version`
    /// (<https://go.dev/ref/mod#zip-files>).
    ///
    /// # Errors
    /// If it is not such an archive, or above a limit.
    pub(super) fn read(bytes: &[u8], path: &str, version: &str) -> Result<Self, ParseError> {
        let wrong = |error: zip::result::ZipError| {
            ParseError::new(format!("is not an archive of a module: {error}"))
        };
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(wrong)?;
        if archive.len() > MAX_FILES {
            return Err(ParseError::new(format!("has more than {MAX_FILES} files")));
        }

        let prefix = format!("{path}@{version}/");
        let mut files = BTreeMap::new();
        let mut imports = BTreeSet::new();
        let mut left = MAX_CONTENT_BYTES;
        for index in 0..archive.len() {
            let file = archive.by_index(index).map_err(wrong)?;
            let name = file.name().map_err(wrong)?.into_owned();
            let Some(inside) = name.strip_prefix(&prefix) else {
                return Err(ParseError::new(format!(
                    "has a file outside of `{prefix}`, which Go does not allow"
                )));
            };
            if name.contains('\n') || name.ends_with('/') {
                return Err(ParseError::new("has an entry that is not a file"));
            }

            let is_source = is_source(inside);
            let (digest, header) = digest(file, &mut left, is_source)?;
            if is_source {
                imports.extend(imports_of(&header));
            }
            if files.insert(name, digest).is_some() {
                return Err(ParseError::new("has a file twice"));
            }
        }

        let hash = hash(&files);
        Ok(Self { hash, imports })
    }

    /// Whether it imports a package whose path begins with a module's path.
    pub(super) fn imports_from(&self, module: &str) -> bool {
        self.imports.iter().any(|import| {
            let inside = import.strip_prefix(module);
            inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The hash of a file's content in hexadecimal, and the beginning of a source file.
fn digest(
    mut file: impl std::io::Read,
    left: &mut u64,
    keep_header: bool,
) -> Result<(String, Vec<u8>), ParseError> {
    let mut sha = Sha256::new();
    let mut header = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|error| ParseError::new(format!("is not an archive of a module: {error}")))?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            return Ok((hex(&sha.finalize()), header));
        };

        *left = left.checked_sub(count as u64).ok_or_else(|| {
            ParseError::new(format!(
                "has more than {} MiB of files",
                MAX_CONTENT_BYTES >> 20
            ))
        })?;
        sha.update(part);
        if keep_header {
            let room = MAX_HEADER_BYTES.saturating_sub(header.len() as u64);
            let mut kept = part.take(room);
            // A slice never fails to be read.
            let _ = kept.read_to_end(&mut header);
        }
    }
}

/// The hash of a list of files with the hashes of their contents.
fn hash(files: &BTreeMap<String, String>) -> String {
    let mut sha = Sha256::new();
    for (name, digest) in files {
        sha.update(format!("{digest}  {name}\n"));
    }
    format!("h1:{}", STANDARD.encode(sha.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a file can belong to a package that another module imports: a test cannot, nor can a file
/// in a directory that Go leaves out (<https://pkg.go.dev/cmd/go#hdr-Package_lists_and_patterns>).
fn is_source(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let is_package = name.ends_with(".go") && !name.ends_with("_test.go");
    let is_left_out = |part: &str| part.starts_with(['_', '.']) || part == "testdata";
    is_package && !name.starts_with(['_', '.']) && !parts.any(is_left_out)
}

/// The import paths at the beginning of a Go file
/// (<https://go.dev/ref/spec#Import_declarations>). What follows the imports is not read.
fn imports_of(header: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(header);
    let mut imports = Vec::new();
    let mut in_block = false;
    let mut is_import = false;
    for token in Tokens(&text) {
        match token {
            Token::Text(path) if is_import => {
                imports.push(path.to_owned());
                is_import = in_block;
            }
            Token::Word("import") if !in_block => is_import = true,
            Token::Word("package" | "import") => {}
            Token::Symbol('(') if is_import => in_block = true,
            Token::Symbol(')') if in_block => {
                in_block = false;
                is_import = false;
            }
            // The name of a package, or of an import: an identifier, `.` or `_`.
            Token::Word("func" | "var" | "const" | "type") if !in_block => break,
            Token::Word(_) | Token::Symbol('.' | ';') => {}
            Token::Symbol(_) | Token::Text(_) => break,
        }
    }

    imports
}

/// The tokens at the beginning of a Go file, without comments.
struct Tokens<'a>(&'a str);

enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
    Symbol(char),
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.0 = self
                .0
                .trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            if let Some(comment) = self.0.strip_prefix("//") {
                self.0 = comment.split_once('\n').map_or("", |(_, rest)| rest);
            } else if let Some(comment) = self.0.strip_prefix("/*") {
                self.0 = comment.split_once("*/").map_or("", |(_, rest)| rest);
            } else {
                break;
            }
        }

        let first = self.0.chars().next()?;
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let (token, rest) = match first {
            '"' | '`' => {
                let (text, rest) = self.0.get(1..)?.split_once(first)?;
                (Token::Text(text), rest)
            }
            c if is_of_word(c) => {
                let end = self.0.find(|c| !is_of_word(c)).unwrap_or(self.0.len());
                let (word, rest) = self.0.split_at(end);
                (Token::Word(word), rest)
            }
            c => (Token::Symbol(c), self.0.get(c.len_utf8()..)?),
        };
        self.0 = rest;
        Some(token)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use super::*;

    /// An archive of files, by their paths in the module.
    pub(in crate::golang) fn zipped(path: &str, version: &str, files: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            let options = zip::write::SimpleFileOptions::default();
            writer
                .start_file(format!("{path}@{version}/{name}"), options)
                .unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn hashes_are_those_of_go() {
        // Written by `go get` for the same files.
        let archive = zipped(
            "a.invalid/b",
            "v1.0.0",
            &[("go.mod", "module a.invalid/b\n"), ("b.go", "package b\n")],
        );
        let read = Archive::read(&archive, "a.invalid/b", "v1.0.0").unwrap();
        assert_eq!(read.hash, "h1:u/sF31PdnV2xQjsODKsHJLxUU6EyLN7OJ9T1kbhB/dQ=");
        assert_eq!(
            go_mod_hash(b"module a.invalid/b\n"),
            "h1:1wyQSWa/RQ838p3yd6fZGhKI+7iiobcS5tw53ocUXFg="
        );
    }

    #[test]
    fn imports_are_those_of_packages_that_others_can_import() {
        let source = "// License.\n/* import \"x/comment\" */\npackage b\n\nimport \"fmt\"; import _ `x/raw`\nimport (\n\t. \"x/dot\"\n\tname \"x/named/sub\" // why\n)\nvar s = \"x/text\"\n";
        let archive = zipped(
            "a.invalid/b",
            "v1.0.0",
            &[
                ("b.go", source),
                ("b_test.go", "package b\nimport \"x/test\"\n"),
                ("testdata/c.go", "package c\nimport \"x/data\"\n"),
                ("_tools/d.go", "package d\nimport \"x/tools\"\n"),
                ("e/e.go", "package e\nfunc f() {}\nimport \"x/late\"\n"),
                ("f.txt", "import \"x/prose\"\n"),
            ],
        );
        let read = Archive::read(&archive, "a.invalid/b", "v1.0.0").unwrap();
        let imports: Vec<&str> = read.imports.iter().map(String::as_str).collect();
        assert_eq!(imports, ["fmt", "x/dot", "x/named/sub", "x/raw"]);
        assert!(read.imports_from("x/named"));
        assert!(!read.imports_from("x/name"));
    }

    #[test]
    fn an_archive_of_something_else_is_refused() {
        let good = zipped(
            "a.invalid/b",
            "v1.0.0",
            &[("go.mod", "module a.invalid/b\n")],
        );
        for (bytes, version) in [
            (b"<html>".as_slice(), "v1.0.0"),
            (&good[..good.len() / 2], "v1.0.0"),
            (&good, "v1.0.1"),
        ] {
            assert!(Archive::read(bytes, "a.invalid/b", version).is_err());
        }
    }
}

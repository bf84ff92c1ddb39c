//! The archive of a module release: its hash in `go.sum`, and its packages with their imports.
//!
//! The hash is the one of `golang.org/x/mod/sumdb/dirhash`
//! (<https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1>): the SHA-256 of a list of the files,
//! sorted by name, each with the SHA-256 of its content.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

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

/// The bytes of a Go file that are read first. Most imports are within.
const FIRST_HEADER_BYTES: u64 = 4 * 1024;

/// The operating systems and architectures that names of files can end in
/// (<https://pkg.go.dev/internal/syslist>).
const PLATFORMS: [&str; 42] = [
    "386",
    "aix",
    "amd64",
    "amd64p32",
    "android",
    "arm",
    "arm64",
    "arm64be",
    "armbe",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "mipsle",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "solaris",
    "sparc",
    "sparc64",
    "wasip1",
    "wasm",
    "windows",
    "zos",
];

/// The hash of a `go.mod` alone, as `go.sum` writes it.
pub(super) fn go_mod_hash(content: &[u8]) -> String {
    let files = BTreeMap::from([("go.mod".to_owned(), hex(&Sha256::digest(content)))]);
    hash(&files)
}

/// The hash of the archive of a release as `go.sum` writes it, `h1:` and base64. Every file in it lies in
/// a directory `path@version` (<https://go.dev/ref/mod#zip-files>).
///
/// # Errors
/// If it is not such an archive, or above a limit.
pub(super) fn archive_hash(bytes: &[u8], path: &str, version: &str) -> Result<String, ParseError> {
    let prefix = format!("{path}@{version}/");
    let mut files = BTreeMap::new();
    each_file(bytes, |name, file, left| {
        if !name.starts_with(&prefix) {
            return Err(ParseError::new(format!(
                "has a file outside of `{prefix}`, which Go does not allow"
            )));
        }
        if name.contains('\n') || name.ends_with('/') {
            return Err(ParseError::new("has an entry that is not a file"));
        }

        let digest = digest(file, left)?;
        match files.insert(name, digest) {
            Some(_) => Err(ParseError::new("has a file twice")),
            None => Ok(()),
        }
    })?;

    Ok(hash(&files))
}

/// Looks at each file of an archive: its name, its content, and the number of bytes that may still be
/// read of all of them.
fn each_file(
    bytes: &[u8],
    mut look: impl FnMut(String, &mut dyn Read, &mut u64) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| not_an_archive(&error))?;
    if archive.len() > MAX_FILES {
        return Err(ParseError::new(format!("has more than {MAX_FILES} files")));
    }

    let mut left = MAX_CONTENT_BYTES;
    for index in 0..archive.len() {
        let mut file = archive
            .by_index(index)
            .map_err(|error| not_an_archive(&error))?;
        let name = file.name().map_err(|error| not_an_archive(&error))?;
        let name = name.into_owned();
        look(name, &mut file, &mut left)?;
    }

    Ok(())
}

fn not_an_archive(error: &impl std::fmt::Display) -> ParseError {
    ParseError::new(format!("is not an archive of a module: {error}"))
}

/// The packages of a release that other modules can import, by import path, each with its imports.
pub(super) type Packages = BTreeMap<String, Imports>;

/// The imports of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Imports {
    /// Those of any build.
    pub(super) possible: BTreeSet<String>,
    /// Those of every build.
    pub(super) certain: BTreeSet<String>,
}

/// Reads the packages of a release from its archive. `root` is the path by which they are imported, which
/// is another one for a module that replaces `root`.
///
/// # Errors
/// As for [`archive_hash`].
pub(super) fn packages(
    bytes: &[u8],
    (path, version): (&str, &str),
    root: &str,
) -> Result<Packages, ParseError> {
    let prefix = format!("{path}@{version}/");
    let mut packages = Packages::new();
    each_file(bytes, |name, file, left| {
        let Some(inside) = name.strip_prefix(&prefix).filter(|path| is_source(path)) else {
            return Ok(());
        };

        let text = header(file, left)?;
        let (directory, file_name) = inside.rsplit_once('/').unwrap_or(("", inside));
        let import_path = match directory {
            "" => root.to_owned(),
            directory => format!("{root}/{directory}"),
        };
        let constraint = constraint(&text);
        if constraint == Some("ignore") {
            return Ok(());
        }
        let (found, _) = imports_of(&text);
        let is_certain = constraint.is_none_or(is_of_releases)
            && !is_of_platform(file_name)
            && !found.iter().any(|import| import == "C");
        let package = packages.entry(import_path).or_default();
        if is_certain {
            package.certain.extend(found.iter().cloned());
        }
        package.possible.extend(found);

        Ok(())
    })?;

    Ok(packages)
}

/// The beginning of a Go file up to its imports. `left` is the number of bytes that may be read.
fn header(file: &mut dyn Read, left: &mut u64) -> Result<String, ParseError> {
    let mut bytes = Vec::new();
    let mut part = FIRST_HEADER_BYTES;
    loop {
        let count = (&mut *file)
            .take(part)
            .read_to_end(&mut bytes)
            .map_err(|error| not_an_archive(&error))? as u64;
        *left = left.checked_sub(count).ok_or_else(above_limit)?;

        let text = String::from_utf8_lossy(&bytes);
        let is_whole = count < part || bytes.len() as u64 >= MAX_HEADER_BYTES;
        if is_whole || imports_of(&text).1 {
            return Ok(text.into_owned());
        }
        part = bytes.len() as u64;
    }
}

fn above_limit() -> ParseError {
    let most = MAX_CONTENT_BYTES >> 20;
    ParseError::new(format!("has more than {most} MiB of files"))
}

/// The hash of a file's content in hexadecimal.
fn digest(file: &mut dyn Read, left: &mut u64) -> Result<String, ParseError> {
    let mut sha = Sha256::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|error| not_an_archive(&error))?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            return Ok(hex(&sha.finalize()));
        };

        *left = left.checked_sub(count as u64).ok_or_else(above_limit)?;
        sha.update(part);
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

/// The build constraint of a Go file (<https://pkg.go.dev/cmd/go#hdr-Build_constraints>), which comes
/// before the package clause. Of several ones the first.
fn constraint(text: &str) -> Option<&str> {
    let header = text.lines().map(str::trim);
    let mut header = header.take_while(|line| !line.starts_with("package "));
    header.find_map(|line| {
        let comment = line.strip_prefix("//")?;
        let constraint = comment
            .strip_prefix("go:build ")
            .or_else(|| comment.trim_start().strip_prefix("+build "))?;
        Some(constraint.trim())
    })
}

/// Whether a constraint only asks for a release of Go.
fn is_of_releases(constraint: &str) -> bool {
    constraint
        .strip_prefix("go1.")
        .is_some_and(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a file is for an operating system or an architecture by its name.
fn is_of_platform(name: &str) -> bool {
    let stem = name.strip_suffix(".go").unwrap_or(name);
    let last = stem.rsplit_once('_').map(|(_, last)| last);
    last.is_some_and(|last| PLATFORMS.contains(&last))
}

/// The import paths at the beginning of a Go file
/// (<https://go.dev/ref/spec#Import_declarations>), and whether they end there: something else follows.
fn imports_of(text: &str) -> (Vec<String>, bool) {
    let mut imports = Vec::new();
    let mut in_block = false;
    let mut is_import = false;
    for token in Tokens(text) {
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
            Token::Word("func" | "var" | "const" | "type") if !in_block => return (imports, true),
            Token::Word(_) | Token::Symbol('.' | ';') => {}
            // Half a comment, or half a character, at the end of the part that was read.
            Token::Symbol('/' | char::REPLACEMENT_CHARACTER) => return (imports, false),
            Token::Symbol(_) | Token::Text(_) => return (imports, true),
        }
    }

    (imports, false)
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
        let hash = archive_hash(&archive, "a.invalid/b", "v1.0.0").unwrap();
        assert_eq!(hash, "h1:u/sF31PdnV2xQjsODKsHJLxUU6EyLN7OJ9T1kbhB/dQ=");
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
        let read = packages(&archive, ("a.invalid/b", "v1.0.0"), "a.invalid/b").unwrap();
        let paths: Vec<&String> = read.keys().collect();
        assert_eq!(paths, ["a.invalid/b", "a.invalid/b/e"]);
        let of_root = &read["a.invalid/b"];
        let imports: Vec<&str> = of_root.possible.iter().map(String::as_str).collect();
        assert_eq!(imports, ["fmt", "x/dot", "x/named/sub", "x/raw"]);
        assert_eq!(of_root.possible, of_root.certain);
        assert!(read["a.invalid/b/e"].possible.is_empty());
    }

    #[test]
    fn imports_under_a_condition_are_possible() {
        let import = |constraint: &str, path: &str| {
            format!("{constraint}\n\npackage b\n\nimport \"{path}\"\n")
        };
        let files = [
            ("a.go", import("// A comment", "x/always")),
            ("new_file.go", import("//go:build go1.21", "x/release")),
            ("b.go", import("//go:build windows && !arm", "x/tag")),
            ("old.go", import("// +build tools", "x/old")),
            ("c_linux.go", import("", "x/system")),
            ("gen.go", import("//go:build ignore", "x/script")),
            (
                "d.go",
                "package b\nimport (\n\"C\"\n\"x/cgo\"\n)\n".to_owned(),
            ),
        ];
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        let archive = zipped("a.invalid/b", "v1.0.0", &files);
        let read = packages(&archive, ("a.invalid/b", "v1.0.0"), "a.invalid/b").unwrap();
        let package = &read["a.invalid/b"];
        let certain: Vec<&str> = package.certain.iter().map(String::as_str).collect();
        assert_eq!(certain, ["x/always", "x/release"]);
        let possible: Vec<&str> = package.possible.iter().map(String::as_str).collect();
        let expected = [
            "C",
            "x/always",
            "x/cgo",
            "x/old",
            "x/release",
            "x/system",
            "x/tag",
        ];
        assert_eq!(possible, expected);
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
            assert!(archive_hash(bytes, "a.invalid/b", version).is_err());
        }
    }
}

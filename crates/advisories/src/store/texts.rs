//! The JSON texts of records in files, archives and directories, one after another.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use patchgate_fs::{first_bytes, read_up_to};
use serde_json::value::RawValue;
use zip::ZipArchive;

use super::input::{Content, InputError, list};

/// Limit on one file or entry, uncompressed, in bytes.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// Limit on the uncompressed bytes of one archive.
const MAX_INFLATED_BYTES: u64 = 32 * 1024 * 1024 * 1024;

/// Why texts cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The files cannot be listed.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file or an entry of an archive cannot be read.
    #[error("`{name}` cannot be read")]
    Read {
        /// The file, with the entry of an archive after `!`.
        name: String,
        /// What failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Whether a caller takes a text, or why it refuses it.
pub type Visited = Result<(), Box<dyn Error + Send + Sync>>;

/// Calls `visit` with every JSON text of a file, an archive, or a directory with everything below it,
/// in the order of names. A file is JSON, several JSON texts in a row (one on each line, say), either
/// of them compressed with gzip, or a zip archive of JSON files. Other files are passed over.
/// Returns the number of texts.
///
/// # Errors
/// When a file cannot be read, ends early, or `visit` refuses a text.
pub fn read_texts(path: &Path, visit: &mut dyn FnMut(&[u8]) -> Visited) -> Result<u64, TextError> {
    let mut number = 0;
    for file in list(path)? {
        let name = file.display().to_string();
        let named = |source| TextError::Read {
            name: name.clone(),
            source,
        };
        let open = || File::open(&file).map_err(|error| named(error.into()));
        let head = first_bytes(open()?, 64).map_err(|error| named(error.into()))?;
        number += match Content::of(&head) {
            Content::Zip => archive(open()?, &name, visit)?,
            Content::Gzip => texts(MultiGzDecoder::new(open()?), visit).map_err(named)?,
            Content::Json => texts(open()?, visit).map_err(named)?,
            Content::Epss | Content::Other => 0,
        };
    }
    Ok(number)
}

type Visit<'a> = dyn FnMut(&[u8]) -> Visited + 'a;

/// The texts of an archive's entries. Names of entries are never used as paths.
fn archive(file: File, name: &str, visit: &mut Visit<'_>) -> Result<u64, TextError> {
    let named = |entry: &str, source| TextError::Read {
        name: match entry {
            "" => name.to_owned(),
            entry => format!("{name}!{entry}"),
        },
        source,
    };
    let mut archive = ZipArchive::new(file).map_err(|error| named("", error.into()))?;
    let mut names: Vec<(String, usize)> = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index);
        let entry = entry.map_err(|error| named(&index.to_string(), error.into()))?;
        let entry_name = entry.name().map_err(|error| named("", error.into()))?;
        names.push((entry_name.into_owned(), index));
    }
    names.sort();

    let mut number = 0;
    let mut inflated = 0_u64;
    for (entry_name, index) in names {
        if !entry_name.ends_with(".json") {
            continue;
        }
        let entry = archive.by_index(index);
        let entry = entry.map_err(|error| named(&entry_name, error.into()))?;
        inflated = inflated.saturating_add(entry.size());
        if inflated > MAX_INFLATED_BYTES {
            let text = "the archive has too many bytes uncompressed";
            return Err(named(&entry_name, text.into()));
        }
        number += texts(entry, visit).map_err(|source| named(&entry_name, source))?;
    }
    Ok(number)
}

/// The JSON texts of one file.
fn texts(file: impl Read, visit: &mut Visit<'_>) -> Result<u64, Box<dyn Error + Send + Sync>> {
    let bytes = read_up_to(file, MAX_BYTES)?.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {MAX_BYTES} bytes"),
        )
    })?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);

    let mut number = 0;
    for text in serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>() {
        visit(text?.get().as_bytes())?;
        number += 1;
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn all(path: &Path) -> Result<Vec<String>, TextError> {
        let mut found = Vec::new();
        read_texts(path, &mut |text| {
            found.push(String::from_utf8_lossy(text).into_owned());
            Ok(())
        })?;
        Ok(found)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn files_lines_and_archives_are_read_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut zip = zip::ZipWriter::new(File::create(dir.path().join("b.zip")).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        for (name, text) in [
            ("2.json", "{\"b\":2}"),
            ("1.json", "{\"b\":1}"),
            ("x.md", "x"),
        ] {
            zip.start_file(name, options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        std::fs::write(dir.path().join("a.json"), "{\"a\":1}").unwrap();
        std::fs::write(
            dir.path().join("c.jsonl.gz"),
            gzip("{\"c\":1}\n{\"c\":2}\n"),
        )
        .unwrap();
        std::fs::write(dir.path().join("README"), "text").unwrap();

        let found = all(dir.path()).unwrap();
        assert_eq!(
            found,
            [
                "{\"a\":1}",
                "{\"b\":1}",
                "{\"b\":2}",
                "{\"c\":1}",
                "{\"c\":2}"
            ]
        );
    }

    #[test]
    fn a_truncated_file_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cut.jsonl.gz");
        let whole = gzip("{\"c\":1}\n{\"c\":2}\n");
        for cut in [whole.len() - 9, whole.len() / 2] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(all(&path).unwrap_err().to_string().contains("cut.jsonl.gz"));
        }
        std::fs::write(&path, "{\"c\":1}\n{\"c\":").unwrap();
        assert!(all(&path).is_err());
        assert!(all(&dir.path().join("absent")).is_err());
    }
}

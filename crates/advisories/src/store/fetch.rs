//! Fetching of one file of an update, from a server or a directory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use patchgate_http::{Client, Error, Request, redact_url};

use super::checksum;
use super::manifest::Validator;
use crate::online::describe;

/// Largest export that is fetched, in bytes. The largest one, of all of OSV, is below 1 GiB.
const MAX_EXPORT_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// The outcome of a fetch.
pub(super) enum Download {
    /// The file, and its validator for the next fetch.
    File(File, Option<Validator>),
    /// The file has not changed since the validator was taken.
    Same,
}

/// The reason of a failure, and a hint.
pub(super) type Refused = (String, Option<&'static str>);

/// The origin for messages: an address without credentials, or a path.
pub(super) fn redact(origin: &str) -> String {
    if is_url(origin) {
        redact_url(origin)
    } else {
        origin.to_owned()
    }
}

pub(super) fn is_url(origin: &str) -> bool {
    origin.starts_with("https://") || origin.starts_with("http://")
}

/// Opens a file of a mirror directory, or downloads it to an unnamed temporary file. `validator` is
/// the one of the previous fetch of the same file.
pub(super) async fn fetch(
    http: &Client,
    origin: &str,
    validator: Option<&Validator>,
) -> Result<Download, Refused> {
    if !is_url(origin) {
        return open(origin, validator).map_err(|error| (describe(&error), None));
    }

    let mut file = tempfile::tempfile().map_err(|error| (describe(&error), None))?;
    let mut request = Request::get(origin).max_bytes(MAX_EXPORT_BYTES);
    request = match validator {
        Some(Validator::Etag(etag)) => request.header("If-None-Match", etag),
        Some(Validator::LastModified(date)) => request.header("If-Modified-Since", date),
        Some(Validator::File(_)) | None => request,
    };
    let label = Path::new("temporary download");
    let answer = match http.download(&request, &mut file, label).await {
        Ok(answer) => answer,
        Err(Error::Status { status: 304, .. }) if validator.is_some() => return Ok(Download::Same),
        Err(error) => return Err((describe(&error), error.hint())),
    };
    let found = checksum::of_file(&mut file).map_err(|error| (describe(&error), None))?;
    if checksum::promised(&answer).is_some_and(|promised| promised != found) {
        let reason = "the answer does not match the checksum that the server states";
        let hint = "try again; if it fails again, a proxy on the way changes the answer";
        return Err((reason.to_owned(), Some(hint)));
    }

    let header = |name| answer.header(name).map(str::to_owned);
    let validator = header("etag")
        .map(Validator::Etag)
        .or_else(|| header("last-modified").map(Validator::LastModified));

    Ok(Download::File(file, validator))
}

fn open(origin: &str, validator: Option<&Validator>) -> io::Result<Download> {
    let file = File::open(path_of(origin)?)?;
    let metadata = file.metadata()?;
    let changed = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let own =
        changed.map(|time| Validator::File(format!("{}-{}", metadata.len(), time.as_nanos())));
    if own.is_some() && own.as_ref() == validator {
        return Ok(Download::Same);
    }

    Ok(Download::File(file, own))
}

/// The path of a file in a directory, which may be given as a `file:` address.
fn path_of(origin: &str) -> io::Result<PathBuf> {
    if !origin.starts_with("file:") {
        return Ok(PathBuf::from(origin));
    }

    let no_path = || {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the address is not a local file",
        )
    };

    url::Url::parse(origin)
        .ok()
        .and_then(|url| url.to_file_path().ok())
        .ok_or_else(no_path)
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[cfg(unix)]
    #[test]
    fn a_file_address_is_a_path() {
        let path = |text| path_of(text).map(|path| path.display().to_string()).ok();
        assert_eq!(
            path("file:///a%20b/npm/all.zip").as_deref(),
            Some("/a b/npm/all.zip")
        );
        assert_eq!(path("a/npm/all.zip").as_deref(), Some("a/npm/all.zip"));
        assert_eq!(path("file://elsewhere.invalid/all.zip"), None);
    }
}

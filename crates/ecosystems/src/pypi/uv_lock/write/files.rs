//! The files of a release, as an entry of `uv.lock` lists them.

use super::tags::Tags;
use crate::pypi::python_range::PythonRange;
use crate::{Release, ReleaseFile};

/// Ends of the names of source archives, the one that uv prefers first.
const ARCHIVES: [&str; 6] = [".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar.Z"];

/// The files of a release that an entry lists.
pub(in crate::pypi) struct Files<'r> {
    pub(in crate::pypi) archive: Option<&'r ReleaseFile>,
    pub(in crate::pypi) wheels: Vec<&'r ReleaseFile>,
    /// Whether all wheels are for every platform.
    pub(super) are_for_all_platforms: bool,
}

impl<'r> Files<'r> {
    /// The source archive and the wheels that fit the project.
    ///
    /// # Errors
    /// If it is not certain which these are, as a fragment for a person.
    pub(in crate::pypi) fn of(release: &'r Release, project: &PythonRange) -> Result<Self, String> {
        let mut files = Self {
            archive: None,
            wheels: Vec::new(),
            are_for_all_platforms: true,
        };
        for file in &release.files {
            let Some(tags) = Tags::of(&file.name) else {
                if files.archive.replace(file).is_some() {
                    return Err(format!("{} has several source archives", release.version));
                }
                continue;
            };
            let fits = tags.fits(project);
            if fits.ok_or_else(|| format!("the tags of `{}` are not certain", file.name))? {
                files.are_for_all_platforms &= tags.is_for_all_platforms();
                files.wheels.push(file);
            }
        }

        // Sorted by name, whatever the order of the index.
        files.wheels.sort_by(|one, two| one.name.cmp(&two.name));
        let is_archive = |file: &ReleaseFile| ARCHIVES.iter().any(|end| file.name.ends_with(end));
        match files.archive {
            Some(archive) if !is_archive(archive) => {
                Err(format!("`{}` is not a source archive", archive.name))
            }
            None if files.wheels.is_empty() => {
                Err(format!("{} has no files for the project", release.version))
            }
            _ => Ok(files),
        }
    }

    /// The lines of the entry.
    ///
    /// # Errors
    /// If the registry does not state what uv lists.
    pub(super) fn lines(&self, has_times: bool) -> Result<String, String> {
        let mut text = String::new();
        if let Some(archive) = self.archive {
            text.push_str(&format!("sdist = {}\n", line(archive, has_times)?));
        }
        if !self.wheels.is_empty() {
            text.push_str("wheels = [\n");
            for wheel in &self.wheels {
                text.push_str(&format!("    {},\n", line(wheel, has_times)?));
            }
            text.push_str("]\n");
        }
        Ok(text)
    }
}

/// What uv lists of a file.
pub(in crate::pypi) struct Listed<'r> {
    pub(in crate::pypi) url: &'r str,
    /// The SHA-256.
    pub(in crate::pypi) hash: String,
    pub(in crate::pypi) size: Option<u64>,
    /// The time of the upload, without quotes.
    pub(in crate::pypi) time: Option<String>,
}

impl<'r> Listed<'r> {
    /// # Errors
    /// If the registry does not state what uv lists.
    pub(in crate::pypi) fn of(file: &'r ReleaseFile) -> Result<Self, String> {
        let missing = |what: &str| format!("the registry has no {what} of `{}`", file.name);
        let hash = file
            .hashes
            .iter()
            .find(|(algorithm, _)| algorithm == "sha256")
            .map(|(_, hash)| hash.to_ascii_lowercase())
            .filter(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .ok_or_else(|| missing("SHA-256"))?;
        let is_plain = |c: char| c.is_ascii_graphic() && !"\"\\".contains(c);
        let is_web = file.url.starts_with("https://") || file.url.starts_with("http://");
        if !is_web || !file.url.chars().all(is_plain) {
            return Err(missing("plain address"));
        }
        let time = file.published.as_deref();
        let time = time.map(|time| {
            let time = milliseconds(time);
            time.ok_or_else(|| missing("readable time of upload"))
        });

        Ok(Self {
            url: &file.url,
            hash,
            size: file.size,
            time: time.transpose()?,
        })
    }
}

fn line(file: &ReleaseFile, has_times: bool) -> Result<String, String> {
    let listed = Listed::of(file)?;
    let mut text = format!(
        "{{ url = \"{}\", hash = \"sha256:{}\"",
        listed.url, listed.hash
    );
    if let Some(size) = listed.size {
        text.push_str(&format!(", size = {size}"));
    }
    if let Some(time) = listed.time.filter(|_| has_times) {
        text.push_str(&format!(", upload-time = \"{time}\""));
    }
    text.push_str(" }");
    Ok(text)
}

/// A time of upload as uv writes it: cut to milliseconds, without zeros at its end.
fn milliseconds(time: &str) -> Option<String> {
    let time = time
        .strip_suffix('Z')
        .or_else(|| time.strip_suffix("+00:00"))?;
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    let is_time = seconds.len() == 19
        && seconds.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    if !is_time || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }

    let fraction = fraction.get(..3).unwrap_or(fraction).trim_end_matches('0');
    Some(match fraction {
        "" => format!("{seconds}Z"),
        fraction => format!("{seconds}.{fraction}Z"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_to_milliseconds() {
        for (time, expected) in [
            (
                "2023-04-14T12:34:29.255462Z",
                Some("2023-04-14T12:34:29.255Z"),
            ),
            (
                "2023-04-14T12:34:26.970429Z",
                Some("2023-04-14T12:34:26.97Z"),
            ),
            ("2023-04-14T12:34:26.000429Z", Some("2023-04-14T12:34:26Z")),
            ("2023-04-14T12:34:26Z", Some("2023-04-14T12:34:26Z")),
            ("2023-04-14T12:34:26+02:00", None),
            ("2023-04-14", None),
            ("2023-04-14T12:34:26.x\"Z", None),
        ] {
            assert_eq!(milliseconds(time).as_deref(), expected, "{time}");
        }
    }
}

//! Parts of version orders that several ecosystems share. The order of one ecosystem is in its own
//! directory and is composed of these: [`number`] for digits of any size, [`semantic`] for
//! Semantic Versioning, [`runs`] for versions that are cut where letters and digits meet, [`r`] for
//! R's packages, which CRAN and Bioconductor publish.

pub(crate) mod number;
pub(crate) mod r;
pub(crate) mod runs;
pub(crate) mod semantic;

use std::cmp::Ordering;

use crate::VersionError;

/// Orders two texts as versions of an ecosystem.
///
/// # Errors
/// When `parse` takes one of them for no version.
pub(crate) fn compare<'a, V: Ord>(
    ecosystem: &'static str,
    parse: impl Fn(&'a str) -> Option<V>,
    a: &'a str,
    b: &'a str,
) -> Result<Ordering, VersionError> {
    let read = |text: &'a str| {
        parse(text).ok_or_else(|| VersionError {
            version: text.to_owned(),
            ecosystem,
        })
    };
    Ok(read(a)?.cmp(&read(b)?))
}

/// Asserts that texts are in rising order: any two of them compare as their positions do.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_rising<'t>(texts: &[&'t str], compare: impl Fn(&'t str, &'t str) -> Ordering) {
    for (i, a) in texts.iter().enumerate() {
        for (j, b) in texts.iter().enumerate() {
            assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
        }
    }
}

//! Lines of Gradle's lockfiles, for the readers of lockfiles and of version catalogs.

use std::collections::BTreeSet;

use crate::Input;

/// The lines that are neither empty nor comments, with their numbers.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1u32..)
        .zip(text.lines())
        .map(|(line, text)| (line, text.trim()))
        .filter(|(_, text)| !text.is_empty() && !text.starts_with('#'))
}

/// Most bytes of lockfiles that are searched for one version catalog. They are searched again for
/// each catalog.
const MAX_LOOKED_THROUGH_BYTES: usize = 4 * 1024 * 1024;

/// Names of the packages in the project lockfiles at or below a directory.
pub(super) fn locked_below(input: &Input<'_>, root: &str) -> BTreeSet<String> {
    let prefix = if root.is_empty() {
        String::new()
    } else {
        format!("{root}/")
    };

    input
        .siblings
        .range(prefix.clone()..)
        .take_while(|(path, _)| path.starts_with(&prefix))
        .filter(|(path, _)| path.ends_with("gradle.lockfile"))
        .scan(MAX_LOOKED_THROUGH_BYTES, |left, (path, bytes)| {
            *left = left.checked_sub(bytes.len())?;
            Some((path, bytes))
        })
        .filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok())
        .flat_map(entries)
        .filter_map(|(_, text)| {
            let mut parts = text.split('=').next()?.split(':');
            Some(format!("{}:{}", parts.next()?, parts.next()?))
        })
        .collect()
}

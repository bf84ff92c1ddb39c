//! yarn's locators, which identify one exact package (<https://yarnpkg.com/protocols>).

use std::borrow::Cow;

use patchgate_model::Origin;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::npm::tree::split_spec;

/// The characters that yarn encodes in a parameter: all but those that JavaScript's
/// `encodeURIComponent` leaves as they are.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Maximum depth of patches of patches.
const MAX_PATCHES: usize = 8;

/// The package that a `resolution` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Locator {
    /// Real name of the package.
    pub(super) name: String,
    pub(super) origin: Origin,
    /// The directory, for a workspace.
    pub(super) workspace: Option<String>,
}

/// Parses a locator; `None` without a name.
pub(super) fn locator(text: &str) -> Option<Locator> {
    let mut text = text.to_owned();
    for _ in 0..MAX_PATCHES {
        match inner(&text) {
            Some(inside) => text = inside,
            None => break,
        }
    }

    let (name, reference) = split_spec(&text)?;
    let (reference, parameters) = reference.split_once("::").unwrap_or((reference, ""));
    let plain = |origin| Locator {
        name: name.to_owned(),
        origin,
        workspace: None,
    };

    if let Some(version) = reference.strip_prefix("npm:") {
        let address = parameters
            .split('&')
            .find_map(|parameter| parameter.strip_prefix("__archiveUrl="))
            .map(decoded);
        // An alias: `a@npm:b@1.0.0` is `b`.
        let name = split_spec(version).map_or(name, |(real, _)| real);
        return Some(Locator {
            name: name.to_owned(),
            origin: Origin::Registry(address),
            workspace: None,
        });
    }

    if let Some(directory) = reference.strip_prefix("workspace:") {
        return Some(Locator {
            name: name.to_owned(),
            origin: Origin::Path(Some(directory.to_owned())),
            workspace: Some(directory.to_owned()),
        });
    }

    for protocol in ["file:", "portal:", "link:", "exec:"] {
        if let Some(path) = reference.strip_prefix(protocol) {
            let path = path.split('#').next().unwrap_or_default();
            return Some(plain(Origin::Path(Some(path.to_owned()))));
        }
    }

    if let Some((url, rest)) = reference.split_once('#')
        && let Some(commit) = rest
            .split('&')
            .find_map(|parameter| parameter.strip_prefix("commit="))
    {
        return Some(plain(Origin::Git {
            url: url.to_owned(),
            commit: Some(commit.to_owned()),
        }));
    }

    Some(plain(Origin::Url(reference.to_owned())))
}

/// The locator inside that of a patched or virtual package: `a@patch:a@npm%3A1.0.0#./a.patch::…`
/// gives `a@npm:1.0.0`.
pub(super) fn inner(text: &str) -> Option<String> {
    let (name, reference) = split_spec(text)?;
    if let Some(patch) = reference.strip_prefix("patch:") {
        let source = patch.split('#').next().unwrap_or_default();
        return Some(decoded(source));
    }
    let (_, inside) = reference.strip_prefix("virtual:")?.split_once('#')?;
    Some(format!("{name}@{inside}"))
}

/// The text without percent-encoding; unchanged where the decoded bytes are not UTF-8.
fn decoded(text: &str) -> String {
    percent_decode_str(text)
        .decode_utf8()
        .map_or_else(|_| text.to_owned(), Cow::into_owned)
}

/// The directory of the workspace that a relative path starts from, taken from the parameters of a
/// locator: `hash=…&locator=shop%40workspace%3Apackages%2Fapp`.
pub(super) fn bound_to(parameters: &str) -> Option<String> {
    let locator = parameters
        .split('&')
        .find_map(|parameter| parameter.strip_prefix("locator="))?;
    let locator = decoded(locator);
    let (_, reference) = split_spec(&locator)?;
    reference.strip_prefix("workspace:").map(str::to_owned)
}

/// Percent-encodes a locator as yarn does within the parameters of another one.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PARAMETER).to_string()
}

#[cfg(test)]
mod tests {
    use super::{encoded, locator};

    #[test]
    fn gives_names_and_origins() {
        let read: Vec<String> = [
            "a@npm:1.0.0",
            "@s/a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fnpm.invalid%2Fa.tgz",
            "b@npm:a@1.0.0",
            "a@workspace:packages/a",
            "a@portal:../a::locator=x%40workspace%3A.",
            "a@file:./a.tgz#./a.tgz::hash=1&locator=x%40workspace%3A.",
            "a@https://git.invalid/a.git#commit=0123",
            "a@git@git.invalid:o/a.git#workspace=x&commit=0123",
            "a@https://files.invalid/a.tgz",
            "a@patch:a@npm%3A1.0.0#./a.patch::version=1.0.0&hash=1",
            "a@patch:a@patch%3Aa@npm%253A1.0.0%23./a.patch#./b.patch",
            "a@virtual:0123#npm:1.0.0",
        ]
        .iter()
        .map(|text| {
            let locator = locator(text).unwrap();
            format!("{} {:?}", locator.name, locator.origin)
        })
        .collect();

        insta::assert_snapshot!(read.join("\n"));
        assert_eq!(locator("npm:1.0.0"), None);
        assert_eq!(encoded("@s/a@workspace:."), "%40s%2Fa%40workspace%3A.");
    }
}

//! Detection of a file's format by its content.

use crate::Format;

/// The format of a file: by the top-level keys of JSON and YAML, the first element of XML, or the
/// first `tag: value` lines. `None` for any other file, which is not parsed.
///
/// This is at most one pass over the bytes, without a copy. A document that is damaged further on
/// still has its format, so that it is reported as unreadable instead of skipped.
#[must_use]
pub fn detect(bytes: &[u8]) -> Option<Format> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = *bytes.iter().find(|byte| !byte.is_ascii_whitespace())?;
    match first {
        b'{' => json(bytes),
        b'<' => xml(bytes),
        _ => lines(bytes),
    }
}

/// [`detect`] for a text without a byte order mark.
pub(crate) fn in_text(text: &str) -> Option<Format> {
    detect(text.as_bytes())
}

/// Looks at the keys of the top-level object and skips their values.
fn json(bytes: &[u8]) -> Option<Format> {
    let mut scan = Scan { bytes, at: 0 };
    let mut depth = 0_usize;

    // At depth 1, a string is a key if a colon follows it.
    let mut spdx_context = None;
    while let Some(byte) = scan.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let text = scan.text();
                if depth == 1 && scan.colon() {
                    match text {
                        b"bomFormat" if scan.value() == b"CycloneDX" => {
                            return Some(Format::CycloneDxJson);
                        }
                        b"spdxVersion" => return Some(Format::SpdxJson),
                        b"SPDXID" => return Some(Format::SpdxJson),
                        // Only the first one counts: looking at each would make repeated keys expensive.
                        b"@context" if spdx_context.is_none() => {
                            spdx_context = Some(is_spdx_context(&scan));
                        }
                        // A document with a single element has `spdxId` at the top level.
                        b"@graph" | b"spdxId" if spdx_context == Some(true) => {
                            return Some(Format::Spdx3Json);
                        }
                        b"$schema" if contains(scan.value(), b"cyclonedx.org/schema/bom") => {
                            return Some(Format::CycloneDxJson);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    None
}

/// Whether the value that follows, a string or a list of strings, names the context of SPDX 3.
fn is_spdx_context(scan: &Scan<'_>) -> bool {
    let rest = scan.bytes.get(scan.at..).unwrap_or_default();
    let end = rest.len().min(512);
    let near = rest.get(..end).unwrap_or_default();
    contains(near, b"spdx.org/rdf/3.")
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    /// The raw text up to the closing quote.
    fn text(&mut self) -> &'a [u8] {
        let start = self.at;
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.at += 1,
                b'"' => return self.bytes.get(start..self.at - 1).unwrap_or_default(),
                _ => {}
            }
        }

        self.bytes.get(start..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Whether a colon follows. Consumes it.
    fn colon(&mut self) -> bool {
        self.skip_space();
        let found = self.bytes.get(self.at) == Some(&b':');
        self.at += usize::from(found);
        found
    }

    /// The string that follows, without consuming it; empty for any other value.
    fn value(&self) -> &'a [u8] {
        let mut ahead = Self {
            bytes: self.bytes,
            at: self.at,
        };
        ahead.skip_space();

        if ahead.next() == Some(b'"') {
            ahead.text()
        } else {
            b""
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Looks at the name and the declarations of the first element.
fn xml(bytes: &[u8]) -> Option<Format> {
    let mut rest = bytes;
    loop {
        let start = rest.iter().position(|byte| *byte == b'<')?;
        rest = rest.get(start + 1..)?;
        let end: &[u8] = match rest {
            [b'?', ..] => b"?>",
            [b'!', b'-', b'-', ..] => b"-->",
            [b'!', ..] => b">",
            _ => break,
        };
        let close = rest.windows(end.len()).position(|window| window == end)?;
        rest = rest.get(close + end.len()..)?;
    }

    let tag = rest.get(..rest.iter().position(|byte| *byte == b'>')?)?;
    let name = tag
        .split(|byte| byte.is_ascii_whitespace() || *byte == b'/')
        .next()?;
    let local = name.rsplit(|byte| *byte == b':').next()?;

    match local {
        b"bom" if contains(tag, b"cyclonedx.org/schema/bom") => Some(Format::CycloneDxXml),
        b"RDF" if contains(tag, b"spdx.org/rdf/terms") => Some(Format::SpdxRdf),
        _ => None,
    }
}

/// Most lines that are searched for the first tag, comments and empty lines not counted.
const MAX_LEADING_LINES: usize = 200;

/// Looks for the version: in the first `tag: value` lines, or anywhere among the keys of YAML, which
/// have no order.
fn lines(bytes: &[u8]) -> Option<Format> {
    let mut leading = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if leading < MAX_LEADING_LINES && !line.is_empty() && !line.starts_with(b"#") {
            leading += 1;
            if line.trim_ascii_start().starts_with(b"SPDXVersion:") {
                return Some(Format::SpdxTagValue);
            }
        }

        let key = line.strip_prefix(b"\"").unwrap_or(line);
        let is_key = |name: &[u8]| {
            key.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(b":") || rest.starts_with(b"\":"))
        };
        if is_key(b"spdxVersion") || is_key(b"SPDXID") && contains(line, b"SPDXRef-DOCUMENT") {
            return Some(Format::SpdxYaml);
        }
    }

    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_detected_by_content() {
        for (text, expected) in [
            (r#"{"bomFormat": "CycloneDX"}"#, Some(Format::CycloneDxJson)),
            (
                "\u{feff}\n{ \"components\" : [{\"a\":\"}\\\"\"}], \"bomFormat\":\"CycloneDX\", ",
                Some(Format::CycloneDxJson),
            ),
            (
                r#"{"$schema":"http://cyclonedx.org/schema/bom-1.4.schema.json"}"#,
                Some(Format::CycloneDxJson),
            ),
            (r#"{"x": {"bomFormat": "CycloneDX"}}"#, None),
            (r#"{"x": "bomFormat", "y": "CycloneDX"}"#, None),
            (r#"{"bomFormat": "other"}"#, None),
            (
                r#"{"packages":[],"spdxVersion":"SPDX-2.3"}"#,
                Some(Format::SpdxJson),
            ),
            (
                r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#,
                Some(Format::Spdx3Json),
            ),
            (r#"{"@context":"https://schema.org","@graph":[]}"#, None),
            ("[1]", None),
            ("{", None),
            ("", None),
            (
                "<?xml version=\"1.0\"?>\n<!-- <bom> --><bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\">",
                Some(Format::CycloneDxXml),
            ),
            (
                "<!DOCTYPE x><c:bom xmlns:c='http://cyclonedx.org/schema/bom/1.2'/>",
                Some(Format::CycloneDxXml),
            ),
            ("<bom/>", None),
            (
                "<rdf:RDF\n xmlns:spdx=\"http://spdx.org/rdf/terms#\">",
                Some(Format::SpdxRdf),
            ),
            ("<rdf:RDF xmlns:x=\"http://x\">", None),
            ("# c\n\nSPDXVersion: SPDX-2.3\n", Some(Format::SpdxTagValue)),
            (
                "SPDXID: SPDXRef-DOCUMENT\nspdxVersion: SPDX-2.3\n",
                Some(Format::SpdxYaml),
            ),
            (
                "---\npackages: []\n\"spdxVersion\": \"SPDX-2.2\"\n",
                Some(Format::SpdxYaml),
            ),
            ("a:\n  spdxVersion: 1\n", None),
        ] {
            assert_eq!(detect(text.as_bytes()), expected, "{text}");
        }
    }
}

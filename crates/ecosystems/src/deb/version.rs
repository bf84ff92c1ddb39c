//! Debian's versions (deb-version(7), Debian Policy Manual section 5.6.12,
//! <https://www.debian.org/doc/debian-policy/ch-controlfields.html#version>).

use std::cmp::Ordering;

/// `[epoch:]upstream[-revision]`.
#[derive(Debug)]
pub(super) struct Version<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

/// Reads a version; `None` for a text that is none.
pub(super) fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim();
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (epoch, rest),
        None => ("0", text),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((upstream, revision)) => (upstream, revision),
        None => (rest, ""),
    };
    let allowed = |text: &str, extra: &[u8]| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    let sound = !epoch.is_empty()
        && epoch.bytes().all(|byte| byte.is_ascii_digit())
        && !upstream.is_empty()
        && allowed(upstream, b".+-~:_")
        && allowed(revision, b".+~_");
    sound.then_some(Version {
        epoch: epoch.trim_start_matches('0'),
        upstream,
        revision,
    })
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        number(self.epoch, other.epoch)
            .then_with(|| part(self.upstream, other.upstream))
            .then_with(|| part(self.revision, other.revision))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version<'_> {}

/// Numbers of any size, without leading zeros.
fn number(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Runs of what is no digit and runs of digits in turn. In the former, `~` comes before the end,
/// the end before letters, and letters before the rest.
fn part(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (a_text, a_rest) = split(a, |byte| !byte.is_ascii_digit());
        let (b_text, b_rest) = split(b, |byte| !byte.is_ascii_digit());
        let weight = |byte: Option<&u8>| match byte {
            Some(b'~') => -1,
            None => 0,
            Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
            Some(byte) => i32::from(*byte) + 256,
        };
        let longest = a_text.len().max(b_text.len());
        for at in 0..longest {
            let (x, y) = (a_text.as_bytes().get(at), b_text.as_bytes().get(at));
            match weight(x).cmp(&weight(y)) {
                Ordering::Equal => {}
                order => return order,
            }
        }
        let (a_number, a_rest) = split(a_rest, |byte| byte.is_ascii_digit());
        let (b_number, b_rest) = split(b_rest, |byte| byte.is_ascii_digit());
        let order = number(
            a_number.trim_start_matches('0'),
            b_number.trim_start_matches('0'),
        );
        if order != Ordering::Equal {
            return order;
        }
        if a_rest.is_empty() && b_rest.is_empty() {
            return Ordering::Equal;
        }
        (a, b) = (a_rest, b_rest);
    }
}

fn split(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !belongs(byte))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn follows_the_policy() {
        let ascending = [
            "1.0~~",
            "1.0~~a",
            "1.0~",
            "1.0",
            "1.0-1~bpo12+1.",
            "1.0-1",
            "1.0a",
            "1.0+",
            "1.2",
            "1.10",
            "9999999999999999999999.0",
            "1:0.1",
        ];
        for pair in ascending.windows(2) {
            let (a, b) = (parse(pair[0]).unwrap(), parse(pair[1]).unwrap());
            assert_eq!(a.cmp(&b), Ordering::Less, "{pair:?}");
        }
        for (a, b) in [
            ("1.0", "1.00"),
            ("0:1", "1"),
            ("1.0-0", "1.0"),
            ("1.01", "1.1"),
        ] {
            assert_eq!(parse(a).unwrap(), parse(b).unwrap());
        }
        for text in ["", "a:1", ":1", "1 2", "1-", "1/2", "é"] {
            let is_version = parse(text).is_some();
            assert_eq!(is_version, text == "1-", "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_total(texts in prop::collection::vec("([0-2]:)?[0-2a~+.]{1,5}(-[0-2a~+]{1,3})?", 3)) {
            let versions: Vec<_> = texts.iter().map(|text| parse(text).unwrap()).collect();
            let (a, b, c) = (&versions[0], &versions[1], &versions[2]);
            prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }
    }
}

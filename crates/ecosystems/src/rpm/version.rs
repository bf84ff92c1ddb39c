//! Versions of RPM: `[epoch:]version[-release]`, each part compared in segments
//! (rpm-version(7), <https://rpm.org/docs/latest/man/rpm-version.7>).

use std::cmp::Ordering;

/// A version in its parts.
#[derive(Debug)]
pub(super) struct Version<'a> {
    epoch: &'a str,
    version: &'a str,
    release: &'a str,
}

/// Reads a version; `None` for a text that is none.
pub(super) fn parse(text: &str) -> Option<Version<'_>> {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (epoch, rest),
        None => ("0", text),
    };
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, release),
        None => (rest, ""),
    };
    let allowed = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+~^%{}:-".contains(&byte))
    };
    let sound = !epoch.is_empty()
        && epoch.bytes().all(|byte| byte.is_ascii_digit())
        && !version.is_empty()
        && allowed(version)
        && allowed(release);
    sound.then_some(Version {
        epoch: epoch.trim_start_matches('0'),
        version,
        release,
    })
}

impl Version<'_> {
    /// Orders two versions. RPM passes over the release when one side has none; an order that does
    /// that is not transitive, so here a version without a release comes before all with one.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        number(self.epoch, other.epoch)
            .then_with(|| segments(self.version, other.version))
            .then_with(|| segments(self.release, other.release))
    }
}

/// Numbers of any size, without leading zeros.
fn number(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Compares segment by segment: digits as numbers, letters as text, numbers after letters. What
/// stands between segments does not count, except that `~` comes before everything, also before
/// the end, and `^` after the end and before everything else.
fn segments(mut a: &str, mut b: &str) -> Ordering {
    let separator = |c: char| !(c.is_ascii_alphanumeric() || c == '~' || c == '^');
    loop {
        a = a.trim_start_matches(separator);
        b = b.trim_start_matches(separator);
        match (a.strip_prefix('~'), b.strip_prefix('~')) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (a.strip_prefix('^'), b.strip_prefix('^')) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            (Some(_), None) if b.is_empty() => return Ordering::Greater,
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) if a.is_empty() => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        if a.is_empty() || b.is_empty() {
            return a.len().min(1).cmp(&b.len().min(1));
        }
        let digits = (starts_with_digit(a), starts_with_digit(b));
        let order = match digits {
            (true, true) => {
                let (x, y);
                (x, a) = split(a, |byte| byte.is_ascii_digit());
                (y, b) = split(b, |byte| byte.is_ascii_digit());
                number(x.trim_start_matches('0'), y.trim_start_matches('0'))
            }
            (false, false) => {
                let (x, y);
                (x, a) = split(a, |byte| byte.is_ascii_alphabetic());
                (y, b) = split(b, |byte| byte.is_ascii_alphabetic());
                x.cmp(y)
            }
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit())
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

    fn order(a: &str, b: &str) -> Ordering {
        parse(a).unwrap().compare(&parse(b).unwrap())
    }

    #[test]
    fn follows_the_manual() {
        let ascending = [
            "1.0~rc1",
            "1.0",
            "1.0-1.el9",
            "1.0-1.el9_4",
            "1.0-2.el9",
            "1.0^git1",
            "1.0a",
            "1.0.1",
            "1.2",
            "1.10",
            "99999999999999999999",
            "1:0.1",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(order(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        for (a, b) in [
            ("1.0", "1_0"),
            ("1.0", "1.00"),
            ("0:1", "1"),
            ("2.0.1a", "2.0.1.a"),
        ] {
            assert_eq!(order(a, b), Ordering::Equal, "{a} {b}");
        }
        assert_eq!(order("1.a", "1.1"), Ordering::Less);
        for text in ["", ":1", "x:1", "1 2", "é"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_total(texts in prop::collection::vec("([0-1]:)?[0-2ab~^.]{1,5}(-[0-2a~^.]{1,3})?", 3)) {
            let versions: Vec<_> = texts.iter().map(|text| parse(text).unwrap()).collect();
            let (a, b, c) = (&versions[0], &versions[1], &versions[2]);
            prop_assert_eq!(a.compare(b), b.compare(a).reverse());
            if a.compare(b).is_le() && b.compare(c).is_le() {
                prop_assert!(a.compare(c).is_le(), "{texts:?}");
            }
        }
    }
}

//! Serial numbers that are computed from the content, so that the same content has the same number.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// A UUID that is computed from a value: equal values have equal UUIDs. It is of version 8 (RFC 9562,
/// 5.8), whose bits are free for the application to choose.
#[must_use]
pub fn content_uuid(value: &impl Serialize) -> String {
    uuid(&hash(value))
}

/// The hexadecimal digits of the SHA-256 of a value's JSON.
pub(super) fn hash(value: &impl Serialize) -> String {
    // Serialization cannot fail: all keys are texts, and no number is infinite or not a number.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    hex::encode(Sha256::digest(&bytes))
}

/// A UUID of version 8 with the first digits of a hash.
fn uuid(hash: &str) -> String {
    let digits: Vec<char> = hash
        .chars()
        .chain("0".repeat(32).chars())
        .take(32)
        .collect();
    let mut uuid = String::with_capacity(36);
    for (index, digit) in digits.into_iter().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }

        uuid.push(match index {
            12 => '8',
            // The two bits of the variant are `10`.
            16 => match digit.to_digit(16).unwrap_or(0) & 3 {
                0 => '8',
                1 => '9',
                2 => 'a',
                _ => 'b',
            },
            _ => digit,
        });
    }

    uuid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_becomes_a_uuid_of_version_8() {
        assert_eq!(
            uuid("0123456789abcdef0123456789abcdefffff"),
            "01234567-89ab-8def-8123-456789abcdef"
        );
        assert_eq!(uuid(&hash(&"a")), uuid(&hash(&"a")));
        assert_ne!(uuid(&hash(&"a")), uuid(&hash(&"b")));
    }
}

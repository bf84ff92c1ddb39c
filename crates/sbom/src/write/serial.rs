//! Serial numbers that follow from what they number.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The UUID of a value, of version 8: the same for the same content.
#[must_use]
pub fn content_uuid(value: &impl Serialize) -> String {
    uuid(&hash(value))
}

/// The hexadecimal digits of the SHA-256 of a value's JSON.
pub(super) fn hash(value: &impl Serialize) -> String {
    // The values here have texts as keys and no numbers that JSON lacks, so they always serialise.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    hex::encode(Sha256::digest(&bytes))
}

/// A UUID of version 8, whose bits are its maker's to choose (RFC 9562, 5.8), from a hash.
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
            // The variant's two bits are 1 and 0.
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

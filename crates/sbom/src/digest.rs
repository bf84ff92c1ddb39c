//! Hashes of package archives, in the notations of lockfiles, CycloneDX and SPDX.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A hash algorithm that both CycloneDX and SPDX define.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    Sha3_256,
    Sha3_384,
    Sha3_512,
    Blake2b256,
    Blake2b384,
    Blake2b512,
    Blake3,
}

/// All algorithms: the name in an inventory, in CycloneDX, in SPDX 2 and in SPDX 3, and the length
/// of the digest in bytes.
const NAMES: [(Algorithm, &str, &str, &str, &str, usize); 12] = [
    (Algorithm::Md5, "md5", "MD5", "MD5", "md5", 16),
    (Algorithm::Sha1, "sha1", "SHA-1", "SHA1", "sha1", 20),
    (
        Algorithm::Sha256,
        "sha256",
        "SHA-256",
        "SHA256",
        "sha256",
        32,
    ),
    (
        Algorithm::Sha384,
        "sha384",
        "SHA-384",
        "SHA384",
        "sha384",
        48,
    ),
    (
        Algorithm::Sha512,
        "sha512",
        "SHA-512",
        "SHA512",
        "sha512",
        64,
    ),
    (
        Algorithm::Sha3_256,
        "sha3-256",
        "SHA3-256",
        "SHA3-256",
        "sha3_256",
        32,
    ),
    (
        Algorithm::Sha3_384,
        "sha3-384",
        "SHA3-384",
        "SHA3-384",
        "sha3_384",
        48,
    ),
    (
        Algorithm::Sha3_512,
        "sha3-512",
        "SHA3-512",
        "SHA3-512",
        "sha3_512",
        64,
    ),
    (
        Algorithm::Blake2b256,
        "blake2b-256",
        "BLAKE2b-256",
        "BLAKE2b-256",
        "blake2b256",
        32,
    ),
    (
        Algorithm::Blake2b384,
        "blake2b-384",
        "BLAKE2b-384",
        "BLAKE2b-384",
        "blake2b384",
        48,
    ),
    (
        Algorithm::Blake2b512,
        "blake2b-512",
        "BLAKE2b-512",
        "BLAKE2b-512",
        "blake2b512",
        64,
    ),
    (
        Algorithm::Blake3,
        "blake3",
        "BLAKE3",
        "BLAKE3",
        "blake3",
        32,
    ),
];

impl Algorithm {
    fn row(
        self,
    ) -> &'static (
        Algorithm,
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        usize,
    ) {
        // Every algorithm has a row, so the default is never used.
        NAMES.iter().find(|row| row.0 == self).unwrap_or(&NAMES[2])
    }

    /// Name in an inventory, where it comes before a colon.
    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// Name in the `alg` field of CycloneDX.
    pub(crate) fn cyclonedx(self) -> &'static str {
        self.row().2
    }

    /// Name in SPDX 2.
    pub(crate) fn spdx(self) -> &'static str {
        self.row().3
    }

    /// Name in SPDX 3.
    pub(crate) fn spdx3(self) -> &'static str {
        self.row().4
    }

    /// The algorithm with a name in any of the notations, ignoring case and punctuation.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|letter| letter.to_ascii_lowercase())
                .collect()
        };
        let name = plain(name);

        NAMES
            .iter()
            .find(|row| plain(row.1) == name)
            .map(|row| row.0)
    }
}

/// A hash of a package's archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Digest {
    pub(crate) algorithm: Algorithm,
    /// Lower-case hexadecimal digits, two for each byte of the digest.
    pub(crate) hex: String,
}

impl Digest {
    /// A digest from its hexadecimal digits; `None` if there are too few or too many.
    pub(crate) fn new(algorithm: Algorithm, hex: &str) -> Option<Self> {
        let right =
            hex.len() == algorithm.row().5 * 2 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        right.then(|| Self {
            algorithm,
            hex: hex.to_ascii_lowercase(),
        })
    }

    /// Reads a hash from a lockfile: `sha512-<base64>` (subresource integrity),
    /// `sha256:<hexadecimal>`, or the plain hexadecimal digits of a SHA-1, SHA-256 or SHA-512. `None`
    /// for any other, such as Go's `h1:`, which is not a hash of an archive.
    pub(crate) fn from_integrity(text: &str) -> Option<Self> {
        if let Some((name, hex)) = text.split_once(':') {
            return Self::new(Algorithm::parse(name)?, hex);
        }
        if let Some((name, value)) = text.split_once('-') {
            let value = value.split('?').next().unwrap_or_default();
            let bytes = LENIENT.decode(value).ok()?;
            return Self::new(Algorithm::parse(name)?, &hex::encode(bytes));
        }

        match text.len() {
            40 => Self::new(Algorithm::Sha1, text),
            64 => Self::new(Algorithm::Sha256, text),
            128 => Self::new(Algorithm::Sha512, text),
            _ => None,
        }
    }

    /// The hash in the notation of an inventory: `sha256:<hexadecimal>`.
    pub(crate) fn integrity(&self) -> String {
        format!("{}:{}", self.algorithm.name(), self.hex)
    }
}

/// Base64 with or without padding: some lockfiles omit it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The distinct hashes of a package, sorted, and the texts that are not a hash that SBOMs can have.
pub(crate) fn digests(integrity: Option<&str>) -> (Vec<Digest>, Vec<String>) {
    let mut known = Vec::new();
    let mut others = Vec::new();
    for text in integrity.unwrap_or_default().split_ascii_whitespace() {
        match Digest::from_integrity(text) {
            Some(digest) => known.push(digest),
            None => others.push(text.to_owned()),
        }
    }

    known.sort();
    known.dedup();
    others.sort();
    others.dedup();

    (known, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_lockfiles_are_read() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for text in [
            empty.to_owned(),
            format!("sha256:{}", empty.to_uppercase()),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned(),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU?opt".to_owned(),
        ] {
            let digest = Digest::from_integrity(&text).unwrap();
            assert_eq!(digest.integrity(), format!("sha256:{empty}"), "{text}");
        }

        for text in [
            "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "sha256:00",
            "10c0/00",
            "x",
            "",
        ] {
            assert_eq!(Digest::from_integrity(text), None, "{text}");
        }
    }

    #[test]
    fn every_name_gives_its_algorithm() {
        for (algorithm, name, cyclonedx, spdx, spdx3, _) in NAMES {
            assert_eq!(algorithm.name(), name);
            for name in [name, cyclonedx, spdx, spdx3] {
                assert_eq!(Algorithm::parse(name), Some(algorithm), "{name}");
            }
        }
    }
}

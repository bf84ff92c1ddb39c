//! Ed25519 keys in the form of OpenSSL: `openssl genpkey -algorithm ed25519` writes the private key, and
//! `openssl pkey -pubout` the public one.
//!
//! The structures around the 32 bytes of a key are constant
//! (<https://www.rfc-editor.org/rfc/rfc8410>, sections 4 and 7).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _};
use sha2::{Digest as _, Sha256};

/// The bytes of a private key's structure before the key.
const PRIVATE_PREFIX: &[u8] = &[
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// The bytes of a public key's structure before the key.
const PUBLIC_PREFIX: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// Largest text of a key, in bytes.
const MAX_TEXT: usize = 4096;

/// Why a text is not a key. It never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not an ed25519 private key.
    #[error(
        "it is not an ed25519 private key in PEM, as `openssl genpkey -algorithm ed25519` writes it"
    )]
    Private,
    /// It is not an ed25519 public key.
    #[error("it is not an ed25519 public key, as `openssl pkey -pubout` writes it")]
    Public,
}

/// A private key. It prints as `***`.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl SigningKey {
    /// Reads a PEM file's text, or its base64 alone.
    ///
    /// # Errors
    /// When it is something else, such as a key of another kind or an encrypted one.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let bytes = contents(text, "PRIVATE KEY").ok_or(KeyError::Private)?;
        let seed = bytes
            .strip_prefix(PRIVATE_PREFIX)
            .ok_or(KeyError::Private)?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| KeyError::Private)?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Reads a PEM file's text, or its base64 alone, which fits on one line of a policy.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let bytes = contents(text, "PUBLIC KEY").ok_or(KeyError::Public)?;
        let key = bytes.strip_prefix(PUBLIC_PREFIX).ok_or(KeyError::Public)?;
        let key: [u8; 32] = key.try_into().map_err(|_| KeyError::Public)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| KeyError::Public)?;
        if key.is_weak() {
            return Err(KeyError::Public);
        }
        Ok(Self(key))
    }

    /// The key as one line of base64, as a policy names it.
    #[must_use]
    pub fn to_text(&self) -> String {
        STANDARD.encode([PUBLIC_PREFIX, self.0.as_bytes()].concat())
    }

    /// The first 16 hexadecimal digits of the SHA-256 of the key's structure. It helps people to find
    /// the key, and decides nothing.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = Sha256::digest([PUBLIC_PREFIX, self.0.as_bytes()].concat());
        hex::encode(&digest[..8])
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

/// The bytes of a PEM text, or of its base64 alone.
fn contents(text: &str, label: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if text.len() > MAX_TEXT {
        return None;
    }
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let inner = match text.strip_prefix(&begin) {
        Some(rest) => rest.strip_suffix(&end)?,
        None => text,
    };
    let inner: String = inner.split_whitespace().collect();
    STANDARD.decode(inner).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by OpenSSL for this test.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    /// The first test vector of RFC 8032, section 7.1, in the structures of RFC 8410.
    #[test]
    fn keys_are_those_of_openssl() {
        let key = SigningKey::from_pem(PRIVATE).unwrap();
        assert_eq!(key.verifying_key().to_text(), PUBLIC);
        assert_eq!(VerifyingKey::from_text(PUBLIC), Ok(key.verifying_key()));
        assert_eq!(format!("{key:?}"), "***");
        let signature = hex::encode(key.sign(b""));
        assert!(signature.starts_with("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065"));
    }

    #[test]
    fn other_texts_are_no_keys() {
        let rsa = STANDARD.encode([0x30; 48]);
        for text in [
            "",
            "x",
            PUBLIC,
            &rsa,
            &PRIVATE.replace("MC4C", "MC4D"),
            &"A".repeat(5000),
        ] {
            assert_eq!(
                SigningKey::from_pem(text).err(),
                Some(KeyError::Private),
                "{text}"
            );
        }
        let zero = STANDARD.encode([PUBLIC_PREFIX, &[0; 32][..]].concat());
        for text in ["", "x", PRIVATE, &rsa, &zero, &PUBLIC[..40]] {
            assert_eq!(
                VerifyingKey::from_text(text),
                Err(KeyError::Public),
                "{text}"
            );
        }
    }
}

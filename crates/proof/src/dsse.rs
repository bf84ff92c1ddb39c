//! Signed envelopes by the DSSE protocol, version 1.0
//! (<https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::{SigningKey, VerifyingKey};

/// The type of a payload that is an in-toto statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Largest envelope that is read, in bytes.
const MAX_ENVELOPE: usize = 1024 * 1024;
/// Most signatures that are tried.
const MAX_SIGNATURES: usize = 16;

/// Why an envelope is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DsseError {
    /// It cannot be read.
    #[error("it is not a DSSE envelope: {0}")]
    Unreadable(String),
    /// Its payload is something else than expected.
    #[error("its payload is not of the type `{IN_TOTO}`")]
    PayloadType,
    /// No signature is one of the given keys.
    #[error("it is not signed by an accepted key")]
    NotSigned,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
struct EnvelopeSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// The envelope of a payload, as JSON. Signatures of ed25519 are deterministic, and so is the envelope.
#[must_use]
pub fn sign(payload: &[u8], key: &SigningKey) -> String {
    let id = key.verifying_key().id();
    sign_with(payload, id, |message| key.sign(message))
}

/// The same with a key of another kind of file: its id, and what signs with it.
pub fn sign_with(
    payload: &[u8],
    key_id: String,
    signature: impl FnOnce(&[u8]) -> [u8; 64],
) -> String {
    let envelope = Envelope {
        payload: STANDARD.encode(payload),
        payload_type: IN_TOTO.to_owned(),
        signatures: vec![EnvelopeSignature {
            keyid: key_id,
            sig: STANDARD.encode(signature(&pre_authentication(IN_TOTO, payload))),
        }],
    };
    // A struct of strings always serialises.
    serde_json::to_string(&envelope).unwrap_or_default()
}

/// The payload of an envelope that is signed by one of the keys.
///
/// # Errors
/// When it cannot be read, has another type, or is not signed by one of them.
pub fn open(envelope: &[u8], keys: &[VerifyingKey]) -> Result<Vec<u8>, DsseError> {
    open_with(envelope, |message, signature| {
        keys.iter().any(|key| key.verifies(message, signature))
    })
}

/// The same with keys of another kind of file: whether a signature of a message is of one of them.
///
/// # Errors
/// As [`open`].
pub fn open_with(
    envelope: &[u8],
    is_signed: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<Vec<u8>, DsseError> {
    let unreadable = |reason: String| DsseError::Unreadable(reason);
    if envelope.len() > MAX_ENVELOPE {
        return Err(unreadable(format!(
            "it is larger than {MAX_ENVELOPE} bytes"
        )));
    }
    let envelope: Envelope =
        serde_json::from_slice(envelope).map_err(|error| unreadable(error.to_string()))?;
    if envelope.payload_type != IN_TOTO {
        return Err(DsseError::PayloadType);
    }
    let payload = STANDARD
        .decode(&envelope.payload)
        .map_err(|error| unreadable(error.to_string()))?;

    let message = pre_authentication(&envelope.payload_type, &payload);
    let mut signatures = envelope.signatures.iter().take(MAX_SIGNATURES);
    let has_signature = signatures.any(|signature| {
        let bytes = STANDARD.decode(&signature.sig);
        bytes.is_ok_and(|bytes| is_signed(&message, &bytes))
    });
    match has_signature {
        true => Ok(payload),
        false => Err(DsseError::NotSigned),
    }
}

/// The bytes that are signed: `PAE` of the protocol.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SigningKey {
        let mut der = vec![
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        der.extend([byte; 32]);
        SigningKey::from_pem(&STANDARD.encode(der)).unwrap()
    }

    /// The example of the protocol.
    #[test]
    fn the_signed_bytes_name_their_lengths() {
        assert_eq!(
            pre_authentication("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn only_the_signed_payload_opens() {
        let (ours, other) = (key(1), key(2));
        let envelope = sign(b"payload", &ours);
        let keys = [other.verifying_key(), ours.verifying_key()];
        assert_eq!(open(envelope.as_bytes(), &keys).unwrap(), b"payload");
        assert_eq!(
            open(envelope.as_bytes(), &keys[..1]),
            Err(DsseError::NotSigned)
        );
        assert_eq!(open(envelope.as_bytes(), &[]), Err(DsseError::NotSigned));

        let swapped = envelope.replace(&STANDARD.encode("payload"), &STANDARD.encode("other"));
        assert_eq!(open(swapped.as_bytes(), &keys), Err(DsseError::NotSigned));
        let retyped = envelope.replace("in-toto", "other");
        assert_eq!(open(retyped.as_bytes(), &keys), Err(DsseError::PayloadType));
        for text in ["", "{}", "[]", &"x".repeat(MAX_ENVELOPE + 1)] {
            let error = open(text.as_bytes(), &keys).unwrap_err();
            assert!(matches!(error, DsseError::Unreadable(_)), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_changed_byte_is_refused(index in 0usize..400, byte in 0u8..128) {
            let key = key(3);
            let envelope = sign(b"{\"a\":1}", &key).into_bytes();
            let mut changed = envelope.clone();
            let index = index % changed.len();
            changed[index] = byte;
            if let Ok(payload) = open(&changed, &[key.verifying_key()]) {
                // The key id and the spaces of the JSON are not signed.
                proptest::prop_assert_eq!(payload, b"{\"a\":1}");
            }
        }
    }
}

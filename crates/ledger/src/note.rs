//! Signed notes with Ed25519: <https://c2sp.org/signed-note>.
//!
//! Keys have the text form of Go's `golang.org/x/mod/sumdb/note`, which other verifiers read too:
//! `NAME+ID+KEY` for the public half and `PRIVATE+KEY+NAME+ID+KEY` for the private one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// The signature type of Ed25519 in notes.
const ED25519: u8 = 1;

/// What the text form of a private key starts with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// Largest note that is read, in bytes: far above 16 signatures, the least that a verifier accepts.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// Why a key or a note is refused. The text is a fragment that follows the name of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text of a key does not have the form of one.
    #[error("is not a key: {0}")]
    Key(&'static str),
    /// The text is not a signed note.
    #[error("is not a signed note: {0}")]
    Form(&'static str),
    /// No signature is by the key.
    #[error("is not signed by the key `{key}`, only by {by}")]
    Unsigned {
        /// Name of the expected key.
        key: String,
        /// Names in the note, for a person.
        by: String,
    },
    /// A signature names the key and is not by it.
    #[error("has a wrong signature of the key `{0}`")]
    Signature(String),
}

/// The public half of a key, with its name.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::Key(
                "its name is empty, or has a space or a plus",
            ));
        }

        let digest = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519])
            .chain_update(key.as_bytes())
            .finalize();
        Ok(Self {
            name: name.to_owned(),
            id: [digest[0], digest[1], digest[2], digest[3]],
            key,
        })
    }

    /// Reads the text form `NAME+ID+KEY`.
    ///
    /// # Errors
    /// When it is anything else, or the id is not that of the key.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, id, bytes) = parts(text)?;
        let key = VerifyingKey::from_bytes(&bytes)
            .map_err(|_| NoteError::Key("its public half is not a point of the curve"))?;
        Self::new(name, key)?.with_id(id)
    }

    fn with_id(self, id: &str) -> Result<Self, NoteError> {
        if hex::encode(self.id) == id {
            Ok(self)
        } else {
            Err(NoteError::Key("its id does not fit its name and bytes"))
        }
    }

    /// The name, which is the log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks a note, and returns its text.
    ///
    /// # Errors
    /// When it is not a note, has no signature by this key, or a wrong one.
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let (text, signatures) = split(note)?;
        let mut verified = false;
        let mut names = Vec::new();
        for line in signatures.lines() {
            let (name, id, signature) = signature_line(line)?;
            names.push(format!("`{name}`"));
            if name != self.name || id != self.id {
                continue;
            }

            let wrong = || NoteError::Signature(self.name.clone());
            let signature = Signature::from_slice(&signature).map_err(|_| wrong())?;
            self.key
                .verify_strict(text.as_bytes(), &signature)
                .map_err(|_| wrong())?;
            verified = true;
        }

        if verified {
            return Ok(text);
        }
        Err(NoteError::Unsigned {
            key: self.name.clone(),
            by: names.join(", "),
        })
    }

    /// Whether these are the signature's bytes over the message. For statements, which are signed
    /// with the ledger's key too.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }

    /// The id in hexadecimal digits.
    pub(crate) fn id(&self) -> String {
        hex::encode(self.id)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.id(), STANDARD.encode(bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The private half of a key. It prints as `***`.
#[derive(Clone)]
pub struct SignerKey {
    key: SigningKey,
    verifier: VerifierKey,
}

impl SignerKey {
    /// A new key from the system's source of randomness.
    ///
    /// # Errors
    /// When the name cannot be one, or the system has no randomness.
    pub fn generate(name: &str) -> Result<Self, NoteError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| NoteError::Key("the system has no randomness"))?;
        Self::from_seed(name, &seed)
    }

    fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// Reads the text form `PRIVATE+KEY+NAME+ID+KEY`. Spaces and line ends around it are left out.
    ///
    /// # Errors
    /// When it is anything else, or the id is not that of the key. No error quotes the text.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let rest = text
            .trim()
            .strip_prefix(PRIVATE)
            .ok_or(NoteError::Key("it does not start with `PRIVATE+KEY+`"))?;
        let (name, id, seed) = parts(rest)?;
        let key = Self::from_seed(name, &seed)?;
        Ok(Self {
            verifier: key.verifier.with_id(id)?,
            key: key.key,
        })
    }

    /// The text form, for the file that keeps the secret.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let bytes = [&[ED25519], self.key.to_bytes().as_slice()].concat();
        let VerifierKey { name, id, .. } = &self.verifier;
        format!(
            "{PRIVATE}{name}+{}+{}",
            hex::encode(id),
            STANDARD.encode(bytes)
        )
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text.
    ///
    /// # Errors
    /// When the text does not end with a line break, or has control characters.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        if !text.ends_with('\n') || !is_note_text(text) {
            return Err(NoteError::Form(
                "the text has control characters, or its last line does not end",
            ));
        }

        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let bytes = [&self.verifier.id, signature.as_slice()].concat();
        let name = &self.verifier.name;
        Ok(format!(
            "{text}\n\u{2014} {name} {}\n",
            STANDARD.encode(bytes)
        ))
    }

    /// The signature's bytes over a message that is not a note.
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({}, ***)", self.verifier.name)
    }
}

/// Name, id and 32 bytes of a key's text form.
fn parts(text: &str) -> Result<(&str, &str, [u8; 32]), NoteError> {
    let wrong = NoteError::Key("it does not have the form `NAME+ID+KEY`");
    // Base64 may have a plus, names and ids may not.
    let [name, id, encoded] = text.splitn(3, '+').collect::<Vec<_>>()[..] else {
        return Err(wrong);
    };
    let bytes = STANDARD.decode(encoded).map_err(|_| wrong.clone())?;

    match bytes.split_first() {
        Some((&ED25519, key)) => Ok((name, id, key.try_into().map_err(|_| wrong)?)),
        _ => Err(NoteError::Key("it is not an Ed25519 key")),
    }
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && is_note_text(name)
        && !name.contains(|c: char| c == '+' || c.is_whitespace())
}

fn is_note_text(text: &str) -> bool {
    text.bytes().all(|byte| byte >= b' ' || byte == b'\n')
}

/// The text of a note and its lines of signatures.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    if note.len() > MAX_BYTES {
        return Err(NoteError::Form("it is larger than 64 KiB"));
    }
    if !is_note_text(note) {
        return Err(NoteError::Form("it has control characters"));
    }

    let (text, signatures) = note
        .rfind("\n\n")
        .map(|at| (&note[..=at], &note[at + 2..]))
        .ok_or(NoteError::Form("it has no signatures"))?;
    if signatures.is_empty() || !signatures.ends_with('\n') {
        return Err(NoteError::Form("its last line does not end"));
    }
    Ok((text, signatures))
}

/// Name, id and signature of one line.
fn signature_line(line: &str) -> Result<(&str, [u8; 4], Vec<u8>), NoteError> {
    let wrong = NoteError::Form("a line of signatures is malformed");
    let (name, encoded) = line
        .strip_prefix("\u{2014} ")
        .and_then(|rest| rest.split_once(' '))
        .ok_or_else(|| wrong.clone())?;
    let bytes = STANDARD.decode(encoded).map_err(|_| wrong.clone())?;
    match bytes.split_first_chunk() {
        Some((id, signature)) if is_key_name(name) && !signature.is_empty() => {
            Ok((name, *id, signature.to_vec()))
        }
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification, and the id of its key: <https://c2sp.org/signed-note>.
    const EXAMPLE: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

    /// The key and the note in the documentation of Go's package:
    /// <https://pkg.go.dev/golang.org/x/mod/sumdb/note>.
    const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const GO_SIGNER: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

    #[test]
    fn the_notes_of_others_are_read() {
        let (text, signatures) = split(EXAMPLE).unwrap();
        assert!(text.ends_with("\n\ned è subito sera.\n"), "{text}");
        let (name, id, signature) = signature_line(signatures.trim_end()).unwrap();
        assert_eq!(name, "quasimodo.example/salvatore");
        assert_eq!(id, [0x36, 0x7b, 0xa0, 0x4b]);
        assert_eq!(signature.len(), 64);

        let key = VerifierKey::parse(GO_KEY).unwrap();
        let text = key.open(GO_NOTE).unwrap();
        assert!(text.starts_with("If you think"), "{text}");
        assert_eq!(key.to_string(), GO_KEY);
    }

    #[test]
    fn the_same_note_is_written_as_by_others() {
        let signer = SignerKey::parse(GO_SIGNER).unwrap();
        let (text, _) = split(GO_NOTE).unwrap();
        assert_eq!(signer.sign(text).unwrap(), GO_NOTE);
        assert_eq!(signer.to_secret_text(), GO_SIGNER);
        assert_eq!(signer.verifier().to_string(), GO_KEY);
        assert_eq!(format!("{signer:?}"), "SignerKey(PeterNeumann, ***)");
    }

    #[test]
    fn every_changed_byte_is_found() {
        let key = VerifierKey::parse(GO_KEY).unwrap();
        for at in 0..GO_NOTE.len() {
            let mut bytes = GO_NOTE.as_bytes().to_vec();
            bytes[at] ^= 1 << (at % 8);
            if let Ok(note) = String::from_utf8(bytes) {
                assert!(key.open(&note).is_err(), "byte {at}");
            }
            assert!(key.open(GO_NOTE.get(..at).unwrap_or_default()).is_err());
        }
    }

    #[test]
    fn signatures_of_unknown_keys_are_ignored_and_wrong_ones_are_not() {
        let one = SignerKey::generate("log.example/one").unwrap();
        let two = SignerKey::generate("log.example/two").unwrap();
        let (signed, other) = (one.sign("text\n").unwrap(), two.sign("text\n").unwrap());
        let (_, line) = split(&other).unwrap();
        let both = format!("{signed}{line}");
        assert_eq!(one.verifier().open(&both), Ok("text\n"));
        assert_eq!(two.verifier().open(&both), Ok("text\n"));

        let unsigned = two.verifier().open(&signed).unwrap_err();
        assert_eq!(
            unsigned.to_string(),
            "is not signed by the key `log.example/two`, only by `log.example/one`"
        );

        // A right signature beside a wrong one of the same key does not help.
        let other = one.sign("other\n").unwrap();
        let (_, wrong) = split(&other).unwrap();
        let error = one
            .verifier()
            .open(&format!("{signed}{wrong}"))
            .unwrap_err();
        assert_eq!(error, NoteError::Signature("log.example/one".to_owned()));
    }

    #[test]
    fn odd_keys_are_refused_without_being_quoted() {
        let right = SignerKey::generate("log.example/one")
            .unwrap()
            .to_secret_text();
        for (text, wrong) in [
            (String::new(), "does not start"),
            ("PRIVATE+KEY+".to_owned(), "the form"),
            (right.replace("log.example", "log.invalid"), "its id"),
            (right.replace("log.example", "log example"), "its name"),
            (right[..right.len() - 4].to_owned(), "the form"),
            (right.replacen("+A", "+B", 1), "Ed25519"),
        ] {
            let error = SignerKey::parse(&text).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
            assert!(!error.contains("log."), "{error}");
        }
    }
}

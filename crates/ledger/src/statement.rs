//! Statements about a record: in-toto statements in signed DSSE envelopes, which other tools read.
//!
//! Sources: <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>,
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/svr.md>,
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/vulns.md>,
//! <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>.

use patchgate_proof::{DsseError, dsse};
use serde_json::{Value, json};

use crate::error::LedgerError;
use crate::note::{SignerKey, VerifierKey};
use crate::record::{Sha256Digest, Statement};

/// The type of every in-toto statement.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The predicate of a verdict: a simple verification result.
pub const SVR: &str = "https://in-toto.io/attestation/svr/v0.1";

/// The predicate of a scan.
pub const VULNS: &str = "https://in-toto.io/attestation/vulns/v0.1";

/// A thing that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its name, such as an address or a path.
    pub name: String,
    /// The algorithm of the digest, such as `gitCommit` or `sha256`.
    pub algorithm: &'static str,
    /// The digest in hexadecimal digits.
    pub digest: String,
}

/// The path of a statement next to the log.
#[must_use]
pub fn path(digest: &Sha256Digest) -> String {
    format!("statements/{digest}.json")
}

/// Signs a statement: the reference for its record, and the file to append with it.
///
/// # Errors
/// When the predicate has a number that JSON cannot keep.
pub fn sign(
    subjects: &[Subject],
    predicate_type: &str,
    predicate: &Value,
    key: &SignerKey,
) -> Result<(Statement, (String, Vec<u8>)), LedgerError> {
    let subjects: Vec<Value> = subjects
        .iter()
        .map(|subject| json!({"name": subject.name, "digest": {subject.algorithm: subject.digest}}))
        .collect();
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": predicate_type,
        "predicate": predicate,
    });

    let unwritable = |error| LedgerError::Record(format!("has no statement: {error}"));
    let payload = serde_jcs::to_vec(&statement).map_err(unwritable)?;
    let id = key.verifier().id();
    let bytes = dsse::sign_with(&payload, id, |message| key.sign_bytes(message)).into_bytes();

    let sha256 = Sha256Digest::of(&bytes);
    let file = (path(&sha256), bytes);
    let reference = Statement {
        predicate_type: predicate_type.to_owned(),
        sha256,
    };
    Ok((reference, file))
}

/// Checks the signature of an envelope, and returns its statement.
///
/// # Errors
/// When it is not an envelope with a statement, or not signed by the key. The text is a fragment that
/// follows the file's name.
pub fn open(bytes: &[u8], key: &VerifierKey) -> Result<Value, &'static str> {
    let payload = dsse::open_with(bytes, |message, signature| key.verifies(message, signature));
    let payload = payload.map_err(|error| match error {
        DsseError::Unreadable(_) => "is not a DSSE envelope",
        DsseError::PayloadType => "is not an in-toto statement",
        DsseError::NotSigned => "is not signed by the key of the ledger",
    })?;

    let statement: Value =
        serde_json::from_slice(&payload).map_err(|_| "is not an in-toto statement")?;
    match statement["_type"] == STATEMENT_TYPE {
        true => Ok(statement),
        false => Err("is not an in-toto statement"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_signed_and_found_by_its_digest() {
        let key = SignerKey::generate("log.example/one").unwrap();
        let subjects = [Subject {
            name: "pkg:github/acme/shop".to_owned(),
            algorithm: "gitCommit",
            digest: "a".repeat(40),
        }];
        let predicate = json!({"properties": ["PATCHGATE_MERGE"]});
        let (reference, (path, bytes)) = sign(&subjects, SVR, &predicate, &key).unwrap();
        assert_eq!(
            path,
            format!("statements/{}.json", Sha256Digest::of(&bytes))
        );
        assert_eq!(reference.predicate_type, SVR);

        let statement = open(&bytes, key.verifier()).unwrap();
        assert_eq!(
            statement["subject"][0]["digest"]["gitCommit"],
            "a".repeat(40)
        );
        assert_eq!(statement["predicate"], predicate);

        let other = SignerKey::generate("log.example/one").unwrap();
        assert!(open(&bytes, other.verifier()).is_err());
        let text = String::from_utf8(bytes).unwrap();
        let wrong = text.replace("in-toto+json", "json");
        assert_eq!(
            open(wrong.as_bytes(), key.verifier()),
            Err("is not an in-toto statement")
        );
    }
}

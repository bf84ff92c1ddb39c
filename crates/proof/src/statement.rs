//! The statement about a plan.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::dsse::{self, DsseError};
use crate::{SigningKey, VerifyingKey};

/// The type of every in-toto statement of version 1.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate: a plan, with the base commit and the tree that it leads to.
pub const PLAN_PREDICATE: &str = "urn:patchgate:plan:v1";
/// Most files of a statement.
const MAX_FILES: usize = 10_000;

/// Why a statement is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The envelope is not accepted.
    #[error(transparent)]
    Envelope(#[from] DsseError),
    /// The payload is not a statement about a plan.
    #[error("it is not a statement about a plan: {0}")]
    Payload(&'static str),
}

/// What a plan leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStatement {
    /// Id of the commit that the plan is based on.
    pub base: String,
    /// Id of the tree of the commit with the plan.
    pub tree: String,
    /// The SHA-256 of every changed file, in hexadecimal digits, by path.
    pub files: BTreeMap<String, String>,
}

impl PlanStatement {
    /// The statement about changed files.
    pub fn new<'a>(
        base: &str,
        tree: &str,
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let files = files.into_iter();
        Self {
            base: base.to_owned(),
            tree: tree.to_owned(),
            files: files
                .map(|(path, bytes)| (path.to_owned(), sha256(bytes)))
                .collect(),
        }
    }

    /// The signed envelope with the statement, as JSON.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let subject: Vec<Value> = self
            .files
            .iter()
            .map(|(path, digest)| json!({"name": path, "digest": {"sha256": digest}}))
            .collect();
        let statement = json!({
            "_type": STATEMENT_TYPE,
            "subject": subject,
            "predicateType": PLAN_PREDICATE,
            "predicate": {"base": self.base, "tree": self.tree},
        });
        dsse::sign(statement.to_string().as_bytes(), key)
    }

    /// Opens an envelope that is signed by one of the keys.
    ///
    /// # Errors
    /// When it is not signed by one of them, or is no statement about a plan.
    pub fn open(envelope: &[u8], keys: &[VerifyingKey]) -> Result<Self, StatementError> {
        let payload = dsse::open(envelope, keys)?;
        let error = StatementError::Payload;
        let value: Value = serde_json::from_slice(&payload).map_err(|_| error("it is not JSON"))?;
        if value["_type"] != STATEMENT_TYPE {
            return Err(error("its type is another one"));
        }
        if value["predicateType"] != PLAN_PREDICATE {
            return Err(error("its predicate is another one"));
        }

        let text = |value: &Value, reason| value.as_str().map(str::to_owned).ok_or(error(reason));
        let subject = value["subject"]
            .as_array()
            .filter(|subject| !subject.is_empty() && subject.len() <= MAX_FILES)
            .ok_or(error("it names no files, or too many"))?;
        let mut files = BTreeMap::new();
        for file in subject {
            let path = text(&file["name"], "a file has no name")?;
            let digest = text(&file["digest"]["sha256"], "a file has no SHA-256")?;
            if files.insert(path, digest).is_some() {
                return Err(error("it names a file twice"));
            }
        }
        Ok(Self {
            base: text(&value["predicate"]["base"], "it names no base commit")?,
            tree: text(&value["predicate"]["tree"], "it names no tree")?,
            files,
        })
    }
}

/// The SHA-256 of bytes, in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";

    #[test]
    fn a_statement_is_read_as_it_was_signed() {
        let key = SigningKey::from_pem(KEY).unwrap();
        let files: [(&str, &[u8]); 2] = [("b/Cargo.lock", b"1"), ("a \"q\".json", b"")];
        let statement = PlanStatement::new("base", "tree", files);
        let envelope = statement.sign(&key);
        let keys = [key.verifying_key()];
        assert_eq!(
            PlanStatement::open(envelope.as_bytes(), &keys),
            Ok(statement)
        );
        assert!(PlanStatement::open(envelope.as_bytes(), &[]).is_err());
    }

    #[test]
    fn another_signed_payload_is_no_statement_about_a_plan() {
        let key = SigningKey::from_pem(KEY).unwrap();
        let file = json!({"name": "a", "digest": {"sha256": "0"}});
        let good = json!({
            "_type": STATEMENT_TYPE, "predicateType": PLAN_PREDICATE,
            "subject": [file], "predicate": {"base": "b", "tree": "t"},
        });
        let opened = |value: &Value| {
            let envelope = dsse::sign(value.to_string().as_bytes(), &key);
            PlanStatement::open(envelope.as_bytes(), &[key.verifying_key()])
        };
        assert!(opened(&good).is_ok());
        for (pointer, value) in [
            ("/_type", json!("x")),
            ("/predicateType", json!("https://slsa.dev/provenance/v1")),
            ("/subject", json!([])),
            ("/subject", json!([file, file])),
            ("/subject/0/name", json!(1)),
            ("/subject/0/digest", json!({"md5": "0"})),
            ("/predicate", json!({"base": "b"})),
            ("/predicate/base", Value::Null),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = value;
            assert!(
                matches!(opened(&bad), Err(StatementError::Payload(_))),
                "{pointer}"
            );
        }
    }
}

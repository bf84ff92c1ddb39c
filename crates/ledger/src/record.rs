//! Records: what was decided or done, by whom, when, on which inputs and why.
//!
//! A record is a CloudEvents 1.0 object <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>
//! in the canonical JSON of RFC 8785 <https://www.rfc-editor.org/rfc/rfc8785>. Its id is made from its
//! content, so a record that is sent twice has the same id.
//!
//! Personal data is limited to the id of an account on its forge. E-mail addresses in texts are
//! replaced.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::canonical;
use crate::error::LedgerError;
use crate::event::Event;
use crate::tile::MAX_ENTRY_BYTES;

/// Largest text of a reason, in bytes. A longer one is cut.
const MAX_TEXT_BYTES: usize = 1_000;

/// One record of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The repository or the project, as an address or path without secrets.
    pub source: String,
    /// The thing within the source, such as `pull/7`.
    pub subject: Option<String>,
    /// The moment, by the clock of the machine that wrote it.
    pub time: Timestamp,
    /// The account that it was done for.
    pub who: Actor,
    /// What was decided or done.
    pub event: Event,
    /// The bytes that the decision was made on.
    pub inputs: Vec<Input>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The signed statement about the same fact, which is kept next to the log.
    pub statement: Option<Statement>,
}

/// An account, without a name or an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Actor {
    /// An account of a forge.
    Account {
        /// Host of the forge, such as `github.com`.
        forge: String,
        /// The account's id there, which does not change with its name.
        id: String,
    },
    /// Nobody is known: a run outside of a forge.
    Unknown,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account { forge, id } => write!(f, "{forge}#{id}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Bytes that a decision was made on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What it is, such as `package-lock.json` or `policy`.
    pub name: String,
    /// SHA-256 of the bytes.
    pub sha256: Sha256Digest,
}

impl Input {
    /// The input with these bytes.
    pub fn of(name: impl Into<String>, bytes: &[u8]) -> Self {
        Self {
            name: name.into(),
            sha256: Sha256Digest::of(bytes),
        }
    }
}

/// One reason of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The rule, in kebab-case.
    pub code: String,
    /// The rule's own result, such as `merge` or `block`.
    pub result: String,
    /// The explanation for a person.
    pub text: String,
}

impl Reason {
    /// A reason whose text is cut to 1,000 bytes and has no e-mail addresses.
    pub fn new(code: impl Into<String>, result: impl Into<String>, text: &str) -> Self {
        Self {
            code: code.into(),
            result: result.into(),
            text: shorten(&without_addresses(text), MAX_TEXT_BYTES),
        }
    }
}

/// Name of the input of a verdict whose file is at [`evidence_path`].
pub(crate) const EVIDENCE: &str = "evidence";

/// The path of the file next to the log with everything that a verdict was made from.
#[must_use]
pub fn evidence_path(digest: &Sha256Digest) -> String {
    format!("evidence/{digest}.json")
}

/// A signed statement next to the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// The type of its predicate, an address.
    pub predicate_type: String,
    /// SHA-256 of the envelope's bytes, which names its file.
    pub sha256: Sha256Digest,
}

/// A SHA-256 digest in 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Digest(String);

impl Sha256Digest {
    /// The digest of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sha256Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match text.len() == 64 && digits {
            true => Ok(Self(text)),
            false => Err("a digest has 64 lowercase hexadecimal digits"),
        }
    }
}

impl From<Sha256Digest> for String {
    fn from(digest: Sha256Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The record as CloudEvents writes it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    time: Timestamp,
    datacontenttype: String,
    data: Data,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    who: Actor,
    what: Value,
    inputs: Vec<Input>,
    reasons: Vec<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statement: Option<Statement>,
}

const SPEC_VERSION: &str = "1.0";
const CONTENT_TYPE: &str = "application/json";

impl Record {
    /// The wire form with an empty id.
    fn to_wire(&self) -> Result<Wire, LedgerError> {
        let (kind, what) = self.event.to_parts().map_err(unwritable)?;
        Ok(Wire {
            specversion: SPEC_VERSION.to_owned(),
            id: String::new(),
            source: self.source.clone(),
            kind,
            subject: self.subject.clone(),
            time: self.time,
            datacontenttype: CONTENT_TYPE.to_owned(),
            data: Data {
                who: self.who.clone(),
                what,
                inputs: self.inputs.clone(),
                reasons: self.reasons.clone(),
                statement: self.statement.clone(),
            },
        })
    }

    /// The id, which is the first 32 hexadecimal digits of the SHA-256 of the record with an empty id,
    /// and the bytes of the entry.
    ///
    /// # Errors
    /// When the record is larger than an entry may be, or has a number that JSON cannot keep.
    pub fn encode(&self) -> Result<(String, Vec<u8>), LedgerError> {
        let mut wire = self.to_wire()?;
        wire.id = id_of(&canonical::to_vec(&wire).map_err(unwritable)?);
        let bytes = canonical::to_vec(&wire).map_err(unwritable)?;
        if bytes.len() > MAX_ENTRY_BYTES {
            let size = bytes.len();
            return Err(LedgerError::Record(format!(
                "has {size} bytes, and an entry has at most {MAX_ENTRY_BYTES}"
            )));
        }

        // Numbers of JSON are exact up to 2^53 only.
        match serde_json::from_slice::<Wire>(&bytes) {
            Ok(read) if read.data.what == wire.data.what => Ok((wire.id, bytes)),
            _ => Err(LedgerError::Record("has a number above 2^53".to_owned())),
        }
    }

    /// The id alone.
    ///
    /// # Errors
    /// As for [`Record::encode`].
    pub fn id(&self) -> Result<String, LedgerError> {
        Ok(self.encode()?.0)
    }

    /// The bytes of the entry alone.
    ///
    /// # Errors
    /// As for [`Record::encode`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, LedgerError> {
        Ok(self.encode()?.1)
    }

    /// Reads an entry, with its id.
    ///
    /// # Errors
    /// When it is not a record, not canonical, or its id is not made from its content. The text is a
    /// fragment that follows the name of the record.
    pub fn parse(bytes: &[u8]) -> Result<(String, Self), String> {
        let wire: Wire =
            serde_json::from_slice(bytes).map_err(|error| format!("is not a record: {error}"))?;
        if wire.specversion != SPEC_VERSION || wire.datacontenttype != CONTENT_TYPE {
            return Err("is not a CloudEvents 1.0 object with JSON data".to_owned());
        }
        if canonical::to_vec(&wire).ok().as_deref() != Some(bytes) {
            return Err("is not in canonical form".to_owned());
        }

        let id = wire.id;
        if without_id(bytes, &id).is_none_or(|rest| id_of(&rest) != id) {
            return Err("has an id that is not made from its content".to_owned());
        }

        let data = wire.data;
        let event = Event::from_parts(&wire.kind, data.what)
            .map_err(|error| format!("is not a record: {error}"))?;
        let record = Self {
            source: wire.source,
            subject: wire.subject,
            time: wire.time,
            who: data.who,
            event,
            inputs: data.inputs,
            reasons: data.reasons,
            statement: data.statement,
        };
        Ok((id, record))
    }
}

fn unwritable(error: serde_json::Error) -> LedgerError {
    LedgerError::Record(format!("cannot be written: {error}"))
}

/// The canonical bytes of a record with an empty id, from those with its id. Nothing is written a
/// second time: the fields after the id are texts, in which a quotation mark is escaped, so the last
/// match is the field of the record itself.
fn without_id(bytes: &[u8], id: &str) -> Option<Vec<u8>> {
    let field = format!("\"datacontenttype\":\"{CONTENT_TYPE}\",\"id\":\"{id}\",");
    let at = memchr::memmem::rfind(bytes, field.as_bytes())?;
    let (before, rest) = bytes.split_at_checked(at)?;
    let after = rest.get(field.len()..)?;
    let empty = format!("\"datacontenttype\":\"{CONTENT_TYPE}\",\"id\":\"\",");
    Some([before, empty.as_bytes(), after].concat())
}

/// The id of a record from its bytes with an empty id.
fn id_of(bytes: &[u8]) -> String {
    let mut id = Sha256Digest::of(bytes).0;
    id.truncate(32);
    id
}

/// The text with `[e-mail]` in place of what looks like an e-mail address. A package with its version,
/// such as `left-pad@1.3.0`, stays.
fn without_addresses(text: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || "._%+-@".contains(c);
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        result.push_str(before);
        result.push_str(if is_address(word) { "[e-mail]" } else { word });
        rest = after;
    }

    result.push_str(rest);
    result
}

fn is_address(word: &str) -> bool {
    let Some((local, domain)) = word.trim_end_matches('.').rsplit_once('@') else {
        return false;
    };
    let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
    !local.is_empty() && top.len() >= 2 && top.chars().all(char::is_alphabetic)
}

fn shorten(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let end = (0..=max_bytes).rev().find(|at| text.is_char_boundary(*at));
    format!("{}…", &text[..end.unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Decision, ScanEvent, VerdictEvent};

    fn record() -> Record {
        Record {
            source: "https://github.com/acme/shop".to_owned(),
            subject: Some("pull/7".to_owned()),
            time: "2026-11-30T10:00:00Z".parse().unwrap(),
            who: Actor::Account {
                forge: "github.com".to_owned(),
                id: "583231".to_owned(),
            },
            event: Event::Verdict(VerdictEvent {
                decision: Decision::Review,
                pull_request: 7,
                head: "a".repeat(40),
                base: "b".repeat(40),
            }),
            inputs: vec![Input::of("package-lock.json", b"{}")],
            reasons: vec![Reason::new("checks-pending", "review", "`test` is pending")],
            statement: None,
        }
    }

    #[test]
    fn a_record_is_a_canonical_cloud_event() {
        let record = record();
        let bytes = record.to_bytes().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        let id = record.id().unwrap();
        let input = Sha256Digest::of(b"{}");
        let (head, base) = ("a".repeat(40), "b".repeat(40));
        assert_eq!(
            text,
            format!(
                r#"{{"data":{{"inputs":[{{"name":"package-lock.json","sha256":"{input}"}}],"reasons":[{{"code":"checks-pending","result":"review","text":"`test` is pending"}}],"what":{{"base":"{base}","decision":"review","head":"{head}","pullRequest":7}},"who":{{"forge":"github.com","id":"583231","kind":"account"}}}},"datacontenttype":"application/json","id":"{id}","source":"https://github.com/acme/shop","specversion":"1.0","subject":"pull/7","time":"2026-11-30T10:00:00Z","type":"dev.patchgate.verdict.v1"}}"#
            )
        );
        assert_eq!(Record::parse(&bytes), Ok((id, record)));
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = record().to_bytes().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        for (odd, wrong) in [
            (text.replace("\"pull/7\"", "\"pull/8\""), "id"),
            (text.replace(":7}", ": 7}"), "canonical"),
            (text.replace(":7}", ":7.0}"), "canonical"),
            (text.replace("\"1.0\"", "\"0.3\""), "CloudEvents"),
            (text.replace("\"who\"", "\"whom\""), "not a record"),
            (text.replacen("{", "{\"data\":{},", 1), "not a record"),
            (text[..text.len() - 1].to_owned(), "not a record"),
            ("[".repeat(100_000), "not a record"),
        ] {
            let error = Record::parse(odd.as_bytes()).unwrap_err();
            assert!(error.contains(wrong), "{odd}: {error}");
        }
    }

    #[test]
    fn a_record_of_a_later_version_is_kept_as_it_is() {
        let mut record = record();
        record.event = Event::Other {
            kind: "dev.patchgate.verdict.v2".to_owned(),
            what: serde_json::json!({"anything": [1, null]}),
        };
        let bytes = record.to_bytes().unwrap();
        assert_eq!(Record::parse(&bytes).unwrap().1, record);
    }

    #[test]
    fn a_record_that_is_too_large_is_refused() {
        let mut record = record();
        record.inputs = vec![Input::of("x".repeat(700), b""); 100];
        let error = record.to_bytes().unwrap_err();
        assert!(error.to_string().contains("at most 65535"), "{error}");
        assert!(error.hint().contains("digests"));
    }

    #[test]
    fn a_number_that_json_cannot_keep_is_refused() {
        let with = |findings| Record {
            event: Event::Scan(ScanEvent {
                result: "clean".to_owned(),
                findings,
                at_or_above_threshold: 0,
                incomplete: 0,
            }),
            ..record()
        };
        assert!(with(1 << 53).to_bytes().is_ok());
        let error = with((1 << 53) + 1).to_bytes().unwrap_err();
        assert!(error.to_string().contains("above 2^53"), "{error}");
    }

    #[test]
    fn texts_have_no_addresses_and_are_short() {
        let of = |text| Reason::new("x", "review", text).text;
        assert_eq!(
            of("commit by Jo <jo.doe@mail.example.org>, and left-pad@1.3.0, @scope/a@2.0.0-rc.1"),
            "commit by Jo <[e-mail]>, and left-pad@1.3.0, @scope/a@2.0.0-rc.1"
        );
        assert_eq!(of("1+bot@users.noreply.example.com."), "[e-mail]");
        let long = of(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), 501);
    }
}

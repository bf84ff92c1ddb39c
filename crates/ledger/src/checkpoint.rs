//! Checkpoints: the signed size and root of a log, by <https://c2sp.org/tlog-checkpoint>.

use crate::merkle::Hash;
use crate::note::{NoteError, SignerKey, VerifierKey};

/// The state of a log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The identity of the log, which is the name of its key.
    pub origin: String,
    /// The number of records.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a signed checkpoint. Lines after the third are left out, as the specification says.
    ///
    /// # Errors
    /// When the signature or the text is wrong, or the checkpoint is of another log.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, NoteError> {
        let checkpoint = Self::parse(key.open(note)?)?;
        if checkpoint.origin == key.name() {
            Ok(checkpoint)
        } else {
            Err(NoteError::Form("its origin is not the name of its key"))
        }
    }

    fn parse(text: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::Form("its text is not a checkpoint");
        let lines: Vec<&str> = text.lines().collect();
        let [origin, size, root, extensions @ ..] = &lines[..] else {
            return Err(wrong);
        };
        if origin.is_empty() || extensions.iter().any(|line| line.is_empty()) {
            return Err(wrong);
        }

        Ok(Self {
            origin: (*origin).to_owned(),
            size: parse_number(size).ok_or_else(|| wrong.clone())?,
            root: Hash::from_base64(root).ok_or(wrong)?,
        })
    }

    /// Signs the checkpoint.
    ///
    /// # Errors
    /// When the origin has control characters.
    pub fn sign(&self, key: &SignerKey) -> Result<String, NoteError> {
        key.sign(&format!("{}\n{}\n{}\n", self.origin, self.size, self.root))
    }
}

/// A decimal number without leading zeros.
pub(crate) fn parse_number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of the example in the specification.
    const EXAMPLE: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let checkpoint = Checkpoint::parse(EXAMPLE).unwrap();
        assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size, 20_852_163);

        let key = SignerKey::generate("example.com/behind-the-sofa").unwrap();
        let note = checkpoint.sign(&key).unwrap();
        assert!(note.starts_with(EXAMPLE), "{note}");
        assert_eq!(Checkpoint::open(&note, key.verifier()), Ok(checkpoint));
    }

    #[test]
    fn odd_texts_are_refused() {
        for text in [
            "",
            "o\n1\n",
            "o\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
            "o\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
            "o\n99999999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
            "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
            "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n",
            "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nx\n",
        ] {
            assert!(Checkpoint::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_checkpoint_of_another_log_is_refused() {
        let key = SignerKey::generate("log.example/one").unwrap();
        let checkpoint = Checkpoint {
            origin: "log.example/two".to_owned(),
            size: 0,
            root: Hash::of_empty_tree(),
        };
        let note = checkpoint.sign(&key).unwrap();
        let error = Checkpoint::open(&note, key.verifier()).unwrap_err();
        assert!(error.to_string().contains("origin"), "{error}");
    }
}

//! Proofs of inclusion as files: <https://c2sp.org/tlog-proof>.

use crate::checkpoint::{Checkpoint, parse_number};
use crate::merkle::{Hash, verify_inclusion};
use crate::note::{NoteError, VerifierKey};

/// The first line of a proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1\n";

/// Most hashes of a proof: a tree has at most 2^64 leaves.
const MAX_HASHES: usize = 64;

/// The proof that a record is in a log. It needs nothing else but the record and the log's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The index of the record.
    pub index: u64,
    /// The hashes from the leaf's sibling up to the child of the root.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, as the log has it.
    pub checkpoint: String,
}

impl Proof {
    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let hashes: String = self.hashes.iter().map(|hash| format!("{hash}\n")).collect();
        format!(
            "{HEADER}index {}\n{hashes}\n{}",
            self.index, self.checkpoint
        )
    }

    /// Reads the text of the file. Extra data, which nothing vouches for, is left out.
    ///
    /// # Errors
    /// When it is not a proof.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::Form("it is not a proof of the form `c2sp.org/tlog-proof@v1`");
        let (lines, checkpoint) = text
            .strip_prefix(HEADER)
            .and_then(|rest| rest.split_once("\n\n"))
            .ok_or_else(|| wrong.clone())?;
        let mut lines = lines.lines().peekable();
        lines.next_if(|line| line.starts_with("extra "));

        let index = lines
            .next()
            .and_then(|line| parse_number(line.strip_prefix("index ")?))
            .ok_or_else(|| wrong.clone())?;
        let hashes: Option<Vec<Hash>> = lines.take(MAX_HASHES + 1).map(Hash::from_base64).collect();
        let hashes = hashes.filter(|hashes| hashes.len() <= MAX_HASHES);
        Ok(Self {
            index,
            hashes: hashes.ok_or(wrong)?,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that the log with this key has the entry, and returns the log's state.
    ///
    /// # Errors
    /// When the checkpoint is not the log's, or the hashes do not lead from the entry to its root.
    pub fn verify(&self, entry: &[u8], key: &VerifierKey) -> Result<Checkpoint, NoteError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        let leaf = Hash::of_leaf(entry);
        let Checkpoint { size, root, .. } = checkpoint;
        if verify_inclusion(leaf, self.index, size, root, &self.hashes) {
            Ok(checkpoint)
        } else {
            Err(NoteError::Form(
                "its hashes do not lead from the record to the checkpoint",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SignerKey;

    #[test]
    fn a_proof_survives_its_text_and_fits_its_record_alone() {
        let key = SignerKey::generate("log.example/one").unwrap();
        let leaves = [Hash::of_leaf(b"a"), Hash::of_leaf(b"b")];
        let checkpoint = Checkpoint {
            origin: "log.example/one".to_owned(),
            size: 2,
            root: Hash::of_children(leaves[0], leaves[1]),
        };
        let proof = Proof {
            index: 1,
            hashes: vec![leaves[0]],
            checkpoint: checkpoint.sign(&key).unwrap(),
        };
        let text = proof.to_text();
        assert_eq!(Proof::parse(&text), Ok(proof.clone()));
        let extra = text.replace("index", "extra YQ==\nindex");
        assert_eq!(Proof::parse(&extra), Ok(proof.clone()));

        assert_eq!(proof.verify(b"b", key.verifier()), Ok(checkpoint));
        assert!(proof.verify(b"a", key.verifier()).is_err());
        let other = SignerKey::generate("log.example/one").unwrap();
        assert!(proof.verify(b"b", other.verifier()).is_err());
    }

    #[test]
    fn odd_proofs_are_refused() {
        let key = SignerKey::generate("log.example/one").unwrap();
        let checkpoint = Checkpoint {
            origin: "log.example/one".to_owned(),
            size: 1,
            root: Hash::of_leaf(b"a"),
        };
        let proof = Proof {
            index: 0,
            hashes: Vec::new(),
            checkpoint: checkpoint.sign(&key).unwrap(),
        };
        let text = proof.to_text();
        assert!(proof.verify(b"a", key.verifier()).is_ok());
        for odd in [
            text.replace("@v1", "@v2"),
            text.replace("index 0", "index 00"),
            text.replace("index 0", "index -1"),
            text.replace("index 0\n", ""),
            text.replace("index 0\n", "index 0\nabc\n"),
            text.replace(
                "index 0\n",
                &format!(
                    "index 0\n{}",
                    format!("{}\n", Hash::of_empty_tree()).repeat(65)
                ),
            ),
            text[..20].to_owned(),
        ] {
            assert!(Proof::parse(&odd).is_err(), "{odd}");
        }
    }
}

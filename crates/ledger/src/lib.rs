//! The ledger: records of what Patchgate decided and did, in a signed log that only grows.
//!
//! A [`Record`] is a CloudEvents object. A [`Ledger`] is a C2SP tlog-tiles log
//! <https://c2sp.org/tlog-tiles>: a Merkle tree in static files, with a signed [`Checkpoint`]. It is
//! kept in a [`Storage`]: a [`Folder`], or a [`Branch`] of a git repository. [`verify`] checks all of it, and a [`Proof`] shows to
//! somebody without the log that a record is in it. [`statement`] signs the same facts for other tools.
//!
//! What a log cannot show: whoever has the key can write another log from the beginning. An auditor who
//! keeps an earlier checkpoint finds that out, see [`Ledger::check_growth`].
//!
//! Deliberately absent: verdicts, reports and the command line. This crate knows records and files.

mod canonical;
mod checkpoint;
mod error;
mod event;
mod log;
mod merkle;
mod note;
mod proof;
mod record;
pub mod statement;
mod storage;
mod tile;
mod verify;

pub use checkpoint::Checkpoint;
pub use error::LedgerError;
pub use event::{
    Decision, Event, HoldEvent, MergeEvent, OutcomeEvent, OutcomeKind, OverrideEvent,
    ProposalEvent, ScanEvent, Step, VerdictEvent,
};
pub use log::{Appended, Ledger};
pub use merkle::{
    Hash, Nodes, prove_consistency, prove_inclusion, root, verify_consistency, verify_inclusion,
};
pub use note::{NoteError, SignerKey, VerifierKey};
pub use proof::Proof;
pub use record::{Actor, Input, Reason, Record, Sha256Digest, Statement, evidence_path};
pub use storage::{Branch, CHECKPOINT, Change, Folder, KEY, Storage, Turn};
pub use tile::{MAX_ENTRY_BYTES, Tile, TileKind};
pub use verify::{Messages, OpenIntent, Verification, verify};

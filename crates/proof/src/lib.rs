//! Proof that a commit contains exactly a plan of Patchgate.
//!
//! - [`PlanStatement`] names the base commit, the tree of the head and the digest of every changed
//!   file. It is an in-toto statement (<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>).
//! - [`dsse`] signs it and checks the signature.
//! - [`SigningKey`] and [`VerifyingKey`] are ed25519 keys, as OpenSSL writes them.
//! - [`render_block`] and [`parse_block`] carry the envelope in the body of a pull request. The body
//!   is only the carrier: whoever edits it cannot make a signature.
//!
//! Deliberately absent: files, the environment, and the decision whose key counts. The public keys are
//! arguments.

mod block;
pub mod dsse;
mod key;
mod statement;

pub use block::{parse_block, render_block};
pub use dsse::DsseError;
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use statement::{PLAN_PREDICATE, PlanStatement, StatementError, sha256};

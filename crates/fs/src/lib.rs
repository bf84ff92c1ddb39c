//! Bounded reads and atomic writes of files, and git in isolation.
//!
//! A scanned repository is hostile input: a file of it may be a link to a secret of the machine, a
//! named pipe that never ends, or larger than memory. [`read_inside`] reads only regular files
//! inside a directory, up to a limit. [`write_atomic`] replaces a file as a whole, so that no reader
//! sees half of it. [`isolated_git`] is git without the settings of a hostile clone.
//!
//! Deliberately absent: formats and reports. This crate knows bytes and paths.

mod git;
mod read;
mod write;

pub use git::isolated_git;
pub use read::{ReadError, check_inside, first_bytes, read_inside, read_named, read_up_to};
pub use write::{Staged, stage, write_atomic, write_atomic_private, write_inside};

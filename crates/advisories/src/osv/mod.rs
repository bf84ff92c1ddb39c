//! Records of the OSV schema (<https://ossf.github.io/osv-schema/>): their wire form and what
//! becomes of it.

mod free_form;
mod wire;

pub use wire::{RecordError, parse_record};

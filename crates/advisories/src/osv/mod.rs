//! Parsing of records of the OSV schema (<https://ossf.github.io/osv-schema/>).

mod free_form;
mod title;
mod wire;

pub use wire::{RecordError, parse_record};

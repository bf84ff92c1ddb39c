//! Conditions of a policy's rules, in the Common Expression Language
//! (<https://github.com/google/cel-spec/blob/master/doc/langdef.md>).
//!
//! - [`FIELDS`] are the typed fields that a condition may use.
//! - [`Condition::parse`] reads a condition and checks it: an unknown field and a wrong type are errors
//!   before anything is evaluated, because CEL itself would answer "false" or nothing.
//! - [`Facts`] have a value for every field, and [`Condition::holds`] evaluates.
//!
//! Only a part of CEL is allowed: fields, literals, logic, comparisons, arithmetic, `in`, `size`, the
//! functions of texts, and the macros `exists` and `all` over a list of texts. Every evaluation ends:
//! a source is short, macros do not nest, and regular expressions take linear time.
//!
//! Deliberately absent: the gate's own conditions, which no rule can loosen, and reading files.

mod check;
mod condition;
mod facts;
mod fields;

pub use condition::{Condition, ConditionError};
pub use facts::{Facts, FactsError};
pub use fields::{FIELDS, Field, FieldType};

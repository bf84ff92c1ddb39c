//! `patchgate db`.

mod commands;
mod faults;

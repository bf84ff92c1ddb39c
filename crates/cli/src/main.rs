//! The `patchgate` command.
fn main() {}

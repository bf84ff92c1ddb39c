//! `patchgate pr`.

use crate::context::Context;
use crate::exit::{Exit, UsageError};

/// Flags of `patchgate pr`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Err(UsageError::new("`patchgate pr` is not there yet").into())
}

//! `patchgate gate`.

use crate::context::Context;
use crate::exit::{Exit, UsageError};

/// Flags of `patchgate gate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Err(UsageError::new("`patchgate gate` is not there yet").into())
}

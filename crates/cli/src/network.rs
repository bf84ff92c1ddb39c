//! The network client of one run.

use patchgate_http::{Client, ClientOptions};

use crate::context::Context;

/// A client that keeps answers in the cache folder, and with `offline` answers from there alone.
pub(crate) fn client(context: &Context, offline: bool) -> anyhow::Result<Client> {
    Ok(Client::new(options(context, offline))?)
}

/// The options of [`client`], for a client that differs from it in some.
pub(crate) fn options(context: &Context, offline: bool) -> ClientOptions {
    ClientOptions {
        user_agent: concat!("patchgate/", env!("CARGO_PKG_VERSION")).to_owned(),
        offline,
        cache_dir: context.cache_dir(),
        ..ClientOptions::default()
    }
}

//! The network client of one run.

use patchgate_http::{Client, ClientOptions};

use crate::context::Context;

/// A client that keeps answers in the cache folder, and with `offline` answers from there alone.
pub(crate) fn client(context: &Context, offline: bool) -> anyhow::Result<Client> {
    Ok(Client::new(ClientOptions {
        user_agent: concat!("patchgate/", env!("CARGO_PKG_VERSION")).to_owned(),
        offline,
        cache_dir: context.cache_dir(),
        ..ClientOptions::default()
    })?)
}

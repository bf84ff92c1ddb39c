//! Where advisories come from in one run.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use patchgate_advisories::{Lookup, PackageQuery, SignalSource, Store};
use patchgate_config::Config;

use crate::args::SourceArgs;
use crate::context::Context;
use crate::exit::UsageError;

/// The advisory source of one run.
#[derive(Debug)]
pub(crate) enum AdvisorySource {
    /// A store on disk: no advisory is asked for over the network.
    Store(Store),
}

impl AdvisorySource {
    /// Opens what the flags and the settings ask for: a store where one is named, else OSV.
    ///
    /// # Errors
    /// When `--offline` stands without a store, or the store cannot be opened.
    pub(crate) fn open(
        args: &SourceArgs,
        config: &Config,
        root: &Path,
        context: &Context,
    ) -> anyhow::Result<Self> {
        match store_path(args, config, root) {
            Some(path) => {
                let max_age_days = args.max_age_days.unwrap_or(config.store.max_age_days);
                let store = open_store(&path)?.with_max_age(
                    context.now,
                    SignedDuration::from_hours(24 * i64::from(max_age_days)),
                );
                Ok(Self::Store(store))
            }
            None => Err(UsageError::new("`--offline` needs a store")
                .with_hint(
                    "name one with `--store` or `PATCHGATE_STORE`; `patchgate db build` makes it",
                )
                .into()),
        }
    }

    /// What is known about these packages.
    pub(crate) async fn lookup(&self, queries: &[PackageQuery]) -> Lookup {
        match self {
            Self::Store(store) => store.lookup(queries),
        }
    }

    /// What is known about exploitation.
    pub(crate) fn signals(&self) -> &dyn SignalSource {
        match self {
            Self::Store(store) => store,
        }
    }
}

/// The store that is used: the flag or its variable, else the settings.
fn store_path(args: &SourceArgs, config: &Config, root: &Path) -> Option<PathBuf> {
    args.store
        .clone()
        .filter(|path| !path.as_os_str().is_empty())
        .or_else(|| config.store.path.as_ref().map(|path| root.join(path)))
}

/// Opens a store. A store that cannot be opened is the user's to mend, so it is a usage error.
pub(crate) fn open_store(path: &Path) -> Result<Store, UsageError> {
    Store::open(path).map_err(|error| {
        let hint = error.hint();
        UsageError::new(crate::exit::chain(&error)).with_hint(hint)
    })
}

//! Signals of exploitation: the KEV catalogue and EPSS scores.

mod epss;
mod fetch;
mod kev;
mod signals;

pub use epss::EpssError;
pub(crate) use epss::{EpssRow, EpssTable, MAX_TEXT_BYTES, is_epss_header};
pub use fetch::{FeedSignals, FetchedFeeds, PUBLIC_EPSS, PUBLIC_KEV};
pub use kev::KevError;
pub(crate) use kev::{Catalogue, is_catalogue};
pub use signals::{NoSignals, SignalSource};

//! Signals of exploitation: the KEV catalogue and EPSS scores.

mod epss;
mod kev;
mod signals;

pub use epss::EpssError;
pub(crate) use epss::{EpssRow, EpssTable, is_epss_header};
pub use kev::KevError;
pub(crate) use kev::{Catalogue, is_catalogue};
pub use signals::{NoSignals, SignalSource};

//! The one form in which signals reach findings.

use patchgate_model::{Epss, Kev, Problem, Signals};

/// A source of signals about CVEs.
///
/// "The feed is not there" and "the feed does not list it" are different answers; see the methods.
pub trait SignalSource: Sync {
    /// The EPSS score of a CVE. `None` when the feed is absent or has no score for it.
    ///
    /// # Errors
    /// When the feed is there and cannot be read.
    fn epss(&self, cve: &str) -> Result<Option<Epss>, Problem>;

    /// The catalogue's entry of a CVE. `None` when the catalogue is absent, `Some(None)` when it
    /// does not list the CVE.
    ///
    /// # Errors
    /// When the catalogue is there and cannot be read.
    fn kev(&self, cve: &str) -> Result<Option<Option<Kev>>, Problem>;

    /// Whether there is a catalogue at all. An id that is no CVE cannot be in one.
    fn has_kev(&self) -> bool;

    /// The signals of a vulnerability known under several ids: the highest EPSS score and the
    /// earliest entry of the catalogue. What cannot be read is unknown and added to `problems`.
    fn signals(&self, ids: &[&str], problems: &mut Vec<Problem>) -> Signals {
        let mut signals = Signals {
            epss: None,
            kev: if self.has_kev() { Some(None) } else { None },
        };
        for cve in ids.iter().filter(|id| is_cve(id)) {
            match self.epss(cve) {
                Ok(Some(epss)) => {
                    let higher = signals
                        .epss
                        .as_ref()
                        .is_none_or(|known| known.probability < epss.probability);
                    if higher {
                        signals.epss = Some(epss);
                    }
                }
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }

            match self.kev(cve) {
                Ok(Some(Some(kev))) => {
                    let known = signals.kev.as_ref().and_then(Option::as_ref);
                    if known.is_none_or(|known| kev.date_added < known.date_added) {
                        signals.kev = Some(Some(kev));
                    }
                }
                Ok(_) => {}
                Err(problem) => {
                    if signals.kev == Some(None) {
                        signals.kev = None;
                    }
                    problems.push(problem);
                }
            }
        }

        signals
    }
}

/// No feed at all: every signal is unknown.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSignals;

impl SignalSource for NoSignals {
    fn epss(&self, _cve: &str) -> Result<Option<Epss>, Problem> {
        Ok(None)
    }

    fn kev(&self, _cve: &str) -> Result<Option<Option<Kev>>, Problem> {
        Ok(None)
    }

    fn has_kev(&self) -> bool {
        false
    }
}

/// Whether an id is of the CVE list.
fn is_cve(id: &str) -> bool {
    id.starts_with("CVE-")
}

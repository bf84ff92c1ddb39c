//! The interface through which signals of exploitation reach findings.

use patchgate_model::{Epss, KevStatus, Problem, Signals};

/// A source of signals about CVEs.
///
/// An absent feed and a feed that does not list a CVE are different answers; see the methods.
pub trait SignalSource: Sync {
    /// The EPSS score of a CVE. `None` if the feed is absent or has no score for it.
    ///
    /// # Errors
    /// When the feed is present but cannot be read.
    fn epss(&self, cve: &str) -> Result<Option<Epss>, Problem>;

    /// Whether CISA's catalogue lists a CVE.
    ///
    /// # Errors
    /// When the catalogue is present but cannot be read.
    fn kev(&self, cve: &str) -> Result<KevStatus, Problem>;

    /// Whether a catalogue is present. Needed for vulnerabilities without a CVE id, which no
    /// catalogue can list.
    fn has_kev(&self) -> bool;

    /// The signals of a vulnerability with several ids: the highest EPSS score and the earliest
    /// catalogue entry. A signal that cannot be read is unknown, and the error is added to
    /// `problems`.
    fn signals(&self, ids: &[&str], problems: &mut Vec<Problem>) -> Signals {
        let mut signals = Signals {
            epss: None,
            kev: if self.has_kev() {
                KevStatus::NotListed
            } else {
                KevStatus::NotConsulted
            },
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
                Ok(KevStatus::Listed(kev)) => {
                    let known = signals.kev.entry();
                    if known.is_none_or(|known| kev.date_added < known.date_added) {
                        signals.kev = KevStatus::Listed(kev);
                    }
                }
                Ok(KevStatus::NotConsulted | KevStatus::NotListed) => {}
                Err(problem) => {
                    // An unread entry may be the one that lists it. A known entry stays known.
                    if signals.kev == KevStatus::NotListed {
                        signals.kev = KevStatus::NotConsulted;
                    }
                    problems.push(problem);
                }
            }
        }

        signals
    }
}

/// A source without feeds: every signal is unknown.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSignals;

impl SignalSource for NoSignals {
    fn epss(&self, _cve: &str) -> Result<Option<Epss>, Problem> {
        Ok(None)
    }

    fn kev(&self, _cve: &str) -> Result<KevStatus, Problem> {
        Ok(KevStatus::NotConsulted)
    }

    fn has_kev(&self) -> bool {
        false
    }
}

/// Whether an id is a CVE id. The feeds have no other ids.
fn is_cve(id: &str) -> bool {
    id.starts_with("CVE-")
}

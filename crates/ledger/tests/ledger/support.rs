//! Records, and a log in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use patchgate_ledger::{
    Actor, CHECKPOINT, Change, Event, Ledger, LedgerError, Record, ScanEvent, SignerKey, Storage,
    Turn,
};

/// The origin of the logs.
pub(crate) const ORIGIN: &str = "ledger.example/acme";

/// A short record that differs from those of other numbers.
pub(crate) fn record(number: u64) -> Record {
    Record {
        source: "acme/shop".to_owned(),
        subject: None,
        time: jiff::Timestamp::from_second(1_790_000_000 + i64::try_from(number).unwrap()).unwrap(),
        who: Actor::Unknown,
        event: Event::Scan(ScanEvent {
            result: "clean".to_owned(),
            findings: number,
            at_or_above_threshold: 0,
            incomplete: 0,
        }),
        inputs: Vec::new(),
        reasons: Vec::new(),
        statement: None,
    }
}

/// Records with these numbers.
pub(crate) fn records(numbers: std::ops::Range<u64>) -> Vec<Record> {
    numbers.map(record).collect()
}

pub(crate) fn key() -> SignerKey {
    SignerKey::generate(ORIGIN).unwrap()
}

/// A log in memory.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) files: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Memory {
    /// A log of records that were appended in batches of these sizes.
    pub(crate) fn with(key: &SignerKey, batches: &[u64]) -> Self {
        let memory = Self::default();
        let mut ledger = Ledger::create(&memory, key).unwrap();
        let mut next = 0;
        for batch in batches {
            ledger
                .append(&records(next..next + batch), &[], key)
                .unwrap();
            next += batch;
        }
        memory
    }

    /// The same files.
    pub(crate) fn copy(&self) -> Self {
        Self {
            files: Mutex::new(self.files.lock().unwrap().clone()),
        }
    }
}

impl Storage for Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn begin(&self) -> Result<Turn, LedgerError> {
        Ok(Turn::default())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.files.lock().unwrap().get(path).cloned())
    }

    fn list(&self) -> Result<Vec<String>, LedgerError> {
        Ok(self.files.lock().unwrap().keys().cloned().collect())
    }

    fn interrupted(&self) -> Result<Option<u64>, LedgerError> {
        Ok(None)
    }

    fn publish(&self, change: &Change) -> Result<bool, LedgerError> {
        let mut files = self.files.lock().unwrap();
        let current = files.get(CHECKPOINT).map(Vec::as_slice);
        if current != change.expected.as_deref().map(str::as_bytes) {
            return Ok(false);
        }
        files.extend(change.files.iter().cloned());
        files.insert(
            CHECKPOINT.to_owned(),
            change.checkpoint.clone().into_bytes(),
        );
        for path in &change.obsolete {
            files.remove(path);
        }
        Ok(true)
    }
}

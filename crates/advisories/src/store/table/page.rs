//! Pages of slots, which contain the offsets of entries.

use super::{crc, number, small};

/// Slots per page: few enough that reading a page is cheap, enough that few pages get full.
pub(super) const PAGE_SLOTS: usize = 31;

const SLOT_BYTES: usize = 16;
const CRC_BYTES: usize = 4;
pub(super) const PAGE_BYTES: usize = CRC_BYTES + PAGE_SLOTS * SLOT_BYTES;

/// Average number of entries per page: two thirds of its slots, so that a key is rarely in another
/// page than its own.
const ENTRIES_A_PAGE: usize = 20;

/// The location of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) offset: u64,
    pub(super) length: u32,
    /// The low half of the key's hash; the page goes by the high one.
    pub(super) hash: u32,
}

/// The bytes of a page.
pub(super) struct Page<'a> {
    slots: &'a [u8],
}

impl<'a> Page<'a> {
    /// The page in `bytes`; `None` if the checksum does not match.
    pub(super) fn check(bytes: &'a [u8]) -> Option<Self> {
        let (check, slots) = bytes.split_at_checked(CRC_BYTES)?;
        (small(check, 0) == crc(&[slots])).then_some(Self { slots })
    }

    /// The page in bytes that were checked already.
    pub(super) fn trusted(bytes: &'a [u8]) -> Self {
        let slots = bytes.get(CRC_BYTES..).unwrap_or_default();
        Self { slots }
    }

    /// The used slots. Empty ones follow them.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> + use<'a> {
        self.slots
            .chunks_exact(SLOT_BYTES)
            .map(|bytes| Slot {
                offset: number(bytes, 0),
                length: small(bytes, 8),
                hash: small(bytes, 12),
            })
            .take_while(|slot| slot.offset != 0)
    }

    /// Whether a key of this page may be in the next one.
    pub(super) fn is_full(&self) -> bool {
        let last = self.slots.len().saturating_sub(SLOT_BYTES);
        number(self.slots, last) != 0
    }
}

/// The page at which the search for a hash starts.
pub(super) fn home(hash: u64, pages: u64) -> u64 {
    (hash >> 32) % pages.max(1)
}

/// The pages of a table with these slots, given with the full hashes of their keys.
pub(super) fn lay_out(slots: &[(u64, Slot)]) -> Vec<u8> {
    let pages = slots.len() / ENTRIES_A_PAGE + 1;
    let mut bytes = vec![0; pages * PAGE_BYTES];

    let mut taken = vec![0usize; pages];
    for (hash, slot) in slots {
        let mut index = home(*hash, pages as u64) as usize;
        while taken.get(index).is_some_and(|taken| *taken == PAGE_SLOTS) {
            index = (index + 1) % pages;
        }

        let Some(taken) = taken.get_mut(index) else {
            continue;
        };
        let at = index * PAGE_BYTES + CRC_BYTES + *taken * SLOT_BYTES;
        if let Some(bytes) = bytes.get_mut(at..at + SLOT_BYTES) {
            bytes[..8].copy_from_slice(&slot.offset.to_le_bytes());
            bytes[8..12].copy_from_slice(&slot.length.to_le_bytes());
            bytes[12..].copy_from_slice(&slot.hash.to_le_bytes());
        }
        *taken += 1;
    }

    for page in bytes.chunks_exact_mut(PAGE_BYTES) {
        let (check, slots) = page.split_at_mut(CRC_BYTES);
        check.copy_from_slice(&crc(&[slots]).to_le_bytes());
    }

    bytes
}

//! The Bloom filter of a table's keys, which recognises most absent keys.

/// Bits per entry. With [`PROBES`], one absent key in a hundred passes the filter.
const BITS: u64 = 10;

/// Number of bits that a key sets.
const PROBES: u64 = 6;

/// Length in bytes of the filter for a number of entries.
pub(super) fn length(entries: u64) -> u64 {
    (entries * BITS).div_ceil(8).max(1)
}

/// The bits that a key sets, by its hash: byte index and bit mask. The two hashes of the double
/// hashing come from mixing the hash again (the finaliser of SplitMix64, by Sebastiano Vigna, public
/// domain).
fn bits(hash: u64, length: usize) -> impl Iterator<Item = (usize, u8)> {
    let mut mixed = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    let (start, step) = (mixed >> 32, (mixed & 0xFFFF_FFFF) | 1);
    let count = length as u64 * 8;

    (0..PROBES).map(move |probe| {
        let bit = (start + probe * step) % count.max(1);
        ((bit / 8) as usize, 1 << (bit % 8))
    })
}

/// Whether a key with this hash may be in the table.
pub(super) fn may_hold(filter: &[u8], hash: u64) -> bool {
    let has_bit = |(byte, bit): (usize, u8)| filter.get(byte).is_some_and(|b| b & bit != 0);
    bits(hash, filter.len()).all(has_bit)
}

/// The filter of keys with these hashes.
pub(super) fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Vec<u8> {
    let mut filter = vec![0u8; length(hashes.len() as u64) as usize];
    for hash in hashes {
        for (byte, bit) in bits(hash, filter.len()) {
            if let Some(byte) = filter.get_mut(byte) {
                *byte |= bit;
            }
        }
    }

    filter
}

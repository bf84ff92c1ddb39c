//! Maps and sets with a faster hasher, for the tens of thousands of look-ups in a large lockfile.
//!
//! The standard hasher resists attackers who can observe it over time. A lockfile is written before
//! the process that reads it chooses a seed, so a faster hasher with a random seed per process is
//! sufficient.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// Smallest number of packages that is worth a rayon task of its own.
pub(crate) const PACKAGES_A_TASK: usize = 1_000;

/// A map whose keys are texts of the file.
pub(crate) type FastHashMap<K, V> = HashMap<K, V, RandomState>;

/// A set of texts of the file.
pub(crate) type FastHashSet<K> = HashSet<K, RandomState>;

/// An empty map with room for `size` entries.
pub(crate) fn fast_hash_map<K, V>(size: usize) -> FastHashMap<K, V> {
    FastHashMap::with_capacity_and_hasher(size, RandomState::default())
}

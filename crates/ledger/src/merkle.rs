//! Merkle tree hashes, inclusion and consistency proofs, and their verification.
//!
//! The tree is that of RFC 6962, section 2.1 <https://www.rfc-editor.org/rfc/rfc6962#section-2.1>.
//! The functions follow its recursive definitions, so that each can be read next to them. No
//! recursion is deeper than 64, because a tree has at most 2^64 leaves.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The SHA-256 hash of a leaf or of an inner node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::BYTES]);

impl Hash {
    /// Length in bytes.
    pub const BYTES: usize = 32;

    /// The root of a tree without leaves.
    #[must_use]
    pub fn of_empty_tree() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// The hash of a leaf with this content.
    #[must_use]
    pub fn of_leaf(content: &[u8]) -> Self {
        let hasher = Sha256::new_with_prefix([0]).chain_update(content);
        Self(hasher.finalize().into())
    }

    /// The hash of an inner node.
    #[must_use]
    pub fn of_children(left: Self, right: Self) -> Self {
        let hasher = Sha256::new_with_prefix([1])
            .chain_update(left.0)
            .chain_update(right.0);
        Self(hasher.finalize().into())
    }

    /// The hash in standard Base64, as checkpoints and proofs write it. `None` for any other text.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The raw bytes, as tiles contain them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl From<[u8; Hash::BYTES]> for Hash {
    fn from(bytes: [u8; Hash::BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The complete subtrees of a log, which every hash and proof is made of.
pub trait Nodes {
    /// Why a node cannot be had.
    type Error;

    /// The root of the complete subtree over the leaves from `index << level` on, `1 << level` of
    /// them.
    ///
    /// # Errors
    /// When the hashes below it cannot be read.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The leaf hashes of a small tree.
impl Nodes for [Hash] {
    type Error = std::convert::Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        let width = 1_usize << level;
        let start = usize::try_from(index)
            .unwrap_or(usize::MAX)
            .saturating_mul(width);
        let leaves = self.get(start..start.saturating_add(width));
        Ok(leaves.map_or_else(Hash::of_empty_tree, complete))
    }
}

/// The root over `2^n` hashes.
pub(crate) fn complete(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Hash::of_empty_tree(),
        [only] => *only,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            Hash::of_children(complete(left), complete(right))
        }
    }
}

/// The root over the partial tiles of each level, the lowest first: their complete subtrees, joined
/// from the right.
pub(crate) fn root_of_levels(levels: &[Vec<Hash>]) -> Hash {
    let mut subtrees = Vec::new();
    for hashes in levels.iter().rev() {
        let mut rest = &hashes[..];
        while !rest.is_empty() {
            let (complete, after) = rest.split_at(1 << rest.len().ilog2());
            subtrees.push(self::complete(complete));
            rest = after;
        }
    }
    subtrees
        .into_iter()
        .rev()
        .reduce(|right, left| Hash::of_children(left, right))
        .unwrap_or_else(Hash::of_empty_tree)
}

/// The size of the left subtree: the largest power of two below `leaves`, which is at least 2.
fn left_of(leaves: u64) -> u64 {
    1 << (63 - (leaves - 1).leading_zeros())
}

/// The root over the leaves `start..end` (`MTH` in RFC 6962).
///
/// # Errors
/// When a node cannot be had.
pub fn root<N: Nodes + ?Sized>(nodes: &N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let leaves = end.saturating_sub(start);
    if leaves == 0 {
        return Ok(Hash::of_empty_tree());
    }
    if leaves.is_power_of_two() && start.is_multiple_of(leaves) {
        return nodes.node(leaves.trailing_zeros(), start / leaves);
    }

    let middle = start + left_of(leaves);
    Ok(Hash::of_children(
        root(nodes, start, middle)?,
        root(nodes, middle, end)?,
    ))
}

/// The proof that the leaf `index` is in the tree of `size` leaves (`PATH` in RFC 6962). Empty when
/// there is no such leaf.
///
/// # Errors
/// When a node cannot be had.
pub fn prove_inclusion<N: Nodes + ?Sized>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, N::Error> {
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while index < size && end - start > 1 {
        let middle = start + left_of(end - start);
        if index < middle {
            path.push(root(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(root(nodes, start, middle)?);
            start = middle;
        }
    }

    path.reverse();
    Ok(path)
}

/// Whether `proof` shows that `leaf` is the leaf `index` of the tree with this size and root.
#[must_use]
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, root: Hash, proof: &[Hash]) -> bool {
    fn climb(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
        if size == 1 {
            return proof.is_empty().then_some(leaf);
        }

        let (sibling, below) = proof.split_last()?;
        let left = left_of(size);
        if index < left {
            let own = climb(leaf, index, left, below)?;
            Some(Hash::of_children(own, *sibling))
        } else {
            let own = climb(leaf, index - left, size - left, below)?;
            Some(Hash::of_children(*sibling, own))
        }
    }

    index < size && climb(leaf, index, size, proof) == Some(root)
}

/// The proof that the tree of `old` leaves is the beginning of the tree of `new` leaves (`PROOF` in
/// RFC 6962). Empty when the sizes are equal, or `old` is 0.
///
/// # Errors
/// When a node cannot be had.
pub fn prove_consistency<N: Nodes + ?Sized>(
    nodes: &N,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, N::Error> {
    if old == 0 || old >= new {
        return Ok(Vec::new());
    }

    let (mut start, mut end) = (0, new);
    let mut proof = Vec::new();
    while old < end {
        let middle = start + left_of(end - start);
        if old <= middle {
            proof.push(root(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(root(nodes, start, middle)?);
            start = middle;
        }
    }
    // The verifier has the root of the old tree, so it is not sent when it is a node of the new one.
    if start > 0 {
        proof.push(root(nodes, start, end)?);
    }

    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that the tree with the first size and root is the beginning of the tree with
/// the second.
#[must_use]
pub fn verify_consistency(old: (u64, Hash), new: (u64, Hash), proof: &[Hash]) -> bool {
    /// The old and the new root over the same leaves. `known` is the old root while the subtree
    /// still starts at the first leaf.
    fn climb(old: u64, new: u64, known: Option<Hash>, proof: &[Hash]) -> Option<(Hash, Hash)> {
        if old == new {
            return match (known, proof) {
                (Some(root), []) => Some((root, root)),
                (None, [root]) => Some((*root, *root)),
                _ => None,
            };
        }

        let (sibling, below) = proof.split_last()?;
        let left = left_of(new);
        if old <= left {
            let (before, after) = climb(old, left, known, below)?;
            Some((before, Hash::of_children(after, *sibling)))
        } else {
            let (before, after) = climb(old - left, new - left, None, below)?;
            Some((
                Hash::of_children(*sibling, before),
                Hash::of_children(*sibling, after),
            ))
        }
    }

    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 {
        return proof.is_empty() && old_root == Hash::of_empty_tree();
    }

    old_size <= new_size
        && climb(old_size, new_size, Some(old_root), proof) == Some((old_root, new_root))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Leaves of the known tree that the reference implementation of Certificate Transparency uses:
    /// <https://github.com/google/certificate-transparency/blob/master/cpp/merkletree/merkle_tree_test.cc>
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];

    fn known_leaves() -> Vec<Hash> {
        LEAVES
            .iter()
            .map(|leaf| Hash::of_leaf(&hex::decode(leaf).unwrap()))
            .collect()
    }

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count)
            .map(|n| Hash::of_leaf(&n.to_be_bytes()))
            .collect()
    }

    fn tree(leaves: &[Hash], size: u64) -> Hash {
        let Ok(root) = root(leaves, 0, size);
        root
    }

    #[test]
    fn roots_of_the_known_tree() {
        let leaves = known_leaves();
        for (size, expected) in [
            (
                0,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                1,
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            ),
            (
                2,
                "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            ),
            (
                3,
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            ),
            (
                8,
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ] {
            assert_eq!(hex::encode(tree(&leaves, size).as_bytes()), expected);
        }
    }

    /// The example of RFC 6962, section 2.1.3: which nodes the proofs of a tree of 7 leaves have.
    #[test]
    fn proofs_of_the_example_in_the_rfc() {
        let d = leaves(7);
        let Ok(nodes) = [(1, 0), (1, 1), (1, 2), (2, 0), (0, 6)]
            .into_iter()
            .map(|(level, index)| d.node(level, index))
            .collect::<Result<Vec<_>, _>>();
        let [g, h, i, k, j] = nodes.try_into().unwrap();
        let l = Hash::of_children(i, j);

        let paths = [
            (0, vec![d[1], h, l]),
            (3, vec![d[2], g, l]),
            (4, vec![d[5], j, k]),
            (6, vec![i, k]),
        ];
        for (index, path) in paths {
            assert_eq!(prove_inclusion(&d[..], index, 7), Ok(path), "{index}");
        }

        let proofs = [
            (3, vec![d[2], d[3], g, l]),
            (4, vec![l]),
            (6, vec![i, j, k]),
        ];
        for (size, proof) in proofs {
            assert_eq!(prove_consistency(&d[..], size, 7), Ok(proof), "{size}");
        }
    }

    #[test]
    fn a_tree_without_leaves_begins_every_tree() {
        let leaves = leaves(3);
        let new = (3, tree(&leaves, 3));
        assert!(verify_consistency((0, Hash::of_empty_tree()), new, &[]));
        assert!(!verify_consistency((0, leaves[0]), new, &[]));
        assert!(!verify_inclusion(leaves[0], 0, 0, leaves[0], &[]));
    }

    proptest! {
        #[test]
        fn inclusion_is_proved_for_its_leaf_alone(size in 1_u64..700, at in any::<u64>(), bad in any::<usize>()) {
            let leaves = leaves(size);
            let index = at % size;
            let root = tree(&leaves, size);
            let Ok(mut proof) = prove_inclusion(&leaves[..], index, size);
            let leaf = leaves[usize::try_from(index).unwrap()];
            prop_assert!(verify_inclusion(leaf, index, size, root, &proof));

            prop_assert!(!verify_inclusion(Hash::of_leaf(b"x"), index, size, root, &proof));
            // Another position on the same path length may not pass either.
            prop_assert!(size == 1 || !verify_inclusion(leaf, (index + 1) % size, size, root, &proof));
            if !proof.is_empty() {
                let position = bad % proof.len();
                proof[position] = Hash::of_leaf(b"x");
                prop_assert!(!verify_inclusion(leaf, index, size, root, &proof));
                proof.pop();
                prop_assert!(!verify_inclusion(leaf, index, size, root, &proof));
            }
        }

        #[test]
        fn consistency_is_proved_for_a_beginning_alone(new in 1_u64..700, at in any::<u64>(), bad in any::<usize>()) {
            let leaves = leaves(new);
            let old = at % (new + 1);
            let (before, after) = (tree(&leaves, old), tree(&leaves, new));
            let Ok(mut proof) = prove_consistency(&leaves[..], old, new);
            prop_assert!(verify_consistency((old, before), (new, after), &proof));

            let other = Hash::of_leaf(b"x");
            prop_assert!(!verify_consistency((old, other), (new, after), &proof));
            if old > 0 {
                prop_assert!(!verify_consistency((old, before), (new, other), &proof));
            }
            if !proof.is_empty() {
                let position = bad % proof.len();
                proof[position] = other;
                prop_assert!(!verify_consistency((old, before), (new, after), &proof));
            }
        }
    }
}

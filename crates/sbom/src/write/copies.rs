//! Merging of equal copies of packages into components.
//!
//! Two copies are equal when a document would say the same about both: the same key, and
//! dependencies on the same components. The result is the coarsest partition that is stable under
//! the edges. It is computed by partition refinement: each round splits the classes whose members
//! depend on different classes of the round before.

use std::collections::HashMap;
use std::hash::Hash;

/// Most rounds. Each round looks one step further along the graph, and real graphs are about twenty
/// steps deep. If the partition still changes after the last round, every copy stays separate.
const MAX_ROUNDS: usize = 100;

/// The class of each copy, numbered by first appearance.
///
/// `keys` has everything that is written about a copy except its dependencies; `edges` has the copies
/// that it depends on.
pub(super) fn classes<K: Eq + Hash>(keys: &[K], edges: &[Vec<usize>]) -> Vec<usize> {
    let mut classes = number(keys.iter());
    let mut count = distinct(&classes);
    for _ in 0..MAX_ROUNDS {
        let signatures = classes.iter().zip(edges).map(|(class, edges)| {
            let mut targets: Vec<usize> = edges
                .iter()
                .filter_map(|to| classes.get(*to).copied())
                .collect();
            targets.sort_unstable();
            targets.dedup();
            (*class, targets)
        });
        let next = number(signatures);
        let next_count = distinct(&next);

        classes = next;
        if next_count == count {
            return classes;
        }

        count = next_count;
    }

    (0..keys.len()).collect()
}

/// Numbers values by first appearance.
fn number<T: Eq + Hash>(values: impl Iterator<Item = T>) -> Vec<usize> {
    let mut numbers = HashMap::new();
    values
        .map(|value| {
            let next = numbers.len();
            *numbers.entry(value).or_insert(next)
        })
        .collect()
}

/// The number of classes.
fn distinct(classes: &[usize]) -> usize {
    classes.iter().max().map_or(0, |most| most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_graphs_are_one() {
        // Two lockfiles with a -> b -> c -> a.
        let keys = ["a", "b", "c", "a", "b", "c"];
        let edges = [vec![1], vec![2], vec![0], vec![4], vec![5], vec![3]];
        assert_eq!(classes(&keys, &edges), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn a_difference_keeps_all_above_it_apart() {
        // a -> b -> c in one lockfile, a -> b -> d in another, and a third without edges.
        let keys = ["a", "b", "c", "a", "b", "d", "c"];
        let edges = [vec![1], vec![2], vec![], vec![4], vec![5], vec![], vec![]];
        assert_eq!(classes(&keys, &edges), [0, 1, 2, 3, 4, 5, 2]);
    }

    #[test]
    fn an_endless_chain_stays_apart() {
        let keys = vec!["a"; 1000];
        let edges: Vec<Vec<usize>> = (1..1000).map(|next| vec![next]).chain([vec![]]).collect();
        assert_eq!(distinct(&classes(&keys, &edges)), 1000);
    }
}

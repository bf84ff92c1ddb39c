//! The search for a largest set of steps that passes, with few runs.
//!
//! Steps are added in their order, the most urgent first, in groups that are halved when they fail
//! (delta debugging, <https://doi.org/10.1109/32.988498>). The result is maximal: none of the steps
//! that are left passes together with it. One failing step of `n` needs about `2 log2 n` runs.

use std::collections::{BTreeMap, BTreeSet};

/// The outcome of testing a set of steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trial<F> {
    Passed,
    Failed(F),
    /// No run is left.
    NotRun,
}

/// The steps by their outcome. Each step is in one of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Partition<F> {
    /// The steps that pass together.
    pub(super) passing: BTreeSet<usize>,
    /// The steps with which the others fail.
    pub(super) failing: BTreeMap<usize, F>,
    /// The steps that no run decided.
    pub(super) untested: BTreeSet<usize>,
}

/// Finds a largest set of `count` steps that passes.
///
/// # Errors
/// The first error of `test`.
pub(super) async fn largest_passing<F: Clone, E>(
    count: usize,
    mut test: impl AsyncFnMut(&BTreeSet<usize>) -> Result<Trial<F>, E>,
) -> Result<Partition<F>, E> {
    let mut found = Partition {
        passing: BTreeSet::new(),
        failing: BTreeMap::new(),
        untested: BTreeSet::new(),
    };
    // The first half of a group may pass: then the second one makes up a set that failed already.
    let mut failures: BTreeMap<BTreeSet<usize>, F> = BTreeMap::new();
    let mut groups: Vec<Vec<usize>> = vec![(0..count).collect()];

    while let Some(mut group) = groups.pop() {
        let mut candidate = found.passing.clone();
        candidate.extend(&group);
        let trial = match failures.get(&candidate) {
            Some(failure) => Trial::Failed(failure.clone()),
            None => test(&candidate).await?,
        };

        match (trial, group.as_slice()) {
            (_, []) => {}
            (Trial::Passed, _) => found.passing = candidate,
            (Trial::NotRun, _) => found.untested.extend(group),
            (Trial::Failed(failure), [step]) => {
                found.failing.insert(*step, failure);
            }
            (Trial::Failed(failure), _) => {
                failures.insert(candidate, failure);
                let second = group.split_off(group.len() / 2);
                groups.extend([second, group]);
            }
        }
    }

    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The partition and the number of runs, where `passes` decides and at most `most` runs are
    /// made.
    async fn search(
        count: usize,
        most: usize,
        passes: impl Fn(&BTreeSet<usize>) -> bool,
    ) -> (Partition<&'static str>, usize) {
        let mut runs = 0;
        let found = largest_passing(count, async |steps: &BTreeSet<usize>| {
            if runs == most {
                return Ok::<_, ()>(Trial::NotRun);
            }
            runs += 1;
            Ok(match passes(steps) {
                true => Trial::Passed,
                false => Trial::Failed("fails"),
            })
        });

        (found.await.unwrap(), runs)
    }

    #[tokio::test]
    async fn a_plan_that_passes_needs_one_run() {
        let (found, runs) = search(16, 99, |_| true).await;
        assert_eq!((found.passing.len(), runs), (16, 1));
    }

    #[tokio::test]
    async fn one_failing_step_of_many_is_found_in_few_runs() {
        for bad in 0..16 {
            let (found, runs) = search(16, 99, |steps| !steps.contains(&bad)).await;
            assert_eq!(found.failing.keys().copied().collect::<Vec<_>>(), [bad]);
            assert_eq!(found.passing.len(), 15);
            assert!(runs <= 9, "{bad}: {runs} runs");
        }
    }

    #[tokio::test]
    async fn of_two_steps_that_fight_the_more_urgent_one_stays() {
        let fight = |steps: &BTreeSet<usize>| !(steps.contains(&1) && steps.contains(&6));
        let (found, _) = search(8, 99, fight).await;
        assert_eq!(found.failing.keys().copied().collect::<Vec<_>>(), [6]);
        assert_eq!(found.passing.len(), 7);
    }

    #[tokio::test]
    async fn every_step_has_an_outcome_when_the_runs_are_used_up() {
        for most in 0..12 {
            let (found, runs) = search(9, most, |steps| !steps.contains(&4)).await;
            let all = found.passing.len() + found.failing.len() + found.untested.len();
            assert_eq!(all, 9);
            assert!(runs <= most);
            assert!(!found.passing.contains(&4));
        }
        assert_eq!(search(0, 5, |_| true).await.1, 1);
    }
}

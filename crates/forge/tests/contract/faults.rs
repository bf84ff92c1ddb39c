//! Faults of every request that writes, two runs at once, and the number of requests.

use patchgate_forge::git::PatchgateBranch;
use patchgate_forge::pull_request::DesiredState;
use patchgate_forge::{Forge as _, ForgeKind};

use crate::bed::{Bed, only, proposal, publish, run, words};
use crate::proxy::{Armed, Fault};

/// One life of two pull requests: opened, renewed, superseded, closed. Every run is repeated until it
/// succeeds, as the next ones on a schedule would be. Returns the most runs that a step took.
async fn live(bed: &impl Bed, round: usize) -> usize {
    let (first, second) = (format!("{round}.2"), format!("{round}.3"));
    let mut most = 0;
    for step in [first.as_str(), "move", &first, &second, ""] {
        if step == "move" {
            bed.commit("main", &[("b", format!("{round}\n").as_bytes())]);
            continue;
        }
        let mut runs = 0;
        loop {
            runs += 1;
            let done = match step {
                "" => publish(bed, &DesiredState::nothing(), None).await,
                to => {
                    let (wanted, commit) = proposal(bed, to).await;
                    publish(bed, &wanted, Some(&commit)).await
                }
            };
            bed.proxy().renew_token();
            match done {
                Ok(_) => break,
                Err(error) if runs < 4 => assert!(!error.to_string().is_empty()),
                Err(error) => panic!("round {round}, `{step}`: {error}"),
            }
        }
        most = most.max(runs);
    }

    most
}

/// The state after [`live`] is the same whatever failed.
async fn assert_the_same_end(bed: &impl Bed, round: usize, case: &str) {
    let again = publish(bed, &DesiredState::nothing(), None).await.unwrap();
    let left = words(&again);
    assert!(
        left.iter().all(|(word, _)| *word == "deleted"),
        "{case}: {left:?}"
    );
    assert_eq!(bed.branches(), ["main"], "{case}");
    for to in [format!("{round}.2"), format!("{round}.3")] {
        let (wanted, _) = proposal(bed, &to).await;
        let branch: &PatchgateBranch = &wanted.proposals[0].branch;
        let closed = bed.forge().closed_requests(branch, "main").await.unwrap();
        let [one] = &closed[..] else {
            panic!("{case}: one pull request of {to}: {closed:?}");
        };
        let (is_open, labels) = bed.state(one.number);
        assert!(!is_open, "{case}");
        assert_eq!(labels, ["security"], "{case}: labels of {to}");
        let comments = bed.forge().comments(one.number).await.unwrap();
        assert_eq!(comments.len(), 1, "{case}: {comments:?}");
    }
}

pub(crate) async fn any_fault_of_any_write_ends_in_the_same_state(bed: &impl Bed) {
    // The first round also creates the label, where a forge has to.
    assert_eq!(live(bed, 0).await, 1);
    bed.proxy().arm(None);
    assert_eq!(live(bed, 1).await, 1);
    let writes = bed.proxy().writes();
    assert_the_same_end(bed, 1, "without a fault").await;
    assert!(writes >= 10, "{writes}");

    // Each write fails once on each forge: on GitLab before it where it is after it on the others.
    let other = usize::from(bed.forge().kind() == ForgeKind::GitLab);
    for skip in 0..writes {
        let is_after = (skip + other) % 2 == 0;
        let round = skip + 2;
        let armed = Armed {
            skip,
            fault: Fault::ALL[skip % Fault::ALL.len()],
            is_after,
        };
        let name = format!("round {round}: {armed:?}");
        bed.proxy().arm(Some(armed));
        let runs = live(bed, round).await;
        assert!(!bed.proxy().is_armed(), "{name}: it did not happen");
        assert!(runs <= 2, "{name}: {runs} runs");
        assert_the_same_end(bed, round, &name).await;
    }
}

pub(crate) async fn two_runs_at_once_are_one(bed: &impl Bed) {
    for to in ["2", "3"] {
        let (wanted, commit) = proposal(bed, to).await;
        let one = publish(bed, &wanted, Some(&commit));
        let two = publish(bed, &wanted, Some(&commit));
        let (one, two) = tokio::join!(one, two);
        assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");

        let done = run(bed, to).await;
        let (branch, number, _) = only(bed).await;
        assert_eq!(done[0], ("unchanged", number), "{done:?}");
        assert_eq!(bed.state(number), (true, vec!["security".to_owned()]));
        assert_eq!(bed.branches(), ["main".to_owned(), branch]);
    }
}

/// The kinds of runs of which `docs/forges.md` lists the requests.
pub(crate) async fn the_requests_of_a_run_are_those_in_the_documents(bed: &impl Bed) {
    let count = async |to: &str| {
        bed.proxy().arm(None);
        run(bed, to).await;
        bed.proxy().requests()
    };
    let opened = count("2").await;
    let unchanged = count("2").await;
    bed.commit("main", &[("b", b"c\n")]);
    let renewed = count("2").await;
    let superseded = count("3").await;

    let (_, number, _) = only(bed).await;
    bed.proxy().arm(None);
    bed.forge().evidence(number, &|_| true, None).await;
    let evidence = bed.proxy().requests();
    let keep = async |text: &str| {
        bed.proxy().arm(None);
        let forge = bed.forge();
        patchgate_forge::keep_comment(forge, bed.identity(), number, "review", text)
            .await
            .unwrap();
        bed.proxy().requests()
    };
    let (written, edited) = (keep("a").await, keep("b").await);
    bed.proxy().arm(None);
    publish(bed, &DesiredState::nothing(), None).await.unwrap();
    let closed = bed.proxy().requests();

    let name = bed.forge().kind().word();
    let row = format!(
        "| {name} | {opened} | {unchanged} | {renewed} | {superseded} | {closed} | {evidence} | {written} | {edited} |"
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/forges.md");
    let text = std::fs::read_to_string(path).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let start = format!("| {name} | ");
        let lines = text.lines().map(|line| match line.starts_with(&start) {
            true => row.as_str(),
            false => line,
        });
        let lines: Vec<&str> = lines.collect();
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
        return;
    }
    assert!(text.contains(&row), "docs/forges.md lacks the row\n{row}");
}

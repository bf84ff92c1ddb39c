//! Pull requests from their opening to their end.

use patchgate_forge::Forge as _;
use patchgate_forge::publish::PublishOutcome;
use patchgate_forge::pull_request::{CloseReason, DesiredState, LeaveReason};
use patchgate_model::PlanBlock;

use crate::bed::{Bed, only, proposal, publish, run, words};

pub(crate) async fn a_pull_request_lives_and_ends(bed: &impl Bed) {
    let done = run(bed, "2").await;
    let (branch, first, _) = only(bed).await;
    assert_eq!(done, [("opened", first)]);
    assert_eq!(bed.state(first), (true, vec!["security".to_owned()]));
    let tip = bed.tip(&branch).unwrap();
    assert_eq!(bed.file(&tip, "Cargo.lock").unwrap(), b"2\n");

    // Another run changes nothing, a moved base renews.
    assert_eq!(run(bed, "2").await, [("unchanged", first)]);
    assert_eq!(bed.tip(&branch).unwrap(), tip);
    bed.commit("main", &[("b", b"c\n")]);
    assert_eq!(run(bed, "2").await, [("updated", first)]);
    let (_, _, body) = only(bed).await;
    let block = PlanBlock::parse(&body).unwrap();
    assert_eq!(Some(&block.commit), bed.tip(&branch).as_ref());
    assert_eq!(Some(&block.base), bed.tip("main").as_ref());
    assert_eq!(run(bed, "2").await, [("unchanged", first)]);

    // A new plan supersedes the old one with a link.
    let done = run(bed, "3").await;
    let (_, second, _) = only(bed).await;
    assert_eq!(done, [("opened", second), ("closed", first)]);
    assert!(!bed.state(first).0);
    assert_eq!(bed.branches().len(), 2, "{:?}", bed.branches());
    let comments = bed.forge().comments(first).await.unwrap();
    let link = bed.forge().kind().reference(second);
    let superseded: Vec<_> = comments
        .iter()
        .filter(|comment| comment.body.contains("Superseded"))
        .collect();
    assert_eq!(superseded.len(), 1, "{comments:?}");
    assert!(superseded[0].body.contains(&link), "{comments:?}");

    // The run was interrupted before it deleted the branch: the next one does it.
    bed.reset(&branch, &block.commit);
    assert_eq!(
        run(bed, "3").await,
        [("unchanged", second), ("deleted", first)]
    );
    assert_eq!(bed.branches().len(), 2);

    // An incomplete scan closes nothing, and nothing to fix closes everything.
    let unknown = DesiredState::unknown("the scan is incomplete");
    let done = publish(bed, &unknown, None).await.unwrap();
    assert_eq!(words(&done), [("left", second)]);
    let done = publish(bed, &DesiredState::nothing(), None).await.unwrap();
    assert!(
        matches!(
            &done[..],
            [PublishOutcome::Closed {
                because: CloseReason::Resolved,
                branch_left: None,
                ..
            }]
        ),
        "{done:?}"
    );
    assert_eq!(bed.branches(), ["main"]);
    let done = publish(bed, &DesiredState::nothing(), None).await.unwrap();
    assert_eq!(done, []);

    // What Patchgate closed itself is opened again when it is needed.
    assert_eq!(run(bed, "3").await[0].0, "opened");
    assert_eq!(bed.violations(), Vec::<String>::new());
}

pub(crate) async fn what_people_did_is_respected(bed: &impl Bed) {
    run(bed, "2").await;
    let (branch, number, _) = only(bed).await;
    let ours = bed.tip(&branch).unwrap();
    let theirs = bed.commit(&branch, &[("b", b"x\n")]);
    bed.commit("main", &[("b", b"c\n")]);
    let (wanted, commit) = proposal(bed, "2").await;
    for done in [
        publish(bed, &wanted, Some(&commit)).await.unwrap(),
        publish(bed, &DesiredState::nothing(), None).await.unwrap(),
    ] {
        let because = LeaveReason::ForeignCommit;
        assert!(
            matches!(&done[..], [PublishOutcome::Left { because: why, .. }] if *why == because),
            "{done:?}"
        );
    }
    assert_eq!(bed.tip(&branch), Some(theirs));

    // A person's own pull request, whose body names its commit, stays, and so does its branch.
    let own = bed.commit("patchgate/work", &[("w", b"w\n")]);
    let (_, _, body) = only(bed).await;
    let body = body.replace(&PlanBlock::parse(&body).unwrap().commit, &own);
    let persons = bed.open_by_person("patchgate/work", &body);
    let done = publish(bed, &DesiredState::nothing(), None).await.unwrap();
    assert!(
        done.iter().any(|done| matches!(
            done,
            PublishOutcome::Left { number, because: LeaveReason::ForeignAuthor, .. }
                if *number == persons
        )),
        "{done:?}"
    );
    assert!(bed.state(persons).0);
    assert_eq!(bed.tip("patchgate/work"), Some(own));
    bed.close_by_person(persons);

    // A person closes it: the same plan stays away.
    bed.reset(&branch, &ours);
    bed.close_by_person(number);
    let (wanted, commit) = proposal(bed, "2").await;
    let done = publish(bed, &wanted, Some(&commit)).await.unwrap();
    assert!(
        matches!(
            &done[..],
            [PublishOutcome::Left {
                because: LeaveReason::Declined,
                ..
            }]
        ),
        "{done:?}"
    );
    assert_eq!(bed.violations(), Vec::<String>::new());
}

pub(crate) async fn a_plan_that_was_declined_leaves_the_other_one_open(bed: &impl Bed) {
    run(bed, "2").await;
    let (_, declined, _) = only(bed).await;
    bed.close_by_person(declined);
    run(bed, "3").await;
    let (_, second, _) = only(bed).await;

    assert_eq!(run(bed, "2").await, [("left", declined), ("left", second)]);
    assert!(bed.state(second).0);
    assert_eq!(bed.violations(), Vec::<String>::new());
}

//! Issues that are kept up to date.

use patchgate_forge::{Forge as _, IssueAction, IssueText, WantedIssue, keep_issues};

use crate::bed::{Bed, run};
use crate::proxy::{Armed, Fault};

fn wanted(key: &str, body: &str) -> WantedIssue {
    WantedIssue {
        key: key.to_owned(),
        text: IssueText {
            title: format!("about {key}"),
            body: body.to_owned(),
        },
    }
}

/// One run with these issues; what it did, in words.
async fn keep(bed: &impl Bed, wanted: &[WantedIssue], may_close: bool) -> Vec<(u64, IssueAction)> {
    let forge = bed.forge();
    let author = bed.identity().map(|identity| identity.login.as_str());
    let present = forge.issues(author).await.unwrap().unwrap();
    let kept = keep_issues(
        forge,
        bed.identity(),
        &present,
        "urgent-",
        wanted,
        may_close,
    );
    let kept = kept.await.unwrap();
    kept.iter().map(|one| (one.number, one.action)).collect()
}

pub(crate) async fn issues_are_kept_closed_and_opened_again(bed: &impl Bed) {
    // A pull request is no issue.
    run(bed, "2").await;
    let forge = bed.forge();
    assert_eq!(forge.issues(None).await.unwrap(), Some(Vec::new()));

    let text = "first\n/close\n@everyone";
    let opened = keep(
        bed,
        &[wanted("urgent-a", text), wanted("urgent-b", "b")],
        true,
    )
    .await;
    let [(a, IssueAction::Opened), (b, IssueAction::Opened)] = opened[..] else {
        panic!("{opened:?}");
    };
    let present = forge.issues(None).await.unwrap().unwrap();
    let first = present.iter().find(|issue| issue.number == a).unwrap();
    assert!(first.is_open, "a command was executed");
    assert!(first.body.contains("\n\\/close\n"), "{first:?}");
    assert_eq!(first.title, "about urgent-a");

    // Nothing changes without a reason, a change is made in place, and what is not seen stays.
    let both = [wanted("urgent-a", text), wanted("urgent-b", "b")];
    let same = [(a, IssueAction::Unchanged), (b, IssueAction::Unchanged)];
    assert_eq!(keep(bed, &both, true).await, same);
    let changed = [wanted("urgent-a", "second")];
    assert_eq!(
        keep(bed, &changed, false).await,
        [(a, IssueAction::Updated)]
    );

    // What is gone is closed, and opened again when it comes back.
    let done = keep(bed, &changed, true).await;
    assert_eq!(
        done,
        [(a, IssueAction::Unchanged), (b, IssueAction::Closed)]
    );
    assert_eq!(
        keep(bed, &changed, true).await,
        [(a, IssueAction::Unchanged)]
    );
    let again = keep(bed, &both, true).await;
    assert_eq!(
        again,
        [(a, IssueAction::Updated), (b, IssueAction::Updated)]
    );

    // What a person closed stays closed.
    bed.close_issue_by_person(b);
    let done = keep(bed, &both, true).await;
    assert_eq!(done, [(a, IssueAction::Unchanged), (b, IssueAction::Left)]);

    let of_person = forge.issues(Some("jane")).await.unwrap();
    assert_eq!(of_person, Some(Vec::new()));

    bed.disable_issues();
    assert_eq!(forge.issues(None).await.unwrap(), None);
    assert_eq!(bed.violations(), Vec::<String>::new());
}

pub(crate) async fn an_issue_is_opened_once(bed: &impl Bed) {
    let forge = bed.forge();
    let with_key = async |key: &str| {
        let mut present = forge.issues(None).await.unwrap().unwrap();
        present.retain(|issue| issue.is_open && issue.title == format!("about {key}"));
        present.len()
    };

    // Two runs at once.
    let one = [wanted("urgent-a", "a")];
    tokio::join!(keep(bed, &one, true), keep(bed, &one, true));
    assert_eq!(with_key("urgent-a").await, 1);
    let again = keep(bed, &one, true).await;
    assert!(
        matches!(again[..], [(_, IssueAction::Unchanged)]),
        "{again:?}"
    );

    // Any fault of its opening, and the next run.
    for (at, fault) in Fault::ALL.into_iter().enumerate() {
        for is_after in [false, true] {
            let key = format!("urgent-{at}-{is_after}");
            let one = [wanted(&key, "text")];
            let present = forge.issues(None).await.unwrap().unwrap();
            bed.proxy().arm(Some(Armed {
                skip: 0,
                fault,
                is_after,
            }));
            let first = keep_issues(forge, bed.identity(), &present, "urgent-", &one, false).await;
            bed.proxy().renew_token();
            bed.proxy().arm(None);
            if !is_after {
                assert!(first.is_err(), "{fault:?}");
            }
            keep(bed, &one, false).await;
            assert_eq!(with_key(&key).await, 1, "{fault:?} {is_after}");
        }
    }
    assert_eq!(bed.violations(), Vec::<String>::new());
}

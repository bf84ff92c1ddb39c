//! Comments: kept up to date, answered once, and what is known about those of people.

use patchgate_forge::git::PatchgateBranch;
use patchgate_forge::{Forge as _, answer_once, delete_repeated, has_comment, keep_comment};
use patchgate_model::Account;

use crate::bed::{Bed, only, run};
use crate::proxy::{Armed, Fault};

pub(crate) async fn comments_are_kept_and_texts_run_no_commands(bed: &impl Bed) {
    run(bed, "2").await;
    // The body has a line `/close`.
    let (_, number, body) = only(bed).await;
    assert!(body.contains("\n\\/close"), "{body}");
    assert!(bed.state(number).0);

    let forge = bed.forge();
    let keep = async |text: &str| {
        keep_comment(forge, bed.identity(), number, "review", text)
            .await
            .unwrap();
        let comments = forge.comments(number).await.unwrap();
        let [comment] = &comments[..] else {
            panic!("one comment: {comments:?}");
        };
        comment.clone()
    };
    let first = keep("first").await;
    assert!(first.body.ends_with("\nfirst"), "{first:?}");
    assert_eq!(keep("first").await, first);
    let edited = keep("second\n/close\n  /merge").await;
    assert_eq!(edited.id, first.id);
    assert!(
        edited.body.ends_with("\n\\/close\n  \\/merge"),
        "{edited:?}"
    );
    assert!(bed.state(number).0, "a command was executed");

    assert_eq!(bed.violations(), Vec::<String>::new());
}

pub(crate) async fn commands_have_an_author_a_time_and_an_effect_on_labels(bed: &impl Bed) {
    run(bed, "2").await;
    let (_, number, _) = only(bed).await;
    let forge = bed.forge();
    let comments = async || forge.comments(number).await.unwrap();

    // A comment, and the same one after an edit.
    let id = bed.comment_by_person(number, "/patchgate hold please");
    let written = comments().await;
    let [comment] = &written[..] else {
        panic!("one comment: {written:?}");
    };
    assert_eq!((comment.id, comment.is_edited), (id, false), "{comment:?}");
    assert!(comment.created.is_some(), "{comment:?}");
    bed.edit_by_person(number, id, "/patchgate rollback");
    assert!(comments().await[0].is_edited);

    // The author may write; the same login with another id, and an unknown login, may not.
    bed.let_see_permissions();
    let author = comment.author.clone().unwrap();
    assert_eq!(author.login, "jane");
    assert!(forge.may_write(&author).await.unwrap());
    let taken = Account {
        id: Some(987_654),
        ..author.clone()
    };
    assert!(!forge.may_write(&taken).await.unwrap());
    let unnamed = Account { id: None, ..author };
    assert!(!forge.may_write(&unnamed).await.unwrap());
    let stranger = Account {
        login: "nobody-of-this-name".to_owned(),
        id: Some(987_655),
        kind: "User".to_owned(),
    };
    assert!(!forge.may_write(&stranger).await.unwrap());

    // A label comes and goes, and going twice is the same.
    forge
        .add_labels(number, &["hold".to_owned(), "kept".to_owned()])
        .await
        .unwrap();
    assert!(bed.state(number).1.contains(&"hold".to_owned()));
    for _ in 0..2 {
        forge.remove_label(number, "hold").await.unwrap();
        assert_eq!(
            bed.state(number)
                .1
                .iter()
                .filter(|label| *label == "hold")
                .count(),
            0
        );
    }
    assert!(bed.state(number).1.contains(&"kept".to_owned()));
    assert_eq!(bed.violations(), Vec::<String>::new());
}

pub(crate) async fn an_answer_is_written_once(bed: &impl Bed) {
    run(bed, "2").await;
    let (branch, number, _) = only(bed).await;
    let forge = bed.forge();
    let answer =
        async |key: &str| answer_once(forge, bed.identity(), number, key, "done\n/close").await;
    let with_key = async |key: &str| {
        let mut comments = forge.comments(number).await.unwrap();
        comments.retain(|comment| comment.body.contains(&format!(" {key} -->")));
        comments
    };

    // Two runs at once.
    let (one, two) = tokio::join!(answer("a"), answer("a"));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    let comments = with_key("a").await;
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(
        comments[0].body.ends_with("\ndone\n\\/close"),
        "{comments:?}"
    );
    assert!(bed.state(number).0, "a command was executed");

    // Any fault of its writing, and the next run.
    for (at, fault) in Fault::ALL.into_iter().enumerate() {
        for is_after in [false, true] {
            let key = format!("f{at}{is_after}");
            bed.proxy().arm(Some(Armed {
                skip: 0,
                fault,
                is_after,
            }));
            let first = answer(&key).await;
            bed.proxy().renew_token();
            bed.proxy().arm(None);
            let comments = forge.comments(number).await.unwrap();
            match has_comment(&comments, bed.identity(), &key) {
                true => assert!(is_after, "{fault:?}"),
                false => {
                    assert!(first.is_err(), "{fault:?}");
                    answer(&key).await.unwrap();
                }
            }
            assert_eq!(with_key(&key).await.len(), 1, "{fault:?} {is_after}");
        }
    }

    // What an interrupted run left is deleted later, and only that.
    for text in ["b -->\nold", "b -->\nnew", "c -->\nother"] {
        let body = format!("<!-- patchgate:comment {text}");
        forge.add_comment(number, &body).await.unwrap();
    }
    let by_person = bed.comment_by_person(number, "<!-- patchgate:comment b -->\nforged");
    for _ in 0..2 {
        let comments = forge.comments(number).await.unwrap();
        delete_repeated(forge, bed.identity(), number, "b", &comments)
            .await
            .unwrap();
    }
    let left = with_key("b").await;
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].body.ends_with("old"), "{left:?}");
    assert_eq!(left[1].id, by_person);
    assert_eq!(with_key("c").await.len(), 1);
    forge.delete_comment(number, left[0].id).await.unwrap();
    forge.delete_comment(number, left[0].id).await.unwrap();

    // The open pull request of a branch.
    let branch = PatchgateBranch::existing(&branch).unwrap();
    let found = forge.request_from(&branch, "main").await.unwrap();
    assert_eq!(found.map(|found| found.number), Some(number));
    let other = PatchgateBranch::existing("patchgate/other").unwrap();
    assert_eq!(forge.request_from(&other, "main").await.unwrap(), None);
    assert_eq!(forge.request_from(&branch, "other").await.unwrap(), None);
    bed.close_by_person(number);
    assert_eq!(forge.request_from(&branch, "main").await.unwrap(), None);

    assert_eq!(bed.violations(), Vec::<String>::new());
}

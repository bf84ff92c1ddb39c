//! The evidence of the gate, its verdict on the commit, and the merge of the judged head.

use patchgate_forge::{
    CheckNote, Conclusion, Forge as _, ForgeKind, MergeOutcome, MergeText, NoteLevel, VerdictReport,
};
use patchgate_model::{CheckOutcome, FileStatus, MergeMethod, PullRequestState};

use crate::bed::{Bed, only, run};

pub(crate) async fn evidence_is_whole_and_the_judged_head_is_merged(bed: &impl Bed) {
    run(bed, "2").await;
    let (branch, number, _) = only(bed).await;
    let safeguards = bed
        .forge()
        .evidence(number, &|_| true, None)
        .await
        .safeguards;
    assert_eq!(safeguards.base_is_protected, Ok(false));
    assert_eq!(safeguards.base_changes, Ok(Vec::new()));

    // What changed on the base since is named, until the head has it.
    let fork = bed.tip("main").unwrap();
    bed.commit("main", &[("b", b"c\n")]);
    let moved = bed.forge().evidence(number, &|_| true, None).await;
    assert_eq!(moved.safeguards.base_changes, Ok(vec!["b".to_owned()]));
    assert_eq!(moved.merge_base, Ok(fork));
    assert_eq!(run(bed, "2").await, [("updated", number)]);
    bed.protect_main();

    let head = bed.tip(&branch).unwrap();
    bed.report_success(&head);
    let verdict = |conclusion| VerdictReport {
        name: "patchgate".into(),
        head_sha: head.clone(),
        conclusion,
        title: "review: 1 reason".into(),
        summary: "text".into(),
        // More than GitHub takes in one call.
        notes: (1..=120)
            .map(|line| CheckNote {
                path: "Cargo.lock".into(),
                line,
                level: NoteLevel::Warning,
                title: "t".repeat(300),
                message: "<b>".into(),
            })
            .collect(),
    };
    let forge = bed.forge();
    // Twice: a repeated run reports the same verdict.
    for _ in 0..2 {
        let report = verdict(Conclusion::ActionRequired);
        forge.report_verdict(&report).await.unwrap();
    }

    let evidence = forge.evidence(number, &|_| true, None).await;
    let pull = evidence.pull_request.as_ref().unwrap();
    assert_eq!(pull.state, PullRequestState::Open);
    assert_eq!(pull.head.sha, head);
    assert_eq!(pull.head.repository, pull.base.repository);
    assert_eq!(pull.mergeable, Some(true));
    assert_eq!(pull.commit_count, 1);
    assert_eq!(pull.changed_file_count, 1);
    assert_eq!(evidence.base_tip, Ok(bed.tip("main").unwrap()));
    assert_eq!(evidence.merge_base, evidence.base_tip);
    assert_eq!(evidence.head_at_end.as_ref(), Ok(&head));

    assert_eq!(pull.labels, ["security"]);
    assert!(pull.opened.is_some());

    let safeguards = &evidence.safeguards;
    assert_eq!(safeguards.base_is_protected, Ok(true));
    assert_eq!(safeguards.base_changes, Ok(Vec::new()));
    // A signed plan names the tree of the head, so every forge has to give it.
    assert_eq!(safeguards.head_tree, Ok(bed.tree(&head)));
    assert_eq!(safeguards.approvals, Ok(Vec::new()));
    match forge.kind() {
        ForgeKind::GitLab => assert!(safeguards.jobs.is_err()),
        ForgeKind::GitHub | ForgeKind::Gitea => assert_eq!(safeguards.jobs, Ok(Vec::new())),
    }

    let commits = evidence.commits.as_ref().unwrap();
    let author = pull.author.as_ref().unwrap();
    assert!(author.id.is_some(), "{author:?}");
    assert_eq!(commits.len(), 1);
    assert_eq!(commits[0].parents, [bed.tip("main").unwrap()]);
    for account in [&commits[0].author, &commits[0].committer] {
        let account = account.as_ref().unwrap();
        assert_eq!((&account.login, account.id), (&author.login, author.id));
    }
    assert!(!commits[0].verified);

    let files = evidence.files.as_ref().unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].path, "Cargo.lock");
    assert_eq!(files[0].status, FileStatus::Modified);
    let contents = &evidence.contents["Cargo.lock"];
    assert_eq!(contents.base, Ok(Some(b"1\n".to_vec())));
    assert_eq!(contents.head, Ok(Some(b"2\n".to_vec())));
    assert_eq!(evidence.changes_requested, Ok(Vec::new()));
    assert_eq!(evidence.branch_checks, Ok(Vec::new()));
    let others: Vec<_> = evidence
        .statuses
        .as_ref()
        .unwrap()
        .iter()
        .map(|status| (status.context.as_str(), &status.outcome))
        .collect();
    assert_eq!(others, [("ci/test", &CheckOutcome::Success)]);

    // A file that is not there is no error, and one of a commit that is not there is.
    let base = bed.tip("main").unwrap();
    assert_eq!(forge.file("none", &base, 1000).await.unwrap(), None);
    assert!(forge.file("b", &"0".repeat(40), 1000).await.is_err());
    assert!(forge.file("b", &base, 1).await.is_err());

    // The judged head is merged, and no other one.
    assert!(forge.merged_onto(number).await.is_err());
    let report = verdict(Conclusion::Success);
    forge.report_verdict(&report).await.unwrap();
    let text = MergeText::of(forge.kind(), number, &head, &base);
    let merge = async |sha: &str| forge.merge(number, sha, MergeMethod::Squash, &text).await;
    assert_eq!(merge(&base).await.unwrap(), MergeOutcome::HeadMoved);
    assert!(matches!(
        merge(&head).await.unwrap(),
        MergeOutcome::Merged { .. }
    ));
    assert_eq!(forge.merged_onto(number).await.unwrap(), Some(base));
    let message = bed.message(&bed.tip("main").unwrap());
    assert_eq!(
        message.trim_end(),
        format!("{}\n\n{}", text.title, text.message).trim_end()
    );
    assert_eq!(
        bed.file(&bed.tip("main").unwrap(), "Cargo.lock").unwrap(),
        b"2\n"
    );
    assert_eq!(
        forge.pull_request(number).await.unwrap().state,
        PullRequestState::Merged
    );
    assert!(!matches!(merge(&head).await, Ok(MergeOutcome::HeadMoved)));
    assert_eq!(bed.violations(), Vec::<String>::new());
}

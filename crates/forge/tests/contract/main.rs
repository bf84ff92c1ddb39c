//! One contract for all forges: every test runs on each of them.
//!
//! GitHub and GitLab are stand-ins over real git repositories, behind a proxy that holds both sides to
//! the forge's published description. Gitea is the real server.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step fails the test"
)]

mod assign;
mod bed;
mod comments;
mod evidence;
mod faults;
mod gitea;
mod github;
mod gitlab;
mod issues;
mod proxy;
mod publish;

/// Runs the tests of the contract on a forge. `$new` makes a test bed, or `None` after a skip.
macro_rules! contract {
    ($forge:ident) => {
        mod $forge {
            use crate::$forge::new;

            #[tokio::test(flavor = "multi_thread")]
            async fn a_pull_request_lives_and_ends() {
                if let Some(bed) = new() {
                    crate::publish::a_pull_request_lives_and_ends(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn what_people_did_is_respected() {
                if let Some(bed) = new() {
                    crate::publish::what_people_did_is_respected(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn a_plan_that_was_declined_leaves_the_other_one_open() {
                if let Some(bed) = new() {
                    crate::publish::a_plan_that_was_declined_leaves_the_other_one_open(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn evidence_is_whole_and_the_judged_head_is_merged() {
                if let Some(bed) = new() {
                    crate::evidence::evidence_is_whole_and_the_judged_head_is_merged(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn commands_have_an_author_a_time_and_an_effect_on_labels() {
                if let Some(bed) = new() {
                    crate::comments::commands_have_an_author_a_time_and_an_effect_on_labels(&bed)
                        .await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn an_answer_is_written_once() {
                if let Some(bed) = new() {
                    crate::comments::an_answer_is_written_once(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn issues_are_kept_closed_and_opened_again() {
                if let Some(bed) = new() {
                    crate::issues::issues_are_kept_closed_and_opened_again(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn an_issue_is_opened_once() {
                if let Some(bed) = new() {
                    crate::issues::an_issue_is_opened_once(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn assignees_are_added_when_none_is_there() {
                if let Some(bed) = new() {
                    crate::assign::assignees_are_added_when_none_is_there(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn reviewers_are_asked_once() {
                if let Some(bed) = new() {
                    crate::assign::reviewers_are_asked_once(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn comments_are_kept_and_texts_run_no_commands() {
                if let Some(bed) = new() {
                    crate::comments::comments_are_kept_and_texts_run_no_commands(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn any_fault_of_any_write_ends_in_the_same_state() {
                if let Some(bed) = new() {
                    crate::faults::any_fault_of_any_write_ends_in_the_same_state(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn two_runs_at_once_are_one() {
                if let Some(bed) = new() {
                    crate::faults::two_runs_at_once_are_one(&bed).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn the_requests_of_a_run_are_those_in_the_documents() {
                if let Some(bed) = new() {
                    crate::faults::the_requests_of_a_run_are_those_in_the_documents(&bed).await;
                }
            }
        }
    };
}

mod on {
    contract!(gitea);
    contract!(github);
    contract!(gitlab);
}

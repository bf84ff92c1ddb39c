//! Rules about the author: accounts, never e-mail addresses or names.

use patchgate_model::Account;

use crate::context::{Context, Outcome, met, or_met, review, with};

pub(super) fn opened_by(context: &Context<'_>) -> Vec<Outcome> {
    context.with_pull_request(|pull_request| {
        vec![match judge_account(context, pull_request.author.as_ref()) {
            Ok(login) => met(format!("`{login}` opened the pull request")),
            Err(who) => review(format!("the pull request was opened by {who}")),
        }]
    })
}

pub(super) fn commits(context: &Context<'_>) -> Vec<Outcome> {
    with(&context.evidence.commits, "the commits", |commits| {
        let mut outcomes = Vec::new();
        for commit in commits {
            for (role, account) in [("author", &commit.author), ("committer", &commit.committer)] {
                if let Err(who) = judge_account(context, account.as_ref()) {
                    outcomes.push(review(format!(
                        "the {role} of commit `{}` is {who}",
                        commit.sha
                    )));
                }
            }
        }

        if commits.is_empty() {
            outcomes.push(review("the pull request has no commits"));
        }

        or_met(outcomes, "every commit is by an account of the policy")
    })
}

pub(super) fn signatures(context: &Context<'_>) -> Vec<Outcome> {
    if !context.policy.require_signed_commits {
        return vec![met("the policy does not ask for signed commits")];
    }

    with(&context.evidence.commits, "the commits", |commits| {
        let mut outcomes: Vec<Outcome> = commits
            .iter()
            .filter(|commit| !commit.verified)
            .map(|commit| {
                review(format!(
                    "the signature of commit `{}` is not verified: {}",
                    commit.sha, commit.verification
                ))
            })
            .collect();
        if commits.is_empty() {
            outcomes.push(review("the pull request has no commits"));
        }

        or_met(outcomes, "every commit has a verified signature")
    })
}

pub(super) fn complete(context: &Context<'_>) -> Vec<Outcome> {
    context.with_pull_request(|pull_request| {
        with(&context.evidence.commits, "the commits", |commits| {
            let mut outcomes = Vec::new();
            if commits.len() as u64 != pull_request.commit_count {
                outcomes.push(review(format!(
                    "the pull request has {} commits, and {} were read",
                    pull_request.commit_count,
                    commits.len()
                )));
            }

            if commits.last().map(|commit| &commit.sha) != Some(&pull_request.head.sha) {
                outcomes.push(review("the last commit that was read is not the head"));
            }
            for commit in commits.iter().filter(|commit| commit.parents.len() != 1) {
                outcomes.push(review(format!(
                    "commit `{}` has {} parents",
                    commit.sha,
                    commit.parents.len()
                )));
            }

            for pair in commits.windows(2) {
                if !pair[1].parents.contains(&pair[0].sha) {
                    outcomes.push(review(format!(
                        "commit `{}` does not follow commit `{}`",
                        pair[1].sha, pair[0].sha
                    )));
                }
            }

            or_met(outcomes, "all commits were read, and they form one line")
        })
    })
}

/// The login when the policy names it, else a description that completes "… is …".
fn judge_account<'a>(
    context: &Context<'_>,
    account: Option<&'a Account>,
) -> Result<&'a str, String> {
    let Some(account) = account else {
        return Err("an account that the forge does not know".to_owned());
    };

    if context
        .policy
        .accounts
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(&account.login))
    {
        Ok(&account.login)
    } else if context.policy.accounts.is_empty() {
        Err(format!(
            "`{}`, and the policy names no accounts",
            account.login
        ))
    } else {
        Err(format!(
            "`{}`, which the policy does not name",
            account.login
        ))
    }
}

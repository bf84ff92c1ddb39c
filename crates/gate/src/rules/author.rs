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

/// The account as which every workflow of a repository acts.
const ANY_WORKFLOW: &str = "github-actions[bot]";

/// The login when the policy names the account, else a description that completes "… is …".
fn judge_account<'a>(
    context: &Context<'_>,
    account: Option<&'a Account>,
) -> Result<&'a str, String> {
    let Some(account) = account else {
        return Err("an account that the forge does not know".to_owned());
    };
    let policy = &context.policy;
    let login = &account.login;
    if policy.accounts.is_empty() {
        return Err(format!("`{login}`, and the policy names no accounts"));
    }
    let mut named = policy
        .accounts
        .iter()
        .filter(|known| known.has_login_of(account));
    let Some(first) = named.clone().next() else {
        return Err(format!("`{login}`, which the policy does not name"));
    };

    if login.eq_ignore_ascii_case(ANY_WORKFLOW) && !policy.trust_any_workflow {
        return Err(format!(
            "`{login}`, as which any workflow of any branch acts, and the policy does not say \
             `trust-any-workflow: true`"
        ));
    }
    if named.any(|known| known.is(account)) {
        return Ok(login);
    }
    Err(match (account.id, first.id) {
        (None, _) => format!("`{login}`, whose id the forge does not state"),
        (Some(id), None) => format!(
            "`{login}`, which the policy names without an id (write \
             `{{ login: \"{login}\", id: {id} }}` if it is the right one)"
        ),
        (Some(id), Some(expected)) => format!(
            "another account `{login}` than the policy names: its id is {id}, not {expected}"
        ),
    })
}

//! The rules: one file for each subject and one function for each rule.

mod author;
mod base;
mod checks;
mod decision;
mod dependencies;
mod files;
mod findings;
mod moment;
mod plan;
mod policy;
mod proof;
mod pull_request;
mod registry;
mod required_checks;

pub(crate) use files::is_protected;

use crate::context::{Context, Outcome};

/// One condition for a merge.
pub struct Rule {
    /// Stable name in kebab-case; [`patchgate_model::GateReason::code`] carries it.
    pub code: &'static str,
    /// The condition as a sentence, for the documentation.
    pub asks: &'static str,
    pub(crate) check: fn(&Context<'_>) -> Vec<Outcome>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("code", &self.code).finish()
    }
}

/// Every rule, in the order of the documentation.
pub const RULES: &[Rule] = &[
    Rule {
        code: "policy",
        asks: "The base commit has a policy that can be read.",
        check: policy::readable,
    },
    Rule {
        code: "merge-text",
        asks: "The gate writes the text of the merged commit: the policy does not say `rebase`.",
        check: policy::merge_text,
    },
    Rule {
        code: "open",
        asks: "The pull request is open; a closed or merged one is blocked.",
        check: pull_request::open,
    },
    Rule {
        code: "draft",
        asks: "The pull request is not a draft.",
        check: pull_request::draft,
    },
    Rule {
        code: "fork",
        asks: "The change comes from a branch of the same repository.",
        check: pull_request::fork,
    },
    Rule {
        code: "mergeable",
        asks: "The forge knows that it can be merged without conflicts.",
        check: pull_request::mergeable,
    },
    Rule {
        code: "not-blocked",
        asks: "The forge does not block the merge, other than for this gate's own check.",
        check: pull_request::not_blocked,
    },
    Rule {
        code: "changes-requested",
        asks: "No review asks for changes.",
        check: pull_request::changes_requested,
    },
    Rule {
        code: "approvals",
        asks: "The head has as many approvals as the policy asks for, from accounts that may write.",
        check: pull_request::approvals,
    },
    Rule {
        code: "hold",
        asks: "No label of the policy stops the merge.",
        check: pull_request::hold,
    },
    Rule {
        code: "freeze",
        asks: "No freeze of the policy applies at the time of the judgement.",
        check: moment::freeze,
    },
    Rule {
        code: "not-stopped",
        asks: "The default branch has no file `.patchgate.stop`.",
        check: moment::not_stopped,
    },
    Rule {
        code: "base-protected",
        asks: "The base branch is protected against direct pushes.",
        check: base::protected,
    },
    Rule {
        code: "base-current",
        asks: "The change is based on the tip of the base branch, unless the policy does not ask for it and no newer commit changes dependencies.",
        check: base::current,
    },
    Rule {
        code: "head-unmoved",
        asks: "The head is the same commit at the end of the judgement as at its start.",
        check: base::head_unmoved,
    },
    Rule {
        code: "author",
        asks: "The account that opened the pull request is one that the policy names, by login and id.",
        check: author::opened_by,
    },
    Rule {
        code: "commit-accounts",
        asks: "Author and committer of every commit are accounts that the policy names, by login and id.",
        check: author::commits,
    },
    Rule {
        code: "commit-signatures",
        asks: "The forge verified the signature of every commit, where the policy asks for it.",
        check: author::signatures,
    },
    Rule {
        code: "commits-complete",
        asks: "All commits were read, they form one line, and the last one is the head.",
        check: author::complete,
    },
    Rule {
        code: "protected-files",
        asks: "No workflow, action or policy file is changed; in a pull request with a plan block, such a change is blocked.",
        check: files::protected,
    },
    Rule {
        code: "changed-files",
        asks: "The changed files are exactly those of the plan, all of them existing lockfiles or manifests.",
        check: files::exactly_the_plan,
    },
    Rule {
        code: "manifest-requirements",
        asks: "In manifests only version requirements change, each raised to a version that a lockfile changes to.",
        check: files::requirements_only,
    },
    Rule {
        code: "plan-digest",
        asks: "The plan block names the head commit, and its digest equals the one computed from the head's files.",
        check: plan::digest,
    },
    Rule {
        code: "plan-proof",
        asks: "It is proved that the head contains exactly the plan: by a statement that a key of the policy signed, or by a plan that another job computed again.",
        check: proof::exists,
    },
    Rule {
        code: "dependency-downgrade",
        asks: "No package changes to a lower version; a downgrade is blocked.",
        check: dependencies::downgrade,
    },
    Rule {
        code: "dependency-bump",
        asks: "No upgrade is larger than the policy allows.",
        check: dependencies::bump,
    },
    Rule {
        code: "dependency-added",
        asks: "No package and no older version of one is added to the tree, unless the policy allows it, and something depends on every new version.",
        check: dependencies::added,
    },
    Rule {
        code: "dependency-cause",
        asks: "Each package that changes or comes fixes a finding, or a change that does asks for it.",
        check: dependencies::caused,
    },
    Rule {
        code: "dependency-removed",
        asks: "No package leaves the tree that another one still depends on.",
        check: dependencies::removed,
    },
    Rule {
        code: "dependency-integrity",
        asks: "The hash of a version that stays does not change; a change is blocked, except to a stronger kind of hash.",
        check: dependencies::integrity,
    },
    Rule {
        code: "dependency-origin",
        asks: "Every package has the same source as before, and a git dependency the same commit; another one is blocked.",
        check: dependencies::origin,
    },
    Rule {
        code: "dependency-registry",
        asks: "Each entry that is new or has another version is as its registry describes that release: hash, dependencies and programs are equal, it is not yanked, and as old as the settings ask for.",
        check: registry::confirmed,
    },
    Rule {
        code: "lockfile-entries",
        asks: "Nothing in a lockfile differs except versions; another difference is blocked.",
        check: dependencies::entries,
    },
    Rule {
        code: "findings-introduced",
        asks: "The head has no vulnerability that the base does not have; a new one is blocked.",
        check: findings::introduced,
    },
    Rule {
        code: "findings-ended",
        asks: "The change fixes at least one vulnerability.",
        check: findings::ended,
    },
    Rule {
        code: "malicious-remaining",
        asks: "No malicious release remains on the head.",
        check: findings::malicious,
    },
    Rule {
        code: "findings-remaining",
        asks: "No vulnerability above the policy's score remains on the head.",
        check: findings::remaining,
    },
    Rule {
        code: "policy-rules",
        asks: "The first rule of the policy whose condition holds says merge, where the policy has rules.",
        check: decision::rules,
    },
    Rule {
        code: "stage",
        asks: "The stage of all changed paths is `auto`.",
        check: decision::stage,
    },
    Rule {
        code: "automatic-share",
        asks: "The change is in the policy's share of automatic merges.",
        check: decision::share,
    },
    Rule {
        code: "checks-present",
        asks: "At least one check ran on the head, and the policy names the required ones.",
        check: checks::present,
    },
    Rule {
        code: "checks-passed",
        asks: "Every check that ran on the head succeeded; a failed one is blocked unless the policy says review.",
        check: checks::passed,
    },
    Rule {
        code: "checks-required",
        asks: "Every check that the policy names succeeded, from the source that it names; a commit status is never the check run of an app.",
        check: required_checks::succeeded,
    },
    Rule {
        code: "checks-branch",
        asks: "Every check that the base branch's protection asks for succeeded.",
        check: checks::branch,
    },
    Rule {
        code: "checks-head",
        asks: "Every check ran on exactly the judged commit.",
        check: checks::head,
    },
];

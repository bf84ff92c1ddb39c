//! A forge, an adversary that acts between any two of the gate's calls, and faults of any call.
//!
//! The adversary may push, edit and report like an account with write access, and accidents happen:
//! protection is lost, clocks jump, answers are missing. Whatever the schedule is, the gate merges
//! only what evidence allows, and where nothing is wrong it merges. A release of the gate is tried with
//! more schedules: `PATCHGATE_SCHEDULES=100000 cargo test -p patchgate-gate --test judgement`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use patchgate_gate::{judge, judged_again, still_as_judged};
use patchgate_model::*;
use patchgate_proof::{PlanStatement, SigningKey, render_block};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::evidence::*;

/// The adversary's head, with a package that no plan has.
const EVIL: &str = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
const EVIL_TREE: &str = "dddddddddddddddddddddddddddddddddddddddd";

/// A key that no policy names.
const OTHER_KEY: &str = "MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";

/// A later commit of the base branch.
const NEWER: &str = "9999999999999999999999999999999999999999";

/// Calls of one reading of everything.
const CALLS: usize = 12;

/// What may happen before a call.
#[derive(Debug, Clone, Copy)]
enum Action {
    Push(&'static str),
    /// A commit status of the name of the required check.
    ForgeStatus,
    /// A check run of that name by another app.
    ForgeCheck,
    /// The real check of the honest head ends.
    Finish(bool),
    Body(Body),
    Label(bool),
    MoveBase,
    Protect(bool),
    /// An account approves the present head, or asks for changes.
    Review {
        approves: bool,
        may_write: bool,
    },
    /// Days forwards or backwards.
    Clock(i64),
    Stop(bool),
    Retarget(bool),
    Close(bool),
    Draft(bool),
    /// The next answer is missing.
    Fault,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Body {
    Honest,
    /// Plan block and statement of the adversary's content, signed by another key.
    OtherKey,
    /// Without the statement.
    Unsigned,
    /// The statement of an earlier pull request, on another base.
    Replayed,
}

fn action() -> impl Strategy<Value = Action> {
    let body = prop_oneof![
        Just(Body::Honest),
        Just(Body::OtherKey),
        Just(Body::Unsigned),
        Just(Body::Replayed)
    ];
    prop_oneof![
        Just(Action::Push(EVIL)),
        Just(Action::Push(HEAD)),
        Just(Action::ForgeStatus),
        Just(Action::ForgeCheck),
        any::<bool>().prop_map(Action::Finish),
        body.prop_map(Action::Body),
        any::<bool>().prop_map(Action::Label),
        Just(Action::MoveBase),
        any::<bool>().prop_map(Action::Protect),
        any::<(bool, bool)>().prop_map(|(approves, may_write)| Action::Review {
            approves,
            may_write
        }),
        (-3_i64..=3).prop_map(Action::Clock),
        any::<bool>().prop_map(Action::Stop),
        any::<bool>().prop_map(Action::Retarget),
        any::<bool>().prop_map(Action::Close),
        any::<bool>().prop_map(Action::Draft),
        Just(Action::Fault),
    ]
}

/// What the forge and the clock say now.
#[derive(Debug, Clone)]
struct State {
    head: &'static str,
    base: &'static str,
    branch: &'static str,
    body: Body,
    held: bool,
    protected: bool,
    stopped: bool,
    open: bool,
    draft: bool,
    /// Results of the real check on the honest head, the newest last.
    finished: Vec<bool>,
    statuses: BTreeSet<&'static str>,
    forged: BTreeSet<&'static str>,
    /// The latest review of the writer and of another account: whether it approves, and the head.
    reviews: BTreeMap<bool, (bool, &'static str)>,
    now: jiff::Timestamp,
    merged: Option<&'static str>,
}

impl State {
    /// A pull request that waits for nothing.
    fn honest() -> Self {
        Self {
            head: HEAD,
            base: BASE,
            branch: "main",
            body: Body::Honest,
            held: false,
            protected: true,
            stopped: false,
            open: true,
            draft: false,
            finished: vec![true],
            statuses: BTreeSet::new(),
            forged: BTreeSet::new(),
            reviews: BTreeMap::from([(true, (true, HEAD))]),
            now: "2026-12-01T12:00:00Z".parse().unwrap(),
            merged: None,
        }
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Push(head) => self.head = head,
            Action::ForgeStatus => {
                self.statuses.insert(self.head);
            }
            Action::ForgeCheck => {
                self.forged.insert(self.head);
            }
            Action::Finish(success) => self.finished.push(success),
            Action::Body(body) => self.body = body,
            Action::Label(held) => self.held = held,
            Action::MoveBase => self.base = NEWER,
            Action::Protect(protected) => self.protected = protected,
            Action::Review {
                approves,
                may_write,
            } => {
                self.reviews.insert(may_write, (approves, self.head));
            }
            Action::Clock(days) => {
                let hours = jiff::SignedDuration::from_hours(24 * days);
                self.now = self.now.checked_add(hours).unwrap();
            }
            Action::Stop(stopped) => self.stopped = stopped,
            Action::Retarget(away) => self.branch = if away { "other" } else { "main" },
            Action::Close(closed) => self.open = !closed,
            Action::Draft(draft) => self.draft = draft,
            Action::Fault => {}
        }
    }

    fn body(&self) -> String {
        let text = HONEST.clone().pull_request.unwrap().body;
        let unsigned = |text: &str| {
            text.split("<!-- patchgate:proof")
                .next()
                .unwrap()
                .to_owned()
        };
        let signed = |base: &str, tree: &str, key: &SigningKey, lock: &[u8]| {
            let files = [("Cargo.lock", lock)];
            render_block(&PlanStatement::new(base, tree, files).sign(key))
        };
        match self.body {
            Body::Honest => text,
            Body::Unsigned => unsigned(&text),
            Body::Replayed => {
                let fixed = lock(&[("smallvec", "1.6.1")]);
                format!("{}{}", unsigned(&text), signed(NEWER, TREE, &key(), &fixed))
            }
            Body::OtherKey => {
                let other = SigningKey::from_pem(OTHER_KEY).unwrap();
                let evil = EVIL_HEAD.clone().pull_request.unwrap().body;
                format!(
                    "{}{}",
                    unsigned(&evil),
                    signed(BASE, EVIL_TREE, &other, &evil_lock())
                )
            }
        }
    }

    fn pull_request(&self) -> PullRequest {
        let honest = HONEST.clone().pull_request.unwrap();
        PullRequest {
            state: match (self.merged, self.open) {
                (Some(_), _) => PullRequestState::Merged,
                (None, true) => PullRequestState::Open,
                (None, false) => PullRequestState::Closed,
            },
            draft: self.draft,
            body: self.body(),
            head: BranchEnd {
                sha: self.head.to_owned(),
                ..honest.head
            },
            base: BranchEnd {
                branch: self.branch.to_owned(),
                ..honest.base
            },
            labels: self.held.then(|| "hold".to_owned()).into_iter().collect(),
            ..honest
        }
    }

    fn check_runs(&self, head: &str) -> Vec<CheckRun> {
        let of_head = |run: CheckRun| CheckRun {
            head_sha: head.to_owned(),
            ..run
        };
        let mut runs = Vec::new();
        for (id, success) in (1..).zip(&self.finished).filter(|_| head == HEAD) {
            let failed = CheckOutcome::Failed("failure".to_owned());
            let outcome = if *success {
                CheckOutcome::Success
            } else {
                failed
            };
            runs.push(of_head(check(id, "test", outcome)));
        }
        if self.forged.contains(head) {
            let run = check(90, "test", CheckOutcome::Success);
            runs.push(of_head(CheckRun {
                app: Some("another".to_owned()),
                app_id: Some(1),
                ..run
            }));
        }
        runs
    }

    fn statuses(&self, head: &str) -> Vec<CommitStatus> {
        let status = CommitStatus {
            context: "test".to_owned(),
            creator: Some(account("github-actions[bot]")),
            outcome: CheckOutcome::Success,
        };
        self.statuses
            .contains(head)
            .then_some(status)
            .into_iter()
            .collect()
    }

    fn approvals(&self) -> Vec<Approval> {
        let given = self.reviews.iter().filter(|(_, (approves, _))| *approves);
        given
            .map(|(may_write, (_, commit))| Approval {
                account: account(if *may_write { "ann" } else { "guest" }),
                commit: (*commit).to_owned(),
                may_write: *may_write,
            })
            .collect()
    }

    fn changes_requested(&self) -> Vec<String> {
        let asks = self
            .reviews
            .get(&true)
            .is_some_and(|(approves, _)| !approves);
        asks.then(|| "ann".to_owned()).into_iter().collect()
    }
}

fn evil_lock() -> Vec<u8> {
    lock(&[("evil", "1.0.0"), ("smallvec", "1.6.1")])
}

/// What the forge has at the honest head.
static HONEST: LazyLock<Evidence> = LazyLock::new(evidence);

/// What it has at the adversary's.
static EVIL_HEAD: LazyLock<Evidence> = LazyLock::new(|| {
    let before = lock(&[("smallvec", "1.6.0")]);
    let mut evidence = evidence_of(&[("Cargo.lock", before, evil_lock())]);
    evidence.safeguards.head_tree = Ok(EVIL_TREE.to_owned());
    for commit in evidence.commits.as_mut().unwrap() {
        EVIL.clone_into(&mut commit.sha);
    }
    evidence
});

/// The policy of the base: one approval, and no merges on two days.
fn strict() -> GatePolicy {
    GatePolicy {
        required_approvals: 1,
        freezes: vec![Freeze {
            period: FreezePeriod::Once {
                from: "2026-12-03T00:00:00Z".parse().unwrap(),
                to: "2026-12-05T00:00:00Z".parse().unwrap(),
            },
            reason: "a release".to_owned(),
        }],
        ..policy()
    }
}

/// The forge during one run of the gate.
struct World {
    state: State,
    /// What happens before each call, by the number of the call.
    schedule: BTreeMap<usize, Vec<Action>>,
    calls: usize,
    /// Whether anything happened since the flag was last cleared.
    touched: bool,
}

impl World {
    /// One call: what happens before it, and its answer.
    fn call<T>(&mut self, answer: impl FnOnce(&State) -> T) -> Fetched<T> {
        let actions = self.schedule.remove(&self.calls).unwrap_or_default();
        self.calls += 1;
        let mut is_missing = false;
        for action in actions {
            is_missing |= matches!(action, Action::Fault);
            self.touched = true;
            self.state.apply(action);
        }
        match is_missing {
            true => Err(Missing::new("the connection broke")),
            false => Ok(answer(&self.state)),
        }
    }

    /// Reads everything, in the order of the gate: the head first, and everything about it by its id.
    fn read(&mut self) -> Evidence {
        let pull_request = self.call(State::pull_request);
        let head = match &pull_request {
            Ok(pull) if pull.head.sha == EVIL => EVIL,
            _ => HEAD,
        };
        // Commits, files and contents of an id never change; reading them may fail.
        let fixed = if head == EVIL { &EVIL_HEAD } else { &HONEST };
        let fixed = Evidence::clone(fixed);
        let base_tip = self.call(|state| state.base.to_owned());
        let compared = self.call(|_| ());
        let lost = compared.err();
        let contents = self.call(|_| ());
        let check_runs = self.call(|state| state.check_runs(head));
        let statuses = self.call(|state| state.statuses(head));
        let reviews = self.call(|state| (state.approvals(), state.changes_requested()));
        let protected = self.call(|state| state.protected);
        let stopped = self.call(|state| state.stopped);
        let registry = self.call(|_| ());
        let now = self.call(|state| state.now);
        let head_at_end = self.call(|state| state.head.to_owned());

        let piece = |missing: &Option<Missing>| missing.clone().map_or(Ok(()), Err);
        let base_changes = base_tip
            .as_ref()
            .map_err(Clone::clone)
            .map(|tip| match tip.as_str() {
                BASE => Vec::new(),
                _ => vec!["README.md".to_owned()],
            });
        Evidence {
            merge_base: piece(&lost).and(fixed.merge_base),
            commits: piece(&lost).and(fixed.commits),
            files: piece(&lost).and(fixed.files),
            contents: match &contents {
                Ok(()) => fixed.contents,
                Err(_) => BTreeMap::new(),
            },
            findings: contents.and(fixed.findings),
            pull_request,
            base_tip,
            check_runs,
            statuses,
            changes_requested: reviews.clone().map(|(_, asks)| asks),
            head_at_end,
            safeguards: Safeguards {
                base_is_protected: protected,
                base_changes,
                head_tree: piece(&lost).and(fixed.safeguards.head_tree),
                approvals: reviews.map(|(approvals, _)| approvals),
                registry: registry.and(fixed.safeguards.registry),
                is_stopped: stopped,
                now,
                ..fixed.safeguards
            },
            ..HONEST.clone()
        }
    }

    /// The gate: it judges, judges again, and merges the judged commit.
    fn gate(&mut self) {
        let first = self.read();
        let judged = judge(&Ok(strict()), &first);
        if judged.verdict != Verdict::Merge {
            return;
        }

        self.touched = false;
        let again = self.read();
        let Ok(now) = &again.pull_request else {
            return;
        };
        let tip = again.base_tip.as_deref().ok();
        let Ok(sha) = still_as_judged(&first, now, tip) else {
            return;
        };
        if judged_again(&judged, &judge(&Ok(strict()), &again)).is_err() {
            return;
        }

        // The forge merges an open pull request, by the id of its head, and compares nothing else.
        let sha = if sha == EVIL { EVIL } else { HEAD };
        let is_merged = self.call(|state| state.open && state.head == sha);
        if is_merged == Ok(true) {
            self.state.merged = Some(sha);
        }
    }
}

/// Runs the gate on a schedule; returns the world after it.
fn run(schedule: &[(usize, Action)]) -> World {
    let mut world = World {
        state: State::honest(),
        schedule: BTreeMap::new(),
        calls: 0,
        touched: false,
    };
    for (at, action) in schedule {
        world.schedule.entry(*at).or_default().push(*action);
    }
    world.gate();
    world
}

/// The verdict on everything as it is at one moment.
fn verdict_at(state: &State) -> Judgement {
    let mut world = World {
        state: State {
            merged: None,
            ..state.clone()
        },
        schedule: BTreeMap::new(),
        calls: 0,
        touched: false,
    };
    judge(&Ok(strict()), &world.read())
}

fn number_of_schedules() -> u32 {
    let asked = option_env!("PATCHGATE_SCHEDULES");
    asked.and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

#[test]
fn nothing_is_merged_that_evidence_does_not_allow() {
    let merges = std::cell::Cell::new(0);
    let schedules = prop::collection::vec((0..2 * CALLS + 1, action()), 0..6);
    let config = Config {
        cases: number_of_schedules(),
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&schedules, |schedule| {
        let world = run(&schedule);
        let Some(sha) = world.state.merged else {
            return Ok(());
        };
        merges.set(merges.get() + 1);

        // Always: the merged commit is the plan, byte for byte, and its own check has succeeded.
        prop_assert_eq!(sha, HEAD);
        prop_assert!(world.state.finished.contains(&true));
        // What happens while the second judgement is made may be read before or after. Without that,
        // everything is allowed at the moment of the merge.
        if !world.touched {
            let judgement = verdict_at(&world.state);
            prop_assert!(
                judgement.verdict == Verdict::Merge,
                "{}",
                render(&judgement)
            );
        }
        Ok(())
    });
    result.unwrap();
    // A gate that never merges would pass, too.
    assert!(
        merges.get() > number_of_schedules() / 50,
        "{}",
        merges.get()
    );
}

#[test]
fn where_nothing_is_wrong_it_merges() {
    assert_eq!(run(&[]).state.merged, Some(HEAD));
    // What came and went before the gate looked is no objection.
    let gone = [
        Action::Label(true),
        Action::Push(EVIL),
        Action::Push(HEAD),
        Action::Label(false),
    ];
    let schedule: Vec<_> = gone.into_iter().map(|action| (0, action)).collect();
    assert_eq!(run(&schedule).state.merged, Some(HEAD));
}

/// Each action alone, at each call of the second reading: what is read afterwards stops the merge.
#[test]
fn each_objection_before_the_second_judgement_stops_the_merge() {
    let objections = [
        Action::Push(EVIL),
        Action::Finish(false),
        Action::Body(Body::Unsigned),
        Action::Body(Body::OtherKey),
        Action::Body(Body::Replayed),
        Action::Label(true),
        Action::MoveBase,
        Action::Protect(false),
        Action::Review {
            approves: false,
            may_write: true,
        },
        Action::Clock(3),
        Action::Stop(true),
        Action::Close(true),
        Action::Draft(true),
    ];
    // Another branch with a policy that allows it is judged from the start, and never later.
    for at in 1..=CALLS {
        assert_eq!(
            run(&[(at, Action::Retarget(true))]).state.merged,
            None,
            "{at}"
        );
    }
    for action in objections {
        for at in 0..=CALLS {
            assert_eq!(
                run(&[(at, action)]).state.merged,
                None,
                "{action:?} at {at}"
            );
        }
    }
    for at in 0..2 * CALLS {
        assert_eq!(
            run(&[(at, Action::Fault)]).state.merged,
            None,
            "fault at {at}"
        );
    }
}

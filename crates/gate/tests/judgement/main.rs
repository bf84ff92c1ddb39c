//! Whole judgements: from one pull request in which everything holds, each thing is taken away or
//! turned bad on its own.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod adversary;
mod attacks;
mod checks;
mod consent;
mod decision;
mod dependencies;
mod evidence;
mod losses;
mod proof;
mod request;
mod rules;

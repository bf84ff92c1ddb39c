//! `patchgate gate`.

mod attacks;
mod evidence;
mod holds;
mod ledger;
mod moments;
mod verdict;

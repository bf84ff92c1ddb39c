//! `patchgate gate`.

mod attacks;
mod evidence;
mod ledger;
mod moments;
mod verdict;

//! `patchgate gate`.

mod attacks;
mod evidence;
mod moments;
mod ledger;
mod verdict;

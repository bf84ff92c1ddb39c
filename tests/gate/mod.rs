//! `patchgate gate`.

mod evidence;
mod verdict;

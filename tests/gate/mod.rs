//! `patchgate gate`.

mod attacks;
mod evidence;
mod verdict;

//! Python: where the packages of its lockfiles and requirements files come from.
//!
//! A file that names an index for a package is believed, as its own manager believes it. The index of
//! all other packages is the one that pip, or the format's manager, prints as its own: from the
//! user's files, the environment, or built in.

mod address;
mod pdm;
mod pip;
mod pipenv;
mod poetry;
mod pylock;
mod requirements;
mod uv;

pub(crate) use pdm::Pdm;
pub(crate) use pipenv::Pipenv;
pub(crate) use poetry::Poetry;
pub(crate) use pylock::Pylock;
pub(crate) use requirements::PipRequirements;
pub(crate) use uv::Uv;

//! JavaScript and TypeScript.

mod common;
mod declare;
mod imports;
mod module;
mod resolve;

pub(crate) use imports::references;

use crate::Files;
use crate::exports::{Exports, Follow};

/// The names of a module in two releases; `None` for a release that does not have the module.
/// Declarations of types are compared with declarations, and programs with programs.
pub(crate) fn exports(
    package: &str,
    module: &str,
    before: &Files,
    after: &Files,
) -> (Option<Exports>, Option<Exports>) {
    let types = (
        resolve::types(package, module, before),
        resolve::types(package, module, after),
    );
    if let (Some(old), Some(new)) = &types {
        return (Some(read(before, old)), Some(read(after, new)));
    }

    let of = |files| resolve::program(package, module, files).map(|file| read(files, &file));
    (of(before), of(after))
}

fn read(files: &Files, file: &str) -> Exports {
    module::exports(&mut Follow::new(files), file, 0)
}

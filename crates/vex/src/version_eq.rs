//! Equality of versions.

use std::cmp::Ordering;

use patchgate_ecosystems::Ecosystem;

/// Whether two texts are the same version: equal as texts, or equal in the ecosystem's order.
/// Without an ecosystem, or with a text that its order does not define, only equal texts are.
pub(crate) fn same_version(
    ecosystem: Option<&'static dyn Ecosystem>,
    one: &str,
    other: &str,
) -> bool {
    one == other
        || ecosystem
            .is_some_and(|ecosystem| ecosystem.compare_versions(one, other) == Ok(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use super::same_version;

    #[test]
    fn an_ecosystem_compares_by_its_own_order() {
        let pypi = patchgate_ecosystems::by_name("PyPI");
        assert!(same_version(pypi, "1.0", "1.0.0"));
        assert!(!same_version(None, "1.0", "1.0.0"));
        assert!(same_version(pypi, "not a version", "not a version"));
        assert!(!same_version(pypi, "not a version", "1.0"));
    }
}

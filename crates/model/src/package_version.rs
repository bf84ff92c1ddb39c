//! Name and version of a package.

use std::fmt;

/// Name and version of a package, where the ecosystem is known from elsewhere: within one lockfile,
/// or on the way from one lockfile to its successor. [`PackageRef`](crate::PackageRef) is the
/// identity across ecosystems.
///
/// Both are compared as text, the name first. Version order is the ecosystem's.
///
/// ```
/// use patchgate_model::PackageVersion;
///
/// assert_eq!(PackageVersion::new("left-pad", "1.3.0").to_string(), "left-pad 1.3.0");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageVersion {
    /// Name as the lockfile writes it.
    pub name: String,
    /// Version as the lockfile writes it.
    pub version: String,
}

impl PackageVersion {
    /// A package's name and version, from borrowed or owned text.
    #[must_use]
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
        }
    }
}

impl fmt::Display for PackageVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

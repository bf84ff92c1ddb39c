//! Names of ecosystems and formats, as types, so that neither is taken for the other or for the name
//! of a package.

use std::fmt;

use smol_str::SmolStr;

/// The name of an ecosystem: its OSV name without the release of a distribution (`npm`, `Debian`),
/// or Patchgate's own name for an ecosystem that OSV does not have.
///
/// The list of ecosystems is in `patchgate-ecosystems`; a name from a file or a flag is looked up
/// there.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EcosystemName(&'static str);

/// The id of a file format with its version: `cargo-lock-v4`, `npm-lock-v3`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FormatId(&'static str);

impl FormatId {
    /// Whether it is a version of a format: `npm-lock-v3` is one of `npm-lock`.
    #[must_use]
    pub fn is_version_of(self, format: &str) -> bool {
        let version = self.0.strip_prefix(format);
        version.is_some_and(|version| version.is_empty() || version.starts_with("-v"))
    }
}

/// The methods and traits that both kinds of name have.
macro_rules! name {
    ($type:ident) => {
        impl $type {
            /// The name as a type.
            #[must_use]
            pub const fn new(name: &'static str) -> Self {
                Self(name)
            }

            /// The name as text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                self.0
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.0, f)
            }
        }

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
    };
}

/// Comparisons with the text on the left.
macro_rules! text {
    ($text:ty) => {
        impl PartialEq<EcosystemName> for $text {
            fn eq(&self, other: &EcosystemName) -> bool {
                AsRef::<str>::as_ref(self) == other.0
            }
        }
    };
}

text!(str);
text!(&str);
text!(String);
text!(SmolStr);

impl From<EcosystemName> for SmolStr {
    fn from(name: EcosystemName) -> Self {
        Self::new_static(name.0)
    }
}

name!(EcosystemName);
name!(FormatId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_has_versions() {
        for (id, format, is_one) in [
            ("npm-lock-v3", "npm-lock", true),
            ("go-mod", "go-mod", true),
            ("github-workflow-images", "github-workflow", false),
            ("npm-lock-v3", "pnpm-lock", false),
        ] {
            assert_eq!(
                FormatId::new(id).is_version_of(format),
                is_one,
                "{id} {format}"
            );
        }
    }
}

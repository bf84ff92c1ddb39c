//! Reader of `conanfile.txt` (<https://docs.conan.io/2/reference/conanfile_txt.html>): sections
//! with one reference per line.

use patchgate_model::{DependencyKind, Unresolved};

use super::reference::Reference;
use crate::{Input, ParseError};

/// The `conanfile.txt` next to a lockfile.
pub(super) struct Manifest {
    pub(super) path: String,
    pub(super) requirements: Vec<Unresolved>,
}

impl Manifest {
    /// The manifest, if it exists and can be read.
    pub(super) fn beside(input: &Input<'_>) -> Option<Self> {
        let path = input.beside("conanfile.txt");
        let bytes = input.sibling(&path)?;
        let text = Input { bytes, ..*input }.text().ok()?;
        let requirements = requirements(text).ok()?;
        Some(Self { path, requirements })
    }

    /// The version or range that the manifest requires of a package, as written.
    pub(super) fn requirement(&self, name: &str) -> Option<String> {
        let required = self
            .requirements
            .iter()
            .find(|required| required.name == name)?;
        Some(required.requirement.clone())
    }
}

/// The requirements in all sections.
pub(super) fn requirements(text: &str) -> Result<Vec<Unresolved>, ParseError> {
    let mut requirements = Vec::new();
    let mut kind = None;
    let mut in_section = false;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }

        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            in_section = true;
            kind = match section {
                "requires" => Some(DependencyKind::Runtime),
                "build_requires" | "tool_requires" => Some(DependencyKind::Build),
                "test_requires" => Some(DependencyKind::Test),
                _ => None,
            };
            continue;
        }

        if !in_section {
            return Err(
                ParseError::new("is not a conanfile.txt: it begins outside a section")
                    .at_line(number as usize),
            );
        }

        let Some(kind) = kind else { continue };
        let reference = Reference::parse(line).ok_or_else(|| {
            let short: String = line.chars().take(60).collect();
            ParseError::new(format!("has `{short}` where a reference is expected"))
                .at_line(number as usize)
        })?;
        requirements.push(Unresolved {
            ecosystem: crate::conan::NAME,
            name: reference.name.to_owned(),
            requirement: reference.version.to_owned(),
            kind,
            line: number,
        });
    }

    Ok(requirements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_is_of_a_kind() {
        let text = "# c\n[requires]\nzlib/[>=1.2 <2] # why\n\n[tool_requires]\ncmake/3.27@a/b\n\
                    [test_requires]\ngtest/1\n[options]\nzlib/*:shared=True\n";
        let read: Vec<String> = requirements(text)
            .unwrap()
            .iter()
            .map(|asked| {
                format!(
                    "{} {} {} {:?}",
                    asked.line, asked.name, asked.requirement, asked.kind
                )
            })
            .collect();

        assert_eq!(
            read,
            [
                "3 zlib [>=1.2 <2] Runtime",
                "6 cmake 3.27 Build",
                "8 gtest 1 Test"
            ]
        );
    }

    #[test]
    fn what_is_no_reference_is_an_error() {
        assert_eq!(
            requirements("[requires]\nzlib\n").unwrap_err().line,
            Some(2)
        );
        assert!(requirements("zlib/1\n").is_err());
    }
}

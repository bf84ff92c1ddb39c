//! The wheels that uv lists: those whose tags fit a version of Python that the project supports
//! (<https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/>).

use crate::pypi::python_range::PythonRange;

/// The tags in the name of a wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tags<'n> {
    pythons: &'n str,
    interfaces: &'n str,
    platforms: &'n str,
}

impl<'n> Tags<'n> {
    /// Reads the name of a wheel. `None` if it is not one.
    pub(super) fn of(file: &'n str) -> Option<Self> {
        let mut parts = file.strip_suffix(".whl")?.rsplit('-');
        Some(Self {
            platforms: parts.next()?,
            interfaces: parts.next()?,
            pythons: parts.next()?,
        })
    }

    /// Whether the wheel is for every platform.
    pub(super) fn is_for_all_platforms(&self) -> bool {
        self.platforms == "any"
    }

    /// Whether a project can install the wheel with some version of Python. `None` if that is not
    /// certain.
    pub(super) fn fits(&self, project: &PythonRange) -> Option<bool> {
        let mut fits = false;
        for interface in self.interfaces.split('.') {
            fits |= match interface {
                "abi3" => true,
                "none" => self.fits_without_interface(project)?,
                _ => interpreter(interface).map_or(Some(true), |of| of.is_supported(project))?,
            };
        }
        Some(fits)
    }

    fn fits_without_interface(&self, project: &PythonRange) -> Option<bool> {
        let mut fits = false;
        for python in self.pythons.split('.') {
            fits |= match python.strip_prefix("py").and_then(version) {
                // `py312` is a lower bound, and `py3` is for all.
                Some((3, Some(minor))) => project.is_below_upper(3, minor)?,
                Some((2, _)) => false,
                Some(_) => true,
                None => interpreter(python).map_or(Some(true), |of| of.is_supported(project))?,
            };
        }
        Some(fits)
    }
}

/// An interpreter with its version, from tags such as `cp39`, `cp313t`, `pp39` and `pypy39_pp73`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interpreter {
    major: u32,
    minor: u32,
}

impl Interpreter {
    fn is_supported(self, project: &PythonRange) -> Option<bool> {
        let is_below = project.is_below_upper(self.major, self.minor)?;
        Some(self.major == 3 && is_below && project.reaches(self.major, self.minor))
    }
}

/// `None` for tags that uv does not know, and so keeps.
fn interpreter(tag: &str) -> Option<Interpreter> {
    let rest = ["cp", "pypy", "pp"]
        .iter()
        .find_map(|start| tag.strip_prefix(start))?;
    let rest = rest.split('_').next().unwrap_or(rest);
    let rest = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (major, minor) = version(rest)?;
    Some(Interpreter {
        major,
        minor: minor?,
    })
}

/// The version in a tag: the first digit, and the others.
fn version(digits: &str) -> Option<(u32, Option<u32>)> {
    let (major, minor) = digits.split_at_checked(1)?;
    let minor = match minor {
        "" => None,
        minor => Some(minor.parse().ok()?),
    };
    Some((major.parse().ok()?, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_are_listed_as_uv_does() {
        for (file, python, expected) in [
            ("a-1-py3-none-any.whl", ">=3.9", true),
            ("a-1-py2.py3-none-any.whl", ">=3.9", true),
            ("a-1-py2-none-any.whl", ">=3.9", false),
            ("a-1-py27-none-any.whl", ">=3.9", false),
            ("a-1-py37-none-any.whl", ">=3.9", true),
            ("a-1-py312-none-any.whl", ">=3.9,<3.12", false),
            ("a-1-cp38-cp38-win32.whl", ">=3.9", false),
            ("a-1-cp39-cp39-win32.whl", ">=3.9", true),
            ("a-1-1-cp313-cp313t-win32.whl", ">=3.9", true),
            ("a-1-cp313-cp313t-win32.whl", "==3.12.*", false),
            ("a-1-cp27-cp27mu-manylinux1_i686.whl", ">=3.9", false),
            ("a-1-cp36-abi3-win32.whl", ">=3.9", true),
            ("a-1-pp38-pypy38_pp73-win_amd64.whl", ">=3.9", false),
            ("a-1-pp39-pypy39_pp73-win_amd64.whl", ">=3.9", true),
            ("a-1-cp38-none-any.whl", ">=3.9", false),
            ("a-1-odd-odd-any.whl", ">=3.9", true),
        ] {
            let project = PythonRange::parse(python).unwrap();
            assert_eq!(
                Tags::of(file).unwrap().fits(&project),
                Some(expected),
                "{file}"
            );
        }
        assert_eq!(Tags::of("a-1.tar.gz"), None);
    }
}

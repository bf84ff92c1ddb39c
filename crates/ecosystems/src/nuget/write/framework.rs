//! Target frameworks, and the choice of the dependencies that a package has for one.
//!
//! NuGet takes the group of the nearest framework that is compatible
//! (<https://learn.microsoft.com/nuget/create-packages/supporting-multiple-target-frameworks>,
//! <https://learn.microsoft.com/dotnet/standard/net-standard>). .NET, .NET Framework and .NET Standard
//! are known here; a choice that others could decide is refused.

/// A target framework, as a project names it or a package has dependencies for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Framework {
    family: Family,
    /// Major, minor and patch.
    version: [u32; 3],
    /// A platform with its version in .NET 5 and later: `windows7.0`. Empty without one.
    platform: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// .NET Core, and .NET 5 and later.
    Net,
    /// The framework of Windows, up to 4.8.
    Framework,
    /// The interface that both others support up to some version.
    Standard,
}

/// How near one framework is to another: its family, its version, and whether it is for one platform.
type Nearness = (u8, [u32; 3], bool);

impl Framework {
    /// Reads the names of lockfiles and packages: `net8.0`, `net472`, `.NETCoreApp,Version=v3.1`,
    /// `.NETStandard2.0`. `None` for a framework of another family.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        let (name, platform) = match lower.split_once('-') {
            Some((name, platform)) => (name, platform),
            None => (lower.as_str(), ""),
        };

        let long = [
            (".netcoreapp", Family::Net),
            (".netframework", Family::Framework),
            (".netstandard", Family::Standard),
            ("netcoreapp", Family::Net),
            ("netstandard", Family::Standard),
        ];
        let found = long
            .iter()
            .find_map(|(start, family)| Some((*family, name.strip_prefix(start)?)));

        let (family, number) = match found {
            Some((family, rest)) => {
                let rest = rest.strip_prefix(",version=v").unwrap_or(rest);
                (family, numbers(rest)?)
            }
            None => {
                let rest = name.strip_prefix("net")?;
                let version = numbers(rest)?;
                match version {
                    [0..=4, ..] => (Family::Framework, version),
                    _ if rest.contains('.') => (Family::Net, version),
                    _ => return None,
                }
            }
        };
        if !platform.is_empty() && family != Family::Net {
            return None;
        }

        Some(Self {
            family,
            version: number,
            platform: platform.to_owned(),
        })
    }

    /// Whether restores leave out packages that the framework itself contains: the default from .NET 10
    /// on (<https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#prunepackagereference>).
    pub(super) fn prunes(&self) -> bool {
        self.family == Family::Net && self.version >= [10, 0, 0]
    }

    /// The highest version of .NET Standard that the framework supports.
    fn standard(&self) -> [u32; 3] {
        match self.family {
            Family::Standard => self.version,
            Family::Net => match self.version {
                [0, ..] => [0; 3],
                [1, ..] => [1, 6, 0],
                [2, ..] => [2, 0, 0],
                _ => [2, 1, 0],
            },
            Family::Framework => match self.version {
                version if version >= [4, 6, 1] => [2, 0, 0],
                version if version >= [4, 6, 0] => [1, 3, 0],
                version if version >= [4, 5, 1] => [1, 2, 0],
                version if version >= [4, 5, 0] => [1, 1, 0],
                _ => [0; 3],
            },
        }
    }

    /// How near another framework is to this one; the greatest is the nearest. `None` if a project of
    /// this framework cannot use it.
    fn nearness(&self, other: &Self) -> Option<Nearness> {
        if other.family == self.family {
            let has_platform = !other.platform.is_empty();
            let is_usable =
                other.version <= self.version && (!has_platform || other.platform == self.platform);
            return is_usable.then_some((2, other.version, has_platform));
        }
        let is_usable = other.family == Family::Standard && other.version <= self.standard();
        is_usable.then_some((1, other.version, false))
    }

    /// The index of the group that the framework gets, among the names of the groups' frameworks. An
    /// empty name is the group for all.
    ///
    /// # Errors
    /// If another framework than the known ones could decide.
    pub(super) fn nearest(&self, groups: &[&str]) -> Result<Option<usize>, String> {
        if groups.is_empty() {
            return Ok(None);
        }
        let mut best: Option<(Nearness, usize)> = None;
        let mut unknown = None;
        for (index, name) in groups.iter().enumerate() {
            let is_any = name.is_empty() || name.eq_ignore_ascii_case("any");
            let nearness = match Self::parse(name) {
                _ if is_any => Some((0, [0; 3], false)),
                Some(other) => {
                    if other.family == self.family && differs_in_version(&other, self) {
                        return Err(not_known(name));
                    }
                    self.nearness(&other)
                }
                None => {
                    unknown = Some(*name);
                    None
                }
            };
            if let Some(nearness) = nearness
                && best.is_none_or(|(known, _)| nearness > known)
            {
                best = Some((nearness, index));
            }
        }

        match (best, unknown) {
            (Some(((2, ..), index)), _) | (Some((_, index)), None) => Ok(Some(index)),
            (_, Some(name)) => Err(not_known(name)),
            (None, None) => Err("it is not compatible with the target framework".to_owned()),
        }
    }
}

fn not_known(name: &str) -> String {
    format!("it is not known whether `{name}` is the nearest framework")
}

/// Whether both have the same platform in different versions: the lower one can be used.
fn differs_in_version(a: &Framework, b: &Framework) -> bool {
    let name = |framework: &Framework| {
        let platform = framework
            .platform
            .trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        platform.to_owned()
    };
    a.platform != b.platform && !a.platform.is_empty() && name(a) == name(b)
}

/// The numbers of a version: `8.0`, or without dots, one digit each: `472`.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let parts: Vec<&str> = match text.contains('.') {
        true => text.split('.').collect(),
        false => text
            .char_indices()
            .map(|(at, c)| text.get(at..at + c.len_utf8()).unwrap_or_default())
            .collect(),
    };
    let mut version = [0; 3];
    if parts.is_empty() || parts.len() > 3 {
        return None;
    }
    for (number, part) in version.iter_mut().zip(parts) {
        *number = part.parse().ok()?;
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_framework_are_read() {
        for (a, b) in [
            (".NETCoreApp,Version=v3.1", "netcoreapp3.1"),
            (".NETCoreApp3.1", "netcoreapp3.1"),
            (".NETFramework,Version=v4.7.2", "net472"),
            (".NETFramework4.6.1", "net461"),
            (".NETStandard,Version=v2.0", "netstandard2.0"),
            (".NETCoreApp,Version=v8.0", "net8.0"),
        ] {
            assert_eq!(
                Framework::parse(a).unwrap(),
                Framework::parse(b).unwrap(),
                "{a}"
            );
        }
        for name in [
            "portable-net45+win8",
            "uap10.0",
            "MonoAndroid10",
            "net",
            "net80",
            "any",
            "",
        ] {
            assert_eq!(Framework::parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_nearest_group_is_taken() {
        let groups = ["netstandard2.0", "net6.0", "net8.0", "net462", ""];
        let nearest =
            |framework: &str, groups: &[&str]| Framework::parse(framework).unwrap().nearest(groups);
        for (framework, expected) in [
            ("net8.0", 2),
            ("net9.0-windows7.0", 2),
            ("net7.0", 1),
            ("net5.0", 0),
            ("netcoreapp3.1", 0),
            ("netcoreapp1.1", 4),
            ("net48", 3),
            ("net461", 0),
            ("net45", 4),
            ("netstandard2.1", 0),
            ("netstandard1.6", 4),
        ] {
            assert_eq!(
                nearest(framework, &groups),
                Ok(Some(expected)),
                "{framework}"
            );
        }

        let windows = ["net6.0", "net6.0-windows7.0"];
        assert_eq!(nearest("net8.0-windows7.0", &windows), Ok(Some(1)));
        assert_eq!(nearest("net8.0", &windows), Ok(Some(0)));
        assert_eq!(nearest("net8.0", &[]), Ok(None));
        assert!(nearest("net8.0-windows10.0.19041", &windows).is_err());
        assert!(nearest("net8.0", &["net462"]).is_err());
        assert!(nearest("net45", &["", "portable-net45+win8"]).is_err());
        assert_eq!(
            nearest("net45", &["net40", "portable-net45+win8"]),
            Ok(Some(0))
        );
    }
}

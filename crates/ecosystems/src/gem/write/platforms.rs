//! The archive that Bundler installs on a platform (`lib/bundler/gem_helpers.rb` and
//! `lib/rubygems/platform.rb`), as far as all versions of Bundler agree.

use super::super::registry::{Archive, RUBY};

/// The archives for some platforms, without repetitions and in the order of the registry.
///
/// # Errors
/// The platform for which several archives may fit, or none.
pub(super) fn choose<'a>(
    archives: &'a [Archive],
    platforms: &[String],
) -> Result<Vec<&'a Archive>, String> {
    let mut chosen = vec![false; archives.len()];
    for platform in platforms {
        let best = best(archives, platform).ok_or_else(|| platform.clone())?;
        if let Some(flag) = chosen.get_mut(best) {
            *flag = true;
        }
    }

    let kept = archives.iter().zip(chosen).filter(|(_, chosen)| *chosen);
    Ok(kept.map(|(archive, _)| archive).collect())
}

/// Index of the archive for a platform. `None` if that is not clear.
fn best(archives: &[Archive], platform: &str) -> Option<usize> {
    let exactly = |wanted: &str| archives.iter().position(|one| one.platform == wanted);
    if let Some(exact) = exactly(platform) {
        return Some(exact);
    }
    if platform == RUBY {
        return None;
    }

    let wanted = Platform::parse(platform);
    let mut fitting = archives.iter().enumerate().filter(|(_, archive)| {
        archive.platform != RUBY && Platform::parse(&archive.platform).may_fit(&wanted)
    });
    match (fitting.next(), fitting.next()) {
        (None, _) => exactly(RUBY),
        // An archive without a version of macOS is for all of them.
        (Some((index, archive)), None) => {
            let own = Platform::parse(&archive.platform);
            let is_certain = own.system == "darwin"
                && wanted.system == "darwin"
                && own.cpu == wanted.cpu
                && own.version.is_empty();
            is_certain.then_some(index)
        }
        _ => None,
    }
}

/// The parts of a platform: `x86_64-darwin-21`, `java`.
struct Platform<'a> {
    cpu: &'a str,
    system: &'a str,
    version: &'a str,
}

impl<'a> Platform<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.splitn(3, '-');
        let first = parts.next().unwrap_or_default();
        match parts.next() {
            None => Self {
                cpu: "",
                system: first,
                version: "",
            },
            Some(system) => Self {
                cpu: first,
                system,
                version: parts.next().unwrap_or_default(),
            },
        }
    }

    /// Whether an archive for this platform may be installed on another one. Systems of one family
    /// (`mingw32`, `mingw-ucrt`) count as the same, and so do names of one kind of processor.
    fn may_fit(&self, other: &Self) -> bool {
        let letters = |text: &'a str| {
            text.split(|c: char| !c.is_ascii_alphabetic())
                .next()
                .unwrap_or_default()
        };
        let other_letters: &str = other
            .system
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default();
        let is_java = |system: &str| matches!(system, "java" | "jruby");
        let systems =
            letters(self.system) == other_letters || is_java(self.system) && is_java(other.system);

        let is_any = |cpu: &str| matches!(cpu, "" | "universal");
        let cpus = is_any(self.cpu)
            || is_any(other.cpu)
            || self.cpu == other.cpu
            || family(self.cpu) == family(other.cpu);
        systems && cpus
    }
}

/// A name for processors that RubyGems has several names for.
fn family(cpu: &str) -> &str {
    match cpu {
        "x64" | "amd64" | "x86_64" => "x86_64",
        "x86" | "i386" | "i486" | "i586" | "i686" => "x86",
        "aarch64" => "arm64",
        arm if arm.starts_with("armv") => "arm",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_of_a_platform_is_chosen_where_it_is_clear() {
        let chosen = |archives: &[&str], platforms: &[&str]| -> Result<Vec<String>, String> {
            let archives: Vec<Archive> = archives
                .iter()
                .map(|platform| Archive {
                    platform: (*platform).to_owned(),
                    dependencies: Vec::new(),
                    sha256: None,
                })
                .collect();
            let platforms: Vec<String> = platforms.iter().map(|it| (*it).to_owned()).collect();
            let chosen = choose(&archives, &platforms)?;
            Ok(chosen.into_iter().map(|it| it.platform.clone()).collect())
        };

        let native = [
            "ruby",
            "java",
            "x86_64-linux",
            "arm64-darwin",
            "x86_64-darwin",
        ];
        for (archives, platforms, expected) in [
            (
                &["ruby"][..],
                &["ruby", "x86_64-linux", "java"][..],
                Ok(&["ruby"][..]),
            ),
            (&native, &["x86_64-linux"], Ok(&["x86_64-linux"])),
            (
                &native,
                &["x86_64-linux", "ruby"],
                Ok(&["ruby", "x86_64-linux"]),
            ),
            (&native, &["arm64-darwin-22"], Ok(&["arm64-darwin"])),
            (&native, &["aarch64-linux"], Ok(&["ruby"])),
            (&native, &["x64-mingw-ucrt"], Ok(&["ruby"])),
            (&["x86_64-linux"], &["ruby"], Err("ruby")),
            (&["x86_64-linux"], &["java"], Err("java")),
            (
                &["ruby", "x86_64-linux-gnu", "x86_64-linux-musl"],
                &["x86_64-linux"],
                Err("x86_64-linux"),
            ),
            (
                &["ruby", "x86_64-linux"],
                &["x86_64-linux-gnu"],
                Err("x86_64-linux-gnu"),
            ),
            (
                &["ruby", "universal-darwin"],
                &["arm64-darwin-22"],
                Err("arm64-darwin-22"),
            ),
            (
                &["ruby", "x64-mingw32"],
                &["x64-mingw-ucrt"],
                Err("x64-mingw-ucrt"),
            ),
        ] {
            let expected = expected
                .map(|names| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
                .map_err(str::to_owned);
            assert_eq!(
                chosen(archives, platforms),
                expected,
                "{archives:?} {platforms:?}"
            );
        }
    }
}

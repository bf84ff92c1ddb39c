//! The one repository that Maven asks for every released package, for programs that need an address
//! to look packages up.
//!
//! Maven asks all of its repositories. A release in this one can be used by every project that does
//! not switch it off, whatever other repositories the project has.

use std::path::Path;

use patchgate_ecosystems::maven::DeclaredRepository;
use patchgate_http::Environment;

use super::settings::{self, Repository};
use super::{all_settings, installation};

/// Identifier of the repository in the parent of all projects
/// (<https://maven.apache.org/ref/current/maven-model-builder/super-pom.html>).
const CENTRAL: &str = "central";

/// The reason why no repository is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRepository {
    /// The reason as a fragment.
    pub reason: String,
    /// The next step.
    pub hint: Option<String>,
}

/// The address of the repository that Maven asks by default, or of its mirror: as the user's settings
/// and the installed Maven name it, else a repository of the settings, else one that the project
/// declares.
///
/// `declared` are the repositories of the project, closest first. They replace one of Maven's own with
/// the same identifier, as in Maven, and are only taken over HTTPS. `scanned` is the scanned directory,
/// in which no installation counts.
///
/// # Errors
/// When the settings cannot be read, switch every repository off, or name none.
pub fn default_repository(
    environment: &Environment,
    scanned: Option<&Path>,
    declared: &[DeclaredRepository],
) -> Result<String, UnknownRepository> {
    let installations = installation::folders(environment, scanned);
    let (settings, fault) = all_settings(environment, &installations);
    if let Some(fault) = fault {
        let reason = fault.reason.trim_start_matches("was not asked for: ");
        return Err(UnknownRepository {
            reason: reason.to_owned(),
            hint: fault.hint,
        });
    }
    if settings.offline {
        return Err(UnknownRepository {
            reason: "Maven's settings say that it is offline".to_owned(),
            hint: Some("take `<offline>` out of Maven's settings".to_owned()),
        });
    }

    let is_off = |id: &str| {
        settings.switched_off.iter().any(|off| off == id)
            || declared.iter().any(|one| one.id == id && !one.releases)
    };
    let of_project = declared
        .iter()
        .filter(|one| one.releases && is_plain(&one.url));
    let of_project: Vec<Repository> = of_project
        .map(|one| Repository {
            id: one.id.clone(),
            url: one.url.clone(),
        })
        .collect();
    let mut own = installations
        .iter()
        .find_map(|folder| installation::repositories(folder))
        .unwrap_or_default();
    if own.is_empty() {
        // Without an installation only a mirror has an address.
        own.push(Repository {
            id: CENTRAL.to_owned(),
            url: String::new(),
        });
    }

    // One of the settings replaces one of the project, which replaces one of Maven itself.
    let replaced = own.into_iter().map(|one| {
        let others = settings.repositories.iter().chain(&of_project);
        let found = others.clone().find(|other| other.id == one.id);
        found.cloned().unwrap_or(one)
    });
    let ours = replaced.chain(settings.repositories.iter().cloned());
    let candidates = ours.chain(of_project.iter().cloned());
    let address = candidates
        .filter(|one| !is_off(&one.id))
        .filter_map(|one| settings.answering(&one, false))
        .map(|one| one.url)
        .find(|url| is_plain(url) || settings::is_loopback(url));

    address.ok_or_else(|| UnknownRepository {
        reason: "no repository of Maven is known".to_owned(),
        hint: Some("install Maven, or name a mirror in `~/.m2/settings.xml`".to_owned()),
    })
}

/// Whether an address is one of HTTPS with a host and a path only.
fn is_plain(url: &str) -> bool {
    url.len() > "https://".len() && url.starts_with("https://") && !url.contains(['@', '?', '#'])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn environment(home: &Path) -> Environment {
        let home = home.to_string_lossy().into_owned();
        Environment::new(Default::default(), [("HOME".to_owned(), home)])
    }

    fn asked(settings: &str, declared: &[(&str, &str, bool)]) -> Result<String, String> {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".m2")).unwrap();
        let text = format!("<settings>{settings}</settings>");
        fs::write(home.path().join(".m2/settings.xml"), text).unwrap();
        let declared: Vec<DeclaredRepository> = declared
            .iter()
            .map(|(id, url, releases)| DeclaredRepository {
                id: (*id).to_owned(),
                url: (*url).to_owned(),
                releases: *releases,
            })
            .collect();
        let found = default_repository(&environment(home.path()), None, &declared);
        found.map_err(|unknown| unknown.reason)
    }

    const MIRROR: &str = "<mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf>\
                          <url>https://mirror.invalid/maven/</url></mirror></mirrors>";

    #[test]
    fn a_mirror_stands_in_for_every_repository() {
        let mirror = Ok("https://mirror.invalid/maven".to_owned());
        assert_eq!(asked(MIRROR, &[]), mirror);
        let declared = ("central", "https://other.invalid", true);
        assert_eq!(asked(MIRROR, &[declared]), mirror);
    }

    #[test]
    fn a_repository_of_the_project_replaces_one_of_the_same_name() {
        let central = ("central", "https://own.invalid/r", true);
        assert_eq!(
            asked("", &[central]),
            Ok("https://own.invalid/r".to_owned())
        );
        let other = ("own", "https://own.invalid/r", true);
        assert_eq!(asked("", &[other]), Ok("https://own.invalid/r".to_owned()));
    }

    /// The repository of a scanned file is never asked without encryption, nor with anything in its
    /// address that could be a secret.
    #[test]
    fn other_addresses_are_not_asked() {
        let none = Err("no repository of Maven is known".to_owned());
        for url in [
            "http://own.invalid/r",
            "https://user:secret@own.invalid/r",
            "https://own.invalid/r?token=1",
            "file:///etc",
            "https://",
        ] {
            assert_eq!(asked("", &[("own", url, true)]), none, "{url}");
        }
        assert_eq!(asked("", &[("own", "https://own.invalid", false)]), none);
        let blocked = MIRROR.replace("<id>m</id>", "<id>m</id><blocked>true</blocked>");
        assert_eq!(asked(&blocked, &[]), none);
        let offline = Err("Maven's settings say that it is offline".to_owned());
        assert_eq!(asked("<offline>true</offline>", &[]), offline);
        assert!(asked("<broken", &[]).unwrap_err().contains("settings.xml"));
    }
}

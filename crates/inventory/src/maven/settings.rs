//! Maven's `settings.xml` (<https://maven.apache.org/settings.html>): the directory of the local
//! repository, and the mirrors that replace repositories.

use patchgate_ecosystems::ParseError;
use patchgate_ecosystems::syntax::{self, Element};
use patchgate_http::{Auth, Secret};

/// The settings of the user, of the installation, or of both.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The directory of the local repository, as written.
    pub(super) local: Option<String>,
    /// Whether Maven is offline by its settings.
    pub(super) offline: bool,
    mirrors: Vec<Mirror>,
    servers: Vec<Server>,
    /// Repositories of the profiles that are active, without those that are switched off for
    /// releases.
    pub(super) repositories: Vec<Repository>,
    /// Identifiers of those that are switched off.
    pub(super) switched_off: Vec<String>,
}

/// A repository with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    pub(super) id: String,
    pub(super) url: String,
}

#[derive(Debug)]
struct Mirror {
    id: String,
    of: String,
    url: String,
    blocked: bool,
}

#[derive(Debug)]
struct Server {
    id: String,
    auth: Auth,
}

/// The server that is asked instead of a repository, or the repository itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answering {
    pub(super) url: String,
    /// Whether the settings themselves name the address. Only then are credentials sent to it.
    pub(super) auth: Option<Auth>,
}

impl Settings {
    /// Reads a file. `variable` is the environment, for `${env.NAME}`.
    pub(super) fn read(
        text: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ParseError> {
        let root = syntax::xml(text)?;
        if root.name != "settings" {
            return Err(ParseError::new("does not begin with `<settings>`"));
        }

        let fill = |text: &str| fill(text, variable);
        let own = |element: &Element<'_>, name: &str| element.text_of(name).map(fill);
        let list = |list: &'static str, item: &'static str| {
            root.all(list)
                .flat_map(move |list| list.all(item))
                .collect::<Vec<_>>()
        };

        // The repositories of the active profiles.
        let active: Vec<&str> = list("activeProfiles", "activeProfile")
            .iter()
            .map(|id| id.text.as_str())
            .collect();
        let (repositories, switched_off) = list("profiles", "profile")
            .into_iter()
            .filter(|profile| {
                let by_default = profile
                    .child("activation")
                    .and_then(|activation| activation.text_of("activeByDefault"));
                by_default == Some("true")
                    || profile.text_of("id").is_some_and(|id| active.contains(&id))
            })
            .filter_map(|profile| profile.child("repositories"))
            .flat_map(|list| &list.children)
            .partition::<Vec<_>, _>(|repository| has_releases(repository));
        let repositories = repositories
            .into_iter()
            .filter_map(|repository| {
                Some(Repository {
                    id: own(repository, "id").unwrap_or_default(),
                    url: own(repository, "url")?,
                })
            })
            .collect();
        let switched_off = switched_off
            .into_iter()
            .filter_map(|repository| own(repository, "id"))
            .collect();

        Ok(Self {
            local: own(&root, "localRepository"),
            offline: root.text_of("offline") == Some("true"),
            mirrors: list("mirrors", "mirror")
                .into_iter()
                .filter_map(|mirror| {
                    Some(Mirror {
                        id: own(mirror, "id").unwrap_or_default(),
                        of: own(mirror, "mirrorOf")?,
                        url: own(mirror, "url")?,
                        blocked: mirror.text_of("blocked") == Some("true"),
                    })
                })
                .collect(),
            servers: list("servers", "server")
                .into_iter()
                .filter_map(|server| {
                    let password = own(server, "password")?;
                    // One that Maven encrypted is of use to Maven alone.
                    if password.starts_with('{') {
                        return None;
                    }

                    Some(Server {
                        id: own(server, "id")?,
                        auth: Auth::Basic {
                            user: own(server, "username").unwrap_or_default(),
                            password: Secret::new(&password),
                        },
                    })
                })
                .collect(),
            repositories,
            switched_off,
        })
    }

    /// Adds the settings of the installation, over which those of the user win.
    pub(super) fn and(mut self, installation: Self) -> Self {
        self.local = self.local.or(installation.local);
        self.offline |= installation.offline;
        self.mirrors.extend(installation.mirrors);
        self.servers.extend(installation.servers);
        self.repositories.extend(installation.repositories);
        self.switched_off.extend(installation.switched_off);
        self
    }

    /// The server to ask for a repository: a mirror, or itself. `ours` says whether its address
    /// comes from the settings or from Maven. A repository of a scanned file gets no password.
    /// `None` where it must not be asked.
    pub(super) fn answering(&self, repository: &Repository, ours: bool) -> Option<Answering> {
        let exact = self
            .mirrors
            .iter()
            .find(|mirror| mirror.of == repository.id);
        let mirror = exact.or_else(|| {
            self.mirrors
                .iter()
                .find(|mirror| is_mirrored(&mirror.of, repository))
        });
        let (id, url) = match mirror {
            Some(mirror) if mirror.blocked => return None,
            Some(mirror) => (&mirror.id, &mirror.url),
            None => (&repository.id, &repository.url),
        };
        let server = self.servers.iter().find(|server| server.id == *id);

        Some(Answering {
            url: url.trim_end_matches('/').to_owned(),
            auth: server
                .filter(|_| ours || mirror.is_some())
                .map(|server| server.auth.clone()),
        })
    }
}

/// Whether a mirror's list of patterns names a repository
/// (<https://maven.apache.org/guides/mini/guide-mirror-settings.html#advanced-mirror-specification>).
fn is_mirrored(patterns: &str, repository: &Repository) -> bool {
    let is_local = repository.url.starts_with("file:") || is_loopback(&repository.url);
    let mut mirrored = false;
    for pattern in patterns.split(',').map(str::trim) {
        if let Some(id) = pattern.strip_prefix('!') {
            if id == repository.id {
                return false;
            }
        } else {
            mirrored |= match pattern {
                "*" => true,
                "external:*" => !is_local,
                "external:http:*" => !is_local && repository.url.starts_with("http:"),
                id => id == repository.id,
            };
        }
    }

    mirrored
}

/// Whether releases are taken from a repository. Snapshots are never fetched.
fn has_releases(repository: &Element<'_>) -> bool {
    let policy = repository.child("releases");
    policy.and_then(|policy| policy.text_of("enabled")) != Some("false")
}

/// Whether an address is this machine's own.
pub(super) fn is_loopback(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| patchgate_http::is_loopback(&url))
}

/// Fills in the environment's variables. Unknown ones stay as they are.
fn fill(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };

        filled.push_str(before);
        let value = match name {
            "user.home" => variable("HOME"),
            name => name.strip_prefix("env.").and_then(variable),
        };
        match value {
            Some(value) => filled.push_str(&value),
            None => filled.push_str(&format!("${{{name}}}")),
        }

        rest = after;
    }

    filled + rest
}

/// The repositories of the super POM, the parent of all projects, which Maven itself contains.
pub(super) fn super_project(text: &str) -> Result<Vec<Repository>, ParseError> {
    let root = syntax::xml(text)?;
    Ok(root
        .all("repositories")
        .flat_map(|list| list.all("repository"))
        .filter(|repository| has_releases(repository))
        .filter_map(|repository| {
            Some(Repository {
                id: repository.text_of("id")?.to_owned(),
                url: repository.text_of("url")?.to_owned(),
            })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(id: &str, url: &str) -> Repository {
        Repository {
            id: id.to_owned(),
            url: url.to_owned(),
        }
    }

    fn settings(text: &str) -> Settings {
        let variable = |name: &str| match name {
            "HOME" => Some("/home/me".to_owned()),
            "PASSWORD" => Some("hunter2".to_owned()),
            _ => None,
        };
        Settings::read(&format!("<settings>{text}</settings>"), &variable).unwrap()
    }

    #[test]
    fn mirrors_answer_for_what_they_name() {
        for (of, id, url, expected) in [
            ("*", "central", "https://a.invalid", true),
            ("central", "central", "https://a.invalid", true),
            ("central", "other", "https://a.invalid", false),
            ("*,!other", "other", "https://a.invalid", false),
            ("a,b", "b", "https://a.invalid", true),
            ("external:*", "x", "http://127.0.0.1:1/", false),
            ("external:*", "x", "https://127.0.0.1.invalid/", true),
            ("external:http:*", "x", "http://a.invalid", true),
            ("external:http:*", "x", "https://a.invalid", false),
        ] {
            assert_eq!(is_mirrored(of, &repository(id, url)), expected, "{of} {id}");
        }
    }

    #[test]
    fn a_password_goes_only_where_the_settings_send_it() {
        let settings = settings(
            "<localRepository>${user.home}/repo</localRepository>\
             <servers><server><id>corp</id><username>me</username>\
             <password>${env.PASSWORD}</password></server></servers>\
             <mirrors><mirror><id>corp</id><mirrorOf>central</mirrorOf>\
             <url>https://corp.invalid/</url></mirror></mirrors>",
        );
        assert_eq!(settings.local.as_deref(), Some("/home/me/repo"));

        let answering = settings
            .answering(&repository("central", "https://a.invalid"), true)
            .unwrap();
        assert_eq!(answering.url, "https://corp.invalid");
        assert!(answering.auth.is_some());
        assert!(!format!("{settings:?}").contains("hunter2"));

        // A scanned file that takes the name of a server gets no password.
        let thief = repository("corp", "https://thief.invalid");
        assert_eq!(settings.answering(&thief, false).unwrap().auth, None);
    }

    #[test]
    fn blocked_mirrors_and_inactive_profiles_ask_nobody() {
        let profile = |id: &str, more: &str| {
            format!(
                "<profile><id>{id}</id>{more}<repositories><repository><id>{id}</id>\
                 <url>https://{id}.invalid</url></repository></repositories></profile>"
            )
        };
        let settings = settings(&format!(
            "<mirrors><mirror><mirrorOf>external:http:*</mirrorOf><url>http://0.0.0.0/</url>\
             <blocked>true</blocked></mirror></mirrors><profiles>{}{}{}{}</profiles>\
             <activeProfiles><activeProfile>a</activeProfile></activeProfiles>",
            profile("a", ""),
            profile("b", ""),
            profile("a", "").replace(
                "<repository><id>a</id>",
                "<repository><id>off</id><releases><enabled>false</enabled></releases>"
            ),
            profile(
                "c",
                "<activation><activeByDefault>true</activeByDefault></activation>"
            ),
        ));
        let ids: Vec<&str> = settings
            .repositories
            .iter()
            .map(|repository| repository.id.as_str())
            .collect();

        assert_eq!(ids, ["a", "c"]);
        assert_eq!(settings.switched_off, ["off"]);
        assert_eq!(
            settings.answering(&repository("x", "http://x.invalid"), true),
            None
        );
    }
}

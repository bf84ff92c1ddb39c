//! The forge, the server and the project of a run: from flags, the variables of a CI job, and the
//! address of the git remote.
//!
//! The token is sent to the server that is found here. A server comes from a flag, from a variable of
//! the CI, or it is one of the public forges; the address of a remote alone, which anybody can write
//! into a directory, never makes Patchgate send a token to another server.

use url::Url;

use crate::forge::ForgeKind;
use crate::project::{ProjectPath, ProjectPathError};

/// The public servers that a remote may name.
const PUBLIC: [(&str, ForgeKind); 4] = [
    ("github.com", ForgeKind::GitHub),
    ("gitlab.com", ForgeKind::GitLab),
    ("codeberg.org", ForgeKind::Gitea),
    ("gitea.com", ForgeKind::Gitea),
];

/// What the user says about the forge.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForgeFlags<'a> {
    /// The kind of the forge.
    pub kind: Option<ForgeKind>,
    /// Path of the project.
    pub project: Option<&'a str>,
    /// Address of the API.
    pub api_url: Option<&'a str>,
    /// Address of the server.
    pub server_url: Option<&'a str>,
}

/// A project on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The kind of the forge.
    pub kind: ForgeKind,
    /// The project.
    pub project: ProjectPath,
    /// Address of the API, without a final `/`.
    pub api_url: String,
    /// Address of the server, below which the project's git repository is, without a final `/`.
    pub server_url: String,
}

/// Why no project was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// Nothing names a project.
    #[error("no repository is named")]
    NoProject {
        /// The kind of the forge.
        kind: ForgeKind,
    },
    /// Nothing names the server of a forge that has no public one.
    #[error("no server is named")]
    NoServer,
    /// The project's path is invalid.
    #[error(transparent)]
    Path(#[from] ProjectPathError),
}

impl LocateError {
    /// The next step: a fragment for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoProject { kind } => {
                let variable = match kind {
                    ForgeKind::GitHub => "GITHUB_REPOSITORY",
                    ForgeKind::GitLab => "CI_PROJECT_PATH",
                    ForgeKind::Gitea => "GITEA_REPOSITORY",
                };
                Some(format!(
                    "give `--repository OWNER/NAME`, or set `{variable}`; a server of your own needs `--forge` and `--server-url`"
                ))
            }
            Self::NoServer => Some("give `--server-url https://HOST`".to_owned()),
            Self::Path(_) => None,
        }
    }
}

impl ForgeKind {
    /// Variables that may contain the token, apart from `PATCHGATE_TOKEN`. A variable of one forge is
    /// never read for another, so that no token goes to a server that it is not for.
    #[must_use]
    pub fn token_variables(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["GITHUB_TOKEN"],
            Self::GitLab => &["GITLAB_TOKEN"],
            Self::Gitea => &["FORGEJO_TOKEN", "GITEA_TOKEN"],
        }
    }

    /// Variables of the CI with the project's path, the first that is set counts.
    fn project_variables(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["GITHUB_REPOSITORY"],
            Self::GitLab => &["CI_PROJECT_PATH"],
            Self::Gitea => &[
                "FORGEJO_REPOSITORY",
                "GITEA_REPOSITORY",
                "GITHUB_REPOSITORY",
            ],
        }
    }

    fn server_variables(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["GITHUB_SERVER_URL"],
            Self::GitLab => &["CI_SERVER_URL"],
            Self::Gitea => &[
                "FORGEJO_SERVER_URL",
                "GITEA_SERVER_URL",
                "GITHUB_SERVER_URL",
            ],
        }
    }

    fn api_variables(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["GITHUB_API_URL"],
            Self::GitLab => &["CI_API_V4_URL"],
            Self::Gitea => &["FORGEJO_API_URL", "GITEA_API_URL", "GITHUB_API_URL"],
        }
    }

    /// The API of a server.
    fn api_of(self, server: &str) -> String {
        match self {
            Self::GitHub if server == "https://github.com" => "https://api.github.com".to_owned(),
            Self::GitHub => format!("{server}/api/v3"),
            Self::GitLab => format!("{server}/api/v4"),
            Self::Gitea => format!("{server}/api/v1"),
        }
    }
}

/// Finds the project. `variable` reads a variable of the environment; `remote` is the address of the
/// git remote.
///
/// # Errors
/// When nothing names a project or its server.
pub fn locate<'a>(
    flags: ForgeFlags<'_>,
    variable: &impl Fn(&str) -> Option<&'a str>,
    remote: Option<&str>,
) -> Result<Location, LocateError> {
    let remote = remote.and_then(parse_remote);
    let kind = flags
        .kind
        .or_else(|| kind_of_job(variable))
        .or_else(|| {
            let host = &remote.as_ref()?.host;
            let (_, kind) = PUBLIC.iter().find(|(public, _)| public == host)?;
            Some(*kind)
        })
        .unwrap_or(ForgeKind::GitHub);
    let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
    let trimmed = |url: &str| url.trim_end_matches('/').to_owned();

    // The server.
    let named = flags.server_url.or_else(|| first(kind.server_variables()));
    let public = || {
        let host = remote.as_ref().map(|remote| remote.host.as_str());
        PUBLIC
            .iter()
            .filter(|(_, of)| *of == kind)
            .find(|(public, _)| Some(*public) == host)
            .or_else(|| {
                PUBLIC
                    .iter()
                    .find(|(_, of)| *of == kind && kind != ForgeKind::Gitea)
            })
            .map(|(host, _)| format!("https://{host}"))
    };
    let server_url = match (named, flags.api_url) {
        (Some(url), _) => trimmed(url),
        (None, _) => public().ok_or(LocateError::NoServer)?,
    };
    let api_url = match (flags.api_url, flags.server_url) {
        (Some(url), _) => trimmed(url),
        (None, Some(_)) => kind.api_of(&server_url),
        (None, None) => {
            first(kind.api_variables()).map_or_else(|| kind.api_of(&server_url), trimmed)
        }
    };

    // The project. A remote on another server is another project.
    let of_remote = || {
        let server = Url::parse(&server_url).ok()?;
        let remote = remote.as_ref()?;
        (server.host_str() == Some(&remote.host)).then_some(remote.path.as_str())
    };
    let project = flags
        .project
        .or_else(|| first(kind.project_variables()))
        .or_else(of_remote)
        .ok_or(LocateError::NoProject { kind })?;

    Ok(Location {
        kind,
        project: project.parse()?,
        api_url,
        server_url,
    })
}

/// The forge whose CI runs this job. Gitea and Forgejo set GitHub's variables too.
fn kind_of_job<'a>(variable: &impl Fn(&str) -> Option<&'a str>) -> Option<ForgeKind> {
    let is_set = |name: &str| variable(name) == Some("true");
    if is_set("GITLAB_CI") {
        Some(ForgeKind::GitLab)
    } else if is_set("GITEA_ACTIONS") || is_set("FORGEJO_ACTIONS") {
        Some(ForgeKind::Gitea)
    } else if is_set("GITHUB_ACTIONS") || variable("GITHUB_REPOSITORY").is_some() {
        Some(ForgeKind::GitHub)
    } else {
        None
    }
}

/// The host and the path of a remote.
struct Remote {
    host: String,
    path: String,
}

/// Reads `https://HOST/PATH.git`, `ssh://git@HOST:PORT/PATH.git` and `git@HOST:PATH.git`.
fn parse_remote(text: &str) -> Option<Remote> {
    let text = text.trim();
    let (host, path) = if text.contains("://") {
        let url = Url::parse(text).ok()?;
        if !matches!(url.scheme(), "https" | "http" | "ssh") {
            return None;
        }
        (url.host_str()?.to_owned(), url.path().to_owned())
    } else {
        let (host, path) = text.split_once(':')?;
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        (host.to_owned(), path.to_owned())
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);

    (!host.is_empty() && !path.is_empty()).then(|| Remote {
        host: host.to_ascii_lowercase(),
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(
        flags: ForgeFlags<'_>,
        variables: &[(&str, &'static str)],
        remote: Option<&str>,
    ) -> Result<String, LocateError> {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        locate(flags, &variable, remote).map(|found| {
            format!(
                "{} {} {} {}",
                found.kind.word(),
                found.project,
                found.server_url,
                found.api_url
            )
        })
    }

    #[test]
    fn a_job_names_its_own_forge() {
        let none = ForgeFlags::default();
        assert_eq!(
            find(
                none,
                &[
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_REPOSITORY", "o/r"),
                    ("GITHUB_SERVER_URL", "https://ghe.invalid/"),
                    ("GITHUB_API_URL", "https://ghe.invalid/api/v3"),
                ],
                None
            )
            .unwrap(),
            "github o/r https://ghe.invalid https://ghe.invalid/api/v3"
        );
        assert_eq!(
            find(
                none,
                &[
                    ("GITLAB_CI", "true"),
                    ("CI_PROJECT_PATH", "a/b/c"),
                    ("CI_SERVER_URL", "https://gitlab.invalid"),
                    ("CI_API_V4_URL", "https://gitlab.invalid/api/v4"),
                ],
                Some("https://github.com/o/r")
            )
            .unwrap(),
            "gitlab a/b/c https://gitlab.invalid https://gitlab.invalid/api/v4"
        );
        // Gitea sets GitHub's variables too.
        assert_eq!(
            find(
                none,
                &[
                    ("GITEA_ACTIONS", "true"),
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_REPOSITORY", "o/r"),
                    ("GITHUB_SERVER_URL", "https://git.invalid"),
                ],
                None
            )
            .unwrap(),
            "gitea o/r https://git.invalid https://git.invalid/api/v1"
        );
    }

    #[test]
    fn a_remote_names_the_project_on_a_public_forge() {
        let none = ForgeFlags::default();
        for (remote, found) in [
            (
                "git@gitlab.com:a/b/c.git",
                "gitlab a/b/c https://gitlab.com https://gitlab.com/api/v4",
            ),
            (
                "ssh://git@codeberg.org:22/o/r",
                "gitea o/r https://codeberg.org https://codeberg.org/api/v1",
            ),
            (
                "https://user:secret@github.com/o/r.git",
                "github o/r https://github.com https://api.github.com",
            ),
        ] {
            assert_eq!(find(none, &[], Some(remote)).unwrap(), found);
        }
    }

    #[test]
    fn a_remote_never_chooses_the_server_that_gets_the_token() {
        let none = ForgeFlags::default();
        let evil = Some("https://evil.invalid/o/r");
        assert_eq!(
            find(none, &[], evil),
            Err(LocateError::NoProject {
                kind: ForgeKind::GitHub
            })
        );
        let gitea = ForgeFlags {
            kind: Some(ForgeKind::Gitea),
            ..none
        };
        assert_eq!(find(gitea, &[], evil), Err(LocateError::NoServer));
        let gitlab = ForgeFlags {
            kind: Some(ForgeKind::GitLab),
            project: Some("a/b"),
            ..none
        };
        assert_eq!(
            find(gitlab, &[], evil).unwrap(),
            "gitlab a/b https://gitlab.com https://gitlab.com/api/v4"
        );
        let named = ForgeFlags {
            server_url: Some("https://git.invalid"),
            ..gitea
        };
        assert_eq!(
            find(named, &[], Some("git@git.invalid:o/r.git")).unwrap(),
            "gitea o/r https://git.invalid https://git.invalid/api/v1"
        );
        assert!(find(named, &[], evil).is_err());
    }

    #[test]
    fn flags_come_first() {
        let flags = ForgeFlags {
            kind: Some(ForgeKind::GitLab),
            project: Some("x/y"),
            server_url: Some("https://one.invalid/"),
            api_url: None,
        };
        let job = [
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_PATH", "a/b"),
            ("CI_API_V4_URL", "https://two.invalid/api/v4"),
        ];
        assert_eq!(
            find(flags, &job, None).unwrap(),
            "gitlab x/y https://one.invalid https://one.invalid/api/v4"
        );
    }
}

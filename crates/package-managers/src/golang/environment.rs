//! Settings of Go that say where modules come from (<https://go.dev/ref/mod#environment-variables>).

use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::process;
use crate::scratch::Scratch;
use crate::{RelockError, RunOptions};

/// The settings as `go env` prints them: those of the environment, of the user's file, and of the
/// installed Go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Settings {
    #[serde(rename = "GOPROXY")]
    proxy: String,
    /// Patterns of the modules that no proxy is asked for. Without a value of its own it is
    /// `GOPRIVATE`, which `go env` accounts for.
    #[serde(rename = "GONOPROXY")]
    no_proxy: String,
}

/// The settings of this process. They do not depend on the repository.
static SETTINGS: OnceCell<Settings> = OnceCell::const_new();

/// The settings, which Go is asked for once.
///
/// # Errors
/// When Go is not installed, fails, or prints something else.
pub(super) async fn settings(options: RunOptions) -> Result<&'static Settings, RelockError> {
    SETTINGS.get_or_try_init(|| ask(options)).await
}

async fn ask(options: RunOptions) -> Result<Settings, RelockError> {
    // An empty directory, so that no `go.mod` and no `go.work` has a say.
    let scratch = Scratch::new()?;
    let arguments = ["env", "-json", "GOPROXY", "GONOPROXY"];
    let mut environment = super::ENVIRONMENT.to_vec();
    environment.push(("GOWORK", "off"));
    let output = process::run(
        "go",
        &arguments,
        scratch.path(),
        &environment,
        options.timeout,
    )
    .await?;

    let failed = |reason: String| RelockError::Failed {
        command: process::shown("go", &arguments),
        reason,
    };
    if !output.success {
        return Err(failed(super::explain::reason(&output)));
    }
    serde_json::from_str(&output.stdout).map_err(|error| failed(error.to_string()))
}

impl Settings {
    /// The address of the first proxy in the list, which Go asks first
    /// (<https://go.dev/ref/mod#goproxy-protocol>). Others follow after a comma (asked when it does
    /// not have the module) or a `|` (asked after any error).
    ///
    /// # Errors
    /// When the list begins with `direct` or `off`, or with a directory.
    pub(super) fn proxy(&self) -> Result<String, RelockError> {
        let failed = |reason: String| RelockError::Failed {
            command: "go env GOPROXY".to_owned(),
            reason,
        };
        let first = self
            .proxy
            .split([',', '|'])
            .map(str::trim)
            .find(|entry| !entry.is_empty());
        match first {
            None | Some("off") => Err(failed("it allows no proxy".to_owned())),
            Some("direct" | "noproxy") => Err(failed(
                "modules are fetched from their repositories, which Patchgate does not do"
                    .to_owned(),
            )),
            Some(address) if address.starts_with("https://") || address.starts_with("http://") => {
                Ok(address.to_owned())
            }
            Some(address) if address.contains(":/") || address.starts_with('/') => {
                Err(failed("the proxy is not an address of HTTP".to_owned()))
            }
            // Go adds the scheme.
            Some(host) => Ok(format!("https://{host}")),
        }
    }

    /// Whether a module is not to be asked for at a proxy: its path begins with one of the patterns.
    pub(super) fn is_private(&self, module: &str) -> bool {
        self.no_proxy
            .split(',')
            .filter(|pattern| !pattern.is_empty())
            .any(|pattern| matches_prefix(pattern.trim_end_matches('/'), module))
    }
}

/// Whether a pattern matches the first parts of a path
/// (<https://pkg.go.dev/golang.org/x/mod/module#MatchPrefixPatterns>).
fn matches_prefix(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    pattern
        .split('/')
        .all(|pattern| parts.next().is_some_and(|part| matches(pattern, part)))
}

/// Whether a pattern of `path.Match` matches a part of a path. A class (`[a-z]`) matches any
/// character, so that a private module is never taken for a public one.
fn matches(pattern: &str, part: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => part.is_empty(),
        Some('*') => {
            let after = rest.as_str();
            matches(after, part)
                || part.char_indices().any(|(at, c)| {
                    part.get(at + c.len_utf8()..)
                        .is_some_and(|part| matches(after, part))
                })
        }
        Some(first) => {
            let after = match first {
                '[' => rest.as_str().split_once(']').map_or("", |(_, after)| after),
                '\\' => rest.as_str().get(1..).unwrap_or_default(),
                _ => rest.as_str(),
            };
            let literal = match first {
                '?' | '[' => None,
                '\\' => rest.next(),
                c => Some(c),
            };
            let mut characters = part.chars();
            let is_equal = characters
                .next()
                .is_some_and(|c| literal.is_none_or(|literal| literal == c));
            is_equal && matches(after, characters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(proxy: &str, no_proxy: &str) -> Settings {
        Settings {
            proxy: proxy.to_owned(),
            no_proxy: no_proxy.to_owned(),
        }
    }

    #[test]
    fn the_first_proxy_of_the_list_is_asked() {
        for (list, expected) in [
            ("https://p.invalid,direct", Some("https://p.invalid")),
            (
                "https://p.invalid/go|https://q.invalid",
                Some("https://p.invalid/go"),
            ),
            (" ,http://127.0.0.1:1/go,off", Some("http://127.0.0.1:1/go")),
            ("p.invalid", Some("https://p.invalid")),
            ("direct", None),
            ("off,https://p.invalid", None),
            ("file:///srv/go", None),
            ("", None),
        ] {
            let proxy = settings(list, "").proxy();
            assert_eq!(proxy.ok().as_deref(), expected, "{list}");
        }
    }

    #[test]
    fn patterns_match_the_first_parts_of_a_path() {
        for (patterns, module, private) in [
            ("corp.invalid", "corp.invalid/a/b", true),
            ("corp.invalid", "corp.invalid.evil/a", false),
            ("*.corp.invalid", "git.corp.invalid/a", true),
            ("*.corp.invalid", "corp.invalid/a", false),
            ("a.invalid/b/", "a.invalid/b/c", true),
            ("a.invalid/b", "a.invalid/bc", false),
            ("a.invalid/*/c", "a.invalid/b/c", true),
            ("x.invalid,a.?nvalid", "a.invalid/b", true),
            ("g[ij]t.invalid", "git.invalid/a", true),
            ("a\\*.invalid", "a*.invalid/a", true),
            ("", "a.invalid", false),
        ] {
            assert_eq!(
                settings("", patterns).is_private(module),
                private,
                "{patterns} {module}"
            );
        }
    }
}

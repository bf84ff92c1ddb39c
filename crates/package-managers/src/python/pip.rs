//! The index of pip.
//!
//! pip prints no setting that it was not given, but its help text names the value that an option has
//! without being given: from a variable, from the files of the environment, the user and the machine,
//! or built in (<https://pip.pypa.io/en/stable/topics/configuration/>). uv's help text names the
//! built-in one.

use tokio::sync::OnceCell;

use super::address::is_web;
use crate::process::{self, Output};
use crate::scratch::Scratch;
use crate::{RelockError, RunOptions};

/// The ways to start pip, the usual one first.
const PROGRAMS: [(&str, &[&str]); 3] = [("pip", &[]), ("pip3", &[]), ("python3", &["-m", "pip"])];

/// Variables that name an index, or a file that does.
const VARIABLES: [&str; 2] = ["PIP_CONFIG_FILE", "PIP_INDEX_URL"];

/// Keys of an index in the output of `pip config list`, the one that counts most first.
const KEYS: [&str; 3] = [":env:.index-url", "download.index-url", "global.index-url"];

/// The index of this process. It does not depend on the repository.
static INDEX: OnceCell<String> = OnceCell::const_new();

/// The index of packages that no file names one for. pip is asked for it once.
///
/// # Errors
/// When neither pip nor uv is installed, or they name no web address.
pub(super) async fn index(options: RunOptions) -> Result<String, RelockError> {
    INDEX.get_or_try_init(|| ask(options)).await.cloned()
}

async fn ask(options: RunOptions) -> Result<String, RelockError> {
    for (program, start) in PROGRAMS {
        let Some(help) = run(program, start, &["download", "--help"], options).await? else {
            continue;
        };
        let Some(address) = default_of(&help, "(default ", ')') else {
            continue;
        };
        // pip hides the password of an address.
        let address = match address.contains("****@") {
            false => Some(address),
            true => {
                let list = run(program, start, &["config", "list"], options).await?;
                list.as_deref().and_then(configured)
            }
        };
        return address
            .filter(|address| is_web(address))
            .ok_or_else(|| RelockError::Failed {
                command: "pip config list".to_owned(),
                reason: "its index is not a web address".to_owned(),
            });
    }

    let help = run("uv", &[], &["lock", "--help"], options).await?;
    help.as_deref()
        .and_then(|help| default_of(help, "by default: <", '>'))
        .filter(|address| is_web(address))
        .ok_or(RelockError::NotInstalled { program: "pip" })
}

/// The output of a program. `None` if it is not installed or fails.
async fn run(
    program: &'static str,
    start: &[&str],
    arguments: &[&str],
    options: RunOptions,
) -> Result<Option<String>, RelockError> {
    let scratch = Scratch::new()?;
    let variables: Vec<(&str, String)> = VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .collect();
    let mut environment: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    // The width of the text, so that no address is broken.
    environment.push(("COLUMNS", "4000"));

    let arguments = [start, arguments].concat();
    let output = process::run(
        program,
        &arguments,
        scratch.path(),
        &environment,
        options.timeout,
    )
    .await;
    match output {
        Ok(Output {
            success: true,
            stdout,
            ..
        }) => Ok(Some(stdout)),
        Ok(_) | Err(RelockError::NotInstalled { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The value of `--index-url` in a help text, between two marks. Lines may be broken between words.
fn default_of(help: &str, start: &str, end: char) -> Option<String> {
    let words: Vec<&str> = help.split_whitespace().collect();
    let text = words.join(" ");
    let (_, rest) = text.split_once("--index-url")?;
    let (_, rest) = rest.split_once(start)?;
    let (value, _) = rest.split_once(end)?;
    Some(value.to_owned())
}

/// The index in the output of `pip config list`, whose lines are `key='value'`.
fn configured(list: &str) -> Option<String> {
    KEYS.into_iter().find_map(|key| {
        let mut lines = list.lines();
        lines.find_map(|line| {
            let value = line.strip_prefix(key)?.strip_prefix('=')?;
            Some(value.trim_matches(['\'', '"']).to_owned())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_read_from_help_texts() {
        let pip = "  -i, --index-url <url>   Base URL of the Index\n     (default\n   https://pip.invalid/simple). This\n  --extra-index-url <url>  (default x)\n";
        assert_eq!(
            default_of(pip, "(default ", ')').as_deref(),
            Some("https://pip.invalid/simple")
        );
        let uv = "  -i, --index-url <INDEX_URL>\n  The URL of the index (by\n  default: <https://uv.invalid/simple>) [env: X]\n";
        assert_eq!(
            default_of(uv, "by default: <", '>').as_deref(),
            Some("https://uv.invalid/simple")
        );
        assert_eq!(default_of("usage", "(default ", ')'), None);
    }

    #[test]
    fn an_address_with_a_password_is_read_from_the_settings() {
        let list = "global.cert='/c'\nglobal.index-url='https://u:p@g.invalid/'\n\
                    download.index-url='https://u:p@d.invalid/'\n";
        assert_eq!(configured(list).as_deref(), Some("https://u:p@d.invalid/"));
        assert_eq!(configured("global.cert='/c'\n"), None);
    }

    #[tokio::test]
    async fn a_program_that_is_missing_is_passed_over() {
        let output = run("patchgate-no-such-program", &[], &[], RunOptions::default()).await;
        assert!(matches!(output, Ok(None)));
    }
}

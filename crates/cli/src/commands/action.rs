//! `patchgate action`: runs another command with its flags from a GitHub Action's inputs.
//!
//! `action.yml` hands over all inputs as one JSON object, so that no shell ever sees a value and
//! every input is a flag of the same name. Three inputs are the action's own: how it gets the
//! binary, and the token, which travels in the environment. Two belong to the step before, which
//! brings the store up to date.

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::{ArgAction, CommandFactory as _, FromArgMatches as _};

use crate::context::Context;
use crate::{Cli, Command};
use patchgate_model::UserError;

/// Flags of `patchgate action`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The action's inputs as a JSON object of strings
    #[arg(
        long,
        value_name = "JSON",
        env = "PATCHGATE_INPUTS",
        hide_env_values = true
    )]
    inputs: String,

    /// Update the store in PATCHGATE_STORE from the inputs `ecosystem`, `mirror`, `kev-url` and
    /// `epss-url`, instead of running the command
    #[arg(long)]
    update_store: bool,

    /// Store that the previous step updated; the command takes its advisories from it
    #[arg(long, value_name = "DIR", env = "PATCHGATE_CACHED_STORE")]
    cached_store: Option<String>,
}

/// Inputs that `action.yml` itself uses.
const OWN_INPUTS: [&str; 3] = ["binary-path", "token", "version"];

/// Inputs of the step that updates the store, flags of `db update`.
const STORE_INPUTS: [&str; 2] = ["ecosystem", "mirror"];

/// Inputs that both steps take.
const SHARED_INPUTS: [&str; 2] = ["kev-url", "epss-url"];

/// Flags that need a terminal, which a runner does not have. They are no inputs.
#[cfg(test)]
const TERMINAL_FLAGS: [&str; 1] = ["interactive"];

/// The commands of the action.
const COMMANDS: [&str; 7] = [
    "scan",
    "fix",
    "pr",
    "review",
    "respond",
    "dashboard",
    "gate",
];

/// The command that runs when the inputs name none.
const DEFAULT_COMMAND: &str = "scan";

/// The command that the inputs ask for.
///
/// # Errors
/// When the inputs are no JSON object of strings, or one of them is no flag of the command.
pub(crate) fn command(args: &Args) -> anyhow::Result<Command> {
    let inputs: BTreeMap<String, String> = serde_json::from_str(&args.inputs).map_err(|error| {
        UserError::usage(format!("the action's inputs cannot be read: {error}"))
    })?;
    let arguments = if args.update_store {
        update_arguments(&inputs)?
    } else {
        let mut inputs = inputs;
        if let Some(store) = &args.cached_store {
            if inputs
                .get("store")
                .is_some_and(|own| !own.trim().is_empty())
            {
                return Err(
                    UserError::usage("inputs `store` and `ecosystem` exclude each other")
                        .with_hint("`ecosystem` keeps a store of its own in the runner's cache")
                        .into(),
                );
            }

            inputs.insert("store".to_owned(), store.clone());
        }

        arguments(&inputs)?
    };
    let matches = crate::command_line()
        .try_get_matches_from(&arguments)
        .map_err(|error| {
            UserError::usage(format!(
                "the action's inputs do not fit: {}",
                error.to_string().trim_start_matches("error: ").trim_end()
            ))
        })?;
    let cli = Cli::from_arg_matches(&matches).context("the action's inputs do not fit")?;

    Ok(cli.command)
}

/// The context in which an action's command runs: the same, with the runner's files.
pub(crate) fn on_runner(mut context: Context) -> Context {
    context.runner = crate::runner::Runner::new(
        context.environment.variable("GITHUB_OUTPUT"),
        context.environment.variable("GITHUB_STEP_SUMMARY"),
    );
    context
}

/// The command line of the step that updates the store; where that is, the environment says.
fn update_arguments(inputs: &BTreeMap<String, String>) -> Result<Vec<String>, UserError> {
    let cli = Cli::command();
    let command = cli
        .find_subcommand("db")
        .and_then(|db| db.find_subcommand("update"))
        .ok_or_else(|| UserError::usage("there is no command `db update`"))?;

    let mut arguments = vec!["patchgate".to_owned(), "db".to_owned(), "update".to_owned()];
    for (input, value) in inputs {
        let is_own = STORE_INPUTS.contains(&input.as_str());
        if !value.trim().is_empty() && (is_own || SHARED_INPUTS.contains(&input.as_str())) {
            let flag = flag_of(command, input).ok_or_else(|| no_flag("db update", input))?;
            arguments.extend(flags(input, value, flag)?);
        }
    }

    Ok(arguments)
}

fn arguments(inputs: &BTreeMap<String, String>) -> Result<Vec<String>, UserError> {
    let name = inputs
        .get("command")
        .map(String::as_str)
        .filter(|name| !name.is_empty())
        .unwrap_or(DEFAULT_COMMAND);
    let cli = Cli::command();
    let command = cli
        .find_subcommand(name)
        .filter(|command| COMMANDS.contains(&command.get_name()))
        .ok_or_else(|| {
            UserError::usage(format!("input `command` is `{name}`")).with_hint(
                "it is one of `scan`, `fix`, `pr`, `review`, `respond`, `dashboard` and `gate`",
            )
        })?;

    let mut arguments = vec!["patchgate".to_owned(), name.to_owned()];
    let mut positional = Vec::new();
    for (input, value) in inputs {
        let is_other =
            OWN_INPUTS.contains(&input.as_str()) || STORE_INPUTS.contains(&input.as_str());
        if value.trim().is_empty() || input == "command" || is_other {
            continue;
        }

        let argument = flag_of(command, input).ok_or_else(|| no_flag(name, input))?;
        if argument.is_positional() {
            positional.push(value.clone());
        } else {
            arguments.extend(flags(input, value, argument)?);
        }
    }

    if !positional.is_empty() {
        arguments.push("--".to_owned());
        arguments.extend(positional);
    }

    Ok(arguments)
}

fn flag_of<'a>(command: &'a clap::Command, input: &str) -> Option<&'a clap::Arg> {
    command.get_arguments().find(|argument| {
        argument.get_long() == Some(input)
            || (argument.is_positional() && argument.get_id() == input)
    })
}

fn no_flag(command: &str, input: &str) -> UserError {
    UserError::usage(format!(
        "`patchgate {command}` has no flag for input `{input}`"
    ))
    .with_hint(format!("leave `{input}` out when `command` is `{command}`"))
}

/// An input as arguments of the command line: `true` for a switch, a line for each value of a flag
/// that may be repeated.
fn flags(input: &str, value: &str, argument: &clap::Arg) -> Result<Vec<String>, UserError> {
    match argument.get_action() {
        ArgAction::SetTrue => match value {
            "true" => Ok(vec![format!("--{input}")]),
            "false" => Ok(Vec::new()),
            other => Err(UserError::usage(format!(
                "input `{input}` is `{other}`, not `true` or `false`"
            ))),
        },
        ArgAction::Append => Ok(value
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| format!("--{input}={line}"))
            .collect()),
        _ => Ok(vec![format!("--{input}={value}")]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn inputs_become_flags() {
        let arguments = arguments(&inputs(&[
            ("command", "scan"),
            ("path", "-weird"),
            ("offline", "true"),
            ("exclude", "a/**\nb/**\n"),
            ("format", "json"),
            ("config", ""),
            ("token", "never a flag"),
        ]))
        .unwrap();

        assert_eq!(
            arguments,
            [
                "patchgate",
                "scan",
                "--exclude=a/**",
                "--exclude=b/**",
                "--format=json",
                "--offline",
                "--",
                "-weird"
            ]
        );
    }

    #[test]
    fn an_input_that_the_command_lacks_is_named() {
        let error = arguments(&inputs(&[("command", "scan"), ("merge", "true")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`patchgate scan` has no flag for input `merge`"
        );
    }

    #[test]
    fn only_the_five_commands_run() {
        assert!(arguments(&inputs(&[("command", "db")])).is_err());
        assert!(arguments(&inputs(&[("command", "action")])).is_err());
    }

    #[test]
    fn the_store_is_updated_with_its_own_inputs() {
        let inputs = inputs(&[
            ("command", "gate"),
            ("ecosystem", "npm\ncrates.io\n"),
            ("mirror", "https://mirror.invalid"),
            ("kev-url", "none"),
            ("merge", "true"),
            ("token", "never a flag"),
        ]);

        assert_eq!(
            update_arguments(&inputs).unwrap(),
            [
                "patchgate",
                "db",
                "update",
                "--ecosystem=npm",
                "--ecosystem=crates.io",
                "--kev-url=none",
                "--mirror=https://mirror.invalid",
            ]
        );
    }

    #[test]
    fn a_store_of_ones_own_and_one_in_the_cache_exclude_each_other() {
        let args = |store: &str| Args {
            inputs: format!(r#"{{"store": "{store}", "ecosystem": "npm", "mirror": "m"}}"#),
            update_store: false,
            cached_store: Some("cached".to_owned()),
        };
        let error = command(&args("own")).unwrap_err();

        assert!(error.to_string().contains("exclude each other"), "{error}");

        let Ok(Command::Scan(scan)) = command(&args("")) else {
            panic!("no scan");
        };
        assert!(
            format!("{scan:?}").contains(r#"store: Some("cached")"#),
            "{scan:?}"
        );
    }

    /// Every input of `action.yml` is a flag of a command or one of the action's own, and every
    /// flag of the commands is an input.
    #[test]
    fn action_inputs_are_the_flags() {
        let action = include_str!("../../../../action.yml");
        let mut declared: Vec<&str> = action
            .split_once("\ninputs:\n")
            .and_then(|(_, rest)| rest.split_once("\noutputs:\n"))
            .map(|(inputs, _)| inputs)
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
            .filter(|name| !name.starts_with(' '))
            .collect();
        declared.sort_unstable();
        let cli = Cli::command();
        let mut flags: Vec<String> = COMMANDS
            .iter()
            .flat_map(|name| {
                let command = cli.find_subcommand(name).unwrap();
                command
                    .get_arguments()
                    .map(|argument| {
                        argument
                            .get_long()
                            .map_or_else(|| argument.get_id().to_string(), str::to_owned)
                    })
                    .collect::<Vec<_>>()
            })
            .chain(
                OWN_INPUTS
                    .iter()
                    .chain(&STORE_INPUTS)
                    .map(|name| (*name).to_owned()),
            )
            .chain(["command".to_owned()])
            .filter(|name| name != "help" && !TERMINAL_FLAGS.contains(&name.as_str()))
            .collect();
        flags.sort_unstable();
        flags.dedup();

        assert_eq!(declared, flags);
    }
}

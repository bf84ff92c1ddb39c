//! `patchgate action`: runs another command with its flags from a GitHub Action's inputs.
//!
//! `action.yml` hands over all inputs as one JSON object, so that no shell ever sees a value and
//! every input is a flag of the same name. Three inputs are the action's own: how it gets the
//! binary, and the token, which travels in the environment.

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::{ArgAction, CommandFactory as _, FromArgMatches as _};

use crate::context::Context;
use crate::exit::UsageError;
use crate::{Cli, Command};

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
}

/// Inputs that `action.yml` itself uses.
const OWN_INPUTS: [&str; 3] = ["binary-path", "token", "version"];

/// The command that runs when the inputs name none.
const DEFAULT_COMMAND: &str = "scan";

/// The command that the inputs ask for.
///
/// # Errors
/// When the inputs are no JSON object of strings, or one of them is no flag of the command.
pub(crate) fn command(args: &Args) -> anyhow::Result<Command> {
    let inputs: BTreeMap<String, String> = serde_json::from_str(&args.inputs)
        .map_err(|error| UsageError::new(format!("the action's inputs cannot be read: {error}")))?;
    let arguments = arguments(&inputs)?;
    let matches = crate::command_line()
        .try_get_matches_from(&arguments)
        .map_err(|error| {
            UsageError::new(format!(
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
        context.variable("GITHUB_OUTPUT"),
        context.variable("GITHUB_STEP_SUMMARY"),
    );
    context
}

fn arguments(inputs: &BTreeMap<String, String>) -> Result<Vec<String>, UsageError> {
    let name = inputs
        .get("command")
        .map(String::as_str)
        .filter(|name| !name.is_empty())
        .unwrap_or(DEFAULT_COMMAND);
    let cli = Cli::command();
    let command = cli
        .find_subcommand(name)
        .filter(|command| ["scan", "fix", "pr", "gate"].contains(&command.get_name()))
        .ok_or_else(|| {
            UsageError::new(format!("input `command` is `{name}`"))
                .with_hint("it is one of `scan`, `fix`, `pr` and `gate`")
        })?;
    let mut arguments = vec!["patchgate".to_owned(), name.to_owned()];
    let mut positional = Vec::new();
    for (input, value) in inputs {
        if value.trim().is_empty() || input == "command" || OWN_INPUTS.contains(&input.as_str()) {
            continue;
        }
        let argument = command
            .get_arguments()
            .find(|argument| {
                argument.get_long() == Some(input)
                    || (argument.is_positional() && argument.get_id() == input.as_str())
            })
            .ok_or_else(|| {
                UsageError::new(format!(
                    "`patchgate {name}` has no flag for input `{input}`"
                ))
                .with_hint(format!("leave `{input}` out when `command` is `{name}`"))
            })?;
        if argument.is_positional() {
            positional.push(value.clone());
            continue;
        }
        match argument.get_action() {
            ArgAction::SetTrue => match value.as_str() {
                "true" => arguments.push(format!("--{input}")),
                "false" => {}
                other => {
                    return Err(UsageError::new(format!(
                        "input `{input}` is `{other}`, not `true` or `false`"
                    )));
                }
            },
            ArgAction::Append => arguments.extend(
                value
                    .lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .map(|line| format!("--{input}={line}")),
            ),
            _ => arguments.push(format!("--{input}={value}")),
        }
    }
    if !positional.is_empty() {
        arguments.push("--".to_owned());
        arguments.extend(positional);
    }
    Ok(arguments)
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
    fn only_the_four_commands_run() {
        assert!(arguments(&inputs(&[("command", "db")])).is_err());
        assert!(arguments(&inputs(&[("command", "action")])).is_err());
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
        let mut flags: Vec<String> = ["scan", "fix", "pr", "gate"]
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
            .chain(OWN_INPUTS.iter().map(|name| (*name).to_owned()))
            .chain(["command".to_owned()])
            .filter(|name| name != "help")
            .collect();
        flags.sort_unstable();
        flags.dedup();
        assert_eq!(declared, flags);
    }
}

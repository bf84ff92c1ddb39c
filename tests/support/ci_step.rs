//! A step of a CI file, run exactly as the file has it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use patchgate_syntax::{Node, yaml};

use crate::support::sandbox::{Run, Sandbox, root};

/// `shell: bash` as GitHub's runner starts it.
pub(crate) const BASH: &[&str] = &["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail"];

/// A script, its shell, and the variables of its environment with their expressions.
pub(crate) struct Step {
    pub(crate) script: String,
    /// The shell that runs it, with its arguments.
    pub(crate) shell: &'static [&'static str],
    pub(crate) environment: Vec<(String, String)>,
}

impl Step {
    /// The only step of a file whose script contains this text.
    pub(crate) fn of(file: &str, part: &str) -> Self {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let tree = yaml(&text).unwrap();
        let runs = tree.get("runs").into_iter();
        let jobs = tree.get("jobs").into_iter().flat_map(|jobs| {
            let jobs = jobs.entries().iter();
            jobs.map(|(_, job)| job)
        });
        let steps: Vec<&Node<'_>> = runs
            .chain(jobs)
            .flat_map(|job| job.get("steps").map_or(&[][..], |steps| steps.items()))
            .filter(|step| script(step).is_some_and(|script| script.contains(part)))
            .collect();
        let [step] = steps[..] else {
            panic!("{} steps of {file} contain `{part}`", steps.len());
        };
        let environment = step.get("env").map_or(&[][..], |env| env.entries());

        Self {
            script: script(step).unwrap().to_owned(),
            shell: BASH,
            environment: environment
                .iter()
                .map(|(key, value)| (key.name.to_string(), value.scalar().unwrap().to_owned()))
                .collect(),
        }
    }

    /// Runs the script as a runner does: in `directory` of the sandbox, with these values for its
    /// expressions, and with the sandbox's `programs/` before those of the machine.
    #[track_caller]
    pub(crate) fn run(&self, sandbox: &Sandbox, directory: &str, values: &[(&str, &str)]) -> Run {
        let machine = std::env::var("PATH").unwrap_or_default();
        let programs = format!("{}:{machine}", sandbox.path("programs").display());
        self.run_with_path(&programs, sandbox, directory, values)
    }

    /// Like [`Step::run`], with `programs` as `PATH`.
    #[track_caller]
    pub(crate) fn run_with_path(
        &self,
        programs: &str,
        sandbox: &Sandbox,
        directory: &str,
        values: &[(&str, &str)],
    ) -> Run {
        std::fs::write(sandbox.path("step.sh"), &self.script).unwrap();
        let [shell, arguments @ ..] = self.shell else {
            panic!("no shell");
        };
        let mut command = Command::new(shell);
        command
            .args(arguments)
            .arg(sandbox.path("step.sh"))
            .current_dir(sandbox.path(directory))
            .env_clear()
            .env("PATH", programs)
            .env("HOME", sandbox.path("home"));

        for (name, text) in &self.environment {
            command.env(name, evaluated(text, values));
        }

        let output = command.output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn script<'a>(step: &'a Node<'_>) -> Option<&'a str> {
    step.get("run").and_then(|run| run.text())
}

/// Replaces each expression in a text by its value.
#[track_caller]
fn evaluated(text: &str, values: &[(&str, &str)]) -> String {
    let mut rest = text;
    let mut result = String::new();

    // The brackets of GitHub and those of GitLab.
    let next = |rest: &str| ["${{", "$[["].into_iter().find_map(|open| rest.find(open));
    while let Some(at) = next(rest) {
        let (before, after) = (&rest[..at], &rest[at + 3..]);
        let end = after.find("}}").or_else(|| after.find("]]")).unwrap();
        let (expression, after) = (&after[..end], &after[end + 2..]);
        let value = values.iter().find(|(name, _)| *name == expression.trim());
        let (_, value) = value.unwrap_or_else(|| panic!("no value for `{expression}`"));
        result.push_str(before);
        result.push_str(value);
        rest = after;
    }

    result + rest
}

/// Writes an executable file.
pub(crate) fn program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

//! `patchgate init`: writes the settings file and the workflow.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchgate_config::StartingPolicy;
use patchgate_model::UserError;
use patchgate_scan::SETTINGS_FILE;

use crate::exit::Exit;
use crate::output;

/// Path of the workflow, in the directory where GitHub looks for workflows.
const WORKFLOW: &str = ".github/workflows/patchgate.yml";

/// Tag of the release of this binary, as the release workflow names it.
const RELEASE: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// Flags of `patchgate init`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Repository to set up
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,

    /// Rules of the gate to start with
    #[arg(long, value_enum)]
    policy: Option<Policy>,

    /// Replace files that already exist
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    if !args.path.is_dir() {
        return Err(
            UserError::usage(format!("`{}` is not a directory", args.path.display())).into(),
        );
    }

    let files = [
        (SETTINGS_FILE, settings(args.policy)),
        (WORKFLOW, patchgate_config::workflow_template(RELEASE)),
    ];
    if !args.force
        && let Some((name, _)) = files
            .iter()
            .find(|(name, _)| is_there(&args.path.join(name)))
    {
        return Err(UserError::usage(format!("`{name}` exists already"))
            .with_hint("`--force` replaces it")
            .into());
    }

    for (name, text) in files {
        patchgate_fs::write_inside(&args.path, name, text.as_bytes())
            .with_context(|| format!("failed to write `{name}`"))?;
        output::write(&format!("wrote {name}\n"), None)?;
    }

    output::write(
        &format!(
            "next: set the action's repository and the commit of its release {RELEASE} in the \
             workflow, and the trusted accounts and required checks in the `gate` section\n"
        ),
        None,
    )?;

    Ok(Exit::Clean)
}

/// Rules to start with.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Policy {
    /// Patches alone, after three days, for half of the pull requests
    Cautious,
    /// Patches, and urgent fixes up to a minor step; people review one in five
    Balanced,
    /// Everything up to a minor step, at once
    Fast,
}

fn settings(policy: Option<Policy>) -> String {
    let starting = match policy {
        None => return patchgate_config::config_template().to_owned(),
        Some(Policy::Cautious) => StartingPolicy::Cautious,
        Some(Policy::Balanced) => StartingPolicy::Balanced,
        Some(Policy::Fast) => StartingPolicy::Fast,
    };
    patchgate_config::config_template_with(starting)
}

/// Whether there is anything at a path, a link to nothing included.
fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

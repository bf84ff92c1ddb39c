//! Flags that several commands share.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use patchgate_config::{Config, FixSettings};
use patchgate_fix::{Engine, FixOptions, PlanOptions, TimeLimit, VerifyOptions, parse_duration};
use patchgate_forge::ForgeKind;
use patchgate_inventory::{InputOptions, Inputs, repository_root};
use patchgate_model::{Bump, FileGroup, UserError};
use patchgate_risk::{Condition, ConditionError};
use patchgate_scan::{SourceOptions, VexOptions, load_settings};

/// The repository and its settings.
#[derive(Debug, Clone, Args)]
pub(crate) struct RepositoryArgs {
    /// Directory of the repository, or a single lockfile [default: .]
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,

    /// Settings file [default: .patchgate.yml at the root of PATH's repository, if it exists]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Exclude paths that match this glob, in addition to those of the settings file (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,

    /// Leave out the files of this group, in addition to those of the settings file (repeatable):
    /// test, example, vendored or generated
    #[arg(long, value_name = "GROUP", value_parser = parse_group)]
    pub(crate) skip_group: Vec<FileGroup>,
}

impl RepositoryArgs {
    /// Reads the settings, and opens the repository and the files that are named one by one.
    /// Paths that the settings exclude are left out in addition to those of the flags.
    pub(crate) fn open(&self, named: &InputArgs) -> Result<(Inputs, Config), UserError> {
        let root = repository_root(self.path.as_deref().unwrap_or(Path::new(".")));
        let config = load_settings(self.config.as_deref(), &root)?;

        let inputs = self.inputs(self.path.clone(), named, &config)?;
        Ok((inputs, config))
    }

    /// Opens a repository at `path` with these settings, whichever directory the flags name.
    pub(crate) fn inputs(
        &self,
        path: Option<PathBuf>,
        named: &InputArgs,
        config: &Config,
    ) -> Result<Inputs, UserError> {
        let exclude = self.exclude.iter().chain(&config.exclude).cloned();
        let skip = self.skip_group.iter().chain(&config.skip).copied();
        Inputs::open(&InputOptions {
            path,
            exclude: exclude.collect(),
            skip: skip.collect(),
            lockfiles: named.lockfile.clone(),
            sboms: named.sbom.clone(),
        })
    }
}

/// Files that are named one by one. With them, and without PATH, nothing else is read.
#[derive(Debug, Default, Args)]
pub(crate) struct InputArgs {
    /// Read this file, whatever its name (repeatable), as FORMAT if one is given; `FORMAT:-` reads
    /// standard input. `patchgate formats` lists the formats. Without PATH, nothing else is read
    #[arg(long, value_name = "[FORMAT:]FILE")]
    pub(crate) lockfile: Vec<String>,

    /// Read this SBOM, CycloneDX or SPDX (repeatable); `-` reads standard input. Without PATH, nothing
    /// else is read
    #[arg(long, value_name = "FILE")]
    pub(crate) sbom: Vec<String>,
}

impl InputArgs {
    /// Whether files are named one by one.
    pub(crate) fn is_given(&self) -> bool {
        !self.lockfile.is_empty() || !self.sbom.is_empty()
    }
}

/// The source of advisories.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Advisories")]
pub(crate) struct SourceArgs {
    /// Take advisories from this offline store instead of OSV; `patchgate db update` creates one
    #[arg(long, value_name = "DIR", env = "PATCHGATE_STORE")]
    pub(crate) store: Option<PathBuf>,

    /// Do not use the network; needs a store
    #[arg(long)]
    pub(crate) offline: bool,

    /// Warn when the store's sources are older than this many days [default: 7]
    #[arg(long, value_name = "DAYS")]
    pub(crate) max_age_days: Option<u32>,

    /// Address of the OSV API, or of a mirror with the same API; not used with a store
    #[arg(
        long,
        value_name = "URL",
        env = "PATCHGATE_OSV_URL",
        default_value = patchgate_advisories::PUBLIC_OSV_API
    )]
    pub(crate) osv_url: String,

    /// Address of CISA's catalogue of known exploited vulnerabilities, or `none`; not used with a
    /// store, which has its own
    #[arg(
        long,
        value_name = "URL",
        env = "PATCHGATE_KEV_URL",
        default_value = patchgate_advisories::PUBLIC_KEV
    )]
    pub(crate) kev_url: String,

    /// Address of the EPSS scores, or `none`; not used with a store, which has its own
    #[arg(
        long,
        value_name = "URL",
        env = "PATCHGATE_EPSS_URL",
        default_value = patchgate_advisories::PUBLIC_EPSS
    )]
    pub(crate) epss_url: String,

    /// Estimate severities that no record states with this model instead of the built-in one;
    /// `patchgate train severity` writes one
    #[arg(long, value_name = "FILE", env = "PATCHGATE_SEVERITY_MODEL")]
    pub(crate) severity_model: Option<PathBuf>,
}

impl From<&SourceArgs> for SourceOptions {
    fn from(args: &SourceArgs) -> Self {
        Self {
            store: args.store.clone(),
            offline: args.offline,
            max_age_days: args.max_age_days,
            osv_url: args.osv_url.clone(),
            kev_url: args.kev_url.clone(),
            epss_url: args.epss_url.clone(),
            severity_model: args.severity_model.clone(),
        }
    }
}

/// VEX documents, their products, and vendor advisories.
#[derive(Debug, Args)]
#[command(next_help_heading = "VEX")]
pub(crate) struct VexArgs {
    /// Apply the statements of this VEX document, or of every document in this directory
    /// (repeatable): OpenVEX, CycloneDX or CSAF; an `http` or `https` address is fetched
    #[arg(long, value_name = "SOURCE")]
    pub(crate) vex: Vec<String>,

    /// Name of the scanned product in VEX documents (repeatable), most often a package URL. A
    /// statement about a part of a product counts only for the products named here
    #[arg(long, value_name = "PURL")]
    pub(crate) vex_product: Vec<String>,

    /// Add these vendor advisories to those of OSV (repeatable): a CSAF document, a directory of
    /// them, or a `provider-metadata.json`; an `http` or `https` address is fetched
    #[arg(long, value_name = "SOURCE")]
    pub(crate) csaf: Vec<String>,
}

impl From<&VexArgs> for VexOptions {
    fn from(args: &VexArgs) -> Self {
        Self {
            documents: args.vex.clone(),
            products: args.vex_product.clone(),
            csaf: args.csaf.clone(),
        }
    }
}

/// The threshold that fails a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Threshold")]
pub(crate) struct ThresholdArgs {
    /// Lowest severity that fails the run; an unknown severity counts as high, and a known exploited
    /// vulnerability fails the run whatever its severity is [default: from .patchgate.yml, else low
    /// unless a score is set]
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) severity: Option<SeverityArg>,

    /// Lowest score, 0 to 100, that fails the run; with `--severity`, reaching either is enough, and
    /// 0 sets no score [default: from .patchgate.yml, else none]
    #[arg(long, value_name = "SCORE", value_parser = parse_score)]
    pub(crate) min_score: Option<f64>,

    /// Which findings fail the run (repeatable; any is enough): act-now, out-of-cycle, scheduled, kev,
    /// malicious, fixable, overdue, severity>=LEVEL or score>=N, joined with `and`, `or` and
    /// parentheses; `possible` counts possible findings as well [default: from .patchgate.yml]
    #[arg(long, value_name = "CONDITION", value_parser = parse_fail_on)]
    pub(crate) fail_on: Vec<FailOnArg>,
}

/// What fails a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FailOnArg {
    /// Possible findings count: some versions that a requirement admits are affected.
    Possible,
    /// Findings that meet a condition.
    Condition(Condition),
}

/// A severity as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SeverityArg {
    Low,
    Medium,
    High,
    Critical,
}

/// The destination of the result.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Write the result to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// The forge, and the repository on it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Forge")]
pub(crate) struct ForgeArgs {
    /// Kind of the forge [default: from the variables of the CI job, else from the git remote, else
    /// github]
    #[arg(long, value_enum, value_name = "KIND", env = "PATCHGATE_FORGE")]
    pub(crate) forge: Option<ForgeArg>,

    /// Repository on the forge, as `owner/name` or `group/subgroup/name` [default: from the variables
    /// of the CI job, else from the git remote]
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) repository: Option<String>,

    /// Address of the forge's API [default: from the variables of the CI job, else that of the server]
    #[arg(long, value_name = "URL")]
    pub(crate) api_url: Option<String>,

    /// Address of the forge's server, to which commits are pushed [default: from the variables of the
    /// CI job, else the public server of the forge]
    #[arg(long, value_name = "URL")]
    pub(crate) server_url: Option<String>,
}

/// A kind of forge as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ForgeArg {
    /// github.com, GHE.com, GitHub Enterprise Server
    Github,
    /// gitlab.com, self-managed GitLab
    Gitlab,
    /// Gitea, Forgejo, codeberg.org
    Gitea,
}

impl From<ForgeArg> for ForgeKind {
    fn from(arg: ForgeArg) -> Self {
        match arg {
            ForgeArg::Github => Self::GitHub,
            ForgeArg::Gitlab => Self::GitLab,
            ForgeArg::Gitea => Self::Gitea,
        }
    }
}

fn parse_group(text: &str) -> Result<FileGroup, String> {
    let known = || FileGroup::ALL.map(FileGroup::word).join(", ");
    FileGroup::from_word(text).ok_or_else(|| format!("the groups are {}", known()))
}

fn parse_fail_on(text: &str) -> Result<FailOnArg, ConditionError> {
    match text.trim() {
        "possible" => Ok(FailOnArg::Possible),
        _ => text.parse().map(FailOnArg::Condition),
    }
}

fn parse_score(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(score) if (0.0..=100.0).contains(&score) => Ok(score),
        _ => Err("a score is a number from 0 to 100".to_owned()),
    }
}

/// What a fix may change, how it is written, and how long it may take.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Fix only these findings (repeatable): an id, an alias, the name of a package, or `act-now` for
    /// the findings with that outcome
    #[arg(long, value_name = "ID|PACKAGE|act-now", help_heading = "Plan")]
    only: Vec<String>,

    /// How far a fix may go
    #[arg(
        long,
        value_enum,
        value_name = "STRATEGY",
        default_value = "smallest",
        help_heading = "Plan"
    )]
    strategy: Strategy,

    /// Greatest step of a package's version [default: from .patchgate.yml, else major]
    #[arg(long, value_enum, value_name = "BUMP", help_heading = "Plan")]
    max_bump: Option<MaxBump>,

    /// Most independent steps of the fix, the most urgent ones first [default: all]
    #[arg(long, value_name = "N", help_heading = "Plan")]
    max_steps: Option<NonZeroUsize>,

    /// Never give a package a version that its dependents do not admit, by an override in a manifest
    #[arg(long, help_heading = "Plan")]
    no_overrides: bool,

    /// How lockfiles are written
    #[arg(
        long,
        value_enum,
        value_name = "ENGINE",
        default_value = "auto",
        help_heading = "Plan"
    )]
    engine: EngineName,

    /// Time limit for one run of a package manager, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 300,
        help_heading = "Plan"
    )]
    manager_timeout: u64,

    /// Time limit for the whole run, such as `90s` or `10m`; fixes that are verified by then are
    /// kept, and the rest is reported as not tried
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "10m",
        value_parser = parse_duration,
        help_heading = "Plan"
    )]
    time_limit: Duration,

    /// Gather more evidence about whether the fix will hold: the repository's own history of updates,
    /// release notes, and the names of packages that the sources use. Downloads the releases of
    /// packages that the sources import
    #[arg(long, help_heading = "Plan")]
    evidence: bool,

    #[command(flatten)]
    verify: VerifyArgs,
}

/// The project's own tests as a proof of a plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "Verification")]
pub(crate) struct VerifyArgs {
    /// Run this command, such as `npm ci && npm test`, in a copy of the repository with the plan, and
    /// keep only the steps with which it succeeds. It runs code of the repository and of the new
    /// releases, without tokens in its environment
    #[arg(long, value_name = "CMD")]
    verify: Option<String>,

    /// Pass this environment variable on to the command of `--verify` (repeatable)
    #[arg(long, value_name = "NAME", requires = "verify")]
    verify_env: Vec<String>,

    /// Time limit for one run of the command of `--verify`, such as `90s` or `10m`
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    verify_timeout: Duration,

    /// Most runs of the command of `--verify`; steps that are not tested by then are left
    #[arg(long, value_name = "N", default_value = "20")]
    verify_runs: NonZeroUsize,
}

impl VerifyArgs {
    fn options(&self) -> Option<VerifyOptions> {
        Some(VerifyOptions {
            command: self.verify.clone()?,
            variables: self.verify_env.clone(),
            timeout: self.verify_timeout,
            max_runs: self.verify_runs.get(),
        })
    }
}

/// How far a fix may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Strategy {
    /// The smallest release that fixes a finding; parents move and requirements are raised where needed
    Smallest,
    /// As many findings as possible: in a conflict, the package with the fewest is left, not the
    /// least urgent one
    MostFixed,
    /// The newest release that fixes a finding
    Newest,
    /// Requirements in manifests stay as they are
    InPlace,
    /// Packages without findings stay as they are, but for what a fixed package needs
    DirectOnly,
}

/// Greatest step of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum MaxBump {
    Patch,
    Minor,
    Major,
}

/// How lockfiles are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EngineName {
    /// Directly where that is exact, proved by one run of the package manager; else by the manager
    Auto,
    /// Directly; runs no program
    Direct,
    /// By the package manager
    Native,
}

impl PlanArgs {
    /// The time limit for the whole run.
    pub(crate) fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// The options of the fix; a flag comes before the settings.
    pub(crate) fn options(&self, settings: &FixSettings) -> FixOptions {
        let strategy = self.strategy;

        FixOptions {
            workflows: true,
            manager_timeout: Duration::from_secs(self.manager_timeout),
            time_limit: TimeLimit::from_now(self.time_limit),
            engine: match self.engine {
                EngineName::Auto => Engine::Auto,
                EngineName::Direct => Engine::Direct,
                EngineName::Native => Engine::Native,
            },
            plan: PlanOptions {
                max_bump: match self.max_bump {
                    Some(MaxBump::Patch) => Bump::Patch,
                    Some(MaxBump::Minor) => Bump::Minor,
                    Some(MaxBump::Major) => Bump::Major,
                    None => settings.max_bump.unwrap_or(Bump::Major),
                },
                raises: strategy != Strategy::InPlace,
                moves_parents: strategy != Strategy::DirectOnly,
                overrides: !self.no_overrides && strategy != Strategy::InPlace,
                newest: strategy == Strategy::Newest,
                most_fixed: strategy == Strategy::MostFixed,
            },
            only: self.only.clone(),
            chosen: None,
            max_steps: self.max_steps,
            verify: self.verify.options(),
            evidence: self.evidence,
        }
    }
}

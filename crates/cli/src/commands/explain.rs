//! `patchgate explain`: an advisory, and why a repository's packages are affected by it or not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use patchgate_advisories::{AdvisoryLookup, CommitQuery, commit_queries, lookup_of};
use patchgate_config::Config;
use patchgate_ecosystems::fixable_format;
use patchgate_inventory::{Contents, MavenRepository, Network};
use patchgate_model::{
    Advisory, Explanation, Exposure, Finding, Inventory, Lockfile, PackageRef, Problem, Signals,
    SmolStr, UserError,
};
use patchgate_reachability::Sources;
use patchgate_report::{AskedFeatures, ExplainInput, ExplainReport};
use patchgate_scan::{AdvisorySource, SourceOptions, Vex, VexOptions};

use crate::args::{InputArgs, OutputArgs, RepositoryArgs, SourceArgs, VexArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use crate::progress::Progress;

/// Flags of `patchgate explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Id or alias of the vulnerability, such as `GHSA-…`, `CVE-…` or `RUSTSEC-…`
    id: String,

    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    input: InputArgs,

    /// Explain the decision about this package only: its name. A PATH that does not exist is a name, too
    #[arg(long, value_name = "NAME", conflicts_with = "purl")]
    package: Option<String>,

    /// Explain the advisory for this package instead of a repository: a package URL with a version
    #[arg(long, value_name = "PURL", conflicts_with_all = ["path", "lockfile", "sbom"])]
    purl: Option<String>,

    /// Apply the statements of this VEX document, or of every document in this directory
    /// (repeatable), as `scan` does
    #[arg(long, value_name = "SOURCE", help_heading = "VEX")]
    vex: Vec<String>,

    /// Name of the scanned product in VEX documents (repeatable), most often a package URL
    #[arg(long, value_name = "PURL", help_heading = "VEX")]
    vex_product: Vec<String>,

    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    output: OutputArgs,

    /// Read the sources of the repository and say whether they call an affected symbol or import the
    /// package at all
    #[arg(long, conflicts_with = "purl", help_heading = "Priority")]
    reachability: bool,

    /// Format of the explanation
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a person
    Text,
    /// The decisions as Markdown: a paragraph and tables for each package
    Markdown,
    /// One JSON object; `patchgate schema explain` prints its schema
    Json,
}

impl Args {
    /// The flags that explain a vulnerability in a repository.
    pub(super) fn of(
        id: &str,
        repository: &RepositoryArgs,
        source: &SourceArgs,
        vex: &VexArgs,
    ) -> Self {
        Self {
            id: id.to_owned(),
            repository: repository.clone(),
            input: InputArgs::default(),
            package: None,
            purl: None,
            vex: vex.vex.clone(),
            vex_product: vex.vex_product.clone(),
            source: source.clone(),
            output: OutputArgs::default(),
            reachability: false,
            format: Format::Markdown,
        }
    }
}

pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let (report, exit) = explain(args, context).await?;
    let file = args.output.output.as_deref();
    let text = match args.format {
        Format::Text => report.to_text(context.terminal.for_output(file)),
        Format::Markdown => report.to_markdown(),
        Format::Json => report.to_json(),
    };
    output::write(&text, file)?;

    Ok(exit)
}

/// The explanation, and the exit code of a run that reports it.
pub(super) async fn explain(
    args: &Args,
    context: &Context,
) -> anyhow::Result<(ExplainReport, Exit)> {
    let progress = Progress::start(context.terminal.progress, "reading lockfiles");
    let (repository, package) = subject(args);
    let (inputs, config) = repository.open(&args.input)?;
    let source = AdvisorySource::open(
        &SourceOptions::from(&args.source),
        &config,
        inputs.root(),
        &context.environment,
    )?;
    let contents = match &args.purl {
        Some(purl) => Contents {
            inventory: of_purl(purl)?,
            ..Contents::default()
        },
        None => {
            let network = Network::unless(args.source.offline);
            let mut external = MavenRepository::new(&context.environment, network);
            inputs
                .read(&mut external, |text| progress.say(text.to_owned()))
                .await?
        }
    };
    let inventory = &contents.inventory;

    progress.say("looking up the advisory");
    let mut problems = inventory.problems.clone();
    let records = match source.by_id(&args.id).await {
        Ok(records) => records,
        Err(problem) => {
            problems.push(problem);
            Vec::new()
        }
    };
    if records.is_empty() && problems.is_empty() {
        return Err(unknown(&args.id));
    }

    let records: Vec<Arc<Advisory>> = records.into_iter().map(Arc::new).collect();
    let lookup = known(&records, inventory, &source, &mut problems).await;
    problems.extend(patchgate_inventory::missing(inventory, |one| {
        lookup.has_records(one)
    }));
    let signals = signals(&records, &source, &lookup, &mut problems).await;
    let mut packages = patchgate_advisories::explain(inventory, &lookup);
    let mut findings = findings(inventory, &lookup, &source).await;
    if args.reachability {
        let sources = Sources {
            root: inputs.root(),
            inventory,
            progress: &|text| progress.say(text),
        };
        let mut all: Vec<&mut Finding> = findings.iter_mut().collect();
        patchgate_reachability::assess(&sources, &mut all, config.lower_not_imported);
        for finding in all {
            source.rater().rate(finding);
        }
    }
    if let Some(name) = &package {
        packages.retain(|one| is_named(&one.package, name));
        findings.retain(|one| is_named(&one.package, name));
        if packages.is_empty() && problems.is_empty() {
            return Err(not_named(&args.id, name));
        }
    }

    let documents = Documents {
        config: &config,
        root: inputs.root(),
        context,
    };
    let findings = documents
        .divide(findings, inventory, args, &mut problems)
        .await?;

    drop(progress);
    let records: Vec<Advisory> = records.iter().map(|record| (**record).clone()).collect();
    problems.extend(source.lacks(inventory));
    let malicious = affecting(&records, &packages, &config.malicious_prefixes);
    let exit = exit(inventory, &packages, &problems, !malicious.is_empty());
    let report = ExplainReport::new(&ExplainInput {
        id: &args.id,
        records: &records,
        malicious: &malicious,
        signals: &signals,
        packages: &packages,
        findings: &findings,
        asked: &asked_features(&contents, &packages),
        lockfiles: inventory.lockfiles.len(),
        problems: &problems,
        sources: &lookup.sources,
        exit_code: exit.code(),
        now: context.environment.now(),
    });

    Ok((report, exit))
}

/// The features that the manifests of lockfiles ask of the explained packages.
fn asked_features(contents: &Contents, packages: &[Explanation]) -> Vec<AskedFeatures> {
    let mut asked = Vec::new();
    for lockfile in &contents.inventory.lockfiles {
        let Some((ecosystem, _)) = fixable_format(&lockfile.path) else {
            continue;
        };
        let manifests = lockfile
            .roots
            .iter()
            .filter_map(|root| root.manifest.as_ref());
        for manifest in manifests {
            let of_manifest = ecosystem.asked_features(manifest, &contents.files);
            let explained = of_manifest
                .into_iter()
                .filter(|(name, _)| packages.iter().any(|one| one.package.name == *name));
            asked.extend(explained.map(|(package, features)| AskedFeatures {
                manifest: manifest.clone(),
                package,
                features,
            }));
        }
    }

    asked
}

/// The repository, and the package to explain. Of `explain ID NAME`, the second word is a path only if
/// there is one.
fn subject(args: &Args) -> (RepositoryArgs, Option<String>) {
    let RepositoryArgs { path, .. } = &args.repository;
    let is_name = |path: &&PathBuf| args.package.is_none() && args.purl.is_none() && !path.exists();
    let name = path.as_ref().filter(is_name);
    let repository = RepositoryArgs {
        path: path.clone().filter(|_| name.is_none()),
        ..args.repository.clone()
    };
    let name = name.map(|name| name.display().to_string());

    (repository, args.package.clone().or(name))
}

/// Whether a package has the name, also with its ecosystem before it: `npm:lodash`.
fn is_named(package: &PackageRef, name: &str) -> bool {
    let bare = name
        .split_once(':')
        .filter(|(ecosystem, _)| package.ecosystem.as_str().eq_ignore_ascii_case(ecosystem));
    package.name.eq_ignore_ascii_case(name)
        || bare.is_some_and(|(_, bare)| package.name.eq_ignore_ascii_case(bare))
}

fn not_named(id: &str, name: &str) -> anyhow::Error {
    UserError::usage(format!(
        "`{name}` is neither a path nor a scanned package that `{id}` names"
    ))
    .with_hint("without a name, every package that the advisory names is explained")
    .into()
}

/// The findings of the vulnerability, rated.
async fn findings(
    inventory: &Inventory,
    lookup: &AdvisoryLookup,
    source: &AdvisorySource,
) -> Vec<Finding> {
    let signals = source.signals(lookup).await;
    let found = patchgate_advisories::find(inventory, lookup, signals.source);
    let mut findings = found.findings;
    findings.extend(found.possible);
    for finding in &mut findings {
        source.rater().rate(finding);
    }
    findings
}

/// The settings by which a finding may not count.
struct Documents<'a> {
    config: &'a Config,
    root: &'a Path,
    context: &'a Context,
}

impl Documents<'_> {
    /// Adds to each finding why it does not count, in the order of `scan`: an ignore entry, then a VEX
    /// statement. Those that count come first.
    async fn divide(
        &self,
        findings: Vec<Finding>,
        inventory: &Inventory,
        args: &Args,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<(Finding, Option<String>)>, UserError> {
        // Vendors' records are sources of findings, which are settled here.
        let config = Config {
            csaf: Vec::new(),
            ..self.config.clone()
        };
        let options = VexOptions {
            documents: args.vex.clone(),
            products: args.vex_product.clone(),
            csaf: Vec::new(),
        };
        let environment = &self.context.environment;
        let vex = Vex::open(
            &options,
            args.source.offline,
            &config,
            self.root,
            environment,
        )
        .await?;
        problems.extend(vex.problems().iter().cloned());

        let applied =
            patchgate_config::apply_ignores(findings, &config.ignore, environment.today());
        let judged = vex.apply(applied.kept, inventory);
        let kept = judged.kept.into_iter().map(|finding| (finding, None));
        let ignored = applied.ignored.into_iter().map(|one| {
            let reason = format!("ignored until {}, {}", one.until, one.reason);
            (one.finding, Some(reason))
        });
        let suppressed = judged.suppressed.into_iter().map(|one| {
            let said = one.decision;
            let mut reason = format!("VEX says {}", said.status.word());
            if let Some(justification) = &said.justification {
                reason.push_str(&format!(", {}", justification.word.word()));
            }
            if let Some(impact) = &said.impact {
                reason.push_str(&format!(" ({impact})"));
            }
            reason.push_str(&format!(", in {}:{}", said.source, said.line));
            if !said.author.is_empty() {
                reason.push_str(&format!(", by {}", said.author));
            }
            (one.finding, Some(reason))
        });
        Ok(kept.chain(ignored).chain(suppressed).collect())
    }
}

fn unknown(id: &str) -> anyhow::Error {
    UserError::usage(format!("no record has the id or alias `{id}`"))
        .with_hint("check the id; a store knows only the ecosystems that it was built from")
        .into()
}

fn of_purl(purl: &str) -> Result<Inventory, UserError> {
    let package = patchgate_sbom::package(purl)
        .filter(|package| !package.version.is_empty())
        .ok_or_else(|| {
            UserError::usage(format!(
                "`{purl}` is not a package URL with a version of an ecosystem that is known"
            ))
        })?;

    Ok(Inventory {
        lockfiles: vec![Lockfile {
            path: purl.to_owned(),
            packages: vec![package],
            ..Lockfile::default()
        }],
        ..Inventory::default()
    })
}

/// The records, by the packages and repositories that they name, and by the commits of the
/// inventory that the source says they affect.
async fn known(
    records: &[Arc<Advisory>],
    inventory: &Inventory,
    source: &AdvisorySource,
    problems: &mut Vec<Problem>,
) -> AdvisoryLookup {
    let mut lookup = lookup_of(records);
    let commits: Vec<CommitQuery> = commit_queries(inventory);
    let answered = source.lookup_commits(&commits).await;
    problems.extend(answered.problems);

    // A store lists all of its sources. Only those that can have the records matter here.
    lookup.sources = answered.sources;
    lookup.sources.retain(|source| {
        let ecosystem = source.name.strip_prefix("osv:");
        ecosystem.is_none_or(|ecosystem| {
            let mut named = records.iter().flat_map(|record| &record.affected);
            named.any(|entry| entry.ecosystem == ecosystem)
        })
    });
    for (commit, found) in answered.commits {
        let is_meant = |one: &Arc<Advisory>| records.iter().any(|record| record.id == one.id);
        let found: Vec<Arc<Advisory>> = found.into_iter().filter(is_meant).collect();
        if !found.is_empty() {
            lookup.commits.insert(commit, found);
        }
    }

    lookup
}

async fn signals(
    records: &[Arc<Advisory>],
    source: &AdvisorySource,
    lookup: &AdvisoryLookup,
    problems: &mut Vec<Problem>,
) -> Signals {
    let ids: Vec<&str> = records
        .iter()
        .flat_map(|record| std::iter::once(&record.id).chain(&record.aliases))
        .map(SmolStr::as_str)
        .collect();
    let feeds = source.signals(lookup).await;
    feeds.source.signals(&ids, problems)
}

/// The package URLs of the packages that a record of malicious releases affects.
fn affecting(records: &[Advisory], packages: &[Explanation], prefixes: &[String]) -> Vec<String> {
    let is_malicious = |one: &&Explanation| {
        let own = records
            .iter()
            .filter(|record| one.affected_by.iter().any(|id| *id == record.id));
        patchgate_advisories::is_malicious(&own.collect::<Vec<_>>(), prefixes)
    };
    let malicious = packages.iter().filter(is_malicious);
    malicious.map(|one| one.package.purl.clone()).collect()
}

/// How the run ends: as a scan does that knows of this vulnerability alone.
fn exit(
    inventory: &Inventory,
    packages: &[Explanation],
    problems: &[Problem],
    malicious: bool,
) -> Exit {
    let is_unknown = |one: &Explanation| matches!(one.exposure, Exposure::Unknown(_));
    if malicious {
        Exit::Malicious
    } else if !problems.is_empty() || packages.iter().any(is_unknown) {
        Exit::Incomplete
    } else if packages
        .iter()
        .any(|one| one.exposure == Exposure::Affected)
    {
        Exit::Findings
    } else if inventory.lockfiles.is_empty() && inventory.unlocked.is_empty() {
        Exit::NothingToScan
    } else {
        Exit::Clean
    }
}

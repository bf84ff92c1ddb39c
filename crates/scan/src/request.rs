//! One scan, from its inputs to its result.

use patchgate_advisories::AdvisoryLookup;
use patchgate_config::{Config, Ignore};
use patchgate_http::Environment;
use patchgate_inventory::{Contents, Inputs, MavenRepository, Network};
use patchgate_model::{Problem, SourceStatus, UserError};
use patchgate_reachability::Sources;
use patchgate_risk::Threshold;

use crate::evaluate::evaluate_lookup;
use crate::source::{AdvisorySource, SourceOptions};
use crate::triage::{Suppressions, TriagedFindings, triage};
use crate::vex::{Vex, VexOptions};

/// Request for one scan.
pub struct ScanRequest<'a> {
    /// The repository, or the files that are named one by one.
    pub inputs: &'a Inputs,
    /// The settings of the repository.
    pub config: &'a Config,
    /// The source of advisories.
    pub source: &'a SourceOptions,
    /// The VEX documents and vendor advisories.
    pub vex: &'a VexOptions,
    /// Whether the sources of the repository are read for the reachability of the findings.
    pub reachability: bool,
    /// The threshold, which decides whether a missing feed makes the scan incomplete.
    pub threshold: Threshold,
    /// Whether [`ScanResult::contents`] keeps the bytes of the files, which only a fix needs. Freed
    /// early, their memory serves the lookup.
    pub keep_files: bool,
    /// Called with a short text before each step of long work.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Result of one scan.
#[derive(Debug)]
pub struct ScanResult {
    /// The inventory, and the bytes of the files that it was read from.
    pub contents: Contents,
    /// The findings, after ignore entries and VEX statements.
    pub findings: TriagedFindings,
    /// The reasons why the answer is incomplete. Empty means that everything was read, looked up
    /// and judged.
    pub incomplete: Vec<Problem>,
    /// The sources, with their age.
    pub sources: Vec<SourceStatus>,
    /// The source, for lookups of the packages that a fix brings.
    pub source: AdvisorySource,
    ignore: Vec<Ignore>,
    vex: Vex,
    today: jiff::civil::Date,
    /// The answers that the findings refer to. Kept because dropping the records of ten thousand
    /// packages takes time, which a process that is about to exit can save.
    _lookup: AdvisoryLookup,
}

/// Reads the inputs, looks every package up and rates the findings.
///
/// ```no_run
/// use patchgate_http::Environment;
/// use patchgate_inventory::{InputOptions, Inputs};
/// use patchgate_scan::{ScanRequest, SourceOptions, VexOptions, load_settings, scan};
///
/// # async fn example() -> Result<(), patchgate_model::UserError> {
/// let inputs = Inputs::open(&InputOptions::default())?;
/// let config = load_settings(None, inputs.root())?;
/// let source = SourceOptions {
///     store: Some("store".into()),
///     offline: true,
///     ..SourceOptions::default()
/// };
/// let request = ScanRequest {
///     inputs: &inputs,
///     config: &config,
///     source: &source,
///     vex: &VexOptions::default(),
///     reachability: false,
///     threshold: config.thresholds.clone(),
///     keep_files: false,
///     progress: &|step| eprintln!("{step}"),
/// };
///
/// let result = scan(&request, &Environment::of_process()).await?;
/// for finding in &result.findings.kept {
///     println!("{}: {}", finding.id, finding.package.purl);
/// }
/// for problem in &result.incomplete {
///     println!("{} {}", problem.subject, problem.reason);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the request itself is wrong (a store that cannot be opened, a document that does not exist,
/// an address although the run is offline), or standard input cannot be read. A file or a source
/// that fails is no error but one of [`ScanResult::incomplete`].
pub async fn scan(
    request: &ScanRequest<'_>,
    environment: &Environment,
) -> Result<ScanResult, UserError> {
    let offline = request.source.offline;
    let root = request.inputs.root();
    let mut source = AdvisorySource::open(request.source, request.config, root, environment)?;
    let mut vex = Vex::open(request.vex, offline, request.config, root, environment).await?;
    source.add_vendors(vex.take_vendors());

    (request.progress)("reading lockfiles");
    let mut external = MavenRepository::new(environment, Network::unless(offline));
    let mut contents = request
        .inputs
        .read(&mut external, |text| (request.progress)(text))
        .await?;
    if !request.keep_files {
        contents.files.clear();
    }
    let inventory = &contents.inventory;

    (request.progress)("looking up advisories");
    let lookup = source.lookup_inventory(inventory).await;
    let mut evaluation = evaluate_lookup(inventory, &lookup, &source).await;
    vex.report_documents(&mut evaluation);
    if request.reachability {
        let sources = Sources {
            root,
            inventory,
            progress: request.progress,
        };
        evaluation.assess_reachability(&sources, &source, request.config.lower_not_imported);
    }

    let incomplete = evaluation.incomplete_reasons(&request.threshold);
    let today = environment.today();
    let findings = triage(
        evaluation.findings,
        evaluation.possible,
        request.config,
        &vex,
        inventory,
        today,
    );

    Ok(ScanResult {
        findings,
        incomplete,
        sources: evaluation.sources,
        source,
        ignore: request.config.ignore.clone(),
        vex,
        today,
        _lookup: lookup,
        contents,
    })
}

impl ScanResult {
    /// The rules about which findings need no fix.
    pub fn suppressions(&self) -> Suppressions<'_> {
        Suppressions {
            ignore: &self.ignore,
            vex: &self.vex,
            copies: self.vex.copies(&self.contents.inventory),
            today: self.today,
        }
    }
}

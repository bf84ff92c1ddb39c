//! The reports of one scan, each as a text.

use std::path::Path;

use jiff::Timestamp;
use patchgate_config::Config;
use patchgate_model::UserError;
use patchgate_report::{Detail, GitLabOptions, HtmlOptions, ScanReport};
use patchgate_sbom::{
    CycloneDxVersion, FindingsFormat, SnapshotOptions, Vulnerability, WriteOptions, is_commit,
    is_ref,
};
use patchgate_scan::vex::VexExport;
use patchgate_scan::{ScanResult, VexOptions};

use super::format::Format;
use crate::context::Context;
use crate::report_files::Destination;

/// One run, from which every report is made.
pub(super) struct Scan<'a> {
    pub(super) result: &'a ScanResult,
    pub(super) report: &'a ScanReport,
    pub(super) vex_options: &'a VexOptions,
    pub(super) config: &'a Config,
    /// Directory of the repository.
    pub(super) root: &'a Path,
    /// When the scan began.
    pub(super) start: Timestamp,
    /// Whether the table lists everything.
    pub(super) all: bool,
    /// Version of CycloneDX: `1.5`, `1.6` or `1.7`.
    pub(super) cyclonedx_version: &'a str,
    pub(super) context: &'a Context,
}

impl Scan<'_> {
    /// The report in one format.
    pub(super) fn rendered(&self, destination: &Destination<'_, Format>) -> anyhow::Result<String> {
        let (report, now) = (self.report, self.context.environment.now());
        let terminal = || self.context.terminal.for_output(destination.file);
        let detail = match self.all {
            true => Detail::All,
            false => Detail::Brief,
        };

        Ok(match destination.format {
            Format::Table => report.to_table(terminal(), detail),
            Format::Json => report.to_json(),
            Format::Markdown => report.to_markdown(usize::MAX),
            Format::Sarif => report.to_sarif(),
            Format::Html => report.to_html(&HtmlOptions {
                name: &self.name(),
                time: now,
            }),
            Format::Csv => report.to_csv(),
            Format::Junit => report.to_junit(),
            Format::GitlabDependencyScanning => {
                report.to_gitlab_dependency_scanning(&GitLabOptions {
                    lockfiles: &self.result.contents.inventory.lockfiles,
                    start: self.start,
                    end: now,
                })
            }
            Format::GitlabCodeQuality => report.to_code_quality(),
            Format::GithubSnapshot => self.snapshot()?,
            Format::Cyclonedx => {
                let version = cyclonedx_version(self.cyclonedx_version);
                self.inventory(FindingsFormat::CycloneDx(version))
            }
            Format::Spdx => self.inventory(FindingsFormat::Spdx),
            Format::Openvex => self.vex(openvex),
            Format::CyclonedxVex => self.vex(|export| export.cyclonedx())?,
        })
    }

    /// The name of the repository: that of its directory.
    fn name(&self) -> String {
        let root = self.root.canonicalize().unwrap_or_default();
        let name = root.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// A VEX document about the findings.
    fn vex<T>(&self, write: impl Fn(&VexExport<'_>) -> T) -> T {
        let products = patchgate_scan::vex::products(self.vex_options, self.config);
        write(&VexExport {
            findings: &self.result.findings,
            inventory: &self.result.contents.inventory,
            products: &products,
            author: self.config.vex.author.as_deref(),
            now: self.context.environment.now(),
        })
    }

    /// The packages with their vulnerabilities. Possible findings have no analysis.
    fn inventory(&self, format: FindingsFormat) -> String {
        let name = self.name();
        let options = WriteOptions {
            name: &name,
            tool_version: env!("CARGO_PKG_VERSION"),
            timestamp: self.context.environment.now(),
            locations: true,
        };

        // A document of a scan that is incomplete for any reason says so.
        let mut inventory = self.result.contents.inventory.clone();
        inventory.problems.clone_from(&self.result.incomplete);
        self.vex(|export| {
            let assessed = export.analyses().into_iter();
            let assessed = assessed.map(|(finding, analysis)| Vulnerability {
                finding,
                analysis: Some(analysis),
            });
            let possible = self.result.findings.possible.iter();
            let possible = possible.map(|finding| Vulnerability {
                finding,
                analysis: None,
            });
            let found: Vec<Vulnerability<'_>> = assessed.chain(possible).collect();

            patchgate_sbom::write_with_findings(&inventory, &found, &options, format)
        })
    }

    /// The packages as a snapshot of the commit that the environment names.
    fn snapshot(&self) -> Result<String, UserError> {
        let variable = |name: &str| self.context.environment.variable(name).unwrap_or_default();
        let missing = |name: &str, expected: &str| {
            let message = format!("the format `github-snapshot` needs `{name}`: {expected}");
            UserError::usage(message).with_hint(
                "GitHub Actions sets it; elsewhere set `GITHUB_SHA` and `GITHUB_REF` for the run",
            )
        };
        let (commit, git_ref) = (variable("GITHUB_SHA"), variable("GITHUB_REF"));
        if !is_commit(commit) {
            return Err(missing("GITHUB_SHA", "the full id of the scanned commit"));
        }
        if !is_ref(git_ref) {
            return Err(missing("GITHUB_REF", "its ref, such as `refs/heads/main`"));
        }

        let or = |name: &str, other: &str| match variable(name) {
            "" => other.to_owned(),
            text => text.to_owned(),
        };
        let names = ["GITHUB_WORKFLOW", "GITHUB_JOB"].map(variable);
        let names = names.into_iter().filter(|name| !name.is_empty());
        let correlator = match names.collect::<Vec<_>>().join("_") {
            name if name.is_empty() => "patchgate".to_owned(),
            name => name,
        };
        let server = or("GITHUB_SERVER_URL", "https://github.com");
        let repository = or("GITHUB_ACTION_REPOSITORY", variable("GITHUB_REPOSITORY"));

        let mut inventory = self.result.contents.inventory.clone();
        inventory.problems.clone_from(&self.result.incomplete);
        Ok(patchgate_sbom::github_snapshot(
            &inventory,
            &SnapshotOptions {
                commit,
                git_ref,
                job: &or("GITHUB_RUN_ID", "local"),
                correlator: &correlator,
                detector_url: format!("{server}/{repository}").trim_end_matches('/'),
                tool_version: env!("CARGO_PKG_VERSION"),
                timestamp: self.context.environment.now(),
            },
        ))
    }
}

/// A version of CycloneDX by its number, which the command line has checked.
pub(crate) fn cyclonedx_version(number: &str) -> CycloneDxVersion {
    match number {
        "1.5" => CycloneDxVersion::V1_5,
        "1.7" => CycloneDxVersion::V1_7,
        _ => CycloneDxVersion::V1_6,
    }
}

fn openvex(export: &VexExport<'_>) -> String {
    if export.is_empty() {
        anstream::eprintln!(
            "note: there are no findings, so the document has no statements; OpenVEX does not allow \
             for a document without statements"
        );
    }

    export.openvex()
}

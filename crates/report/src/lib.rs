//! Reports of scans, fixes, pull requests and the gate: text, Markdown and JSON for each, and for a
//! scan also SARIF, HTML, CSV, JUnit and the reports of GitLab.
//!
//! Each output is rendered from one of the report values ([`ScanReport`], [`FixReport`],
//! [`PrReport`], [`GateReport`], [`ReviewReport`], [`InventoryReport`], [`ExplainReport`]). Their fields are the
//! names that scripts depend on; their JSON Schemas are in `schemas/`.
//!
//! All text from repositories, advisories and forges is hostile. It is escaped where it is printed:
//! `clean` does so for terminals, `markdown` for Markdown and `annotation` for workflow commands.
//!
//! Deliberately absent: files and the clock. Ages are relative to a time that the caller passes in.

mod age;
mod annotation;
mod baseline;
mod clean;
mod dashboard;
mod diff;
mod explain;
mod fix;
mod gate;
mod grid;
mod inventory;
mod markdown;
mod pr;
mod pull_request;
mod review;
mod scan;
mod schema;
mod terminal;

pub use age::age;
pub use annotation::{AnnotationLevel, annotation};
pub use baseline::{Baseline, BaselineError, BaselineReport, GoneReport};
pub use clean::clean;
pub use dashboard::{
    DashboardPull, Runbook, dashboard, is_urgent_unfixable, urgent_body, urgent_key, urgent_title,
};
pub use diff::{FileSummary, PatchError, file_summary, patch, unified_diff};
pub use explain::{
    AffectedReport, AskedFeatures, DecidedReport, EvidenceReport, ExplainInput, ExplainReport,
    ExplainedReport, RangeReport, RecordReport, StatedSeverity,
};
pub use fix::{
    ApiUseReport, BeforeAfterReport, EntryChangeName, EntryCounts, EntryReport, FixInput,
    FixReport, FixSummary, FixedReport, HistoryReport, NotesReport, PriorReport, RemainingCounts,
    SignalsReport, StepReport, SymbolUseReport, UnfixedClassName, UnfixedReport,
    UnverifiedStepReport, UpdateRecordReport, UpgradeEvidenceReport, UpgradeReport,
    VerificationReport, shown_diff,
};
pub use gate::{GateReport, ReasonReport, VerdictName};
pub use grid::Grid;
pub use inventory::{
    InventoryInput, InventoryPackage, InventoryReport, InventoryRoot, InventorySummary,
    OriginReport, UnresolvedReport, WhyChain, WhyReport,
};
pub use markdown::{code as markdown_code, short as markdown_text};
pub use pr::{PrAction, PrInput, PrReport, PullRequestLink, PullRequestReport, WaitingReport};
pub use pull_request::{
    BodyTemplate, PullRequestInput, TemplateError, pull_request_body, pull_request_title,
};
pub use review::{
    LineNote, PostedError, ReviewFinding, ReviewInput, ReviewPackage, ReviewReport, ReviewVerdict,
};
pub use scan::{
    CvssReport, DeadlineReport, DecisionReport, DecisionStepReport, Detail, EnvironmentalReport,
    EstimateReport, FindingReport, GitLabOptions, GroupSummary, HtmlOptions, IgnoredReport,
    IncompleteReport, KevReport, LocationReport, LockfileReport, MissingEvidenceReport,
    NotCoveredReport, NoticeReport, OutcomeCounts, OutcomeName, PackageReport, ProfileReport,
    ReachabilityName, ReachabilityReport, ReferenceReport, RequirementReport, RunEnd, ScanInput,
    ScanReport, ScoreReasonReport, SeverityCounts, SeverityName, SkippedReport, SourcePlaceReport,
    SourceReport, Summary, SuppressedReport, ThresholdReport, Tool, VexNoticeReport,
    WeaknessGuessReport, WeaknessReport,
};
pub use schema::{SchemaKind, schema};
pub use terminal::Terminal;

/// Version of the JSON reports' format. It rises when a field changes its meaning or is removed.
pub const SCHEMA_VERSION: u32 = 1;

/// Most characters of a body, comment or check summary on GitHub.
pub const GITHUB_BODY_LIMIT: usize = 65_536;

/// Most bytes of a job summary on GitHub.
pub const GITHUB_SUMMARY_LIMIT: usize = 1024 * 1024;

/// A report as JSON, indented, with a line break at the end.
fn to_json<T: serde::Serialize>(report: &T) -> String {
    // Serialisation fails only for maps whose keys are not strings, and no report has one.
    let mut json = serde_json::to_string_pretty(report).unwrap_or_default();
    json.push('\n');
    json
}

//! Plain values that all crates of Patchgate share.
//!
//! Data flows one way: files become an [`Inventory`], the inventory and the advisories become
//! [`Finding`]s, findings become a [`Plan`], and a pull request with a plan gets a [`Judgement`].
//!
//! Deliberately absent: files, the clock, the network, the environment, and any other Patchgate
//! crate. The JSON for scripts is defined in `patchgate-report`, so that a field can be renamed
//! here without breaking a script.

mod address;
mod advisory;
mod commit_id;
mod decision;
mod evidence;
mod explanation;
mod file_group;
mod finding;
mod gate_policy;
mod inventory;
mod judgement;
mod justification;
mod names;
mod package_version;
mod plan;
mod plan_block;
mod plan_digest;
mod problem;
mod purl;
mod reachability;
mod safeguards;
mod upgrade_evidence;
mod user_error;
mod verification;

pub use address::without_credentials;
pub use advisory::{
    Advisory, Affected, Event, EventKind, Range, RangeKind, Reference, ReportedSeverity,
};
pub use commit_id::CommitId;
pub use decision::{
    AppliedProfile, BaselineChange, Basis, ClockStart, Deadline, Decision, DecisionStep,
    EnvironmentalScore, MissingEvidence, Outcome, SeverityEstimate, WeaknessEstimate,
    WeaknessGuess,
};
pub use evidence::{
    Account, BranchCheck, BranchEnd, ChangedFile, CheckOutcome, CheckRun, CommitEvidence,
    CommitStatus, Evidence, Fetched, FileContents, FileStatus, FindingComparison, FindingKey,
    Missing, OwnJob, PullRequest, PullRequestState,
};
pub use explanation::{Explanation, Exposure, RecordEvidence};
pub use file_group::FileGroup;
pub use finding::{
    Epss, Extent, Finding, FixedVersion, Kev, KevStatus, Level, Location, PackageRef,
    RequirementMatch, Score, ScoreReason, Severity, Signals, SourceStatus,
};
pub use gate_policy::{
    CheckSource, Freeze, FreezePeriod, GatePolicy, MergeMethod, PlanProof, PolicyRule,
    RequiredCheck, RequiredChecks, Stage, StageRule, TrustedAccount, WorkflowPin,
};
pub use inventory::{
    DependencyKind, Edge, Inventory, Lockfile, Loss, MissingFile, Origin, Package, PackageIndex,
    Root, Scope, SkippedEntry, UnlockedManifest, Unresolved,
};
pub use judgement::{GateReason, Judgement, Verdict};
pub use justification::Justification;
pub use names::{EcosystemName, FormatId};
pub use package_version::PackageVersion;
pub use plan::{
    Bump, EntryChange, EntryChangeKind, FileChange, FixedFinding, Plan, Step, Unfixed,
    UnfixedClass, Upgrade, content_digest,
};
pub use plan_block::{DATED_MARK, PlanBlock, PlanBlockError};
pub use plan_digest::PlanDigest;
pub use problem::{Problem, ProblemKind};
pub use purl::{Purl, generic_package_url, package_url};
pub use reachability::{Reachability, ReachabilityEvidence, SourcePlace};
pub use safeguards::{Approval, RegistryEntry, RegistryObjection, Safeguards, WorkflowJob};
/// A string type for very many short texts: up to 23 bytes are stored without an allocation.
pub use smol_str::SmolStr;
pub use upgrade_evidence::{
    ApiUse, BeforeAfter, ReleaseNotes, ReleaseSignals, Share, SymbolChange, SymbolUse,
    UpdateHistory, UpdatePrior, UpdateRecord, UpgradeEvidence,
};
pub use user_error::{UserError, error_chain};
pub use verification::{FailureClass, UnverifiedStep, Verification};

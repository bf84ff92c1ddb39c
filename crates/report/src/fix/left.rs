//! Findings that remain, by the kind of their reason, with what to do meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Plan, UnfixedClass};
use schemars::JsonSchema;
use serde::Serialize;

use crate::clean::clean;
use crate::markdown::{Body, code, text};
use crate::scan::count;
use crate::terminal::{BOLD, DIM, Span, Terminal, YELLOW};

/// Most files that are named for one reason.
const MAX_FILES: usize = 6;

/// The findings of a package version that remain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnfixedReport {
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Path of the lockfile.
    pub lockfile: String,
    /// Name of the package.
    pub package: String,
    /// Version that remains installed.
    pub version: String,
    /// Ids of the findings that remain.
    pub ids: Vec<String>,
    /// Why they cannot be fixed.
    pub reason: String,
    /// The kind of the reason.
    pub class: UnfixedClassName,
    /// The smallest version that fixes all of them according to the records; `null` if one of them
    /// has no such version.
    pub fixed_version: Option<String>,
    /// Whether the change brings them: no version of the package in the lockfile had them before.
    pub is_new: bool,
    /// What to do until they can be fixed.
    pub meanwhile: String,
}

/// The kind of the reason why a finding remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum UnfixedClassName {
    /// A step would fix it, and the step was not taken.
    NotChosen,
    /// A release fixes it, but the dependents, the flags or the package manager do not admit it.
    Blocked,
    /// It was not tried: the time was used up, or a program or a server failed.
    NotTried,
    /// `fix` does not change files of this format.
    UnsupportedFormat,
    /// No release is known to fix it.
    NoRelease,
}

impl From<UnfixedClass> for UnfixedClassName {
    fn from(class: UnfixedClass) -> Self {
        match class {
            UnfixedClass::Blocked => Self::Blocked,
            UnfixedClass::NoRelease => Self::NoRelease,
            UnfixedClass::Format => Self::UnsupportedFormat,
            UnfixedClass::NotTried => Self::NotTried,
            UnfixedClass::NotChosen => Self::NotChosen,
        }
    }
}

impl UnfixedClassName {
    fn title(self) -> &'static str {
        match self {
            Self::NotChosen => "In a step that was not taken",
            Self::Blocked => "A release fixes it, but it cannot be used",
            Self::NotTried => "Not tried",
            Self::UnsupportedFormat => "In files that `fix` does not change",
            Self::NoRelease => "No release fixes it",
        }
    }

    fn meanwhile(self) -> &'static str {
        match self {
            Self::NotChosen => "run `patchgate fix` again to take the step",
            Self::Blocked => {
                "upgrade the package that holds it back; `patchgate inventory --why NAME` shows \
                 what needs it"
            }
            Self::NotTried => "solve the cause, then run `patchgate fix` again",
            Self::UnsupportedFormat => {
                "upgrade it with its own package manager; `patchgate scan` names the version that \
                 fixes it"
            }
            Self::NoRelease => {
                "replace or remove the package, or accept the finding for a limited time under \
                 `ignore` in `.patchgate.yml`"
            }
        }
    }

    /// Whether packages of this kind have one reason in common, which is given once.
    fn is_by_reason(self) -> bool {
        !matches!(self, Self::Blocked | Self::NoRelease)
    }
}

/// The remaining findings of a plan.
pub(crate) fn unfixed(plan: &Plan) -> Vec<UnfixedReport> {
    plan.unfixed
        .iter()
        .map(|unfixed| {
            let class = UnfixedClassName::from(unfixed.class);
            UnfixedReport {
                ecosystem: unfixed.ecosystem.to_string(),
                lockfile: unfixed.lockfile.clone(),
                package: unfixed.package.clone(),
                version: unfixed.version.clone(),
                ids: unfixed.ids.clone(),
                reason: unfixed.reason.clone(),
                class,
                fixed_version: unfixed.fixed_version.clone(),
                is_new: unfixed.is_new,
                meanwhile: class.meanwhile().to_owned(),
            }
        })
        .collect()
}

/// Findings with one kind of reason.
struct Class<'a> {
    name: UnfixedClassName,
    left: Vec<&'a UnfixedReport>,
}

/// The findings that remain, by class; those that the change brings are apart.
fn classes(unfixed: &[UnfixedReport]) -> Vec<Class<'_>> {
    let mut classes: BTreeMap<UnfixedClassName, Vec<&UnfixedReport>> = BTreeMap::new();
    for one in unfixed.iter().filter(|one| !one.is_new) {
        classes.entry(one.class).or_default().push(one);
    }
    let class = |(name, left)| Class { name, left };
    classes.into_iter().map(class).collect()
}

impl Class<'_> {
    /// The title with the number of findings.
    fn title(&self) -> String {
        format!("{} ({})", self.name.title(), findings(&self.left))
    }

    /// The reasons, each with the files, packages and findings that it is about.
    fn reasons(&self) -> Vec<(String, String)> {
        let mut reasons: BTreeMap<&str, Vec<&UnfixedReport>> = BTreeMap::new();
        for one in &self.left {
            reasons.entry(&one.reason).or_default().push(one);
        }
        reasons
            .into_iter()
            .map(|(reason, left)| {
                let files: BTreeSet<&str> = left.iter().map(|one| one.lockfile.as_str()).collect();
                let mut named: Vec<&str> = files.iter().copied().take(MAX_FILES).collect();
                let more = format!("{} more", files.len() - named.len());
                if named.len() < files.len() {
                    named.push(&more);
                }
                let packages: BTreeSet<_> = left
                    .iter()
                    .map(|one| (&one.package, &one.version))
                    .collect();
                let what = format!(
                    "{} in {} of {}",
                    count(findings(&left), "finding", "findings"),
                    count(packages.len(), "package", "packages"),
                    named.join(", ")
                );
                (what, reason.to_owned())
            })
            .collect()
    }
}

fn findings(left: &[&UnfixedReport]) -> usize {
    let ids = left.iter().flat_map(|one| {
        let key = (&one.ecosystem, &one.package, &one.version);
        one.ids.iter().map(move |id| (key, id))
    });
    ids.collect::<BTreeSet<_>>().len()
}

/// `; 1.2.3 fixes it`, for a reason that does not say so itself.
fn fixed_by(one: &UnfixedReport) -> String {
    match &one.fixed_version {
        Some(version) if !one.reason.contains(version.as_str()) => {
            format!("; {} fixes it", clean(version))
        }
        _ => String::new(),
    }
}

/// Adds the findings that remain, with the reasons.
pub(super) fn unfixed_lines(
    unfixed: &[UnfixedReport],
    several_files: bool,
    terminal: Terminal,
    lines: &mut Vec<String>,
) {
    for class in classes(unfixed) {
        lines.push(terminal.paint(YELLOW, &format!("Not fixed: {}", class.title())));
        if class.name.is_by_reason() {
            for (what, reason) in class.reasons() {
                lines.extend(terminal.wrap("", 2, &clean(&what)));
                lines.extend(terminal.wrap("", 6, &clean(&reason)));
            }
        } else {
            for one in &class.left {
                package_lines(one, several_files, terminal, lines);
            }
        }
        let meanwhile = terminal.wrap("  meanwhile:", 13, class.name.meanwhile());
        lines.extend(meanwhile.iter().map(|line| terminal.paint(DIM, line)));
        lines.push(String::new());
    }

    let new: Vec<&UnfixedReport> = unfixed.iter().filter(|one| one.is_new).collect();
    if !new.is_empty() {
        let title = format!("New with the change ({})", findings(&new));
        lines.push(terminal.paint(YELLOW, &title));
        for one in new {
            package_lines(one, several_files, terminal, lines);
        }
        lines.push(String::new());
    }
}

fn package_lines(
    one: &UnfixedReport,
    several_files: bool,
    terminal: Terminal,
    lines: &mut Vec<String>,
) {
    let place = match several_files {
        true => format!("in {} ", clean(&one.lockfile)),
        false => String::new(),
    };
    let spans = [
        Span::styled(BOLD, clean(&one.package)),
        Span::new(format!(
            "{} {place}({})",
            clean(&one.version),
            clean(&one.ids.join(", "))
        )),
    ];
    lines.extend(terminal.flow("  ", 2, &spans));
    let reason = format!("{}{}", clean(&one.reason), fixed_by(one));
    lines.extend(terminal.wrap("", 6, &reason));
}

/// Adds the findings that remain, with the reasons.
pub(crate) fn unfixed_list(unfixed: &[UnfixedReport], body: &mut Body) {
    let row = |one: &UnfixedReport| {
        let ids: Vec<String> = one.ids.iter().map(|id| code(id)).collect();
        format!(
            "- {} in {} ({}): {}{}\n",
            code(&format!("{} {}", one.package, one.version)),
            code(&one.lockfile),
            ids.join(", "),
            text(&one.reason),
            text(&fixed_by(one))
        )
    };
    for class in classes(unfixed) {
        let head = format!(
            "### Not fixed: {}\n\nMeanwhile: {}.\n\n",
            class.title(),
            class.name.meanwhile()
        );
        if class.name.is_by_reason() {
            let reasons = class.reasons().into_iter();
            body.rows(
                &head,
                reasons.map(|(what, reason)| format!("- {}: {}\n", text(&what), text(&reason))),
            );
        } else {
            body.rows(&head, class.left.iter().map(|one| row(one)));
        }
    }

    let new = unfixed.iter().filter(|one| one.is_new);
    body.rows("### New with the change\n\n", new.map(row));
}

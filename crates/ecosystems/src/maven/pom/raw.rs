//! The contents of a `pom.xml` as written, without inheritance
//! (<https://maven.apache.org/ref/current/maven-model/maven.html>).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use patchgate_model::{Loss, SkippedEntry, SmolStr};

use crate::syntax::{self, Element};
use crate::{Input, ParseError, limits};

/// A project's `pom.xml` as written, before inheritance and interpolation.
#[derive(Debug, Clone, Default)]
pub(super) struct Pom {
    pub(super) group: Option<SmolStr>,
    /// Empty if the file lacks it.
    pub(super) artifact: SmolStr,
    pub(super) version: Option<SmolStr>,
    pub(super) parent: Option<Parent>,
    pub(super) body: Body,
    pub(super) profiles: Vec<Profile>,
    /// Modules that name a file other than `pom.xml`, with their lines.
    pub(super) named_modules: Vec<(SmolStr, u32)>,
    /// Dependencies that lack a part of their name.
    pub(super) skipped: Vec<SkippedEntry>,
}

/// A repository that a project declares for its dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredRepository {
    /// Identifier of the repository, to which mirrors refer.
    pub id: String,
    /// Address of the repository.
    pub url: String,
    /// Whether releases are taken from it (`<releases><enabled>`).
    pub releases: bool,
}

/// The reference to a parent.
#[derive(Debug, Clone)]
pub(super) struct Parent {
    pub(super) group: SmolStr,
    pub(super) artifact: SmolStr,
    pub(super) version: SmolStr,
    /// Path of the parent relative to the project; `None` if the parent is only looked up in Maven
    /// repositories.
    pub(super) relative_path: Option<String>,
    pub(super) line: u32,
}

/// The elements that a project and a profile have in common. Of several dependencies with one
/// identity, Maven takes the last, so there is only that one; of managed ones it depends on the
/// other files.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    pub(super) properties: HashMap<SmolStr, SmolStr>,
    pub(super) managed: Vec<Dependency>,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) repositories: Vec<DeclaredRepository>,
}

/// Additions to the project under a condition.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) id: String,
    pub(super) activation: Activation,
    pub(super) body: Body,
}

/// When a profile is active in a build that requests no profile and sets no property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// Active unless another profile of the same file is.
    Default,
    /// Always active, because it requires that a property is not set.
    Always,
    /// Active only on request, or on certain machines.
    OnRequest,
}

/// A dependency as written; every part can contain properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::maven) struct Dependency {
    pub(in crate::maven) group: SmolStr,
    pub(in crate::maven) artifact: SmolStr,
    pub(in crate::maven) version: Option<SmolStr>,
    pub(in crate::maven) kind: SmolStr,
    pub(in crate::maven) classifier: SmolStr,
    pub(in crate::maven) scope: Option<SmolStr>,
    pub(in crate::maven) optional: Option<SmolStr>,
    pub(in crate::maven) line: u32,
}

impl Dependency {
    /// The parts that identify a dependency, as written.
    pub(super) fn identity(&self) -> [&SmolStr; 4] {
        [&self.group, &self.artifact, &self.kind, &self.classifier]
    }
}

impl Pom {
    /// Reads a file in UTF-8 or in a declared one-byte encoding, as older files have.
    pub(super) fn read(input: &Input<'_>) -> Result<Self, ParseError> {
        let text = decode(input)?;
        let root = syntax::xml_without(&text, &LEFT_OUT)?;
        if root.name != "project" {
            return Err(ParseError::new(format!(
                "begins with `<{}>`, not with `<project>`",
                root.name
            ))
            .at_line(root.line as usize));
        }

        // Maven demands it. Its dependencies are known without it.
        let artifact = text_of(&root, "artifactId")?;
        let mut named_modules = modules(&root);
        let mut profiles = Vec::new();
        let mut skipped = Vec::new();
        if let Some(list) = once(&root, "profiles")? {
            for element in list.all("profile") {
                named_modules.extend(modules(element));
                profiles.push(Profile {
                    id: text_of(element, "id")?.unwrap_or("default").to_owned(),
                    activation: activation(element)?,
                    body: body(element, &mut skipped)?,
                });
            }
        }

        Ok(Self {
            group: text_of(&root, "groupId")?.map(SmolStr::new),
            artifact: artifact.map(SmolStr::new).unwrap_or_default(),
            version: text_of(&root, "version")?.map(SmolStr::new),
            parent: once(&root, "parent")?.map(parent).transpose()?,
            body: body(&root, &mut skipped)?,
            profiles,
            named_modules,
            skipped,
        })
    }

    /// The profiles that are active if none is requested.
    pub(super) fn active_profiles(&self) -> impl Iterator<Item = (usize, &Profile)> {
        let conditional = self
            .profiles
            .iter()
            .any(|profile| profile.activation == Activation::Always);
        let activation = if conditional {
            Activation::Always
        } else {
            Activation::Default
        };

        self.profiles
            .iter()
            .enumerate()
            .filter(move |(_, profile)| profile.activation == activation)
    }
}

/// Parts of a project that name no dependencies of it, and are often its largest.
const LEFT_OUT: [&str; 2] = ["build", "reporting"];

/// The modules of a project or a profile that name a file other than `pom.xml`. Any other module is a
/// directory with a `pom.xml`. Maven 4 calls modules subprojects.
fn modules(element: &Element<'_>) -> Vec<(SmolStr, u32)> {
    let mut found = Vec::new();
    for (list, item) in [("modules", "module"), ("subprojects", "subproject")] {
        let items = element.child(list).into_iter().flat_map(|it| it.all(item));
        found.extend(items.filter_map(|module| {
            let path = module.text.trim();
            let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
            let is_file = name.ends_with(".xml") || name.ends_with(".pom");
            (is_file && name != "pom.xml").then(|| (SmolStr::new(path), module.line))
        }));
    }

    found
}

/// The text of a file in UTF-8, or in the one-byte encoding that the file declares.
fn decode<'a>(input: &Input<'a>) -> Result<Cow<'a, str>, ParseError> {
    let error = match input.text() {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(error) => error,
    };
    let bytes = input.bytes;
    let head: Vec<u8> = bytes.iter().take(120).map(u8::to_ascii_lowercase).collect();
    let head = String::from_utf8_lossy(&head);
    let declared = ["iso-8859-1", "latin1", "windows-1252", "us-ascii"]
        .iter()
        .any(|name| head.contains(name));
    let readable = bytes.len() <= limits::MAX_FILE_BYTES && !bytes.contains(&0);
    if declared && readable && std::str::from_utf8(bytes).is_err() {
        return Ok(Cow::Owned(bytes.iter().copied().map(char::from).collect()));
    }

    Err(error)
}

/// The only child with a name. Two are an error, because different readers would pick different
/// ones.
fn once<'s, 'a>(
    element: &'s Element<'a>,
    name: &str,
) -> Result<Option<&'s Element<'a>>, ParseError> {
    let mut all = element.children.iter().filter(|child| child.name == name);
    let first = all.next();

    match all.next() {
        Some(second) => Err(ParseError::new(format!(
            "has two `<{name}>` in one `<{}>`",
            element.name
        ))
        .at_line(second.line as usize)),
        None => Ok(first),
    }
}

fn text_of<'s>(element: &'s Element<'_>, name: &str) -> Result<Option<&'s str>, ParseError> {
    Ok(once(element, name)?
        .map(|child| child.text.as_str())
        .filter(|text| !text.is_empty()))
}

fn need(element: &Element<'_>, name: &str) -> Result<SmolStr, ParseError> {
    text_of(element, name)?.map(SmolStr::new).ok_or_else(|| {
        ParseError::new(format!("has a `<{}>` without `<{name}>`", element.name))
            .at_line(element.line as usize)
    })
}

fn parent(element: &Element<'_>) -> Result<Parent, ParseError> {
    Ok(Parent {
        group: need(element, "groupId")?,
        artifact: need(element, "artifactId")?,
        version: need(element, "version")?,
        relative_path: match once(element, "relativePath")? {
            None => Some("../pom.xml".to_owned()),
            Some(path) => Some(path.text.clone()).filter(|path| !path.is_empty()),
        },
        line: element.line,
    })
}

fn body(element: &Element<'_>, skipped: &mut Vec<SkippedEntry>) -> Result<Body, ParseError> {
    let managed = match once(element, "dependencyManagement")? {
        Some(managed) => dependencies(managed, skipped)?,
        None => Vec::new(),
    };
    let properties = match once(element, "properties")? {
        Some(list) => list
            .children
            .iter()
            .map(|property| (SmolStr::new(&property.name), SmolStr::new(&property.text)))
            .collect(),
        None => HashMap::new(),
    };

    Ok(Body {
        properties,
        managed,
        dependencies: last_of_each(dependencies(element, skipped)?),
        repositories: repositories(element)?,
    })
}

fn repositories(element: &Element<'_>) -> Result<Vec<DeclaredRepository>, ParseError> {
    let Some(list) = once(element, "repositories")? else {
        return Ok(Vec::new());
    };
    let releases = |repository: &Element<'_>| {
        let policy = repository.child("releases");
        policy.and_then(|policy| policy.text_of("enabled")) != Some("false")
    };

    Ok(list
        .all("repository")
        .filter_map(|repository| {
            Some(DeclaredRepository {
                id: repository.text_of("id").unwrap_or_default().to_owned(),
                url: repository.text_of("url")?.to_owned(),
                releases: releases(repository),
            })
        })
        .collect())
}

/// The entries of a list. One that lacks a part of its name is skipped.
fn dependencies(
    element: &Element<'_>,
    skipped: &mut Vec<SkippedEntry>,
) -> Result<Vec<Dependency>, ParseError> {
    let Some(list) = once(element, "dependencies")? else {
        return Ok(Vec::new());
    };

    let read = |element: &Element<'_>| {
        let own = |name| text_of(element, name).map(|text| text.map(SmolStr::new));
        Ok(Dependency {
            group: need(element, "groupId")?,
            artifact: need(element, "artifactId")?,
            version: own("version")?,
            kind: own("type")?.unwrap_or(JAR),
            classifier: own("classifier")?.unwrap_or_default(),
            scope: own("scope")?,
            optional: own("optional")?,
            line: element.line,
        })
    };
    let mut all = Vec::new();
    for element in list.all("dependency") {
        let mut lacking = ["groupId", "artifactId"].iter().filter(|name| {
            let is_stated = |child: &Element<'_>| child.name == **name && !child.text.is_empty();
            !element.children.iter().any(is_stated)
        });
        match lacking.next() {
            Some(name) => skipped.push(SkippedEntry {
                line: element.line,
                reason: format!("has a `<dependency>` without `<{name}>`"),
                loss: Loss::Package,
            }),
            None => all.push(read(element)?),
        }
    }

    Ok(all)
}

/// The default type of a dependency.
const JAR: SmolStr = SmolStr::new_static("jar");

/// The last of several dependencies with one identity.
fn last_of_each(mut all: Vec<Dependency>) -> Vec<Dependency> {
    let mut seen = HashSet::with_capacity(all.len());
    let mut is_last: Vec<bool> = all
        .iter()
        .rev()
        .map(|one| seen.insert(one.identity()))
        .collect();

    // The flags are in reverse order.
    all.retain(|_| is_last.pop().unwrap_or(true));
    all
}

/// Derives the activation of a profile. Properties come from a command line, which is unknown. A
/// profile that requires a property to be absent, or not to have some value, is active in builds
/// that set none.
fn activation(profile: &Element<'_>) -> Result<Activation, ParseError> {
    let Some(activation) = once(profile, "activation")? else {
        return Ok(Activation::OnRequest);
    };
    if text_of(activation, "activeByDefault")? == Some("true") {
        return Ok(Activation::Default);
    }

    let of_machine = ["jdk", "os", "file"]
        .iter()
        .any(|name| activation.child(name).is_some());
    let absence = match once(activation, "property")? {
        Some(property) => {
            let negated = |text: Option<&str>| text.is_some_and(|text| text.starts_with('!'));
            match text_of(property, "value")? {
                None => negated(text_of(property, "name")?),
                value => negated(value),
            }
        }
        None => false,
    };

    Ok(if absence && !of_machine {
        Activation::Always
    } else {
        Activation::OnRequest
    })
}

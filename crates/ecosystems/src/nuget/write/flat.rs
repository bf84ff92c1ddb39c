//! The writer of `packages.config`, together with the project that has the packages' files by path.
//!
//! NuGet unpacks a package into a directory with its version. A project of this kind names files in it:
//! assemblies (`HintPath`), and files of MSBuild that it imports. All of these paths change, or nothing
//! does. A release is refused whose assemblies have another version than those before: references and
//! binding redirects name it (<https://learn.microsoft.com/nuget/reference/packages-config>).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};

use patchgate_model::Lockfile;
use zip::ZipArchive;

use super::super::project_files;
use super::super::range::VersionRange;
use super::package::Package;
use crate::{
    Downloads, Input, LockfileWriter, MetadataRequest, Release, Siblings, TargetGraph, WriteError,
};

/// Largest assembly that is looked at, in bytes.
const MAX_ASSEMBLY_BYTES: u64 = 64 * 1024 * 1024;

/// Most files of an archive.
const MAX_FILES: usize = 0xffff;

/// The writer of `packages.config`.
#[derive(Debug)]
pub(in crate::nuget) struct PackagesConfigWriter;

impl LockfileWriter for PackagesConfigWriter {
    /// The archives of a release and of the version before.
    fn downloads_for(
        &self,
        lockfile: &Lockfile,
        name: &str,
        release: &Release,
    ) -> Vec<MetadataRequest> {
        let locked = lockfile.packages.iter();
        let locked = locked.filter(|one| one.name.eq_ignore_ascii_case(name));
        let before = locked.filter_map(|one| before(release, &one.version));
        let before = before.map(|url| MetadataRequest { url, accept: None });
        release.file_requests().into_iter().chain(before).collect()
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        let own = (input.path.to_owned(), input.bytes.to_vec());
        if *target == TargetGraph::unchanged(lockfile) {
            return Ok(Siblings::from([own]));
        }
        let failed = |reason: String| WriteError::new(input, reason);
        write(input, lockfile, target, downloads).map_err(failed)
    }
}

/// The address of the archive of another version.
fn before(release: &Release, version: &str) -> Option<String> {
    let own = &release.files.first()?.url;
    let url = own.replace(
        &release.version.to_ascii_lowercase(),
        &version.to_ascii_lowercase(),
    );
    (url != *own).then_some(url)
}

/// A package that gets another version.
struct Change<'a> {
    name: &'a str,
    from: &'a str,
    to: &'a str,
    old: Archive<'a>,
    new: Archive<'a>,
}

fn write(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    downloads: &Downloads,
) -> Result<Siblings, String> {
    if !lockfile.skipped.is_empty() {
        return Err("it has entries that cannot be read".to_owned());
    }
    let text = std::str::from_utf8(input.bytes).map_err(|_| "it is not UTF-8")?;
    let projects = project_files::beside(input);
    let mut project = match projects.as_slice() {
        [] => None,
        [only] => {
            let bytes = input.sibling(&only.path).unwrap_or_default();
            let text = std::str::from_utf8(bytes);
            let text = text.map_err(|_| format!("`{}` is not UTF-8", only.path))?;
            Some((only.path.clone(), text.to_owned()))
        }
        _ => return Err("it does not belong to exactly one project".to_owned()),
    };

    let mut changed = text.to_owned();
    let versions = versions(lockfile, target)?;
    for node in &target.nodes {
        let (Some(release), Some(package)) = (
            &node.release,
            node.was.and_then(|was| lockfile.package(was)),
        ) else {
            continue;
        };
        let archive = |url: Option<&str>, version: &str| {
            let bytes = url.and_then(|url| downloads.get(url));
            let lacking = || format!("the archive of `{}` {version} is missing", node.name);
            bytes.map(|bytes| Archive { bytes }).ok_or_else(lacking)
        };
        let url = release.files.first().map(|file| file.url.as_str());
        let url_before = before(release, &package.version);
        let new = archive(url, &release.version)?;
        let old = archive(url_before.as_deref(), &package.version)?;
        let change = Change {
            name: &package.name,
            from: &package.version,
            to: &release.version,
            old,
            new,
        };
        change.check_dependencies(release, &versions)?;
        changed = change.listed(&changed)?;
        if let Some((_, text)) = &mut project {
            *text = change.located(text)?;
        }
    }

    let mut files = Siblings::from([(input.path.to_owned(), changed.into_bytes())]);
    if let Some((path, text)) = project
        && input.sibling(&path) != Some(text.as_bytes())
    {
        files.insert(path, text.into_bytes());
    }
    Ok(files)
}

/// The version of each package after the change, by its name in lower case.
fn versions(lockfile: &Lockfile, target: &TargetGraph) -> Result<BTreeMap<String, String>, String> {
    let mut versions = BTreeMap::new();
    for (number, node) in target.nodes.iter().enumerate() {
        if node.was.is_none() {
            return Err(format!("`{}` would have to be installed too", node.name));
        }
        let version = target.version(lockfile, number).unwrap_or_default();
        let key = node.name.to_ascii_lowercase();
        if let Some(other) = versions.insert(key, version.to_owned())
            && other != version
        {
            return Err(format!("`{}` has several versions", node.name));
        }
    }
    match target.nodes.len() == lockfile.packages.len() {
        true => Ok(versions),
        false => Err("a listed package would leave".to_owned()),
    }
}

impl Change<'_> {
    /// Checks that the list has what the release needs, as far as it did not before.
    fn check_dependencies(
        &self,
        release: &Release,
        versions: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let old = Release {
            version: self.from.to_owned(),
            ..Release::default()
        };
        let before = Package::read(self.name, &old, self.old.bytes)?.all_dependencies();
        for (framework, name, range) in
            Package::read(self.name, release, self.new.bytes)?.all_dependencies()
        {
            if before.contains(&(framework, name.clone(), range.clone())) {
                continue;
            }
            let shown = format!("`{}` {}", self.name, self.to);
            let Some(version) = versions.get(&name.to_ascii_lowercase()) else {
                return Err(format!("{shown} may need `{name}`, which is not listed"));
            };
            let is_met = VersionRange::parse(&range).is_some_and(|range| range.admits(version));
            if !is_met {
                return Err(format!("{shown} needs `{name}` in {range}"));
            }
        }
        Ok(())
    }

    /// The list with the new version.
    fn listed(&self, text: &str) -> Result<String, String> {
        let mut changed = String::with_capacity(text.len());
        let mut rest = text;
        let mut count = 0;
        while let Some(start) = rest.find('<') {
            let after = rest.get(start..).unwrap_or_default();
            let length = match after.starts_with("<!--") {
                true => after.find("-->").map(|end| end + 3),
                false => after.find('>').map(|end| end + 1),
            };
            let length = length.ok_or("it has a tag without an end")?;
            let tag = after.get(..length).unwrap_or_default();
            changed.push_str(rest.get(..start).unwrap_or_default());
            let is_own = tag.starts_with("<package ")
                && attribute(tag, "id").is_some_and(|id| id.eq_ignore_ascii_case(self.name))
                && attribute(tag, "version") == Some(self.from);
            if is_own {
                count += 1;
                for quote in ['"', '\''] {
                    let stated = |version: &str| format!(" version={quote}{version}{quote}");
                    if tag.contains(&stated(self.from)) {
                        changed.push_str(&tag.replace(&stated(self.from), &stated(self.to)));
                    }
                }
            } else {
                changed.push_str(tag);
            }
            rest = after.get(length..).unwrap_or_default();
        }
        changed.push_str(rest);
        match count {
            0 => Err(format!("the entry of `{}` was not found", self.name)),
            _ => Ok(changed),
        }
    }

    /// The project with the paths of the new version.
    fn located(&self, text: &str) -> Result<String, String> {
        let directory = format!("{}.{}", self.name, self.from).to_ascii_lowercase();
        let in_lower_case = text.to_ascii_lowercase();
        let mut checked = BTreeSet::new();
        let mut changed = String::with_capacity(text.len());
        let mut done = 0;
        for (at, _) in in_lower_case.match_indices(&directory) {
            let end = at + directory.len();
            let (before, after) = (text.get(..at), text.get(end..));
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            let path = after.split(['<', '"', '\'', ')', ';', '\r', '\n']).next();
            let path = path.unwrap_or_default();
            let file = path.strip_prefix(['\\', '/']);
            if !before.ends_with(['\\', '/']) || (file.is_none() && !path.is_empty()) {
                continue;
            }

            if let Some(file) = file.filter(|file| !file.is_empty() && checked.insert(*file)) {
                self.check_file(file)?;
            }
            changed.push_str(text.get(done..at).unwrap_or_default());
            changed.push_str(&format!("{}.{}", self.name, self.to));
            done = end;
        }
        changed.push_str(text.get(done..).unwrap_or_default());
        Ok(changed)
    }

    /// Checks that the new archive has a file of the old one, with the same assembly version.
    fn check_file(&self, path: &str) -> Result<(), String> {
        let shown = format!("`{path}` of `{}` {}", self.name, self.to);
        if path.contains(['$', '*', '%', '@']) {
            return Err(format!("{shown} is not a plain path"));
        }
        let file = path.replace('\\', "/");
        let new = self.new.file(&file)?;
        let new = new.ok_or_else(|| format!("{shown} does not exist"))?;
        if !file.to_ascii_lowercase().ends_with(".dll") {
            return Ok(());
        }
        let old = self.old.file(&file)?.unwrap_or_default();
        match (assembly_version(&old), assembly_version(&new)) {
            (Some(old), Some(new)) if old == new => Ok(()),
            (Some(old), Some(new)) => Err(format!(
                "{shown} has the assembly version {new}, and the project refers to {old}"
            )),
            _ => Err(format!("the assembly version of {shown} is not known")),
        }
    }
}

/// The value of an attribute in the text of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    ['"', '\''].into_iter().find_map(|quote| {
        let (_, value) = tag.split_once(&format!(" {name}={quote}"))?;
        value.split(quote).next()
    })
}

/// The archive of a release.
struct Archive<'a> {
    bytes: &'a [u8],
}

impl Archive<'_> {
    /// The content of a file, whose name is compared without case, as on Windows.
    fn file(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let unreadable = |error: String| format!("an archive cannot be read: {error}");
        let mut zip = ZipArchive::new(Cursor::new(self.bytes))
            .map_err(|error| unreadable(error.to_string()))?;
        if zip.len() > MAX_FILES {
            return Err(unreadable("it has too many files".to_owned()));
        }
        let mut names = zip.file_names();
        let is_own = |name: &str| name.eq_ignore_ascii_case(path);
        let index = names.position(|name| name.is_ok_and(|name| is_own(&name)));
        drop(names);
        let Some(index) = index else {
            return Ok(None);
        };
        let file = zip
            .by_index(index)
            .map_err(|error| unreadable(error.to_string()))?;
        let mut content = Vec::new();
        file.take(MAX_ASSEMBLY_BYTES + 1)
            .read_to_end(&mut content)
            .map_err(|error| unreadable(error.to_string()))?;
        match content.len() as u64 > MAX_ASSEMBLY_BYTES {
            true => Err(unreadable(format!("`{path}` is too large"))),
            false => Ok(Some(content)),
        }
    }
}

/// The version of an assembly, which compilers repeat among the resources of the file
/// (<https://learn.microsoft.com/windows/win32/menurc/versioninfo-resource>).
fn assembly_version(content: &[u8]) -> Option<String> {
    let key: Vec<u8> = "Assembly Version\0"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let at = memchr::memmem::rfind(content, &key)? + key.len();
    let (units, _) = content.get(at..)?.as_chunks::<2>();
    let value: String = units
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .skip_while(|unit| *unit == 0)
        .map_while(|unit| u8::try_from(unit).ok().filter(|byte| *byte != 0))
        .take(64)
        .map(char::from)
        .collect();
    let is_version = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_version.then_some(value)
}

#[cfg(test)]
mod tests;

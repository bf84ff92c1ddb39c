//! Hashes of further components in the verification metadata of a build.
//!
//! Gradle checks every file that it takes from a repository: archives, and, unless the file says
//! otherwise, POMs with their parents and its own metadata. An addition has the files that the version
//! before has. Entries of before stay: other configurations may use them. Signatures cannot be added
//! here, because whom to trust is a person's decision.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256, Sha512};

use crate::maven::pom::declared;
use crate::maven::registry::{pom_path, request};
use crate::maven::xml_spans::spans;
use crate::syntax::{self, Element};
use crate::{Downloads, Release};

/// Most parents of one component.
const MAX_PARENTS: usize = 16;

/// A component that the build uses after a change.
pub(in crate::maven) struct Used<'a> {
    pub(in crate::maven) name: &'a str,
    /// The version that it replaces.
    pub(in crate::maven) from: Option<&'a str>,
    pub(in crate::maven) release: &'a Release,
}

/// Files of a component that the metadata lacks: their names and addresses.
type Files = BTreeMap<String, String>;

/// The components that the metadata lacks, by group, artifact and version.
pub(in crate::maven) type Lacking = BTreeMap<(String, String, String), Files>;

/// The components that the metadata lacks, as far as the documents at hand tell.
///
/// # Errors
/// If the metadata cannot be read, or has what only a person can add.
pub(in crate::maven) fn lacking(
    text: &str,
    used: &[Used<'_>],
    downloads: &Downloads,
) -> Result<Lacking, String> {
    let root = syntax::xml(text).map_err(|error| error.to_string())?;
    let configuration = root.child("configuration");
    let is_set = |name: &str| {
        let set = configuration.and_then(|list| list.child(name));
        set.map(|one| one.text == "true")
    };
    if is_set("verify-signatures") == Some(true) {
        return Err("it asks for signatures, and whom to trust is for a person to say".to_owned());
    }
    let metadata_counts = is_set("verify-metadata") != Some(false);

    let known = Known::read(&root);
    let mut lacking = Lacking::new();
    for one in used {
        let version = &one.release.version;
        if known.has(one.name, version) {
            continue;
        }
        let files = own_files(one, &known, metadata_counts)?;
        let pom = files.values().find(|url| url.ends_with(".pom")).cloned();
        lacking.insert(key(one.name, version)?, files);
        if let Some(pom) = pom {
            add_parents(one.name, pom, &known, downloads, &mut lacking)?;
        }
    }
    Ok(lacking)
}

/// The metadata with what it lacked.
///
/// # Errors
/// If a file was not fetched.
pub(in crate::maven) fn add(
    text: &str,
    lacking: &Lacking,
    downloads: &Downloads,
) -> Result<String, String> {
    let kinds = known_kinds(text);
    let places = Places::read(text)?;
    let mut added: BTreeMap<usize, String> = BTreeMap::new();
    for ((group, artifact, version), files) in lacking {
        let own = (group.as_str(), artifact.as_str(), version.as_str());
        let lines = component(own, files, downloads, &kinds)?;
        let (at, shown) = places.shown(own, &lines);
        added.entry(at).or_default().push_str(&shown);
    }

    // From the end, so that earlier positions stay valid.
    let mut changed = text.to_owned();
    for (at, shown) in added.into_iter().rev() {
        changed.insert_str(at, &shown);
    }
    Ok(changed)
}

/// The components of a file: names of files by name and version.
struct Known<'e> {
    components: BTreeMap<(String, &'e str), Vec<&'e str>>,
    signed: BTreeSet<String>,
}

impl<'e> Known<'e> {
    fn read(root: &'e Element<'_>) -> Self {
        let mut known = Self {
            components: BTreeMap::new(),
            signed: BTreeSet::new(),
        };
        for component in root
            .all("components")
            .flat_map(|list| list.all("component"))
        {
            let part = |name: &str| component.attribute(name).unwrap_or_default();
            let name = format!("{}:{}", part("group"), part("name"));
            let artifacts = component.all("artifact");
            let files = artifacts
                .filter_map(|file| file.attribute("name"))
                .collect();
            if component
                .all("artifact")
                .any(|file| file.child("pgp").is_some())
            {
                known.signed.insert(name.clone());
            }
            known.components.insert((name, part("version")), files);
        }
        known
    }

    fn has(&self, name: &str, version: &str) -> bool {
        self.components.contains_key(&(name.to_owned(), version))
    }
}

/// The files of a component: those of the version before, else its archive and its description.
fn own_files(one: &Used<'_>, known: &Known<'_>, metadata_counts: bool) -> Result<Files, String> {
    let (name, version) = (one.name, one.release.version.as_str());
    if known.signed.contains(name) {
        return Err(format!(
            "it has signatures of `{name}`, and whom to trust is for a person to say"
        ));
    }
    let artifact = name.split(':').next_back().unwrap_or_default();
    let has_module = one
        .release
        .files
        .iter()
        .any(|file| file.name.ends_with(".module"));
    let before = one
        .from
        .and_then(|from| Some((from, known.components.get(&(name.to_owned(), from))?)));
    let names: Vec<String> = match before {
        Some((from, names)) => {
            let old = format!("{artifact}-{from}");
            let new = format!("{artifact}-{version}");
            let renamed = names.iter().map(|file| {
                let rest = file.strip_prefix(&old);
                rest.map(|rest| format!("{new}{rest}"))
                    .ok_or_else(|| format!("`{file}` has an unusual name"))
            });
            let renamed: Vec<String> = renamed.collect::<Result<_, _>>()?;
            if renamed.iter().any(|file| file.ends_with(".module")) != has_module && metadata_counts
            {
                return Err(format!(
                    "`{name}` {version} has other kinds of metadata than before"
                ));
            }
            renamed
        }
        None if metadata_counts => {
            let described = if has_module { "module" } else { "pom" };
            let names = ["jar", described];
            names
                .map(|kind| format!("{artifact}-{version}.{kind}"))
                .to_vec()
        }
        None => vec![format!("{artifact}-{version}.jar")],
    };

    let pom = one
        .release
        .files
        .iter()
        .find(|file| file.name.ends_with(".pom"));
    let directory = pom.and_then(|pom| pom.url.rsplit_once('/'));
    let (directory, _) = directory.ok_or_else(|| format!("the files of `{name}` are not known"))?;
    let files = names.into_iter().map(|file| {
        let url = format!("{directory}/{}", file.replace('%', "%25"));
        (file, url)
    });
    Ok(files.collect())
}

/// Adds the parents of a component, as far as their POMs are at hand.
fn add_parents(
    name: &str,
    mut url: String,
    known: &Known<'_>,
    downloads: &Downloads,
    lacking: &mut Lacking,
) -> Result<(), String> {
    let own = request("", name).url;
    let own = own
        .trim_start_matches('/')
        .trim_end_matches("maven-metadata.xml");
    let root = url.split_once(own).map(|(root, _)| root.to_owned());
    for _ in 0..MAX_PARENTS {
        let Some(body) = downloads.get(&url) else {
            return Ok(());
        };
        let text =
            std::str::from_utf8(body).map_err(|_| "has a POM that is not UTF-8".to_owned())?;
        let pom = declared(text).map_err(|error| format!("`{name}` has a POM that {error}"))?;
        if pom.imports {
            return Err(format!(
                "`{name}` takes versions from a list, whose hash it lacks"
            ));
        }
        let Some((parent, version)) = pom.parent else {
            return Ok(());
        };
        if known.has(&parent, &version) {
            return Ok(());
        }

        let artifact = parent.split(':').next_back().unwrap_or_default().to_owned();
        let directory = request("", &parent).url;
        let directory = directory
            .trim_start_matches('/')
            .trim_end_matches("maven-metadata.xml");
        let root = root
            .as_ref()
            .ok_or("the address of its repository is not known")?;
        url = format!("{root}{directory}{}", pom_path(&artifact, &version));
        let file = (format!("{artifact}-{version}.pom"), url.clone());
        lacking.insert(key(&parent, &version)?, Files::from([file]));
    }
    Err(format!("`{name}` has too many parents"))
}

fn key(name: &str, version: &str) -> Result<(String, String, String), String> {
    let is_plain = |text: &str| !text.contains(['"', '<', '&']);
    match name.split_once(':') {
        Some((group, artifact)) if is_plain(name) && is_plain(version) => {
            Ok((group.to_owned(), artifact.to_owned(), version.to_owned()))
        }
        _ => Err(format!("`{name}` {version} is not an artifact")),
    }
}

/// The kinds of hashes of a file: SHA-512 as well, if it has any.
fn known_kinds(text: &str) -> Vec<&'static str> {
    let kinds = ["sha256", "sha512"].into_iter();
    let used: Vec<&'static str> = kinds
        .filter(|kind| text.contains(&format!("<{kind} ")))
        .collect();
    match used.is_empty() {
        true => vec!["sha256"],
        false => used,
    }
}

/// The lines of a component, without indentation before the first one.
fn component(
    (group, artifact, version): (&str, &str, &str),
    files: &Files,
    downloads: &Downloads,
    kinds: &[&str],
) -> Result<Vec<(usize, String)>, String> {
    let mut lines = vec![(
        0,
        format!("<component group=\"{group}\" name=\"{artifact}\" version=\"{version}\">"),
    )];
    for (file, url) in files {
        let body = downloads.get(url);
        let body = body.ok_or_else(|| format!("`{file}` was not fetched"))?;
        lines.push((1, format!("<artifact name=\"{file}\">")));
        for kind in kinds {
            let hash: String = match *kind {
                "sha512" => hex(&Sha512::digest(body)),
                _ => hex(&Sha256::digest(body)),
            };
            let line = format!("<{kind} value=\"{hash}\" origin=\"Generated by Patchgate\"/>");
            lines.push((2, line));
        }
        lines.push((1, "</artifact>".to_owned()));
    }
    lines.push((0, "</component>".to_owned()));
    Ok(lines)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The positions of the components in a file.
struct Places {
    /// Group, name and version with the end of each component.
    ends: Vec<((String, String, String), usize)>,
    /// The start of the line of the first component.
    first: usize,
    indent: String,
    unit: String,
    line_end: &'static str,
}

impl Places {
    fn read(text: &str) -> Result<Self, String> {
        let unusual = || "it has no list of components in lines of their own".to_owned();
        let root = syntax::xml(text).map_err(|error| error.to_string())?;
        let places = spans(text).map_err(|error| error.to_string())?;
        let list = root.child("components").zip(places.child("components"));
        let (list, places) = list.ok_or_else(unusual)?;
        let part = |component: &Element<'_>| {
            let part = |name: &str| component.attribute(name).unwrap_or_default().to_owned();
            (part("group"), part("name"), part("version"))
        };
        let components = list.all("component").zip(places.all("component"));
        let ends = components.map(|(one, span)| (part(one), span.outer.1));

        let first = places.all("component").next().ok_or_else(unusual)?.outer.0;
        let indent = |at: usize| -> Option<&str> {
            let line = text.get(..at)?.rsplit('\n').next()?;
            line.trim().is_empty().then_some(line)
        };
        let outer = indent(places.outer.0).ok_or_else(unusual)?;
        let indent = indent(first).ok_or_else(unusual)?;
        Ok(Self {
            ends: ends.collect(),
            first: first - indent.len(),
            unit: indent.strip_prefix(outer).ok_or_else(unusual)?.to_owned(),
            indent: indent.to_owned(),
            line_end: if text.contains("\r\n") { "\r\n" } else { "\n" },
        })
    }

    /// The position of a component by group, name and version, and its text there.
    fn shown(&self, own: (&str, &str, &str), lines: &[(usize, String)]) -> (usize, String) {
        let own = (own.0.to_owned(), own.1.to_owned(), own.2.to_owned());
        let after = self.ends.iter().rfind(|(one, _)| *one < own);
        let mut shown = String::new();
        for (depth, line) in lines {
            let line = format!("{}{}{line}", self.indent, self.unit.repeat(*depth));
            match after {
                Some(_) => shown.push_str(&format!("{}{line}", self.line_end)),
                None => shown.push_str(&format!("{line}{}", self.line_end)),
            }
        }
        (after.map_or(self.first, |(_, end)| *end), shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReleaseFile;

    const METADATA: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<verification-metadata>
   <configuration>
      <verify-metadata>true</verify-metadata>
      <verify-signatures>false</verify-signatures>
   </configuration>
   <components>
      <component group=\"g\" name=\"a\" version=\"1.0\">
         <artifact name=\"a-1.0.jar\">
            <sha256 value=\"00\" origin=\"Generated by Gradle\"/>
         </artifact>
         <artifact name=\"a-1.0.pom\">
            <sha256 value=\"11\" origin=\"Generated by Gradle\"/>
         </artifact>
      </component>
      <component group=\"h\" name=\"z\" version=\"1\">
         <artifact name=\"z-1.jar\">
            <sha256 value=\"22\" origin=\"Generated by Gradle\"/>
         </artifact>
      </component>
   </components>
</verification-metadata>
";

    const ROOT: &str = "https://r.invalid/m2";

    fn release(files: &[&str]) -> Release {
        let file = |kind: &&str| ReleaseFile {
            name: format!("a-1.2.{kind}"),
            url: format!("{ROOT}/g/a/1.2/a-1.2.{kind}"),
            ..ReleaseFile::default()
        };
        Release {
            version: "1.2".to_owned(),
            files: files.iter().map(file).collect(),
            ..Release::default()
        }
    }

    fn pom(rest: &str) -> Vec<u8> {
        format!("<project><artifactId>x</artifactId>{rest}</project>").into_bytes()
    }

    fn changed(text: &str, release: &Release, downloads: &Downloads) -> Result<String, String> {
        let used = [Used {
            name: "g:a",
            from: Some("1.0"),
            release,
        }];
        let lacking = lacking(text, &used, downloads)?;
        add(text, &lacking, downloads)
    }

    #[test]
    fn a_new_version_gets_the_hashes_of_the_same_files() {
        let parent = "<parent><groupId>p</groupId><artifactId>up</artifactId>\
                      <version>3</version></parent>";
        let mut downloads = Downloads::from([
            (format!("{ROOT}/g/a/1.2/a-1.2.pom"), pom(parent)),
            (format!("{ROOT}/g/a/1.2/a-1.2.jar"), b"jar".to_vec()),
        ]);
        let release = release(&["jar", "pom"]);
        let refused = changed(METADATA, &release, &downloads).unwrap_err();
        assert_eq!(refused, "`up-3.pom` was not fetched");

        downloads.insert(format!("{ROOT}/p/up/3/up-3.pom"), pom(""));
        let written = changed(METADATA, &release, &downloads).unwrap();
        let hash = |url: &str| hex(&Sha256::digest(&downloads[&format!("{ROOT}/{url}")]));
        let artifact = |file: &str, url: &str| {
            format!(
                "         <artifact name=\"{file}\">\n            <sha256 value=\"{}\" \
                 origin=\"Generated by Patchgate\"/>\n         </artifact>\n",
                hash(url)
            )
        };
        let own = format!(
            "      <component group=\"g\" name=\"a\" version=\"1.2\">\n{}{}      </component>\n",
            artifact("a-1.2.jar", "g/a/1.2/a-1.2.jar"),
            artifact("a-1.2.pom", "g/a/1.2/a-1.2.pom"),
        );
        let above = format!(
            "      <component group=\"p\" name=\"up\" version=\"3\">\n{}      </component>\n",
            artifact("up-3.pom", "p/up/3/up-3.pom"),
        );
        let expected = METADATA
            .replace(
                "      <component group=\"h\"",
                &format!("{own}      <component group=\"h\""),
            )
            .replace("   </components>", &format!("{above}   </components>"));
        assert_eq!(written, expected);

        assert_eq!(
            changed(&written, &release, &downloads).as_deref(),
            Ok(&*written)
        );
        let crlf = METADATA.replace('\n', "\r\n");
        let written = changed(&crlf, &release, &downloads);
        assert_eq!(written, Ok(expected.replace('\n', "\r\n")));
    }

    #[test]
    fn what_only_a_person_can_trust_is_refused() {
        let downloads = Downloads::from([
            (format!("{ROOT}/g/a/1.2/a-1.2.pom"), pom("")),
            (format!("{ROOT}/g/a/1.2/a-1.2.jar"), b"jar".to_vec()),
        ]);
        let signed = METADATA.replace("signatures>false", "signatures>true");
        let key = METADATA.replacen("<sha256", "<pgp value=\"AB\"/><sha256", 1);
        for text in [signed, key] {
            let refused = changed(&text, &release(&["jar", "pom"]), &downloads).unwrap_err();
            assert!(refused.contains("for a person to say"), "{refused}");
        }
        let other = release(&["jar", "pom", "module"]);
        let refused = changed(METADATA, &other, &downloads).unwrap_err();
        assert!(refused.contains("other kinds of metadata"), "{refused}");
        for text in ["", "<verification-metadata/>", "<a"] {
            assert!(
                changed(text, &release(&["jar", "pom"]), &downloads).is_err(),
                "{text}"
            );
        }
    }
}

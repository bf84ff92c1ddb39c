//! Changes of a requirement in a `pom.xml`. All other bytes stay as they are.
//!
//! Version catalogs and build files of Gradle are deliberately absent.

use super::xml_spans::{Span, spans, splice};
use crate::{EditError, RequirementEdit};

/// Changes one requirement: every literal version of the artifact that is as in the edit, and the
/// property that states it, if only this artifact uses the property.
pub(super) fn manifest(
    path: &str,
    text: &str,
    change: &RequirementEdit,
) -> Result<String, EditError> {
    if !path.ends_with(".xml") {
        return Err(EditError::Refused(format!(
            "requirements in `{path}` are not supported"
        )));
    }
    let is_plain = |text: &str| !text.contains(['<', '>', '&']) && !text.is_empty();
    if !is_plain(&change.to) {
        return Err(EditError::Refused(format!(
            "`{}` is not a requirement",
            change.to
        )));
    }

    let root = spans(text).map_err(|error| EditError::Unreadable(error.reason))?;
    let mut places = Vec::new();
    for (owner, dependency) in dependencies(&root) {
        let name = format!(
            "{}:{}",
            dependency.child_text("groupId", text),
            dependency.child_text("artifactId", text)
        );
        let version = dependency.child("version").and_then(Span::text);
        let (true, Some(place)) = (name == change.name, version) else {
            continue;
        };
        let written = text.get(place.0..place.1).unwrap_or_default();
        if written == change.from {
            places.push(place);
        } else if let Some(place) = property(text, [owner, &root], written, change)? {
            places.push(place);
        }
    }

    // From the end, so that earlier positions stay valid.
    places.sort_unstable();
    places.dedup();
    if places.is_empty() {
        return Err(EditError::NotFound {
            name: change.name.clone(),
            requirement: change.from.clone(),
        });
    }
    let mut changed = text.to_owned();
    for place in places.into_iter().rev() {
        changed = splice(&changed, place, &change.to).ok_or_else(|| {
            EditError::Unreadable("the position of a version is not known".to_owned())
        })?;
    }
    Ok(changed)
}

/// The dependencies of the project and its profiles, managed ones included, each with the project or
/// the profile.
pub(super) fn dependencies(root: &Span) -> Vec<(&Span, &Span)> {
    let profiles = root.all("profiles").flat_map(|list| list.all("profile"));
    let mut found = Vec::new();
    for owner in profiles.chain([root]) {
        let managed = owner.child("dependencyManagement");
        for list in [Some(owner), managed].into_iter().flatten() {
            let list = list.child("dependencies").into_iter();
            found.extend(
                list.flat_map(|list| list.all("dependency"))
                    .map(|one| (owner, one)),
            );
        }
    }
    found
}

/// The position of a property's value, if the text refers to one with the value of the edit.
fn property(
    text: &str,
    owners: [&Span; 2],
    written: &str,
    change: &RequirementEdit,
) -> Result<Option<(usize, usize)>, EditError> {
    let Some(name) = written
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
    else {
        return Ok(None);
    };
    let place = owners.iter().find_map(|owner| {
        owner
            .child("properties")
            .and_then(|list| list.child(name))
            .and_then(Span::text)
    });
    let Some((start, end)) = place else {
        return Ok(None);
    };
    if text.get(start..end) != Some(change.from.as_str()) {
        return Ok(None);
    }
    if text.matches(written).count() > 1 {
        return Err(EditError::Refused(format!(
            "the property `{name}` is used in several places"
        )));
    }
    Ok(Some((start, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POM: &str = "\u{feff}<project>\r\n\t<properties><v>1.0</v><w>1.0</w></properties>\r\n\
        <dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>\
        <version><!-- why --> 1.0 </version></dependency>\r\n\
        <dependency><groupId>g</groupId><artifactId>b</artifactId><version>${v}</version>\
        </dependency><dependency><groupId>g</groupId><artifactId>c</artifactId>\
        <version>${w}</version></dependency><dependency><groupId>g</groupId>\
        <artifactId>d</artifactId><version>${w}</version></dependency></dependencies></project>";

    fn edit(name: &str, from: &str, to: &str) -> Result<String, EditError> {
        let change = RequirementEdit {
            name: name.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        manifest("pom.xml", POM, &change)
    }

    #[test]
    fn only_the_version_changes() {
        assert_eq!(
            edit("g:a", "1.0", "1.1").unwrap(),
            POM.replace("--> 1.0 <", "--> 1.1 <")
        );
        assert_eq!(
            edit("g:b", "1.0", "1.1").unwrap(),
            POM.replace("<v>1.0<", "<v>1.1<")
        );
    }

    #[test]
    fn a_change_with_other_effects_is_refused() {
        for (name, from, to) in [
            ("g:c", "1.0", "1.1"),
            ("g:a", "0.9", "1.1"),
            ("g:x", "1.0", "1.1"),
            ("g:a", "1.0", "1.1<x/>"),
        ] {
            assert!(edit(name, from, to).is_err(), "{name}");
        }
        let change = RequirementEdit {
            name: "g:a".to_owned(),
            from: "1.0".to_owned(),
            to: "1.1".to_owned(),
        };
        assert!(manifest("pom.xml", "<project>", &change).is_err());
        assert!(manifest("build.gradle", "", &change).is_err());
    }
}

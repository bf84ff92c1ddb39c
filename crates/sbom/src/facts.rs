//! What neither CycloneDX nor SPDX has a field for, as named texts: CycloneDX holds them as
//! properties, SPDX as lines of a package's comment.

use patchgate_model::{Origin, Scope, without_credentials};

/// The property, by name and value, of a CycloneDX document that was written for its statements about
/// vulnerabilities. Its components are no inventory.
pub const VEX_DOCUMENT: (&str, &str) = ("patchgate:document", "vex");

/// What every name begins with.
pub(crate) const PREFIX: &str = "patchgate:";

/// `true` for what stands for the document itself. Packages of such a document are of the scope of
/// run time unless they say another.
pub(crate) const DOCUMENT: &str = "patchgate:document";
/// The ecosystem, where the package URL does not lead to it.
pub(crate) const ECOSYSTEM: &str = "patchgate:ecosystem";
/// The distribution's release, where the package URL does not lead to it.
pub(crate) const DISTRIBUTION: &str = "patchgate:distribution";
/// The name, where the package URL does not lead to it.
pub(crate) const NAME: &str = "patchgate:name";
/// The version, where the package URL does not lead to it.
pub(crate) const VERSION: &str = "patchgate:version";
/// The scope, where it is not that of run time.
pub(crate) const SCOPE: &str = "patchgate:scope";
/// A group of requirements that brings the package; there may be several.
pub(crate) const GROUP: &str = "patchgate:group";
/// The name under which dependents know the package.
pub(crate) const ALIAS: &str = "patchgate:alias";
/// `true` for a package that is shipped within its parent's archive.
pub(crate) const BUNDLED: &str = "patchgate:bundled";
/// Where the package comes from, where that is not just its ecosystem's registry.
pub(crate) const ORIGIN: &str = "patchgate:origin";
/// The commit of an origin that is a git repository.
pub(crate) const COMMIT: &str = "patchgate:commit";
/// A hash that neither CycloneDX nor SPDX knows, as the lockfile writes it.
pub(crate) const INTEGRITY: &str = "patchgate:integrity";
/// The name of a project whose dependencies these are; such a component is no package.
pub(crate) const ROOT: &str = "patchgate:root";
/// The path of a project's manifest.
pub(crate) const MANIFEST: &str = "patchgate:manifest";
/// The requirement of a component for which no file states a version.
pub(crate) const REQUIREMENT: &str = "patchgate:requirement";
/// A line of a file that states the package, where the format has no field for lines.
pub(crate) const LOCATION: &str = "patchgate:location";

const SCOPES: [(Scope, &str); 6] = [
    (Scope::Runtime, "runtime"),
    (Scope::Peer, "peer"),
    (Scope::Optional, "optional"),
    (Scope::Build, "build"),
    (Scope::Test, "test"),
    (Scope::Development, "development"),
];

/// A scope's name.
pub(crate) fn scope_name(scope: Scope) -> &'static str {
    SCOPES
        .iter()
        .find(|(known, _)| *known == scope)
        .map_or("runtime", |(_, name)| name)
}

/// The scope of a name.
pub(crate) fn scope(name: &str) -> Option<Scope> {
    SCOPES
        .iter()
        .find(|(_, known)| *known == name)
        .map(|(scope, _)| *scope)
}

/// An origin as one text, without its commit; `None` for the plain registry.
pub(crate) fn origin_text(origin: &Origin) -> Option<String> {
    Some(match origin {
        Origin::Registry(None) => return None,
        Origin::Registry(Some(address)) => format!("registry+{}", without_credentials(address)),
        Origin::Git { url, .. } => format!("git+{}", without_credentials(url)),
        Origin::Path(None) => "path".to_owned(),
        Origin::Path(Some(path)) => format!("path+{path}"),
        Origin::Url(address) => format!("url+{}", without_credentials(address)),
    })
}

/// The origin that [`origin_text`] and a commit stand for.
pub(crate) fn origin(text: &str, commit: Option<&str>) -> Option<Origin> {
    if text == "path" {
        return Some(Origin::Path(None));
    }

    let (kind, rest) = text.split_once('+')?;
    let rest = rest.to_owned();

    match kind {
        "registry" => Some(Origin::Registry(Some(rest))),
        "git" => Some(Origin::Git {
            url: rest,
            commit: commit.map(str::to_owned),
        }),
        "path" => Some(Origin::Path(Some(rest))),
        "url" => Some(Origin::Url(rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_lead_back() {
        for (given, commit) in [
            (
                Origin::Registry(Some("https://r.invalid/".to_owned())),
                None,
            ),
            (
                Origin::Git {
                    url: "https://g.invalid/a#b".to_owned(),
                    commit: Some("c".to_owned()),
                },
                Some("c"),
            ),
            (Origin::Path(None), None),
            (Origin::Path(Some("../a+b".to_owned())), None),
            (Origin::Url("https://u.invalid/a.tgz".to_owned()), None),
        ] {
            let text = origin_text(&given).unwrap();
            assert_eq!(origin(&text, commit), Some(given));
        }

        assert_eq!(origin_text(&Origin::Registry(None)), None);
        assert_eq!(origin("ftp", None), None);
    }
}

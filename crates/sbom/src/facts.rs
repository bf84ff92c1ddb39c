//! Facts: named texts for values that have no field in CycloneDX or SPDX. In CycloneDX they are
//! properties, in SPDX lines of a package's comment.

use patchgate_model::{Origin, Scope, without_credentials};

/// The property (name and value) that marks a CycloneDX document as written for its statements about
/// vulnerabilities. The components of such a document are not an inventory.
pub const VEX_DOCUMENT: (&str, &str) = ("patchgate:document", "vex");

/// The prefix of every fact's name.
pub(crate) const PREFIX: &str = "patchgate:";

/// `true` for the component that represents the document itself. In such a document, a package
/// without [`SCOPE`] has the scope of run time.
pub(crate) const DOCUMENT: &str = "patchgate:document";
/// The ecosystem, unless the package URL implies it.
pub(crate) const ECOSYSTEM: &str = "patchgate:ecosystem";
/// The distribution's release, unless the package URL implies it.
pub(crate) const DISTRIBUTION: &str = "patchgate:distribution";
/// The name, unless the package URL implies it.
pub(crate) const NAME: &str = "patchgate:name";
/// The version, unless the package URL implies it.
pub(crate) const VERSION: &str = "patchgate:version";
/// The scope, unless it is that of run time.
pub(crate) const SCOPE: &str = "patchgate:scope";
/// A group of requirements that includes the package; a package can have several.
pub(crate) const GROUP: &str = "patchgate:group";
/// The name by which dependents refer to the package.
pub(crate) const ALIAS: &str = "patchgate:alias";
/// `true` for a package that is shipped within its parent's archive.
pub(crate) const BUNDLED: &str = "patchgate:bundled";
/// The origin of the package, unless that is its ecosystem's registry.
pub(crate) const ORIGIN: &str = "patchgate:origin";
/// The commit of an origin that is a git repository.
pub(crate) const COMMIT: &str = "patchgate:commit";
/// A hash of an algorithm that CycloneDX and SPDX do not have, in the form of the lockfile.
pub(crate) const INTEGRITY: &str = "patchgate:integrity";
/// The name of a project with dependencies; such a component is not a package.
pub(crate) const ROOT: &str = "patchgate:root";
/// The path of a project's manifest.
pub(crate) const MANIFEST: &str = "patchgate:manifest";
/// The requirement of a component without a version in any file.
pub(crate) const REQUIREMENT: &str = "patchgate:requirement";
/// The path and the line of a file that lists the package, for formats without a field for lines.
pub(crate) const LOCATION: &str = "patchgate:location";

const SCOPES: [(Scope, &str); 6] = [
    (Scope::Runtime, "runtime"),
    (Scope::Peer, "peer"),
    (Scope::Optional, "optional"),
    (Scope::Build, "build"),
    (Scope::Test, "test"),
    (Scope::Development, "development"),
];

pub(crate) fn scope_name(scope: Scope) -> &'static str {
    SCOPES
        .iter()
        .find(|(known, _)| *known == scope)
        .map_or("runtime", |(_, name)| name)
}

/// The scope with a name; the inverse of [`scope_name`].
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

/// The origin with this text and commit; the inverse of [`origin_text`].
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
                    url: "https://g.invalid/a#egg=b".to_owned(),
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

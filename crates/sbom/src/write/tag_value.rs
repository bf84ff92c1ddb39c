//! Serializer of SPDX 2.3 as `tag: value` lines
//! (<https://spdx.github.io/spdx-spec/v2.3/conformance/>, 4.4).

use std::fmt::Write as _;

use super::spdx::{Document, Package, one_line};

/// The document as lines.
pub(super) fn text(document: &Document<'_>) -> String {
    let mut out = String::new();
    tag(&mut out, "SPDXVersion", document.spdx_version);
    tag(&mut out, "DataLicense", document.data_license);
    tag(&mut out, "SPDXID", document.id);
    tag(&mut out, "DocumentName", document.name);
    tag(&mut out, "DocumentNamespace", &document.document_namespace);

    if let Some(comment) = document.comment {
        block(&mut out, "DocumentComment", comment);
    }
    for creator in &document.creation_info.creators {
        tag(&mut out, "Creator", creator);
    }

    tag(&mut out, "Created", &document.creation_info.created);
    for package in &document.packages {
        out.push('\n');
        write_package(&mut out, package);
    }

    out.push('\n');
    for relationship in &document.relationships {
        let value = format!(
            "{} {} {}",
            relationship.from, relationship.kind, relationship.to
        );
        tag(&mut out, "Relationship", &value);
    }

    out
}

fn write_package(out: &mut String, package: &Package<'_>) {
    tag(out, "PackageName", package.name);
    tag(out, "SPDXID", &package.id);
    if !package.version_info.is_empty() {
        tag(out, "PackageVersion", package.version_info);
    }

    tag(out, "PackageSupplier", package.supplier);
    tag(out, "PackageDownloadLocation", package.download_location);
    tag(
        out,
        "FilesAnalyzed",
        if package.files_analyzed {
            "true"
        } else {
            "false"
        },
    );

    for checksum in &package.checksums {
        let value = format!("{}: {}", checksum.algorithm, checksum.checksum_value);
        tag(out, "PackageChecksum", &value);
    }

    if !package.source_info.is_empty() {
        block(out, "PackageSourceInfo", &package.source_info);
    }

    tag(out, "PackageLicenseConcluded", package.license_concluded);
    tag(out, "PackageLicenseDeclared", package.license_declared);
    tag(out, "PackageCopyrightText", package.copyright_text);

    if !package.comment.is_empty() {
        block(out, "PackageComment", &package.comment);
    }
    for reference in &package.external_refs {
        let value = format!(
            "{} {} {}",
            reference.reference_category, reference.reference_type, reference.reference_locator
        );
        tag(out, "ExternalRef", &value);
    }

    tag(
        out,
        "PrimaryPackagePurpose",
        package.primary_package_purpose,
    );
}

fn tag(out: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{name}: {}", one_line(value));
}

fn block(out: &mut String, name: &str, value: &str) {
    // The format has no escape for the closing tag, so a value that contains it is changed.
    let value = value.replace("</text>", "< /text>");
    let _ = writeln!(out, "{name}: <text>{value}</text>");
}

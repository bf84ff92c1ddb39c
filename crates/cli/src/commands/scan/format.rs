//! The formats of a scan's report.

/// Format of a scan's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text for a person
    Table,
    /// One JSON object; `patchgate schema scan` prints its schema
    Json,
    /// Markdown, for a comment or a job summary
    Markdown,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// One self-contained HTML page
    Html,
    /// Comma-separated values, for a spreadsheet
    Csv,
    /// JUnit XML, for the test results of a CI server
    Junit,
    /// Dependency scanning report of GitLab
    GitlabDependencyScanning,
    /// Code quality report of GitLab
    GitlabCodeQuality,
    /// Snapshot for GitHub's dependency submission API
    GithubSnapshot,
    /// CycloneDX with packages and vulnerabilities (VDR)
    Cyclonedx,
    /// SPDX 2.3 with packages and references to their advisories
    Spdx,
    /// OpenVEX 0.2.0: statements about the suppressed, accepted and open findings
    Openvex,
    /// CycloneDX 1.6 with the same statements
    CyclonedxVex,
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_format_is_documented() {
        let page = include_str!("../../../../../docs/reports.md");
        for format in Format::value_variants() {
            let value = clap::ValueEnum::to_possible_value(format).unwrap();
            let name = value.get_name();
            let row = format!("| `{name}` | ");
            assert!(page.contains(&row), "docs/reports.md has no row for {name}");
        }
    }
}

//! The page without a browser; `tests/browser` opens it in one.

use super::super::tests::rich;
use super::*;

fn options() -> HtmlOptions<'static> {
    HtmlOptions {
        name: "<b>shop</b>",
        time: "2026-01-30T12:00:00Z".parse().unwrap(),
    }
}

#[test]
fn every_part_of_the_page_is_rendered() {
    let page = rich().to_html(&options());
    assert!(page.ends_with("</html>"), "{page}");
    for part in [
        "id=\"incomplete\"",
        "id=\"partial\"",
        "id=\"incident\"",
        "id=\"priorities\"",
        "id=\"upgrades\"",
        "id=\"controls\"",
        "id=\"possible\"",
        "Ignored by the settings",
        "Suppressed by VEX",
        "Notices",
        "Sources",
        "<b>Upgrade to 6.5.3</b> fixes this finding, 1 of them known exploited",
        "known to be exploited since 2024-01-02, also by ransomware",
        "<li>request@2.88.2</li><li>qs@6.5.2</li>",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn what_is_missing_comes_before_the_findings() {
    let page = rich().to_html(&options());
    let at = |text: &str| page.find(text).unwrap();
    assert!(at("id=\"incomplete\"") < at("id=\"incident\""));
    assert!(at("id=\"incident\"") < at("id=\"cards\""));
    assert!(page.contains("Incomplete: not everything could be checked"));
}

#[test]
fn no_text_is_markup() {
    let page = rich().to_html(&options());
    for markup in [
        "<img",
        "<b>shop",
        "<!-- patchgate",
        "href=\"javascript",
        "\u{1b}",
        "\u{202e}",
    ] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;img src=x&gt;"));
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("style=").count(), 0);
}

#[test]
fn the_policy_admits_only_the_style_and_the_script_of_the_page() {
    let page = rich().to_html(&options());
    let between = |from: &str, to: &str| {
        let start = page.find(from).unwrap() + from.len();
        page[start..start + page[start..].find(to).unwrap()].to_owned()
    };
    let policy = between("Content-Security-Policy\" content=\"", "\">").replace("&#39;", "'");
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
            source_hash(&between("<style>", "</style>")),
            source_hash(&between("<script>", "</script>"))
        )
    );
}

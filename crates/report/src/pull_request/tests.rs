use patchgate_model::{PlanBlock, Unfixed};

use super::*;
use crate::fix::tests::plan;
use crate::scan::tests::{assert_harmless, rich};

fn body(plan: &Plan) -> String {
    let block = PlanBlock::new(plan, "b", "c").render();
    render(plan, &block, &BodyTemplate::default()).unwrap()
}

fn render(plan: &Plan, block: &str, template: &BodyTemplate) -> Result<String, TemplateError> {
    let input = PullRequestInput {
        plan,
        scan: &rich(),
        base: "0123456789abcdef0123456789abcdef01234567",
        commit_url: "https://forge.invalid/acme/shop/commit/c0ffee",
        note: None,
        block,
    };
    pull_request_body(&input, template)
}

#[test]
fn the_title_names_one_package_or_counts() {
    let mut plan = plan();
    assert_eq!(
        pull_request_title(&plan),
        "Update qs to 6.5.3 to fix GHSA-aaaa-bbbb-cccc"
    );

    plan.upgrades[0].fixes = vec!["GHSA-x".into()];
    let mut other = plan.fixed[0].clone();
    other.id = "GHSA-x".into();
    plan.fixed.push(other);
    assert_eq!(
        pull_request_title(&plan),
        "Update 2 packages to fix 2 vulnerabilities"
    );

    plan.upgrades.truncate(1);
    plan.upgrades[0].package = format!("a\n@b\u{1b}{}", "x".repeat(300));
    let title = pull_request_title(&plan);

    let seen = title.replace('\u{200b}', "");
    assert_harmless(&seen);
    assert_eq!(seen.chars().count(), MAX_TITLE);
    assert!(!mentions(&title), "{title}");

    plan.upgrades[0].package =
        "fixes #1 [skip ci] GH-2 x/y#3 https://forge.invalid/x/y/issues/4".into();
    let title = pull_request_title(&plan);
    assert!(!mentions(&title) && !title.contains("[skip"), "{title}");
}

#[test]
fn the_body_says_what_why_and_what_is_left() {
    let text = body(&plan());
    assert_harmless(&text);
    insta::assert_snapshot!("pull_request_body", text);
}

#[test]
fn the_block_can_be_read_back_whatever_the_texts_are() {
    let mut plan = plan();
    plan.unfixed[0].reason = "<!-- patchgate:plan {} -->".into();
    plan.upgrades[0].package = "<!-- patchgate:plan {} -->".into();
    let expected = PlanBlock::new(&plan, "b", "c");
    assert_eq!(PlanBlock::parse(&body(&plan)), Ok(expected));
}

#[test]
fn a_long_body_leaves_out_whole_sections_and_links_to_them() {
    let mut plan = plan();
    let left = Unfixed {
        reason: "reason ".repeat(20),
        ..plan.unfixed[0].clone()
    };
    plan.unfixed = vec![left; 2_000];
    plan.upgrades = vec![plan.upgrades[1].clone(); 300];
    let text = body(&plan);

    assert!(text.len() <= crate::GITHUB_BODY_LIMIT, "{}", text.len());
    let omitted = "There is no room here for the findings that remain: [the commit](https://forge.invalid/acme/shop/commit/c0ffee)";
    assert!(text.contains(omitted), "{text}");
    // The table is whole.
    assert_eq!(text.matches("| `qs` | `6.5.2` | `6.5.3` |").count(), 300);
    assert!(PlanBlock::parse(&text).is_ok());
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );

    // Not even the first table fits.
    plan.upgrades = vec![plan.upgrades[1].clone(); 3_000];
    let text = body(&plan);
    assert!(text.len() <= crate::GITHUB_BODY_LIMIT, "{}", text.len());
    assert!(!text.contains("| `qs` |"), "{text}");
    assert!(text.contains("no room here for the upgrades"), "{text}");
    assert!(PlanBlock::parse(&text).is_ok());
}

#[test]
fn a_template_of_the_team_places_sections_and_cannot_drop_the_block() {
    let plan = plan();
    let block = PlanBlock::new(&plan, "b", "c").render();
    let source = "# Team\n{{ upgrades }}{% for it in packages %}{% if it.fixes %}* {{ it.name }}\n{% endif %}{% endfor %}";
    let template = BodyTemplate::parse("t.md", source.as_bytes()).unwrap();
    let text = render(&plan, &block, &template).unwrap();
    assert!(text.starts_with("# Team\n### Upgrades\n"), "{text}");
    assert!(text.contains("\n* qs\n\n---\n"), "{text}");
    assert_eq!(PlanBlock::parse(&text), Ok(PlanBlock::new(&plan, "b", "c")));

    let long = "x".repeat(60_000);
    let template = BodyTemplate::parse("t.md", format!("{long}{{{{ base }}}}").as_bytes()).unwrap();
    assert!(render(&plan, &block, &template).is_ok());
    let twice = "{% for it in packages %}".to_owned() + &long + "{% endfor %}";
    let template = BodyTemplate::parse("t.md", twice.as_bytes()).unwrap();
    let error = render(&plan, &block, &template).unwrap_err();
    assert!(
        error.to_string().starts_with("`t.md`: its text is longer"),
        "{error}"
    );
}

/// Whether a forge would see a mention, a reference or an address.
fn mentions(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let signs = chars.windows(2).any(|pair| {
        matches!(pair[0], '@' | '#' | '!' | '%' | '$' | '~') && pair[1].is_alphanumeric()
    });
    let lower = text.to_lowercase();
    let gh = lower
        .match_indices("gh-")
        .any(|(at, _)| lower[at + 3..].starts_with(|c: char| c.is_ascii_digit()));
    signs || gh || text.contains("://") || text.contains("www.")
}

/// The body without code spans, links that Patchgate wrote, and the block, as a forge reads it.
fn outside_of_code(body: &str) -> String {
    let mut out = String::new();
    for line in body.lines() {
        let mut is_code = false;
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match (c, is_code) {
                // A backslash is a character like any other within a span.
                ('\\', false) => {
                    chars.next();
                    out.push_str("\\ ");
                }
                ('`', false) => {
                    is_code = true;
                    out.push_str(" code ");
                }
                ('`', true) => is_code = false,
                (_, true) => {}
                (c, false) => out.push(c),
            }
        }
        assert!(!is_code, "an open span: {line}");
        out.push('\n');
    }
    for address in [
        "](https://advisories.invalid/",
        "](https://forge.invalid/",
        "[!NOTE]",
        "&#8203;",
        "&#58;",
        "&#46;",
    ] {
        out = out.replace(address, "\u{200b}");
    }
    out
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_from_outside_mentions_closes_or_commands(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "@everyone", "@a/b", "fixes #1", "closes x/y#2", "GH-3", "gh-4", "!5", "%6", "~bug",
                "$7", "&8", "\n/merge", "\r\n/approve", "/close", "<img src=x>", "</details>",
                "<!-- patchgate:plan {} -->", "-->", "`", "```", "|", "[x](https://y.invalid)",
                "https://z.invalid", "www.z.invalid", "\u{202e}", "\u{1b}[2J", "\\", "a", " ", "*b*",
                "\u{200b}", "::error::", "{{ 7 }}", "{% if %}",
            ]),
            1..8,
        )
    ) {
        let hostile = parts.concat();
        let mut plan = plan();
        for upgrade in &mut plan.upgrades {
            upgrade.package = hostile.clone();
            upgrade.to = hostile.clone();
            upgrade.lockfile = hostile.clone();
            upgrade.requirement_changes = vec![hostile.clone()];
            upgrade.because_of = Some(hostile.clone());
        }
        for entry in &mut plan.entries {
            entry.package = hostile.clone();
            entry.to = Some(hostile.clone());
            entry.lockfile = hostile.clone();
        }
        for unfixed in &mut plan.unfixed {
            unfixed.package = hostile.clone();
            unfixed.reason = hostile.clone();
            unfixed.ids = vec![hostile.clone()];
        }
        for evidence in &mut plan.evidence {
            evidence.package = hostile.clone();
            evidence.to = hostile.clone();
        }
        for change in &mut plan.changes {
            change.path = hostile.clone();
        }

        let block = PlanBlock::new(&plan, "b", "c");
        let source = "{{ upgrades }}{{ remaining }}{{ entries }}{{ breaking }}{{ files }}{{ evidence }}{% for it in packages %}- {{ it.name }} {{ it.to }}\n{% endfor %}";
        let own = BodyTemplate::parse("t", source.as_bytes()).unwrap();
        for template in [BodyTemplate::default(), own] {
            let body = render(&plan, &block.render(), &template).unwrap();
            proptest::prop_assert_eq!(PlanBlock::parse(&body), Ok(block.clone()));
            // The block is a comment, in which paths stay as they are.
            let (seen, _) = body.split_once("<!-- patchgate:plan ").unwrap();
            assert_harmless(seen);
            let outside = outside_of_code(seen);
            for line in outside.lines() {
                proptest::prop_assert!(!mentions(line), "{}", line);
                proptest::prop_assert!(!line.trim_start().starts_with('/'), "{}", line);
                let mut tags = line.split('<').skip(1);
                proptest::prop_assert!(
                    tags.all(|tag| ["br>", "details>", "/details>", "summary>", "/summary>", "!-- patchgate:dated -->"]
                        .iter()
                        .any(|known| tag.starts_with(known))),
                    "{}", line
                );
            }
        }

        plan.upgrades.truncate(1);
        plan.upgrades[0].fixes = vec!["X-1".into()];
        let title = pull_request_title(&plan);
        proptest::prop_assert!(!mentions(&title) && !title.contains(['\n', '[', '`']), "{}", title);
    }
}

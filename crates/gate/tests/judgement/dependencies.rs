//! Findings and moves of dependencies.

use patchgate_gate::judge;
use patchgate_model::*;

use crate::evidence::*;

#[test]
fn findings() {
    use Verdict::{Block, Review};

    let set = |e: &mut Evidence, change: fn(&mut FindingComparison)| {
        change(e.findings.as_mut().unwrap());
    };
    expect(
        |e, _| set(e, |f| f.introduced.push(finding("X-1"))),
        Block,
        &["findings-introduced"],
    );
    expect(
        |e, _| set(e, |f| f.ended.clear()),
        Review,
        &["dependency-cause", "findings-ended"],
    );
    let remain = |e: &mut Evidence, p: &mut GatePolicy, limit: f64| {
        p.max_remaining_score = Some(limit);
        e.findings.as_mut().unwrap().remaining = vec![finding("X-2")];
    };
    expect(|e, p| remain(e, p, 61.5), Verdict::Merge, &[]);
    expect(|e, p| remain(e, p, 61.4), Review, &["findings-remaining"]);
    expect(
        |e, p| {
            remain(e, p, 100.0);
            e.findings.as_mut().unwrap().remaining[0].malicious = true;
        },
        Review,
        &["malicious-remaining"],
    );
    expect(
        |e, p| {
            remain(e, p, 100.0);
            e.findings.as_mut().unwrap().remaining[0].score = f64::NAN;
        },
        Review,
        &["findings-remaining"],
    );
}

#[track_caller]
fn moves(before: Vec<u8>, after: Vec<u8>, verdict: Verdict, codes: &[&str]) {
    let judgement = judge(
        &Ok(policy()),
        &evidence_of(&[("a/Cargo.lock", before, after)]),
    );
    assert_eq!(
        (judgement.verdict, against(&judgement)),
        (verdict, codes.to_vec()),
        "{}",
        render(&judgement)
    );
}

#[test]
fn dependency_moves() {
    use Verdict::{Block, Merge, Review};

    let one = |version| lock(&[("smallvec", version)]);
    moves(one("1.6.0"), one("1.6.1"), Merge, &[]);
    moves(one("1.6.0"), one("2.0.0"), Review, &["dependency-bump"]);
    moves(
        one("1.6.1"),
        one("1.6.0"),
        Block,
        &[
            "dependency-bump",
            "dependency-cause",
            "dependency-downgrade",
        ],
    );
    moves(
        one("1.6.0"),
        lock(&[("libc", "0.2.1"), ("smallvec", "1.6.1")]),
        Review,
        &["dependency-added", "dependency-cause"],
    );
    moves(
        lock(&[("libc", "0.2.1"), ("smallvec", "1.6.0")]),
        one("1.6.1"),
        Merge,
        &[],
    );
    moves(one("1.6.0"), one("1.6.0"), Review, &["dependency-bump"]);
}

#[test]
fn a_hidden_downgrade_beside_an_upgrade_is_seen() {
    let two = |a, b| {
        let text = String::from_utf8(lock(&[("smallvec", a), ("smallvec", b)])).unwrap();
        text.replace(" \"smallvec\",", &format!(" \"smallvec {a}\","))
            .into_bytes()
    };
    let judgement = judge(
        &Ok(policy()),
        &evidence_of(&[("Cargo.lock", two("1.6.0", "2.0.0"), two("1.6.0", "1.9.0"))]),
    );

    assert_eq!(judgement.verdict, Verdict::Block, "{}", render(&judgement));
}

#[test]
fn another_hash_or_origin_is_blocked() {
    use Verdict::Block;

    let text = |change: fn(String) -> String| {
        let text = String::from_utf8(lock(&[("libc", "0.2.1"), ("smallvec", "1.6.1")])).unwrap();
        change(text).into_bytes()
    };
    let before = lock(&[("libc", "0.2.1"), ("smallvec", "1.6.0")]);
    let libc = format!("{:0>64}", hex("libc0.2.1"));

    assert!(String::from_utf8(before.clone()).unwrap().contains(&libc));

    moves(
        before.clone(),
        text(|t| t.replace(&format!("{:0>64}", hex("libc0.2.1")), &"0".repeat(64))),
        Block,
        &["dependency-integrity"],
    );
    moves(
        before.clone(),
        text(|t| t.replace(&format!("checksum = \"{:0>64}\"\n", hex("libc0.2.1")), "")),
        Block,
        &["dependency-integrity"],
    );
    moves(
        before,
        text(|t| {
            let (first, last) = t
                .rsplit_once("registry+https://github.com/rust-lang/crates.io-index")
                .unwrap();
            format!("{first}registry+https://mirror.invalid/index{last}")
        }),
        Block,
        &["dependency-origin"],
    );
}

/// The rules about lockfiles do not see what a requirement without a lockfile leads to.
#[test]
fn a_manifest_without_a_changed_lockfile_above_it_is_for_review() {
    let lockfiles = (
        lock(&[("smallvec", "1.6.0")]),
        lock(&[("smallvec", "1.6.1")]),
    );
    let manifest = |version: &str| {
        format!("[package]\nname = \"app\"\n[dependencies]\nsmallvec = \"{version}\"\n")
            .into_bytes()
    };

    let npm = |version: &str| {
        format!(
            r#"{{"lockfileVersion":3,"packages":{{"":{{}},"node_modules/qs":{{"version":"{version}"}}}}}}"#
        )
        .into_bytes()
    };

    for (lockfile, path, verdict) in [
        ("Cargo.lock", "tool/Cargo.toml", Verdict::Merge),
        ("tool/Cargo.lock", "tool/Cargo.toml", Verdict::Merge),
        ("tool/Cargo.lock", "Cargo.toml", Verdict::Review),
        ("tool/Cargo.lock", "toolbox/Cargo.toml", Verdict::Review),
        ("package-lock.json", "tool/Cargo.toml", Verdict::Review),
    ] {
        let changed = match lockfile {
            "package-lock.json" => (npm("6.5.2"), npm("6.5.3")),
            _ => lockfiles.clone(),
        };
        let judgement = judge(
            &Ok(policy()),
            &evidence_of(&[
                (lockfile, changed.0, changed.1),
                (path, manifest("1.6.0"), manifest("1.6.1")),
            ]),
        );
        let is_against = against(&judgement).contains(&"manifest-requirements");
        assert_eq!(
            is_against,
            verdict == Verdict::Review,
            "{lockfile} {path}: {}",
            render(&judgement)
        );
    }
}

/// What could not be read could not be compared, on either side.
#[test]
fn a_lockfile_that_was_read_in_part_needs_a_review() {
    let whole = |version| lock(&[("smallvec", version)]);
    let in_part = |version| {
        let text = String::from_utf8(whole(version)).unwrap();
        // An entry without a version, before the last one.
        text.replacen(
            "[[package]]",
            "[[package]]\nname = \"odd\"\n\n[[package]]",
            1,
        )
        .into_bytes()
    };

    for (before, after, side) in [
        (whole("1.6.0"), in_part("1.6.1"), "head"),
        (in_part("1.6.0"), whole("1.6.1"), "base"),
    ] {
        let evidence = evidence_of(&[("Cargo.lock", before, after)]);
        let judgement = judge(&Ok(policy()), &evidence);
        let text = render(&judgement);

        assert_eq!(judgement.verdict, Verdict::Review, "{text}");
        let reason = format!(
            "`Cargo.lock` on the {side} was read in part: line 3 has a package without `version`"
        );
        assert!(text.contains(&reason), "{text}");
    }
}

#[test]
fn a_manifest_may_change_in_requirements_alone() {
    let lockfiles = (
        lock(&[("smallvec", "1.6.0")]),
        lock(&[("smallvec", "1.6.1")]),
    );
    let before = b"[package]\nname = \"app\"\n[dependencies]\nsmallvec = \"=1.6.0\"\n".to_vec();

    for (after, verdict, codes) in [
        (
            "[package]\nname = \"app\"\n[dependencies]\nsmallvec = \"=1.6.1\"\n",
            Verdict::Merge,
            &[][..],
        ),
        (
            "[package]\nname = \"app\"\nbuild = \"evil.rs\"\n[dependencies]\nsmallvec = \"=1.6.1\"\n",
            Verdict::Review,
            &["manifest-requirements"][..],
        ),
    ] {
        let judgement = judge(
            &Ok(policy()),
            &evidence_of(&[
                ("Cargo.lock", lockfiles.0.clone(), lockfiles.1.clone()),
                ("Cargo.toml", before.clone(), after.as_bytes().to_vec()),
            ]),
        );
        assert_eq!(
            (judgement.verdict, against(&judgement)),
            (verdict, codes.to_vec()),
            "{}",
            render(&judgement)
        );
    }
}

/// Attack 12: a package that no finding is about, within the policy's limit.
#[test]
fn attack_12_an_unplanned_change_is_for_review() {
    let two = |smallvec, libc| lock(&[("libc", libc), ("smallvec", smallvec)]);
    moves(
        two("1.6.0", "0.2.1"),
        two("1.6.1", "0.2.1"),
        Verdict::Merge,
        &[],
    );
    moves(
        two("1.6.0", "0.2.1"),
        two("1.6.1", "0.2.9"),
        Verdict::Review,
        &["dependency-added", "dependency-cause"],
    );
}

/// A copy with the finding is a cause, although another copy keeps it.
#[test]
fn a_finding_that_is_fixed_in_part_is_a_cause() {
    let keys = |versions: &[&str]| FindingKey {
        versions: versions
            .iter()
            .map(|version| (*version).to_owned())
            .collect(),
        ..finding("X-1")
    };
    let comparison = FindingComparison {
        ended: vec![],
        remaining: vec![keys(&["1.4.0"])],
        reduced: vec![keys(&["1.6.0"])],
        introduced: vec![],
    };
    let mut evidence = evidence();
    evidence.findings = Ok(comparison);
    let judgement = judge(&Ok(policy()), &evidence);
    assert_eq!(
        against(&judgement),
        ["findings-ended"],
        "{}",
        render(&judgement)
    );
}

/// Attack 15: a requirement is raised to what a lockfile changes to, and no further.
#[test]
fn attack_15_a_requirement_is_raised_to_a_version_of_the_lockfile() {
    let manifest = |version: &str| {
        format!("[package]\nname = \"app\"\n[dependencies]\nsmallvec = \"{version}\"\n")
    };
    for (before, after, verdict) in [
        ("1.6.0", "1.6.1", Verdict::Merge),
        ("1", "1.6.1", Verdict::Merge),
        ("1.6.0", "1.6.2", Verdict::Review),
        ("=1.6.0", "*", Verdict::Review),
        ("1.6.0", ">=0.0.1", Verdict::Review),
        ("1.6.0", "beta1", Verdict::Review),
    ] {
        let judgement = judge(
            &Ok(policy()),
            &evidence_of(&[
                (
                    "Cargo.lock",
                    lock(&[("smallvec", "1.6.0")]),
                    lock(&[("smallvec", "1.6.1")]),
                ),
                (
                    "Cargo.toml",
                    manifest(before).into(),
                    manifest(after).into(),
                ),
            ]),
        );
        assert_eq!(
            judgement.verdict,
            verdict,
            "{after}: {}",
            render(&judgement)
        );
    }
}

#[test]
fn the_registry_speaks_against_an_entry() {
    let answer = |certain: bool, text: &str| {
        let objection = RegistryObjection {
            certain,
            text: text.to_owned(),
        };
        move |evidence: &mut Evidence, _: &mut GatePolicy| {
            let entries = evidence.safeguards.registry.as_mut().unwrap();
            let mut smallvec = entries.iter_mut().filter(|one| one.package == "smallvec");
            smallvec.next().unwrap().objections = Ok(vec![objection]);
        }
    };
    let code = ["dependency-registry"];
    expect(answer(true, "has another hash"), Verdict::Block, &code);
    expect(answer(false, "is yanked"), Verdict::Review, &code);
    expect(
        |evidence, _| {
            for entry in evidence.safeguards.registry.as_mut().unwrap() {
                entry.objections = Err(Missing::new("it answered 502"));
            }
        },
        Verdict::Review,
        &code,
    );
}

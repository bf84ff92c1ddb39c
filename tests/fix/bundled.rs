//! `patchgate fix` and copies that are shipped inside another package's archive.

use patchgate_testkit::Release;

use crate::fix::examples::fix;
use crate::support::fixture_registry::{files, npm_agrees, npm_lock, npm_lockfile, npm_project};
use crate::support::sandbox::Sandbox;

const MANIFEST: &str = r#"{
  "name": "shop",
  "version": "1.0.0",
  "dependencies": {
    "carrier": "1.0.0"
  }
}
"#;

fn carrier(version: &str, inside: &str) -> Release {
    Release::new("carrier", version, &[("leaf", "^1.0.0")]).bundling(&[("leaf", inside)])
}

/// A project that gets `leaf 1.0.0` inside the archive of `carrier 1.0.0`.
fn shipped(later: Vec<Release>) -> (Sandbox, patchgate_testkit::NpmRegistry) {
    let mut releases = vec![
        Release::new("leaf", "1.0.0", &[]),
        Release::new("leaf", "1.0.1", &[]),
        carrier("1.0.0", "1.0.0"),
    ];
    releases.extend(later);
    let (sandbox, registry) = npm_project(releases, MANIFEST, ("leaf", "1.0.1"));
    npm_lock(&sandbox, &[]);
    let copy = &npm_lockfile(&sandbox)["packages"]["node_modules/carrier/node_modules/leaf"];

    assert_eq!(
        (&copy["version"], &copy["inBundle"]),
        (&"1.0.0".into(), &true.into())
    );
    (sandbox, registry)
}

#[test]
fn a_bundled_copy_is_fixed_by_a_parent_that_bundles_the_fixed_one() {
    let (sandbox, _registry) = shipped(vec![carrier("1.1.0", "1.0.0"), carrier("1.2.0", "1.0.1")]);
    let run = fix(&sandbox, "--apply").expect(0);

    assert!(run.stdout.contains("carrier"), "{}", run.stdout);

    let packages = &npm_lockfile(&sandbox)["packages"];
    assert_eq!(packages["node_modules/carrier"]["version"], "1.2.0");

    let copy = &packages["node_modules/carrier/node_modules/leaf"];
    assert_eq!(
        (&copy["version"], &copy["inBundle"]),
        (&"1.0.1".into(), &true.into())
    );

    npm_agrees(&sandbox);
}

#[test]
fn a_bundled_copy_that_no_parent_fixes_stays_with_its_reason() {
    let (sandbox, _registry) = shipped(vec![carrier("1.1.0", "1.0.0")]);
    let before = files(&sandbox);
    let run = fix(&sandbox, "--apply").expect(1);
    let reported = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let reason = "it is shipped inside the archive of `carrier`, and 1.1.0 does not fix it either";
    assert!(reported.contains(reason), "{}", run.stdout);
    assert!(before == files(&sandbox), "a file changed");
}

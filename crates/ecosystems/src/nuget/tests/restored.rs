//! A solution that the .NET SDK restored, published and listed.

use super::{names, read};
use crate::snapshot_text::snapshot_text;

/// The output of `dotnet list package --include-transitive`.
#[test]
fn lockfiles_of_several_frameworks_are_read() {
    let app = [
        fixture!("restored/src/App/packages.lock.json"),
        fixture!("restored/src/App/App.csproj"),
    ];
    insta::assert_snapshot!("restored_app", snapshot_text(&read(&app).unwrap()));

    let tests = [
        fixture!("restored/test/App.Tests/packages.lock.json"),
        fixture!("restored/test/App.Tests/App.Tests.csproj"),
    ];
    insta::assert_snapshot!("restored_tests", snapshot_text(&read(&tests).unwrap()));
}

#[test]
fn assets_are_read_as_their_lockfile() {
    let files = [
        fixture!("restored/test/App.Tests/obj/project.assets.json"),
        fixture!("restored/test/App.Tests/App.Tests.csproj"),
    ];
    let assets = read(&files).unwrap();

    insta::assert_snapshot!("restored_assets", snapshot_text(&assets));

    let lock = [fixture!("restored/test/App.Tests/packages.lock.json")];
    let mut assets = names(&assets);

    let mut lock = names(&read(&lock).unwrap());
    // The lockfile has no versions for projects, and this project's name in lower case.
    for own in ["App", "app", "Shop.Lib"] {
        assets.retain(|name| *name != format!("{own} 1.0.0"));
        lock.retain(|name| *name != format!("{own} "));
    }

    assets.sort();
    lock.sort();

    assert_eq!(assets, lock);
}

#[test]
fn a_published_program_and_its_assets_are_read() {
    let files = [
        fixture!("published/src/App/obj/project.assets.json"),
        fixture!("published/src/App/App.csproj"),
    ];
    insta::assert_snapshot!("published_assets", snapshot_text(&read(&files).unwrap()));
    let deps = read(&[fixture!("published/App.deps.json")]).unwrap();
    insta::assert_snapshot!("published_deps", snapshot_text(&deps));
}

#[test]
fn a_manifest_of_tools_is_read() {
    let tools = read(&[fixture!("restored/.config/dotnet-tools.json")]).unwrap();
    assert_eq!(
        names(&tools),
        ["dotnet-outdated-tool 2.11.0", "paket 7.1.5"]
    );
}

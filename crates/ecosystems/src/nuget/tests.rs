//! Whole files: the contents of the fixtures, and the traps of the formats.

use patchgate_model::{Lockfile, Scope};

use super::NuGet;
use crate::snapshot_text::snapshot_text;
use crate::test_files::read;
use crate::{Ecosystem as _, Input, ParseError, Siblings, by_purl_type};

macro_rules! fixture {
    ($path:literal) => {
        (
            $path,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/src/nuget/fixtures/read/",
                $path
            ))
            .to_owned(),
        )
    };
}

mod restored;

/// Reads a project with these items.
fn project(items: &str) -> Result<Lockfile, ParseError> {
    let text = format!("<Project>\n<ItemGroup>\n{items}\n</ItemGroup>\n</Project>\n");
    read(&[("App.csproj", text)])
}

fn names(lockfile: &Lockfile) -> Vec<String> {
    lockfile
        .packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version))
        .collect()
}

fn open(lockfile: &Lockfile) -> Vec<String> {
    lockfile
        .unresolved
        .iter()
        .map(|open| format!("{} {}", open.name, open.requirement))
        .collect()
}

#[test]
fn a_lockfile_holds_the_graph_of_each_framework() {
    let files = [
        fixture!("lock/src/App/packages.lock.json"),
        fixture!("lock/src/App/App.csproj"),
    ];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));
}

#[test]
fn a_project_has_the_versions_of_its_lockfile() {
    let files = [
        fixture!("lock/src/App/App.csproj"),
        fixture!("lock/src/App/packages.lock.json"),
    ];
    let locked = read(&files).unwrap();

    assert!(!locked.direct_only);
    insta::assert_snapshot!(snapshot_text(&locked));

    let alone = read(&files[..1]).unwrap();
    assert!(alone.direct_only);
    assert_eq!(names(&alone), ["xunit 2.4.1", "StyleCop.Analyzers 1.1.118"]);
    assert_eq!(open(&alone), ["Newtonsoft.Json 12.0.*"]);
}

#[test]
fn versions_are_managed_centrally() {
    let around = [
        fixture!("central/Directory.Packages.props"),
        fixture!("central/Directory.Build.props"),
        fixture!("central/eng/Versions.props"),
    ];
    insta::assert_snapshot!("central_props", snapshot_text(&read(&around).unwrap()));

    let [packages, build, versions] = around;
    let files = [
        fixture!("central/src/Lib/Lib.fsproj"),
        packages.clone(),
        build.clone(),
        versions.clone(),
    ];

    insta::assert_snapshot!("central_project", snapshot_text(&read(&files).unwrap()));

    let build = read(&[build, packages, versions]).unwrap();
    assert_eq!(names(&build), ["StyleCop.Analyzers 1.1.118"]);
    assert!(!build.direct_only, "the projects below it say that");

    let lock = read(&[fixture!("central/src/App/packages.lock.json")]).unwrap();
    insta::assert_snapshot!("central_lock", snapshot_text(&lock));
}

#[test]
fn a_flat_list_tells_development_from_the_rest() {
    insta::assert_snapshot!(snapshot_text(
        &read(&[fixture!("config/packages.config")]).unwrap()
    ));
}

#[test]
fn a_package_without_a_version_is_told() {
    let text = "<packages><package id=\"git\"/><package id=\"A\" version=\"1.0\"/></packages>";
    let lockfile = read(&[("packages.config", text.to_owned())]).unwrap();
    assert_eq!(names(&lockfile), ["A 1.0"]);
    assert_eq!(open(&lockfile), ["git "]);
}

/// Dependencies for other target frameworks than the project's need not be locked.
#[test]
fn paket_may_leave_out_what_is_restricted() {
    let lock = |dependency: &str| {
        let text = format!("NUGET\n  remote: https://a.invalid\n    A (1.0)\n      {dependency}\n");
        read(&[("paket.lock", text)])
    };
    assert!(lock("B (>= 1.0) - restriction: == net45").is_ok());

    let error = lock("B (>= 1.0)").unwrap_err();
    assert_eq!(
        error.reason,
        "has a dependency on `B`, which it does not lock"
    );
    assert_eq!(error.line, Some(4));
    assert!(error.hint.is_some());
}

/// The format of Paket before 5.0: `specs:`, no final line break, files that need packages.
#[test]
fn old_paket_files_are_read() {
    let text = "NUGET\n  remote: https://a.invalid\n  specs:\n    A (1.0)\n      B (>= 0)\n    B (2.0)\n\
                GITHUB\n  remote: a/b\n  specs:\n    c/d.fsx (0123456789)\n      B";
    let lockfile = read(&[("paket.lock", text.to_owned())]).unwrap();
    assert_eq!(
        names(&lockfile),
        ["A 1.0", "B 2.0", "a/b/c/d.fsx 0123456789"]
    );
}

#[test]
fn restored_assets_hold_graph_and_project() {
    let files = [
        fixture!("assets/obj/project.assets.json"),
        fixture!("assets/App.csproj"),
    ];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));
}

#[test]
fn a_build_lists_the_runtime_that_it_ships() {
    insta::assert_snapshot!(snapshot_text(
        &read(&[fixture!("deps/App.deps.json")]).unwrap()
    ));
}

#[test]
fn tools_serve_developing() {
    let lockfile = read(&[fixture!("tools/.config/dotnet-tools.json")]).unwrap();
    assert_eq!(names(&lockfile), ["dotnet-ef 6.0.5", "paket 7.1.5"]);
    assert!(
        lockfile
            .packages
            .iter()
            .all(|one| one.scope == Scope::Development)
    );
}

#[test]
fn paket_keeps_its_groups_apart() {
    let files = [
        fixture!("paket/paket.lock"),
        fixture!("paket/paket.dependencies"),
    ];
    insta::assert_snapshot!(snapshot_text(&read(&files).unwrap()));

    let (path, text) = &files[1];
    let manifest = Input {
        path,
        bytes: text.as_bytes(),
        siblings: &Siblings::new(),
    };
    let asked: Vec<String> = crate::unresolved(&manifest)
        .unwrap()
        .iter()
        .map(|one| format!("{}: {} `{}`", one.line, one.name, one.requirement))
        .collect();

    assert_eq!(
        asked,
        [
            "5: Argu `~> 6.1`",
            "6: Newtonsoft.Json `= 12.0.3`",
            "11: Fake.Core.Target ``"
        ]
    );
}

#[test]
fn secrets_in_addresses_are_left_out() {
    let lockfile = read(&[fixture!("paket/paket.lock")]).unwrap();
    assert!(!format!("{lockfile:?}").contains("secret"));
    assert!(
        names(&lockfile)
            .iter()
            .any(|one| one.starts_with("files.invalid/Script.fsx"))
    );
}

#[test]
fn what_states_a_version_is_told_from_what_does_not() {
    for (written, version) in [
        ("1.2.3", Some("1.2.3")),
        (" 1.2 ", Some("1.2")),
        ("[1.2.3]", Some("1.2.3")),
        ("[ 1.2.3-beta.1 ]", Some("1.2.3-beta.1")),
        ("[1.2.3, )", None),
        ("[1.0,2.0)", None),
        ("(,1.0]", None),
        ("1.*", None),
        ("*", None),
        ("1.2.3-*", None),
        ("$(Unknown)", None),
        ("$([MSBuild]::Add(1, 2))", None),
    ] {
        let item = format!("<PackageReference Include=\"A\" Version=\"{written}\"/>");
        let lockfile = project(&item).unwrap();
        let stated = lockfile.packages.first().map(|one| one.version.as_str());
        assert_eq!(stated, version, "{written}");
        assert_eq!(
            lockfile.unresolved.len(),
            usize::from(version.is_none()),
            "{written}"
        );
    }
}

#[test]
fn items_are_read_in_every_form() {
    let lockfile = project(
        "<PackageReference Include=\"A;B\"><Version>1.0</Version></PackageReference>\n\
         <PackageReference include=\"C\" version=\"2.0\" Condition=\"false\"/>\n\
         <PackageReference Update=\"D\" Version=\"3.0\"/>\n\
         <PackageReference Include=\"E\"/>\n\
         <PackageReference Update=\"E\" Version=\"4.0\"/>\n\
         <PackageReference Remove=\"A\"/>\n\
         <PackageReference Update=\"F.*\" PrivateAssets=\"all\"/>\n\
         <DotNetCliToolReference Include=\"G\" Version=\"5.0\"/>\n\
         <packagereference Include=\"a\" Version=\"1.0\"/>\n\
         <PackageReference Include=\"$(Unknown);H\" Version=\"6.0\"/>\n\
         <Compile Include=\"x.cs\"/>",
    )
    .unwrap();

    assert_eq!(
        names(&lockfile),
        [
            "A 1.0", "B 1.0", "C 2.0", "D 3.0", "E 4.0", "G 5.0", "H 6.0"
        ]
    );
    assert_eq!(lockfile.packages[5].scope, Scope::Development);
    assert_eq!(lockfile.packages[4].line, 6);
    assert_eq!(open(&lockfile), ["$(Unknown) 6.0"]);
}

#[test]
fn every_branch_of_a_choice_counts() {
    let lockfile = read(&[(
        "App.vbproj",
        "<Project xmlns=\"http://schemas.microsoft.com/developer/msbuild/2003\">\
         <Choose><When Condition=\"a\"><PropertyGroup><V>1.0</V></PropertyGroup></When>\
         <Otherwise><PropertyGroup><V>2.0</V></PropertyGroup></Otherwise></Choose>\
         <Target Name=\"x\"><ItemGroup><PackageReference Include=\"A\" Version=\"$(V)\"/></ItemGroup>\
         </Target></Project>"
            .to_owned(),
    )]);
    assert_eq!(names(&lockfile.unwrap()), ["A 1.0", "A 2.0"]);
}

/// MSBuild uses only the nearest file, which can import the next one.
#[test]
fn the_nearest_files_above_count() {
    let props = |version: &str, import: &str| {
        format!(
            "<Project>{import}<PropertyGroup><V Condition=\"'$(V)' == ''\">{version}</V>\
             </PropertyGroup></Project>"
        )
    };
    let with = |import: &str| {
        read(&[
            (
                "a/b/App.csproj",
                "<Project><ItemGroup><PackageReference Include=\"A\" Version=\"$(V)\"/>\
                 </ItemGroup></Project>"
                    .to_owned(),
            ),
            ("Directory.Build.props", props("1.0", "")),
            ("a/Directory.Build.props", props("2.0", import)),
            ("a/b/c/Directory.Build.props", props("3.0", "")),
        ])
        .unwrap()
    };

    assert_eq!(names(&with("")), ["A 2.0"]);
    for import in [
        "<Import Project=\"..\\Directory.Build.props\"/>",
        "<Import Project=\"$(MSBuildThisFileDirectory)../Directory.Build.props\"/>",
        "<Import Project=\"$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', \
         '$(MSBuildThisFileDirectory)../'))\"/>",
    ] {
        assert_eq!(names(&with(import)), ["A 1.0", "A 2.0"], "{import}");
    }
    // Imports that lead out of the repository, to the file itself, and to a missing file.
    for import in [
        "../../../x.props",
        "Directory.Build.props",
        "none.props",
        "$(X)/a.props",
    ] {
        let import = format!("<Import Project=\"{import}\"/>");
        assert_eq!(names(&with(&import)), ["A 2.0"], "{import}");
    }
}

#[test]
fn an_unreadable_file_around_leaves_versions_unresolved() {
    let lockfile = read(&[
        fixture!("central/src/App/App.csproj"),
        ("central/Directory.Packages.props", "<Project".to_owned()),
    ])
    .unwrap();
    assert_eq!(open(&lockfile), ["Serilog "]);
}

#[test]
fn lockfiles_of_one_project_are_its_own() {
    let lock = |name: &str| {
        format!(
            "{{\"version\": 1, \"dependencies\": {{\"net6.0\": {{\"{name}\": \
             {{\"type\": \"Direct\", \"resolved\": \"1.0.0\"}}}}}}}}"
        )
    };
    let project = "<Project/>".to_owned();
    let manifests = |first: &str| {
        let mut files = vec![
            ("packages.lock.json", lock("Shared")),
            ("packages.My_App.lock.json", lock("Own")),
            ("My App.csproj", project.clone()),
            ("Other.csproj", project.clone()),
            ("sub/Third.csproj", project.clone()),
        ];
        files.sort_by_key(|(path, _)| *path != first);
        let roots = read(&files).unwrap().roots;

        roots
            .into_iter()
            .filter_map(|root| root.manifest)
            .collect::<Vec<_>>()
    };

    assert_eq!(manifests("packages.lock.json"), ["Other.csproj"]);
    assert_eq!(manifests("packages.My_App.lock.json"), ["My App.csproj"]);
}

#[test]
fn utf_16_is_read() {
    let text = include_str!("fixtures/read/config/packages.config");
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let read = |bytes: &[u8]| {
        crate::parse(&Input {
            path: "packages.config",
            bytes,
            siblings: &Siblings::new(),
        })
        .unwrap()
    };

    assert_eq!(read(&bytes), read(text.as_bytes()));
}

#[test]
fn names_are_compared_without_case() {
    assert_eq!(NuGet.normalize_name("Newtonsoft.Json"), "newtonsoft.json");
    assert!(NuGet.compare_versions("1.0", "1.0.0.0").unwrap().is_eq());
    assert!(NuGet.compare_versions("1.*", "1.0").is_err());
    assert_eq!(by_purl_type("nuget").unwrap().name(), "NuGet");
}

#[test]
fn versions_under_conditions_of_their_own_all_count() {
    let lockfile = project(
        "<PackageReference Include=\"A\"><Version Condition=\"x\">1.0</Version>\
         <Version Condition=\"y\">2.0</Version></PackageReference>\n\
         <PackageReference Include=\"B\" Version=\"1.0\"><VersionOverride>3.0</VersionOverride>\
         </PackageReference>\n\
         <PackageReference Include=\"C\" Version=\"1.0\"/>\n\
         <PackageReference Update=\"C\" Version=\"2.0\"/>",
    )
    .unwrap();
    assert_eq!(
        names(&lockfile),
        ["A 1.0", "A 2.0", "B 3.0", "C 1.0", "C 2.0"]
    );
}

/// Only the project itself says that it imports such a file.
#[test]
fn packages_of_imported_files_are_at_the_line_of_the_import() {
    let project = "<Project>\n<Import Project=\"eng/x.targets\"/>\n</Project>".to_owned();
    let imported = "<Project>\n\n\n<ItemGroup><PackageReference Include=\"A\" Version=\"1.0\"/>\
                    </ItemGroup></Project>"
        .to_owned();
    let files = [
        ("App.csproj", project),
        ("eng/x.targets", imported.clone()),
        ("Directory.Build.props", imported.replace('A', "B")),
    ];
    let lockfile = read(&files).unwrap();
    assert_eq!(names(&lockfile), ["A 1.0"]);
    assert_eq!(lockfile.packages[0].line, 2);
}

#[test]
fn an_imported_file_that_cannot_be_read_is_not_empty() {
    let project = "<Project>\n<Import Project=\"eng/x.targets\"/>\n<ItemGroup>\
                   <PackageReference Include=\"A\" Version=\"1.0\"/></ItemGroup></Project>";
    let files = [
        ("App.csproj", project.to_owned()),
        ("eng/x.targets", "<Project><ItemGroup>".to_owned()),
    ];
    let lockfile = read(&files).unwrap();
    assert_eq!(names(&lockfile), ["A 1.0"]);
    let [skipped] = lockfile.skipped.as_slice() else {
        panic!("{:?}", lockfile.skipped);
    };
    assert_eq!(skipped.line, 2);
    assert!(
        skipped
            .reason
            .starts_with("imports `eng/x.targets`, which ")
    );
}

use super::config::{Settings, stated, yarnrc};
use super::*;

fn file(path: &str, content: &str) -> ConfigurationFile {
    ConfigurationFile {
        path: path.to_owned(),
        content: content.as_bytes().to_vec(),
    }
}

#[test]
fn keeps_addresses_of_yarnrc_and_nothing_that_runs() {
    let kept = yarnrc(&[
        file(".yarnrc", "registry \"https://outer.invalid/\"\n"),
        file(
            "app/.yarnrc",
            "registry https://inner.invalid/\r\"@own:registry\" \"https://own.invalid/\"\n\
             yarn-path \"./evil.js\"\n\
             \"@leak:registry\" \"https://leak.invalid/${TOKEN}\"\n\
             cafile evil.pem\n\
             \"registry\" \"file:///etc\"\n\
             script-shell ./evil.sh\n",
        ),
        file("app/.npmrc", "registry=https://npmrc.invalid/\n"),
    ]);
    insta::assert_snapshot!(kept, @r#"
    "registry" "https://outer.invalid/"
    "registry" "https://inner.invalid/"
    "@own:registry" "https://own.invalid/"
    "#);

    let value = |key: &str| stated(&kept, key);
    assert_eq!(value("registry").as_deref(), Some("https://inner.invalid/"));
    assert_eq!(value("@other:registry"), None);
}

#[test]
fn reads_addresses_of_all_directories() {
    let settings = Settings::read(&[
        file(".yarnrc.yml", "npmRegistryServer: https://outer.invalid\nyarnPath: ./evil.js\n"),
        file(
            "app/.yarnrc.yml",
            "npmRegistryServer: \"https://inner.invalid\"\nplugins:\n  - path: ./evil.js\n\
             npmScopes:\n  own:\n    npmRegistryServer: https://own.invalid\n    npmAuthToken: \"${TOKEN}\"\n",
        ),
    ])
    .unwrap();

    assert_eq!(settings.default.as_deref(), Some("https://inner.invalid"));
    let scopes: Vec<(&str, &str)> = settings
        .scopes
        .iter()
        .map(|(scope, address)| (scope.as_str(), address.as_str()))
        .collect();
    assert_eq!(scopes, [("own", "https://own.invalid")]);
}

#[test]
fn an_address_with_a_variable_is_an_error() {
    for text in [
        "npmRegistryServer: \"https://leak.invalid/${TOKEN}\"\n",
        "npmScopes:\n  own:\n    npmRegistryServer: \"${SERVER}\"\n",
        "npmRegistryServer: [\n",
    ] {
        assert!(
            Settings::read(&[file(".yarnrc.yml", text)]).is_err(),
            "{text}"
        );
    }
}

#[test]
fn finds_the_files_from_the_root_down() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("a/b")).unwrap();
    for path in [".npmrc", "a/.yarnrc", "a/b/.yarnrc.yml", "a/b/c.yml"] {
        std::fs::write(root.path().join(path), "x").unwrap();
    }
    let paths = |lockfile: &str| -> Vec<String> {
        let files = Yarn.configuration(root.path(), lockfile);
        files.into_iter().map(|file| file.path).collect()
    };
    assert_eq!(
        paths("a/b/yarn.lock"),
        [".npmrc", "a/.yarnrc", "a/b/.yarnrc.yml"]
    );
    assert_eq!(paths("yarn.lock"), [".npmrc"]);
}

#[test]
fn a_scope_has_a_key_of_its_own() {
    let lockfile = |format| Lockfile {
        format: patchgate_model::FormatId::new(format),
        ..Lockfile::default()
    };
    assert_eq!(Yarn.registry_key(&lockfile(CLASSIC), "@own/a"), "@own");
    assert_eq!(Yarn.registry_key(&lockfile(CLASSIC), "a"), "");
    let later = lockfile("yarn-lock-v8");
    assert_eq!(Yarn.registry_key(&later, "@own/a"), "yarnrc.yml:@own");
    assert_eq!(Yarn.registry_key(&later, "a"), "yarnrc.yml:");
}

#[tokio::test]
async fn the_settings_of_the_repository_count() {
    let options = RunOptions::default();
    let files = [
        file(".yarnrc", "registry \"https://yarnrc.invalid/\"\n"),
        file(
            ".yarnrc.yml",
            "npmScopes:\n  own:\n    npmRegistryServer: https://own.invalid\nnpmRegistryServer: https://all.invalid\n",
        ),
    ];
    let address = async |key| Yarn.registry(key, &files, options).await.unwrap();
    assert_eq!(
        address("").await.as_deref(),
        Some("https://yarnrc.invalid/")
    );
    assert_eq!(
        address("yarnrc.yml:@own").await.as_deref(),
        Some("https://own.invalid")
    );
    assert_eq!(
        address("yarnrc.yml:@x").await.as_deref(),
        Some("https://all.invalid")
    );
}

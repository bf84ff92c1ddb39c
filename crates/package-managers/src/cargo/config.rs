//! The part of a repository's `.cargo/config.toml` that Cargo may see.

use toml_edit::{DocumentMut, Item, Table, TableLike};

/// Keys that are kept of each `[registries.NAME]`.
const REGISTRY: &[&str] = &["index", "protocol"];

/// Keys that are kept of each `[source.NAME]`: replacements that lead to another registry.
/// Directories and vendored sources are not copied, so a source that names one is left out.
const SOURCE: &[&str] = &["registry", "replace-with"];

/// Keys that are kept of `[registry]`.
const DEFAULT: &[&str] = &["default"];

/// Keys that are kept of `[resolver]`: they decide which versions are chosen.
const RESOLVER: &[&str] = &["incompatible-rust-versions"];

/// Keeps the settings of `.cargo/config.toml` files that say where packages come from, as one file.
///
/// The files are those of a directory and the directories above it, outermost first; as with Cargo,
/// an inner one decides where both have a key. Everything else goes: `[build]`, `[target]`,
/// `[alias]`, `[env]`, `[http]`, credential providers and paths are ways to run a program or to
/// listen in. A file that is not TOML gives nothing.
#[must_use]
pub(super) fn filter_config<'a>(configurations: impl IntoIterator<Item = &'a str>) -> String {
    let mut kept = DocumentMut::new();
    for configuration in configurations {
        let Ok(document) = configuration.parse::<DocumentMut>() else {
            continue;
        };

        for (section, keys) in [("registries", REGISTRY), ("source", SOURCE)] {
            let entries = document.get(section).and_then(Item::as_table_like);
            for (name, entry) in entries.into_iter().flat_map(TableLike::iter) {
                if let Some(entry) = entry.as_table_like() {
                    let section = table(kept.as_table_mut(), section);
                    section.set_implicit(true);
                    keep(table(section, name), entry, keys);
                }
            }
        }

        for (section, keys) in [("registry", DEFAULT), ("resolver", RESOLVER)] {
            if let Some(entry) = document.get(section).and_then(Item::as_table_like) {
                keep(table(kept.as_table_mut(), section), entry, keys);
            }
        }
    }

    if let Some(sources) = kept.get_mut("source").and_then(Item::as_table_mut) {
        // A replacement may lead to a source of another file, so this is for the whole.
        drop_dangling(sources);
    }

    kept.retain(|_, item| item.as_table().is_some_and(|table| !table.is_empty()));
    kept.to_string()
}

/// The table under a key, created when it does not exist.
fn table<'a>(parent: &'a mut Table, key: &str) -> &'a mut Table {
    let item = parent.entry(key).or_insert_with(toml_edit::table);
    if !item.is_table() {
        *item = toml_edit::table();
    }
    #[expect(clippy::expect_used, reason = "the line above made it one")]
    item.as_table_mut().expect("a table")
}

/// Takes over some keys, and only their texts.
fn keep(kept: &mut Table, entry: &dyn TableLike, keys: &[&str]) {
    for key in keys {
        if let Some(text) = entry.get(key).and_then(Item::as_str) {
            kept.insert(key, toml_edit::value(text));
        }
    }
}

/// Removes replacements that lead to a source that was not kept, until none is left.
fn drop_dangling(sources: &mut Table) {
    loop {
        let known: Vec<String> = sources
            .iter()
            .filter(|(_, source)| {
                source
                    .as_table_like()
                    .is_some_and(|source| !source.is_empty())
            })
            .map(|(name, _)| name.to_owned())
            .collect();
        let dangling: Vec<String> = sources
            .iter()
            .filter(|(name, source)| {
                let target = source.get("replace-with").and_then(Item::as_str);
                !known.contains(&(*name).to_owned())
                    || target.is_some_and(|target| !known.contains(&target.to_owned()))
            })
            .map(|(name, _)| name.to_owned())
            .collect();
        if dangling.is_empty() {
            return;
        }

        for name in dangling {
            sources.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_registries_and_nothing_that_runs() {
        insta::assert_snapshot!(
            filter_config([r#"
                [build]
                rustc = "./evil"
                rustc-wrapper = "./evil"
                [target.x86_64-unknown-linux-gnu]
                runner = "./evil"
                linker = "./evil"
                [alias]
                update = "run"
                [env]
                PATH = "."
                [http]
                proxy = "evil.invalid"
                cainfo = "evil.pem"
                [registry]
                default = "ours"
                global-credential-providers = ["./evil"]
                token = "secret"
                [registries.ours]
                index = "sparse+https://ours.invalid/index/"
                token = "secret"
                credential-provider = ["./evil"]
                [source.crates-io]
                replace-with = "mirror"
                [source.mirror]
                registry = "sparse+https://mirror.invalid/"
                [source.vendored]
                directory = "vendor"
                "#]),
            @r#"
        [registries.ours]
        index = "sparse+https://ours.invalid/index/"

        [source.crates-io]
        replace-with = "mirror"

        [source.mirror]
        registry = "sparse+https://mirror.invalid/"

        [registry]
        default = "ours"
        "#
        );
    }

    #[test]
    fn a_replacement_by_a_vendored_folder_goes_with_the_folder() {
        assert_eq!(
            filter_config([
                "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n"
            ]),
            ""
        );
    }

    #[test]
    fn what_is_not_toml_gives_nothing() {
        assert_eq!(filter_config(["[[["]), "");
    }

    #[test]
    fn every_folder_adds_and_the_inner_one_decides() {
        insta::assert_snapshot!(
            filter_config([
                "[source.mirror]\nregistry = \"sparse+https://outer.invalid/\"\n[registries.ours]\nindex = \"sparse+https://ours.invalid/\"\n",
                "not [ toml",
                "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+https://inner.invalid/\"\n[resolver]\nincompatible-rust-versions = \"allow\"\n",
            ]),
            @r#"
        [registries.ours]
        index = "sparse+https://ours.invalid/"

        [source.mirror]
        registry = "sparse+https://inner.invalid/"

        [source.crates-io]
        replace-with = "mirror"

        [resolver]
        incompatible-rust-versions = "allow"
        "#
        );
    }
}

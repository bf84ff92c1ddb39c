//! The part of a repository's `.cargo/config.toml` that Cargo may see.

use toml_edit::{DocumentMut, Item, Table, TableLike};

/// Keys that are kept of each `[registries.NAME]`.
const REGISTRY: &[&str] = &["index", "protocol"];

/// Keys that are kept of each `[source.NAME]`: replacements that lead to another registry. Folders
/// and vendored sources are not copied, so a source that names one is left out.
const SOURCE: &[&str] = &["registry", "replace-with"];

/// Keys that are kept of `[resolver]`: they decide which versions are chosen.
const RESOLVER: &[&str] = &["incompatible-rust-versions"];

/// Keeps the settings of a `.cargo/config.toml` that say where packages come from.
///
/// Everything else goes: `[build]`, `[target]`, `[alias]`, `[env]`, `[http]`, credential providers
/// and paths are ways to run a program or to listen in. A file that is not TOML gives nothing.
#[must_use]
pub fn filter_config(config: &str) -> String {
    let Ok(document) = config.parse::<DocumentMut>() else {
        return String::new();
    };
    let mut kept = DocumentMut::new();
    for (section, keys) in [("registries", REGISTRY), ("source", SOURCE)] {
        let Some(entries) = document.get(section).and_then(Item::as_table_like) else {
            continue;
        };
        let mut filtered = Table::new();
        filtered.set_implicit(true);
        for (name, entry) in entries.iter() {
            let Some(entry) = entry.as_table_like() else {
                continue;
            };
            filtered.insert(name, Item::Table(only(entry, keys)));
        }
        drop_dangling(section, &mut filtered);
        if !filtered.is_empty() {
            kept.insert(section, Item::Table(filtered));
        }
    }
    for (section, keys) in [("registry", &["default"][..]), ("resolver", RESOLVER)] {
        if let Some(table) = document.get(section).and_then(Item::as_table_like) {
            let table = only(table, keys);
            if !table.is_empty() {
                kept.insert(section, Item::Table(table));
            }
        }
    }
    kept.to_string()
}

/// A table with some of its keys, and only their texts.
fn only(table: &dyn TableLike, keys: &[&str]) -> Table {
    let mut kept = Table::new();
    for key in keys {
        if let Some(text) = table.get(key).and_then(Item::as_str) {
            kept.insert(key, toml_edit::value(text));
        }
    }
    kept
}

/// Removes replacements that lead to a source that was not kept, until none is left.
fn drop_dangling(section: &str, sources: &mut Table) {
    if section != "source" {
        return;
    }
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
            filter_config(
                r#"
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
                "#
            ),
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
            filter_config(
                "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n"
            ),
            ""
        );
    }

    #[test]
    fn what_is_not_toml_gives_nothing() {
        assert_eq!(filter_config("[[["), "");
    }
}

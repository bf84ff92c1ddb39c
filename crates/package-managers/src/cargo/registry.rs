//! The address of a registry, as Cargo itself reports it, so that this crate contains no address.

use crate::scratch::Scratch;
use crate::{ConfigurationFile, RelockError, RunOptions, process};

/// A project that needs one crate of the default registry. No crate of the name has to exist:
/// Cargo reads the registry's own configuration first.
const MANIFEST: &str = "[package]\nname = \"ask\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[dependencies]\nasked = \"1\"\n";

/// A proxy that nothing listens at. Cargo then names the address that it could not reach.
const NOWHERE: &str = "http://127.0.0.1:1";

/// The base address of the sparse index that crates of a `Cargo.lock` source come from.
///
/// `source` is the source as the lockfile writes it. The default registry's has the address of an
/// index that is not downloaded any more, so Cargo is asked which it uses instead: with the user's
/// configuration, an empty cache, and no way out.
///
/// # Errors
/// When Cargo is not installed, or takes crates from something that is not a sparse index.
pub(super) async fn registry(
    source: &str,
    configuration: &[ConfigurationFile],
    options: RunOptions,
) -> Result<String, RelockError> {
    if let Some(address) = source.strip_prefix("sparse+") {
        return Ok(address.to_owned());
    }

    let scratch = Scratch::new()?;
    scratch.write("project/Cargo.toml", MANIFEST.as_bytes())?;
    scratch.write("project/src/lib.rs", b"")?;
    super::write_configuration(&scratch, "project/.cargo/config.toml", configuration)?;
    let home = scratch.path().join("home");
    scratch.write("home/config.toml", user_configuration().as_bytes())?;
    let home = home.to_string_lossy().into_owned();
    let environment = [
        ("CARGO_HOME", home.as_str()),
        ("CARGO_HTTP_PROXY", NOWHERE),
        ("CARGO_NET_RETRY", "0"),
        ("CARGO_NET_OFFLINE", "false"),
    ];
    let folder = scratch.path().join("project");
    let arguments = ["update", "--color=never"];
    let output = process::run("cargo", &arguments, &folder, &environment, options.timeout).await?;
    super::explain::toolchain_error(&output)?;

    address(&output.stderr).ok_or_else(|| RelockError::Failed {
        command: process::shown("cargo", &arguments),
        reason: "it names no sparse index for its registry".to_owned(),
    })
}

/// The user's own configuration, filtered as a repository's is: only where crates come from
/// matters, and a proxy of the user's would be reached.
fn user_configuration() -> String {
    let folder = std::env::var_os("CARGO_HOME")
        .map(std::path::PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let Some(folder) = folder else {
        return String::new();
    };

    ["config.toml", "config"]
        .iter()
        .find_map(|name| std::fs::read_to_string(folder.join(name)).ok())
        .map(|config| super::filter_config([config.as_str()]))
        .unwrap_or_default()
}

/// The address of an index in Cargo's complaint that it could not be reached.
fn address(stderr: &str) -> Option<String> {
    let (_, rest) = stderr.split_once("failed to download from `")?;
    let (address, _) = rest.split_once('`')?;
    let base = address.strip_suffix("config.json")?;
    base.starts_with("http").then(|| base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_complaint() {
        assert_eq!(
            address("Caused by:\n  failed to download from `https://index.invalid/config.json`\n")
                .as_deref(),
            Some("https://index.invalid/")
        );
        assert_eq!(
            address("error: failed to fetch `https://git.invalid/index`"),
            None
        );
    }

    #[tokio::test]
    async fn a_sparse_source_names_its_own_address() {
        let address = registry(
            "sparse+https://ours.invalid/index/",
            &[],
            RunOptions::default(),
        )
        .await
        .unwrap();
        assert_eq!(address, "https://ours.invalid/index/");
    }
}

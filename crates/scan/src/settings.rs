//! Settings of a repository, read from disk.

use std::path::{Component, Path};

use patchgate_config::Config;
use patchgate_fs::ReadError;
use patchgate_model::UserError;

/// Name of the settings file at the root of a repository.
pub const SETTINGS_FILE: &str = ".patchgate.yml";

/// Largest settings file, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads the settings in `file`, or else the repository's own file, or else returns the defaults.
///
/// The repository's own file is hostile input. It must be a regular file of the repository, because
/// an error quotes the file, and a link to a secret of the machine would print the secret. A file
/// that the user names may be anywhere; the same rules apply to one below the repository.
///
/// # Errors
/// When the file cannot be read or has no valid settings. Every error in it is named with its line.
pub fn load_settings(file: Option<&Path>, root: &Path) -> Result<Config, UserError> {
    let named = file.filter(|path| !path.as_os_str().is_empty());
    let Some(path) = named else {
        return own_settings(root);
    };

    let name = path.display().to_string();
    let is_of_repository = is_below(path, root);
    if is_of_repository {
        patchgate_fs::check_inside(root, path).map_err(|error| unreadable(&name, &error))?;
    }

    let bytes =
        patchgate_fs::read_named(path, MAX_BYTES).map_err(|error| unreadable(&name, &error))?;
    let config = parse(&name, &bytes)?;
    if is_of_repository {
        check_store(&name, &config, root)?;
    }

    Ok(config)
}

/// The settings of the repository itself.
fn own_settings(root: &Path) -> Result<Config, UserError> {
    // A link whose target does not exist is not an absent file.
    if std::fs::symlink_metadata(root.join(SETTINGS_FILE)).is_err() {
        return Ok(Config::default());
    }

    let bytes = patchgate_fs::read_inside(root, SETTINGS_FILE, MAX_BYTES)
        .map_err(|error| unreadable(SETTINGS_FILE, &error))?;
    let config = parse(SETTINGS_FILE, &bytes)?;
    check_store(SETTINGS_FILE, &config, root)?;

    Ok(config)
}

fn parse(name: &str, bytes: &[u8]) -> Result<Config, UserError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| UserError::usage(format!("`{name}` is not UTF-8")))?;
    patchgate_config::parse(name, text).map_err(|errors| UserError::usage(errors.to_string()))
}

fn unreadable(name: &str, error: &ReadError) -> UserError {
    match error {
        ReadError::Io(error) => UserError::usage(format!("cannot read `{name}`: {error}")),
        other => UserError::usage(format!("`{name}` {other}")),
    }
}

/// Whether a path names a file below a directory, before any link is followed.
fn is_below(path: &Path, directory: &Path) -> bool {
    match (std::path::absolute(path), std::path::absolute(directory)) {
        (Ok(path), Ok(directory)) => path.starts_with(directory),
        _ => true,
    }
}

/// Checks that the store is inside the repository. Otherwise anyone who can write the settings
/// could choose any directory of the machine.
fn check_store(name: &str, config: &Config, root: &Path) -> Result<(), UserError> {
    let Some(store) = &config.store.path else {
        return Ok(());
    };

    let store = Path::new(store);
    let is_relative = store
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let leads_out = matches!(
        patchgate_fs::check_inside(root, &root.join(store)),
        Err(ReadError::LeadsOut)
    );

    if is_relative && !leads_out {
        return Ok(());
    }
    Err(UserError::usage(format!(
        "`{name}` names the store `{}`, which is outside of the repository",
        store.display()
    ))
    .with_hint("name a path below the repository's root, or use `--store`"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A repository next to the file `secret`.
    fn repository() -> (tempfile::TempDir, std::path::PathBuf) {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().join("repository");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(top.path().join("secret"), "_authToken: hunter2\n").unwrap();
        (top, root)
    }

    #[test]
    fn settings_that_are_a_link_out_of_the_repository_are_not_read() {
        let (top, root) = repository();
        symlink(top.path().join("secret"), root.join(SETTINGS_FILE)).unwrap();

        for file in [None, Some(root.join(SETTINGS_FILE))] {
            let error = load_settings(file.as_deref(), &root).unwrap_err();
            assert!(error.is_usage());
            assert!(error.to_string().contains("leads out"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn named_settings_behind_a_directory_that_leads_out_are_not_read() {
        let (top, root) = repository();
        symlink(top.path(), root.join("ci")).unwrap();
        let error = load_settings(Some(&root.join("ci/secret")), &root).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_link_inside_the_repository_is_followed() {
        let (_top, root) = repository();
        std::fs::write(root.join("real.yml"), "version: 1\n").unwrap();
        symlink("real.yml", root.join(SETTINGS_FILE)).unwrap();
        load_settings(None, &root).unwrap();
    }

    #[test]
    fn a_link_to_nothing_is_not_an_absent_file() {
        let (_top, root) = repository();
        symlink("absent.yml", root.join(SETTINGS_FILE)).unwrap();
        load_settings(None, &root).unwrap_err();
    }

    #[test]
    fn a_named_pipe_and_a_directory_are_refused() {
        let (_top, root) = repository();
        std::fs::create_dir(root.join(SETTINGS_FILE)).unwrap();
        let error = load_settings(None, &root).unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }

    #[test]
    fn settings_of_the_user_may_be_anywhere() {
        let (top, root) = repository();
        let file = top.path().join("settings.yml");
        std::fs::write(&file, "version: 1\nstore: { path: /var/lib/store }\n").unwrap();
        load_settings(Some(&file), &root).unwrap();
    }

    #[test]
    fn a_store_outside_of_the_repository_is_refused() {
        let (top, root) = repository();
        symlink(top.path(), root.join("link")).unwrap();

        for store in ["/etc", "../store", "a/../../b", "link"] {
            let text = format!("version: 1\nstore: {{ path: {store} }}\n");
            std::fs::write(root.join(SETTINGS_FILE), text).unwrap();
            let error = load_settings(None, &root).unwrap_err();
            assert!(error.to_string().contains("outside"), "{store}: {error}");
        }

        std::fs::write(
            root.join(SETTINGS_FILE),
            "version: 1\nstore: { path: ./ci/store }\n",
        )
        .unwrap();
        load_settings(None, &root).unwrap();
    }
}

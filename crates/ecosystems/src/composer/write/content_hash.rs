//! The hash of the parts of a `composer.json` that a lockfile depends on (`Locker::getContentHash`,
//! <https://github.com/composer/composer/blob/main/src/Composer/Package/Locker.php>).

use md5::{Digest as _, Md5};

use crate::composer::php_json;
use crate::syntax::json;

/// The keys that count, besides `config.platform`, in PHP's order of keys.
const KEYS: [&str; 12] = [
    "config",
    "conflict",
    "extra",
    "minimum-stability",
    "name",
    "prefer-stable",
    "provide",
    "replace",
    "repositories",
    "require",
    "require-dev",
    "version",
];

/// The hash in hexadecimal.
///
/// # Errors
/// If the manifest cannot be read, or has numbers that PHP may print in another way.
pub(super) fn content_hash(manifest: &str) -> Result<String, String> {
    let document = json(manifest).map_err(|error| error.to_string())?;
    if !document.is_map() {
        return Err("it is not an object".to_owned());
    }

    let mut relevant = Vec::new();
    for name in KEYS {
        let Some((key, value)) = document.entry(name) else {
            continue;
        };
        if name != "config" {
            relevant.push((key.clone(), value.clone()));
            continue;
        }
        // PHP's `isset` is false for null.
        let platform = value.entry("platform");
        if let Some((key, platform)) = platform.filter(|(_, platform)| !platform.is_null()) {
            let config = php_json::map(vec![(key.clone(), platform.clone())]);
            relevant.push((php_json::key("config"), config));
        }
    }

    let relevant = php_json::map(relevant);
    if !php_json::is_printable(&relevant) {
        return Err("it has numbers that PHP may print in another way".to_owned());
    }
    let digest = Md5::digest(php_json::compact(&relevant).as_bytes());
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_composer() {
        // Computed by Composer 2.5.5.
        for (manifest, expected) in [
            ("{}", "d751713988987e9331980363e24189ce"),
            (FULL, "aaa62e058b21db0d17b7d40d1b89da5d"),
        ] {
            assert_eq!(content_hash(manifest).unwrap(), expected, "{manifest}");
        }
        assert!(content_hash("{\"extra\": {\"x\": 1.5}}").is_err());
        assert!(content_hash("[]").is_err());
        assert!(content_hash("{").is_err());
    }

    const FULL: &str = r#"{
        "name": "acme/app", "type": "project", "description": "not counted",
        "require": {"php": ">=8.1", "acme/a": "^1.0 || ^2.0"},
        "require-dev": {},
        "repositories": [{"type": "composer", "url": "https://repo.invalid/é"}, {"packagist": false}],
        "extra": {"x": {"0": "a", "1": 2}, "y": [true, null]},
        "config": {"platform": {"php": "8.1.0"}, "sort-packages": true},
        "minimum-stability": "stable", "prefer-stable": true
    }"#;
}

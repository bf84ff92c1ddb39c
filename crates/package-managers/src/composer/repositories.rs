//! The repositories of a project: those of its `composer.json`, and those that Composer adds from the
//! user's configuration and by default.

use patchgate_syntax::{Node, Value};
use serde_json::json;

use crate::manager::is_web_address;
use crate::{ConfigurationFile, RelockError};

/// Most repositories that are read.
const MAX_REPOSITORIES: usize = 200;

/// The repositories that a project states.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stated {
    /// Addresses of repositories of packages, in their order.
    pub(super) addresses: Vec<String>,
    /// Whether there are repositories of other kinds: directories, version control, archives.
    pub(super) has_others: bool,
    /// Names of the repositories that it turns off: the default one.
    off: Vec<String>,
}

impl Stated {
    /// Reads the manifest among the files.
    ///
    /// # Errors
    /// When it is not JSON.
    pub(super) fn read(configuration: &[ConfigurationFile]) -> Result<Self, RelockError> {
        let Some(file) = configuration.first() else {
            return Ok(Self::default());
        };
        let unusable = |reason: String| RelockError::Unusable {
            path: file.path.clone(),
            reason,
        };
        let text = std::str::from_utf8(&file.content)
            .map_err(|_| unusable("it is not UTF-8".to_owned()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document =
            patchgate_syntax::json(text).map_err(|error| unusable(format!("it {error}")))?;
        let mut stated = Self::default();
        let Some(repositories) = document.get("repositories") else {
            return Ok(stated);
        };
        for (name, one) in elements(repositories).take(MAX_REPOSITORIES) {
            stated.add(name, one);
        }
        Ok(stated)
    }

    fn add(&mut self, name: Option<&str>, one: &Node<'_>) {
        let is_off = |value: &Node<'_>| value.value == Value::Bool(false);
        if let Some(name) = name.filter(|_| is_off(one)) {
            self.off.push(name.to_owned());
            return;
        }
        // In a list, a repository is turned off by a map of its own.
        if let [(key, value)] = one.entries()
            && is_off(value)
        {
            self.off.push(key.name.to_string());
            return;
        }

        let text = |key: &str| one.get(key).and_then(Node::text);
        match (text("type"), text("url")) {
            (Some("composer"), Some(url)) if is_web_address(url) => {
                self.addresses.push(url.to_owned());
            }
            _ => self.has_others = true,
        }
    }

    /// A manifest with nothing but these addresses.
    pub(super) fn manifest(&self) -> String {
        let mut repositories: Vec<serde_json::Value> = self
            .addresses
            .iter()
            .map(|url| json!({"type": "composer", "url": url}))
            .collect();
        repositories.extend(self.off.iter().map(|name| json!({name: false})));
        json!({"repositories": repositories}).to_string()
    }
}

/// The addresses of the repositories that Composer printed, in its order.
///
/// # Errors
/// When it is not a list or map of repositories.
pub(super) fn printed(output: &str) -> Result<Vec<String>, RelockError> {
    let failed = |reason: String| RelockError::Failed {
        command: super::CONFIG.join(" "),
        reason,
    };
    // Composer may print warnings before it.
    let text = output
        .lines()
        .map(str::trim)
        .rfind(|line| line.starts_with(['{', '[']));
    let text = text.ok_or_else(|| failed("it prints no repositories".to_owned()))?;
    let document =
        patchgate_syntax::json(text).map_err(|error| failed(format!("its output {error}")))?;
    let addresses = elements(&document).filter_map(|(_, one)| {
        let text = |key: &str| one.get(key).and_then(Node::text);
        text("url").filter(|url| text("type") == Some("composer") && is_web_address(url))
    });
    Ok(addresses.map(str::to_owned).collect())
}

fn elements<'n, 'a>(node: &'n Node<'a>) -> impl Iterator<Item = (Option<&'n str>, &'n Node<'a>)> {
    let listed = node.items().iter().map(|one| (None, one));
    listed.chain(
        node.entries()
            .iter()
            .map(|(key, one)| (Some(&*key.name), one)),
    )
}

/// The repository that packages with a notification address are from: the only one, or the one with
/// the same host or domain.
pub(super) fn of_notification<'r>(addresses: &'r [String], notification: &str) -> Option<&'r str> {
    if let [only] = addresses {
        return Some(only);
    }
    let wanted = host(notification)?;
    let mut matching = addresses
        .iter()
        .filter(|address| host(address) == Some(wanted));
    let mut related = addresses
        .iter()
        .filter(|address| host(address).is_some_and(|host| domain(host) == domain(wanted)));
    let only = |found: (Option<&'r String>, Option<&'r String>)| match found {
        (Some(one), None) => Some(one.as_str()),
        _ => None,
    };
    only((matching.next(), matching.next())).or_else(|| only((related.next(), related.next())))
}

/// The host and the port of an address.
fn host(address: &str) -> Option<&str> {
    let rest = address.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    (!host.is_empty()).then_some(host)
}

/// The last two names of a host: those of one owner, mostly.
fn domain(host: &str) -> &str {
    let dots: Vec<usize> = host.match_indices('.').map(|(at, _)| at).collect();
    match dots.as_slice() {
        [.., second, _] => host.get(second + 1..).unwrap_or(host),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> [ConfigurationFile; 1] {
        [ConfigurationFile {
            path: "composer.json".to_owned(),
            content: content.as_bytes().to_vec(),
        }]
    }

    #[test]
    fn keeps_addresses_and_nothing_that_runs() {
        let stated = Stated::read(&file(
            r#"{"scripts": {"post-update-cmd": "evil"}, "config": {"vendor-dir": "/"}, "repositories": [
                {"type": "composer", "url": "https://a.invalid", "options": {"ssl": {"local_cert": "/etc/key"}}},
                {"type": "vcs", "url": "ext::sh -c evil"},
                {"type": "composer", "url": "file:///etc"},
                {"type": "composer", "url": "https://b.invalid/x"},
                {"packagist": false}]}"#,
        ))
        .unwrap();
        assert!(stated.has_others);
        insta::assert_snapshot!(stated.manifest(), @r#"{"repositories":[{"type":"composer","url":"https://a.invalid"},{"type":"composer","url":"https://b.invalid/x"},{"packagist":false}]}"#);

        let named = Stated::read(&file(
            r#"{"repositories": {"own": {"type": "composer", "url": "https://a.invalid"}, "packagist": false}}"#,
        ))
        .unwrap();
        assert!(!named.has_others);
        assert_eq!(named.addresses, ["https://a.invalid"]);
        assert_eq!(named.off, ["packagist"]);
        assert!(Stated::read(&file("{")).is_err());
    }

    #[test]
    fn reads_what_composer_prints() {
        let addresses = printed(
            "Warning: x\n{\"1\":{\"type\":\"composer\",\"url\":\"https://z.invalid\"},\"0\":{\"type\":\"composer\",\"url\":\"https://a.invalid\"},\"x\":{\"type\":\"vcs\",\"url\":\"https://c.invalid\"}}\n",
        );
        assert_eq!(
            addresses.unwrap(),
            ["https://z.invalid", "https://a.invalid"]
        );
        assert!(printed("nothing\n").is_err());
    }

    #[test]
    fn the_notification_address_says_which_repository_is_meant() {
        let one = ["https://repo.a.invalid".to_owned()];
        let two = [
            "https://repo.a.invalid".to_owned(),
            "https://b.invalid:8080/x".to_owned(),
        ];
        let same = [
            "https://x.a.invalid".to_owned(),
            "https://y.a.invalid".to_owned(),
        ];
        assert_eq!(of_notification(&one, ""), Some("https://repo.a.invalid"));
        assert_eq!(of_notification(&two, ""), None);
        assert_eq!(
            of_notification(&two, "https://a.invalid/downloads/"),
            Some("https://repo.a.invalid")
        );
        assert_eq!(
            of_notification(&two, "https://b.invalid:8080/d"),
            Some("https://b.invalid:8080/x")
        );
        assert_eq!(of_notification(&two, "https://c.invalid/"), None);
        assert_eq!(of_notification(&same, "https://a.invalid/"), None);
        assert_eq!(
            of_notification(&same, "https://y.a.invalid/"),
            Some("https://y.a.invalid")
        );
    }
}

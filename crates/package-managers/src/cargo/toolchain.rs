//! The toolchain that a repository pins.
//!
//! `rust-toolchain.toml` can name a toolchain by a path, which is a program of the repository. So
//! the file itself is never copied: only a channel of rustup's own names is read out of it, and it
//! is used only when that toolchain is installed already.
//! <https://rust-lang.github.io/rustup/overrides.html#the-toolchain-file>

use crate::ConfigurationFile;

/// File names, in rustup's order.
pub(super) const FILES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// The channel that the configuration pins, when it is one of rustup's names.
pub(super) fn pinned(configuration: &[ConfigurationFile]) -> Option<String> {
    let file = configuration
        .iter()
        .find(|file| FILES.iter().any(|name| is_named(&file.path, name)))?;
    let text = std::str::from_utf8(&file.content).ok()?;
    let channel = channel(text)?;
    is_channel(&channel).then_some(channel)
}

fn is_named(path: &str, name: &str) -> bool {
    path.rsplit_once('/').map_or(path, |(_, last)| last) == name
}

/// The channel of a toolchain file, which is TOML, or in the old form a single line.
fn channel(text: &str) -> Option<String> {
    if let Ok(document) = text.parse::<toml_edit::DocumentMut>() {
        let channel = document.get("toolchain")?.get("channel")?;
        return channel.as_str().map(str::to_owned);
    }

    let line = text.trim();
    (!line.contains(char::is_whitespace)).then(|| line.to_owned())
}

/// Whether a text is `stable`, `beta`, `nightly`, one of these with a date, or a version. Host
/// triples are not among them: a repository has no say in the machine.
fn is_channel(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (name, date) = match text.split_once('-') {
        Some((name, date)) => (name, Some(date)),
        None => (text, None),
    };

    let named = matches!(name, "stable" | "beta" | "nightly")
        && date.is_none_or(|date| date.split('-').count() == 3 && date.split('-').all(is_number));
    let parts = text.split('.').count();
    let version = (2..=3).contains(&parts) && text.split('.').all(is_number);

    named || version
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned_by(path: &str, content: &str) -> Option<String> {
        pinned(&[ConfigurationFile {
            path: path.to_owned(),
            content: content.as_bytes().to_vec(),
        }])
    }

    #[test]
    fn a_channel_is_read_from_both_forms() {
        let toml = "[toolchain]\nchannel = \"1.70.0\"\ncomponents = [\"clippy\"]\n";
        assert_eq!(
            pinned_by("a/rust-toolchain.toml", toml).as_deref(),
            Some("1.70.0")
        );
        assert_eq!(
            pinned_by("rust-toolchain", "nightly-2024-01-31\n").as_deref(),
            Some("nightly-2024-01-31")
        );
    }

    #[test]
    fn nothing_but_a_channel_of_rustup_is_taken() {
        for content in [
            "[toolchain]\npath = \"./evil\"\n",
            "[toolchain]\nchannel = \"../evil\"\n",
            "[toolchain]\nchannel = \"stable-x86_64-pc-windows-msvc\"\n",
            "/tmp/evil",
            "1",
            "stable\nbeta",
        ] {
            assert_eq!(pinned_by("rust-toolchain", content), None, "{content}");
        }
    }
}

//! Reader of `.terraform.lock.hcl`
//! (<https://developer.hashicorp.com/terraform/language/files/dependency-lock>): blocks of
//! `provider "ADDRESS" { … }` with a version, its constraints and hashes.
//!
//! Terraform always writes the file in one form. Parts of HCL that it never uses are refused.

use patchgate_model::{FormatId, Lockfile, Origin, Package};

use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Reads the providers as packages without edges.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("terraform-lock"),
        ..Lockfile::default()
    };

    let mut skipped = SkippedEntries::default();
    let mut block: Option<Block> = None;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.trim();
        let failed = |reason: String| ParseError::new(reason).at_line(number as usize);
        if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
            continue;
        }
        let Some(open) = &mut block else {
            let address = line
                .strip_prefix("provider")
                .and_then(|rest| quoted(rest.trim_end_matches('{').trim()))
                .filter(|address| !address.is_empty() && line.ends_with('{'));
            let address = address
                .ok_or_else(|| failed(format!("is not a Terraform lockfile: `{}`", short(line))))?;
            block = Some(Block::new(address, number));
            continue;
        };

        match open.line(line) {
            Ok(false) => {}
            Err(_) => skipped.detail(number, format!("has the unknown line `{}`", short(line))),
            Ok(true) => {
                if lockfile.packages.len() >= limits::MAX_PACKAGES {
                    return Err(failed("contains too many providers".to_owned()));
                }
                let closed = block.take().map(|block| (block.line, block.package()));
                match closed {
                    Some((line, Err(reason))) => skipped.package(line, reason),
                    closed => lockfile
                        .packages
                        .extend(closed.and_then(|(_, package)| package.ok())),
                }
            }
        }
    }

    if let Some(open) = block {
        let reason = format!(
            "is truncated: the block of `{}` is not closed",
            open.address
        );
        return Err(ParseError::new(reason).at_line(open.line as usize));
    }
    let lockfile = salvage::finish(lockfile, skipped)?;
    if lockfile.packages.is_empty() && !is_left_empty(text) {
        return Err(ParseError::new(
            "is not a Terraform lockfile: it names no provider",
        ));
    }

    Ok(lockfile)
}

/// Whether the text is exactly the file that the program writes after the last provider is removed. If there
/// are providers, an empty line follows.
fn is_left_empty(text: &str) -> bool {
    let written = |program: &str| {
        format!(
            "# This file is maintained automatically by \"{program} init\".\n\
             # Manual edits may be lost in future updates.\n"
        )
    };
    let text = text.replace("\r\n", "\n");
    text == written("terraform") || text == written("tofu")
}

/// The block of a provider whose end is not reached yet.
struct Block {
    address: String,
    line: u32,
    version: Option<String>,
    hashes: Vec<String>,
    in_hashes: bool,
}

impl Block {
    fn new(address: &str, line: u32) -> Self {
        Self {
            address: address.to_owned(),
            line,
            version: None,
            hashes: Vec::new(),
            in_hashes: false,
        }
    }

    /// Adds a line to the block; returns true if it closes the block.
    fn line(&mut self, line: &str) -> Result<bool, String> {
        if self.in_hashes {
            if line == "]" {
                self.in_hashes = false;
                return Ok(false);
            }
            let hash = quoted(line.trim_end_matches(','));
            self.hashes
                .push(hash.ok_or_else(|| unknown(line))?.to_owned());
            return Ok(false);
        }

        if line == "}" {
            return Ok(true);
        }

        let (key, value) = line.split_once('=').ok_or_else(|| unknown(line))?;
        match (key.trim(), value.trim()) {
            ("version", value) if self.version.is_none() => {
                self.version = Some(quoted(value).ok_or_else(|| unknown(line))?.to_owned());
            }
            ("version", _) => return Err("states a version twice".to_owned()),
            ("hashes", "[") => self.in_hashes = true,
            ("hashes", "[]") => {}
            ("constraints", value) if quoted(value).is_some() => {}
            _ => return Err(unknown(line)),
        }

        Ok(false)
    }

    fn package(self) -> Result<Package, String> {
        let version = self
            .version
            .filter(|version| !version.is_empty())
            .ok_or_else(|| format!("has a block of `{}` without a version", self.address))?;
        let host = self
            .address
            .split_once('/')
            .filter(|(host, rest)| host.contains('.') && rest.contains('/'))
            .map(|(host, _)| host.to_owned());

        Ok(Package {
            line: self.line,
            origin: Origin::Registry(host),
            integrity: (!self.hashes.is_empty()).then(|| self.hashes.join(" ")),
            ..Package::new(super::NAME, self.address, version)
        })
    }
}

fn unknown(line: &str) -> String {
    format!("is not a Terraform lockfile: `{}`", short(line))
}

fn quoted(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\'])).then_some(inner)
}

fn short(line: &str) -> String {
    line.chars().take(60).collect()
}

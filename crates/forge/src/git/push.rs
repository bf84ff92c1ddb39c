//! A push over smart HTTP, spoken by this process, so that the token stays in it.
//!
//! The old object id that a push names is a lease: the server moves the branch only when it still
//! stands there.

use std::collections::BTreeMap;

use patchgate_http::{Auth, Client, Request, Secret};
use url::Url;

use super::packet::{self, Packet, Packets};
use super::{NewCommit, PatchgateBranch, is_object_id};

/// Largest list of references that is read, in bytes.
const MAX_ADVERTISEMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Most references that are read.
const MAX_REFERENCES: usize = 500_000;

/// Largest report of a push, in bytes.
const MAX_REPORT_BYTES: u64 = 1024 * 1024;

/// The user name under which forges take a token as password.
const TOKEN_USER: &str = "x-access-token";

/// A repository that branches are pushed to.
#[derive(Debug, Clone)]
pub struct PushTarget {
    url: Url,
    auth: Auth,
}

/// Where a branch must stand for a push to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// It must not exist.
    Absent,
    /// It must stand on this commit.
    At(String),
}

/// A push that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The address can be none.
    #[error("the repository's address {0}")]
    Address(&'static str),
    /// The server could not be asked, or refused.
    #[error("the push failed")]
    Http(#[from] patchgate_http::Error),
    /// The token may not write.
    #[error("the token may not push to the repository (HTTP {status})")]
    NotPermitted {
        /// HTTP status.
        status: u16,
    },
    /// The server's answer is not git's.
    #[error("the server's answer is not git's: {0}")]
    Protocol(String),
    /// The branch moved since it was looked at.
    #[error("the branch `{branch}` moved while it was being written")]
    Moved {
        /// The branch.
        branch: String,
    },
    /// The server refused this branch.
    #[error("the server refused the branch `{branch}`: {reason}")]
    Refused {
        /// The branch.
        branch: String,
        /// What the server said.
        reason: String,
    },
}

impl PushError {
    /// What to do next: a sentence for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Http(error) => error.hint().map(str::to_owned),
            Self::NotPermitted { .. } => Some(
                "give the token the permission `contents: write` (in a workflow, under `permissions:`)"
                    .to_owned(),
            ),
            Self::Moved { .. } => Some("run it again".to_owned()),
            Self::Refused { reason, .. } if is_protection(reason) => Some(
                "let the token's account write branches below `patchgate/`: a protection rule or ruleset covers them"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// Whether a refusal is one by a rule, in the words that forges use.
fn is_protection(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["protected", "rule", "hook declined"]
        .iter()
        .any(|word| reason.contains(word))
}

impl PushTarget {
    /// The repository at `url` (`https://HOST/owner/name`), written to with `token`.
    ///
    /// # Errors
    /// When the address is not one of `https`, or carries a user or password.
    pub fn new(url: &str, token: &Secret) -> Result<Self, PushError> {
        let mut url = Url::parse(url).map_err(|_| PushError::Address("is not one"))?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(PushError::Address(
                "is not `https`, and the token would go over the network in the clear",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PushError::Address("carries a user or a password"));
        }

        url.set_query(None);
        url.set_fragment(None);

        Ok(Self {
            url,
            auth: Auth::Basic {
                user: TOKEN_USER.to_owned(),
                password: token.clone(),
            },
        })
    }

    /// Moves `branch` to the new commit.
    ///
    /// # Errors
    /// When the branch does not stand where `lease` says, or the server refuses.
    pub async fn push(
        &self,
        http: &Client,
        branch: &PatchgateBranch,
        commit: &NewCommit,
        lease: &Lease,
    ) -> Result<(), PushError> {
        self.update(http, branch, lease, Some((&commit.id, &commit.pack)))
            .await
    }

    /// Deletes `branch`.
    ///
    /// # Errors
    /// When the branch does not stand where `lease` says, or the server refuses.
    pub async fn delete(
        &self,
        http: &Client,
        branch: &PatchgateBranch,
        lease: &Lease,
    ) -> Result<(), PushError> {
        self.update(http, branch, lease, None).await
    }

    async fn update(
        &self,
        http: &Client,
        branch: &PatchgateBranch,
        lease: &Lease,
        new: Option<(&str, &[u8])>,
    ) -> Result<(), PushError> {
        let moved = || PushError::Moved {
            branch: branch.name().to_owned(),
        };
        let advertised = self.advertisement(http, "git-receive-pack").await?;
        let reference = branch.reference();
        let stands = advertised.references.get(&reference);
        match (lease, stands) {
            (Lease::Absent, None) => {}
            (Lease::At(expected), Some(stands)) if expected == stands => {}
            _ => return Err(moved()),
        }

        if new.is_none() && !advertised.can("delete-refs") {
            return Err(PushError::Refused {
                branch: branch.name().to_owned(),
                reason: "the server does not let branches be deleted".to_owned(),
            });
        }

        let id_length = new
            .map(|(id, _)| id.len())
            .or(stands.map(String::len))
            .unwrap_or(40);
        let zeros = "0".repeat(id_length);
        let old_id = stands.map_or(zeros.as_str(), String::as_str);
        let new_id = new.map_or(zeros.as_str(), |(id, _)| id);

        let mut capabilities = "report-status".to_owned();
        if advertised.can("side-band-64k") {
            capabilities.push_str(" side-band-64k");
        }
        if id_length == 64 {
            capabilities.push_str(" object-format=sha256");
        }

        capabilities.push_str(concat!(" agent=patchgate/", env!("CARGO_PKG_VERSION")));
        let mut body = Vec::new();
        packet::write(
            &mut body,
            format!("{old_id} {new_id} {reference}\0{capabilities}").as_bytes(),
        );
        packet::write_flush(&mut body);

        if let Some((_, pack)) = new {
            body.extend_from_slice(pack);
        }

        let request = Request::post(self.address("git-receive-pack"))
            .auth(Some(&self.auth))
            .accept("application/x-git-receive-pack-result")
            .body("application/x-git-receive-pack-request", body)
            .max_bytes(MAX_REPORT_BYTES);
        let answer = http.send(&request).await.map_err(refusal)?;
        let report = if advertised.can("side-band-64k") {
            band_one(&answer.body)?
        } else {
            answer.body
        };

        read_report(&report, branch, &reference)
    }

    async fn advertisement(
        &self,
        http: &Client,
        service: &str,
    ) -> Result<Advertisement, PushError> {
        let request = Request::get(format!("{}?service={service}", self.address("info/refs")))
            .auth(Some(&self.auth))
            .max_bytes(MAX_ADVERTISEMENT_BYTES);
        let answer = http.send(&request).await.map_err(refusal)?;
        let is_git = answer.header("content-type").is_some_and(|kind| {
            kind.starts_with(&format!("application/x-{service}-advertisement"))
        });
        if !is_git {
            return Err(PushError::Protocol(
                "it has another content type; is the address that of a repository?".to_owned(),
            ));
        }

        read_advertisement(&answer.body)
    }

    fn address(&self, rest: &str) -> String {
        format!("{}/{rest}", self.url.as_str().trim_end_matches('/'))
    }
}

/// Commit that a branch stands on, asked of the repository itself; `None` when it does not exist.
///
/// # Errors
/// When the repository cannot be asked.
pub async fn remote_head(
    target: &PushTarget,
    http: &Client,
    branch: &str,
) -> Result<Option<String>, PushError> {
    let advertised = target.advertisement(http, "git-upload-pack").await?;
    Ok(advertised
        .references
        .get(&format!("refs/heads/{branch}"))
        .cloned())
}

/// What a server says about its references.
#[derive(Debug, Default)]
struct Advertisement {
    references: BTreeMap<String, String>,
    capabilities: Vec<String>,
}

impl Advertisement {
    fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }
}

fn refusal(error: patchgate_http::Error) -> PushError {
    match error.status() {
        Some(status @ (401 | 403 | 404)) => PushError::NotPermitted { status },
        _ => PushError::Http(error),
    }
}

fn protocol(reason: &str) -> PushError {
    PushError::Protocol(reason.to_owned())
}

fn read_advertisement(bytes: &[u8]) -> Result<Advertisement, PushError> {
    let mut found = Advertisement::default();
    let mut packets = Packets::new(bytes);

    let mut first = true;
    match packets.next() {
        Some(Ok(Packet::Data(line))) if line.starts_with(b"# service=") => {}
        _ => return Err(protocol("it does not begin with the service's name")),
    }

    if packets.next() != Some(Ok(Packet::Flush)) {
        return Err(protocol("its head does not end"));
    }

    for packet in packets {
        let line = match packet {
            Ok(Packet::Data(line)) => line,
            Ok(Packet::Flush) => return Ok(found),
            Err(_) => return Err(protocol("it is cut or malformed")),
        };
        let line = std::str::from_utf8(line)
            .map_err(|_| protocol("a reference is not UTF-8"))?
            .trim_end_matches('\n');
        let (line, capabilities) = match line.split_once('\0') {
            Some((line, capabilities)) => (line, Some(capabilities)),
            None => (line, None),
        };

        if first {
            found.capabilities = capabilities
                .unwrap_or_default()
                .split(' ')
                .map(str::to_owned)
                .collect();
            first = false;
        }

        let (id, name) = line
            .split_once(' ')
            .ok_or_else(|| protocol("a reference has no name"))?;
        if !is_object_id(id) {
            return Err(protocol("a reference has no object id"));
        }
        // An empty repository lists this in place of its first reference.
        if name != "capabilities^{}" {
            found.references.insert(name.to_owned(), id.to_owned());
        }
        if found.references.len() > MAX_REFERENCES {
            return Err(protocol("it lists too many references"));
        }
    }

    Err(protocol("it does not end"))
}

/// The report out of its side band; what the server says for a person is left out.
fn band_one(bytes: &[u8]) -> Result<Vec<u8>, PushError> {
    let mut report = Vec::new();
    for packet in Packets::new(bytes) {
        match packet {
            Ok(Packet::Data([1, data @ ..])) => report.extend_from_slice(data),
            Ok(Packet::Data([2, ..]) | Packet::Flush) => {}
            Ok(Packet::Data([3, message @ ..])) => {
                return Err(PushError::Protocol(plain(message)));
            }
            _ => return Err(protocol("the report is cut or malformed")),
        }
    }

    Ok(report)
}

fn read_report(bytes: &[u8], branch: &PatchgateBranch, reference: &str) -> Result<(), PushError> {
    let mut unpacked = false;
    for packet in Packets::new(bytes) {
        let line = match packet {
            Ok(Packet::Data(line)) => line.strip_suffix(b"\n").unwrap_or(line),
            Ok(Packet::Flush) => break,
            Err(_) => return Err(protocol("the report is cut or malformed")),
        };
        let line = String::from_utf8_lossy(line);

        if let Some(result) = line.strip_prefix("unpack ") {
            if result != "ok" {
                return Err(PushError::Refused {
                    branch: branch.name().to_owned(),
                    reason: plain(result.as_bytes()),
                });
            }

            unpacked = true;
        } else if line.strip_prefix("ok ") == Some(reference) {
            return if unpacked {
                Ok(())
            } else {
                Err(protocol("the report does not say that the objects arrived"))
            };
        } else if let Some(reason) = line
            .strip_prefix("ng ")
            .and_then(|rest| rest.strip_prefix(reference))
        {
            return Err(refused(branch, &plain(reason.as_bytes())));
        }
    }

    Err(protocol("the report does not name the branch"))
}

/// A refusal in the words of git servers; one for a stale old id is a lost lease.
fn refused(branch: &PatchgateBranch, reason: &str) -> PushError {
    let lost = [
        "failed to update ref",
        "fetch first",
        "non-fast-forward",
        "stale info",
        "cannot lock ref",
        "failed to lock",
        "already exists",
        "reference already exists",
        "incorrect old value provided",
    ];

    if lost.iter().any(|word| reason.contains(word)) {
        PushError::Moved {
            branch: branch.name().to_owned(),
        }
    } else {
        PushError::Refused {
            branch: branch.name().to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// Text of a server on one line, without control characters.
fn plain(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect()
}

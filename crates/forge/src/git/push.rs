//! Pushes over git's smart HTTP protocol, sent by this process so that no other gets the token.
//!
//! A push names the old commit of the branch, which acts as a lease: the server updates the branch
//! only if it is still at that commit.

use std::collections::BTreeMap;

use patchgate_http::{Auth, Client, Request, Secret, is_loopback};
use url::Url;

use super::packet::{self, Packet, Packets};
use super::{NewCommit, PatchgateBranch, is_object_id};

/// Limit on the list of references, in bytes.
const MAX_ADVERTISEMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Limit on the number of references.
const MAX_REFERENCES: usize = 500_000;

/// Limit on the report of a push, in bytes.
const MAX_REPORT_BYTES: u64 = 1024 * 1024;

/// The user name with which forges accept a token as the password.
const TOKEN_USER: &str = "x-access-token";

/// A repository to which branches are pushed.
#[derive(Debug, Clone)]
pub struct PushTarget {
    url: Url,
    auth: Auth,
}

/// The required state of a branch before a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// The branch must not exist.
    Absent,
    /// The branch must be at this commit.
    At(String),
}

/// Why a push failed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The repository's address is invalid.
    #[error("the repository's address {0}")]
    Address(&'static str),
    /// The server did not answer, or answered with an error.
    #[error("the push failed")]
    Http(#[from] patchgate_http::Error),
    /// The token may not write to the repository.
    #[error("the token may not push to the repository (HTTP {status})")]
    NotPermitted {
        /// HTTP status code of the answer.
        status: u16,
    },
    /// The server's answer violates git's protocol.
    #[error("the server's answer is not valid in git's protocol: {0}")]
    Protocol(String),
    /// The branch is not at the commit of the lease.
    #[error("the branch `{branch}` moved while it was being written")]
    Moved {
        /// Name of the branch.
        branch: String,
    },
    /// Another branch has a name that excludes this one.
    #[error("the branch `{other}` is in the way of `{branch}`")]
    InTheWay {
        /// Name of the branch.
        branch: String,
        /// Name of the other branch.
        other: String,
    },
    /// The server refused this branch.
    #[error("the server refused the branch `{branch}`: {reason}")]
    Refused {
        /// Name of the branch.
        branch: String,
        /// The reason that the server gives.
        reason: String,
    },
}

impl PushError {
    /// The next step: a fragment for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Http(error) => error.hint().map(str::to_owned),
            Self::NotPermitted { .. } => Some(
                "give the token the permission `contents: write` (in a workflow, under `permissions:`)"
                    .to_owned(),
            ),
            Self::Moved { .. } => Some("run it again".to_owned()),
            Self::InTheWay { other, .. } => Some(format!(
                "rename or delete `{other}`: git has no branch below the name of another"
            )),
            Self::Refused { reason, .. } if is_protection(reason) => Some(
                "let the token's account write branches below `patchgate/`: a protection rule or ruleset covers them"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// Whether a rule of the repository refused the push, by the words that forges use.
fn is_protection(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["protected", "rule", "hook declined"]
        .iter()
        .any(|word| reason.contains(word))
}

impl PushTarget {
    /// The repository at `url` (`https://HOST/owner/name`), which `token` may write.
    ///
    /// # Errors
    /// When the address is invalid, not `https`, or contains a user or password.
    pub fn new(url: &str, token: &Secret) -> Result<Self, PushError> {
        let mut url = Url::parse(url).map_err(|_| PushError::Address("is invalid"))?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(PushError::Address(
                "is not `https`, and the token would go over the network in the clear",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PushError::Address("contains a user or a password"));
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

    /// Sets `branch` to the new commit.
    ///
    /// # Errors
    /// When the branch does not match `lease`, or the server refuses.
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

    /// Deletes `branch` from the repository.
    ///
    /// # Errors
    /// When the branch does not match `lease`, or the server refuses.
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

        if stands.is_none()
            && let Some(other) = advertised.in_the_way_of(&reference)
        {
            return Err(PushError::InTheWay {
                branch: branch.name().to_owned(),
                other: other.trim_start_matches("refs/heads/").to_owned(),
            });
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

        // The capabilities, of those that the server has.
        let mut capabilities = "report-status".to_owned();
        if advertised.can("side-band-64k") {
            capabilities.push_str(" side-band-64k");
        }
        if id_length == 64 {
            capabilities.push_str(" object-format=sha256");
        }

        capabilities.push_str(concat!(" agent=patchgate/", env!("CARGO_PKG_VERSION")));

        // The request: one command, then the pack.
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

/// Commit at the head of a branch, read with git's protocol and not from the API, which may lag behind.
/// `None` if the branch does not exist.
///
/// # Errors
/// When the repository cannot be read.
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

/// The branches whose names start with `prefix`, with the commits at their heads.
///
/// # Errors
/// When the repository cannot be read.
pub async fn remote_branches(
    target: &PushTarget,
    http: &Client,
    prefix: &str,
) -> Result<BTreeMap<String, String>, PushError> {
    let advertised = target.advertisement(http, "git-upload-pack").await?;
    Ok(advertised
        .references
        .into_iter()
        .filter_map(|(reference, commit)| {
            let branch = reference.strip_prefix("refs/heads/")?;
            branch
                .starts_with(prefix)
                .then(|| (branch.to_owned(), commit))
        })
        .collect())
}

/// The references and capabilities that a server advertises.
#[derive(Debug, Default)]
struct Advertisement {
    references: BTreeMap<String, String>,
    capabilities: Vec<String>,
}

impl Advertisement {
    fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }

    /// A reference that cannot exist together with this one, because git keeps references as files.
    fn in_the_way_of(&self, reference: &str) -> Option<&str> {
        let below = |name: &str, other: &str| {
            name.strip_prefix(other)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        self.references
            .keys()
            .find(|other| below(reference, other) || below(other, reference))
            .map(String::as_str)
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
        // An empty repository lists this instead of a reference, to carry the capabilities.
        if name != "capabilities^{}" {
            found.references.insert(name.to_owned(), id.to_owned());
        }
        if found.references.len() > MAX_REFERENCES {
            return Err(protocol("it lists too many references"));
        }
    }

    Err(protocol("it does not end"))
}

/// The report from side band 1. Messages for people (band 2) are skipped.
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

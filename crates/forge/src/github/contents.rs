//! Contents of files at a commit.

use super::fixed::is_id;
use super::transport::Call;
use super::{GitHub, encode, encode_path};
use crate::ForgeError;

impl GitHub {
    /// The bytes of a file at a commit; `None` if it does not exist there.
    ///
    /// # Errors
    /// When it cannot be read, or is larger than `max_bytes`.
    pub(super) async fn read_file(
        &self,
        path: &str,
        commit: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, ForgeError> {
        if let Some(bytes) = self.fixed.file(commit, path) {
            return match bytes.len() <= max_bytes {
                true => Ok(Some(bytes)),
                false => Err(ForgeError::TooLarge {
                    call: format!("GET {}", self.path(&format!("/contents/{path}"))),
                    what: format!("larger than {max_bytes} bytes"),
                }),
            };
        }
        if self.is_absent(path, commit).await {
            return Ok(None);
        }

        let call = Call {
            accept: "application/vnd.github.raw+json",
            max_bytes,
            ..Call::get(
                self.path(&format!(
                    "/contents/{}?ref={}",
                    encode_path(path),
                    encode(commit)
                )),
                "contents: read",
            )
        };

        match self.send(&call, None).await {
            Ok(answer) => {
                self.fixed.keep_file(commit, path, &answer.body);
                Ok(Some(answer.body))
            }
            Err(ForgeError::NotFound { .. }) => {
                // A missing permission gives the same answer, but does not mean that the file is absent.
                let commit = Call::get(
                    self.path(&format!("/git/commits/{}", encode(commit))),
                    "contents: read",
                );
                self.send(&commit, None).await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the root of a commit certainly has no entry of the path's first name. That is one call
    /// for all files that do not exist, and the gate has made it for the modes of others.
    async fn is_absent(&self, path: &str, commit: &str) -> bool {
        let name = path.split('/').next().unwrap_or_default();
        let root = match is_id(commit) {
            true => self.tree(commit).await.ok(),
            false => None,
        };
        root.is_some_and(|root| !root.truncated && root.tree.iter().all(|entry| entry.path != name))
    }
}

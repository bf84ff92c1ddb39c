//! Contents of files at a commit.

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
            Ok(answer) => Ok(Some(answer.body)),
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
}

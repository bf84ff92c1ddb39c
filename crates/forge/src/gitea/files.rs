//! Files and trees at a commit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchgate_model::ChangedFile;

use super::{Gitea, READ, wire};
use crate::ForgeError;
use crate::rest::{Call, encode, encode_path};
use crate::tree::{self, Directory, Entry};

/// Entries on a page of a tree: the default of `DEFAULT_GIT_TREES_PER_PAGE`.
const TREE_ENTRIES: usize = 1_000;

/// Limit on the entries of one directory.
const MAX_TREE_ENTRIES: usize = 50_000;

impl Gitea {
    pub(super) async fn read_file(
        &self,
        path: &str,
        commit: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, ForgeError> {
        let at = format!("{}?ref={}", encode_path(path), encode(commit));
        // The content is in base64 here, and the other fields are short.
        let call = Call::get(self.path(&format!("/contents/{at}")), READ)
            .max_bytes(max_bytes.saturating_mul(2).saturating_add(64 * 1024));
        let contents: wire::Contents = match self.rest.json(&call, None).await {
            Ok(contents) => contents,
            Err(ForgeError::NotFound { .. }) => {
                // A missing permission gives the same answer, but does not mean that the file is absent.
                let path = self.path(&format!(
                    "/git/commits/{}?stat=false&verification=false&files=false",
                    encode(commit)
                ));
                self.rest.send(&Call::get(path, READ), None).await?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };

        if contents.kind != "file" {
            return Err(call.cut(format!("a {} instead of a file", contents.kind)));
        }
        if contents.size > max_bytes as u64 {
            return Err(call.cut(format!("larger than {max_bytes} bytes")));
        }

        match (contents.encoding.as_deref(), contents.content) {
            (Some("base64"), Some(text)) => {
                let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                let bytes = STANDARD
                    .decode(text)
                    .map_err(|_| call.cut("not in base64, as it says"))?;
                if bytes.len() as u64 != contents.size {
                    return Err(call.cut(format!(
                        "cut: {} of {} bytes",
                        bytes.len(),
                        contents.size
                    )));
                }
                Ok(Some(bytes))
            }
            // Gitea leaves out a large content.
            _ => {
                let raw = Call::get(self.path(&format!("/raw/{at}")), READ).max_bytes(max_bytes);
                Ok(Some(self.rest.send(&raw, None).await?.body))
            }
        }
    }

    /// The files that differ between two commits.
    pub(super) async fn changed_files(
        &self,
        base: &str,
        head: &str,
    ) -> Result<Vec<ChangedFile>, ForgeError> {
        tree::difference(base, head, |id| self.directory(id)).await
    }

    /// The entries of a tree, by its id or that of a commit.
    pub(super) async fn directory(&self, id: String) -> Result<Directory, ForgeError> {
        let mut directory = Directory::new();
        for page in 1.. {
            let path = self.path(&format!(
                "/git/trees/{}?per_page={TREE_ENTRIES}&page={page}",
                encode(&id)
            ));
            let call = Call::get(path, READ);
            let tree: wire::Tree = self.rest.json(&call, None).await?;
            let entries = tree.tree.unwrap_or_default();
            if tree.truncated && entries.is_empty() || directory.len() > MAX_TREE_ENTRIES {
                return Err(call.cut("longer than the limits of a directory"));
            }
            for entry in entries {
                let value = Entry {
                    mode: entry.mode,
                    id: entry.sha,
                };
                directory.insert(entry.path, value);
            }
            if !tree.truncated {
                break;
            }
        }

        Ok(directory)
    }
}

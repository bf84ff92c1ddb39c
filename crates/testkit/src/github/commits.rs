//! Commits, branches, references and files, all read from the git repository.

use base64::Engine as _;
use serde_json::{Value, json};

use super::call::{Call, user};
use super::reply::{Body, Refusal, Reply};
use super::state::Permission;

/// Files above this size, in bytes, come without their content, as GitHub does it.
const MAX_CONTENT_BYTES: usize = 1024 * 1024;

impl Call<'_> {
    pub(crate) fn branches(&self) -> Result<Reply, Refusal> {
        let branches = self.hosted.repository.branches();
        let values = branches
            .iter()
            .map(|name| self.branch_value(name))
            .collect();
        Reply::list("/branches", values)
    }

    pub(crate) fn branch(&self, name: &str) -> Result<Reply, Refusal> {
        let sha = self
            .hosted
            .repository
            .tip(name)
            .ok_or_else(|| Refusal::new(404, "Branch not found"))?;
        let mut value = self.branch_value(name);
        value["commit"] = self.commit_value(&sha);
        Reply::value("/branches/{branch}", 200, value)
    }

    fn branch_value(&self, name: &str) -> Value {
        json!({
            "name": name,
            "commit": {"sha": self.hosted.repository.tip(name), "url": self.url("/commits")},
            "protected": self.hosted.required.contains_key(name),
        })
    }

    pub(crate) fn protection(&self, name: &str) -> Result<Reply, Refusal> {
        let checks = self
            .hosted
            .required
            .get(name)
            .ok_or_else(|| Refusal::new(404, "Branch not protected"))?;
        let value = json!({"required_status_checks": {
            "strict": false, "contexts": checks,
            "checks": checks.iter().map(|name| json!({"context": name, "app_id": null}))
                .collect::<Vec<_>>(),
        }});

        Reply::value("/branches/{branch}/protection", 200, value)
    }

    pub(crate) fn rules(&self, name: &str) -> Result<Reply, Refusal> {
        let rules = self.hosted.required.get(name).map(|checks| {
            json!({
                "type": "required_status_checks",
                "ruleset_source_type": "Repository",
                "ruleset_source": self.full_name,
                "ruleset_id": 1,
                "parameters": {
                    "strict_required_status_checks_policy": false,
                    "required_status_checks": checks.iter()
                        .map(|name| json!({"context": name})).collect::<Vec<_>>(),
                },
            })
        });

        Reply::list("/rules/branches/{branch}", rules.into_iter().collect())
    }

    pub(crate) fn list_commits(&self) -> Result<Reply, Refusal> {
        let start = self
            .request
            .parameter("sha")
            .unwrap_or_else(|| "main".to_owned());
        let sha = self.commit_sha(&start).ok_or_else(Refusal::not_found)?;
        let list = self.hosted.repository.git(&["rev-list", &sha]);

        Reply::list(
            "/commits",
            list.lines().map(|sha| self.commit_value(sha)).collect(),
        )
    }

    pub(crate) fn commit(&self, revision: &str) -> Result<Reply, Refusal> {
        let sha = self
            .commit_sha(revision)
            .ok_or_else(|| Refusal::new(422, &format!("No commit found for SHA: {revision}")))?;
        let mut value = self.commit_value(&sha);
        let parent = value["parents"][0]["sha"].as_str().map(str::to_owned);
        let from = parent.unwrap_or_else(|| EMPTY_TREE.to_owned());
        value["files"] = json!(self.changed_files(&from, &sha));
        Reply::value("/commits/{ref}", 200, value)
    }

    pub(crate) fn git_commit(&self, sha: &str) -> Result<Reply, Refusal> {
        let sha = self.commit_sha(sha).ok_or_else(Refusal::not_found)?;
        let whole = self.commit_value(&sha);
        let mut value = whole["commit"].clone();
        value["sha"] = json!(sha);
        value["parents"] = whole["parents"].clone();
        Reply::value("/git/commits/{commit_sha}", 200, value)
    }

    /// A commit as every listing gives it.
    pub(crate) fn commit_value(&self, sha: &str) -> Value {
        let format = "--format=%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B";
        let text = self
            .hosted
            .repository
            .git(&["show", "--no-patch", format, sha]);
        let fields: Vec<&str> = text.splitn(9, '\0').collect();
        let [tree, parents, an, ae, at, cn, ce, ct, message] = fields[..] else {
            panic!("git show of `{sha}` gave {} fields", fields.len());
        };
        let verified = self.hosted.verified.contains(sha);

        json!({
            "sha": sha,
            "url": self.url(&format!("/commits/{sha}")),
            "html_url": format!("{}/{}/commit/{sha}", self.server_url, self.full_name),
            "commit": {
                "message": message.trim_end(),
                "tree": {"sha": tree, "url": self.url(&format!("/git/trees/{tree}"))},
                "author": {"name": an, "email": ae, "date": at},
                "committer": {"name": cn, "email": ce, "date": ct},
                "comment_count": 0,
                "verification": {
                    "verified": verified,
                    "reason": if verified { "valid" } else { "unsigned" },
                    "signature": null, "payload": null, "verified_at": null,
                },
            },
            "author": self.owner_of(ae),
            "committer": self.owner_of(ce),
            "parents": parents.split_whitespace()
                .map(|parent| json!({"sha": parent, "url": self.url(&format!("/commits/{parent}"))}))
                .collect::<Vec<_>>(),
        })
    }

    /// The account of an e-mail address. Only the no-reply addresses of github.com, or of the host
    /// that this server runs on, name one.
    fn owner_of(&self, email: &str) -> Value {
        let host = self.public_url.trim_start_matches("http://");
        let host = host.split(':').next().unwrap_or_default();
        let Some((name, domain)) = email.split_once("@users.noreply.") else {
            return Value::Null;
        };
        if domain != "github.com" && domain != host {
            return Value::Null;
        }

        user(name.split_once('+').map_or(name, |(_, login)| login))
    }

    pub(crate) fn compare(&self, basehead: &str) -> Result<Reply, Refusal> {
        let (base, head) = basehead.split_once("...").ok_or_else(Refusal::not_found)?;
        let base = self.commit_sha(base).ok_or_else(Refusal::not_found)?;
        let head = self.commit_sha(head).ok_or_else(Refusal::not_found)?;
        let merge_base = self
            .merge_base(&base, &head)
            .ok_or_else(Refusal::not_found)?;
        let commits = self.commits_between(&base, &head);
        let behind = self.commits_between(&head, &base).len();
        let status = match (commits.len(), behind) {
            (0, 0) => "identical",
            (_, 0) => "ahead",
            (0, _) => "behind",
            _ => "diverged",
        };
        let value = json!({
            "status": status,
            "ahead_by": commits.len(),
            "behind_by": behind,
            "total_commits": commits.len(),
            "base_commit": self.commit_value(&base),
            "merge_base_commit": self.commit_value(&merge_base),
            "commits": commits.iter().map(|sha| self.commit_value(sha)).collect::<Vec<_>>(),
            "files": self.changed_files(&merge_base, &head),
        });

        Reply::value("/compare/{basehead}", 200, value)
    }

    pub(crate) fn merge_base(&self, a: &str, b: &str) -> Option<String> {
        let output = self.hosted.repository.try_git(&["merge-base", a, b], b"");
        output
            .ok()
            .map(|sha| String::from_utf8_lossy(&sha).trim().to_owned())
    }

    /// Commits of `head` that `base` lacks, oldest first.
    pub(crate) fn commits_between(&self, base: &str, head: &str) -> Vec<String> {
        let range = format!("{base}..{head}");
        let list = self
            .hosted
            .repository
            .git(&["rev-list", "--reverse", &range]);
        list.lines().map(str::to_owned).collect()
    }

    /// Files that differ, with renames found, as GitHub lists them.
    pub(crate) fn changed_files(&self, from: &str, to: &str) -> Vec<Value> {
        let git = &self.hosted.repository;
        let raw = git.git(&["diff", "--raw", "-z", "-M", "--no-abbrev", from, to]);
        let mut fields = raw.split('\0');

        let mut files = Vec::new();
        while let Some(head) = fields.next().filter(|head| head.starts_with(':')) {
            let words: Vec<&str> = head.split(' ').collect();
            let (before, after, letter) = (words[2], words[3], &words[4][..1]);
            let first = fields.next().unwrap_or_default();
            let (previous, name) = match letter {
                "R" | "C" => (Some(first), fields.next().unwrap_or_default()),
                _ => (None, first),
            };
            let status = match letter {
                "A" => "added",
                "D" => "removed",
                "R" => "renamed",
                "C" => "copied",
                _ => "modified",
            };

            let stat = git.git(&["diff", "--numstat", from, to, "--", name]);
            let mut counts = stat
                .split('\t')
                .map(|count| count.parse::<u64>().unwrap_or(0));
            let (added, deleted) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));

            let mut file = json!({
                "sha": if status == "removed" { before } else { after },
                "filename": name, "status": status,
                "additions": added, "deletions": deleted, "changes": added + deleted,
                "contents_url": self.url(&format!("/contents/{name}?ref={to}")),
            });
            if let Some(previous) = previous {
                file["previous_filename"] = json!(previous);
            }

            files.push(file);
        }

        files
    }

    pub(crate) fn contents(&self, path: &str) -> Result<Reply, Refusal> {
        let template = "/contents/{path}";
        let revision = self
            .request
            .parameter("ref")
            .unwrap_or_else(|| "main".to_owned());
        let sha = self
            .commit_sha(&revision)
            .ok_or_else(|| Refusal::new(404, &format!("No commit found for the ref {revision}")))?;
        let content = self
            .hosted
            .repository
            .file(&sha, path)
            .ok_or_else(Refusal::not_found)?;
        let raw = self
            .request
            .header("accept")
            .is_some_and(|accept| accept.contains("raw"));
        if raw {
            return Ok(Reply {
                path: template,
                status: 200,
                body: Body::Raw(content),
            });
        }

        let blob = self
            .hosted
            .repository
            .git(&["rev-parse", &format!("{sha}:{path}")]);
        let small = content.len() <= MAX_CONTENT_BYTES;
        let value = json!({
            "type": "file",
            "encoding": if small { "base64" } else { "none" },
            "size": content.len(),
            "name": path.rsplit('/').next(),
            "path": path,
            "content": if small { lines_of_base64(&content) } else { String::new() },
            "sha": blob,
            "url": self.url(&format!("/contents/{path}?ref={revision}")),
            "git_url": self.url(&format!("/git/blobs/{blob}")),
        });

        Reply::value(template, 200, value)
    }

    pub(crate) fn blob(&self, sha: &str) -> Result<Reply, Refusal> {
        let content = self
            .hosted
            .repository
            .try_git(&["cat-file", "blob", sha], b"")
            .map_err(|_| Refusal::not_found())?;
        let value = json!({
            "sha": sha, "size": content.len(), "encoding": "base64",
            "content": lines_of_base64(&content), "url": self.url(&format!("/git/blobs/{sha}")),
        });

        Reply::value("/git/blobs/{file_sha}", 200, value)
    }

    pub(crate) fn tree(&self, revision: &str) -> Result<Reply, Refusal> {
        let git = &self.hosted.repository;
        let tree = git
            .try_git(
                &[
                    "rev-parse",
                    "--verify",
                    "--quiet",
                    &format!("{revision}^{{tree}}"),
                ],
                b"",
            )
            .map_err(|_| Refusal::not_found())?;
        let sha = String::from_utf8_lossy(&tree).trim().to_owned();

        let mut arguments = vec!["ls-tree", "-z", "--long"];
        if self.request.parameter("recursive").is_some() {
            arguments.extend(["-r", "-t"]);
        }

        arguments.push(&sha);
        let listing = git.git(&arguments);
        let entries: Vec<Value> = listing
            .split('\0')
            .filter_map(|line| {
                let (head, path) = line.split_once('\t')?;
                let words: Vec<&str> = head.split_whitespace().collect();
                let mut entry = json!({
                    "mode": words[0], "type": words[1], "sha": words[2], "path": path,
                });
                if let Ok(size) = words[3].parse::<u64>() {
                    entry["size"] = json!(size);
                }
                Some(entry)
            })
            .collect();
        let value = json!({"sha": sha, "tree": entries, "truncated": false});

        Reply::value("/git/trees/{tree_sha}", 200, value)
    }

    pub(crate) fn reference(&self, name: &str) -> Result<Reply, Refusal> {
        let sha = self.reference_sha(name).ok_or_else(Refusal::not_found)?;
        Reply::value("/git/ref/{ref}", 200, self.reference_value(name, &sha))
    }

    pub(crate) fn matching_references(&self, prefix: &str) -> Result<Reply, Refusal> {
        let branches = self.hosted.repository.branches();
        let values = branches
            .iter()
            .map(|branch| format!("heads/{branch}"))
            .filter(|name| name.starts_with(prefix))
            .filter_map(|name| Some(self.reference_value(&name, &self.reference_sha(&name)?)))
            .collect();
        Reply::list("/git/matching-refs/{ref}", values)
    }

    pub(crate) fn create_reference(&self) -> Result<Reply, Refusal> {
        self.require(Permission::Contents)?;
        let body = self.request.json();
        let (name, sha) = (self.text(&body, "ref")?, self.text(&body, "sha")?);
        let short = name
            .strip_prefix("refs/")
            .ok_or_else(|| Refusal::new(422, "Reference name must start with 'refs/'"))?;
        if self.reference_sha(short).is_some() {
            return Err(Refusal::new(422, "Reference already exists"));
        }

        self.update(&name, &sha)?;
        Reply::value("/git/refs", 201, self.reference_value(short, &sha))
    }

    pub(crate) fn update_reference(&self, name: &str) -> Result<Reply, Refusal> {
        self.require(Permission::Contents)?;
        let body = self.request.json();
        let sha = self.text(&body, "sha")?;
        let current = self
            .reference_sha(name)
            .ok_or_else(|| Refusal::new(422, "Reference does not exist"))?;
        let forward = self.merge_base(&current, &sha).as_deref() == Some(&current);
        if !forward && body["force"] != true {
            return Err(Refusal::new(422, "Update is not a fast forward"));
        }

        self.update(&format!("refs/{name}"), &sha)?;
        Reply::value("/git/refs/{ref}", 200, self.reference_value(name, &sha))
    }

    pub(crate) fn delete_reference(&self, name: &str) -> Result<Reply, Refusal> {
        self.require(Permission::Contents)?;
        self.reference_sha(name)
            .ok_or_else(|| Refusal::new(422, "Reference does not exist"))?;
        let reference = format!("refs/{name}");
        self.hosted
            .repository
            .git(&["update-ref", "-d", &reference]);
        Reply::empty("/git/refs/{ref}")
    }

    fn update(&self, reference: &str, sha: &str) -> Result<(), Refusal> {
        let arguments = ["update-ref", reference, sha];
        self.hosted
            .repository
            .try_git(&arguments, b"")
            .map(|_| ())
            .map_err(|_| Refusal::new(422, "Object does not exist"))
    }

    fn reference_sha(&self, name: &str) -> Option<String> {
        name.strip_prefix("heads/")
            .and_then(|branch| self.hosted.repository.tip(branch))
    }

    fn reference_value(&self, name: &str, sha: &str) -> Value {
        json!({
            "ref": format!("refs/{name}"),
            "url": self.url(&format!("/git/refs/{name}")),
            "object": {"type": "commit", "sha": sha, "url": self.url(&format!("/git/commits/{sha}"))},
        })
    }
}

/// Git's hash of a tree without entries.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// Base64 in lines of 60 characters, as GitHub gives it.
fn lines_of_base64(content: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(content);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(60)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    lines.join("\n") + "\n"
}

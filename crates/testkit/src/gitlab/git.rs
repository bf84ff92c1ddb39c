//! Answers that git gives.

use serde_json::{Value, json};

use super::state::Project;

impl Project {
    /// The commit that a branch or an id names.
    pub(super) fn commit_id(&self, revision: &str) -> Option<String> {
        if revision.starts_with('-') {
            return None;
        }
        self.repository.tip(revision).or_else(|| {
            let commit = format!("{revision}^{{commit}}");
            let arguments = ["rev-parse", "--verify", "--quiet", &commit];
            let id = self.repository.try_git(&arguments, b"").ok()?;
            Some(String::from_utf8_lossy(&id).trim().to_owned())
        })
    }

    pub(super) fn commit_value(&self, id: &str) -> Value {
        let format = "--format=%P%n%an%n%ae%n%cn%n%ce%n%s";
        let shown = self.repository.git(&["show", "--no-patch", format, id]);
        let lines: Vec<&str> = shown.lines().collect();
        let line = |at: usize| lines.get(at).copied().unwrap_or_default();
        let parents: Vec<&str> = line(0).split_whitespace().collect();
        json!({
            "id": id, "short_id": &id[..8], "parent_ids": parents, "title": line(5),
            "message": line(5), "author_name": line(1), "author_email": line(2),
            "committer_name": line(3), "committer_email": line(4),
        })
    }

    /// The comparison from the merge base.
    pub(super) fn comparison(&self, from: &str, to: &str) -> Option<Value> {
        let git = &self.repository;
        let (from, to) = (self.commit_id(from)?, self.commit_id(to)?);
        let base = git.git(&["merge-base", &from, &to]);
        let range = format!("{from}..{to}");
        let ids = git.git(&["rev-list", "--reverse", &range]);
        let commits: Vec<Value> = ids.lines().map(|id| self.commit_value(id)).collect();
        let raw = git.git(&["diff", "--raw", "--no-abbrev", "--find-renames", &base, &to]);
        let diffs: Vec<Value> = raw.lines().filter_map(diff_value).collect();
        Some(json!({
            "commit": commits.last(), "commits": commits, "diffs": diffs,
            "compare_timeout": false, "compare_same_ref": from == to, "web_url": "",
        }))
    }

    pub(super) fn has_conflicts(&self, source: &str, target: &str) -> bool {
        let (Some(source), Some(target)) = (self.commit_id(source), self.commit_id(target)) else {
            return true;
        };
        let arguments = ["merge-tree", "--write-tree", &target, &source];
        self.repository.try_git(&arguments, b"").is_err()
    }

    /// Merges a commit into a branch; returns the new commit of the branch.
    pub(super) fn merge_commit(
        &self,
        head: &str,
        target: &str,
        text: &str,
        is_squash: bool,
    ) -> String {
        let git = &self.repository;
        let base = git.tip(target).unwrap();
        let merged = git.git(&["merge-tree", "--write-tree", &base, head]);
        let tree = merged.lines().next().unwrap_or_default();
        let mut arguments = vec!["commit-tree", tree, "-p", &base, "-m", text];
        if !is_squash {
            arguments.extend(["-p", head]);
        }
        let commit = git.git(&arguments);
        git.git(&[
            "update-ref",
            &format!("refs/heads/{target}"),
            &commit,
            &base,
        ]);
        commit
    }
}

/// A line of `git diff --raw`: `:MODE MODE ID ID STATUS<tab>PATH[<tab>PATH]`.
fn diff_value(line: &str) -> Option<Value> {
    let (head, paths) = line.strip_prefix(':')?.split_once('\t')?;
    let fields: Vec<&str> = head.split(' ').collect();
    let (old, new) = paths.split_once('\t').unwrap_or((paths, paths));
    let status = fields.get(4)?.chars().next()?;
    let mode = |at: usize| match fields[at] {
        "000000" => "0",
        mode => mode,
    };
    Some(json!({
        "old_path": old, "new_path": new, "a_mode": mode(0), "b_mode": mode(1), "diff": "",
        "new_file": status == 'A', "deleted_file": status == 'D', "renamed_file": status == 'R',
        "collapsed": false, "too_large": false,
    }))
}

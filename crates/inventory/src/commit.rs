//! The files of a commit, laid out in a temporary directory to be read like a working tree.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::{ChildStdout, Command, Output, Stdio};

use patchgate_ecosystems::limits;
use patchgate_fs::isolated_git;
use patchgate_model::UserError;

use crate::repository::located;

/// Most files of a commit.
const MAX_FILES: usize = 1_000_000;

/// Most bytes of a commit's files.
const MAX_TOTAL_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Settings of a clone that would change which entries an index has, each with the value that turns
/// it off.
const WHOLE_INDEX: [&str; 6] = [
    "-c",
    "core.sparseCheckout=false",
    "-c",
    "index.sparse=false",
    "-c",
    "core.splitIndex=false",
];

/// The files of a commit in a temporary directory, which is deleted with the value.
///
/// Files are those that git stores: no filter is run on them, links are left out, and so are
/// submodules, whose files another repository has.
#[derive(Debug)]
pub struct CommitFiles {
    directory: tempfile::TempDir,
    /// The scanned path, from the root.
    inside: PathBuf,
    commit: String,
    submodules: Vec<String>,
}

/// A regular file of a commit.
#[derive(Debug)]
struct Entry {
    object: String,
    path: String,
}

impl CommitFiles {
    /// Lays out the files of a revision of the repository that `path` belongs to.
    ///
    /// git is run, but only commands that read its objects: they run no hook, no filter and no other
    /// program of the clone's configuration, and reach no network.
    ///
    /// # Errors
    /// When the path is in no repository, the revision is unknown there, an object is missing, or
    /// the commit is larger than the limits.
    pub fn lay_out(path: &Path, revision: &str) -> Result<Self, UserError> {
        let (root, start) = located(path);
        let mut inside = PathBuf::from(start);
        if let Some(name) = path.file_name().filter(|_| !path.is_dir()) {
            inside.push(name);
        }
        let commit = resolve(&root, revision)?;
        let (entries, submodules) = listed(&root, &commit)?;

        let directory = tempfile::Builder::new()
            .prefix("patchgate-commit-")
            .tempdir()
            .map_err(|error| UserError::failure(format!("no temporary directory: {error}")))?;
        write_files(&root, directory.path(), &entries)?;
        write_index(&root, directory.path(), &commit)?;

        Ok(Self {
            directory,
            inside,
            commit,
            submodules,
        })
    }

    /// The path in the temporary directory that the scanned path has in the repository.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.inside)
    }

    /// The full id of the commit.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Paths of the submodules, whose files are not among those of the commit.
    #[must_use]
    pub fn submodules(&self) -> &[String] {
        &self.submodules
    }
}

/// git in the repository. It refuses repositories of other accounts, because their configuration can
/// name programs; none is run here, and jobs in containers often read a clone of another account.
fn git(root: &Path) -> Command {
    let mut command = isolated_git(root);
    command.args(["-c", "safe.directory=*"]);
    command
}

/// The full id of the commit that a revision names.
fn resolve(root: &Path, revision: &str) -> Result<String, UserError> {
    let wanted = format!("{revision}^{{commit}}");
    let output = run(
        git(root).args(["rev-parse", "--verify", "--end-of-options"]),
        &[&wanted],
    )?;
    if !output.status.success() {
        let message = format!(
            "`{revision}` is neither a file nor a commit of the repository at `{}`: {}",
            root.display(),
            said(&output)
        );
        return Err(UserError::usage(message).with_hint(
            "a CI job often fetches one commit only: fetch the other one, or all of them \
             (`fetch-depth: 0` of the checkout action, `GIT_DEPTH: 0` on GitLab)",
        ));
    }

    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The regular files of a commit, and its submodules.
fn listed(root: &Path, commit: &str) -> Result<(Vec<Entry>, Vec<String>), UserError> {
    let output = run(
        git(root).args(["ls-tree", "-r", "-z", "--full-tree"]),
        &[commit],
    )?;
    if !output.status.success() {
        return Err(failed(commit, &said(&output)));
    }

    let (mut entries, mut submodules) = (Vec::new(), Vec::new());
    for line in output.stdout.split(|byte| *byte == 0) {
        // A path that is not UTF-8 has no place in a report.
        let Some((facts, path)) = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.split_once('\t'))
        else {
            continue;
        };
        match facts.split(' ').collect::<Vec<_>>()[..] {
            ["100644" | "100755" | "100664", "blob", object] if is_plain(path) => {
                entries.push(Entry {
                    object: object.to_owned(),
                    path: path.to_owned(),
                });
            }
            ["160000", "commit", _] => submodules.push(path.to_owned()),
            _ => {}
        }
    }
    if entries.len() > MAX_FILES {
        return Err(failed(commit, &format!("more than {MAX_FILES} files")));
    }

    Ok((entries, submodules))
}

/// Whether a path stays in the directory and out of git's own. A tree that nobody checked can have
/// any name.
fn is_plain(path: &str) -> bool {
    Path::new(path).components().all(|part| match part {
        Component::Normal(name) => !name.eq_ignore_ascii_case(".git"),
        _ => false,
    })
}

/// Writes the files below a directory. Those that are larger than any file that is read are left
/// out.
fn write_files(root: &Path, directory: &Path, entries: &[Entry]) -> Result<(), UserError> {
    let mut child = git(root)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| not_run(&error))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(UserError::failure("git has no pipes".to_owned()));
    };

    let result = std::thread::scope(|scope| {
        // Written beside the reading: git waits until its answers are taken.
        scope.spawn(move || {
            for entry in entries {
                if writeln!(stdin, "{}", entry.object).is_err() {
                    break;
                }
            }
        });
        let mut answers = BufReader::with_capacity(256 * 1024, stdout);
        let mut total = 0;
        for entry in entries {
            total += write_file(&mut answers, directory, entry)?;
            if total > MAX_TOTAL_BYTES {
                return Err(failed(&entry.path, "the commit has more than 4 GiB"));
            }
        }

        Ok(())
    });

    // Whatever is left to say interests nobody.
    let _ = child.kill();
    let _ = child.wait();
    result
}

/// Writes the next answer of `git cat-file --batch`, and returns its size.
fn write_file(
    answers: &mut BufReader<ChildStdout>,
    directory: &Path,
    entry: &Entry,
) -> Result<u64, UserError> {
    let wrong = |error: std::io::Error| failed(&entry.path, &error.to_string());
    let mut head = String::new();
    answers
        .by_ref()
        .take(1024)
        .read_line(&mut head)
        .map_err(wrong)?;
    let size: u64 = match head.trim_end().split(' ').collect::<Vec<_>>()[..] {
        [_, "blob", size] => size
            .parse()
            .map_err(|_| failed(&entry.path, "git states no size"))?,
        _ => return Err(failed(&entry.path, "the clone lacks its content")),
    };

    let mut content = answers.by_ref().take(size);
    let written = if size > limits::MAX_FILE_BYTES as u64 {
        std::io::copy(&mut content, &mut std::io::sink())
    } else {
        let to = directory.join(&entry.path);
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).map_err(wrong)?;
        }
        let file = std::fs::File::create_new(&to).map_err(wrong)?;
        std::io::copy(&mut content, &mut { file })
    };
    if written.map_err(wrong)? < size {
        return Err(failed(&entry.path, "git stopped in its middle"));
    }

    // A line end follows the content.
    answers.read_exact(&mut [0]).map_err(wrong)?;
    Ok(size)
}

/// Makes the directory a repository that tracks the files of the commit, so that a scan reads the
/// same ones in it.
fn write_index(root: &Path, directory: &Path, commit: &str) -> Result<(), UserError> {
    let inside = directory.join(".git");
    let wrong = |error: std::io::Error| failed(commit, &error.to_string());
    std::fs::create_dir(&inside).map_err(wrong)?;
    std::fs::write(inside.join("HEAD"), format!("{commit}\n")).map_err(wrong)?;

    let mut command = git(root);
    command
        .args(WHOLE_INDEX)
        .args(["read-tree", commit])
        .env("GIT_INDEX_FILE", inside.join("index"));
    let output = run(&mut command, &[])?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(commit, &said(&output))),
    }
}

fn run(command: &mut Command, arguments: &[&str]) -> Result<Output, UserError> {
    let command = command.args(arguments).stdin(Stdio::null());
    command.output().map_err(|error| not_run(&error))
}

fn not_run(error: &std::io::Error) -> UserError {
    UserError::failure(format!("git cannot be run: {error}"))
        .with_hint("a commit is read with git; install it, or name a report of an earlier scan")
}

fn failed(subject: &str, reason: &str) -> UserError {
    UserError::failure(format!(
        "`{subject}` cannot be read from the clone: {reason}"
    ))
}

/// The first line that git wrote to standard error, without control characters.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().next().unwrap_or("git gave no reason");
    line.chars()
        .filter(|character| !character.is_control())
        .take(300)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_git(directory: &Path, arguments: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b.invalid"])
            .args(["-c", "commit.gpgSign=false"])
            .args(arguments)
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn repository() -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        run_git(top.path(), &["init", "--quiet"]);
        write(top.path(), ".gitignore", "*.lock\ntarget\n");
        write(top.path(), "a/Cargo.lock", "before\n");
        write(top.path(), "target/go.sum", "");
        run_git(top.path(), &["add", "--force", "."]);
        run_git(top.path(), &["commit", "--quiet", "--message", "first"]);
        top
    }

    #[test]
    fn the_files_of_a_commit_are_those_that_git_stores() {
        let top = repository();
        write(top.path(), "a/Cargo.lock", "after\n");
        write(top.path(), "b/Cargo.lock", "new\n");
        run_git(top.path(), &["add", "--force", "."]);
        run_git(top.path(), &["commit", "--quiet", "--message", "second"]);

        let files = CommitFiles::lay_out(&top.path().join("a"), "HEAD~1").unwrap();
        let text = std::fs::read_to_string(files.path().join("Cargo.lock")).unwrap();
        assert_eq!(text, "before\n");
        let root = files.path().parent().unwrap().to_owned();
        assert!(!root.join("b").exists());
        assert_eq!(files.commit().len(), 40);

        // Ignored and skipped paths are tracked there as they are here.
        let tracked = crate::git::tracked(&root, |_| true).unwrap();
        let tracked: Vec<String> = tracked.into_iter().collect();
        assert_eq!(tracked, [".gitignore", "a/Cargo.lock", "target/go.sum"]);

        let place = files.directory.path().to_owned();
        drop(files);
        assert!(!place.exists());
    }

    #[test]
    fn no_program_of_the_clone_is_run() {
        let top = repository();
        let trap = top.path().join("trap");
        let command = format!("touch {}", trap.display());
        for name in ["smudge", "clean", "process"] {
            run_git(
                top.path(),
                &["config", &format!("filter.f.{name}"), &command],
            );
        }
        for name in [
            "core.fsmonitor",
            "diff.f.textconv",
            "core.pager",
            "core.sshCommand",
        ] {
            run_git(top.path(), &["config", name, &command]);
        }
        write(top.path(), ".git/info/attributes", "* filter=f diff=f\n");
        write(
            top.path(),
            ".git/hooks/post-index-change",
            &format!("#!/bin/sh\n{command}\n"),
        );
        let hook = top.path().join(".git/hooks/post-index-change");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(hook, mode).unwrap();

        let files = CommitFiles::lay_out(top.path(), "HEAD").unwrap();
        let text = std::fs::read_to_string(files.path().join("a/Cargo.lock")).unwrap();
        assert_eq!(text, "before\n");
        assert!(!trap.exists(), "a program of the configuration ran");
    }

    #[test]
    fn a_clone_of_another_account_is_read() {
        let top = repository();
        let owner = Command::new("chown")
            .args(["-R", "65534"])
            .arg(top.path())
            .output();
        if !owner.unwrap().status.success() {
            // Only root may give files away.
            return;
        }

        let files = CommitFiles::lay_out(top.path(), "HEAD").unwrap();
        assert!(files.path().join("a/Cargo.lock").exists());
    }

    #[test]
    fn links_and_submodules_are_left_out() {
        let top = repository();
        std::os::unix::fs::symlink("/etc", top.path().join("link")).unwrap();
        run_git(top.path(), &["add", "link"]);
        let object = "1".repeat(40);
        let info = format!("160000,{object},sub");
        run_git(top.path(), &["update-index", "--add", "--cacheinfo", &info]);
        run_git(top.path(), &["commit", "--quiet", "--message", "second"]);

        let files = CommitFiles::lay_out(top.path(), "HEAD").unwrap();
        assert!(!files.path().join("link").exists());
        assert_eq!(files.submodules(), ["sub"]);
    }

    #[test]
    fn a_tree_cannot_name_a_path_outside() {
        for path in [
            "../a",
            "/a",
            "a/../../b",
            ".git/config",
            "a/.GIT/hooks/x",
            "./a",
        ] {
            assert!(!is_plain(path), "{path}");
        }
        assert!(is_plain("a/.github/x"));
    }

    #[test]
    fn an_unknown_revision_says_how_to_fetch_it() {
        let top = repository();
        for revision in ["main-of-elsewhere", "--help", "HEAD:a", ""] {
            let error = CommitFiles::lay_out(top.path(), revision).unwrap_err();
            let text = format!("{error:?}");
            assert!(text.contains("neither a file nor a commit"), "{text}");
            assert!(text.contains("fetch-depth"), "{text}");
        }

        let outside = tempfile::tempdir().unwrap();
        let error = CommitFiles::lay_out(outside.path(), "HEAD").unwrap_err();
        assert!(
            error.to_string().contains("not a git repository"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_object_is_an_error() {
        let top = repository();
        let output = Command::new("git")
            .args(["rev-parse", "HEAD:a/Cargo.lock"])
            .current_dir(top.path())
            .output()
            .unwrap();
        let object = String::from_utf8(output.stdout).unwrap();
        let (first, rest) = object.trim().split_at(2);
        std::fs::remove_file(top.path().join(".git/objects").join(first).join(rest)).unwrap();

        let error = CommitFiles::lay_out(top.path(), "HEAD").unwrap_err();
        assert!(error.to_string().contains("a/Cargo.lock"), "{error}");
    }
}

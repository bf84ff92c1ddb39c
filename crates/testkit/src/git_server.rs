//! Git over HTTP: git's own `http-backend` behind a CGI bridge (RFC 3875) with basic
//! authentication.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::{HttpServer, Request, Response};

/// A token that the server accepts. As on GitHub it is the password, and the user name is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitToken {
    /// The secret, which is sent as the password.
    pub secret: String,
    /// Whether it may push.
    pub may_push: bool,
}

struct State {
    root: PathBuf,
    tokens: Vec<GitToken>,
    pushes: Mutex<Vec<String>>,
}

/// A running git server. Its repositories are removed when it is dropped.
pub struct GitServer {
    directory: TempDir,
    server: HttpServer,
    state: Arc<State>,
}

impl GitServer {
    /// Starts a server that accepts these tokens. Without one of them nothing is readable.
    ///
    /// # Panics
    /// When there is no temporary directory or no free port.
    #[must_use]
    pub fn start(tokens: Vec<GitToken>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = Arc::new(State {
            root: directory.path().to_owned(),
            tokens,
            pushes: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&state);
        let server = HttpServer::start(move |request| shared.answer(request));

        Self {
            directory,
            server,
            state,
        }
    }

    /// The server's base address, without a trailing slash; a repository is at `/OWNER/NAME` with
    /// or without `.git`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// All requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// The repositories that were pushed to (`owner/name`), one entry for each push that git accepted
    /// for processing.
    #[must_use]
    pub fn pushes(&self) -> Vec<String> {
        self.state.pushes.lock().unwrap().clone()
    }

    /// Creates an empty bare repository with `main` as its default branch.
    ///
    /// # Panics
    /// When git fails.
    #[must_use]
    pub fn create(&self, full_name: &str) -> Repository {
        let path = self.directory.path().join(format!("{full_name}.git"));
        std::fs::create_dir_all(&path).unwrap();
        let repository = Repository {
            full_name: full_name.to_owned(),
            path,
        };
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main"]);
        repository.git(&["config", "http.receivepack", "true"]);

        // As on GitHub, any commit can be fetched by its hash.
        repository.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        repository
    }
}

/// A bare repository of a [`GitServer`]. Tests prepare it and look at the outcome.
#[derive(Debug, Clone)]
pub struct Repository {
    full_name: String,
    path: PathBuf,
}

impl Repository {
    /// The name on the server, `owner/name`.
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// The directory of the bare repository.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs git in the repository and returns its standard output, without the last line break.
    ///
    /// # Panics
    /// When git fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.try_git(arguments, b"")
            .map(|output| String::from_utf8_lossy(&output).trim_end().to_owned())
            .unwrap_or_else(|error| panic!("git {arguments:?}: {error}"))
    }

    /// Runs git in the repository with `input` and returns its standard output.
    ///
    /// # Errors
    /// When git fails, with its standard error.
    ///
    /// # Panics
    /// When git cannot be started.
    pub fn try_git(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
        let mut child = git_command(&self.path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git is installed");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();

        // A thread, because git may print before it has read everything.
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().expect("git ends");
        let _ = writer.join();

        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Commits files to the tip of a branch and returns the commit's hash. Empty content removes the
    /// file. A branch that does not exist is created.
    ///
    /// # Panics
    /// When git fails.
    pub fn commit(&self, branch: &str, message: &str, files: &[(&str, &[u8])]) -> String {
        let reference = format!("refs/heads/{branch}");
        let parent = self.tip(branch);
        let mut stream = Vec::new();
        let committer = "Test Person <person@example.invalid> 1700000000 +0000";
        let mut line = |text: String| {
            stream.extend_from_slice(text.as_bytes());
            stream.push(b'\n');
        };
        line(format!("commit {reference}"));
        line(format!("committer {committer}"));
        line(format!("data {}\n{message}", message.len()));

        if let Some(parent) = parent {
            line(format!("from {parent}"));
        }
        for (path, content) in files {
            if content.is_empty() {
                stream.extend_from_slice(format!("D {path}\n").as_bytes());
            } else {
                let head = format!("M 100644 inline {path}\ndata {}\n", content.len());
                stream.extend_from_slice(head.as_bytes());
                stream.extend_from_slice(content);
                stream.push(b'\n');
            }
        }

        self.try_git(&["fast-import", "--quiet", "--force"], &stream)
            .unwrap_or_else(|error| panic!("git fast-import: {error}"));
        self.tip(branch).expect("the branch was just written")
    }

    /// Commits every file below `directory` to a branch; see [`Repository::commit`].
    ///
    /// # Panics
    /// When a file cannot be read.
    pub fn commit_directory(&self, branch: &str, message: &str, directory: &Path) -> String {
        let mut files = Vec::new();
        collect(directory, directory, &mut files);
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_slice()))
            .collect();
        self.commit(branch, message, &files)
    }

    /// The commit at the tip of a branch.
    #[must_use]
    pub fn tip(&self, branch: &str) -> Option<String> {
        let reference = format!("refs/heads/{branch}");
        self.try_git(&["rev-parse", "--verify", "--quiet", &reference], b"")
            .ok()
            .map(|hash| String::from_utf8_lossy(&hash).trim().to_owned())
    }

    /// The names of all branches, sorted.
    #[must_use]
    pub fn branches(&self) -> Vec<String> {
        self.git(&["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"])
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// A file's content at a commit or branch.
    #[must_use]
    pub fn file(&self, revision: &str, path: &str) -> Option<Vec<u8>> {
        self.try_git(&["cat-file", "blob", &format!("{revision}:{path}")], b"")
            .ok()
    }
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("`{}`: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();

    for path in entries {
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
}

/// Git in an environment in which it reads only the repository's own configuration.
fn git_command(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Test Person")
        .env("GIT_AUTHOR_EMAIL", "person@example.invalid")
        .env("GIT_COMMITTER_NAME", "Test Person")
        .env("GIT_COMMITTER_EMAIL", "person@example.invalid");

    command
}

impl State {
    fn answer(&self, request: &Request) -> Response {
        let Some((full_name, rest)) = split_path(&request.path) else {
            return Response::status(404);
        };
        let pushing = rest == "/git-receive-pack"
            || request.parameter("service").as_deref() == Some("git-receive-pack");
        let Some(token) = self.token(request) else {
            return Response::bytes(401, "text/plain", "authentication required")
                .with_header("WWW-Authenticate", "Basic realm=\"git\"");
        };
        if pushing && !token.may_push {
            return Response::bytes(403, "text/plain", "write access to repository not granted");
        }

        let repository = self.root.join(format!("{full_name}.git"));
        if !repository.is_dir() {
            return Response::bytes(404, "text/plain", "repository not found");
        }

        let response = run_backend(&repository, &rest, request);
        if rest == "/git-receive-pack" && response.status == 200 {
            self.pushes.lock().unwrap().push(full_name);
        }

        response
    }

    fn token(&self, request: &Request) -> Option<&GitToken> {
        use base64::Engine as _;
        let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (_, password) = text.split_once(':')?;
        self.tokens.iter().find(|token| token.secret == password)
    }
}

/// Splits `/group/…/name[.git]/rest` into the path of the project and `/rest`, which is a service of
/// git's protocol.
fn split_path(path: &str) -> Option<(String, String)> {
    let services = ["/info/refs", "/git-upload-pack", "/git-receive-pack"];
    let rest = services.iter().find(|rest| path.ends_with(**rest))?;
    let project = path.strip_suffix(rest)?.trim_start_matches('/');
    let project = project.strip_suffix(".git").unwrap_or(project);
    let plain = |part: &str| !part.is_empty() && !part.contains("..") && !part.contains('%');
    (project.contains('/') && project.split('/').all(plain))
        .then(|| (project.to_owned(), (*rest).to_owned()))
}

fn run_backend(repository: &Path, rest: &str, request: &Request) -> Response {
    let mut command = git_command(repository);
    command
        .arg("http-backend")
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("QUERY_STRING", &request.query)
        .env("PATH_TRANSLATED", format!("{}{rest}", repository.display()))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("REMOTE_USER", "token")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    for (header, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ] {
        if let Some(value) = request.header(header) {
            command.env(variable, value);
        }
    }

    let mut child = command.spawn().expect("git is installed");
    let mut stdin = child.stdin.take().expect("a pipe");
    let body = request.body.clone();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&body);
    });
    let output = child.wait_with_output().expect("git ends");
    let _ = writer.join();

    cgi_response(&output.stdout)
}

/// Reads a CGI response: headers, an empty line, the body. The header `Status` is the status code.
fn cgi_response(output: &[u8]) -> Response {
    let Some(end) = output.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Response::bytes(500, "text/plain", "git http-backend gave no headers");
    };
    let mut response = Response::status(200);
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        match line.split_once(':') {
            Some(("Status", value)) => {
                response.status = value
                    .split_whitespace()
                    .next()
                    .and_then(|code| code.parse().ok())
                    .unwrap_or(500);
            }
            Some((name, value)) => response = response.with_header(name, value.trim()),
            None => {}
        }
    }

    response.body = output[end + 4..].to_vec();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(server: &GitServer, secret: &str, work: &Path) -> Result<(), String> {
        let url = server
            .url()
            .replace("http://", &format!("http://any:{secret}@"));
        let output = git_command(work)
            .env("GIT_TERMINAL_PROMPT", "0")
            .args([
                "push",
                "--quiet",
                &format!("{url}/acme/shop.git"),
                "main:feature",
            ])
            .output()
            .unwrap();

        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn worktree() -> TempDir {
        let work = tempfile::tempdir().unwrap();
        for arguments in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["commit", "--quiet", "--allow-empty", "-m", "start"],
        ] {
            let status = git_command(work.path()).args(arguments).status().unwrap();
            assert!(status.success());
        }

        work
    }

    #[test]
    fn a_push_needs_a_token_that_may_push() {
        let token = |secret: &str, may_push| GitToken {
            secret: secret.to_owned(),
            may_push,
        };
        let server = GitServer::start(vec![token("writer", true), token("reader", false)]);
        let repository = server.create("acme/shop");
        let work = worktree();

        assert!(
            push(&server, "reader", work.path())
                .unwrap_err()
                .contains("403")
        );
        assert!(push(&server, "stranger", work.path()).is_err());
        assert_eq!(repository.tip("feature"), None);

        push(&server, "writer", work.path()).unwrap();
        assert!(repository.tip("feature").is_some());
        assert_eq!(server.pushes(), ["acme/shop"]);
    }

    #[test]
    fn commits_files_on_top_of_each_other() {
        let server = GitServer::start(Vec::new());
        let repository = server.create("acme/shop");
        let first = repository.commit("main", "one", &[("a/b", b"1\n"), ("c", b"2\n")]);
        let second = repository.commit("main", "two", &[("c", b"")]);
        assert_ne!(first, second);
        assert_eq!(repository.file("main", "a/b").unwrap(), b"1\n");
        assert_eq!(repository.file("main", "c"), None);
        assert_eq!(repository.git(&["rev-parse", "main^"]), first);
    }
}

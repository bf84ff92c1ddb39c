//! A real Gitea server with a database of its own.
//!
//! Nothing here answers for it: the program is the published one, which `tests/tools/install` builds.
//! Repositories are filled by pushes, as people do, because Gitea learns about branches from its hooks.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{ChildGroup, free_port};
use crate::{GitServer, Repository, Tools};

/// Longest time for the server to start; about three seconds are usual.
const PATIENCE: Duration = Duration::from_secs(90);

/// Number of ports on which the server is started before the test fails.
const PORTS_TRIED: usize = 5;

/// Longest time for one answer.
const ANSWER: Duration = Duration::from_secs(30);

/// A user of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiteaUser {
    /// Its login.
    pub login: String,
    /// A token of it.
    pub token: String,
}

/// A running Gitea. Dropping it stops the server and removes its data.
pub struct GiteaServer {
    // Dropped in this order: first the server, then its directory.
    _server: ChildGroup,
    port: u16,
    program: PathBuf,
    scratch: GitServer,
    directory: TempDir,
}

/// A repository on the server, with a scratch clone from which a test pushes.
pub struct GiteaRepository {
    scratch: Repository,
    url: String,
}

impl GiteaServer {
    /// Starts a server without users. `None` when Gitea is not installed, after a skip.
    ///
    /// # Panics
    /// When the server does not start.
    #[must_use]
    #[track_caller]
    pub fn start(tools: &Tools) -> Option<Self> {
        let installed = tools.gitea()?;
        let directory = tempfile::tempdir().unwrap();
        let program = installed.join("gitea");
        let mut printed = String::new();
        for _ in 0..PORTS_TRIED {
            let port = free_port();
            configure(directory.path(), &installed.join("static"), port);
            run(&program, directory.path(), &["migrate"]);
            let mut command = command(&program, directory.path());
            command.arg("web");
            match ChildGroup::start(command, PATIENCE, |line| line.contains("Listen: http")) {
                Ok(server) => {
                    return Some(Self {
                        _server: server,
                        port,
                        program,
                        scratch: GitServer::start(Vec::new()),
                        directory,
                    });
                }
                Err(why) => printed = why,
            }
        }

        panic!("Gitea did not start: {printed}");
    }

    /// The base address of the server, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Creates a user with a token of these scopes, such as `write:repository,read:user`.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn user(&self, login: &str, scopes: &str) -> GiteaUser {
        let email = format!("{login}@people.invalid");
        let home = self.directory.path();
        let arguments = [
            "admin",
            "user",
            "create",
            "--username",
            login,
            "--email",
            &email,
            "--random-password",
            "--must-change-password=false",
        ];
        run(&self.program, home, &arguments);
        let arguments = [
            "admin",
            "user",
            "generate-access-token",
            "--username",
            login,
            "--scopes",
            scopes,
            "--token-name",
            "test",
            "--raw",
        ];
        let printed = run(&self.program, home, &arguments);
        let token = printed.lines().last().unwrap_or_default().trim();

        GiteaUser {
            login: login.to_owned(),
            token: token.to_owned(),
        }
    }

    /// Creates an empty repository of `owner`, into which `writer` may push.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn repository(&self, owner: &GiteaUser, name: &str, writer: &GiteaUser) -> GiteaRepository {
        let body = json!({ "name": name, "default_branch": "main" });
        self.expect(owner, "POST", "/user/repos", &body, 201);
        let path = format!(
            "/repos/{}/{name}/collaborators/{}",
            owner.login, writer.login
        );
        self.expect(owner, "PUT", &path, &json!({ "permission": "write" }), 204);

        GiteaRepository {
            scratch: self.scratch.create(&format!("{}/{name}", owner.login)),
            url: format!(
                "http://{}:{}@127.0.0.1:{}/{}/{name}.git",
                owner.login, owner.token, self.port, owner.login
            ),
        }
    }

    /// Waits until the server knows the first push to a repository, which it handles in the background.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn wait_for_push(&self, owner: &GiteaUser, name: &str) {
        let path = format!("/repos/{}/{name}", owner.login);
        let started = Instant::now();
        while self.expect(owner, "GET", &path, &Value::Null, 200)["empty"] != false {
            assert!(started.elapsed() < PATIENCE, "`{path}` stays empty");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Sends one request to the API as a user; returns the status and the body, `Null` when it is not
    /// JSON. `path` is below `/api/v1`.
    ///
    /// # Panics
    /// When the server does not answer with HTTP.
    #[must_use]
    pub fn call(&self, user: &GiteaUser, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.set_read_timeout(Some(ANSWER)).unwrap();
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        // HTTP 1.0: the end of the connection is the end of the answer.
        write!(
            connection,
            "{method} /api/v1{path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            user.token,
            text.len()
        )
        .unwrap();

        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Sends one request and checks the status of its answer.
    ///
    /// # Panics
    /// When the status is another one.
    pub fn expect(
        &self,
        user: &GiteaUser,
        method: &str,
        path: &str,
        body: &Value,
        status: u16,
    ) -> Value {
        let (answered, answer) = self.call(user, method, path, body);
        assert_eq!(answered, status, "{method} {path}: {answer:#}");
        answer
    }
}

impl GiteaRepository {
    /// A clone in which every commit was made or fetched.
    #[must_use]
    pub fn scratch(&self) -> &Repository {
        &self.scratch
    }

    /// Commits files to a branch and pushes it; returns the id of the commit.
    ///
    /// # Panics
    /// When git fails.
    pub fn commit(&self, branch: &str, message: &str, files: &[(&str, &[u8])]) -> String {
        self.fetch();
        let commit = self.scratch.commit(branch, message, files);
        self.push(branch);
        commit
    }

    /// Commits a directory to a branch and pushes it; returns the id of the commit.
    ///
    /// # Panics
    /// When git fails.
    pub fn commit_directory(&self, branch: &str, message: &str, directory: &Path) -> String {
        let commit = self.scratch.commit_directory(branch, message, directory);
        self.push(branch);
        commit
    }

    fn push(&self, branch: &str) {
        let reference = format!("refs/heads/{branch}");
        let target = format!("{reference}:{reference}");
        self.scratch.git(&["push", "--quiet", &self.url, &target]);
    }

    /// Makes the branches of the clone those of the server.
    ///
    /// # Panics
    /// When git fails.
    pub fn fetch(&self) {
        let all = "+refs/heads/*:refs/heads/*";
        let arguments = [
            "fetch",
            "--quiet",
            "--prune",
            "--update-head-ok",
            &self.url,
            all,
        ];
        self.scratch.git(&arguments);
    }

    /// Creates a branch from another one.
    ///
    /// # Panics
    /// When git fails.
    pub fn branch(&self, name: &str, from: &str) {
        self.fetch();
        self.scratch.git(&["branch", name, from]);
        self.push(name);
    }

    /// Sets a branch of the server to a commit of the clone, whatever it was.
    ///
    /// # Panics
    /// When git fails.
    pub fn reset(&self, branch: &str, commit: &str) {
        let target = format!("+{commit}:refs/heads/{branch}");
        self.scratch.git(&["push", "--quiet", &self.url, &target]);
    }

    /// The branches of the server.
    #[must_use]
    pub fn branches(&self) -> Vec<String> {
        self.fetch();
        self.scratch.branches()
    }

    /// The commit at the head of a branch on the server.
    #[must_use]
    pub fn tip(&self, branch: &str) -> Option<String> {
        self.fetch();
        self.scratch.tip(branch)
    }
}

/// Writes the settings: SQLite, loopback, no mail, no outside requests.
fn configure(home: &Path, files: &Path, port: u16) {
    let user = Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8(user.stdout).unwrap();
    let text = format!(
        "RUN_MODE = prod\nRUN_USER = {user}\nI_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\n\
         WORK_PATH = {home}\n\
         [server]\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {port}\n\
         ROOT_URL = http://127.0.0.1:{port}/\nOFFLINE_MODE = true\nDISABLE_SSH = true\n\
         STATIC_ROOT_PATH = {files}\n\
         [database]\nDB_TYPE = sqlite3\nPATH = {home}/gitea.db\n\
         [repository]\nROOT = {home}/repositories\n\
         [security]\nINSTALL_LOCK = true\nSECRET_KEY = {secret}\n\
         [indexer]\nISSUE_INDEXER_TYPE = db\n[actions]\nENABLED = false\n\
         [service]\nDISABLE_REGISTRATION = true\n[cron]\nENABLED = false\n\
         [log]\nMODE = console\nLEVEL = Info\nROOT_PATH = {home}/log\n",
        user = user.trim(),
        home = home.display(),
        files = files.display(),
        secret = "0123456789abcdef".repeat(4),
    );
    std::fs::write(home.join("app.ini"), text).unwrap();
}

/// The program with the settings in a directory, and an environment of its own.
fn command(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg("--config")
        .arg(home.join("app.ini"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("GITEA_WORK_DIR", home)
        .current_dir(home);
    command
}

/// Runs a subcommand; returns what it prints.
fn run(program: &Path, home: &Path, arguments: &[&str]) -> String {
    let started = Instant::now();
    let output = command(program, home).args(arguments).output().unwrap();
    assert!(
        output.status.success() && started.elapsed() < PATIENCE,
        "gitea {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

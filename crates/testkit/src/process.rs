//! Child processes that end when the value that started them is dropped.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A process in a group of its own. Dropping it kills the whole group, by its id.
pub(crate) struct ChildGroup {
    child: Child,
}

impl ChildGroup {
    /// Starts `command` and waits, at most `patience`, for a line of its standard output that `ready`
    /// accepts. The rest of the output is read and discarded, so that the child never blocks.
    ///
    /// # Errors
    /// When the child ends early, with its standard output, or is not ready in time.
    ///
    /// # Panics
    /// When the child cannot be started.
    pub(crate) fn start(
        mut command: Command,
        patience: Duration,
        ready: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<Self, String> {
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        // From here on a panic drops, and so kills, the group.
        let mut group = Self { child };
        let output = group.child.stdout.take().expect("a pipe");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut seen = String::new();
            let mut reported = false;
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { break };
                if !reported {
                    seen.push_str(&line);
                    seen.push('\n');
                    if ready(&line) {
                        reported = true;
                        let _ = sender.send(Ok(()));
                    }
                }
            }

            if !reported {
                let _ = sender.send(Err(seen));
            }
        });

        match receiver.recv_timeout(patience) {
            Ok(Ok(())) => Ok(group),
            Ok(Err(printed)) => Err(format!("{command:?} ended early: {printed}")),
            Err(_) => Err(format!("{command:?} was not ready within {patience:?}")),
        }
    }
}

impl Drop for ChildGroup {
    fn drop(&mut self) {
        // `process_group(0)` made the group's id that of the child. The child has not been waited for,
        // so the system has not given the id to another process.
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", self.child.id())])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port on which nothing listens at this moment.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    listener.local_addr().expect("a bound address").port()
}

//! `patchgate db` in adverse conditions: a full disk, a killed build, two updates at once, a store of
//! another format.

use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use patchgate_testkit::{HttpServer, Response};

use crate::support::sandbox::Sandbox;

/// A sandbox with a store, and at `repo/more` with more records than the store has: a few of crates.io,
/// whose table is written first, and many of npm.
#[cfg(unix)]
fn sandbox_with_more() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    for n in 0..2000 {
        let ecosystem = if n < 10 { "crates.io" } else { "npm" };
        let record = format!(
            r#"{{"id": "X-{n}", "summary": "{}", "affected": [{{"package":
            {{"ecosystem": "{ecosystem}", "name": "p-{n}"}}, "versions": ["1.0.0"]}}]}}"#,
            "long ".repeat(200)
        );
        sandbox.write(&format!("more/{n}.json"), record);
    }

    sandbox
}

/// Runs `patchgate` with a limit of 64 blocks for each file, far below the size of the npm table.
#[cfg(unix)]
fn run_limited(sandbox: &Sandbox, before: &str, arguments: &str) -> Output {
    let script = format!("{before} ulimit -c 0; ulimit -f 64; exec \"$0\" {arguments}");
    Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_patchgate")])
        .current_dir(sandbox.path(""))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap()
}

fn listed(sandbox: &Sandbox) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(sandbox.path("store"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A limit on the size of files simulates a full disk. The previous store remains usable, and the files of
/// the failed build are removed.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_store_as_it_was() {
    let sandbox = sandbox_with_more();
    let before = listed(&sandbox);

    for arguments in [
        "db build --replace --from repo/more --into store",
        "db update --from repo/more --into store --ecosystem npm --mirror nowhere \
         --kev-url none --epss-url none",
    ] {
        // The signal is ignored, so that writing fails.
        let run = run_limited(&sandbox, "trap '' XFSZ;", arguments);
        let stderr = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("cannot be written"), "{stderr}");
        assert!(stderr.contains("has space"), "{stderr}");
        assert_eq!(listed(&sandbox), before);
        sandbox.run(&["db", "verify", "--store", "store"]).expect(0);
    }
}

/// A build that is killed while it writes leaves an unfinished file. The store remains usable, and the
/// next build removes the file.
#[cfg(unix)]
#[test]
fn a_killed_build_leaves_the_store_as_it_was() {
    use std::os::unix::process::ExitStatusExt as _;

    let sandbox = sandbox_with_more();
    let before = listed(&sandbox);
    let run = run_limited(
        &sandbox,
        "",
        "db build --replace --from repo/more --into store",
    );
    assert!(run.status.signal().is_some(), "{run:?}");
    let left = listed(&sandbox);
    let is_unfinished = |name: &&String| name.starts_with(".building-");
    assert_eq!(left.iter().filter(is_unfinished).count(), 1, "{left:?}");
    sandbox.run(&["db", "verify", "--store", "store"]).expect(0);
    // There may also be a finished table, which no manifest names.
    assert!(before.iter().all(|name| left.contains(name)));
    sandbox.build_store();
    assert_eq!(listed(&sandbox), before);
}

/// The second of two processes is refused and changes nothing; the first one succeeds.
#[test]
fn the_second_of_two_updates_at_once_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let (arrived, arrivals) = channel();
    let (open, gate) = channel::<()>();
    let (arrived, gate) = (Mutex::new(arrived), Mutex::new(gate));
    let server = HttpServer::start(move |request| {
        let _ = arrived.lock().unwrap().send(request.path.clone());
        let _ = gate.lock().unwrap().recv_timeout(Duration::from_secs(50));
        Response::status(404)
    });
    let url = server.url();
    let arguments = [
        "db",
        "update",
        "--into",
        "store",
        "--ecosystem",
        "npm",
        "--mirror",
        &url,
        "--kev-url",
        "none",
        "--epss-url",
        "none",
    ];
    let first = Command::new(env!("CARGO_BIN_EXE_patchgate"))
        .args(arguments)
        .current_dir(sandbox.path(""))
        .env_clear()
        .env("HOME", sandbox.path("home"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut first = first.unwrap();

    // It has the lock by the time it sends its first request.
    let path = arrivals.recv_timeout(Duration::from_secs(50)).unwrap();
    assert_eq!(path, "/npm/all.zip");

    let second = sandbox.run(&arguments).expect(2);
    assert!(second.stderr.contains("another process"), "{second:?}");
    assert!(second.stderr.contains("run it again"), "{second:?}");

    let advisories = crate::support::sandbox::root().join("examples/advisories");
    let advisories = advisories.to_str().unwrap();
    let build = sandbox.run(&["db", "build", "--from", advisories, "--into", "store"]);

    assert!(build.expect(2).stderr.contains("another process"));

    sandbox.run(&["db", "verify", "--store", "store"]).expect(0);
    drop(open);

    // The export does not exist, so the run is incomplete.
    assert_eq!(first.wait().unwrap().code(), Some(3));

    sandbox.run(&["db", "verify", "--store", "store"]).expect(0);
}

#[test]
fn a_store_of_another_format_is_refused_with_the_next_step() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let manifest = sandbox.path("store/store.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["format"] = 1.into();
    std::fs::write(&manifest, value.to_string()).unwrap();
    sandbox.write(
        "package-lock.json",
        r#"{"lockfileVersion": 3, "packages": {}}"#,
    );

    for arguments in [
        &["scan", "--offline", "--store", "store", "repo"][..],
        &["db", "status", "--store", "store"],
        &["db", "verify", "--store", "store"],
    ] {
        let run = sandbox.run(arguments).expect(2);
        assert!(run.stderr.contains("has format 1"), "{run:?}");
        assert!(run.stderr.contains("patchgate db update --into"), "{run:?}");
    }

    let update = |extra: &[&str]| {
        let fixed = ["db", "update", "--into", "store", "--ecosystem", "npm"];
        sandbox.run(&[&fixed[..], extra].concat())
    };
    let advisories = crate::support::sandbox::root().join("examples/advisories");
    let mirror = advisories.to_str().unwrap();
    let lost = update(&[
        "--mirror",
        mirror,
        "--kev-url",
        "none",
        "--epss-url",
        "none",
    ])
    .expect(2);

    assert!(lost.stderr.contains("would lose"), "{lost:?}");
    assert_eq!(
        std::fs::read_to_string(&manifest).unwrap(),
        value.to_string()
    );

    let feeds = [
        "known_exploited_vulnerabilities.json",
        "epss_scores-2026-01-30.csv",
    ]
    .map(|name| format!("{mirror}/feeds/{name}"));
    let [kev, epss] = feeds.each_ref().map(String::as_str);
    let own = [
        "--from",
        mirror,
        "--kev-url",
        kev,
        "--epss-url",
        epss,
        "--mirror",
        "nowhere",
    ];
    let made = update(&own).expect(3);

    assert!(made.stdout.contains("had format 1"), "{made:?}");

    sandbox.run(&["db", "verify", "--store", "store"]).expect(0);
}

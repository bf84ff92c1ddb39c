//! A release for CI to download: packed as the release workflow does, served as a forge does.

use patchgate_testkit::{HttpServer, Response};

use crate::support::ci_step::{BASH, Step, program};
use crate::support::sandbox::Sandbox;

/// The names of this machine on GitHub's runners and in `uname`, and its archive.
#[cfg(not(target_arch = "aarch64"))]
pub(crate) const HERE: (&str, &str, &str) = ("X64", "x86_64", "patchgate-Linux-X64.tar.gz");
#[cfg(target_arch = "aarch64")]
pub(crate) const HERE: (&str, &str, &str) = ("ARM64", "aarch64", "patchgate-Linux-ARM64.tar.gz");
/// The archive for this machine.
pub(crate) const ARCHIVE: &str = HERE.2;
/// A program that replaces `patchgate`.
pub(crate) const PROGRAM: &str = "#!/bin/sh\necho \"patchgate was run with $1\"\n";

/// Packs `build/target/release/patchgate` of the sandbox as the release workflow does; returns the
/// archive and its checksum file.
#[track_caller]
pub(crate) fn packed(sandbox: &Sandbox) -> (Vec<u8>, Vec<u8>) {
    let name = ARCHIVE.strip_suffix(".tar.gz").unwrap();
    Step::of(".github/workflows/release.yml", "tar -czf")
        .run(sandbox, "build", &[("matrix.archive", name)])
        .expect(0);
    let file = |name: &str| std::fs::read(sandbox.path("build").join(name)).unwrap();
    (file(ARCHIVE), file(&format!("{ARCHIVE}.sha256")))
}

/// A sandbox with a build of [`PROGRAM`].
pub(crate) fn built() -> Sandbox {
    let sandbox = Sandbox::new();
    program(&sandbox.path("build/target/release/patchgate"), PROGRAM);
    sandbox
}

/// The archive of these arguments of tar, and its checksum file.
#[track_caller]
pub(crate) fn archive(sandbox: &Sandbox, arguments: &str) -> (Vec<u8>, Vec<u8>) {
    let script = format!("tar -czPf ../a {arguments}\nsha256sum ../a > ../a.sha256");
    let step = Step {
        script,
        shell: BASH,
        environment: Vec::new(),
    };
    std::fs::create_dir_all(sandbox.path("build/packed")).unwrap();
    step.run(sandbox, "build/packed", &[]).expect(0);
    let file = |name: &str| std::fs::read(sandbox.path("build").join(name)).unwrap();

    (file("a"), file("a.sha256"))
}

/// Serves a release's files behind a redirect, as forges do; the second is `None` for a 404.
pub(crate) fn release(archive: Response, checksum: Option<Vec<u8>>) -> HttpServer {
    release_of("v0.1.0", archive, checksum)
}

/// The same for the release of another tag.
pub(crate) fn release_of(tag: &str, archive: Response, checksum: Option<Vec<u8>>) -> HttpServer {
    let directory = format!("/owner/patchgate/releases/download/{tag}");
    let files = HttpServer::start(move |request| match request.path.as_str() {
        path if path == format!("/{ARCHIVE}") => archive.clone(),
        path if path == format!("/{ARCHIVE}.sha256") => match &checksum {
            Some(bytes) => bytes_of(bytes.clone()),
            None => Response::status(404),
        },
        _ => Response::status(404),
    });

    HttpServer::start(move |request| {
        let name = request.path.strip_prefix(&directory);
        match name {
            Some(name) => {
                Response::status(302).with_header("Location", format!("{}{name}", files.url()))
            }
            None => Response::status(404),
        }
    })
}

pub(crate) fn bytes_of(bytes: Vec<u8>) -> Response {
    Response::bytes(200, "application/octet-stream", bytes)
}

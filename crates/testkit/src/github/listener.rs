//! The server in front of the contract proxy, which records the proxy's objections.
//!
//! It is needed for two reasons. The proxy answers a violation with an error status, and a program
//! that handles errors well would hide it from the test. And OpenAPI has no parameter that spans
//! several path segments, while GitHub accepts `contents/a/b` and `git/ref/heads/main`.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use crate::http_server::{read_body, read_line};
use crate::{Request, Response};

/// Longest time to wait for the proxy.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Paths below a repository whose last parameter may contain slashes.
const SPANNING: &[&str] = &[
    "contents/",
    "git/ref/",
    "git/refs/",
    "git/matching-refs/",
    "rules/branches/",
    "compare/",
];

/// Forwards requests to the proxy.
pub(crate) struct Listener {
    pub(crate) proxy: SocketAddr,
    pub(crate) violations: Mutex<Vec<String>>,
}

impl Listener {
    pub(crate) fn answer(&self, request: &Request) -> Response {
        let response = forward(self.proxy, request)
            .unwrap_or_else(|error| Response::bytes(502, "text/plain", error.to_string()));
        let text = String::from_utf8_lossy(&response.body);
        // The proxy's own answers are problem documents with a type of its own.
        if response.status == 502 || text.contains("stoplight.io/prism/errors") {
            let line = format!("{} {}: {text}", request.method, request.path);
            self.violations.lock().unwrap().push(line);
        }

        response
    }
}

fn forward(proxy: SocketAddr, request: &Request) -> std::io::Result<Response> {
    let mut connection = TcpStream::connect(proxy)?;
    connection.set_read_timeout(Some(TIMEOUT))?;

    let mut head = format!("{} {}", request.method, one_segment(&request.path));
    if !request.query.is_empty() {
        head.push('?');
        head.push_str(&request.query);
    }

    head.push_str(" HTTP/1.1\r\n");
    for (name, value) in &request.headers {
        let hop = [
            "connection",
            "content-length",
            "transfer-encoding",
            "expect",
            "accept-encoding",
        ];
        if !hop.contains(&name.as_str()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }

    if !request.body.is_empty() {
        head.push_str(&format!("content-length: {}\r\n", request.body.len()));
    }

    head.push_str("connection: close\r\n\r\n");
    connection.write_all(head.as_bytes())?;
    connection.write_all(&request.body)?;

    read_response(&mut BufReader::new(connection))
}

fn read_response(reader: &mut BufReader<TcpStream>) -> std::io::Result<Response> {
    let status = read_line(reader)?;
    let mut answer = Request::default();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            answer
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    let framed = ["content-length", "transfer-encoding"]
        .iter()
        .any(|name| answer.header(name).is_some());
    let body = if framed {
        read_body(reader, &answer)?
    } else {
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest)?;
        rest
    };

    let code = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let mut response = Response::status(code.unwrap_or(502));
    response.headers = answer
        .headers
        .into_iter()
        .filter(|(name, _)| {
            ![
                "connection",
                "content-length",
                "transfer-encoding",
                "keep-alive",
            ]
            .contains(&name.as_str())
        })
        .collect();
    response.body = body;

    Ok(response)
}

/// Escapes the slashes of a parameter that spans several segments.
fn one_segment(path: &str) -> String {
    let parts: Vec<&str> = path.splitn(5, '/').collect();
    let ["", "repos", owner, name, rest] = parts[..] else {
        return path.to_owned();
    };
    let before = format!("/repos/{owner}/{name}/");
    if let Some(prefix) = SPANNING.iter().find(|prefix| rest.starts_with(**prefix)) {
        return format!(
            "{before}{prefix}{}",
            rest[prefix.len()..].replace('/', "%2F")
        );
    }

    for (prefix, suffixes) in [
        ("branches/", &["/protection"][..]),
        (
            "commits/",
            &["/check-runs", "/check-suites", "/status", "/statuses"],
        ),
    ] {
        if let Some(name) = rest.strip_prefix(prefix) {
            let suffix = suffixes.iter().find(|suffix| name.ends_with(**suffix));
            let suffix = suffix.copied().unwrap_or_default();
            let name = name[..name.len() - suffix.len()].replace('/', "%2F");
            return format!("{before}{prefix}{name}{suffix}");
        }
    }

    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::one_segment;

    #[test]
    fn only_the_spanning_parameter_is_escaped() {
        for (path, expected) in [
            (
                "/repos/a/b/contents/x/y.lock",
                "/repos/a/b/contents/x%2Fy.lock",
            ),
            (
                "/repos/a/b/git/ref/heads/x/y",
                "/repos/a/b/git/ref/heads%2Fx%2Fy",
            ),
            (
                "/repos/a/b/commits/x/y/status",
                "/repos/a/b/commits/x%2Fy/status",
            ),
            ("/repos/a/b/pulls/1/files", "/repos/a/b/pulls/1/files"),
            ("/user", "/user"),
        ] {
            assert_eq!(one_segment(path), expected);
        }
    }
}

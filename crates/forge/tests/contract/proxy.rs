//! A proxy in front of a forge that counts requests, and lets one that writes fail.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longest time that a connection waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// The way in which a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends without an answer.
    Lost,
    /// An error of the server.
    Broken,
    /// A refusal without a reason.
    Forbidden,
    /// Too many requests, with the time after which to try again.
    Limited,
    /// A page of something between, with a status of success.
    Page,
    /// The beginning of an answer.
    Half,
    /// The token is no longer valid, for this request and all later ones.
    Expired,
}

impl Fault {
    pub(crate) const ALL: [Self; 7] = [
        Self::Lost,
        Self::Broken,
        Self::Forbidden,
        Self::Limited,
        Self::Page,
        Self::Half,
        Self::Expired,
    ];

    fn answer(self) -> Vec<u8> {
        let answer = |status: &str, more: &str, body: &str| {
            let length = body.len();
            format!(
                "HTTP/1.1 {status}\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .into_bytes()
        };
        let json = "content-type: application/json\r\n";
        match self {
            Self::Lost => Vec::new(),
            Self::Broken => answer("500 Internal Server Error", json, "{\"message\":\"fault\"}"),
            Self::Forbidden => answer("403 Forbidden", json, "{\"message\":\"no\"}"),
            Self::Limited => {
                let more = format!("{json}retry-after: 1\r\n");
                answer("429 Too Many Requests", &more, "{\"message\":\"slow\"}")
            }
            Self::Page => answer("200 OK", "content-type: text/html\r\n", "<html>login</html>"),
            Self::Half => b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\nconnection: close\r\n\r\n{\"number\"".to_vec(),
            Self::Expired => answer("401 Unauthorized", json, "{\"message\":\"expired\"}"),
        }
    }
}

/// A fault of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Armed {
    /// How many requests that write come before it.
    pub(crate) skip: usize,
    pub(crate) fault: Fault,
    /// Whether the forge does what was asked, and only its answer fails.
    pub(crate) is_after: bool,
}

#[derive(Debug, Default)]
struct Shared {
    requests: usize,
    writes: usize,
    armed: Option<Armed>,
    expired: bool,
}

/// The proxies of one forge, which share their counts and their fault.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxy(Arc<Mutex<Shared>>);

impl Proxy {
    /// The address of a proxy in front of an address.
    pub(crate) fn through(&self, url: &str) -> String {
        let rest = url.strip_prefix("http://").unwrap();
        let (upstream, path) = match rest.split_once('/') {
            Some((upstream, path)) => (upstream.to_owned(), format!("/{path}")),
            None => (rest.to_owned(), String::new()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (proxy, upstream) = (proxy.clone(), upstream.clone());
                std::thread::spawn(move || {
                    stream.is_ok_and(|it| proxy.serve(it, &upstream).is_ok())
                });
            }
        });

        format!("http://{address}{path}")
    }

    /// Counts from nothing, with a fault or without.
    pub(crate) fn arm(&self, armed: Option<Armed>) {
        *self.0.lock().unwrap() = Shared {
            armed,
            ..Shared::default()
        };
    }

    /// Gives the token back its validity.
    pub(crate) fn renew_token(&self) {
        self.0.lock().unwrap().expired = false;
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }

    pub(crate) fn writes(&self) -> usize {
        self.0.lock().unwrap().writes
    }

    /// Whether the fault has not happened yet.
    pub(crate) fn is_armed(&self) -> bool {
        self.0.lock().unwrap().armed.is_some()
    }

    /// Serves one request.
    fn serve(&self, mut client: TcpStream, upstream: &str) -> std::io::Result<()> {
        client.set_read_timeout(Some(PATIENCE))?;
        let (head, body) = read_request(&mut client)?;
        let first = head.lines().next().unwrap_or_default();
        let is_write = !first.starts_with("GET ") && !first.contains("/git-upload-pack");
        let fault = self.count(is_write);

        if let Some((fault, false)) = fault {
            return client.write_all(&fault.answer());
        }
        let answer = forward(&head, &body, upstream)?;
        match fault {
            Some((fault, _)) => client.write_all(&fault.answer()),
            None => client.write_all(&answer),
        }
    }

    /// Counts a request, and says whether it fails, and only after the forge has done it.
    fn count(&self, is_write: bool) -> Option<(Fault, bool)> {
        let mut shared = self.0.lock().unwrap();
        shared.requests += 1;
        if shared.expired {
            return Some((Fault::Expired, false));
        }
        if !is_write {
            return None;
        }
        shared.writes += 1;
        let armed = shared.armed?;
        if shared.writes <= armed.skip {
            return None;
        }

        shared.armed = None;
        shared.expired = armed.fault == Fault::Expired;
        Some((armed.fault, armed.is_after))
    }
}

/// The head of a request and its body.
fn read_request(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    let end = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let mut read = |bytes: &mut Vec<u8>| {
        let count = client.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..count]);
        match count {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok::<(), std::io::Error>(()),
        }
    };
    let at = loop {
        match end(&bytes) {
            Some(at) => break at + 4,
            None => read(&mut bytes)?,
        }
    };

    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    let mut body = bytes.split_off(at);
    if field("transfer-encoding").is_some_and(|it| it.eq_ignore_ascii_case("chunked")) {
        while !body.ends_with(b"0\r\n\r\n") {
            read(&mut body)?;
        }
    } else {
        let length: usize = field("content-length").map_or(0, |it| it.parse().unwrap());
        while body.len() < length {
            read(&mut body)?;
        }
    }

    Ok((head, body))
}

/// The whole answer of the forge.
fn forward(head: &str, body: &[u8], upstream: &str) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream)?;
    server.set_read_timeout(Some(PATIENCE))?;
    let mut request = String::new();
    for line in head.trim_end().split("\r\n") {
        let name = line.split(':').next().unwrap_or_default();
        // Each connection is used once. The forge knows itself by its own address.
        if name.eq_ignore_ascii_case("host") {
            request.push_str(&format!("host: {upstream}\r\n"));
        } else if !name.eq_ignore_ascii_case("connection") {
            request.push_str(line);
            request.push_str("\r\n");
        }
    }
    request.push_str("connection: close\r\n\r\n");
    server.write_all(request.as_bytes())?;
    server.write_all(body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;

    // A server may leave out that it closes the connection.
    let split = answer
        .windows(2)
        .position(|two| two == b"\r\n")
        .unwrap_or(0);
    let mut closing = answer[..split].to_vec();
    closing.extend_from_slice(b"\r\nconnection: close");
    closing.extend_from_slice(&answer[split..]);
    Ok(closing)
}

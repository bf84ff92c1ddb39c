//! A small HTTP/1.1 server on loopback, with one thread and one request for each connection.
//!
//! It deliberately has no TLS, no keep-alive and no compression. Unlike a library it can misbehave: a
//! test can cut a body short or delay a response.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Largest request body that is accepted, in bytes.
const MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;
/// Longest request line or header line that is accepted, in bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;
/// Longest time for which a connection may send nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest delay of a response, so that no test hangs on a fake server.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// A request as it was received.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// Path without the query, still percent-encoded.
    pub path: String,
    /// Query without the `?`; empty when the address has no query.
    pub query: String,
    /// Headers in their order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, with chunks joined.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first query parameter of this name, decoded.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key) == name).then(|| percent_decode(&value.replace('+', " ")))
        })
    }

    /// The path's parts between slashes, decoded.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(percent_decode)
            .collect()
    }

    /// The body as JSON; `null` when it is not JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }
}

/// Decodes `%XX`; anything that is not such an escape stays as it is.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());

    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escape {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }

    String::from_utf8_lossy(&decoded).into_owned()
}

/// An answer, honest or not.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The status code of the answer.
    pub status: u16,
    /// Headers other than `Content-Length` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The body, before it is cut.
    pub body: Vec<u8>,
    /// Sends only so many bytes of the body, though `Content-Length` promises all of it, and hangs
    /// up.
    pub cut_at_bytes: Option<usize>,
    /// Holds the answer back; at most a minute, and never beyond the server's end.
    pub delay: Option<Duration>,
}

impl Response {
    /// An answer with a status and no body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// An answer with JSON.
    #[must_use]
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::bytes(status, "application/json; charset=utf-8", value.to_string())
    }

    /// An answer with any content.
    #[must_use]
    pub fn bytes(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
            ..Self::default()
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same answer with the second half of its body missing.
    #[must_use]
    pub fn cut_in_half(mut self) -> Self {
        self.cut_at_bytes = Some(self.body.len() / 2);
        self
    }
}

type Handler = dyn Fn(&Request) -> Response + Send + Sync;

struct State {
    handler: Box<Handler>,
    stopping: AtomicBool,
    log: Mutex<Vec<Request>>,
}

/// A running server; dropping it stops it.
pub struct HttpServer {
    address: SocketAddr,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Starts a server on a free loopback port.
    ///
    /// # Panics
    /// When no port can be bound.
    #[must_use]
    pub fn start(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let state = Arc::new(State {
            handler: Box::new(handler),
            stopping: AtomicBool::new(false),
            log: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&state);
        let acceptor = std::thread::spawn(move || accept(&listener, &shared));

        Self {
            address,
            state,
            acceptor: Some(acceptor),
        }
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.log.lock().unwrap().clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.state.log.lock().unwrap().clear();
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for connection in listener.incoming() {
        if state.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(connection) = connection else { continue };
        let state = Arc::clone(state);
        std::thread::spawn(move || {
            // A client that hangs up is no fault of the server.
            let _ = serve(&connection, &state);
        });
    }
}

fn serve(connection: &TcpStream, state: &State) -> io::Result<()> {
    connection.set_read_timeout(Some(READ_TIMEOUT))?;
    let mut reader = BufReader::new(connection);
    let Some(request) = read_request(&mut reader, connection)? else {
        return Ok(());
    };

    state.log.lock().unwrap().push(request.clone());
    let response = (state.handler)(&request);
    if let Some(delay) = response.delay {
        wait(delay.min(MAX_DELAY), &state.stopping);
    }

    write_response(connection, &request, &response)
}

/// Waits in small steps, so that dropping the server does not take as long as the delay.
fn wait(delay: Duration, stopping: &AtomicBool) {
    const STEP: Duration = Duration::from_millis(20);
    for _ in 0..delay.as_millis() / STEP.as_millis() {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        std::thread::sleep(STEP);
    }
}

fn read_request(
    reader: &mut impl BufRead,
    mut connection: &TcpStream,
) -> io::Result<Option<Request>> {
    let line = read_line(reader)?;
    let mut words = line.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));

    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        ..Request::default()
    };
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            request
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    if request.header("expect").is_some() {
        connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }

    request.body = read_body(reader, &request)?;
    Ok(Some(request))
}

pub(crate) fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

pub(crate) fn read_body(reader: &mut impl BufRead, request: &Request) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if request.header("transfer-encoding") == Some("chunked") {
        loop {
            let line = read_line(reader)?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = u64::from_str_radix(digits, 16)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let whole = body.len() as u64 + length;
            if whole > MAX_BODY_BYTES {
                return Err(io::Error::from(io::ErrorKind::FileTooLarge));
            }

            reader.take(length).read_to_end(&mut body)?;
            read_line(reader)?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    let length: u64 = request
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    if length > MAX_BODY_BYTES {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }

    reader.take(length).read_to_end(&mut body)?;
    Ok(body)
}

fn write_response(
    mut connection: &TcpStream,
    request: &Request,
    response: &Response,
) -> io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {} {}\r\n",
        response.status,
        phrase(response.status)
    );
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    // 204 and 304 have no body, and so no length (RFC 9110, section 8.6).
    if !matches!(response.status, 204 | 304) {
        head.push_str(&format!("Content-Length: {}\r\n", response.body.len()));
    }

    head.push_str("Connection: close\r\n\r\n");
    connection.write_all(head.as_bytes())?;
    if request.method != "HEAD" {
        let end = response
            .cut_at_bytes
            .map_or(response.body.len(), |cut| cut.min(response.body.len()));
        connection.write_all(&response.body[..end])?;
    }

    connection.flush()?;
    connection.shutdown(std::net::Shutdown::Write)
}

/// Reason phrase (RFC 9110, section 15); clients must not rely on it.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(server: &HttpServer, request: &str) -> String {
        let mut connection = TcpStream::connect(server.address()).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn joins_chunks_and_decodes_parameters() {
        let server = HttpServer::start(|request| {
            let name = request.parameter("q").unwrap();
            Response::bytes(200, "text/plain", [name.as_bytes(), &request.body].concat())
        });
        let answer = exchange(
            &server,
            "POST /a%2Fb?q=x%20y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        );

        assert!(answer.ends_with("x yabcde"), "{answer}");
        assert_eq!(server.requests()[0].segments(), ["a/b"]);
    }

    #[test]
    fn a_cut_body_promises_more_than_it_sends() {
        let server =
            HttpServer::start(|_| Response::bytes(200, "text/plain", "0123456789").cut_in_half());
        let answer = exchange(&server, "GET / HTTP/1.1\r\n\r\n");
        assert!(answer.contains("Content-Length: 10\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n01234"), "{answer}");
    }

    #[test]
    fn a_dropped_server_is_gone() {
        let server = HttpServer::start(|_| Response::status(204));
        let address = server.address();
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }
}

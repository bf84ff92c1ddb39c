//! A plain client of the API, for what another user or program does during a test.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

/// Sends one request to the API at `api_url`; returns the status and the body. A body that is not JSON
/// is `Null`, and a `Null` body is sent as none.
///
/// It takes an address, because the actions of [`FakeGitHub::before`](crate::FakeGitHub::before) can
/// not borrow the server.
///
/// # Panics
/// When the server does not answer with HTTP.
#[must_use]
pub fn call_api(
    api_url: &str,
    token: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let address = api_url.replace("http://", "");
    let mut connection = TcpStream::connect(&address).unwrap();
    let text = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Accept: application/vnd.github+json\r\nUser-Agent: test\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
    .unwrap();

    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

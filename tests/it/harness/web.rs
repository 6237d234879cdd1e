//! A plain HTTP client, for tests that ask a server themselves.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a server may take for one answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a server said.
#[derive(Debug)]
pub struct Said {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Said {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null where there is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Asks the server at `host`, and fails the test if it doesn't answer.
#[track_caller]
pub fn ask(
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Said {
    try_ask(host, method, path, headers, body)
        .unwrap_or_else(|error| panic!("{method} {path} at {host}: {error}"))
}

/// The same, where it may be away.
pub fn try_ask(
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> std::io::Result<Said> {
    let body = body.map(Value::to_string).unwrap_or_default();
    try_send(host, method, path, headers, body.as_bytes())
}

/// The same with a body of any bytes.
pub fn try_send(
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Said> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = format!("{method} {path} HTTP/1.0\r\nhost: {host}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!(
        "content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ));
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw)?;
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or_else(|| std::io::Error::other("no answer"))?;
    let status = String::from_utf8_lossy(&raw[..end]);
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Said {
        status: status.ok_or_else(|| std::io::Error::other("no status"))?,
        body: raw[end + 4..].to_vec(),
    })
}

/// A host and port of this machine that are free at this moment.
pub fn free_host() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has one").to_string()
}

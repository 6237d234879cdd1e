//! An HTTP/1.1 server of one thread a connection and one request a connection, for the tests.
//!
//! Bodies are buffered, chunked ones too; a response is the raw bytes that go out, so that a test
//! can say anything at all.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How long a peer may say nothing before its connection is given up.
const SILENCE: Duration = Duration::from_secs(60);

/// One request, read to its end.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query as they came.
    pub(super) target: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn read(stream: &TcpStream) -> std::io::Result<Option<Self>> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let headers = read_headers(&mut reader)?;
        let mut request = Self {
            method,
            target,
            headers,
            body: Vec::new(),
        };
        if request
            .header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if request
            .header("transfer-encoding")
            .is_some_and(|value| value.contains("chunked"))
        {
            request.body = read_chunks(&mut reader)?;
        } else if let Some(length) = request.header("content-length") {
            let length = length.parse().map_err(std::io::Error::other)?;
            reader.take(length).read_to_end(&mut request.body)?;
        }
        Ok(Some(request))
    }
}

fn read_headers(reader: &mut impl BufRead) -> std::io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => return Ok(headers),
        }
    }
}

fn read_chunks(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(std::io::Error::other)?;
        reader.by_ref().take(size).read_to_end(&mut body)?;
        reader.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// The raw bytes of a whole response that closes its connection.
pub(super) fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Test\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends a request on to another server and returns its raw response.
pub(super) fn forward(request: &Request, host: &str) -> std::io::Result<Vec<u8>> {
    let mut upstream = TcpStream::connect(host)?;
    upstream.set_read_timeout(Some(SILENCE))?;
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        if !matches!(
            name.as_str(),
            "connection" | "content-length" | "transfer-encoding" | "expect"
        ) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str(&format!(
        "content-length: {}\r\nconnection: close\r\n\r\n",
        request.body.len()
    ));
    upstream.write_all(head.as_bytes())?;
    upstream.write_all(&request.body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// A listening server; it stops taking connections when dropped.
pub(super) struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Serves on a free loopback port; `handler` gives the raw bytes to answer.
    pub(super) fn start(handler: impl Fn(Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let handler = Arc::new(handler);
        let watched = Arc::clone(&stopped);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if watched.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let handler = Arc::clone(&handler);
                thread::spawn(move || answer(&stream, &*handler));
            }
        });
        Self { address, stopped }
    }

    /// `127.0.0.1:PORT`.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }
}

/// A peer that goes away in the middle is its own affair: tests do that on purpose.
fn answer(stream: &TcpStream, handler: &(dyn Fn(Request) -> Vec<u8> + Send + Sync)) {
    let _ = stream.set_read_timeout(Some(SILENCE));
    if let Ok(Some(request)) = Request::read(stream) {
        let bytes = handler(request);
        let _ = (&*stream).write_all(&bytes);
    }
    let _ = stream.shutdown(Shutdown::Write);
    // Read until the peer closes: closing with unread bytes would reset what was just sent.
    let _ = std::io::copy(&mut &*stream, &mut std::io::sink());
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

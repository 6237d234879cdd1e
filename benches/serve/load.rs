//! Load: as fast as it is answered by `hey`, and evenly by clients of our own.
//!
//! `hey` paces its clients all at once, so that each burst waits for itself; what takes such a load
//! evenly at these rates (`vegeta`) needs more of two cores than what is measured. So the clients
//! here take turns, each over one connection, by a timetable that is laid down before; and a
//! request is late from when it was due, not from when a client came to send it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How many clients ask at once.
const CLIENTS: u32 = 16;
/// How long they ask as fast as they can.
const TIME: Duration = Duration::from_secs(4);
/// How long they ask evenly.
const EVEN_TIME: Duration = Duration::from_millis(1500);
/// When the first is due: by then all are connected.
const LEAD: Duration = Duration::from_millis(200);

/// How many requests a second are answered.
pub(super) fn rate(url: &str, body: &str) -> f64 {
    let (clients, time) = (CLIENTS.to_string(), format!("{}s", TIME.as_secs()));
    let mut hey = Command::new("hey");
    hey.args(["-z", &time, "-c", &clients, "-m", "POST", "-D", body])
        .args(["-T", "application/json", url]);
    let output = hey.output().expect("hey runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut statuses = text
        .lines()
        .filter(|line| line.trim_start().starts_with('['))
        .filter(|line| !line.contains('|'));
    assert!(
        output.status.success() && statuses.all(|line| line.contains("[200]")),
        "{text}"
    );
    let line = text.lines().find(|line| line.contains("Requests/sec:"));
    let rate = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    rate.unwrap_or_else(|| panic!("no rate:\n{text}"))
}

/// Within which milliseconds 99 of 100 requests are answered, of so many a second.
pub(super) fn p99_ms(url: &str, body: &str, rate: f64) -> f64 {
    let (address, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .expect("a URL");
    let body = std::fs::read(body).expect("the request is there");
    let mut request = format!(
        "POST /{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(body);
    let first = Instant::now() + LEAD;
    let between = Duration::from_secs_f64(1.0 / rate);
    let mut took: Vec<Duration> = thread::scope(|scope| {
        let request = &request;
        let ask = |turn| {
            scope.spawn(move || asked(address, request, first + between * turn, between * CLIENTS))
        };
        let clients: Vec<_> = (0..CLIENTS).map(ask).collect();
        let all = clients.into_iter().map(|client| client.join().unwrap());
        all.flatten().collect()
    });
    took.sort_unstable();
    let p99 = took[took.len() * 99 / 100];
    p99.as_secs_f64() * 1e3
}

/// One client: asks at `due` and then whenever its turn comes, and tells how late each answer was.
fn asked(address: &str, request: &[u8], mut due: Instant, turn: Duration) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let end = due + EVEN_TIME;
    let mut took = Vec::new();
    let mut answer = Vec::new();
    while due < end {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        stream.write_all(request).unwrap();
        answer.clear();
        while !is_whole(&answer) {
            let mut part = [0; 16 * 1024];
            let length = stream.read(&mut part).unwrap();
            assert!(length > 0, "the connection ended");
            answer.extend_from_slice(&part[..length]);
        }
        took.push(due.elapsed());
        due += turn;
    }
    took
}

/// Whether an answer is all there; it has to be a good one.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.expect("its length is told").trim().parse().unwrap();
    answer.len() >= end + 4 + length
}

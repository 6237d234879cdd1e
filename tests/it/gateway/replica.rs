//! A replica as the tests need one: it answers the protocol, or does something else instead.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What a replica does with a request.
#[derive(Clone, Debug)]
pub(super) enum Does {
    /// Answers 200 with JSON.
    Answers(Value),
    /// Writes these bytes and keeps the connection.
    Writes(Vec<u8>),
    /// Writes these bytes and closes the connection.
    BreaksOff(Vec<u8>),
    /// Says nothing until it is let go.
    Hangs(Arc<Notify>),
}

/// A request that a replica heard.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// Method and path.
    pub(super) line: String,
    /// In lower case, as they came.
    pub(super) headers: Vec<String>,
    pub(super) body: Vec<u8>,
}

/// A server on a free loopback port; it ends with the test's runtime.
pub(super) struct Replica {
    pub(super) address: SocketAddr,
    pub(super) heard: Arc<Mutex<Vec<Heard>>>,
    listening: tokio::task::JoinHandle<()>,
}

/// An answer with one number.
pub(super) fn label(number: i64) -> Value {
    json!({"model_name": "m", "model_version": "7",
        "outputs": [{"name": "y", "shape": [1], "datatype": "INT64", "data": [number]}]})
}

/// The bytes of an HTTP answer.
pub(super) fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

impl Replica {
    /// A replica that does `does` with each request.
    pub(super) async fn start(does: impl Fn(&Heard) -> Does + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let (does, told) = (Arc::new(does), Arc::clone(&heard));
        let listening = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (does, told) = (Arc::clone(&does), Arc::clone(&told));
                connections.spawn(async move {
                    converse(stream, &*does, &told).await;
                });
            }
        });
        Self {
            address,
            heard,
            listening,
        }
    }

    /// One that always answers with the same number.
    pub(super) async fn of(number: i64) -> Self {
        Self::start(move |_| Does::Answers(label(number))).await
    }

    /// One that always does the same.
    pub(super) async fn that(does: Does) -> Self {
        Self::start(move |_| does.clone()).await
    }

    pub(super) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// Ends it, as `kill -9` does: its connections are closed, and it takes no new ones.
    pub(super) async fn kill(self) {
        self.listening.abort();
        let _ = self.listening.await;
    }
}

async fn converse(
    stream: TcpStream,
    does: &(dyn Fn(&Heard) -> Does + Send + Sync),
    told: &Mutex<Vec<Heard>>,
) {
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    while let Some(heard) = hear(&mut stream).await {
        told.lock().unwrap().push(heard.clone());
        let (bytes, stays) = match does(&heard) {
            Does::Answers(answer) => {
                let headers = "content-type: application/json\r\n";
                (http("200 OK", headers, answer.to_string().as_bytes()), true)
            }
            Does::Writes(bytes) => (bytes, true),
            Does::BreaksOff(bytes) => (bytes, false),
            Does::Hangs(until) => {
                until.notified().await;
                let headers = "content-type: application/json\r\n";
                let answer = label(0).to_string();
                (http("200 OK", headers, answer.as_bytes()), true)
            }
        };
        if stream.write_all(&bytes).await.is_err() || !stays {
            return;
        }
    }
}

async fn hear(stream: &mut BufReader<TcpStream>) -> Option<Heard> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        headers.push(header);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Heard {
        line,
        headers,
        body,
    })
}

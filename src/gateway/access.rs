//! The access log: one event for each request, as it was answered.
//!
//! It is an event of `tracing` like all that is logged, of a target of its own: who wants no access
//! log pays for none. The words are those of requests and records, never of their bodies, and
//! nothing of a token but for whom it was made.

use std::net::SocketAddr;

use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderName};
use hyper::{Request, Response};
use tokio::time::Instant;
use tracing::Level;

use super::flow::Answer;
use super::stamps;

/// The target of the events.
pub const ACCESS: &str = "modelyard::access";

/// The longest text of a request that is noted.
const MOST_CHARS: usize = 256;

/// What is known of a request before it is answered.
#[derive(Debug)]
pub(super) struct Noted {
    begun: Instant,
    peer: Option<SocketAddr>,
    method: String,
    path: String,
    id: Option<String>,
    bytes: Option<u64>,
    /// Whose token it showed.
    pub(super) application: Option<String>,
    /// The code of the refusal, if it was refused.
    pub(super) refusal: Option<&'static str>,
}

impl Noted {
    /// Begins to note a request, if anybody wants to know.
    pub(super) fn of(request: &Request<Incoming>, peer: Option<SocketAddr>) -> Option<Self> {
        if !tracing::enabled!(target: ACCESS, Level::INFO) {
            return None;
        }
        let id = request
            .headers()
            .get(HeaderName::from_static("x-request-id"));
        Some(Self {
            begun: Instant::now(),
            peer,
            method: request.method().to_string(),
            path: shortened(request.uri().path()),
            id: id.map(|id| shortened(&String::from_utf8_lossy(id.as_bytes()))),
            bytes: request.body().size_hint().exact(),
            application: None,
            refusal: None,
        })
    }

    /// Tells how it was answered; what flows goes on to.
    pub(super) fn told(self, response: &Response<Answer>) {
        let header = |name| response.headers().get(name)?.to_str().ok();
        let answered = match response.body() {
            Answer::Whole(bytes) => Some(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Answer::Flow(_) => header(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        };
        let millis = self.begun.elapsed().as_secs_f64() * 1e3;
        tracing::info!(
            target: ACCESS,
            peer = self.peer.map(tracing::field::display),
            application = self.application,
            method = self.method,
            path = self.path,
            request_id = self.id,
            status = response.status().as_u16(),
            refusal = self.refusal,
            deployment = header(stamps::DEPLOYMENT),
            version = header(stamps::VERSION),
            request_bytes = self.bytes,
            answer_bytes = answered,
            millis = (millis * 1e3).round() / 1e3,
            "request"
        );
    }
}

/// What others wrote, in bounds.
fn shortened(text: &str) -> String {
    text.chars().take(MOST_CHARS).collect()
}

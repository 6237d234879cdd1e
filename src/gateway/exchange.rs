//! One question to one replica, and its answer.
//!
//! An answer of a usual size is held until it is whole: a replica that dies in the middle, answers
//! with something else or says too much is then told by a status, and not by half an answer. A
//! larger one flows through as it comes.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::flow::Flow;
use super::gather::Gathered;
use super::instance::Lease;
use super::limits::Limits;
use super::line::{Failed, Line};
use super::refusal::Refusal;
use crate::protocol::{Body, INFERENCE_HEADER_CONTENT_LENGTH};

/// What of a client's headers goes on to a replica: what ties logs together, and nothing that
/// tells who asks.
pub(super) const PASSED_ON: [HeaderName; 4] = [
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-request-id"),
    ACCEPT,
];

/// The longest text of an error that is passed on.
const MOST_ERROR_BYTES: usize = 64 * 1024;

/// What is asked of a replica.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) body: Body,
    pub(super) passed_on: HeaderMap,
}

/// What a replica answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) header_length: Option<usize>,
    pub(super) retry_after: Option<HeaderValue>,
    pub(super) payload: Payload,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Payload {
    /// All of it.
    Whole(Bytes),
    /// Its beginning, and what comes behind it.
    Flow(Box<Flow>),
}

impl Question {
    fn request(&self, lease: &Lease) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.bytes.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = lease.infer.clone();
        let headers = request.headers_mut();
        headers.clone_from(&self.passed_on);
        headers.insert(HOST, lease.host.clone());
        let content_type = HeaderValue::from_static(self.body.content_type());
        headers.insert(CONTENT_TYPE, content_type);
        if let Some(length) = self.body.header_length {
            headers.insert(INFERENCE_HEADER_CONTENT_LENGTH, length.into());
        }
        request
    }
}

/// Asks a replica, until `deadline`.
///
/// # Errors
/// [`Refusal::Unreachable`] if not a byte was sent: then another replica may be asked. Any other,
/// and the question may have been heard.
pub(super) async fn ask(
    lease: &Lease,
    question: &Question,
    limits: &Limits,
    deadline: Instant,
) -> Result<Reply, Refusal> {
    let answered = timeout_at(deadline, send(lease, question.request(lease), limits));
    let (response, line) = answered.await.map_err(|_| too_late(lease, limits))??;
    read(lease, response, line, limits, deadline).await
}

async fn send(
    lease: &Lease,
    mut request: Request<Full<Bytes>>,
    limits: &Limits,
) -> Result<(Response<Incoming>, Line), Refusal> {
    let died = |source: hyper::Error| {
        let instance = lease.id.to_string();
        if source.is_parse() {
            let why = source.to_string();
            return Refusal::Nonsense { instance, why };
        }
        Refusal::Died { instance, source }
    };
    while let Some(mut line) = lease.take_line(limits.idle_time) {
        match line.send(request).await {
            Ok(response) => return Ok((response, line)),
            Err(Failed::Unsent(unsent)) => request = *unsent,
            Err(Failed::Sent(error)) => return Err(died(error)),
        }
    }
    let unreachable = |source| Refusal::Unreachable {
        instance: lease.id.to_string(),
        source,
    };
    let line = Line::open(lease.endpoint.address, limits.connect_time).await;
    let mut line = line.map_err(unreachable)?;
    match line.send(request).await {
        Ok(response) => Ok((response, line)),
        Err(Failed::Unsent(_)) => Err(unreachable(std::io::ErrorKind::ConnectionReset.into())),
        Err(Failed::Sent(error)) => Err(died(error)),
    }
}

async fn read(
    lease: &Lease,
    response: Response<Incoming>,
    line: Line,
    limits: &Limits,
    deadline: Instant,
) -> Result<Reply, Refusal> {
    let (head, mut body) = response.into_parts();
    let is_good = head.status == StatusCode::OK;
    if let Some(length) = body.size_hint().exact()
        && length > limits.answer_bytes
    {
        return Err(too_large(lease, limits));
    }
    let header_length = header_length(&head.headers).map_err(|found| {
        let found = found.escape_debug();
        nonsense(
            lease,
            format!("`{INFERENCE_HEADER_CONTENT_LENGTH}: {found}`"),
        )
    })?;
    if is_good {
        check_type(&head.headers).map_err(|why| nonsense(lease, why))?;
    }
    let most = if is_good {
        limits.whole_answer_bytes
    } else {
        MOST_ERROR_BYTES
    };
    let announced = body
        .size_hint()
        .exact()
        .and_then(|length| usize::try_from(length).ok());
    let mut begun = Gathered::default();
    while announced.is_none_or(|length| length <= most) && begun.length() <= most {
        let frame = timeout_at(deadline, body.frame()).await;
        match frame.map_err(|_| too_late(lease, limits))? {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    begun.push(data, announced);
                }
            }
            Some(Err(source)) => {
                let instance = lease.id.to_string();
                return Err(Refusal::Died { instance, source });
            }
            None => {
                lease.keep_line(line);
                return Ok(Reply {
                    status: head.status,
                    header_length,
                    retry_after: head.headers.get(RETRY_AFTER).cloned(),
                    payload: Payload::Whole(begun.whole()),
                });
            }
        }
    }
    if !is_good {
        return Err(nonsense(
            lease,
            format!("an error of more than {most} bytes"),
        ));
    }
    let flow = Flow::new(begun.whole(), body, line, lease, limits, deadline);
    Ok(Reply {
        status: head.status,
        header_length,
        retry_after: None,
        payload: Payload::Flow(Box::new(flow)),
    })
}

/// The length of a message's JSON part, if raw bytes follow it.
pub(super) fn header_length(headers: &HeaderMap) -> Result<Option<usize>, String> {
    let Some(value) = headers.get(INFERENCE_HEADER_CONTENT_LENGTH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    let length = text.parse();
    length.map(Some).map_err(|_| text.to_owned())
}

fn check_type(headers: &HeaderMap) -> Result<(), String> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = text.split(';').next().unwrap_or_default().trim();
    if matches!(essence, "application/json" | "application/octet-stream") {
        return Ok(());
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    Err(format!(
        "`Content-Type: {}` ({} bytes)",
        essence.escape_debug(),
        length.unwrap_or("some")
    ))
}

fn nonsense(lease: &Lease, why: String) -> Refusal {
    let instance = lease.id.to_string();
    Refusal::Nonsense { instance, why }
}

fn too_late(lease: &Lease, limits: &Limits) -> Refusal {
    Refusal::TooLate {
        instance: lease.id.to_string(),
        waited: limits.answer_time,
    }
}

fn too_large(lease: &Lease, limits: &Limits) -> Refusal {
    Refusal::AnswerTooLarge {
        instance: lease.id.to_string(),
        most: limits.answer_bytes,
    }
}

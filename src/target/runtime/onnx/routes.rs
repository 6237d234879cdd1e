//! What is asked at which path, and what is answered.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::Limits;
use super::answer::{Called, Refusal};
use super::model::Model;
use super::pool::Pool;
use crate::protocol::metadata::{self, ErrorBody, TensorMetadata};
use crate::protocol::{Body, INFERENCE_HEADER_CONTENT_LENGTH};

/// How many bodies of the largest size may be held at once, whoever sends them.
const LARGEST_BODIES: usize = 8;
/// Bodies are counted in blocks of this size.
const BLOCK_BYTES: usize = 1024;
/// What is set aside for a body before any of it came, whatever length it announces.
const FIRST_BYTES: usize = 64 * 1024;
/// When to come again, in seconds: an instance answers most requests in less.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// The protocol's paths for one model.
pub(super) struct Routes {
    called: Called,
    limits: Limits,
    /// What answers, once the model is loaded.
    loaded: OnceLock<Loaded>,
    /// Whether it is about to end.
    pub(super) is_draining: AtomicBool,
    /// Room for bodies, in blocks.
    room: Semaphore,
}

struct Loaded {
    pool: Pool,
    metadata: metadata::Model,
}

/// What a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Server,
    Live,
    Ready,
    Metadata,
    Infer,
}

impl Routes {
    pub(super) fn new(called: Called, limits: Limits) -> Self {
        Self {
            called,
            limits,
            loaded: OnceLock::new(),
            is_draining: AtomicBool::new(false),
            room: Semaphore::new(LARGEST_BODIES * blocks(limits.body_bytes) as usize),
        }
    }

    /// From now on `pool` answers, for `model`.
    pub(super) fn serve(&self, model: &Model, pool: Pool) {
        let metadata = metadata::Model {
            name: self.called.name.to_string(),
            versions: self
                .called
                .version
                .iter()
                .map(ToString::to_string)
                .collect(),
            platform: "onnx_tract".to_owned(),
            inputs: model.inputs.iter().map(TensorMetadata::from).collect(),
            outputs: model.outputs.iter().map(TensorMetadata::from).collect(),
        };
        let first = self.loaded.set(Loaded { pool, metadata });
        debug_assert!(first.is_ok(), "a runtime loads its model once");
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match timeout(self.limits.request, self.answered(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(refusal)) => refusal.into_response(),
            Err(_) => {
                let limit = self.limits.request.as_secs();
                let reason = format!("the request took longer than {limit} s");
                Refusal::new(StatusCode::GATEWAY_TIMEOUT, reason).into_response()
            }
        }
    }

    async fn answered(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Refusal> {
        let asked = self.asked(request.uri().path())?;
        let method = match asked {
            Asked::Infer => Method::POST,
            _ => Method::GET,
        };
        if request.method() != method {
            let reason = format!("only {method} is answered here");
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, reason);
            let mut answer = refusal.into_response();
            let allowed = HeaderValue::from_str(method.as_str()).expect("a method is a word");
            answer.headers_mut().insert(ALLOW, allowed);
            return Ok(answer);
        }
        match asked {
            Asked::Server => Ok(json(StatusCode::OK, &server())),
            Asked::Live => Ok(Response::default()),
            Asked::Ready => self.loaded().map(|_| Response::default()),
            Asked::Metadata => {
                let loaded = self.loaded.get().ok_or_else(not_loaded)?;
                Ok(json(StatusCode::OK, &loaded.metadata))
            }
            Asked::Infer => self.infer(request).await,
        }
    }

    fn asked(&self, path: &str) -> Result<Asked, Refusal> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (model, version, asked) = match parts[..] {
            ["v2"] => return Ok(Asked::Server),
            ["v2", "health", "live"] => return Ok(Asked::Live),
            ["v2", "health", "ready"] => return Ok(Asked::Ready),
            ["v2", "models", model] => (model, None, Asked::Metadata),
            ["v2", "models", model, "ready"] => (model, None, Asked::Ready),
            ["v2", "models", model, "infer"] => (model, None, Asked::Infer),
            ["v2", "models", model, "versions", version] => (model, Some(version), Asked::Metadata),
            ["v2", "models", model, "versions", version, "ready"] => {
                (model, Some(version), Asked::Ready)
            }
            ["v2", "models", model, "versions", version, "infer"] => {
                (model, Some(version), Asked::Infer)
            }
            _ => return Err(Refusal::new(StatusCode::NOT_FOUND, "there is nothing here")),
        };
        let name = &self.called.name;
        let own = self.called.version.as_ref().map(ToString::to_string);
        if model != name.as_str() {
            let reason = format!("no model of this name is served here, but `{name}`");
            return Err(Refusal::new(StatusCode::NOT_FOUND, reason));
        }
        if version.is_some_and(|version| own.as_deref() != Some(version)) {
            let own = own.map_or("one that is not told".to_owned(), |own| format!("`{own}`"));
            let reason = format!("no such version of `{name}` is served here, but {own}");
            return Err(Refusal::new(StatusCode::NOT_FOUND, reason));
        }
        Ok(asked)
    }

    /// What answers, unless it is too early or too late for it.
    fn loaded(&self) -> Result<&Loaded, Refusal> {
        if self.is_draining.load(Ordering::Relaxed) {
            let reason = "it is about to end, and takes no more requests";
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason));
        }
        self.loaded.get().ok_or_else(not_loaded)
    }

    async fn infer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Refusal> {
        let loaded = self.loaded()?;
        let header_length = header_length(request.headers())?;
        let (_room, bytes) = self.body(request).await?;
        let body = Body {
            bytes,
            header_length,
        };
        let answer = loaded.pool.answer(body).await.unwrap_or_else(|| {
            let reason = "all instances are busy, and the queue before them is full";
            Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, reason))
        })?;
        let mut response = Response::new(Full::new(answer.bytes.clone()));
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static(answer.content_type());
        headers.insert(CONTENT_TYPE, kind);
        if let Some(length) = answer.header_length {
            headers.insert(INFERENCE_HEADER_CONTENT_LENGTH, length.into());
        }
        Ok(response)
    }

    /// Reads a body, with the room that it takes until its answer is there.
    async fn body(
        &self,
        request: Request<Incoming>,
    ) -> Result<(SemaphorePermit<'_>, Bytes), Refusal> {
        let limit = self.limits.body_bytes;
        let announced = request.body().size_hint().exact();
        let too_large = || {
            let reason = format!("the body is larger than {limit} bytes");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
        };
        let most = match announced.map(usize::try_from) {
            None => limit,
            Some(Ok(length)) if length <= limit => length,
            Some(_) => return Err(too_large()),
        };
        let room = self.room.try_acquire_many(blocks(most)).map_err(|_| {
            let reason = "the requests that are here leave no room for this one";
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, reason)
        })?;
        let mut body = request.into_body();
        let mut bytes = BytesMut::with_capacity(most.min(FIRST_BYTES));
        loop {
            let frame = timeout(self.limits.silence, body.frame()).await;
            let frame = frame.map_err(|_| {
                let reason = "nothing more of the body came";
                Refusal::new(StatusCode::REQUEST_TIMEOUT, reason)
            })?;
            let Some(frame) = frame else {
                return Ok((room, bytes.freeze()));
            };
            let frame = frame.map_err(|error| {
                let reason = format!("the body could not be read: {error}");
                Refusal::new(StatusCode::BAD_REQUEST, reason)
            })?;
            if let Ok(data) = frame.into_data() {
                if data.len() > most - bytes.len() {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
}

impl Refusal {
    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = json(self.status, &ErrorBody { error: self.reason });
        if matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            response
                .headers_mut()
                .insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}

fn not_loaded() -> Refusal {
    let reason = "the model is still being loaded";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason)
}

fn server() -> metadata::Server {
    metadata::Server {
        name: "modelyard-onnx".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        extensions: vec!["binary_tensor_data".to_owned()],
    }
}

/// How long the JSON of the body is, if raw bytes follow it.
fn header_length(headers: &HeaderMap) -> Result<Option<usize>, Refusal> {
    let Some(length) = headers.get(INFERENCE_HEADER_CONTENT_LENGTH) else {
        return Ok(None);
    };
    let length = length.to_str().ok().and_then(|length| length.parse().ok());
    length.map(Some).ok_or_else(|| {
        let reason = format!("`{INFERENCE_HEADER_CONTENT_LENGTH}` is not a number of bytes");
        Refusal::new(StatusCode::BAD_REQUEST, reason)
    })
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    let text = serde_json::to_vec(value).expect("its keys are texts");
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// How many blocks hold so many bytes.
fn blocks(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(BLOCK_BYTES)).unwrap_or(u32::MAX)
}

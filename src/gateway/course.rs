//! A request on its way: past coprocessors, to the model, and past those behind it.
//!
//! What one gives is what the next one takes, by the tensors' names; what the next one doesn't
//! register is left out. Where there is no coprocessor the request goes on as it came, byte by
//! byte.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;

use super::exchange::{self, Payload, Question, Reply};
use super::instance::Lease;
use super::map::{Link, Map};
use super::reading::Read;
use super::refusal::Refusal;
use super::shared::Shared;
use super::way::Way;
use crate::protocol::fit::fit;
use crate::protocol::{Body, ProtocolError, Request, Response};

/// A request that came to nothing.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) refusal: Refusal,
    /// Whether any replica may have heard of it. If none has it can go another way.
    pub(super) is_heard: bool,
}

impl From<Refusal> for Broken {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            is_heard: true,
        }
    }
}

/// Sends a request all its way, and gives what is answered at its end.
pub(super) async fn run(shared: &Shared, way: &mut Way, read: &Read) -> Result<Reply, Broken> {
    let deadline = Instant::now() + shared.limits.answer_time;
    let backend = Arc::clone(&way.backend);
    let map = Arc::clone(&way.map);
    let mut places: Vec<(&Link, &mut Lease)> = Vec::new();
    places.extend(backend.before.iter().zip(&mut way.before));
    places.push((&backend.model, &mut way.model));
    places.extend(backend.after.iter().zip(&mut way.after));
    let last = places.len() - 1;
    let mut question = first(read, last)?;
    let links: Vec<&Link> = places.iter().map(|(link, _)| *link).collect();
    for (at, (link, lease)) in places.into_iter().enumerate() {
        let reply = ask(shared, &map, link, lease, &question, deadline).await;
        let reply = reply.map_err(|refusal| Broken {
            is_heard: at > 0 || !matches!(refusal, Refusal::Unreachable { .. }),
            refusal,
        })?;
        if reply.status != StatusCode::OK {
            return Ok(check_error(reply, lease)?);
        }
        if at == last {
            return Ok(rename(reply, lease, &backend.stamps)?);
        }
        question = next(read, reply, lease, links[at + 1], at + 1 == last)?;
    }
    unreachable!("a way has at least the model, and its last place returns")
}

/// The question to the first place; what the client wants of outputs is for the last one.
fn first(read: &Read, last: usize) -> Result<Question, Refusal> {
    if last == 0 || read.request.outputs.is_none() {
        return Ok(read.question.clone());
    }
    let request = Request {
        outputs: None,
        ..read.request.clone()
    };
    Ok(Question {
        body: write(&request, read.question.body.header_length.is_some())?,
        ..read.question.clone()
    })
}

/// What an answer makes the next place be asked.
fn next(
    read: &Read,
    reply: Reply,
    lease: &Lease,
    link: &Link,
    is_last: bool,
) -> Result<Question, Refusal> {
    let nonsense = |why: String| Refusal::Nonsense {
        instance: lease.id.to_string(),
        why,
    };
    let Payload::Whole(bytes) = reply.payload else {
        return Err(nonsense("more than can be handed on".to_owned()));
    };
    let header_length = reply.header_length;
    let answer = Response::parse(&Body {
        bytes,
        header_length,
    });
    let mut inputs = answer.map_err(|error| nonsense(error.to_string()))?.outputs;
    if let Some(registered) = &link.registered
        && !registered.inputs.is_empty()
    {
        inputs.retain(|tensor| registered.inputs.iter().any(|one| one.name == tensor.name));
    }
    let is_binary = header_length.is_some();
    let asked = &read.request;
    let request = Request {
        id: asked.id.clone(),
        parameters: asked.parameters.clone(),
        inputs,
        outputs: asked.outputs.clone().filter(|_| is_last),
        binary_output: if is_last {
            asked.binary_output
        } else {
            is_binary
        },
    };
    if let Some(registered) = &link.registered {
        let mut signature = registered.signature();
        // What may be set was looked at where the request came in.
        signature.parameters = &[];
        fit(&request, &signature).map_err(|misfit| nonsense(misfit.to_string()))?;
    }
    Ok(Question {
        body: write(&request, is_binary)?,
        ..read.question.clone()
    })
}

/// In JSON, unless raw bytes are wanted or only they can say it.
fn write(request: &Request, is_binary: bool) -> Result<Body, ProtocolError> {
    match request.to_body(is_binary) {
        Err(ProtocolError::Unsayable { .. }) => request.to_body(true),
        written => written,
    }
}

/// Asks one place, and another of its replicas where one takes no connection.
async fn ask(
    shared: &Shared,
    map: &Arc<Map>,
    link: &Link,
    lease: &mut Lease,
    question: &Question,
    deadline: Instant,
) -> Result<Reply, Refusal> {
    let mut tried = Vec::new();
    loop {
        let answered = exchange::ask(lease, question, &shared.limits, deadline).await;
        let Err(refusal @ Refusal::Unreachable { .. }) = answered else {
            return answered;
        };
        tried.push(lease.id.clone());
        let other = link.lease(0, &tried);
        let Some(other) = other.filter(|_| shared.is_in_force(map)) else {
            return Err(refusal);
        };
        tracing::debug!(%refusal, other = %other.id, "another replica is asked");
        *lease = other;
    }
}

/// The answer under the deployment's name; one that flows through keeps the one it has.
fn rename(
    mut reply: Reply,
    lease: &Lease,
    stamps: &super::stamps::Stamps,
) -> Result<Reply, Refusal> {
    if let Payload::Whole(bytes) = reply.payload {
        let renamed = stamps.rename(bytes, reply.header_length);
        let (bytes, header_length) = renamed.map_err(|why| Refusal::Nonsense {
            instance: lease.id.to_string(),
            why,
        })?;
        reply.payload = Payload::Whole(bytes);
        reply.header_length = header_length;
    }
    Ok(reply)
}

/// An error is passed on if it is one of the protocol; a page of HTML is not.
fn check_error(reply: Reply, lease: &Lease) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    struct Told {
        #[serde(rename = "error")]
        _error: String,
    }
    let is_error = reply.status.is_client_error() || reply.status.is_server_error();
    match &reply.payload {
        Payload::Whole(bytes) if is_error && serde_json::from_slice::<Told>(bytes).is_ok() => {
            Ok(reply)
        }
        _ => Err(Refusal::Nonsense {
            instance: lease.id.to_string(),
            why: format!("status {} without the protocol's `error`", reply.status),
        }),
    }
}

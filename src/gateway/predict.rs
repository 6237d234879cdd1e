//! A prediction, from a client's request to the client's answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, SET_COOKIE};
use hyper::{HeaderMap, Request, Response};
use tokio::sync::futures::Notified;
use tokio::time::{Instant, timeout_at};

use super::course::{self, Broken};
use super::exchange::{Payload, Reply};
use super::flow::Answer;
use super::gate::Kept;
use super::map::{Deployment, header_value};
use super::mirror;
use super::reading::{self, Read};
use super::refusal::Refusal;
use super::shared::Shared;
use super::way::{self, PREVIEW, Wanted, Way};
use crate::protocol::fit::fit;
use crate::protocol::{Body, INFERENCE_HEADER_CONTENT_LENGTH};

/// How soon replicas that took no connection are asked again. The table is switched when somebody
/// notices that they are gone; one that is only busy being born may be there before.
const AGAIN: Duration = Duration::from_millis(100);

/// How many headers an answer has at most, so that there is room for them at once.
const MOST_HEADERS: usize = 9;

/// Answers a prediction.
///
/// # Errors
/// Why it isn't answered.
pub(super) async fn predict(
    shared: &Arc<Shared>,
    deployment: &Arc<Deployment>,
    version: Option<&str>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Refusal> {
    let (head, body) = request.into_parts();
    let read = reading::read(shared, &head.headers, body).await?;
    let (client, cookie) = way::client(deployment.sticky.as_ref(), &head.headers);
    let wanted = Wanted {
        client,
        version: version.map(str::to_owned),
        preview: head
            .headers
            .get(PREVIEW)
            .is_some_and(|value| value == "true"),
        turn: deployment.standing.turns.fetch_add(1, Ordering::Relaxed),
    };
    let deadline = Instant::now() + shared.limits.wait_time;
    let gate = &deployment.standing.gate;
    let pass = gate.enter(deadline).await;
    let pass = pass.map_err(|kept| turned_away(shared, deployment, kept))?;
    let (way, reply) = answer(shared, deployment, &wanted, &read, deadline).await?;
    let mut response = respond(&way, reply, cookie.as_deref());
    let answered = match response.body() {
        Answer::Whole(bytes) if response.status() == hyper::StatusCode::OK => {
            bytes.clone().map(|bytes| Body {
                bytes,
                header_length: response
                    .headers()
                    .get(INFERENCE_HEADER_CONTENT_LENGTH)
                    .and_then(|length| length.to_str().ok()?.parse().ok()),
            })
        }
        _ => None,
    };
    mirror::copy(shared, &way, &wanted, read, answered);
    if let Answer::Flow(flow) = response.body_mut() {
        flow.hold(way);
        flow.hold(pass);
    }
    Ok(response)
}

fn turned_away(shared: &Shared, deployment: &Deployment, kept: Kept) -> Refusal {
    let name = deployment.name.as_str().to_owned();
    match kept {
        Kept::Full(waiting) => Refusal::QueueFull(waiting),
        Kept::Closed => Refusal::NoSuchRoute(name),
        // Load kept it out, and not that nothing is there.
        Kept::TimedOut if deployment.standing.gate.inside() > 0 => {
            Refusal::NoPlace(shared.limits.wait_time)
        }
        Kept::TimedOut => Refusal::NothingReady {
            deployment: name,
            waited: shared.limits.wait_time,
        },
    }
}

/// Goes one way after the other until one leads to an answer, or one was heard of.
async fn answer(
    shared: &Shared,
    deployment: &Deployment,
    wanted: &Wanted,
    read: &Read,
    deadline: Instant,
) -> Result<(Way, Reply), Refusal> {
    let mut without = Vec::new();
    let mut last: Option<Refusal> = None;
    let mut counted = Vec::new();
    loop {
        // Begun before the table is looked at, so that no switch is missed.
        let switched = shared.switched.notified();
        let Some(mut way) = shared.way(&deployment.name, wanted, &without)? else {
            wait(switched, deployment, deadline, last.is_some())
                .await
                .map_err(|kept| match (kept, last.take()) {
                    (Kept::TimedOut, Some(unreachable)) => unreachable,
                    (kept, _) => turned_away(shared, deployment, kept),
                })?;
            without.clear();
            continue;
        };
        let backend = Arc::clone(&way.backend);
        if let Some(registered) = &backend.first().registered {
            fit(&read.request, &registered.signature())?;
        }
        let begun = Instant::now();
        let reply = course::run(shared, &mut way, read).await;
        let is_error = match &reply {
            Ok(reply) => reply.status.is_server_error(),
            Err(broken) => broken.refusal.is_of_the_instance(),
        };
        // What can't be reached is counted once, however often one request tries.
        let is_again = counted.contains(&backend.revision);
        if !is_again {
            backend.tally.answered(begun.elapsed(), is_error);
        }
        match reply {
            Ok(reply) => {
                tracing::debug!(
                    deployment = %deployment.name,
                    version = backend.stamps.version(),
                    replica = %way.model.id,
                    status = reply.status.as_u16(),
                    millis = begun.elapsed().as_millis(),
                    "answered"
                );
                return Ok((way, reply));
            }
            Err(Broken { refusal, is_heard }) => {
                if is_heard {
                    tracing::warn!(deployment = %deployment.name, version = backend.stamps.version(), %refusal, "not answered");
                    return Err(refusal);
                }
                counted.push(backend.revision);
                without.push(backend.revision);
                last = Some(refusal);
            }
        }
    }
}

/// Waits until the table is switched, or for a moment if replicas are only away.
async fn wait(
    switched: Notified<'_>,
    deployment: &Deployment,
    deadline: Instant,
    are_away: bool,
) -> Result<(), Kept> {
    let _waiting = deployment.standing.gate.wait()?;
    let until = if are_away {
        deadline.min(Instant::now() + AGAIN)
    } else {
        deadline
    };
    let switched = timeout_at(until, switched).await;
    if switched.is_err() && Instant::now() >= deadline {
        return Err(Kept::TimedOut);
    }
    Ok(())
}

fn respond(way: &Way, reply: Reply, cookie: Option<&str>) -> Response<Answer> {
    let (is_json, body) = match reply.payload {
        Payload::Whole(bytes) => (reply.header_length.is_none(), Answer::from(bytes)),
        Payload::Flow(flow) => (reply.header_length.is_none(), Answer::Flow(flow)),
    };
    let mut headers = HeaderMap::with_capacity(MOST_HEADERS);
    let content_type = if is_json {
        "application/json"
    } else {
        "application/octet-stream"
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(length) = reply.header_length {
        headers.insert(INFERENCE_HEADER_CONTENT_LENGTH, length.into());
    }
    if let Some(after) = reply.retry_after {
        headers.insert(RETRY_AFTER, after);
    }
    if let Some(cookie) = cookie.and_then(header_value) {
        headers.insert(SET_COOKIE, cookie);
    }
    way.backend.stamps.set(&mut headers);
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = headers;
    response
}

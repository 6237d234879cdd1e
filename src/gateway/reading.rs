//! A prediction's request, read from a client up to its bounds.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body as _, Incoming};
use hyper::header::CONTENT_ENCODING;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::exchange::{PASSED_ON, Question, header_length};
use super::gather::Gathered;
use super::refusal::Refusal;
use super::shared::{BUDGET_UNIT, Shared};
use crate::protocol::{Body, INFERENCE_HEADER_CONTENT_LENGTH, Request};

/// A request of more bytes than this is understood off the threads that answer others: it takes
/// longer than a millisecond.
const LARGE_BYTES: usize = 256 * 1024;

/// A request that is one of the protocol.
#[derive(Debug)]
pub(super) struct Read {
    /// As it came.
    pub(super) question: Question,
    /// What it says.
    pub(super) request: Request,
    /// Its share of what all requests may take.
    _budget: Option<OwnedSemaphorePermit>,
}

/// Reads a request and understands it.
pub(super) async fn read(
    shared: &Shared,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Read, Refusal> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && encoding != "identity"
    {
        let encoding = String::from_utf8_lossy(encoding.as_bytes());
        return Err(Refusal::Encoding(encoding.into_owned()));
    }
    let header_length = header_length(headers).map_err(|found| Refusal::Header {
        name: INFERENCE_HEADER_CONTENT_LENGTH,
        wanted: "a number of bytes",
        found,
    })?;
    let (bytes, budget) = gather(shared, body, shared.limits.request_bytes).await?;
    let body = Body {
        bytes,
        header_length,
    };
    let (body, request) = understand(body).await?;
    let mut passed_on = HeaderMap::new();
    for name in PASSED_ON {
        if let Some(value) = headers.get(&name) {
            passed_on.insert(name, value.clone());
        }
    }
    Ok(Read {
        question: Question { body, passed_on },
        request,
        _budget: budget,
    })
}

async fn understand(body: Body) -> Result<(Body, Request), Refusal> {
    if body.bytes.len() <= LARGE_BYTES {
        let request = Request::parse(&body)?;
        return Ok((body, request));
    }
    let understood = tokio::task::spawn_blocking(move || {
        let request = Request::parse(&body);
        request.map(|request| (body, request))
    });
    match understood.await {
        Ok(understood) => Ok(understood?),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime shuts down, and this with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// All of a body of at most so many bytes, and its share of what all requests may take.
pub(super) async fn gather(
    shared: &Shared,
    mut body: Incoming,
    most: usize,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
    let limits = &shared.limits;
    let announced = body.size_hint().exact();
    let announced = announced.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced.is_some_and(|length| length > most) {
        return Err(Refusal::TooLarge(most));
    }
    let deadline = Instant::now() + limits.body_time;
    let mut gathered = Gathered::default();
    let mut budget: Option<OwnedSemaphorePermit> = None;
    loop {
        let frame = timeout_at(deadline, body.frame()).await;
        let Some(frame) = frame.map_err(|_| Refusal::TooSlow(limits.body_time))? else {
            return Ok((gathered.whole(), budget));
        };
        let Ok(data) = frame.map_err(Refusal::BrokenOff)?.into_data() else {
            continue;
        };
        if gathered.length().saturating_add(data.len()) > most {
            return Err(Refusal::TooLarge(most));
        }
        let units = u32::try_from(data.len().div_ceil(BUDGET_UNIT)).unwrap_or(u32::MAX);
        let share = Arc::clone(&shared.budget).try_acquire_many_owned(units);
        let share = share.map_err(|_| Refusal::MemoryFull)?;
        match &mut budget {
            Some(budget) => budget.merge(share),
            None => budget = Some(share),
        }
        gathered.push(data, announced);
    }
}

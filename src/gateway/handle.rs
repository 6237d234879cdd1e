//! One request, whatever it asks: to whom it goes, and how a refusal is told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;

use super::access::Noted;
use super::address::{self, Asked, What, Who};
use super::flow::Answer;
use super::hooks::heard;
use super::map::{Backend, Deployment};
use super::metrics;
use super::predict::predict;
use super::refusal::{Refusal, Told};
use super::routing::Registered;
use super::shared::Shared;
use super::tokens::{Access, Asker};
use crate::protocol::metadata::{Model, Server, TensorMetadata};
use crate::record::kind::route;

/// What is known beside the protocol itself.
const EXTENSIONS: [&str; 1] = ["binary_tensor_data"];

/// Answers a request that came from `peer`.
pub(super) async fn handle(
    shared: Arc<Shared>,
    peer: Option<SocketAddr>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let mut noted = Noted::of(&request, peer);
    let answered = route(&shared, request, &mut noted).await;
    let mut answer = answered.unwrap_or_else(|refusal| {
        let told = refusal.told();
        if let Some(noted) = &mut noted {
            noted.refusal = Some(told.code());
        }
        refused(&shared, &refusal, &told)
    });
    if shared.is_draining.load(Ordering::Relaxed) {
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(noted) = noted {
        noted.told(&answer);
    }
    Ok(answer)
}

async fn route(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    noted: &mut Option<Noted>,
) -> Result<Response<Answer>, Refusal> {
    let uri = request.uri().clone();
    let path = uri.path();
    if let Some(hooks) = shared.hooks.get().filter(|_| path == route::HOOK) {
        return heard(shared, hooks, request).await;
    }
    let Some(asked) = address::read(path) else {
        return Err(Refusal::NoSuchRoute(path.to_owned()));
    };
    let (who, version, what) = match asked {
        Asked::Deployment { who, version, what } => (who, version, what),
        of_the_server => {
            only(&request, &[Method::GET, Method::HEAD])?;
            if of_the_server == Asked::Metrics {
                admit(shared, &request, noted)?;
            }
            return of_server(shared, of_the_server);
        }
    };
    let asker = admit(shared, &request, noted)?;
    let map = shared.map();
    let deployment = match who {
        Who::Name(name) => map.named(name),
        Who::Path(path) => map.at(path),
    };
    let deployment = deployment.ok_or_else(|| Refusal::NoSuchRoute(path.to_owned()))?;
    asker.may_ask(&deployment.name)?;
    let what = match what {
        What::Either if request.method() == Method::POST => What::Infer,
        What::Either => What::Metadata,
        what => what,
    };
    if what == What::Infer {
        only(&request, &[Method::POST])?;
        return predict(shared, deployment, version, request).await;
    }
    only(&request, &[Method::GET, Method::HEAD])?;
    let serving = serving(deployment, version)?;
    Ok(match what {
        What::Ready => empty(if serving.is_empty() {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        }),
        _ => json(StatusCode::OK, &metadata(deployment, &serving)),
    })
}

/// Who asks; it is asked anew each time, so that what is revoked is good no more.
fn admit(
    shared: &Shared,
    request: &Request<Incoming>,
    noted: &mut Option<Noted>,
) -> Result<Asker, Refusal> {
    let asker = match &shared.access {
        Access::Open => return Ok(Asker::Anybody),
        access @ Access::Tokens(_) => access.admit(request.headers(), shared.clock.now())?,
    };
    if let (Some(noted), Asker::Application(token)) = (noted, &asker) {
        noted.application = Some(token.application.to_string());
    }
    Ok(asker)
}

pub(super) fn only(request: &Request<Incoming>, methods: &[Method]) -> Result<(), Refusal> {
    if methods.contains(request.method()) {
        return Ok(());
    }
    Err(Refusal::Method(request.method().clone()))
}

fn of_server(shared: &Shared, asked: Asked<'_>) -> Result<Response<Answer>, Refusal> {
    Ok(match asked {
        Asked::Ready if shared.is_draining.load(Ordering::Relaxed) => {
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
        Asked::Metrics => {
            let mut response = Response::new(Answer::from(Bytes::from(metrics::write(shared))));
            let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, text);
            response
        }
        Asked::Server => json(
            StatusCode::OK,
            &Server {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                extensions: EXTENSIONS.map(str::to_owned).into(),
            },
        ),
        _ => empty(StatusCode::OK),
    })
}

/// Those of a deployment that answer: all, or those of a version.
fn serving<'d>(
    deployment: &'d Deployment,
    version: Option<&str>,
) -> Result<Vec<&'d Arc<Backend>>, Refusal> {
    let Some(version) = version else {
        return Ok(deployment.backends.iter().collect());
    };
    let of_version: Vec<_> = deployment.of_version(version).collect();
    if of_version.is_empty() && !deployment.backends.is_empty() {
        return Err(Refusal::NoSuchVersion {
            deployment: deployment.name.as_str().to_owned(),
            version: version.to_owned(),
        });
    }
    Ok(of_version)
}

/// What a deployment takes and gives: what the first coprocessor takes and the last one gives, of
/// the version that gets the most.
fn metadata(deployment: &Deployment, serving: &[&Arc<Backend>]) -> Model {
    let most = serving.iter().max_by_key(|backend| backend.weight);
    let nothing = Registered::default();
    let model = most.and_then(|backend| backend.model.registered.as_deref());
    let first = most.and_then(|backend| backend.first().registered.as_deref());
    let last = most.and_then(|backend| {
        let last = backend.after.last().unwrap_or(&backend.model);
        last.registered.as_deref()
    });
    let mut versions: Vec<String> = Vec::new();
    for version in serving.iter().filter_map(|backend| backend.version.clone()) {
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    Model {
        name: deployment.name.as_str().to_owned(),
        versions,
        platform: model.unwrap_or(&nothing).platform.clone(),
        inputs: tensors(&first.unwrap_or(&nothing).inputs),
        outputs: tensors(&last.unwrap_or(&nothing).outputs),
    }
}

fn tensors(tensors: &[crate::record::kind::Tensor]) -> Vec<TensorMetadata> {
    tensors.iter().map(TensorMetadata::from).collect()
}

fn refused(shared: &Shared, refusal: &Refusal, told: &Told) -> Response<Answer> {
    shared.count_refusal(told.code());
    tracing::debug!(status = refusal.status().as_u16(), %told, "refused");
    let mut response = json(refusal.status(), told);
    let headers = response.headers_mut();
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    if refusal.closes() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    match refusal.status() {
        StatusCode::UNAUTHORIZED => {
            let bearer = HeaderValue::from_static("Bearer realm=\"modelyard\"");
            headers.insert(WWW_AUTHENTICATE, bearer);
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        _ => {}
    }
    response
}

pub(super) fn empty(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(None));
    *response.status_mut() = status;
    response
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<Answer> {
    let bytes = serde_json::to_vec(body).expect("texts and numbers can be written");
    let mut response = Response::new(Answer::from(Bytes::from(bytes)));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

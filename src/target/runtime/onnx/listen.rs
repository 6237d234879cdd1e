//! Connections: taken, bounded, and let go of.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::routes::Routes;
use super::{Limits, OnnxError};
use crate::platform::patient::Patient;

/// The most connections at once; more wait in the operating system's queue.
const MAX_CONNECTIONS: usize = 1024;
/// The longest head of a request.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The most headers of a request.
const MAX_HEADERS: usize = 64;
/// How long to leave the machine alone when it gives no more connections.
const BREATH: Duration = Duration::from_millis(100);

/// Answers on `listener` until `ended` is done; then answers what it has, and gives what `ended`
/// came to.
pub(super) async fn listen(
    listener: TcpListener,
    routes: &Arc<Routes>,
    limits: &Limits,
    ended: impl Future<Output = Result<(), OnnxError>>,
) -> Result<(), OnnxError> {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut ended = std::pin::pin!(ended);
    let result = loop {
        tokio::select! {
            result = &mut ended => break result,
            (stream, permit) = next(&listener, &connections) => {
                serve(stream, permit, routes, limits, &graceful);
            }
        }
    };
    drop(listener);
    if result.is_ok() {
        routes.is_draining.store(true, Ordering::Relaxed);
        if tokio::time::timeout(limits.drain, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("requests that took too long were cut off");
        }
    }
    result
}

/// The next connection, once there is room for one.
async fn next(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = Arc::clone(connections).acquire_owned().await;
    let permit = permit.expect("this semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                breathe().await;
            }
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the operating system does not tell when it has descriptors again"
)]
async fn breathe() {
    tokio::time::sleep(BREATH).await;
}

/// Answers one connection's requests in a task of their own.
fn serve(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    routes: &Arc<Routes>,
    limits: &Limits,
    graceful: &GracefulShutdown,
) {
    // Answers are written whole; waiting to send more at once only delays them.
    let _ = stream.set_nodelay(true);
    let routes = Arc::clone(routes);
    let service = service_fn(move |request| {
        let routes = Arc::clone(&routes);
        async move { Ok::<_, Infallible>(routes.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.silence)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Patient::new(stream, limits.silence)), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke");
        }
        drop(permit);
    });
}

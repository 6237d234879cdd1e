//! Connections: taken from a listening socket that was handed in, served, and drained at the end.
//!
//! Whoever stops a server stops taking connections first, lets those that there are finish the
//! request they are in, and waits for that, for a time. Each answer tells its client by then to come
//! back by another connection; one that is idle is closed a moment later, so that nothing is closed
//! just when a client sends its next request. The socket itself is not closed where
//! somebody else holds it too: connections that come meanwhile wait in its backlog for the next
//! server.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::handle::handle;
use super::shared::Shared;
use super::tls::Certificates;
use super::tokens::Access;
use crate::platform::patient::Patient;

/// The largest head of a request, and what is read of a body at once.
const READ_BYTES: usize = 256 * 1024;

/// How often counts are noted, and certificates looked at.
const TICK: Duration = Duration::from_secs(1);

/// How long is waited when the system has no socket left.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// How long idle connections are kept once the server was told to stop.
const LINGER: Duration = Duration::from_millis(500);

/// What came of a server's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut off because their requests took too long to finish.
    pub cut_off: usize,
}

/// Serves until `stop` comes, and then drains.
pub(super) async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    stop: impl Future<Output = ()>,
) -> Drained {
    let mut stop = pin!(stop);
    let (draining, drain) = watch::channel(false);
    let places = Arc::new(Semaphore::new(shared.limits.connections));
    let mut connections = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = tick.tick() => {
                shared.mark();
                if let Access::Tokens(tokens) = &shared.access {
                    tokens.renew();
                }
                if let Some(certificates) = &certificates {
                    certificates.renew();
                }
            }
            Some(_) = connections.join_next() => {}
            (place, stream) = accept(&listener, &places) => {
                let shared = Arc::clone(&shared);
                let certificates = certificates.clone();
                let drain = drain.clone();
                connections.spawn(async move {
                    shared.connections.fetch_add(1, Ordering::Relaxed);
                    connect(&shared, stream, certificates, drain).await;
                    shared.connections.fetch_sub(1, Ordering::Relaxed);
                    drop(place);
                });
            }
        }
    }
    shared.is_draining.store(true, Ordering::Relaxed);
    drop(listener);
    // Nobody listens only where there is no connection left.
    let _ = draining.send(true);
    let deadline = Instant::now() + shared.limits.drain_time;
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout_at(deadline, all).await;
    let cut_off = connections.len();
    connections.shutdown().await;
    Drained { cut_off }
}

/// The next connection, as soon as there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (tokio::sync::OwnedSemaphorePermit, TcpStream) {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.expect("it is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (place, stream),
            Err(error) => {
                // A client that went away already, or no file left to open.
                tracing::debug!(%error, "no connection could be taken");
                tokio::time::sleep_until(Instant::now() + EXHAUSTED).await;
            }
        }
    }
}

async fn connect(
    shared: &Arc<Shared>,
    stream: TcpStream,
    certificates: Option<Arc<Certificates>>,
    drain: watch::Receiver<bool>,
) {
    let peer = stream.peer_addr().ok();
    // Answers are written whole; waiting for more would only make them late.
    let _ = stream.set_nodelay(true);
    let stream = Patient::new(stream, shared.limits.stall_time);
    let Some(certificates) = certificates else {
        return converse(shared, stream, peer, drain).await;
    };
    let hello = certificates.accept(stream);
    match tokio::time::timeout(shared.limits.header_time, hello).await {
        Ok(Ok(stream)) => converse(shared, stream, peer, drain).await,
        Ok(Err(error)) => tracing::debug!(?peer, %error, "no TLS connection came about"),
        Err(_) => tracing::debug!(?peer, "a TLS connection took too long to come about"),
    }
}

async fn converse(
    shared: &Arc<Shared>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Option<SocketAddr>,
    mut drain: watch::Receiver<bool>,
) {
    let service = service_fn(|request| handle(Arc::clone(shared), peer, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.header_time)
        .max_buf_size(READ_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let is_over = async move {
        // It is sent once; that nobody can send it any more is the end too.
        if !*drain.borrow() {
            let _ = drain.changed().await;
        }
        tokio::time::sleep_until(Instant::now() + LINGER).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = is_over => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(?peer, %error, "a connection ended");
    }
}

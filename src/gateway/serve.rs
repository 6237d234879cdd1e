//! Connections: taken from a listening socket that was handed in, given to the lanes that serve
//! them, and drained at the end.
//!
//! Whoever stops a server stops taking connections first, lets those that there are finish the
//! request they are in, and waits for that, for a time. Each answer tells its client by then to come
//! back by another connection; one that is idle is closed a moment later, so that nothing is closed
//! just when a client sends its next request. The socket itself is not closed where
//! somebody else holds it too: connections that come meanwhile wait in its backlog for the next
//! server.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, MissedTickBehavior};

use super::lane::Lanes;
use super::shared::Shared;
use super::tls::Certificates;
use super::tokens::Access;

/// How often counts are noted, and certificates looked at.
const TICK: Duration = Duration::from_secs(1);

/// How long is waited when the system has no socket left.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// What came of a server's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut off because their requests took too long to finish.
    pub cut_off: usize,
}

/// Serves until `stop` comes, and then drains.
///
/// # Errors
/// The system has no thread or event loop left.
pub(super) async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    stop: impl Future<Output = ()>,
) -> io::Result<Drained> {
    let mut stop = pin!(stop);
    let lanes = Lanes::start(&shared, certificates.as_ref())?;
    let places = Arc::new(Semaphore::new(shared.limits.connections));
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
            (place, stream) = accept(&listener, &places) => lanes.give(stream, place),
        }
    }
    shared.is_draining.store(true, Ordering::Relaxed);
    drop(listener);
    let cut_off = lanes.drain(shared.limits.drain_time).await;
    Ok(Drained { cut_off })
}

/// The next connection, as soon as there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (OwnedSemaphorePermit, TcpStream) {
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

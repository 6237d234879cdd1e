//! Lanes: a thread for each core, with an event loop of its own, that serves the connections it is
//! given.
//!
//! A request, its answer and the connections to replicas that it goes by stay on their client's
//! lane. Handed from thread to thread, each would wake two or three of them, and under load every
//! waking is a wait.

use std::io;
use std::net::{SocketAddr, TcpStream as Socket};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::handle::handle;
use super::shared::Shared;
use super::tls::Certificates;
use crate::platform::patient::Patient;

/// The largest head of a request, and what is read of a body at once.
const READ_BYTES: usize = 256 * 1024;

/// How long idle connections are kept once the server was told to stop.
const LINGER: Duration = Duration::from_millis(500);

/// All lanes of a server. Dropped, they cut their connections off and end.
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    shared: Arc<Shared>,
    /// When they have to have ended, once they were told to.
    draining: watch::Sender<Option<Instant>>,
}

struct Lane {
    connections: mpsc::UnboundedSender<Given>,
    /// How many it has.
    load: Arc<AtomicUsize>,
    /// How many it had to cut off in the end.
    cut_off: oneshot::Receiver<usize>,
}

/// A connection on its way to a lane.
struct Given {
    socket: Socket,
    place: Place,
}

/// The place of a connection among all that may be, and among its lane's; free again when dropped.
struct Place {
    _permit: OwnedSemaphorePermit,
    load: Arc<AtomicUsize>,
    shared: Arc<Shared>,
}

/// What every connection of a lane needs.
#[derive(Clone)]
struct Serving {
    shared: Arc<Shared>,
    certificates: Option<Arc<Certificates>>,
    drain: watch::Receiver<Option<Instant>>,
}

impl Lanes {
    /// Starts a lane for each core.
    ///
    /// # Errors
    /// The system has no thread or event loop left.
    pub(super) fn start(
        shared: &Arc<Shared>,
        certificates: Option<&Arc<Certificates>>,
    ) -> io::Result<Self> {
        let (draining, drain) = watch::channel(None);
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let serving = Serving {
            shared: Arc::clone(shared),
            certificates: certificates.cloned(),
            drain,
        };
        let lanes = (0..cores).map(|_| Lane::start(serving.clone()));
        Ok(Self {
            lanes: lanes.collect::<io::Result<_>>()?,
            shared: Arc::clone(shared),
            draining,
        })
    }

    /// Gives a connection to the lane that has the fewest.
    pub(super) fn give(&self, stream: TcpStream, permit: OwnedSemaphorePermit) {
        let lanes = self.lanes.iter();
        let lane = lanes.min_by_key(|lane| lane.load.load(Ordering::Relaxed));
        let lane = lane.expect("there is a core");
        match stream.into_std() {
            Ok(socket) => {
                let place = Place::take(permit, &lane.load, &self.shared);
                // A lane ends only when nobody gives it anything any more.
                let _ = lane.connections.send(Given { socket, place });
            }
            Err(error) => tracing::debug!(%error, "a connection could not be given to a lane"),
        }
    }

    /// Has all connections finish the request they are in, for `time` at most, and tells how many
    /// were cut off.
    pub(super) async fn drain(self, time: Duration) -> usize {
        // Nobody listens only where there is no connection left.
        let _ = self.draining.send(Some(Instant::now() + time));
        // With what they are given by, all are told that nothing more comes.
        let ends: Vec<_> = self.lanes.into_iter().map(|lane| lane.cut_off).collect();
        let mut cut_off = 0;
        for end in ends {
            cut_off += end.await.unwrap_or_default();
        }
        cut_off
    }
}

impl Lane {
    fn start(serving: Serving) -> io::Result<Self> {
        let (connections, given) = mpsc::unbounded_channel();
        let (tell, cut_off) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let run = move || {
            let count = runtime.block_on(serving.serve_all(given));
            // What computes for a request that was cut off is not waited for.
            Runtime::shutdown_background(runtime);
            let _ = tell.send(count);
        };
        thread::Builder::new().name("lane".to_owned()).spawn(run)?;
        Ok(Self {
            connections,
            load: Arc::default(),
            cut_off,
        })
    }
}

impl Place {
    fn take(permit: OwnedSemaphorePermit, load: &Arc<AtomicUsize>, shared: &Arc<Shared>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        shared.connections.fetch_add(1, Ordering::Relaxed);
        Self {
            _permit: permit,
            load: Arc::clone(load),
            shared: Arc::clone(shared),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
        self.shared.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Serving {
    /// Serves what is given until nothing more will be; tells how many connections were cut off.
    async fn serve_all(self, mut given: mpsc::UnboundedReceiver<Given>) -> usize {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                next = given.recv() => match next {
                    Some(given) => connections.spawn(self.clone().connect(given)),
                    None => break,
                },
                Some(_) = connections.join_next() => continue,
            };
        }
        let deadline = self.drain.borrow().unwrap_or_else(Instant::now);
        let all = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout_at(deadline, all).await;
        let cut_off = connections.len();
        connections.shutdown().await;
        cut_off
    }

    async fn connect(self, Given { socket, place }: Given) {
        match TcpStream::from_std(socket) {
            Ok(stream) => self.greet(stream).await,
            Err(error) => tracing::debug!(%error, "a connection could not be waited on"),
        }
        drop(place);
    }

    async fn greet(self, stream: TcpStream) {
        let peer = stream.peer_addr().ok();
        // Answers are written whole; waiting for more would only make them late.
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, self.shared.limits.stall_time);
        let Some(certificates) = &self.certificates else {
            return self.converse(stream, peer).await;
        };
        let hello = certificates.accept(stream);
        match tokio::time::timeout(self.shared.limits.header_time, hello).await {
            Ok(Ok(stream)) => self.converse(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(?peer, %error, "no TLS connection came about"),
            Err(_) => tracing::debug!(?peer, "a TLS connection took too long to come about"),
        }
    }

    async fn converse(self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: Option<SocketAddr>) {
        let Self {
            shared, mut drain, ..
        } = self;
        let service = service_fn(|request| handle(Arc::clone(&shared), peer, request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(shared.limits.header_time)
            .max_buf_size(READ_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let is_over = async move {
            // That nobody can say it any more is the end too.
            let _ = drain.wait_for(Option::is_some).await;
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
}

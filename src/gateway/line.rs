//! A connection to a replica, for one request after the other.
//!
//! A request on a kept connection must not fail because the replica closed it meanwhile. So before
//! each use the socket itself is asked whether it is open, and a request of which no byte was
//! written comes back to be sent on another one.

use std::io;
use std::net::{SocketAddr, TcpStream as Socket};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The largest head of an answer.
const MOST_HEAD_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Line {
    sender: SendRequest<Full<Bytes>>,
    /// The same socket, to look at without reading.
    socket: Socket,
}

/// How a request came to nothing.
#[derive(Debug)]
pub(super) enum Failed {
    /// Not a byte of it was sent; here it is.
    Unsent(Box<Request<Full<Bytes>>>),
    /// It may have been read.
    Sent(hyper::Error),
}

impl Line {
    /// Connects.
    pub(super) async fn open(address: SocketAddr, connect_time: Duration) -> io::Result<Self> {
        let connect = TcpStream::connect(address);
        let stream = tokio::time::timeout(connect_time, connect)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        let stream = stream.into_std()?;
        let socket = stream.try_clone()?;
        let stream = TokioIo::new(TcpStream::from_std(stream)?);
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MOST_HEAD_BYTES)
            .handshake(stream)
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(async move {
            // Whoever sent the request is told the same.
            if let Err(error) = connection.await {
                tracing::debug!(%address, %error, "a connection to a replica ended");
            }
        });
        Ok(Self { sender, socket })
    }

    /// Whether nobody closed it, as far as is known here.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether a request can be sent on it now: it is open and silent.
    pub(super) fn is_usable(&self) -> bool {
        let silent = |result: io::Result<usize>| {
            result.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
        };
        !self.sender.is_closed() && silent(self.socket.peek(&mut [0]))
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failed> {
        if self.sender.ready().await.is_err() {
            return Err(Failed::Unsent(Box::new(request)));
        }
        let sent = self.sender.try_send_request(request).await;
        sent.map_err(|mut error| match error.take_message() {
            Some(request) => Failed::Unsent(Box::new(request)),
            None => Failed::Sent(error.into_error()),
        })
    }
}

//! The listening socket: bound here, or held by somebody who outlives this process.
//!
//! A parent process (systemd's socket activation, or one of our own) binds the address, sets
//! `LISTEN_FDS` and `LISTEN_PID`, and leaves the socket open for us. Connections wait in its
//! backlog while no server takes them, so that one can be replaced by the next.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::codes;
use crate::record::{Class, Code, Fault};

/// No socket to listen on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address can't be had.
    #[error("can't listen on {address}")]
    Bind {
        /// Which one.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// What was handed over is no listening TCP socket.
    #[error("what was handed over in `LISTEN_FDS` is no listening TCP socket")]
    HandedOver(#[source] io::Error),
}

impl Fault for ListenError {
    fn code(&self) -> &'static Code {
        &codes::NOT_LISTENING
    }

    fn help(&self) -> Option<String> {
        let Self::Bind { address, source } = self else {
            return Some("set `ListenStream=` in the socket's unit, one address".to_owned());
        };
        Some(match source.kind() {
            io::ErrorKind::AddrInUse => format!(
                "another program listens there (`ss -ltnp 'sport = :{}'` tells which): \
                 stop it, or choose another port",
                address.port()
            ),
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a right of their own: choose a higher one".to_owned()
            }
            _ => "choose an address of this machine".to_owned(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Bind { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                Class::Blocked
            }
            _ => Class::Permanent,
        }
    }
}

/// The socket that a parent process holds for us, if one does.
///
/// # Errors
/// [`ListenError::HandedOver`] if it is none to listen on.
pub fn inherited() -> Result<Option<TcpListener>, ListenError> {
    let mut handed = listenfd::ListenFd::from_env();
    if handed.len() == 0 {
        return Ok(None);
    }
    handed.take_tcp_listener(0).map_err(ListenError::HandedOver)
}

/// Binds an address; port 0 is any free one.
///
/// # Errors
/// [`ListenError::Bind`] if it can't be had.
pub fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).map_err(|source| ListenError::Bind { address, source })
}

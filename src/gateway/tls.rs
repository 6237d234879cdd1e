//! TLS from certificate files, which may be renewed while the server runs.
//!
//! By the system's OpenSSL, as everything of this project is that speaks TLS: one stack with one
//! set of rules, and the crate's bans keep a second one out.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use native_tls::{Identity, Protocol, TlsAcceptor, TlsConnector};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_native_tls::TlsStream;

use super::codes;
use crate::platform::atomic::{self, FileError};
use crate::record::{Code, Fault};

/// The largest certificate file: a chain of a few certificates has some kilobytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// Certificate files that no server can be made from.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// One of them can't be read.
    #[error(transparent)]
    Unreadable(#[from] FileError),
    /// They are no certificate and its key.
    #[error("{} and {} are no certificate with its key, both in PEM", certificate.display(), key.display())]
    Unusable {
        /// The certificate, with those that lead to its root.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
        /// What OpenSSL said.
        #[source]
        source: io::Error,
    },
}

impl Fault for CertificateError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unreadable(error) => error.code(),
            Self::Unusable { .. } => &codes::CERTIFICATE_UNUSABLE,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Unreadable(error) => error.help(),
            Self::Unusable { .. } => Some(
                "give a PEM certificate, its chain behind it, and its key in PKCS#8".to_owned(),
            ),
        }
    }
}

/// A certificate and its key, as their files last said.
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    acceptor: ArcSwap<tokio_native_tls::TlsAcceptor>,
    /// When the files were written that were read last, good or bad.
    read: Mutex<[Option<SystemTime>; 2]>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Certificates");
        shown.field("certificate", &self.certificate);
        shown.field("key", &self.key).finish_non_exhaustive()
    }
}

impl Certificates {
    /// Reads a certificate, with its chain behind it, and its key, both PEM.
    ///
    /// # Errors
    /// A file can't be read, or they don't belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read = [written_at(certificate), written_at(key)];
        Ok(Self {
            acceptor: ArcSwap::from_pointee(acceptor(certificate, key)?),
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            read: Mutex::new(read),
        })
    }

    /// Reads the files again if they were written since. If they are no good what was there stays
    /// in use, and it is logged.
    pub(super) fn renew(&self) {
        let written = [written_at(&self.certificate), written_at(&self.key)];
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *read == written {
            return;
        }
        *read = written;
        match acceptor(&self.certificate, &self.key) {
            Ok(acceptor) => {
                self.acceptor.store(Arc::new(acceptor));
                tracing::info!(certificate = %self.certificate.display(), "certificates are renewed");
            }
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, source, "certificates were written and are no good: the old ones stay in use");
            }
        }
    }

    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<TlsStream<S>, native_tls::Error> {
        let acceptor = self.acceptor.load_full();
        acceptor.accept(stream).await
    }
}

fn acceptor(
    certificate: &Path,
    key: &Path,
) -> Result<tokio_native_tls::TlsAcceptor, CertificateError> {
    let certificates = atomic::read_at_most(certificate, MOST_BYTES)?;
    let private = atomic::read_at_most(key, MOST_BYTES)?;
    let built = Identity::from_pkcs8(&certificates, &private).and_then(|identity| {
        TlsAcceptor::builder(identity)
            .min_protocol_version(Some(Protocol::Tlsv12))
            .build()
    });
    let built = built.map_err(io::Error::other);
    let tried = built.and_then(|acceptor| try_out(&acceptor).map(|()| acceptor));
    let acceptor = tried.map_err(|source| CertificateError::Unusable {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    })?;
    Ok(acceptor.into())
}

/// Makes one connection to ourselves. A key that belongs to another certificate is taken without a
/// word, and would only fail each client.
fn try_out(acceptor: &TlsAcceptor) -> io::Result<()> {
    let connector = TlsConnector::builder()
        .danger_accept_invalid_certs(true)
        .danger_accept_invalid_hostnames(true)
        .build()
        .map_err(io::Error::other)?;
    let (client, server) = UnixStream::pair()?;
    thread::scope(|scope| {
        scope.spawn(move || connector.connect("localhost", client).is_ok());
        let accepted = acceptor.accept(server).map(|_| ());
        accepted.map_err(|error| io::Error::other(error.to_string()))
    })
}

/// When a file was last written; `None` while it isn't there.
fn written_at(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

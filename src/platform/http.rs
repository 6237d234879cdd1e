//! The one HTTP client.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use super::codes;
use crate::record::{Code, Fault};

/// How we name ourselves to servers.
pub const USER_AGENT: &str = concat!("modelyard/", env!("CARGO_PKG_VERSION"));

/// A server that does not take a connection in this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A transfer in which nothing comes for this long has stalled. Large blobs may take hours, so
/// the whole has no limit.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The client could not be made: the machine's TLS or proxy settings are broken.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made with this machine's TLS and proxy settings")]
pub struct ClientError(#[source] reqwest::Error);

impl Fault for ClientError {
    fn code(&self) -> &'static Code {
        &codes::HTTP_CLIENT
    }

    fn help(&self) -> Option<String> {
        Some(
            "check HTTPS_PROXY, HTTP_PROXY, SSL_CERT_FILE and the system's certificates".to_owned(),
        )
    }
}

/// A builder with the project's limits; what talks to one kind of server adds its own.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that makes clients"
)]
pub fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
}

/// Builds the client.
///
/// # Errors
/// [`ClientError`] where the machine's TLS or proxy settings are broken.
pub fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ClientError> {
    builder.build().map_err(ClientError)
}

/// At most `limit` bytes of the body, and whether that is all of it.
///
/// # Errors
/// If it breaks off.
pub async fn read_at_most(
    mut response: Response,
    limit: usize,
) -> Result<(Bytes, bool), reqwest::Error> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        let room = limit - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((bytes.freeze(), false));
        }
    }
    Ok((bytes.freeze(), true))
}

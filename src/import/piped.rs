//! What programs write that sources are asked through, read as it comes.

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout};

use super::{Detail, ImportError};

/// How much of a file is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// What `child` writes to `output` until both end; its end is only good with the exit code 0.
pub(super) fn stream(
    child: Child,
    output: ChildStdout,
    place: String,
    what: String,
) -> BoxStream<'static, Result<Bytes, ImportError>> {
    let state = (BufReader::with_capacity(CHUNK_BYTES, output), child);
    let bytes = stream::try_unfold(state, move |(mut output, mut child)| {
        let (place, what) = (place.clone(), what.clone());
        async move {
            let away = |said: String| ImportError::Away {
                place,
                doing: format!("read {what}"),
                detail: Some(Detail(said)),
                retry_after: None,
                source: None,
            };
            let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
            match output.read_buf(&mut chunk).await {
                Ok(0) => {}
                Ok(_) => return Ok(Some((chunk.freeze(), (output, child)))),
                Err(error) => return Err(away(error.to_string())),
            }
            match child.wait().await {
                Ok(status) if status.success() => Ok(None),
                Ok(status) => Err(away(format!("it ends with {status}"))),
                Err(error) => Err(away(error.to_string())),
            }
        }
    });
    bytes.boxed()
}

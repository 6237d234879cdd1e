//! Programs that sources are asked through: what one prints, whole or as it comes.
//!
//! What is heard has an end: of more than was agreed on nothing is kept, and the program is killed.
//! Of its complaints the beginning is kept, and the rest read and thrown away, so that it waits for
//! nobody.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::{Detail, ImportError};

/// How much of a file is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// What a program prints, as it comes.
pub(super) type Bytes = BoxStream<'static, Result<bytes::Bytes, ImportError>>;

/// How much of a program is heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The most that it may print.
    pub printed_bytes: u64,
    /// How much of its complaints is kept.
    pub complaint_bytes: u64,
    /// How long it may take, where that has an end.
    pub patience: Option<Duration>,
}

/// What a program said until it ended.
#[derive(Debug)]
pub(super) struct Heard {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub printed: Vec<u8>,
    /// What it wrote to standard error, as text.
    pub complaint: String,
}

/// Why a program was not heard to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unheard {
    /// It can't be started, or spoken with.
    #[error("can't be run: {0}")]
    Failed(#[from] io::Error),
    /// It prints more than it may.
    #[error("prints more than {0} bytes")]
    TooMuch(u64),
    /// It takes longer than it may.
    #[error("takes more than {} s", .0.as_secs())]
    TooLong(Duration),
}

/// Runs `command`, tells it `input`, and hears it to its end. It is killed if nobody waits for that.
///
/// # Errors
/// If it can't be run, or goes beyond `bounds`. Whether it says yes is in its status.
pub(super) async fn hear(
    command: &mut Command,
    input: &str,
    bounds: Bounds,
) -> Result<Heard, Unheard> {
    let hearing = hear_out(command, input, bounds);
    match bounds.patience {
        None => hearing.await,
        Some(patience) => {
            let heard = timeout(patience, hearing).await;
            heard.unwrap_or(Err(Unheard::TooLong(patience)))
        }
    }
}

async fn hear_out(command: &mut Command, input: &str, bounds: Bounds) -> Result<Heard, Unheard> {
    let stdin = match input.is_empty() {
        true => Stdio::null(),
        false => Stdio::piped(),
    };
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let tell = async {
        if let Some(mut stdin) = stdin {
            // One that ends before it has read all has its reasons, and tells them.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        Ok(())
    };
    let print = async {
        let mut printed = Vec::new();
        if let Some(stdout) = stdout {
            let mut stdout = stdout.take(bounds.printed_bytes + 1);
            stdout.read_to_end(&mut printed).await?;
        }
        match printed.len() as u64 > bounds.printed_bytes {
            // It would go on for ever, and its complaints, too.
            true => Err(Unheard::TooMuch(bounds.printed_bytes)),
            false => Ok(printed),
        }
    };
    let complain = async {
        let mut complaint = Vec::new();
        if let Some(mut stderr) = stderr {
            let mut beginning = (&mut stderr).take(bounds.complaint_bytes);
            beginning.read_to_end(&mut complaint).await?;
            tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await?;
        }
        Ok(complaint)
    };
    let (printed, complaint, ()) = tokio::try_join!(print, complain, tell)?;
    let status = child.wait().await?;
    Ok(Heard {
        status,
        printed,
        complaint: String::from_utf8_lossy(&complaint).trim().to_owned(),
    })
}

/// What `command` prints, as it comes; its end is only good with the exit code 0. `what` is read
/// by it from `place`.
///
/// # Errors
/// If it can't be run.
pub(super) fn stream(mut command: Command, place: String, what: String) -> io::Result<Bytes> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // It may complain of more than anybody reads.
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let output = child.stdout.take();
    let output = output.ok_or_else(|| io::Error::other("it has no output"))?;
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
    Ok(bytes.boxed())
}

#[cfg(all(test, unix))]
mod tests {
    //! Programs of the shell, heard.

    use super::*;

    const BOUNDS: Bounds = Bounds {
        printed_bytes: 1 << 20,
        complaint_bytes: 5,
        patience: None,
    };

    async fn heard(script: &str, input: &str, bounds: Bounds) -> Result<Heard, Unheard> {
        hear(Command::new("sh").args(["-c", script]), input, bounds).await
    }

    #[tokio::test]
    async fn a_program_is_told_and_heard_to_its_end() {
        // More than any pipe holds, in both directions and beside it.
        let input = "line\n".repeat(100_000);
        let script = "tee /dev/stderr; exit 3";
        let heard = heard(script, &input, BOUNDS).await.unwrap();
        assert_eq!(heard.status.code(), Some(3));
        assert_eq!(heard.printed, input.as_bytes());
        assert_eq!(heard.complaint, "line");
    }

    #[tokio::test]
    async fn one_that_reads_nothing_is_heard_all_the_same() {
        let input = "line\n".repeat(100_000);
        let heard = heard("exec 0<&-; echo no", &input, BOUNDS).await.unwrap();
        assert_eq!(heard.printed, b"no\n");
    }

    #[tokio::test]
    async fn one_that_goes_on_for_ever_is_ended() {
        let error = heard("yes", "", BOUNDS).await.unwrap_err();
        assert_eq!(error.to_string(), "prints more than 1048576 bytes");
        let bounds = Bounds {
            patience: Some(Duration::ZERO),
            ..BOUNDS
        };
        let error = heard("exec yes >/dev/null", "", bounds).await.unwrap_err();
        assert_eq!(error.to_string(), "takes more than 0 s");
        let missing = hear(&mut Command::new("/nowhere/at-all"), "", BOUNDS).await;
        assert!(matches!(missing, Err(Unheard::Failed(_))));
    }
}

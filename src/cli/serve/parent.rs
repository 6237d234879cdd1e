//! The small process that holds the listening socket: it outlives the server below it.
//!
//! The server gets the socket as its standard input. Should it die, clients wait in the socket's
//! backlog, which is bounded, until the next one is there; they are never refused.
//!
//! | signal to this process | what the server is told |
//! | --- | --- |
//! | SIGHUP | SIGTERM: end what it answers and leave the runtimes; then the program is started again, which may be a newer one by then, and adopts them |
//! | SIGTERM, SIGINT | SIGINT: end what it answers, and end the runtimes |

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::super::context::interrupted;
use super::super::fault::CliError;
use super::super::{Context, Outcome};
use super::SOCKET_ARGUMENT;
use crate::record::Failure;

/// A server that lived for so long was well once.
const WELL: Duration = Duration::from_secs(5);
/// The wait before a server is started again that was not well; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Keeps a server at work on `listener` until a signal says that it is enough.
///
/// # Errors
/// If none can be started, or signals can't be heard.
pub(super) async fn hold(
    listener: &TcpListener,
    program: &Path,
    context: &Context,
) -> Result<Outcome, Failure> {
    let mut hangup = signal(SignalKind::hangup()).map_err(CliError::Runtime)?;
    let mut stop = std::pin::pin!(interrupted());
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let mut child = started(listener, program)?;
        let status = tokio::select! {
            status = child.wait() => status.map_err(CliError::Runtime)?,
            () = &mut stop => return Ok(ended(end(&mut child, Signal::INT).await?)),
            _ = hangup.recv() => {
                end(&mut child, Signal::TERM).await?;
                failures = 0;
                continue;
            }
        };
        let was_well = began.elapsed() >= WELL;
        if !was_well && status.code().is_some_and(|code| code != 0) {
            // It said why: it would say so again.
            return Ok(ended(status));
        }
        context.note(&format!(
            "the server ended ({status}), and is started again"
        ));
        failures = if was_well { 0 } else { failures + 1 };
        let wait = match failures {
            0 | 1 => Duration::ZERO,
            more => FIRST_WAIT
                .saturating_mul(1 << (more - 2).min(16))
                .min(LONGEST_WAIT),
        };
        tokio::select! {
            () = sleep_until(Instant::now() + wait) => {}
            () = &mut stop => return Ok(Outcome::Done),
        }
    }
}

/// This program once more, as a server with the socket.
fn started(listener: &TcpListener, program: &Path) -> Result<Child, CliError> {
    let socket = listener.try_clone().map_err(CliError::Runtime)?;
    Command::new(program)
        .args(std::env::args_os().skip(1))
        .arg(SOCKET_ARGUMENT)
        .stdin(Stdio::from(OwnedFd::from(socket)))
        .kill_on_drop(true)
        .spawn()
        .map_err(CliError::Runtime)
}

/// Lets the server end what it has, and waits for that; how long it may take is its own word.
async fn end(child: &mut Child, signal: Signal) -> Result<ExitStatus, CliError> {
    let process = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(process) = process {
        // It may have ended by itself just now.
        let _ = kill_process(process, signal);
    }
    child.wait().await.map_err(CliError::Runtime)
}

fn ended(status: ExitStatus) -> Outcome {
    match status.code() {
        Some(0) | None => Outcome::Done,
        Some(code) => Outcome::Ended(u8::try_from(code).unwrap_or(2)),
    }
}

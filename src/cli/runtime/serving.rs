//! What runtimes take that serve a model by the protocol.

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZero;
use std::thread;
use std::time::Duration;

use super::super::context::interrupted;
use crate::record::{Name, Version};
use crate::target::runtime::Announcement;
use crate::target::runtime::onnx::{Called, Limits};

/// What the model is called, where to listen, and when to end.
#[derive(Debug, clap::Args)]
pub(super) struct ServingArguments {
    /// What requests call the model
    #[arg(long)]
    name: Name,
    /// The model's version, which answers tell
    #[arg(long, value_name = "VERSION")]
    version: Option<Version>,
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(super) listen: SocketAddr,
    /// End also when standard input does, as it does when whoever started it is gone
    #[arg(long)]
    pub(super) with_parent: bool,
}

/// What clients may do.
#[derive(Debug, clap::Args)]
pub(super) struct LimitArguments {
    /// How many requests may wait for an instance; more are refused with 429
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().waiting)]
    waiting: NonZero<usize>,
    /// The largest body of a request; larger ones are refused with 413
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().body_bytes)]
    max_body_bytes: usize,
    /// How long a request may take, from its head to its answer
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().request.as_secs())]
    request_timeout: u64,
    /// How long a client may be silent before its connection is closed
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().silence.as_secs())]
    silence_timeout: u64,
    /// How long requests may still take after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().drain.as_secs())]
    drain_timeout: u64,
}

impl ServingArguments {
    pub(super) fn called(&self) -> Called {
        Called {
            name: self.name.clone(),
            version: self.version.clone(),
        }
    }

    /// Waits until it shall end.
    pub(super) async fn stop(&self) {
        let orphaned = async {
            match self.with_parent {
                true => input_ended().await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            () = interrupted() => {}
            () = orphaned => {}
        }
    }
}

impl LimitArguments {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            body_bytes: self.max_body_bytes,
            waiting: self.waiting,
            request: Duration::from_secs(self.request_timeout),
            silence: Duration::from_secs(self.silence_timeout),
            drain: Duration::from_secs(self.drain_timeout),
        }
    }
}

/// Tells whoever started us where we listen. If nobody reads it, nobody needs to know.
pub(super) fn announce(listening: SocketAddr) {
    let line = Announcement { listening }.to_line();
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Waits until nobody can say anything more on standard input.
async fn input_ended() {
    let (ended, wait) = tokio::sync::oneshot::channel();
    // A thread of its own: it is never joined, whatever standard input does.
    thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = wait.await;
}

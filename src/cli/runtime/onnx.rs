//! `modelyard runtime onnx`: the built-in runtime for ONNX models.

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::super::context::interrupted;
use super::super::{Context, Outcome};
use crate::record::{Failure, Name, Version};
use crate::target::runtime::Announcement;
use crate::target::runtime::onnx::{self, Called, Limits, Options};

/// Serve an ONNX model
///
/// Answers at /v2/health/ready once the model is loaded, and from then on at
/// /v2/models/NAME/infer, with JSON or raw bytes (binary tensor data extension).
#[derive(Debug, clap::Args)]
#[command(disable_version_flag = true)]
#[command(after_help = "Examples:
  modelyard runtime onnx models/digits --name digits
  modelyard runtime onnx model.onnx --name digits --version 1.0.0 --listen 127.0.0.1:8000
  curl http://127.0.0.1:8000/v2/models/digits/infer -d @request.json")]
pub(super) struct Arguments {
    /// The model's file, or a folder whose only ONNX model it is, or its topmost `model.onnx`;
    /// weights in files beside it come along
    #[arg(value_name = "FOLDER_OR_FILE")]
    model: PathBuf,
    /// What requests call the model
    #[arg(long)]
    name: Name,
    /// The model's version, which answers tell
    #[arg(long, value_name = "VERSION")]
    version: Option<Version>,
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How many requests are computed at once; as many as there are cores if it is left out
    #[arg(long, value_name = "COUNT")]
    instances: Option<NonZero<usize>>,
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
    /// End also when standard input does, as it does when whoever started it is gone
    #[arg(long)]
    with_parent: bool,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let cores = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let options = Options {
            model: context.directory.join(self.model),
            called: Called {
                name: self.name,
                version: self.version,
            },
            listen: self.listen,
            instances: self.instances.unwrap_or_else(cores),
            limits: Limits {
                body_bytes: self.max_body_bytes,
                waiting: self.waiting,
                request: Duration::from_secs(self.request_timeout),
                silence: Duration::from_secs(self.silence_timeout),
                drain: Duration::from_secs(self.drain_timeout),
            },
        };
        let orphaned = async {
            match self.with_parent {
                true => input_ended().await,
                false => std::future::pending().await,
            }
        };
        let stop = async {
            tokio::select! {
                () = interrupted() => {}
                () = orphaned => {}
            }
        };
        onnx::serve(options, announce, stop).await?;
        Ok(Outcome::Done)
    }
}

/// Tells whoever started us where we listen. If nobody reads it, nobody needs to know.
fn announce(listening: SocketAddr) {
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

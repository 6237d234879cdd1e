//! `modelyard serve`: makes an environment of this host what main says, and answers for it.

mod assembly;
mod front;
mod hooks;
mod parent;
mod server;
mod telling;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use url::Url;

use super::fault::CliError;
use super::host::HostArguments;
use super::stores::StoreArguments;
use super::{Context, Format, Outcome};
use crate::gateway::{self, Limits};
use crate::reconcile::branch::Words;
use crate::record::kind::Span;
use crate::record::{Digest, Failure};
use crate::target::runtime::Announcement;

pub(super) use assembly::{Assembly, Role};
pub(super) use telling::Told;

/// What the process that holds the socket adds to the arguments of the server below it.
const SOCKET_ARGUMENT: &str = "--socket-is-standard-input";

/// Serve an environment of this host: what main says runs, and its predictions are answered
///
/// Follows the main branch of the yard's remote: fetches and verifies what is deployed, starts it,
/// tries it out, shifts traffic as the deployment's strategy says, and rolls back what fails, with
/// a revert on a branch. Predictions are answered by the Open Inference Protocol, version 2, at
/// /v2/models/DEPLOYMENT/infer. Others than this machine have to show a token (`modelyard token`).
///
/// Everything may be killed at any time: what serves goes on, and is found again. SIGHUP starts the
/// program anew under the same socket, for an upgrade; Ctrl-C and SIGTERM end it and all it runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard serve --environment host
  modelyard serve -e factory --listen 0.0.0.0:8443 --certificate tls.pem --key tls.key
  MODELYARD_HOOK_SECRET=… modelyard serve -e factory   # and a webhook to http://HOST/hooks/forge
  modelyard serve -e factory --access-log --output json 2>>/var/log/modelyard.jsonl
  modelyard status -e host --watch
  curl http://127.0.0.1:8080/v2/models/digits/infer -d @request.json

By systemd's socket activation it takes the socket that it is handed (LISTEN_FDS).")]
pub(super) struct Arguments {
    #[command(flatten)]
    host: HostArguments,
    /// Where predictions are answered; port 0 is any free one
    #[arg(
        short,
        long,
        value_name = "ADDRESS",
        env = "MODELYARD_LISTEN",
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,
    /// Answer everybody who can reach the address, without a token
    #[arg(long)]
    open: bool,
    /// The file of tokens, where it isn't the one in your configuration folder
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Answer by TLS with this certificate, its chain behind it, in PEM; it may be renewed under
    /// the server
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The certificate's key, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Log each request as it was answered, to standard error; with --output json a line of JSON
    /// each
    #[arg(long)]
    access_log: bool,
    /// How often main is fetched; `modelyard reconcile --nudge` has it fetched at once
    #[arg(long, value_name = "TIME", default_value = "30s")]
    poll: Span,
    /// The file with the secret that the forge signs its webhooks with; without one it is
    /// MODELYARD_HOOK_SECRET, and where there is neither, no webhook is heard
    #[arg(long, value_name = "FILE")]
    hook_secret_file: Option<PathBuf>,
    /// The Prometheus server that analyses query
    #[arg(long, value_name = "URL", env = "PROMETHEUS_URL")]
    prometheus: Option<Url>,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    words: WordArguments,
    #[command(flatten)]
    stores: StoreArguments,
    /// The socket is handed over as standard input, by who holds it
    #[arg(long = "socket-is-standard-input", hide = true)]
    has_socket: bool,
}

/// The bounds of what comes from outside.
#[derive(Debug, clap::Args)]
struct LimitArguments {
    /// The largest body of a request
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().request_bytes)]
    max_body_bytes: usize,
    /// How many requests of a deployment may wait; more are refused with 429
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().queue)]
    queue: usize,
    /// How many requests a replica is given at once
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().at_once)]
    concurrency: usize,
    /// How long a replica may take to answer
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().answer_time.as_secs())]
    request_timeout: u64,
    /// How long a request waits for something to be ready
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().wait_time.as_secs())]
    wait_timeout: u64,
    /// How long requests may go on once the server is told to end
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().drain_time.as_secs())]
    drain_timeout: u64,
}

/// What a person says of what is out of the ordinary.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct WordArguments {
    /// An environment without deployments is meant: what runs is ended
    #[arg(long)]
    accept_empty: bool,
    /// A main that does not come from the commit that was followed last is meant
    #[arg(long)]
    accept_rewritten: bool,
    /// The plan of this hash is meant, though reviewers were shown another one
    #[arg(long, value_name = "HASH")]
    pub(super) accept_plan: Option<Digest>,
}

impl WordArguments {
    pub(super) fn words(self) -> Words {
        Words {
            empty: self.accept_empty,
            rewritten: self.accept_rewritten,
            plan: self.accept_plan,
        }
    }
}

impl LimitArguments {
    fn limits(&self) -> Limits {
        Limits {
            request_bytes: self.max_body_bytes,
            queue: self.queue,
            at_once: self.concurrency,
            answer_time: Duration::from_secs(self.request_timeout),
            wait_time: Duration::from_secs(self.wait_timeout),
            drain_time: Duration::from_secs(self.drain_timeout),
            ..Limits::default()
        }
    }
}

impl Arguments {
    pub(super) const fn logs_access(&self) -> bool {
        self.access_log
    }

    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if self.has_socket {
            return server::serve(&self, context, handed_over()?).await;
        }
        if let Some(socket) = gateway::inherited()? {
            announce(context, &socket);
            return server::serve(&self, context, socket).await;
        }
        let socket = gateway::bind(self.listen)?;
        announce(context, &socket);
        let program = context.program()?;
        parent::hold(&socket, &program, context).await
    }

    fn poll(&self) -> SignedDuration {
        SignedDuration::try_from(self.poll.to_duration()).unwrap_or(SignedDuration::MAX)
    }
}

/// The socket that is our standard input.
fn handed_over() -> Result<TcpListener, CliError> {
    use std::os::fd::AsFd;
    let socket = std::io::stdin().as_fd().try_clone_to_owned();
    Ok(TcpListener::from(socket.map_err(CliError::Runtime)?))
}

/// Tells where we listen: scripts by a line of JSON, as runtimes do it, and people in words.
fn announce(context: &Context, socket: &TcpListener) {
    let Ok(listening) = socket.local_addr() else {
        return;
    };
    if context.format == Format::Text {
        context.note(&format!("listening on {listening}"));
        return;
    }
    let mut stdout = std::io::stdout().lock();
    let line = Announcement { listening }.to_line();
    // If nobody reads it, nobody needs to know.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
